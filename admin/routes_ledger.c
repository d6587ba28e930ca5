#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "ledger/rollup.h"
#include "store/store.h"

#include "provider_report.h"
#include "reconcile.h"
#include "verify.h"

#include "api.h"

/* In 1/1000 percent. */
#define TOLERANCE	1000
#define TOLERANCE_MAX	100000

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
	    api_int(c, "from_ms", 0, INT64_MAX, &q->from_ms, err) ||
	    api_int(c, "to_ms", 0, INT64_MAX, &q->to_ms, err) ||
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
