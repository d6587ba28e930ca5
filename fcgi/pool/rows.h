#ifndef POOL_ROWS_H_
#define POOL_ROWS_H_

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

struct err;

/**
 * Rows of parameters that are collected while a batch is worked through and
 * then given to the store in one go.  What they point to (texts) must stay
 * until rows_exec.  The error is sticky: rows that found no memory are
 * reported by rows_exec.  Store thread.
 */

#define ROWS_MAX	4096	/* of one statement in one batch */

struct rows {
	enum stmt_id id;
	struct store_value *v;
	size_t nparams;
	size_t n, cap;		/* in rows */
	bool failed;
	bool counted;		/* ${changes} is wanted */
	int64_t *changes;	/* of the last rows_exec, one a row */
};

void rows_init(struct rows *r, enum stmt_id id, bool counted);
void rows_fini(struct rows *r);

/** rows_put(r, v, nparams): Copy one row. */
void rows_put(struct rows *r, const struct store_value *v, size_t nparams);

#define ROWS_PUT(r, ...) rows_put((r),					\
	(const struct store_value[]) { __VA_ARGS__ },			\
	sizeof((const struct store_value[]) { __VA_ARGS__ }) /		\
	sizeof(struct store_value))

/**
 * rows_exec(r, st, err): Run them and forget them; ${r}->changes tells what
 * each did, until the next call.  Nothing is sent if there is none.  0, or -1.
 */
int rows_exec(struct rows *r, struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));

/** rows_reset(r): Forget them. */
void rows_reset(struct rows *r);

#endif /* !POOL_ROWS_H_ */
