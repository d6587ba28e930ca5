#include "cmocka_all.h"

#include <string.h>

#include "alloc_fail.h"
#include "base/conf.h"
#include "fakes.h"
#include "messages.h"
#include "relay/relay_int.h"

static int run_out_after;

static void
run_out(void)
{

	alloc_fail_after(run_out_after);
}

/* The longest story: look-up, body in two parts, a failed attempt, a move, a
 * stream with an event that is cut; each step only as far as the call is
 * there to take it. */
static void
tell_a_stream(struct fcgi_request *req)
{

	if (fakes.lookup != NULL)
		fake_looked_up(true, ERR_NONE);
	fake_body(req, FAKE_STREAM, 20);
	fake_body(req, &FAKE_STREAM[20], strlen(FAKE_STREAM) - 20);
	fake_end(req);
	if (fakes.admit != NULL)
		fake_admitted(ADMIT_LEASED, ERR_NONE);
	if (fakes.transfer != NULL) {
		fake_head(500, FAKE_JSON);
		if (fakes.transfer != NULL)
			fake_text("{\"type\":\"error\"}");
		if (fakes.transfer != NULL)
			fake_done(TRANSFER_OK);
	}
	if (fakes.move != NULL)
		fake_moved(ADMIT_LEASED, ERR_NONE);
	if (fakes.transfer != NULL)
		fake_head(200, FAKE_SSE);
	if (fakes.transfer != NULL)
		fake_text(START "event: content_");
	if (fakes.transfer != NULL)
		fake_text(&DELTA[strlen("event: content_")]);
	if (fakes.transfer != NULL)
		fake_done(TRANSFER_CUT);
	if (fakes.settle != NULL)
		fake_settled(ERR_NONE);
}

static void
tell_a_plain_call(struct fcgi_request *req)
{
	static char much[3 * 1024 * 1024];

	if (fakes.lookup != NULL)
		fake_looked_up(true, ERR_NONE);
	fake_body(req, FAKE_PLAIN, strlen(FAKE_PLAIN));
	fake_end(req);
	if (fakes.admit != NULL)
		fake_admitted(ADMIT_LEASED, ERR_NONE);
	if (fakes.transfer != NULL)
		fake_head(200, FAKE_JSON);
	memset(much, ' ', sizeof(much));
	if (fakes.transfer != NULL)
		fake_data(much, 1000);
	if (fakes.transfer != NULL)
		fake_data(much, sizeof(much));
	if (fakes.transfer != NULL)
		fake_done(TRANSFER_OK);
	if (fakes.settle != NULL)
		fake_settled(ERR_NONE);
}

static void
tell_of_a_wrong_key(struct fcgi_request *req)
{

	if (fakes.lookup != NULL)
		fake_looked_up(false, ERR_NONE);
	assert_true(req->finished || req->reset);
}

/* Each allocation fails in turn: every story comes to an end, with no lease,
 * key, transfer or byte left over (fakes_stop sees to it). */
static void
memory_may_run_out_anywhere(void **state)
{
	static void (*const stories[])(struct fcgi_request *) = {
		tell_a_stream, tell_a_plain_call, tell_of_a_wrong_key };
	struct fcgi_request *req;
	int n, failed;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(stories); i++) {
		for (n = 0, failed = 1; failed; n++) {
			assert_true(n < 1000);
			fakes_start("");
			run_out_after = n;
			fakes.before_begin = run_out;
			req = fake_begin("POST", "/v1/messages", FAKE_KEY);
			stories[i](req);
			failed = alloc_fail_stop();
			assert_true(req->finished || req->reset);
			assert_int_equal(fakes.nsettles, fakes.nleases > 0);
			fakes_stop();
		}
		assert_true(n > 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_may_run_out_anywhere),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
