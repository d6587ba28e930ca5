#ifndef MOCK_ANSWER_H_
#define MOCK_ANSWER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#include "mock/plan.h"

/**
 * Texts of the Anthropic API as an upstream would send them (Messages,
 * streamed and not, count_tokens, models, errors).  They depend on request
 * and plan alone, so that a test can say what must arrive.  No I/O; -1 where
 * the buffer is full.
 */
struct answer {
	const struct plan *plan;
	uint64_t id;			/* of the request */
	const char *model;		/* as asked for */
	const char *tool;		/* name of the tool to call; "" none */
	int64_t body_bytes;		/* of the request */
	int64_t max_tokens;		/* 0: unstated */
	bool thinking;			/* the request allows it */
};

/** What will have been stated at the end. */
struct answer_usage {
	int64_t input, output, cache_read, cache_5m, cache_1h;
};
void answer_usage(const struct answer *a, struct answer_usage *u);

/**
 * A stream is sent in pieces: piece 0 opens it (message_start, first block,
 * ping), each of 1 .. answer_deltas() holds one delta, and the one after
 * that closes it.  A block ends and the next begins with a delta.
 */
int64_t answer_deltas(const struct answer *a);
int answer_piece(const struct answer *a, int64_t piece, struct buf *out)
    __attribute__((__warn_unused_result__));

/** answer_error_event(a, out): The event that ends a stream badly. */
int answer_error_event(const struct answer *a, struct buf *out)
    __attribute__((__warn_unused_result__));

/** Whole bodies. */
int answer_message(const struct answer *a, struct buf *out)
    __attribute__((__warn_unused_result__));
int answer_count(const struct answer *a, struct buf *out)
    __attribute__((__warn_unused_result__));
int answer_models(struct buf *out) __attribute__((__warn_unused_result__));
int answer_model(const char *id, struct buf *out)
    __attribute__((__warn_unused_result__));
int answer_error(const struct answer *a, int status, struct buf *out)
    __attribute__((__warn_unused_result__));

#endif /* !MOCK_ANSWER_H_ */
