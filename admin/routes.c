#include "api.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

enum handler {
	HANDLER_STATUS, HANDLER_QUEUE, HANDLER_LOGIN, HANDLER_LOGOUT,
	HANDLER_REGISTER, HANDLER_ME, HANDLER_SET_ME, HANDLER_SIGN_INS,
	HANDLER_END_SIGN_IN, HANDLER_BEGIN_FACTOR, HANDLER_CONFIRM_FACTOR,
	HANDLER_DROP_FACTOR, HANDLER_TOKENS, HANDLER_MAKE_TOKEN,
	HANDLER_REVOKE_TOKEN, HANDLER_INVITE, HANDLER_INVITATIONS,
	HANDLER_AUDIT, HANDLERS
};

#define ROUTE(method, path, auth, body, name) \
	{ method, "/api/v1" path, ROUTE_##auth, DIALECT_ADMIN, body, \
	    HANDLER_##name }

static const struct route routes[] = {
	ROUTE("POST", "/auth/login", OPEN, true, LOGIN),
	ROUTE("POST", "/auth/register", OPEN, true, REGISTER),
	ROUTE("POST", "/auth/logout", TOKEN, false, LOGOUT),
	ROUTE("GET", "/auth/me", TOKEN, false, ME),
	ROUTE("PATCH", "/auth/me", TOKEN, true, SET_ME),
	ROUTE("GET", "/auth/sign-ins", TOKEN, false, SIGN_INS),
	ROUTE("DELETE", "/auth/sign-ins/{id}", TOKEN, false, END_SIGN_IN),
	ROUTE("POST", "/auth/second-factor", TOKEN, true, BEGIN_FACTOR),
	ROUTE("PATCH", "/auth/second-factor", TOKEN, true, CONFIRM_FACTOR),
	ROUTE("DELETE", "/auth/second-factor", TOKEN, true, DROP_FACTOR),
	ROUTE("GET", "/auth/tokens", TOKEN, false, TOKENS),
	ROUTE("POST", "/auth/tokens", TOKEN, true, MAKE_TOKEN),
	ROUTE("DELETE", "/auth/tokens/{id}", TOKEN, false, REVOKE_TOKEN),
	ROUTE("GET", "/status", TOKEN, false, STATUS),
	ROUTE("GET", "/queue/status", TOKEN, false, QUEUE),
	ROUTE("GET", "/logs", TOKEN, false, AUDIT),
	ROUTE("GET", "/admin/invitations", TOKEN, false, INVITATIONS),
	ROUTE("POST", "/admin/invitations", TOKEN, true, INVITE),
};

/* Who may call each, at least. */
static const struct api_duty duties[] = {
	[HANDLER_STATUS] = { api_status, ROLE_OPERATOR },
	[HANDLER_QUEUE] = { api_queue, ROLE_OPERATOR },
	[HANDLER_LOGIN] = { api_login, ROLE_NONE },
	[HANDLER_LOGOUT] = { api_logout, ROLE_USER },
	[HANDLER_REGISTER] = { api_register, ROLE_NONE },
	[HANDLER_ME] = { api_me, ROLE_USER },
	[HANDLER_SET_ME] = { api_set_me, ROLE_USER },
	[HANDLER_SIGN_INS] = { api_sign_ins, ROLE_USER },
	[HANDLER_END_SIGN_IN] = { api_end_sign_in, ROLE_USER },
	[HANDLER_BEGIN_FACTOR] = { api_begin_factor, ROLE_USER },
	[HANDLER_CONFIRM_FACTOR] = { api_confirm_factor, ROLE_USER },
	[HANDLER_DROP_FACTOR] = { api_drop_factor, ROLE_USER },
	[HANDLER_TOKENS] = { api_tokens, ROLE_USER },
	[HANDLER_MAKE_TOKEN] = { api_make_token, ROLE_USER },
	[HANDLER_REVOKE_TOKEN] = { api_revoke_token, ROLE_USER },
	[HANDLER_INVITE] = { api_invite, ROLE_ADMIN },
	[HANDLER_INVITATIONS] = { api_invitations, ROLE_ADMIN },
	[HANDLER_AUDIT] = { api_audit, ROLE_OPERATOR },
};
_Static_assert(NITEMS(duties) == HANDLERS, "one each");

enum route_result
api_find(const char *method, const char *path, struct route_match *m,
    const struct api_duty **duty)
{
	enum route_result rc;

	rc = route_find(routes, NITEMS(routes), NULL, method, path, m);
	*duty = rc == ROUTE_FOUND ? &duties[m->route->handler] : NULL;
	return (rc);
}
