#include "config.h"

#include <sys/stat.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "metrics/metrics.h"
#include "metrics/slots.h"
#include "metrics/text.h"
#include "store/spool.h"
#include "store/store.h"

#include "metrics.h"

/* Words of a reason; more are told as one. */
#define COOLDOWN_REASONS	64

/* What the database says of the pool. */
struct pool_now {
	int64_t leases, slots, enabled, disabled;
	int64_t waiting, granted, oldest_ms;
	int64_t cooldowns[COOLDOWN_REASONS];	/* by DOMAIN_OUTCOME */
};

struct metrics {
	char *run_dir, *spool_dir;
	pthread_mutex_t lock;		/* guards all of these */
	struct slots *slots;		/* NULL: not open */
	struct pool_now now;
	int64_t read_ms;		/* monotonic; 0: never */
};

static int64_t
mono_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + 1);
}

/* With a slot, so that this process is seen as well; one without is as good,
 * but for that. */
static int
open_slots(struct metrics *m, struct err *err)
{

	if (m->slots != NULL)
		return (0);
	if ((m->slots = slots_open_in(m->run_dir, err)) == NULL)
		return (-1);
	(void)slots_claim(m->slots, SLOT_ADMIN, NULL);
	return (0);
}

struct metrics *
metrics_new(const struct conf *conf, struct err *err)
{
	struct metrics *m;

	if ((m = calloc(1, sizeof(*m))) != NULL) {
		m->run_dir = strdup(conf->run_dir);
		m->spool_dir = strdup(conf->spool_dir);
		(void)pthread_mutex_init(&m->lock, NULL);
	}
	if (m == NULL || m->run_dir == NULL || m->spool_dir == NULL) {
		err_set(err, ERR_NOMEM, "no memory for metrics");
		metrics_free(m);
		return (NULL);
	}
	(void)open_slots(m, NULL);
	return (m);
}

void
metrics_free(struct metrics *m)
{

	if (m == NULL)
		return;
	slots_close(m->slots);
	(void)pthread_mutex_destroy(&m->lock);
	free(m->run_dir);
	free(m->spool_dir);
	free(m);
}

void
metrics_count(const struct conf *conf, uint64_t series)
{
	struct slots *s;
	struct stat st;

	if (stat(conf->run_dir, &st) == -1 || st.st_uid != geteuid() ||
	    (s = slots_open_in(conf->run_dir, NULL)) == NULL)
		return;
	slot_add(slots_claim(s, SLOT_OTHER, NULL), series, 1);
	slots_close(s);
}

/* ---- the database ---- */

static int
take_cooldown(void *arg, const struct store_value *cols, size_t ncols)
{
	struct pool_now *now = arg;
	unsigned int i = domain_find(DOMAIN_OUTCOME, store_get_text(&cols[0]));

	(void)ncols;
	if (i < COOLDOWN_REASONS)
		now->cooldowns[i] += store_get_int(&cols[1]);
	return (0);
}

static int
read_pool(struct store *st, struct pool_now *now, struct err *err)
{
	const struct store_value time = store_int(store_now_ms(st));
	int64_t row[4];

	memset(now, 0, sizeof(*now));
	if (store_one(st, STMT_METRICS_POOL, NULL, 0, row, 4, err) != 1)
		return (-1);
	now->leases = row[0];
	now->slots = row[1];
	now->enabled = row[2];
	now->disabled = row[3];
	if (store_one(st, STMT_QUEUE_STATE, NULL, 0, row, 3, err) != 1)
		return (-1);
	now->waiting = row[0];
	now->granted = row[1];
	now->oldest_ms = row[2] == 0 || row[2] > time.i ? 0 :
	    time.i - row[2];
	return (store_query(st, STMT_METRICS_COOLDOWNS, &time, 1,
	    take_cooldown, now, err) == -1 ? -1 : 0);
}

/* What is still fresh is not asked for again.  False: the database is away. */
static bool
ask_pool(struct metrics *m, struct store *st)
{
	const int64_t now_ms = mono_ms();

	if (st == NULL) {
		m->read_ms = 0;
		return (false);
	}
	if (m->read_ms != 0 && now_ms - m->read_ms < METRICS_FRESH_MS)
		return (true);
	m->read_ms = read_pool(st, &m->now, NULL) == 0 ? now_ms : 0;
	return (m->read_ms != 0);
}

/* ---- gauges ---- */

static int
put(struct slot_sums *sums, enum metric which, unsigned int a, unsigned int b,
    int64_t v)
{

	return (slot_sums_put(sums, metric_series(which, a, b, 0, 0),
	    v < 0 ? 0 : (uint64_t)v));
}

static int
put_pool(struct slot_sums *sums, const struct pool_now *now)
{
	const unsigned int waiting = domain_find(DOMAIN_QUEUE, "waiting"),
	    granted = domain_find(DOMAIN_QUEUE, "granted"),
	    enabled = domain_find(DOMAIN_ACCOUNT, "enabled"),
	    disabled = domain_find(DOMAIN_ACCOUNT, "disabled");
	unsigned int i;

	for (i = 0; i < COOLDOWN_REASONS; i++) {
		if (now->cooldowns[i] > 0 && put(sums, METRIC_COOLDOWNS, i, 0,
		    now->cooldowns[i]))
			return (-1);
	}
	return (put(sums, METRIC_LEASES, 0, 0, now->leases) ||
	    put(sums, METRIC_SLOTS, 0, 0, now->slots) ||
	    put(sums, METRIC_ACCOUNTS, enabled, 0, now->enabled) ||
	    put(sums, METRIC_ACCOUNTS, disabled, 0, now->disabled) ||
	    put(sums, METRIC_QUEUE, waiting, 0, now->waiting) ||
	    put(sums, METRIC_QUEUE, granted, 0, now->granted) ||
	    put(sums, METRIC_QUEUE_OLDEST, 0, 0, now->oldest_ms) ? -1 : 0);
}

static int
put_spool(struct slot_sums *sums, const char *dir)
{
	struct spool_count n;

	if (spool_count(dir, &n, NULL))
		return (0);
	return (put(sums, METRIC_SPOOL_FILES, 0, 0, (int64_t)n.files) ||
	    put(sums, METRIC_SPOOL_RECORDS, 0, 0, (int64_t)n.records) ||
	    put(sums, METRIC_SPOOL_REFUSED, 0, 0, (int64_t)n.refused) ? -1 :
	    0);
}

/* Its second number, in pages; see proc(5), statm.  -1: not to be had. */
static int64_t
memory_of(int64_t pid)
{
	long long pages = -1;
	char path[48];
	FILE *f;

	if (pid <= 0)
		return (-1);
	(void)snprintf(path, sizeof(path), "/proc/%lld/statm",
	    (long long)pid);
	if ((f = fopen(path, "re")) == NULL)
		return (-1);
	if (fscanf(f, "%*d %lld", &pages) != 1)
		pages = -1;
	(void)fclose(f);
	return (pages < 0 ? -1 : pages * sysconf(_SC_PAGESIZE));
}

static int
put_life(struct slot_sums *sums, const struct slot_life *life)
{
	const bool relay = life->kind == SLOT_RELAY;
	const unsigned int kind = domain_find(DOMAIN_RESPONDER,
	    relay ? "relay" : "admin");
	const int64_t bytes = memory_of(life->pid);

	if (put(sums, METRIC_PROCESSES, kind, 0, 1) ||
	    put(sums, METRIC_PROCESS_START, kind, life->n,
	    life->started_ms) || (bytes >= 0 &&
	    put(sums, METRIC_PROCESS_MEMORY, kind, life->n, bytes)))
		return (-1);
	if (!relay)
		return (0);
	return (put(sums, METRIC_PROCESS_REQUESTS, kind, life->n,
	    life->gauges[SLOT_REQUESTS]) ||
	    put(sums, METRIC_PROCESS_CONNECTIONS, kind, life->n,
	    life->gauges[SLOT_CONNECTIONS]) ||
	    put(sums, METRIC_PROCESS_WAITING, kind, life->n,
	    life->gauges[SLOT_WAITING]) ? -1 : 0);
}

static int
put_lives(struct slot_sums *sums)
{
	const unsigned int relay = domain_find(DOMAIN_RESPONDER, "relay"),
	    admin = domain_find(DOMAIN_RESPONDER, "admin");
	size_t i;

	/* None of a kind is told, too. */
	if (put(sums, METRIC_PROCESSES, relay, 0, 0) ||
	    put(sums, METRIC_PROCESSES, admin, 0, 0))
		return (-1);
	for (i = 0; i < sums->nlives; i++) {
		if (put_life(sums, &sums->lives[i]))
			return (-1);
	}
	return (0);
}

static int
put_all(struct metrics *m, struct store *st, struct slot_sums *sums)
{
	const bool up = ask_pool(m, st);

	if (up && put_pool(sums, &m->now))
		return (-1);
	return (put_lives(sums) || put_spool(sums, m->spool_dir) ||
	    put(sums, METRIC_DATABASE_UP, 0, 0, up) ||
	    put(sums, METRIC_FREE, 0, 0, sums->free) ||
	    put(sums, METRIC_BUILD, 0, 0, 1) ? -1 : 0);
}

int
metrics_put(struct metrics *m, struct store *st, struct buf *out,
    struct err *err)
{
	struct slot_sums sums = { 0 };
	int rc;

	(void)pthread_mutex_lock(&m->lock);
	if ((rc = open_slots(m, err)) == 0 &&
	    (rc = slots_read(m->slots, &sums, err)) == 0 &&
	    (rc = put_all(m, st, &sums)) == 0) {
		slot_sums_sort(&sums);
		rc = metrics_text(&sums, out);
	}
	if (rc == 0)
		rc = m->read_ms == 0;
	(void)pthread_mutex_unlock(&m->lock);
	slot_sums_fini(&sums);
	if (rc == -1)
		err_set(err, ERR_NOMEM, "no memory for metrics");
	return (rc);
}
