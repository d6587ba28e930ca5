#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "pool/choose.h"

#define NOW	INT64_C(1795159758123)

static struct cooldown parked_now = {
	.reason = "rate_limited", .until_ms = NOW + 60000
};
static struct cooldown parked_opus = {
	.family = "opus", .reason = "rate_limited", .until_ms = NOW + 30000
};
static struct cooldown parked_once = {
	.reason = "error", .until_ms = NOW - 1
};

static struct cooldown parked_soft = {
	.reason = "overloaded", .until_ms = NOW + 30000, .soft = true
};
static struct cooldown limit_over = {
	.reason = "rate_limited", .until_ms = NOW - 1, .stated = true
};

/* An account in a table: weight 100, two slots, group 1. */
static struct account
acct(int64_t id)
{

	return ((struct account) {
		.id = id,
		.platform = "claude",
		.secret = (char *)(uintptr_t)"s",
		.group_id = 1,
		.priority = 50,
		.weight = 100,
		.concurrency = 2,
		.enabled = true,
	});
}

#define N_MEMO	60

/* The same pool twice: one remembers, one looks at all each time. */
struct twins {
	struct account accounts[N_MEMO];
	struct candidate c[2][N_MEMO];
	struct choose_memo memo;
	uint32_t seed;
};

static unsigned
roll(struct twins *t, unsigned n)
{

	t->seed = t->seed * 1664525u + 1013904223u;
	return ((t->seed >> 8) % n);
}

static void
twins_init(struct twins *t, uint32_t seed)
{
	static struct cooldown *const rests[] = { &parked_now, &parked_opus,
	    &parked_once, &parked_soft, &limit_over };
	struct account *a;
	size_t i;

	memset(t, 0, sizeof(*t));
	t->seed = seed;
	for (i = 0; i < N_MEMO; i++) {
		a = &t->accounts[i];
		*a = acct((int64_t)i * 3 + 1);
		a->priority = roll(t, 8) == 0 ? 40 : 50;
		a->weight = 50 + 50 * (int)roll(t, 3);
		a->concurrency = 1 + (int)roll(t, 4);
		a->enabled = roll(t, 10) > 0;
		a->group_id = 1 + roll(t, 2);
		if (roll(t, 5) == 0) {
			a->cooldowns = rests[roll(t, 5)];
			a->ncooldowns = 1;
		}
		t->c[0][i] = (struct candidate) {
			.account = a,
			.in_use = roll(t, 3),
			.pass = roll(t, 1000),
			.health.first_byte_ms = roll(t, 900),
			.health.first_byte_seen_ms = NOW - 1000,
		};
		t->c[1][i] = t->c[0][i];
	}
}

static void
choose_both(struct twins *t, const struct choose_params *ask, int64_t turn)
{
	struct choose_params p = *ask;
	struct choice out[2];
	struct candidate *c;
	size_t i;

	for (i = 0; i < 2; i++) {
		p.candidates = t->c[i];
		p.n = N_MEMO;
		p.memo = i == 0 ? &t->memo : NULL;
		choose(&p, true, &out[i]);
		if (out[i].result != CHOICE_PICKED)
			continue;
		c = &t->c[i][out[i].index];
		c->pass = out[i].pass;
		c->turn = turn;
		if (p.needs_slot)
			c->in_use++;
		if (out[i].probe)
			c->probed_until_ms = NOW + 5000;
	}
	assert_int_equal(out[0].result, out[1].result);
	assert_memory_equal(&out[0], &out[1], offsetof(struct choice, trace));
	assert_string_equal(out[0].trace, out[1].trace);
}

static void
what_is_remembered_changes_no_choice(void **state)
{
	static const char *const names[] = { NULL, "least_connections",
	    "round_robin", "response_time" };
	struct choose_params p = { .bind_kind = "pool", .now_ms = NOW };
	struct twins t;
	int64_t tried[1];
	uint32_t seed;
	int i;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		twins_init(&t, seed);
		for (i = 1; i <= 150; i++) {
			/* Mostly the same, as in a batch; now and then not. */
			if (roll(&t, 12) == 0 || i == 1) {
				p.strategy = names[roll(&t, 4)];
				p.family = roll(&t, 3) == 0 ? "opus" : "x";
				p.bind_kind = roll(&t, 3) == 0 ? "group" :
				    "pool";
				p.bind_id = 1 + roll(&t, 2);
				p.platform = roll(&t, 2) == 0 ? "claude" :
				    NULL;
				p.needs_slot = roll(&t, 6) > 0;
			}
			p.home = roll(&t, 3) == 0 ? roll(&t, N_MEMO) * 3 + 1 :
			    0;
			p.patient = roll(&t, 2) == 0;
			tried[0] = t.accounts[roll(&t, N_MEMO)].id;
			p.tried = tried;
			p.ntried = roll(&t, 9) == 0;
			choose_both(&t, &p, i);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_remembered_changes_no_choice),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
