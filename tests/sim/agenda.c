#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#include "sim/agenda.h"

struct agenda_entry {
	int64_t at_ms;
	uint64_t nth;
	void (*what)(void *arg);
	void *arg;
};

void
agenda_init(struct agenda *a, struct clock_fake *clock)
{

	*a = (struct agenda) { .clock = clock };
}

void
agenda_fini(struct agenda *a)
{

	free(a->heap);
}

int64_t
agenda_now(const struct agenda *a)
{

	return (a->clock->wall_ms);
}

static int
before(const struct agenda_entry *x, const struct agenda_entry *y)
{

	return (x->at_ms != y->at_ms ? x->at_ms < y->at_ms :
	    x->nth < y->nth);
}

static void
swap(struct agenda *a, size_t i, size_t j)
{
	struct agenda_entry e = a->heap[i];

	a->heap[i] = a->heap[j];
	a->heap[j] = e;
}

static void
grow(struct agenda *a)
{
	size_t cap = a->cap == 0 ? 1024 : a->cap * 2;
	struct agenda_entry *heap;

	heap = realloc(a->heap, cap * sizeof(*heap));
	if (heap == NULL) {
		fprintf(stderr, "sim: no memory\n");
		exit(1);
	}
	a->heap = heap;
	a->cap = cap;
}

void
agenda_put(struct agenda *a, int64_t after_ms, void (*what)(void *arg),
    void *arg)
{
	size_t i;

	if (a->n == a->cap)
		grow(a);
	i = a->n++;
	a->heap[i] = (struct agenda_entry) {
		.at_ms = agenda_now(a) + (after_ms > 0 ? after_ms : 0),
		.nth = a->count++, .what = what, .arg = arg,
	};
	for (; i > 0 && before(&a->heap[i], &a->heap[(i - 1) / 2]);
	    i = (i - 1) / 2)
		swap(a, i, (i - 1) / 2);
}

static struct agenda_entry
take(struct agenda *a)
{
	struct agenda_entry first = a->heap[0];
	size_t i = 0, least;

	a->heap[0] = a->heap[--a->n];
	for (;;) {
		least = i;
		if (2 * i + 1 < a->n &&
		    before(&a->heap[2 * i + 1], &a->heap[least]))
			least = 2 * i + 1;
		if (2 * i + 2 < a->n &&
		    before(&a->heap[2 * i + 2], &a->heap[least]))
			least = 2 * i + 2;
		if (least == i)
			return (first);
		swap(a, i, least);
		i = least;
	}
}

void
agenda_run(struct agenda *a)
{
	struct agenda_entry e;

	while (a->n > 0) {
		e = take(a);
		clock_fake_advance(a->clock, e.at_ms - agenda_now(a));
		e.what(e.arg);
	}
}
