#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "pool/refresh.h"
#include "store/store.h"

#include "account_oauth.h"
#include "account_secrets.h"
#include "accounts.h"
#include "change.h"
#include "check.h"
#include "query.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* As the columns have them. */
#define URL_MAX		2048
#define CLIENT_MAX	512

static const struct field oauth_fields[] = {
	{ .name = "account_id", .kind = FIELD_INT },
	{ .name = "authorize_url", .kind = FIELD_TEXT },
	{ .name = "token_url", .kind = FIELD_TEXT },
	{ .name = "client_id", .kind = FIELD_TEXT },
	{ .name = "scopes", .kind = FIELD_TEXT },
	{ .name = "redirect_uri", .kind = FIELD_TEXT },
	{ .name = "token_format", .kind = FIELD_TEXT },
	{ .name = "signed_in", .kind = FIELD_BOOL },
	{ .name = "expires_ms", .kind = FIELD_INT },
	{ .name = "renewed_ms", .kind = FIELD_INT },
};

bool
oauth_settings_given(const struct oauth_settings *s)
{

	return (s->authorize_url != NULL || s->token_url != NULL ||
	    s->client_id != NULL || s->scopes != NULL ||
	    s->redirect_uri != NULL || s->token_format != NULL);
}

static int
check_text(const char *what, const char *s, size_t max, bool empty,
    struct err *err)
{
	const char *p;

	if (s == NULL)
		return (0);
	for (p = s; *p >= 0x20 && *p < 0x7f; p++)
		continue;
	if (*p == '\0' && (empty || s[0] != '\0') && strlen(s) <= max)
		return (0);
	err_set(err, ERR_INVAL, "%s has %d to %zu characters of ASCII", what,
	    empty ? 0 : 1, max);
	return (-1);
}

int
oauth_settings_check(const struct oauth_settings *s, struct err *err)
{

	if ((s->authorize_url != NULL &&
	    check_endpoint("authorize URL", s->authorize_url, true, err)) ||
	    (s->token_url != NULL &&
	    check_endpoint("token URL", s->token_url, false, err)))
		return (-1);
	if (check_text("the authorize URL", s->authorize_url, URL_MAX, false,
	    err) || check_text("the token URL", s->token_url, URL_MAX, false,
	    err) || check_text("a client id", s->client_id, CLIENT_MAX, false,
	    err) || check_text("a redirect URI", s->redirect_uri, URL_MAX,
	    false, err) || check_text("the list of scopes", s->scopes,
	    URL_MAX, true, err))
		return (-1);
	if (s->token_format == NULL || strcmp(s->token_format, "form") == 0 ||
	    strcmp(s->token_format, "json") == 0)
		return (0);
	err_set(err, ERR_INVAL, "there is no token format \"%.40s\": take "
	    "form or json", s->token_format);
	return (-1);
}

json_t *
account_oauth_get(struct store *st, int64_t id, struct err *err)
{
	json_t *rows, *row, *found = NULL;
	size_t i;

	rows = query_rows(st, STMT_OAUTH_LIST, NULL, 0, oauth_fields,
	    NITEMS(oauth_fields), err);
	if (rows == NULL)
		return (NULL);
	json_array_foreach(rows, i, row) {
		if (json_integer_value(json_object_get(row, "account_id")) ==
		    id)
			found = json_incref(row);
	}
	json_decref(rows);
	if (found == NULL)
		return (json_null());
	(void)json_object_del(found, "account_id");
	return (found);
}

/* ${given}, or what stands there, or ${other}. */
static struct store_value
pick(const char *given, const json_t *old, const char *name,
    const char *other)
{
	const char *s = json_string_value(json_object_get(old, name));

	return (store_text(given != NULL ? given : s != NULL ? s : other));
}

static int
add(struct store *st, int64_t id, const struct oauth_settings *s,
    struct err *err)
{
	const struct store_value v[8] = {
		store_int(id), store_int(store_now_ms(st)),
		store_text(s->authorize_url), store_text(s->token_url),
		store_text(s->client_id),
		store_text(s->scopes != NULL ? s->scopes : ""),
		store_text(s->redirect_uri),
		store_text(s->token_format != NULL ? s->token_format : "form"),
	};
	const struct store_value park[11] = {
		store_int(id), store_text(""), store_text("sign_in"),
		store_text("needs sign-in"), v[1],
		store_int(v[1].i + REFRESH_SIGN_IN_MS), store_int(1),
		store_int(1), store_int(0), v[1], store_int(0),
	};

	if (store_exec(st, STMT_OAUTH_ADD, v, 1, NITEMS(v), NULL, err))
		return (-1);
	return (store_exec(st, STMT_COOLDOWN_PUT, park, 1, NITEMS(park), NULL,
	    err));
}

static int
set(struct store *st, int64_t id, const struct oauth_settings *s,
    const json_t *old, struct err *err)
{
	const struct store_value v[8] = {
		pick(s->authorize_url, old, "authorize_url", ""),
		pick(s->token_url, old, "token_url", ""),
		pick(s->client_id, old, "client_id", ""),
		pick(s->scopes, old, "scopes", ""),
		pick(s->redirect_uri, old, "redirect_uri", ""),
		pick(s->token_format, old, "token_format", "form"),
		store_int(store_now_ms(st)), store_int(id),
	};

	return (store_exec(st, STMT_OAUTH_SET, v, 1, NITEMS(v), NULL, err));
}

int
account_oauth_put(struct store *st, int64_t id,
    const struct oauth_settings *s, struct err *err)
{
	json_t *old = account_oauth_get(st, id, err);
	int rc = -1;

	if (old == NULL)
		return (-1);
	if (!json_is_null(old))
		rc = set(st, id, s, old, err);
	else if (s->authorize_url == NULL || s->token_url == NULL ||
	    s->client_id == NULL || s->redirect_uri == NULL)
		err_set(err, ERR_INVAL, "an OAuth account needs --authorize-"
		    "url, --token-url, --client-id and --redirect-uri");
	else
		rc = add(st, id, s, err);
	json_decref(old);
	return (rc);
}

int
account_oauth_drop(struct store *st, int64_t id, struct err *err)
{
	const struct store_value param = store_int(id);

	return (store_exec(st, STMT_OAUTH_REMOVE, &param, 1, 1, NULL, err));
}

/* ---- a new pair ---- */

static int64_t
end_of(const struct oauth_tokens *t, int64_t now_ms)
{

	return (t->lifetime_ms == 0 ? t->expires_ms : now_ms +
	    t->lifetime_ms);
}

/* What is over is renewed before it is used. */
static int64_t
renew_of(int64_t end_ms, int64_t now_ms, int64_t ahead_ms)
{

	if (end_ms != 0 && end_ms <= now_ms)
		return (now_ms);
	return (oauth_renew_ms(now_ms, end_ms == 0 ? 0 : end_ms - now_ms,
	    ahead_ms));
}

int
account_oauth_put_tokens(struct store *st, const struct seal *seal,
    const char *name, const struct oauth_tokens *t, int64_t ahead_ms,
    struct err *err)
{
	int64_t now = store_now_ms(st), end = end_of(t, now), id, changes;
	struct store_value v[4] = {
		store_int(end), store_int(renew_of(end, now, ahead_ms)),
		store_int(now)
	};

	if (accounts_find(st, name, &id, err))
		return (-1);
	v[3] = store_int(id);
	if (store_lock(st, STMT_LOCK_OAUTH, &v[3], 1, err) ||
	    store_exec(st, STMT_OAUTH_SIGNED_IN, v, 1, 4, &changes, err))
		return (-1);
	if (changes == 0) {
		err_set(err, ERR_INVAL, "account \"%s\" is none that is signed "
		    "in to: its credential is not oauth", name);
		return (-1);
	}
	if (account_secret_put(st, seal, ACCOUNT_SECRET, id, t->access,
	    strlen(t->access), err) ||
	    account_secret_put(st, seal, ACCOUNT_REFRESH, id, t->refresh,
	    strlen(t->refresh), err))
		return (-1);
	return (store_exec(st, STMT_OAUTH_WAKE, &v[3], 1, 1, NULL, err));
}

struct sign_in {
	const struct seal *seal;
	const char *name;
	const struct oauth_tokens *tokens;
	int64_t ahead_ms;
};

static int
sign_in_inside(struct store *st, void *arg, struct err *err)
{
	const struct sign_in *s = arg;

	return (account_oauth_put_tokens(st, s->seal, s->name, s->tokens,
	    s->ahead_ms, err));
}

/* The provider gives such tokens once. */
int
account_oauth_sign_in(struct store *st, const struct seal *seal,
    const char *name, const struct oauth_tokens *tokens, int64_t ahead_ms,
    struct err *err)
{
	struct sign_in s = {
		.seal = seal, .name = name, .tokens = tokens,
		.ahead_ms = ahead_ms
	};

	return (change_run(st, sign_in_inside, &s, err));
}
