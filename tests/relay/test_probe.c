#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/loop.h"
#include "base/seal.h"
#include "base/seal_token.h"
#include "http/response.h"
#include "http/server.h"
#include "relay/probe.h"

#define WALL_MS		INT64_C(1800000000000)

/* ---- a request that keeps its answer ---- */

struct fcgi_request {
	struct http_request http;
	struct buf out;
	enum { REQ_OPEN, REQ_FINISHED, REQ_RESET } state;
};

struct http_request *
fcgi_request_http(struct fcgi_request *req)
{

	return (&req->http);
}

int
fcgi_write(struct fcgi_request *req, const void *p, size_t n)
{

	assert_int_equal(req->state, REQ_OPEN);
	return (buf_append(&req->out, p, n));
}

void
fcgi_finish(struct fcgi_request *req)
{

	assert_int_equal(req->state, REQ_OPEN);
	req->state = REQ_FINISHED;
}

void
fcgi_reset(struct fcgi_request *req)
{

	assert_int_equal(req->state, REQ_OPEN);
	req->state = REQ_RESET;
}

/* ---- set up ---- */

struct fix {
	struct clock_fake clock;
	struct loop *loop;
	struct conf *conf;
	struct seal *seal;
	struct probes probes;
	struct fcgi_request req;
	struct response_error e;
	char dir[32], path[64];
};

static int
set_up(void **state)
{
	static const char conf[] = "mount = /m\nbody_max_bytes = 2048\n";
	struct fix *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test_probe.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/master.key", f->dir);
	assert_int_equal(seal_create_file(f->path, NULL), 0);
	f->seal = seal_open(f->path, NULL);
	assert_non_null(f->seal);
	clock_fake_init(&f->clock, WALL_MS);
	f->loop = loop_new(&f->clock.clock, NULL);
	assert_non_null(f->loop);
	f->conf = conf_parse("test", conf, strlen(conf), NULL);
	assert_non_null(f->conf);
	probes_init(&f->probes, f->loop, f->conf);
	*state = f;
	return (0);
}

static void
forget(struct fcgi_request *req)
{

	http_request_fini(&req->http);
	buf_fini(&req->out);
}

static int
tear_down(void **state)
{
	struct fix *f = *state;

	assert_int_equal(f->probes.nopen, 0);
	forget(&f->req);
	conf_free(f->conf);
	loop_free(f->loop);
	seal_free(f->seal);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return (0);
}

static void
param(struct fcgi_request *req, const char *name, const char *value)
{

	assert_int_equal(http_request_param(&req->http, name, strlen(name),
	    value, strlen(value), NULL), 0);
}

/* A request with a good token. */
static void
prepare(struct fix *f, struct fcgi_request *req, const char *target)
{
	char token[SEAL_TOKEN_SIZE];

	memset(req, 0, sizeof(*req));
	http_request_init(&req->http);
	buf_init(&req->out, 65536);
	param(req, "REQUEST_METHOD", "GET");
	param(req, "REQUEST_URI", target);
	param(req, "REMOTE_ADDR", "192.0.2.7");
	param(req, "SERVER_PROTOCOL", "HTTP/2.0");
	param(req, "SERVER_SOFTWARE", "nginx/1.22.1");
	param(req, "HTTP_X_API_KEY", "sk-lh-secret");
	seal_token_make(f->seal, PROBE_PURPOSE, WALL_MS / 1000 + 60, token);
	param(req, "HTTP_X_LEASEHOLD_PROBE", token);
}

static int
begin(struct fix *f, struct fcgi_request *req, enum probe_kind kind)
{
	struct probe *p;

	assert_int_equal(http_request_ready(&req->http, "/m", NULL), 1);
	if ((p = probe_open(&f->probes, f->seal, req, kind, &f->e)) == NULL)
		return (-1);
	return (probe_begin(p));
}

static int
start(struct fix *f, const char *target, enum probe_kind kind)
{

	forget(&f->req);
	prepare(f, &f->req, target);
	return (begin(f, &f->req, kind));
}

static void
advance(struct fix *f, int64_t ms)
{

	clock_fake_advance(&f->clock, ms);
	assert_int_equal(loop_turn(f->loop, 0, NULL), 0);
}

static const char *
out(struct fix *f)
{
	const char *text = buf_cstr(&f->req.out);

	assert_non_null(text);
	return (text);
}

/* ---- tests ---- */

static void
without_a_good_token_it_is_refused(void **state)
{
	struct fix *f = *state;
	char token[SEAL_TOKEN_SIZE];
	int i;

	for (i = 0; i < 3; i++) {
		http_request_init(&f->req.http);
		buf_init(&f->req.out, 65536);
		param(&f->req, "REQUEST_METHOD", "GET");
		param(&f->req, "REQUEST_URI", "/m/");
		seal_token_make(f->seal, i == 1 ? "other" : PROBE_PURPOSE,
		    WALL_MS / 1000 + (i == 2 ? 0 : 60), token);
		if (i > 0)
			param(&f->req, "HTTP_X_LEASEHOLD_PROBE", token);
		assert_int_equal(begin(f, &f->req, PROBE_ECHO), -1);
		assert_int_equal(f->e.status, 403);
		assert_non_null(f->e.message);
		assert_int_equal(buf_len(&f->req.out), 0);
		forget(&f->req);
	}
}

static void
echo_tells_what_arrived_and_no_secret(void **state)
{
	struct fix *f = *state;

	assert_int_equal(start(f, "/m" PROBE_PATH "echo?a=\"", PROBE_ECHO),
	    0);
	assert_int_equal(f->req.state, REQ_FINISHED);
	assert_non_null(strstr(out(f), "Status: 200 "));
	assert_non_null(strstr(out(f), "\"x-api-key\":true"));
	assert_non_null(strstr(out(f), "\"authorization\":false"));
	assert_non_null(strstr(out(f), "\"mount\":\"/m\""));
	assert_non_null(strstr(out(f), "/probe/echo?a=\\\"\""));
	assert_non_null(strstr(out(f), "\"remote_addr\":\"192.0.2.7\""));
	assert_non_null(strstr(out(f), "\"protocol\":\"HTTP/2.0\""));
	assert_non_null(strstr(out(f), "\"server\":\"nginx/1.22.1\""));
	assert_non_null(strstr(out(f), "\"https\":false"));
	assert_null(strstr(out(f), "secret"));
}

static void
stream_sends_its_events_so_far_apart(void **state)
{
	struct fix *f = *state;

	assert_int_equal(start(f, "/m/x?chunks=3&gap_ms=100", PROBE_STREAM),
	    0);
	assert_non_null(strstr(out(f), "text/event-stream"));
	assert_non_null(strstr(out(f), "{\"n\":1}"));
	assert_null(strstr(out(f), "{\"n\":2}"));
	advance(f, 99);
	assert_null(strstr(out(f), "{\"n\":2}"));
	advance(f, 1);
	assert_non_null(strstr(out(f), "{\"n\":2}"));
	assert_int_equal(f->req.state, REQ_OPEN);
	advance(f, 100);
	assert_non_null(strstr(out(f), "{\"n\":3}\n\n"));
	assert_int_equal(f->req.state, REQ_FINISHED);
}

static void
silence_says_nothing_until_its_end(void **state)
{
	struct fix *f = *state;

	assert_int_equal(start(f, "/m/x?ms=65000", PROBE_SILENCE), 0);
	advance(f, 64999);
	assert_int_equal(buf_len(&f->req.out), 0);
	advance(f, 1);
	assert_non_null(strstr(out(f), "\"ms\":65000"));
	assert_int_equal(f->req.state, REQ_FINISHED);
}

static void
the_end_of_the_responder_ends_all_probes(void **state)
{
	struct fix *f = *state;

	assert_int_equal(start(f, "/m/x?ms=65000", PROBE_SILENCE), 0);
	probes_abort(&f->probes);
	assert_int_equal(f->req.state, REQ_FINISHED);
	assert_non_null(strstr(out(f), "Status: 503 "));
	assert_non_null(strstr(out(f), "retry-after: 1"));
	assert_int_equal(f->probes.nopen, 0);

	assert_int_equal(start(f, "/m/x", PROBE_BODY), 1);
	probes_abort(&f->probes);
	assert_non_null(strstr(out(f), "Status: 503 "));

	/* What has begun to answer can only be broken off. */
	assert_int_equal(start(f, "/m/x?chunks=3&gap_ms=100", PROBE_STREAM),
	    0);
	probes_abort(&f->probes);
	assert_int_equal(f->req.state, REQ_RESET);
	assert_int_equal(f->probes.nopen, 0);
	advance(f, 200);
	assert_null(strstr(out(f), "{\"n\":2}"));
}

static void
numbers_out_of_range_are_refused(void **state)
{
	static const struct {
		const char *target;
		enum probe_kind kind;
	} cases[] = {
		{ "/m/x?chunks=21", PROBE_STREAM },
		{ "/m/x?chunks=0", PROBE_STREAM },
		{ "/m/x?chunks=", PROBE_STREAM },
		{ "/m/x?gap_ms=9", PROBE_STREAM },
		{ "/m/x?a=b&gap_ms=2001", PROBE_STREAM },
		{ "/m/x?ms=900001", PROBE_SILENCE },
		{ "/m/x?ms=-1", PROBE_SILENCE },
		{ "/m/x?ms=1x", PROBE_SILENCE },
	};
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		assert_int_equal(start(f, cases[i].target, cases[i].kind),
		    -1);
		assert_int_equal(f->e.status, 400);
	}
}

static void
body_bytes_are_counted_and_bounded(void **state)
{
	struct fix *f = *state;
	struct probe *p;

	assert_int_equal(start(f, "/m/x", PROBE_BODY), 1);
	p = probe_of(&f->probes, &f->req);
	assert_non_null(p);
	assert_true(probe_body(p, 2000));
	assert_true(probe_body(p, 48));
	probe_whole(p);
	assert_non_null(strstr(out(f), "\"bytes\":2048"));

	assert_int_equal(start(f, "/m/x", PROBE_BODY), 1);
	p = probe_of(&f->probes, &f->req);
	assert_true(probe_body(p, 2000));
	assert_false(probe_body(p, 49));
	assert_non_null(strstr(out(f), "Status: 413 "));
	assert_null(probe_of(&f->probes, &f->req));
}

static void
no_more_are_open_than_allowed(void **state)
{
	struct fix *f = *state;
	struct fcgi_request many[PROBES_MAX];
	int i;

	for (i = 0; i < PROBES_MAX; i++) {
		prepare(f, &many[i], "/m/x?ms=1000");
		assert_int_equal(begin(f, &many[i], PROBE_SILENCE), 0);
	}
	assert_int_equal(start(f, "/m/x?ms=1000", PROBE_SILENCE), -1);
	assert_int_equal(f->e.status, 503);
	assert_null(probe_of(&f->probes, &f->req));

	/* Clients that leave make room. */
	for (i = 0; i < PROBES_MAX; i++) {
		probe_end(probe_of(&f->probes, &many[i]));
		forget(&many[i]);
	}
	assert_int_equal(start(f, "/m/x?ms=0", PROBE_SILENCE), 0);
	advance(f, 0);
	assert_int_equal(f->req.state, REQ_FINISHED);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(without_a_good_token_it_is_refused),
		T(echo_tells_what_arrived_and_no_secret),
		T(stream_sends_its_events_so_far_apart),
		T(silence_says_nothing_until_its_end),
		T(the_end_of_the_responder_ends_all_probes),
		T(numbers_out_of_range_are_refused),
		T(body_bytes_are_counted_and_bounded),
		T(no_more_are_open_than_allowed),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
