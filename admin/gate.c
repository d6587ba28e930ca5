#include <sodium.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

#include "key_secrets.h"
#include "tokens.h"
#include "tries.h"

#include "gate.h"

/* The token of "Authorization: Bearer TOKEN"; NULL if there is none. */
static const char *
bearer(const struct http_request *r)
{
	static const char scheme[] = "Bearer ";
	const char *value = http_request_header(r, "authorization");

	if (value == NULL ||
	    strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
		return (NULL);
	value += sizeof(scheme) - 1;
	return (value + strspn(value, " "));
}

/* Our cookie's value, of the right length.  false: there is none. */
static bool
cookie(const struct http_request *r, char token[SIGN_IN_TOKEN_SIZE])
{
	static const char name[] = API_COOKIE "=";
	const char *p = http_request_header(r, "cookie");
	size_t n;

	for (; p != NULL && *p != '\0'; p += n + strspn(p + n, "; ")) {
		n = strcspn(p, ";");
		if (n != sizeof(name) - 1 + SIGN_IN_TOKEN_SIZE - 1 ||
		    strncmp(p, name, sizeof(name) - 1) != 0)
			continue;
		memcpy(token, p + sizeof(name) - 1, SIGN_IN_TOKEN_SIZE - 1);
		token[SIGN_IN_TOKEN_SIZE - 1] = '\0';
		return (true);
	}
	return (false);
}

/* 1: ${c}->who is known; 0: refused; -1: ${err}. */
static int
by_bearer(struct api_call *c, const char *token, struct err *err)
{
	int rc;

	rc = tokens_find(c->store, c->pepper, token, &c->who, err);
	if (rc == 0)
		(void)api_refuse(c, 401, "the token is not valid");
	return (rc);
}

static bool
has_csrf(const struct api_call *c)
{
	const char *given = http_request_header(c->http, "x-csrf-token");
	char wanted[SIGN_IN_TOKEN_SIZE];

	sign_in_csrf(c->pepper, c->token, wanted);
	return (given != NULL && strlen(given) == sizeof(wanted) - 1 &&
	    sodium_memcmp(given, wanted, sizeof(wanted) - 1) == 0);
}

static bool
is_read(const struct http_request *r)
{

	return (strcmp(r->method, "GET") == 0 ||
	    strcmp(r->method, "HEAD") == 0);
}

static int
by_cookie(struct api_call *c, struct err *err)
{
	int rc = 0;

	if (cookie(c->http, c->token))
		rc = sign_in_find(c->store, c->pepper, &c->settings->life,
		    c->token, &c->who, err);
	if (rc == 0)
		(void)api_refuse(c, 401, "not signed in: sign in, or send "
		    "Authorization: Bearer lh-adm-...");
	if (rc != 1 || is_read(c->http) || has_csrf(c))
		return (rc);
	(void)api_refuse(c, 403, "the header x-csrf-token is missing or "
	    "wrong");
	return (0);
}

/* What a client sends its key in, see http_request_keys; not in the query,
 * which is written to logs. */
static const char *
client_key(const struct http_request *r)
{
	const char *key = http_request_header(r, "x-api-key");

	return (key != NULL && key[0] != '\0' ? key : bearer(r));
}

static int
refuse_waiting(struct api_call *c, int64_t wait_ms)
{

	c->retry_after_s = (wait_ms + 999) / 1000;
	(void)api_refuse(c, 429, "too many wrong keys; the next is looked at "
	    "in %lld s", (long long)c->retry_after_s);
	return (0);
}

/* It is looked up by its keyed hash, whose time tells nothing of the key.
 * Wrong ones are counted by address. */
static int
by_key(struct api_call *c, struct err *err)
{
	const char *key = client_key(c->http);
	int64_t wait_ms;

	if (key == NULL) {
		(void)api_refuse(c, 401, "a client key is needed, as "
		    "x-api-key or Authorization: Bearer");
		return (0);
	}
	if (tries_wait_key(c->store, c->http->remote_addr, &wait_ms, err) ||
	    (wait_ms == 0 && key_secrets_find(c->store, c->pepper, key,
	    &c->key_id, err) == -1))
		return (-1);
	if (c->key_id != 0)
		return (1);
	if (wait_ms == 0 && tries_take_key(c->store, c->http->remote_addr,
	    &wait_ms, err))
		return (-1);
	if (wait_ms != 0)
		return (refuse_waiting(c, wait_ms));
	(void)api_refuse(c, 401, "the key is unknown, revoked, disabled or "
	    "expired");
	return (0);
}

int
gate_open(struct api_call *c, enum route_auth auth, enum role role,
    struct err *err)
{
	const char *token = bearer(c->http);
	int rc;

	if (auth == ROUTE_OPEN)
		return (0);
	if (auth == ROUTE_KEY)
		return (by_key(c, err) == 1 ? 0 : -1);
	rc = token != NULL ? by_bearer(c, token, err) : by_cookie(c, err);
	if (rc != 1)
		return (-1);
	if (c->who.role < role) {
		(void)api_refuse(c, 403, "this takes the role of %s",
		    role == ROLE_ADMIN ? "an administrator" : "an operator");
		return (-1);
	}
	if (c->who.read_only && !is_read(c->http)) {
		(void)api_refuse(c, 403, "this token may only read");
		return (-1);
	}
	return (0);
}

int
gate_still_open(struct store *st, const struct sign_in_life *life,
    struct who *who, struct err *err)
{
	const int64_t now_ms = store_now_ms(st);
	const struct store_value params[] = {
		store_int(who->sign_in_id != 0 ? who->sign_in_id :
		    who->token_id),
		store_int(who->person_id),
		store_int(now_ms),
		store_int(now_ms - life->idle_ms),
	};
	const bool by_cookie = who->sign_in_id != 0;

	who->role = ROLE_NONE;
	if (store_query(st, by_cookie ? STMT_SIGN_IN_STILL : STMT_TOKEN_STILL,
	    params, by_cookie ? 4 : 3, role_take, &who->role, err) == -1)
		return (-1);
	return (who->role != ROLE_NONE);
}
