#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "relay/splice.h"

/* Each byte as \u00XX, and the quotes. */
#define QUOTED_SIZE	(6 * LIMIT_NAME_BYTES + 3)

void
splice_init(struct splice *s, uint64_t start, uint64_t end)
{

	*s = (struct splice) { .start = start, .end = end };
}

void
splice_fini(struct splice *s)
{

	free(s->was);
	splice_init(s, s->start, s->end);
}

/* Room for ${n} bytes more than there are, and no doubling of what is large. */
static int
make_room(struct buf *body, size_t n)
{

	if (n > body->max - buf_len(body))
		body->max = buf_len(body) + n;
	return (buf_reserve(body, n) == NULL ? -1 : 0);
}

/* Put ${n} bytes in the place of what stands there. */
static int
replace(struct splice *s, struct buf *body, const void *p, size_t n)
{
	size_t old = (size_t)(s->end - s->start);
	size_t tail = buf_len(body) - (size_t)s->end;
	unsigned char *at;

	if (n > old && make_room(body, n - old))
		return (-1);
	at = buf_head(body) + s->start;
	memmove(at + n, at + old, tail);
	memcpy(at, p, n);
	if (n > old)
		buf_commit(body, n - old);
	else
		buf_cut(body, old - n);
	s->end = s->start + n;
	return (0);
}

/* What the client wrote is kept before it goes for the first time. */
static int
remember(struct splice *s, const struct buf *body)
{
	size_t n = (size_t)(s->end - s->start);

	if (s->was != NULL)
		return (0);
	if ((s->was = malloc(n)) == NULL)
		return (-1);
	memcpy(s->was, buf_head(body) + s->start, n);
	s->was_len = n;
	return (0);
}

int
splice_put(struct splice *s, struct buf *body, const char *name)
{
	char text[QUOTED_SIZE];
	size_t n;

	if (name == NULL) {
		if (s->was == NULL)
			return (0);
		if (replace(s, body, s->was, s->was_len))
			return (-1);
		splice_fini(s);
		return (0);
	}
	if (remember(s, body))
		return (-1);
	text[0] = '"';
	n = 1 + json_escape(name, strlen(name), text + 1, sizeof(text) - 2);
	text[n++] = '"';
	return (replace(s, body, text, n));
}
