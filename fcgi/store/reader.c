#include "config.h"

#include "base/clock.h"
#include "store/thread_internal.h"

/*
 * The thread that reads, on a connection of its own.  It works while the store
 * thread is up, however long that may be held up by somebody's lock.
 */
struct reader {
	struct store_thread *t;
	struct store *st;		/* opened at the first read */
	unsigned int lost;		/* of the thread, when it was */
	struct op_list done;
	uint64_t failures;
};

static void
hang_up(struct reader *rd)
{

	store_close(rd->st);
	rd->st = NULL;
}

/* Where the writer gave its connection up, ours may be to a file that was
 * replaced. */
static int
connect_reader(struct reader *rd, struct err *err)
{
	const struct store_thread *t = rd->t;
	struct store_options opt = t->options;
	unsigned int lost = atomic_load(&t->lost);

	if (rd->lost != lost)
		hang_up(rd);
	if (rd->st != NULL)
		return (0);
	opt.read_only = true;
	opt.create = false;
	rd->lost = lost;
	rd->st = store_open(t->url, &opt, err);
	if (rd->st == NULL)
		return (-1);
	if (store_prepare(rd->st, err) == -1) {
		hang_up(rd);
		return (-1);
	}
	return (0);
}

/* Once more if that may help. */
static int
read_op(struct reader *rd, struct store_op *op, struct err *err)
{
	const struct store_runner *r = rd->t->runner;
	int tries;

	for (tries = 0; tries < 2; tries++) {
		err_clear(err);
		err_clear(&op->err);
		if (connect_reader(rd, err) == -1)
			continue;
		if (r->read(r->arg, rd->st, op, err) == 0)
			return (0);
		err_set(err, ERR_INTERNAL, "a read failed without a reason");
		if (worker_is_lost(err->code))
			hang_up(rd);
		else if (!worker_heals(err->code))
			break;
	}
	return (-1);
}

/* Nothing is read while the database cannot be used: what is missing there is
 * not to be taken for unknown. */
static void
serve(struct reader *rd, struct store_op *op, const struct err *down)
{
	struct err err = { .code = ERR_NONE };
	int rc = -1;

	if (down->code != ERR_NONE)
		err_set(&err, ERR_STORE_DOWN, "%s", down->text);
	else if (op->deadline_ms != 0 &&
	    worker_now_ms(rd->t) >= op->deadline_ms)
		err_set(&err, ERR_STORE_DOWN, "the database could not be used "
		    "in time");
	else
		rc = read_op(rd, op, &err);
	if (rc == -1) {
		op->err = err;
		rd->failures++;
	}
	TAILQ_INSERT_TAIL(&rd->done, op, entry);
}

static void
post(struct reader *rd)
{
	struct store_thread *t = rd->t;
	bool stopping;

	pthread_mutex_lock(&t->mtx);
	TAILQ_CONCAT(&t->outbox, &rd->done, entry);
	t->stats.failures += rd->failures;
	stopping = t->stopping;
	pthread_mutex_unlock(&t->mtx);
	rd->failures = 0;
	loop_wake_post(t->wake);
	if (stopping)
		pthread_cond_signal(&t->news);
}

/* Sleep until there is something to read, or to refuse for the reason
 * ${down}.  False: the thread is to end. */
static bool
take_reads(struct store_thread *t, struct op_list *list, struct err *down)
{
	bool quit;

	err_clear(down);
	pthread_mutex_lock(&t->mtx);
	while (!t->quit && (TAILQ_EMPTY(&t->reads) ||
	    atomic_load(&t->state) == THREAD_STARTING))
		pthread_cond_wait(&t->to_read, &t->mtx);
	if (atomic_load(&t->state) == THREAD_DOWN)
		*down = t->why;
	quit = t->quit;
	if (!quit)
		TAILQ_CONCAT(list, &t->reads, entry);
	pthread_mutex_unlock(&t->mtx);
	return (!quit);
}

void *
reader_main(void *arg)
{
	struct reader rd = { .t = arg };
	struct op_list list = TAILQ_HEAD_INITIALIZER(list);
	struct store_op *op;
	struct err down;

	TAILQ_INIT(&rd.done);
	(void)pthread_setname_np(pthread_self(), "store-read");
	while (take_reads(rd.t, &list, &down)) {
		while ((op = TAILQ_FIRST(&list)) != NULL) {
			TAILQ_REMOVE(&list, op, entry);
			serve(&rd, op, &down);
		}
		post(&rd);
	}
	hang_up(&rd);
	return (NULL);
}
