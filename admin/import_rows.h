#ifndef ADMIN_IMPORT_ROWS_H_
#define ADMIN_IMPORT_ROWS_H_

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct err;
struct seal;
struct store;

/**
 * The kinds of things that import.c takes over: how each is found and put,
 * within its transaction.
 */
struct import_kind {
	const char *list;	/* "accounts" */
	const char *what;	/* "account" */
	const char *key;	/* member that names one */
	/** 1: it is there; 0; or -1. */
	int (*find)(struct store *st, const json_t *row, struct err *err);
	/** Add it, or change the one that is ${there}.  0, or -1. */
	int (*put)(struct store *st, const struct seal *seal,
	    const json_t *row, bool there, int64_t ahead_ms,
	    struct err *err);
};

extern const struct import_kind import_user_kind;
extern const struct import_kind import_key_kind;
extern const struct import_kind import_budget_kind;
extern const struct import_kind import_price_kind;

/**
 * import_pepper(st, seal, things, err):
 * Where there are keys in ${things}: let "pepper" (64 hex digits), with which
 * their hashes were made, be this installation's, if it is another and nothing
 * here was hashed with the one that is.  0, or -1: ERR_EXISTS.
 */
int import_pepper(struct store *st, const struct seal *seal,
    const json_t *things, struct err *err)
    __attribute__((__warn_unused_result__));

/** A text of a row and its place in a struct.  import_texts(row, texts, n,
 * out, err): those that are there.  import_found(rc, why, err): 1 if ${rc} is
 * 0; 0: ${why} is ERR_NOT_FOUND; else -1. */
struct import_place {
	const char *key;
	size_t at;		/* of a const char * */
};
int import_texts(const json_t *row, const struct import_place *texts,
    size_t n, void *out, struct err *err)
    __attribute__((__warn_unused_result__));
int import_found(int rc, const struct err *why, struct err *err)
    __attribute__((__warn_unused_result__));

/** In the order in which they need each other; ends with NULL. */
extern const struct import_kind *const import_kinds[];

/**
 * import_text(row, key, out, err), import_int(...), import_bool(...):
 * A member, if it is there and not null; *${out} stays as it is if not.  0, or
 * -1 with ERR_INVAL: it is of another kind.
 */
int import_text(const json_t *row, const char *key, const char **out,
    struct err *err) __attribute__((__warn_unused_result__));
int import_int(const json_t *row, const char *key, int64_t *out,
    struct err *err) __attribute__((__warn_unused_result__));
int import_bool(const json_t *row, const char *key, int *out,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_IMPORT_ROWS_H_ */
