#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "ledger/rollup.h"
#include "store/store.h"

#include "accounts.h"
#include "query.h"

#include "event_state.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* Requests that come late into an hour that is over are told so late. */
#define OVER_MS		60000

/* "now_ms" with its number. */
#define NOW_BYTES	40

enum total {
	TOTAL_REQUESTS,
	TOTAL_ERRORS,
	TOTAL_COST_NUSD,
	TOTAL_INPUT,
	TOTAL_OUTPUT,
	TOTAL_CACHE_READ,
	TOTAL_CACHE_WRITE_5M,
	TOTAL_CACHE_WRITE_1H,
	TOTALS
};

/* In the order of the columns of usage_hour_sum. */
static const char *const total_names[TOTALS] = {
	[TOTAL_REQUESTS] = "requests",
	[TOTAL_ERRORS] = "errors",
	[TOTAL_COST_NUSD] = "cost_nusd",
	[TOTAL_INPUT] = "input_tokens",
	[TOTAL_OUTPUT] = "output_tokens",
	[TOTAL_CACHE_READ] = "cache_read_tokens",
	[TOTAL_CACHE_WRITE_5M] = "cache_write_5m_tokens",
	[TOTAL_CACHE_WRITE_1H] = "cache_write_1h_tokens",
};

/* Of an account's row, what a dashboard shows live; "state" comes to it. */
static const char *const account_members[] = {
	"id", "name", "enabled", "leases", "concurrency", "breaker",
	"breaker_reason", "parked_until_ms", "cooldowns"
};

static const struct field queue_fields[] = {
	{ .name = "waiting", .kind = FIELD_INT },
};

static const struct field open_fields[] = {
	{ .name = "open_requests", .kind = FIELD_INT },
};

struct event_state {
	char *body;		/* the members but now_ms; NULL: never read */
	char *text;
	int64_t hour_ms;	/* the hour that is not over */
	int64_t over_ms;	/* when `over' was read; 0: never */
	int64_t over[TOTALS];
};

struct event_state *
event_state_new(void)
{

	return (calloc(1, sizeof(struct event_state)));
}

void
event_state_free(struct event_state *s)
{

	if (s == NULL)
		return;
	free(s->body);
	free(s->text);
	free(s);
}

/* ---- totals ---- */

static int
take_sums(void *arg, const struct store_value *cols, size_t ncols)
{
	int64_t *sums = arg;
	size_t i;

	for (i = 0; i < ncols && i < TOTALS; i++)
		sums[i] = store_get_int(&cols[i]);
	return (1);
}

static int
read_sums(struct store *st, int64_t from_ms, int64_t to_ms,
    int64_t sums[TOTALS], struct err *err)
{
	const struct store_value params[] = {
		store_int(from_ms), store_int(to_ms)
	};

	memset(sums, 0, TOTALS * sizeof(sums[0]));
	return (store_query(st, STMT_USAGE_HOUR_SUM, params, NITEMS(params),
	    take_sums, sums, err) < 0 ? -1 : 0);
}

static int
read_totals(struct event_state *s, struct store *st, int64_t now_ms,
    int64_t sums[TOTALS], struct err *err)
{
	const int64_t hour_ms = now_ms - now_ms % ROLLUP_HOUR_MS;
	size_t i;

	if (s->over_ms == 0 || s->hour_ms != hour_ms ||
	    now_ms - s->over_ms >= OVER_MS || now_ms < s->over_ms) {
		s->over_ms = 0;
		if (read_sums(st, hour_ms - ROLLUP_DAY_MS, hour_ms, s->over,
		    err))
			return (-1);
		s->over_ms = now_ms;
		s->hour_ms = hour_ms;
	}
	if (read_sums(st, hour_ms, INT64_MAX, sums, err))
		return (-1);
	for (i = 0; i < TOTALS; i++)
		sums[i] += s->over[i];
	return (0);
}

static json_t *
totals(struct event_state *s, struct store *st, int64_t now_ms,
    struct err *err)
{
	int64_t sums[TOTALS], tokens = 0;
	json_t *out;
	size_t i;
	int rc = 0;

	if (read_totals(s, st, now_ms, sums, err) ||
	    (out = json_object()) == NULL)
		return (NULL);
	for (i = 0; i < TOTALS; i++) {
		rc |= json_object_set_new(out, total_names[i],
		    json_integer(sums[i]));
		if (i >= TOTAL_INPUT)
			tokens += sums[i];
	}
	if (rc == 0 && json_object_set_new(out, "tokens",
	    json_integer(tokens)) == 0)
		return (out);
	json_decref(out);
	return (NULL);
}

/* ---- accounts ---- */

static json_t *
brief(const json_t *account)
{
	json_t *out = json_object();
	size_t i;
	int rc = 0;

	for (i = 0; i < NITEMS(account_members); i++)
		rc |= json_object_set(out, account_members[i],
		    json_object_get(account, account_members[i]));
	rc |= json_object_set(out, "state",
	    json_object_get(account, "breaker"));
	if (!json_is_true(json_object_get(account, "enabled")))
		rc |= json_object_set_new(out, "state",
		    json_string("disabled"));
	if (rc == 0)
		return (out);
	json_decref(out);
	return (NULL);
}

static json_t *
accounts(struct store *st, struct err *err)
{
	json_t *all, *account, *out;
	size_t i;

	if ((all = accounts_list(st, NULL, err)) == NULL)
		return (NULL);
	out = json_array();
	json_array_foreach(all, i, account) {
		if (json_array_append_new(out, brief(account)) == 0)
			continue;
		json_decref(out);
		out = NULL;
		break;
	}
	json_decref(all);
	return (out);
}

/* ---- all of it ---- */

/* NULL where ${part} is, too. */
static int
add(json_t *all, const char *name, json_t *part)
{

	return (part == NULL ? -1 : json_object_set_new(all, name, part));
}

static json_t *
read_all(struct event_state *s, struct store *st, int64_t now_ms,
    struct err *err)
{
	json_t *all;

	if ((all = query_row(st, STMT_LEDGER_OPEN_COUNT, NULL, 0, open_fields,
	    NITEMS(open_fields), "ledger", err)) == NULL)
		return (NULL);
	if (add(all, "queue", query_row(st, STMT_QUEUE_WAITING, NULL, 0,
	    queue_fields, NITEMS(queue_fields), "queue", err)) == 0 &&
	    add(all, "accounts", accounts(st, err)) == 0 &&
	    add(all, "totals", totals(s, st, now_ms, err)) == 0)
		return (all);
	json_decref(all);
	return (NULL);
}

/* Keep ${body} ("{...}"), which is given up, as the state of ${now_ms}. */
static int
keep(struct event_state *s, char *body, int64_t now_ms)
{
	const size_t size = strlen(body) + NOW_BYTES;
	char *text;

	if ((text = malloc(size)) == NULL) {
		free(body);
		return (-1);
	}
	(void)snprintf(text, size, "{\"now_ms\":%lld,%s", (long long)now_ms,
	    body + 1);
	free(s->body);
	free(s->text);
	s->body = body;
	s->text = text;
	return (0);
}

int
event_state_read(struct event_state *s, struct store *st, struct err *err)
{
	const int64_t now_ms = store_now_ms(st);
	char *body = NULL;
	json_t *all;

	if ((all = read_all(s, st, now_ms, err)) != NULL)
		body = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (body != NULL && s->body != NULL && strcmp(body, s->body) == 0) {
		free(body);
		return (0);
	}
	if (body != NULL && keep(s, body, now_ms) == 0)
		return (1);
	err_set(err, ERR_NOMEM, "no memory for an event");
	return (-1);
}

const char *
event_state_text(const struct event_state *s)
{

	return (s->text);
}
