#ifndef TESTS_POOL_RIG_H_
#define TESTS_POOL_RIG_H_

#include "cmocka_all.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/seal.h"
#include "pool/pool.h"
#include "pool/runner.h"
#include "store/raw.h"
#include "store/store.h"

/**
 * A database in a folder of its own and any number of runners on it, called
 * without a thread: what store_submit would do is done by proc_run, which
 * returns when the batch is committed.  Failures end the test.
 */

struct rig {
	char dir[64];
	char url[RAW_URL_SIZE];
	char key_path[96];
	struct seal *seal;
	struct clock_fake clock;
	bool timed;			/* its wall time is the database's, too
					   (SQLite) */
	struct store *st;		/* for what the test looks at */
	struct key_info keys[16];	/* as looked up; by add_key */
	size_t nkeys;
};

struct proc {
	struct rig *rig;
	struct store *st;
	struct shared shared;
	struct runner *runner;
	struct store_runner calls;
	struct ledger_ids ids;
	struct store_op *posted[1024];	/* done, oldest first */
	size_t nposted;
	int fail_times;			/* batches to roll back at their end */
	int reruns;			/* batches that met others */
	bool hard_times;		/* whatever fails in a batch, it is
					   rolled back and run again */
};

/** rig_setup(state), rig_setup_timed(state): For cmocka; 0.  The second is
 * timed, and flushes each commit as an installation does. */
int rig_setup(void **state);
int rig_setup_timed(void **state);
int rig_teardown(void **state);

struct proc *proc_new(struct rig *r);
void proc_free(struct proc *p);

/** proc_die(p): As kill -9: nothing is signed off; the lock is let go, the
 * files stay. */
void proc_die(struct proc *p);

/** proc_run(p, ops, n): One batch. */
void proc_run(struct proc *p, struct store_op **ops, size_t n);
void proc_run1(struct proc *p, struct store_op *op);

/** proc_fail1(p, op): Run a batch of it that is to fail by itself, once. */
void proc_fail1(struct proc *p, struct store_op *op);
void proc_poll(struct proc *p);
void proc_beat(struct proc *p);

/** proc_posted(p, op): Was it answered? */
bool proc_posted(const struct proc *p, const struct store_op *op);

int64_t rig_account(struct rig *r, const char *name, int64_t group,
    int64_t concurrency);
int64_t rig_group(struct rig *r, const char *name, const char *strategy);
struct key_info *rig_key(struct rig *r, const char *name,
    const char *bind_kind, int64_t bind_id, int64_t concurrency);
int64_t rig_budget(struct rig *r, int64_t key_id, int64_t limit_nusd);
void rig_price(struct rig *r, const char *pattern, int64_t nusd_mtok);

/** rig_many(r, n): An account, a key, and budgets 1 to ${n} ("b1" ...): half of
 * them on the key, a quarter each on its user and its group; of all kinds in
 * turn, every other one strict, by day, rolling or in total.  The key. */
struct key_info *rig_many(struct rig *r, int n);

/** rig_sql(r, sql): Run it.  rig_int(r, sql): The first column of its first
 * row. */
void rig_sql(struct rig *r, const char *sql);
int64_t rig_int(struct rig *r, const char *sql);
const char *rig_text(struct rig *r, const char *sql);

/** admit_make: A messages call of ${key}; settle_make: its good end, with 10
 * tokens in, 20 out. */
struct admit_op *admit_make(struct proc *p, struct key_info *key);
struct settle_op *settle_make(struct proc *p, struct admit_op *op);
struct move_op *move_make(struct proc *p, struct admit_op *op,
    const char *reason);

/** admit_now, admit_stream: Make and run one.  finish: settle it well and free
 * it; drop: free it unsettled. */
struct admit_op *admit_now(struct proc *p, struct key_info *key);
struct admit_op *admit_stream(struct proc *p, struct key_info *key);
void finish(struct proc *p, struct admit_op *op);
void drop(struct admit_op *op);

/** rig_balance(r, note): Do ledger, slots, tickets, budgets and sums agree?  Of
 * budgets there is one, on the first key. */
void rig_balance(struct rig *r, const char *note);

/** slots_held(r): Rows of slots that are leased. */
int64_t slots_held(struct rig *r);

/** rig_budgeted(r): An account of four slots, and a key with a budget of money;
 * a call reserves 2000 and costs 30. */
struct key_info *rig_budgeted(struct rig *r);

/** rig_two_models(r): A token of "cheap" costs 1 nano-dollar, of "dear" 10; two
 * accounts, and a key. */
struct key_info *rig_two_models(struct rig *r);

/** rig_change(r, sql): A change of the configuration, of which all are told. */
void rig_change(struct rig *r, const char *sql);

/** rig_alias(r, scope, id, pattern, target): A model's other name for "group"
 * or "account" ${id}; one of that pattern goes. */
void rig_alias(struct rig *r, const char *scope, int64_t id,
    const char *pattern, const char *target);

#endif /* !TESTS_POOL_RIG_H_ */
