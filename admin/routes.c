#include "api.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

enum handler {
	HANDLER_STATUS, HANDLER_QUEUE, HANDLER_LOGIN, HANDLER_LOGOUT,
	HANDLER_REGISTER, HANDLER_ME, HANDLER_SET_ME, HANDLER_SIGN_INS,
	HANDLER_END_SIGN_IN, HANDLER_BEGIN_FACTOR, HANDLER_CONFIRM_FACTOR,
	HANDLER_DROP_FACTOR, HANDLER_TOKENS, HANDLER_MAKE_TOKEN,
	HANDLER_REVOKE_TOKEN, HANDLER_INVITE, HANDLER_INVITATIONS,
	HANDLER_LOGS, HANDLER_USERS, HANDLER_USER, HANDLER_ADD_USER,
	HANDLER_SET_USER, HANDLER_REMOVE_USER, HANDLER_GROUPS, HANDLER_GROUP,
	HANDLER_ADD_GROUP, HANDLER_SET_GROUP, HANDLER_REMOVE_GROUP,
	HANDLER_BUDGETS, HANDLER_BUDGET, HANDLER_ADD_BUDGET,
	HANDLER_SET_BUDGET, HANDLER_REMOVE_BUDGET, HANDLER_USAGE,
	HANDLER_REQUESTS, HANDLER_REQUEST, HANDLER_PRICES,
	HANDLER_KEYS, HANDLER_KEY, HANDLER_ADD_KEY, HANDLER_SET_KEY,
	HANDLER_REVOKE_KEY, HANDLER_ACCOUNTS, HANDLER_ACCOUNT,
	HANDLER_ADD_ACCOUNT, HANDLER_SET_ACCOUNT, HANDLER_WAKE_ACCOUNT,
	HANDLER_REMOVE_ACCOUNT, HANDLERS
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
	ROUTE("GET", "/logs", TOKEN, false, LOGS),
	ROUTE("GET", "/admin/invitations", TOKEN, false, INVITATIONS),
	ROUTE("POST", "/admin/invitations", TOKEN, true, INVITE),
	ROUTE("GET", "/admin/users", TOKEN, false, USERS),
	ROUTE("POST", "/admin/users", TOKEN, true, ADD_USER),
	ROUTE("GET", "/admin/users/{id}", TOKEN, false, USER),
	ROUTE("PATCH", "/admin/users/{id}", TOKEN, true, SET_USER),
	ROUTE("DELETE", "/admin/users/{id}", TOKEN, false, REMOVE_USER),
	ROUTE("GET", "/groups", TOKEN, false, GROUPS),
	ROUTE("POST", "/groups", TOKEN, true, ADD_GROUP),
	ROUTE("GET", "/groups/{id}", TOKEN, false, GROUP),
	ROUTE("PATCH", "/groups/{id}", TOKEN, true, SET_GROUP),
	ROUTE("DELETE", "/groups/{id}", TOKEN, false, REMOVE_GROUP),
	ROUTE("GET", "/budgets", TOKEN, false, BUDGETS),
	ROUTE("POST", "/budgets", TOKEN, true, ADD_BUDGET),
	ROUTE("GET", "/budgets/{id}", TOKEN, false, BUDGET),
	ROUTE("PATCH", "/budgets/{id}", TOKEN, true, SET_BUDGET),
	ROUTE("DELETE", "/budgets/{id}", TOKEN, false, REMOVE_BUDGET),
	ROUTE("GET", "/api-keys", TOKEN, false, KEYS),
	ROUTE("POST", "/api-keys", TOKEN, true, ADD_KEY),
	ROUTE("GET", "/api-keys/{id}", TOKEN, false, KEY),
	ROUTE("PATCH", "/api-keys/{id}", TOKEN, true, SET_KEY),
	ROUTE("DELETE", "/api-keys/{id}", TOKEN, false, REVOKE_KEY),
	ROUTE("GET", "/admin/accounts", TOKEN, false, ACCOUNTS),
	ROUTE("POST", "/admin/accounts", TOKEN, true, ADD_ACCOUNT),
	ROUTE("GET", "/admin/accounts/{id}", TOKEN, false, ACCOUNT),
	ROUTE("PATCH", "/admin/accounts/{id}", TOKEN, true, SET_ACCOUNT),
	ROUTE("DELETE", "/admin/accounts/{id}", TOKEN, false, REMOVE_ACCOUNT),
	ROUTE("POST", "/admin/accounts/{id}/wake", TOKEN, false,
	    WAKE_ACCOUNT),
	ROUTE("GET", "/usage", TOKEN, false, USAGE),
	ROUTE("GET", "/requests", TOKEN, false, REQUESTS),
	ROUTE("GET", "/requests/{id}", TOKEN, false, REQUEST),
	ROUTE("GET", "/prices", TOKEN, false, PRICES),
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
	[HANDLER_LOGS] = { api_logs, ROLE_OPERATOR },
	[HANDLER_USERS] = { api_users, ROLE_OPERATOR },
	[HANDLER_USER] = { api_user, ROLE_OPERATOR },
	[HANDLER_ADD_USER] = { api_add_user, ROLE_ADMIN },
	[HANDLER_SET_USER] = { api_set_user, ROLE_ADMIN },
	[HANDLER_REMOVE_USER] = { api_remove_user, ROLE_ADMIN },
	[HANDLER_GROUPS] = { api_groups, ROLE_OPERATOR },
	[HANDLER_GROUP] = { api_group, ROLE_OPERATOR },
	[HANDLER_ADD_GROUP] = { api_add_group, ROLE_ADMIN },
	[HANDLER_SET_GROUP] = { api_set_group, ROLE_ADMIN },
	[HANDLER_REMOVE_GROUP] = { api_remove_group, ROLE_ADMIN },
	[HANDLER_BUDGETS] = { api_budgets, ROLE_OPERATOR },
	[HANDLER_BUDGET] = { api_budget, ROLE_OPERATOR },
	[HANDLER_ADD_BUDGET] = { api_add_budget, ROLE_ADMIN },
	[HANDLER_SET_BUDGET] = { api_set_budget, ROLE_ADMIN },
	[HANDLER_REMOVE_BUDGET] = { api_remove_budget, ROLE_ADMIN },
	[HANDLER_KEYS] = { api_keys, ROLE_USER },
	[HANDLER_KEY] = { api_key, ROLE_USER },
	[HANDLER_ADD_KEY] = { api_add_key, ROLE_ADMIN },
	[HANDLER_SET_KEY] = { api_set_key, ROLE_ADMIN },
	[HANDLER_REVOKE_KEY] = { api_revoke_key, ROLE_ADMIN },
	[HANDLER_ACCOUNTS] = { api_accounts, ROLE_OPERATOR },
	[HANDLER_ACCOUNT] = { api_account, ROLE_OPERATOR },
	[HANDLER_ADD_ACCOUNT] = { api_add_account, ROLE_ADMIN },
	[HANDLER_SET_ACCOUNT] = { api_set_account, ROLE_OPERATOR },
	[HANDLER_WAKE_ACCOUNT] = { api_wake_account, ROLE_OPERATOR },
	[HANDLER_REMOVE_ACCOUNT] = { api_remove_account, ROLE_ADMIN },
	[HANDLER_USAGE] = { api_usage, ROLE_USER },
	[HANDLER_REQUESTS] = { api_requests, ROLE_OPERATOR },
	[HANDLER_REQUEST] = { api_request, ROLE_OPERATOR },
	[HANDLER_PRICES] = { api_prices, ROLE_USER },
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
