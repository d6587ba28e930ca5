#ifndef POOL_CHOOSE_INTERNAL_H_
#define POOL_CHOOSE_INTERNAL_H_

#include "pool/choose.h"

/**
 * The parts of a choice, which choose.c makes by looking at all accounts, and
 * board.c from what it keeps of them.
 */

/* Why an account is passed over, in the words of the trace. */
enum why {
	WHY_FIT,
	WHY_PROBE,		/* fit, as a probe */
	WHY_UNBOUND,		/* not in the trace */
	WHY_PLATFORM,
	WHY_DISABLED,
	WHY_SEALED,
	WHY_MODEL,
	WHY_UNRESERVED,
	WHY_TRIED,
	WHY_PARKED,
	WHY_SOFT,		/* parked, if others are left */
	WHY_PROBED,		/* by another */
	WHY_BUSY,
	WHY_COUNT
};

/** What all that fit have in common. */
struct choose_field {
	int64_t now_ms;
	int64_t pass;		/* of the foremost */
	int64_t stride;		/* the longest */
	int64_t best_ms;	/* shortest time to a first byte; 0: none is
				   known */
	int weight;		/* of the last account that was looked at ... */
	int64_t usual;		/* ... and its stride, as a rule */
	const struct account *like;	/* what was said of platform and model
					   of it ... */
	int like_why;		/* ... holds for all that are alike */
};

/** Strategies give a score to a candidate that fits; the smallest wins. */
struct strategy {
	const char *name;
	int64_t (*score)(const struct candidate *c, int64_t stride,
	    int64_t pass, const struct choose_field *f);
	bool by_best;		/* it goes by .best_ms, and by health */
};

/** A candidate as it is compared with others. */
struct rank {
	const struct candidate *c;	/* NULL: none yet */
	int64_t pass, score;
	int priority;
	bool spent;
};

/** Why the i-th candidate is passed over. */
typedef enum why choose_why_of(const void *arg, size_t i);

/** choose_is_fit(why). */
bool choose_is_fit(enum why why);

/** choose_strategy_of(p): Of that name, or the default. */
const struct strategy *choose_strategy_of(const struct choose_params *p);

/** choose_judge(p, c, f): May ${c} serve?  Notes in ${f} what it found out. */
enum why choose_judge(const struct choose_params *p,
    const struct candidate *c, struct choose_field *f);

/** choose_count(why, n, out): ${n} more that are passed over for it. */
void choose_count(enum why why, int n, struct choice *out);

/** choose_note_park(p, c, why, out): If ${c} is parked: may it be asked before
 * the others, and then serve? */
void choose_note_park(const struct choose_params *p,
    const struct candidate *c, enum why why, struct choice *out);

/** choose_stride(c, f): Of an account of which much would reset unused it is
 * smaller. */
int64_t choose_stride(const struct candidate *c, struct choose_field *f);

/**
 * choose_least_pass(f):
 * An account that was away does not get all at once what it missed: its pass is
 * brought up to this, at most one stride behind the foremost.
 */
int64_t choose_least_pass(const struct choose_field *f);

/** choose_better(a, b): Does ${a} go first? */
bool choose_better(const struct rank *a, const struct rank *b);

/** choose_result(fit, out): With ${fit} that are fit, and the counts. */
enum choice_result choose_result(int fit, const struct choice *out);

/** choose_by_id(p, id): NULL: none, or ${id} is 0.  The table is in order. */
const struct candidate *choose_by_id(const struct choose_params *p,
    int64_t id);

/**
 * choose_trace(p, home, why_of, arg, out):
 * Who was considered: the picked one first, then the session's, then others as
 * far as there is room.
 */
void choose_trace(const struct choose_params *p,
    const struct candidate *home, choose_why_of *why_of, const void *arg,
    struct choice *out);

/** choose_word(why): As the trace has it. */
const char *choose_word(enum why why);

#endif /* !POOL_CHOOSE_INTERNAL_H_ */
