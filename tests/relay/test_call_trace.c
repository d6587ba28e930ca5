#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "fakes.h"
#include "messages.h"

#define TRACE	"4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT	"00f067aa0ba902b7"
#define GIVEN	"HTTP_TRACEPARENT=00-" TRACE "-" PARENT "-01\n"
#define STATE	"HTTP_TRACESTATE=vendor=1,other=2\n"

static struct fcgi_request *
leased(const char *params)
{
	struct fcgi_request *req;

	fakes.key_cached = true;
	req = fake_begin("POST", "/v1/messages", params);
	fake_body(req, FAKE_PLAIN, strlen(FAKE_PLAIN));
	fake_end(req);
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	return (req);
}

static void
finish(struct fcgi_request *req)
{

	fake_head(200, FAKE_JSON);
	fake_text(PLAIN_BODY);
	fake_done(TRANSFER_OK);
	assert_int_equal(fake_status(req), 200);
	fake_settled(ERR_NONE);
	fakes_stop();
}

/* What goes upstream, by setting and by what the client sent. */
static void
the_trace_goes_upstream_as_the_setting_says(void **state)
{
	static const struct {
		const char *setting, *params;
		const char *id;		/* NULL: none; "": a new one */
		const char *left, *flags;
	} cases[] = {
		{ "", FAKE_KEY GIVEN STATE, TRACE, "vendor=1,other=2", "01" },
		{ "", FAKE_KEY GIVEN, TRACE, "", "01" },
		{ "", FAKE_KEY GIVEN "HTTP_TRACESTATE=\n", TRACE, "", "01" },
		{ "", FAKE_KEY GIVEN "HTTP_TRACESTATE=A=1\n", TRACE, "",
		  "01" },
		{ "", FAKE_KEY STATE, NULL, "", NULL },
		{ "", FAKE_KEY STATE "HTTP_TRACEPARENT=00-x\n", NULL, "",
		  NULL },
		{ "", FAKE_KEY, NULL, "", NULL },
		{ "trace_context = make\n", FAKE_KEY GIVEN STATE, TRACE,
		  "vendor=1,other=2", "01" },
		{ "trace_context = make\n", FAKE_KEY STATE, "", "", "02" },
		{ "trace_context = make\n", FAKE_KEY, "", "", "02" },
		{ "trace_context = off\n", FAKE_KEY GIVEN STATE, NULL, "",
		  NULL },
	};
	struct fcgi_request *req;
	const char *parent;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fakes_start(cases[i].setting);
		req = leased(cases[i].params);
		parent = fakes.transfer->traceparent;
		if (cases[i].id == NULL) {
			assert_string_equal(parent, "");
		} else {
			assert_int_equal(strlen(parent), 55);
			assert_null(strstr(parent, PARENT));
			assert_string_equal(parent + 53, cases[i].flags);
			if (cases[i].id[0] != '\0')
				assert_memory_equal(parent + 3, TRACE, 32);
		}
		assert_string_equal(fakes.transfer->tracestate,
		    cases[i].left);
		finish(req);
	}
}

static void
each_attempt_is_a_step_of_its_own_and_the_ledger_has_the_trace(void **state)
{
	char first[64];
	struct fcgi_request *req;

	(void)state;
	fakes_start("");
	req = leased(FAKE_KEY GIVEN);
	snprintf(first, sizeof(first), "%s", fakes.transfer->traceparent);
	fake_head(529, FAKE_JSON);
	fake_done(TRANSFER_OK);
	fake_moved(ADMIT_LEASED, ERR_NONE);
	assert_memory_equal(fakes.transfer->traceparent, first, 36);
	assert_string_not_equal(fakes.transfer->traceparent, first);
	fake_head(200, FAKE_JSON);
	fake_text(PLAIN_BODY);
	fake_done(TRANSFER_OK);
	assert_int_equal(fake_status(req), 200);
	assert_string_equal(fakes.settled.trace, "[{\"trace_id\":\"" TRACE
	    "\",\"attempt\":1,\"waited_ms\":20,\"account\":1},"
	    "{\"attempt\":2,\"waited_ms\":30,\"account\":2}]");
	fake_settled(ERR_NONE);
	fakes_stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_trace_goes_upstream_as_the_setting_says),
		cmocka_unit_test(
	    each_attempt_is_a_step_of_its_own_and_the_ledger_has_the_trace),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
