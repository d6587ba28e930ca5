#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/zone.h"
#include "store/store.h"

#include "query.h"

#include "jobs.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))
#define SCHEDULE(name)	offsetof(struct conf, job_##name)

static const struct job table[] = {
	{ .name = "backup", .schedule = SCHEDULE(backup),
	  .run = job_backup_run,
	  .summary = "copy the database to backup_dir" },
	{ .name = "checkpoint", .schedule = SCHEDULE(checkpoint),
	  .sqlite_only = true, .run = job_checkpoint_run,
	  .summary = "copy the write-ahead log to its end" },
	{ .name = "latency", .schedule = SCHEDULE(latency),
	  .run = job_latency_run,
	  .summary = "count how long requests took" },
	{ .name = "notify", .schedule = SCHEDULE(notify),
	  .run = job_notify_run,
	  .summary = "tell who wants to know" },
	{ .name = "probe", .schedule = SCHEDULE(probe),
	  .run = job_probe_run,
	  .summary = "find out how accounts do" },
	{ .name = "prune", .schedule = SCHEDULE(prune),
	  .run = job_prune_run,
	  .summary = "delete what is old" },
	{ .name = "reap", .schedule = SCHEDULE(reap),
	  .run = job_reap_run,
	  .summary = "close what dead responders left" },
	{ .name = "refresh", .schedule = SCHEDULE(refresh),
	  .run = job_refresh_run,
	  .summary = "renew tokens that are overdue" },
	{ .name = "rollup", .schedule = SCHEDULE(rollup),
	  .run = job_rollup_run,
	  .summary = "compare all sums with their rows" },
};

static const struct field fields[] = {
	{ .name = "name", .kind = FIELD_TEXT },
	{ .name = "schedule", .kind = FIELD_TEXT },
	{ .name = "next_ms", .kind = FIELD_INT },
	{ .name = "since_ms", .kind = FIELD_INT },
	{ .name = "holder", .kind = FIELD_TEXT },
	{ .name = "lease_until_ms", .kind = FIELD_INT },
	{ .name = "runs", .kind = FIELD_INT },
	{ .name = "last_start_ms", .kind = FIELD_INT },
	{ .name = "last_end_ms", .kind = FIELD_INT },
	{ .name = "duration_ms", .kind = FIELD_INT },
	{ .name = "result", .kind = FIELD_TEXT },
	{ .name = "detail", .kind = FIELD_TEXT },
	{ .name = "good_ms", .kind = FIELD_INT },
	{ .name = "state", .kind = FIELD_TEXT },
};

const struct job *
jobs_table(size_t *n)
{

	*n = NITEMS(table);
	return (table);
}

const struct job *
jobs_find(const char *name)
{
	size_t i;

	for (i = 0; i < NITEMS(table); i++) {
		if (strcmp(table[i].name, name) == 0)
			return (&table[i]);
	}
	return (NULL);
}

void
jobs_by(const struct conf *conf, char *out, size_t size)
{
	char host[128] = "";

	if (conf->host_name[0] == '\0')
		(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(out, size, "%s, process %ld",
	    conf->host_name[0] != '\0' ? conf->host_name : host,
	    (long)getpid());
}

/* ---- plans ---- */

/* The zone is the caller's to free. */
static int
make_plan(const struct job *job, const struct conf *conf, const char *by,
    struct job_plan *plan, struct zone **zone, struct err *err)
{

	*zone = NULL;
	*plan = (struct job_plan) {
		.name = job->name,
		.schedule = *(char *const *)(const void *)
		    ((const char *)conf + job->schedule),
		.by = by,
		.lease_ms = conf->job_lease_ms,
	};
	if (cron_parse(plan->schedule, &plan->cron, err) ||
	    (*zone = zone_new(conf->job_zone, err)) == NULL)
		return (-1);
	plan->zone = *zone;
	return (0);
}

int
jobs_plan(struct store *st, const struct conf *conf, struct err *err)
{
	struct job_plan plan;
	struct zone *zone;
	size_t i;
	int rc = 0;

	for (i = 0; i < NITEMS(table) && rc == 0; i++) {
		rc = make_plan(&table[i], conf, "", &plan, &zone, err);
		if (rc == 0)
			rc = job_plan_put(st, &plan, err);
		zone_free(zone);
	}
	return (rc);
}

json_t *
jobs_list(struct store *st, struct err *err)
{
	const struct store_value now = store_int(store_now_ms(st));

	return (query_rows(st, STMT_JOB_LIST, &now, 1, fields, NITEMS(fields),
	    err));
}

int64_t
job_due_ms(const struct job *job, const struct conf *conf, const json_t *row)
{
	int64_t since_ms = json_integer_value(json_object_get(row,
	    "since_ms")), due_ms = INT64_MAX;
	struct job_plan plan;
	struct zone *zone;

	if (make_plan(job, conf, "", &plan, &zone, NULL) == 0)
		due_ms = cron_next(&plan.cron, zone, since_ms);
	zone_free(zone);
	return (due_ms);
}

/* ---- runs ---- */

bool
job_stops(const struct job_work *w)
{

	return (w->stopping != NULL && w->stopping(w->arg));
}

int
job_go_on(struct job_work *w, struct err *err)
{

	if (job_stops(w)) {
		err_set(err, ERR_CANCELLED, "its runner had to end");
		return (-1);
	}
	return (job_keep(w->st, w->lease, err));
}

static enum job_result
work(const struct job *job, struct job_work *w, struct err *err)
{

	if (job->sqlite_only && store_shared(w->st)) {
		(void)snprintf(w->said, sizeof(w->said), "the database is a "
		    "server, which does this by its own tools");
		return (JOB_SKIPPED);
	}
	if (job->run(w, err) == 0)
		return (w->skipped ? JOB_SKIPPED : JOB_OK);
	return (job_stops(w) ? JOB_STOPPED : JOB_FAILED);
}

/* Words from elsewhere may be no UTF-8, or have been cut. */
static void
tame(char *text, size_t size)
{
	json_t *j = query_text(text, strlen(text));
	const char *s = json_string_value(j);

	(void)snprintf(text, size, "%s", s != NULL ? s : "");
	json_decref(j);
}

/* One that was taken over has no say in what came of it. */
static int
end(struct job_work *w, struct job_outcome *out, struct err *err)
{
	struct err e = { .code = ERR_NONE };

	if (job_end(w->st, w->lease, out->result, out->said, &e) == 0)
		return (0);
	if (e.code == ERR_CANCELLED) {
		out->result = JOB_FAILED;
		(void)snprintf(out->said, sizeof(out->said), "%s", e.text);
		return (0);
	}
	err_set(err, e.code, "%s", e.text);
	return (-1);
}

static int
run_taken(const struct job_runner *r, const struct job *job,
    struct job_lease *lease, struct job_outcome *out, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	struct job_work w = {
		.st = r->st,
		.conf = r->conf,
		.lease = lease,
		.stopping = r->stopping,
		.arg = r->arg,
	};

	out->result = work(job, &w, &why);
	(void)snprintf(out->said, sizeof(out->said), "%s",
	    out->result == JOB_OK || out->result == JOB_SKIPPED ? w.said :
	    why.text);
	tame(out->said, sizeof(out->said));
	out->duration_ms = store_now_ms(r->st) - lease->start_ms;
	return (end(&w, out, err));
}

int
job_run(const struct job_runner *r, const struct job *job, bool forced,
    struct job_outcome *out, struct err *err)
{
	struct job_lease lease;
	struct job_plan plan;
	struct zone *zone;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (make_plan(job, r->conf, r->by, &plan, &zone, err) ||
	    job_take(r->st, &plan, forced, &lease, &out->taken, err))
		goto done;
	(void)snprintf(out->holder, sizeof(out->holder), "%s", lease.holder);
	rc = out->taken != JOB_TAKEN ? 0 :
	    run_taken(r, job, &lease, out, err);
done:
	zone_free(zone);
	return (rc);
}
