#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ledger/id.h"
#include "ledger/price.h"

#include "pool/budgets.h"
#include "pool/model_ask.h"
#include "pool/models.h"
#include "pool/objects.h"
#include "pool/place.h"
#include "pool/runner.h"

/* ---- admission ---- */

static int __attribute__((__format__(__printf__, 3, 4)))
refuse(struct admit_op *op, enum admit_verdict verdict, const char *fmt, ...)
{
	va_list ap;

	op->verdict = verdict;
	va_start(ap, fmt);
	(void)vsnprintf(op->reason, sizeof(op->reason), fmt, ap);
	va_end(ap);
	return (0);
}

/* id, account, created, who counted it or 0, model, is it gone? */
struct found {
	bool there;
	int64_t id, account_id, created_ms, counted_by;
	bool gone;
	char model[LIMIT_NAME_BYTES];
};

static int
found_row(void *arg, const struct store_value *c, size_t n)
{
	struct found *f = arg;

	(void)n;
	f->there = true;
	f->id = store_get_int(&c[0]);
	f->account_id = store_get_int(&c[1]);
	f->created_ms = store_get_int(&c[2]);
	f->counted_by = store_get_int(&c[3]);
	f->gone = store_get_int(&c[5]) != 0;
	snprintf(f->model, sizeof(f->model), "%s", store_get_text(&c[4]));
	return (1);
}

static int
find(struct store *st, int64_t key_id, enum object_kind kind, const char *id,
    struct found *f, struct err *err)
{
	const struct store_value params[] = { store_int(key_id),
		store_text(object_kind_name(kind)), store_text(id) };

	f->there = false;
	return (store_query(st, STMT_OBJECT_FIND, params, 3, found_row, f,
	    err) < 0 ? -1 : 0);
}

/* The same whether nobody has it or another key does. */
static int
refuse_unknown(struct admit_op *op, const struct object_ask *ask,
    const char *id)
{

	return (refuse(op, ADMIT_OBJECT, "%s not found: %s",
	    ask->names == OBJECT_BATCH ? "Message batch" : "File", id));
}

/* All that are named are in one account. */
static int
find_account(struct runner *rn, struct admit_op *op, struct err *err)
{
	struct object_ask *ask = op->objects;
	struct found f;
	size_t i;

	for (i = 0; i < ask->n; i++) {
		if (find(rn->st, op->key->id, ask->names, ask->ids[i], &f,
		    err))
			return (-1);
		if (!f.there)
			return (refuse_unknown(op, ask, ask->ids[i]));
		if (i > 0 && f.account_id != op->account_id)
			return (refuse(op, ADMIT_APART, "the files that this "
			    "request names are in different upstream accounts;"
			    " upload those again that are to be used "
			    "together"));
		op->account_id = f.account_id;
	}
	if (ask->follows) {
		ask->id = f.id;
		ask->created_ms = f.created_ms;
		ask->counted = f.counted_by != 0;
		ask->gone = f.gone;
		memcpy(op->model, f.model, sizeof(f.model));
	}
	return (1);
}

/* An account can be used no more when it is not there, not enabled, or (by a
 * request that costs something) not one that the key is bound to. */
int
objects_resolve(struct runner *rn, struct admit_op *op,
    const struct key_state *key, struct err *err)
{
	struct object_ask *ask = op->objects;
	const struct account *a;
	int rc;

	if (ask == NULL || op->op.kind != OP_ADMIT)
		return (1);
	op->account_id = 0;
	if (ask->more)
		return (refuse(op, ADMIT_APART, "the request names more than "
		    "%d files", OBJECT_NAMES_MAX));
	if (ask->n == 0)
		return (1);
	if ((rc = find_account(rn, op, err)) != 1)
		return (rc);
	a = snapshot_account(rn->snapshot, op->account_id);
	if (a == NULL || !a->enabled || a->secret == NULL)
		return (refuse(op, ADMIT_NO_ACCOUNT, "the upstream account "
		    "that holds this %s is switched off here, and no other "
		    "knows it", object_kind_name(ask->names)));
	if (!ask->follows && !choose_bound(a, key->bind_kind, key->bind_id))
		return (refuse(op, ADMIT_NO_ACCOUNT, "the upstream account "
		    "that holds this file is not one of this key's any "
		    "more"));
	return (1);
}

/* Batches are sold at a part of the price, if there is one. */
static bool
has_price(const struct runner *rn, const char *platform, const char *model,
    int64_t at_ms)
{
	const struct price_list *list = &rn->snapshot->prices;
	const struct price *p;

	p = price_find(list, platform, model, 0, at_ms);
	if (p == NULL && rn->set.unpriced == UNPRICED_DEFAULT)
		p = price_default(list, platform, 0, at_ms);
	return (p != NULL && p->batch_percent > 0);
}

bool
objects_priced(const struct runner *rn, const struct admit_op *op,
    const struct account *a, const char **model)
{
	int64_t at_ms = ledger_id_created_ms(op->ledger_id);
	size_t i;

	for (i = 0; op->also != NULL && i < op->also->n; i++) {
		*model = account_model(a, op->also->names[i]);
		if (!has_price(rn, a->platform, *model, at_ms))
			return (false);
	}
	return (true);
}

int
objects_may(const struct runner *rn, struct admit_op *op,
    const struct key_state *key)
{

	if (op->objects == NULL || op->objects->makes != OBJECT_BATCH)
		return (1);
	if (budgets_measure(rn->snapshot, key))
		return (refuse(op, ADMIT_FEATURE, "what a batch may cost "
		    "cannot be told beforehand, and this key has a budget in "
		    "money or tokens, or one for some models only"));
	return (1);
}

int
objects_home(struct runner *rn, const struct admit_op *op, struct want *w,
    struct err *err)
{
	struct store_value params[2];

	if (op->objects == NULL || op->objects->makes != OBJECT_FILE)
		return (0);
	params[0] = store_int(op->key->id);
	params[1] = store_text(object_kind_name(OBJECT_FILE));
	return (store_one(rn->st, STMT_OBJECT_NEWEST, params, 2, &w->home, 1,
	    err) < 0 ? -1 : 0);
}

/* ---- changes ---- */

static int
put(struct runner *rn, const struct object_op *op, struct err *err)
{
	const struct store_value row[] = {
		store_text(object_kind_name(op->kind)),
		store_text(op->upstream_id), store_int(op->account_id),
		store_int(op->key_id), store_int(op->ledger_id),
		store_text(op->model), store_int(op->final),
		store_int(op->unheard), store_int(rn->now_ms),
		store_text(op->seen),
	};

	return (store_exec(rn->st, STMT_OBJECT_PUT, row, 1, 10, NULL, err));
}

static int
drop(struct runner *rn, const struct object_op *op, struct err *err)
{
	const struct store_value row[] = { store_int(op->key_id),
		store_text(object_kind_name(op->kind)),
		store_text(op->upstream_id) };

	return (store_exec(rn->st, STMT_OBJECT_DROP, row, 1, 3, NULL, err));
}

static int
see(struct runner *rn, const struct object_op *op, struct err *err)
{
	const struct store_value row[] = { store_text(op->seen),
		store_int(op->final), store_int(op->key_id),
		store_text(object_kind_name(op->kind)),
		store_text(op->upstream_id) };

	return (store_exec(rn->st, STMT_OBJECT_SEEN, row, 1, 5, NULL, err));
}

static int
mark(struct runner *rn, const struct object_op *op, struct err *err)
{
	const struct store_value row[] = {
		op->gone ? store_int(rn->now_ms) : store_null(),
		store_int(op->key_id), store_text(object_kind_name(op->kind)),
		store_text(op->upstream_id) };

	return (store_exec(rn->st, STMT_OBJECT_GONE, row, 1, 4, NULL, err));
}

int
objects_run(struct runner *rn, struct err *err)
{
	static const struct {
		enum op_kind kind;
		int (*run)(struct runner *rn, const struct object_op *op,
		    struct err *err);
	} runs[] = {
		{ OP_OBJECT_PUT, put },
		{ OP_OBJECT_SEEN, see },
		{ OP_OBJECT_DROP, drop },
		{ OP_OBJECT_GONE, mark },
	};
	const struct op_list *l;
	size_t i, k;

	for (k = 0; k < sizeof(runs) / sizeof(runs[0]); k++) {
		l = &rn->lists[runs[k].kind];
		for (i = 0; i < l->n; i++) {
			if (runs[k].run(rn, (const struct object_op *)
			    (const void *)l->ops[i], err))
				return (-1);
		}
	}
	return (0);
}

int
objects_count(struct runner *rn, int64_t id, int64_t ledger_id,
    struct err *err)
{
	const struct store_value row[] = { store_int(ledger_id),
		store_int(id) };
	int64_t changes;

	if (store_exec(rn->st, STMT_OBJECT_COUNT, row, 1, 2, &changes, err))
		return (-1);
	return (changes > 0);
}

/* ---- lists ---- */

void
object_list_wipe(struct object_list_op *op)
{

	while (op->n > 0)
		free(op->rows[--op->n].seen);
}

struct reading {
	struct object_list_op *op;
	struct err *err;
};

/* id, upstream id, account, final, seen */
static int
list_row(void *arg, const struct store_value *c, size_t n)
{
	struct reading *r = arg;
	struct object_list_op *op = r->op;
	struct object_row *row = &op->rows[op->n];

	(void)n;
	if (op->n == op->limit) {
		op->more = true;
		return (1);
	}
	row->id = store_get_int(&c[0]);
	snprintf(row->upstream_id, sizeof(row->upstream_id), "%s",
	    store_get_text(&c[1]));
	row->account_id = store_get_int(&c[2]);
	row->final = store_get_int(&c[3]) != 0;
	if ((row->seen = strdup(store_get_text(&c[4]))) == NULL) {
		err_set(r->err, ERR_NOMEM, "no memory for a list");
		return (-1);
	}
	op->n++;
	return (0);
}

static int
read_page(struct store *st, struct object_list_op *op, enum stmt_id stmt,
    struct store_value third, struct err *err)
{
	struct reading r = { .op = op, .err = err };
	const struct store_value params[] = { store_int(op->key->id),
		store_text(object_kind_name(op->kind)), third,
		store_int((int64_t)op->limit + 1) };

	return (store_query(st, stmt, params, stmt == STMT_OBJECTS_NAMED ? 3 :
	    4, list_row, &r, err) < 0 ? -1 : 0);
}

static int
newest_first(const void *a, const void *b)
{
	const struct object_row *x = a, *y = b;

	return (x->id > y->id ? -1 : x->id < y->id);
}

static int
read_named(struct store *st, struct object_list_op *op, struct err *err)
{
	size_t i;

	for (i = 0; i < op->only->n && op->n < op->limit; i++) {
		if (read_page(st, op, STMT_OBJECTS_NAMED,
		    store_text(op->only->ids[i]), err))
			return (-1);
	}
	return (0);
}

/* From a place that is given by an id; an unknown one gives nothing. */
static int
read_from(struct store *st, struct object_list_op *op, enum stmt_id stmt,
    const char *place, struct err *err)
{
	struct found f;

	if (find(st, op->key->id, op->kind, place, &f, err))
		return (-1);
	if (!f.there)
		return (0);
	return (read_page(st, op, stmt, store_int(f.id), err));
}

int
objects_read(struct store *st, struct object_list_op *op, struct err *err)
{
	struct store_value params[2];
	int64_t id;
	int rc;

	object_list_wipe(op);
	op->more = false;
	params[0] = store_int(op->key->id);
	params[1] = store_int(store_now_ms(st));
	rc = store_one(st, STMT_OBJECT_KEY, params, 2, &id, 1, err);
	op->allowed = rc == 1;
	if (rc != 1)
		return (rc);
	if (op->only != NULL)
		rc = read_named(st, op, err);
	else if (op->before[0] != '\0')
		rc = read_from(st, op, STMT_OBJECTS_NEWER, op->before, err);
	else if (op->after[0] != '\0')
		rc = read_from(st, op, STMT_OBJECTS_OLDER, op->after, err);
	else
		rc = read_page(st, op, STMT_OBJECTS_OLDER,
		    store_int(INT64_MAX), err);
	qsort(op->rows, op->n, sizeof(op->rows[0]), newest_first);
	return (rc);
}
