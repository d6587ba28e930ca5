#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "base/conf.h"
#include "base/err.h"
#include "pool/prune.h"
#include "store/store.h"

#include "audit.h"
#include "latency_fold.h"
#include "verify.h"

#include "jobs.h"

/* Jobs of the database: prune, latency, checkpoint,
 * rollup. */

/* Others have their turn between two passes. */
#define PAUSE_MS	10

static int
go_on(void *arg, struct err *err)
{

	return (job_go_on(arg, err));
}

/* What the audit log has of before the days that it is kept. */
static int
prune_audit(struct job_work *w, int64_t *all, struct err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	const int64_t before_ms = prune_cut_ms(store_now_ms(w->st),
	    w->conf->audit_keep_days);
	int64_t rows = w->conf->audit_keep_days == 0 ? 0 : AUDIT_PRUNE_MAX;

	while (rows == AUDIT_PRUNE_MAX) {
		if (job_go_on(w, err) ||
		    audit_prune(w->st, before_ms, &rows, err))
			return (-1);
		*all += rows;
		(void)nanosleep(&pause, NULL);
	}
	return (0);
}

int
job_prune_run(struct job_work *w, struct err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	struct prune_pass pass, all = { .more = false };
	int64_t changes = 0;

	do {
		if (job_go_on(w, err) || prune_some(w->st,
		    w->conf->ledger_keep_days, &pass, err))
			return (-1);
		all.requests += pass.requests;
		all.windows += pass.windows;
		all.sessions += pass.sessions;
		all.objects += pass.objects;
		if (pass.more)
			(void)nanosleep(&pause, NULL);
	} while (pass.more);
	if (pass.held) {
		(void)snprintf(w->said, sizeof(w->said), "the clock has gone "
		    "ahead by days since the last time: nothing is deleted "
		    "until it has said so for 20 hours");
		return (0);
	}
	if (prune_audit(w, &changes, err))
		return (-1);
	(void)snprintf(w->said, sizeof(w->said), "%" PRId64 " requests, %"
	    PRId64 " budget windows, %" PRId64 " sessions, %" PRId64
	    " batches and files, %" PRId64 " rows of the audit log deleted",
	    all.requests, all.windows, all.sessions, all.objects, changes);
	return (0);
}

int
job_latency_run(struct job_work *w, struct err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	struct latency_pass pass;
	int64_t rows = 0;

	do {
		if (job_go_on(w, err) || latency_fold(w->st, &pass, err))
			return (-1);
		rows += pass.rows;
		if (pass.more)
			(void)nanosleep(&pause, NULL);
	} while (pass.more);
	(void)snprintf(w->said, sizeof(w->said), "%" PRId64 " requests",
	    rows);
	return (0);
}

int
job_checkpoint_run(struct job_work *w, struct err *err)
{
	int64_t pages = 0;

	if (store_checkpoint(w->st, &pages, err))
		return (-1);
	(void)snprintf(w->said, sizeof(w->said), "%" PRId64 " pages were in "
	    "the log", pages);
	return (0);
}

int
job_rollup_run(struct job_work *w, struct err *err)
{
	json_t *found = verify_ledger_with(w->st, go_on, w, err);
	int64_t differences;

	if (found == NULL)
		return (-1);
	differences = json_integer_value(json_object_get(found,
	    "differences"));
	(void)snprintf(w->said, sizeof(w->said), "%lld requests, %lld hours, "
	    "%lld budget windows agree",
	    (long long)json_integer_value(json_object_get(found, "rows")),
	    (long long)json_integer_value(json_object_get(found, "hours")),
	    (long long)json_integer_value(json_object_get(found, "windows")));
	json_decref(found);
	if (differences == 0)
		return (0);
	err_set(err, ERR_INTERNAL, "%lld sums are not those of their rows: "
	    "see leasehold ledger verify", (long long)differences);
	return (-1);
}
