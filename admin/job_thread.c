#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "store/store.h"

#include "jobs.h"
#include "notify_outbox.h"

#include "job_thread.h"

/* Jobs are looked at so often; a database that failed is left alone for a
 * while. */
#define LOOK_MS		1000
#define AGAIN_MS	5000

/* And the spool of this host, which whoever notifies may not see. */
#define SPOOL_MS	INT64_C(60000)

struct job_thread {
	const char *conf_path;
	struct log *log;
	pthread_t thread;

	/* the thread's own */
	struct conf *conf;
	struct store *store;	/* NULL: not connected */
	bool planned;		/* the rows say what .conf does */
	bool told;		/* that the database is away */
	char by[256];
	int64_t spool_ms;	/* monotonic: when it was looked at */

	pthread_mutex_t lock;	/* guards what follows */
	pthread_cond_t woken;
	bool reload;
	bool over;
};

static bool
is_over(void *arg)
{
	struct job_thread *t = arg;
	bool over;

	(void)pthread_mutex_lock(&t->lock);
	over = t->over;
	(void)pthread_mutex_unlock(&t->lock);
	return (over);
}

/* Sleep; true: it is over. */
static bool
rest(struct job_thread *t, int64_t ms)
{
	const struct timespec end = cond_in(ms);
	bool over;

	(void)pthread_mutex_lock(&t->lock);
	while (!t->over && !t->reload && pthread_cond_timedwait(&t->woken,
	    &t->lock, &end) == 0)
		continue;
	over = t->over;
	(void)pthread_mutex_unlock(&t->lock);
	return (over);
}

/* ---- settings and database ---- */

static void
disconnect(struct job_thread *t)
{

	if (t->store != NULL)
		store_close(t->store);
	t->store = NULL;
}

/* Settings that cannot be read leave the ones that there are. */
static void
heed_reload(struct job_thread *t)
{
	struct err err = { .code = ERR_NONE };
	struct conf *conf;
	bool wanted;

	(void)pthread_mutex_lock(&t->lock);
	wanted = t->reload;
	t->reload = false;
	(void)pthread_mutex_unlock(&t->lock);
	if (!wanted)
		return;
	if ((conf = conf_load(t->conf_path, &err)) == NULL) {
		log_note(t->log, LOG_LEVEL_ERROR, "job", "reload", &err);
		return;
	}
	conf_free(t->conf);
	t->conf = conf;
	t->planned = false;
}

static int
connect_store(struct job_thread *t, struct err *err)
{
	const struct store_options opt = {
		.synchronous_full =
		    strcmp(t->conf->sqlite_synchronous, "full") == 0,
		.busy_timeout_ms = t->conf->store_timeout_ms,
	};

	if (t->store == NULL) {
		t->store = store_open(t->conf->store, &opt, err);
		if (t->store == NULL || store_prepare(t->store, err))
			return (-1);
	}
	if (t->planned)
		return (0);
	if (jobs_plan(t->store, t->conf, err))
		return (-1);
	t->planned = true;
	return (0);
}

/* ---- jobs ---- */

static void
note_outcome(struct job_thread *t, const struct job *job,
    const struct job_outcome *out)
{
	struct log_line l;

	log_begin(&l, t->log, out->result == JOB_FAILED ? LOG_LEVEL_ERROR :
	    LOG_LEVEL_INFO, NULL, "job", job_result_name(out->result));
	log_str(&l, "name", job->name);
	log_int(&l, "ms", out->duration_ms);
	log_str(&l, "said", out->said);
	log_end(&l);
}

static int
look_at_spool(struct job_thread *t, struct err *err)
{
	int64_t now_ms = clock_mono_ms(clock_system());

	if (t->spool_ms != 0 && now_ms - t->spool_ms < SPOOL_MS)
		return (0);
	t->spool_ms = now_ms;
	return (notify_spool(t->store, t->conf, err));
}

static int
run_due(struct job_thread *t, struct err *err)
{
	const struct job_runner runner = {
		.st = t->store,
		.conf = t->conf,
		.by = t->by,
		.stopping = is_over,
		.arg = t,
	};
	const struct job *table;
	struct job_outcome out;
	size_t i, n;

	table = jobs_table(&n);
	for (i = 0; i < n && !is_over(t); i++) {
		if (job_run(&runner, &table[i], false, &out, err))
			return (-1);
		if (out.taken == JOB_TAKEN)
			note_outcome(t, &table[i], &out);
	}
	return (0);
}

static bool
look(struct job_thread *t)
{
	struct err err = { .code = ERR_NONE };

	heed_reload(t);
	if (connect_store(t, &err) == 0 && look_at_spool(t, &err) == 0 &&
	    run_due(t, &err) == 0) {
		t->told = false;
		return (rest(t, LOOK_MS));
	}
	if (err.code == ERR_STORE_BUSY)
		return (rest(t, LOOK_MS));
	if (!t->told)
		log_note(t->log, LOG_LEVEL_WARN, "job", "no_look", &err);
	t->told = true;
	disconnect(t);
	return (rest(t, AGAIN_MS));
}

static void *
live(void *arg)
{
	struct job_thread *t = arg;

	while (!look(t))
		continue;
	disconnect(t);
	return (NULL);
}

/* ---- life ---- */

static void
job_thread_free(struct job_thread *t)
{

	conf_free(t->conf);
	(void)pthread_cond_destroy(&t->woken);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

struct job_thread *
job_thread_start(const char *conf_path, struct log *log, struct err *err)
{
	struct job_thread *t;
	int rc;

	if ((t = calloc(1, sizeof(*t))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for jobs");
		return (NULL);
	}
	t->conf_path = conf_path;
	t->log = log;
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)cond_init(&t->woken);
	if ((t->conf = conf_load(conf_path, err)) == NULL)
		goto err0;
	jobs_by(t->conf, t->by, sizeof(t->by));
	if ((rc = pthread_create(&t->thread, NULL, live, t)) != 0) {
		err_set_errno(err, ERR_NOMEM, rc, "cannot start a thread");
		goto err0;
	}
	return (t);

err0:
	job_thread_free(t);
	return (NULL);
}

void
job_thread_reload(struct job_thread *t)
{

	(void)pthread_mutex_lock(&t->lock);
	t->reload = true;
	(void)pthread_cond_signal(&t->woken);
	(void)pthread_mutex_unlock(&t->lock);
}

void
job_thread_stop(struct job_thread *t)
{

	if (t == NULL)
		return;
	(void)pthread_mutex_lock(&t->lock);
	t->over = true;
	(void)pthread_cond_signal(&t->woken);
	(void)pthread_mutex_unlock(&t->lock);
	(void)pthread_join(t->thread, NULL);
	job_thread_free(t);
}
