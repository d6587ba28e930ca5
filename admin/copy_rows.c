#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/store.h"

#include "copy_rows.h"

/* ---- rows ---- */

int
copy_rows_init(struct copy_rows *c, size_t ncols, struct err *err)
{

	*c = (struct copy_rows) { .ncols = ncols };
	c->values = calloc(COPY_ROWS_MAX * (ncols == 0 ? 1 : ncols),
	    sizeof(*c->values));
	if (c->values != NULL)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for rows");
	return (-1);
}

void
copy_rows_forget(struct copy_rows *c)
{
	size_t i, n = c->nrows * c->ncols;

	for (i = 0; i < n; i++)
		free((void *)(uintptr_t)c->values[i].p);
	c->nrows = 0;
}

void
copy_rows_fini(struct copy_rows *c)
{

	copy_rows_forget(c);
	free(c->values);
	c->values = NULL;
}

int
copy_rows_keep(struct copy_rows *c, const struct store_value *row,
    struct err *err)
{
	struct store_value *to = c->values + c->nrows * c->ncols;
	char *p;
	size_t i;

	memset(to, 0, c->ncols * sizeof(*to));
	c->nrows++;
	for (i = 0; i < c->ncols; i++) {
		to[i] = row[i];
		to[i].p = NULL;
		if (row[i].type == STORE_NULL || row[i].type == STORE_INT)
			continue;
		if ((p = malloc(row[i].n + 1)) == NULL) {
			err_set(err, ERR_NOMEM, "no memory for a row");
			return (-1);
		}
		if (row[i].n > 0)
			memcpy(p, row[i].p, row[i].n);
		p[row[i].n] = '\0';
		to[i].p = p;
	}
	return (0);
}

/* ---- sums ---- */

/* A number that one store keeps as such is digits in another (meta). */
static void
add_value(struct copy_sum *sum, const struct store_value *v)
{
	char digits[24];

	if (v->type == STORE_INT)
		sum->bytes += (size_t)snprintf(digits, sizeof(digits), "%lld",
		    (long long)v->i);
	else
		sum->bytes += v->n;
	if (v->type == STORE_INT)
		sum->numbers += (uint64_t)v->i;
	else if (v->type == STORE_BLOB && v->n > 0 && v->n < 20 &&
	    strspn(v->p, "0123456789") == v->n)
		sum->numbers += strtoull(v->p, NULL, 10);
}

void
copy_sum_add(struct copy_sum *sum, const struct store_value *row, size_t n)
{
	size_t i;

	sum->rows++;
	for (i = 0; i < n; i++)
		add_value(sum, &row[i]);
}

int
copy_sum_compare(const struct copy_sum *from, const struct copy_sum *to,
    struct err *err)
{

	if (from->rows == to->rows && from->numbers == to->numbers &&
	    from->bytes == to->bytes)
		return (0);
	err_set(err, ERR_INTERNAL, "the copy of %s differs: %lld rows there, "
	    "%lld here, or their sums; remove the copy", from->table,
	    (long long)from->rows, (long long)to->rows);
	return (-1);
}
