#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/price.h"
#include "relay/tally.h"

/* A dollar and five a million, at half for batches; above 100 tokens twice
 * that; and a model that is not sold in batches. */
static struct price rows[] = {
	{ .id = 1, .platform = "claude", .pattern = "m1",
	    .input_nusd_mtok = 1000000000, .output_nusd_mtok = 5000000000,
	    .cache_read_nusd_mtok = 100000000, .batch_percent = 50 },
	{ .id = 2, .platform = "claude", .pattern = "m1", .above_tokens = 100,
	    .input_nusd_mtok = 2000000000, .output_nusd_mtok = 10000000000,
	    .batch_percent = 50 },
	{ .id = 3, .platform = "claude", .pattern = "m2",
	    .input_nusd_mtok = 1000000000, .output_nusd_mtok = 5000000000 },
	{ .id = 4, .platform = "claude", .pattern = PRICE_DEFAULT_PATTERN,
	    .input_nusd_mtok = 4000000000, .output_nusd_mtok = 4000000000,
	    .batch_percent = 50 },
};
static const struct price_list prices = { rows, 4 };

#define LINE(model, usage)						\
	"{\"custom_id\":\"a\\n\",\"result\":{\"type\":\"succeeded\","	\
	"\"message\":{\"model\":\"" model "\",\"content\":[{\"type\":"	\
	"\"text\",\"text\":\"{\\\"usage\\\":9}\"}],\"usage\":{" usage "}}}}"
#define TEN	"\"input_tokens\":10,\"output_tokens\":20"
#define BAD								\
	"{\"custom_id\":\"b\",\"result\":{\"type\":\"errored\","	\
	"\"error\":{\"type\":\"error\"}}}"

static const struct {
	const char *text;
	bool use_default;
	int64_t items, succeeded, unread, unpriced;
	int64_t input, output, cache_read, nusd;
} cases[] = {
	{ "", false, 0, 0, 0, 0, 0, 0, 0, 0 },
	{ LINE("m1", TEN) "\n", false, 1, 1, 0, 0, 10, 20, 0, 55000 },
	{ LINE("m1", TEN), false, 1, 1, 0, 0, 10, 20, 0, 55000 },
	{ LINE("m1", TEN) "\r\n\r\n" BAD "\r\n" LINE("m1", TEN) "\n\n", false,
	    3, 2, 0, 0, 20, 40, 0, 110000 },
	/* Each at the price of its own length, and what it says of tiers does
	 * not matter. */
	{ LINE("m1", "\"input_tokens\":200,\"output_tokens\":1,"
	    "\"service_tier\":\"standard\"") "\n" LINE("m1", TEN), false, 2,
	    2, 0, 0, 210, 21, 0, 205000 + 55000 },
	{ LINE("m1", TEN ",\"cache_read_input_tokens\":20"), false, 1, 1, 0,
	    0, 10, 20, 20, 56000 },
	/* Without a price: said so, and the rest counts. */
	{ LINE("m2", TEN) "\n" LINE("m1", TEN), false, 2, 2, 0, 1, 20, 40, 0,
	    55000 },
	{ LINE("m3", TEN), false, 1, 1, 0, 1, 10, 20, 0, -1 },
	{ LINE("m3", TEN), true, 1, 1, 0, 0, 10, 20, 0, 60000 },
	{ "nonsense\n" LINE("m1", TEN) "\n{}\n", false, 3, 1, 2, 0, 10, 20, 0,
	    55000 },
	{ "{\"result\":{\"type\":\"succeeded\"}}\n" BAD "\n", false, 2, 0, 1,
	    0, 0, 0, 0, 0 },
};

static void
check(size_t i, const struct tally_result *r)
{

	assert_int_equal(r->items, cases[i].items);
	assert_int_equal(r->succeeded, cases[i].succeeded);
	assert_int_equal(r->unread, cases[i].unread);
	assert_int_equal(r->unpriced, cases[i].unpriced);
	assert_int_equal(r->usage.input_tokens, cases[i].input);
	assert_int_equal(r->usage.output_tokens, cases[i].output);
	assert_int_equal(r->usage.cache_read_tokens, cases[i].cache_read);
	assert_int_equal(r->usage.tier, USAGE_TIER_BATCH);
	assert_int_equal(r->nusd, cases[i].nusd);
}

static void
results_add_up_however_they_are_cut(void **state)
{
	struct tally_params params = { .prices = &prices,
		.platform = "claude", .at_ms = 1 };
	struct tally *t;
	size_t i, cut, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		params.use_default = cases[i].use_default;
		n = strlen(cases[i].text);
		for (cut = 0; cut <= n; cut++) {
			t = tally_new(&params);
			assert_non_null(t);
			tally_push(t, cases[i].text, cut);
			tally_push(t, cases[i].text + cut, n - cut);
			check(i, tally_end(t));
			tally_free(t);
		}
	}
}

/* What summed up the conversation is billed as well. */
static void
several_passes_of_one_call_are_all_counted(void **state)
{
	static const char line[] = LINE("m1", TEN ",\"iterations\":[{\"type\":"
	    "\"compaction\",\"input_tokens\":5,\"output_tokens\":6},{\"type\":"
	    "\"message\",\"input_tokens\":10,\"output_tokens\":20}]");
	const struct tally_params params = { .prices = &prices,
		.platform = "claude", .at_ms = 1 };
	struct tally *t = tally_new(&params);
	const struct tally_result *r;

	(void)state;
	assert_non_null(t);
	tally_push(t, line, strlen(line));
	tally_push(t, "\n", 1);
	tally_push(t, cases[1].text, strlen(cases[1].text));
	r = tally_end(t);
	assert_int_equal(r->usage.input_tokens, 25);
	assert_int_equal(r->usage.output_tokens, 46);
	assert_int_equal(r->nusd, 55000 + (15 * 1000 + 26 * 5000) / 2);
	tally_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_add_up_however_they_are_cut),
		cmocka_unit_test(several_passes_of_one_call_are_all_counted),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
