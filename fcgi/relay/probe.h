#ifndef RELAY_PROBE_H_
#define RELAY_PROBE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct conf;
struct fcgi_request;
struct loop;
struct probe;
struct response_error;
struct seal;

/**
 * Requests by which `leasehold doctor' finds out what the web server does on
 * the way to a responder.  They stand beside the model calls (PROBE_PATH), so
 * that they take the same way through its settings, cost no account and no
 * database, and must carry a header PROBE_HEADER with a seal token for
 * PROBE_PURPOSE, so that nobody else can have the relay send and wait.
 * At most PROBES_MAX are open in one process.  Loop thread only.
 *
 *	GET  echo	JSON: what of the request arrived
 *	GET  stream	?chunks=1..20&gap_ms=10..2000: events so far apart,
 *			sent as a model's stream is
 *	GET  silence	?ms=0..900000: JSON, after so long a time
 *	POST body	JSON: how many bytes the body had; 413 beyond
 *			body_max_bytes
 *
 * Echo says which credentials came, never what they are.
 */
#define PROBE_PATH		"/v1/leasehold/probe/"
#define PROBE_HEADER		"x-leasehold-probe"
#define PROBE_PURPOSE		"probe"

#define PROBES_MAX		16
#define PROBE_CHUNKS_MAX	20
#define PROBE_GAP_MIN_MS	10
#define PROBE_GAP_MAX_MS	2000
#define PROBE_SILENCE_MAX_MS	900000

enum probe_kind {
	PROBE_ECHO,
	PROBE_STREAM,
	PROBE_SILENCE,
	PROBE_BODY
};

/** The probes that are open. */
struct probes {
	struct loop *loop;
	const struct conf *conf;
	TAILQ_HEAD(probe_list, probe) open;
	int nopen;
};

/** probes_init(ps, loop, conf): Both are borrowed for good. */
void probes_init(struct probes *ps, struct loop *loop,
    const struct conf *conf);

/**
 * probe_open(ps, seal, req, kind, e):
 * Take ${req} up, if its token is of ${seal}; probe_begin is next.  NULL:
 * refused, the caller answers with ${e}, filled in here.
 *
 * probe_begin(p):
 * 1: its body is wanted, and comes to probe_body and probe_whole; 0: it is not,
 * the probe is answered, and its request may be gone, or will be.
 */
struct probe *probe_open(struct probes *ps, const struct seal *seal,
    struct fcgi_request *req, enum probe_kind kind, struct response_error *e)
    __attribute__((__warn_unused_result__));
int probe_begin(struct probe *p)
    __attribute__((__warn_unused_result__));

/** probe_of(ps, req): The open probe that ${req} is; NULL: it is none. */
struct probe *probe_of(const struct probes *ps,
    const struct fcgi_request *req);

/** probe_body(p, n): ${n} bytes came; false: no more is wanted, and ${p} is
 * gone.  probe_whole(p): That was all; answers. */
bool probe_body(struct probe *p, size_t n)
    __attribute__((__warn_unused_result__));
void probe_whole(struct probe *p);

/** probes_abort(ps): The responder ends: answer 503 to all that are open, and
 * break off those that have begun to answer. */
void probes_abort(struct probes *ps);

/** probe_end(p): Free it without an answer: the client is gone, or the caller
 * answers. */
void probe_end(struct probe *p);

#endif /* !RELAY_PROBE_H_ */
