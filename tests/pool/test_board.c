#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "pool/board.h"
#include "pool/choose.h"

#include "accounts.h"

#define N_MAX	60

/* The same pool twice: one remembers, one looks at all each time. */
struct twins {
	size_t n;
	struct account accounts[N_MAX];
	struct candidate c[2][N_MAX];
	struct boards boards;
	int64_t now_ms;
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
	t->now_ms = NOW;
	t->n = seed % 7 == 0 ? 1 + roll(t, 5) : N_MAX;
	for (i = 0; i < t->n; i++) {
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
touch(struct twins *t, size_t i)
{

	t->c[1][i].in_use = t->c[0][i].in_use;
	t->c[1][i].health = t->c[0][i].health;
	boards_touch(&t->boards, i);
}

/* What settlements, other processes and time do to a pool. */
static void
something_happens(struct twins *t)
{
	size_t i = roll(t, (unsigned)t->n);
	struct candidate *c = &t->c[0][i];

	switch (roll(t, 12)) {
	case 0: case 1: case 2:
		c->in_use -= c->in_use > 0;
		break;
	case 3:
		c->in_use = roll(t, 4);
		break;
	case 4:
		health_first_byte(&c->health, roll(t, 900), t->now_ms);
		break;
	case 5:
		c->health.share = (struct share) {
			.seen_ms = t->now_ms, .permille = roll(t, 1000),
			.reset_ms = t->now_ms + roll(t, 90000),
			.window_ms = roll(t, 4) == 0 ? 0 : 60000
		};
		break;
	case 6:
		t->now_ms += roll(t, 3000);
		return;
	case 7:
		t->now_ms += roll(t, 40) == 0 ? 100000 : 1;
		return;
	case 8:
		if (roll(t, 20) == 0)
			t->now_ms -= 5000;
		return;
	case 9:
		if (roll(t, 20) > 0)
			return;
		t->accounts[i].enabled = !t->accounts[i].enabled;
		boards_reset(&t->boards);
		return;
	default:
		return;
	}
	touch(t, i);
}

static void
take(struct twins *t, size_t which, const struct choose_params *p,
    const struct choice *out, int64_t turn)
{
	struct candidate *c = &t->c[which][out->index];

	if (out->result != CHOICE_PICKED)
		return;
	c->pass = out->pass;
	c->turn = turn;
	if (p->needs_slot)
		c->in_use++;
	if (out->probe)
		c->probed_until_ms = t->now_ms + 5000;
	boards_touch(&t->boards, out->index);
}

static void
choose_both(struct twins *t, const struct choose_params *ask, int64_t turn)
{
	struct choose_params p = *ask;
	struct choice out[2];
	char kind[8];
	size_t i;

	/* The key's text, which is gone when it is asked the next time. */
	snprintf(kind, sizeof(kind), "%s", ask->bind_kind);
	p.bind_kind = kind;
	p.n = t->n;
	p.now_ms = t->now_ms;
	for (i = 0; i < 2; i++) {
		p.candidates = t->c[i];
		p.boards = i == 0 ? &t->boards : NULL;
		choose(&p, true, &out[i]);
		take(t, i, &p, &out[i], turn);
	}
	assert_int_equal(out[0].result, out[1].result);
	assert_memory_equal(&out[0], &out[1], offsetof(struct choice, trace));
	assert_string_equal(out[0].trace, out[1].trace);
	memset(kind, '?', sizeof(kind));
}

/* Another question, of more than there are boards. */
static void
ask_anew(struct twins *t, struct choose_params *p)
{
	static const char *const strategies[] = { NULL, "least_connections",
	    "round_robin", "response_time" };
	static const char *const kinds[] = { "pool", "pool", "group",
	    "account" };

	p->strategy = strategies[roll(t, 4)];
	p->family = roll(t, 3) == 0 ? "opus" : "x";
	p->bind_kind = kinds[roll(t, 4)];
	p->bind_id = p->bind_kind[0] == 'a' ? 1 + roll(t, N_MAX * 3) :
	    1 + roll(t, 2);
	p->platform = roll(t, 2) == 0 ? "claude" : NULL;
	p->needs_slot = roll(t, 6) > 0;
}

static void
what_is_remembered_changes_no_choice(void **state)
{
	struct choose_params p = { .bind_kind = "pool" };
	struct twins t;
	int64_t tried[1];
	uint32_t seed;
	int i, n;

	(void)state;
	for (seed = 1; seed <= 400; seed++) {
		twins_init(&t, seed);
		for (i = 1; i <= 300; i++) {
			/* Mostly the same, as in a batch; now and then not. */
			if (roll(&t, 12) == 0 || i == 1)
				ask_anew(&t, &p);
			for (n = (int)roll(&t, 4); n > 0; n--)
				something_happens(&t);
			p.home = roll(&t, 3) == 0 ?
			    roll(&t, (unsigned)t.n) * 3 + 1 : 0;
			p.patient = roll(&t, 2) == 0;
			tried[0] = t.accounts[roll(&t, (unsigned)t.n)].id;
			p.tried = tried;
			p.ntried = roll(&t, 9) == 0;
			choose_both(&t, &p, i);
		}
		boards_fini(&t.boards);
	}
}

/* More changes than are remembered, and boards that were not asked since. */
static void
a_board_that_missed_much_is_made_anew(void **state)
{
	struct choose_params p = { .bind_kind = "pool", .family = "x",
		.needs_slot = true };
	struct twins t;
	int i, n;

	(void)state;
	twins_init(&t, 3);
	for (i = 1; i <= 40; i++) {
		p.family = i % 5 == 0 ? "opus" : "x";
		choose_both(&t, &p, i);
		for (n = 0; n < BOARDS_CHANGES / 3; n++)
			something_happens(&t);
	}
	boards_fini(&t.boards);
}

/* The others' accounts are not there: to look at one would crash. */
static void
who_did_not_change_is_not_looked_at(void **state)
{
	struct choose_params p = { .bind_kind = "pool", .family = "x",
		.needs_slot = true, .now_ms = NOW };
	struct choice out[2] = { { .index = 0 } };
	struct twins t;
	size_t i, last = 0;
	int turn;

	(void)state;
	twins_init(&t, 1);
	for (turn = 1; turn <= 40; turn++) {
		p.n = t.n;
		p.candidates = t.c[1];
		p.boards = NULL;
		choose(&p, false, &out[1]);
		for (i = 0; i < t.n && turn > 1; i++)
			t.c[0][i].account = i == last ||
			    i == out[1].index ? &t.accounts[i] : NULL;
		p.candidates = t.c[0];
		p.boards = &t.boards;
		choose(&p, false, &out[0]);
		assert_int_equal(out[0].result, CHOICE_PICKED);
		assert_int_equal(out[0].index, out[1].index);
		last = out[0].index;
		take(&t, 1, &p, &out[1], turn);
		take(&t, 0, &p, &out[0], turn);
	}
	boards_fini(&t.boards);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_remembered_changes_no_choice),
		cmocka_unit_test(a_board_that_missed_much_is_made_anew),
		cmocka_unit_test(who_did_not_change_is_not_looked_at),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
