#include "base/err.h"

#include "groups.h"

#include "api.h"

static const char *const members[] = {
	"name", "strategy", "concurrency", NULL
};

static int
read_group(struct api_call *c, struct group_change *g, struct err *err)
{

	*g = (struct group_change) { .concurrency = -1 };
	if (api_members(c, members, err) ||
	    api_text(c, "name", &g->name, err) ||
	    api_text(c, "strategy", &g->strategy, err))
		return (-1);
	return (api_int(c, "concurrency", 0, GROUP_CONCURRENCY_MAX,
	    &g->concurrency, err));
}

json_t *
api_groups(struct api_call *c, struct err *err)
{

	return (api_page(c, groups_list(c->store, NULL, err), err));
}

json_t *
api_group(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];

	if (api_name(c, STMT_NAME_OF_GROUP, name, err))
		return (NULL);
	return (groups_show(c->store, name, err));
}

json_t *
api_add_group(struct api_call *c, struct err *err)
{
	struct group_change g;
	struct audit a;

	if (read_group(c, &g, err) || api_need_text(c, "name", &g.name, err))
		return (NULL);
	api_audit(c, &a, "group.add", "", g.name);
	if (groups_add(c->store, &g, err))
		return (NULL);
	c->status = 201;
	return (groups_show(c->store, g.name, err));
}

json_t *
api_set_group(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct group_change g;
	struct audit a;

	if (api_name(c, STMT_NAME_OF_GROUP, name, err) ||
	    read_group(c, &g, err))
		return (NULL);
	api_audit(c, &a, "group.set", name, g.name);
	if (groups_set(c->store, name, &g, err))
		return (NULL);
	return (groups_show(c->store, g.name != NULL ? g.name : name, err));
}

json_t *
api_remove_group(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct audit a;

	if (api_name(c, STMT_NAME_OF_GROUP, name, err))
		return (NULL);
	api_audit(c, &a, "group.remove", name, NULL);
	return (groups_remove(c->store, name, err) ? NULL : api_done(c));
}
