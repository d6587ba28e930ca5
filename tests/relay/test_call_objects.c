#define _GNU_SOURCE	/* memmem */

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "pool/model_ask.h"
#include "fakes.h"
#include "ledger/flags.h"

#define BATCHES	"/v1/messages/batches"
#define BATCH	"{\"requests\":[{\"custom_id\":\"a\",\"params\":{\"model\":" \
	"\"claude-x-1\"}},{\"custom_id\":\"b\",\"params\":{\"model\":"	\
	"\"claude-x-1\"}}]}"
#define MADE	"{\"id\":\"msgbatch_1\",\"type\":\"message_batch\","	\
	"\"processing_status\":\"in_progress\",\"results_url\":null}"
#define ENDED(origin)							\
	"{\"id\":\"msgbatch_1\",\"processing_status\":\"ended\","	\
	"\"results_url\":\"" origin BATCHES "/msgbatch_1/results\"}"
#define RESULT	"{\"custom_id\":\"a\",\"result\":{\"type\":\"succeeded\"," \
	"\"message\":{\"model\":\"claude-x-1\",\"usage\":{\"input_tokens\":" \
	"10,\"output_tokens\":20}}}}\n"

/* A whole request of any method, that has its lease. */
static struct fcgi_request *
asked(const char *method, const char *target, const char *body)
{
	struct fcgi_request *req;

	fakes.key_cached = true;
	req = fake_begin(method, target, FAKE_KEY);
	if (body != NULL)
		fake_body(req, body, strlen(body));
	fake_end(req);
	assert_non_null(fakes.admit);
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	assert_non_null(fakes.transfer);
	fakes.transfer->sent = true;
	return (req);
}

static void
upstream_says(int status, const char *text)
{

	fake_head(status, FAKE_JSON);
	assert_true(fake_text(text));
	fake_done(TRANSFER_OK);
}

static void
check_settled(const char *outcome)
{

	assert_int_equal(fakes.nsettles, 1);
	assert_string_equal(fakes.settled.outcome, outcome);
	fake_settled(ERR_NONE);
}

/* ---- making ---- */

static void
an_id_is_told_only_when_its_row_is_there(void **state)
{
	struct fcgi_request *req;

	(void)state;
	req = asked("POST", BATCHES, BATCH);
	assert_true(fakes.admitted.billed);
	assert_false(fakes.admitted.needs_slot);
	assert_string_equal(fakes.admitted.model, "claude-x-1");
	assert_int_equal(fakes.transfer->params.body_len, strlen(BATCH));
	assert_false(fakes.transfer->params.resend);
	upstream_says(200, MADE);
	assert_int_equal(fakes.nputs, 1);
	assert_int_equal(req->nwrites, 0);
	assert_string_equal(fakes.put->upstream_id, "msgbatch_1");
	assert_string_equal(fakes.put->seen, MADE);
	assert_string_equal(fakes.put->model, "claude-x-1");
	assert_int_equal(fakes.put->kind, OBJECT_BATCH);
	assert_int_equal(fakes.put->key_id, 7);
	assert_int_equal(fakes.put->account_id, 1);
	assert_int_equal(fakes.put->ledger_id, 1);
	assert_false(fakes.put->final || fakes.put->unheard);
	fake_put(ERR_NONE);
	assert_int_equal(fake_status(req), 200);
	assert_string_equal(fake_body_of(req), MADE);
	assert_int_equal(fakes.settled.flags, LEDGER_FLAG_BATCH);
	assert_int_equal(fakes.settled.end.mark, USAGE_NONE);
	check_settled("ok");
}

/* All places of a batch's body name what the account calls its models, and
 * after a move what the next one does. */
static void
a_batch_is_sent_the_names_of_its_account(void **state)
{
	static const char body[] = "{\"requests\":[{\"custom_id\":\"a\","
	    "\"params\":{\"model\":\"m-1\",\"fallbacks\":[{\"model\":"
	    "\"m-1\"}]}},{\"params\":{\"max_tokens\":1,\"model\":"
	    "\"m\\u002d1\"}}]}";
	static const struct {
		const char *as, *body;
	} tries[] = {
		{ "longer", "{\"requests\":[{\"custom_id\":\"a\",\"params\":"
		    "{\"model\":\"longer\",\"fallbacks\":[{\"model\":"
		    "\"longer\"}]}},{\"params\":{\"max_tokens\":1,\"model\":"
		    "\"longer\"}}]}" },
		{ NULL, body },
		{ "o", "{\"requests\":[{\"custom_id\":\"a\",\"params\":"
		    "{\"model\":\"o\",\"fallbacks\":[{\"model\":\"o\"}]}},"
		    "{\"params\":{\"max_tokens\":1,\"model\":\"o\"}}]}" },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	fakes.others_as = tries[0].as;
	req = asked("POST", BATCHES, body);
	assert_string_equal(fakes.admitted.model, "m-1");
	assert_int_equal(fakes.admitted.also->n, 1);
	assert_string_equal(fakes.admitted.also->names[0], "m-1");
	for (i = 0; i < NITEMS(tries); i++) {
		if (i > 0) {
			fakes.others_as = tries[i].as;
			fake_head(429, FAKE_JSON);
			fake_done(TRANSFER_OK);
			assert_ptr_equal(fakes.moved.admit.also,
			    fakes.admitted.also);
			fake_moved(ADMIT_LEASED, ERR_NONE);
		}
		assert_int_equal(fakes.transfer->params.body_len,
		    strlen(tries[i].body));
		assert_memory_equal(fakes.transfer->params.body,
		    tries[i].body, strlen(tries[i].body));
	}
	fakes.others_as = NULL;
	fakes.transfer->sent = true;
	upstream_says(200, MADE);
	fake_put(ERR_NONE);
	assert_int_equal(fake_status(req), 200);
	check_settled("ok");
}

/* The same of a plain call's fallbacks, and of what asks another model. */
static void
fallbacks_are_sent_the_names_of_their_account(void **state)
{
	static const char body[] = "{\"fallbacks\":[{\"model\":\"f\"}],"
	    "\"model\":\"claude-x-1\",\"tools\":[{\"type\":\"advisor_2\","
	    "\"model\":\"a\"}],\"max_tokens\":9,\"messages\":[]}";
	static const char sent[] = "{\"fallbacks\":[{\"model\":\"other\"}],"
	    "\"model\":\"claude-x-1\",\"tools\":[{\"type\":\"advisor_2\","
	    "\"model\":\"other\"}],\"max_tokens\":9,\"messages\":[]}";
	struct fcgi_request *req = fake_post(body);
	const struct model_ask *also = fakes.admitted.also;

	(void)state;
	assert_int_equal(also->n, 2);
	assert_string_equal(also->names[0], "f");
	assert_string_equal(also->names[1], "a");
	assert_false(also->unnamed);
	fakes.others_as = "other";
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	fakes.others_as = NULL;
	assert_int_equal(fakes.transfer->params.body_len, strlen(sent));
	assert_memory_equal(fakes.transfer->params.body, sent, strlen(sent));
	fake_head(400, FAKE_JSON);
	assert_true(fake_text("{}"));
	fake_done(TRANSFER_OK);
	assert_int_equal(fake_status(req), 400);
	fake_settled(ERR_NONE);

	req = fake_post("{\"model\":\"claude-x-1\",\"max_tokens\":9,"
	    "\"fallbacks\":[{\"effort\":1}],\"messages\":[]}");
	assert_true(fakes.admitted.also->unnamed);
	fake_admitted(ADMIT_PARKED, ERR_NONE);
	assert_int_equal(fake_status(req), 503);
}

static void
without_its_row_an_object_is_an_error_not_to_be_retried(void **state)
{
	struct fcgi_request *req;

	(void)state;
	req = asked("POST", "/v1/files", "--b\r\n\r\nx\r\n--b--\r\n");
	upstream_says(200, "{\"id\":\"file_1\"}");
	assert_true(fakes.put->final);
	fake_put(ERR_STORE_DOWN);
	assert_int_equal(fake_status(req), 503);
	assert_non_null(strstr(fake_answer(req), "x-should-retry: false"));
	assert_null(strstr(fake_answer(req), "file_1"));
	assert_int_equal(fakes.nkept, 1);
	assert_string_equal(fakes.kept.upstream_id, "file_1");
	check_settled("unheard");
}

static void
an_answer_without_an_id_is_an_error(void **state)
{
	struct fcgi_request *req;

	(void)state;
	req = asked("POST", BATCHES, BATCH);
	upstream_says(200, "{\"type\":\"message_batch\"}");
	assert_int_equal(fakes.nputs, 0);
	assert_int_equal(fakes.nkept, 0);
	assert_int_equal(fake_status(req), 503);
	check_settled("unheard");
}

static void
what_may_have_been_made_is_not_made_elsewhere(void **state)
{
	static const struct {
		int status;		/* 0: broken */
		enum transfer_result result;
		bool moves;
	} cases[] = {
		{ 500, TRANSFER_OK, false }, { 504, TRANSFER_OK, false },
		{ 0, TRANSFER_SEND, false }, { 0, TRANSFER_CUT, false },
		{ 0, TRANSFER_SILENT, false }, { 0, TRANSFER_CONNECT, true },
		{ 429, TRANSFER_OK, true }, { 529, TRANSFER_OK, true },
		{ 401, TRANSFER_OK, true }, { 403, TRANSFER_OK, true },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fakes_start("");
		req = asked("POST", BATCHES, BATCH);
		if (cases[i].status != 0) {
			fake_head(cases[i].status, FAKE_JSON);
			assert_true(fake_text("{}"));
		}
		fake_done(cases[i].result);
		assert_int_equal(fakes.nmoves, cases[i].moves);
		if (cases[i].moves)
			fake_moved(ADMIT_NO_ACCOUNT, ERR_NONE);
		else if (strstr(fake_answer(req), "x-should-retry: false") ==
		    NULL)
			fail_msg("case %zu: %s", i, fake_answer(req));
		assert_true(fake_status(req) >= 429);
		fake_settled(ERR_NONE);
		fakes_stop();
	}
}

static void
a_client_that_left_leaves_a_row_that_says_so(void **state)
{
	struct fcgi_request *req;

	(void)state;
	req = asked("POST", BATCHES, BATCH);
	fake_gone(req);
	assert_int_equal(fakes.ncancelled, 0);
	upstream_says(200, MADE);
	assert_true(fakes.put->unheard);
	fake_put(ERR_NONE);
	assert_string_equal(fakes.settled.disconnect, "drained");
	check_settled("client_gone");
}

/* Not before the upstream has all of it, and not for ever. */
static void
a_client_that_left_is_waited_for_within_bounds(void **state)
{
	struct fcgi_request *req;

	(void)state;
	req = asked("POST", "/v1/files", "abc");
	fakes.transfer->sent = false;
	fake_gone(req);
	assert_int_equal(fakes.ncancelled, 1);
	check_settled("client_gone");
	fakes_stop();
	fakes_start("");
	req = asked("POST", "/v1/files", "abc");
	fake_gone(req);
	fakes_pass(59000);
	assert_int_equal(fakes.ncancelled, 0);
	fakes_pass(2000);
	assert_int_equal(fakes.ncancelled, 1);
	assert_string_equal(fakes.settled.disconnect, "drain_expired");
	check_settled("client_gone");
}

static void
a_client_that_leaves_while_the_row_is_written_ends_it(void **state)
{
	struct fcgi_request *req;

	(void)state;
	req = asked("POST", BATCHES, BATCH);
	upstream_says(200, MADE);
	fake_gone(req);
	assert_int_equal(fakes.nsettles, 0);
	fake_put(ERR_STORE_UNKNOWN);
	assert_int_equal(fakes.nkept, 1);
	check_settled("client_gone");
}

static void
bodies_of_batches_are_looked_at(void **state)
{
	struct fcgi_request *req;

	(void)state;
	fakes.key_cached = true;
	req = fake_begin("POST", BATCHES, FAKE_KEY);
	fake_body(req, "{\"requests\":[{}]}", 17);
	fake_end(req);
	assert_int_equal(fake_status(req), 400);
	req = fake_begin("POST", BATCHES, FAKE_KEY
	    "HTTP_CONTENT_ENCODING=gzip\n");
	assert_int_equal(fake_status(req), 415);
	req = fake_begin("POST", "/v1/files", FAKE_KEY
	    "CONTENT_LENGTH=99999999999\n");
	assert_int_equal(fake_status(req), 413);
	assert_non_null(strstr(fake_body_of(req), "upload_max_bytes"));
	assert_int_equal(fakes.nadmits, 0);
}

/* ---- following ---- */

static void
a_follow_up_names_its_object(void **state)
{
	static const struct {
		const char *method, *target, *kind;
		enum object_kind names;
	} cases[] = {
		{ "GET", BATCHES "/id_1", "batch_get", OBJECT_BATCH },
		{ "POST", BATCHES "/id_1/cancel", "batch_cancel",
		    OBJECT_BATCH },
		{ "DELETE", BATCHES "/id_1", "batch_delete", OBJECT_BATCH },
		{ "GET", BATCHES "/id_1/results", "batch_results",
		    OBJECT_BATCH },
		{ "GET", "/claude/v1/files/id_1", "file_get", OBJECT_FILE },
		{ "GET", "/v1/files/id_1/content", "file_content",
		    OBJECT_FILE },
		{ "DELETE", "/v1/files/id_1?beta=true", "file_delete",
		    OBJECT_FILE },
	};
	const struct object_ask *ask;
	struct fcgi_request *req;
	size_t i;

	(void)state;
	fakes.key_cached = true;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		req = fake_begin(cases[i].method, cases[i].target, FAKE_KEY);
		fake_end(req);
		ask = fakes.admitted.objects;
		assert_non_null(ask);
		assert_string_equal(fakes.admitted.kind, cases[i].kind);
		assert_int_equal(ask->names, cases[i].names);
		assert_int_equal(ask->n, 1);
		assert_string_equal(ask->ids[0], "id_1");
		assert_true(ask->follows);
		assert_false(fakes.admitted.billed ||
		    fakes.admitted.needs_slot);
		fake_admitted(ADMIT_OBJECT, ERR_NONE);
		assert_int_equal(fake_status(req), 404);
		assert_non_null(strstr(fake_body_of(req),
		    "not_found_error"));
		assert_int_equal(fakes.nsettles, 0);
	}
	assert_int_equal(fakes.nstarted, 0);
}

static void
results_lead_back_to_the_relay(void **state)
{
	static const char *const settings[] = { "",
	    "public_url = https://me.example/claude\n" };
	static const char *const bodies[] = { ENDED(""),
	    ENDED("https://me.example/claude") };
	struct fcgi_request *req;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		fakes_start(settings[i]);
		req = asked("GET", BATCHES "/msgbatch_1", NULL);
		upstream_says(200, ENDED("https://api.anthropic.com"));
		assert_int_equal(fake_status(req), 200);
		assert_string_equal(fake_body_of(req), bodies[i]);
		check_settled("ok");
		fakes_stop();
	}
}

static void
what_was_deleted_loses_its_row_first(void **state)
{
	static const enum err_code codes[] = { ERR_NONE, ERR_STORE_DOWN };
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		fakes_start("");
		req = asked("DELETE", "/v1/files/file_1", NULL);
		upstream_says(200, "{\"id\":\"file_1\"}");
		assert_int_equal(fakes.ndrops, 1);
		assert_string_equal(fakes.drop->upstream_id, "file_1");
		assert_int_equal(req->nwrites, 0);
		fake_dropped(codes[i]);
		assert_int_equal(fake_status(req), 200);
		check_settled("ok");
		fakes_stop();
	}
	/* It may be there all the same: a header of the client was missing. */
	fakes_start("");
	req = asked("DELETE", "/v1/files/file_1", NULL);
	upstream_says(404, "{}");
	assert_int_equal(fakes.ndrops, 0);
	assert_int_equal(fake_status(req), 404);
	check_settled("client_error");
	fakes_stop();
}

/* ---- results ---- */

static struct fcgi_request *
reads_results(bool counted)
{
	struct fcgi_request *req;

	fakes.key_cached = true;
	req = fake_begin("GET", BATCHES "/msgbatch_1/results", FAKE_KEY);
	fake_end(req);
	fakes.admit->objects->id = 5;
	fakes.admit->objects->counted = counted;
	snprintf(fakes.admit->model, sizeof(fakes.admit->model), "m1");
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	fakes.transfer->sent = true;
	return (req);
}

static void
check_counted(enum usage_mark mark, int64_t output, int64_t batch)
{
	const struct settle_op *s = &fakes.settled;

	assert_int_equal(fakes.nsettles, 1);
	assert_int_equal(s->end.mark, mark);
	assert_int_equal(s->end.usage.output_tokens, output);
	assert_int_equal(s->end.priced, batch != 0);
	assert_int_equal(s->batch_id, batch);
	fake_settled(ERR_NONE);
}

static void
results_are_counted_when_they_were_read_to_their_end(void **state)
{
	struct fcgi_request *req;

	(void)state;
	req = reads_results(false);
	upstream_says(200, RESULT RESULT);
	assert_int_equal(fake_status(req), 200);
	assert_string_equal(fake_body_of(req), RESULT RESULT);
	assert_string_equal(fakes.settled.model, "m1");
	check_counted(USAGE_EXACT, 40, 5);
	fakes_stop();

	fakes_start("");	/* counted before */
	req = reads_results(true);
	upstream_says(200, RESULT);
	assert_int_equal(fake_status(req), 200);
	check_counted(USAGE_NONE, 0, 0);
	fakes_stop();

	fakes_start("");	/* broken off */
	req = reads_results(false);
	fake_head(200, FAKE_JSON);
	assert_true(fake_text(RESULT));
	fake_done(TRANSFER_CUT);
	assert_int_equal(fakes.nmoves, 1);
	fake_moved(ADMIT_NO_ACCOUNT, ERR_NONE);
	assert_int_equal(fake_status(req), 503);
	check_counted(USAGE_NONE, 0, 0);
	fakes_stop();

	fakes_start("");	/* with what cannot be read in it */
	req = reads_results(false);
	upstream_says(200, RESULT "x\n");
	assert_int_equal(fake_status(req), 200);
	check_counted(USAGE_PARTIAL, 20, 5);
}

static void
results_are_read_to_their_end_for_a_client_that_left(void **state)
{
	struct fcgi_request *req;

	(void)state;
	req = reads_results(false);
	fake_head(200, FAKE_JSON);
	assert_true(fake_text(RESULT));
	fake_gone(req);
	assert_int_equal(fakes.ncancelled, 0);
	assert_true(fake_text(RESULT RESULT));
	fake_done(TRANSFER_OK);
	assert_string_equal(fakes.settled.disconnect, "drained");
	check_counted(USAGE_EXACT, 60, 5);
}

/* ---- what is gone ---- */

static void
what_the_upstream_has_no_more_is_noted(void **state)
{
	static const char none[] = "{\"type\":\"error\",\"error\":{\"type\":"
	    "\"not_found_error\",\"message\":\"x\"}}";
	static const struct {
		const char *method, *target;
		bool was_gone;
		int status;
		const char *body;
		int noted;
		bool gone;
	} cases[] = {
		{ "GET", "/v1/files/file_1", false, 404, none, 1, true },
		{ "GET", "/v1/files/file_1", true, 404, none, 0, false },
		{ "GET", "/v1/files/file_1", true, 200, "{}", 1, false },
		{ "GET", "/v1/files/file_1", false, 200, "{}", 0, false },
		{ "DELETE", "/v1/files/file_1", false, 404, none, 1, true },
		/* A page of something else than the API. */
		{ "GET", "/v1/files/file_1", false, 404, "<html>", 0, false },
		/* Contents and results have reasons of their own. */
		{ "GET", "/v1/files/file_1/content", false, 404, none, 0,
		    false },
		{ "GET", BATCHES "/b1/results", false, 404, none, 0, false },
		{ "GET", BATCHES "/b1", false, 404, none, 1, true },
		{ "GET", BATCHES "/b1", false, 400, none, 0, false },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(fakes_setup(state), 0);
		fakes.key_cached = true;
		req = fake_begin(cases[i].method, cases[i].target, FAKE_KEY);
		fake_end(req);
		assert_non_null(fakes.admit);
		fakes.admit->objects->gone = cases[i].was_gone;
		fake_admitted(ADMIT_LEASED, ERR_NONE);
		fakes.transfer->sent = true;
		upstream_says(cases[i].status, cases[i].body);
		if (fakes.ngone != cases[i].noted)
			fail_msg("case %zu: %d", i, fakes.ngone);
		if (cases[i].noted > 0) {
			assert_int_equal(fakes.gone.gone, cases[i].gone);
			assert_int_equal(fakes.gone.key_id, 7);
			assert_string_equal(fakes.gone.upstream_id,
			    strstr(cases[i].target, "file") != NULL ?
			    "file_1" : "b1");
		}
		assert_int_equal(fakes.nsettles, 1);
		fake_settled(ERR_NONE);
		assert_int_equal(fakes_teardown(state), 0);
	}
}

/* ---- files in calls ---- */

static void
files_of_a_call_are_named_to_admission(void **state)
{
	static const char body[] = "{\"model\":\"claude-x-1\",\"max_tokens\":"
	    "9,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
	    "\"document\",\"source\":{\"type\":\"file\",\"file_id\":"
	    "\"file_1\"}},{\"type\":\"tool_result\",\"content\":[{\"type\":"
	    "\"image\",\"source\":{\"type\":\"file\",\"file_id\":"
	    "\"file_2\"}}]},{\"type\":\"bash_code_execution_tool_result\","
	    "\"content\":{\"content\":[{\"file_id\":\"file_3\"}]}},"
	    "{\"type\":\"tool_use\",\"input\":{\"file_id\":\"file_4\"}}]}]}";
	struct fcgi_request *req = fake_post(body);
	const struct object_ask *ask = fakes.admitted.objects;

	(void)state;
	assert_non_null(ask);
	assert_int_equal(ask->n, 2);
	assert_string_equal(ask->ids[0], "file_1");
	assert_string_equal(ask->ids[1], "file_2");
	assert_false(ask->follows);
	assert_true(fakes.admitted.ask.whole_context);
	fakes.admit->account_id = 3;
	fake_admitted(ADMIT_LEASED, ERR_NONE);
	fakes.transfer->sent = true;
	fake_head(529, FAKE_JSON);
	assert_true(fake_text("{}"));
	fake_done(TRANSFER_OK);
	assert_int_equal(fakes.moved.admit.account_id, 3);
	assert_ptr_equal(fakes.moved.admit.objects, ask);
	fake_moved(ADMIT_NO_ACCOUNT, ERR_NONE);
	assert_int_equal(fake_status(req), 503);
	fake_settled(ERR_NONE);

	req = fake_post(FAKE_PLAIN);	/* nothing stays of them */
	assert_null(fakes.admitted.objects);
	fake_admitted(ADMIT_PARKED, ERR_NONE);
	assert_int_equal(fake_status(req), 503);
}

/* ---- lists ---- */

static void
a_list_of_files_is_made_of_the_rows(void **state)
{
	static const char *const rows[] = { "file_2",
	    "{\"id\":\"file_2\",\"size_bytes\":5}", "file_1",
	    "{\"id\":\"file_1\"}" };
	struct fcgi_request *req = fake_get("/v1/files?limit=2"
	    "&after_id=file_3");

	(void)state;
	assert_int_equal(fakes.list->limit, 2);
	assert_int_equal(fakes.list->kind, OBJECT_FILE);
	assert_string_equal(fakes.list->after, "file_3");
	fakes.list->more = true;
	fake_listed(rows, 4, ERR_NONE);
	fakes_pass(0);
	assert_int_equal(fake_status(req), 200);
	assert_string_equal(fake_body_of(req), "{\"data\":[{\"id\":\"file_2\","
	    "\"size_bytes\":5},{\"id\":\"file_1\"}],\"has_more\":true,"
	    "\"first_id\":\"file_2\",\"last_id\":\"file_1\","
	    "\"next_page\":\"page_file_1\"}");
	assert_int_equal(fakes.nstarted, 0);
	assert_int_equal(fakes.nadmits, 0);

	req = fake_get("/v1/files?page=page_file_1&ids%5B%5D=a%5F1&ids[]=b");
	assert_string_equal(fakes.list->after, "file_1");
	assert_int_equal(fakes.list->only->n, 2);
	assert_string_equal(fakes.list->only->ids[0], "a_1");
	fake_listed(NULL, 0, ERR_NONE);
	fakes_pass(0);
	assert_string_equal(fake_body_of(req), "{\"data\":[],\"has_more\":"
	    "false,\"first_id\":null,\"last_id\":null,\"next_page\":null}");
}

static void
batches_that_may_have_changed_are_asked_for(void **state)
{
	static const char *const rows[] = { "!msgbatch_1", MADE, "!msgbatch_2",
	    "{\"id\":\"msgbatch_2\",\"was\":1}", "msgbatch_3",
	    "{\"id\":\"msgbatch_3\"}" };
	struct fcgi_request *req = fake_get(BATCHES "?limit=5");

	(void)state;
	fake_listed(rows, 6, ERR_NONE);
	fakes_pass(0);
	assert_int_equal(fakes.nstarted, 2);
	assert_string_equal(fakes.transfers[0].url,
	    "https://api.example" BATCHES "/msgbatch_1");
	assert_string_equal(fakes.transfers[0].credential, "secret-1");
	fakes.transfer = &fakes.transfers[0];
	upstream_says(200, ENDED("https://api.anthropic.com"));
	fakes.transfer = &fakes.transfers[1];
	upstream_says(500, "{}");
	fakes_pass(0);
	assert_int_equal(fake_status(req), 200);
	assert_string_equal(fake_body_of(req), "{\"data\":[" ENDED("") ","
	    "{\"id\":\"msgbatch_2\",\"was\":1},{\"id\":\"msgbatch_3\"}],"
	    "\"has_more\":false,\"first_id\":\"msgbatch_1\",\"last_id\":"
	    "\"msgbatch_3\",\"next_page\":null}");
	assert_int_equal(fakes.nseen, 1);
	assert_string_equal(fakes.seen.upstream_id, "msgbatch_1");
	assert_true(fakes.seen.final);
}

static void
a_list_does_not_wait_for_ever_nor_for_nobody(void **state)
{
	static const char *const rows[] = { "!msgbatch_1", MADE };
	struct fcgi_request *req = fake_get(BATCHES);

	(void)state;
	fake_listed(rows, 2, ERR_NONE);
	fakes_pass(0);
	assert_int_equal(fakes.nstarted, 1);
	fakes_pass(10001);
	assert_int_equal(fake_status(req), 200);
	assert_non_null(strstr(fake_body_of(req), MADE));
	assert_int_equal(fakes.ncancelled, 1);

	req = fake_get(BATCHES);		/* leaves while it is read */
	fake_gone(req);
	fake_listed(rows, 2, ERR_NONE);
	fakes_pass(0);
	assert_int_equal(fakes.nstarted, 1);

	req = fake_get(BATCHES);		/* and while it is asked for */
	fake_listed(rows, 2, ERR_NONE);
	fakes_pass(0);
	fake_gone(req);
	assert_int_equal(fakes.ncancelled, 2);
}

static void
a_list_that_cannot_be_made_is_an_error(void **state)
{
	static const struct {
		const char *target;
		const char *why;
	} cases[] = {
		{ BATCHES "?limit=0", "limit" },
		{ BATCHES "?limit=x", "limit" },
		{ "/v1/files?page=x", "page" },
		{ BATCHES "?after_id=a&before_id=b", "only one" },
	};
	struct fcgi_request *req;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		req = fake_get(cases[i].target);
		assert_int_equal(fake_status(req), 400);
		assert_non_null(strstr(fake_body_of(req), cases[i].why));
	}
	assert_int_equal(fakes.nlists, 0);
	req = fake_get(BATCHES);
	fake_listed(NULL, 0, ERR_STORE_DOWN);
	assert_int_equal(fake_status(req), 503);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f)	cmocka_unit_test_setup_teardown(f, fakes_setup, fakes_teardown)
		T(an_id_is_told_only_when_its_row_is_there),
		T(a_batch_is_sent_the_names_of_its_account),
		T(fallbacks_are_sent_the_names_of_their_account),
		T(without_its_row_an_object_is_an_error_not_to_be_retried),
		T(an_answer_without_an_id_is_an_error),
		cmocka_unit_test(what_may_have_been_made_is_not_made_elsewhere),
		T(a_client_that_left_leaves_a_row_that_says_so),
		T(a_client_that_left_is_waited_for_within_bounds),
		T(a_client_that_leaves_while_the_row_is_written_ends_it),
		T(bodies_of_batches_are_looked_at),
		T(a_follow_up_names_its_object),
		cmocka_unit_test(results_lead_back_to_the_relay),
		cmocka_unit_test(what_was_deleted_loses_its_row_first),
		T(results_are_counted_when_they_were_read_to_their_end),
		T(results_are_read_to_their_end_for_a_client_that_left),
		cmocka_unit_test(what_the_upstream_has_no_more_is_noted),
		T(files_of_a_call_are_named_to_admission),
		T(a_list_of_files_is_made_of_the_rows),
		T(batches_that_may_have_changed_are_asked_for),
		T(a_list_does_not_wait_for_ever_nor_for_nobody),
		T(a_list_that_cannot_be_made_is_an_error),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
