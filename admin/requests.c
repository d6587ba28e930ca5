#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "ledger/id.h"
#include "store/store.h"

#include "names.h"
#include "query.h"

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

static struct store_value
text_or_any(const char *s)
{

	return (store_text(s != NULL ? s : ""));
}

/* Is there one of that name, be it revoked? */
static int
check_there(struct store *st, enum names_of of, const char *what,
    const char *name, struct err *err)
{
	struct names *names;
	int64_t id;
	int rc;

	if (name == NULL)
		return (0);
	if ((names = names_read(st, of, err)) == NULL)
		return (-1);
	if ((rc = names_find(names, name, &id)) != 0)
		err_set(err, ERR_NOT_FOUND, "there is no %s \"%s\"", what,
		    name);
	names_free(names);
	return (rc);
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

json_t *
requests_list(struct store *st, const struct request_filter *f,
    struct err *err)
{
	struct store_value params[14];
	char model[LIKE_SIZE];

	if (check_outcome(f->outcome, err) ||
	    check_there(st, NAMES_OF_KEYS, "key", f->key, err) ||
	    check_there(st, NAMES_OF_PEOPLE, "user", f->user, err) ||
	    check_there(st, NAMES_OF_ACCOUNTS, "account", f->account, err))
		return (NULL);
	if (like_pattern(f->model != NULL ? f->model : "*", model, err))
		return (NULL);
	params[0] = store_int(f->before_id != 0 ? f->before_id : INT64_MAX);
	params[1] = store_int(ledger_id_first(f->since_ms));
	params[2] = params[3] = text_or_any(f->key);
	params[4] = params[5] = text_or_any(f->user);
	params[6] = params[7] = text_or_any(f->account);
	params[8] = params[9] = store_text(model);
	params[10] = params[11] = params[12] = text_or_any(f->outcome);
	params[13] = store_int(f->limit);
	return (query_rows(st, STMT_REQUEST_LIST, params, NITEMS(params),
	    list_fields, NITEMS(list_fields), err));
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
