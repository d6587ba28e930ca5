#include <string.h>

#include "base/err.h"
#include "base/seal.h"

#include "people.h"

#include "api.h"

#define AUDIT_ROWS	100
#define AUDIT_ROWS_MAX	1000

json_t *
api_invite(struct api_call *c, struct err *err)
{
	static const char *const members[] = { "role", "user", NULL };
	const char *word = "user", *name = NULL;
	char invitation[INVITATION_SIZE];
	enum role role;
	json_t *j;

	if (api_members(c, members, err) ||
	    api_text(c, "role", &word, err) ||
	    api_text(c, "user", &name, err))
		return (NULL);
	if (!role_parse(word, &role))
		return (api_refuse(c, 400, "\"role\" must be admin, operator "
		    "or user"));
	if (people_invite(c->store, c->pepper, role, name, c->who.name,
	    invitation, err))
		return (NULL);
	j = json_pack("{s:s, s:s}", "invitation", invitation, "role", word);
	seal_wipe(invitation, sizeof(invitation));
	if (j == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	c->status = 201;
	return (j);
}

json_t *
api_invitations(struct api_call *c, struct err *err)
{

	return (people_invitations(c->store, err));
}

json_t *
api_audit(struct api_call *c, struct err *err)
{
	struct audit_filter f = { .limit = AUDIT_ROWS };
	char verb[80], object[160], actor[160];

	if (api_query_int(c, "below", 1, INT64_MAX, &f.below, err) ||
	    api_query_int(c, "limit", 1, AUDIT_ROWS_MAX, &f.limit, err))
		return (NULL);
	f.verb = api_query(c, "verb", verb, sizeof(verb));
	f.object = api_query(c, "object", object, sizeof(object));
	f.actor = api_query(c, "actor", actor, sizeof(actor));
	return (audit_list(c->store, &f, err));
}
