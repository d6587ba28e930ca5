#include "base/err.h"
#include "ledger/id.h"
#include "store/store.h"

#include "keys.h"
#include "query.h"

#include "queue.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define MINUTE_MS	60000

static const struct field fields[] = {
	{ .name = "id", .kind = FIELD_REQUEST_ID },
	{ .name = "key", .kind = FIELD_TEXT },
	{ .name = "model", .kind = FIELD_TEXT },
	{ .name = "since_ms", .kind = FIELD_INT },
	{ .name = "gives_up_ms", .kind = FIELD_INT },
	{ .name = "class", .kind = FIELD_WORD, .words = key_classes },
};

/* Requests that were settled in the last minute, of those that came in the last
 * two: the others are few, and older rows many. */
static int
served(struct store *st, int64_t now_ms, int64_t *n, struct err *err)
{
	const struct store_value params[] = {
		store_int(ledger_id_first(now_ms - 2 * MINUTE_MS)),
		store_int(now_ms - MINUTE_MS),
	};

	return (store_one(st, STMT_QUEUE_SERVED, params, NITEMS(params), n, 1,
	    err) < 0 ? -1 : 0);
}

static void
place_rows(json_t *rows, int64_t now_ms, int64_t per_minute)
{
	json_int_t since_ms;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		since_ms = json_integer_value(json_object_get(row,
		    "since_ms"));
		(void)json_object_set_new(row, "position",
		    json_integer((json_int_t)i + 1));
		(void)json_object_set_new(row, "waited_ms",
		    json_integer(now_ms > since_ms ? now_ms - since_ms : 0));
		(void)json_object_set_new(row, "expected_ms",
		    per_minute == 0 ? json_null() :
		    json_integer(((json_int_t)i + 1) * MINUTE_MS /
		    per_minute));
	}
}

json_t *
queue_status(struct store *st, struct err *err)
{
	const struct store_value limit = store_int(QUEUE_SHOWN);
	int64_t now_ms = store_now_ms(st), n = 0, waiting = 0;
	json_t *rows, *j;

	if (served(st, now_ms, &n, err) ||
	    store_one(st, STMT_QUEUE_WAITING, NULL, 0, &waiting, 1, err) < 0)
		return (NULL);
	rows = query_rows(st, STMT_QUEUE_LIST, &limit, 1, fields,
	    NITEMS(fields), err);
	if (rows == NULL)
		return (NULL);
	place_rows(rows, now_ms, n);
	j = json_pack("{s:I, s:I, s:I, s:o}", "now_ms", (json_int_t)now_ms,
	    "waiting", (json_int_t)waiting, "served_last_minute",
	    (json_int_t)n, "requests", rows);
	if (j == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (j);
}
