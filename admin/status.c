#include "config.h"

#include "base/err.h"
#include "store/spool.h"
#include "store/store.h"

#include "account_health.h"
#include "accounts.h"
#include "jobs.h"
#include "query.h"

#include "status.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct field responder_fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "kind", .kind = FIELD_TEXT },
	{ .name = "node", .kind = FIELD_INT },
	{ .name = "host", .kind = FIELD_TEXT },
	{ .name = "pid", .kind = FIELD_INT },
	{ .name = "version", .kind = FIELD_TEXT },
	{ .name = "started_ms", .kind = FIELD_INT },
	{ .name = "beat_ms", .kind = FIELD_INT },
	{ .name = "requests", .kind = FIELD_INT },
	{ .name = "draining", .kind = FIELD_BOOL },
};

/* Of the leases that there are, so many are shown. */
#define LEASES_SHOWN	1000

static const struct field lease_fields[] = {
	{ .name = "responder_id", .kind = FIELD_INT },
	{ .name = "account", .kind = FIELD_TEXT },
	{ .name = "slot", .kind = FIELD_INT },
	{ .name = "request", .kind = FIELD_REQUEST_ID },
	{ .name = "key", .kind = FIELD_TEXT },
	{ .name = "model", .kind = FIELD_TEXT },
	{ .name = "sent_as", .kind = FIELD_TEXT },
	{ .name = "leased_ms", .kind = FIELD_INT },
};

static const struct field queue_fields[] = {
	{ .name = "waiting", .kind = FIELD_INT },
	{ .name = "granted", .kind = FIELD_INT },
	{ .name = "oldest_ms", .kind = FIELD_INT },
};

static const struct field probe_fields[] = {
	{ .name = "account", .kind = FIELD_TEXT },
	{ .name = "probed_ms", .kind = FIELD_INT },
	{ .name = "result", .kind = FIELD_TEXT },
	{ .name = "status", .kind = FIELD_INT },
	{ .name = "latency_ms", .kind = FIELD_INT },
	{ .name = "message", .kind = FIELD_TEXT },
	{ .name = "good_ms", .kind = FIELD_INT },
};

static const struct field database_fields[] = {
	{ .name = "database", .kind = FIELD_TEXT },
};

static const struct field open_fields[] = {
	{ .name = "open_requests", .kind = FIELD_INT },
};

/* Since when each responder has not been heard of. */
static json_t *
responders(struct store *st, int64_t now, struct err *err)
{
	json_t *rows, *row;
	size_t i;

	rows = query_rows(st, STMT_RESPONDER_LIST, NULL, 0, responder_fields,
	    NITEMS(responder_fields), err);
	json_array_foreach(rows, i, row) {
		if (json_object_set_new(row, "beat_age_ms", json_integer(now -
		    json_integer_value(json_object_get(row, "beat_ms"))))
		    == -1) {
			err_set(err, ERR_NOMEM, "no memory for an answer");
			json_decref(rows);
			return (NULL);
		}
	}
	return (rows);
}

/* Put ${part} (NULL: it failed) into ${status}. */
static int
add(json_t *status, const char *name, json_t *part, struct err *err)
{

	if (part != NULL && json_object_set_new(status, name, part) == 0)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for an answer");
	return (-1);
}

/* What the last health probe of each account found, or of ${account}; an
 * array.  See job_probe.c. */
static json_t *
read_probes(struct store *st, const char *account, struct err *err)
{
	const struct store_value v[2] = {
		store_text(account != NULL ? account : ""),
		store_text(account != NULL ? account : "")
	};

	return (query_rows(st, STMT_PROBE_LIST, v, 2, probe_fields,
	    NITEMS(probe_fields), err));
}

static int
add_health(struct store *st, json_t *account, struct err *err)
{
	json_t *list = json_pack("[O]", account);
	int rc;

	if (list == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an answer");
		return (-1);
	}
	rc = account_health_add(st, list, err);
	json_decref(list);
	return (rc);
}

json_t *
status_account(struct store *st, const char *name, struct err *err)
{
	json_t *account, *probes, *probe;
	int rc;

	if ((account = accounts_show(st, name, err)) == NULL)
		return (NULL);
	if ((probes = read_probes(st, name, err)) == NULL)
		goto err0;
	probe = json_array_get(probes, 0);
	rc = json_object_set_new(account, "probe", probe == NULL ?
	    json_null() : json_incref(probe));
	json_decref(probes);
	if (rc != 0)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	else if (add_health(st, account, err) == 0)
		return (account);

err0:
	json_decref(account);
	return (NULL);
}

static int
take_count(void *arg, const struct store_value *cols, size_t ncols)
{
	json_t *row, *rows = arg;
	size_t i;

	(void)ncols;
	json_array_foreach(rows, i, row) {
		if (json_integer_value(json_object_get(row, "id")) ==
		    store_get_int(&cols[0]))
			return (json_object_set_new(row, "leases",
			    json_integer(store_get_int(&cols[1]))));
	}
	return (0);
}

/* How many leases each has. */
static json_t *
count_leases(struct store *st, json_t *rows, struct err *err)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		if (json_object_set_new(row, "leases", json_integer(0)) == -1)
			goto err0;
	}
	if (rows != NULL && store_query(st, STMT_LEASE_COUNTS, NULL, 0,
	    take_count, rows, err) == -1)
		goto err0;
	return (rows);

err0:
	err_set(err, ERR_NOMEM, "no memory for an answer");
	json_decref(rows);
	return (NULL);
}

json_t *
status_workers(struct store *st, struct err *err)
{
	const struct store_value most = store_int(LEASES_SHOWN);
	int64_t now = store_now_ms(st);
	json_t *answer;

	if ((answer = json_pack("{s:I}", "now_ms", (json_int_t)now)) == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	else if (add(answer, "items", count_leases(st, responders(st, now,
	    err), err), err) || add(answer, "leases", query_rows(st,
	    STMT_LEASE_LIST, &most, 1, lease_fields, NITEMS(lease_fields),
	    err), err)) {
		json_decref(answer);
		return (NULL);
	}
	return (answer);
}

/* All accounts, with how they do. */
static json_t *
accounts(struct store *st, struct err *err)
{
	json_t *list = accounts_list(st, NULL, err);

	if (list != NULL && account_health_add(st, list, err)) {
		json_decref(list);
		return (NULL);
	}
	return (list);
}

/* As it names itself. */
static json_t *
database(struct store *st, struct err *err)
{
	json_t *row, *name;

	row = query_row(st, STMT_DATABASE_VERSION, NULL, 0, database_fields,
	    NITEMS(database_fields), "database", err);
	name = json_incref(json_object_get(row, "database"));
	json_decref(row);
	return (name);
}

json_t *
status_get(struct store *st, struct err *err)
{
	int64_t now = store_now_ms(st), schema;
	json_t *status;

	if (store_schema_version(st, &schema, err))
		return (NULL);
	status = query_row(st, STMT_LEDGER_OPEN_COUNT, NULL, 0, open_fields,
	    NITEMS(open_fields), "ledger", err);
	if (status == NULL)
		return (NULL);
	if (add(status, "now_ms", json_integer(now), err) ||
	    add(status, "version", json_string(PACKAGE_VERSION), err) ||
	    add(status, "schema", json_integer(schema), err) ||
	    add(status, "database", database(st, err), err) ||
	    add(status, "responders", responders(st, now, err), err) ||
	    add(status, "accounts", accounts(st, err), err) ||
	    add(status, "probes", read_probes(st, NULL, err), err) ||
	    add(status, "jobs", jobs_list(st, err), err) ||
	    add(status, "queue", query_row(st, STMT_QUEUE_STATE, NULL, 0,
	    queue_fields, NITEMS(queue_fields), "queue", err), err)) {
		json_decref(status);
		return (NULL);
	}
	return (status);
}

json_t *
status_spool(const char *dir, struct err *err)
{
	struct spool_count n;
	json_t *spool;

	if (spool_count(dir, &n, err))
		return (NULL);
	spool = json_pack("{s:I, s:I, s:I}", "files", (json_int_t)n.files,
	    "records", (json_int_t)n.records, "refused",
	    (json_int_t)n.refused);
	if (spool == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (spool);
}
