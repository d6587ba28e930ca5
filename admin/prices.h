#ifndef ADMIN_PRICES_H_
#define ADMIN_PRICES_H_

#include <jansson.h>
#include <stdint.h>

struct err;
struct store;

/** What an import did, in rows (a model has one for each context tier). */
struct prices_done {
	int64_t added;		/* new or changed */
	int64_t unchanged;
	int64_t skipped;	/* models of other providers, or not priced by
				   tokens */
};

/**
 * prices_read_file(path, err): A price file in LiteLLM's format; NULL with
 * ${err}.  The caller gives it up with json_decref.
 */
json_t *prices_read_file(const char *path, struct err *err);

/**
 * prices_import(st, file, source, done, err):
 * Take over the prices of Claude models, in one transaction.  Rows are never
 * changed: what is new for a model is valid from now on, a model's first row
 * from the beginning of time.  A tier that the file no longer has is followed
 * by one at the model's base price.  ${source} is noted where the file does
 * not name its own ("_meta": {"source", "date"}).
 *
 * What the file leaves out: cache writes for 1 hour cost twice, those for 5
 * minutes 1.25 times the input price, cache reads as much as input; a tier's
 * output costs what the base's does.
 */
int prices_import(struct store *st, const json_t *file, const char *source,
    struct prices_done *done, struct err *err)
    __attribute__((__warn_unused_result__));

/** prices_list(st, err): The prices in force now, as an array. */
json_t *prices_list(struct store *st, struct err *err);

/** prices_any(st, any, err): Has the table any row? */
int prices_any(struct store *st, int *any, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_PRICES_H_ */
