#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "ledger/id.h"
#include "store/store.h"

#include "accounts.h"
#include "query.h"
#include "requests_find.h"
#include "users.h"

#include "requests.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* Each character may need one before it. */
#define LIKE_SIZE	(2 * LIMIT_NAME_BYTES + 2)

static const char *const states[] = {
	"open", "settled", "reaped", "corrected", "void", NULL
};

/* enum usage_mark. */
static const char *const marks[] = {
	"none", "exact", "partial", "estimated", NULL
};

/* enum ledger_flag, by its bits. */
static const char *const flags[] = {
	"overrun", "implausible", "bounded", "unpriced", "default_price",
	"batch", NULL
};

#define LIST_FIELDS							\
	{ .name = "id", .kind = FIELD_REQUEST_ID },			\
	{ .name = "state", .kind = FIELD_WORD, .words = states },	\
	{ .name = "created_ms", .kind = FIELD_INT },			\
	{ .name = "key", .kind = FIELD_TEXT },				\
	{ .name = "account", .kind = FIELD_TEXT },			\
	{ .name = "kind", .kind = FIELD_TEXT },				\
	{ .name = "model", .kind = FIELD_TEXT },			\
	{ .name = "stream", .kind = FIELD_BOOL },			\
	{ .name = "outcome", .kind = FIELD_TEXT },			\
	{ .name = "status", .kind = FIELD_INT },			\
	{ .name = "mark", .kind = FIELD_WORD, .words = marks },		\
	{ .name = "attempts", .kind = FIELD_INT },			\
	{ .name = "input_tokens", .kind = FIELD_INT },			\
	{ .name = "output_tokens", .kind = FIELD_INT },			\
	{ .name = "cache_read_tokens", .kind = FIELD_INT },		\
	{ .name = "cache_write_5m_tokens", .kind = FIELD_INT },		\
	{ .name = "cache_write_1h_tokens", .kind = FIELD_INT },		\
	{ .name = "cost_nusd", .kind = FIELD_INT },			\
	{ .name = "queue_ms", .kind = FIELD_INT },			\
	{ .name = "first_byte_ms", .kind = FIELD_INT },			\
	{ .name = "total_ms", .kind = FIELD_INT },			\
	{ .name = "flags", .kind = FIELD_WORDS, .words = flags }

static const struct field list_fields[] = {
	LIST_FIELDS,
};

static const struct field show_fields[] = {
	LIST_FIELDS,
	{ .name = "responder", .kind = FIELD_INT },
	{ .name = "reserved_nusd", .kind = FIELD_INT },
	{ .name = "overrun_nusd", .kind = FIELD_INT },
	{ .name = "price_id", .kind = FIELD_INT },
	{ .name = "disconnect", .kind = FIELD_TEXT },
	{ .name = "body_bytes", .kind = FIELD_INT },
	{ .name = "answer_bytes", .kind = FIELD_INT },
	{ .name = "session", .kind = FIELD_TEXT },
	{ .name = "settled_ms", .kind = FIELD_INT },
	{ .name = "address", .kind = FIELD_TEXT },
	{ .name = "trace", .kind = FIELD_JSON },
	{ .name = "sent_as", .kind = FIELD_TEXT },
};

static const struct field attempt_fields[] = {
	{ .name = "attempt", .kind = FIELD_INT },
	{ .name = "account", .kind = FIELD_TEXT },
	{ .name = "started_ms", .kind = FIELD_INT },
	{ .name = "ended_ms", .kind = FIELD_INT },
	{ .name = "outcome", .kind = FIELD_TEXT },
	{ .name = "status", .kind = FIELD_INT },
	{ .name = "upstream_id", .kind = FIELD_TEXT },
	{ .name = "mark", .kind = FIELD_WORD, .words = marks },
	{ .name = "input_tokens", .kind = FIELD_INT },
	{ .name = "output_tokens", .kind = FIELD_INT },
	{ .name = "cost_nusd", .kind = FIELD_INT },
	{ .name = "model", .kind = FIELD_TEXT },
};

/* A pattern with '*' as one for LIKE with '!' as its escape. */
static int
like_pattern(const char *pattern, char out[LIKE_SIZE], struct err *err)
{
	size_t n = 0;

	if (strlen(pattern) > LIMIT_NAME_BYTES) {
		err_set(err, ERR_INVAL, "a model's name has at most %d bytes",
		    LIMIT_NAME_BYTES);
		return (-1);
	}
	for (; *pattern != '\0'; pattern++) {
		if (strchr("%_!", *pattern) != NULL)
			out[n++] = '!';
		out[n++] = *pattern == '*' ? '%' : *pattern;
	}
	out[n] = '\0';
	return (0);
}

/* ---- the list ---- */

/* Be it revoked.  ${name} NULL: any, 0. */
static int
find_key(struct store *st, const char *name, int64_t *id, struct err *err)
{
	const struct store_value v = query_name(name);
	int rc;

	if (name == NULL)
		return (0);
	rc = store_one(st, STMT_KEY_ID_BY_NAME, &v, 1, id, 1, err);
	if (rc == 0)
		err_set(err, ERR_NOT_FOUND, "there is no key \"%s\"", name);
	return (rc == 1 ? 0 : -1);
}

static int
fill_want(struct store *st, const struct request_filter *f,
    struct request_want *w, struct err *err)
{
	const int64_t until_id = f->until_ms > 0 ?
	    ledger_id_first(f->until_ms) : INT64_MAX;

	*w = (struct request_want) {
		.from_id = ledger_id_first(f->since_ms),
		.below_id = f->before_id != 0 && f->before_id < until_id ?
		    f->before_id : until_id,
		.outcome = f->outcome != NULL ? f->outcome : "",
		.status = f->status,
		.min_cost_nusd = f->min_cost_nusd,
		.limit = f->limit,
		.patience_ms = f->patience_ms,
	};
	if (find_key(st, f->key, &w->key_id, err) ||
	    (f->user != NULL && users_find(st, f->user, &w->person_id, err)))
		return (-1);
	return (f->account == NULL ? 0 :
	    accounts_find(st, f->account, &w->account_id, err));
}

/* The rows of these ids. */
static json_t *
read_found(struct store *st, const struct request_found *found,
    struct err *err)
{
	struct store_value v;
	json_t *ids = json_array(), *rows = NULL;
	char *text = NULL;
	int64_t i;

	for (i = 0; i < found->n && ids != NULL; i++) {
		if (json_array_append_new(ids, json_integer(found->ids[i])))
			goto done;
	}
	if (ids == NULL || (text = json_dumps(ids, JSON_COMPACT)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for requests");
		goto done;
	}
	v = store_text(text);
	rows = query_rows(st, STMT_REQUEST_LIST, &v, 1, list_fields,
	    NITEMS(list_fields), err);
done:
	free(text);
	json_decref(ids);
	return (rows);
}

/* It is compared with a column that holds ASCII. */
static int
check_outcome(const char *outcome, struct err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

	if (outcome == NULL || outcome[strspn(outcome, letters)] == '\0')
		return (0);
	err_set(err, ERR_INVAL, "there is no outcome \"%.40s\"", outcome);
	return (-1);
}

/* A page is read at one time, which saves the store what each statement by
 * itself would cost it.  A search without an end in time does without: a view
 * of the past is dear to keep. */
static json_t *
find_and_read(struct store *st, const struct request_want *want,
    int64_t *next_id, struct err *err)
{
	struct request_found found;
	json_t *rows = NULL;

	if (want->patience_ms != 0 && store_begin(st, false, err))
		return (NULL);
	if (requests_find(st, want, &found, err) == 0) {
		*next_id = found.next_id;
		rows = read_found(st, &found, err);
		free(found.ids);
	}
	store_rollback(st);
	return (rows);
}

json_t *
requests_list(struct store *st, const struct request_filter *f,
    int64_t *next_id, struct err *err)
{
	struct request_want want;
	char model[LIKE_SIZE];

	if (check_outcome(f->outcome, err) || fill_want(st, f, &want, err) ||
	    like_pattern(f->model != NULL ? f->model : "*", model, err))
		return (NULL);
	want.model = model;
	return (find_and_read(st, &want, next_id, err));
}

/* The names of the accounts in a trace, as far as they are still there. */
static int
name_accounts(struct store *st, const json_t *trace, struct err *err)
{
	static const struct field fields[] = {
		{ .name = "name", .kind = FIELD_TEXT },
	};
	struct store_value id;
	json_t *element, *rows;
	size_t i;

	json_array_foreach(trace, i, element) {
		if (json_object_get(element, "account") == NULL)
			continue;
		id = store_int(json_integer_value(json_object_get(element,
		    "account")));
		rows = query_rows(st, STMT_ACCOUNT_NAME, &id, 1, fields,
		    NITEMS(fields), err);
		if (rows == NULL)
			return (-1);
		(void)json_object_set(element, "name", json_object_get(
		    json_array_get(rows, 0), "name"));
		json_decref(rows);
	}
	return (0);
}

json_t *
requests_show(struct store *st, int64_t id, struct err *err)
{
	const struct store_value param = store_int(id);
	json_t *request, *attempts;

	request = query_row(st, STMT_REQUEST_SHOW, &param, 1, show_fields,
	    NITEMS(show_fields), "request with this id", err);
	if (request == NULL)
		return (NULL);
	attempts = query_rows(st, STMT_REQUEST_ATTEMPTS, &param, 1,
	    attempt_fields, NITEMS(attempt_fields), err);
	if (attempts == NULL || name_accounts(st, json_object_get(request,
	    "trace"), err)) {
		json_decref(attempts);
		json_decref(request);
		return (NULL);
	}
	if (json_object_set_new(request, "tries", attempts) == -1) {
		err_set(err, ERR_NOMEM, "no memory for an answer");
		json_decref(request);
		return (NULL);
	}
	return (request);
}
