#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "http/token.h"
#include "relay/head.h"
#include "relay/upstream.h"

void
head_init(struct head *h)
{

	memset(h, 0, sizeof(*h));
	buf_init(&h->text, LIMIT_UPSTREAM_HEAD_BYTES);
}

void
head_fini(struct head *h)
{

	free(h->headers);
	buf_fini(&h->text);
	head_init(h);
}

/* Forget the answer so far; the bytes of all answers go on counting. */
static void
forget(struct head *h)
{

	free(h->headers);
	h->headers = NULL;
	h->nheaders = 0;
	h->status = 0;
	h->done = false;
	buf_reset(&h->text);
}

/* "HTTP/1.1 200 OK": libcurl has looked at the version. */
static int
status_line(struct head *h, const char *p, size_t n, struct err *err)
{
	const char *s = memchr(p, ' ', n);
	size_t left = s == NULL ? 0 : n - (size_t)(s - p);
	int i, status = 0;

	for (i = 1; i <= 3 && left > 3 && s[i] >= '0' && s[i] <= '9'; i++)
		status = status * 10 + (s[i] - '0');
	if (i != 4 || (left > 4 && s[4] != ' ') || status < 100 ||
	    status > 599 || strncmp(p, "HTTP/", 5) != 0) {
		err_set(err, ERR_PROTO, "not an HTTP status line");
		return (-1);
	}
	h->status = status;
	return (0);
}

static void
lower(unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (unsigned char)(p[i] - 'A' + 'a');
	}
}

static bool
is_blank(char c)
{

	return (c == ' ' || c == '\t');
}

static int
header_line(struct head *h, const char *p, size_t n, struct err *err)
{
	const char *colon = memchr(p, ':', n);
	size_t name_len = colon == NULL ? 0 : (size_t)(colon - p);
	unsigned char *out;
	const char *v;
	size_t v_len;

	if (!token_is_valid(p, name_len) || !token_is_text(p, n)) {
		err_set(err, ERR_PROTO, "not an HTTP header: line %zu of the "
		    "answer", h->nheaders + 2);
		return (-1);
	}
	v = colon + 1;
	v_len = n - name_len - 1;
	while (v_len > 0 && is_blank(v[0])) {
		v++;
		v_len--;
	}
	while (v_len > 0 && is_blank(v[v_len - 1]))
		v_len--;
	if ((out = buf_reserve(&h->text, name_len + v_len + 2)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the answer's head");
		return (-1);
	}
	memcpy(out, p, name_len);
	lower(out, name_len);
	out[name_len] = '\0';
	memcpy(out + name_len + 1, v, v_len);
	out[name_len + 1 + v_len] = '\0';
	buf_commit(&h->text, name_len + v_len + 2);
	h->nheaders++;
	return (0);
}

/* The text moves no more: point into it. */
static int
complete(struct head *h, struct err *err)
{
	const char *p = (const char *)buf_head(&h->text);
	size_t i;

	h->headers = calloc(h->nheaders + 1, sizeof(*h->headers));
	if (h->headers == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the answer's head");
		return (-1);
	}
	for (i = 0; i < h->nheaders; i++) {
		h->headers[i].name = p;
		p += strlen(p) + 1;
		h->headers[i].value = p;
		p += strlen(p) + 1;
	}
	h->done = true;
	return (1);
}

int
head_line(struct head *h, const char *p, size_t n, struct err *err)
{

	if (n > LIMIT_UPSTREAM_HEAD_BYTES - h->bytes) {
		err_set(err, ERR_TOO_LARGE, "the answer's head is longer than "
		    "%d bytes", LIMIT_UPSTREAM_HEAD_BYTES);
		return (-1);
	}
	h->bytes += n;
	if (h->done)
		return (0);
	if (n > 0 && p[n - 1] == '\n')
		n--;
	if (n > 0 && p[n - 1] == '\r')
		n--;
	if (h->status == 0)
		return (status_line(h, p, n, err));
	if (n > 0)
		return (header_line(h, p, n, err));
	if (h->status >= 200)
		return (complete(h, err));
	forget(h);
	return (0);
}
