#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/num.h"
#include "base/zone.h"
#include "ledger/rollup.h"
#include "pool/prune.h"
#include "store/store.h"

#include "provider_report.h"
#include "reconcile.h"
#include "verify.h"

#include "api.h"

/* In 1/1000 percent. */
#define TOLERANCE	1000
#define TOLERANCE_MAX	100000

#define PRUNE_DAYS_MAX	36500
#define PRUNE_PAUSE_MS	20

/* ---- verify ---- */

static int
go_on(void *arg, struct err *err)
{

	if (!api_stops(arg))
		return (0);
	err_set(err, ERR_CANCELLED, "who asked has left, or the responder "
	    "has to end");
	return (-1);
}

json_t *
api_verify(struct api_call *c, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	json_t *found;

	if (api_begin_long(c))
		return (NULL);
	found = verify_ledger_with(c->store, go_on, c, &why);
	api_end_long(c);
	if (found == NULL && why.code == ERR_CANCELLED)
		(void)api_refuse(c, 503, "%s", why.text);
	else if (found == NULL)
		err_set(err, why.code, "%s", why.text);
	return (found);
}

/* ---- prune ---- */

/* Pass by pass, with room for the others in between.  0; -1 with ${err}, where
 * what went before is gone. */
static int
prune_all(struct api_call *c, int64_t days, struct prune_pass *all,
    struct err *err)
{
	const struct timespec pause = { .tv_nsec = PRUNE_PAUSE_MS * 1000000L };
	struct prune_pass pass;

	*all = (struct prune_pass) { .more = false };
	do {
		if (go_on(c, err) || prune_some(c->store, days, &pass, err))
			return (-1);
		all->requests += pass.requests;
		all->windows += pass.windows;
		all->objects += pass.objects;
		all->held |= pass.held;
		if (pass.more)
			(void)nanosleep(&pause, NULL);
	} while (pass.more);
	return (0);
}

static json_t *
prune(struct api_call *c, int64_t days, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	struct prune_pass all;
	char object[64];
	json_t *answer;

	(void)snprintf(object, sizeof(object), "older than %lld days",
	    (long long)days);
	if (api_note(c, "ledger.prune", object, err))
		return (NULL);
	if (prune_all(c, days, &all, &why)) {
		if (why.code == ERR_CANCELLED)
			return (api_refuse(c, 503, "%s", why.text));
		err_set(err, why.code, "%s", why.text);
		return (NULL);
	}
	answer = json_pack("{s:I, s:I, s:I, s:I, s:b}", "rows",
	    (json_int_t)all.requests, "windows", (json_int_t)all.windows,
	    "objects", (json_int_t)all.objects, "cut_ms",
	    (json_int_t)prune_cut_ms(store_now_ms(c->store), days), "held",
	    all.held);
	if (answer == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (answer);
}

json_t *
api_prune(struct api_call *c, struct err *err)
{
	static const char *const members[] = { "days", NULL };
	json_t *answer;
	int64_t days = 0;

	if (api_members(c, members, err) ||
	    api_int(c, "days", 1, PRUNE_DAYS_MAX, &days, err))
		return (NULL);
	if (days == 0)
		return (api_refuse(c, 400, "\"days\" is needed: how long "
		    "requests are kept"));
	if (api_begin_long(c))
		return (NULL);
	answer = prune(c, days, err);
	api_end_long(c);
	return (answer);
}

/* ---- reconcile ---- */

/* The report as text, which the caller frees: it is given as text, or as the
 * JSON that it is. */
static char *
report_text(struct api_call *c, struct err *err)
{
	const json_t *report = json_object_get(c->body, "report");
	char *text;

	if (!json_is_string(report) && !json_is_object(report) &&
	    !json_is_array(report)) {
		err_set(err, ERR_INVAL, "\"report\" must be a report of the "
		    "provider: the text of a CSV file, or JSON");
		return (NULL);
	}
	text = json_is_string(report) ? strdup(json_string_value(report)) :
	    json_dumps(report, JSON_COMPACT);
	if (text == NULL)
		err_set(err, ERR_NOMEM, "no memory for a report");
	return (text);
}

static int
read_query(struct api_call *c, struct reconcile_query *q, struct err *err)
{
	static const char *const members[] = {
		"report", "tolerance", "from_ms", "to_ms", "account",
		"group", NULL
	};
	const char *tolerance = NULL;

	*q = (struct reconcile_query) { .tolerance = TOLERANCE };
	if (api_members(c, members, err) ||
	    api_text(c, "tolerance", &tolerance, err) ||
	    api_int(c, "from_ms", 0, ZONE_MAX_MS, &q->from_ms, err) ||
	    api_int(c, "to_ms", 0, ZONE_MAX_MS, &q->to_ms, err) ||
	    api_text(c, "account", &q->account, err) ||
	    api_text(c, "group", &q->group, err))
		return (-1);
	q->from_ms -= q->from_ms % ROLLUP_DAY_MS;
	q->to_ms -= q->to_ms % ROLLUP_DAY_MS;
	if (tolerance == NULL || (num_parse_decimal(tolerance,
	    strlen(tolerance), 3, &q->tolerance) == 0 &&
	    q->tolerance >= 0 && q->tolerance <= TOLERANCE_MAX))
		return (0);
	err_set(err, ERR_INVAL, "\"tolerance\" is percent as text, 0 to 100, "
	    "such as \"0.5\"");
	return (-1);
}

json_t *
api_reconcile(struct api_call *c, struct err *err)
{
	struct provider_report report;
	struct reconcile_query q;
	json_t *found;
	char *text;
	int rc;

	if (read_query(c, &q, err) || (text = report_text(c, err)) == NULL)
		return (NULL);
	rc = provider_report_parse(text, strlen(text), &report, err);
	free(text);
	if (rc)
		return (NULL);
	found = reconcile(c->store, &report, &q, err);
	provider_report_free(&report);
	return (found);
}
