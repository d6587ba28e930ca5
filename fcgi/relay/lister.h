#ifndef RELAY_LISTER_H_
#define RELAY_LISTER_H_

struct call;

/**
 * Lists of objects: a page of what the key made, newest first, out of its rows.
 * An upstream's own list would show what all keys made in that account, and of
 * that account alone.  What of the page may have changed since it was last
 * seen (a batch that had not ended) is asked for at its account, several at
 * a time and for LISTER_MS at the most; what does not come in time, or from an
 * account that rests, is shown as it was last seen.
 *
 * The query is that of both generations of the API (Anthropic SDK 0.137 and
 * 1.10): limit, after_id, before_id; page (the next_page of the last answer);
 * ids.  The answer has data, has_more, first_id, last_id, next_page.
 *
 * A list has no row in the ledger, as it takes no account; it is logged.
 */

/* Batches are asked for so many at a time; and for so long in all. */
#define LISTER_FETCHES	8
#define LISTER_MS	10000

/** lister_start(c): In place of admission: the call is in CALL_LIST, or was
 * answered.  lister_leave(c): The client left; ends the call now or soon. */
void lister_start(struct call *c);
void lister_leave(struct call *c);

#endif /* !RELAY_LISTER_H_ */
