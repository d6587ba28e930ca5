#ifndef POOL_SNAPSHOT_H_
#define POOL_SNAPSHOT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/price.h"
#include "ledger/window.h"

struct err;
struct seal;
struct store;

/**
 * What the scheduler knows: accounts, groups, cooldowns and prices, read from
 * the database in one go under a version (meta.config_version).  Constant once
 * made, counted by reference (atomically), shared between the store thread
 * and the loop.  Any thread.
 */

#define POOL_FAMILY_SIZE 32

struct cooldown {
	char family[POOL_FAMILY_SIZE];	/* "": the whole account */
	char reason[32];
	int64_t since_ms, until_ms;	/* wall */
	int64_t cause_id;
	int64_t observed_ms;
	int strikes;
	bool stated;
	bool soft;			/* see breaker.h */
};

enum credential_kind {
	CREDENTIAL_API_KEY,	/* x-api-key */
	CREDENTIAL_BEARER	/* Authorization: Bearer */
};

/** How an account's tokens are renewed; see the table account_oauth. */
struct oauth {
	char *token_url;
	char *client_id;
	bool json;			/* what is sent there is JSON, else a
					   form */
	bool signed_in;
	int64_t rotation;		/* of the tokens; grows */
	int64_t expires_ms;		/* wall; 0: not stated */
	int64_t renew_ms;		/* wall; 0: never */
};

/** Another name for a model; see models.h. */
struct alias {
	char *pattern;			/* with '*' */
	char *target;
};

struct group;

struct account {
	/* what the choice looks at, of each */
	int64_t id;
	int64_t group_id;		/* 0: none */
	char *secret;			/* in clear; wiped with the snapshot;
					   NULL: it, or the proxy, could not be
					   unsealed */
	int priority;			/* smaller goes first */
	int weight;
	int concurrency;
	bool enabled;
	int likeness;			/* as another's: see account_alike */
	size_t ncooldowns;
	struct cooldown *cooldowns;
	struct alias *aliases;		/* as they are to be tried */
	size_t naliases;
	char *models;			/* that it serves: wildcards by comma,
					   of names as they go upstream; NULL:
					   any */
	char platform[32];
	/* the rest */
	char name[128];
	char *base_url;			/* no trailing slash */
	enum credential_kind credential;
	size_t secret_len;
	char *proxy;			/* with its password in clear; wiped
					   likewise; NULL: none */
	size_t proxy_len;
	struct oauth *oauth;		/* NULL: its secret is for good */
	const struct group *group;	/* of the snapshot; NULL: none */
	char auth_header[64];		/* lower case; "": as .credential
					   has it */
};

struct group {
	int64_t id;
	char name[128];
	char strategy[32];
	int64_t concurrency;	/* of the keys bound to it; 0: unlimited */
	struct alias *aliases;	/* as they are to be tried */
	size_t naliases;
};

/** What a budget counts; the numbers stand in ledger rows (holds). */
enum budget_kind {
	BUDGET_MONEY,			/* nano-dollars */
	BUDGET_TOKENS,			/* all */
	BUDGET_INPUT,			/* with reads and writes of caches */
	BUDGET_OUTPUT,
	BUDGET_REQUESTS,
	BUDGET_KINDS
};

/** budget_kind_name(kind): As the schema has it. */
const char *budget_kind_name(enum budget_kind kind);

/** A limit; see the table budget. */
struct budget_rule {
	int64_t id;
	char name[161];
	char scope[8];			/* key | person | group */
	int64_t scope_id;
	enum budget_kind kind;
	struct window_rule window;	/* .zone is of the snapshot; NULL: it is
					   not known on this machine */
	char *models;			/* wildcards by comma; NULL: any */
	bool strict;			/* reserves the worst case */
	int64_t limit;
};

struct snapshot {
	int refs;			/* atomic; private */
	int64_t version;
	struct account *accounts;	/* by id, ascending */
	size_t naccounts;
	size_t nshut;			/* accounts without their secret */
	struct account **examples;	/* of each likeness the first
					   that can serve; by id */
	size_t nexamples;
	struct group *groups;		/* by id, ascending */
	size_t ngroups;
	struct budget_rule *budgets;	/* enabled; by scope, its id, id */
	bool names_models;		/* not all accounts serve whatever is
					   asked for, under that name, on
					   platform claude */
	size_t nbudgets;
	bool counts_tokens;		/* one of them does */
	const struct budget_rule **budgets_by_id;	/* the same */
	struct zone **zones;		/* of the budgets; each once */
	size_t nzones;
	struct price_list prices;
};

/**
 * snapshot_load(st, seal, err):
 * Read it all, with one reference for the caller.  On the thread that owns
 * ${st}; consistent when called inside a transaction.  An account whose secret
 * cannot be unsealed is there with .secret NULL.
 */
struct snapshot *snapshot_load(struct store *st, const struct seal *seal,
    struct err *err);

struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);	/* NULL is allowed */

/** snapshot_account(s, id): Borrow, or NULL.  Binary search. */
const struct account *snapshot_account(const struct snapshot *s, int64_t id);
const struct group *snapshot_group(const struct snapshot *s, int64_t id);
const struct budget_rule *snapshot_budget(const struct snapshot *s,
    int64_t id);

/**
 * model_family(model, out): "opus", "sonnet", "haiku", ... for Claude models
 * (the unified rate limits are stated per family), else the model's name up to
 * its first digit; cut to fit.
 */
void model_family(const char *model, char out[POOL_FAMILY_SIZE]);

#endif /* !POOL_SNAPSHOT_H_ */
