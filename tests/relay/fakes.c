#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/loop.h"
#include "fakes.h"
#include "relay/relay_int.h"

struct fakes fakes;

static char base_url[] = "https://api.example";

/* ---- the world ---- */

static void
make_accounts(void)
{
	static char secrets[FAKE_ACCOUNTS][16];
	struct account *a;
	size_t i;

	for (i = 0; i < FAKE_ACCOUNTS; i++) {
		a = &fakes.accounts[i];
		snprintf(secrets[i], sizeof(secrets[i]), "secret-%zu", i + 1);
		a->id = (int64_t)i + 1;
		snprintf(a->name, sizeof(a->name), "a%zu", i + 1);
		snprintf(a->platform, sizeof(a->platform), "claude");
		a->base_url = base_url;
		a->credential = CREDENTIAL_API_KEY;
		a->secret = secrets[i];
		a->secret_len = strlen(secrets[i]);
		a->enabled = true;
	}
}

void
fakes_start(const char *settings)
{
	struct relay_params params = { 0 };
	struct err err = { 0 };

	memset(&fakes, 0, sizeof(fakes));
	clock_fake_init(&fakes.clock, INT64_C(1795000000000));
	clock_fake_advance(&fakes.clock, 1000000);
	make_accounts();
	snprintf(fakes.key.name, sizeof(fakes.key.name), "key");
	fakes.key.id = 7;
	fakes.key.drain_ms = -1;
	fakes.coverage = COVERAGE_ALL;
	fakes.key.enabled = true;
	fakes.ready = fakes.pepper = true;
	fakes.loop = loop_new(&fakes.clock.clock, &err);
	assert_non_null(fakes.loop);
	fakes.conf = conf_parse("test", settings, strlen(settings), &err);
	if (fakes.conf == NULL)
		fail_msg("%s", err.text);
	params.loop = fakes.loop;
	params.conf = fakes.conf;
	params.listen_fd = -1;
	fakes.relay = relay_new(&params, &err);
	assert_non_null(fakes.relay);
	fakes_pass(0);
}

void
fakes_stop(void)
{
	size_t i;

	fakes_pass(0);
	assert_int_equal(relay_calls(fakes.relay), 0);
	assert_int_equal(fakes.relay->body_bytes, 0);
	assert_int_equal(fakes.key.refs, 0);
	assert_int_equal(fakes.leases, 0);
	for (i = 0; i < FAKE_TRANSFERS; i++)
		assert_false(fakes.transfers[i].used);
	while (fakes.nrequests > 0)
		fake_forget(&fakes.requests[fakes.nrequests - 1]);
	relay_free(fakes.relay);
	conf_free(fakes.conf);
	loop_free(fakes.loop);
}

int
fakes_setup(void **state)
{

	(void)state;
	fakes_start("");
	return (0);
}

int
fakes_teardown(void **state)
{

	(void)state;
	fakes_stop();
	return (0);
}

void
fakes_pass(int64_t ms)
{

	clock_fake_advance(&fakes.clock, ms);
	assert_int_equal(loop_turn(fakes.loop, 0, NULL), 0);
}

/* ---- the server ---- */

struct fcgi_server *
fcgi_server_new(const struct fcgi_server_params *params, struct err *err)
{

	(void)err;
	fakes.handler = params->handler;
	fakes.handler_arg = params->arg;
	return ((struct fcgi_server *)(void *)&fakes);
}

void
fcgi_server_free(struct fcgi_server *s)
{

	assert_ptr_equal(s, &fakes);
}

void
fcgi_server_drain(struct fcgi_server *s, void (*idle_cb)(void *arg), void *arg)
{

	assert_ptr_equal(s, &fakes);
	fakes.draining = true;
	idle_cb(arg);
}

void
fcgi_server_close_idle(struct fcgi_server *s)
{

	(void)s;
}

void
fcgi_server_set_timeouts(struct fcgi_server *s, int64_t read_timeout_ms,
    int64_t write_timeout_ms)
{

	assert_ptr_equal(s, &fakes);
	assert_true(read_timeout_ms > 0 && write_timeout_ms > 0);
}

void
fcgi_server_stats(const struct fcgi_server *s, struct fcgi_server_stats *st)
{

	assert_ptr_equal(s, &fakes);
	memset(st, 0, sizeof(*st));
}

static void
check_open(const struct fcgi_request *req)
{

	assert_true(req->used);
	assert_false(req->finished || req->reset || req->gone);
}

struct http_request *
fcgi_request_http(struct fcgi_request *req)
{

	check_open(req);
	return (&req->http);
}

void *
fcgi_request_arg(const struct fcgi_request *req)
{

	check_open(req);
	return (req->arg);
}

void
fcgi_request_set_arg(struct fcgi_request *req, void *arg)
{

	check_open(req);
	req->arg = arg;
}

void
fcgi_hold(struct fcgi_request *req, bool held)
{

	check_open(req);
	req->held = held;
}

int
fcgi_write(struct fcgi_request *req, const void *p, size_t n)
{

	check_open(req);
	if (req->no_memory || buf_append(&req->out, p, n) != 0)
		return (-1);
	req->nwrites++;
	return (req->full ? 1 : 0);
}

void
fcgi_finish(struct fcgi_request *req)
{

	check_open(req);
	req->finished = true;
	req->wanted = false;
}

void
fcgi_reset(struct fcgi_request *req)
{

	check_open(req);
	req->reset = true;
	req->wanted = false;
}

/* ---- the client ---- */

static void
put_params(struct http_request *r, const char *params)
{
	const char *end, *eq;

	for (; *params != '\0'; params = end + (*end == '\n')) {
		end = params + strcspn(params, "\n");
		eq = strchr(params, '=');
		assert_non_null(eq);
		assert_int_equal(http_request_param(r, params,
		    (size_t)(eq - params), eq + 1, (size_t)(end - eq - 1),
		    NULL), 0);
	}
}

struct fcgi_request *
fake_begin(const char *method, const char *target, const char *params)
{
	struct fcgi_request *req;
	bool wanted;

	assert_true(fakes.nrequests < FAKE_REQUESTS);
	req = &fakes.requests[fakes.nrequests++];
	req->used = true;
	buf_init(&req->out, 8 * 1024 * 1024);
	http_request_init(&req->http);
	assert_int_equal(http_request_param(&req->http, "REQUEST_METHOD", 14,
	    method, strlen(method), NULL), 0);
	assert_int_equal(http_request_param(&req->http, "REQUEST_URI", 11,
	    target, strlen(target), NULL), 0);
	assert_int_equal(http_request_param(&req->http, "REMOTE_ADDR", 11,
	    "192.0.2.1", 9, NULL), 0);
	put_params(&req->http, params);
	assert_int_equal(http_request_ready(&req->http, "", NULL), 1);
	if (fakes.before_begin != NULL)
		fakes.before_begin();
	wanted = fakes.handler->begin(fakes.handler_arg, req);
	assert_false(wanted && (req->finished || req->reset));
	req->wanted = wanted;
	return (req);
}

void
fake_body(struct fcgi_request *req, const void *p, size_t n)
{
	bool wanted;

	if (!req->wanted || n == 0)
		return;
	assert_false(req->held);
	wanted = fakes.handler->body(fakes.handler_arg, req, p, n);
	assert_false(wanted && (req->finished || req->reset));
	req->wanted = wanted;
}

void
fake_end(struct fcgi_request *req)
{

	if (!req->wanted)
		return;
	assert_false(req->held);
	req->wanted = false;
	fakes.handler->end(fakes.handler_arg, req);
}

void
fake_bad(struct fcgi_request *req, int status)
{

	if (!req->wanted)
		return;
	assert_false(req->held);
	req->wanted = false;
	fakes.handler->bad(fakes.handler_arg, req, true, status, "bad");
}

void
fake_gone(struct fcgi_request *req)
{

	check_open(req);
	fakes.handler->gone(fakes.handler_arg, req, FCGI_GONE_CLOSED);
	check_open(req);
	req->gone = true;
	req->wanted = false;
}

void
fake_writable(struct fcgi_request *req)
{

	check_open(req);
	req->full = false;
	fakes.handler->writable(fakes.handler_arg, req);
}

void
fake_forget(struct fcgi_request *req)
{

	assert_ptr_equal(req, &fakes.requests[fakes.nrequests - 1]);
	assert_true(req->finished || req->reset || req->gone);
	http_request_fini(&req->http);
	buf_fini(&req->out);
	memset(req, 0, sizeof(*req));
	fakes.nrequests--;
}

struct fcgi_request *
fake_post(const char *body)
{
	struct fcgi_request *req;

	fakes.key_cached = true;
	req = fake_begin("POST", "/v1/messages?beta=true", FAKE_KEY);
	fake_body(req, body, strlen(body));
	fake_end(req);
	return (req);
}

struct fcgi_request *
fake_get(const char *target)
{
	struct fcgi_request *req;

	fakes.key_cached = true;
	req = fake_begin("GET", target, FAKE_KEY);
	fake_end(req);
	return (req);
}

struct fcgi_request *
fake_leased(const char *body)
{
	struct fcgi_request *req = fake_post(body);

	fake_admitted(ADMIT_LEASED, ERR_NONE);
	assert_non_null(fakes.transfer);
	fakes.transfer->sent = true;
	return (req);
}

const char *
fake_answer(struct fcgi_request *req)
{
	const char *s = buf_cstr(&req->out);

	assert_non_null(s);
	return (s);
}

const char *
fake_body_of(struct fcgi_request *req)
{
	const char *p = strstr(fake_answer(req), "\r\n\r\n");

	assert_non_null(p);
	return (p + 4);
}

int
fake_status(struct fcgi_request *req)
{
	const char *s = fake_answer(req);

	assert_true(req->finished);
	assert_memory_equal(s, "Status: ", 8);
	return (atoi(s + 8));
}

/* ---- the upstream ---- */

const char *
transfer_result_name(enum transfer_result r)
{
	static const char *const names[] = { "ok", "resolve", "connect",
	    "proxy", "tls", "send", "cut", "silent", "stalled", "garbage",
	    "internal" };

	return (names[r]);
}

static const char *
credential_of(const struct transfer_params *p)
{
	size_t i;

	for (i = 0; i < p->nheaders; i++)
		if (strcmp(p->headers[i].name, "x-api-key") == 0)
			return (p->headers[i].value);
	for (i = 0; i < p->nheaders; i++)
		if (strcmp(p->headers[i].name, "authorization") == 0 &&
		    strncmp(p->headers[i].value, "Bearer ", 7) == 0)
			return (p->headers[i].value + 7);
	return ("");
}

/* There is one at the most. */
static void
copy_header(const struct transfer_params *p, const char *name, char *out,
    size_t size)
{
	size_t i, found = 0;

	out[0] = '\0';
	for (i = 0; i < p->nheaders; i++) {
		if (strcmp(p->headers[i].name, name) == 0 && found++ == 0)
			snprintf(out, size, "%s", p->headers[i].value);
	}
	assert_true(found <= 1);
}

struct transfer *
transfer_start(struct upstream *u, const struct transfer_params *params,
    struct err *err)
{
	struct transfer *t = &fakes.transfers[fakes.nstarted];

	(void)u;
	if (fakes.start_fails) {
		err_set(err, ERR_NOMEM, "no memory for a transfer");
		return (NULL);
	}
	assert_true(fakes.nstarted++ < FAKE_TRANSFERS);
	t->used = true;
	t->params = *params;
	snprintf(t->method, sizeof(t->method), "%s", params->method);
	snprintf(t->url, sizeof(t->url), "%s", params->url);
	snprintf(t->credential, sizeof(t->credential), "%s",
	    credential_of(params));
	copy_header(params, "traceparent", t->traceparent,
	    sizeof(t->traceparent));
	copy_header(params, "tracestate", t->tracestate,
	    sizeof(t->tracestate));
	fakes.transfer = t;
	return (t);
}

void
transfer_resume(struct transfer *t)
{

	assert_true(t->used);
	t->resumed = true;
}

bool
transfer_body_sent(const struct transfer *t)
{

	assert_true(t->used);
	return (!t->params.has_body || t->ended || t->sent);
}

void
transfer_timings(const struct transfer *t, struct transfer_timings *tm)
{

	assert_true(t->used);
	tm->connected_ms = tm->first_byte_ms = -1;
	tm->reused = t->reused;
}

static void
forget(struct transfer *t)
{

	assert_true(t->used);
	t->used = false;
	memset(t->text, 0, sizeof(t->text));
	if (fakes.transfer == t)
		fakes.transfer = NULL;
}

void
transfer_cancel(struct transfer *t)
{

	if (t == NULL)
		return;
	forget(t);
	fakes.ncancelled++;
}

void
transfer_free(struct transfer *t)
{

	if (t == NULL)
		return;
	assert_true(t->ended);
	forget(t);
	fakes.nfreed++;
}

static struct transfer *
running(void)
{

	assert_non_null(fakes.transfer);
	assert_true(fakes.transfer->used && !fakes.transfer->ended);
	return (fakes.transfer);
}

void
fake_head(int status, const char *headers)
{
	struct transfer *t = running();
	char *p = t->text, *end;
	size_t n = 0;

	assert_true(strlen(headers) < sizeof(t->text));
	strcpy(t->text, headers);
	for (; *p != '\0'; p = end + 1) {
		assert_true(n < NITEMS(t->headers));
		end = strchr(p, '\n');
		*end = '\0';
		t->headers[n].name = p;
		p = strstr(p, ": ");
		*p = '\0';
		t->headers[n++].value = p + 2;
	}
	t->params.events->head(t->params.arg, status, t->headers, n);
}

bool
fake_data(const void *p, size_t n)
{
	struct transfer *t = running();

	t->resumed = false;
	return (t->params.events->body(t->params.arg, p, n));
}

bool
fake_text(const char *s)
{

	return (fake_data(s, strlen(s)));
}

void
fake_done(enum transfer_result result)
{
	struct transfer *t = running();
	struct err err = { 0 };

	t->ended = true;
	if (result != TRANSFER_OK)
		err_set(&err, ERR_IO, "it broke");
	t->params.events->done(t->params.arg, result, &err);
}
