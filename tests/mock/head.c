#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"

#include "mock/head.h"

/* A line of a head or chunk: [p, p + n), its line end taken off. */
struct line {
	const char *p;
	size_t n;
};

/* Take the next line off [*s, end).  False if it is not whole. */
static bool
next_line(const char **s, const char *end, struct line *l)
{
	const char *nl = memchr(*s, '\n', (size_t)(end - *s));

	if (nl == NULL)
		return (false);
	l->p = *s;
	l->n = (size_t)(nl - *s);
	if (l->n > 0 && l->p[l->n - 1] == '\r')
		l->n--;
	*s = nl + 1;
	return (true);
}

size_t
head_find(const unsigned char *p, size_t n)
{
	const unsigned char *end = memmem(p, n, "\r\n\r\n", 4);

	return (end == NULL ? 0 : (size_t)(end - p) + 4);
}

static void
copy(char *dst, size_t size, const char *p, size_t n)
{

	snprintf(dst, size, "%.*s", (int)n, p);
}

/* "POST /v1/messages HTTP/1.1" */
static int
parse_request_line(const struct line *l, struct head *h)
{
	const char *sp1, *sp2;

	if ((sp1 = memchr(l->p, ' ', l->n)) == NULL ||
	    (sp2 = memrchr(l->p, ' ', l->n)) == sp1)
		return (-1);
	if (l->p + l->n - sp2 != 9 || memcmp(sp2, " HTTP/1.", 8) != 0)
		return (-1);
	copy(h->method, sizeof(h->method), l->p, (size_t)(sp1 - l->p));
	copy(h->path, sizeof(h->path), sp1 + 1, (size_t)(sp2 - sp1 - 1));
	h->close = sp2[8] == '0';
	return (0);
}

static bool
is_name(const struct line *l, size_t colon, const char *name)
{

	return (colon == strlen(name) && strncasecmp(l->p, name, colon) == 0);
}

static void
parse_header(const struct line *l, struct head *h)
{
	const char *c = memchr(l->p, ':', l->n), *v;
	size_t colon, n;

	if (c == NULL)
		return;
	colon = (size_t)(c - l->p);
	for (v = c + 1; v < l->p + l->n && *v == ' '; v++)
		;
	n = (size_t)(l->p + l->n - v);
	if (is_name(l, colon, "x-api-key"))
		copy(h->credential, sizeof(h->credential), v, n);
	else if (is_name(l, colon, "authorization") && n > 7 &&
	    h->credential[0] == '\0' && strncasecmp(v, "Bearer ", 7) == 0)
		copy(h->credential, sizeof(h->credential), v + 7, n - 7);
	else if (is_name(l, colon, "content-length")) {
		if (num_parse(v, n, 0, INT64_MAX, &h->content_length) != 0)
			h->content_length = -1;
	} else if (is_name(l, colon, "transfer-encoding"))
		h->chunked = n == 7 && strncasecmp(v, "chunked", 7) == 0;
	else if (is_name(l, colon, "connection"))
		h->close = h->close || (n == 5 &&
		    strncasecmp(v, "close", 5) == 0);
	else if (is_name(l, colon, "expect"))
		h->expect_continue = true;
}

int
head_parse(const unsigned char *p, size_t n, struct head *h)
{
	const char *s = (const char *)p, *end = s + n;
	struct line l;

	memset(h, 0, sizeof(*h));
	h->content_length = -1;
	if (!next_line(&s, end, &l) || parse_request_line(&l, h) != 0)
		return (-1);
	while (next_line(&s, end, &l) && l.n > 0)
		parse_header(&l, h);
	return (0);
}

/* A size line, or the CRLF after data: 1 taken, 0 more bytes, -1 malformed. */
static int
take_size(struct dechunk *d, struct buf *in)
{
	const char *s = (const char *)buf_head(in), *start = s;
	struct line l;
	char *stop;

	if (buf_len(in) == 0 || !next_line(&s, start + buf_len(in), &l))
		return (0);
	if (l.n > 0) {
		d->left = strtoull(l.p, &stop, 16);
		if (stop == l.p || d->left > INT32_MAX)
			return (-1);
		d->state = d->left == 0 ? DECHUNK_TRAILER : DECHUNK_DATA;
	}
	buf_consume(in, (size_t)(s - start));
	return (1);
}

static int
take_data(struct dechunk *d, struct buf *in, struct buf *body)
{
	size_t n = buf_len(in) < d->left ? buf_len(in) : (size_t)d->left;

	if (n == 0)
		return (0);
	if (buf_append(body, buf_head(in), n) != 0)
		return (-1);
	buf_consume(in, n);
	d->left -= n;
	if (d->left == 0)
		d->state = DECHUNK_SIZE;
	return (1);
}

int
dechunk(struct dechunk *d, struct buf *in, struct buf *body)
{
	const char *s, *start;
	struct line l;
	int rc;

	for (;;) {
		if (d->state == DECHUNK_TRAILER) {
			if (buf_len(in) == 0)
				return (0);
			s = start = (const char *)buf_head(in);
			if (!next_line(&s, start + buf_len(in), &l))
				return (0);
			buf_consume(in, (size_t)(s - start));
			if (l.n == 0)
				return (1);
			continue;
		}
		rc = d->state == DECHUNK_DATA ? take_data(d, in, body) :
		    take_size(d, in);
		if (rc <= 0)
			return (rc);
	}
}
