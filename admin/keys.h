#ifndef ADMIN_KEYS_H_
#define ADMIN_KEYS_H_

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/seal.h"

struct err;
struct store;

/**
 * Clients' keys.  Each change is one transaction.  ERR_EXISTS: the name is
 * taken; ERR_NOT_FOUND: no such key, user, group or account; ERR_INVAL: a value
 * is not allowed.
 */
struct key_change {
	const char *name;	/* NULL: unchanged */
	bool bind;		/* bind anew: to group, to account, or (both
				   NULL) to the whole pool */
	const char *group;
	const char *account;
	const char *user;	/* whose it is; "": nobody's; NULL:
				   unchanged */
	int64_t concurrency;	/* 0: unlimited; -1: unchanged, or unlimited */
	const char *models;	/* patterns by comma; "": any; NULL:
				   unchanged */
	int64_t expires_ms;	/* 0: never; -1: unchanged, or never */
	int enabled;		/* -1: unchanged, or enabled */
	int64_t budget_nusd;	/* money in total; -1: unchanged, or none;
				   KEY_BUDGET_NONE: none any more */
	int64_t drain_ms;	/* so long the upstream goes on when a client
				   leaves, 0 ... 3,600,000; -1: unchanged;
				   KEY_DRAIN_DEFAULT: as the installation */
	const char *clients;	/* see pool/rules.h; "": any; NULL:
				   unchanged */
	const char *nets;	/* by comma; "": from anywhere; NULL:
				   unchanged */
	int64_t rate;		/* requests in each rate_ms; -1: unchanged;
				   KEY_RATE_NONE: no limit any more */
	int64_t rate_ms;	/* of a sliding window, see ledger/window.h */
	const char *queue_class;	/* high, normal or low; NULL: unchanged,
					   or normal */
};

/** Classes of keys in the queue, by their number; NULL-ended. */
extern const char *const key_classes[];

#define KEY_BUDGET_NONE		(-2)
#define KEY_DRAIN_DEFAULT	(-2)
#define KEY_RATE_NONE		(-2)
#define KEY_RATE_MAX		1000000000
#define KEY_CONCURRENCY_MAX	100000

/** key_change_init(c): Nothing changes. */
void key_change_init(struct key_change *c);

/** keys_create(st, pepper, c, key, err): Make a key and return it in ${key},
 * which the caller shows once and wipes. */
int keys_create(struct store *st, const struct seal_pepper *pepper,
    const struct key_change *c, char key[SEAL_CLIENT_KEY_SIZE],
    struct err *err) __attribute__((__warn_unused_result__));

/** keys_create_in(st, pepper, c, key, err), keys_set_in(st, name, c, err): The
 * same as part of a change that the caller began; he wipes ${key} also after
 * -1. */
int keys_create_in(struct store *st, const struct seal_pepper *pepper,
    const struct key_change *c, char key[SEAL_CLIENT_KEY_SIZE],
    struct err *err) __attribute__((__warn_unused_result__));
int keys_set_in(struct store *st, const char *name,
    const struct key_change *c, struct err *err)
    __attribute__((__warn_unused_result__));

int keys_set(struct store *st, const char *name, const struct key_change *c,
    struct err *err) __attribute__((__warn_unused_result__));

/** keys_revoke(st, name, err): For good, from the next request on.  0 also
 * when it was revoked before. */
int keys_revoke(struct store *st, const char *name, struct err *err)
    __attribute__((__warn_unused_result__));

/** keys_find(st, name, id, err): A key that is not revoked; 0, or -1
 * (ERR_NOT_FOUND, ERR_EXISTS: it is revoked). */
int keys_find(struct store *st, const char *name, int64_t *id,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * keys_list(st, err): Array of all of them.
 * keys_page(st, part, total, err): some of them, and how many fit.
 * keys_show: one of them, with what it used ("usage") and the budgets that hold
 * for it ("budgets", see budget_view.h).
 */
struct keys_part {
	int64_t person_id;	/* whose; 0: all */
	const char *q;		/* a part of the name in small letters; NULL:
				   any */
	int64_t limit, offset;
};
json_t *keys_list(struct store *st, struct err *err);
json_t *keys_page(struct store *st, const struct keys_part *part,
    int64_t *total, struct err *err);
json_t *keys_show(struct store *st, const char *name, struct err *err);

/**
 * keys_explain(st, key, slice_tokens, err):
 * Add to what keys_show gave what its owner should know of its budgets
 * ("notes", see budget_notes.h).  0, or -1.
 */
int keys_explain(struct store *st, json_t *key, int64_t slice_tokens,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_KEYS_H_ */
