#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/seal.h"
#include "base/zone.h"
#include "store/store.h"

#include "tokens.h"

#include "api.h"

/* A token that ends is no way to one that ends later. */
static bool
may_last(struct api_call *c, int64_t expires_ms, struct err *err)
{
	const struct store_value id = store_int(c->who.token_id);
	int64_t ends_ms = 0;

	if (c->who.token_id != 0 && store_one(c->store, STMT_TOKEN_ENDS, &id,
	    1, &ends_ms, 1, err) == -1)
		return (false);
	if (ends_ms == 0 || (expires_ms != 0 && expires_ms <= ends_ms))
		return (true);
	(void)api_refuse(c, 403, "a token makes none that outlives it: say "
	    "\"expires_ms\", %lld at most", (long long)ends_ms);
	return (false);
}

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
	    api_int(c, "expires_ms", store_now_ms(c->store), ZONE_MAX_MS,
	    &spec.expires_ms, err) ||
	    api_bool(c, "read_only", &spec.read_only, err) ||
	    !may_last(c, spec.expires_ms, err))
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
