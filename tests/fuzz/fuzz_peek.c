/*
 * Peeking at a request body: the same result whole and in pieces, and a
 * result that is safe to put into a ledger, a log and a header.  Another name
 * in the place of the model's changes nothing else, and can be taken back.
 *
 * The first byte of the input says how the body is cut.
 */
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "relay/peek.h"
#include "relay/splice.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
run(const uint8_t *p, size_t n, size_t step, struct peek *out,
    struct err *err)
{
	struct peek_scan *s = peek_new();
	size_t at;
	int rc = 0;

	must(s != NULL, "memory");
	memset(out, 0, sizeof(*out));
	err_clear(err);
	for (at = 0; at < n && rc == 0; at += step)
		rc = peek_push(s, p + at, step < n - at ? step : n - at, err);
	if (rc == 0)
		rc = peek_end(s, out, err);
	must((rc == 0) == (err->code == ERR_NONE), "error");
	peek_free(s);
	return (rc);
}

static void
check(const struct peek *out, const uint8_t *p, size_t n)
{
	size_t i, len = strlen(out->model);

	must(len > 0 && len < sizeof(out->model), "model");
	must(json_is_utf8(out->model, len), "model's bytes");
	for (i = 0; i < len; i++)
		must((unsigned char)out->model[i] >= ' ', "control");
	must(out->model_start < out->model_end && out->model_end <= n,
	    "offsets");
	must(p[out->model_start] == '"' && p[out->model_end - 1] == '"',
	    "quotes");
	must(out->ask.web_searches >= -1 && out->ask.tiers != 0 &&
	    out->ask.speeds != 0 && out->ask.geos != 0, "ask");
	must(memchr(out->ask.feature, '\0', sizeof(out->ask.feature)) != NULL,
	    "feature");
	must(out->max_tokens >= 0 && out->max_tokens <= 1000000000,
	    "max_tokens");
	for (i = 0; out->session[i] != '\0'; i++)
		must(out->session[i] > ' ' && out->session[i] <= '~',
		    "session");
}

/* All of the body but the model's name. */
static void
check_rest(const struct buf *b, const struct splice *s, const struct peek *was,
    const uint8_t *p, size_t n)
{
	size_t tail = n - (size_t)was->model_end;
	size_t end = (size_t)was->model_start + s->now[SPLICE_MODEL];

	must(buf_len(b) - end == tail, "tail's length");
	must(memcmp(buf_head(b), p, (size_t)was->model_start) == 0, "front");
	must(memcmp(buf_head(b) + end, p + was->model_end, tail) == 0,
	    "tail");
}

static void
check_splice(const struct peek *was, const uint8_t *p, size_t n)
{
	static const char *const names[] = { "o", "a\"b\\c\xc3\xa9",
		"claude-opus-4-1-20250805-and-much-longer-than-most-are" };
	const char *put[SPLICE_NAMES] = { NULL };
	struct splice s;
	struct peek is;
	struct buf b;
	struct err err;
	size_t i;

	buf_init(&b, n);
	must(buf_append(&b, p, n) == 0, "memory");
	splice_init(&s);
	must(splice_add(&s, was->model_start, was->model_end, SPLICE_MODEL,
	    strlen(was->model), NULL) == 0, "memory");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		put[SPLICE_MODEL] = names[i];
		must(splice_put(&s, &b, put) == 0, "memory");
		check_rest(&b, &s, was, p, n);
		must(run(buf_head(&b), buf_len(&b), buf_len(&b), &is,
		    &err) == 0, "spliced");
		must(strcmp(is.model, names[i]) == 0 &&
		    is.model_start == was->model_start &&
		    is.model_end == is.model_start + s.now[SPLICE_MODEL] &&
		    is.stream == was->stream &&
		    is.max_tokens == was->max_tokens &&
		    strcmp(is.session, was->session) == 0, "as spliced");
	}
	put[SPLICE_MODEL] = NULL;
	must(splice_put(&s, &b, put) == 0, "memory");
	must(buf_len(&b) == n && memcmp(buf_head(&b), p, n) == 0, "back");
	splice_fini(&s);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peek whole, pieces;
	struct err err, again;
	int rc;

	if (size == 0)
		return (0);
	rc = run(data + 1, size - 1, size, &whole, &err);
	must(run(data + 1, size - 1, 1 + (size_t)data[0], &pieces, &again) ==
	    rc, "result");
	must(strcmp(err.text, again.text) == 0, "message");
	if (rc != 0)
		return (0);
	check(&whole, data + 1, size - 1);
	check_splice(&whole, data + 1, size - 1);
	must(strcmp(whole.model, pieces.model) == 0 &&
	    strcmp(whole.session, pieces.session) == 0 &&
	    whole.model_start == pieces.model_start &&
	    whole.model_end == pieces.model_end &&
	    whole.stream == pieces.stream &&
	    memcmp(&whole.ask, &pieces.ask, sizeof(whole.ask)) == 0 &&
	    whole.max_tokens == pieces.max_tokens, "value");
	return (0);
}
