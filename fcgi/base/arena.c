#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"

/* With the address sanitizer there is a gap after each piece that nobody may
 * touch, nor what is not given out. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define GAP		16
#else
#define GAP		0
#define ASAN_POISON_MEMORY_REGION(p, n)		((void)(p))
#define ASAN_UNPOISON_MEMORY_REGION(p, n)	((void)(p))
#endif

#define BLOCK_MIN	((size_t)4096)

/* What is kept at the most. */
#define KEEP_MAX	((size_t)1024 * 1024)

#define ALIGNED(n)	(((n) + alignof(max_align_t) - 1) /		\
			    alignof(max_align_t) * alignof(max_align_t))

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	alignas(max_align_t) unsigned char p[];
};

void
arena_init(struct arena *a, size_t max_bytes)
{

	*a = (struct arena) { .max_bytes = max_bytes };
}

void
arena_fini(struct arena *a)
{
	struct arena_block *b;

	while ((b = a->blocks) != NULL) {
		a->blocks = b->next;
		ASAN_UNPOISON_MEMORY_REGION(b->p, b->size);
		free(b);
	}
	a->bytes = 0;
}

/* One more block of ${size} bytes; 0, or -1. */
static int
add_block(struct arena *a, size_t size)
{
	struct arena_block *b;

	if (size > a->max_bytes - a->bytes ||
	    (b = malloc(sizeof(*b) + size)) == NULL)
		return (-1);
	b->next = a->blocks;
	b->used = 0;
	b->size = size;
	a->blocks = b;
	a->bytes += size;
	ASAN_POISON_MEMORY_REGION(b->p, b->size);
	return (0);
}

void
arena_reset(struct arena *a)
{
	size_t bytes = a->bytes;

	if (a->blocks == NULL)
		return;
	a->blocks->used = 0;
	ASAN_POISON_MEMORY_REGION(a->blocks->p, a->blocks->size);
	if (a->blocks->next == NULL && bytes <= KEEP_MAX)
		return;

	/* One block instead of many; without memory there will be, later. */
	arena_fini(a);
	(void)add_block(a, bytes < KEEP_MAX ? bytes : KEEP_MAX);
}

/* Blocks grow, so that there are few; the last one is as large as it may be. */
static int
grow(struct arena *a, size_t bytes)
{
	size_t room = a->max_bytes - a->bytes;
	size_t size = a->bytes < BLOCK_MIN ? BLOCK_MIN : a->bytes;

	if (bytes > room)
		return (-1);
	if (size < bytes)
		size = bytes;
	return (add_block(a, size > room ? room : size));
}

void *
arena_get(struct arena *a, size_t n, size_t size, struct err *err)
{
	struct arena_block *b = a->blocks;
	unsigned char *p;
	size_t bytes;

	if (size > 0 && n > a->max_bytes / size)
		goto err0;
	bytes = ALIGNED(n * size + GAP);
	if ((b == NULL || bytes > b->size - b->used) && grow(a, bytes))
		goto err0;
	b = a->blocks;
	p = b->p + b->used;
	b->used += bytes;
	ASAN_UNPOISON_MEMORY_REGION(p, n * size);
	return (p);

err0:
	err_set(err, ERR_NOMEM, "no memory for a piece of work");
	return (NULL);
}
