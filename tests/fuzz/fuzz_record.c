/*
 * FastCGI records: a stream gives the same events whole and in pieces, and
 * what is kept stays within its bound.
 *
 * The first byte of the input says how it is cut, the second when a request
 * counts as answered.
 */
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "http/record.h"
#include "must.h"

#define PARAMS_MAX	2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	uint64_t sum;		/* of all events, bodies as one */
	size_t stdin_bytes;
	size_t param_bytes;
	enum err_code code;
};

static void
fold(struct result *r, const unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		r->sum = r->sum * 31 + p[i] + 1;
}

static void
on_event(struct result *r, const struct record_event *ev)
{

	if (ev->kind == RECORD_BEGIN)
		r->param_bytes = 0;
	if (ev->kind == RECORD_STDIN) {
		must(ev->value_len > 0, "a body event without bytes");
		r->stdin_bytes += ev->value_len;
	} else {
		r->sum = r->sum * 31 + ev->kind * 7 + ev->request_id +
		    ev->role * 3u + ev->keep_conn + ev->type * 5u +
		    ev->asked * 11;
	}
	if (ev->kind == RECORD_PARAM)
		r->param_bytes += ev->name_len + ev->value_len;
	must(r->param_bytes <= PARAMS_MAX, "params bound");
	fold(r, ev->name, ev->name_len);
	fold(r, ev->value, ev->value_len);
}

static int
feed(struct record_parser *rp, struct buf *in, uint8_t done,
    struct result *r)
{
	struct record_event ev;
	struct err err;
	int rc;

	err_clear(&err);
	while ((rc = record_next(rp, in, &ev, &err)) == 1) {
		on_event(r, &ev);
		if ((done & 1) != 0 && ev.kind == RECORD_STDIN_END)
			record_request_done(rp);
		if ((done & 2) != 0 && ev.kind == RECORD_PARAMS_END)
			record_request_done(rp);
		if ((done & 4) != 0 && ev.kind == RECORD_ABORT)
			record_request_done(rp);
	}
	if (rc == -1) {
		must(err.code != ERR_NONE, "an error without code");
		r->code = err.code;
	} else {
		must(buf_len(in) == 0, "bytes are left");
	}
	return (rc);
}

/* Parse in pieces of ${step} bytes; 0: whole. */
static void
parse(const uint8_t *data, size_t size, size_t step, uint8_t done,
    struct result *r)
{
	struct record_parser *rp = record_parser_new(PARAMS_MAX);
	struct buf in;
	size_t n;
	int rc = 0;

	must(rp != NULL, "memory");
	memset(r, 0, sizeof(*r));
	for (; size > 0 && rc == 0; data += n, size -= n) {
		n = step == 0 || step > size ? size : step;
		buf_init(&in, n);
		must(buf_append(&in, data, n) == 0, "memory");
		rc = feed(rp, &in, done, r);
		buf_fini(&in);
	}
	record_parser_free(rp);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole, cut;

	if (size < 2)
		return (0);
	parse(data + 2, size - 2, 0, data[1], &whole);
	parse(data + 2, size - 2, data[0] % 16 + 1u, data[1], &cut);
	must(whole.code == cut.code, "another error when cut");
	if (whole.code == ERR_NONE) {
		must(whole.sum == cut.sum, "other events when cut");
		must(whole.stdin_bytes == cut.stdin_bytes, "another body");
	}
	return (0);
}
