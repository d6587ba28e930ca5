#include "cmocka_all.h"

#include <string.h>

#include "http/route.h"

enum { ROOT, HEALTH, MESSAGES, BATCHES, BATCH_NEW, MESSAGE, MODEL, GENERATE,
	RESULT };

static const struct route table[] = {
	{ "HEAD", "/", ROUTE_OPEN, DIALECT_ANTHROPIC, false, ROOT },
	{ "GET", "/health", ROUTE_OPEN, DIALECT_ANTHROPIC, false, HEALTH },
	{ "POST", "/v1/messages", ROUTE_KEY, DIALECT_ANTHROPIC, true,
		MESSAGES },
	{ "GET", "/v1/messages/batches", ROUTE_KEY, DIALECT_ANTHROPIC, false,
		BATCHES },
	{ "POST", "/v1/messages/batches", ROUTE_KEY, DIALECT_ANTHROPIC, true,
		BATCH_NEW },
	{ "DELETE", "/v1/messages/{id}", ROUTE_KEY, DIALECT_ANTHROPIC, false,
		MESSAGE },
	{ "GET", "/v1/models/{id}", ROUTE_KEY, DIALECT_OPENAI, false, MODEL },
	{ "POST", "/v1beta/models/{call}", ROUTE_KEY, DIALECT_GEMINI, true,
		GENERATE },
	{ "GET", "/v1/b/{id}/r/{n}", ROUTE_KEY, DIALECT_ANTHROPIC, false,
		RESULT },
};

static const char *const aliases[] = { "/claude", "/api", NULL };

static void
paths_lead_to_their_rows(void **state)
{
	static const struct {
		const char *method, *path;
		enum route_result rc;
		int handler;		/* or allow and dialect: */
		const char *allow;
		enum dialect dialect;
	} cases[] = {
		{ "HEAD", "/", ROUTE_FOUND, ROOT, NULL, 0 },
		{ "GET", "/", ROUTE_METHOD, 0, "HEAD", DIALECT_ANTHROPIC },
		{ "GET", "/health", ROUTE_FOUND, HEALTH, NULL, 0 },
		{ "HEAD", "/health", ROUTE_FOUND, HEALTH, NULL, 0 },
		{ "GET", "/health/", ROUTE_FOUND, HEALTH, NULL, 0 },
		{ "POST", "/v1/messages", ROUTE_FOUND, MESSAGES, NULL, 0 },
		{ "POST", "/claude/v1/messages", ROUTE_FOUND, MESSAGES, NULL,
			0 },
		{ "POST", "/api/v1/messages/", ROUTE_FOUND, MESSAGES, NULL,
			0 },
		{ "POST", "/claude/api/v1/messages", ROUTE_UNKNOWN, 0, "",
			DIALECT_ANTHROPIC },
		{ "POST", "/claudev1/messages", ROUTE_UNKNOWN, 0, "",
			DIALECT_ANTHROPIC },
		{ "GET", "/v1/messages", ROUTE_METHOD, 0, "POST",
			DIALECT_ANTHROPIC },
		{ "PUT", "/api/v1/messages/batches", ROUTE_METHOD, 0,
			"GET, HEAD, POST", DIALECT_ANTHROPIC },
		{ "POST", "/v1/messages/batches", ROUTE_FOUND, BATCH_NEW,
			NULL, 0 },
		{ "DELETE", "/v1/messages/batches", ROUTE_METHOD, 0,
			"GET, HEAD, POST", DIALECT_ANTHROPIC },
		{ "DELETE", "/v1/messages/m", ROUTE_FOUND, MESSAGE, NULL, 0 },
		{ "GET", "/v1/models/", ROUTE_UNKNOWN, 0, "",
			DIALECT_OPENAI },
		{ "GET", "/v1/models//", ROUTE_UNKNOWN, 0, "",
			DIALECT_OPENAI },
		{ "GET", "/v1/models/a/b", ROUTE_UNKNOWN, 0, "",
			DIALECT_OPENAI },
		{ "POST", "/v1beta/models/g:generateContent", ROUTE_FOUND,
			GENERATE, NULL, 0 },
		{ "POST", "/v1beta/nothing", ROUTE_UNKNOWN, 0, "",
			DIALECT_GEMINI },
		{ "get", "/health", ROUTE_METHOD, 0, "GET, HEAD",
			DIALECT_ANTHROPIC },
		{ "GET", "/V1/messages", ROUTE_UNKNOWN, 0, "",
			DIALECT_ANTHROPIC },
		{ "GET", "", ROUTE_UNKNOWN, 0, "", DIALECT_ANTHROPIC },
		{ "GET", "//", ROUTE_METHOD, 0, "HEAD", DIALECT_ANTHROPIC },
		{ "GET", "/claude", ROUTE_UNKNOWN, 0, "", DIALECT_ANTHROPIC },
	};
	struct route_match m;
	enum route_result rc;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		rc = route_find(table, NITEMS(table), aliases,
		    cases[i].method, cases[i].path, &m);
		if (rc != cases[i].rc)
			fail_msg("%s %s gave %d", cases[i].method,
			    cases[i].path, rc);
		if (rc == ROUTE_FOUND) {
			assert_int_equal(m.route->handler, cases[i].handler);
			assert_int_equal(m.dialect, m.route->dialect);
			continue;
		}
		assert_string_equal(m.allow, cases[i].allow);
		assert_int_equal(m.dialect, cases[i].dialect);
		assert_null(m.route);
	}
}

static void
parameters_are_raw_segments(void **state)
{
	static const char path[] = "/claude/v1/b/a%2Fb/r/x:y/";
	struct route_match m;

	(void)state;
	assert_int_equal(route_find(table, NITEMS(table), aliases, "GET",
	    path, &m), ROUTE_FOUND);
	assert_int_equal(m.route->handler, RESULT);
	assert_int_equal(m.nparams, 2);
	assert_int_equal(m.params[0].n, 5);
	assert_memory_equal(m.params[0].p, "a%2Fb", 5);
	assert_int_equal(m.params[1].n, 3);
	assert_memory_equal(m.params[1].p, "x:y", 3);
}

static void
a_long_allow_list_is_cut_at_a_method(void **state)
{
	static const struct route many[] = {
		{ "A23456789012345678901234567890", "/x", 0, 0, false, 0 },
		{ "B23456789012345678901234567890", "/x", 0, 0, false, 0 },
		{ "C23456789012345678901234567890", "/x", 0, 0, false, 0 },
		{ "D", "/x", 0, 0, false, 0 },
	};
	struct route_match m;

	(void)state;
	assert_int_equal(route_find(many, NITEMS(many), NULL, "GET", "/x",
	    &m), ROUTE_METHOD);
	assert_true(strlen(m.allow) < sizeof(m.allow));
	assert_memory_equal(m.allow, "A23456789012345678901234567890, "
	    "B2345", 37);
	assert_int_equal(route_find(many, 0, NULL, "GET", "/x", &m),
	    ROUTE_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_lead_to_their_rows),
		cmocka_unit_test(parameters_are_raw_segments),
		cmocka_unit_test(a_long_allow_list_is_cut_at_a_method),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
