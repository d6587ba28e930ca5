#include <jansson.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "tokens.h"

#include "api.h"

/* A token of a person, or (0) of the installation, as the body says. */
static json_t *
make_token(struct api_call *c, int64_t person_id, struct err *err)
{
	static const char *const members[] = {
		"name", "expires_ms", "read_only", NULL
	};
	struct token_spec spec = { .person_id = person_id };
	char token[TOKEN_SIZE];
	struct audit a;
	json_t *j;

	if (api_members(c, members, err) ||
	    api_need_text(c, "name", &spec.name, err) ||
	    api_int(c, "expires_ms", store_now_ms(c->store), INT64_MAX,
	    &spec.expires_ms, err) ||
	    api_bool(c, "read_only", &spec.read_only, err))
		return (NULL);
	api_audit(c, &a, "token.create", "", spec.name);
	if (tokens_create(c->store, c->pepper, &spec, token, err))
		return (NULL);
	if ((j = json_pack("{s:s, s:s}", "name", spec.name, "token", token))
	    == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	seal_wipe(token, sizeof(token));
	c->status = 201;
	return (j);
}

/* ---- of one's own ---- */

json_t *
api_tokens(struct api_call *c, struct err *err)
{

	return (tokens_list(c->store, c->who.person_id, err));
}

json_t *
api_make_token(struct api_call *c, struct err *err)
{

	if (!api_is_person(c))
		return (NULL);
	return (make_token(c, c->who.person_id, err));
}

json_t *
api_revoke_token(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct audit a;
	int64_t id;

	if (!api_is_person(c) || api_id(c, 0, &id, err) ||
	    api_name(c, STMT_NAME_OF_TOKEN, name, err))
		return (NULL);
	api_audit(c, &a, "token.revoke", name, NULL);
	if (tokens_revoke_own(c->store, c->who.person_id, id, err))
		return (NULL);
	return (api_done(c));
}

/* ---- of the installation, and whoever's there are ---- */

json_t *
api_admin_tokens(struct api_call *c, struct err *err)
{

	return (api_page(c, tokens_list(c->store, 0, err), err));
}

json_t *
api_add_admin_token(struct api_call *c, struct err *err)
{

	return (make_token(c, 0, err));
}

json_t *
api_remove_admin_token(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct audit a;

	if (api_name(c, STMT_NAME_OF_TOKEN, name, err))
		return (NULL);
	api_audit(c, &a, "token.revoke", name, NULL);
	return (tokens_revoke(c->store, name, err) ? NULL : api_done(c));
}
