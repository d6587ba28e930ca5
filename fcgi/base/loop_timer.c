#include <stdlib.h>

#include "base/grow.h"
#include "base/loop_internal.h"

static void
heap_put(struct loop *loop, size_t i, struct loop_timer *t)
{

	loop->heap[i] = t;
	t->heap_index = i;
}

static void
heap_up(struct loop *loop, size_t i)
{
	struct loop_timer *t = loop->heap[i];
	size_t parent;

	for (; i > 0; i = parent) {
		parent = (i - 1) / 2;
		if (loop->heap[parent]->due_ms <= t->due_ms)
			break;
		heap_put(loop, i, loop->heap[parent]);
	}
	heap_put(loop, i, t);
}

static void
heap_down(struct loop *loop, size_t i)
{
	struct loop_timer *t = loop->heap[i];
	size_t child;

	for (; (child = 2 * i + 1) < loop->ntimers; i = child) {
		if (child + 1 < loop->ntimers &&
		    loop->heap[child + 1]->due_ms < loop->heap[child]->due_ms)
			child++;
		if (t->due_ms <= loop->heap[child]->due_ms)
			break;
		heap_put(loop, i, loop->heap[child]);
	}
	heap_put(loop, i, t);
}

static int
heap_grow(struct loop *loop)
{
	struct loop_timer **heap;

	heap = grow_list(loop->heap, loop->ntimers, &loop->heap_cap,
	    sizeof(*heap));
	if (heap == NULL)
		return (-1);
	loop->heap = heap;
	return (0);
}

int
loop_timer_set(struct loop *loop, struct loop_timer *t, int64_t due_ms,
    void (*cb)(struct loop_timer *), void *arg)
{

	if (t->loop == NULL) {
		if (heap_grow(loop))
			return (-1);
		t->loop = loop;
		heap_put(loop, loop->ntimers++, t);
	}
	t->due_ms = due_ms;
	t->cb = cb;
	t->arg = arg;
	heap_up(loop, t->heap_index);
	heap_down(loop, t->heap_index);
	return (0);
}

void
loop_timer_cancel(struct loop_timer *t)
{
	struct loop *loop = t->loop;
	struct loop_timer *last;

	if (loop == NULL)
		return;
	t->loop = NULL;
	last = loop->heap[--loop->ntimers];
	if (last == t)
		return;
	heap_put(loop, t->heap_index, last);
	heap_up(loop, last->heap_index);
	heap_down(loop, last->heap_index);
}

void
loop_run_timers(struct loop *loop)
{
	struct loop_timer *t;
	size_t n;

	for (n = loop->ntimers; n > 0 && loop->ntimers > 0; n--) {
		t = loop->heap[0];
		if (t->due_ms > loop->now_ms)
			break;
		loop_timer_cancel(t);
		t->cb(t);
	}
}
