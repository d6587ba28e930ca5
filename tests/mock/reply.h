#ifndef MOCK_REPLY_H_
#define MOCK_REPLY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#include "mock/answer.h"
#include "mock/head.h"
#include "mock/plan.h"

/**
 * One answer as bytes of HTTP, made step by step: what goes out next, how
 * long to wait before the step after, and how it ends.  No I/O.
 */

/** What is asked for. */
enum reply_kind {
	REPLY_MESSAGES,
	REPLY_COUNT,
	REPLY_MODELS,
	REPLY_MODEL,
	REPLY_OBJECT,		/* body, status and type are given */
	REPLY_OTHER,		/* answered 404 */
	REPLY_CONTROL		/* the body is given */
};

/** reply_kind(h): By method and path; never REPLY_CONTROL or REPLY_OBJECT. */
enum reply_kind reply_kind(const struct head *h);

enum reply_next {
	REPLY_MORE,		/* call again, after the delay */
	REPLY_END,		/* the answer is whole */
	REPLY_CLOSE,		/* send what there is, then FIN */
	REPLY_RST,		/* send what there is, then RST */
	REPLY_HANG,		/* send what there is, then nothing */
	REPLY_FAILED		/* no memory */
};

struct reply {
	struct answer answer;
	const struct head *head;
	enum reply_kind kind;
	bool stream;
	struct buf *scratch;		/* shared between replies */
	struct buf body;		/* of an answer that is no stream */
	int status;
	const char *type;		/* REPLY_OBJECT: of the content */
	int given;			/* ... and the status */
	/* private */
	enum { REPLY_AT_HEAD, REPLY_AT_FIRST, REPLY_AT_BODY } place;
	int64_t piece;
};

/**
 * reply_delay(r): Milliseconds to wait before the next step; only to be asked
 * before each step.
 */
int64_t reply_delay(const struct reply *r);

/** reply_step(r, out): Append what comes next. */
enum reply_next reply_step(struct reply *r, struct buf *out);

/** reply_ended(r, next): The word for the journal. */
const char *reply_ended(const struct reply *r, enum reply_next next);

#endif /* !MOCK_REPLY_H_ */
