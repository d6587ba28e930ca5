#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "store/store.h"

#include "budget_view.h"
#include "change.h"
#include "check.h"
#include "query.h"
#include "sign_in.h"

#include "users.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct field fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "name", .kind = FIELD_TEXT },
	{ .name = "concurrency", .kind = FIELD_INT },
	{ .name = "keys", .kind = FIELD_INT },
	{ .name = "budgets", .kind = FIELD_INT },
	{ .name = "in_flight", .kind = FIELD_INT },
	{ .name = "created_ms", .kind = FIELD_INT },
	{ .name = "role", .kind = FIELD_TEXT },
	{ .name = "enabled", .kind = FIELD_BOOL },
	{ .name = "signs_in", .kind = FIELD_BOOL },
	{ .name = "second_factor", .kind = FIELD_BOOL },
};

static const struct field key_fields[] = {
	{ .name = "name", .kind = FIELD_TEXT },
	{ .name = "visible", .kind = FIELD_TEXT },
	{ .name = "enabled", .kind = FIELD_BOOL },
	{ .name = "expires_ms", .kind = FIELD_INT },
	{ .name = "revoked_ms", .kind = FIELD_INT },
};

int
users_find(struct store *st, const char *name, int64_t *id, struct err *err)
{
	const struct store_value param = query_name(name);
	int rc;

	if ((rc = store_one(st, STMT_USER_ID_BY_NAME, &param, 1, id, 1,
	    err)) == 0)
		err_set(err, ERR_NOT_FOUND, "there is no user \"%s\"", name);
	return (rc == 1 ? 0 : -1);
}

int
users_end_links(struct store *st, int64_t id, const char *name,
    struct err *err)
{
	const struct store_value row[] = { store_int(id), store_text(name) };

	return (store_exec(st, STMT_INVITATION_END_OF, row, 1, NITEMS(row),
	    NULL, err));
}

static int
check_change(const struct user_change *change, struct err *err)
{

	if (change->name != NULL && check_name("a user", change->name, err))
		return (-1);
	if (change->concurrency >= -1 &&
	    change->concurrency <= USER_CONCURRENCY_MAX)
		return (0);
	err_set(err, ERR_INVAL, "concurrency must be from 0 (no limit) to %d",
	    USER_CONCURRENCY_MAX);
	return (-1);
}

int
users_role(struct store *st, const char *name, enum role *role,
    struct err *err)
{
	const struct store_value param = query_name(name);
	int64_t n;

	*role = ROLE_NONE;
	n = store_query(st, STMT_PERSON_ROLE, &param, 1, role_take, role, err);
	if (n == 0)
		err_set(err, ERR_NOT_FOUND, "there is no user \"%s\"", name);
	return (n == 1 ? 0 : -1);
}

int
users_keep_an_admin(struct store *st, int64_t id, enum role role,
    struct err *err)
{
	const struct store_value param = store_int(id);
	int64_t is_admin, others;

	if (role == ROLE_ADMIN)
		return (0);
	if (store_one(st, STMT_PERSON_IS_ADMIN, &param, 1, &is_admin, 1, err)
	    == -1 || store_one(st, STMT_PERSON_ADMINS, &param, 1, &others, 1,
	    err) == -1)
		return (-1);
	if (!is_admin || others > 0)
		return (0);
	err_set(err, ERR_EXISTS, "this is the last administrator who can sign "
	    "in");
	return (-1);
}

static bool
lowers(const struct user_change *change)
{

	return (change->enabled == 0 || change->role == ROLE_USER ||
	    change->role == ROLE_OPERATOR);
}

static int
set_sign_in(struct store *st, int64_t id, const struct user_change *change,
    struct err *err)
{
	const struct store_value role[] = {
		store_text(role_word(change->role)), store_int(id)
	};
	const struct store_value enabled[] = {
		store_int(change->enabled), store_int(id)
	};

	if (lowers(change) && users_keep_an_admin(st, id, ROLE_NONE, err))
		return (-1);
	if (change->role != ROLE_NONE && store_exec(st, STMT_PERSON_SET_ROLE,
	    role, 1, 2, NULL, err))
		return (-1);
	if (change->enabled == 0 && sign_in_end_others(st, id, 0, err))
		return (-1);
	return (change->enabled == -1 ? 0 : store_exec(st,
	    STMT_PERSON_SET_ENABLED, enabled, 1, 2, NULL, err));
}

static int
add_inside(struct store *st, const struct user_change *change,
    struct err *err)
{
	const struct store_value row[] = {
		store_text(change->name),
		store_int(change->concurrency == -1 ? 0 :
		    change->concurrency),
		store_int(store_now_ms(st)),
	};

	if (change_exec_named(st, STMT_USER_ADD, row, NITEMS(row), "a user",
	    change->name, err))
		return (-1);
	return (set_sign_in(st, store_insert_id(st), change, err));
}

int
users_add_in(struct store *st, const struct user_change *change,
    struct err *err)
{

	return (check_change(change, err) ? -1 : add_inside(st, change, err));
}

int
users_add(struct store *st, const struct user_change *change, struct err *err)
{

	if (check_change(change, err) || change_begin(st, err))
		return (-1);
	return (change_end(st, add_inside(st, change, err), err));
}

/* Links that are out would undo it. */
static int
end_links(struct store *st, int64_t id, const char *name,
    const struct user_change *change, struct err *err)
{
	enum role was;

	if (change->enabled != 0 && change->role == ROLE_NONE)
		return (0);
	if (users_role(st, name, &was, err))
		return (-1);
	return (change->enabled != 0 && change->role == was ? 0 :
	    users_end_links(st, id, name, err));
}

static int
rename_links(struct store *st, const char *name, const char *was,
    struct err *err)
{
	const struct store_value row[] = { store_text(name), store_text(was) };

	return (name == NULL ? 0 : store_exec(st, STMT_INVITATION_RENAME, row,
	    1, NITEMS(row), NULL, err));
}

static int
set_inside(struct store *st, const char *name,
    const struct user_change *change, struct err *err)
{
	struct store_value row[2];
	int64_t id;

	if (users_find(st, name, &id, err) ||
	    end_links(st, id, name, change, err) ||
	    rename_links(st, change->name, name, err) ||
	    set_sign_in(st, id, change, err))
		return (-1);
	row[0] = store_int(change->concurrency);
	row[1] = store_int(id);
	if (change->concurrency != -1 && store_exec(st,
	    STMT_USER_SET_CONCURRENCY, row, 1, 2, NULL, err))
		return (-1);
	row[0] = store_text(change->name != NULL ? change->name : name);
	return (change_exec_named(st, STMT_USER_SET, row, NITEMS(row),
	    "a user", change->name != NULL ? change->name : name, err));
}

int
users_set_in(struct store *st, const char *name,
    const struct user_change *change, struct err *err)
{

	return (check_change(change, err) ? -1 : set_inside(st, name, change,
	    err));
}

int
users_set(struct store *st, const char *name,
    const struct user_change *change, struct err *err)
{

	if (check_change(change, err) || change_begin(st, err))
		return (-1);
	return (change_end(st, set_inside(st, name, change, err), err));
}

static int
remove_inside(struct store *st, const char *name, struct err *err)
{
	struct store_value ids[2];
	int64_t id, uses[2];

	if (users_find(st, name, &id, err) ||
	    users_keep_an_admin(st, id, ROLE_NONE, err))
		return (-1);
	ids[0] = ids[1] = store_int(id);
	if (store_one(st, STMT_USER_USES, ids, 2, uses, 2, err) == -1)
		return (-1);
	if (uses[0] > 0 || uses[1] > 0) {
		err_set(err, ERR_EXISTS, "user \"%s\" is in use (keys "
		    "that belong to it: %lld, budgets set on it: %lld)", name,
		    (long long)uses[0], (long long)uses[1]);
		return (-1);
	}
	/* Revoked keys are kept, for the ledger's sake. */
	if (store_exec(st, STMT_USER_LEAVE_KEYS, ids, 1, 1, NULL, err) ||
	    store_exec(st, STMT_RECOVERY_CLEAR, ids, 1, 1, NULL, err) ||
	    store_exec(st, STMT_TOKEN_REMOVE_PERSON, ids, 1, 1, NULL, err) ||
	    users_end_links(st, id, name, err) ||
	    sign_in_end_others(st, id, 0, err))
		return (-1);
	return (store_exec(st, STMT_USER_REMOVE, ids, 1, 1, NULL, err));
}

int
users_remove(struct store *st, const char *name, struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, remove_inside(st, name, err), err));
}

json_t *
users_page(struct store *st, const char *q, int64_t limit, int64_t offset,
    int64_t *total, struct err *err)
{
	const struct store_value part = store_text(q != NULL ? q : "");
	const struct store_value params[] = {
		part, part, store_int(limit), store_int(offset), store_null()
	};

	if (store_one(st, STMT_USER_COUNT, params, 2, total, 1, err) == -1)
		return (NULL);
	return (query_rows(st, STMT_USER_LIST, params, NITEMS(params), fields,
	    NITEMS(fields), err));
}

json_t *
users_list(struct store *st, struct err *err)
{
	int64_t total;

	return (users_page(st, NULL, INT32_MAX, 0, &total, err));
}

json_t *
users_show(struct store *st, const char *name, struct err *err)
{
	const struct store_value params[] = {
		store_text(""), store_text(""), store_int(0), store_int(0),
		query_name(name)
	};
	json_t *user, *keys, *budgets;

	user = query_row(st, STMT_USER_LIST, params, NITEMS(params), fields,
	    NITEMS(fields), "such user", err);
	if (user == NULL)
		return (NULL);
	keys = query_rows(st, STMT_USER_KEYS, &params[4], 1, key_fields,
	    NITEMS(key_fields), err);
	budgets = budget_view_on(st, "user", name, err);
	if (keys != NULL && budgets != NULL &&
	    json_object_set(user, "keys", keys) == 0 &&
	    json_object_set(user, "budgets", budgets) == 0)
		goto out;
	err_set(err, ERR_NOMEM, "no memory for an answer");
	json_decref(user);
	user = NULL;
out:
	json_decref(keys);
	json_decref(budgets);
	return (user);
}
