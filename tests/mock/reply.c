#include "config.h"

#include <string.h>

#include "mock/reply.h"

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
	{ 403, "Forbidden" }, { 404, "Not Found" },
	{ 429, "Too Many Requests" }, { 500, "Internal Server Error" },
	{ 502, "Bad Gateway" }, { 503, "Service Unavailable" },
	{ 529, "Overloaded" }, { 0, "Mock" },
};

/* The path without query, from "/v1/" on; base URLs may have a prefix. */
static size_t
api_path(const struct head *h, const char **path)
{
	const char *p = strstr(h->path, "/v1/");

	*path = p == NULL ? h->path : p;
	return (strcspn(*path, "?"));
}

static bool
is(const char *p, size_t n, const char *s)
{

	return (strlen(s) == n && memcmp(p, s, n) == 0);
}

enum reply_kind
reply_kind(const struct head *h)
{
	bool post = strcmp(h->method, "POST") == 0;
	const char *p;
	size_t n = api_path(h, &p);

	if (post && is(p, n, "/v1/messages"))
		return (REPLY_MESSAGES);
	if (post && is(p, n, "/v1/messages/count_tokens"))
		return (REPLY_COUNT);
	if (!post && is(p, n, "/v1/models"))
		return (REPLY_MODELS);
	if (!post && n > 11 && memcmp(p, "/v1/models/", 11) == 0)
		return (REPLY_MODEL);
	return (REPLY_OTHER);
}

/* Is it a stream of events that the plan leaves to us? */
static bool
is_events(const struct reply *r)
{
	const struct plan *p = r->answer.plan;

	return (r->kind == REPLY_MESSAGES && r->stream && p->body == NULL &&
	    p->status == 200);
}

int64_t
reply_delay(const struct reply *r)
{
	const struct plan *p = r->answer.plan;

	if (r->kind == REPLY_CONTROL)
		return (0);
	switch (r->place) {
	case REPLY_AT_HEAD:
		return (p->head_delay_ms);
	case REPLY_AT_FIRST:
		return (p->first_delay_ms);
	case REPLY_AT_BODY:
		break;
	}
	return (r->piece <= answer_deltas(&r->answer) ? p->chunk_delay_ms : 0);
}

/* The plan's way to end badly, here. */
static enum reply_next
bad_end(const struct reply *r, struct buf *out)
{
	static const char junk[] = "\x00\xff{not HTTP\r\n\r\n";

	switch (r->answer.plan->end) {
	case PLAN_SILENT:
		return (REPLY_HANG);
	case PLAN_RESET:
		return (REPLY_RST);
	case PLAN_GARBAGE:
		if (buf_append(out, junk, sizeof(junk) - 1) != 0)
			return (REPLY_FAILED);
		return (REPLY_CLOSE);
	default:
		return (REPLY_CLOSE);
	}
}

static bool
ends_at(const struct reply *r, enum plan_place at)
{
	const struct plan *p = r->answer.plan;

	return (r->kind != REPLY_CONTROL && p->end != PLAN_COMPLETE &&
	    p->at == at);
}

static int
put_head(const struct reply *r, const char *type, struct buf *out)
{
	const char *more = r->answer.plan->headers;
	size_t i = 0;

	while (reasons[i].status != 0 && reasons[i].status != r->status)
		i++;
	if (more == NULL)
		more = "";
	if (buf_printf(out, "HTTP/1.1 %d %s\r\n%srequest-id: req_mock_%08jx\r\n"
	    "anthropic-organization-id: org_mock\r\n", r->status,
	    reasons[i].reason, more, (uintmax_t)r->answer.id) != 0)
		return (-1);
	if (strcasestr(more, "content-type:") != NULL)
		return (0);
	return (buf_printf(out, "content-type: %s\r\n", type));
}

/* Make the body of an answer that is no stream, and find its status. */
static int
make_body(struct reply *r)
{
	const struct plan *p = r->answer.plan;
	const char *path;
	char id[128] = "";
	size_t n;

	if (r->kind == REPLY_CONTROL)
		return (0);
	r->status = p->status;
	if (p->body != NULL)
		return (buf_append(&r->body, p->body, p->body_len));
	if (p->status != 200)
		return (answer_error(&r->answer, p->status, &r->body));
	if (r->kind == REPLY_OBJECT && r->given == 200)
		return (0);
	if (r->kind == REPLY_OBJECT) {
		r->status = r->given;
		return (answer_error(&r->answer, r->given, &r->body));
	}
	switch (r->kind) {
	case REPLY_MESSAGES:
		return (answer_message(&r->answer, &r->body));
	case REPLY_COUNT:
		return (answer_count(&r->answer, &r->body));
	case REPLY_MODELS:
		return (answer_models(&r->body));
	case REPLY_MODEL:
		n = api_path(r->head, &path);
		if (n - 11 < sizeof(id))
			memcpy(id, path + 11, n - 11);
		if (answer_model(id, &r->body) == 0)
			return (0);
		break;
	default:
		break;
	}
	r->status = 404;
	return (answer_error(&r->answer, 404, &r->body));
}

static enum reply_next
head_step(struct reply *r, struct buf *out)
{
	const struct plan *p = r->answer.plan;

	if (p->raw != NULL && r->kind != REPLY_CONTROL)
		return (buf_append(out, p->raw, p->raw_len) != 0 ?
		    REPLY_FAILED : REPLY_CLOSE);
	if (ends_at(r, PLAN_AT_HEAD))
		return (bad_end(r, out));
	r->place = REPLY_AT_FIRST;
	if (is_events(r)) {
		r->status = 200;
		if (put_head(r, "text/event-stream; charset=utf-8", out) != 0 ||
		    buf_puts(out, "cache-control: no-cache\r\n"
		    "transfer-encoding: chunked\r\n\r\n") != 0)
			return (REPLY_FAILED);
		return (REPLY_MORE);
	}
	if (make_body(r) != 0 || put_head(r, r->type != NULL ? r->type :
	    "application/json", out) != 0 ||
	    buf_printf(out, "content-length: %zu\r\n\r\n",
	    buf_len(&r->body)) != 0)
		return (REPLY_FAILED);
	return (REPLY_MORE);
}

static int
put_chunk(struct buf *out, const void *p, size_t n)
{

	if (buf_printf(out, "%zx\r\n", n) != 0 || buf_append(out, p, n) != 0 ||
	    buf_puts(out, "\r\n") != 0)
		return (-1);
	return (0);
}

/* The bad end of a stream, after .after deltas. */
static enum reply_next
events_bad_end(struct reply *r, struct buf *out)
{
	const struct plan *p = r->answer.plan;

	buf_reset(r->scratch);
	if (p->at == PLAN_AT_INSIDE) {
		if (answer_piece(&r->answer, r->piece, r->scratch) != 0 ||
		    put_chunk(out, buf_head(r->scratch),
		    buf_len(r->scratch) / 2) != 0)
			return (REPLY_FAILED);
	}
	if (p->end == PLAN_ERROR_EVENT) {
		buf_reset(r->scratch);
		if (answer_error_event(&r->answer, r->scratch) != 0 ||
		    put_chunk(out, buf_head(r->scratch),
		    buf_len(r->scratch)) != 0)
			return (REPLY_FAILED);
	}
	if (p->end == PLAN_ERROR_EVENT || p->end == PLAN_STOP)
		return (buf_puts(out, "0\r\n\r\n") != 0 ? REPLY_FAILED :
		    REPLY_END);
	return (bad_end(r, out));
}

static enum reply_next
events_step(struct reply *r, struct buf *out)
{
	const struct plan *p = r->answer.plan;
	int64_t deltas = answer_deltas(&r->answer);
	bool here = p->end != PLAN_COMPLETE && r->piece == p->after + 1;

	if (here && (p->at == PLAN_AT_CHUNK || p->at == PLAN_AT_INSIDE))
		return (events_bad_end(r, out));
	buf_reset(r->scratch);
	if (answer_piece(&r->answer, r->piece, r->scratch) != 0 ||
	    put_chunk(out, buf_head(r->scratch), buf_len(r->scratch)) != 0)
		return (REPLY_FAILED);
	if (r->piece++ <= deltas)
		return (REPLY_MORE);
	return (buf_puts(out, "0\r\n\r\n") != 0 ? REPLY_FAILED : REPLY_END);
}

static enum reply_next
plain_step(struct reply *r, struct buf *out)
{
	bool half = ends_at(r, PLAN_AT_CHUNK) || ends_at(r, PLAN_AT_INSIDE);
	size_t n = buf_len(&r->body);

	if (strcmp(r->head->method, "HEAD") != 0 && n > 0 &&
	    buf_append(out, buf_head(&r->body), half ? n / 2 : n) != 0)
		return (REPLY_FAILED);
	return (half ? bad_end(r, out) : REPLY_END);
}

enum reply_next
reply_step(struct reply *r, struct buf *out)
{

	if (r->place == REPLY_AT_HEAD)
		return (head_step(r, out));
	if (r->place == REPLY_AT_FIRST && ends_at(r, PLAN_AT_FIRST))
		return (is_events(r) ? events_bad_end(r, out) :
		    bad_end(r, out));
	r->place = REPLY_AT_BODY;
	return (is_events(r) ? events_step(r, out) : plain_step(r, out));
}

const char *
reply_ended(const struct reply *r, enum reply_next next)
{

	if (next == REPLY_RST)
		return ("reset");
	if (next == REPLY_CLOSE)
		return (r->answer.plan->raw != NULL ? "raw" :
		    r->answer.plan->end == PLAN_GARBAGE ? "garbage" : "fin");
	if (is_events(r) && r->answer.plan->end == PLAN_STOP)
		return ("stop");
	if (is_events(r) && r->answer.plan->end == PLAN_ERROR_EVENT)
		return ("error_event");
	return ("complete");
}
