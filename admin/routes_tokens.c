#include <jansson.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "tokens.h"

#include "api.h"

/* ---- of the installation, and whoever's there are ---- */

json_t *
api_admin_tokens(struct api_call *c, struct err *err)
{

	return (api_page(c, tokens_list(c->store, 0, err), err));
}

/* What has just been made, with the token itself. */
static json_t *
answer_new(struct api_call *c, const char *name,
    const char token[TOKEN_SIZE], struct err *err)
{
	json_t *j = json_pack("{s:s, s:s}", "name", name, "token", token);

	if (j == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	c->status = 201;
	return (j);
}

json_t *
api_add_admin_token(struct api_call *c, struct err *err)
{
	static const char *const members[] = {
		"name", "expires_ms", "read_only", NULL
	};
	struct token_spec spec = { .name = NULL };
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
	j = answer_new(c, spec.name, token, err);
	seal_wipe(token, sizeof(token));
	return (j);
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
