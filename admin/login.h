#ifndef ADMIN_LOGIN_H_
#define ADMIN_LOGIN_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/oauth.h"

struct conf;
struct err;

/**
 * A sign-in to an OAuth account, by authorisation code with PKCE (RFC 7636,
 * S256): make an address for the browser, take back what it leads to, exchange
 * the code.  The settings are an account's, as account_oauth_get has them.
 */
struct login {
	char state[44];		/* 256 random bits each, in base64url */
	char verifier[44];
};

/** login_begin(l, settings, url, err): *${url} is malloc'd. */
int login_begin(struct login *l, const json_t *settings, char **url,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * login_code(l, pasted, code, err):
 * The code in what was given back: the address that the browser was led to
 * (or its query), or CODE#STATE as some pages show it.  *${code} is malloc'd.
 * -1 with ERR_INVAL if there is none, or the state is another one.
 */
int login_code(const struct login *l, const char *pasted, char **code,
    struct err *err) __attribute__((__warn_unused_result__));

/** login_exchange(l, settings, conf, proxy, code, tokens, err): Ask the token
 * endpoint, through ${proxy} (NULL: directly).  The caller wipes the tokens,
 * both of which are there. */
int login_exchange(const struct login *l, const json_t *settings,
    const struct conf *conf, const char *proxy, const char *code,
    struct oauth_tokens *tokens, struct err *err)
    __attribute__((__warn_unused_result__));

/** What a token endpoint is asked. */
struct login_question {
	const char *token_url;
	bool json;			/* else a form */
	const char *proxy;		/* NULL: directly */
	const struct oauth_param *params;
	size_t nparams;
	int64_t timeout_ms;
};

struct login_answer {
	bool answered;
	bool sent;			/* not answered: the question may have
					   arrived even so */
	enum oauth_verdict verdict;	/* answered: see oauth_answer */
	struct oauth_tokens tokens;	/* the caller wipes them */
	char why[128];			/* there are none; never with one */
};

/** login_ask(q, conf, a): Ask it, and wait for the answer. */
void login_ask(const struct login_question *q, const struct conf *conf,
    struct login_answer *a);

/** login_import(text, n, tokens, err): A pair from a file, JSON with
 * access_token, refresh_token and expires_at (seconds or milliseconds since
 * the epoch, or RFC 3339; absent: not known). */
int login_import(const char *text, size_t n, struct oauth_tokens *tokens,
    struct err *err) __attribute__((__warn_unused_result__));

/** login_tokens(j, tokens, err): The same of an object that was read already.
 */
int login_tokens(const json_t *j, struct oauth_tokens *tokens,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_LOGIN_H_ */
