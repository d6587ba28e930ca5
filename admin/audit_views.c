#include <string.h>

#include "base/err.h"

#include "accounts.h"
#include "budget_view.h"
#include "groups.h"
#include "keys.h"
#include "users.h"

#include "audit.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static json_t *
group_view(struct store *st, const char *name, struct err *err)
{
	json_t *list, *group;

	if ((list = groups_list(st, name, err)) == NULL)
		return (NULL);
	if ((group = json_incref(json_array_get(list, 0))) == NULL)
		err_set(err, ERR_NOT_FOUND, "there is no group \"%s\"", name);
	json_decref(list);
	return (group);
}

audit_view *
audit_view_of(const char *kind)
{
	static const struct {
		const char *kind;
		audit_view *view;
	} views[] = {
		{ "account", accounts_show },
		{ "group", group_view },
		{ "user", users_show },
		{ "key", keys_show },
		{ "budget", budget_view_show },
	};
	size_t i;

	for (i = 0; i < NITEMS(views); i++) {
		if (strcmp(views[i].kind, kind) == 0)
			return (views[i].view);
	}
	return (NULL);
}
