#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider_report.h"
#include "reconcile.h"

/* 2026-11-01, 2026-11-02 UTC. */
#define DAY_1		INT64_C(1793491200000)
#define DAY_2		INT64_C(1793577600000)

#define USAGE_HEAD							\
	"usage_date_utc,model_version,api_key,workspace,usage_type,"	\
	"context_window,usage_input_tokens_no_cache,"			\
	"usage_input_tokens_cache_write_5m,"				\
	"usage_input_tokens_cache_write_1h,"				\
	"usage_input_tokens_cache_read,usage_output_tokens,"		\
	"web_search_count,inference_geo,speed\n"

/* What the ledger has below, with two keys on the first line's day. */
#define USAGE_CSV USAGE_HEAD						\
	"2026-11-01,claude-sonnet-4-5-20250929,one,Default,standard,"	\
	"\xe2\x89\xa4 200k,600,300,50,2000,400,2,global,\n"		\
	"2026-11-01,claude-sonnet-4-5-20250929,two,Default,standard,"	\
	"\xe2\x89\xa4 200k,400,0,0,0,100,0,global,\n"			\
	"2026-11-02,claude-haiku-4-5,one,Default,standard,"		\
	"\xe2\x89\xa4 200k,7,0,0,0,9,0,,\n"

#define COST_CSV							\
	"usage_date_utc,model,workspace,api_key,usage_type,"		\
	"context_window,token_type,cost_usd,list_price_usd,cost_type\n"	\
	"2026-11-01,Claude Sonnet 4.5,Default,one,message,x,"		\
	"input_no_cache,1.00,1.00,token\n"				\
	"2026-11-01,Claude Sonnet 4.5,Default,one,message,x,"		\
	"output,0.98,0.98,token\n"					\
	"2026-11-01,,Default,one,,,,0.02,0.02,web_search\n"		\
	"2026-11-02,Claude Haiku 4.5,Default,one,message,x,"		\
	"output,0.00,0.00,token\n"

#define USAGE_JSON							\
	"{\"data\": [{\"starting_at\": \"2026-11-01T00:00:00Z\", "	\
	"\"ending_at\": \"2026-11-02T00:00:00Z\", \"results\": [{"	\
	"\"model\": \"claude-sonnet-4-5-20250929\", "			\
	"\"uncached_input_tokens\": 1000, \"cache_creation\": {"	\
	"\"ephemeral_1h_input_tokens\": 50, "				\
	"\"ephemeral_5m_input_tokens\": 300}, "				\
	"\"cache_read_input_tokens\": 2000, \"output_tokens\": 500, "	\
	"\"server_tool_use\": {\"web_search_requests\": 2}, "		\
	"\"api_key_id\": null}]}, "					\
	"{\"starting_at\": \"2026-11-02T00:00:00Z\", "			\
	"\"ending_at\": \"2026-11-03T00:00:00Z\", \"results\": [{"	\
	"\"model\": \"claude-haiku-4-5\", "				\
	"\"uncached_input_tokens\": 7, \"output_tokens\": 9}]}], "	\
	"\"has_more\": false, \"next_page\": null}"

#define COST_JSON							\
	"[{\"data\": [{\"starting_at\": \"2026-11-01T00:00:00Z\", "	\
	"\"ending_at\": \"2026-11-02T00:00:00Z\", \"results\": [{"	\
	"\"currency\": \"USD\", \"amount\": \"198.0\", "		\
	"\"model\": \"claude-sonnet-4-5-20250929\"}, {"			\
	"\"currency\": \"USD\", \"amount\": \"2.00\", "			\
	"\"model\": null, \"cost_type\": \"web_search\"}]}], "		\
	"\"has_more\": true}, {\"data\": [{"				\
	"\"starting_at\": \"2026-11-02T00:00:00Z\", \"results\": [{"	\
	"\"amount\": \"0.0047\", \"model\": \"claude-haiku-4-5\"}]}], "	\
	"\"has_more\": false}]"

static void
put_day(struct desk *d, int64_t day_ms, int account, const char *model,
    const char *sums)
{

	desk_sql(d, "INSERT INTO usage_day (start_ms, key_id, account_id, "
	    "group_id, person_id, model, requests, errors, unpriced, "
	    "input_tokens, output_tokens, cache_read_tokens, "
	    "cache_write_5m_tokens, cache_write_1h_tokens, web_searches, "
	    "cost_nusd, queue_ms, first_byte_ms, total_ms, marked_exact, "
	    "marked_partial, marked_estimated, overruns, overrun_nusd, "
	    "first_500ms, first_1s, first_2s, first_5s, first_15s, "
	    "first_later) VALUES (%lld, 1, %d, 0, 0, '%s', 1, 0, 0, %s, "
	    "0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)", (long long)day_ms,
	    account, model, sums);
}

static int
setup(void **state)
{
	struct desk *d;

	if (desk_setup(state) != 0)
		return (-1);
	d = *state;
	desk_account(d, "first", 1);
	/* Asked for by another name than it is billed under. */
	put_day(d, DAY_1, 1, "claude-sonnet-4-5", "1000, 500, 2000, 300, 50, "
	    "2, 2000000000");
	put_day(d, DAY_2, 1, "claude-haiku-4-5-20251001", "7, 9, 0, 0, 0, 0, "
	    "47000");
	return (0);
}

static struct provider_report
parse(const char *text)
{
	size_t n = strlen(text);
	char *copy = malloc(n + 1);
	struct provider_report r;
	struct err err = { 0 };

	assert_non_null(copy);
	memcpy(copy, text, n + 1);
	if (provider_report_parse(copy, n, &r, &err))
		fail_msg("%s", err.text);
	free(copy);
	return (r);
}

static json_t *
compare(struct desk *d, const char *text, const struct reconcile_query *q)
{
	struct provider_report r = parse(text);
	json_t *found = reconcile(d->st, &r, q, &d->err);

	provider_report_free(&r);
	return (found);
}

/* ---- names ---- */

static void
names_of_models_become_plain(void **state)
{
	static const struct {
		const char *name, *plain;
	} cases[] = {
		{ "claude-sonnet-4-5-20250929", "claude-sonnet-4-5" },
		{ "claude-sonnet-4-5", "claude-sonnet-4-5" },
		{ "Claude Sonnet 4.5", "claude-sonnet-4-5" },
		{ "claude-3-5-haiku-latest", "claude-haiku-3-5" },
		{ "Claude 3.5 Sonnet 2024-10-22", "claude-sonnet-3-5" },
		{ "Claude Haiku 3.5", "claude-haiku-3-5" },
		{ "claude-opus-4-20250514", "claude-opus-4" },
		{ "claude-opus-4-6[1m]", "claude-opus-4-6" },
		{ "", "" },
		{ "---", "" },
	};
	char plain[PROVIDER_MODEL_SIZE], big[400];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		provider_model(cases[i].name, plain);
		assert_string_equal(plain, cases[i].plain);
	}
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	provider_model(big, plain);
	assert_string_equal(plain, "");
}

/* ---- the shapes ---- */

static void
each_shape_agrees_with_the_ledger(void **state)
{
	static const struct {
		const char *text;
		bool tokens, cost;
	} cases[] = {
		{ USAGE_CSV, true, false },
		{ COST_CSV, false, true },
		{ USAGE_JSON, true, false },
		{ COST_JSON, false, true },
	};
	const struct reconcile_query q = { .tolerance = 0 };
	struct desk *d = *state;
	json_t *found;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		found = compare(d, cases[i].text, &q);
		desk_works(d, found == NULL);
		if (desk_int(found, "off") != 0)
			fail_msg("case %zu: %s", i, json_dumps(found, 0));
		assert_true(desk_int(found, "from_ms") == DAY_1);
		assert_true(desk_int(found, "to_ms") == DAY_2 + 86400000);
		assert_int_equal(json_is_true(json_object_get(found,
		    "tokens")), cases[i].tokens);
		assert_int_equal(json_is_true(json_object_get(found,
		    "cost")), cases[i].cost);
		assert_false(json_is_true(json_object_get(found,
		    "incomplete")));
		json_decref(found);
	}
}

static void
gaps_are_stated_by_kind(void **state)
{
	const struct reconcile_query q = { .tolerance = 10000 };
	struct desk *d = *state;
	json_t *found, *row, *gap;

	/* The third day is the provider's alone; 1,000 more tokens read. */
	found = compare(d, USAGE_HEAD
	    "2026-11-01,claude-sonnet-4-5,k,w,s,c,1000,300,50,3000,500,2,,\n"
	    "2026-11-03,claude-sonnet-4-5,k,w,s,c,5,0,0,0,0,0,,\n", &q);
	desk_works(d, found == NULL);
	assert_int_equal(desk_int(found, "off"), 3);
	row = json_array_get(json_object_get(found, "rows"), 0);
	gap = json_object_get(row, "gap");
	assert_string_equal(json_string_value(json_object_get(row, "day")),
	    "2026-11-01");
	assert_int_equal(desk_int(gap, "cache_read_tokens"), 1000);
	assert_int_equal(desk_int(gap, "input_tokens"), 0);
	row = json_array_get(json_object_get(found, "rows"), 1);
	assert_int_equal(desk_int(json_object_get(row, "gap"),
	    "output_tokens"), -9);
	assert_int_equal(desk_int(json_object_get(row, "provider"),
	    "output_tokens"), 0);
	gap = json_object_get(json_object_get(found, "total"), "gap");
	assert_int_equal(desk_int(gap, "cache_read_tokens"), 1000);
	assert_int_equal(desk_int(gap, "input_tokens"), -2);
	json_decref(found);
}

static void
the_tolerance_is_of_what_the_provider_states(void **state)
{
	/* 40 of 4,000 tokens less: one percent. */
	static const struct {
		int64_t tolerance;
		int off;
	} cases[] = { { 1000, 0 }, { 999, 1 }, { 0, 1 } };
	struct reconcile_query q = { .to_ms = DAY_2 };
	struct desk *d = *state;
	json_t *found;
	size_t i;

	desk_sql(d, "UPDATE usage_day SET input_tokens = 1110 "
	    "WHERE start_ms = %lld", (long long)DAY_1);
	for (i = 0; i < NITEMS(cases); i++) {
		q.tolerance = cases[i].tolerance;
		found = compare(d, USAGE_HEAD "2026-11-01,claude-sonnet-4-5,"
		    "k,w,s,c,1150,300,50,2000,500,2,,\n", &q);
		desk_works(d, found == NULL);
		assert_int_equal(desk_int(found, "off"), cases[i].off);
		json_decref(found);
	}
}

static void
one_account_may_be_looked_at(void **state)
{
	struct reconcile_query q = { .account = "second" };
	struct desk *d = *state;
	json_t *found;

	assert_null(compare(d, USAGE_CSV, &q));
	desk_fails(d, -1, ERR_NOT_FOUND);
	desk_account(d, "second", 1);
	found = compare(d, USAGE_CSV, &q);
	desk_works(d, found == NULL);
	assert_int_equal(desk_int(found, "off"), 2);
	json_decref(found);
}

static void
a_report_without_models_is_compared_by_day(void **state)
{
	const struct reconcile_query q = { .tolerance = 0 };
	struct desk *d = *state;
	json_t *found;

	put_day(d, DAY_2, 1, "claude-other", "1, 1, 0, 0, 0, 0, 1000");
	found = compare(d, "{\"data\": [{\"starting_at\": "
	    "\"2026-11-02T00:00:00Z\", \"results\": [{\"model\": null, "
	    "\"uncached_input_tokens\": 8, \"output_tokens\": 10}]}]}", &q);
	desk_works(d, found == NULL);
	assert_int_equal(desk_int(found, "off"), 0);
	assert_int_equal(json_array_size(json_object_get(found, "rows")), 1);
	json_decref(found);
}

static void
older_exports_have_one_kind_of_cache_writes(void **state)
{
	const struct reconcile_query q = { .to_ms = DAY_2 };
	struct desk *d = *state;
	json_t *found;

	found = compare(d, "usage_date_utc,model_version,"
	    "usage_input_tokens_no_cache,usage_input_tokens_cache_write,"
	    "usage_input_tokens_cache_read,usage_output_tokens\n"
	    "2026-11-01,claude-sonnet-4-5,1000,350,2000,500\n", &q);
	desk_works(d, found == NULL);
	assert_int_equal(desk_int(found, "off"), 0);
	json_decref(found);
}

/* ---- bad input ---- */

static void
what_is_no_report_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "it is empty" },
		{ "\n\n", "it is empty" },
		{ "a,b\n1,2\n", "names no column" },
		{ "usage_date_utc,model\n2026-11-01,m\n", "names no column" },
		{ USAGE_HEAD, "reports no day" },
		{ USAGE_HEAD "2026-11-01,m\n", "line 2 has 2 values instead" },
		{ USAGE_HEAD "Sunday,m,k,w,s,c,1,0,0,0,0,0,,\n",
		    "line 2: \"Sunday\" is no value for usage_date_utc" },
		{ USAGE_HEAD "2026-11-01,m,k,w,s,c,-1,0,0,0,0,0,,\n",
		    "\"-1\" is no value" },
		{ USAGE_HEAD "2026-11-01,m,k,w,s,c,1e3,0,0,0,0,0,,\n",
		    "\"1e3\" is no value" },
		{ USAGE_HEAD "2026-11-01,m,k,w,s,c,99999999999999999999,0,0,"
		    "0,0,0,,\n", "is no value" },
		{ "usage_date_utc,cost_usd\n2026-11-01,NaN\n",
		    "\"NaN\" is no value for cost_usd" },
		{ "{", "line 1 is not JSON" },
		{ "[1]", "\"data\" is no array" },
		{ "{\"data\": 1}", "\"data\" is no array" },
		{ "{\"data\": []}", "reports no day" },
		{ "{\"data\": [{}]}", "\"starting_at\" is no" },
		{ "{\"data\": [{\"starting_at\": \"2026-11-01T00:00:00Z\"}]}",
		    "\"results\" is no array" },
		{ "{\"data\": [{\"starting_at\": \"2026-11-01T00:00:00Z\", "
		    "\"results\": [7]}]}", "\"results\" is no array" },
		{ "{\"data\": [{\"starting_at\": \"2026-11-01T00:00:00Z\", "
		    "\"results\": [{\"output_tokens\": -5}]}]}",
		    "\"output_tokens\" is no number of tokens" },
		{ "{\"data\": [{\"starting_at\": \"2026-11-01T00:00:00Z\", "
		    "\"results\": [{\"output_tokens\": 1.5}]}]}",
		    "\"output_tokens\" is no number of tokens" },
		{ "{\"data\": [{\"starting_at\": \"2026-11-01T00:00:00Z\", "
		    "\"results\": [{\"amount\": 5}]}]}",
		    "\"amount\" is no decimal" },
		{ "{\"data\": [{\"starting_at\": \"2026-11-01T00:00:00Z\", "
		    "\"results\": [{\"amount\": \"5\", "
		    "\"currency\": \"EUR\"}]}]}", "\"currency\" is no" },
	};
	struct provider_report r;
	struct err err;
	char text[1024];
	size_t i, n;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		err = (struct err) { 0 };
		n = strlen(cases[i].text);
		memcpy(text, cases[i].text, n + 1);
		assert_int_equal(provider_report_parse(text, n, &r, &err),
		    -1);
		assert_int_equal(err.code, ERR_INVAL);
		if (strstr(err.text, cases[i].why) == NULL)
			fail_msg("case %zu: %s", i, err.text);
	}
	err = (struct err) { 0 };
	assert_int_equal(provider_report_read("/nowhere/at/all", &r, &err),
	    -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* Each day is read on its own: nobody has all time read. */
static void
so_many_days_are_compared(void **state)
{
	struct desk *d = *state;
	struct reconcile_query q = {
		.from_ms = DAY_1,
		.to_ms = DAY_1 + (RECONCILE_DAYS_MAX + 1) *
		    INT64_C(86400000),
	};
	json_t *found;

	assert_null(compare(d, USAGE_CSV, &q));
	desk_fails(d, -1, ERR_INVAL);
	q.to_ms -= INT64_C(86400000);
	found = compare(d, USAGE_CSV, &q);
	desk_works(d, found == NULL);
	json_decref(found);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, desk_teardown)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_models_become_plain),
		T(each_shape_agrees_with_the_ledger),
		T(gaps_are_stated_by_kind),
		T(the_tolerance_is_of_what_the_provider_states),
		T(one_account_may_be_looked_at),
		T(so_many_days_are_compared),
		T(a_report_without_models_is_compared_by_day),
		T(older_exports_have_one_kind_of_cache_writes),
		cmocka_unit_test(what_is_no_report_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
