#ifndef RELAY_PEEK_H_
#define RELAY_PEEK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "ledger/price.h"
#include "pool/object_ask.h"

struct err;
struct mentions;
struct peek_scan;

/**
 * What the relay needs to know of a Messages request body, found by one
 * bounded scan as the bytes come in; the body itself is neither kept nor
 * changed here.  One thread at a time.
 */
#define PEEK_SESSION_SIZE	128

struct peek {
	char model[LIMIT_NAME_BYTES];	/* NUL-ended; longer is refused */
	uint64_t model_start, model_end; /* byte offsets, quotes included */
	bool stream;
	int64_t max_tokens;		/* 0: not stated */
	char session[PEEK_SESSION_SIZE];	/* see peek_end; "" if none */
	bool long_cache;		/* of a prompt cache it asks for an
					   hour */
	struct price_ask ask;		/* what may make it dear */
};

/** peek_new(): NULL without memory.  peek_free takes NULL. */
struct peek_scan *peek_new(void);
void peek_free(struct peek_scan *s);

/** peek_reset(s): Begin a new body, whatever became of the last one. */
void peek_reset(struct peek_scan *s);

/** peek_push(s, p, n, err): Read on; -1 with ERR_INVAL: malformed JSON, and
 * where. */
int peek_push(struct peek_scan *s, const void *p, size_t n, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * peek_objects(s):
 * The files that the body names: as source of a block (also of one in a tool's
 * result), or to be put into a container.  What the model's own tools made is
 * not asked for by naming it again.  NULL: none.  Borrowed until the next
 * push.
 */
const struct object_ask *peek_objects(const struct peek_scan *s);

/**
 * peek_others(s):
 * What models the body names beside its own: those of fallbacks, and of tools
 * that ask one.  NULL: none.  Borrowed until the next push; who takes its
 * places away leaves it initialised.
 */
struct mentions *peek_others(struct peek_scan *s);

/** peek_session(text, n, out): Take a session as a client names it: printable
 * ASCII that fits; else ${out} stays as it is. */
void peek_session(const char *text, size_t n, char out[PEEK_SESSION_SIZE]);

/**
 * peek_end(s, out, err):
 * The body is whole.  Its session is that in metadata.user_id (WIRE.md section
 * 3).  Where there is none, but the body sets cache breakpoints, it is a hash
 * of what stays as the conversation goes on: the texts of the system prompt and
 * of the first message, each by its first LIMIT_JSON_VALUE_BYTES and its
 * length.  Where there are none nothing is cached, and nothing to be kept.
 *  0 with *${out}, or -1 with ERR_NOMEM, or ERR_INVAL and a message for
 * the client: not complete, not an object, `model' missing, not a string,
 * empty, too long or with control characters; `max_tokens' not a whole number
 * from 0 to 10^9; `stream' not a boolean; one of these, or of `speed',
 * `service_tier' and `inference_geo', given twice; the name of another model
 * that is none.
 */
int peek_end(struct peek_scan *s, struct peek *out, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !RELAY_PEEK_H_ */
