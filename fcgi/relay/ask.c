#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ledger/usage.h"
#include "relay/ask.h"

/* More searches than this in one call are as good as no bound. */
#define USES_MAX	1000

/*
 * What the upstream adds to the input for tools: its own words about them (up
 * to 804 tokens, by model), and for each kind of its own making a definition
 * (up to 735, of computer use).  Source: platform.claude.com/docs/en/about-
 * claude/pricing, "Tool use pricing".
 */
#define TOOLS_TOKENS	1000
#define TYPED_TOKENS	1000

#define TIER(t)		(1U << USAGE_TIER_ ## t)
#define SPEED(s)	(1U << USAGE_SPEED_ ## s)
#define GEO(g)		(1U << USAGE_GEO_ ## g)

void
ask_init(struct ask *a)
{

	memset(a, 0, sizeof(*a));
}

/* The first feature that is found is named. */
static void
note_feature(struct ask *a, const char *what)
{

	if (a->price.feature[0] == '\0')
		snprintf(a->price.feature, sizeof(a->price.feature), "%s",
		    what);
}

/*
 * Types.
 */

/* What a type tells, wherever it stands: the first row that fits. */
static const struct kind {
	const char *text;	/* if it ends in '_', a date follows */
	bool tool;		/* of a tool; the others tell nothing of it */
	bool searches;
	bool outside;		/* brings input that is not in the body */
	bool again;
	bool repeats;
	const char *feature;
} kinds[] = {
	/* Tools that the client runs itself. */
	{ .text = "custom", .tool = true },
	{ .text = "function", .tool = true },
	{ .text = "bash_", .tool = true },
	{ .text = "text_editor_", .tool = true },
	{ .text = "computer_", .tool = true },
	{ .text = "memory_", .tool = true },
	/* Tools that the upstream runs. */
	{ .text = "tool_search_tool_regex_", .tool = true, .repeats = true },
	{ .text = "tool_search_tool_bm25_", .tool = true, .repeats = true },
	{ .text = "tool_search_tool_regex", .tool = true, .repeats = true },
	{ .text = "tool_search_tool_bm25", .tool = true, .repeats = true },
	{ .text = "web_search_", .tool = true, .searches = true,
	    .outside = true, .repeats = true },
	{ .text = "web_fetch_", .tool = true, .outside = true,
	    .repeats = true },
	{ .text = "mcp_toolset", .tool = true, .outside = true,
	    .repeats = true },
	/* By the hour of its container, of which no answer tells. */
	{ .text = "code_execution_", .tool = true, .outside = true,
	    .repeats = true, .feature = "code execution" },
	/* By the tokens of another model. */
	{ .text = "advisor_", .tool = true, .outside = true, .repeats = true,
	    .feature = "the advisor tool" },
	/* Input from elsewhere. */
	{ .text = "url", .outside = true },
	{ .text = "file", .outside = true },
	{ .text = "container_upload", .outside = true },
	/* The conversation is read once more, and summed up. */
	{ .text = "compact_", .again = true, .repeats = true },
};

static bool
is_kind(const struct kind *k, const char *type)
{
	size_t n;

	/* Most types are none of these: seen at the first byte. */
	if (k->text[0] != type[0])
		return (false);
	n = strlen(k->text);
	if (k->text[n - 1] != '_')
		return (strcmp(type, k->text) == 0);
	return (strncmp(type, k->text, n) == 0 && type[n] >= '0' &&
	    type[n] <= '9');
}

static const struct kind *
find_kind(const struct json_value *v)
{
	size_t i;

	if (v->kind != JSON_KIND_STRING)
		return (NULL);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (is_kind(&kinds[i], v->text))
			return (&kinds[i]);
	return (NULL);
}

void
ask_type(struct ask *a, const struct json_value *v)
{
	const struct kind *k = find_kind(v);

	if (k == NULL)
		return;
	a->searches_seen += k->searches;
	a->price.whole_context |= k->outside;
	a->price.again |= k->again;
	a->price.repeats |= k->repeats;
	if (k->feature != NULL)
		note_feature(a, k->feature);
}

/*
 * Tools.
 */

void
ask_tool_type(struct ask *a, const struct json_value *v)
{
	const struct kind *k = find_kind(v);

	if (v->kind != JSON_KIND_STRING)
		return;
	a->tool_typed = true;
	a->tool_known = k != NULL && k->tool;
	a->tool_searches |= k != NULL && k->searches;
	snprintf(a->tool, sizeof(a->tool), "%s", v->text);
}

/* Of two the greater counts: nobody knows which the upstream takes. */
void
ask_tool_uses(struct ask *a, const struct json_value *v)
{
	int64_t n;

	if (v->kind == JSON_KIND_NULL)
		return;
	if (json_value_int(v, 0, USES_MAX, &n) == -1)
		n = -1;
	if (!a->uses_stated || n == -1 || (a->uses != -1 && n > a->uses))
		a->uses = n;
	a->uses_stated = true;
}

void
ask_tool_end(struct ask *a)
{
	char what[sizeof(a->price.feature)];

	if (a->tool_typed && !a->tool_known) {
		snprintf(what, sizeof(what), "a tool of type \"%s\"",
		    a->tool);
		note_feature(a, what);
	}
	if (a->price.added_tokens == 0)
		a->price.added_tokens = TOOLS_TOKENS;
	if (a->tool_typed)
		a->price.added_tokens += TYPED_TOKENS;
	if (a->tool_searches && a->uses_stated && a->uses >= 0) {
		a->searches_bound++;
		a->price.web_searches += a->uses;
	}
	a->tool_typed = a->tool_known = a->tool_searches = false;
	a->uses_stated = false;
	a->uses = 0;
	a->tool[0] = '\0';
}

/*
 * Members of the body.
 */

/* What may come of a choice; the first row is that of none. */
static const struct choice {
	const char *word;	/* NULL: not there, or null */
	unsigned ways;
} speeds[] = {
	{ NULL, SPEED(STANDARD) },
	{ "standard", SPEED(STANDARD) },
	{ "fast", SPEED(FAST) },
}, tiers[] = {
	{ NULL, TIER(STANDARD) | TIER(PRIORITY) },
	{ "auto", TIER(STANDARD) | TIER(PRIORITY) },
	{ "standard_only", TIER(STANDARD) },
}, geos[] = {
	/* Without a word it is as the workspace has it. */
	{ NULL, GEO(GLOBAL) | GEO(US) },
	{ "global", GEO(GLOBAL) },
	{ "us", GEO(US) },
};

static unsigned
ways_of(const struct choice *choices, size_t n, unsigned other,
    const struct json_value *v)
{
	size_t i;

	if (v->kind == JSON_KIND_NONE || v->kind == JSON_KIND_NULL)
		return (choices[0].ways);
	for (i = 1; i < n && v->kind == JSON_KIND_STRING && !v->has_nul; i++)
		if (strcmp(v->text, choices[i].word) == 0)
			return (choices[i].ways);
	return (other);
}

#define WAYS_OF(choices, other, v)					\
	ways_of(choices, sizeof(choices) / sizeof((choices)[0]), other, v)

/* Something stands there: "{}" or "[]" is nothing. */
static bool
is_given(const struct json_value *v)
{

	switch (v->kind) {
	case JSON_KIND_NONE:
	case JSON_KIND_NULL:
	case JSON_KIND_FALSE:
		return (false);
	case JSON_KIND_ARRAY:
	case JSON_KIND_OBJECT:
		return (v->end - v->start > 2);
	default:
		return (true);
	}
}

void
ask_member(struct ask *a, enum ask_member m, const struct json_value *v)
{
	struct price_ask *p = &a->price;
	bool given = is_given(v);

	switch (m) {
	case ASK_SPEED:
		p->speeds = WAYS_OF(speeds, SPEED(OTHER), v);
		break;
	case ASK_SERVICE_TIER:
		p->tiers = WAYS_OF(tiers, TIER(OTHER), v);
		break;
	case ASK_INFERENCE_GEO:
		p->geos = WAYS_OF(geos, GEO(OTHER), v);
		break;
	case ASK_CONTAINER:
	case ASK_MCP_SERVERS:
	case ASK_THREAD:
		p->whole_context |= given;
		p->repeats |= given;
		break;
	case ASK_FALLBACKS:
		if (given)
			note_feature(a, "a call with fallbacks");
		p->other_models |= given;
		break;
	case ASK_COMPACTION:
		p->again |= given;
		p->repeats |= given;
		break;
	case ASK_NMEMBERS:
		break;
	}
}

/* A search tool that is none of those in "tools" with a bound has none. */
void
ask_end(struct ask *a, struct price_ask *out)
{

	if (a->searches_seen > a->searches_bound)
		a->price.web_searches = -1;
	*out = a->price;
}
