#ifndef POOL_HOLDS_H_
#define POOL_HOLDS_H_

#include <stddef.h>
#include <stdint.h>

#include "pool/snapshot.h"

struct arena;
struct err;
struct idlist;
struct store;

/**
 * What requests hold of budgets, as their ledger rows say: while a row is open
 * what is reserved, afterwards what was charged.  The reserve of a budget
 * window is the sum over open rows, its spend that over closed ones.  In the
 * row it is a JSON array of [budget, start of the window, kind, amount], or ''
 * for none.  Store thread.
 */
struct hold {
	int64_t budget_id;
	int64_t start_ms;
	enum budget_kind kind;
	int64_t amount;
};

/** As many as there are; the list, and all that is made below, lies in an
 * arena: of the batch, or of who looks at one row after the other. */
struct holds {
	size_t n;
	struct hold *list;
};

/** holds_copy(to, from, a, err): 0, or -1. */
int holds_copy(struct holds *to, const struct holds *from, struct arena *a,
    struct err *err) __attribute__((__warn_unused_result__));

/** holds_text(h, a, err): As the row has it; NULL: no memory. */
const char *holds_text(const struct holds *h, struct arena *a,
    struct err *err) __attribute__((__warn_unused_result__));

/** holds_parse(h, text, a, err): 1; 0: it is none that was written by
 * holds_text (spaces may be between), and ${h} is empty; -1: no memory. */
int holds_parse(struct holds *h, const char *text, struct arena *a,
    struct err *err) __attribute__((__warn_unused_result__));

/** A ledger row, as the batch found it and left what it holds; it begins with
 * its id, see base/bisect.h. */
struct held_row {
	int64_t ledger_id;
	int64_t state;		/* enum ledger_state */
	int64_t fence;
	int64_t reserved_nusd;
	int64_t body_bytes;
	int64_t extensions;
	int64_t key_id, person_id;
	int64_t account_id, group_id;	/* 0: none (yet) */
	int64_t nusd;			/* 0 while it is open */
	char model[128];		/* as it was asked for */
	char sent_as[128];		/* see the table ledger */
	struct holds holds;
	const char *text;	/* as they are to be written; by who does */
};

struct held_rows {
	struct arena *arena;	/* of the batch; borrowed */
	struct held_row **list;	/* by ledger id */
	size_t n, cap;
};

void held_init(struct held_rows *h, struct arena *a);
void held_reset(struct held_rows *h);
void held_fini(struct held_rows *h);

/**
 * held_fetch(h, st, ids, err):
 * Read those rows of ${ids} that were not read yet in this batch, in one go; on
 * a shared store they are locked.  ${ids} is put in order.  0, or -1.
 */
int held_fetch(struct held_rows *h, struct store *st, struct idlist *ids,
    struct err *err) __attribute__((__warn_unused_result__));

/** held_find(h, ledger_id): Borrow until held_reset; NULL: not read, or not
 * there. */
struct held_row *held_find(const struct held_rows *h, int64_t ledger_id);

#endif /* !POOL_HOLDS_H_ */
