#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "relay/ask.h"
#include "relay/mentions.h"
#include "relay/peek.h"

/* More than any model gives in one answer. */
#define MAX_TOKENS_MAX	INT64_C(1000000000)

/* A number with more characters than this is none that a client means. */
#define NUMBER_BYTES	32

/* Longer words are none that have a meaning here. */
#define WORD_BYTES	40

/* The members of the ask come last, in the order of their enum. */
enum { W_MODEL, W_STREAM, W_MAX_TOKENS, W_USER_ID, W_TYPE, W_TOOL_TYPE,
	W_TOOL_USES, W_TOOL, W_TTL, W_SYSTEM, W_SYSTEM_TEXT, W_CONTENT,
	W_CONTENT_TEXT, W_MESSAGE, W_FILE, W_FILE_INSIDE, W_FILE_UPLOAD,
	W_TOOL_MODEL, W_FALLBACK_MODEL, W_FALLBACK,
	W_MEMBERS,
	W_COUNT = W_MEMBERS + ASK_NMEMBERS };
static const struct json_want wants[] = {
	[W_MODEL] = { "model", LIMIT_NAME_BYTES - 1, false },
	[W_STREAM] = { "stream", 1, false },
	[W_MAX_TOKENS] = { "max_tokens", NUMBER_BYTES, false },
	[W_USER_ID] = { "metadata.user_id", 0, false },
	[W_TYPE] = { "**.type", WORD_BYTES, true },
	[W_TOOL_TYPE] = { "tools[].type", WORD_BYTES, true },
	[W_TOOL_USES] = { "tools[].max_uses", NUMBER_BYTES, true },
	[W_TOOL] = { "tools[]", 1, true },
	[W_TTL] = { "**.ttl", WORD_BYTES, true },
	[W_SYSTEM] = { "system", 0, true },
	[W_SYSTEM_TEXT] = { "system[].text", 0, true },
	[W_CONTENT] = { "messages[].content", 0, true },
	[W_CONTENT_TEXT] = { "messages[].content[].text", 0, true },
	[W_MESSAGE] = { "messages[]", 1, true },
	[W_FILE] = { "messages[].content[].source.file_id", OBJECT_ID_SIZE,
	    true },
	[W_FILE_INSIDE] = { "messages[].content[].content[].source.file_id",
	    OBJECT_ID_SIZE, true },
	[W_FILE_UPLOAD] = { "messages[].content[].file_id", OBJECT_ID_SIZE,
	    true },
	[W_TOOL_MODEL] = { "tools[].model", LIMIT_NAME_BYTES - 1, true },
	[W_FALLBACK_MODEL] = { "fallbacks[].model", LIMIT_NAME_BYTES - 1,
	    true },
	[W_FALLBACK] = { "fallbacks[]", 1, true },
	[W_MEMBERS + ASK_SPEED] = { "speed", WORD_BYTES, false },
	[W_MEMBERS + ASK_SERVICE_TIER] = { "service_tier", WORD_BYTES,
	    false },
	[W_MEMBERS + ASK_INFERENCE_GEO] = { "inference_geo", WORD_BYTES,
	    false },
	[W_MEMBERS + ASK_CONTAINER] = { "container", 1, true },
	[W_MEMBERS + ASK_MCP_SERVERS] = { "mcp_servers", 1, true },
	[W_MEMBERS + ASK_THREAD] = { "thread", 1, true },
	[W_MEMBERS + ASK_FALLBACKS] = { "fallbacks", 1, true },
	[W_MEMBERS + ASK_COMPACTION] = { "compaction", 1, true },
};
_Static_assert(sizeof(wants) / sizeof(wants[0]) == W_COUNT,
    "a row for each");

/* What Claude Code puts into metadata.user_id (WIRE.md section 3). */
static const struct json_want user_id_wants[] = {
	{ "session_id", sizeof(((struct peek *)NULL)->session) - 1, false },
};

/*
 * Where a "type" is none of the API's: arguments of tools, that the model
 * wrote, and schemas.
 */
static const char *const opaque[] = { "input", "input_schema", "schema",
	"input_examples", NULL };

struct peek_scan {
	struct json_scan *body, *user_id;
	struct ask ask;
	uint64_t system, first;	/* hashes of the texts of the system prompt and
				   of the first message; 0: none ... */
	bool first_over;	/* ... which is over */
	bool cached, long_cache;	/* a breakpoint was seen */
	struct object_ask objects;	/* files that are named */
	struct mentions others;		/* models beside the body's own */
	bool named;		/* the fallback at hand: it names one */
	struct err why;		/* the first thing that is wrong with them */
};

/* ---- what stays of a conversation ---- */

/* To tell the conversations of one key apart, not to keep anybody out. */
static uint64_t
mix(uint64_t h, uint64_t word)
{

	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return (h ^ (h >> 29));
}

static uint64_t
add_text(uint64_t h, const struct json_value *v)
{
	uint64_t word;
	size_t i;

	if (v->kind != JSON_KIND_STRING)
		return (h);
	for (i = 0; i + sizeof(word) <= v->len; i += sizeof(word)) {
		memcpy(&word, v->text + i, sizeof(word));
		h = mix(h, word);
	}
	word = 0;
	memcpy(&word, v->text + i, v->len - i);
	return (mix(mix(h, word), v->full_len + 1));
}

static bool
is_word(const struct json_value *v, const char *word)
{

	return (v->kind == JSON_KIND_STRING && v->full_len == strlen(word) &&
	    memcmp(v->text, word, strlen(word)) == 0);
}

/* The only kind of breakpoint there is ("Prompt caching"). */
static void
note_cache(struct peek_scan *s, size_t want, const struct json_value *v)
{

	if (want == W_TYPE && is_word(v, "ephemeral"))
		s->cached = true;
	if (want == W_TTL && is_word(v, "1h"))
		s->long_cache = true;
}

/* ---- other models ---- */

/* Of a tool that asks one, or of a fallback. */
static void
take_other(struct peek_scan *s, size_t want, const struct json_value *v)
{
	const char *what = mentions_fault(v);

	if (want == W_FALLBACK_MODEL)
		s->named = true;
	if (s->why.code != ERR_NONE)
		return;
	if (what != NULL)
		err_set(&s->why, ERR_INVAL, "%s %s", wants[want].path, what);
	else
		mentions_add(&s->others, v, &s->why);
}

static void
end_fallback(struct peek_scan *s)
{

	s->others.ask.unnamed |= !s->named;
	s->named = false;
}

/* Those that may come more than once all count. */
static void
on_match(void *arg, size_t want, const struct json_value *v)
{
	struct peek_scan *s = arg;

	switch (want) {
	case W_TYPE:
		ask_type(&s->ask, v);
		note_cache(s, want, v);
		break;
	case W_TTL:
		note_cache(s, want, v);
		break;
	case W_SYSTEM:
	case W_SYSTEM_TEXT:
		s->system = add_text(s->system, v);
		break;
	case W_CONTENT:
	case W_CONTENT_TEXT:
		if (!s->first_over)
			s->first = add_text(s->first, v);
		break;
	case W_MESSAGE:
		s->first_over = true;
		break;
	case W_FILE:
	case W_FILE_INSIDE:
	case W_FILE_UPLOAD:
		if (v->kind == JSON_KIND_STRING)
			object_ask_id(&s->objects, v->text, v->len);
		break;
	case W_TOOL_MODEL:
	case W_FALLBACK_MODEL:
		take_other(s, want, v);
		break;
	case W_FALLBACK:
		end_fallback(s);
		break;
	case W_MEMBERS + ASK_FALLBACKS:
		s->others.ask.unnamed |= v->kind != JSON_KIND_NULL &&
		    v->kind != JSON_KIND_FALSE && v->kind != JSON_KIND_ARRAY;
		ask_member(&s->ask, ASK_FALLBACKS, v);
		break;
	case W_TOOL_TYPE:
		ask_tool_type(&s->ask, v);
		break;
	case W_TOOL_USES:
		ask_tool_uses(&s->ask, v);
		break;
	case W_TOOL:
		ask_tool_end(&s->ask);
		break;
	default:
		ask_member(&s->ask, (enum ask_member)(want - W_MEMBERS), v);
		break;
	}
}

struct peek_scan *
peek_new(void)
{
	struct peek_scan *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		goto err0;
	if ((s->body = json_scan_new(wants, W_COUNT)) == NULL ||
	    (s->user_id = json_scan_new(user_id_wants, 1)) == NULL)
		goto err1;
	mentions_init(&s->others);
	json_scan_on_match(s->body, on_match, s);
	json_scan_opaque(s->body, opaque);
	s->objects.names = OBJECT_FILE;
	return (s);

err1:
	peek_free(s);
err0:
	return (NULL);
}

void
peek_free(struct peek_scan *s)
{

	if (s == NULL)
		return;
	mentions_fini(&s->others);
	json_scan_free(s->user_id);
	json_scan_free(s->body);
	free(s);
}

void
peek_reset(struct peek_scan *s)
{

	json_scan_reset(s->body);
	ask_init(&s->ask);
	s->system = s->first = 0;
	s->first_over = s->cached = s->long_cache = false;
	s->objects.n = 0;
	s->objects.more = false;
	mentions_fini(&s->others);
	mentions_init(&s->others);
	s->named = false;
	err_clear(&s->why);
}

struct mentions *
peek_others(struct peek_scan *s)
{

	return (s->others.ask.n > 0 || s->others.ask.unnamed ||
	    s->others.ask.more ? &s->others : NULL);
}

const struct object_ask *
peek_objects(const struct peek_scan *s)
{

	return (s->objects.n > 0 ? &s->objects : NULL);
}

static int
malformed(const struct err *why, struct err *err)
{

	err_set(err, ERR_INVAL, "the body is not valid JSON: %s", why->text);
	return (-1);
}

int
peek_push(struct peek_scan *s, const void *p, size_t n, struct err *err)
{
	struct err why = { .code = ERR_NONE };

	if (json_scan_push(s->body, p, n, &why) == -1)
		return (malformed(&why, err));
	return (0);
}

/*
 * Members.
 */

static const char *
judge_stream(const struct json_value *v)
{

	if (v->kind != JSON_KIND_NONE && v->kind != JSON_KIND_TRUE &&
	    v->kind != JSON_KIND_FALSE)
		return ("is not a boolean");
	return (NULL);
}

static const char *
judge_max_tokens(const struct json_value *v)
{
	int64_t n;

	if (v->kind != JSON_KIND_NONE &&
	    json_value_int(v, 0, MAX_TOKENS_MAX, &n) == -1)
		return ("is not a whole number from 0 to 1000000000");
	return (NULL);
}

/* The upstream's to judge. */
static const char *
judge_word(const struct json_value *v)
{

	(void)v;
	return (NULL);
}

/* Readers differ on which of two counts, so two of these are refused. */
static int
judge_members(const struct json_scan *body, struct err *err)
{
	static const struct {
		size_t want;
		const char *(*judge)(const struct json_value *v);
	} members[] = {
		{ W_MODEL, mentions_fault },
		{ W_STREAM, judge_stream },
		{ W_MAX_TOKENS, judge_max_tokens },
		{ W_MEMBERS + ASK_SPEED, judge_word },
		{ W_MEMBERS + ASK_SERVICE_TIER, judge_word },
		{ W_MEMBERS + ASK_INFERENCE_GEO, judge_word },
	};
	const struct json_value *v;
	const char *what;
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		v = json_scan_get(body, members[i].want);
		what = v->duplicate ? "is given twice" : members[i].judge(v);
		if (what != NULL) {
			err_set(err, ERR_INVAL, "%s %s",
			    wants[members[i].want].path, what);
			return (-1);
		}
	}
	return (0);
}

/*
 * The session, which is of use only as a key: what is not plain is none.
 */

void
peek_session(const char *text, size_t n, char out[PEEK_SESSION_SIZE])
{
	size_t i;

	if (n >= PEEK_SESSION_SIZE)
		return;
	for (i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return;
	memcpy(out, text, n);
	out[n] = '\0';
}

/* Newer clients: a string that holds {"session_id": ...}. */
static void
session_of_object(struct json_scan *s, const struct json_value *user_id,
    struct peek *out)
{
	const struct json_value *v = json_scan_get(s, 0);

	json_scan_reset(s);
	if (json_scan_push(s, user_id->text, user_id->len, NULL) == -1 ||
	    json_scan_end(s, NULL) == -1)
		return;
	if (v->kind == JSON_KIND_STRING && v->full_len == v->len)
		peek_session(v->text, v->len, out->session);
}

/* Older ones: user_..._account_..._session_UUID. */
static void
session_of_suffix(const struct json_value *user_id, struct peek *out)
{
	static const char mark[] = "_session_";
	const char *p = strstr(user_id->text, mark);

	if (p == NULL)
		return;
	p += sizeof(mark) - 1;
	peek_session(p, user_id->len - (size_t)(p - user_id->text),
	    out->session);
}

static void
find_session(struct peek_scan *s, struct peek *out)
{
	const struct json_value *v = json_scan_get(s->body, W_USER_ID);

	if (v->kind == JSON_KIND_STRING && v->full_len == v->len) {
		if (v->text[0] == '{')
			session_of_object(s->user_id, v, out);
		else
			session_of_suffix(v, out);
	}
	if (out->session[0] == '\0' && s->cached && s->first != 0)
		(void)snprintf(out->session, sizeof(out->session),
		    "prefix-%016" PRIx64, mix(s->system, s->first));
	out->long_cache = s->cached && s->long_cache;
}

static void
find_ask(struct peek_scan *s, struct peek *out)
{
	static const enum ask_member members[] = { ASK_SPEED,
		ASK_SERVICE_TIER, ASK_INFERENCE_GEO };
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		ask_member(&s->ask, members[i], json_scan_get(s->body,
		    W_MEMBERS + members[i]));
	ask_end(&s->ask, &out->ask);
}

int
peek_end(struct peek_scan *s, struct peek *out, struct err *err)
{
	const struct json_value *model = json_scan_get(s->body, W_MODEL);
	struct err why = { .code = ERR_NONE };

	if (json_scan_end(s->body, &why) == -1)
		return (malformed(&why, err));
	if (json_scan_top(s->body) != JSON_KIND_OBJECT) {
		err_set(err, ERR_INVAL, "the body is not a JSON object");
		return (-1);
	}
	if (judge_members(s->body, err) == -1)
		return (-1);
	if (s->why.code != ERR_NONE) {
		err_set(err, s->why.code, "%s", s->why.text);
		return (-1);
	}
	memset(out, 0, sizeof(*out));
	memcpy(out->model, model->text, model->len + 1);
	out->model_start = model->start;
	out->model_end = model->end;
	out->stream = json_scan_get(s->body, W_STREAM)->kind ==
	    JSON_KIND_TRUE;
	if (json_value_int(json_scan_get(s->body, W_MAX_TOKENS), 0,
		MAX_TOKENS_MAX, &out->max_tokens) == -1)
		out->max_tokens = 0;
	find_session(s, out);
	find_ask(s, out);
	return (0);
}
