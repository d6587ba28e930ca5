#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* The first allocation; small answers fit without growing again. */
#define BUF_FIRST_BYTES		256

void
buf_init(struct buf *b, size_t max)
{

	memset(b, 0, sizeof(*b));
	b->max = max;
}

void
buf_fini(struct buf *b)
{

	free(b->data);
	buf_init(b, b->max);
}

void
buf_wipe(struct buf *b)
{

	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_fini(b);
}

/* Move the live bytes to the front. */
static void
compact(struct buf *b)
{

	if (b->off == 0)
		return;
	memmove(b->data, b->data + b->off, b->len - b->off);
	b->len -= b->off;
	b->off = 0;
}

/* Make the memory at least ${need} bytes, doubling, at most the maximum. */
static int
grow(struct buf *b, size_t need)
{
	unsigned char *data;
	size_t cap;

	if (need > b->max)
		return (-1);
	cap = b->cap < BUF_FIRST_BYTES ? BUF_FIRST_BYTES : b->cap;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? SIZE_MAX : cap * 2;
	if (cap > b->max)
		cap = b->max;
	if ((data = realloc(b->data, cap)) == NULL)
		return (-1);
	b->data = data;
	b->cap = cap;
	return (0);
}

unsigned char *
buf_reserve(struct buf *b, size_t n)
{
	size_t live = buf_len(b);

	if (b->data != NULL && n <= b->cap - b->len)
		return (b->data + b->len);
	if (n > b->max - live)
		return (NULL);

	/*
	 * Moving is worth it when it gives back at least as much as it moves;
	 * else growing is cheaper in the long run.  A buffer that cannot grow
	 * is moved in any case.
	 */
	if (live + n <= b->cap &&
	    (b->off >= live || b->cap == b->max || b->len > b->max - n)) {
		compact(b);
	} else if (b->len <= b->max - n) {
		if (grow(b, b->len + (n == 0 ? 1 : n)))
			return (NULL);
	} else {
		if (grow(b, live + n))
			return (NULL);
		compact(b);
	}
	return (b->data + b->len);
}

void
buf_commit(struct buf *b, size_t n)
{

	assert(n <= b->cap - b->len);
	b->len += n;
}

int
buf_append(struct buf *b, const void *p, size_t n)
{
	unsigned char *room;

	if (n == 0)
		return (0);
	if ((room = buf_reserve(b, n)) == NULL)
		return (-1);
	memcpy(room, p, n);
	buf_commit(b, n);
	return (0);
}

int
buf_puts(struct buf *b, const char *s)
{

	return (buf_append(b, s, strlen(s)));
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	unsigned char *room;
	va_list ap;
	int n;

	/* Most texts fit the room that is there. */
	room = b->data == NULL ? NULL : b->data + b->len;
	va_start(ap, fmt);
	n = vsnprintf((char *)room, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return (-1);
	if ((size_t)n >= b->cap - b->len) {
		if ((room = buf_reserve(b, (size_t)n + 1)) == NULL)
			return (-1);
		va_start(ap, fmt);
		n = vsnprintf((char *)room, (size_t)n + 1, fmt, ap);
		va_end(ap);
		if (n < 0)
			return (-1);
	}
	buf_commit(b, (size_t)n);
	return (0);
}

const char *
buf_cstr(struct buf *b)
{
	unsigned char *room;

	if ((room = buf_reserve(b, 1)) == NULL)
		return (NULL);
	*room = '\0';
	return ((const char *)buf_head(b));
}

void
buf_consume(struct buf *b, size_t n)
{

	assert(n <= buf_len(b));
	b->off += n;
	if (b->off == b->len)
		b->off = b->len = 0;
}

void
buf_cut(struct buf *b, size_t n)
{

	assert(n <= buf_len(b));
	b->len -= n;
}

void
buf_reset(struct buf *b)
{

	b->off = b->len = 0;
}
