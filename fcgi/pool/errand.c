#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "store/store.h"

#include "pool/errand.h"
#include "pool/runner.h"

/* A batch that met others is run again so often, after a pause. */
#define TRIES		5
#define PAUSE_MS	50

struct errand {
	struct store *st;
	struct shared shared;
	struct runner *runner;
	struct store_runner calls;
	size_t dead, unsure;	/* of the last beat */
};

struct errand *
errand_open(struct store *st, const struct conf *conf, struct seal *seal,
    struct err *err)
{
	struct errand *e;

	if ((e = calloc(1, sizeof(*e))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an errand");
		goto err0;
	}
	e->st = st;
	if (shared_init(&e->shared, err))
		goto err1;
	shared_configure(&e->shared, conf);
	if ((e->runner = runner_new(seal, conf->master_key_file,
	    clock_system(), &e->shared, err)) == NULL)
		goto err2;
	runner_bind(e->runner, &e->calls);
	if (responder_open(&e->runner->self, "admin", conf->host_name,
	    conf->run_dir, err) ||
	    e->calls.connected(e->runner, st, err))
		goto err3;
	return (e);

err3:
	runner_free(e->runner);
err2:
	shared_fini(&e->shared);
err1:
	free(e);
err0:
	return (NULL);
}

static int
run_once(struct errand *e, struct store_op **ops, size_t n, struct err *err)
{
	struct reaper *r = &e->runner->reaper;
	int rc;

	if (store_begin(e->st, true, err))
		return (-1);
	rc = e->calls.run(e->runner, NULL, e->st, ops, n, err);
	e->dead = r->ndead;
	e->unsure = r->next->n;
	if (rc == 0)
		rc = store_commit(e->st, err);
	else
		store_rollback(e->st);
	e->calls.ended(e->runner, NULL, rc == 0);
	return (rc);
}

static int
run(struct errand *e, struct store_op **ops, size_t n, struct err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	struct err why;
	int tries;

	for (tries = 1;; tries++) {
		why = (struct err) { .code = ERR_NONE };
		if (run_once(e, ops, n, &why) == 0)
			return (0);
		if (why.code != ERR_STORE_BUSY || tries == TRIES)
			break;
		(void)nanosleep(&pause, NULL);
	}
	err_set(err, why.code, "%s", why.text);
	return (-1);
}

int
errand_do(struct errand *e, struct store_op *op, struct err *err)
{
	struct store_op beat = { .kind = OP_BEAT, .urgent = true };
	struct store_op *ops[2] = { &beat, op };

	op->err = (struct err) { .code = ERR_NONE };
	if (run(e, ops, 2, err))
		return (-1);
	if (op->err.code == ERR_NONE)
		return (0);
	err_set(err, op->err.code, "%s", op->err.text);
	return (-1);
}

int
errand_beat(struct errand *e, size_t *dead, size_t *unsure, struct err *err)
{
	struct store_op beat = { .kind = OP_BEAT, .urgent = true };
	struct store_op *op = &beat;

	if (run(e, &op, 1, err))
		return (-1);
	*dead = e->dead;
	*unsure = e->unsure;
	return (0);
}

const struct runner *
errand_runner(const struct errand *e)
{

	return (e->runner);
}

/* A row that cannot be taken away is found dead by its lock file. */
void
errand_close(struct errand *e)
{
	struct store_op off = { .kind = OP_SIGN_OFF };
	struct store_op *op = &off;

	if (e == NULL)
		return;
	e->runner->self.keep_files = run(e, &op, 1, NULL) != 0;
	runner_free(e->runner);
	shared_fini(&e->shared);
	free(e);
}
