#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/meta.h"

#include "pool/rig.h"

#define MUST(x) do {							\
	struct err must_ = { 0 }, *why = &must_;			\
	if ((x) != 0)							\
		fail_msg("%s: %s", #x, must_.text);			\
} while (0)

/* What the thread supplies otherwise. */
struct store_batch {
	struct proc *proc;
	size_t nreleased;
	struct store_op *released[1024];
};

void
store_batch_hold(struct store_batch *b, struct store_op *op)
{

	(void)b;
	op->held = true;
}

void
store_batch_release(struct store_batch *b, struct store_op *op)
{

	assert_true(op->held);
	b->released[b->nreleased++] = op;
}

/* ---- the rig ---- */

static int64_t
write_row(struct rig *r, enum stmt_id id, const struct store_value *v,
    size_t n)
{
	int64_t made;

	MUST(store_begin(r->st, true, why));
	MUST(store_exec(r->st, id, v, 1, n, NULL, why));
	made = store_insert_id(r->st);
	MUST(store_commit(r->st, why));
	return (made);
}

static void
put(struct rig *r, const char *name, struct store_value value)
{
	const struct store_value row[] = { store_text(name), value };

	write_row(r, STMT_META_PUT, row, 2);
}

static void
put_seal(struct rig *r)
{
	unsigned char check[SEAL_HASH_BYTES], *box;
	struct seal_pepper pepper;
	size_t n;

	seal_random(&pepper, sizeof(pepper));
	MUST(seal_box(r->seal, META_PEPPER_CONTEXT, pepper.key,
	    sizeof(pepper.key), &box, &n, why));
	put(r, "pepper", store_blob(box, n));
	free(box);
	assert_int_equal(seal_check_value(r->seal, NULL, check), 0);
	put(r, "seal_key_id", store_text(seal_key_id(r->seal)));
	put(r, "seal_check", store_blob(check, sizeof(check)));
	put(r, "config_version", store_int(1));
}

static struct store *
open_store(struct rig *r)
{
	struct store_options opt = { .create = true, .busy_timeout_ms = 5000,
		.synchronous_full = r->timed,
		.clock = r->timed ? &r->clock.clock : NULL };
	struct err err = { 0 };
	struct store *st;
	int64_t from, to;

	if ((st = store_open(r->url, &opt, &err)) == NULL)
		fail_msg("%s", err.text);
	MUST(store_migrate(st, &from, &to, why));
	MUST(store_prepare(st, why));
	return (st);
}

static int
setup(void **state, bool timed)
{
	struct rig *r;
	struct err err = { 0 };
	const char *tmp;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (-1);
	r->timed = timed;
	tmp = getenv("TMPDIR");
	snprintf(r->dir, sizeof(r->dir), "%.40s/test-pool.XXXXXX",
	    tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
	if (mkdtemp(r->dir) == NULL)
		return (-1);
	raw_make(r->dir, r->url);
	snprintf(r->key_path, sizeof(r->key_path), "%s/master.key", r->dir);
	if (seal_create_file(r->key_path, &err) ||
	    (r->seal = seal_open(r->key_path, &err)) == NULL)
		return (-1);
	clock_fake_init(&r->clock, INT64_C(1795159758123));
	r->st = open_store(r);
	put_seal(r);
	*state = r;
	return (0);
}

int
rig_setup(void **state)
{

	return (setup(state, false));
}

int
rig_setup_timed(void **state)
{

	return (setup(state, true));
}

int
rig_teardown(void **state)
{
	struct rig *r = *state;
	const struct dirent *de;
	char name[384];
	DIR *dir;
	size_t i;

	for (i = 0; i < r->nkeys; i++)
		free(r->keys[i].models);
	store_close(r->st);
	seal_free(r->seal);
	raw_drop(r->url);
	dir = opendir(r->dir);
	while (dir != NULL && (de = readdir(dir)) != NULL) {
		snprintf(name, sizeof(name), "%s/%s", r->dir, de->d_name);
		(void)unlink(name);
	}
	if (dir != NULL)
		closedir(dir);
	(void)rmdir(r->dir);
	free(r);
	return (0);
}

void
rig_sql(struct rig *r, const char *sql)
{

	raw_sql(r->url, sql);
}

const char *
rig_text(struct rig *r, const char *sql)
{

	return (raw_text(r->url, sql));
}

int64_t
rig_int(struct rig *r, const char *sql)
{

	return (raw_int(r->url, sql));
}

static void
bump(struct rig *r)
{

	write_row(r, STMT_META_CONFIG_BUMP, NULL, 0);
}

int64_t
rig_group(struct rig *r, const char *name, const char *strategy)
{
	struct store_value v[] = { store_text(name), store_text(strategy),
		store_int(0), store_int(1) };
	int64_t id;

	id = write_row(r, STMT_GROUP_ADD, v, 4);
	bump(r);
	return (id);
}

int64_t
rig_account(struct rig *r, const char *name, int64_t group,
    int64_t concurrency)
{
	struct store_value v[] = { store_text(name), store_text("claude"),
		store_text("http://127.0.0.1:1"), store_text("api_key"),
		store_blob("", 0), group == 0 ? store_null() :
		store_int(group), store_int(50), store_int(100),
		store_int(concurrency), store_int(1), store_int(1),
		store_int(1) };
	struct store_value s[3];
	unsigned char *box;
	char context[64];
	int64_t id, i;
	size_t n;

	id = write_row(r, STMT_ACCOUNT_ADD, v, 12);
	snprintf(context, sizeof(context), META_ACCOUNT_CONTEXT,
	    (long long)id, META_ACCOUNT_SECRET);
	MUST(seal_box(r->seal, context, "secret", 6, &box, &n, why));
	s[0] = store_blob(box, n);
	s[1] = store_int(1);
	s[2] = store_int(id);
	write_row(r, STMT_ACCOUNT_SET_SECRET, s, 3);
	free(box);
	for (i = 1; i <= concurrency; i++) {
		s[0] = store_int(id);
		s[1] = store_int(i);
		write_row(r, STMT_SLOT_ADD, s, 2);
	}
	bump(r);
	return (id);
}

struct key_info *
rig_key(struct rig *r, const char *name, const char *bind_kind,
    int64_t bind_id, int64_t concurrency)
{
	struct key_info *k = &r->keys[r->nkeys++];
	struct store_value v[] = { store_text(name), store_text("sk-lh-x"),
		store_blob(k->hash, sizeof(k->hash)), store_text(bind_kind),
		bind_id == 0 ? store_null() : store_int(bind_id),
		store_int(concurrency), store_text(""), store_null(),
		store_int(1), store_null(), store_int(1) };

	memcpy(k->hash, name, strlen(name) < sizeof(k->hash) ? strlen(name) :
	    sizeof(k->hash));
	write_row(r, STMT_KEY_ADD, v, 11);
	k->refs = 1;
	k->id = store_insert_id(r->st);
	k->models = strdup("");
	bump(r);
	return (k);
}

int64_t
rig_budget(struct rig *r, int64_t key_id, int64_t limit_nusd)
{
	struct store_value v[] = { store_int(limit_nusd), store_int(1),
		store_int(key_id) };
	int64_t id;

	id = write_row(r, STMT_KEY_BUDGET_ADD, v, 3);
	bump(r);
	return (id);
}

void
rig_price(struct rig *r, const char *pattern, int64_t nusd_mtok)
{
	char sql[512];

	snprintf(sql, sizeof(sql), "INSERT INTO price (platform, pattern, "
	    "valid_from_ms, input_nusd_mtok, output_nusd_mtok, "
	    "cache_read_nusd_mtok, cache_write_5m_nusd_mtok, "
	    "cache_write_1h_nusd_mtok, source) VALUES ('claude', '%s', 0, "
	    "%lld, %lld, 0, 0, 0, 'test')", pattern, (long long)nusd_mtok,
	    (long long)nusd_mtok);
	rig_sql(r, sql);
	bump(r);
}

/* One of so many. */
static void
add_one_of_many(struct rig *r, int i, int n)
{
	static const char *const kinds[] = { "money", "tokens",
		"input_tokens", "output_tokens", "requests" };
	static const char *const windows[] = { "'total', 0, 'UTC'",
		"'rolling', 3600000, 'UTC'", "'day', 0, 'Europe/Berlin'" };
	char sql[512];

	snprintf(sql, sizeof(sql), "INSERT INTO budget (id, name, scope, "
	    "scope_id, kind, policy, limit_value, created_ms, period, "
	    "length_ms, zone) VALUES (%d, 'b%d', '%s', 1, '%s', '%s', "
	    "1000000000000, 0, %s)", i + 1, i + 1, i < n / 2 ? "key" :
	    i < n / 2 + n / 4 ? "person" : "group", kinds[i % 5],
	    i % 2 == 0 ? "elastic" : "strict", windows[i % 3]);
	rig_sql(r, sql);
}

struct key_info *
rig_many(struct rig *r, int n)
{
	struct key_info *key;
	int i;

	rig_account(r, "a", rig_group(r, "g", "weighted"), 64);
	rig_sql(r, "INSERT INTO person (id, name, created_ms) "
	    "VALUES (1, 'u', 0)");
	key = rig_key(r, "k", "group", 1, 0);
	rig_sql(r, "UPDATE api_key SET person_id = 1");
	rig_price(r, "claude-*", 1000000);
	for (i = 0; i < n; i++)
		add_one_of_many(r, i, n);
	bump(r);
	return (key);
}

/* ---- processes ---- */

struct proc *
proc_new(struct rig *r)
{
	struct proc *p = calloc(1, sizeof(*p));
	struct pool_settings *set;

	assert_non_null(p);
	p->rig = r;
	MUST(shared_init(&p->shared, why));
	set = &p->shared.settings;
	set->queue_max = 1000;
	set->slice_tokens = 100;
	set->dead_after_ms = 15000;
	set->grant_timeout_ms = 2000;
	set->cooldown_max_ms = 600000;
	set->affinity_ttl_ms = 3600000;
	set->affinity_wait_ms = 3000;
	p->runner = runner_new(r->seal, r->key_path, &r->clock.clock,
	    &p->shared, NULL);
	assert_non_null(p->runner);
	MUST(responder_open(&p->runner->self, "relay", "", r->dir, why));
	runner_bind(p->runner, &p->calls);
	p->st = open_store(r);
	MUST(p->calls.connected(p->runner, p->st, why));
	ledger_ids_init(&p->ids, p->runner->self.node);
	return (p);
}

static void
proc_fini(struct proc *p)
{

	store_close(p->st);
	runner_free(p->runner);
	shared_fini(&p->shared);
	free(p);
}

void
proc_free(struct proc *p)
{
	struct store_op off = { .kind = OP_SIGN_OFF };

	proc_run1(p, &off);
	proc_fini(p);
}

void
proc_die(struct proc *p)
{
	struct responder *self = &p->runner->self;

	close(self->lock_fd);
	close(self->wake_fd);
	close(self->send_fd);
	self->lock_fd = self->wake_fd = self->send_fd = -1;
	proc_fini(p);
}

static void
post(struct proc *p, struct store_op *op)
{

	if (p->nposted == NITEMS(p->posted)) {
		memmove(p->posted, p->posted + 512,
		    512 * sizeof(p->posted[0]));
		p->nposted = 512;
	}
	p->posted[p->nposted++] = op;
}

/* The runner's monotonic clock is the test's; wall time is the store's. */
static bool
run_once(struct proc *p, struct store_batch *b, struct store_op **ops,
    size_t n)
{
	bool fails = p->fail_times > 0;
	struct err err = { 0 };

	b->nreleased = 0;
	if (store_begin(p->st, true, &err) != 0) {
		assert_true(p->hard_times);
		return (false);
	}
	if (p->calls.run(p->runner, b, p->st, ops, n, &err) != 0) {
		/* As the thread does; on SQLite nothing comes between. */
		if (!p->hard_times && (err.code != ERR_STORE_BUSY ||
		    !store_shared(p->st)))
			fail_msg("a batch: %s", err.text);
		p->reruns++;
		store_rollback(p->st);
		p->calls.ended(p->runner, b, false);
		return (false);
	}
	if (fails) {
		p->fail_times--;
		store_rollback(p->st);
	} else if (store_commit(p->st, &err) != 0) {
		assert_true(p->hard_times);
		fails = true;
	}
	p->calls.ended(p->runner, b, !fails);
	return (!fails);
}

/* Addresses are used again: what is asked for now is not answered yet. */
static void
unpost(struct proc *p, const struct store_op *op)
{
	size_t i, kept = 0;

	for (i = 0; i < p->nposted; i++) {
		if (p->posted[i] != op)
			p->posted[kept++] = p->posted[i];
	}
	p->nposted = kept;
}

void
proc_run(struct proc *p, struct store_op **ops, size_t n)
{
	struct store_batch *b = calloc(1, sizeof(*b));
	size_t i;

	assert_non_null(b);
	b->proc = p;
	for (i = 0; i < n; i++)
		unpost(p, ops[i]);
	while (!run_once(p, b, ops, n)) {
		for (i = 0; i < n; i++)
			ops[i]->held = false;
	}
	for (i = 0; i < n; i++) {
		if (!ops[i]->held)
			post(p, ops[i]);
	}
	for (i = 0; i < b->nreleased; i++) {
		b->released[i]->held = false;
		post(p, b->released[i]);
	}
	free(b);
}

void
proc_run1(struct proc *p, struct store_op *op)
{

	proc_run(p, &op, 1);
}

void
proc_fail1(struct proc *p, struct store_op *op)
{
	struct store_batch *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->proc = p;
	unpost(p, op);
	p->hard_times = true;
	assert_false(run_once(p, b, &op, 1));
	p->hard_times = false;
	op->held = false;
	free(b);
}

void
proc_poll(struct proc *p)
{

	proc_run(p, NULL, 0);
}

void
proc_beat(struct proc *p)
{
	struct store_op op = { .kind = OP_BEAT, .urgent = true };

	proc_run1(p, &op);
}

bool
proc_posted(const struct proc *p, const struct store_op *op)
{
	size_t i;

	for (i = 0; i < p->nposted; i++) {
		if (p->posted[i] == op)
			return (true);
	}
	return (false);
}

/* ---- operations ---- */

struct admit_op *
admit_make(struct proc *p, struct key_info *key)
{
	struct admit_op *op = calloc(1, sizeof(*op));

	assert_non_null(op);
	op->op.kind = OP_ADMIT;
	op->ledger_id = ledger_ids_next(&p->ids,
	    clock_wall_ms(&p->rig->clock.clock));
	op->key = key;
	op->kind = "messages";
	snprintf(op->model, sizeof(op->model), "claude-sonnet-4-5");
	op->needs_slot = true;
	op->billed = true;
	op->body_bytes = 1000;
	op->max_tokens = 1000;
	op->submitted_ms = clock_mono_ms(&p->rig->clock.clock);
	op->give_up_ms = op->submitted_ms + 10000;
	return (op);
}

struct settle_op *
settle_make(struct proc *p, struct admit_op *op)
{
	struct settle_op *s = calloc(1, sizeof(*s));

	(void)p;
	assert_non_null(s);
	s->op.kind = OP_SETTLE;
	s->ledger_id = op->ledger_id;
	s->key_id = op->key->id;
	s->attempts = op->lease.attempt;
	s->lease = op->lease;
	memset(&op->lease, 0, sizeof(op->lease));
	snprintf(s->end.outcome, sizeof(s->end.outcome), "ok");
	s->end.status = 200;
	s->end.mark = USAGE_EXACT;
	s->end.usage.input_tokens = 10;
	s->end.usage.output_tokens = 20;
	s->success = true;
	snprintf(s->model, sizeof(s->model), "%s", s->lease.model[0] != '\0' ?
	    s->lease.model : op->model);
	snprintf(s->outcome, sizeof(s->outcome), "ok");
	s->status = 200;
	s->reserved_nusd = op->reserved_nusd;
	snprintf(s->trace, sizeof(s->trace), "%s", op->trace);
	return (s);
}

struct move_op *
move_make(struct proc *p, struct admit_op *op, const char *reason)
{
	struct move_op *m = calloc(1, sizeof(*m));

	(void)p;
	assert_non_null(m);
	m->admit = *op;
	memset(&m->admit.lease, 0, sizeof(m->admit.lease));
	m->admit.op = (struct store_op) { .kind = OP_MOVE };
	m->admit.submitted_ms = clock_mono_ms(&p->rig->clock.clock);
	m->admit.give_up_ms = m->admit.submitted_ms + 10000;
	m->lease = op->lease;
	memset(&op->lease, 0, sizeof(op->lease));
	snprintf(m->end.outcome, sizeof(m->end.outcome), "%s", reason);
	m->end.status = 500;
	m->park.wanted = true;
	m->park.base_ms = 10000;
	snprintf(m->park.reason, sizeof(m->park.reason), "%s", reason);
	return (m);
}

struct admit_op *
admit_now(struct proc *p, struct key_info *key)
{
	struct admit_op *op = admit_make(p, key);

	proc_run1(p, &op->op);
	return (op);
}

struct admit_op *
admit_stream(struct proc *p, struct key_info *key)
{
	struct admit_op *op = admit_make(p, key);

	op->stream = true;
	proc_run1(p, &op->op);
	return (op);
}

void
finish(struct proc *p, struct admit_op *op)
{
	struct settle_op *s = settle_make(p, op);

	proc_run1(p, &s->op);
	lease_drop(&s->lease);
	free(s);
	free(op);
}

void
drop(struct admit_op *op)
{

	lease_drop(&op->lease);
	free(op);
}

int64_t
slots_held(struct rig *r)
{

	return (rig_int(r, "SELECT count(*) FROM slot "
	    "WHERE responder_id IS NOT NULL"));
}

/* Sums of what rows hold of each window, as "h". */
#define HELD(rows)	"(SELECT b, s, "				\
	"sum(CASE WHEN state = 0 THEN a ELSE 0 END) AS r, "		\
	"sum(CASE WHEN state = 0 THEN 0 ELSE a END) AS c "		\
	"FROM " rows " GROUP BY b, s) AS h"

static const char held_sqlite[] = HELD("(SELECT state, "
    "json_extract(value, '$[0]') AS b, json_extract(value, '$[1]') AS s, "
    "json_extract(value, '$[3]') AS a FROM ledger, json_each(CASE "
    "WHEN holds = '' THEN '[]' ELSE holds END))");
static const char held_mysql[] = HELD("ledger, JSON_TABLE(CASE "
    "WHEN holds = '' THEN '[]' ELSE holds END, '$[*]' COLUMNS "
    "(b BIGINT PATH '$[0]', s BIGINT PATH '$[1]', a BIGINT PATH '$[3]')) "
    "AS j");

/* Windows are the sums of what rows hold, and of nothing else.  Where days go
 * by old ones are removed; verify_ledger knows which. */
static void
balance_windows(struct rig *r, const char *note)
{
	const char *held = raw_is_mysql() ? held_mysql : held_sqlite;
	char sql[1536];

	if (r->timed)
		return;
	snprintf(sql, sizeof(sql), "SELECT (SELECT count(*) FROM "
	    "budget_window w LEFT JOIN %s ON b = budget_id AND s = start_ms "
	    "WHERE reserved <> coalesce(r, 0) OR spent <> kept + "
	    "coalesce(c, 0)) + (SELECT count(*) FROM %s LEFT JOIN "
	    "budget_window ON b = budget_id AND s = start_ms "
	    "WHERE budget_id IS NULL AND r + c > 0)", held, held);
	if (rig_int(r, sql) == 0)
		return;
	snprintf(sql, sizeof(sql), "SELECT budget_id || ' at ' || start_ms || "
	    "': ' || reserved || ' reserved, ' || coalesce(r, 0) || ' held; ' "
	    "|| spent || ' spent, ' || coalesce(c, 0) || ' charged' "
	    "FROM budget_window LEFT JOIN %s ON b = budget_id AND "
	    "s = start_ms WHERE reserved <> coalesce(r, 0) OR "
	    "spent <> kept + coalesce(c, 0)", held);
	fail_msg("budget %s (%s)", rig_text(r, sql), note);
}

void
rig_balance(struct rig *r, const char *note)
{
	static const struct {
		const char *what, *sql;	/* 0 if all is well */
	} books[] = {
		{ "slots beyond the limit", "SELECT count(*) FROM slot, "
		    "account a WHERE a.id = account_id AND n > concurrency "
		    "AND responder_id IS NOT NULL" },
		{ "slots of requests that are over", "SELECT count(*) "
		    "FROM slot LEFT JOIN ledger l ON l.id = ledger_id "
		    "WHERE slot.responder_id IS NOT NULL AND "
		    "(l.id IS NULL OR l.state <> 0)" },
		{ "slots twice for one request", "SELECT count(*) FROM "
		    "(SELECT 1 FROM slot WHERE responder_id IS NOT NULL "
		    "GROUP BY ledger_id HAVING count(*) > 1) AS t" },
		{ "keys beyond their concurrency", "SELECT count(*) FROM "
		    "(SELECT key_id, count(*) AS n FROM slot "
		    "WHERE responder_id IS NOT NULL GROUP BY key_id) "
		    "AS s, api_key k WHERE k.id = key_id AND concurrency > 0 "
		    "AND n > concurrency" },
		{ "users beyond their concurrency", "SELECT count(*) FROM "
		    "(SELECT person_id AS p, count(*) AS n FROM slot JOIN "
		    "api_key k ON k.id = key_id WHERE responder_id "
		    "IS NOT NULL GROUP BY person_id) AS s, person WHERE "
		    "id = p AND concurrency > 0 AND n > concurrency" },
		{ "tickets of requests that are over", "SELECT count(*) FROM "
		    "ticket LEFT JOIN ledger l ON l.id = ledger_id "
		    "WHERE l.id IS NULL OR l.state <> 0" },
		{ "spent differs", "SELECT CASE WHEN (SELECT count(*) "
		    "FROM budget) <> 1 OR (SELECT kind FROM budget) <> "
		    "'money' THEN 0 ELSE coalesce(sum(spent), 0) - "
		    "(SELECT coalesce(sum(cost_nusd), 0) FROM ledger "
		    "WHERE key_id = 1 AND state <> 0) END "
		    "FROM budget_window" },
		{ "use of keys differs", "SELECT count(*) FROM api_key k "
		    "LEFT JOIN key_usage u ON u.key_id = k.id WHERE "
		    "coalesce(requests || ' ' || cost_nusd || ' ' || "
		    "input_tokens || ' ' || output_tokens, '') <> (SELECT "
		    "CASE WHEN count(*) = 0 THEN '' ELSE count(*) || ' ' || "
		    "coalesce(sum(cost_nusd), 0) || ' ' || "
		    "coalesce(sum(input_tokens), 0) || ' ' || "
		    "coalesce(sum(output_tokens), 0) END FROM ledger "
		    "WHERE key_id = k.id AND state IN (1, 2, 3))" },
		{ "the cap is exceeded", "SELECT count(*) FROM "
		    "budget_window, budget WHERE id = budget_id AND "
		    "period <> 'rolling' AND "
		    "spent + reserved > limit_value AND NOT EXISTS "
		    "(SELECT 1 FROM ledger WHERE flags % 2 = 1)" },
		{ "attempts open in closed rows", "SELECT count(*) FROM "
		    "attempt a JOIN ledger l ON l.id = ledger_id "
		    "WHERE a.outcome IS NULL AND l.state <> 0" },
	};
	int64_t n;
	size_t i;

	balance_windows(r, note);
	for (i = 0; i < NITEMS(books); i++) {
		if ((n = rig_int(r, books[i].sql)) != 0)
			fail_msg("%s: %lld (%s)", books[i].what,
			    (long long)n, note);
	}
}

struct key_info *
rig_budgeted(struct rig *r)
{
	struct key_info *key;

	rig_account(r, "a1", 0, 4);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_price(r, "claude-*", 1000000);
	rig_budget(r, key->id, 1000000);
	return (key);
}

struct key_info *
rig_two_models(struct rig *r)
{

	rig_price(r, "cheap", 1000000);
	rig_price(r, "dear", 10000000);
	rig_account(r, "a1", 0, 10);
	rig_account(r, "a2", 0, 10);
	return (rig_key(r, "k1", "pool", 0, 0));
}

void
rig_change(struct rig *r, const char *sql)
{

	rig_sql(r, sql);
	rig_sql(r, "UPDATE meta SET value = value + 1 "
	    "WHERE name = 'config_version'");
}

void
rig_alias(struct rig *r, const char *scope, int64_t id, const char *pattern,
    const char *target)
{
	char sql[512];

	snprintf(sql, sizeof(sql), "DELETE FROM model_alias WHERE scope = '%s'"
	    " AND scope_id = %lld AND pattern = '%s'", scope, (long long)id,
	    pattern);
	rig_sql(r, sql);
	snprintf(sql, sizeof(sql), "INSERT INTO model_alias (scope, scope_id, "
	    "pattern, target, created_ms) VALUES ('%s', %lld, '%s', '%s', 0)",
	    scope, (long long)id, pattern, target);
	rig_change(r, sql);
}
