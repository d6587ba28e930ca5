#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/price.h"

#include "price_file.h"
#include "prices.h"

/* An entry of LiteLLM's own file, as to its form. */
static const char entry[] =
    "{\"input_cost_per_token\": 3e-06, \"output_cost_per_token\": 1.5e-05,"
    "\"cache_creation_input_token_cost\": 3.75e-06,"
    "\"cache_read_input_token_cost\": 3e-07,"
    "\"cache_creation_input_token_cost_above_1hr\": 6e-06,"
    "\"input_cost_per_token_above_200k_tokens\": 6e-06,"
    "\"output_cost_per_token_above_200k_tokens\": 2.25e-05,"
    "\"cache_creation_input_token_cost_above_200k_tokens\": 7.5e-06,"
    "\"cache_read_input_token_cost_above_200k_tokens\": 6e-07,"
    "\"input_cost_per_token_batches\": 1.65e-06,"
    "\"output_cost_per_token_batches\": 7.6e-06,"
    "\"input_cost_per_token_priority\": 3.9e-06,"
    "\"provider_specific_entry\": {\"us\": 1.1, \"fast\": 2.0},"
    "\"search_context_cost_per_query\": {"
    "\"search_context_size_low\": 0.01, "
    "\"search_context_size_high\": 0.012},"
    "\"litellm_provider\": \"anthropic\", \"max_input_tokens\": 1000000,"
    "\"max_tokens\": 64000, \"mode\": \"chat\","
    "\"supports_vision\": true}";

static json_t *
parse(const char *text)
{
	json_t *j = json_loads(text, 0, NULL);

	assert_non_null(j);
	return (j);
}

static void
an_entry_gives_a_base_price_and_its_tiers(void **state)
{
	struct price rows[1 + PRICE_TIERS_MAX];
	json_t *j = parse(entry);

	(void)state;
	assert_int_equal(price_file_model("claude-x", j, rows), 2);
	assert_string_equal(rows[0].platform, "claude");
	assert_string_equal(rows[0].pattern, "claude-x");
	assert_int_equal(rows[0].above_tokens, 0);
	assert_int_equal(rows[0].input_nusd_mtok, INT64_C(3000000000));
	assert_int_equal(rows[0].output_nusd_mtok, INT64_C(15000000000));
	assert_int_equal(rows[0].cache_read_nusd_mtok, 300000000);
	assert_int_equal(rows[0].cache_write_5m_nusd_mtok,
	    INT64_C(3750000000));
	assert_int_equal(rows[0].cache_write_1h_nusd_mtok,
	    INT64_C(6000000000));
	assert_int_equal(rows[0].context_tokens, 1000000);
	assert_int_equal(rows[0].batch_percent, 55);
	assert_int_equal(rows[0].priority_percent, 130);
	assert_int_equal(rows[0].fast_percent, 200);
	assert_int_equal(rows[0].geo_us_percent, 110);
	assert_int_equal(rows[0].web_search_nusd, 12000000);
	assert_int_equal(rows[0].valid_until_ms, 0);
	assert_int_equal(rows[1].fast_percent, 200);
	assert_int_equal(rows[1].web_search_nusd, 12000000);
	assert_int_equal(rows[1].above_tokens, 200000);
	assert_int_equal(rows[1].input_nusd_mtok, INT64_C(6000000000));
	assert_int_equal(rows[1].output_nusd_mtok, INT64_C(22500000000));
	assert_int_equal(rows[1].cache_read_nusd_mtok, 600000000);

	/* Not stated: twice the tier's input. */
	assert_int_equal(rows[1].cache_write_1h_nusd_mtok,
	    INT64_C(12000000000));
	json_decref(j);
}

static void
what_is_left_out_has_a_rule(void **state)
{
	struct price rows[1 + PRICE_TIERS_MAX];
	json_t *j = parse("{\"litellm_provider\": \"anthropic\","
	    "\"input_cost_per_token\": 0.00001, \"output_cost_per_token\": 0,"
	    "\"input_cost_per_token_above_100k_tokens\": 2e-05}");

	(void)state;
	assert_int_equal(price_file_model("claude-x", j, rows), 2);
	assert_int_equal(rows[0].cache_read_nusd_mtok, INT64_C(10000000000));
	assert_int_equal(rows[0].cache_write_5m_nusd_mtok,
	    INT64_C(12500000000));
	assert_int_equal(rows[0].cache_write_1h_nusd_mtok,
	    INT64_C(20000000000));
	assert_int_equal(rows[0].context_tokens, 0);
	assert_int_equal(rows[0].batch_percent, 0);
	assert_int_equal(rows[0].priority_percent, 0);
	assert_int_equal(rows[0].fast_percent, 0);
	assert_int_equal(rows[0].geo_us_percent, 0);
	assert_int_equal(rows[0].web_search_nusd, 0);
	assert_int_equal(rows[1].above_tokens, 100000);
	assert_int_equal(rows[1].output_nusd_mtok, 0);
	json_decref(j);
}

static void
numbers_are_exact(void **state)
{
	static const struct {
		const char *text;
		int64_t nusd_mtok;
	} cases[] = {
		{ "3e-06", INT64_C(3000000000) },
		{ "0.000003", INT64_C(3000000000) },
		{ "2.5e-07", 250000000 }, { "1e-15", 1 },
		{ "1.23456789012345e-06", 1234567890 },
		{ "8e-08", 80000000 }, { "0.1", INT64_C(100000000000000) },
		{ "1", INT64_C(1000000000000000) }, { "0", 0 },
	};
	struct price rows[1 + PRICE_TIERS_MAX];
	char text[256];
	json_t *j;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		(void)snprintf(text, sizeof(text), "{\"litellm_provider\":"
		    "\"anthropic\", \"input_cost_per_token\": %s,"
		    "\"output_cost_per_token\": 0}", cases[i].text);
		j = parse(text);
		assert_int_equal(price_file_model("m", j, rows), 1);
		assert_int_equal(rows[0].input_nusd_mtok,
		    cases[i].nusd_mtok);
		json_decref(j);
	}
}

static void
factors_that_make_no_sense_are_none(void **state)
{
	static const char *const cases[] = {
		"\"provider_specific_entry\": {\"fast\": 101}",
		"\"provider_specific_entry\": {\"fast\": -2}",
		"\"provider_specific_entry\": {\"fast\": \"2\"}",
		"\"provider_specific_entry\": 2",
		"\"provider_specific_entry\": null",
		"\"input_cost_per_token_batches\": 0",
		"\"input_cost_per_token_batches\": 0.1",
		"\"input_cost_per_token_batches\": \"1e-07\"",
		"\"search_context_cost_per_query\": 0.01",
		("\"search_context_cost_per_query\": "
		    "{\"search_context_size_low\": -0.01}"),
	};
	struct price rows[1 + PRICE_TIERS_MAX];
	char text[256];
	json_t *j;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text), "{\"litellm_provider\":"
		    "\"anthropic\", \"input_cost_per_token\": 1e-06, "
		    "\"output_cost_per_token\": 1e-06, %s}", cases[i]);
		j = parse(text);
		assert_int_equal(price_file_model("m", j, rows), 1);
		assert_int_equal(rows[0].fast_percent, 0);
		assert_int_equal(rows[0].batch_percent, 0);
		assert_int_equal(rows[0].web_search_nusd, 0);
		json_decref(j);
	}
}

static void
entries_that_are_not_ours_give_nothing(void **state)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{ "gpt", "{\"litellm_provider\": \"openai\","
		    "\"input_cost_per_token\": 1, "
		    "\"output_cost_per_token\": 1}" },
		{ "sample_spec", "{\"litellm_provider\": \"one of them\"}" },
		{ "us/claude-x", "{\"litellm_provider\": \"anthropic\","
		    "\"input_cost_per_token\": 1, "
		    "\"output_cost_per_token\": 1}" },
		{ "claude-x", "{\"litellm_provider\": \"anthropic\"}" },
		{ "claude-x", "{\"litellm_provider\": \"anthropic\","
		    "\"input_cost_per_token\": \"1e-6\", "
		    "\"output_cost_per_token\": 1}" },
		{ "claude-x", "{\"litellm_provider\": \"anthropic\","
		    "\"input_cost_per_token\": -1, "
		    "\"output_cost_per_token\": 1}" },
		{ "claude-x", "[1]" }, { "claude-x", "3" },
	};
	struct price rows[1 + PRICE_TIERS_MAX];
	json_t *j;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		j = json_loads(cases[i].text, JSON_DECODE_ANY, NULL);
		assert_non_null(j);
		assert_int_equal(price_file_model(cases[i].name, j, rows), 0);
		json_decref(j);
	}
}

static json_t *
shipped(struct desk *d)
{
	const char *srcdir = getenv("srcdir");
	char path[512];
	json_t *file;

	(void)snprintf(path, sizeof(path), "%s/conf/prices.json",
	    srcdir != NULL ? srcdir : ".");
	file = prices_read_file(path, &d->err);
	desk_works(d, file == NULL);
	return (file);
}

/* Every name that a client may use has one price, and it is a sane one. */
static void
the_shipped_file_is_whole(void **state)
{
	struct price rows[1 + PRICE_TIERS_MAX];
	const struct price *p;
	const char *name;
	json_t *file, *value;
	size_t i, n, models = 0;

	file = shipped(*state);
	json_object_foreach(file, name, value) {
		if (name[0] == '_')
			continue;
		models++;
		n = price_file_model(name, value, rows);
		assert_in_range(n, 1, 2);
		for (i = 0; i < n; i++) {
			p = &rows[i];
			assert_true(p->input_nusd_mtok > 0);
			assert_true(p->output_nusd_mtok >
			    p->input_nusd_mtok);
			assert_true(p->cache_read_nusd_mtok <
			    p->input_nusd_mtok);
			assert_true(p->cache_write_5m_nusd_mtok >
			    p->input_nusd_mtok);
			assert_int_equal(p->cache_write_1h_nusd_mtok,
			    2 * p->input_nusd_mtok);
			assert_true(p->context_tokens >= 200000);
			assert_int_equal(p->batch_percent, 50);
			assert_int_equal(p->priority_percent, 100);
			assert_in_range(p->geo_us_percent, 100, 110);
			assert_true(p->fast_percent == 0 ||
			    p->fast_percent == 200);
			assert_int_equal(p->web_search_nusd, 10000000);
		}
	}
	assert_true(models > 20);
	json_decref(file);
}

/* The shipped prices as the pool would have them. */
static size_t
shipped_rows(struct desk *d, struct price *rows, size_t max)
{
	json_t *file = shipped(d), *value;
	const char *name;
	size_t n = 0;

	json_object_foreach(file, name, value) {
		assert_true(n + 1 + PRICE_TIERS_MAX <= max);
		n += price_file_model(name, value, &rows[n]);
	}
	json_decref(file);
	return (n);
}

static void
models_are_found_by_the_names_that_clients_use(void **state)
{
	static const struct {
		const char *model;
		int64_t tokens;
		int64_t input;		/* cents for a million; 0: none */
	} cases[] = {
		{ "claude-fable-5-1", 1, 1000 },
		{ "claude-opus-5-5", 1, 400 },
		{ "claude-opus-5", 1, 500 },
		{ "claude-opus-5-20260724", 1, 500 },
		{ "claude-opus-4-8", 1, 500 },
		{ "claude-opus-4-5-20251101", 1, 500 },
		{ "claude-opus-4-1-20250805", 1, 1500 },
		{ "claude-opus-4-20250514", 1, 1500 },
		{ "claude-opus-4-0", 1, 1500 },
		{ "claude-3-opus-20240229", 1, 1500 },
		{ "claude-sonnet-5-5", 999999, 200 },
		{ "claude-sonnet-5", 1, 200 },
		{ "claude-sonnet-4-6", 999999, 300 },
		{ "claude-sonnet-4-5", 200000, 300 },
		{ "claude-sonnet-4-5-20250929", 200001, 600 },
		{ "claude-sonnet-4-20250514", 1, 300 },
		{ "claude-3-7-sonnet-latest", 1, 300 },
		{ "claude-haiku-5-5", 100000, 10 },
		{ "claude-haiku-5-5", 100001, 50 },
		{ "claude-haiku-4-5-20251001", 1, 100 },
		{ "claude-3-5-haiku-20241022", 1, 80 },
		{ "claude-3-haiku-20240307", 1, 25 },
		{ "claude-opus-6", 1, 0 },
		{ "claude-opus-5-6", 1, 0 },
		{ "gpt-5", 1, 0 },
	};
	struct price rows[128];
	const struct price_list list = { rows,
		shipped_rows(*state, rows, NITEMS(rows)) };
	const struct price *p;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		p = price_find(&list, "claude", cases[i].model,
		    cases[i].tokens, 0);
		if ((p == NULL ? 0 : p->input_nusd_mtok) !=
		    cases[i].input * 10000000)
			fail_msg("%s: %s", cases[i].model,
			    p == NULL ? "no price" : p->pattern);
	}
}

static void
import(struct desk *d, const json_t *file, int64_t added, int64_t unchanged)
{
	struct prices_done done;

	desk_works(d, prices_import(d->st, &(struct price_import) {
	    .file = file, .source = "test" }, &done, &d->err));
	assert_int_equal(done.added, added);
	assert_int_equal(done.unchanged, unchanged);
}

static json_t *
one_model(const char *name, const char *text)
{
	json_t *file = json_object();

	assert_int_equal(json_object_set_new(file, name, parse(text)), 0);
	return (file);
}

static void
an_import_adds_only_what_changed(void **state)
{
	struct desk *d = *state;
	json_t *file = one_model("claude-x", entry), *model;
	int64_t version;

	import(d, file, 2, 0);
	assert_int_equal(desk_number(d, "SELECT max(valid_from_ms) "
	    "FROM price"), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM price WHERE "
	    "fast_percent = 200 AND batch_percent = 55 AND "
	    "priority_percent = 130 AND geo_us_percent = 110 AND "
	    "web_search_nusd = 12000000 AND valid_until_ms = 0"), 2);
	version = desk_number(d, "SELECT value FROM meta "
	    "WHERE name = 'config_version'");
	import(d, file, 0, 2);
	assert_int_equal(desk_number(d, "SELECT value FROM meta "
	    "WHERE name = 'config_version'"), version);

	model = json_object_get(file, "claude-x");
	json_object_set_new(model, "output_cost_per_token",
	    json_real(1.6e-05));
	import(d, file, 1, 1);
	assert_int_equal(desk_number(d, "SELECT value FROM meta "
	    "WHERE name = 'config_version'"), version + 1);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM price"), 3);
	assert_int_equal(desk_number(d, "SELECT output_nusd_mtok FROM price "
	    "WHERE valid_from_ms = 0 AND above_tokens = 0"),
	    INT64_C(15000000000));
	assert_int_equal(desk_number(d, "SELECT output_nusd_mtok FROM price "
	    "WHERE valid_from_ms > 0"), INT64_C(16000000000));
	json_decref(file);
}

static void
a_tier_that_is_gone_costs_what_the_base_does(void **state)
{
	struct desk *d = *state;
	json_t *file = one_model("claude-x", entry), *model;

	import(d, file, 2, 0);
	model = json_object_get(file, "claude-x");
	json_object_del(model, "input_cost_per_token_above_200k_tokens");
	import(d, file, 1, 1);
	assert_int_equal(desk_number(d, "SELECT input_nusd_mtok FROM price "
	    "WHERE above_tokens = 200000 ORDER BY valid_from_ms DESC"),
	    INT64_C(3000000000));
	import(d, file, 0, 2);
	json_decref(file);
}

static void
a_price_that_is_set_stands_beside_those_before_it(void **state)
{
	struct desk *d = *state;
	struct price p = { .platform = "claude", .pattern = "claude-x",
		.input_nusd_mtok = 1, .output_nusd_mtok = 2,
		.cache_read_nusd_mtok = 3, .cache_write_5m_nusd_mtok = 4,
		.cache_write_1h_nusd_mtok = 5, .context_tokens = 6,
		.batch_percent = 7, .fast_percent = 8, .priority_percent = 9,
		.geo_us_percent = 10, .web_search_nusd = 11 };
	int64_t version;

	desk_works(d, prices_set(d->st, &p, &d->err));
	assert_int_equal(p.valid_from_ms, 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM price WHERE "
	    "platform = 'claude' AND pattern = 'claude-x' AND "
	    "above_tokens = 0 AND valid_from_ms = 0 AND valid_until_ms = 0 "
	    "AND input_nusd_mtok = 1 AND output_nusd_mtok = 2 AND "
	    "cache_read_nusd_mtok = 3 AND cache_write_5m_nusd_mtok = 4 AND "
	    "cache_write_1h_nusd_mtok = 5 AND context_tokens = 6 AND "
	    "batch_percent = 7 AND fast_percent = 8 AND priority_percent = 9 "
	    "AND geo_us_percent = 10 AND web_search_nusd = 11"), 1);
	version = desk_number(d, "SELECT value FROM meta "
	    "WHERE name = 'config_version'");

	/* A second one goes from now on, and may end. */
	p.valid_until_ms = INT64_C(4102444800000);
	desk_works(d, prices_set(d->st, &p, &d->err));
	assert_true(p.valid_from_ms > 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM price"), 2);
	assert_int_equal(desk_number(d, "SELECT value FROM meta "
	    "WHERE name = 'config_version'"), version + 1);
	desk_fails(d, prices_set(d->st, &p, &d->err), ERR_EXISTS);
	p.valid_from_ms = p.valid_until_ms;
	desk_fails(d, prices_set(d->st, &p, &d->err), ERR_INVAL);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM price"), 2);
}

/* Another ends or deletes a price before the one that is made from it. */
static void
what_follows_a_price_follows_that_very_one(void **state)
{
	struct desk *d = *state;
	struct price old = {
		.platform = "claude", .pattern = "m",
		.input_nusd_mtok = 1, .output_nusd_mtok = 5
	}, p;

	desk_works(d, prices_set(d->st, &old, &d->err));
	p = old;
	p.valid_from_ms = 0;
	p.input_nusd_mtok = 2;
	desk_works(d, prices_follow(d->st, &old, &p, &d->err));
	assert_int_not_equal(p.id, old.id);
	p.valid_from_ms++;
	desk_sql(d, "UPDATE price SET valid_until_ms = %lld WHERE id = %lld",
	    (long long)store_now_ms(d->st), (long long)old.id);
	desk_fails(d, prices_follow(d->st, &old, &p, &d->err), ERR_EXISTS);
	desk_sql(d, "DELETE FROM price WHERE id = %lld", (long long)old.id);
	desk_fails(d, prices_follow(d->st, &old, &p, &d->err), ERR_NOT_FOUND);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM price"), 1);
}

static void
a_file_without_our_models_is_refused(void **state)
{
	struct desk *d = *state;
	struct prices_done done;
	json_t *file = one_model("gpt", "{\"litellm_provider\": \"x\"}");

	desk_fails(d, prices_import(d->st, &(struct price_import) {
	    .file = file, .source = "test" }, &done, &d->err),
	    ERR_INVAL);
	json_decref(file);
}

/* For accounts of another platform, beside those of the file's own. */
static void
a_file_is_imported_for_a_platform(void **state)
{
	struct desk *d = *state;
	json_t *file = shipped(d);
	struct prices_done done, other;

	desk_works(d, prices_import(d->st, &(struct price_import) {
	    .file = file, .source = "test" }, &done, &d->err));
	desk_works(d, prices_import(d->st, &(struct price_import) {
	    .file = file, .source = "test", .platform = "claude_console" },
	    &other, &d->err));
	assert_int_equal(other.added, done.added);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM price p "
	    "WHERE p.platform = 'claude_console' AND EXISTS (SELECT 1 FROM "
	    "price c WHERE c.platform = 'claude' AND c.pattern = p.pattern "
	    "AND c.above_tokens = p.above_tokens AND c.input_nusd_mtok = "
	    "p.input_nusd_mtok AND c.output_nusd_mtok = "
	    "p.output_nusd_mtok)"), done.added);
	desk_works(d, prices_import(d->st, &(struct price_import) {
	    .file = file, .source = "test", .platform = "claude_console" },
	    &other, &d->err));
	assert_int_equal(other.added, 0);
	desk_fails(d, prices_import(d->st, &(struct price_import) {
	    .file = file, .source = "test", .platform = "nowhere" },
	    &other, &d->err), ERR_INVAL);
	json_decref(file);
}

static void
the_list_shows_what_is_in_force(void **state)
{
	struct desk *d = *state;
	json_t *file = shipped(d), *list, *row;
	struct prices_done done;
	size_t i;
	int any;

	desk_works(d, prices_any(d->st, &any, &d->err));
	assert_int_equal(any, 0);
	desk_works(d, prices_import(d->st, &(struct price_import) {
	    .file = file, .source = "test" }, &done, &d->err));
	desk_works(d, prices_any(d->st, &any, &d->err));
	assert_int_equal(any, 1);
	list = prices_list(d->st, false, &d->err);
	desk_works(d, list == NULL);
	assert_int_equal(json_array_size(list), done.added);
	json_array_foreach(list, i, row) {
		/* The file's own source and date go before the caller's. */
		assert_non_null(strstr(json_string_value(json_object_get(row,
		    "source")), "platform.claude.com"));
	}
	json_decref(list);
	json_decref(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_gives_a_base_price_and_its_tiers),
		cmocka_unit_test(what_is_left_out_has_a_rule),
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(factors_that_make_no_sense_are_none),
		cmocka_unit_test(entries_that_are_not_ours_give_nothing),
		cmocka_unit_test_setup_teardown(the_shipped_file_is_whole,
		    desk_setup, desk_teardown),
		cmocka_unit_test_setup_teardown(
		    models_are_found_by_the_names_that_clients_use,
		    desk_setup, desk_teardown),
		cmocka_unit_test_setup_teardown(
		    an_import_adds_only_what_changed, desk_setup,
		    desk_teardown),
		cmocka_unit_test_setup_teardown(
		    a_tier_that_is_gone_costs_what_the_base_does, desk_setup,
		    desk_teardown),
		cmocka_unit_test_setup_teardown(
		    a_price_that_is_set_stands_beside_those_before_it,
		    desk_setup, desk_teardown),
		cmocka_unit_test_setup_teardown(
		    what_follows_a_price_follows_that_very_one, desk_setup,
		    desk_teardown),
		cmocka_unit_test_setup_teardown(
		    a_file_is_imported_for_a_platform, desk_setup,
		    desk_teardown),
		cmocka_unit_test_setup_teardown(
		    a_file_without_our_models_is_refused, desk_setup,
		    desk_teardown),
		cmocka_unit_test_setup_teardown(
		    the_list_shows_what_is_in_force, desk_setup,
		    desk_teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
