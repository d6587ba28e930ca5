#ifndef ADMIN_PROBE_H_
#define ADMIN_PROBE_H_

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct err;
struct seal;
struct store;

/**
 * A real request to an account's upstream, as the relay would send it (time
 * limits, certificates, no proxy from the environment).
 */
struct probe_result {
	int status;		/* HTTP; 0: there was no answer */
	int64_t latency_ms;
	int64_t first_byte_ms;	/* of probe_account_watched; -1: none came */
	char url[512];
	char message[256];	/* what is wrong, in the upstream's or
				   libcurl's words; "" if nothing */
};

/**
 * probe_account(st, seal, conf, name, model, result, err):
 * Ask account ${name} for its list of models; where there is no such list (404,
 * 405), to count the tokens of a short message to a model that it is known to
 * serve (see probe_model.h), if one is.  Neither costs anything.  Or, with
 * ${model}, for one token of it, which costs a little.  0 when there is a
 * ${result}, good or bad; -1: ERR_NOT_FOUND, ERR_CRYPTO, ...
 */
int probe_account(struct store *st, const struct seal *seal,
    const struct conf *conf, const char *name, const char *model,
    struct probe_result *result, struct err *err)
    __attribute__((__warn_unused_result__));

/** How long one may take. */
struct probe_limits {
	int64_t timeout_ms;		/* for all of it, both requests */
	bool (*stops)(void *arg);	/* break it off? */
	void *arg;
};

/** probe_account_within(st, seal, conf, name, limits, result, err): As
 * probe_account, without a model. */
int probe_account_within(struct store *st, const struct seal *seal,
    const struct conf *conf, const char *name,
    const struct probe_limits *limits, struct probe_result *result,
    struct err *err) __attribute__((__warn_unused_result__));

/** For somebody who looks at one as it goes on. */
struct probe_watch {
	int64_t timeout_ms;		/* for all of it */
	/* resolve, connect, tls, sent, first_byte; after so long */
	void (*step)(void *arg, const char *name, int64_t ms,
	    const char *text);
	void (*text)(void *arg, const char *text);	/* of the answer */
	bool (*stops)(void *arg);	/* break it off? */
	void *arg;
};

/**
 * probe_account_watched(st, seal, conf, name, model, w, result, err):
 * As probe_account; with ${model} a short answer is asked for as a stream, and
 * is no good unless it comes to its end.  Nothing is told of one that fails
 * before it begins (-1).
 */
int probe_account_watched(struct store *st, const struct seal *seal,
    const struct conf *conf, const char *name, const char *model,
    const struct probe_watch *w, struct probe_result *result,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_PROBE_H_ */
