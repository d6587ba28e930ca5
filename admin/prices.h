#ifndef ADMIN_PRICES_H_
#define ADMIN_PRICES_H_

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct err;
struct price;
struct store;

/** The price file that came with this version. */
#define PRICES_FILE	DATADIR "/prices.json"

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

/** A price file that is to be imported. */
struct price_import {
	const json_t *file;
	const char *source;	/* where the file does not name its own */
	const char *platform;	/* whose prices they become; NULL: as the file
				   has it */
};

/**
 * prices_import(st, what, done, err):
 * Take over the prices of Claude models, in one transaction.  Numbers of a
 * row are never changed: what is new for a model is valid from now on, a
 * model's first row from the beginning of time.  A tier that the file no longer
 * has is followed
 * by one at the model's base price.  ${what}'s source is noted where the file
 * does not name its own ("_meta": {"source", "date"}).
 *
 * What the file leaves out: cache writes for 1 hour cost twice, those for 5
 * minutes 1.25 times the input price, cache reads as much as input; a tier's
 * output costs what the base's does.  Of batches, fast mode, the priority tier,
 * inference in the US and web searches no price is known then.
 */
int prices_import(struct store *st, const struct price_import *what,
    struct prices_done *done, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * prices_set(st, p, err):
 * Let ${p} be the price of its pattern and tier from .valid_from_ms on; 0: from
 * now on, or since ever if there was none that has no end.  A price with an
 * end gives way to the one before it then.  0 with .id and .valid_from_ms
 * filled in, or -1 (ERR_EXISTS: another begins at that very moment).
 */
int prices_set(struct store *st, struct price *p, struct err *err)
    __attribute__((__warn_unused_result__));

/** prices_follow(st, old, p, err): The same of one whose values come from
 * ${old}, as prices_show gave it: ERR_NOT_FOUND, or ERR_EXISTS, if that is gone
 * or has another end by now. */
int prices_follow(struct store *st, const struct price *old, struct price *p,
    struct err *err) __attribute__((__warn_unused_result__));

/** prices_set_in(st, p, err): prices_set as part of a change that the caller
 * began, whose numbers are checked. */
int prices_set_in(struct store *st, struct price *p, struct err *err)
    __attribute__((__warn_unused_result__));

/** PRICES_BY_HAND: The source of those that prices_set made. */
#define PRICES_BY_HAND	"price set"

/** prices_fill_cache(p): What the cache costs if nobody says: reading as much
 * as input, writing 1.25 times (5 minutes) and 2 times (1 hour) that. */
void prices_fill_cache(struct price *p);

/**
 * prices_remove(st, id, err):
 * A price that is to come is deleted; one that is valid ends now, and gives
 * way to the one before it, if there is one.  0, or -1 (ERR_NOT_FOUND;
 * ERR_EXISTS: it has ended already).
 */
int prices_remove(struct store *st, int64_t id, struct err *err)
    __attribute__((__warn_unused_result__));

/** prices_show(st, id, p, err): One of them, as a list has it; and as a
 * struct, where ${p} is not NULL.  NULL with ERR_NOT_FOUND. */
json_t *prices_show(struct store *st, int64_t id, struct price *p,
    struct err *err);

/** prices_newest(st, pattern, err): For the audit log: the twenty newest rows
 * of a pattern; NULL with ERR_NOT_FOUND if there is none. */
json_t *prices_newest(struct store *st, const char *pattern,
    struct err *err);

/** prices_list(st, all, err): The prices in force now, or ${all} that there
 * were and will be, as an array. */
json_t *prices_list(struct store *st, bool all, struct err *err);

/** prices_any(st, any, err): Has the table any row? */
int prices_any(struct store *st, int *any, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_PRICES_H_ */
