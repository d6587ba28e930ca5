#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/num.h"
#include "base/seal_token.h"
#include "http/response.h"
#include "http/server.h"
#include "relay/probe.h"
#include "relay/refusal.h"

/* Of a foreign text that an echo shows. */
#define SHOWN_BYTES	256
#define ANSWER_BYTES	(8 * 1024)

struct probe {
	struct probes *all;
	TAILQ_ENTRY(probe) entry;
	struct fcgi_request *req;
	enum probe_kind kind;
	struct loop_timer timer;
	int64_t sent, chunks;	/* events of a stream */
	int64_t due_ms, gap_ms;
	int64_t bytes;		/* of the body, so far */
};

void
probes_init(struct probes *ps, struct loop *loop, const struct conf *conf)
{

	ps->loop = loop;
	ps->conf = conf;
	TAILQ_INIT(&ps->open);
	ps->nopen = 0;
}

struct probe *
probe_of(const struct probes *ps, const struct fcgi_request *req)
{
	struct probe *p;

	TAILQ_FOREACH(p, &ps->open, entry) {
		if (p->req == req)
			break;
	}
	return (p);
}

void
probe_end(struct probe *p)
{

	loop_timer_cancel(&p->timer);
	TAILQ_REMOVE(&p->all->open, p, entry);
	p->all->nopen--;
	free(p);
}

/* The last bytes of an answer, if ${rc} says that they are whole. */
static void
probe_finish(struct probe *p, struct buf *b, int rc)
{
	struct fcgi_request *req = p->req;

	if (rc == 0 && fcgi_write(req, buf_head(b), buf_len(b)) >= 0)
		fcgi_finish(req);
	else
		fcgi_reset(req);
	buf_fini(b);
	probe_end(p);
}

/* Answer with ${json}, whose bytes are given back. */
static void
probe_answer(struct probe *p, struct buf *json, int rc)
{
	struct buf b;

	buf_init(&b, 2 * ANSWER_BYTES);
	rc |= response_begin(&b, 200);
	rc |= response_header(&b, "content-type", "application/json");
	rc |= response_header(&b, "cache-control", "no-store");
	rc |= response_header_int(&b, "content-length",
	    (int64_t)buf_len(json));
	rc |= response_end(&b);
	rc |= buf_append(&b, buf_head(json), buf_len(json));
	buf_fini(json);
	probe_finish(p, &b, rc);
}

/* ---- echo ---- */

/* Add '"name":"text",'. */
static int
put_text(struct buf *b, const char *name, const char *text)
{
	char shown[SHOWN_BYTES];

	(void)json_escape(text, strlen(text), shown, sizeof(shown));
	return (buf_printf(b, "\"%s\":\"%s\",", name, shown));
}

/* Add '"name":true,' if the header came. */
static int
put_came(struct buf *b, const struct http_request *http, const char *name)
{

	return (buf_printf(b, "\"%s\":%s,", name,
	    http_request_header(http, name) != NULL ? "true" : "false"));
}

static void
probe_echo(struct probe *p)
{
	const struct http_request *http = fcgi_request_http(p->req);
	struct buf b;
	int rc = 0;

	buf_init(&b, ANSWER_BYTES);
	rc |= buf_puts(&b, "{\"probe\":\"echo\",");
	rc |= put_came(&b, http, "x-api-key");
	rc |= put_came(&b, http, "authorization");
	rc |= put_came(&b, http, "x-forwarded-for");
	rc |= put_text(&b, "target", http->target);
	rc |= put_text(&b, "mount", p->all->conf->mount);
	rc |= put_text(&b, "remote_addr", http->remote_addr);
	rc |= put_text(&b, "protocol", http->protocol);
	rc |= put_text(&b, "server", http->server);
	rc |= put_text(&b, "version", VERSION);
	rc |= buf_printf(&b, "\"https\":%s}\n",
	    http->https ? "true" : "false");
	probe_answer(p, &b, rc);
}

/* ---- what takes its time ---- */

/* The number called ${name} in the query; ${def} if it is not there. -1: not
 * within the range. */
static int
query_int(const struct http_request *http, const char *name, int64_t min,
    int64_t max, int64_t def, int64_t *out)
{
	const char *q = http->query;
	size_t n = strlen(name);

	*out = def;
	for (; q != NULL && *q != '\0'; q += strspn(q, "&")) {
		if (strncmp(q, name, n) == 0 && q[n] == '=')
			return (num_parse(q + n + 1, strcspn(q + n + 1, "&"),
			    min, max, out));
		q += strcspn(q, "&");
	}
	return (0);
}

static void
probe_next_event(struct loop_timer *t)
{
	struct probe *p = t->arg;
	struct buf b;
	int rc;

	buf_init(&b, ANSWER_BYTES);
	rc = buf_printf(&b, "event: probe\ndata: {\"n\":%lld}\n\n",
	    (long long)++p->sent);
	p->due_ms += p->gap_ms;
	if (rc != 0 || p->sent == p->chunks) {
		probe_finish(p, &b, rc);
		return;
	}
	rc = fcgi_write(p->req, buf_head(&b), buf_len(&b));
	buf_reset(&b);
	if (rc < 0 || loop_timer_set(p->all->loop, &p->timer, p->due_ms,
	    probe_next_event, p) != 0)
		probe_finish(p, &b, -1);
	else
		buf_fini(&b);
}

/* The head of a model's stream (pass.c), then its first event at once. */
static void
probe_stream(struct probe *p)
{
	struct buf b;
	int rc = 0;

	buf_init(&b, ANSWER_BYTES);
	rc |= response_begin(&b, 200);
	rc |= response_header(&b, "content-type",
	    "text/event-stream; charset=utf-8");
	rc |= response_header(&b, "cache-control", "no-cache");
	rc |= response_header(&b, "X-Accel-Buffering", "no");
	rc |= response_end(&b);
	if (rc != 0 || fcgi_write(p->req, buf_head(&b), buf_len(&b)) < 0) {
		probe_finish(p, &b, -1);
		return;
	}
	buf_fini(&b);
	p->timer.arg = p;
	probe_next_event(&p->timer);
}

static void
probe_silence_over(struct loop_timer *t)
{
	struct probe *p = t->arg;
	struct buf b;
	int rc;

	buf_init(&b, ANSWER_BYTES);
	rc = buf_printf(&b, "{\"probe\":\"silence\",\"ms\":%lld}\n",
	    (long long)p->gap_ms);
	probe_answer(p, &b, rc);
}

static void
probe_silence(struct probe *p)
{
	struct buf none;

	buf_init(&none, 0);
	if (loop_timer_set(p->all->loop, &p->timer, p->due_ms + p->gap_ms,
	    probe_silence_over, p) != 0)
		probe_finish(p, &none, -1);
}

/* ---- the body ---- */

bool
probe_body(struct probe *p, size_t n)
{
	struct buf b;

	p->bytes += (int64_t)n;
	if (p->bytes <= p->all->conf->body_max_bytes)
		return (true);
	buf_init(&b, ANSWER_BYTES);
	probe_finish(p, &b, response_error(&b, DIALECT_ANTHROPIC,
	    &refusal_row(REFUSAL_TOO_LARGE)->answer));
	return (false);
}

void
probe_whole(struct probe *p)
{
	struct buf b;
	int rc;

	buf_init(&b, ANSWER_BYTES);
	rc = buf_printf(&b, "{\"probe\":\"body\",\"bytes\":%lld}\n",
	    (long long)p->bytes);
	probe_answer(p, &b, rc);
}

/* ---- the end of all ---- */

void
probes_abort(struct probes *ps)
{
	struct probe *p;
	struct buf b;
	int rc;

	while ((p = TAILQ_FIRST(&ps->open)) != NULL) {
		buf_init(&b, ANSWER_BYTES);
		rc = p->sent > 0 ? -1 : response_error(&b, DIALECT_ANTHROPIC,
		    &refusal_row(REFUSAL_STOPPING)->answer);
		probe_finish(p, &b, rc);
	}
}

/* ---- begin ---- */

static struct probe *
probe_refuse(struct response_error *e, int status, const char *message)
{

	memset(e, 0, sizeof(*e));
	e->status = status;
	e->message = message;
	e->should_retry = -1;
	e->retry_after_s = status == 503 ? 5 : 0;
	return (NULL);
}

static int
probe_params(struct probe *p)
{
	const struct http_request *http = fcgi_request_http(p->req);

	switch (p->kind) {
	case PROBE_STREAM:
		if (query_int(http, "chunks", 1, PROBE_CHUNKS_MAX, 5,
		    &p->chunks))
			return (-1);
		return (query_int(http, "gap_ms", PROBE_GAP_MIN_MS,
		    PROBE_GAP_MAX_MS, 300, &p->gap_ms));
	case PROBE_SILENCE:
		return (query_int(http, "ms", 0, PROBE_SILENCE_MAX_MS, 0,
		    &p->gap_ms));
	default:
		return (0);
	}
}

struct probe *
probe_open(struct probes *ps, const struct seal *seal,
    struct fcgi_request *req, enum probe_kind kind, struct response_error *e)
{
	const struct http_request *http = fcgi_request_http(req);
	struct probe *p;

	if (!seal_token_fits(seal, PROBE_PURPOSE,
	    http_request_header(http, PROBE_HEADER),
	    loop_wall_ms(ps->loop) / 1000))
		return (probe_refuse(e, 403, "This is for `leasehold doctor' "
		    "alone: the header " PROBE_HEADER " did not come, has "
		    "expired, or is of another master key."));
	if (ps->nopen == PROBES_MAX ||
	    (p = calloc(1, sizeof(*p))) == NULL)
		return (probe_refuse(e, 503, "Too many probes are open."));
	p->all = ps;
	p->req = req;
	p->kind = kind;
	p->due_ms = loop_now_ms(ps->loop);
	TAILQ_INSERT_TAIL(&ps->open, p, entry);
	ps->nopen++;
	if (probe_params(p)) {
		probe_end(p);
		return (probe_refuse(e, 400, "A number in the query is not "
		    "one, or is out of range."));
	}
	return (p);
}

int
probe_begin(struct probe *p)
{
	enum probe_kind kind = p->kind;

	if (kind == PROBE_ECHO)
		probe_echo(p);
	else if (kind == PROBE_STREAM)
		probe_stream(p);
	else if (kind == PROBE_SILENCE)
		probe_silence(p);
	return (kind == PROBE_BODY);
}
