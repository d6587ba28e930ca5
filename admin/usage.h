#ifndef ADMIN_USAGE_H_
#define ADMIN_USAGE_H_

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdint.h>

#include "periods.h"

struct err;
struct store;
struct zone;

/**
 * Reports of what was used, from the sums by hour and by day.  Each request
 * counts when it came.
 */

/** What a report tells apart. */
enum usage_by {
	USAGE_BY_KEY,
	USAGE_BY_USER,
	USAGE_BY_ACCOUNT,
	USAGE_BY_GROUP,
	USAGE_BY_MODEL,
	USAGE_BY_COUNT
};

/** usage_by_name[by]: As it is asked for, and the member of a row. */
extern const char *const usage_by_name[USAGE_BY_COUNT];

struct usage_query {
	bool by[USAGE_BY_COUNT];
	enum period per;
	const struct zone *zone;
	struct range range;
	/* Of this one alone; NULL: of all. */
	const char *key, *user, *account, *group;
	int64_t key_id;			/* in place of .key; 0: not so */
	const char *model;		/* with '*' */
	bool veiled;			/* that a name is none is not told:
					   nothing was used by it */
};

/** The same as people write it; NULL: as it is by default. */
struct usage_words {
	const char *by;			/* "key,model" */
	const char *per;		/* total */
	const char *from, *to;		/* this month; now */
};

/** usage_read(words, zone, now_ms, q, err): Fill in .by, .per, .zone and
 * .range of ${q}.  0, or -1 with ERR_INVAL. */
int usage_read(const struct usage_words *words, const struct zone *zone,
    int64_t now_ms, struct usage_query *q, struct err *err)
    __attribute__((__warn_unused_result__));

/** usage_csv(out, report, q): The rows of a report, comma-separated. */
void usage_csv(FILE *out, const json_t *report, const struct usage_query *q);

/**
 * usage_report(st, q, err):
 * {"from", "to" (RFC 3339, local), "zone", "per", "rounded": periods are not
 * of whole hours of UTC, "rows": [{"start", "start_ms" and what is told apart,
 * then the sums of rollup_names, "cache_hit_share" (per mille of the tokens
 * that went in), and "ttfb_p50_ms", "ttfb_p95_ms", "duration_p50_ms",
 * "duration_p95_ms" of those that brought a first byte, off by at most 5 % (see
 * ledger/latency.h)}], "total": the same of all}.  Rows stand by
 * time, then dearest first; of periods in which nothing was used there is
 * none.  Names are null where there was no such thing, "#7" where it is gone.
 * A new reference; NULL with ${err}, ERR_NOT_FOUND for a name unless
 * ${q}->veiled.
 */
json_t *usage_report(struct store *st, const struct usage_query *q,
    struct err *err);

#endif /* !ADMIN_USAGE_H_ */
