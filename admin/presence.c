#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/cond.h"
#include "base/err.h"
#include "base/log.h"
#include "pool/responder.h"
#include "pool/shared.h"
#include "store/store.h"

#include "presence.h"

struct presence {
	struct presence_params params;
	struct responder self;
	struct store *store;	/* NULL: not connected */
	bool told;		/* that the database is away */
	pthread_t thread;
	pthread_mutex_t lock;	/* guards over */
	pthread_cond_t woken;
	bool over;
};

static int
connect_store(struct presence *p, struct err *err)
{
	const struct store_options opt = {
		.busy_timeout_ms = p->params.busy_timeout_ms,
	};

	if (p->store != NULL)
		return (0);
	if ((p->store = store_open(p->params.store_url, &opt, err)) == NULL)
		return (-1);
	return (store_prepare(p->store, err));
}

static void
disconnect(struct presence *p)
{

	if (p->store != NULL)
		store_close(p->store);
	p->store = NULL;
}

/* In a transaction: a beat, or a row where there is none (any more). */
static int
beat_inside(struct presence *p, struct err *err)
{
	const struct pool_settings now = {
		.requests = __atomic_load_n(p->params.requests,
		    __ATOMIC_RELAXED),
	};
	int rc = 0;

	if (p->self.id != 0)
		rc = responder_beat(&p->self, p->store, &now, err);
	if (rc == 0)
		rc = responder_register(&p->self, p->store, err);
	return (rc < 0 ? -1 : 0);
}

static int
sign_off_inside(struct presence *p, struct err *err)
{
	const struct store_value id = store_int(p->self.id);

	return (store_exec(p->store, STMT_RESPONDER_REMOVE, &id, 1, 1, NULL,
	    err));
}

static int
transact(struct presence *p, int (*inside)(struct presence *, struct err *),
    struct err *err)
{
	int rc;

	if (connect_store(p, err) || store_begin(p->store, true, err))
		goto err0;
	if ((rc = inside(p, err)) != 0)
		store_rollback(p->store);
	else
		rc = store_commit(p->store, err);
	(void)responder_ended(&p->self, rc == 0);
	if (rc == 0)
		return (0);

err0:
	disconnect(p);
	return (-1);
}

static void
beat(struct presence *p)
{
	struct err err = { .code = ERR_NONE };

	if (transact(p, beat_inside, &err) == 0) {
		p->told = false;
		return;
	}
	if (!p->told)
		log_note(p->params.log, LOG_LEVEL_WARN, "admin", "no_beat",
		    &err);
	p->told = true;
}

/* Until the next beat is due; true: it is over. */
static bool
rest(struct presence *p)
{
	const struct timespec end = cond_in(p->params.interval_ms);
	bool over;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->over && pthread_cond_timedwait(&p->woken, &p->lock,
	    &end) == 0)
		continue;
	over = p->over;
	(void)pthread_mutex_unlock(&p->lock);
	return (over);
}

static void *
live(void *arg)
{
	struct presence *p = arg;

	do {
		beat(p);
		if (responder_heard(p->self.wake_fd))
			(void)kill(getpid(), SIGHUP);
	} while (!rest(p));

	/* A row that cannot be taken away is found dead by its lock file. */
	if (p->self.id != 0)
		p->self.keep_files = transact(p, sign_off_inside, NULL) != 0;
	disconnect(p);
	return (NULL);
}

static void
presence_free(struct presence *p)
{

	responder_close(&p->self);
	(void)pthread_cond_destroy(&p->woken);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

struct presence *
presence_start(const struct presence_params *params, struct err *err)
{
	struct presence *p;
	int rc;

	if ((p = calloc(1, sizeof(*p))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the beat");
		return (NULL);
	}
	p->params = *params;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)cond_init(&p->woken);
	if (responder_open(&p->self, "admin", params->host_name,
	    params->run_dir, err))
		goto err0;
	if ((rc = pthread_create(&p->thread, NULL, live, p)) != 0) {
		err_set_errno(err, ERR_NOMEM, rc, "cannot start a thread");
		goto err0;
	}
	return (p);

err0:
	presence_free(p);
	return (NULL);
}

void
presence_stop(struct presence *p)
{

	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->over = true;
	(void)pthread_cond_signal(&p->woken);
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_join(p->thread, NULL);
	presence_free(p);
}
