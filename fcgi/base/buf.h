#ifndef BASE_BUF_H_
#define BASE_BUF_H_

#include <stdbool.h>
#include <stddef.h>

/**
 * A growable byte buffer that cannot be made without a maximum.
 *
 *	data          data+off              data+len           data+cap
 *	 |  consumed   |  live: buf_head()   |  room            |
 *
 * Consumed bytes are given back when room is needed.  One thread at a time.
 */
struct buf {
	unsigned char *data;	/* NULL until the first byte */
	size_t off;
	size_t len;
	size_t cap;
	size_t max;		/* cap never exceeds this */
};

/** buf_init(b, max): Empty buffer of at most ${max} bytes; no allocation. */
void buf_init(struct buf *b, size_t max);

/** buf_fini(b): Free the memory; ${b} is empty and usable again. */
void buf_fini(struct buf *b);

/**
 * buf_wipe(b):
 * As buf_fini, after overwriting what it held.  What growing left behind
 * elsewhere is not reached: reserve enough before secrets go in.
 */
void buf_wipe(struct buf *b);

/** buf_head(b), buf_len(b): Borrow the live bytes, until the next change. */
static inline unsigned char *
buf_head(const struct buf *b)
{

	return (b->data == NULL ? NULL : b->data + b->off);
}

static inline size_t
buf_len(const struct buf *b)
{

	return (b->len - b->off);
}

/**
 * buf_reserve(b, n):
 * Return room for ${n} more bytes after the live ones, or NULL if that would
 * exceed the maximum or memory is short (the buffer is then unchanged).
 * buf_commit(b, n) makes ${n} of them live.
 */
unsigned char *buf_reserve(struct buf *b, size_t n)
    __attribute__((__warn_unused_result__));
void buf_commit(struct buf *b, size_t n);

/** buf_append(b, p, n): 0, or -1 (full, no memory) with ${b} unchanged. */
int buf_append(struct buf *b, const void *p, size_t n)
    __attribute__((__warn_unused_result__));

/**
 * buf_puts(b, s), buf_printf(b, fmt, ...):
 * Likewise; no NUL is stored, but buf_printf needs room for one.
 */
int buf_puts(struct buf *b, const char *s)
    __attribute__((__warn_unused_result__));
int buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((__format__(__printf__, 2, 3), __warn_unused_result__));

/** buf_cstr(b): Terminate with a NUL that does not count; NULL if no room. */
const char *buf_cstr(struct buf *b) __attribute__((__warn_unused_result__));

/** buf_consume(b, n): Drop the first ${n} live bytes; n <= buf_len(b). */
void buf_consume(struct buf *b, size_t n);

/** buf_cut(b, n): Drop the last ${n} live bytes; n <= buf_len(b). */
void buf_cut(struct buf *b, size_t n);

/** buf_reset(b): Drop all bytes, keep the memory. */
void buf_reset(struct buf *b);

#endif /* !BASE_BUF_H_ */
