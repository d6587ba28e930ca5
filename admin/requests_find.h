#ifndef ADMIN_REQUESTS_FIND_H_
#define ADMIN_REQUESTS_FIND_H_

#include <stdint.h>

struct err;
struct store;

/**
 * Which rows of the ledger are asked for, newest first.  The ledger has an
 * index by key alone, as each one more costs every request; other filters are
 * applied to rows as they lie, some thousand at a time, and days and hours in
 * which the
 * sums of usage show that there is nothing are left out.  What is rare may take
 * long to be found: with .patience_ms the search rests after that, and tells
 * where to go on.
 */
struct request_want {
	int64_t from_id, below_id;
	int64_t key_id, person_id, account_id;	/* 0: any; so below */
	const char *model;	/* for LIKE, with '!' as its escape */
	const char *outcome;	/* "": any; "open": those under way */
	int64_t status;
	int64_t min_cost_nusd;
	int64_t limit;
	int64_t patience_ms;	/* 0: until it is known */
};

struct request_found {
	int64_t *ids;		/* the caller frees them */
	int64_t n;
	int64_t next_id;	/* older ones than this are still to be looked
				   at; 0: none is */
};

/** requests_find(st, want, found, err): 0, or -1 (nothing is to be freed). */
int requests_find(struct store *st, const struct request_want *want,
    struct request_found *found, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_REQUESTS_FIND_H_ */
