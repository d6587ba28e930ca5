#ifndef LEDGER_ID_H_
#define LEDGER_ID_H_

#include <stdint.h>

/**
 * Ledger ids are made by the responder, so that a row can be named before the
 * database has seen it: 41 bits of milliseconds since 2025-01-01, 10 bits of
 * the responder's node number (unique among the living, see the table
 * responder), 12 bits of sequence.  They grow with time and fit a signed
 * 64-bit integer.  One maker a responder, used in the loop alone.
 */
struct ledger_ids {
	int node;		/* 0..1023 */
	int64_t last_ms;	/* never goes back, whatever the clock does */
	int seq;
};

void ledger_ids_init(struct ledger_ids *ids, int node);

/** ledger_ids_next(ids, wall_ms): When 4,096 were made in one millisecond, or
 * the clock stepped back, it counts on from the last one. */
int64_t ledger_ids_next(struct ledger_ids *ids, int64_t wall_ms);

/** Text form, "req_lh_" and 13 characters of Crockford's base 32: what
 * clients see as request-id, logs and `leasehold requests show` use. */
#define LEDGER_ID_SIZE 24
void ledger_id_format(int64_t id, char out[LEDGER_ID_SIZE]);

/** ledger_id_parse(s, id): Also without "req_lh_", or decimal.  0, or -1. */
int ledger_id_parse(const char *s, int64_t *id)
    __attribute__((__warn_unused_result__));

/** ledger_id_created_ms(id): The time in it. */
int64_t ledger_id_created_ms(int64_t id);

/** ledger_id_first(wall_ms): The smallest id of that time; 0 before
 * 2025, the greatest of all beyond 2094. */
int64_t ledger_id_first(int64_t wall_ms);

#endif /* !LEDGER_ID_H_ */
