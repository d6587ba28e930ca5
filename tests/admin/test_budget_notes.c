#include "cmocka_all.h"

#include <jansson.h>
#include <string.h>

#include "budget_notes.h"

static void
patterns_meet_where_one_model_is_in_both(void **state)
{
	static const struct {
		const char *a, *b;
		bool meet, cover;	/* cover: a whatever b does */
	} cases[] = {
		{ "", "", true, true }, { "", "claude-*", true, true },
		{ "claude-*", "", true, false },
		{ "*", "", true, true },
		{ "claude-opus*", "claude-*", true, false },
		{ "claude-*", "claude-opus*", true, true },
		{ "claude-opus*", "claude-haiku*", false, false },
		{ "claude-opus-4", "claude-opus-4", true, true },
		{ "claude-opus-4", "claude-opus-4-5", false, false },
		{ "*opus", "claude*", true, false },
		{ "a*b", "b*a", false, false },
		{ "a*b", "*a*", true, false },
		{ "a*b*c", "a*c", true, false },
		{ "a*c", "a*b*c", true, true },
		{ "*b", "a*", true, false },
		{ "x,claude-*", "gpt,claude-opus", true, false },
		{ "gpt*,claude-*", "gpt-4,claude-opus", true, true },
		{ "x,y", "z,w", false, false },
		{ "*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaac", false, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (budget_models_meet(cases[i].a, cases[i].b) !=
		    cases[i].meet || budget_models_meet(cases[i].b,
		    cases[i].a) != cases[i].meet)
			fail_msg("\"%s\" and \"%s\" meet", cases[i].a,
			    cases[i].b);
		if (budget_models_cover(cases[i].a, cases[i].b) !=
		    cases[i].cover)
			fail_msg("\"%s\" covers \"%s\"", cases[i].a,
			    cases[i].b);
	}
}

/* Prices of two models, in dollars for 10^6 tokens. */
static json_t *
prices(void)
{

	return (json_pack("[{s:s, s:i, s:I, s:I, s:I}, "
	    "{s:s, s:i, s:I, s:I, s:I}]",
	    "model", "claude-opus-4*", "above_tokens", 0,
	    "input_nusd_mtok", (json_int_t)5000000000,
	    "output_nusd_mtok", (json_int_t)25000000000,
	    "cache_write_1h_nusd_mtok", (json_int_t)10000000000,
	    "model", "claude-haiku-4*", "above_tokens", 0,
	    "input_nusd_mtok", (json_int_t)1000000000,
	    "output_nusd_mtok", (json_int_t)5000000000,
	    "cache_write_1h_nusd_mtok", (json_int_t)2000000000));
}

/* A budget as budget_view_key has it; what differs from this is in ${more}. */
static json_t *
budget(int id, const char *name, const char *more)
{
	json_t *b, *m;
	json_error_t e;

	b = json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:s, s:i, s:i, s:s, "
	    "s:s, s:s, s:b, s:I, s:I, s:I, s:n}",
	    "id", id, "name", name, "on", "key", "of", "k", "counts", "money",
	    "limit", (json_int_t)100000000000, "period", "total",
	    "length_ms", 0, "anchor_ms", 0, "zone", "UTC", "models", "",
	    "policy", "elastic", "enabled", 1, "spent", (json_int_t)0,
	    "reserved", (json_int_t)0, "left", (json_int_t)100000000000,
	    "renews");
	assert_non_null(b);
	m = json_loads(more, 0, &e);
	if (m == NULL)
		fail_msg("%s: %s", more, e.text);
	assert_int_equal(json_object_update(b, m), 0);
	json_decref(m);
	return (b);
}

/* Each with the budgets of one key and a part of each sentence expected. */
static const struct {
	const char *what;
	const char *key_models;
	const char *budgets[3];
	const char *notes[3];
} cases[] = {
	{ "nothing is odd", "", { "{}" }, { NULL } },
	{ "a limit of 0", "", { "{\"limit\": 0, \"left\": 0}" },
	    { "has a limit of 0: every request is refused until" } },
	{ "a limit of 0 for some models", "",
	    { "{\"limit\": 0, \"models\": \"claude-opus*\"}" },
	    { "every request for claude-opus* is refused" } },
	{ "models that the key may not ask for", "claude-haiku*",
	    { "{\"models\": \"claude-opus*\"}" },
	    { "counts only claude-opus*, which this key may not ask for (it "
		"may ask for claude-haiku*): it never counts anything" } },
	{ "an unknown zone", "", { "{\"period\": \"day\", \"spent\": null, "
	    "\"left\": null, \"zone\": \"Mars/Dome\"}" },
	    { "the time zone \"Mars/Dome\", which this machine does not" } },
	{ "used up for good", "", { "{\"spent\": 100000000000, \"left\": 0}" },
	    { "is used up, and never renews" } },
	{ "used up for now", "", { "{\"period\": \"day\", \"left\": 0, "
	    "\"renews\": \"2026-11-21T00:00:00+01:00\"}" },
	    { "is used up: requests are refused until 2026-11-21T00:00:00" } },
	{ "all reserved is not used up", "",
	    { "{\"left\": 0, \"reserved\": 1}" }, { NULL } },
	{ "a switched-off budget is none", "",
	    { "{\"limit\": 0, \"enabled\": false}" }, { NULL } },
	/* opus: 60,000 at $10 and 32,000 at $25; haiku: 0.12 and 0.16 */
	{ "strict, too small for the dearest", "",
	    { "{\"limit\": 500000000, \"policy\": \"strict\"}" },
	    { "of $0.50 is smaller than the $1.40 that one usual request to "
		"claude-opus-4 reserves (60000 tokens of input, 32000 of "
		"output): such requests are refused, and those to" } },
	{ "strict, too small for any", "",
	    { "{\"limit\": 100000000, \"policy\": \"strict\"}" },
	    { "than the $0.28 that one usual request to claude-haiku-4 "
		"reserves (60000 tokens of input, 32000 of output): such "
		"requests are refused, and no model is cheaper" } },
	{ "strict, for haiku alone", "claude-haiku*",
	    { "{\"limit\": 500000000, \"policy\": \"strict\"}" }, { NULL } },
	{ "elastic reserves less", "", { "{\"limit\": 300000000}" }, { NULL } },
	{ "elastic, too small for a first part", "",
	    { "{\"limit\": 250000000}" },
	    { "than the $0.2512 that one usual request to claude-opus-4" } },
	{ "money without prices", "gpt*", { "{}" },
	    { "no model that it counts for this key has a price" } },
	{ "few tokens", "", { "{\"counts\": \"tokens\", \"limit\": 22000, "
	    "\"left\": 22000}" },
	    { "of 22000 tokens is smaller than the 22048 tokens" } },
	{ "few tokens of output, strict", "", { "{\"counts\": "
	    "\"output_tokens\", \"limit\": 4096, \"policy\": \"strict\"}" },
	    { "than the 32000 output tokens that one usual" } },
	{ "one request is one request", "", { "{\"counts\": \"requests\", "
	    "\"limit\": 1, \"left\": 1}" }, { NULL } },
	{ "a month that a day makes idle", "",
	    { "{\"period\": \"day\"}",
		"{\"period\": \"month\", \"limit\": 50000000000}" },
	    { "\"b0\" ($100.00, day) never refuses a request of this key: "
		"\"b1\" ($50.00, month) is used up first" } },
	{ "not in another zone", "",
	    { "{\"period\": \"day\", \"zone\": \"Asia/Tokyo\"}",
		"{\"period\": \"month\", \"limit\": 50000000000}" }, { NULL } },
	{ "not the other way round", "",
	    { "{\"period\": \"day\", \"limit\": 50000000000}",
		"{\"period\": \"month\"}" }, { NULL } },
	{ "two that say the same", "", { "{}", "{}" },
	    { "\"b1\" ($100.00, total) never refuses a request of this key: "
		"\"b0\"" } },
	{ "one in total that has more left", "",
	    { "{\"limit\": 90000000000, \"left\": 90000000000}",
		"{\"left\": 1000}" }, { NULL } },
	{ "not one that is switched off", "",
	    { "{}", "{\"limit\": 50000000000, \"enabled\": false}" },
	    { NULL } },
	{ "the user's, for all models", "",
	    { "{\"models\": \"claude-opus*\"}",
		"{\"on\": \"user\", \"of\": \"u\"}" },
	    { "\"b0\" ($100.00, total) never refuses" } },
	{ "the key's does not count for the user", "",
	    { "{\"on\": \"user\", \"of\": \"u\"}",
		"{\"limit\": 50000000000, \"left\": 50000000000}" }, { NULL } },
	{ "tokens hold for output", "",
	    { "{\"counts\": \"output_tokens\", \"limit\": 900000}",
		"{\"counts\": \"tokens\", \"limit\": 900000}" },
	    { "\"b0\" (900000 output tokens, total)" } },
	{ "money does not hold for tokens", "",
	    { "{\"counts\": \"tokens\"}", "{\"limit\": 50000000000}" },
	    { NULL } },
	{ "elastic lets through what strict refuses", "",
	    { "{\"policy\": \"strict\"}", "{\"limit\": 50000000000, \"left\": "
		"50000000000}" }, { NULL } },
	{ "rolling as long as a day with 25 hours", "",
	    { "{\"period\": \"day\"}", "{\"period\": \"rolling\", "
		"\"length_ms\": 97200000}" },
	    { "\"b0\" ($100.00, day)" } },
	{ "rolling, a little shorter", "",
	    { "{\"period\": \"day\"}", "{\"period\": \"rolling\", "
		"\"length_ms\": 86400000}" }, { NULL } },
	{ "fixed ones that begin at other times", "",
	    { "{\"period\": \"fixed\", \"length_ms\": 3600000}",
		"{\"period\": \"fixed\", \"length_ms\": 3600000, "
		"\"anchor_ms\": 5}" }, { NULL } },
};

static void
budgets_are_explained(void **state)
{
	static const char *const names[] = { "b0", "b1", "b2" };
	json_t *list, *p = prices(), *notes;
	const char *said;
	size_t i, k;

	(void)state;
	assert_non_null(p);
	for (i = 0; i < NITEMS(cases); i++) {
		list = json_array();
		for (k = 0; k < 3 && cases[i].budgets[k] != NULL; k++)
			(void)json_array_append_new(list, budget((int)k,
			    names[k], cases[i].budgets[k]));
		notes = budget_notes(cases[i].key_models, list, p, 2048);
		assert_non_null(notes);
		for (k = 0; k < 3 && cases[i].notes[k] != NULL; k++) {
			said = json_string_value(json_array_get(notes, k));
			if (said == NULL ||
			    strstr(said, cases[i].notes[k]) == NULL)
				fail_msg("%s: %s", cases[i].what, said == NULL
				    ? "no note" : said);
		}
		if (json_array_size(notes) > k)
			fail_msg("%s: %s", cases[i].what, json_string_value(
			    json_array_get(notes, k)));
		json_decref(notes);
		json_decref(list);
	}
	json_decref(p);
}

/* Names that are cut within a character leave the rest as it is. */
static void
long_names_are_cut(void **state)
{
	char models[1 + 2 * 100 + 1] = "x";
	json_t *list, *p = prices(), *notes;
	size_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		strcat(models, "\xc3\xa4");
	list = json_pack("[o]", budget(0, "b0",
	    "{\"models\": \"claude-*\"}"));
	notes = budget_notes(models, list, p, 2048);
	assert_int_equal(json_array_size(notes), 1);
	assert_non_null(strstr(json_string_value(json_array_get(notes, 0)),
	    "it never counts anything"));
	json_decref(notes);
	json_decref(list);
	json_decref(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_meet_where_one_model_is_in_both),
		cmocka_unit_test(budgets_are_explained),
		cmocka_unit_test(long_names_are_cut),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
