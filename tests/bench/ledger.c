#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/num.h"
#include "ledger/id.h"
#include "ledger/rollup.h"
#include "pool/key_use.h"
#include "store/raw.h"
#include "store/store.h"

/*
 *	tests/bench/ledger STORE-URL ROWS [DAYS [sums]]
 *
 * A ledger as a year of work leaves it, with all its sums, in a database that
 * is made: 100 users with two keys each, five accounts in two groups, four
 * models, five budgets a key (money in all, a month, a day, an hour; requests a
 * day).  A few keys make most of the requests; one request in 50 fails, one in
 * 200 moved to another account, one in 50,000 is of the last user, key and
 * account, and there is a change in the audit log for one in four.  For
 * measuring lists, reports and ledger verify; with
 * `sums' the rows themselves are left out, as if they had been deleted.
 */

#define USERS		100
#define KEYS		200
#define ACCOUNTS	5
#define MODELS		4
#define BUDGETS		5	/* of a key */
#define BATCH		500
#define ATTEMPT		13	/* columns */
#define RARE		50000	/* one in so many is of a user, a key, an
				   account and a model of its own */

static const char *const models[MODELS] = {
	"claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5",
	"claude-sonnet-4-20250514"
};

/* Windows in a table with a slot for each that there may be. */
struct windows {
	int64_t *spent;
	size_t starts;		/* of a budget */
};

struct ledger {
	struct store *st;
	const char *url;
	int64_t rows, from_ms, days;
	bool sums_alone;
	uint64_t seed;
	struct rollups sums;
	struct key_uses uses;
	struct windows windows[BUDGETS];
	struct err err;
};

static const int64_t window_ms[BUDGETS] = {
	0, 30 * ROLLUP_DAY_MS, ROLLUP_DAY_MS, ROLLUP_HOUR_MS, ROLLUP_DAY_MS
};

static int
fail(const struct ledger *l)
{

	fprintf(stderr, "ledger: %s\n", l->err.text);
	return (1);
}

static uint64_t
dice(struct ledger *l, uint64_t sides)
{

	l->seed = l->seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return ((l->seed >> 33) % sides);
}

/* ---- what stands around it ---- */

static int
put_around(struct ledger *l)
{
	static const char *const budgets[BUDGETS] = {
		"'money', 'total', 0", "'money', 'fixed', 2592000000",
		"'money', 'day', 0", "'money', 'fixed', 3600000",
		"'requests', 'day', 0"
	};
	char *sql = NULL;
	size_t size;
	FILE *f = open_memstream(&sql, &size);
	int i, b;

	if (f == NULL)
		return (-1);
	fputs("BEGIN; INSERT INTO account_group (id, name, created_ms) "
	    "VALUES (1, 'main', 1), (2, 'spare', 1);", f);
	for (i = 1; i <= ACCOUNTS + 1; i++)
		fprintf(f, "INSERT INTO account (id, name, platform, "
		    "base_url, credential, secret, group_id, created_ms, "
		    "updated_ms) VALUES (%d, 'account-%d', 'claude', "
		    "'http://x', 'api_key', x'00', %d, 1, 1);", i, i,
		    1 + i % 2);
	for (i = 1; i <= USERS + 1; i++)
		fprintf(f, "INSERT INTO person (id, name, created_ms) "
		    "VALUES (%d, 'user-%d', 1);", i, i);
	for (i = 1; i <= KEYS + 1; i++) {
		fprintf(f, "INSERT INTO api_key (id, name, visible, hash, "
		    "person_id, created_ms) VALUES (%d, 'key-%d', 'v', "
		    "x'%08x', %d, 1);", i, i, (unsigned)i,
		    i > KEYS ? USERS + 1 : 1 + (i - 1) % USERS);
		for (b = 0; b < BUDGETS; b++)
			fprintf(f, "INSERT INTO budget (id, name, scope, "
			    "scope_id, kind, period, length_ms, limit_value, "
			    "created_ms) VALUES (%d, 'b%d-%d', 'key', %d, %s, "
			    "9000000000000000000, 1);", i * BUDGETS + b, i, b,
			    i, budgets[b]);
	}
	fputs("COMMIT", f);
	if (fclose(f) != 0)
		return (-1);
	raw_sql(l->url, sql);
	free(sql);
	return (0);
}

/* A change for one request in four, as if the requests had been changes; joined
 * so that the ledger is read as it lies. */
static void
put_audit(const struct ledger *l)
{

	raw_sql(l->url, "INSERT INTO audit (at_ms, actor_kind, actor, "
	    "address, verb, object) SELECT l.created_ms, 'person', p.name, "
	    "'192.0.2.77', CASE l.account_id WHEN 1 THEN 'key.set' "
	    "WHEN 2 THEN 'account.set' WHEN 3 THEN 'account.wake' "
	    "WHEN 4 THEN 'budget.set' WHEN 5 THEN 'user.sign-in' "
	    "ELSE 'store.rare' END, k.name FROM ledger l "
	    "LEFT JOIN api_key k ON k.id = l.key_id "
	    "LEFT JOIN person p ON p.id = l.person_id "
	    "WHERE l.input_tokens % 4 = 0");
}

/* ---- rows ---- */

static int64_t
window_start(int b, int64_t at_ms)
{

	return (window_ms[b] == 0 ? 0 : at_ms - at_ms % window_ms[b]);
}

static int64_t *
window(struct ledger *l, int64_t key, int b, int64_t start_ms)
{
	struct windows *w = &l->windows[b];
	int64_t length = window_ms[b];
	int64_t first = window_start(b, l->from_ms);
	size_t n = length == 0 ? 0 : (size_t)((start_ms - first) / length);

	return (&w->spent[(size_t)key * w->starts + n]);
}

static int
make_windows(struct ledger *l)
{
	int b;

	for (b = 0; b < BUDGETS; b++) {
		l->windows[b].starts = b == 0 ? 1 : (size_t)(b == 3 ?
		    l->days * 24 : l->days) + 2;
		l->windows[b].spent = calloc((KEYS + 2) *
		    l->windows[b].starts, sizeof(int64_t));
		if (l->windows[b].spent == NULL)
			return (-1);
	}
	return (0);
}

struct texts {
	char holds[BATCH][512];
};

static void
hold(struct ledger *l, const struct rollup_row *r, char *out, size_t size)
{
	int64_t at = ledger_id_created_ms(r->ledger_id), start, amount;
	size_t n = 0;
	int b;

	for (b = 0; b < BUDGETS; b++) {
		start = window_start(b, at);
		amount = b == 4 ? 1 : r->nusd;
		*window(l, r->key_id, b, start) += amount;
		n += (size_t)snprintf(out + n, size - n, "%s[%" PRId64 ",%"
		    PRId64 ",%d,%" PRId64 "]", b == 0 ? "[" : ",",
		    r->key_id * BUDGETS + b, start, b == 4 ? 4 : 0, amount);
	}
	snprintf(out + n, size - n, "]");
}

static void
roll(struct ledger *l, int64_t i, struct rollup_row *r)
{
	int64_t at = l->from_ms + l->days * ROLLUP_DAY_MS / l->rows * i;
	uint64_t k = dice(l, KEYS), k2 = dice(l, KEYS);
	bool failed = dice(l, 50) == 0;

	*r = (struct rollup_row) {
		.ledger_id = ledger_id_first(at) + (i & 4095),
		.key_id = 1 + (int64_t)(k < k2 ? k : k2),
		.account_id = 1 + (int64_t)dice(l, ACCOUNTS),
		.model = models[dice(l, 2) * dice(l, MODELS)],
		.outcome = failed ? "overloaded" : "ok",
		.mark = failed ? USAGE_NONE : USAGE_EXACT,
		.queue_ms = (int64_t)dice(l, 20),
		.first_byte_ms = failed ? -1 : 300 + (int64_t)dice(l, 3000),
		.total_ms = 5000 + (int64_t)dice(l, 20000),
	};
	r->person_id = 1 + (r->key_id - 1) % USERS;
	if (i % RARE == RARE / 2) {
		r->key_id = KEYS + 1;
		r->person_id = USERS + 1;
		r->account_id = ACCOUNTS + 1;
		r->model = "claude-rare";
	}
	r->group_id = 1 + r->account_id % 2;
	if (failed)
		return;
	r->usage = (struct usage) {
		.input_tokens = (int64_t)dice(l, 4000),
		.output_tokens = (int64_t)dice(l, 2000),
		.cache_read_tokens = (int64_t)dice(l, 90000),
		.cache_write_5m_tokens = (int64_t)dice(l, 8000),
		.web_searches = dice(l, 40) == 0,
	};
	r->nusd = r->usage.input_tokens * 3000 +
	    r->usage.output_tokens * 15000 +
	    r->usage.cache_read_tokens * 300;
}

static void
put_ledger(struct store_value *v, const struct rollup_row *r, bool moved,
    const char *holds)
{
	const struct store_value row[] = {
		store_int(r->ledger_id), store_int(1), store_int(1 + moved),
		store_int(1), store_int(ledger_id_created_ms(r->ledger_id)),
		store_int(r->key_id), store_text("messages"),
		store_text(r->model), store_int(1), store_int(500000000),
		store_int(9000), store_text(""), store_int(r->account_id),
		store_int(r->mark), store_text(r->outcome),
		store_int(r->mark == USAGE_NONE ? 529 : 200),
		store_int(1 + moved), store_int(r->usage.input_tokens),
		store_int(r->usage.output_tokens),
		store_int(r->usage.cache_read_tokens),
		store_int(r->usage.cache_write_5m_tokens), store_int(0),
		store_int(r->nusd), store_int(1), store_int(r->queue_ms),
		r->first_byte_ms < 0 ? store_null() :
		    store_int(r->first_byte_ms), store_int(r->total_ms),
		store_int(4000), store_int(1), store_text("[]"),
		store_text(holds), store_int(0), store_int(0),
		store_int(r->person_id), store_int(r->group_id),
		store_int(0), store_text(""),
		store_int(r->usage.web_searches), store_text("192.0.2.77"),
		store_text(""),
	};

	if (sizeof(row) / sizeof(row[0]) !=
	    stmts[STMT_COPY_PUT_LEDGER].nparams) {
		fprintf(stderr, "ledger: the table has other columns\n");
		exit(1);
	}
	memcpy(v, row, sizeof(row));
}

static void
put_attempt(struct store_value *v, const struct rollup_row *r, int n,
    bool moved)
{
	const struct store_value row[ATTEMPT] = {
		store_int(r->ledger_id), store_int(n),
		store_int(r->account_id), store_int(1), store_int(2),
		store_text(moved ? "overloaded" : r->outcome),
		store_int(moved ? 529 : 200), store_text("req_x"),
		store_int(moved ? USAGE_NONE : r->mark),
		store_int(moved ? 0 : r->usage.input_tokens),
		store_int(moved ? 0 : r->usage.output_tokens),
		store_int(moved ? 0 : r->nusd), store_text(""),
	};

	memcpy(v, row, sizeof(row));
}

static int
count(struct ledger *l, const struct rollup_row *r)
{
	const struct key_use use = { r->key_id, 1, r->nusd,
		r->usage.input_tokens, r->usage.output_tokens,
		r->usage.cache_read_tokens, r->usage.cache_write_5m_tokens,
		ledger_id_created_ms(r->ledger_id) };

	return (rollups_add(&l->sums, r, &l->err) ||
	    key_uses_add(&l->uses, &use, &l->err) ? -1 : 0);
}

static int
put_batch(struct ledger *l, int64_t first, size_t n, struct store_value *v,
    struct store_value *a, struct texts *t)
{
	size_t nparams = stmts[STMT_COPY_PUT_LEDGER].nparams, i, na = 0;
	struct rollup_row r;
	bool moved;

	for (i = 0; i < n; i++) {
		roll(l, first + (int64_t)i, &r);
		moved = dice(l, 200) == 0;
		hold(l, &r, t->holds[i], sizeof(t->holds[i]));
		put_ledger(v + i * nparams, &r, moved, t->holds[i]);
		if (moved)
			put_attempt(a + ATTEMPT * na++, &r, 1, true);
		put_attempt(a + ATTEMPT * na++, &r, 1 + moved, false);
		if (count(l, &r))
			return (-1);
	}
	if (store_begin(l->st, true, &l->err) ||
	    store_exec(l->st, STMT_COPY_PUT_LEDGER, v, n, nparams, NULL,
	    &l->err) || store_exec(l->st, STMT_COPY_PUT_ATTEMPT, a, na, ATTEMPT,
	    NULL, &l->err) || key_uses_write(&l->uses, l->st, &l->err) ||
	    rollups_write(&l->sums, l->st, &l->err))
		return (-1);
	return (store_commit(l->st, &l->err));
}

static int
put_rows(struct ledger *l)
{
	size_t nparams = stmts[STMT_COPY_PUT_LEDGER].nparams, n;
	struct store_value *v = calloc(BATCH * nparams, sizeof(*v));
	struct store_value *a = calloc(2 * BATCH * ATTEMPT, sizeof(*a));
	struct texts *t = malloc(sizeof(*t));
	int64_t i;
	int rc = v == NULL || a == NULL || t == NULL ? -1 : 0;

	for (i = 0; i < l->rows && rc == 0; i += BATCH) {
		n = l->rows - i < BATCH ? (size_t)(l->rows - i) : BATCH;
		rc = put_batch(l, i, n, v, a, t);
		(void)store_housekeep(l->st, false);
	}
	free(t);
	free(a);
	free(v);
	return (rc);
}

static int
put_windows(struct ledger *l)
{
	struct store_value v[5];
	int64_t key, start, length, *spent;
	size_t i;
	int b;

	if (store_begin(l->st, true, &l->err))
		return (-1);
	for (key = 1; key <= KEYS + 1; key++) {
		for (b = 0; b < BUDGETS; b++) {
			length = window_ms[b];
			start = window_start(b, l->from_ms);
			for (i = 0; i < l->windows[b].starts; i++) {
				spent = window(l, key, b, start + length *
				    (int64_t)i);
				if (*spent == 0)
					continue;
				v[0] = store_int(key * BUDGETS + b);
				v[1] = store_int(start + length * (int64_t)i);
				v[2] = store_int(*spent);
				v[3] = v[4] = store_int(0);
				if (store_exec(l->st,
				    STMT_COPY_PUT_BUDGET_WINDOW, v, 1, 5,
				    NULL, &l->err))
					return (-1);
			}
		}
	}
	return (store_commit(l->st, &l->err));
}

/* A day's rows at once. */
static int
put_sums(struct ledger *l)
{
	int64_t i, day = l->rows / l->days + 1;
	struct rollup_row r;

	for (i = 0; i < l->rows; i++) {
		roll(l, i, &r);
		if (count(l, &r))
			return (-1);
		if (i % day != day - 1 && i != l->rows - 1)
			continue;
		if (store_begin(l->st, true, &l->err) ||
		    key_uses_write(&l->uses, l->st, &l->err) ||
		    rollups_write(&l->sums, l->st, &l->err) ||
		    store_commit(l->st, &l->err))
			return (-1);
	}
	return (0);
}

static int
parse(struct ledger *l, int argc, char **argv)
{

	l->days = 365;
	l->sums_alone = argc == 5 && strcmp(argv[4], "sums") == 0;
	if (argc < 3 || argc > 5 || (argc == 5 && !l->sums_alone) ||
	    num_parse(argv[2], strlen(argv[2]), 1, 1000000000, &l->rows) ||
	    (argc > 3 && num_parse(argv[3], strlen(argv[3]), 1, 365,
	    &l->days))) {
		fprintf(stderr, "usage: ledger STORE-URL ROWS [DAYS [sums]]\n");
		return (-1);
	}
	l->url = argv[1];
	l->from_ms = ((int64_t)time(NULL) * 1000 / ROLLUP_DAY_MS - l->days) *
	    ROLLUP_DAY_MS;
	return (0);
}

int
main(int argc, char **argv)
{
	const struct store_options opt = { .create = true };
	struct ledger l = { .seed = 1 };
	int64_t from, to;

	if (parse(&l, argc, argv))
		return (2);
	rollups_init(&l.sums);
	key_uses_init(&l.uses);
	if ((l.st = store_open(l.url, &opt, &l.err)) == NULL ||
	    store_migrate(l.st, &from, &to, &l.err) ||
	    store_prepare(l.st, &l.err) || make_windows(&l))
		return (fail(&l));
	if (put_around(&l) || (l.sums_alone ? put_sums(&l) :
	    put_rows(&l) || put_windows(&l)))
		return (fail(&l));
	store_close(l.st);
	if (!l.sums_alone)
		put_audit(&l);
	return (0);
}
