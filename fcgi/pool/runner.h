#ifndef POOL_RUNNER_H_
#define POOL_RUNNER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/limits.h"
#include "ledger/rollup.h"
#include "store/thread.h"

#include "pool/affinity.h"
#include "pool/backlog.h"
#include "pool/crews.h"
#include "pool/holds.h"
#include "pool/key_use.h"
#include "pool/keys.h"
#include "pool/load.h"
#include "pool/locks.h"
#include "pool/pool.h"
#include "pool/reap.h"
#include "pool/responder.h"
#include "pool/rows.h"
#include "pool/settle.h"
#include "pool/shared.h"
#include "pool/unseal.h"
#include "pool/waiting.h"
#include "pool/windows.h"

struct clock;
struct err;
struct seal;
struct want;

/**
 * What the store thread runs: the operations of the pool, a batch of them in
 * one transaction.  In each batch, in this order: beats; rows of settlements;
 * locks; what settlements and moves give back, which frees slots;
 * cancellations; then all that want a slot, those that wait and those that
 * come, are placed by one rule.  All rows are collected and given to the store
 * set-wise.
 *
 * All that run() changes of the runner's lasting memory is either a hint
 * (load), or found out anew after a rollback (snapshot), or done in ended()
 * once the batch is committed (who waits, who is registered).  So a batch may
 * be run again.  Store thread; a test may call it without one.
 */

enum op_kind {
	OP_ADMIT,
	OP_MOVE,
	OP_SETTLE,
	OP_EXTEND,
	OP_PROVE,
	OP_CANCEL,
	OP_VOID,
	OP_REFRESH_TAKE,
	OP_REFRESH_END,
	OP_OBJECT_PUT,
	OP_OBJECT_SEEN,
	OP_OBJECT_DROP,
	OP_OBJECT_GONE,
	OP_BEAT,
	OP_SIGN_OFF,
	OP_LOOKUP,		/* reads; so do all behind it */
	OP_OBJECT_LIST,
	OP_COUNT
};

/* Waiting requests that one batch turns away; more wait for the next. */
#define LIMIT_REFUSED	(2 * LIMIT_BATCH_OPS)

/* Requests that one batch places: new ones and those that wait. */
#define LIMIT_WANTS	(LIMIT_BATCH_OPS + LIMIT_TICKETS_LOOKED_AT)

/** The client of a waiting request left. */
struct cancel_op {
	struct store_op op;
	int64_t ledger_id;
};

/** A probe came through, and its request goes on. */
struct prove_op {
	struct store_op op;
	int64_t ledger_id;
	int64_t account_id;
	char model[128];
};

/** The outcome of an admission is unknown; nobody will use it. */
struct void_op {
	struct store_op op;
	int64_t ledger_id;
	int64_t key_id;
};

/** The sets of rows of a batch, in the order in which they are sent. */
enum batch_rows {
	ROWS_LEDGER_CLOSE,
	ROWS_ATTEMPT_CLOSE,
	ROWS_LEDGER_EXTEND,
	ROWS_SLOT_RELEASE,
	ROWS_SLOT_TAKE,
	ROWS_LEDGER_OPEN,
	ROWS_LEDGER_ATTEMPT,
	ROWS_ATTEMPT_OPEN,
	ROWS_TICKET_ADD,
	ROWS_TICKET_GRANT,
	ROWS_TICKET_DROP,
	ROWS_TICKET_LAPSE,
	ROWS_HEALTH_PUT,
	ROWS_AFFINITY_PUT,
	ROWS_COUNT
};

/** Operations of one kind in a batch, in their order. */
struct op_list {
	size_t n;
	struct store_op *ops[LIMIT_BATCH_OPS];
};

struct runner {
	struct unseal unseal;
	const struct clock *clock;
	struct shared *shared;
	struct responder self;
	struct seal_pepper pepper;
	struct reaper reaper;
	struct backlog backlog;
	struct waiting waiting;
	struct snapshot *snapshot;	/* what this thread goes by */
	bool snapshot_stale;		/* of a batch that was rolled back */
	bool facts_changed;		/* to be published at commit */
	struct load load;
	struct affinity affinity;

	/* The batch at work. */
	struct store_batch *batch;
	struct store *st;
	int64_t now_ms;			/* wall, the store's */
	int64_t mono_ms;
	int64_t ntickets;		/* rows when it began */
	bool parks_changed;
	struct pool_settings set;
	struct locks locks;
	struct keys keys;
	struct windows windows;
	struct crews crews;
	struct held_rows held;		/* of what is settled or extended */
	struct key_uses uses;
	struct rollups rollups;
	struct rows rows[ROWS_COUNT];
	struct arena arena;		/* what is forgotten with it */
	struct op_list lists[OP_COUNT];
	struct settlements closing;
	struct want *wants;		/* LIMIT_WANTS */
	struct holds *holds;		/* LIMIT_BATCH_OPS */
	struct wakes {
		size_t n;
		int64_t ids[LIMIT_BATCH_OPS];
		char paths[LIMIT_BATCH_OPS][108];
	} wakes;			/* to be sent at commit */
	struct settle_op *refused[LIMIT_REFUSED];
	size_t nrefused;
};

/** runner_new(seal, key_path, clock, shared, err): A reference on ${seal}, read
 * from ${key_path}, is taken; the others are borrowed.  NULL on failure. */
struct runner *runner_new(struct seal *seal, const char *key_path,
    const struct clock *clock, struct shared *shared, struct err *err);

/** runner_spool(rn, dir, bytes): Keep a spool file of ${bytes} in ${dir}
 * (borrowed); before the thread is started.  Without this none is kept. */
void runner_spool(struct runner *rn, const char *dir, int64_t bytes);

/** runner_free(rn): NULL is allowed.  Files of the responder are removed. */
void runner_free(struct runner *rn);

/** runner_bind(rn, out): Fill in what store_thread_start wants. */
void runner_bind(struct runner *rn, struct store_runner *out);

/* ---- for the modules that do the parts ---- */

/** runner_exec(rn, which, err): Send one set of rows.  0, or -1. */
int runner_exec(struct runner *rn, enum batch_rows which, struct err *err)
    __attribute__((__warn_unused_result__));

/** runner_release(rn, lease, ledger_id, key_id): Give a slot back: the row is
 * collected.  runner_released(rn, err): send them. */
void runner_release(struct runner *rn, const struct lease *lease,
    int64_t ledger_id, int64_t key_id);
int runner_released(struct runner *rn, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_RUNNER_H_ */
