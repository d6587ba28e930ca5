#ifndef ADMIN_EVENTS_H_
#define ADMIN_EVENTS_H_

#include <stdbool.h>
#include <stdint.h>

#include "sign_in.h"
#include "who.h"

struct err;
struct events;
struct log;

/**
 * The thread that serves all who listen to GET /api/v1/events, so that none of
 * them holds one of the few that answer requests.  A worker lets the listener
 * in, sends the head of the answer, and gives the connection away; from then
 * on this thread writes FastCGI records to it and never waits for it.
 *
 * The state is read once for all, at most every state_ms and only while
 * somebody listens.  Who is slow gets the newest state when what they were
 * sent is taken, and none between; who takes nothing for slow_ms is dropped.
 *
 * A listener is
 *	new	in the list that the worker fills, under the lock
 *	served	told of each change; its sign-in is looked at every check_ms
 *	ending	told that it is over; goes once that is taken
 */

/** So many listen at once. */
#define EVENTS_MAX	200
/** And of these so many for one person, or one token of the installation. */
#define EVENTS_MAX_EACH	20

struct events_params {
	const char *store_url;		/* outlives the thread */
	int64_t busy_timeout_ms;
	struct sign_in_life life;
	struct log *log;		/* NULL: none */

	/* 0: as is usual */
	int64_t max;			/* EVENTS_MAX; at most that */
	int64_t max_each;		/* EVENTS_MAX_EACH */
	int64_t state_ms;		/* 2000 */
	int64_t ping_ms;		/* 15000 */
	int64_t check_ms;		/* 5000 */
	int64_t slow_ms;		/* 30000 */
};

/** events_start(params, err): With the signals of the caller blocked.  NULL
 * with ${err}. */
struct events *events_start(const struct events_params *params,
    struct err *err);

/** events_reserve(ev, who): A place for one that is to be let in; false: there
 * is none, ${who} has as many as one may, or it is over.  events_take or
 * events_release gives it back.  Any thread. */
bool events_reserve(struct events *ev, const struct who *who)
    __attribute__((__warn_unused_result__));
void events_release(struct events *ev, const struct who *who);

/**
 * events_take(ev, fd, id, who):
 * Serve who listens on connection ${fd}, which is taken over in any case,
 * under request ${id}; the head of the answer was sent.  Any thread.
 */
void events_take(struct events *ev, int fd, uint16_t id,
    const struct who *who);

/** events_drain(ev): End all, also those that will yet be taken.  Any
 * thread. */
void events_drain(struct events *ev);

/** events_stop(ev): Drain, and wait for the thread; when nobody will give it
 * anything any more.  NULL is allowed. */
void events_stop(struct events *ev);

#endif /* !ADMIN_EVENTS_H_ */
