#ifndef ADMIN_METRICS_H_
#define ADMIN_METRICS_H_

#include <stdint.h>

struct buf;
struct conf;
struct err;
struct metrics;
struct store;

/**
 * GET /metrics: what the responders of this host have counted (see
 * metrics/slots.h), what is true of them now, and what the database knows of
 * the whole pool.  The latter is read at most every METRICS_FRESH_MS, however
 * many ask.  Any thread.
 */

/** So old what the database said may be. */
#define METRICS_FRESH_MS	2000

/** Longest answer. */
#define METRICS_BYTES		(8 * 1024 * 1024)

/** metrics_new(conf, err): NULL without memory.  Where the file of counters
 * cannot be had now it is tried again when it is asked for.  free takes
 * NULL. */
struct metrics *metrics_new(const struct conf *conf, struct err *err);
void metrics_free(struct metrics *m);

/**
 * metrics_count(conf, series):
 * One more, of what happens too seldom for a slot of its own: one is taken and
 * given back, so that the count outlives the caller.  Any thread of any
 * program; one of another user than the folder's makes no file there, and
 * counts nothing.
 */
void metrics_count(const struct conf *conf, uint64_t series);

/**
 * metrics_put(m, st, out, err):
 * Append the text.  ${st}: NULL where the database cannot be used, which is
 * told then.  0; 1: it could not be asked, and ${st} may be broken; -1 with
 * ${err}: there are no counters.
 */
int metrics_put(struct metrics *m, struct store *st, struct buf *out,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_METRICS_H_ */
