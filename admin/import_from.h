#ifndef ADMIN_IMPORT_FROM_H_
#define ADMIN_IMPORT_FROM_H_

#include <jansson.h>
#include <stddef.h>

struct err;

/**
 * Accounts out of the files of other programs, as import.h takes them, with
 * "passed": an array of texts that say what was passed over, and why.  No text
 * of an error or of those has a secret in it.
 */

/** What the files leave out. */
struct import_from {
	const char *group;	/* of all accounts; NULL: none */
	const char *base_url;	/* of those that state none; NULL:
				   IMPORT_BASE_URL */
	const json_t *oauth;	/* how accounts are signed in to: texts as in
				   struct oauth_settings; NULL: not known */
	/** The value of an environment variable, or NULL. */
	const char *(*env)(const char *name);
};

#define IMPORT_BASE_URL	"https://api.anthropic.com"

/**
 * A parser: ${text} has ${n} bytes, none of which is NUL, and one behind them
 * that is.  *${things} is the caller's, for import_wipe.  0, or -1 with
 * ERR_INVAL, ... that names what is wrong.
 */
typedef int import_parser(const char *text, size_t n,
    const struct import_from *from, json_t **things, struct err *err);

/** "env", "claude-relay-service", "litellm"; NULL: there is none such. */
import_parser *import_parser_of(const char *kind);

/**
 * import_any(kind, things, err):
 * Has the parser of that kind found an account?  0, or -1: ERR_NOT_FOUND, with
 * what it looked for; why it passed over what there is, is in "passed".
 */
int import_any(const char *kind, const json_t *things, struct err *err)
    __attribute__((__warn_unused_result__));

import_parser import_env;
import_parser import_crs;
import_parser import_litellm;

/** ---- for the parsers ---- */

/** import_things(from, err): What they begin with; NULL with ${err}. */
json_t *import_things(const struct import_from *from, struct err *err);

/** import_pass(things, fmt, ...): Something is passed over. */
void import_pass(json_t *things, const char *fmt, ...)
    __attribute__((__format__(__printf__, 2, 3)));

/**
 * import_account(things, from, name, err):
 * One more account of that name, or, where another has it, of that name with
 * "-2", ...; its members are borrowed from ${things}.  NULL with ${err}.
 */
json_t *import_account(json_t *things, const struct import_from *from,
    const char *name, struct err *err);

/** import_put(object, key, value, err): Takes ${value} over, NULL is no
 * memory. */
int import_put(json_t *object, const char *key, json_t *value,
    struct err *err) __attribute__((__warn_unused_result__));

/** import_alias(things, account, pattern, target, err): One more. */
int import_alias(json_t *things, const json_t *account, const char *pattern,
    const char *target, struct err *err)
    __attribute__((__warn_unused_result__));

/** import_model(account, model, err): One more that it serves, unless it is
 * on its list already. */
int import_model(json_t *account, const char *model, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * import_at(account, from, url, err):
 * Its base URL and platform; NULL: what ${from} says.  What programs add to
 * theirs ("/v1/messages", "/v1") is taken off.
 */
int import_at(json_t *account, const struct import_from *from,
    const char *url, struct err *err)
    __attribute__((__warn_unused_result__));

/** import_key(account, key, err): Its API key, or token, as it looks. */
int import_key(json_t *account, const char *key, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * import_credentials(account, from, c, err):
 * Out of an object with api_key, or access_token and perhaps refresh_token
 * and expires_at.  1: it is there; 0: ${c} has none; -1.
 */
int import_credentials(json_t *account, const struct import_from *from,
    const json_t *c, struct err *err)
    __attribute__((__warn_unused_result__));

/** import_json(text, n, err): NULL with ERR_INVAL and the place, but not the
 * text, of what is wrong. */
json_t *import_json(const char *text, size_t n, struct err *err);

#endif /* !ADMIN_IMPORT_FROM_H_ */
