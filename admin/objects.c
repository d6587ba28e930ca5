#include <string.h>

#include "base/err.h"
#include "ledger/id.h"
#include "store/store.h"

#include "accounts.h"
#include "change.h"
#include "query.h"

#include "objects.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define LIST_FIELDS							\
	{ .name = "row", .kind = FIELD_INT },				\
	{ .name = "kind", .kind = FIELD_TEXT },				\
	{ .name = "id", .kind = FIELD_TEXT },				\
	{ .name = "key", .kind = FIELD_TEXT },				\
	{ .name = "account", .kind = FIELD_TEXT },			\
	{ .name = "model", .kind = FIELD_TEXT },			\
	{ .name = "final", .kind = FIELD_BOOL },			\
	{ .name = "unheard", .kind = FIELD_BOOL },			\
	{ .name = "created_ms", .kind = FIELD_INT },			\
	{ .name = "made_by", .kind = FIELD_REQUEST_ID },		\
	{ .name = "usage_request", .kind = FIELD_REQUEST_ID },		\
	{ .name = "gone_ms", .kind = FIELD_INT }

static const struct field list_fields[] = {
	LIST_FIELDS,
};

static const struct field show_fields[] = {
	LIST_FIELDS,
	{ .name = "seen", .kind = FIELD_JSON },
};

static const struct field lost_fields[] = {
	{ .name = "request", .kind = FIELD_REQUEST_ID },
	{ .name = "kind", .kind = FIELD_TEXT },
	{ .name = "created_ms", .kind = FIELD_INT },
	{ .name = "key", .kind = FIELD_TEXT },
	{ .name = "account", .kind = FIELD_TEXT },
	{ .name = "outcome", .kind = FIELD_TEXT },
	{ .name = "status", .kind = FIELD_INT },
};

static struct store_value
text_or_any(const char *s)
{

	return (store_text(s != NULL ? s : ""));
}

json_t *
objects_list(struct store *st, const struct object_filter *f,
    struct err *err)
{
	struct store_value params[8];

	if (f->kind != NULL && strcmp(f->kind, "batch") != 0 &&
	    strcmp(f->kind, "file") != 0) {
		err_set(err, ERR_INVAL, "a kind of object is batch or file, "
		    "not \"%.40s\"", f->kind);
		return (NULL);
	}
	params[0] = params[1] = text_or_any(f->key);
	params[2] = params[3] = text_or_any(f->account);
	params[4] = params[5] = text_or_any(f->kind);
	params[6] = store_int(f->before_id != 0 ? f->before_id : INT64_MAX);
	params[7] = store_int(f->limit);
	return (query_rows(st, STMT_OBJECT_LIST, params, NITEMS(params),
	    list_fields, NITEMS(list_fields), err));
}

json_t *
objects_show(struct store *st, const char *id, struct err *err)
{
	const struct store_value param = store_text(id);
	json_t *rows;

	rows = query_rows(st, STMT_OBJECT_SHOW, &param, 1, show_fields,
	    NITEMS(show_fields), err);
	if (rows != NULL && json_array_size(rows) == 0) {
		err_set(err, ERR_NOT_FOUND, "there is no object \"%.127s\"",
		    id);
		json_decref(rows);
		return (NULL);
	}
	return (rows);
}

json_t *
objects_lost(struct store *st, int64_t since_ms, int64_t limit,
    struct err *err)
{
	const struct store_value params[] = {
		store_int(ledger_id_first(since_ms)), store_int(limit)
	};

	return (query_rows(st, STMT_OBJECTS_LOST, params, NITEMS(params),
	    lost_fields, NITEMS(lost_fields), err));
}

int
objects_forget(struct store *st, const char *id, int64_t *n, struct err *err)
{
	const struct store_value param = store_text(id);
	int rc;

	if (change_begin(st, err))
		return (-1);
	rc = store_exec(st, STMT_OBJECT_FORGET, &param, 1, 1, n, err);
	if (rc == 0 && *n == 0) {
		err_set(err, ERR_NOT_FOUND, "there is no object \"%.127s\"",
		    id);
		rc = -1;
	}
	return (change_end(st, rc, err));
}

static int
forget_inside(struct store *st, const char *name, int64_t before_ms,
    int64_t *n, struct err *err)
{
	struct store_value params[2];
	int64_t id;

	if (accounts_find(st, name, &id, err))
		return (-1);
	params[0] = store_int(id);
	params[1] = store_int(before_ms);
	return (store_exec(st, STMT_OBJECTS_FORGET_ACCOUNT, params, 1, 2, n,
	    err));
}

int
objects_forget_account(struct store *st, const char *name,
    int64_t before_ms, int64_t *n, struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, forget_inside(st, name, before_ms, n, err),
	    err));
}
