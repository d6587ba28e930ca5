#ifndef ADMIN_BUDGET_VIEW_H_
#define ADMIN_BUDGET_VIEW_H_

#include <jansson.h>

struct err;
struct store;

/**
 * Budgets as people see them: JSON objects with what the rule says (name, on,
 * of, counts, limit, period, length_ms, anchor_ms, zone, models, policy,
 * enabled, created_ms) and how its window stands now:
 *
 *	spent, reserved, left	nano-dollars, tokens or requests
 *	from_ms, to_ms		the window; null for "total"
 *	renews_ms		when some of it is free again, as far as that
 *				is known now; null: never, or nothing is used
 *	from, to, renews	the same, RFC 3339 in the budget's zone
 *
 * All of these are null where this machine does not know the zone.
 */

/**
 * budget_view_list(st, err): Array of all budgets.
 * budget_view_page: ${limit} of them after the first ${offset}, and how many
 * there are.  budget_view_show: one of them.
 * budget_view_on: those on one key, user or group (${scope}).
 * budget_view_key: all that requests with a key count against.
 */
json_t *budget_view_list(struct store *st, struct err *err);
json_t *budget_view_page(struct store *st, int64_t limit, int64_t offset,
    int64_t *total, struct err *err);
json_t *budget_view_show(struct store *st, const char *name, struct err *err);
json_t *budget_view_on(struct store *st, const char *scope, const char *of,
    struct err *err);
json_t *budget_view_key(struct store *st, const char *key, struct err *err);

/** budget_view_veil(budgets): For the owner of one key: of a group's budget the
 * limit alone stays, as others use it up as well. */
void budget_view_veil(json_t *budgets);

#endif /* !ADMIN_BUDGET_VIEW_H_ */
