#include "config.h"

#include <stdio.h>
#include <string.h>

#include "mock/answer.h"

/* What the demo says, a word a delta. */
static const char *const words[] = {
	"Hello", " from", " the", " demo", " upstream", " of", " Leasehold:",
	" your", " request", " came", " through", " the", " web", " server,",
	" a", " responder", " and", " a", " leased", " account.",
};
#define NWORDS	((int64_t)(sizeof(words) / sizeof(words[0])))

static const struct {
	const char *id, *display_name, *created_at;
} models[] = {
	{ "claude-opus-4-5", "Claude Opus 4.5", "2025-11-24T00:00:00Z" },
	{ "claude-sonnet-4-5", "Claude Sonnet 4.5", "2025-09-29T00:00:00Z" },
	{ "claude-haiku-4-5", "Claude Haiku 4.5", "2025-10-15T00:00:00Z" },
};
#define NMODELS	(sizeof(models) / sizeof(models[0]))

/* Source: Claude API reference, "Errors". */
static const struct {
	int status;
	const char *type, *message;
} errors[] = {
	{ 400, "invalid_request_error", "messages: Field required" },
	{ 401, "authentication_error", "invalid x-api-key" },
	{ 402, "billing_error", "Your credit balance is too low" },
	{ 403, "permission_error", "This key may not use this resource" },
	{ 404, "not_found_error", "model: not found" },
	{ 413, "request_too_large", "Request exceeds the maximum size" },
	{ 429, "rate_limit_error",
	    "This request would exceed your rate limit" },
	{ 504, "timeout_error", "The request timed out" },
	{ 529, "overloaded_error", "Overloaded" },
	{ 0, "api_error", "Internal server error" },
};

static int64_t
min64(int64_t a, int64_t b)
{

	return (a < b ? a : b);
}

/* Deltas of each kind: thinking, then text, then the tool's input. */
struct shares {
	int64_t thinking, text, tool;
};

static void
shares(const struct answer *a, struct shares *s)
{
	int64_t most = a->max_tokens > 0 ? a->max_tokens : INT64_MAX;

	s->thinking = min64(a->thinking ? a->plan->thinking : 0, most);
	s->text = min64(a->plan->chunks, most - s->thinking);
	s->tool = a->tool[0] == '\0' ? 0 :
	    min64(a->plan->tool, most - s->thinking - s->text);
}

int64_t
answer_deltas(const struct answer *a)
{
	struct shares s;

	shares(a, &s);
	return (s.thinking + s.text + s.tool);
}

void
answer_usage(const struct answer *a, struct answer_usage *u)
{

	u->input = a->plan->input_tokens >= 0 ? a->plan->input_tokens :
	    a->body_bytes / 4;
	u->output = answer_deltas(a);
	u->cache_read = a->plan->cache_read;
	u->cache_5m = a->plan->cache_5m;
	u->cache_1h = a->plan->cache_1h;
}

/* The usage object as message_start and whole answers have it. */
static int
put_usage(const struct answer *a, int64_t output, struct buf *out)
{
	struct answer_usage u;

	answer_usage(a, &u);
	return (buf_printf(out, "{\"input_tokens\":%jd,"
	    "\"cache_creation_input_tokens\":%jd,"
	    "\"cache_read_input_tokens\":%jd,"
	    "\"cache_creation\":{\"ephemeral_5m_input_tokens\":%jd,"
	    "\"ephemeral_1h_input_tokens\":%jd},"
	    "\"output_tokens\":%jd,\"service_tier\":\"standard\"}",
	    (intmax_t)u.input, (intmax_t)(u.cache_5m + u.cache_1h),
	    (intmax_t)u.cache_read, (intmax_t)u.cache_5m,
	    (intmax_t)u.cache_1h, (intmax_t)output));
}

/* Text of delta ${i}: a word, or .chunk_bytes of them. */
static int
put_text(const struct answer *a, int64_t i, struct buf *out)
{
	unsigned char *p;
	int64_t n = a->plan->chunk_bytes;

	if (n == 0)
		return (buf_puts(out, words[i % NWORDS]));
	if ((p = buf_reserve(out, (size_t)n)) == NULL)
		return (-1);
	memset(p, 'a' + (int)(i % 26), (size_t)n);
	buf_commit(out, (size_t)n);
	return (0);
}

static const char *
stop_reason(const struct answer *a)
{
	struct shares s;

	shares(a, &s);
	if (s.tool > 0)
		return ("tool_use");
	return (s.thinking + s.text == a->max_tokens ? "max_tokens" :
	    "end_turn");
}

/* The blocks in the order of their deltas. */
struct block {
	const char *type;	/* "thinking", "text" or "tool_use" */
	int64_t first, n;	/* its deltas: first .. first + n - 1 */
};

static size_t
blocks(const struct answer *a, struct block b[3])
{
	struct shares s;
	size_t n = 0;

	shares(a, &s);
	if (s.thinking > 0)
		b[n++] = (struct block){ "thinking", 0, s.thinking };
	if (s.text > 0)
		b[n++] = (struct block){ "text", s.thinking, s.text };
	if (s.tool > 0)
		b[n++] = (struct block){ "tool_use", s.thinking + s.text,
			s.tool };
	return (n);
}

static int
put_block_start(const struct answer *a, const struct block *b, size_t index,
    struct buf *out)
{

	if (buf_printf(out, "event: content_block_start\ndata: "
	    "{\"type\":\"content_block_start\",\"index\":%zu,"
	    "\"content_block\":{\"type\":\"%s\",", index, b->type) != 0)
		return (-1);
	if (b->type[0] == 't' && b->type[1] == 'o')
		return (buf_printf(out, "\"id\":\"toolu_mock_%08jx\","
		    "\"name\":\"%s\",\"input\":{}}}\n\n", (uintmax_t)a->id,
		    a->tool));
	if (b->type[1] == 'h')
		return (buf_puts(out,
		    "\"thinking\":\"\",\"signature\":\"\"}}\n\n"));
	return (buf_puts(out, "\"text\":\"\"}}\n\n"));
}

/* The input of a tool call is {"text": "..."} in pieces. */
static int
put_tool_delta(const struct answer *a, const struct block *b, int64_t i,
    struct buf *out)
{

	if (i == b->first && buf_puts(out, "{\\\"text\\\":\\\"") != 0)
		return (-1);
	if (put_text(a, i, out) != 0)
		return (-1);
	if (i == b->first + b->n - 1 && buf_puts(out, "\\\"}") != 0)
		return (-1);
	return (0);
}

static int
put_delta(const struct answer *a, const struct block *b, size_t index,
    int64_t i, struct buf *out)
{
	static const struct {
		const char *type, *delta, *member;
	} kinds[] = {
		{ "thinking", "thinking_delta", "thinking" },
		{ "text", "text_delta", "text" },
		{ "tool_use", "input_json_delta", "partial_json" },
	};
	size_t k = 0;

	while (strcmp(kinds[k].type, b->type) != 0)
		k++;
	if (buf_printf(out, "event: content_block_delta\ndata: "
	    "{\"type\":\"content_block_delta\",\"index\":%zu,"
	    "\"delta\":{\"type\":\"%s\",\"%s\":\"", index, kinds[k].delta,
	    kinds[k].member) != 0)
		return (-1);
	if ((k == 2 ? put_tool_delta(a, b, i, out) : put_text(a, i, out)) != 0)
		return (-1);
	return (buf_puts(out, "\"}}\n\n"));
}

static int
put_block_stop(const struct block *b, size_t index, struct buf *out)
{

	if (b->type[1] == 'h' && buf_printf(out,
	    "event: content_block_delta\ndata: "
	    "{\"type\":\"content_block_delta\",\"index\":%zu,"
	    "\"delta\":{\"type\":\"signature_delta\","
	    "\"signature\":\"bW9jaw==\"}}\n\n", index) != 0)
		return (-1);
	return (buf_printf(out, "event: content_block_stop\ndata: "
	    "{\"type\":\"content_block_stop\",\"index\":%zu}\n\n", index));
}

static int
put_open(const struct answer *a, struct buf *out)
{
	struct block b[3];

	if (buf_printf(out, "event: message_start\ndata: "
	    "{\"type\":\"message_start\",\"message\":{\"model\":\"%s\","
	    "\"id\":\"msg_mock_%08jx\",\"type\":\"message\","
	    "\"role\":\"assistant\",\"content\":[],\"stop_reason\":null,"
	    "\"stop_sequence\":null,\"usage\":", a->model,
	    (uintmax_t)a->id) != 0 || put_usage(a, 1, out) != 0 ||
	    buf_puts(out, "}}\n\n") != 0)
		return (-1);
	if (blocks(a, b) > 0 && put_block_start(a, &b[0], 0, out) != 0)
		return (-1);
	return (buf_puts(out, "event: ping\ndata: {\"type\": \"ping\"}\n\n"));
}

static int
put_close(const struct answer *a, struct buf *out)
{
	struct block b[3];
	size_t n = blocks(a, b);
	struct answer_usage u;

	answer_usage(a, &u);
	if (n > 0 && put_block_stop(&b[n - 1], n - 1, out) != 0)
		return (-1);
	return (buf_printf(out, "event: message_delta\ndata: "
	    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"%s\","
	    "\"stop_sequence\":null},\"usage\":{\"input_tokens\":%jd,"
	    "\"cache_creation_input_tokens\":%jd,"
	    "\"cache_read_input_tokens\":%jd,\"output_tokens\":%jd}}\n\n"
	    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
	    stop_reason(a), (intmax_t)u.input,
	    (intmax_t)(u.cache_5m + u.cache_1h), (intmax_t)u.cache_read,
	    (intmax_t)u.output));
}

int
answer_piece(const struct answer *a, int64_t piece, struct buf *out)
{
	struct block b[3];
	size_t n = blocks(a, b), i;
	int64_t d = piece - 1;

	if (piece == 0)
		return (put_open(a, out));
	if (d >= answer_deltas(a))
		return (put_close(a, out));
	for (i = 0; i + 1 < n && d >= b[i].first + b[i].n; i++)
		;
	if (i > 0 && d == b[i].first &&
	    (put_block_stop(&b[i - 1], i - 1, out) != 0 ||
	    put_block_start(a, &b[i], i, out) != 0))
		return (-1);
	return (put_delta(a, &b[i], i, d, out));
}

int
answer_message(const struct answer *a, struct buf *out)
{
	struct block b[3];
	size_t n = blocks(a, b);

	if (buf_printf(out, "{\"model\":\"%s\",\"id\":\"msg_mock_%08jx\","
	    "\"type\":\"message\",\"role\":\"assistant\",\"content\":[",
	    a->model, (uintmax_t)a->id) != 0)
		return (-1);
	for (size_t i = 0; i < n; i++) {
		if (buf_printf(out, "%s{\"type\":\"%s\",", i > 0 ? "," : "",
		    b[i].type) != 0)
			return (-1);
		if (b[i].type[1] == 'o' && buf_printf(out,
		    "\"id\":\"toolu_mock_%08jx\",\"name\":\"%s\",\"input\":"
		    "{\"text\":\"", (uintmax_t)a->id, a->tool) != 0)
			return (-1);
		if (b[i].type[1] != 'o' && buf_printf(out, "\"%s\":\"",
		    b[i].type) != 0)
			return (-1);
		for (int64_t d = b[i].first; d < b[i].first + b[i].n; d++)
			if (put_text(a, d, out) != 0)
				return (-1);
		if (buf_puts(out, b[i].type[1] == 'o' ? "\"}}" :
		    b[i].type[1] == 'h' ? "\",\"signature\":\"bW9jaw==\"}" :
		    "\"}") != 0)
			return (-1);
	}
	if (buf_printf(out, "],\"stop_reason\":\"%s\",\"stop_sequence\":null,"
	    "\"usage\":", stop_reason(a)) != 0 ||
	    put_usage(a, answer_deltas(a), out) != 0)
		return (-1);
	return (buf_puts(out, "}"));
}

int
answer_count(const struct answer *a, struct buf *out)
{
	struct answer_usage u;

	answer_usage(a, &u);
	return (buf_printf(out, "{\"input_tokens\":%jd}", (intmax_t)u.input));
}

static int
put_model(size_t i, struct buf *out)
{

	return (buf_printf(out, "{\"type\":\"model\",\"id\":\"%s\","
	    "\"display_name\":\"%s\",\"created_at\":\"%s\"}", models[i].id,
	    models[i].display_name, models[i].created_at));
}

int
answer_models(struct buf *out)
{

	if (buf_puts(out, "{\"data\":[") != 0)
		return (-1);
	for (size_t i = 0; i < NMODELS; i++)
		if ((i > 0 && buf_puts(out, ",") != 0) ||
		    put_model(i, out) != 0)
			return (-1);
	return (buf_printf(out, "],\"has_more\":false,\"first_id\":\"%s\","
	    "\"last_id\":\"%s\"}", models[0].id, models[NMODELS - 1].id));
}

int
answer_model(const char *id, struct buf *out)
{

	for (size_t i = 0; i < NMODELS; i++)
		if (strcmp(models[i].id, id) == 0)
			return (put_model(i, out));
	return (-1);
}

int
answer_error(const struct answer *a, int status, struct buf *out)
{
	const char *type = a->plan->error_type;
	const char *message = a->plan->error_message;
	size_t i = 0;

	while (errors[i].status != 0 && errors[i].status != status)
		i++;
	return (buf_printf(out, "{\"type\":\"error\",\"error\":{\"type\":"
	    "\"%s\",\"message\":\"%s\"},\"request_id\":\"req_mock_%08jx\"}",
	    type != NULL ? type : errors[i].type,
	    message != NULL ? message : errors[i].message,
	    (uintmax_t)a->id));
}

int
answer_error_event(const struct answer *a, struct buf *out)
{

	if (buf_puts(out, "event: error\ndata: ") != 0 ||
	    answer_error(a, 529, out) != 0)
		return (-1);
	return (buf_puts(out, "\n\n"));
}
