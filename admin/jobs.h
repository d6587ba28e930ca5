#ifndef ADMIN_JOBS_H_
#define ADMIN_JOBS_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "job_row.h"

struct conf;
struct err;
struct store;

/**
 * Periodic work, a table of jobs: each has a schedule in the config, and is
 * run by whoever takes its row lease, an admin responder (job_thread.h) or
 * `leasehold job run'.  All of it may block, so none of it is done by relay
 * responders.  What is not a job, as it cannot wait for one: leases of dead
 * responders are given back, and tokens about to end renewed, by the relay
 * responders themselves; the jobs reap and refresh look after what they left.
 */

/** What a job works with. */
struct job_work {
	struct store *st;
	const struct conf *conf;

	/* of the runner */
	struct job_lease *lease;
	bool (*stopping)(void *arg);	/* any thread; NULL: never */
	void *arg;

	/* out: one line on what was done, or why there was nothing to do */
	char said[256];
	bool skipped;
};

/**
 * job_go_on(w, err):
 * To be called between two pieces of work, outside of a transaction; a piece
 * must take less than the lease, job_lease_s.  0; -1 with ERR_CANCELLED: the
 * job is to end now.  job_stops(w): The runner has to end, without a look at
 * the lease.
 */
int job_go_on(struct job_work *w, struct err *err)
    __attribute__((__warn_unused_result__));
bool job_stops(const struct job_work *w);

/**
 * One function a job: 0 with .said, -1 with ${err}.  A job that goes on
 * through failures of its parts says in ${err} what failed.
 */
int job_refresh_run(struct job_work *w, struct err *err);
int job_probe_run(struct job_work *w, struct err *err);
int job_reap_run(struct job_work *w, struct err *err);
int job_latency_run(struct job_work *w, struct err *err);
int job_rollup_run(struct job_work *w, struct err *err);
int job_prune_run(struct job_work *w, struct err *err);
int job_checkpoint_run(struct job_work *w, struct err *err);
int job_backup_run(struct job_work *w, struct err *err);
int job_notify_run(struct job_work *w, struct err *err);

/**
 * job_renew(w, account_id, err):
 * Renew the tokens of one account now, whether or not it is time.  No job: of
 * ${w} the store and the settings are used.  0; -1: ERR_EXISTS with what stood
 * against it.
 */
int job_renew(struct job_work *w, int64_t account_id, struct err *err)
    __attribute__((__warn_unused_result__));

struct job {
	const char *name;
	size_t schedule;	/* offset in struct conf */
	bool sqlite_only;	/* on a server there is nothing to do */
	int (*run)(struct job_work *w, struct err *err);
	const char *summary;
};

/** job_backups(dir, err): The newest backups in ${dir}, at most 100, the newest
 * first: [{"file" (its path), "bytes", "made_ms"}]; [] where there is no such
 * folder, or it is "". */
json_t *job_backups(const char *dir, struct err *err);

/** jobs_table(n): Borrow it.  jobs_find(name): NULL if there is none. */
const struct job *jobs_table(size_t *n);
const struct job *jobs_find(const char *name);

/** Who runs jobs. */
struct job_runner {
	struct store *st;
	const struct conf *conf;
	const char *by;			/* see job_plan */
	bool (*stopping)(void *arg);	/* as in job_work */
	void *arg;
};

struct job_outcome {
	enum job_taken taken;
	char holder[256];	/* JOB_BUSY */
	enum job_result result;	/* JOB_TAKEN: and what follows */
	int64_t duration_ms;
	char said[256];		/* what was done, or why it failed */
};

/**
 * job_run(r, job, forced, out, err):
 * Run ${job}, if it is due or ${forced}, and nobody else is at it.  0 with
 * ${out}, also if the job failed; -1 with ${err}: its row could not be read
 * or written.
 */
int job_run(const struct job_runner *r, const struct job *job, bool forced,
    struct job_outcome *out, struct err *err)
    __attribute__((__warn_unused_result__));

/** jobs_plan(st, conf, err): Make the rows that are missing, and have all say
 * what ${conf} plans.  0, or -1. */
int jobs_plan(struct store *st, const struct conf *conf, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * jobs_list(st, err):
 * The rows as they are: [{"name", "schedule", "next_ms", "state": "idle",
 * "running" or "lost", "holder", "runs", "last_start_ms", "last_end_ms",
 * "duration_ms", "result", "detail", "good_ms"}].  A new reference.
 */
json_t *jobs_list(struct store *st, struct err *err);

/** job_due_ms(job, conf, row): When the job of ${row}, one of those of
 * jobs_list, is or was due by ${conf}; INT64_MAX: never. */
int64_t job_due_ms(const struct job *job, const struct conf *conf,
    const json_t *row);

/** jobs_by(conf, out, size): What to call this process in rows. */
void jobs_by(const struct conf *conf, char *out, size_t size);

#endif /* !ADMIN_JOBS_H_ */
