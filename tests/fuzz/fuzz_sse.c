/*
 * The SSE parser and the meter: a stream gives the same events and usage
 * whole and in pieces, and nothing is out of its bounds.  The same bytes are
 * then metered as a plain answer.
 *
 * The first byte of the input says how the stream is cut.
 */
#include <stdint.h>
#include <string.h>

#include "relay/meter.h"
#include "relay/sse.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DATA_MAX	300

/* What a run gave; events are folded into a sum. */
struct result {
	uint64_t events;
	bool whole;		/* a plain body was */
	struct meter_result r;
};

static void
fold(uint64_t *sum, const void *p, size_t n)
{
	const unsigned char *c = p;
	size_t i;

	*sum = *sum * 31 + n;
	for (i = 0; i < n; i++)
		*sum = *sum * 31 + c[i];
}

static void
check_event(const struct sse_event *ev)
{

	must(ev->data_len <= DATA_MAX, "bound");
	must(ev->data[ev->data_len] == '\0', "terminator");
	must(ev->data_cut == (ev->data_full_len > ev->data_len), "cut");
	must(!ev->comment_only || ev->data_len == 0, "comment");
}

static void
check_result(const struct meter_result *r)
{
	const struct usage *u = &r->usage;

	must(u->input_tokens >= 0 && u->output_tokens >= 0 &&
	    u->cache_read_tokens >= 0 && u->cache_write_5m_tokens >= 0 &&
	    u->cache_write_1h_tokens >= 0 && u->web_searches >= 0, "sign");
	must(r->content_bytes >= 0, "content");
	must(meter_estimate_output(r) >= u->output_tokens, "estimate");
	must(strlen(r->model) < sizeof(r->model) &&
	    strlen(r->error_type) < sizeof(r->error_type) &&
	    strlen(r->error_message) < sizeof(r->error_message), "strings");
}

/* Read in pieces of ${step} bytes. */
static void
run(struct sse *s, struct meter *m, const uint8_t *p, size_t n, size_t step,
    struct result *out)
{
	struct sse_event ev;
	size_t piece, used;
	int rc, kind;

	memset(out, 0, sizeof(*out));
	while (n > 0) {
		piece = step < n ? step : n;
		rc = sse_push(s, p, piece, &used, &ev);
		must(rc == 0 ? used == piece : rc == 1 && used <= piece,
		    "used");
		if (rc == 1) {
			check_event(&ev);
			fold(&out->events, ev.type, strlen(ev.type));
			fold(&out->events, ev.data, ev.data_len);
			kind = (int)meter_event(m, &ev);
			fold(&out->events, &kind, sizeof(kind));
		}
		p += used;
		n -= used;
	}
	out->r = *meter_result(m);
	check_result(&out->r);
}

static void
run_new(const uint8_t *p, size_t n, size_t step, struct result *out)
{
	struct meter *m = meter_new();
	struct sse *s = sse_new(DATA_MAX);

	must(m != NULL && s != NULL, "memory");
	run(s, m, p, n, step, out);
	sse_free(s);
	meter_free(m);
}

static void
run_plain(const uint8_t *p, size_t n, size_t step, struct result *out)
{
	struct meter *m = meter_new();
	size_t at;

	must(m != NULL, "memory");
	memset(out, 0, sizeof(*out));
	for (at = 0; at < n; at += step)
		meter_body(m, p + at, step < n - at ? step : n - at);
	out->whole = meter_body_end(m);
	out->r = *meter_result(m);
	check_result(&out->r);
	meter_free(m);
}

static void
same(const struct result *a, const struct result *b)
{

	must(a->events == b->events, "events");
	must(a->whole == b->whole, "end");
	must(memcmp(&a->r.usage, &b->r.usage, sizeof(a->r.usage)) == 0,
	    "usage");
	must(a->r.started == b->r.started && a->r.stopped == b->r.stopped &&
	    a->r.final_seen == b->r.final_seen &&
	    a->r.content_bytes == b->r.content_bytes, "marks");
	must(strcmp(a->r.model, b->r.model) == 0 &&
	    strcmp(a->r.error_type, b->r.error_type) == 0 &&
	    strcmp(a->r.error_message, b->r.error_message) == 0, "text");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole, pieces;

	if (size == 0)
		return (0);
	run_new(data + 1, size - 1, size, &whole);
	run_new(data + 1, size - 1, 1, &pieces);
	same(&whole, &pieces);
	run_new(data + 1, size - 1, 1 + (size_t)data[0], &pieces);
	same(&whole, &pieces);
	run_plain(data + 1, size - 1, size, &whole);
	run_plain(data + 1, size - 1, 1 + (size_t)data[0], &pieces);
	same(&whole, &pieces);
	return (0);
}
