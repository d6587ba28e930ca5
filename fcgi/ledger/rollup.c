#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ledger/id.h"
#include "store/store.h"

#include "ledger/rollup.h"

/* What one batch adds to a sum: far beyond any bill, and so far below the
 * range of an integer that the database's sums stay integers. */
#define ADD_MAX		(INT64_MAX / 1024)

/* Sums in memory end here. */
#define SUM_MAX		(INT64_MAX / 2)

/* Parameters of a row: sums, then the key. */
#define NPARAMS		(ROLLUP_NSUMS + 6)

#define SLOTS_MIN	64	/* a power of 2 */

const char *const rollup_names[ROLLUP_NSUMS] = {
	[ROLLUP_REQUESTS] = "requests",
	[ROLLUP_ERRORS] = "errors",
	[ROLLUP_UNPRICED] = "unpriced",
	[ROLLUP_COST_NUSD] = "cost_nusd",
	[ROLLUP_INPUT_TOKENS] = "input_tokens",
	[ROLLUP_OUTPUT_TOKENS] = "output_tokens",
	[ROLLUP_CACHE_READ_TOKENS] = "cache_read_tokens",
	[ROLLUP_CACHE_WRITE_5M_TOKENS] = "cache_write_5m_tokens",
	[ROLLUP_CACHE_WRITE_1H_TOKENS] = "cache_write_1h_tokens",
	[ROLLUP_WEB_SEARCHES] = "web_searches",
	[ROLLUP_QUEUE_MS] = "queue_ms",
	[ROLLUP_FIRST_BYTE_MS] = "first_byte_ms",
	[ROLLUP_TOTAL_MS] = "total_ms",
	[ROLLUP_EXACT] = "marked_exact",
	[ROLLUP_PARTIAL] = "marked_partial",
	[ROLLUP_ESTIMATED] = "marked_estimated",
	[ROLLUP_OVERRUNS] = "overruns",
	[ROLLUP_OVERRUN_NUSD] = "overrun_nusd",
	[ROLLUP_FIRST_500MS] = "first_500ms",
	[ROLLUP_FIRST_1S] = "first_1s",
	[ROLLUP_FIRST_2S] = "first_2s",
	[ROLLUP_FIRST_5S] = "first_5s",
	[ROLLUP_FIRST_15S] = "first_15s",
	[ROLLUP_FIRST_LATER] = "first_later",
};

/* Up to when the first byte came, for the sums from ROLLUP_FIRST_500MS on. */
static const int64_t first_ms[] = { 500, 1000, 2000, 5000, 15000 };
_Static_assert(sizeof(first_ms) / sizeof(first_ms[0]) ==
    ROLLUP_FIRST_LATER - ROLLUP_FIRST_500MS, "one bound a sum but the last");

/* ---- one row ---- */

static enum rollup_sum
first_of(int64_t ms)
{
	size_t i = 0;

	while (i < sizeof(first_ms) / sizeof(first_ms[0]) && ms > first_ms[i])
		i++;
	return ((enum rollup_sum)(ROLLUP_FIRST_500MS + i));
}

/* Blanks at the end of a text are nothing to MySQL's comparison. */
void
rollup_model(const char *model, char out[ROLLUP_MODEL_SIZE])
{
	size_t n = strnlen(model, ROLLUP_MODEL_SIZE - 1);

	while (n > 0 && model[n - 1] == ' ')
		n--;
	memset(out, 0, ROLLUP_MODEL_SIZE);
	memcpy(out, model, n);
}

static void
count_mark(int64_t *sums, enum usage_mark mark)
{
	static const enum rollup_sum of[] = {
		[USAGE_EXACT] = ROLLUP_EXACT,
		[USAGE_PARTIAL] = ROLLUP_PARTIAL,
		[USAGE_ESTIMATED] = ROLLUP_ESTIMATED,
	};

	if (mark > USAGE_NONE && (size_t)mark < sizeof(of) / sizeof(of[0]))
		sums[of[mark]] = 1;
}

void
rollup_of(const struct rollup_row *row, struct rollup *out)
{
	int64_t created_ms = ledger_id_created_ms(row->ledger_id);
	int64_t *s = out->sums;

	memset(out, 0, sizeof(*out));
	out->key.start_ms = created_ms - created_ms % ROLLUP_HOUR_MS;
	out->key.key_id = row->key_id;
	out->key.account_id = row->account_id;
	out->key.group_id = row->group_id;
	out->key.person_id = row->person_id;
	rollup_model(row->model, out->key.model);

	s[ROLLUP_REQUESTS] = 1;
	s[ROLLUP_ERRORS] = strcmp(row->outcome, "ok") != 0 &&
	    strcmp(row->outcome, "client_gone") != 0;
	s[ROLLUP_UNPRICED] = row->nusd < 0;
	s[ROLLUP_COST_NUSD] = row->nusd > 0 ? row->nusd : 0;
	s[ROLLUP_INPUT_TOKENS] = row->usage.input_tokens;
	s[ROLLUP_OUTPUT_TOKENS] = row->usage.output_tokens;
	s[ROLLUP_CACHE_READ_TOKENS] = row->usage.cache_read_tokens;
	s[ROLLUP_CACHE_WRITE_5M_TOKENS] = row->usage.cache_write_5m_tokens;
	s[ROLLUP_CACHE_WRITE_1H_TOKENS] = row->usage.cache_write_1h_tokens;
	s[ROLLUP_WEB_SEARCHES] = row->usage.web_searches;
	s[ROLLUP_QUEUE_MS] = row->queue_ms;
	s[ROLLUP_TOTAL_MS] = row->total_ms;
	count_mark(s, row->mark);
	s[ROLLUP_OVERRUNS] = row->overrun_nusd > 0;
	s[ROLLUP_OVERRUN_NUSD] = row->overrun_nusd;
	if (row->first_byte_ms >= 0) {
		s[ROLLUP_FIRST_BYTE_MS] = row->first_byte_ms;
		s[first_of(row->first_byte_ms)] = 1;
	}
}

int
rollup_cmp(const struct rollup_key *a, const struct rollup_key *b)
{

	if (a->start_ms != b->start_ms)
		return (a->start_ms < b->start_ms ? -1 : 1);
	if (a->key_id != b->key_id)
		return (a->key_id < b->key_id ? -1 : 1);
	if (a->account_id != b->account_id)
		return (a->account_id < b->account_id ? -1 : 1);
	if (a->group_id != b->group_id)
		return (a->group_id < b->group_id ? -1 : 1);
	if (a->person_id != b->person_id)
		return (a->person_id < b->person_id ? -1 : 1);
	return (strcmp(a->model, b->model));
}

void
rollup_read(const struct store_value *cols, struct rollup *out)
{
	size_t i;

	out->key.start_ms = store_get_int(&cols[0]);
	out->key.key_id = store_get_int(&cols[1]);
	out->key.account_id = store_get_int(&cols[2]);
	out->key.group_id = store_get_int(&cols[3]);
	out->key.person_id = store_get_int(&cols[4]);
	rollup_model(store_get_text(&cols[5]), out->key.model);
	for (i = 0; i < ROLLUP_NSUMS; i++)
		out->sums[i] = store_get_int(&cols[6 + i]);
}

/* ---- sets ---- */

void
rollup_set_init(struct rollup_set *s)
{

	*s = (struct rollup_set) { 0 };
}

void
rollup_set_reset(struct rollup_set *s)
{

	if (s->n > 0)
		memset(s->slots, 0, s->nslots * sizeof(*s->slots));
	s->n = 0;
}

void
rollup_set_fini(struct rollup_set *s)
{

	free(s->list);
	free(s->slots);
	rollup_set_init(s);
}

static uint64_t
mix(uint64_t h, uint64_t x)
{

	h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
	return (h ^ (h >> 32));
}

static uint64_t
hash(const struct rollup_key *k)
{
	uint64_t h = 0, word;
	size_t i;

	h = mix(h, (uint64_t)k->start_ms);
	h = mix(h, (uint64_t)k->key_id);
	h = mix(h, (uint64_t)k->account_id);
	h = mix(h, (uint64_t)k->group_id);
	h = mix(h, (uint64_t)k->person_id);
	for (i = 0; i < sizeof(k->model) && k->model[i] != '\0'; i += 8) {
		memcpy(&word, k->model + i, sizeof(word));
		h = mix(h, word);
	}
	return (h);
}

/* The slot of ${k}, or the free one where it belongs. */
static size_t
slot_of(const struct rollup_set *s, const struct rollup_key *k)
{
	size_t i = hash(k) & (s->nslots - 1);

	while (s->slots[i] != 0 &&
	    rollup_cmp(&s->list[s->slots[i] - 1].key, k) != 0)
		i = (i + 1) & (s->nslots - 1);
	return (i);
}

/* Room for one more, at most half of the slots taken. */
static int
grow(struct rollup_set *s)
{
	size_t cap = s->cap == 0 ? SLOTS_MIN / 2 : s->cap * 2, i;
	struct rollup *list;
	uint32_t *slots;

	if (s->n < s->cap)
		return (0);
	if (cap > UINT32_MAX / 2 ||
	    (list = realloc(s->list, cap * sizeof(*list))) == NULL)
		return (-1);
	s->list = list;
	if ((slots = calloc(2 * cap, sizeof(*slots))) == NULL)
		return (-1);
	free(s->slots);
	s->slots = slots;
	s->nslots = 2 * cap;
	s->cap = cap;
	for (i = 0; i < s->n; i++)
		s->slots[slot_of(s, &s->list[i].key)] = (uint32_t)i + 1;
	return (0);
}

static int64_t
bounded(int64_t amount, int64_t max)
{

	if (amount > max)
		return (max);
	return (amount < -max ? -max : amount);
}

int
rollup_set_add(struct rollup_set *s, const struct rollup *r, int sign,
    struct err *err)
{
	struct rollup *to;
	size_t at, i;

	if (grow(s)) {
		err_set(err, ERR_NOMEM, "no memory for sums of usage");
		return (-1);
	}
	at = slot_of(s, &r->key);
	if (s->slots[at] == 0) {
		s->slots[at] = (uint32_t)++s->n;
		s->list[s->n - 1] = (struct rollup) { .key = r->key };
	}
	to = &s->list[s->slots[at] - 1];
	for (i = 0; i < ROLLUP_NSUMS; i++)
		to->sums[i] = bounded(to->sums[i] + sign *
		    bounded(r->sums[i], SUM_MAX), SUM_MAX);
	return (0);
}

const struct rollup *
rollup_set_find(const struct rollup_set *s, const struct rollup_key *key)
{
	size_t at;

	if (s->n == 0)
		return (NULL);
	at = slot_of(s, key);
	return (s->slots[at] == 0 ? NULL : &s->list[s->slots[at] - 1]);
}

static int
by_key(const void *a, const void *b)
{

	return (rollup_cmp(&((const struct rollup *)a)->key,
	    &((const struct rollup *)b)->key));
}

void
rollup_set_sort(struct rollup_set *s)
{

	if (s->n > 1)
		qsort(s->list, s->n, sizeof(*s->list), by_key);
}

/* ---- a batch ---- */

void
rollups_init(struct rollups *u)
{

	rollup_set_init(&u->hours);
	rollup_set_init(&u->days);
}

void
rollups_reset(struct rollups *u)
{

	rollup_set_reset(&u->hours);
	rollup_set_reset(&u->days);
}

void
rollups_fini(struct rollups *u)
{

	rollup_set_fini(&u->hours);
	rollup_set_fini(&u->days);
}

static int
change(struct rollups *u, const struct rollup_row *row, int sign,
    struct err *err)
{
	struct rollup r;

	rollup_of(row, &r);
	if (rollup_set_add(&u->hours, &r, sign, err))
		return (-1);
	r.key.start_ms -= r.key.start_ms % ROLLUP_DAY_MS;
	return (rollup_set_add(&u->days, &r, sign, err));
}

int
rollups_add(struct rollups *u, const struct rollup_row *row, struct err *err)
{

	return (change(u, row, 1, err));
}

int
rollups_take(struct rollups *u, const struct rollup_row *row,
    struct err *err)
{

	return (change(u, row, -1, err));
}

/* ---- the tables ---- */

struct table {
	enum stmt_id add;	/* to a row that is there */
	enum stmt_id open;	/* its first; on a shared store either */
};

static const struct table hour_table = {
	STMT_USAGE_HOUR_ADD, STMT_USAGE_HOUR_OPEN
};
static const struct table day_table = {
	STMT_USAGE_DAY_ADD, STMT_USAGE_DAY_OPEN
};

static void
put_params(struct store_value *v, const struct rollup *r)
{
	size_t i;

	for (i = 0; i < ROLLUP_NSUMS; i++)
		*v++ = store_int(bounded(r->sums[i], ADD_MAX));
	*v++ = store_int(r->key.start_ms);
	*v++ = store_int(r->key.key_id);
	*v++ = store_int(r->key.account_id);
	*v++ = store_int(r->key.group_id);
	*v++ = store_int(r->key.person_id);
	*v = store_text(r->key.model);
}

/* Add to the rows that are there, then make the others. */
static int
write_rows(const struct table *t, struct store *st, struct store_value *v,
    int64_t *changes, size_t n, struct err *err)
{
	size_t i, left = 0;

	if (store_shared(st))
		return (store_exec(st, t->open, v, n, NPARAMS, NULL, err));
	if (store_exec(st, t->add, v, n, NPARAMS, changes, err))
		return (-1);
	for (i = 0; i < n; i++) {
		if (changes[i] == 0)
			memmove(v + left++ * NPARAMS, v + i * NPARAMS,
			    NPARAMS * sizeof(*v));
	}
	if (left == 0)
		return (0);
	return (store_exec(st, t->open, v, left, NPARAMS, NULL, err));
}

static int
write_set(struct rollup_set *s, const struct table *t, struct store *st,
    struct err *err)
{
	struct store_value *v = NULL;
	int64_t *changes = NULL;
	size_t i;
	int rc = -1;

	if (s->n == 0)
		return (0);
	v = calloc(s->n * NPARAMS, sizeof(*v));
	changes = calloc(s->n, sizeof(*changes));
	if (v == NULL || changes == NULL) {
		err_set(err, ERR_NOMEM, "no memory for sums of usage");
		goto done;
	}
	rollup_set_sort(s);
	for (i = 0; i < s->n; i++)
		put_params(v + i * NPARAMS, &s->list[i]);
	rc = write_rows(t, st, v, changes, s->n, err);
done:
	free(changes);
	free(v);
	rollup_set_reset(s);
	return (rc);
}

int
rollups_write(struct rollups *u, struct store *st, struct err *err)
{

	if (write_set(&u->hours, &hour_table, st, err))
		return (-1);
	return (write_set(&u->days, &day_table, st, err));
}
