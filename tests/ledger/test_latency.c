#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ledger/latency.h"

#define N	20000

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y ? -1 : x > y);
}

/* The nearest rank: the smallest that ${percent} of all are not above. */
static int64_t
exact(int64_t *list, size_t n, int percent)
{

	qsort(list, n, sizeof(*list), by_size);
	return (list[(n * (size_t)percent + 99) / 100 - 1]);
}

static void
check(int64_t *list, size_t n)
{
	static const int percents[] = { 1, 25, 50, 90, 95, 99, 100 };
	struct latency l;
	int64_t is, was;
	size_t i;

	latency_init(&l);
	for (i = 0; i < n; i++)
		assert_int_equal(latency_add(&l, list[i], NULL), 0);
	for (i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		was = exact(list, n, percents[i]);
		is = latency_percentile(&l, percents[i]);
		if (labs((long)(is - was)) * 100 >
		    was * LATENCY_ERROR_PERCENT || (was < 20 && is != was))
			fail_msg("p%d of %zu is %lld and was %lld",
			    percents[i], n, (long long)is, (long long)was);
	}
	latency_fini(&l);
}

static void
percentiles_are_off_by_five_percent_at_most(void **state)
{
	static int64_t list[N];
	unsigned seed = 7;
	size_t i, n;
	int64_t x;

	(void)state;
	for (n = 1; n <= N; n = n * 3 + 1) {
		for (i = 0; i < n; i++)	/* even */
			list[i] = rand_r(&seed) % 30000;
		check(list, n);
		for (i = 0; i < n; i++) {	/* over many sizes */
			x = 1;
			x <<= rand_r(&seed) % 29;
			list[i] = x + rand_r(&seed) % x;
		}
		check(list, n);
		for (i = 0; i < n; i++)	/* small ones, all alike */
			list[i] = i % 20 == 0 ? 19 : 3;
		check(list, n);
	}
}

/* Of every size up to 100 s one alone. */
static void
each_time_is_in_its_bucket(void **state)
{
	int64_t ms;

	(void)state;
	for (ms = 0; ms < 100000; ms += 1 + ms / 100)
		check(&ms, 1);
}

static void
what_is_written_is_read(void **state)
{
	struct latency a, b;
	char text[LATENCY_TEXT], again[LATENCY_TEXT];
	int64_t ms;

	(void)state;
	latency_init(&a);
	latency_init(&b);
	assert_int_equal(latency_percentile(&a, 50), -1);
	latency_text(&a, text);
	assert_string_equal(text, "");
	for (ms = 0; ms < 2 * LATENCY_MAX_MS; ms += 1 + ms / 30)
		assert_int_equal(latency_add(&a, ms, NULL), 0);
	latency_text(&a, text);
	assert_in_range(strlen(text), 1, LATENCY_TEXT - 1);
	assert_int_equal(latency_parse(&b, text, NULL), 0);
	latency_text(&b, again);
	assert_string_equal(text, again);
	assert_int_equal(a.total, b.total);

	/* Twice as many are the same percentiles. */
	assert_int_equal(latency_merge(&b, &a, NULL), 0);
	assert_int_equal(b.total, 2 * a.total);
	assert_int_equal(latency_percentile(&b, 95),
	    latency_percentile(&a, 95));
	latency_fini(&a);
	latency_fini(&b);
}

/* Of the greatest counts the text still fits its column. */
static void
the_text_has_room(void **state)
{
	char text[LATENCY_TEXT], big[LATENCY_TEXT] = "", *p = big;
	struct latency l;
	int i;

	(void)state;
	latency_init(&l);
	assert_int_equal(latency_add(&l, LATENCY_MAX_MS, NULL), 0);
	for (i = 0; i <= l.list[0].bucket; i++)
		p += sprintf(p, "%s%d:1000000000000", i == 0 ? "" : " ", i);
	latency_fini(&l);
	assert_int_equal(latency_parse(&l, big, NULL), 0);
	assert_int_equal(latency_parse(&l, big, NULL), 0);
	latency_text(&l, text);
	assert_string_equal(text, big);
	latency_fini(&l);
}

static void
other_text_is_refused(void **state)
{
	static const char *const bad[] = {
		"x", "1", "1:", ":1", "1:x", "1:1,", "-1:1", "1:-1", "1:0",
		"513:1", "1:1 x", " :"
	};
	struct err err;
	struct latency l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&err);
		latency_init(&l);
		assert_int_equal(latency_parse(&l, bad[i], &err), -1);
		assert_int_equal(err.code, ERR_INTERNAL);
		latency_fini(&l);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_off_by_five_percent_at_most),
		cmocka_unit_test(each_time_is_in_its_bucket),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(the_text_has_room),
		cmocka_unit_test(other_text_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
