#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "relay/upstream_internal.h"

static const char *const result_names[] = {
	[TRANSFER_OK] = "ok",
	[TRANSFER_RESOLVE] = "resolve",
	[TRANSFER_CONNECT] = "connect",
	[TRANSFER_PROXY] = "proxy",
	[TRANSFER_TLS] = "tls",
	[TRANSFER_SEND] = "send",
	[TRANSFER_CUT] = "cut",
	[TRANSFER_SILENT] = "silent",
	[TRANSFER_STALLED] = "stalled",
	[TRANSFER_GARBAGE] = "garbage",
	[TRANSFER_INTERNAL] = "internal",
};

_Static_assert(sizeof(result_names) / sizeof(result_names[0]) ==
    TRANSFER_INTERNAL + 1, "one name for each result");

const char *
transfer_result_name(enum transfer_result r)
{

	return (result_names[r]);
}

/*
 * What libcurl's codes mean whenever they come; the others say that the
 * connection broke, and count by how far the transfer had come.
 */
static const struct {
	CURLcode code;
	enum transfer_result result;
} results[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, TRANSFER_RESOLVE },
	{ CURLE_COULDNT_RESOLVE_PROXY, TRANSFER_PROXY },
	{ CURLE_PROXY, TRANSFER_PROXY },
	{ CURLE_SSL_CONNECT_ERROR, TRANSFER_TLS },
	{ CURLE_SSL_CERTPROBLEM, TRANSFER_TLS },
	{ CURLE_SSL_CIPHER, TRANSFER_TLS },
	{ CURLE_PEER_FAILED_VERIFICATION, TRANSFER_TLS },
	{ CURLE_SSL_CACERT_BADFILE, TRANSFER_TLS },
	{ CURLE_SSL_ISSUER_ERROR, TRANSFER_TLS },
	{ CURLE_SSL_INVALIDCERTSTATUS, TRANSFER_TLS },
	{ CURLE_SSL_ENGINE_INITFAILED, TRANSFER_TLS },
	{ CURLE_WEIRD_SERVER_REPLY, TRANSFER_GARBAGE },
	{ CURLE_UNSUPPORTED_PROTOCOL, TRANSFER_GARBAGE },
	{ CURLE_BAD_CONTENT_ENCODING, TRANSFER_GARBAGE },
	{ CURLE_HTTP2, TRANSFER_GARBAGE },
	{ CURLE_OUT_OF_MEMORY, TRANSFER_INTERNAL },
	{ CURLE_BAD_FUNCTION_ARGUMENT, TRANSFER_INTERNAL },
	{ CURLE_URL_MALFORMAT, TRANSFER_INTERNAL },
	{ CURLE_FAILED_INIT, TRANSFER_INTERNAL },
};

/* A header line over 100 KB (curl's DYN_H1_HEADER) is beyond what libcurl
 * takes, which it calls CURLE_OUT_OF_MEMORY, since 8.6 CURLE_TOO_LARGE. */
static bool
line_too_long(const struct transfer *t, CURLcode code)
{

	if (!t->dispatched || t->head.done)
		return (false);
#if LIBCURL_VERSION_NUM >= 0x080600
	if (code == CURLE_TOO_LARGE)
		return (true);
#endif
	return (code == CURLE_OUT_OF_MEMORY);
}

static enum transfer_result
result_of(const struct transfer *t, CURLcode code)
{
	size_t i;

	if (t->err.code != ERR_NONE)
		return (t->err.code == ERR_NOMEM ? TRANSFER_INTERNAL :
		    TRANSFER_GARBAGE);

	/* To libcurl an answer may also end within its head. */
	if (code == CURLE_OK && t->head.done)
		return (TRANSFER_OK);
	if (line_too_long(t, code))
		return (TRANSFER_GARBAGE);
	for (i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		if (results[i].code == code)
			return (results[i].result);
	}
	if (t->head.status >= 200)
		return (TRANSFER_CUT);
	if (t->dispatched)
		return (TRANSFER_SEND);
	if (t->proxied)
		return (TRANSFER_PROXY);
	return (code == CURLE_OPERATION_TIMEDOUT && !t->opened ?
	    TRANSFER_RESOLVE : TRANSFER_CONNECT);
}

static enum err_code
err_code_of(enum transfer_result result)
{

	switch (result) {
	case TRANSFER_SILENT:
	case TRANSFER_STALLED:
		return (ERR_TIMEOUT);
	case TRANSFER_GARBAGE:
		return (ERR_PROTO);
	case TRANSFER_INTERNAL:
		return (ERR_INTERNAL);
	default:
		return (ERR_IO);
	}
}

/* ---- its end ---- */

/* The caller may free ${t} in done. */
static void
finish(struct transfer *t, enum transfer_result result, const char *why)
{

	upstream_take_out(t);
	loop_timer_cancel(&t->timer);
	loop_task_cancel(&t->resume);
	if (result != TRANSFER_OK)
		err_set(&t->err, err_code_of(result), "%s", why);
	t->events->done(t->arg, result, &t->err);
}

void
transfer_ended(struct transfer *t, CURLcode code)
{

	const char *why = t->curl_text;

	if (code == CURLE_OK)
		why = "the answer ended within its head";
	else if (line_too_long(t, code))
		why = "a header line is too long";
	else if (why[0] == '\0')
		why = curl_easy_strerror(code);
	finish(t, result_of(t, code), why);
}

void
transfer_fail(struct transfer *t, enum transfer_result result, const char *why)
{

	finish(t, result, why);
}

void
transfer_recycle(struct transfer *t)
{
	struct upstream *u = t->u;

	free(t->list);
	t->list = NULL;
	buf_wipe(&t->lines);
	head_fini(&t->head);
	if (u->nspare >= LIMIT_SPARE_TRANSFERS) {
		transfer_destroy(t);
		return;
	}
	t->state = TRANSFER_SPARE;
	TAILQ_INSERT_HEAD(&u->spare, t, entry);
	u->nspare++;
}

void
transfer_free(struct transfer *t)
{

	if (t == NULL)
		return;
	assert(t->state == TRANSFER_ENDED);
	transfer_recycle(t);
}

void
transfer_destroy(struct transfer *t)
{

	curl_easy_cleanup(t->easy);
	free(t->list);
	buf_wipe(&t->lines);
	head_fini(&t->head);
	free(t);
}

/* ---- time-outs: one timer, moved only when it comes too early ---- */

/* When ${t} is to be given up if nothing happens; INT64_MAX: never. */
static int64_t
due_ms(const struct transfer *t)
{
	int64_t due = INT64_MAX;

	if (!t->head.done)
		due = t->first_byte_due_ms;
	else if (t->idle_timeout_ms > 0 && !t->paused)
		due = t->last_byte_ms + t->idle_timeout_ms;
	if (t->deadline_ms > 0 && t->deadline_ms < due)
		due = t->deadline_ms;
	return (due);
}

static void
time_out(struct transfer *t)
{

	if (t->head.done)
		transfer_fail(t, TRANSFER_STALLED,
		    "the upstream stopped within its answer");
	else if (t->dispatched)
		transfer_fail(t, TRANSFER_SILENT,
		    "the upstream did not begin to answer in time");
	else
		transfer_fail(t, t->proxied ? TRANSFER_PROXY :
		    TRANSFER_CONNECT,
		    "the upstream could not be reached in time");
}

static void
timer_due(struct loop_timer *timer)
{
	struct transfer *t = timer->arg;
	int64_t now = loop_now_ms(t->u->loop);
	int64_t due = due_ms(t);

	if (t->unwatched) {
		transfer_fail(t, TRANSFER_INTERNAL,
		    "the loop could not take the socket");
		return;
	}
	if (due <= now) {
		time_out(t);
		return;
	}

	/* While paused only the deadline counts; look again later. */
	if (due == INT64_MAX)
		due = now + 60000;
	if (loop_timer_set(t->u->loop, timer, due, timer_due, t))
		transfer_fail(t, TRANSFER_INTERNAL, "no memory for a timer");
}

static int
set_timer(struct transfer *t)
{

	return (loop_timer_set(t->u->loop, &t->timer, due_ms(t), timer_due,
	    t));
}

/* What is due has changed; the timer is moved only if it would be late. */
static void
due_changed(struct transfer *t)
{

	if (due_ms(t) < t->timer.due_ms && set_timer(t))
		assert(!"a timer that is set could not be moved");
}

/* ---- libcurl's callbacks ---- */

size_t
transfer_on_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	int rc;

	if (t->state == TRANSFER_DOOMED)
		return (0);
	t->last_byte_ms = loop_now_ms(t->u->loop);
	if ((rc = head_line(&t->head, p, size * n, &t->err)) == -1)
		return (0);
	if (rc == 0)
		return (size * n);
	t->head_ms = t->last_byte_ms;
	due_changed(t);
	if (t->has_body && transfer_body_sent(t))
		transfer_drop_upload(t);
	t->events->head(t->arg, t->head.status, t->head.headers,
	    t->head.nheaders);
	return (t->state == TRANSFER_DOOMED ? 0 : size * n);
}

size_t
transfer_on_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	bool taken;

	if (t->state == TRANSFER_DOOMED || size * n == 0)
		return (0);
	t->last_byte_ms = loop_now_ms(t->u->loop);
	taken = t->events->body(t->arg, (const unsigned char *)p, size * n);
	if (t->state == TRANSFER_DOOMED)
		return (0);
	if (taken)
		return (size * n);
	t->paused = true;
	return (CURL_WRITEFUNC_PAUSE);
}

/* CURLOPT_PREREQFUNCTION: connected; the request goes out next. */
int
transfer_on_dispatch(void *arg, char *peer, char *local, int peer_port,
    int local_port)
{
	struct transfer *t = arg;

	(void)peer;
	(void)local;
	(void)peer_port;
	(void)local_port;
	if (t->state == TRANSFER_DOOMED || (t->dispatched && !t->resend))
		return (CURL_PREREQFUNC_ABORT);
	if (!t->dispatched) {
		t->connected_ms = loop_now_ms(t->u->loop);
		t->reused = !t->opened;
	}
	t->dispatched = true;
	return (CURL_PREREQFUNC_OK);
}

/* ---- what the caller may do ---- */

static void
resume(struct loop_task *task)
{
	struct transfer *t = task->arg;

	if (!t->paused || t->state != TRANSFER_RUNNING)
		return;
	t->paused = false;
	t->last_byte_ms = loop_now_ms(t->u->loop);
	due_changed(t);
	upstream_enter(t->u);
	(void)curl_easy_pause(t->easy, CURLPAUSE_CONT);
	upstream_leave(t->u);
}

void
transfer_resume(struct transfer *t)
{

	if (t->state == TRANSFER_RUNNING)
		loop_task_add(t->u->loop, &t->resume, resume, t);
}

bool
transfer_body_sent(const struct transfer *t)
{
	curl_off_t sent = 0;

	if (!t->has_body || t->state == TRANSFER_ENDED)
		return (true);
	if (t->state != TRANSFER_RUNNING || !t->dispatched ||
	    (t->resend && t->head.status < 200))
		return (false);
	(void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	return (sent >= t->body_len);
}

static int64_t
since_start(const struct transfer *t, int64_t ms)
{

	return (ms == -1 ? -1 : ms - t->start_ms);
}

void
transfer_timings(const struct transfer *t, struct transfer_timings *tm)
{

	tm->connected_ms = since_start(t, t->connected_ms);
	tm->first_byte_ms = since_start(t, t->head_ms);
	tm->reused = t->reused;
}

/* ---- its beginning ---- */

static struct transfer *
create(struct upstream *u, struct err *err)
{
	struct transfer *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		goto err0;
	t->u = u;
	t->state = TRANSFER_ENDED;
	head_init(&t->head);
	buf_init(&t->lines, SIZE_MAX);
	if ((t->easy = curl_easy_init()) == NULL)
		goto err1;
	if (transfer_setup_handle(t, err))
		goto err2;
	return (t);

err2:
	curl_easy_cleanup(t->easy);
err1:
	free(t);
err0:
	err_set(err, ERR_NOMEM, "no memory for a transfer");
	return (NULL);
}

static struct transfer *
take_spare(struct upstream *u, struct err *err)
{
	struct transfer *t;

	if ((t = TAILQ_FIRST(&u->spare)) == NULL)
		return (create(u, err));
	TAILQ_REMOVE(&u->spare, t, entry);
	u->nspare--;
	t->state = TRANSFER_ENDED;
	return (t);
}

/* What the last request left behind. */
static void
clear(struct transfer *t, const struct transfer_params *params)
{

	t->events = params->events;
	t->arg = params->arg;
	t->has_body = params->has_body;
	t->body_len = (int64_t)params->body_len;
	t->resend = params->resend;
	t->start_ms = t->last_byte_ms = loop_now_ms(t->u->loop);
	t->connected_ms = t->head_ms = -1;
	t->first_byte_due_ms = params->first_byte_timeout_ms == 0 ?
	    INT64_MAX : t->start_ms + params->first_byte_timeout_ms;
	t->idle_timeout_ms = params->idle_timeout_ms;
	t->deadline_ms = params->deadline_ms;
	err_clear(&t->err);
	t->curl_text[0] = '\0';
	t->opened = t->dispatched = t->reused = false;
	t->unwatched = t->paused = false;
}

struct transfer *
transfer_start(struct upstream *u, const struct transfer_params *params,
    struct err *err)
{
	struct transfer *t;

	if ((t = take_spare(u, err)) == NULL)
		goto err0;
	clear(t, params);
	if (transfer_setup_request(t, params, err))
		goto err1;
	if (set_timer(t)) {
		err_set(err, ERR_NOMEM, "no memory for a transfer");
		goto err1;
	}
	upstream_enqueue(t);
	return (t);

err1:
	transfer_recycle(t);
err0:
	return (NULL);
}
