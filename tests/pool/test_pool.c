#include "cmocka_all.h"

#include <sys/wait.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/seal.h"
#include "ledger/meta.h"
#include "pool/objects.h"
#include "pool/pool.h"
#include "store/raw.h"
#include "store/store.h"

#include "admin/install.h"

/* The whole pool: loop, store thread, file. */

#define N_CALLS		200
#define N_POOLS		2
#define SLOTS		5

struct place {
	char dir[64];
	char url[RAW_URL_SIZE];
	char key_path[96];
	struct seal *seal;
	struct conf conf;
	struct loop *loop;
	unsigned char hash[SEAL_HASH_BYTES];
};

static void
must(int rc, const struct err *err)
{

	if (rc != 0)
		fail_msg("%s", err->text);
}

static void
fill(struct place *pl)
{
	struct store_options opt = { .create = true, .busy_timeout_ms = 5000 };
	unsigned char check[SEAL_HASH_BYTES], *pepper_box, *secret;
	struct seal_pepper pepper;
	struct err err = { 0 };
	size_t npepper, nsecret;
	int64_t from, to, i;
	struct store *st;
	const char *names[] = { "pepper", "seal_key_id", "seal_check",
		"config_version" };
	struct store_value values[4], v[12];

	st = store_open(pl->url, &opt, &err);
	assert_non_null(st);
	must(store_migrate(st, &from, &to, &err), &err);
	must(store_prepare(st, &err), &err);
	seal_random(&pepper, sizeof(pepper));
	seal_hash(&pepper, "sk-lh-test", 10, pl->hash);
	must(seal_box(pl->seal, META_PEPPER_CONTEXT, pepper.key,
	    sizeof(pepper.key), &pepper_box, &npepper, &err), &err);
	must(seal_box(pl->seal, "account:1:secret", "secret", 6, &secret,
	    &nsecret, &err), &err);
	assert_int_equal(seal_check_value(pl->seal, NULL, check), 0);
	values[0] = store_blob(pepper_box, npepper);
	values[1] = store_text(seal_key_id(pl->seal));
	values[2] = store_blob(check, sizeof(check));
	values[3] = store_int(1);
	must(store_begin(st, true, &err), &err);
	for (i = 0; i < 4; i++) {
		v[0] = store_text(names[i]);
		v[1] = values[i];
		must(store_exec(st, STMT_META_PUT, v, 1, 2, NULL, &err),
		    &err);
	}
	v[0] = store_text("a1");
	v[1] = store_text("claude");
	v[2] = store_text("http://127.0.0.1:1");
	v[3] = store_text("api_key");
	v[4] = store_blob(secret, nsecret);
	v[5] = store_null();
	v[6] = v[7] = store_int(50);
	v[8] = store_int(SLOTS);
	v[9] = v[10] = v[11] = store_int(1);
	must(store_exec(st, STMT_ACCOUNT_ADD, v, 1, 12, NULL, &err), &err);
	for (i = 1; i <= SLOTS; i++) {
		v[0] = store_int(1);
		v[1] = store_int(i);
		must(store_exec(st, STMT_SLOT_ADD, v, 1, 2, NULL, &err),
		    &err);
	}
	v[0] = store_text("k1");
	v[1] = store_text("sk-lh-x");
	v[2] = store_blob(pl->hash, sizeof(pl->hash));
	v[3] = store_text("pool");
	v[4] = store_null();
	v[5] = store_int(0);
	v[6] = store_text("");
	v[7] = store_null();
	v[8] = store_int(1);
	v[9] = store_null();
	v[10] = store_int(1);
	must(store_exec(st, STMT_KEY_ADD, v, 1, 11, NULL, &err), &err);
	must(store_commit(st, &err), &err);
	store_close(st);
	free(pepper_box);
	free(secret);
}

static void
fill_conf(struct place *pl)
{

	pl->conf = (struct conf) {
		.store = pl->url,
		.master_key_file = pl->key_path,
		.host_name = (char *)(uintptr_t)"",
		.run_dir = pl->dir,
		.queue_max = 1000,
		.queue_timeout_ms = 20000,
		.beat_interval_ms = 50,
		.dead_after_ms = 15000,
		.grant_timeout_ms = 2000,
		.cooldown_max_ms = 60000,
		.unpriced = (char *)(uintptr_t)"allow",
		.implausible = (char *)(uintptr_t)"bound",
		.sqlite_synchronous = (char *)(uintptr_t)"normal",
		.store_timeout_ms = 5000,
	};
}

static int
setup(void **state)
{
	struct place *pl = calloc(1, sizeof(*pl));
	struct err err = { 0 };

	if (pl == NULL)
		return (-1);
	snprintf(pl->dir, sizeof(pl->dir), "/tmp/test-pool.XXXXXX");
	if (mkdtemp(pl->dir) == NULL)
		return (-1);
	raw_make(pl->dir, pl->url);
	snprintf(pl->key_path, sizeof(pl->key_path), "%s/master.key",
	    pl->dir);
	if (seal_create_file(pl->key_path, &err) ||
	    (pl->seal = seal_open(pl->key_path, &err)) == NULL)
		return (-1);
	if ((pl->loop = loop_new(clock_system(), &err)) == NULL)
		return (-1);
	fill_conf(pl);
	*state = pl;
	return (0);
}

static int
teardown(void **state)
{
	struct place *pl = *state;
	const struct dirent *de;
	char name[384];
	DIR *dir;

	loop_free(pl->loop);
	seal_free(pl->seal);
	raw_drop(pl->url);
	dir = opendir(pl->dir);
	while (dir != NULL && (de = readdir(dir)) != NULL) {
		snprintf(name, sizeof(name), "%s/%s", pl->dir, de->d_name);
		(void)unlink(name);
	}
	if (dir != NULL)
		closedir(dir);
	(void)rmdir(pl->dir);
	free(pl);
	return (0);
}

static int64_t
count(struct place *pl, const char *sql)
{

	return (raw_int(pl->url, sql));
}

static void
turn(struct place *pl)
{
	struct err err = { 0 };

	must(loop_turn(pl->loop, 20, &err), &err);
}

static struct pool *
start(struct place *pl)
{
	struct pool_params params = {
		.conf = &pl->conf,
		.seal = pl->seal,
		.loop = pl->loop,
		.clock = clock_system(),
	};
	struct err err = { 0 };
	struct pool *p;
	int i;

	if ((p = pool_start(&params, &err)) == NULL)
		fail_msg("%s", err.text);
	for (i = 0; i < 500 && !pool_ready(p); i++)
		turn(pl);
	assert_true(pool_ready(p));
	return (p);
}

/* ---- keys ---- */

static void
looked_up(struct lookup_op *op, const struct err *err)
{

	assert_int_equal(err->code, ERR_NONE);
	*(bool *)op->arg = true;
}

static struct key_info *
look_up(struct place *pl, struct pool *p, const unsigned char *hash)
{
	bool done = false;
	struct lookup_op op = { .done = looked_up, .arg = &done };

	memcpy(op.hash, hash, sizeof(op.hash));
	pool_lookup(p, &op);
	while (!done)
		turn(pl);
	return (op.key);
}

static void
keys_are_looked_up_and_remembered(void **state)
{
	struct place *pl = *state;
	unsigned char hash[SEAL_HASH_BYTES];
	struct key_info *key, *again;
	struct pool *p;
	int i;

	fill(pl);
	p = start(pl);
	assert_true(pool_next_id(p) > 0);
	assert_int_equal(pool_snapshot(p)->naccounts, 1);
	assert_non_null(pool_pepper(p));
	seal_hash(pool_pepper(p), "sk-lh-test", 10, hash);
	assert_memory_equal(hash, pl->hash, sizeof(hash));
	assert_null(pool_key_cached(p, hash));
	key = look_up(pl, p, hash);
	assert_non_null(key);
	assert_string_equal(key->name, "k1");
	assert_string_equal(key->bind_kind, "pool");
	assert_true(key->enabled);
	again = pool_key_cached(p, hash);
	assert_ptr_equal(key, again);
	key_info_unref(again);

	/* A change of the configuration makes it forget. */
	raw_sql(pl->url, "UPDATE meta SET value = value + 1 "
	    "WHERE name = 'config_version'");
	for (i = 0; i < 200; i++) {
		turn(pl);
		again = pool_key_cached(p, hash);
		key_info_unref(again);
		if (again == NULL)
			break;
	}
	assert_null(again);
	assert_true(pool_key_known(p, hash));
	key_info_unref(key);
	hash[0] ^= 1;
	assert_null(look_up(pl, p, hash));
	assert_false(pool_key_known(p, hash));
	pool_stop(p, 5000);
	assert_int_equal(count(pl, "SELECT count(*) FROM responder"), 0);
}

static void
object_put(struct object_op *op, const struct err *err)
{

	*(bool *)op->arg = err->code == ERR_NONE;
}

static void
object_listed(struct object_list_op *op, const struct err *err)
{

	*(bool *)op->arg = err->code == ERR_NONE;
}

static void
objects_are_put_and_listed(void **state)
{
	struct place *pl = *state;
	bool is_put = false, is_listed = false;
	struct object_op op = { .kind = OBJECT_FILE, .upstream_id = "file_1",
		.account_id = 1, .done = object_put, .arg = &is_put };
	struct object_list_op l = { .kind = OBJECT_FILE, .limit = 10,
		.done = object_listed, .arg = &is_listed };
	struct key_info *key;
	struct pool *p;

	fill(pl);
	p = start(pl);
	key = look_up(pl, p, pl->hash);
	op.key_id = key->id;
	l.key = key;
	pool_object_put(p, &op);
	while (!is_put)
		turn(pl);
	pool_object_list(p, &l);
	while (!is_listed)
		turn(pl);
	assert_int_equal(l.n, 1);
	object_list_wipe(&l);
	key_info_unref(key);
	pool_stop(p, 5000);
}

/* ---- many calls ---- */

struct crowd {
	struct pool *pool[N_POOLS];
	struct key_info *key[N_POOLS];
	int64_t in_flight, most;
	int done, gone, leased;
};

struct call {
	struct crowd *crowd;
	int which;
	struct admit_op admit;
	struct settle_op settle;
	struct loop_timer timer;
	struct loop *loop;
	bool leaves;
};

static void
settled(struct settle_op *op, const struct err *err)
{
	struct call *c = op->arg;

	assert_int_equal(err->code, ERR_NONE);
	lease_drop(&op->lease);
	c->crowd->done++;
}

static void
served(struct loop_timer *t)
{
	struct call *c = t->arg;
	struct settle_op *s = &c->settle;

	c->crowd->in_flight--;
	s->ledger_id = c->admit.ledger_id;
	s->key_id = c->admit.key->id;
	s->attempts = 1;
	s->lease = c->admit.lease;
	s->success = true;
	s->end.mark = USAGE_NONE;
	snprintf(s->end.outcome, sizeof(s->end.outcome), "ok");
	snprintf(s->outcome, sizeof(s->outcome), "ok");
	s->done = settled;
	s->arg = c;
	pool_settle(c->crowd->pool[c->which], s);
}

static void
admitted(struct admit_op *op, const struct err *err)
{
	struct call *c = op->arg;
	struct crowd *crowd = c->crowd;

	if (err->code == ERR_CANCELLED) {
		assert_true(c->leaves);
		crowd->gone++;
		crowd->done++;
		return;
	}
	assert_int_equal(err->code, ERR_NONE);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_non_null(op->lease.account->secret);
	crowd->leased++;
	if (++crowd->in_flight > crowd->most)
		crowd->most = crowd->in_flight;
	assert_int_equal(loop_timer_set(c->loop, &c->timer,
	    loop_now_ms(c->loop) + 1, served, c), 0);
}

/* As the command does it, from outside. */
static void
rekey(struct place *pl)
{
	struct store_options opt = { .busy_timeout_ms = 5000 };
	struct err err = { 0 };
	struct store *st;
	size_t n;

	st = store_open(pl->url, &opt, &err);
	assert_non_null(st);
	must(store_prepare(st, &err), &err);
	must(install_rekey(st, pl->key_path, &n, &err), &err);
	assert_int_equal(n, 1);
	store_close(st);
}

/* Many calls through two pools, with so many calls from rekey to rekey. */
static void
mill(struct place *pl, int rekey_each)
{
	struct crowd crowd = { .done = 0 };
	struct pool_stats stats;
	struct call *calls, *c;
	int i;

	fill(pl);
	for (i = 0; i < N_POOLS; i++) {
		crowd.pool[i] = start(pl);
		crowd.key[i] = look_up(pl, crowd.pool[i], pl->hash);
	}
	calls = calloc(N_CALLS, sizeof(*calls));
	assert_non_null(calls);
	for (i = 0; i < N_CALLS; i++) {
		c = &calls[i];
		c->crowd = &crowd;
		c->which = i % N_POOLS;
		c->loop = pl->loop;
		c->leaves = i % 10 == 9;
		c->admit.ledger_id = pool_next_id(crowd.pool[c->which]);
		c->admit.key = crowd.key[c->which];
		c->admit.kind = "messages";
		snprintf(c->admit.model, sizeof(c->admit.model), "claude-x");
		c->admit.needs_slot = true;
		c->admit.done = admitted;
		c->admit.arg = c;
		pool_admit(crowd.pool[c->which], &c->admit);
		if (i % 7 == 0)
			turn(pl);
		if (rekey_each != 0 && i % rekey_each == 0)
			rekey(pl);
	}
	for (i = 0; i < N_CALLS; i++) {
		if (calls[i].leaves)
			pool_admit_cancel(crowd.pool[calls[i].which],
			    &calls[i].admit);
	}
	while (crowd.done < N_CALLS)
		turn(pl);
	assert_in_range(crowd.most, 1, SLOTS);
	assert_int_equal(crowd.leased + crowd.gone, N_CALLS);
	pool_stats(crowd.pool[0], &stats);
	assert_int_equal(stats.waiting, 0);
	assert_true(stats.store.batches < stats.store.ops);
	assert_int_equal(count(pl, "SELECT count(*) FROM ledger "
	    "WHERE state = 1 AND outcome = 'ok'"), crowd.leased);
	assert_int_equal(count(pl, "SELECT count(*) FROM slot "
	    "WHERE responder_id IS NOT NULL"), 0);
	for (i = 0; i < N_POOLS; i++) {
		key_info_unref(crowd.key[i]);
		pool_stop(crowd.pool[i], 5000);
	}
	free(calls);
}

static void
slots_are_shared_by_two_pools(void **state)
{

	mill(*state, 0);
}

static void
a_new_master_key_fails_no_request(void **state)
{
	struct place *pl = *state;
	struct seal *now;
	struct pool *p;
	int i;

	mill(pl, 20);
	now = seal_open(pl->key_path, NULL);
	assert_non_null(now);
	p = start(pl);
	for (i = 0; i < 200 && strcmp(seal_key_id(pool_seal(p)),
	    seal_key_id(now)) != 0; i++)
		turn(pl);
	assert_string_equal(seal_key_id(pool_seal(p)), seal_key_id(now));
	seal_free(now);
	pool_stop(p, 5000);
}

static void
stopped(struct admit_op *op, const struct err *err)
{

	assert_int_equal(err->code, ERR_CANCELLED);
	(*(int *)op->arg)++;
}

static void
held(struct admit_op *op, const struct err *err)
{

	assert_int_equal(err->code, ERR_NONE);
	(*(int *)op->arg)++;
}

/* What waits is told; what runs on is closed as estimated. */
static void
stopping_leaves_nothing_open(void **state)
{
	struct place *pl = *state;
	struct admit_op ops[SLOTS + 2] = { { .model = "" } };
	struct key_info *key;
	int i, nheld = 0, nstopped = 0;
	struct pool *p;

	fill(pl);
	p = start(pl);
	key = look_up(pl, p, pl->hash);
	for (i = 0; i < SLOTS + 2; i++) {
		ops[i].ledger_id = pool_next_id(p);
		ops[i].key = key;
		ops[i].kind = "messages";
		ops[i].needs_slot = true;
		ops[i].done = i < SLOTS ? held : stopped;
		ops[i].arg = i < SLOTS ? &nheld : &nstopped;
		pool_admit(p, &ops[i]);
	}
	while (nheld < SLOTS)
		turn(pl);
	pool_stop(p, 5000);
	assert_int_equal(nstopped, 2);
	for (i = 0; i < SLOTS; i++)
		lease_drop(&ops[i].lease);
	key_info_unref(key);
	assert_int_equal(count(pl, "SELECT count(*) FROM ledger "
	    "WHERE state = 0"), 0);
	assert_int_equal(count(pl, "SELECT count(*) FROM slot "
	    "WHERE responder_id IS NOT NULL"), 0);
	assert_int_equal(count(pl, "SELECT count(*) FROM responder"), 0);
}

static void
refused(struct admit_op *op, const struct err *err)
{

	assert_int_equal(err->code, ERR_STORE_DOWN);
	(*(int *)op->arg)++;
}

static void
it_comes_up_when_the_database_does(void **state)
{
	struct place *pl = *state;
	struct pool_params params = {
		.conf = &pl->conf,
		.seal = pl->seal,
		.loop = pl->loop,
		.clock = clock_system(),
	};
	struct admit_op op = { .model = "" };
	struct key_info key = { .id = 1 };
	struct err err = { 0 };
	int i, nrefused = 0;
	struct pool *p;

	p = pool_start(&params, &err);
	assert_non_null(p);
	for (i = 0; i < 5; i++)
		turn(pl);
	assert_false(pool_ready(p));
	assert_int_equal(pool_next_id(p), 0);
	assert_null(pool_snapshot(p));
	assert_null(pool_pepper(p));
	op.key = &key;
	op.kind = "messages";
	op.done = refused;
	op.arg = &nrefused;
	pool_admit(p, &op);
	while (nrefused == 0)
		turn(pl);
	fill(pl);
	for (i = 0; i < 500 && !pool_ready(p); i++)
		turn(pl);
	assert_true(pool_ready(p));
	assert_true(pool_next_id(p) > 0);
	pool_stop(p, 5000);
}

/* ---- killed in an outage ---- */

/* Between a process and the one that kills it. */
struct pipes {
	int up[2], down[2];
};

static void
tell(int fd)
{

	assert_int_equal(write(fd, "x", 1), 1);
}

static void
hear(int fd)
{
	char c;

	assert_int_equal(read(fd, &c, 1), 1);
}

static void
spooled(struct settle_op *op, const struct err *err)
{

	assert_int_equal(err->code, ERR_NONE);
	assert_true(op->op.spooled);
	lease_drop(&op->lease);
	(*(int *)op->arg)++;
}

static void
serve(struct pool *p, const struct admit_op *a, struct settle_op *s, int *n)
{

	s->ledger_id = a->ledger_id;
	s->key_id = a->key->id;
	s->attempts = 1;
	s->lease = a->lease;
	s->success = true;
	s->end.mark = USAGE_EXACT;
	s->end.usage.input_tokens = 11;
	s->end.usage.output_tokens = 7;
	snprintf(s->end.outcome, sizeof(s->end.outcome), "ok");
	snprintf(s->outcome, sizeof(s->outcome), "ok");
	s->done = spooled;
	s->arg = n;
	pool_settle(p, s);
}

/* Calls that are admitted, and end while the database is away. */
static void
to_be_killed(struct place *pl, const struct pipes *io)
{
	struct admit_op ops[SLOTS] = { { .model = "" } };
	struct settle_op ends[SLOTS] = { { .model = "" } };
	struct err err = { 0 };
	struct key_info *key;
	struct pool *p;
	int i, n = 0;

	pl->loop = loop_new(clock_system(), &err);
	p = start(pl);
	key = look_up(pl, p, pl->hash);
	for (i = 0; i < SLOTS; i++) {
		ops[i].ledger_id = pool_next_id(p);
		ops[i].key = key;
		ops[i].kind = "messages";
		ops[i].needs_slot = true;
		ops[i].done = held;
		ops[i].arg = &n;
		pool_admit(p, &ops[i]);
	}
	while (n < SLOTS)
		turn(pl);
	tell(io->up[1]);
	hear(io->down[0]);
	for (i = 0, n = 0; i < SLOTS; i++)
		serve(p, &ops[i], &ends[i], &n);
	while (n < SLOTS)
		turn(pl);
	tell(io->up[1]);
	for (;;)
		pause();
}

static struct store *
take_away(struct place *pl)
{
	struct store_options opt = { .busy_timeout_ms = 5000 };
	struct err err = { 0 };
	struct store *st;

	st = store_open(pl->url, &opt, &err);
	assert_non_null(st);
	must(store_begin(st, true, &err), &err);
	return (st);
}

static void
what_ended_in_an_outage_outlives_its_process(void **state)
{
	static const char exact[] = "SELECT count(*) FROM ledger WHERE state "
	    "IN (1, 3) AND mark = 1 AND outcome = 'ok' AND input_tokens = 11 "
	    "AND output_tokens = 7";
	struct place *pl = *state;
	struct pipes io;
	struct store *st;
	struct pool *p;
	char dir[80];
	int i, status;
	pid_t pid;

	if (raw_is_mysql())
		skip();		/* no such lock keeps others out there */
	snprintf(dir, sizeof(dir), "%s/spool", pl->dir);
	pl->conf.spool_dir = dir;
	pl->conf.spool_bytes = 1 << 20;
	pl->conf.store_timeout_ms = 300;
	fill(pl);
	assert_int_equal(pipe(io.up), 0);
	assert_int_equal(pipe(io.down), 0);
	if ((pid = fork()) == 0)
		to_be_killed(pl, &io);
	hear(io.up[0]);
	st = take_away(pl);
	tell(io.down[1]);
	hear(io.up[0]);
	assert_int_equal(count(pl, "SELECT count(*) FROM ledger "
	    "WHERE state = 0"), SLOTS);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	store_rollback(st);
	store_close(st);

	p = start(pl);
	for (i = 0; i < 500 && count(pl, exact) < SLOTS; i++)
		turn(pl);
	assert_int_equal(count(pl, exact), SLOTS);
	assert_int_equal(count(pl, "SELECT count(*) FROM ledger"), SLOTS);
	assert_int_equal(count(pl, "SELECT count(*) FROM slot "
	    "WHERE responder_id IS NOT NULL"), 0);
	pool_stop(p, 5000);

	/* All is done: no file is left. */
	assert_int_equal(rmdir(dir), 0);
	for (i = 0; i < 2; i++) {
		close(io.up[i]);
		close(io.down[i]);
	}
}

static void
an_unwritable_run_dir_is_refused(void **state)
{
	struct place *pl = *state;
	struct pool_params params = {
		.conf = &pl->conf,
		.seal = pl->seal,
		.loop = pl->loop,
		.clock = clock_system(),
	};
	struct err err = { 0 };

	pl->conf.run_dir = (char *)(uintptr_t)"/nowhere/at/all";
	assert_null(pool_start(&params, &err));
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	assert_non_null(strstr(err.text, "run_dir"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(keys_are_looked_up_and_remembered),
		T(objects_are_put_and_listed),
		T(slots_are_shared_by_two_pools),
		T(a_new_master_key_fails_no_request),
		T(stopping_leaves_nothing_open),
		T(it_comes_up_when_the_database_does),
		T(what_ended_in_an_outage_outlives_its_process),
		T(an_unwritable_run_dir_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
