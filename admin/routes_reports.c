#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/zone.h"
#include "ledger/id.h"
#include "store/store.h"

#include "check.h"
#include "requests.h"
#include "usage.h"

#include "api.h"

#define NAME_SIZE	(LIMIT_NAME_BYTES * 2)
#define REQUESTS	50
#define REQUESTS_MAX	1000

/* So long a page of requests is looked for; what is rare takes several. */
#define PATIENCE_MS	15

/* ---- usage ---- */

/* What the query says, decoded. */
struct usage_text {
	char by[64], per[16], from[40], to[40], zone[64], format[8];
	char key[NAME_SIZE], user[NAME_SIZE], account[NAME_SIZE];
	char group[NAME_SIZE], model[NAME_SIZE];
	char fields[512];
};

/* Users see what their own keys used, and are not told what else there is. */
static void
read_filters(struct api_call *c, struct usage_text *t,
    struct usage_query *q)
{

	*q = (struct usage_query) {
		.key = api_query(c, "key", t->key, sizeof(t->key)),
		.user = api_query(c, "user", t->user, sizeof(t->user)),
		.account = api_query(c, "account", t->account,
		    sizeof(t->account)),
		.group = api_query(c, "group", t->group, sizeof(t->group)),
		.model = api_query(c, "model", t->model, sizeof(t->model)),
	};
	if (c->who.role < ROLE_OPERATOR) {
		q->user = c->who.name;
		q->veiled = true;
	}
}

/* The rows as text in ${c}; NULL, as the answer is no JSON. */
static json_t *
answer_csv(struct api_call *c, json_t *report, const struct usage_query *q,
    struct err *err)
{
	char *text = NULL;
	size_t n;
	FILE *out;
	int rc = -1;

	if ((out = open_memstream(&text, &n)) != NULL) {
		usage_csv(out, report, q);
		rc = fclose(out);
	}
	if (rc != 0)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	else
		c->csv = text;
	if (rc != 0)
		free(text);
	json_decref(report);
	return (rc == 0 ? api_done(c) : NULL);
}

/* Is it one of ${list}, which are parted by commas? */
static bool
is_listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (; list != NULL; list = strchr(list, ',')) {
		list += *list == ',';
		if (strncmp(list, name, n) == 0 && (list[n] == ',' ||
		    list[n] == '\0'))
			return (true);
	}
	return (false);
}

/* What tells rows apart stays. */
static void
prune(json_t *row, const char *list)
{
	const char *name;
	json_t *value;
	void *next;
	size_t i;

	json_object_foreach_safe(row, next, name, value) {
		for (i = 0; i < USAGE_BY_COUNT; i++) {
			if (strcmp(name, usage_by_name[i]) == 0)
				break;
		}
		if (i == USAGE_BY_COUNT && strncmp(name, "start", 5) != 0 &&
		    !is_listed(list, name))
			(void)json_object_del(row, name);
	}
}

/* Leave of the sums those of ${list} alone.  0, or -1 (ERR_INVAL). */
static int
prune_report(json_t *report, const char *list, struct err *err)
{
	json_t *total = json_object_get(report, "total"), *row;
	const char *p, *end;
	char name[64];
	size_t i;

	for (p = list; p != NULL; p = *end == ',' ? end + 1 : NULL) {
		end = p + strcspn(p, ",");
		(void)snprintf(name, sizeof(name), "%.*s", (int)(end - p), p);
		if (json_object_get(total, name) != NULL)
			continue;
		err_set(err, ERR_INVAL, "there is no sum \"%s\"", name);
		return (-1);
	}
	prune(total, list);
	json_array_foreach(json_object_get(report, "rows"), i, row)
		prune(row, list);
	return (0);
}

json_t *
api_usage(struct api_call *c, struct err *err)
{
	struct usage_text t;
	const struct usage_words words = {
		.by = api_query(c, "by", t.by, sizeof(t.by)),
		.per = api_query(c, "per", t.per, sizeof(t.per)),
		.from = api_query(c, "from", t.from, sizeof(t.from)),
		.to = api_query(c, "to", t.to, sizeof(t.to)),
	};
	const char *zone_name = api_query(c, "zone", t.zone, sizeof(t.zone));
	const char *format = api_query(c, "format", t.format,
	    sizeof(t.format));
	const char *fields = api_query(c, "fields", t.fields,
	    sizeof(t.fields));
	struct usage_query q;
	struct zone *zone;
	json_t *report = NULL;

	if ((zone = check_zone(zone_name != NULL ? zone_name : "UTC", err))
	    == NULL)
		return (NULL);
	read_filters(c, &t, &q);
	if (usage_read(&words, zone, store_now_ms(c->store), &q, err) == 0)
		report = usage_report(c->store, &q, err);
	if (report != NULL && format != NULL && strcmp(format, "csv") == 0)
		report = answer_csv(c, report, &q, err);
	else if (report != NULL && fields != NULL && prune_report(report,
	    fields, err)) {
		json_decref(report);
		report = NULL;
	}
	zone_free(zone);
	return (report);
}

/* ---- the ledger ---- */

/* The id from which to go on, or null. */
static json_t *
answer_page(json_t *rows, int64_t next_id, struct err *err)
{
	char next[LEDGER_ID_SIZE];
	json_t *answer;

	ledger_id_format(next_id, next);
	answer = json_pack("{s:o, s:s?}", "items", rows, "next",
	    next_id != 0 ? next : NULL);
	if (answer == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (answer);
}

json_t *
api_requests(struct api_call *c, struct err *err)
{
	char key[NAME_SIZE], user[NAME_SIZE], account[NAME_SIZE];
	char model[NAME_SIZE], outcome[40], before[40];
	struct request_filter f = {
		.limit = REQUESTS,
		.patience_ms = PATIENCE_MS,
	};
	int64_t next_id;
	const char *id;
	json_t *rows;

	f.key = api_query(c, "key", key, sizeof(key));
	f.user = api_query(c, "user", user, sizeof(user));
	f.account = api_query(c, "account", account, sizeof(account));
	f.model = api_query(c, "model", model, sizeof(model));
	f.outcome = api_query(c, "outcome", outcome, sizeof(outcome));
	id = api_query(c, "before", before, sizeof(before));
	if (id != NULL && ledger_id_parse(id, &f.before_id))
		return (api_refuse(c, 400, "before must be the id of a "
		    "request"));
	if (api_query_int(c, "since_ms", 0, INT64_MAX, &f.since_ms, err) ||
	    api_query_int(c, "until_ms", 0, INT64_MAX, &f.until_ms, err) ||
	    api_query_int(c, "status", 100, 599, &f.status, err) ||
	    api_query_int(c, "min_cost_nusd", 0, INT64_MAX, &f.min_cost_nusd,
	    err) || api_query_int(c, "limit", 1, REQUESTS_MAX, &f.limit, err)
	    || c->message[0] != '\0' ||
	    (rows = requests_list(c->store, &f, &next_id, err)) == NULL)
		return (NULL);
	return (answer_page(rows, next_id, err));
}

json_t *
api_request(struct api_call *c, struct err *err)
{
	char text[40];
	int64_t id;

	if (ledger_id_parse(api_param(c, 0, text, sizeof(text)), &id))
		return (api_refuse(c, 404, "there is no such request"));
	return (requests_show(c->store, id, err));
}
