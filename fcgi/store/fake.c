#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/driver.h"
#include "store/fake.h"

struct store_fake {
	pthread_mutex_t mtx;	/* guards all */
	const struct fake_step *steps;	/* NULL: no script */
	size_t nsteps, istep;
	struct {
		enum err_code code;
		int times;
		unsigned int calls;
	} calls[FAKE_CALLS];
};

struct fake_store {
	struct store st;
	struct store_fake *fake;
	int64_t insert_id;
};

static const char *const call_names[] = {
	[FAKE_OPEN] = "open",
	[FAKE_BEGIN] = "begin",
	[FAKE_RUN] = "run",
	[FAKE_COMMIT] = "commit",
};

_Static_assert(sizeof(call_names) / sizeof(call_names[0]) == FAKE_CALLS,
    "one name for each call");

struct store_fake *
store_fake_new(void)
{
	struct store_fake *f;

	f = calloc(1, sizeof(*f));
	if (f != NULL)
		pthread_mutex_init(&f->mtx, NULL);
	return (f);
}

void
store_fake_free(struct store_fake *f)
{

	if (f == NULL)
		return;
	pthread_mutex_destroy(&f->mtx);
	free(f);
}

void
store_fake_script(struct store_fake *f, const struct fake_step *steps,
    size_t n)
{

	pthread_mutex_lock(&f->mtx);
	f->steps = steps;
	f->nsteps = n;
	f->istep = 0;
	pthread_mutex_unlock(&f->mtx);
}

size_t
store_fake_left(struct store_fake *f)
{
	size_t left;

	pthread_mutex_lock(&f->mtx);
	left = f->nsteps - f->istep;
	pthread_mutex_unlock(&f->mtx);
	return (left);
}

void
store_fake_fail(struct store_fake *f, enum fake_call call,
    enum err_code code, int times)
{

	pthread_mutex_lock(&f->mtx);
	f->calls[call].code = code;
	f->calls[call].times = times;
	pthread_mutex_unlock(&f->mtx);
}

unsigned int
store_fake_calls(struct store_fake *f, enum fake_call call)
{
	unsigned int n;

	pthread_mutex_lock(&f->mtx);
	n = f->calls[call].calls;
	pthread_mutex_unlock(&f->mtx);
	return (n);
}

/* Count a call, and let it fail if it is to. */
static int
called(struct store_fake *f, enum fake_call call, struct err *err)
{
	enum err_code code = ERR_NONE;

	pthread_mutex_lock(&f->mtx);
	f->calls[call].calls++;
	if (f->calls[call].times != 0)
		code = f->calls[call].code;
	if (f->calls[call].times > 0)
		f->calls[call].times--;
	pthread_mutex_unlock(&f->mtx);
	if (code == ERR_NONE)
		return (0);
	err_set(err, code, "the fake fails to %s", call_names[call]);
	return (-1);
}

/*
 * The next step of the script.  1 with *${step}; 0 without a script; -1 if it
 * is another one or is to fail.
 */
static int
next_step(struct store_fake *f, enum stmt_id id, struct fake_step *step,
    struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&f->mtx);
	if (f->steps == NULL || id == STMT_PROBE)
		goto done;
	rc = -1;
	if (f->istep == f->nsteps)
		err_set(err, ERR_INTERNAL, "statement %s comes after the end "
		    "of the script", stmts[id].name);
	else if (f->steps[f->istep].id != id)
		err_set(err, ERR_INTERNAL, "statement %s comes instead of %s",
		    stmts[id].name, stmts[f->steps[f->istep].id].name);
	else {
		*step = f->steps[f->istep++];
		rc = 1;
	}
done:
	pthread_mutex_unlock(&f->mtx);
	if (rc == 1 && step->fail != ERR_NONE) {
		err_set(err, step->fail, "statement %s fails by the script",
		    stmts[id].name);
		rc = -1;
	}
	return (rc);
}

static struct store *
fake_open(const char *where, const struct store_options *opt,
    struct err *err)
{
	struct fake_store *s;

	(void)where;
	if (called(opt->driver_arg, FAKE_OPEN, err) == -1)
		return (NULL);
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the fake store");
		return (NULL);
	}
	s->fake = opt->driver_arg;
	return (&s->st);
}

static void
fake_close(struct store *st)
{

	free(st);
}

static int
fake_prepare(struct store *st, enum stmt_id id, struct err *err)
{

	(void)st;
	(void)id;
	(void)err;
	return (0);
}

static int
fake_begin(struct store *st, bool write, struct err *err)
{

	(void)write;
	return (called(((struct fake_store *)st)->fake, FAKE_BEGIN, err));
}

static int
fake_commit(struct store *st, struct err *err)
{

	return (called(((struct fake_store *)st)->fake, FAKE_COMMIT, err));
}

static void
fake_rollback(struct store *st)
{

	(void)st;
}

static int
fake_exec(struct store *st, enum stmt_id id, const struct store_value *rows,
    size_t nrows, int64_t *changes, struct err *err)
{
	struct fake_store *s = (struct fake_store *)st;
	struct fake_step step = { .changes = 1 };
	size_t i;

	(void)rows;
	if (called(s->fake, FAKE_RUN, err) == -1 ||
	    next_step(s->fake, id, &step, err) == -1)
		return (-1);
	s->insert_id++;
	for (i = 0; changes != NULL && i < nrows; i++)
		changes[i] = step.changes;
	return (0);
}

static int64_t
fake_query(struct store *st, enum stmt_id id,
    const struct store_value *params, store_row_cb *row_cb, void *arg,
    struct err *err)
{
	struct fake_store *s = (struct fake_store *)st;
	const struct store_value there = store_int(1),
	    version = store_int(store_schema_wanted());
	struct fake_step step = { .nrows = 0 };
	size_t i;
	int rc;

	(void)params;
	if (id == STMT_MIGRATION_TABLE || id == STMT_MIGRATION_NEWEST)
		return (row_cb(arg, id == STMT_MIGRATION_TABLE ? &there :
		    &version, 1) == -1 ? -1 : 1);
	if (called(s->fake, FAKE_RUN, err) == -1 ||
	    next_step(s->fake, id, &step, err) == -1)
		return (-1);
	for (i = 0; i < step.nrows; i++) {
		rc = row_cb(arg, step.rows + i * step.ncols, step.ncols);
		if (rc != 0)
			return (rc == -1 ? -1 : (int64_t)i + 1);
	}
	return ((int64_t)step.nrows);
}

static int
fake_run_script(struct store *st, const char *sql, struct err *err)
{

	(void)sql;
	return (called(((struct fake_store *)st)->fake, FAKE_RUN, err));
}

static int64_t
fake_insert_id(struct store *st)
{

	return (((struct fake_store *)st)->insert_id);
}

static int64_t
fake_now_ms(struct store *st)
{

	(void)st;
	return (clock_wall_ms(clock_system()));
}

#define DRIVER(is_shared)	{					\
	.scheme = "fake",						\
	.dialect = STMT_DIALECT_SQLITE,					\
	.shared = (is_shared),						\
	.open = fake_open,						\
	.close = fake_close,						\
	.prepare = fake_prepare,					\
	.begin = fake_begin,						\
	.commit = fake_commit,						\
	.rollback = fake_rollback,					\
	.exec = fake_exec,						\
	.query = fake_query,						\
	.script = fake_run_script,					\
	.insert_id = fake_insert_id,					\
	.now_ms = fake_now_ms,						\
}

const struct store_driver store_driver_fake = DRIVER(false);
const struct store_driver store_driver_fake_shared = DRIVER(true);
