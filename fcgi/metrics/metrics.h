#ifndef METRICS_METRICS_H_
#define METRICS_METRICS_H_

#include <stddef.h>
#include <stdint.h>

/**
 * What is counted, in one table: it is what GET /metrics says, what the file
 * of the counters is laid out by (slots.h) and what the man page lists.
 *
 * A series is a metric with a value for each of its labels.  It goes by a
 * number, and a label's value by its place in the list of its domain, so that
 * nothing that a client sends becomes a label: what is not in the list is
 * "other".  A histogram has a number for each of its buckets and its sum.
 *
 *	63     56 55     44 43     32 31     20 19      8 7       0
 *	| metric | label 1 | label 2 | label 3 | label 4 | bucket  |
 */
enum metric {
	METRIC_NONE,
	METRIC_REQUESTS,
	METRIC_ATTEMPTS,
	METRIC_FAILOVERS,
	METRIC_REFUSALS,
	METRIC_BUDGET_REFUSALS,
	METRIC_PARKS,
	METRIC_REFRESHES,
	METRIC_COST,
	METRIC_SPOOLED,
	METRIC_STORE_RETRIES,
	METRIC_STORE_FAILURES,
	METRIC_TOKENS,
	METRIC_DURATION,
	METRIC_FIRST_TOKEN,
	METRIC_OUTPUT_TOKEN,
	METRIC_QUEUE_WAIT,
	METRIC_COMMIT,
	METRIC_BATCH,
	METRIC_PROCESSES,
	METRIC_PROCESS_START,
	METRIC_PROCESS_MEMORY,
	METRIC_PROCESS_REQUESTS,
	METRIC_PROCESS_CONNECTIONS,
	METRIC_PROCESS_WAITING,
	METRIC_DATABASE_UP,
	METRIC_LEASES,
	METRIC_SLOTS,
	METRIC_ACCOUNTS,
	METRIC_COOLDOWNS,
	METRIC_QUEUE,
	METRIC_QUEUE_OLDEST,
	METRIC_SPOOL_FILES,
	METRIC_SPOOL_RECORDS,
	METRIC_SPOOL_REFUSED,
	METRIC_DROPPED,
	METRIC_FREE,
	METRIC_BUILD,
	NMETRICS
};

enum metric_kind {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM
};

/** Where label values come from. */
enum domain {
	DOMAIN_NONE,		/* the label is not there */
	DOMAIN_NUMBER,		/* as it is */
	DOMAIN_ROUTE,
	DOMAIN_PLATFORM,
	DOMAIN_FAMILY,		/* of models */
	DOMAIN_OUTCOME,		/* of an attempt, or why an account rests */
	DOMAIN_REFUSAL,
	DOMAIN_BUDGET,		/* how a budget refused */
	DOMAIN_REFRESH,
	DOMAIN_OPERATION,	/* these three: as OpenTelemetry has them */
	DOMAIN_PROVIDER,
	DOMAIN_TOKEN,
	DOMAIN_RESPONDER,	/* kind of one */
	DOMAIN_QUEUE,
	DOMAIN_ACCOUNT,
	DOMAIN_VERSION,
	NDOMAINS
};

#define METRIC_LABELS	4

/* The bucket's number that stands for the sum, of a histogram. */
#define METRIC_SUM	255

struct metric_info {
	const char *name;
	const char *help;
	enum metric_kind kind;
	struct metric_label {
		const char *name;
		enum domain domain;
	} labels[METRIC_LABELS];
	int64_t unit;		/* so many are 1 of what the name says; 0: 1 */
	const int64_t *bounds;	/* of buckets, rising, in these units */
	size_t nbounds;
};

/** metric_info(m): Borrow the table's row. */
const struct metric_info *metric_info(enum metric m);

/** domain_find(d, word): A label's value; that of "other" if it is not known.
 * domain_word(d, i): The word; NULL: there is no such one. */
unsigned int domain_find(enum domain d, const char *word);
const char *domain_word(enum domain d, unsigned int i);

/** metric_family(model): Of a model by whatever name, in DOMAIN_FAMILY; "":
 * none is named. */
unsigned int metric_family(const char *model);

/** metric_series(m, a, b, c, d): Its number; labels that it does not have are
 * 0.  series_*: The parts of one. */
static inline uint64_t
metric_series(enum metric m, unsigned int a, unsigned int b, unsigned int c,
    unsigned int d)
{

	return ((uint64_t)m << 56 | (uint64_t)(a & 0xfff) << 44 |
	    (uint64_t)(b & 0xfff) << 32 | (uint64_t)(c & 0xfff) << 20 |
	    (uint64_t)(d & 0xfff) << 8);
}

static inline unsigned int
series_metric(uint64_t key)
{

	return ((unsigned int)(key >> 56));
}

static inline unsigned int
series_label(uint64_t key, unsigned int i)
{

	return ((unsigned int)(key >> (44 - 12 * i)) & 0xfff);
}

static inline unsigned int
series_bucket(uint64_t key)
{

	return ((unsigned int)key & 0xff);
}

/** metric_bucket(m, v): The number of the bucket that ${v} falls into. */
unsigned int metric_bucket(enum metric m, int64_t v);

/** metrics_print(): A number made of all that gives series their numbers: files
 * with another are not this program's. */
uint32_t metrics_print(void);

#endif /* !METRICS_METRICS_H_ */
