#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"

#include "people.h"
#include "users.h"

#include "api.h"

#define AUDIT_ROWS	100
#define AUDIT_ROWS_MAX	1000

json_t *
api_invite(struct api_call *c, struct err *err)
{
	static const char *const members[] = { "role", "user", NULL };
	const char *word = NULL, *name = NULL;
	char invitation[INVITATION_SIZE];
	enum role role = ROLE_USER;
	struct audit a;
	json_t *j;

	if (api_members(c, members, err) ||
	    api_text(c, "role", &word, err) ||
	    api_text(c, "user", &name, err))
		return (NULL);
	if (word != NULL && !role_parse(word, &role))
		return (api_refuse(c, 400, "\"role\" must be admin, operator "
		    "or user"));
	if (word == NULL && name != NULL && users_role(c->store, name, &role,
	    err))
		return (NULL);
	api_audit(c, &a, "user.invite", name != NULL ? name : "", NULL);
	if (people_invite(c->store, c->pepper, role, name, c->who.name,
	    invitation, err))
		return (NULL);
	j = json_pack("{s:s, s:s}", "invitation", invitation, "role",
	    role_word(role));
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
api_uninvite(struct api_call *c, struct err *err)
{
	char object[48];
	struct audit a;
	int64_t id;

	if (api_id(c, 0, &id, err))
		return (NULL);
	(void)snprintf(object, sizeof(object), "invitation %lld",
	    (long long)id);
	api_audit(c, &a, "user.uninvite", object, NULL);
	return (people_uninvite(c->store, id, err) ? NULL : api_done(c));
}

json_t *
api_logs(struct api_call *c, struct err *err)
{
	struct audit_filter f = { .limit = AUDIT_ROWS };
	char verb[80], object[160], actor[160];

	if (api_query_int(c, "below", 1, INT64_MAX, &f.below, err) ||
	    api_query_int(c, "before", 1, INT64_MAX, &f.below, err) ||
	    api_query_int(c, "limit", 1, AUDIT_ROWS_MAX, &f.limit, err))
		return (NULL);
	f.verb = api_query(c, "verb", verb, sizeof(verb));
	f.object = api_query(c, "object", object, sizeof(object));
	f.actor = api_query(c, "actor", actor, sizeof(actor));
	return (audit_list(c->store, &f, err));
}

/* ---- users ---- */

static const char *const user_members[] = {
	"name", "concurrency", "role", "enabled", NULL
};

static int
read_user(struct api_call *c, struct user_change *u, struct err *err)
{
	const char *word = NULL;

	*u = (struct user_change) { .concurrency = -1, .enabled = -1 };
	if (api_members(c, user_members, err) ||
	    api_text(c, "name", &u->name, err) ||
	    api_int(c, "concurrency", 0, USER_CONCURRENCY_MAX,
	    &u->concurrency, err) ||
	    api_flag(c, "enabled", &u->enabled, err) ||
	    api_text(c, "role", &word, err))
		return (-1);
	if (word == NULL || role_parse(word, &u->role))
		return (0);
	err_set(err, ERR_INVAL, "\"role\" must be admin, operator or user");
	return (-1);
}

json_t *
api_users(struct api_call *c, struct err *err)
{
	char buf[LIMIT_NAME_BYTES];
	const char *q = api_query_lower(c, "q", buf, sizeof(buf));
	struct api_range r;
	int64_t total;
	json_t *users;

	if (api_range(c, &r, err) || (users = users_page(c->store, q, r.limit,
	    r.offset, &total, err)) == NULL)
		return (NULL);
	return (api_part(&r, users, total, err));
}

json_t *
api_user(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];

	if (api_name(c, STMT_NAME_OF_PERSON, name, err))
		return (NULL);
	return (users_show(c->store, name, err));
}

json_t *
api_add_user(struct api_call *c, struct err *err)
{
	struct user_change u;
	struct audit a;

	if (read_user(c, &u, err) || api_need_text(c, "name", &u.name, err))
		return (NULL);
	api_audit(c, &a, "user.add", "", u.name);
	if (users_add(c->store, &u, err))
		return (NULL);
	c->status = 201;
	return (users_show(c->store, u.name, err));
}

json_t *
api_set_user(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct user_change u;
	struct audit a;

	if (api_name(c, STMT_NAME_OF_PERSON, name, err) ||
	    read_user(c, &u, err))
		return (NULL);
	api_audit(c, &a, "user.set", name, u.name);
	if (users_set(c->store, name, &u, err))
		return (NULL);
	return (users_show(c->store, u.name != NULL ? u.name : name, err));
}

json_t *
api_remove_user(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct audit a;

	if (api_name(c, STMT_NAME_OF_PERSON, name, err))
		return (NULL);
	api_audit(c, &a, "user.remove", name, NULL);
	return (users_remove(c->store, name, err) ? NULL : api_done(c));
}
