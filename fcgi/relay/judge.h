#ifndef RELAY_JUDGE_H_
#define RELAY_JUDGE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/pool.h"
#include "relay/upstream.h"

struct conf;

/**
 * What the end of an attempt means: a pure function of what was observed, so
 * that tests call it with a table.  Rules: DESIGN.md "Judge", WIRE.md
 * sections 2, 3 and 7.  Any thread.
 */

enum judge_action {
	JUDGE_RELAY,		/* hand the upstream's answer to the client */
	JUDGE_MOVE,		/* another account may do better; if there is
				   none, answer with .fallback_* */
	JUDGE_FAIL		/* answer in our own words: .fallback_* */
};

struct judge_input {
	enum transfer_result result;	/* TRANSFER_OK: the status counts */
	int status;
	const struct transfer_header *headers;
	size_t nheaders;
	bool stream;			/* the client asked for a stream */
	bool once;			/* what may have been done is not to be
					   done again elsewhere */
	bool kept_alive;		/* a reused connection broke before any
					   byte: the server may have closed it
					   as we sent */
	const char *error_type;		/* from the error body; may be "" */
	const char *error_message;
	const char *model;
	int64_t now_ms;			/* wall */
	const struct conf *conf;
};

struct judgement {
	enum judge_action action;
	struct park park;		/* .wanted: park the account */
	char outcome[32];		/* of the attempt: rate_limited */
	bool success;			/* the account did its work (also when
					   the client's request was wrong) */
	bool doubtful;			/* .once, and it may have been done */
	bool again;			/* moving: the account is not to blame,
					   and may be the next one too */
	bool maybe_billed;		/* given up though the upstream may have
					   done it: mark it estimated */
	/* for the client when no account is left */
	int fallback_status;		/* 429 or 503, 502, 504 */
	const char *fallback_type;
	char fallback_message[256];
	int64_t retry_after_s;		/* 0: unknown */
	bool pointless;			/* no time heals it */
};

/**
 * judge(in, out): Decide.  Notably: 400, 404, 405, 409, 413, 415, 422 and
 * other 4xx are the request's own fault; 401, 403, 429, 5xx, 529, 402 (credit
 * used up) and connection failures are the account's; a time-out never moves
 * a call that is not streamed.  Parks are `stated' with their end taken from
 * retry-after(-ms), anthropic-ratelimit-*-reset of the limits whose
 * -remaining is 0, and anthropic-ratelimit-unified-* where the status is
 * "rejected" (per model family where the representative claim is one), and
 * `fact' where those headers say that the account's own limit is used up, and
 * `soft' where the failure may be over at any moment (5xx, 529, connections).
 */
void judge(const struct judge_input *in, struct judgement *out);

#endif /* !RELAY_JUDGE_H_ */
