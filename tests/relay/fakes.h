#ifndef TESTS_RELAY_FAKES_H_
#define TESTS_RELAY_FAKES_H_

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "http/request.h"
#include "http/server.h"
#include "pool/objects.h"
#include "pool/pool.h"
#include "pool/refresh.h"
#include "relay/relay.h"
#include "relay/upstream.h"

/**
 * What is below the relay, at link time: the FastCGI server (fcgi_*), the pool
 * (pool_*) and the upstream (transfer_*).  They do nothing by themselves: they
 * note what the relay asked for, and the test plays what comes back.  All else
 * is real.  The relay's misuse of a contract fails the test on the spot; what
 * it leaves behind fails fakes_teardown.
 */

#define FAKE_REQUESTS	16
#define FAKE_TRANSFERS	32
#define FAKE_ACCOUNTS	4

/** A request, as the test's web server sees it. */
struct fcgi_request {
	struct http_request http;
	void *arg;
	struct buf out;		/* the answer so far */
	int nwrites;
	bool used;
	bool wanted;		/* its body is */
	bool held;
	bool finished, reset, gone;	/* at most one of them */
	bool full;		/* fcgi_write returns 1 */
	bool no_memory;		/* fcgi_write returns -1 */
};

struct transfer {
	bool used, ended;	/* .used: not yet freed or cancelled */
	bool sent;		/* what transfer_body_sent says while it runs */
	bool reused;
	bool resumed;		/* since the last bytes that were not taken */
	char method[8];
	char url[256];
	char credential[64];
	char traceparent[64], tracestate[64];	/* "": none */
	struct transfer_params params;	/* of which body, events, arg count */
	struct transfer_header headers[16];
	char text[2048];	/* of the headers */
};

struct fakes {
	struct clock_fake clock;
	struct loop *loop;
	struct conf *conf;
	struct relay *relay;

	/* the server */
	const struct fcgi_handler *handler;
	void *handler_arg;
	struct fcgi_request requests[FAKE_REQUESTS];
	size_t nrequests;
	bool draining;
	void (*before_begin)(void);	/* or NULL */

	/* the pool; operations are NULL unless they run */
	bool ready, pepper;
	struct key_info key;		/* .refs: handed out and not back */
	bool key_cached, key_known;
	int64_t ids;
	struct lookup_op *lookup;
	struct admit_op *admit;
	struct move_op *move;
	struct settle_op *settle;
	struct extend_op *extend;
	struct coverage coverage;	/* that admission brings */
	struct budget_left left[BUDGET_KINDS];
	int nlookups, nadmits, nmoves, nsettles, nextends, ncancels;
	struct account accounts[FAKE_ACCOUNTS];
	struct account newest[FAKE_ACCOUNTS];	/* as the snapshot has them, if
						   they changed since */
	bool probe;			/* leases are probes */
	int nproved;
	bool same;			/* moves lead to account 1 again */
	const char *sent_as;		/* name of any model at the next
					   account; NULL: as asked for */
	const char *others_as;		/* name of any other model that a body
					   names; NULL: as there */
	struct object_op gone;		/* the last one that was noted */
	int ngone;
	struct refresh_take_op *take;
	struct refresh_take_op taken;	/* as submitted */
	struct refresh_end_op *end;
	int ntakes, nends;
	struct object_op *put, *drop;	/* that run */
	struct object_op seen, kept;	/* the last, as submitted */
	struct object_list_op *list;
	int nputs, ndrops, nseen, nkept, nlists;
	struct admit_op admitted;	/* copies, as they were submitted */
	struct move_op moved;
	struct settle_op settled;
	struct extend_op extended;
	int leases;			/* references handed out, not back */
	int nleases;

	/* the upstream */
	struct transfer transfers[FAKE_TRANSFERS];
	struct transfer *transfer;	/* the newest, unless it was freed */
	int nstarted, ncancelled, nfreed;
	bool start_fails;
};

extern struct fakes fakes;

/** fakes_start(settings): A relay under "name = value" lines.  fakes_stop():
 * All must be over: no call, operation, transfer, reference or byte is left.
 * fakes_setup and _teardown do it for cmocka, with the defaults. */
void fakes_start(const char *settings);
void fakes_stop(void);
int fakes_setup(void **state);
int fakes_teardown(void **state);

/** fakes_pass(ms): Time goes by; timers and tasks that are due run. */
void fakes_pass(int64_t ms);

/* ---- the client ---- */

/**
 * fake_begin(method, target, params): A request whose PARAMS are in; ${params}
 * are further "NAME=value" lines.  fake_body, fake_end: as far as the relay
 * wants them and does not hold them back.
 */
struct fcgi_request *fake_begin(const char *method, const char *target,
    const char *params);
void fake_body(struct fcgi_request *req, const void *p, size_t n);
void fake_end(struct fcgi_request *req);
void fake_bad(struct fcgi_request *req, int status);
void fake_gone(struct fcgi_request *req);
void fake_writable(struct fcgi_request *req);

/** fake_post(body), fake_get(): A whole request with a key that is cached:
 * admission runs.  fake_leased(body): And it has a lease: the attempt runs. */
struct fcgi_request *fake_post(const char *body);
struct fcgi_request *fake_get(const char *target);
struct fcgi_request *fake_leased(const char *body);

#define FAKE_STREAM "{\"model\":\"claude-x-1\",\"stream\":true," \
	"\"max_tokens\":100,\"messages\":[]}"
#define FAKE_PLAIN "{\"model\":\"claude-x-1\",\"max_tokens\":100," \
	"\"messages\":[]}"
#define FAKE_KEY "HTTP_X_API_KEY=sk-lh-one\n"

/** fake_forget(req): The last request is over: its place is free again. */
void fake_forget(struct fcgi_request *req);

/** fake_answer(req): The answer so far, as text. */
const char *fake_answer(struct fcgi_request *req);

/** fake_body_of(req): The answer behind its head. */
const char *fake_body_of(struct fcgi_request *req);

/** fake_status(req): Of a whole answer in the relay's own words or the
 * upstream's; the request is finished. */
int fake_status(struct fcgi_request *req);

/* ---- the pool ---- */

void fake_looked_up(bool known, enum err_code code);
void fake_admitted(enum admit_verdict verdict, enum err_code code);

/** fake_moved(verdict, code): ADMIT_LEASED: onto the next account. */
void fake_moved(enum admit_verdict verdict, enum err_code code);
void fake_settled(enum err_code code);

/** fake_extended(granted, code, output_tokens): Covered are then 1,000 input
 * tokens and so many of output. */
void fake_extended(bool granted, enum err_code code, int64_t output_tokens);

/** fake_oauth(id, lifetime_ms): The account has tokens, good for so long.
 * fake_newer(id, lifetime_ms): It has newer ones. */
void fake_oauth(int64_t id, int64_t lifetime_ms);
void fake_newer(int64_t id, int64_t lifetime_ms);

/** fake_put(code), fake_dropped(code): What comes of an object's row.
 * fake_listed(rows, n, code): Of a list; rows are upstream id and JSON, in
 * turn, with "!" before an id that may have changed; all of account 1. */
void fake_put(enum err_code code);
void fake_dropped(enum err_code code);
void fake_listed(const char *const *rows, size_t n, enum err_code code);

/** fake_taken(taken, code), fake_renewed(code): What comes of the renewal's
 * two operations. */
void fake_taken(enum refresh_taken taken, enum err_code code);
void fake_renewed(enum err_code code);

/* ---- the upstream; of the newest transfer ---- */

/** fake_head(status, headers): ${headers} are "name: value" lines. */
void fake_head(int status, const char *headers);

/** fake_data(p, n), fake_text(s): False if it was not taken. */
bool fake_data(const void *p, size_t n);
bool fake_text(const char *s);
void fake_done(enum transfer_result result);

#define FAKE_SSE "content-type: text/event-stream\nrequest-id: req_up\n"
#define FAKE_JSON "content-type: application/json\nrequest-id: req_up\n"

#endif /* !TESTS_RELAY_FAKES_H_ */
