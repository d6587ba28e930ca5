#include <stdlib.h>	/* defines __GLIBC__ */
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/heap.h"

/* Larger pieces come from the kernel and go back to it at once. */
#define MMAP_BYTES	(1024 * 1024)

/* Free memory at the heap's end beyond the first is given back, down to the
 * second. */
#define TRIM_BYTES	(8 * 1024 * 1024)
#define KEEP_BYTES	(4 * 1024 * 1024)

/* How often the load is looked at. */
#define LOOK_MS		5000

/* A peak from which memory is worth the search, which takes milliseconds. */
#define PEAK_MIN	100

void
heap_setup(void)
{

#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
	(void)mallopt(M_TOP_PAD, KEEP_BYTES);
#endif
}

static void
give_back(struct heap_care *c)
{

#ifdef __GLIBC__
	(void)malloc_trim(KEEP_BYTES);
#endif
	c->trims++;
}

static void
look(struct loop_timer *t)
{
	struct heap_care *c = t->arg;
	int64_t load = c->load(c->arg);

	if (load > c->peak)
		c->peak = load;
	if (c->peak >= PEAK_MIN && load <= c->peak / 4) {
		give_back(c);
		c->peak = load;
	}

	/* A timer that just fired finds its old place; without it, memory is
	 * kept until the next start. */
	(void)!loop_timer_set(c->loop, t, loop_now_ms(c->loop) + LOOK_MS,
	    look, c);
}

int
heap_care_start(struct heap_care *c, struct loop *loop,
    int64_t (*load)(void *arg), void *arg)
{

	*c = (struct heap_care) { .loop = loop, .load = load, .arg = arg };
	return (loop_timer_set(loop, &c->timer, loop_now_ms(loop) + LOOK_MS,
	    look, c));
}

void
heap_care_stop(struct heap_care *c)
{

	loop_timer_cancel(&c->timer);
}
