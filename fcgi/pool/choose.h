#ifndef POOL_CHOOSE_H_
#define POOL_CHOOSE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/breaker.h"
#include "pool/health.h"
#include "pool/models.h"
#include "pool/snapshot.h"

/**
 * Which account serves a request: a pure function over a table of accounts.
 * Those that cannot serve are passed over; of the rest the smallest priority
 * goes first, those of which nearly nothing is left upstream last; then the
 * strategy decides, then the one that is behind its share, then the smaller
 * id.  The account of the request's session goes before all.
 *
 * One whose breaker is half-open takes part, as long as nobody probes it; one
 * that is open softly takes part where nothing else is left, whatever it is
 * that the others lack but time: so no failure that may be over at any moment
 * takes out the last account.  Any thread, one at a time on one table.
 */

/** An account with what the caller knows of its load. */
struct candidate {
	const struct account *account;
	int64_t in_use;		/* slots taken */
	int64_t pass;		/* grows by 1/weight with each lease: who has
				   the smallest is behind its share.  Starts
				   at 0, kept by the caller, see choice.pass */
	int64_t turn;		/* when it was last chosen, by a count that
				   the caller keeps */
	struct health health;
	int64_t probed_until_ms;	/* another request is known to probe it
					   till then, wall */
	/* choose's own, of its last call without boards */
	int why;
	int64_t stride;
};

struct boards;

struct choose_params {
	struct candidate *candidates;
	size_t n;
	struct boards *boards;	/* what is kept of this table, which is in order
				   of id; see board.h.  NULL: each choice looks
				   at all */
	const char *strategy;	/* NULL or unknown: weighted */
	const char *bind_kind;	/* pool | group | account */
	int64_t bind_id;
	const char *platform;	/* that the request speaks; NULL: any */
	const char *family;	/* of the model asked for; "": none */
	const char *model;	/* that is asked for; NULL: all accounts serve
				   it as such */
	const char *names;	/* it may go upstream as, see models.h; with
				   .model */
	const int64_t *tried;	/* accounts that failed this request */
	size_t ntried;
	bool needs_slot;	/* else a full account will do */
	int64_t home;		/* account of its session, which it is to have
				   if that is fit; 0: none ... */
	bool patient;		/* ... and waits for if it is busy */
	int64_t now_ms;		/* wall */
};

enum choice_result {
	CHOICE_PICKED,
	CHOICE_BUSY,		/* one or more would do but are full */
	CHOICE_PARKED,		/* all that would do are parked */
	CHOICE_NONE		/* none would do, whenever: see the counts */
};

/** What became of the session's account. */
enum choice_home {
	CHOICE_HOME_NONE,	/* it has none */
	CHOICE_HOME_KEPT,
	CHOICE_HOME_AWAITED,	/* CHOICE_BUSY, though others may be free */
	CHOICE_HOME_LEFT	/* it is busy, parked, tried, ... */
};

#define CHOICE_TRACE_SIZE 512

struct choice {
	enum choice_result result;
	size_t index;		/* CHOICE_PICKED: of the candidate ... */
	int64_t pass;		/* ... and its pass after this lease */
	bool probe;		/* CHOICE_PICKED: as a probe */
	int resting;		/* unless one was picked: that are parked, also
				   if they were tried */
	int64_t free_ms;	/* when the first of them may be asked again,
				   wall; 0: there is none ... */
	bool heals;		/* ... by when it may serve: those that time
				   alone heals come before others ... */
	const struct cooldown *cooldown;	/* ... and its cooldown;
				   borrowed */
	enum choice_home home;
	int bound;		/* accounts that the key may use */
	int unserved;		/* ... that do not serve the model */
	int usable;		/* ... enabled, of the platform, unsealed */
	int tried, parked, busy;	/* of the usable ones ... */
	int probed;			/* ... by others, which may free them */
	char trace[CHOICE_TRACE_SIZE];	/* JSON array: who was considered */
};

/** choose(p, trace, out): See above; the trace is made only with ${trace}. */
void choose(const struct choose_params *p, bool trace, struct choice *out);

/**
 * choose_why(c): In one word why ${c} was passed over by the choice that was
 * made last, by looking at all: unbound, platform, disabled, sealed, model (it
 * does not serve it), unreserved (the request did not reserve for what the
 * model is called there), tried, parked, probed (by another), busy; or "fit",
 * or "probe" (fit, as a probe).
 * choose_first(p, a, b): what puts ${a} before ${b}, if both are fit:
 * "priority", "spent" (nearly nothing is left of the limits of ${b}), or
 * "strategy".
 */
const char *choose_why(const struct candidate *c);
const char *choose_first(const struct choose_params *p,
    const struct candidate *a, const struct candidate *b);

/** choose_knows(strategy): Is it implemented?  choose_strategy(i): Name of the
 * i-th of those that are, the default first; NULL beyond the last. */
bool choose_knows(const char *strategy);
const char *choose_strategy(size_t i);

/** choose_breaker(p, a, why): breaker_of, by what the model is called there. */
enum breaker choose_breaker(const struct choose_params *p,
    const struct account *a, const struct cooldown **why);

/** choose_bound(a, bind_kind, bind_id): May such a key use ${a}? */
bool choose_bound(const struct account *a, const char *bind_kind,
    int64_t bind_id);

#endif /* !POOL_CHOOSE_H_ */
