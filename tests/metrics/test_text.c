#include "cmocka_all.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "metrics/metrics.h"
#include "metrics/slots.h"
#include "metrics/text.h"

static void
put(struct slot_sums *sums, uint64_t key, uint64_t v)
{

	assert_int_equal(slot_sums_put(sums, key, v), 0);
}

static const char *
text_of(struct slot_sums *sums, struct buf *out)
{

	slot_sums_sort(sums);
	buf_init(out, 1 << 20);
	assert_int_equal(metrics_text(sums, out), 0);
	slot_sums_fini(sums);
	return (buf_cstr(out));
}

static void
assert_has(const char *text, const char *part)
{

	if (strstr(text, part) == NULL)
		fail_msg("not there: %s", part);
}

static void
counters_have_their_labels(void **state)
{
	struct slot_sums sums = { 0 };
	struct buf out;
	const char *text;

	(void)state;
	put(&sums, metric_series(METRIC_REQUESTS,
	    domain_find(DOMAIN_ROUTE, "messages"), 200,
	    domain_find(DOMAIN_PLATFORM, "claude"),
	    metric_family("claude-opus-4-1")), 7);
	put(&sums, metric_series(METRIC_REQUESTS,
	    domain_find(DOMAIN_ROUTE, "what a client sent\"\n"), 404,
	    domain_find(DOMAIN_PLATFORM, "none"), metric_family("")), 1);
	put(&sums, metric_series(METRIC_COST,
	    domain_find(DOMAIN_PLATFORM, "claude"),
	    metric_family("vendor/gpt"), 0, 0), 1230000040);
	text = text_of(&sums, &out);
	assert_has(text, "# HELP leasehold_requests_total Requests that the "
	    "relay answered, or whose client left (499).\n"
	    "# TYPE leasehold_requests_total counter\n"
	    "leasehold_requests_total{route=\"other\",status=\"404\","
	    "platform=\"none\",model_family=\"none\"} 1\n"
	    "leasehold_requests_total{route=\"messages\",status=\"200\","
	    "platform=\"claude\",model_family=\"opus\"} 7\n");
	assert_has(text, "leasehold_cost_usd_total{platform=\"claude\","
	    "model_family=\"other\"} 1.23000004\n");
	assert_has(text, "\nleasehold_settlements_spooled_total 0\n");
	buf_fini(&out);
}

static void
buckets_of_a_histogram_add_up(void **state)
{
	const uint64_t key = metric_series(METRIC_QUEUE_WAIT, 0, 0, 0, 0);
	struct slot_sums sums = { 0 };
	struct buf out;
	const char *text;

	(void)state;
	put(&sums, key | metric_bucket(METRIC_QUEUE_WAIT, 0), 3);
	put(&sums, key | metric_bucket(METRIC_QUEUE_WAIT, 50001), 2);
	put(&sums, key | metric_bucket(METRIC_QUEUE_WAIT, INT64_MAX), 1);
	put(&sums, key | METRIC_SUM, 500150002);
	text = text_of(&sums, &out);
	assert_has(text, "# TYPE leasehold_queue_wait_seconds histogram\n"
	    "leasehold_queue_wait_seconds_bucket{le=\"0.001\"} 3\n"
	    "leasehold_queue_wait_seconds_bucket{le=\"0.01\"} 3\n"
	    "leasehold_queue_wait_seconds_bucket{le=\"0.05\"} 3\n"
	    "leasehold_queue_wait_seconds_bucket{le=\"0.1\"} 5\n");
	assert_has(text,
	    "leasehold_queue_wait_seconds_bucket{le=\"120\"} 5\n"
	    "leasehold_queue_wait_seconds_bucket{le=\"+Inf\"} 6\n"
	    "leasehold_queue_wait_seconds_sum 500.150002\n"
	    "leasehold_queue_wait_seconds_count 6\n");
	buf_fini(&out);
}

static void
series_of_a_histogram_keep_apart(void **state)
{
	struct slot_sums sums = { 0 };
	struct buf out;
	const char *text;
	unsigned int i;

	(void)state;
	for (i = 1; i <= 2; i++) {
		put(&sums, metric_series(METRIC_TOKENS, 1, 1,
		    metric_family("claude-haiku-4-5"), i) | 2, i);
		put(&sums, metric_series(METRIC_TOKENS, 1, 1,
		    metric_family("claude-haiku-4-5"), i) | METRIC_SUM, 9 * i);
	}
	text = text_of(&sums, &out);
	assert_has(text, "gen_ai_client_token_usage_count{"
	    "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"anthropic\","
	    "gen_ai_request_model=\"haiku\",gen_ai_token_type=\"input\"} 1\n");
	assert_has(text, "gen_ai_request_model=\"haiku\","
	    "gen_ai_token_type=\"output\",le=\"4\"} 0\n");
	assert_has(text, "gen_ai_request_model=\"haiku\","
	    "gen_ai_token_type=\"output\",le=\"16\"} 2\n");
	assert_has(text, "gen_ai_token_type=\"output\"} 18\n");
	buf_fini(&out);
}

static void
what_went_well_has_no_error_type(void **state)
{
	struct slot_sums sums = { 0 };
	struct buf out;
	const char *text;

	(void)state;
	put(&sums, metric_series(METRIC_DURATION, 1, 1, 2,
	    domain_find(DOMAIN_OUTCOME, "ok")), 1);
	put(&sums, metric_series(METRIC_DURATION, 1, 1, 2,
	    domain_find(DOMAIN_OUTCOME, "overloaded")), 1);
	text = text_of(&sums, &out);
	assert_has(text, "gen_ai_request_model=\"opus\",error_type=\"\","
	    "le=\"0.01\"} 1\n");
	assert_has(text, "error_type=\"overloaded\",le=\"0.01\"} 1\n");
	buf_fini(&out);
}

/* What a stored file of another program could hold is no harm. */
static void
values_that_no_label_has_are_other(void **state)
{
	struct slot_sums sums = { 0 };
	struct buf out;
	const char *text;

	(void)state;
	put(&sums, metric_series(METRIC_ATTEMPTS, 4000, 4001, 0, 0), 1);
	put(&sums, metric_series((enum metric)NMETRICS, 0, 0, 0, 0), 1);
	text = text_of(&sums, &out);
	assert_has(text, "leasehold_attempts_total{platform=\"other\","
	    "outcome=\"other\"} 1\n");
	buf_fini(&out);
}

static void
a_buffer_that_is_full_is_told(void **state)
{
	struct slot_sums sums = { 0 };
	struct buf out;
	size_t n;

	(void)state;
	for (n = 1; n < 3000; n += 7) {
		buf_init(&out, n);
		assert_int_equal(metrics_text(&sums, &out), -1);
		buf_fini(&out);
	}
}

static bool
is_name(const char *s)
{

	if (!islower((unsigned char)*s))
		return (false);
	while (islower((unsigned char)*s) || isdigit((unsigned char)*s) ||
	    *s == '_')
		s++;
	return (*s == '\0');
}

static void
assert_ends(const struct metric_info *m, const char *end, bool so)
{
	size_t n = strlen(m->name), k = strlen(end);
	bool is = n > k && strcmp(m->name + n - k, end) == 0;

	if (is != so)
		fail_msg("the name of %s", m->name);
}

static void
the_table_is_complete(void **state)
{
	const struct metric_info *m;
	unsigned int i, j, k;

	(void)state;
	for (i = 1; i < NMETRICS; i++) {
		m = metric_info((enum metric)i);
		assert_non_null(m->name);
		assert_true(is_name(m->name));
		assert_non_null(m->help);
		assert_int_equal(m->help[strlen(m->help) - 1], '.');
		assert_ends(m, "_total", m->kind == METRIC_COUNTER);
		assert_int_equal(m->nbounds > 0, m->kind == METRIC_HISTOGRAM);
		assert_true(m->nbounds < METRIC_SUM);
		for (j = 1; j < m->nbounds; j++)
			assert_true(m->bounds[j - 1] < m->bounds[j]);
		for (j = 0; j < METRIC_LABELS; j++)
			assert_int_equal(m->labels[j].name != NULL,
			    m->labels[j].domain != DOMAIN_NONE);
		for (k = 1; k < i; k++)
			assert_string_not_equal(m->name,
			    metric_info((enum metric)k)->name);
	}
}

static void
families_are_few(void **state)
{
	static const struct {
		const char *model, *family;
	} cases[] = {
		{ "claude-opus-4-1-20250805", "opus" },
		{ "claude-3-5-sonnet-latest", "sonnet" },
		{ "vendor/claude-haiku-4-5", "haiku" },
		{ "gpt-5", "other" },
		{ "\"} 1\nleasehold_x 2", "other" },
		{ "", "none" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++)
		assert_string_equal(domain_word(DOMAIN_FAMILY,
		    metric_family(cases[i].model)), cases[i].family);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_have_their_labels),
		cmocka_unit_test(buckets_of_a_histogram_add_up),
		cmocka_unit_test(series_of_a_histogram_keep_apart),
		cmocka_unit_test(what_went_well_has_no_error_type),
		cmocka_unit_test(values_that_no_label_has_are_other),
		cmocka_unit_test(a_buffer_that_is_full_is_told),
		cmocka_unit_test(the_table_is_complete),
		cmocka_unit_test(families_are_few),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
