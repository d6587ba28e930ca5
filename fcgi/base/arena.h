#ifndef BASE_ARENA_H_
#define BASE_ARENA_H_

#include <stddef.h>

struct arena_block;
struct err;

/**
 * Memory for what lives as long as one piece of work and is then forgotten as a
 * whole.  What a piece of work took is kept for the next one, so that nothing
 * is allocated as long as they are alike:
 *
 *	blocks -> |head| pieces ... | free |
 *	                            ^ used ^ size
 *
 * Not shared between threads.
 */
struct arena {
	struct arena_block *blocks;	/* newest first; it alone has room */
	size_t bytes;			/* of all blocks */
	size_t max_bytes;
};

/** arena_init(a, max_bytes): Never takes more than about that. */
void arena_init(struct arena *a, size_t max_bytes);
void arena_fini(struct arena *a);

/** arena_reset(a): Forget all pieces.  Memory is kept, but of a piece of work
 * that took much more than others do. */
void arena_reset(struct arena *a);

/**
 * arena_get(a, n, size, err):
 * Room for ${n} elements of ${size} bytes, aligned for anything and not set to
 * anything, until arena_reset.  NULL: no memory.  Of nothing there is a pointer
 * as well.
 */
void *arena_get(struct arena *a, size_t n, size_t size, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !BASE_ARENA_H_ */
