#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "pool/cooldown.h"

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
		cmocka_unit_test(jitter_spreads_by_a_tenth_either_way),
		cmocka_unit_test(families_are_taken_from_names),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
