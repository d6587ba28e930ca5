#include "cmocka_all.h"

#include <string.h>

#include "ledger/plausible.h"
#include "ledger/usage.h"

#define MAX	PLAUSIBLE_COUNT_MAX

static const struct {
	const char *what;
	struct usage u;
	struct plausible_bounds b;
	bool plausible;
	struct usage cut;
} cases[] = {
	{ "nothing", { 0 }, { 0 }, true, { 0 } },
	{ "no bound is known", { .input_tokens = MAX, .output_tokens = MAX },
	    { 0 }, true, { .input_tokens = MAX, .output_tokens = MAX } },
	{ "up to the bounds", { .input_tokens = 1, .cache_read_tokens = 2,
	    .cache_write_5m_tokens = 3, .cache_write_1h_tokens = 4,
	    .output_tokens = 5 }, { 10, 5 }, true, { .input_tokens = 1,
	    .cache_read_tokens = 2, .cache_write_5m_tokens = 3,
	    .cache_write_1h_tokens = 4, .output_tokens = 5 } },
	{ "output beyond", { .output_tokens = 6 }, { 10, 5 }, false,
	    { .output_tokens = 5 } },
	{ "input beyond, by what is read from the cache",
	    { .input_tokens = 1, .cache_read_tokens = 3,
	    .cache_write_5m_tokens = 3, .cache_write_1h_tokens = 4 },
	    { 10, 0 }, false, { .input_tokens = 1, .cache_read_tokens = 2,
	    .cache_write_5m_tokens = 3, .cache_write_1h_tokens = 4 } },
	{ "what is dearest goes last", { .input_tokens = 100,
	    .cache_read_tokens = 100, .cache_write_5m_tokens = 7,
	    .cache_write_1h_tokens = 4 }, { 10, 0 }, false,
	    { .cache_write_5m_tokens = 6, .cache_write_1h_tokens = 4 } },
	{ "and is cut as well", { .cache_write_1h_tokens = 11,
	    .cache_write_5m_tokens = 1 }, { 10, 0 }, false,
	    { .cache_write_1h_tokens = 10 } },
	{ "negative counts are none", { .input_tokens = -1,
	    .cache_read_tokens = 5, .web_searches = -2 }, { 10, 5 }, false,
	    { .cache_read_tokens = 5 } },
	{ "huge ones are cut where no bound is known",
	    { .input_tokens = INT64_MAX, .output_tokens = MAX + 1,
	    .cache_read_tokens = INT64_MIN }, { 0 }, false,
	    { .input_tokens = MAX, .output_tokens = MAX } },
	{ "sums do not wrap", { .input_tokens = INT64_MAX,
	    .cache_read_tokens = INT64_MAX, .cache_write_5m_tokens =
	    INT64_MAX, .cache_write_1h_tokens = INT64_MAX }, { 10, 0 }, false,
	    { .cache_write_1h_tokens = 10 } },
	{ "what was left out is not to be believed", { .input_tokens = 5,
	    .absurd = true }, { 10, 5 }, false, { .input_tokens = 5,
	    .absurd = true } },
};

static void
what_cannot_be_true_is_told_and_cut(void **state)
{
	struct usage u;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (plausible(&cases[i].u, &cases[i].b) != cases[i].plausible)
			fail_msg("%s: judged otherwise", cases[i].what);
		u = cases[i].u;
		(void)plausible_bound(&u, &cases[i].b);
		if (memcmp(&u, &cases[i].cut, sizeof(u)) != 0)
			fail_msg("%s: %lld %lld %lld %lld, %lld",
			    cases[i].what, (long long)u.cache_read_tokens,
			    (long long)u.input_tokens,
			    (long long)u.cache_write_5m_tokens,
			    (long long)u.cache_write_1h_tokens,
			    (long long)u.output_tokens);
		/* What was cut is plausible, but for what was left out. */
		u.absurd = false;
		assert_true(plausible(&u, &cases[i].b));
		assert_false(plausible_bound(&u, &cases[i].b));
	}
}

static void
the_way_it_was_served_stays(void **state)
{
	struct usage u = { .output_tokens = 9, .tier = USAGE_TIER_BATCH,
		.speed = USAGE_SPEED_FAST, .geo = USAGE_GEO_US,
		.web_searches = 3 };
	const struct plausible_bounds b = { 1, 1 };

	(void)state;
	assert_true(plausible_bound(&u, &b));
	assert_int_equal(u.output_tokens, 1);
	assert_int_equal(u.tier, USAGE_TIER_BATCH);
	assert_int_equal(u.speed, USAGE_SPEED_FAST);
	assert_int_equal(u.geo, USAGE_GEO_US);
	assert_int_equal(u.web_searches, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_true_is_told_and_cut),
		cmocka_unit_test(the_way_it_was_served_stays),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
