#ifndef ADMIN_WORKERS_H_
#define ADMIN_WORKERS_H_

#include <stdbool.h>
#include <stdint.h>

#include "service.h"

struct err;
struct workers;

/**
 * The threads of the admin responder: each accepts FastCGI requests from
 * descriptor 0 with libfcgi, and answers them with a service of its own.
 *
 * libfcgi's accept does not wake up by itself, so the listening socket does
 * not block and threads wait for it with poll, together with a descriptor
 * that says that it is over.  A connection is closed after each request:
 * kept ones that are idle would each hold a thread.
 */

/** workers_are_spawned(): Descriptor 0 is a listening socket. */
bool workers_are_spawned(void);

/**
 * workers_start(n, params, busy, err):
 * Start ${n} threads; signals must be blocked already, so that they inherit
 * it.  NULL with ${err} if descriptor 0 is no listening socket, or without
 * threads or memory.  ${params} is copied, what it points to is not.  *${busy}
 * outlives the threads, which count there, atomically, the requests that are
 * being answered.
 */
struct workers *workers_start(int64_t n, const struct service_params *params,
    int64_t *busy, struct err *err);

/**
 * workers_stop(w, timeout_ms):
 * Take no more than what waits in the backlog, finish what runs, and end the
 * threads.  0 when all have ended and ${w} is freed; -1 when some are still
 * at it after ${timeout_ms}: the caller can but exit.
 */
int workers_stop(struct workers *w, int64_t timeout_ms)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_WORKERS_H_ */
