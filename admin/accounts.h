#ifndef ADMIN_ACCOUNTS_H_
#define ADMIN_ACCOUNTS_H_

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "account_oauth.h"

struct err;
struct seal;
struct store;

/**
 * Upstream accounts.  Each change is one transaction.  ERR_EXISTS: the name is
 * taken, or the account is in use; ERR_NOT_FOUND: no such account or group;
 * ERR_INVAL: a value is not allowed.
 */
struct account_change {
	const char *name;	/* for all: NULL: unchanged */
	const char *platform;
	const char *base_url;
	const char *credential;	/* api_key | bearer | oauth */
	const char *group;	/* "": none */
	int64_t priority;	/* -1: unchanged, or the default; so below */
	int64_t weight;
	int64_t concurrency;
	int enabled;
	const char *secret;	/* in clear; the caller wipes it */
	size_t secret_len;
	struct oauth_settings oauth;
	const struct oauth_tokens *tokens;	/* of a new one that was signed
					   in to; NULL: it was not */
	int64_t ahead_ms;	/* with them: see oauth_renew_ms */
	const char *models;	/* that it serves: see check_models; "": any */
	const char *auth_header;	/* see check_auth_header; "": the
					   usual one */
	const char *proxy;	/* see account_proxy.h; "": none */
	const char *proxy_password;	/* NULL: its user has none */
};

#define ACCOUNT_PRIORITY_MAX	1000
#define ACCOUNT_WEIGHT_MAX	10000
#define ACCOUNT_CONCURRENCY_MAX	10000

/** account_change_init(c): Nothing changes. */
void account_change_init(struct account_change *c);

/** accounts_add(st, seal, c, err): name, platform, base_url, credential and
 * secret are needed; in place of the last, for oauth, what account_oauth_put
 * wants. */
int accounts_add(struct store *st, const struct seal *seal,
    const struct account_change *c, struct err *err)
    __attribute__((__warn_unused_result__));

/** accounts_try(st, seal, c, err): Would accounts_add do?  Nothing is
 * changed. */
int accounts_try(struct store *st, const struct seal *seal,
    const struct account_change *c, struct err *err)
    __attribute__((__warn_unused_result__));

/** accounts_set(st, seal, name, c, err): A new concurrency takes effect at
 * once; slots above it finish the request they serve.  With a new secret,
 * base URL or proxy it rests no more. */
int accounts_set(struct store *st, const struct seal *seal, const char *name,
    const struct account_change *c, struct err *err)
    __attribute__((__warn_unused_result__));

/** accounts_add_in(...), accounts_set_in(...): The same as part of a change
 * that the caller began.  ${c}'s tokens are accounts_add_in's alone. */
int accounts_add_in(struct store *st, const struct seal *seal,
    const struct account_change *c, struct err *err)
    __attribute__((__warn_unused_result__));
int accounts_set_in(struct store *st, const struct seal *seal,
    const char *name, const struct account_change *c, struct err *err)
    __attribute__((__warn_unused_result__));

/** accounts_wake(st, name, err): End all its cooldowns, and forget what
 * lengthens the next. */
int accounts_wake(struct store *st, const char *name, struct err *err)
    __attribute__((__warn_unused_result__));

/** accounts_remove(st, name, err): Refused while it serves requests and while
 * keys are bound to it. */
int accounts_remove(struct store *st, const char *name, struct err *err)
    __attribute__((__warn_unused_result__));

/** accounts_list(st, name, err): Array, each with its breaker; ${name} NULL:
 * all of them.  accounts_show: one, with its aliases; ERR_NOT_FOUND if there is
 * none. */
json_t *accounts_list(struct store *st, const char *name, struct err *err);
json_t *accounts_show(struct store *st, const char *name, struct err *err);

/**
 * accounts_page(st, f, limit, offset, total, err):
 * As accounts_list, ${limit} of those that fit ${f} after the first ${offset};
 * *${total} is how many fit.
 */
struct account_filter {
	const char *platform;	/* NULL: any */
	const char *q;		/* a part of its name or base URL in small
				   letters; NULL: any */
	int64_t group_id;	/* -1: any; 0: of none */
	int enabled;		/* -1: either */
	int breaker;		/* 0 closed, 1 half-open, 2 open; -1: any */
};
json_t *accounts_page(struct store *st, const struct account_filter *f,
    int64_t limit, int64_t offset, int64_t *total, struct err *err);

/** accounts_check_platform(s, err): 0, or -1 with ERR_INVAL: there is none. */
int accounts_check_platform(const char *s, struct err *err)
    __attribute__((__warn_unused_result__));

/** accounts_find(st, name, id, err): 0, or -1 (ERR_NOT_FOUND). */
int accounts_find(struct store *st, const char *name, int64_t *id,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_ACCOUNTS_H_ */
