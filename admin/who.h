#ifndef ADMIN_WHO_H_
#define ADMIN_WHO_H_

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "store/store.h"

/**
 * Who asks: a person who is signed in, a person's token, or a token of the
 * installation, which the command makes and which may do all.
 */
enum role {
	ROLE_NONE,		/* not signed in */
	ROLE_KEY = ROLE_NONE,	/* likewise, but with a client key; of a
				   route, in routes.def */
	ROLE_USER,		/* sees and makes keys of their own */
	ROLE_OPERATOR,		/* sees all, runs the pool, sets no secrets */
	ROLE_ADMIN,
	ROLES
};

struct who {
	enum role role;
	bool read_only;		/* a token whose scope is that */
	int64_t person_id;	/* 0: a token of the installation, or nobody */
	int64_t sign_in_id;	/* 0: not by a browser's cookie */
	int64_t token_id;	/* 0: not by a token */
	char name[LIMIT_NAME_BYTES];	/* of the person or token */
};

/** role_word(role), role_parse(word, role): "admin" ...; false: unknown. */
const char *role_word(enum role role);
bool role_parse(const char *word, enum role *role);

/** role_take(arg, cols, ncols): A row's first column into ${arg}, an enum role;
 * ROLE_NONE if it is unknown.  For store_query. */
int role_take(void *arg, const struct store_value *cols, size_t ncols);

#endif /* !ADMIN_WHO_H_ */
