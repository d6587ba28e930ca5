#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/affinity.h"
#include "pool/prune.h"
#include "pool/rig.h"

/* Two accounts of one slot each, and a key. */
struct scene {
	struct rig *r;
	struct key_info *key;
	struct proc *p, *q;
	int64_t a, b;
};

static void
scene_init(struct scene *s, struct rig *r, int64_t concurrency)
{
	int64_t g = rig_group(r, "g", "least_connections");

	s->r = r;
	s->a = rig_account(r, "a", g, concurrency);
	s->b = rig_account(r, "b", g, concurrency);
	s->key = rig_key(r, "k", "group", g, 0);
	s->p = proc_new(r);
	s->q = proc_new(r);
}

static void
scene_fini(struct scene *s)
{

	assert_int_equal(slots_held(s->r), 0);
	assert_int_equal(rig_int(s->r, "SELECT count(*) FROM ticket"), 0);
	proc_free(s->p);
	proc_free(s->q);
}

static struct admit_op *
ask(struct scene *s, struct proc *p, const char *session)
{
	struct admit_op *op = admit_make(p, s->key);

	snprintf(op->session, sizeof(op->session), "%s", session);
	proc_run1(p, &op->op);
	return (op);
}

/* The account that serves ${op}; 0: it waits. */
static int64_t
served_by(const struct proc *p, const struct admit_op *op)
{

	if (!proc_posted(p, &op->op))
		return (0);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	return (op->lease.account->id);
}

/* It is done, and read ${cached} tokens from the cache. */
static void
end(struct proc *p, struct admit_op *op, int64_t cached)
{
	struct settle_op *s = settle_make(p, op);

	s->end.usage.cache_read_tokens = cached;
	proc_run1(p, &s->op);
	lease_drop(&s->lease);
	free(s);
	free(op);
}

/* One request of ${session} from beginning to end. */
static int64_t
serve(struct scene *s, struct proc *p, const char *session, int64_t cached)
{
	struct admit_op *op = ask(s, p, session);
	int64_t id = served_by(p, op);

	end(p, op, cached);
	return (id);
}

static void
pass_time(struct scene *s, int64_t ms)
{

	clock_fake_advance(&s->r->clock, ms);
}

static void
a_session_stays_and_new_ones_spread(void **state)
{
	struct admit_op *op[4];
	struct scene s;

	scene_init(&s, *state, 4);
	op[0] = ask(&s, s.p, "one");
	assert_int_equal(served_by(s.p, op[0]), s.a);
	op[1] = ask(&s, s.p, "one");
	assert_int_equal(served_by(s.p, op[1]), s.a);
	op[2] = ask(&s, s.p, "two");
	assert_int_equal(served_by(s.p, op[2]), s.b);

	/* Other processes know, too. */
	op[3] = ask(&s, s.q, "one");
	assert_int_equal(served_by(s.q, op[3]), s.a);
	assert_non_null(strstr(op[3]->trace, "\"session\":\"kept\""));
	end(s.p, op[0], 0);
	end(s.p, op[1], 0);
	end(s.p, op[2], 0);
	end(s.q, op[3], 0);

	/* Without a session the idlest serves. */
	op[0] = ask(&s, s.p, "one");
	op[1] = ask(&s, s.p, "");
	assert_int_equal(served_by(s.p, op[0]), s.a);
	assert_int_equal(served_by(s.p, op[1]), s.b);
	end(s.p, op[0], 0);
	end(s.p, op[1], 0);
	assert_int_equal(rig_int(s.r, "SELECT count(*) FROM affinity"), 2);
	scene_fini(&s);
}

static void
a_session_is_of_its_key(void **state)
{
	struct admit_op *op, *other;
	struct key_info *mine;
	struct scene s;

	scene_init(&s, *state, 4);
	op = ask(&s, s.p, "one");
	assert_int_equal(served_by(s.p, op), s.a);
	mine = s.key;
	s.key = rig_key(s.r, "other", "pool", 0, 0);
	other = ask(&s, s.p, "one");
	assert_int_equal(served_by(s.p, other), s.b);
	end(s.p, other, 0);
	s.key = mine;
	end(s.p, op, 0);
	scene_fini(&s);
}

static void
rows_are_written_when_something_changes(void **state)
{
	struct scene s;
	int i;

	scene_init(&s, *state, 4);
	assert_int_equal(serve(&s, s.p, "one", 50000), s.a);
	assert_int_equal(rig_int(s.r,
	    "SELECT cached_tokens FROM affinity"), 50000);
	rig_sql(s.r, "UPDATE affinity SET cache_ms = 7");
	for (i = 0; i < 5; i++)
		assert_int_equal(serve(&s, s.p, "one", 52000), s.a);
	assert_int_equal(rig_int(s.r, "SELECT cache_ms FROM affinity"), 7);
	assert_int_equal(serve(&s, s.p, "one", 150000), s.a);
	assert_int_equal(rig_int(s.r,
	    "SELECT cached_tokens FROM affinity"), 150000);
	scene_fini(&s);
}

static void
park(struct scene *s, int64_t account)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "INSERT INTO cooldown (account_id, family, "
	    "reason, since_ms, until_ms, stated, observed_ms) VALUES (%lld, "
	    "'', 'rate_limited', 1, 9000000000000, 1, 1)",
	    (long long)account);
	rig_change(s->r, sql);
}

static void
a_parked_account_is_left_and_comes_back(void **state)
{
	struct admit_op *op, *op2;
	struct scene s;

	scene_init(&s, *state, 4);
	assert_int_equal(serve(&s, s.p, "one", 90000), s.a);
	assert_int_equal(serve(&s, s.q, "one", 90000), s.a);
	park(&s, s.a);
	op = ask(&s, s.p, "one");
	assert_int_equal(served_by(s.p, op), s.b);
	assert_non_null(strstr(op->trace,
	    "\"parked: rate_limited\",\"session\":\"left\""));
	end(s.p, op, 90000);

	/* Once it may serve again it does, but the session has moved, which
	 * the other process learns, too. */
	rig_change(s.r, "DELETE FROM cooldown");
	pass_time(&s, 11000);
	op = ask(&s, s.q, "one");
	assert_int_equal(served_by(s.q, op), s.b);
	op2 = ask(&s, s.q, "new");
	assert_int_equal(served_by(s.q, op2), s.a);
	end(s.q, op, 90000);
	end(s.q, op2, 0);
	scene_fini(&s);
}

static void
a_busy_account_is_waited_for(void **state)
{
	struct admit_op *first, *second;
	struct scene s;

	scene_init(&s, *state, 1);
	assert_int_equal(serve(&s, s.p, "one", 90000), s.a);
	first = ask(&s, s.p, "one");
	assert_int_equal(served_by(s.p, first), s.a);
	second = ask(&s, s.p, "one");
	assert_int_equal(served_by(s.p, second), 0);

	/* Another process does not send it elsewhere. */
	proc_poll(s.q);
	proc_poll(s.p);
	assert_int_equal(served_by(s.p, second), 0);
	assert_int_equal(rig_int(s.r, "SELECT home_id FROM ticket"), s.a);
	end(s.p, first, 90000);
	proc_poll(s.p);
	assert_int_equal(served_by(s.p, second), s.a);
	end(s.p, second, 90000);
	scene_fini(&s);
}

static void
but_not_for_long(void **state)
{
	static const struct {
		int64_t cached, wait_ms;
	} cases[] = {
		{ 90000, 3000 },
		{ 16384, 1500 },
		{ 1023, 0 },
	};
	struct admit_op *first, *second;
	struct scene s;
	char name[16];
	int64_t home;
	size_t i;

	scene_init(&s, *state, 1);
	for (i = 0; i < NITEMS(cases); i++) {
		snprintf(name, sizeof(name), "s%zu", i);
		home = serve(&s, s.p, name, cases[i].cached);
		first = ask(&s, s.p, name);
		assert_int_equal(served_by(s.p, first), home);
		second = ask(&s, s.p, name);
		if (cases[i].wait_ms > 0) {
			pass_time(&s, cases[i].wait_ms - 1);
			proc_poll(s.p);
			assert_int_equal(served_by(s.p, second), 0);
			pass_time(&s, 1);
			proc_poll(s.p);
		}
		assert_int_equal(served_by(s.p, second), s.a + s.b - home);
		assert_non_null(strstr(second->trace,
		    "\"busy\",\"session\":\"left\""));
		end(s.p, first, 0);
		end(s.p, second, 0);
	}
	scene_fini(&s);
}

static void
nobody_is_turned_away_for_a_cache(void **state)
{
	struct admit_op *first, *second;
	struct scene s;
	int64_t home;

	/* No queue: it goes to another at once. */
	scene_init(&s, *state, 1);
	s.p->shared.settings.queue_max = 0;
	assert_int_equal(serve(&s, s.p, "one", 90000), s.a);
	first = ask(&s, s.p, "one");
	second = ask(&s, s.p, "one");
	assert_int_equal(served_by(s.p, second), s.b);
	end(s.p, first, 90000);
	end(s.p, second, 90000);

	/* Little time: half of it is left for the move. */
	s.p->shared.settings.queue_max = 10;
	home = serve(&s, s.p, "two", 90000);
	first = ask(&s, s.p, "two");
	second = admit_make(s.p, s.key);
	snprintf(second->session, sizeof(second->session), "two");
	second->give_up_ms = second->submitted_ms + 2000;
	proc_run1(s.p, &second->op);
	pass_time(&s, 999);
	proc_poll(s.p);
	assert_int_equal(served_by(s.p, second), 0);
	pass_time(&s, 1);
	proc_poll(s.p);
	assert_int_equal(served_by(s.p, second), s.a + s.b - home);
	end(s.p, first, 0);
	end(s.p, second, 0);
	scene_fini(&s);
}

static void
a_failed_attempt_moves_the_session(void **state)
{
	struct admit_op *op;
	struct move_op *move;
	struct scene s;

	scene_init(&s, *state, 4);
	op = ask(&s, s.p, "one");
	assert_int_equal(served_by(s.p, op), s.a);
	move = move_make(s.p, op, "overloaded");
	snprintf(move->admit.session, sizeof(move->admit.session), "one");
	proc_run1(s.p, &move->admit.op);
	assert_int_equal(move->admit.verdict, ADMIT_LEASED);
	assert_int_equal(move->admit.lease.account->id, s.b);
	assert_int_equal(rig_int(s.r, "SELECT account_id FROM affinity"),
	    s.b);
	op->lease = move->admit.lease;
	end(s.p, op, 90000);
	lease_drop(&move->lease);
	free(move);
	assert_int_equal(serve(&s, s.q, "one", 90000), s.b);
	scene_fini(&s);
}

static void
patience_is_weighed(void **state)
{
	struct session s = { .used_ms = 1000, .cache_ms = 300000 };

	(void)state;
	s.cached_tokens = 32768;
	assert_int_equal(affinity_patience_ms(&s, 3000, 2000), 3000);
	s.cached_tokens = 200000;
	assert_int_equal(affinity_patience_ms(&s, 3000, 2000), 3000);
	assert_int_equal(affinity_patience_ms(&s, 3000, 300999), 3000);
	assert_int_equal(affinity_patience_ms(&s, 3000, 301000), 0);
	s.cached_tokens = 8192;
	assert_int_equal(affinity_patience_ms(&s, 3000, 2000), 750);
	s.cached_tokens = 1023;
	assert_int_equal(affinity_patience_ms(&s, 3000, 2000), 0);
}

static void
what_a_batch_that_failed_noted_is_noted_anew(void **state)
{
	struct scene s;

	scene_init(&s, *state, 4);
	s.p->fail_times = 1;
	assert_int_equal(serve(&s, s.p, "one", 0), s.a);
	assert_int_equal(rig_int(s.r, "SELECT count(*) FROM affinity"), 1);
	scene_fini(&s);
}

/* From the setting, or an hour where caches are to last one; anew with each
 * use. */
static void
an_hour_of_cache_is_an_hour_of_session(void **state)
{
	static const struct {
		bool long_cache;
		int64_t ttl_ms, least_ms;
	} cases[] = {
		{ false, 600000, 600000 },
		{ true, 600000, 3600000 },
		{ true, 7200000, 7200000 },
	};
	struct admit_op *op;
	struct scene s;
	char name[16];
	int64_t ms;
	size_t i;

	scene_init(&s, *state, 4);
	for (i = 0; i < NITEMS(cases); i++) {
		s.p->shared.settings.affinity_ttl_ms = cases[i].ttl_ms;
		op = admit_make(s.p, s.key);
		snprintf(name, sizeof(name), "s%zu", i);
		snprintf(op->session, sizeof(op->session), "%s", name);
		op->long_cache = cases[i].long_cache;
		proc_run1(s.p, &op->op);
		assert_true(served_by(s.p, op) != 0);
		ms = rig_int(s.r, "SELECT max(expires_ms - used_ms) "
		    "FROM affinity");
		assert_true(ms >= cases[i].least_ms);
		assert_true(ms < cases[i].least_ms / 4 * 5);
		end(s.p, op, 0);
	}
	scene_fini(&s);
}

static void
what_ran_out_is_forgotten(void **state)
{
	struct admit_op *op[2];
	struct prune_pass pass;
	struct err err = { 0 };
	struct scene s;

	scene_init(&s, *state, 4);
	assert_int_equal(serve(&s, s.p, "one", 0), s.a);
	rig_sql(s.r, "UPDATE affinity SET expires_ms = 1");
	op[0] = ask(&s, s.q, "");
	assert_int_equal(served_by(s.q, op[0]), s.a);
	op[1] = ask(&s, s.q, "one");
	assert_int_equal(served_by(s.q, op[1]), s.b);
	end(s.q, op[0], 0);
	end(s.q, op[1], 0);
	rig_sql(s.r, "UPDATE affinity SET expires_ms = 1");
	assert_int_equal(prune_some(s.r->st, 0, &pass, &err), 0);
	assert_int_equal(rig_int(s.r, "SELECT count(*) FROM affinity"), 0);
	scene_fini(&s);
}

#define RIG_TEST(f)							\
	cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patience_is_weighed),
		RIG_TEST(a_session_stays_and_new_ones_spread),
		RIG_TEST(a_session_is_of_its_key),
		RIG_TEST(rows_are_written_when_something_changes),
		RIG_TEST(a_parked_account_is_left_and_comes_back),
		RIG_TEST(a_busy_account_is_waited_for),
		RIG_TEST(but_not_for_long),
		RIG_TEST(nobody_is_turned_away_for_a_cache),
		RIG_TEST(a_failed_attempt_moves_the_session),
		RIG_TEST(what_a_batch_that_failed_noted_is_noted_anew),
		RIG_TEST(an_hour_of_cache_is_an_hour_of_session),
		RIG_TEST(what_ran_out_is_forgotten),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
