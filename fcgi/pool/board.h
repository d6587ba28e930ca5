#ifndef POOL_BOARD_H_
#define POOL_BOARD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct board;
struct choice;
struct choose_params;

/**
 * What is kept of a table of candidates, so that a choice need not look at all
 * of them: a board for each of the questions that were asked last (for which
 * model, bound to what, ...), on which the candidates play a tournament.  A
 * choice is then the winner, and a candidate that changed plays its few matches
 * again.  What time alone changes (cooldowns, shares, averages) is played again
 * when it is due.  The choice is the one that looking at all would come to.
 *
 * Who changes a candidate says so, by boards_touch or boards_reset.  One thread
 * at a time; a static object of zeros is one without boards.
 */

/* Questions that are remembered. */
#define BOARDS_MAX	8

/* Changes that are; a board that missed more is made anew. */
#define BOARDS_CHANGES	256

struct boards {
	struct board *list[BOARDS_MAX];	/* NULL: none yet */
	uint32_t changed[BOARDS_CHANGES];	/* indices, in a ring */
	uint64_t nchanged;		/* so far */
	uint64_t nreset, nasked;	/* likewise */
};

void boards_fini(struct boards *b);

/** boards_touch(b, index): That candidate has changed. */
void boards_touch(struct boards *b, size_t index);

/** boards_reset(b): All may have, or the table is another. */
void boards_reset(struct boards *b);

/** board_choose(p, trace, out): As choose, for a request that tried no account
 * yet.  false: one has to look at all. */
bool board_choose(const struct choose_params *p, bool trace,
    struct choice *out);

#endif /* !POOL_BOARD_H_ */
