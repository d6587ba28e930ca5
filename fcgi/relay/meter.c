#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "relay/meter.h"
#include "relay/sse.h"

/* More tokens than this in one answer are not believed. */
#define COUNT_MAX	INT64_C(1000000000000)

/* Bytes kept of a number, beyond which it is not believed either. */
#define NUMBER_BYTES	32

/* Bytes to keep of a string that has its place in the result. */
#define KEEP(member)	(sizeof(((struct meter_result *)NULL)->member) - 1)

/* So many tokens in so many bytes, for output that was not counted yet; see
 * meter_estimate_output. */
#define TOKENS		2
#define TOKENS_BYTES	5

/* What an answer states of its usage; -1: not stated. */
enum count {
	C_INPUT,
	C_OUTPUT,
	C_CACHE_READ,
	C_CACHE_WRITE,		/* both kinds together */
	C_CACHE_WRITE_5M,
	C_CACHE_WRITE_1H,
	C_WEB_SEARCH,
	C_COUNT
};

/* How it was served, in words; they come behind the counts. */
enum word {
	WORD_TIER,
	WORD_SPEED,
	WORD_GEO,
	WORD_COUNT
};

/* Bytes to keep of such a word; longer ones are not known. */
#define WORD_BYTES	32

/*
 * Names as in the API reference, "Messages", "usage".  The wants of the
 * counts come first in each table, in the order of enum count.
 */
#define WANT_COUNTS(at)							\
	[C_INPUT] = { at "input_tokens", NUMBER_BYTES, false },		\
	[C_OUTPUT] = { at "output_tokens", NUMBER_BYTES, false },	\
	[C_CACHE_READ] = { at "cache_read_input_tokens", NUMBER_BYTES,	\
	    false },							\
	[C_CACHE_WRITE] = { at "cache_creation_input_tokens",		\
	    NUMBER_BYTES, false },					\
	[C_CACHE_WRITE_5M] = { at "cache_creation."			\
	    "ephemeral_5m_input_tokens", NUMBER_BYTES, false },		\
	[C_CACHE_WRITE_1H] = { at "cache_creation."			\
	    "ephemeral_1h_input_tokens", NUMBER_BYTES, false },		\
	[C_WEB_SEARCH] = { at "server_tool_use.web_search_requests",	\
	    NUMBER_BYTES, false },					\
	[C_COUNT + WORD_TIER] = { at "service_tier", WORD_BYTES,	\
	    false },							\
	[C_COUNT + WORD_SPEED] = { at "speed", WORD_BYTES, false },	\
	[C_COUNT + WORD_GEO] = { at "inference_geo", WORD_BYTES, false }

#define USAGE_WANTS	(C_COUNT + WORD_COUNT)

/* The first event of a stream. */
enum { START_MODEL = USAGE_WANTS, START_N };
static const struct json_want start_wants[] = {
	WANT_COUNTS("message.usage."),
	[START_MODEL] = { "message.model", KEEP(model), false },
};
_Static_assert(sizeof(start_wants) / sizeof(start_wants[0]) == START_N,
    "a row for each");

/* Deltas with content, of which there are many. */
enum { DELTA_TEXT, DELTA_THINKING, DELTA_JSON, DELTA_N };
static const struct json_want delta_wants[] = {
	[DELTA_TEXT] = { "delta.text", 1, false },
	[DELTA_THINKING] = { "delta.thinking", 1, false },
	[DELTA_JSON] = { "delta.partial_json", 1, false },
};
_Static_assert(sizeof(delta_wants) / sizeof(delta_wants[0]) == DELTA_N,
    "a row for each");

/*
 * The calls of the model that one request took, where there were several.
 * The counts of the whole have all but those that summed the conversation up,
 * which are billed as well, and those of other models (an advisor, a fallback),
 * which are billed at prices of their own.  Source: platform.claude.com/docs,
 * "Compaction", "Advisor tool", "Refusals and fallback".
 */
enum { PASS_TYPE, PASS_INPUT, PASS_OUTPUT, PASS_CACHE_READ, PASS_CACHE_WRITE,
	PASS_CACHE_WRITE_1H, PASS_WANTS };

/* All other events that count, and plain answers. */
enum { BODY_USAGE = USAGE_WANTS, BODY_MODEL, BODY_TYPE, BODY_ERROR_TYPE,
	BODY_ERROR_MESSAGE, BODY_TEXT, BODY_THINKING, BODY_INPUT, BODY_PASS,
	BODY_PASS_END = BODY_PASS + PASS_WANTS, BODY_N };
static const struct json_want body_wants[] = {
	WANT_COUNTS("usage."),
	[BODY_USAGE] = { "usage", 1, false },
	[BODY_MODEL] = { "model", KEEP(model), false },
	[BODY_TYPE] = { "type", 32, false },
	[BODY_ERROR_TYPE] = { "error.type", KEEP(error_type), false },
	[BODY_ERROR_MESSAGE] = { "error.message", KEEP(error_message),
	    false },
	[BODY_TEXT] = { "content[].text", 1, true },
	[BODY_THINKING] = { "content[].thinking", 1, true },
	[BODY_INPUT] = { "content[].input", 1, true },
	[BODY_PASS + PASS_TYPE] = { "usage.iterations[].type", WORD_BYTES,
	    true },
	[BODY_PASS + PASS_INPUT] = { "usage.iterations[].input_tokens",
	    NUMBER_BYTES, true },
	[BODY_PASS + PASS_OUTPUT] = { "usage.iterations[].output_tokens",
	    NUMBER_BYTES, true },
	[BODY_PASS + PASS_CACHE_READ] = {
	    "usage.iterations[].cache_read_input_tokens", NUMBER_BYTES,
	    true },
	[BODY_PASS + PASS_CACHE_WRITE] = {
	    "usage.iterations[].cache_creation_input_tokens", NUMBER_BYTES,
	    true },
	[BODY_PASS + PASS_CACHE_WRITE_1H] = { "usage.iterations[]."
	    "cache_creation.ephemeral_1h_input_tokens", NUMBER_BYTES, true },
	[BODY_PASS_END] = { "usage.iterations[]", 1, true },
};
_Static_assert(sizeof(body_wants) / sizeof(body_wants[0]) == BODY_N,
    "a row for each");

/* A line of a batch's results. */
#define ITEM_AT		"result.message."
#define ITEM_PASS	ITEM_AT "usage.iterations[]"
enum { ITEM_TYPE = USAGE_WANTS, ITEM_MODEL, ITEM_USAGE, ITEM_PASSES,
	ITEM_PASSES_END = ITEM_PASSES + PASS_WANTS, ITEM_N };
static const struct json_want item_wants[] = {
	WANT_COUNTS(ITEM_AT "usage."),
	[ITEM_TYPE] = { "result.type", WORD_BYTES, false },
	[ITEM_MODEL] = { ITEM_AT "model", KEEP(model), false },
	[ITEM_USAGE] = { ITEM_AT "usage", 1, false },
	[ITEM_PASSES + PASS_TYPE] = { ITEM_PASS ".type", WORD_BYTES, true },
	[ITEM_PASSES + PASS_INPUT] = { ITEM_PASS ".input_tokens",
	    NUMBER_BYTES, true },
	[ITEM_PASSES + PASS_OUTPUT] = { ITEM_PASS ".output_tokens",
	    NUMBER_BYTES, true },
	[ITEM_PASSES + PASS_CACHE_READ] = {
	    ITEM_PASS ".cache_read_input_tokens", NUMBER_BYTES, true },
	[ITEM_PASSES + PASS_CACHE_WRITE] = {
	    ITEM_PASS ".cache_creation_input_tokens", NUMBER_BYTES, true },
	[ITEM_PASSES + PASS_CACHE_WRITE_1H] = { ITEM_PASS
	    ".cache_creation.ephemeral_1h_input_tokens", NUMBER_BYTES,
	    true },
	[ITEM_PASSES_END] = { ITEM_PASS, 1, true },
};
_Static_assert(sizeof(item_wants) / sizeof(item_wants[0]) == ITEM_N,
    "a row for each");

struct pass {
	bool compaction;
	bool other_model;
	int64_t count[PASS_WANTS];
};

struct meter {
	struct meter_result r;
	int64_t count[C_COUNT];
	struct json_scan *start, *delta, *body;
	struct json_scan *item;	/* NULL: none was read yet */
	struct pass pass;	/* the one that is being read */
	struct usage extra;	/* of those of the event that is being read */
	bool extra_seen;
	struct usage compacted;	/* of those that were stated last */
	bool plain;		/* the answer is no stream */
	bool broken;		/* the plain answer is no JSON */
};

/* One is over: what it counts for. */
static void
end_pass(struct meter *m)
{
	const int64_t *n = m->pass.count;
	int64_t written_5m = n[PASS_CACHE_WRITE] - n[PASS_CACHE_WRITE_1H];
	struct usage *u = &m->extra;

	m->extra_seen = true;
	m->r.usage.other_models |= m->pass.other_model;
	if (m->pass.compaction) {
		u->input_tokens += n[PASS_INPUT];
		u->output_tokens += n[PASS_OUTPUT];
		u->cache_read_tokens += n[PASS_CACHE_READ];
		u->cache_write_5m_tokens += written_5m > 0 ? written_5m : 0;
		u->cache_write_1h_tokens += n[PASS_CACHE_WRITE_1H];
	}
	memset(&m->pass, 0, sizeof(m->pass));
}

static void
on_pass(struct meter *m, size_t want, const struct json_value *v)
{
	int64_t n;

	if (want == PASS_TYPE && v->kind == JSON_KIND_STRING) {
		m->pass.compaction = strcmp(v->text, "compaction") == 0;
		m->pass.other_model = !m->pass.compaction &&
		    strcmp(v->text, "message") != 0;
	} else if (want == PASS_TYPE)
		m->pass.compaction = m->pass.other_model = false;
	else if (json_value_int(v, 0, COUNT_MAX, &n) == 0)
		m->pass.count[want] = n;
	else if (v->kind != JSON_KIND_NULL)
		m->r.usage.absurd = true;
}

static void
on_body_match(void *arg, size_t want, const struct json_value *v)
{
	struct meter *m = arg;

	if (want == BODY_PASS_END) {
		end_pass(m);
		return;
	}
	if (want >= BODY_PASS) {
		on_pass(m, want - BODY_PASS, v);
		return;
	}
	if (!m->plain)
		return;
	if (v->kind == JSON_KIND_STRING)
		m->r.content_bytes += (int64_t)v->full_len;
	else if (v->kind == JSON_KIND_OBJECT)
		m->r.content_bytes += (int64_t)(v->end - v->start);
}

struct meter *
meter_new(void)
{
	struct meter *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		goto err0;
	if ((m->start = json_scan_new(start_wants, START_N)) == NULL ||
	    (m->delta = json_scan_new(delta_wants, DELTA_N)) == NULL ||
	    (m->body = json_scan_new(body_wants, BODY_N)) == NULL)
		goto err1;
	json_scan_on_match(m->body, on_body_match, m);
	meter_reset(m);
	return (m);

err1:
	meter_free(m);
err0:
	return (NULL);
}

void
meter_free(struct meter *m)
{

	if (m == NULL)
		return;
	json_scan_free(m->item);
	json_scan_free(m->body);
	json_scan_free(m->delta);
	json_scan_free(m->start);
	free(m);
}

static void
forget_passes(struct meter *m)
{

	memset(&m->pass, 0, sizeof(m->pass));
	memset(&m->extra, 0, sizeof(m->extra));
	m->extra_seen = false;
}

void
meter_reset(struct meter *m)
{
	size_t i;

	memset(&m->r, 0, sizeof(m->r));
	memset(&m->compacted, 0, sizeof(m->compacted));
	forget_passes(m);
	for (i = 0; i < C_COUNT; i++)
		m->count[i] = -1;
	m->plain = m->broken = false;
	json_scan_reset(m->body);
	if (m->item != NULL)
		json_scan_reset(m->item);
}

const struct meter_result *
meter_result(const struct meter *m)
{

	return (&m->r);
}

/*
 * What a scan found.
 */

/* Scan an event; of one that was cut, what is left of it. */
static bool
scan_event(struct meter *m, struct json_scan *s, const struct sse_event *ev)
{

	forget_passes(m);
	json_scan_reset(s);
	return (json_scan_push(s, ev->data, ev->data_len, NULL) == 0 &&
	    (ev->data_cut || json_scan_end(s, NULL) == 0));
}

static int64_t
stated(const struct meter *m, enum count i)
{

	return (m->count[i] == -1 ? 0 : m->count[i]);
}

/*
 * Cache writes are stated as a sum, and since 2025 also by lifetime.  Later
 * events may state a larger sum alone; what it does not account for was
 * written for 5 minutes, the default.
 */
static void
state_usage(struct meter *m)
{
	struct usage *u = &m->r.usage;
	int64_t sum = stated(m, C_CACHE_WRITE);

	u->input_tokens = stated(m, C_INPUT);
	u->output_tokens = stated(m, C_OUTPUT);
	u->cache_read_tokens = stated(m, C_CACHE_READ);
	u->cache_write_1h_tokens = stated(m, C_CACHE_WRITE_1H);
	u->cache_write_5m_tokens = stated(m, C_CACHE_WRITE_5M);
	if (sum > u->cache_write_5m_tokens + u->cache_write_1h_tokens)
		u->cache_write_5m_tokens = sum - u->cache_write_1h_tokens;
	u->web_searches = stated(m, C_WEB_SEARCH);
	u->input_tokens += m->compacted.input_tokens;
	u->output_tokens += m->compacted.output_tokens;
	u->cache_read_tokens += m->compacted.cache_read_tokens;
	u->cache_write_5m_tokens += m->compacted.cache_write_5m_tokens;
	u->cache_write_1h_tokens += m->compacted.cache_write_1h_tokens;
}

/* What was stated of the way it was served. */
static const struct {
	enum word word;
	const char *text;
	int way;
} ways[] = {
	{ WORD_TIER, "standard", USAGE_TIER_STANDARD },
	{ WORD_TIER, "priority", USAGE_TIER_PRIORITY },
	{ WORD_TIER, "batch", USAGE_TIER_BATCH },
	{ WORD_SPEED, "standard", USAGE_SPEED_STANDARD },
	{ WORD_SPEED, "fast", USAGE_SPEED_FAST },
	{ WORD_GEO, "global", USAGE_GEO_GLOBAL },
	{ WORD_GEO, "not_available", USAGE_GEO_GLOBAL },
	{ WORD_GEO, "us", USAGE_GEO_US },
};

/* The way in ${v}; ${before} if it is not stated, ${other} if not known. */
static int
way_of(enum word word, const struct json_value *v, int before, int other)
{
	size_t i;

	if (v->kind == JSON_KIND_NONE || v->kind == JSON_KIND_NULL)
		return (before);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (v->kind == JSON_KIND_STRING && ways[i].word == word &&
		    strcmp(v->text, ways[i].text) == 0)
			return (ways[i].way);
	return (other);
}

static void
take_ways(struct usage *u, const struct json_scan *s)
{

	u->tier = (enum usage_tier)way_of(WORD_TIER, json_scan_get(s,
	    C_COUNT + WORD_TIER), (int)u->tier, USAGE_TIER_OTHER);
	u->speed = (enum usage_speed)way_of(WORD_SPEED, json_scan_get(s,
	    C_COUNT + WORD_SPEED), (int)u->speed, USAGE_SPEED_OTHER);
	u->geo = (enum usage_geo)way_of(WORD_GEO, json_scan_get(s,
	    C_COUNT + WORD_GEO), (int)u->geo, USAGE_GEO_OTHER);
}

static bool
is_stated(const struct json_value *v)
{

	return (v->kind != JSON_KIND_NONE && v->kind != JSON_KIND_NULL);
}

/* Absent, null and absurd counts leave what was stated before. */
static void
take_counts(struct meter *m, const struct json_scan *s)
{
	const struct json_value *v;
	int64_t n;
	size_t i;

	for (i = 0; i < C_COUNT; i++) {
		v = json_scan_get(s, i);
		if (json_value_int(v, 0, COUNT_MAX, &n) == 0)
			m->count[i] = n;
		else if (is_stated(v))
			m->r.usage.absurd = true;
	}
	if ((s == m->body || s == m->item) && m->extra_seen)
		m->compacted = m->extra;
	take_ways(&m->r.usage, s);
	state_usage(m);
}

/* A count that is one. */
static bool
has_output(const struct json_scan *s)
{
	int64_t n;

	return (json_value_int(json_scan_get(s, C_OUTPUT), 0, COUNT_MAX,
	    &n) == 0);
}

/* Copy the string that was found, if one was; its want bounds its length. */
static void
take_string(const struct json_scan *s, size_t want, char *out)
{
	const struct json_value *v = json_scan_get(s, want);

	if (v->kind == JSON_KIND_STRING)
		memcpy(out, v->text, v->len + 1);
}

static void
take_error(struct meter *m, const struct json_scan *s)
{

	take_string(s, BODY_ERROR_TYPE, m->r.error_type);
	take_string(s, BODY_ERROR_MESSAGE, m->r.error_message);
}

/*
 * Events.
 */

static enum meter_event
on_start(struct meter *m, const struct sse_event *ev)
{

	if (!scan_event(m, m->start, ev))
		return (METER_OTHER);
	take_counts(m, m->start);
	take_string(m->start, START_MODEL, m->r.model);
	m->r.started |= m->count[C_INPUT] != -1;
	return (METER_START);
}

static enum meter_event
on_content(struct meter *m, const struct sse_event *ev)
{
	const struct json_value *v;
	size_t i;

	/* Its text did not end: take it that all of it is text. */
	if (ev->data_cut) {
		m->r.content_bytes += (int64_t)ev->data_full_len;
		return (METER_CONTENT);
	}
	if (!scan_event(m, m->delta, ev))
		return (METER_OTHER);
	for (i = 0; i < DELTA_N; i++) {
		v = json_scan_get(m->delta, i);
		if (v->kind == JSON_KIND_STRING)
			m->r.content_bytes += (int64_t)v->full_len;
	}
	return (METER_CONTENT);
}

static enum meter_event
on_delta(struct meter *m, const struct sse_event *ev)
{

	if (!scan_event(m, m->body, ev))
		return (METER_OTHER);
	take_counts(m, m->body);
	m->r.started |= m->count[C_INPUT] != -1;
	m->r.final_seen |= has_output(m->body);
	return (METER_DELTA);
}

static enum meter_event
on_error(struct meter *m, const struct sse_event *ev)
{

	if (scan_event(m, m->body, ev))
		take_error(m, m->body);
	return (METER_ERROR);
}

static enum meter_event
on_stop(struct meter *m, const struct sse_event *ev)
{

	(void)ev;
	m->r.stopped = true;
	return (METER_STOP);
}

static enum meter_event
on_ping(struct meter *m, const struct sse_event *ev)
{

	(void)m;
	(void)ev;
	return (METER_PING);
}

static const struct {
	const char *type;
	enum meter_event (*read)(struct meter *m, const struct sse_event *ev);
} events[] = {
	{ "content_block_delta", on_content },
	{ "ping", on_ping },
	{ "message_start", on_start },
	{ "message_delta", on_delta },
	{ "message_stop", on_stop },
	{ "error", on_error },
};

enum meter_event
meter_event(struct meter *m, const struct sse_event *ev)
{
	const char *type = ev->type;
	size_t i;

	/* Without an event line, the type is in the data. */
	if (strcmp(type, "message") == 0 && !ev->comment_only) {
		if (!scan_event(m, m->body, ev) ||
		    json_scan_get(m->body, BODY_TYPE)->kind !=
		    JSON_KIND_STRING)
			return (METER_OTHER);
		type = json_scan_get(m->body, BODY_TYPE)->text;
	}
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (strcmp(type, events[i].type) == 0)
			return (events[i].read(m, ev));
	return (METER_OTHER);
}

/*
 * Plain answers.
 */

void
meter_body(struct meter *m, const void *p, size_t n)
{

	m->plain = true;
	if (json_scan_push(m->body, p, n, NULL) == -1)
		m->broken = true;
}

bool
meter_body_end(struct meter *m)
{
	const struct json_value *type = json_scan_get(m->body, BODY_TYPE);

	if (m->broken || json_scan_end(m->body, NULL) == -1)
		return (false);
	if (type->kind == JSON_KIND_STRING && strcmp(type->text, "error") == 0)
		take_error(m, m->body);
	take_string(m->body, BODY_MODEL, m->r.model);
	take_counts(m, m->body);
	if (json_scan_get(m->body, BODY_USAGE)->kind != JSON_KIND_OBJECT)
		return (false);
	m->r.started |= m->count[C_INPUT] != -1;
	m->r.final_seen = has_output(m->body) ||
	    !is_stated(json_scan_get(m->body, C_OUTPUT));
	return (true);
}

/*
 * Results of batches.
 */

static void
on_item_match(void *arg, size_t want, const struct json_value *v)
{

	if (want == ITEM_PASSES_END)
		end_pass(arg);
	else
		on_pass(arg, want - ITEM_PASSES, v);
}

void
meter_item(struct meter *m, const void *p, size_t n)
{

	if (m->item == NULL) {
		m->item = json_scan_new(item_wants, ITEM_N);
		if (m->item != NULL)
			json_scan_on_match(m->item, on_item_match, m);
	}
	if (m->item == NULL || json_scan_push(m->item, p, n, NULL) == -1)
		m->broken = true;
}

enum meter_item
meter_item_end(struct meter *m)
{
	const struct json_value *type;

	if (m->broken || json_scan_end(m->item, NULL) == -1)
		return (METER_ITEM_UNREAD);
	type = json_scan_get(m->item, ITEM_TYPE);
	if (type->kind != JSON_KIND_STRING)
		return (METER_ITEM_UNREAD);
	if (strcmp(type->text, "succeeded") != 0)
		return (METER_ITEM_OTHER);
	take_string(m->item, ITEM_MODEL, m->r.model);
	take_counts(m, m->item);
	return (json_scan_get(m->item, ITEM_USAGE)->kind ==
	    JSON_KIND_OBJECT ? METER_ITEM_SUCCEEDED : METER_ITEM_UNREAD);
}

int64_t
meter_estimate_output(const struct meter_result *r)
{
	int64_t passed = (r->content_bytes * TOKENS + TOKENS_BYTES - 1) /
	    TOKENS_BYTES;

	return (passed > r->usage.output_tokens ? passed :
	    r->usage.output_tokens);
}
