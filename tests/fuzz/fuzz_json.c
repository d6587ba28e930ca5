/*
 * The JSON scanner: a text gives the same result whole and in pieces, and
 * what jansson takes is taken too, with the same value.
 *
 * The first byte of the input says how the text is cut.
 */
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/json.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_want wants[] = {
	{ "model", 0, false },
	{ "a.b", 3, false },
	{ "a[].b", 20, true },
	{ "[]", 7, true },
	{ "a", 1, true },
	{ "**.b", 9, true },
};
#define NWANTS	(sizeof(wants) / sizeof(wants[0]))

/* What a scan gave; matches are folded into a sum. */
struct result {
	int rc;
	enum json_kind top;
	struct err err;
	uint64_t matches;
	struct json_value v[NWANTS];
	char text[NWANTS][LIMIT_JSON_VALUE_BYTES + 1];
};

static void
check_value(const struct json_value *v, size_t size)
{

	if (v->kind != JSON_KIND_NONE)
		must(v->start < v->end && v->end <= size, "offsets");
	must(v->len <= v->full_len, "lengths");
	must(v->len <= LIMIT_JSON_VALUE_BYTES, "bound");
	must(v->text[v->len] == '\0', "terminator");
}

static void
on_match(void *arg, size_t want, const struct json_value *v)
{
	struct result *r = arg;
	size_t i;

	check_value(v, SIZE_MAX);
	r->matches = r->matches * 31 + want + v->start * 7 + v->full_len;
	for (i = 0; i < v->len; i++)
		r->matches = r->matches * 31 + (unsigned char)v->text[i];
}

/* Scan in pieces of ${step} bytes; 0: whole. */
static void
scan(struct json_scan *s, const uint8_t *p, size_t n, size_t step,
    struct result *r)
{
	size_t at, len, i;

	memset(r, 0, sizeof(*r));
	json_scan_reset(s);
	json_scan_on_match(s, on_match, r);
	for (at = 0; at < n && r->rc == 0; at += len) {
		len = step == 0 || step > n - at ? n - at : step;
		r->rc = json_scan_push(s, p + at, len, &r->err);
	}
	if (r->rc == 0)
		r->rc = json_scan_end(s, &r->err);
	r->top = json_scan_top(s);
	for (i = 0; i < NWANTS; i++) {
		r->v[i] = *json_scan_get(s, i);
		check_value(&r->v[i], n);
		memcpy(r->text[i], r->v[i].text, r->v[i].len);
	}
}

static void
same(const struct result *a, const struct result *b)
{
	const struct json_value *v, *w;
	size_t i;

	must(a->rc == b->rc, "result");
	must(strcmp(a->err.text, b->err.text) == 0, "error");
	must(a->top == b->top, "top");
	must(a->matches == b->matches, "matches");
	for (i = 0; i < NWANTS && a->rc == 0; i++) {
		v = &a->v[i];
		w = &b->v[i];
		must(v->kind == w->kind && v->start == w->start &&
		    v->end == w->end && v->len == w->len &&
		    v->full_len == w->full_len && v->has_nul == w->has_nul &&
		    v->duplicate == w->duplicate, "value");
		must(memcmp(a->text[i], b->text[i], v->len) == 0, "text");
	}
}

static void
compare_with_jansson(const struct result *r, const uint8_t *p, size_t n)
{
	const struct json_value *v = &r->v[0];
	json_error_t error;
	const json_t *model;
	json_t *root;

	/* It loses a NUL byte after a number (2.14, stream_unget). */
	if (n == 0 || memchr(p, '\0', n) != NULL)
		return;
	root = json_loadb((const char *)p, n, JSON_DECODE_ANY |
	    JSON_ALLOW_NUL, &error);
	if (root == NULL)
		return;
	if (r->rc != 0)
		must(strstr(r->err.text, "too deeply") != NULL, "refusal");
	else if ((model = json_object_get(root, "model")) == NULL)
		must(v->kind == JSON_KIND_NONE, "model from nowhere");
	else if (json_is_string(model)) {
		must(v->kind == JSON_KIND_STRING, "kind");
		must(v->full_len == json_string_length(model), "length");
		must(memcmp(r->text[0], json_string_value(model), v->len) == 0,
		    "string");
	}
	json_decref(root);
}

static void
check_escape(const uint8_t *p, size_t n)
{
	char out[200];
	size_t len = json_escape((const char *)p, n, out + 1,
	    sizeof(out) - 2);
	struct json_scan *s = json_scan_new(NULL, 0);

	must(s != NULL, "memory");
	must(out[1 + len] == '\0', "escape's end");
	out[0] = out[1 + len] = '"';
	must(json_scan_push(s, out, len + 2, NULL) == 0 &&
	    json_scan_end(s, NULL) == 0, "escape");
	json_scan_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct result whole, pieces;
	struct json_scan *s;
	int64_t value;
	size_t i;

	if (size == 0 || (s = json_scan_new(wants, NWANTS)) == NULL)
		return (0);
	scan(s, data + 1, size - 1, 0, &whole);
	scan(s, data + 1, size - 1, 1, &pieces);
	same(&whole, &pieces);
	scan(s, data + 1, size - 1, 1 + data[0], &pieces);
	same(&whole, &pieces);
	for (i = 0; i < NWANTS; i++)
		if (json_value_int(json_scan_get(s, i), -9, 999, &value) == 0)
			must(value >= -9 && value <= 999, "range");
	json_scan_free(s);
	compare_with_jansson(&whole, data + 1, size - 1);
	check_escape(data + 1, size - 1);
	return (0);
}
