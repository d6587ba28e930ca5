#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "account_oauth.h"
#include "account_proxy.h"
#include "account_secrets.h"
#include "account_start.h"
#include "change.h"
#include "login.h"
#include "status.h"

#include "routes_accounts.h"

/* ---- start ---- */

/* Where to sign in, and what to bring back; ${settings} are those of login. */
static json_t *
start(struct api_call *c, const json_t *settings, int64_t account_id,
    json_t *account, struct err *err)
{
	struct account_start s = {
		.account_id = account_id,
		.account = account,
	};
	json_t *answer = NULL;
	char *url;

	if (login_begin(&s.login, settings, &url, err))
		return (NULL);
	if (account_start_put(c->store, c->seal, c->pepper, &c->who, &s, err)
	    == 0 && (answer = json_pack("{s:s, s:s, s:I}", "url", url,
	    "state", s.login.state, "expires_ms",
	    (json_int_t)(store_now_ms(c->store) + ACCOUNT_START_MS))) == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	seal_wipe(&s.login, sizeof(s.login));
	free(url);
	return (answer);
}

/* Settings of an account that is signed in to. */
static json_t *
settings_of(struct api_call *c, int64_t id, struct err *err)
{
	json_t *settings = account_oauth_get(c->store, id, err);

	if (settings == NULL || json_is_object(settings))
		return (settings);
	json_decref(settings);
	err_set(err, ERR_INVAL, "this account is none that is signed in to: "
	    "its credential is not oauth");
	return (NULL);
}

json_t *
api_start_oauth(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	json_t *settings, *answer;
	int64_t id;

	if (api_id(c, 0, &id, err) ||
	    api_name(c, STMT_NAME_OF_ACCOUNT, name, err) ||
	    (settings = settings_of(c, id, err)) == NULL)
		return (NULL);
	answer = start(c, settings, id, NULL, err);
	json_decref(settings);
	return (answer);
}

/* Of an account that is to be made, out of ${c}->body. */
static int
read_new(struct api_call *c, struct account_change *change,
    char group[LIMIT_NAME_BYTES], struct err *err)
{

	if (routes_read_account(c, change, group, err) ||
	    api_need_text(c, "name", &change->name, err))
		return (-1);
	if (change->credential == NULL)
		change->credential = "oauth";
	if (strcmp(change->credential, "oauth") == 0 &&
	    change->secret == NULL)
		return (0);
	err_set(err, ERR_INVAL, "an account that is signed in to has the "
	    "credential oauth, and no secret_key");
	return (-1);
}

json_t *
api_start_account(struct api_call *c, struct err *err)
{
	char group[LIMIT_NAME_BYTES];
	struct account_change change;

	if (read_new(c, &change, group, err) ||
	    accounts_try(c->store, c->seal, &change, err))
		return (NULL);
	return (start(c, c->body, 0, c->body, err));
}

/* ---- finish ---- */

/* The code alone, or what holds it with its state. */
static int
find_code(const struct login *l, const char *given, char **code,
    struct err *err)
{

	if (strchr(given, '#') != NULL || strstr(given, "code=") != NULL)
		return (login_code(l, given, code, err));
	if (given[0] == '\0') {
		err_set(err, ERR_INVAL, "\"code\" is empty");
		return (-1);
	}
	if ((*code = strdup(given)) != NULL)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for a code");
	return (-1);
}

/* That the provider gives no tokens is told in its words. */
static int
exchange(struct api_call *c, const struct account_start *s,
    const json_t *settings, const struct conf *conf, const char *proxy,
    const char *given, struct oauth_tokens *tokens, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	char *code;
	int rc;

	if (find_code(&s->login, given, &code, err))
		return (-1);
	rc = login_exchange(&s->login, settings, conf, proxy, code, tokens,
	    &why);
	seal_wipe_free(code, strlen(code));
	if (rc)
		(void)api_refuse(c, 409, "%s", why.text);
	return (rc);
}

/* The state and the code of the body, and what was begun with the former. */
static int
take(struct api_call *c, int64_t account_id, const char **code,
    struct account_start *s, struct err *err)
{
	static const char *const members[] = { "state", "code", NULL };
	const char *state;

	if (api_members(c, members, err) ||
	    api_need_text(c, "state", &state, err) ||
	    api_need_text(c, "code", code, err))
		return (-1);
	return (account_start_take(c->store, c->seal, c->pepper, &c->who,
	    account_id, state, s, err));
}

static int
finish(struct api_call *c, const struct account_start *s, const char *code,
    const struct conf *conf, struct err *err)
{
	json_t *settings;
	struct oauth_tokens tokens = { .access = NULL };
	char name[LIMIT_NAME_BYTES], *proxy;
	struct audit a;
	size_t len;
	int rc;

	if ((settings = settings_of(c, s->account_id, err)) == NULL)
		return (-1);
	rc = account_secret_get(c->store, c->seal, ACCOUNT_PROXY,
	    s->account_id, &proxy, &len, err);
	if (rc == 0) {
		rc = exchange(c, s, settings, conf, proxy, code, &tokens,
		    err);
		if (proxy != NULL)
			seal_wipe_free(proxy, len);
	}
	if (rc == 0 && (rc = api_name(c, STMT_NAME_OF_ACCOUNT, name, err))
	    == 0) {
		api_audit(c, &a, "account.login", name, NULL);
		rc = account_oauth_sign_in(c->store, c->seal, name, &tokens,
		    conf->refresh_ahead_ms, err);
	}
	oauth_tokens_wipe(&tokens);
	json_decref(settings);
	return (rc);
}

json_t *
api_finish_oauth(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct account_start s;
	struct conf *conf;
	const char *code;
	int64_t id;
	int rc = -1;

	if (api_id(c, 0, &id, err) ||
	    api_name(c, STMT_NAME_OF_ACCOUNT, name, err) || api_begin_long(c))
		return (NULL);
	if ((conf = api_conf(c)) != NULL && take(c, id, &code, &s, err) == 0) {
		rc = finish(c, &s, code, conf, err);
		account_start_fini(&s);
	}
	conf_free(conf);
	api_end_long(c);
	if (rc || api_name(c, STMT_NAME_OF_ACCOUNT, name, err))
		return (NULL);
	return (status_account(c->store, name, err));
}

/* The proxy that it is to have; NULL: none. */
static int
proxy_of(const struct account_change *change, char **proxy, struct err *err)
{

	*proxy = NULL;
	if (change->proxy == NULL || change->proxy[0] == '\0')
		return (0);
	return (account_proxy_url(change->proxy, change->proxy_password,
	    proxy, err));
}

/* Tokens are given once, and the start was taken: the change alone is made
 * again. */
static int
add_account(struct api_call *c, const struct account_change *change,
    struct err *err)
{
	struct audit a;
	struct err why;
	int n, rc;

	for (n = 1; ; n++) {
		why = (struct err) { .code = ERR_NONE };
		api_audit(c, &a, "account.add", "", change->name);
		rc = accounts_add(c->store, c->seal, change, &why);
		change_audit(c->store, NULL);
		if (rc == 0 || !change_again(c->store, n, &why))
			break;
	}
	if (rc == -1 && why.code == ERR_STORE_BUSY)
		(void)api_refuse(c, 503, "the database was busy for too "
		    "long; begin the sign-in anew");
	else if (rc == -1)
		err_set(err, why.code, "%s", why.text);
	return (rc);
}

/* ${c}->body is what was said at the start. */
static json_t *
finish_new(struct api_call *c, const struct account_start *s,
    const char *code, const struct conf *conf, struct err *err)
{
	struct oauth_tokens tokens = { .access = NULL };
	char group[LIMIT_NAME_BYTES], *proxy;
	struct account_change change;
	int rc;

	if (read_new(c, &change, group, err) ||
	    proxy_of(&change, &proxy, err))
		return (NULL);
	rc = exchange(c, s, c->body, conf, proxy, code, &tokens, err);
	if (proxy != NULL)
		seal_wipe_free(proxy, strlen(proxy));
	if (rc == 0) {
		change.tokens = &tokens;
		change.ahead_ms = conf->refresh_ahead_ms;
		rc = add_account(c, &change, err);
	}
	oauth_tokens_wipe(&tokens);
	if (rc)
		return (NULL);
	c->status = 201;
	return (status_account(c->store, change.name, err));
}

json_t *
api_finish_account(struct api_call *c, struct err *err)
{
	struct account_start s;
	json_t *answer = NULL, *body = c->body;
	struct conf *conf;
	const char *code;

	if (api_begin_long(c))
		return (NULL);
	if ((conf = api_conf(c)) != NULL && take(c, 0, &code, &s, err) == 0) {
		c->body = s.account;
		answer = finish_new(c, &s, code, conf, err);
		c->body = body;
		account_start_fini(&s);
	}
	conf_free(conf);
	api_end_long(c);
	return (answer);
}

/* ---- a pair that is there ---- */

static int
import(struct api_call *c, const char *name, const struct conf *conf,
    struct err *err)
{
	struct oauth_tokens tokens;
	struct audit a;
	int rc;

	if (login_tokens(c->body, &tokens, err))
		return (-1);
	api_audit(c, &a, "account.import", name, NULL);
	rc = account_oauth_sign_in(c->store, c->seal, name, &tokens,
	    conf->refresh_ahead_ms, err);
	oauth_tokens_wipe(&tokens);
	return (rc);
}

json_t *
api_import_oauth(struct api_call *c, struct err *err)
{
	static const char *const members[] = {
		"access_token", "refresh_token", "expires_at", NULL
	};
	char name[LIMIT_NAME_BYTES];
	struct conf *conf;
	int rc;

	if (api_name(c, STMT_NAME_OF_ACCOUNT, name, err) ||
	    api_members(c, members, err))
		return (NULL);
	if (c->body == NULL)
		return (api_refuse(c, 400, "the tokens are needed"));
	if ((conf = api_conf(c)) == NULL)
		return (NULL);
	rc = import(c, name, conf, err);
	conf_free(conf);
	return (rc ? NULL : status_account(c->store, name, err));
}
