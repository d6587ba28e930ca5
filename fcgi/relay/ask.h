#ifndef RELAY_ASK_H_
#define RELAY_ASK_H_

#include <stdbool.h>
#include <stdint.h>

#include "ledger/price.h"

struct json_value;

/**
 * What a request body asks for that may make the call dear: the half of peek
 * that knows the Messages API's features.  It is told of values as the scanner
 * finds them.  What it does not know it takes for the dear case, so that a
 * budget is not overrun by a feature that is younger than this table.
 *
 * Sources: platform.claude.com/docs, "Messages", "Fast mode", "Service tiers",
 * "Data residency", "Server tools", "Files API", "MCP connector",
 * "Compaction"; WIRE.md section 2 for the names of members.
 */
struct ask {
	struct price_ask price;
	int64_t searches_seen;	/* web search tools anywhere in the body ... */
	int64_t searches_bound;	/* ... and those among "tools", with max_uses
				   as far as they have it */

	/* the element of "tools" at hand */
	bool tool_searches;
	bool tool_known;	/* its kind of tool is */
	bool tool_typed;
	bool uses_stated;
	int64_t uses;		/* the most that was stated; -1: no number */
	char tool[32];
};

/** ask_init(a): A new body. */
void ask_init(struct ask *a);

/**
 * ask_type(a, v): A member "type" anywhere, but for what the model or the
 * client's own tools wrote.
 */
void ask_type(struct ask *a, const struct json_value *v);

/** ask_tool_type, ask_tool_uses, ask_tool_end: In an element of "tools":
 * "type", "max_uses", and its end. */
void ask_tool_type(struct ask *a, const struct json_value *v);
void ask_tool_uses(struct ask *a, const struct json_value *v);
void ask_tool_end(struct ask *a);

/** Members of the body that have a meaning for the price. */
enum ask_member {
	ASK_SPEED,
	ASK_SERVICE_TIER,
	ASK_INFERENCE_GEO,
	ASK_CONTAINER,
	ASK_MCP_SERVERS,
	ASK_THREAD,
	ASK_FALLBACKS,
	ASK_COMPACTION,
	ASK_NMEMBERS
};

/** ask_member(a, m, v): What stands there, also if nothing does. */
void ask_member(struct ask *a, enum ask_member m, const struct json_value *v);

/** ask_end(a, out): All was told. */
void ask_end(struct ask *a, struct price_ask *out);

#endif /* !RELAY_ASK_H_ */
