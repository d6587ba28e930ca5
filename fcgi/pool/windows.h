#ifndef POOL_WINDOWS_H_
#define POOL_WINDOWS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct budget_rule;
struct err;
struct idlist;
struct store;
struct window_span;

/**
 * The budget windows that one batch touches: each is read once, changed in
 * memory, and written once.  Store thread.
 *
 * A rolling budget has a row for each of its buckets.  Where others write in
 * the middle of a batch, who is about to charge it more locks a row of its own
 * first, the gate, so that the sum over the buckets stays as it was read;
 * settlements, which give back, go by.
 */

/* Where the gate of a rolling budget stands: no bucket begins then. */
#define WINDOW_GATE_MS	(-1)

struct window {
	int64_t budget_id;
	int64_t start_ms;
	int64_t spent, reserved;
	int64_t spent_was, reserved_was;	/* as read */
	bool exists;		/* as a row */
	bool changed;
};

/** The buckets of a rolling budget, as they were read. */
struct buckets {
	int64_t budget_id;
	int64_t first_ms, last_ms;
	int64_t spent, reserved;
	int64_t oldest_ms;	/* start of the first that is not empty;
				   INT64_MAX: none */
};

struct windows {
	struct arena *arena;	/* of the batch; borrowed */
	struct window **list;	/* by budget id, start */
	size_t n, cap;
	struct buckets *buckets;
	size_t nbuckets, buckets_cap;
};

/** What a budget has used, in the window of a time. */
struct window_use {
	int64_t spent, reserved;
	int64_t renews_ms;	/* when it has room again, or, if it is rolling,
				   begins to have more; INT64_MAX: never */
};

void windows_init(struct windows *w, struct arena *a);
void windows_reset(struct windows *w);
void windows_fini(struct windows *w);

/** windows_want(r, span, out): Put the rows that have to be locked before
 * ${r} is charged more in that window into ${out}, as pairs. */
void windows_want(const struct budget_rule *r, const struct window_span *span,
    struct idlist *out);

/** windows_fetch(w, st, pairs, err): On a shared store: lock and read those,
 * in order, which ${pairs} is put in.  0, or -1. */
int windows_fetch(struct windows *w, struct store *st, struct idlist *pairs,
    struct err *err) __attribute__((__warn_unused_result__));

/** windows_use(w, st, r, span, use, err): How far the budget is used.  0, or
 * -1. */
int windows_use(struct windows *w, struct store *st,
    const struct budget_rule *r, const struct window_span *span,
    struct window_use *use, struct err *err)
    __attribute__((__warn_unused_result__));

/** windows_add(w, st, budget_id, start_ms, spent, reserved, err): Change a
 * window by so much; neither falls below 0.  0, or -1. */
int windows_add(struct windows *w, struct store *st, int64_t budget_id,
    int64_t start_ms, int64_t spent, int64_t reserved, struct err *err)
    __attribute__((__warn_unused_result__));

/** windows_take_back(w, budget_id, start_ms, reserved): Of what was reserved in
 * this batch. */
void windows_take_back(struct windows *w, int64_t budget_id, int64_t start_ms,
    int64_t reserved);

/** windows_write(w, st, err): Write what changed, in order.  0, or -1. */
int windows_write(struct windows *w, struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_WINDOWS_H_ */
