#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "pool/breaker.h"
#include "pool/cooldown.h"
#include "pool/snapshot.h"

#define NOW	INT64_C(1795159758123)
#define S	INT64_C(1000)

static const struct cooldown_rule rule = {
	.now_ms = NOW, .max_ms = 600 * S, .seed = 0
};

static void
cooldowns_follow_the_rules(void **state)
{
	static const struct {
		const char *what;
		int64_t old_until_s;	/* from now; 0: there is none */
		int old_strikes;
		bool old_stated;
		int64_t stated_s;	/* 0: not stated ... */
		int64_t base_s;		/* ... this is the default */
		bool changes;
		int64_t until_s;
		int strikes;
	} cases[] = {
		{ "the first", 0, 0, false, 0, 10, true, 10, 1 },
		{ "the second strike", -1, 1, false, 0, 10, true, 20, 2 },
		{ "the third", -1, 2, false, 0, 10, true, 40, 3 },
		{ "bounded", -1, 12, false, 0, 10, true, 600, 13 },
		{ "never beyond any", -1, 20, false, 0, 10, true, 600, 20 },
		{ "long ago", -601, 5, false, 0, 10, true, 10, 1 },
		{ "the same outage", 5, 3, false, 0, 1, false, 0, 0 },
		{ "the same outage, longer", 5, 1, false, 0, 10, true, 10,
		    1 },
		{ "stated", 0, 0, false, 3600, 0, true, 3600, 1 },
		{ "stated beyond the bound", -1, 3, false, 86400, 0, true,
		    86400, 4 },
		{ "stated anew, shorter", 3600, 1, true, 60, 0, true, 60, 1 },
		{ "a guess shortens nothing stated", 3600, 1, true, 0, 10,
		    false, 0, 0 },
		{ "stated in the past", 0, 0, false, -5, 0, false, 0, 0 },
	};
	struct cooldown old, new;
	struct park park;
	int64_t tenth;
	size_t i;
	bool changes;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		old = (struct cooldown) {
			.until_ms = NOW + cases[i].old_until_s * S,
			.observed_ms = NOW - 10 * S,
			.since_ms = NOW - 10 * S,
			.strikes = cases[i].old_strikes,
			.stated = cases[i].old_stated,
		};
		park = (struct park) {
			.wanted = true,
			.reason = "error",
			.stated = cases[i].stated_s != 0,
			.until_ms = NOW + cases[i].stated_s * S,
			.base_ms = cases[i].base_s * S,
		};
		changes = cooldown_next(cases[i].old_until_s == 0 ? NULL :
		    &old, &park, &rule, &new);
		if (changes != cases[i].changes)
			fail_msg("%s: %d", cases[i].what, changes);
		if (!changes)
			continue;
		tenth = park.stated ? 0 : cases[i].until_s * S / 10;
		if (new.until_ms < NOW + cases[i].until_s * S - tenth ||
		    new.until_ms > NOW + cases[i].until_s * S + tenth)
			fail_msg("%s: until %lld", cases[i].what,
			    (long long)(new.until_ms - NOW));
		if (new.strikes != cases[i].strikes)
			fail_msg("%s: %d strikes", cases[i].what,
			    new.strikes);
	}
}

static void
what_was_observed_earlier_only_extends(void **state)
{
	struct cooldown old = {
		.until_ms = NOW + 60 * S, .observed_ms = NOW + 1,
		.strikes = 1, .stated = true
	};
	struct park park = { .wanted = true, .stated = true,
		.until_ms = NOW + 30 * S };
	struct cooldown new;

	(void)state;
	assert_false(cooldown_next(&old, &park, &rule, &new));
	park.until_ms = NOW + 90 * S;
	assert_true(cooldown_next(&old, &park, &rule, &new));
}

/* In force, for so long: what comes to be when another failure is seen. */
static void
what_only_time_heals_goes_before_what_may_be_over(void **state)
{
	static const struct {
		bool old_soft, soft;
		int64_t base_s;		/* the old one lasts 60 s more */
		bool changes;
	} cases[] = {
		{ true, false, 10, true },	/* though it is shorter */
		{ true, false, 100, true },
		{ false, true, 10, false },
		{ false, true, 100, false },	/* though it is longer */
		{ true, true, 10, false },
		{ true, true, 100, true },
		{ false, false, 10, false },
		{ false, false, 100, true },
	};
	struct cooldown old = { .until_ms = NOW + 60 * S,
		.observed_ms = NOW - S, .since_ms = NOW - S, .strikes = 1 };
	struct park park = { .wanted = true };
	struct cooldown new;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		old.soft = cases[i].old_soft;
		park.soft = cases[i].soft;
		park.base_ms = cases[i].base_s * S;
		if (cooldown_next(&old, &park, &rule, &new) !=
		    cases[i].changes)
			fail_msg("case %zu", i);
		assert_int_equal(new.soft, cases[i].soft);
	}
}

static void
a_clock_that_was_set_back_leaves_nothing_behind(void **state)
{
	struct cooldown old = { .until_ms = NOW + 9000 * S,
		.observed_ms = NOW + 8000 * S, .since_ms = NOW + 8000 * S,
		.strikes = 7 };
	struct park park = { .wanted = true, .base_ms = 10 * S };
	struct cooldown new;

	(void)state;
	assert_true(cooldown_next(&old, &park, &rule, &new));
	assert_int_equal(new.strikes, 1);
	assert_int_equal(new.since_ms, NOW);
	assert_in_range(new.until_ms - NOW, 9 * S, 11 * S);
}

static void
breakers_are_what_cooldowns_come_to(void **state)
{
	static const struct {
		const char *what, *family;	/* of the cooldown */
		const char *reason;
		int64_t until_s, observed_s;	/* from now */
		bool stated, soft;
		enum breaker b;
	} cases[] = {
		{ "parked", "", "auth", 5, -5, false, false, BREAKER_OPEN },
		{ "its family", "opus", "rate_limited", 5, -5, true, false,
		    BREAKER_OPEN },
		{ "another family", "haiku", "rate_limited", 5, -5, true,
		    false, BREAKER_CLOSED },
		{ "soft", "", "overloaded", 5, -5, false, true,
		    BREAKER_SOFT },
		{ "soft, stated", "", "overloaded", 5, -5, true, true,
		    BREAKER_SOFT },
		{ "over", "", "auth", 0, -5, false, false,
		    BREAKER_HALF_OPEN },
		{ "soft, over", "", "connect", 0, -5, false, true,
		    BREAKER_HALF_OPEN },
		{ "a limit, guessed, over", "", "rate_limited", -1, -5, false,
		    false, BREAKER_HALF_OPEN },
		{ "a limit, stated, over", "", "rate_limited", 0, -5, true,
		    false, BREAKER_CLOSED },
		{ "seen by a clock that is a little ahead", "", "auth", 60,
		    15, false, false, BREAKER_OPEN },
		{ "seen by a clock that was set back", "", "auth", 9999, 16,
		    false, false, BREAKER_HALF_OPEN },
		{ "a limit of such a clock", "", "rate_limited", 9999, 9000,
		    true, false, BREAKER_CLOSED },
	};
	const struct cooldown *why;
	struct cooldown cd;
	struct account a = { .cooldowns = &cd, .ncooldowns = 1 };
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		cd = (struct cooldown) {
			.until_ms = NOW + cases[i].until_s * S,
			.observed_ms = NOW + cases[i].observed_s * S,
			.stated = cases[i].stated, .soft = cases[i].soft,
		};
		strcpy(cd.family, cases[i].family);
		strcpy(cd.reason, cases[i].reason);
		if (breaker_of(&a, "opus", NOW, &why) != cases[i].b)
			fail_msg("%s", cases[i].what);
		assert_ptr_equal(why, cases[i].b == BREAKER_CLOSED ? NULL :
		    &cd);
	}
}

static void
of_several_cooldowns_the_worst_counts(void **state)
{
	struct cooldown cds[] = {
		{ .family = "opus", .reason = "auth", .until_ms = NOW - 1 },
		{ .reason = "connect", .until_ms = NOW + 90 * S,
		    .soft = true },
		{ .family = "opus", .reason = "rate_limited",
		    .until_ms = NOW + 30 * S },
		{ .reason = "credit", .until_ms = NOW + 60 * S },
	};
	struct account a = { .cooldowns = cds };
	const struct cooldown *why;

	(void)state;
	a.ncooldowns = 1;
	assert_int_equal(breaker_of(&a, "opus", NOW, &why),
	    BREAKER_HALF_OPEN);
	a.ncooldowns = 2;
	assert_int_equal(breaker_of(&a, "opus", NOW, &why), BREAKER_SOFT);
	a.ncooldowns = 3;
	assert_int_equal(breaker_of(&a, "opus", NOW, &why), BREAKER_OPEN);
	assert_ptr_equal(why, &cds[2]);
	assert_int_equal(breaker_of(&a, "haiku", NOW, &why), BREAKER_SOFT);
	a.ncooldowns = 4;
	assert_int_equal(breaker_of(&a, "opus", NOW, &why), BREAKER_OPEN);
	assert_ptr_equal(why, &cds[3]);
}

static void
jitter_spreads_by_a_tenth_either_way(void **state)
{
	struct park park = { .wanted = true, .base_ms = 100 * S };
	struct cooldown_rule r = rule;
	int64_t least = INT64_MAX, most = 0, ms;
	struct cooldown new;

	(void)state;
	for (r.seed = 1; r.seed <= 1000; r.seed++) {
		assert_true(cooldown_next(NULL, &park, &r, &new));
		ms = new.until_ms - NOW;
		assert_in_range(ms, 90 * S, 110 * S);
		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	assert_true(least < 92 * S && most > 108 * S);
}

static void
families_are_taken_from_names(void **state)
{
	static const struct {
		const char *model, *family;
	} cases[] = {
		{ "claude-opus-4-1-20250805", "opus" },
		{ "claude-sonnet-4-5", "sonnet" },
		{ "claude-3-5-haiku-latest", "haiku" },
		{ "claude-2.1", "claude" },
		{ "gpt-5-mini", "gpt" },
		{ "gemini-2.5-pro", "gemini" },
		{ "", "" },
		{ "7b", "" },
		{ "a-model-with-a-name-that-is-longer-than-there-is-room",
		    "a-model-with-a-name-that-is-lon" },
	};
	char out[POOL_FAMILY_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		model_family(cases[i].model, out);
		assert_string_equal(out, cases[i].family);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cooldowns_follow_the_rules),
		cmocka_unit_test(what_was_observed_earlier_only_extends),
		cmocka_unit_test(
		    what_only_time_heals_goes_before_what_may_be_over),
		cmocka_unit_test(
		    a_clock_that_was_set_back_leaves_nothing_behind),
		cmocka_unit_test(breakers_are_what_cooldowns_come_to),
		cmocka_unit_test(of_several_cooldowns_the_worst_counts),
		cmocka_unit_test(jitter_spreads_by_a_tenth_either_way),
		cmocka_unit_test(families_are_taken_from_names),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
