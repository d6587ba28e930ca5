#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bisect.h"
#include "base/err.h"
#include "base/grow.h"
#include "base/num.h"
#include "store/store.h"

#include "pool/holds.h"
#include "pool/idlist.h"

/* "[", then "[19 digits,20,1,19]," each, and NUL. */
#define TEXT_OF_ONE	65
#define TEXT_MORE	3

int
holds_copy(struct holds *to, const struct holds *from, struct arena *a,
    struct err *err)
{

	to->n = from->n;
	to->list = arena_get(a, from->n, sizeof(*to->list), err);
	if (to->list == NULL)
		return (-1);
	if (from->n > 0)
		memcpy(to->list, from->list, from->n * sizeof(*to->list));
	return (0);
}

/* Digits, as they come for each request some dozens of times. */
static char *
put_int(char *to, int64_t n)
{
	uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
	char digits[20];
	size_t i = sizeof(digits);

	if (n < 0)
		*to++ = '-';
	do {
		digits[--i] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	memcpy(to, digits + i, sizeof(digits) - i);
	return (to + sizeof(digits) - i);
}

const char *
holds_text(const struct holds *h, struct arena *a, struct err *err)
{
	const struct hold *one;
	char *out, *p;

	if (h->n == 0)
		return ("");
	if ((out = arena_get(a, h->n * TEXT_OF_ONE + TEXT_MORE, 1, err)) ==
	    NULL)
		return (NULL);
	p = out;
	for (one = h->list; one < h->list + h->n; one++) {
		*p = p == out ? '[' : ',';
		p++;
		*p++ = '[';
		p = put_int(p, one->budget_id);
		*p++ = ',';
		p = put_int(p, one->start_ms);
		*p++ = ',';
		p = put_int(p, one->kind);
		*p++ = ',';
		p = put_int(p, one->amount);
		*p++ = ']';
	}
	memcpy(p, "]", 2);
	return (out);
}

/* The next thing must be ${c}. */
static int
skip(const char **p, char c)
{

	*p += strspn(*p, " ");
	if (**p != c)
		return (-1);
	(*p)++;
	return (0);
}

static int
number(const char **p, int64_t min, int64_t max, int64_t *out)
{
	size_t n;

	*p += strspn(*p, " ");
	n = strspn(*p, "-0123456789");
	if (num_parse(*p, n, min, max, out))
		return (-1);
	*p += n;
	return (0);
}

static int
parse_one(const char **p, struct hold *h)
{
	int64_t kind;

	if (skip(p, '[') ||
	    number(p, 1, INT64_MAX, &h->budget_id) || skip(p, ',') ||
	    number(p, INT64_MIN, INT64_MAX, &h->start_ms) || skip(p, ',') ||
	    number(p, 0, BUDGET_KINDS - 1, &kind) || skip(p, ',') ||
	    number(p, 0, INT64_MAX, &h->amount) || skip(p, ']'))
		return (-1);
	h->kind = (enum budget_kind)kind;
	return (0);
}

/* Room in ${h} is as many as ${p} has brackets, and one. */
static int
parse_all(const char *p, struct holds *h)
{

	if (skip(&p, '['))
		return (-1);
	do {
		if (parse_one(&p, &h->list[h->n]))
			return (-1);
		h->n++;
	} while (skip(&p, ',') == 0);
	return (skip(&p, ']') || *p != '\0' ? -1 : 0);
}

int
holds_parse(struct holds *h, const char *text, struct arena *a,
    struct err *err)
{
	const char *p;
	size_t brackets = 0;

	*h = (struct holds) { .n = 0 };
	if (*text == '\0')
		return (1);
	for (p = text; (p = strchr(p, '[')) != NULL; p++)
		brackets++;
	h->list = arena_get(a, brackets + 1, sizeof(*h->list), err);
	if (h->list == NULL)
		return (-1);
	if (parse_all(text, h) == 0)
		return (1);
	h->n = 0;
	return (0);
}

/* ---- rows ---- */

void
held_init(struct held_rows *h, struct arena *a)
{

	*h = (struct held_rows) { .arena = a };
}

void
held_reset(struct held_rows *h)
{

	h->n = 0;
}

void
held_fini(struct held_rows *h)
{

	free(h->list);
	held_init(h, h->arena);
}

struct held_row *
held_find(const struct held_rows *h, int64_t ledger_id)
{
	size_t at = bisect_id_at(h->list, h->n, ledger_id);

	return (at < h->n && h->list[at]->ledger_id == ledger_id ?
	    h->list[at] : NULL);
}

static int
insert(struct held_rows *h, struct held_row *row)
{
	size_t at = bisect_id_at(h->list, h->n, row->ledger_id);
	struct held_row **list;

	if ((list = grow_at(h->list, h->n, &h->cap, sizeof(*list), at)) ==
	    NULL)
		return (-1);
	h->list = list;
	list[at] = row;
	h->n++;
	return (0);
}

struct fetching {
	struct held_rows *rows;
	struct err *err;
};

/* id, state, fence, reserved, body bytes, extensions, holds, person, account,
 * group, cost, model, key, sent as */
static int
held_row(void *arg, const struct store_value *c, size_t n)
{
	struct fetching *f = arg;
	struct held_row *row;

	(void)n;
	if ((row = arena_get(f->rows->arena, 1, sizeof(*row), f->err)) == NULL)
		return (-1);
	row->ledger_id = store_get_int(&c[0]);
	row->state = store_get_int(&c[1]);
	row->fence = store_get_int(&c[2]);
	row->reserved_nusd = store_get_int(&c[3]);
	row->body_bytes = store_get_int(&c[4]);
	row->extensions = store_get_int(&c[5]);
	row->person_id = store_get_int(&c[7]);
	row->account_id = store_get_int(&c[8]);
	row->group_id = store_get_int(&c[9]);
	row->nusd = store_get_int(&c[10]);
	snprintf(row->model, sizeof(row->model), "%s", store_get_text(&c[11]));
	row->key_id = store_get_int(&c[12]);
	snprintf(row->sent_as, sizeof(row->sent_as), "%s",
	    store_get_text(&c[13]));

	/* Made by hand?  A settlement must come through all the same; that the
	 * sums differ then is for `ledger verify' to say. */
	if (holds_parse(&row->holds, store_get_text(&c[6]), f->rows->arena,
	    f->err) < 0)
		return (-1);
	row->text = "";
	if (insert(f->rows, row) == 0)
		return (0);
	err_set(f->err, ERR_NOMEM, "no memory for what a request holds");
	return (-1);
}

int
held_fetch(struct held_rows *h, struct store *st, struct idlist *ids,
    struct err *err)
{
	struct fetching f = { .rows = h, .err = err };
	struct store_value param;
	struct idlist new;
	size_t i;
	int rc = -1;

	idlist_sort(ids);
	idlist_init(&new, 1);
	for (i = 0; i < ids->n; i++) {
		if (held_find(h, ids->v[i]) == NULL)
			idlist_put(&new, ids->v[i], 0);
	}
	if (ids->failed && idlist_param(ids, &param, err))
		goto done;
	if ((new.n > 0 || new.failed) && (idlist_param(&new, &param, err) ||
	    store_query(st, STMT_LEDGER_HOLDS, &param, 1, held_row, &f, err) <
	    0))
		goto done;
	rc = 0;
done:
	idlist_fini(&new);
	return (rc);
}
