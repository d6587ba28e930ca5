#ifndef RELAY_CALL_H_
#define RELAY_CALL_H_

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/loop.h"
#include "http/request.h"
#include "http/response.h"
#include "http/server.h"
#include "http/traceparent.h"
#include "pool/objects.h"
#include "pool/pool.h"
#include "relay/judge.h"
#include "relay/mentions.h"
#include "relay/meter.h"
#include "relay/peek.h"
#include "relay/refresher.h"
#include "relay/refusal.h"
#include "relay/sse.h"
#include "relay/tally.h"
#include "relay/upstream.h"

/**
 * A model call, from the end of its PARAMS to its settlement.  Shared by the
 * modules of the relay that tell its story: auth.c (who calls), call.c (admit,
 * attempt, judge, move), renew.c (new tokens of an account), pass.c (the
 * answer on its way to the client), extend.c (the money that a long stream
 * needs), early.c (pings for who waits long), drain.c (the answer that nobody
 * waits for any more), object_call.c (what lives upstream), close.c (answers
 * in our own words, settlement).  Loop thread only.
 *
 *	KEY ----> BODY ----> ADMIT ----> ATTEMPT ----> PASS ----> SETTLE
 *	           |                     ^  ^  | \         |       ^
 *	           v                     |  |  v  KEEP     v       |
 *	          LIST              RENEW + MOVE       DRAIN ----+
 *
 * KEEP leads to PASS, or to SETTLE; LIST to the end.
 *
 * Every state leads to SETTLE once the ledger row is open (after ADMIT), and
 * straight to the end before that.  `req' is NULL as soon as the client has
 * its answer or is gone; a call whose client is gone never leads back.
 */
enum call_state {
	CALL_KEY,	/* lookup runs; the body is held back */
	CALL_BODY,	/* the body comes in */
	CALL_ADMIT,	/* admit runs, or waits for a slot */
	CALL_ATTEMPT,	/* transfer runs; the client has nothing yet */
	CALL_PASS,	/* transfer runs; the client has the head */
	CALL_DRAIN,	/* transfer runs; the client is gone */
	CALL_MOVE,	/* move runs, or waits for a slot */
	CALL_RENEW,	/* waits for new tokens of its account */
	CALL_KEEP,	/* the answer is whole, and what it made or removed is
			   being noted; the client has nothing yet */
	CALL_LIST,	/* the key's objects are read, and asked for upstream:
			   see lister.h */
	CALL_SETTLE	/* settle runs; nothing else does */
};

/** What sets the routes apart that are relayed. */
struct call_kind {
	const char *name;	/* ledger.kind */
	bool has_model;		/* the body names one */
	bool has_body;
	bool needs_slot;
	bool billed;
	bool once;		/* must not be done twice */
	bool lasting;		/* the answer may be long */
	enum object_kind makes;	/* an object comes of it, ... */
	enum object_kind about;	/* its path names one, ... */
	bool deletes;		/* ... which goes ... */
	bool results;		/* ... and whose usage the answer states, ... */
	enum object_kind lists;	/* or it is about all of the key's */
};

/** How the answer is passed on. */
enum pass_mode {
	PASS_NONE,	/* no head yet */
	PASS_SSE,	/* event by event */
	PASS_WHOLE,	/* kept until it is whole */
	PASS_THROUGH	/* too long to keep: as it comes */
};

struct batch_scan;
struct err;
struct lister;
struct relay;
struct route_match;

struct call {
	struct relay *relay;
	TAILQ_ENTRY(call) entry;
	enum call_state state;
	const struct call_kind *kind;
	const struct route *route;
	struct fcgi_request *req;	/* NULL: answered or gone */
	struct http_request *http;	/* the request's; valid with req */
	const char *path;		/* within http, behind any alias */
	int64_t id;			/* ledger id */
	char request_id[LEDGER_ID_SIZE];
	struct traceparent trace_context;	/* its .state is valid with
						   req */

	/* who calls */
	struct caller caller;
	char address[NET_ADDR_SIZE];	/* the caller's; else the web server's
					   word; "": neither */
	struct key_info *key;
	bool key_fresh;			/* it was read just now */
	const char *keys[HTTP_KEYS_MAX];	/* still to be tried */
	size_t nkeys, keys_tried;

	/* what is asked */
	struct buf body;
	size_t body_charged;		/* part of relay->body_bytes */
	size_t body_len;		/* also after the body was freed */
	struct peek_scan *scan;
	struct batch_scan *batch_scan;
	struct peek peek;
	struct mentions models;		/* in the body; all but .peek.model of
					   a plain call are .ask's */
	size_t models_charged;		/* of their places; likewise part of
					   relay->body_bytes */

	/* objects that live upstream */
	struct object_ask *objects;	/* NULL: it is about none */
	int64_t account_id;		/* that has them; 0: any will do */
	struct object_op *keep;		/* CALL_KEEP; else NULL */
	struct lister *lister;		/* CALL_LIST; else NULL */
	struct tally *tally;		/* of results that were not counted */
	bool tallied;			/* they were read to their end */

	/* where it goes */
	struct lease lease;
	struct transfer *transfer;
	struct judgement verdict;	/* of the last failed attempt */
	int attempts;			/* leased so far; each has its row */
	struct refresh_wait renewal;	/* CALL_RENEW */
	bool renewed;			/* the account's tokens were, once */
	bool unkept;			/* a kept connection broke: those that
					   are kept beside it are no better */
	bool maybe_billed;		/* the last attempt's request may have
					   been served; set by its end */

	/* the answer */
	enum pass_mode pass;
	struct buf head;		/* client's head, without its end */
	struct buf held;		/* SSE: unfinished event; whole body */
	struct sse *sse;
	struct meter *meter;
	struct loop_timer ping;
	struct loop_timer early;	/* see early.c */
	bool opened;			/* the client has the head of a stream
					   already, and pings, but no event of
					   an answer */
	int64_t sent_ms;		/* last byte towards the client */
	int64_t answer_bytes;
	int64_t own_bytes;		/* of an error of ours */
	const char *outcome;		/* how it ended, as far as it has; NULL:
					   the client left */
	int64_t length_stated;		/* upstream's content-length, or -1 */
	int status;			/* what the client got, or will */
	int upstream_status;		/* 0: no head yet */
	const struct transfer_header *up_headers; /* borrowed from transfer */
	size_t up_nheaders;
	char upstream_id[128];
	struct share share;		/* of the account, as the head has it */
	int64_t head_ms;		/* a stream's head came so long after
					   the attempt began; 0: none */
	bool blocked;			/* client takes no more for now */
	bool mid_event;			/* a part of an event went out */
	bool errored;			/* an error event went out */
	bool lingers;			/* what ends a stream went out: the
					   upstream is to end it, or we do */
	bool broken;			/* memory failed us in mid-answer */
	bool transfer_over;		/* done was called */
	unsigned int platform;		/* of the last lease, in DOMAIN_PLATFORM
					   of metrics/metrics.h */

	/* times, monotonic ms */
	int64_t begun_ms;		/* PARAMS were whole */
	int64_t whole_ms;		/* the body was whole */
	int64_t dispatched_ms;		/* first attempt */
	int64_t attempt_ms;		/* the last one */
	int64_t first_byte_ms;		/* towards the client; 0: none */
	int64_t first_token_ms;		/* a stream's first content; 0: none */

	/* operations of the pool; one runs at a time */
	union {
		struct lookup_op lookup;
		struct admit_op admit;
		struct move_op move;
		struct settle_op settle;
	} op;
	const char *left;		/* outcome when the client goes */
	const char *disconnect;		/* what became of the upstream then, as
					   the ledger has it; "": it stayed */
	char trace[POOL_TRACE_SIZE];	/* of all attempts */
	int64_t reserved_nusd;
	struct budget_left left_of[BUDGET_KINDS];	/* at admission */
	struct coverage cover;		/* usage that is reserved for */
	struct extension *extension;	/* that runs; NULL: none */
	int extensions;
	bool starved;			/* the upstream is held up until more
					   is reserved */
	int64_t queue_ms;
	int64_t flags;			/* enum ledger_flag, of attempts that
					   were given up */
};

/* ---- call.c ---- */

/** call_new(r, req, kind, path, m): NULL without memory. */
struct call *call_new(struct relay *r, struct fcgi_request *req,
    const struct call_kind *kind, const char *path,
    const struct route_match *m);

/** call_trace_id(c): Of the trace that the client's request is a part of, or
 * that begins with it; NULL: none. */
const char *call_trace_id(const struct call *c);

/** call_free(c): At the very end; nothing may run any more. */
void call_free(struct call *c);

/** call_body(c, p, n), call_whole(c): The body as it comes, and its end. */
bool call_body(struct call *c, const void *p, size_t n);
void call_whole(struct call *c);

/** call_gone(c): The client left. */
void call_gone(struct call *c);

/** call_abort(c): The relay itself must end now: tell the client. */
void call_abort(struct call *c);

/** call_cut(c): Break the client's connection, and end what runs. */
void call_cut(struct call *c);

/** call_drop_body(c): Give the body's memory back, once it is not needed. */
void call_drop_body(struct call *c);

/**
 * call_failed(c, result, status, why):
 * The attempt came to nothing before the client got a byte, with ${result}
 * and, as far as an answer came, ${status}: judge it.  The transfer is ended,
 * then the call moves or is answered (and may be freed), except when the
 * judgement is that the client shall have what the upstream said: then false
 * is returned, and all is as it was.  ${why} is for the log; NULL is allowed.
 */
bool call_failed(struct call *c, enum transfer_result result, int status,
    const struct err *why);

/** call_judge(c, result, status): What the end of the attempt says about its
 * account and request, in .verdict. */
void call_judge(struct call *c, enum transfer_result result, int status);

/** call_attempt(c): Put the request to the account that is leased.
 * call_move(c): Lease another, as .verdict says.  call_next(c): That if the
 * call may, else answer. */
void call_attempt(struct call *c);
void call_next(struct call *c);

/* ---- renew.c ---- */

/**
 * renew_before(c):
 * The account that is leased has a token that is over: get a new one, then
 * attempt.  False: it has not.
 */
bool renew_before(struct call *c);

/** renew_after(c, status): It was refused with ${status}, as .verdict says,
 * and new tokens may heal that: get them, then move, to the same account or
 * another.  False: they cannot, or were got once. */
bool renew_after(struct call *c, int status);

/* ---- auth.c ---- */

/**
 * auth_start(c):
 * Find out whose key it is; the body is held back until that is known.  False
 * if the body is not wanted: the call was answered, or needs none.
 */
bool auth_start(struct call *c);

/* ---- pass.c ---- */

/** The transfer's events for a call. */
extern const struct transfer_events pass_events;

/** pass_forget(c): Another attempt is ours: forget the last one's answer. */
void pass_forget(struct call *c);

/** pass_start(c, err): That attempt begins.  -1 without memory. */
int pass_start(struct call *c, struct err *err)
    __attribute__((__warn_unused_result__));

/** pass_writable(c): The client takes bytes again. */
void pass_writable(struct call *c);

/** pass_abort(c): End the stream that the client is getting by an error. */
void pass_abort(struct call *c, const char *message);

/** pass_cut(c, message, outcome): End it, as the money is gone, and settle. */
void pass_cut(struct call *c, const char *message, const char *outcome);

/** pass_stop(c): End the transfer, if one runs, and what goes with it. */
void pass_stop(struct call *c);

/** pass_give_up(c, result): The same once the attempt was judged: what the
 * verdict says of its bill holds. */
void pass_give_up(struct call *c, enum transfer_result result);

/** The event that keeps a stream alive. */
extern const char pass_ping[];
extern const size_t pass_ping_bytes;

/**
 * pass_ping_ms(c):
 * How long a stream of the call is silent before a ping; 0: none goes out.  A
 * little less than ping_interval_s where the web server finds out by pings that
 * the client left.
 */
int64_t pass_ping_ms(const struct call *c);

/** pass_answer(c, outcome): The answer is whole, and the client's. */
void pass_answer(struct call *c, const char *outcome);

/* ---- early.c ---- */

/**
 * early_watch(c):
 * The call is about to wait for a slot: open its stream when it will have
 * waited for early_ping_s since its body was whole, and ping from then on,
 * until early_over.  May be called again; nothing happens to a call that is no
 * stream, or where the setting is 0.
 */
void early_watch(struct call *c);
void early_over(struct call *c);

/* ---- object_call.c ---- */

/**
 * object_begin(c, m): A call of an object's kind: its path, or a scan of its
 * body.  0, or -1 without memory.  object_fini(c): At the very end.
 */
int object_begin(struct call *c, const struct route_match *m)
    __attribute__((__warn_unused_result__));
void object_fini(struct call *c);

/** object_whole(c, err): The body is whole.  0, or -1 with ERR_INVAL and what
 * is wrong with it, or ERR_NOMEM. */
int object_whole(struct call *c, struct err *err)
    __attribute__((__warn_unused_result__));

/** object_head(c, status): The upstream's head is in.  -1 without memory. */
int object_head(struct call *c, int status)
    __attribute__((__warn_unused_result__));

/**
 * object_keep(c):
 * The upstream's answer is whole, in .held, and good.  If it made or removed
 * something that is noted first, in CALL_KEEP, and the call goes on by itself
 * (the client may be gone).  False: it did not.
 */
bool object_keep(struct call *c);

/**
 * object_answered(c):
 * The upstream's answer to what is about an object is whole: note whether it
 * has the object, if that is news.  Nobody waits for it.
 */
void object_answered(struct call *c);

/** object_waits(c): The client left: is the end of the upstream's answer
 * needed even so?  object_usage(c, end): What the results have cost. */
bool object_waits(const struct call *c);
void object_usage(struct call *c, struct attempt_end *end);

/* ---- extend.c ---- */

/**
 * extend_watch(c):
 * More of a stream was counted: reserve more where it comes near the end of
 * what is reserved.  When that is refused, the call is ended later.
 * extend_forget(c): The call ends; what runs finds nobody.
 */
void extend_watch(struct call *c);
void extend_forget(struct call *c);

/* ---- drain.c ---- */

/**
 * drain_begin(c):
 * The client left while a transfer runs: read on for its usage, if the key or
 * the installation has it so (.drain_ms, disconnect_drain_s) and something is
 * to be learnt: the call is in CALL_DRAIN then.  False: cut.
 */
bool drain_begin(struct call *c);

/** drain_body(c, p, n), drain_done(c, result): The transfer's, in CALL_DRAIN.
 * drain_end(c): Enough; settle with what is known. */
void drain_body(struct call *c, const unsigned char *p, size_t n);
void drain_done(struct call *c, enum transfer_result result);
void drain_end(struct call *c);

/* ---- close.c ---- */

/**
 * close_refuse(c, why, message):
 * close_error with a row of the table of refusals; ${message} in place of the
 * row's, unless NULL.
 */
void close_refuse(struct call *c, enum refusal why, const char *message);

/**
 * close_error(c, e):
 * Answer with ${e} (request_id is filled in) and end the call: settle it if
 * its ledger row is open, else free it.  ${outcome} goes to the ledger.
 */
void close_error(struct call *c, const struct response_error *e,
    const char *outcome);

/** close_answer(c, e): Answer with ${e} alone; req is NULL then. */
void close_answer(struct call *c, const struct response_error *e);

/** close_finish(c, outcome): The client has the whole answer. */
void close_finish(struct call *c, const char *outcome);

/** close_reset(c, outcome): Break the client's connection, visibly. */
void close_reset(struct call *c, const char *outcome);

/**
 * close_end(c, outcome):
 * Nothing more goes to the client (req is NULL), and no transfer runs: settle
 * if the ledger row is open, then log; free.
 */
void close_end(struct call *c, const char *outcome);

/** close_attempt_end(c, end): How the running attempt stands, for a move or
 * settlement: usage as far as it is known. */
void close_attempt_end(struct call *c, const char *outcome,
    struct attempt_end *end);

#endif /* !RELAY_CALL_H_ */
