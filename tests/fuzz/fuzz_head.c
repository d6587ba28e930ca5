/*
 * The head of an upstream's answer, line by line as libcurl hands it over: what
 * is taken is safe to judge and to pass on, and reading it again gives the
 * same.
 */
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "http/token.h"
#include "relay/head.h"
#include "relay/upstream.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Give ${h} line after line until it has enough; *${used} bytes of them. */
static int
feed(struct head *h, const char *p, size_t n, size_t *used, struct err *err)
{
	const char *end;
	size_t len;
	int rc = 0;

	err_clear(err);
	for (*used = 0; *used < n && rc == 0; *used += len) {
		end = memchr(p + *used, '\n', n - *used);
		len = end == NULL ? n - *used :
		    (size_t)(end - (p + *used)) + 1;
		rc = head_line(h, p + *used, len, err);
		must(h->bytes <= LIMIT_UPSTREAM_HEAD_BYTES, "bound");
		must((rc == -1) == (err->code != ERR_NONE), "error");
	}
	return (rc);
}

static void
check_header(const struct transfer_header *h)
{
	size_t i, len = strlen(h->value);

	must(token_is_valid(h->name, strlen(h->name)), "name");
	for (i = 0; h->name[i] != '\0'; i++)
		must(h->name[i] < 'A' || h->name[i] > 'Z', "lower case");
	must(token_is_text(h->value, len), "value");
	must(len == 0 || (h->value[0] != ' ' && h->value[0] != '\t' &&
	    h->value[len - 1] != ' ' && h->value[len - 1] != '\t'), "trim");
}

static void
check_same(const struct head *a, const struct head *b)
{
	size_t i;

	must(a->status == b->status && a->nheaders == b->nheaders &&
	    a->bytes == b->bytes, "again");
	for (i = 0; i < a->nheaders; i++) {
		check_header(&a->headers[i]);
		must(strcmp(a->headers[i].name, b->headers[i].name) == 0 &&
		    strcmp(a->headers[i].value, b->headers[i].value) == 0,
		    "header again");
	}
}

/* What comes behind the head are trailers: they change nothing. */
static void
check_trailers(struct head *h, const char *p, size_t n)
{
	size_t i, len, nheaders = h->nheaders;
	struct err err = { 0 };

	for (i = 0; i < n; i += len) {
		len = n - i < 100 ? n - i : 100;
		if (head_line(h, p + i, len, &err) != 0)
			must(err.code == ERR_TOO_LARGE, "trailer");
	}
	must(h->done && h->nheaders == nheaders, "head after trailers");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	size_t used, again_used;
	struct head h, again;
	struct err err;
	int rc;

	head_init(&h);
	head_init(&again);
	rc = feed(&h, p, size, &used, &err);
	must(feed(&again, p, size, &again_used, &err) == rc &&
	    used == again_used, "result again");
	must((rc == 1) == h.done, "done");
	if (rc == 1) {
		must(h.status >= 200 && h.status <= 599, "status");
		check_same(&h, &again);
		check_trailers(&h, p + used, size - used);
	}
	head_fini(&h);
	head_fini(&again);
	return (0);
}
