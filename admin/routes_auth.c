#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "people.h"
#include "second_factor.h"
#include "tries.h"

#include "api.h"

#define AGENT_SIZE	512

/* What a page wants to know of who is signed in. */
static json_t *
present(struct api_call *c, const char *token, struct err *err)
{
	char csrf[SIGN_IN_TOKEN_SIZE];
	json_t *me;

	if (c->who.person_id != 0) {
		me = people_show(c->store, c->who.person_id, err);
	} else {
		me = json_pack("{s:s, s:s}", "name", c->who.name, "role",
		    role_word(c->who.role));
		if (me == NULL)
			err_set(err, ERR_NOMEM, "no memory for an answer");
	}
	if (me == NULL || token[0] == '\0')
		return (me);
	sign_in_csrf(c->pepper, token, csrf);
	if (json_object_set_new(me, "csrf", json_string(csrf)) == 0)
		return (me);
	json_decref(me);
	err_set(err, ERR_NOMEM, "no memory for an answer");
	return (NULL);
}

static json_t *
welcome(struct api_call *c, char token[SIGN_IN_TOKEN_SIZE], struct err *err)
{
	json_t *me;

	if ((me = present(c, token, err)) != NULL)
		api_set_cookie(c, token, c->settings->life.max_ms);
	seal_wipe(token, SIGN_IN_TOKEN_SIZE);
	return (me);
}

static json_t *
refuse_waiting(struct api_call *c, int64_t wait_ms)
{

	c->retry_after_s = (wait_ms + 999) / 1000;
	return (api_refuse(c, 429, "too many tries; the next is looked at in "
	    "%lld s", (long long)c->retry_after_s));
}

static json_t *
answer_sign_in(struct api_call *c, struct sign_in *s,
    enum sign_in_result result, struct err *err)
{

	switch (result) {
	case SIGN_IN_GOOD:
		c->tried = false;	/* it is forgotten */
		c->who = s->who;
		return (welcome(c, s->token, err));
	case SIGN_IN_CODE:
		c->code = 40102;
		return (api_refuse(c, 401, s->code == NULL ?
		    "a code of the second factor is needed" :
		    "the code is not right"));
	case SIGN_IN_WAIT:
		return (refuse_waiting(c, s->wait_ms));
	case SIGN_IN_WRONG:
		break;
	}
	return (api_refuse(c, 401, "name or password is not right"));
}

json_t *
api_login(struct api_call *c, struct err *err)
{
	static const char *const members[] = {
		"name", "password", "code", NULL
	};
	struct sign_in s = {
		.address = c->http->remote_addr, .counted = c->tried
	};
	enum sign_in_result result;
	char agent[AGENT_SIZE];
	int rc;

	if (api_members(c, members, err) ||
	    api_need_text(c, "name", &s.name, err) ||
	    api_need_text(c, "password", &s.password, err) ||
	    api_text(c, "code", &s.code, err))
		return (NULL);
	s.agent = api_agent(c, agent, sizeof(agent));
	rc = sign_in(c->store, c->seal, c->pepper, &c->settings->life, &s,
	    &result, err);
	c->tried = s.counted;
	return (rc ? NULL : answer_sign_in(c, &s, result, err));
}

json_t *
api_logout(struct api_call *c, struct err *err)
{

	if (c->who.sign_in_id != 0 &&
	    sign_in_end(c->store, &c->who, c->who.sign_in_id,
	    c->http->remote_addr, err) &&
	    (err == NULL || err->code != ERR_NOT_FOUND))
		return (NULL);
	err_clear(err);
	api_set_cookie(c, NULL, 0);
	return (api_done(c));
}

/* Another try is counted: one that has to wait is told so. */
static bool
goes_on(struct api_call *c, int64_t wait_ms)
{

	c->tried = wait_ms == 0;
	if (wait_ms > 0)
		(void)refuse_waiting(c, wait_ms);
	return (c->tried);
}

/* Whoever likes may register where it is open: hashing passwords for them is
 * work, and each leaves a user behind.  Others bring an invitation. */
static bool
may_register(struct api_call *c, struct registration *r, struct err *err)
{
	int64_t wait_ms;

	if (r->invitation != NULL)
		return (true);
	if (c->settings->registration != REGISTRATION_OPEN) {
		(void)api_refuse(c, 403, "an invitation is needed");
		return (false);
	}
	if (api_need_text(c, "name", &r->name, err))
		return (false);
	if (c->tried)
		return (true);
	return (tries_take_register(c->store, c->http->remote_addr, &wait_ms,
	    err) == 0 && goes_on(c, wait_ms));
}

json_t *
api_register(struct api_call *c, struct err *err)
{
	static const char *const members[] = {
		"invitation", "name", "password", NULL
	};
	struct registration r = { .address = c->http->remote_addr };
	char agent[AGENT_SIZE];

	if (api_members(c, members, err) ||
	    api_text(c, "invitation", &r.invitation, err) ||
	    api_text(c, "name", &r.name, err) ||
	    api_need_text(c, "password", &r.password, err) ||
	    !may_register(c, &r, err))
		return (NULL);
	r.agent = api_agent(c, agent, sizeof(agent));
	if (people_register(c->store, c->pepper, &c->settings->life, &r, err))
		return (NULL);
	c->who = r.who;
	c->status = 201;
	return (welcome(c, r.token, err));
}

json_t *
api_me(struct api_call *c, struct err *err)
{

	return (present(c, c->token, err));
}

/* Who found a browser open may not guess the password either: tries count as
 * those of sign-ins do. */
static bool
may_try(struct api_call *c, struct err *err)
{
	int64_t wait_ms;

	if (c->tried)
		return (true);
	return (tries_take(c->store, c->who.name, c->http->remote_addr,
	    &wait_ms, err) == 0 && goes_on(c, wait_ms));
}

/* It was right. */
static int
forget_tries(struct api_call *c, struct err *err)
{

	if (store_begin(c->store, true, err) ||
	    store_end(c->store, tries_forget(c->store, c->who.name,
	    c->http->remote_addr, err), err))
		return (-1);
	c->tried = false;
	return (0);
}

json_t *
api_set_me(struct api_call *c, struct err *err)
{
	static const char *const members[] = {
		"password", "new_password", NULL
	};
	const char *old, *new;

	if (!api_is_person(c) || api_members(c, members, err) ||
	    api_need_text(c, "password", &old, err) ||
	    api_need_text(c, "new_password", &new, err) ||
	    !may_try(c, err) || people_set_password(c->store, &c->who, old, new,
	    c->http->remote_addr, err))
		return (NULL);
	return (api_done(c));
}

json_t *
api_sign_ins(struct api_call *c, struct err *err)
{

	return (sign_in_list(c->store, &c->settings->life, &c->who, err));
}

json_t *
api_end_sign_in(struct api_call *c, struct err *err)
{
	int64_t id;

	if (api_id(c, 0, &id, err) ||
	    sign_in_end(c->store, &c->who, id, c->http->remote_addr, err))
		return (NULL);
	return (api_done(c));
}

/* ---- the second factor ---- */

/* End a transaction that made ${j}, or did not; noted in the audit log. */
static json_t *
end_factor(struct api_call *c, const char *verb, json_t *j, struct err *err)
{
	const struct actor actor = api_actor(c);

	if (j != NULL && audit_add(c->store, &actor, verb, c->who.name, NULL,
	    NULL, err) == 0) {
		if (store_commit(c->store, err) == 0)
			return (j);
	} else {
		store_rollback(c->store);
	}
	json_decref(j);
	return (NULL);
}

bool
api_knows_password(struct api_call *c, struct err *err)
{
	const char *password;
	int rc;

	if (api_need_text(c, "password", &password, err) ||
	    !may_try(c, err) ||
	    (rc = people_check_password(c->store, c->who.person_id, password,
	    err)) == -1)
		return (false);
	if (rc == 0)
		(void)api_refuse(c, 403, "the password is not right");
	return (rc == 1 && forget_tries(c, err) == 0);
}

json_t *
api_begin_factor(struct api_call *c, struct err *err)
{
	static const char *const members[] = { "password", NULL };

	if (!api_is_person(c) || api_members(c, members, err) ||
	    !api_knows_password(c, err) || store_begin(c->store, true, err))
		return (NULL);
	return (end_factor(c, "user.second_factor_begin",
	    second_factor_begin(c->store, c->seal, c->who.person_id,
	    c->who.name, err), err));
}

json_t *
api_confirm_factor(struct api_call *c, struct err *err)
{
	static const char *const members[] = { "code", NULL };
	const char *code;
	json_t *codes;

	if (!api_is_person(c) || api_members(c, members, err) ||
	    api_need_text(c, "code", &code, err) ||
	    store_begin(c->store, true, err))
		return (NULL);
	if ((codes = second_factor_confirm(c->store, c->seal, c->pepper,
	    c->who.person_id, code, err)) != NULL)
		codes = json_pack("{s:o}", "recovery_codes", codes);
	return (end_factor(c, "user.second_factor_on", codes, err));
}

json_t *
api_drop_factor(struct api_call *c, struct err *err)
{
	static const char *const members[] = { "password", NULL };
	json_t *done = NULL;

	if (!api_is_person(c) || api_members(c, members, err) ||
	    !api_knows_password(c, err) || store_begin(c->store, true, err))
		return (NULL);
	if (second_factor_off(c->store, c->who.person_id, err) == 0)
		done = api_done(c);
	return (end_factor(c, "user.second_factor_off", done, err));
}
