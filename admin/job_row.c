#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/store.h"

#include "change.h"

#include "job_row.h"

/* A server gives up connections on which nothing is said for 15 s. */
#define KEEP_MS		5000

static const char *const results[] = {
	[JOB_OK] = "ok",
	[JOB_SKIPPED] = "skipped",
	[JOB_FAILED] = "failed",
	[JOB_STOPPED] = "stopped",
};
_Static_assert(sizeof(results) / sizeof(results[0]) == NJOB_RESULTS,
    "one name each");

struct row {
	bool there;
	int64_t since_ms, fence, until_ms;
	char by[256];
};

const char *
job_result_name(enum job_result r)
{

	return (results[r]);
}

static int
take_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct row *r = arg;

	(void)ncols;
	r->there = true;
	r->since_ms = store_get_int(&c[0]);
	r->fence = store_get_int(&c[1]);
	r->until_ms = store_get_int(&c[2]);
	(void)snprintf(r->by, sizeof(r->by), "%s", store_get_text(&c[3]));
	return (1);
}

/* In a write transaction: the row, locked; it is made where it is missing. */
static int
read_row(struct store *st, const struct job_plan *plan, struct row *r,
    struct err *err)
{
	const struct store_value v[2] = {
		store_text(plan->name), store_int(store_now_ms(st))
	};

	*r = (struct row) { .there = false };
	if (store_lock(st, STMT_LOCK_JOB, v, 1, err) ||
	    store_query(st, STMT_JOB_GET, v, 1, take_row, r, err) < 0)
		return (-1);
	if (r->there)
		return (0);
	if (store_exec(st, STMT_JOB_ADD, v, 1, 2, NULL, err) ||
	    store_query(st, STMT_JOB_GET, v, 1, take_row, r, err) < 0)
		return (-1);
	return (0);
}

static struct store_value
next_of(const struct job_plan *plan, int64_t since_ms)
{
	int64_t next_ms = cron_next(&plan->cron, plan->zone, since_ms);

	return (next_ms == INT64_MAX ? store_null() : store_int(next_ms));
}

/* Clocks were put back: it counts from now on. */
static int64_t
since(const struct row *r, int64_t now_ms)
{

	return (r->since_ms > now_ms ? now_ms : r->since_ms);
}

static int
plan_inside(struct store *st, const struct job_plan *plan, struct err *err)
{
	struct store_value v[4];
	struct row r;

	if (read_row(st, plan, &r, err))
		return (-1);
	v[2] = store_int(since(&r, store_now_ms(st)));
	v[0] = store_text(plan->schedule);
	v[1] = next_of(plan, v[2].i);
	v[3] = store_text(plan->name);
	return (store_exec(st, STMT_JOB_PLAN, v, 1, 4, NULL, err));
}

int
job_plan_put(struct store *st, const struct job_plan *plan, struct err *err)
{

	if (store_begin(st, true, err))
		return (-1);
	return (store_end(st, plan_inside(st, plan, err), err));
}

/* ---- take ---- */

static enum job_taken
judge(const struct job_plan *plan, bool forced, const struct row *r,
    int64_t now_ms)
{

	if (r->by[0] != '\0' && r->until_ms > now_ms)
		return (JOB_BUSY);
	if (forced || (r->by[0] != '\0' && !plan->cron.off))
		return (JOB_TAKEN);
	return (cron_next(&plan->cron, plan->zone, since(r, now_ms)) <=
	    now_ms ? JOB_TAKEN : JOB_NOT_DUE);
}

static int
take_inside(struct store *st, bool forced, struct job_lease *l,
    enum job_taken *taken, struct err *err)
{
	const struct job_plan *plan = l->plan;
	int64_t now_ms = store_now_ms(st);
	struct store_value v[6];
	struct row r;

	if (read_row(st, plan, &r, err))
		return (-1);
	*taken = judge(plan, forced, &r, now_ms);
	(void)snprintf(l->holder, sizeof(l->holder), "%s", r.by);
	if (*taken != JOB_TAKEN)
		return (0);
	l->fence = r.fence + 1;
	l->since_ms = since(&r, now_ms);
	l->start_ms = now_ms;
	l->until_ms = now_ms + plan->lease_ms;
	v[0] = store_text(plan->by);
	v[1] = store_int(l->fence);
	v[2] = store_int(l->until_ms);
	v[3] = v[4] = store_int(now_ms);
	v[5] = store_text(plan->name);
	if (store_exec(st, STMT_JOB_TAKE, v, 1, 6, NULL, err))
		return (-1);
	return (forced ? change_note(st, err) : 0);
}

/* Most looks find it not due, and do without the write lock. */
static int
peek(struct store *st, const struct job_plan *plan, enum job_taken *taken,
    struct err *err)
{
	const struct store_value name = store_text(plan->name);
	struct row r = { .there = false };

	if (store_query(st, STMT_JOB_GET, &name, 1, take_row, &r, err) < 0)
		return (-1);
	*taken = !r.there ? JOB_TAKEN : judge(plan, false, &r,
	    store_now_ms(st));
	return (0);
}

int
job_take(struct store *st, const struct job_plan *plan, bool forced,
    struct job_lease *lease, enum job_taken *taken, struct err *err)
{

	*lease = (struct job_lease) { .plan = plan };
	if (!forced && peek(st, plan, taken, err))
		return (-1);
	if (!forced && *taken != JOB_TAKEN)
		return (0);
	if (store_begin(st, true, err))
		return (-1);
	return (store_end(st, take_inside(st, forced, lease, taken,
	    err), err));
}

/* ---- keep, end ---- */

static int
lost(const struct job_lease *l, struct err *err)
{

	err_set(err, ERR_CANCELLED, "the job %s took so long that another "
	    "took it over", l->plan->name);
	return (-1);
}

/* In a transaction of its own; 0: it is another's. */
static int
change_row(struct store *st, const struct job_lease *l, enum stmt_id id,
    const struct store_value *v, size_t nparams, struct err *err)
{
	int64_t changes = 0;

	if (store_begin(st, true, err) || store_end(st,
	    store_exec(st, id, v, 1, nparams, &changes, err), err))
		return (-1);
	return (changes == 0 ? lost(l, err) : 0);
}

int
job_keep(struct store *st, struct job_lease *lease, struct err *err)
{
	int64_t now_ms = store_now_ms(st), lease_ms = lease->plan->lease_ms;
	const struct store_value v[3] = {
		store_int(now_ms + lease_ms), store_text(lease->plan->name),
		store_int(lease->fence)
	};

	if (lease->until_ms - now_ms > lease_ms - (lease_ms / 3 < KEEP_MS ?
	    lease_ms / 3 : KEEP_MS))
		return (0);
	if (change_row(st, lease, STMT_JOB_KEEP, v, 3, err))
		return (-1);
	lease->until_ms = now_ms + lease_ms;
	return (0);
}

int
job_end(struct store *st, struct job_lease *lease, enum job_result result,
    const char *detail, struct err *err)
{
	const struct job_plan *plan = lease->plan;
	int64_t now_ms = store_now_ms(st);
	int64_t since_ms = result == JOB_STOPPED ? lease->since_ms :
	    lease->start_ms;
	const struct store_value v[10] = {
		store_int(since_ms), store_text(plan->schedule),
		next_of(plan, since_ms > now_ms ? now_ms : since_ms),
		store_int(now_ms), store_int(now_ms - lease->start_ms),
		store_text(results[result]), store_text(detail),
		result == JOB_OK ? store_int(now_ms) : store_null(),
		store_text(plan->name), store_int(lease->fence)
	};

	return (change_row(st, lease, STMT_JOB_END, v, 10, err));
}
