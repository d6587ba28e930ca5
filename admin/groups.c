#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "pool/choose.h"
#include "store/store.h"

#include "change.h"
#include "check.h"
#include "query.h"

#include "groups.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct field fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "name", .kind = FIELD_TEXT },
	{ .name = "strategy", .kind = FIELD_TEXT },
	{ .name = "concurrency", .kind = FIELD_INT },
	{ .name = "accounts", .kind = FIELD_INT },
	{ .name = "keys", .kind = FIELD_INT },
	{ .name = "budgets", .kind = FIELD_INT },
	{ .name = "aliases", .kind = FIELD_INT },
	{ .name = "created_ms", .kind = FIELD_INT },
};

static int
check_strategy(const char *s, struct err *err)
{
	const char *name;
	char known[128] = "";
	size_t i, n = 0;

	if (choose_knows(s))
		return (0);
	for (i = 0; (name = choose_strategy(i)) != NULL && n < sizeof(known);
	    i++)
		n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s",
		    i == 0 ? "" : " or ", name);
	err_set(err, ERR_INVAL, "there is no strategy \"%.40s\": take %s", s,
	    known);
	return (-1);
}

static int
check_change(const struct group_change *change, struct err *err)
{

	if (change->name != NULL && check_name("a group", change->name, err))
		return (-1);
	if (change->strategy != NULL && check_strategy(change->strategy, err))
		return (-1);
	if (change->concurrency < -1 ||
	    change->concurrency > GROUP_CONCURRENCY_MAX) {
		err_set(err, ERR_INVAL, "concurrency must be from 0 (no "
		    "limit) to %d", GROUP_CONCURRENCY_MAX);
		return (-1);
	}
	return (0);
}

int
groups_find(struct store *st, const char *name, int64_t *id, struct err *err)
{
	const struct store_value param = query_name(name);
	int rc;

	if ((rc = store_one(st, STMT_GROUP_ID_BY_NAME, &param, 1, id, 1,
	    err)) == 0)
		err_set(err, ERR_NOT_FOUND, "there is no group \"%s\"", name);
	return (rc == 1 ? 0 : -1);
}

int
groups_add_in(struct store *st, const struct group_change *change,
    struct err *err)
{
	const struct store_value row[] = {
		store_text(change->name),
		store_text(change->strategy != NULL ? change->strategy :
		    choose_strategy(0)),
		store_int(change->concurrency == -1 ? 0 :
		    change->concurrency),
		store_int(store_now_ms(st)),
	};

	if (check_change(change, err))
		return (-1);
	return (change_exec_named(st, STMT_GROUP_ADD, row, NITEMS(row),
	    "a group", change->name, err));
}

int
groups_add(struct store *st, const struct group_change *change,
    struct err *err)
{

	if (check_change(change, err) || change_begin(st, err))
		return (-1);
	return (change_end(st, groups_add_in(st, change, err), err));
}

static int
set_inside(struct store *st, const char *name,
    const struct group_change *change, struct err *err)
{
	struct store_value row[2];
	int64_t id;

	if (groups_find(st, name, &id, err))
		return (-1);
	row[1] = store_int(id);
	if (change->strategy != NULL) {
		row[0] = store_text(change->strategy);
		if (store_exec(st, STMT_GROUP_SET_STRATEGY, row, 1, 2, NULL,
		    err))
			return (-1);
	}
	if (change->concurrency != -1) {
		row[0] = store_int(change->concurrency);
		if (store_exec(st, STMT_GROUP_SET_CONCURRENCY, row, 1, 2,
		    NULL, err))
			return (-1);
	}
	if (change->name != NULL) {
		row[0] = store_text(change->name);
		if (change_exec_named(st, STMT_GROUP_SET_NAME, row, 2,
		    "a group", change->name, err))
			return (-1);
	}
	return (0);
}

int
groups_set_in(struct store *st, const char *name,
    const struct group_change *change, struct err *err)
{

	return (check_change(change, err) ? -1 : set_inside(st, name, change,
	    err));
}

int
groups_set(struct store *st, const char *name,
    const struct group_change *change, struct err *err)
{

	if (check_change(change, err) || change_begin(st, err))
		return (-1);
	return (change_end(st, set_inside(st, name, change, err), err));
}

static int
remove_inside(struct store *st, const char *name, struct err *err)
{
	struct store_value ids[3];
	int64_t id, uses[3];

	if (groups_find(st, name, &id, err))
		return (-1);
	ids[0] = ids[1] = ids[2] = store_int(id);
	if (store_one(st, STMT_GROUP_USES, ids, 3, uses, 3, err) == -1)
		return (-1);
	if (uses[0] > 0 || uses[1] > 0 || uses[2] > 0) {
		err_set(err, ERR_EXISTS, "group \"%s\" is in use "
		    "(accounts in it: %lld, keys bound to it: %lld, budgets "
		    "set on it: %lld)", name, (long long)uses[0],
		    (long long)uses[1], (long long)uses[2]);
		return (-1);
	}
	if (store_exec(st, STMT_GROUP_REMOVE_ALIASES, ids, 1, 1, NULL, err))
		return (-1);
	return (store_exec(st, STMT_GROUP_REMOVE, ids, 1, 1, NULL, err));
}

int
groups_remove(struct store *st, const char *name, struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, remove_inside(st, name, err), err));
}

json_t *
groups_list(struct store *st, const char *name, struct err *err)
{
	const struct store_value params[] = {
		store_text(name != NULL ? name : ""),
		store_text(name != NULL ? name : ""),
	};

	return (query_rows(st, STMT_GROUP_LIST, params, NITEMS(params),
	    fields, NITEMS(fields), err));
}

json_t *
groups_show(struct store *st, const char *name, struct err *err)
{
	json_t *list, *group;

	if ((list = groups_list(st, name, err)) == NULL)
		return (NULL);
	if ((group = json_incref(json_array_get(list, 0))) == NULL)
		err_set(err, ERR_NOT_FOUND, "there is no group \"%s\"", name);
	json_decref(list);
	return (group);
}
