#ifndef ADMIN_JOB_ROW_H_
#define ADMIN_JOB_ROW_H_

#include <stdbool.h>
#include <stdint.h>

#include "base/cron.h"

struct err;
struct store;
struct zone;

/**
 * The row of a job, and the lease on it: whoever holds that runs the job.  It
 * has to be kept up; when it is not, as its holder was killed, another may
 * take it over.  The fence that each lease raises keeps a holder that was only
 * slow from saying what came of a job that is another's by then.
 *
 *	idle --take--> running --end--> idle
 *	                  |                       lost: by the clock
 *	                  +--lease_until_ms--> lost --take--> running
 *
 * A job is due when its schedule has a time between since_ms, which is about
 * when it last began, and now; or when it is lost.  So after any downtime it
 * runs once.  Times are those of the store's clock.
 */
struct job_plan {
	const char *name;	/* of the job */
	const char *schedule;	/* as text */
	struct cron cron;
	const struct zone *zone;	/* NULL: UTC */
	const char *by;		/* who asks: host and process */
	int64_t lease_ms;
};

struct job_lease {
	const struct job_plan *plan;
	int64_t fence;
	int64_t since_ms;	/* as it was before */
	int64_t start_ms;
	int64_t until_ms;
	char holder[256];	/* not taken: who has it; "": nobody */
};

enum job_taken {
	JOB_TAKEN,
	JOB_NOT_DUE,
	JOB_BUSY		/* another is at it, see .holder */
};

/** How it went. */
enum job_result {
	JOB_OK,
	JOB_SKIPPED,		/* there is nothing to do on such an
				   installation */
	JOB_FAILED,
	JOB_STOPPED,		/* its runner had to end: it is due again */
	NJOB_RESULTS
};

/** job_result_name(r): As the row has it. */
const char *job_result_name(enum job_result r);

/**
 * job_take(st, plan, forced, lease, taken, err):
 * In a transaction of its own.  ${forced}: whether or not it is due; that
 * somebody wants it so is in the audit log (see change_note).  ${plan} is
 * borrowed by the lease.  0, or -1.
 */
int job_take(struct store *st, const struct job_plan *plan, bool forced,
    struct job_lease *lease, enum job_taken *taken, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * job_keep(st, lease, err):
 * Between two pieces of work, outside of a transaction: the lease is renewed
 * when a third of it is over, or 5 s.  0; -1 with ERR_CANCELLED: another has
 * taken it over.
 */
int job_keep(struct store *st, struct job_lease *lease, struct err *err)
    __attribute__((__warn_unused_result__));

/** job_end(st, lease, result, detail, err): Give it back, with what came of
 * it.  0; -1 with ERR_CANCELLED as above. */
int job_end(struct store *st, struct job_lease *lease,
    enum job_result result, const char *detail, struct err *err)
    __attribute__((__warn_unused_result__));

/** job_plan_put(st, plan, err): See to it that there is a row, and that it
 * says what ${plan} will do.  0, or -1. */
int job_plan_put(struct store *st, const struct job_plan *plan,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_JOB_ROW_H_ */
