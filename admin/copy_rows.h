#ifndef ADMIN_COPY_ROWS_H_
#define ADMIN_COPY_ROWS_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct store_value;

/** Rows on their way from one store to another, with copies of their texts;
 * and sums, which tell whether another table holds the same. */

#define COPY_ROWS_MAX	256

struct copy_rows {
	size_t ncols;
	size_t nrows;			/* COPY_ROWS_MAX: full */
	struct store_value *values;	/* row after row */
};

/** Rows of a table, and sums of its numbers and of the lengths of its
 * texts. */
struct copy_sum {
	const char *table;
	int64_t rows;
	uint64_t numbers;
	uint64_t bytes;
};

/** copy_rows_init(c, ncols, err), copy_rows_fini(c): 0, or ERR_NOMEM. */
int copy_rows_init(struct copy_rows *c, size_t ncols, struct err *err)
    __attribute__((__warn_unused_result__));
void copy_rows_fini(struct copy_rows *c);

/** copy_rows_keep(c, row, err): One more, which has room; 0, or ERR_NOMEM.
 * copy_rows_forget(c): All. */
int copy_rows_keep(struct copy_rows *c, const struct store_value *row,
    struct err *err) __attribute__((__warn_unused_result__));
void copy_rows_forget(struct copy_rows *c);

/** copy_sum_add(sum, row, n): A row of ${n} columns. */
void copy_sum_add(struct copy_sum *sum, const struct store_value *row,
    size_t n);

/** copy_sum_compare(from, to, err): 0 if they are the same; -1:
 * ERR_INTERNAL. */
int copy_sum_compare(const struct copy_sum *from, const struct copy_sum *to,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_COPY_ROWS_H_ */
