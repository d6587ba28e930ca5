#include <string.h>

#include "base/err.h"
#include "ledger/id.h"
#include "store/store.h"

#include "keys.h"
#include "member.h"
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
	{ .name = "bind", .kind = FIELD_TEXT },
	{ .name = "bind_id", .kind = FIELD_INT },
};

static const struct field served_fields[] = {
	{ .name = "account", .kind = FIELD_INT },
	{ .name = "group", .kind = FIELD_INT },
	{ .name = "n", .kind = FIELD_INT },
};

/* Requests that were settled in the last minute, of those that came in the last
 * two: the others are few, and older rows many. */
static json_t *
served(struct store *st, int64_t now_ms, struct err *err)
{
	const struct store_value params[] = {
		store_int(ledger_id_first(now_ms - 2 * MINUTE_MS)),
		store_int(now_ms - MINUTE_MS),
	};

	return (query_rows(st, STMT_QUEUE_SERVED, params, NITEMS(params),
	    served_fields, NITEMS(served_fields), err));
}

/* Requests that the accounts served which one bound so may use. */
static json_int_t
pace_of(const json_t *rows, const char *bind, json_int_t id)
{
	const json_t *row;
	json_int_t n = 0;
	size_t i;

	json_array_foreach(rows, i, row) {
		if (strcmp(bind, "pool") == 0 || int_of(row, bind) == id)
			n += int_of(row, "n");
	}
	return (n);
}

/* Those of the first ${n} that may take what the one after them waits for: all
 * that are bound as it is, or to nothing. */
static json_int_t
ahead_of(const json_t *rows, size_t n, const char *bind, json_int_t id)
{
	const json_t *row;
	json_int_t ahead = 0;
	const char *other;
	size_t i;

	for (i = 0; i < n; i++) {
		row = json_array_get(rows, i);
		other = json_string_value(json_object_get(row, "bind"));
		ahead += strcmp(bind, "pool") == 0 ||
		    strcmp(other, "pool") == 0 ||
		    (strcmp(other, bind) == 0 && int_of(row, "bind_id") ==
		    id);
	}
	return (ahead);
}

static json_t *
expected(const json_t *rows, size_t i, const json_t *pace)
{
	const json_t *row = json_array_get(rows, i);
	const char *bind = json_string_value(json_object_get(row, "bind"));
	json_int_t id = int_of(row, "bind_id");
	json_int_t per_minute = pace_of(pace, bind, id);

	return (per_minute == 0 ? json_null() : json_integer(
	    (ahead_of(rows, i, bind, id) + 1) * MINUTE_MS / per_minute));
}

static void
place_rows(json_t *rows, int64_t now_ms, const json_t *pace)
{
	json_int_t since_ms;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		since_ms = int_of(row, "since_ms");
		(void)json_object_set_new(row, "position",
		    json_integer((json_int_t)i + 1));
		(void)json_object_set_new(row, "waited_ms",
		    json_integer(now_ms > since_ms ? now_ms - since_ms : 0));
		(void)json_object_set_new(row, "expected_ms",
		    expected(rows, i, pace));
	}
}

json_t *
queue_status(struct store *st, struct err *err)
{
	const struct store_value limit = store_int(QUEUE_SHOWN);
	int64_t now_ms = store_now_ms(st), waiting = 0;
	json_t *rows, *pace, *j = NULL;

	if (store_one(st, STMT_QUEUE_WAITING, NULL, 0, &waiting, 1, err) < 0 ||
	    (pace = served(st, now_ms, err)) == NULL)
		return (NULL);
	rows = query_rows(st, STMT_QUEUE_LIST, &limit, 1, fields,
	    NITEMS(fields), err);
	if (rows == NULL)
		goto done;
	place_rows(rows, now_ms, pace);
	j = json_pack("{s:I, s:I, s:I, s:o}", "now_ms", (json_int_t)now_ms,
	    "waiting", (json_int_t)waiting, "served_last_minute",
	    pace_of(pace, "pool", 0), "requests", rows);
	if (j == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
done:
	json_decref(pace);
	return (j);
}
