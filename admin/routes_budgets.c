#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/zone.h"

#include "budget_rules.h"
#include "budget_view.h"

#include "api.h"

json_t *
api_budgets(struct api_call *c, struct err *err)
{
	struct api_range r;
	json_t *budgets;
	int64_t total;

	if (api_range(c, &r, err) || (budgets = budget_view_page(c->store,
	    r.limit, r.offset, &total, err)) == NULL)
		return (NULL);
	return (api_part(&r, budgets, total, err));
}

json_t *
api_budget(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];

	if (api_name(c, STMT_NAME_OF_BUDGET, name, err))
		return (NULL);
	return (budget_view_show(c->store, name, err));
}

static int
read_spec(struct api_call *c, struct budget_spec *b, struct err *err)
{
	static const char *const members[] = {
		"name", "on", "of", "counts", "limit", "period", "length_ms",
		"anchor_ms", "zone", "models", "policy", "enabled", NULL
	};
	int enabled = 1;

	*b = (struct budget_spec) { .anchor_ms = -1, .limit = -1 };
	if (api_members(c, members, err) ||
	    api_text(c, "name", &b->name, err) ||
	    api_need_text(c, "on", &b->scope, err) ||
	    api_need_text(c, "of", &b->of, err) ||
	    api_need_text(c, "counts", &b->kind, err) ||
	    api_int(c, "limit", 0, BUDGET_LIMIT_MAX, &b->limit, err) ||
	    api_text(c, "period", &b->period, err) ||
	    api_int(c, "length_ms", 0, INT64_MAX, &b->length_ms, err) ||
	    api_int(c, "anchor_ms", 0, ZONE_MAX_MS, &b->anchor_ms, err) ||
	    api_text(c, "zone", &b->zone, err) ||
	    api_text(c, "models", &b->models, err) ||
	    api_text(c, "policy", &b->policy, err) ||
	    api_flag(c, "enabled", &enabled, err))
		return (-1);
	b->disabled = !enabled;
	if (b->limit >= 0)
		return (0);
	err_set(err, ERR_INVAL, "\"limit\" is needed");
	return (-1);
}

json_t *
api_add_budget(struct api_call *c, struct err *err)
{
	char name[BUDGET_NAME_SIZE] = "";
	struct budget_spec b;
	struct audit a;

	if (read_spec(c, &b, err))
		return (NULL);
	api_audit(c, &a, "budget.add", "", name);
	if (budget_rules_add(c->store, &b, name, err))
		return (NULL);
	c->status = 201;
	return (budget_view_show(c->store, name, err));
}

static int
read_change(struct api_call *c, struct budget_change *b, struct err *err)
{
	static const char *const members[] = {
		"name", "counts", "limit", "models", "policy", "enabled", NULL
	};

	*b = (struct budget_change) { .enabled = -1, .limit = -1 };
	if (api_members(c, members, err) ||
	    api_text(c, "name", &b->name, err) ||
	    api_text(c, "counts", &b->kind, err) ||
	    api_int(c, "limit", 0, BUDGET_LIMIT_MAX, &b->limit, err) ||
	    api_text(c, "models", &b->models, err) ||
	    api_text(c, "policy", &b->policy, err) ||
	    api_flag(c, "enabled", &b->enabled, err))
		return (-1);
	if ((b->kind != NULL) == (b->limit >= 0))
		return (0);
	err_set(err, ERR_INVAL, "\"limit\" goes with \"counts\", so that "
	    "nobody takes tokens for dollars");
	return (-1);
}

json_t *
api_set_budget(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct budget_change b;
	struct audit a;

	if (api_name(c, STMT_NAME_OF_BUDGET, name, err) ||
	    read_change(c, &b, err))
		return (NULL);
	api_audit(c, &a, "budget.set", name, b.name);
	if (budget_rules_set(c->store, name, &b, err))
		return (NULL);
	return (budget_view_show(c->store, b.name != NULL ? b.name : name,
	    err));
}

json_t *
api_remove_budget(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct audit a;

	if (api_name(c, STMT_NAME_OF_BUDGET, name, err))
		return (NULL);
	api_audit(c, &a, "budget.remove", name, NULL);
	return (budget_rules_remove(c->store, name, err) ? NULL :
	    api_done(c));
}
