#include <string.h>

#include "base/err.h"

#include "accounts.h"
#include "aliases.h"
#include "budget_view.h"
#include "groups.h"
#include "keys.h"
#include "notify_targets.h"
#include "prices.h"
#include "users.h"

#include "audit.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* Those of the pattern, of whatever group or account; nothing is an error. */
static json_t *
alias_view(struct store *st, const char *pattern, struct err *err)
{
	const struct alias_of all = { .group = NULL };
	json_t *list;
	const char *is;
	size_t i;

	if ((list = aliases_list(st, &all, err)) == NULL)
		return (NULL);
	for (i = json_array_size(list); i > 0; i--) {
		is = json_string_value(json_object_get(json_array_get(list,
		    i - 1), "pattern"));
		if (is == NULL || strcmp(is, pattern) != 0)
			(void)json_array_remove(list, i - 1);
	}
	return (list);
}

audit_view *
audit_view_of(const char *kind)
{
	static const struct {
		const char *kind;
		audit_view *view;
	} views[] = {
		{ "account", accounts_show },
		{ "group", groups_show },
		{ "user", users_show },
		{ "key", keys_show },
		{ "budget", budget_view_show },
		{ "alias", alias_view },
		{ "price", prices_newest },
		{ "notify", notify_targets_show },
	};
	size_t i;

	for (i = 0; i < NITEMS(views); i++) {
		if (strcmp(views[i].kind, kind) == 0)
			return (views[i].view);
	}
	return (NULL);
}
