#ifndef MOCK_PLAN_H_
#define MOCK_PLAN_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct json_t;

/**
 * How one request is answered, well or badly.  A plan comes from a rule that
 * was set through the control API, from a magic model name, or is the default
 * one.  Constant once made, counted by reference.
 */

/** What happens instead of a proper end ... */
enum plan_end {
	PLAN_COMPLETE,		/* a proper end after all */
	PLAN_SILENT,		/* no byte more; the connection stays */
	PLAN_FIN,		/* the connection is closed */
	PLAN_RESET,		/* ... with RST */
	PLAN_STOP,		/* HTTP ends well, the events do not */
	PLAN_ERROR_EVENT,	/* an error event, then a proper HTTP end */
	PLAN_GARBAGE,		/* bytes that are not HTTP, then FIN */
	PLAN_NENDS
};

/** ... and where. */
enum plan_place {
	PLAN_AT_HEAD,		/* before the answer's head */
	PLAN_AT_FIRST,		/* after the head, before any body byte */
	PLAN_AT_CHUNK,		/* after .after deltas (plain: half the body) */
	PLAN_AT_INSIDE,		/* likewise, and half an event more */
	PLAN_NPLACES
};

struct plan {
	int refs;
	int status;
	char *headers;		/* more lines, CRLF after each; or NULL */
	char *body;		/* fixed answer; NULL: a realistic one */
	size_t body_len;
	char *raw;		/* sent instead of any HTTP answer, then FIN */
	size_t raw_len;

	/* a realistic answer; its output tokens are the sum of its deltas */
	int64_t chunks;		/* text deltas */
	int64_t chunk_bytes;	/* text of each; 0: one word */
	int64_t thinking;	/* thinking deltas, before the text */
	int64_t tool;		/* input deltas of a tool call, after it */
	int64_t input_tokens;	/* -1: a quarter of the body's bytes */
	int64_t cache_read, cache_5m, cache_1h;

	int64_t head_delay_ms, first_delay_ms, chunk_delay_ms;
	int64_t write_bytes;	/* at most so many a write; 0: any */

	enum plan_end end;
	enum plan_place at;
	int64_t after;
	char *error_type, *error_message;	/* of error answers and events;
						   NULL: the status's own */
};

/** plan_new(json, err): Read a plan; NULL with ${err} naming the member. */
struct plan *plan_new(const struct json_t *json, struct err *err);

/**
 * plan_by_model(model): The plan in a magic name ("mock-slow-50x20ms": 50
 * deltas, 20 ms apart; "mock-chunks-50"; "mock-delay-300ms": before the head;
 * "mock-error-529"), or NULL.
 */
struct plan *plan_by_model(const char *model);

/** plan_ref, plan_unref: unref takes NULL. */
struct plan *plan_ref(struct plan *p);
void plan_unref(struct plan *p);

/** Rules: what is matched to which sequence of plans. */
struct rules;

/** rules_new(fallback): ${fallback} is used where no rule matches; its
 * reference is taken over.  NULL without memory. */
struct rules *rules_new(struct plan *fallback);
void rules_free(struct rules *r);
void rules_clear(struct rules *r);

/**
 * rules_add(r, json, err): Append the rules of an array.  Each is
 * {"match": {"credential", "model", "path"}, "then": [plan, ...]} where the
 * members of "match" are wildcards and a plan's "count" says how often it is
 * used (default once; the last one, and 0, for ever).
 */
int rules_add(struct rules *r, const struct json_t *json, struct err *err)
    __attribute__((__warn_unused_result__));

/** rules_pick(r, credential, model, path): A reference; never NULL. */
struct plan *rules_pick(struct rules *r, const char *credential,
    const char *model, const char *path);

#endif /* !MOCK_PLAN_H_ */
