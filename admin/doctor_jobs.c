#include "config.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "store/store.h"

#include "doctor.h"
#include "jobs.h"
#include "member.h"

/* One that was due so long ago has nobody who runs it: others take some time,
 * and jobs of one runner come one after the other. */
#define LATE_MS		(15 * 60 * INT64_C(1000))

struct jobs_seen {
	long long well, off, late, failed;
	char which[160];	/* the last that is not well */
	char why[256];
};

static const json_t *
find_row(const json_t *rows, const char *name)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		if (strcmp(text_of(row, "name"), name) == 0)
			return (row);
	}
	return (NULL);
}

/* A row that was never made is of a pool that never ran. */
static void
look_at(const struct doctor *d, const struct job *job, const json_t *row,
    int64_t now_ms, struct jobs_seen *seen)
{
	int64_t due_ms = job_due_ms(job, d->conf, row);

	if (due_ms == INT64_MAX) {
		seen->off++;
	} else if (row == NULL || (due_ms < now_ms - LATE_MS &&
	    strcmp(text_of(row, "state"), "running") != 0)) {
		seen->late++;
		(void)snprintf(seen->which, sizeof(seen->which), "%s",
		    job->name);
	} else if (strcmp(text_of(row, "result"), "failed") == 0) {
		seen->failed++;
		(void)snprintf(seen->which, sizeof(seen->which), "%s",
		    job->name);
		(void)snprintf(seen->why, sizeof(seen->why), "%s",
		    text_of(row, "detail"));
	} else {
		seen->well++;
	}
}

void
doctor_jobs(struct doctor *d, struct doctor_finding *f)
{
	struct err err = { .code = ERR_NONE };
	struct jobs_seen seen = { .well = 0 };
	const struct job *table;
	json_t *rows;
	size_t i, n;

	if ((rows = jobs_list(d->store, &err)) == NULL) {
		finding_set(f, DOCTOR_FAIL, "query_failed", "%s", err.text);
		return;
	}
	table = jobs_table(&n);
	for (i = 0; i < n; i++)
		look_at(d, &table[i], find_row(rows, table[i].name),
		    store_now_ms(d->store), &seen);
	json_decref(rows);
	finding_set(f, seen.late + seen.failed > 0 ? DOCTOR_WARN : DOCTOR_OK,
	    "jobs_stand", "%lld are well, %lld overdue, %lld failed, %lld are "
	    "off", seen.well, seen.late, seen.failed, seen.off);
	if (seen.late > 0)
		finding_remedy(f, "run_jobs", "Nobody runs them: start an "
		    "admin responder, or let a crontab run `leasehold job run' "
		    "each minute.");
	if (seen.failed > 0)
		finding_remedy(f, "job_failed", "The job %s failed: %s",
		    seen.which, seen.why);
}
