#include <stdio.h>

#include "base/err.h"
#include "store/store.h"

#include "objects.h"

#include "api.h"

#define NAME_SIZE	(LIMIT_NAME_BYTES * 2)
#define ID_SIZE		256
#define OBJECTS		50
#define OBJECTS_MAX	1000

/* Lost ones are looked for so far back. */
#define LOST_MS		(INT64_C(30) * 86400 * 1000)

/* Rows, and where the next ones begin; ${rows} is given up. */
static json_t *
answer_rows(json_t *rows, const char *by, int64_t limit, struct err *err)
{
	const size_t n = json_array_size(rows);
	json_t *answer, *next = NULL;

	if (rows == NULL)
		return (NULL);
	if (by != NULL && n == (size_t)limit)
		next = json_object_get(json_array_get(rows, n - 1), by);
	answer = json_pack("{s:O, s:O?}", "items", rows, "next", next);
	json_decref(rows);
	if (answer == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (answer);
}

json_t *
api_objects(struct api_call *c, struct err *err)
{
	char key[NAME_SIZE], account[NAME_SIZE], kind[16];
	struct object_filter f = {
		.key = api_query(c, "key", key, sizeof(key)),
		.account = api_query(c, "account", account, sizeof(account)),
		.kind = api_query(c, "kind", kind, sizeof(kind)),
		.limit = OBJECTS,
	};

	if (api_query_int(c, "before", 1, INT64_MAX, &f.before_id, err) ||
	    api_query_int(c, "limit", 1, OBJECTS_MAX, &f.limit, err))
		return (NULL);
	return (answer_rows(objects_list(c->store, &f, err), "row", f.limit,
	    err));
}

json_t *
api_lost_objects(struct api_call *c, struct err *err)
{
	int64_t since_ms = store_now_ms(c->store) - LOST_MS, limit = OBJECTS;

	if (api_query_int(c, "since_ms", 0, INT64_MAX, &since_ms, err) ||
	    api_query_int(c, "limit", 1, OBJECTS_MAX, &limit, err))
		return (NULL);
	return (answer_rows(objects_lost(c->store, since_ms, limit, err),
	    NULL, limit, err));
}

/* One upstream id may be of several keys. */
json_t *
api_object(struct api_call *c, struct err *err)
{
	char id[ID_SIZE];

	return (answer_rows(objects_show(c->store, api_param(c, 0, id,
	    sizeof(id)), err), NULL, 0, err));
}

static json_t *
forgotten(int64_t n)
{

	return (json_pack("{s:I}", "forgotten", (json_int_t)n));
}

json_t *
api_forget_object(struct api_call *c, struct err *err)
{
	struct audit a;
	char id[ID_SIZE];
	int64_t n = 0;

	api_audit(c, &a, "object.forget", api_param(c, 0, id, sizeof(id)),
	    NULL);
	return (objects_forget(c->store, id, &n, err) ? NULL : forgotten(n));
}

json_t *
api_forget_objects(struct api_call *c, struct err *err)
{
	static const char *const members[] = { "account", "before_ms", NULL };
	int64_t before_ms = INT64_MAX, n = 0;
	const char *account;
	struct audit a;

	if (api_members(c, members, err) ||
	    api_need_text(c, "account", &account, err) ||
	    api_int(c, "before_ms", 0, INT64_MAX, &before_ms, err))
		return (NULL);
	api_audit(c, &a, "object.forget", account, NULL);
	if (objects_forget_account(c->store, account, before_ms, &n, err))
		return (NULL);
	return (forgotten(n));
}
