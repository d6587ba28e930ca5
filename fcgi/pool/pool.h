#ifndef POOL_POOL_H_
#define POOL_POOL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/net.h"
#include "base/seal.h"
#include "ledger/id.h"
#include "ledger/usage.h"
#include "pool/models.h"
#include "pool/share.h"
#include "pool/snapshot.h"
#include "store/thread.h"

struct clock;
struct conf;
struct err;
struct log;
struct loop;
struct model_ask;
struct object_ask;
struct pool;
struct slot;

/**
 * The pool, as the relay sees it: look a key up, be admitted (key, budgets,
 * slot, ledger row and first attempt in one transaction), move to another
 * account, settle.  The loop calls these functions; the work is done in the
 * store thread, and each operation's done callback comes back in the loop.
 * Fields under "in" are set before the call and stay untouched until done;
 * fields under "out" are valid in done.
 */

struct pool_params {
	const struct conf *conf;	/* outlives the pool; reloadable
					   settings may change under way, read
					   by the loop alone: the pool copies
					   what its thread needs at
					   pool_reload */
	struct seal *seal;		/* as read from master_key_file; a
					   reference is taken */
	struct loop *loop;
	struct log *log;
	const struct clock *clock;
	struct slot *slot;		/* counts of the loop, and of the store
					   thread, see metrics/slots.h; may be
					   NULL */
	struct slot *store_slot;
	/** Open requests, for the responder's row. */
	int64_t (*open_requests)(void *arg);
	/** It is known how the database is: usable (and the responder is
	 * registered) or not.  In the loop, at each change; may be NULL. */
	void (*state)(void *arg);
	void *arg;
};

/**
 * pool_start(params, err):
 * Make lock file and wake-up socket under run_dir, start the store thread,
 * register the responder (as soon as the database is there) and beat.  It
 * comes up by itself if the database is down now.  NULL with ${err} for what
 * cannot heal: run_dir not writable.
 */
struct pool *pool_start(const struct pool_params *params, struct err *err);

/** pool_stop(p, timeout_ms): Settle what was submitted, sign off (remove the
 * responder's row), stop.  NULL is allowed. */
void pool_stop(struct pool *p, int64_t timeout_ms);

/** pool_reload(p): The settings were read again. */
void pool_reload(struct pool *p);
void pool_set_draining(struct pool *p);

/** pool_ready(p): Registered, snapshot loaded, database usable (last batch or
 * beat of the last 5 s succeeded).  For admission and /health. */
bool pool_ready(const struct pool *p);

/** pool_next_id(p): An id for a request; 0 while the pool has never been
 * registered (then there is no node number yet). */
int64_t pool_next_id(struct pool *p);

/** pool_snapshot(p): Borrow the newest snapshot until the loop's next turn;
 * NULL before the first. */
struct snapshot *pool_snapshot(struct pool *p);

/* ---- keys ---- */

/** Who calls, as the web server tells it: see pool/rules.h. */
#define CALLER_AGENT_SIZE 128
struct caller {
	struct net_addr addr;
	char agent[CALLER_AGENT_SIZE];	/* User-Agent, cut; "": none */
};

/** A client key as looked up; constant, counted by reference (loop only). */
struct key_info {
	int refs;
	int64_t id;
	unsigned char hash[SEAL_HASH_BYTES];	/* that it was found by */
	int64_t until_ms;		/* its key has a newer secret, and this
					   one works until then, wall; 0: it is
					   the present one */
	char name[128];
	char visible[SEAL_VISIBLE_SIZE];
	char bind_kind[8];		/* pool | group | account */
	int64_t bind_id;
	int64_t concurrency;		/* 0: unlimited */
	char *models;			/* wildcards by comma; "" any */
	char *clients;			/* see pool/rules.h; "" any */
	char *nets;			/* that it is used from; "" any */
	bool enabled;
	int64_t expires_ms;		/* 0: never */
	int64_t drain_ms;		/* so long the upstream goes on when
					   the client leaves; 0: it is cut; -1:
					   as the installation has it */
	int64_t version;		/* of the configuration it was read
					   under */
};

void key_info_unref(struct key_info *k);	/* NULL is allowed */

struct lookup_op {
	struct store_op op;
	/* in */
	unsigned char hash[SEAL_HASH_BYTES];
	void (*done)(struct lookup_op *op, const struct err *err);
	void *arg;
	/* out */
	struct key_info *key;		/* with a reference, or NULL: no such
					   key */
	struct pool *pool;		/* the pool's own */
};

/** pool_pepper(p): For seal_hash; NULL until the database was first read. */
const struct seal_pepper *pool_pepper(const struct pool *p);

/**
 * pool_seal(p): The master keys, as `leasehold rekey' last left them; borrowed
 * until the next call of a function of the pool.
 */
const struct seal *pool_seal(struct pool *p);

/**
 * pool_key_cached(p, hash): A key that was looked up under the present config
 * version, with a reference for the caller, or NULL.  Admission checks the key
 * and its secret again in its transaction, so a stale one does no harm.
 */
struct key_info *pool_key_cached(struct pool *p,
    const unsigned char hash[SEAL_HASH_BYTES]);
void pool_lookup(struct pool *p, struct lookup_op *op);

/** pool_key_known(p, hash): It was a key when it was last looked up here, if
 * it is remembered: no guess. */
bool pool_key_known(const struct pool *p,
    const unsigned char hash[SEAL_HASH_BYTES]);

/* ---- leases ---- */

#define POOL_TRIED_MAX 16

/* Of a whole request: why this account.  JSON, see relay/trace.h. */
#define POOL_TRACE_SIZE 1024

/* A budget with its name and window, amounts and a time fit. */
#define POOL_REASON_SIZE 320

struct lease {
	bool held;
	bool slotted;			/* false: a call that needs no slot */
	struct snapshot *snapshot;	/* reference that keeps account alive */
	const struct account *account;
	int64_t slot_n;
	int64_t slot_fence;
	int attempt;			/* 1 ...: the ledger row's fence */
	bool probe;			/* of a half-open account */
	char model[LIMIT_NAME_BYTES];	/* as it goes upstream; "": the call
					   names none */
	/* the pool's own; goes along from lease to lease of a request */
	int64_t parked;			/* account that this request parked
					   without being told to by a fact; -1:
					   undone */
	char parked_family[POOL_FAMILY_SIZE];
	int64_t session_id;		/* see affinity.h; 0: none */
	char names[MODEL_NAMES_SIZE];	/* that it reserved for; models.h */
	int ntried;			/* accounts given up before this one */
	int64_t tried[POOL_TRIED_MAX];
};

/** lease_drop(l): Give up the references in memory (the slot itself is given
 * back by move or settle). */
void lease_drop(struct lease *l);

/** lease_follow(l, s, a): Its account is ${a} of snapshot ${s} from now on, the
 * same account with newer tokens. */
void lease_follow(struct lease *l, struct snapshot *s,
    const struct account *a);

/** lease_sent_as(l, asked): The model's name as it goes into the row: "" if it
 * is ${asked}, and nothing else was possible. */
const char *lease_sent_as(const struct lease *l, const char *asked);

/* ---- budgets ---- */

/** Usage that what a request holds of its budgets is enough for. */
struct coverage {
	int64_t input_tokens;		/* with those of caches */
	int64_t output_tokens;
};

/* Nothing that it holds can be used up by it. */
#define COVERAGE_ALL							\
	((struct coverage) { INT64_MAX, INT64_MAX })

/** Of all budgets of one kind the one with the least left. */
struct budget_left {
	bool there;			/* there is one */
	int64_t limit, left;		/* left beside this request */
	int64_t renews_ms;		/* when it has more; 0: never */
};

enum admit_verdict {
	ADMIT_LEASED,
	ADMIT_NO_KEY,		/* revoked, disabled or gone meanwhile */
	ADMIT_KEY_EXPIRED,
	ADMIT_MODEL,		/* the key's allow-list has not this model */
	ADMIT_CLIENT,		/* ... nor this kind of client */
	ADMIT_ADDRESS,		/* ... nor its address */
	ADMIT_UNSERVED,		/* no account that the key may use has it on
				   its own */
	ADMIT_BUDGET,		/* used up for good; .budget_* say which */
	ADMIT_BUDGET_RENEWS,	/* used up until .retry_ms */
	ADMIT_BUDGET_HELD,	/* has room once open requests are settled,
				   which give back what they will not need */
	ADMIT_UNPRICED,		/* the model, or a way to serve it, has no price
				   and policy (or a money budget) needs one */
	ADMIT_FEATURE,		/* what it asks for has no bound beforehand, and
				   a money budget needs one */
	ADMIT_OBJECT,		/* it names an object that this key has not */
	ADMIT_APART,		/* objects that cannot be used together */
	ADMIT_QUEUE_FULL,
	ADMIT_QUEUE_TIMEOUT,
	ADMIT_NO_ACCOUNT,	/* none is configured for this key, or none
				   is left to move to */
	ADMIT_PARKED		/* all that would do are parked until
				   .retry_ms */
};

struct admit_op {
	struct store_op op;
	/* in */
	int64_t ledger_id;
	const struct key_info *key;	/* the caller holds a reference */
	const char *kind;		/* "messages", "count_tokens", ... */
	char model[128];		/* as it was asked for; "" where the
					   call names none */
	const struct model_ask *also;	/* what other models the body names (of
					   a batch all); stays the caller's;
					   NULL: none */
	char session[128];		/* "": none */
	struct caller caller;
	char address[NET_ADDR_SIZE];	/* for the ledger row; "": none */
	bool long_cache;		/* it asks for prompt caches that last
					   an hour */
	bool stream;
	bool needs_slot;
	bool billed;			/* reserve on budgets */
	int64_t body_bytes;
	int64_t max_tokens;
	struct price_ask ask;		/* what else may make it dear */
	const char *platform;		/* that accounts must speak; NULL: any;
					   constant */
	struct object_ask *objects;	/* see objects.h; stays the caller's;
					   NULL: it is about none */
	int64_t account_id;		/* no other account will do; 0: any.
					   Set here where .objects are named */
	void (*done)(struct admit_op *op, const struct err *err);
	void *arg;
	/* out */
	enum admit_verdict verdict;
	bool opened;			/* the ledger row exists (also after
					   some refusals while waiting, which
					   close it themselves) */
	struct lease lease;
	int64_t reserved_nusd;
	struct coverage coverage;	/* of a stream: see pool_extend */
	struct budget_left left[BUDGET_KINDS];
	int64_t queue_ms;
	int64_t retry_ms;		/* wall time when it may do; 0:
					   unknown */
	bool heals;			/* what is parked till then may serve
					   again by time alone */
	bool limited;			/* ADMIT_PARKED: for limits upstream,
					   not for failures */
	char reason[POOL_REASON_SIZE];	/* for the client's message */
	char trace[512];		/* JSON array text: who was
					   considered */
	int64_t budget_id;		/* ADMIT_BUDGET, _RENEWS and _HELD: the
					   one that refused */
	int64_t budget_limit, budget_left;	/* in its unit */
	int64_t flags;			/* enum ledger_flag: of its row so far;
					   of a move, of the old attempt */
	/* the pool's own */
	struct pool *pool;
	int64_t submitted_ms;		/* monotonic */
	int64_t give_up_ms;		/* monotonic */
	int attempt;			/* number of the one that is wanted */
	int64_t session_id;		/* see affinity.h; 0: none */
	bool cancelled;			/* by pool_admit_cancel: done gets
					   ERR_CANCELLED */
};

/**
 * pool_admit(p, op):
 * Admit; while slots are short the operation waits (done comes later), up to
 * queue_timeout.  pool_admit_cancel(p, op): the client left; done comes soon,
 * with ERR_CANCELLED, or with a verdict that was reached before (a lease is
 * then to be settled as usual).
 */
void pool_admit(struct pool *p, struct admit_op *op);
void pool_admit_cancel(struct pool *p, struct admit_op *op);

/** How an attempt ended. */
struct attempt_end {
	char outcome[32];		/* ok, rate_limited, connect, ... */
	int status;			/* upstream's HTTP status; 0: none */
	char upstream_id[128];		/* its request-id */
	enum usage_mark mark;
	struct usage usage;
	int64_t first_byte_ms;		/* a stream's, since it was dispatched;
					   0: none, or no stream */
	struct share share;		/* what is left upstream, as stated */
	bool priced;			/* .usage is a sum over many calls
					   that cost .nusd; -1: unpriced */
	int64_t nusd;
};

/** What the end of an attempt says about its account. */
struct park {
	bool wanted;
	char family[POOL_FAMILY_SIZE];	/* "" whole account */
	char reason[32];
	char detail[128];
	bool stated;			/* the upstream said until when ... */
	bool fact;			/* ... and that it is the account's own
					   limit that is used up, which no
					   request can be blamed for */
	bool soft;			/* it may be over at any moment, see
					   breaker.h */
	int64_t until_ms;		/* stated: wall; else 0: the pool
					   computes default and back-off */
	int64_t base_ms;		/* not stated: the default */
};

/**
 * pool_prove(p, ledger_id, lease, model):
 * The attempt on ${lease}, a probe, came through, though it goes on: its
 * account may serve others as well.  Without memory its settlement tells.
 */
void pool_prove(struct pool *p, int64_t ledger_id, const struct lease *lease,
    const char *model);

/**
 * pool_move(p, op):
 * The attempt on ${lease} failed and the request wants another account: close
 * the attempt, park the account when wanted (one request parks at most one
 * account: the second park that is no fact undoes the first instead), give
 * the slot back, lease a slot of an account not yet tried, write the new
 * attempt row.
 * Waits like admission when all are busy.  Uses the struct of admission; the
 * verdicts are ADMIT_LEASED, ADMIT_NO_ACCOUNT, ADMIT_PARKED,
 * ADMIT_QUEUE_FULL/_TIMEOUT.  After a verdict other than ADMIT_LEASED, and
 * after ERR_CANCELLED, the request is still to be settled (without lease);
 * after another error nothing has changed, and the old lease is to be settled.
 */
struct move_op {
	struct admit_op admit;		/* in: all fields as for admission;
					   admit.done is called */
	/* in */
	struct lease lease;		/* the old one */
	struct attempt_end end;
	struct park park;
	bool again;			/* the same account will do, too */
	bool undo_park;			/* decided by the pool; out */
	int64_t deadline_ms;		/* monotonic: wait no longer */
};
void pool_move(struct pool *p, struct move_op *op);

/**
 * More for a stream.  Its admission reserved a first slice of output on elastic
 * budgets; .coverage says up to which usage that does.  Before it is used up
 * the stream asks for more.
 */
struct extend_op {
	struct store_op op;
	/* in */
	int64_t ledger_id;
	int attempt;			/* of its lease */
	int nth;			/* its number: 1, 2, ...; what failed is
					   asked for again under the same */
	char platform[32];		/* of its account */
	char model[128];		/* as it went upstream */
	int64_t body_bytes;		/* the last four as in admission */
	int64_t max_tokens;
	struct price_ask ask;
	struct usage so_far;		/* input 0: not known yet */
	void (*done)(struct extend_op *op, const struct err *err);
	void *arg;
	/* out */
	bool granted;			/* false: a budget has no more */
	struct coverage coverage;
	int64_t reserved_nusd;
	int64_t retry_ms;		/* when it has; 0: never, or unknown */
	int64_t budget_id;		/* that refused */
	char reason[POOL_REASON_SIZE];
	struct pool *pool;		/* the pool's own */
	bool again;
};

/**
 * pool_extend(p, op):
 * Raise what the request holds of its elastic budgets so that it covers what
 * was used so far and one slice of output (reserve_slice_tokens) more; on all
 * or on none.  What it holds is raised to an amount, not by one, so an
 * operation whose outcome is not known (ERR_STORE_UNKNOWN) can be sent again;
 * the pool does so once.  After an error what was covered is covered still, or
 * more.  One that was reaped meanwhile is charged what is more at once, as the
 * rest of it was; one that is settled is granted what its budgets have room
 * for, and nothing is reserved.
 */
void pool_extend(struct pool *p, struct extend_op *op);

/** The end of a request. */
struct settle_op {
	struct store_op op;		/* .must is set by the pool */
	/* in */
	int64_t ledger_id;
	int64_t key_id;
	int attempts;			/* the last attempt's number; 0: none */
	struct lease lease;		/* .held false: none (any more) */
	struct attempt_end end;		/* of the last attempt, if lease.held */
	struct park park;
	bool success;			/* the account did well: its strikes are
					   forgotten */
	char model[128];		/* as it went upstream last */
	int64_t max_tokens;		/* as in admission; they bound what */
	bool repeats;			/* usage may be true (price_ask) */
	char outcome[32];
	int status;
	int64_t reserved_nusd;
	int64_t queue_ms, first_byte_ms, total_ms, answer_bytes;
	char trace[POOL_TRACE_SIZE];
	int64_t flags;			/* enum ledger_flag that are known */
	char disconnect[16];		/* "", cut, drained, drain_expired */
	int64_t batch_id;		/* row of the batch that .end.usage is
					   of, if it was not counted before;
					   0: none */
	void (*done)(struct settle_op *op, const struct err *err);
	void *arg;
	/* out */
	int64_t cost_nusd;		/* -1: unpriced */
	int64_t overrun_nusd;		/* charged beyond what was reserved */
	bool late;			/* the row had been reaped: corrected */
	struct pool *pool;		/* the pool's own */
};

/**
 * pool_settle(p, op):
 * Close the ledger row and its last attempt, turn the reservation into spend,
 * free the slot and grant it to the next in line.  Kept until the database
 * takes it, or until it is on disk (op.spooled; the fields under "out" are
 * not set then), from where it is replayed later, if need be by another
 * process.  The mark of the row is that of the last attempt; usage of earlier
 * attempts that may have been billed is added up.
 */
void pool_settle(struct pool *p, struct settle_op *op);

/* ---- numbers, for logs and metrics; loop only ---- */

struct pool_stats {
	int64_t responder_id;
	int64_t waiting;		/* this process's waiting requests */
	struct store_thread_stats store;
};
void pool_stats(struct pool *p, struct pool_stats *st);

#endif /* !POOL_POOL_H_ */
