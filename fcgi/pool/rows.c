#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#include "pool/rows.h"

void
rows_init(struct rows *r, enum stmt_id id, bool counted)
{

	*r = (struct rows) {
		.id = id,
		.nparams = stmts[id].nparams,
		.counted = counted,
	};
}

void
rows_fini(struct rows *r)
{

	free(r->v);
	free(r->changes);
	rows_init(r, r->id, r->counted);
}

void
rows_reset(struct rows *r)
{

	r->n = 0;
	r->failed = false;
}

static int
grow(struct rows *r)
{
	size_t cap = r->cap == 0 ? 16 : r->cap * 2;
	struct store_value *v;
	int64_t *changes;

	if (cap > ROWS_MAX)
		return (-1);
	v = realloc(r->v, cap * r->nparams * sizeof(*v));
	if (v == NULL)
		return (-1);
	r->v = v;
	changes = realloc(r->changes, cap * sizeof(*changes));
	if (changes == NULL)
		return (-1);
	r->changes = changes;
	r->cap = cap;
	return (0);
}

void
rows_put(struct rows *r, const struct store_value *v, size_t nparams)
{

	if (nparams != r->nparams || (r->n == r->cap && grow(r))) {
		r->failed = true;
		return;
	}
	memcpy(r->v + r->n * nparams, v, nparams * sizeof(*v));
	r->n++;
}

int
rows_exec(struct rows *r, struct store *st, struct err *err)
{
	size_t n = r->n;
	bool failed = r->failed;

	rows_reset(r);
	if (failed) {
		err_set(err, ERR_NOMEM, "no room for the rows of \"%s\"",
		    stmts[r->id].name);
		return (-1);
	}
	if (n == 0)
		return (0);
	return (store_exec(st, r->id, r->v, n, r->nparams, r->counted ?
	    r->changes : NULL, err));
}
