#ifndef STORE_FAKE_H_
#define STORE_FAKE_H_

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "store/store.h"

/**
 * A database that does what a test tells it; not part of the programs.  Give
 * it to store_open or store_thread_start in their options:
 *
 *	options.driver = &store_driver_fake; options.driver_arg = fake;
 *
 * Without a script each call succeeds: a change changes one row, a query finds
 * none.  The schema is always the one wanted.
 */
struct store_fake;

extern const struct store_driver store_driver_fake;
extern const struct store_driver store_driver_fake_shared; /* store_shared() */

/** What is called.  FAKE_RUN stands for store_exec and store_query. */
enum fake_call {
	FAKE_OPEN,
	FAKE_BEGIN,
	FAKE_RUN,
	FAKE_COMMIT,
	FAKE_CALLS
};

/** One expected statement and what comes of it. */
struct fake_step {
	enum stmt_id id;
	enum err_code fail;	/* ERR_NONE: it succeeds */
	int64_t changes;	/* of a row that is executed */
	const struct store_value *rows;	/* result, row after row; borrowed */
	size_t nrows;
	size_t ncols;
};

/** store_fake_new(): NULL without memory.  free takes NULL; all stores on it
 * must be closed. */
struct store_fake *store_fake_new(void);
void store_fake_free(struct store_fake *f);

/**
 * store_fake_script(f, steps, n):
 * From now on expect just these statements, in this order (store_prepare's
 * and the store thread's own probe apart).  A statement that is not the next
 * one fails with ERR_INTERNAL.  The steps are borrowed.  Any thread.
 */
void store_fake_script(struct store_fake *f, const struct fake_step *steps,
    size_t n);

/** store_fake_left(f): Steps that were not reached. */
size_t store_fake_left(struct store_fake *f);

/**
 * store_fake_fail(f, call, code, times):
 * The next ${times} calls of this kind fail with ${code}; -1: all, until
 * told otherwise; 0: none.  Any thread.
 */
void store_fake_fail(struct store_fake *f, enum fake_call call,
    enum err_code code, int times);

/** store_fake_calls(f, call): How often it was called.  Any thread. */
unsigned int store_fake_calls(struct store_fake *f, enum fake_call call);

#endif /* !STORE_FAKE_H_ */
