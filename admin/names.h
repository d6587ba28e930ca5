#ifndef ADMIN_NAMES_H_
#define ADMIN_NAMES_H_

#include <jansson.h>
#include <stdint.h>

struct err;
struct store;

/** The names of all keys, people, accounts or groups, for reports that have
 * their ids. */
enum names_of {
	NAMES_OF_KEYS,
	NAMES_OF_PEOPLE,
	NAMES_OF_ACCOUNTS,
	NAMES_OF_GROUPS,
	NAMES_OF_COUNT
};

struct names;

/** names_read(st, of, err): NULL with ${err}.  names_free takes NULL. */
struct names *names_read(struct store *st, enum names_of of, struct err *err);
void names_free(struct names *n);

/** names_find(n, name, id): 0, or -1 if there is none of that name. */
int names_find(const struct names *n, const char *name, int64_t *id)
    __attribute__((__warn_unused_result__));

/** names_json(n, id): A new reference: the name, "#7" if it is gone, null for
 * id 0; NULL without memory. */
json_t *names_json(const struct names *n, int64_t id);

#endif /* !ADMIN_NAMES_H_ */
