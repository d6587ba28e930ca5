#ifndef RELAY_METER_H_
#define RELAY_METER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/usage.h"

struct meter;
struct sse_event;

/**
 * Reads usage out of an Anthropic Messages answer, plain or streamed, as it
 * passes.  Facts (WIRE.md section 2; Anthropic API reference, "Streaming
 * messages"): message_start carries .message.usage with input and cache
 * counts; message_delta carries cumulative counts, absent fields keep their
 * value; message_stop ends; an "error" event may come anywhere.
 * One thread at a time; bounded memory.
 */
struct meter *meter_new(void);
void meter_free(struct meter *m);
void meter_reset(struct meter *m);

/** What an event was, to the relay. */
enum meter_event {
	METER_OTHER,
	METER_START,		/* message_start */
	METER_CONTENT,		/* a delta with content */
	METER_PING,
	METER_DELTA,		/* message_delta */
	METER_STOP,		/* message_stop: the stream is whole */
	METER_ERROR		/* error event */
};

/** meter_event(m, ev): Count a streamed event.  Never fails: what cannot be
 * read is METER_OTHER. */
enum meter_event meter_event(struct meter *m, const struct sse_event *ev);

/** meter_body(m, p, n): Count further bytes of a plain JSON answer.
 * meter_body_end(m): it is over; true if it was whole, valid JSON with a
 * usage object. */
void meter_body(struct meter *m, const void *p, size_t n);
bool meter_body_end(struct meter *m);

/** What a line of a batch's results says. */
enum meter_item {
	METER_ITEM_SUCCEEDED,	/* usage and model are known */
	METER_ITEM_OTHER,	/* errored, canceled, expired: not billed */
	METER_ITEM_UNREAD	/* not JSON, or none of these */
};

/** meter_item(m, p, n): Read further bytes of such a line (Anthropic API
 * reference, "Retrieve Message Batch results").  meter_item_end(m): it is over;
 * meter_reset before the next. */
void meter_item(struct meter *m, const void *p, size_t n);
enum meter_item meter_item_end(struct meter *m);

/** Borrowed results, valid until reset or free. */
struct meter_result {
	struct usage usage;	/* what the upstream stated so far */
	bool started;		/* input counts are known */
	bool final_seen;	/* message_delta or whole plain answer */
	bool stopped;		/* message_stop seen */
	int64_t content_bytes;	/* unescaped bytes of text, thinking and tool
				   input that passed */
	char error_type[64];	/* of an error event or error answer */
	char error_message[256];
	char model[128];	/* as the upstream named it; "" unknown */
};
const struct meter_result *meter_result(const struct meter *m);

/**
 * meter_estimate_output(r):
 * Output tokens that passed so far: what was stated, or two for each five bytes
 * of content, rounded up, whichever is more.  That is more than there are of
 * prose in any language (3.1 to 4.1 bytes a token) and of code (2.6 to 3.2),
 * and less of what no model writes at length: digits, hexadecimals, base64 (1.4
 * to 1.7).  Measured by tests/bench/estimate.mjs with Anthropic's tokenizer, as
 * far as it is public.
 */
int64_t meter_estimate_output(const struct meter_result *r);

#endif /* !RELAY_METER_H_ */
