#ifndef ADMIN_EVENT_STATE_H_
#define ADMIN_EVENT_STATE_H_

struct err;
struct event_state;
struct store;

/**
 * What GET /api/v1/events tells of the pool, as one JSON object: "now_ms",
 * "open_requests", "queue" {"waiting"}, "accounts" (what of them changes by
 * itself: leases, state, cooldowns) and "totals", the sums of what was used in
 * the last 24 hours, from whole hours on.
 *
 * It is read often, so hours that are over are summed up once a minute alone.
 * One thread at a time.
 */

/** event_state_new(): NULL without memory.  free takes NULL. */
struct event_state *event_state_new(void);
void event_state_free(struct event_state *s);

/**
 * event_state_read(s, st, err):
 * 1: something is not as it was at the last read (now_ms apart); 0: all is;
 * -1 with ${err}.
 */
int event_state_read(struct event_state *s, struct store *st,
    struct err *err) __attribute__((__warn_unused_result__));

/** event_state_text(s): The JSON, in one line, of when it last changed; until
 * the next read.  NULL: it was never read. */
const char *event_state_text(const struct event_state *s);

#endif /* !ADMIN_EVENT_STATE_H_ */
