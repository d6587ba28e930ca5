#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "relay/trace.h"

static void
choices_come_one_behind_the_other(void **state)
{
	char trace[POOL_TRACE_SIZE] = "";

	(void)state;
	trace_add(trace, &(struct trace_part) { .choice = "", .attempt = 1 });
	assert_string_equal(trace, "");
	trace_add(trace, &(struct trace_part) {
		.choice = "[{\"account\":1,\"why\":\"picked\"},"
		    "{\"account\":2,\"why\":\"busy\"}]",
		.attempt = 1, .waited_ms = 9 });
	assert_string_equal(trace, "[{\"attempt\":1,\"account\":1,"
	    "\"why\":\"picked\"},{\"account\":2,\"why\":\"busy\"}]");
	trace_add(trace, &(struct trace_part) {
		.choice = "[{\"account\":2,\"why\":\"busy\"}]",
		.waited_ms = 60000 });
	assert_string_equal(trace, "[{\"attempt\":1,\"account\":1,"
	    "\"why\":\"picked\"},{\"account\":2,\"why\":\"busy\"},"
	    "{\"waited_ms\":60000,\"account\":2,\"why\":\"busy\"}]");
}

/* However many there are it stays JSON, and says that it was cut. */
static void
the_first_element_of_all_has_the_trace_id(void **state)
{
	char trace[POOL_TRACE_SIZE] = "";
	struct trace_part part = {
		.choice = "[{\"account\":1},{\"account\":2}]",
		.attempt = 1, .waited_ms = 20,
		.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
	};

	(void)state;
	trace_add(trace, &part);
	trace_add(trace, &part);
	assert_string_equal(trace, "[{\"trace_id\":"
	    "\"4bf92f3577b34da6a3ce929d0e0e4736\",\"attempt\":1,"
	    "\"waited_ms\":20,\"account\":1},{\"account\":2},"
	    "{\"attempt\":1,\"waited_ms\":20,\"account\":1},"
	    "{\"account\":2}]");
}

static void
what_finds_no_room_is_cut(void **state)
{
	char trace[POOL_TRACE_SIZE] = "", choice[200], why[100];
	json_t *j, *last;
	size_t n, before = 0;
	bool was_cut = false;
	int i;

	(void)state;
	for (n = 1; n < sizeof(why); n++) {
		trace[0] = '\0';
		before = 0;
		was_cut = false;
		memset(why, 'x', n);
		why[n] = '\0';
		snprintf(choice, sizeof(choice), "[{\"account\":1,"
		    "\"why\":\"%s\"},{\"account\":2}]", why);
		for (i = 1; i <= 40; i++) {
			trace_add(trace, &(struct trace_part) {
				.choice = choice, .attempt = i });
			assert_true(strlen(trace) < POOL_TRACE_SIZE);
			j = json_loads(trace, 0, NULL);
			assert_non_null(j);
			last = json_array_get(j, json_array_size(j) - 1);
			if (was_cut)
				assert_int_equal(json_array_size(j), before);
			else
				assert_true(json_array_size(j) > before);
			was_cut = json_object_get(last, "cut") != NULL;
			before = json_array_size(j);
			json_decref(j);
		}
		assert_true(was_cut);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(choices_come_one_behind_the_other),
		cmocka_unit_test(the_first_element_of_all_has_the_trace_id),
		cmocka_unit_test(what_finds_no_room_is_cut),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
