#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "http/response.h"
#include "http/token.h"

/* A JSON text of an error: message and request id escaped, and the rest. */
#define BODY_BYTES	(6 * RESPONSE_MESSAGE_BYTES + 2048)

/*
 * What goes with a status.  Types: docs.anthropic.com "Errors", OpenAI's
 * "Error codes", google.rpc.Code.  Sorted; a status that is not here takes
 * the row of its class.
 */
struct word {
	int status;
	const char *reason;
	const char *anthropic;
	const char *openai;
	const char *openai_code;
	const char *gemini;
};

static const struct word words[] = {
	{ 200, "OK", "api_error", "server_error", NULL, "OK" },
	{ 201, "Created", "api_error", "server_error", NULL, "OK" },
	{ 202, "Accepted", "api_error", "server_error", NULL, "OK" },
	{ 204, "No Content", "api_error", "server_error", NULL, "OK" },
	{ 301, "Moved Permanently", "api_error", "server_error", NULL,
		"UNKNOWN" },
	{ 302, "Found", "api_error", "server_error", NULL, "UNKNOWN" },
	{ 304, "Not Modified", "api_error", "server_error", NULL, "UNKNOWN" },
	{ 307, "Temporary Redirect", "api_error", "server_error", NULL,
		"UNKNOWN" },
	{ 308, "Permanent Redirect", "api_error", "server_error", NULL,
		"UNKNOWN" },
	{ 400, "Bad Request", "invalid_request_error",
		"invalid_request_error", NULL, "INVALID_ARGUMENT" },
	{ 401, "Unauthorized", "authentication_error",
		"invalid_request_error", "invalid_api_key",
		"UNAUTHENTICATED" },
	{ 402, "Payment Required", "billing_error", "insufficient_quota",
		"insufficient_quota", "RESOURCE_EXHAUSTED" },
	{ 403, "Forbidden", "permission_error", "invalid_request_error",
		NULL, "PERMISSION_DENIED" },
	{ 404, "Not Found", "not_found_error", "invalid_request_error", NULL,
		"NOT_FOUND" },
	{ 405, "Method Not Allowed", "invalid_request_error",
		"invalid_request_error", NULL, "UNIMPLEMENTED" },
	{ 408, "Request Timeout", "timeout_error", "timeout", NULL,
		"DEADLINE_EXCEEDED" },
	{ 409, "Conflict", "invalid_request_error", "invalid_request_error",
		NULL, "ABORTED" },
	{ 411, "Length Required", "invalid_request_error",
		"invalid_request_error", NULL, "INVALID_ARGUMENT" },
	{ 413, "Content Too Large", "request_too_large",
		"invalid_request_error", NULL, "INVALID_ARGUMENT" },
	{ 415, "Unsupported Media Type", "invalid_request_error",
		"invalid_request_error", NULL, "INVALID_ARGUMENT" },
	{ 422, "Unprocessable Content", "invalid_request_error",
		"invalid_request_error", NULL, "INVALID_ARGUMENT" },
	{ 429, "Too Many Requests", "rate_limit_error", "rate_limit_error",
		"rate_limit_exceeded", "RESOURCE_EXHAUSTED" },
	{ 431, "Request Header Fields Too Large", "invalid_request_error",
		"invalid_request_error", NULL, "INVALID_ARGUMENT" },
	{ 499, "Client Closed Request", "api_error", "server_error", NULL,
		"CANCELLED" },
	{ 500, "Internal Server Error", "api_error", "server_error", NULL,
		"INTERNAL" },
	{ 501, "Not Implemented", "api_error", "server_error", NULL,
		"UNIMPLEMENTED" },
	{ 502, "Bad Gateway", "api_error", "server_error", NULL,
		"UNAVAILABLE" },
	{ 503, "Service Unavailable", "api_error", "server_error", NULL,
		"UNAVAILABLE" },
	{ 504, "Gateway Timeout", "timeout_error", "server_error", NULL,
		"DEADLINE_EXCEEDED" },
	{ 529, "Overloaded", "overloaded_error", "server_error", NULL,
		"UNAVAILABLE" }
};

#define NWORDS	(sizeof(words) / sizeof(words[0]))

/* Headers that a web server obeys; a '-' at the end stands for any rest. */
static const char *const internal_names[] = { "Status", "X-Accel-",
	"X-Sendfile", "X-Lighttpd-Send-File", "X-Lighttpd-Send-Tempfile" };

/* The row of a status; failing that, the first one of its class. */
static const struct word *
word_of(int status)
{
	const struct word *of_class = NULL;
	size_t i;

	for (i = 0; i < NWORDS; i++) {
		if (words[i].status == status)
			return (&words[i]);
		if (of_class == NULL && words[i].status / 100 == status / 100)
			of_class = &words[i];
	}
	return (of_class != NULL ? of_class : &words[0]);
}

static const struct word *
word_of_type(const char *type)
{
	size_t i;

	for (i = 0; i < NWORDS; i++) {
		if (words[i].status >= 400 &&
		    !strcmp(words[i].anthropic, type))
			return (&words[i]);
	}
	return (word_of(500));
}

const char *
response_error_type(int status)
{

	return (word_of(status)->anthropic);
}

int
response_begin(struct buf *out, int status)
{
	const struct word *w = word_of(status);
	bool known = w->status == status;

	if (status < 100 || status > 599)
		return (-1);
	return (buf_printf(out, "Status: %d %s\r\n", status,
	    known ? w->reason : "Unknown"));
}

int
response_header(struct buf *out, const char *name, const char *value)
{

	if (!token_is_valid(name, strlen(name)) || !strcasecmp(name, "status"))
		return (-1);
	if (!token_is_text(value, strlen(value)))
		return (-1);
	return (buf_printf(out, "%s: %s\r\n", name, value));
}

int
response_header_int(struct buf *out, const char *name, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	return (response_header(out, name, text));
}

int
response_end(struct buf *out)
{

	return (buf_append(out, "\r\n", 2));
}

bool
response_header_is_internal(const char *name)
{
	const char *p;
	size_t i, n;

	for (i = 0; i < sizeof(internal_names) / sizeof(internal_names[0]);
	    i++) {
		p = internal_names[i];
		n = strlen(p);
		if (!strncasecmp(name, p, n) &&
		    (p[n - 1] == '-' || name[n] == '\0'))
			return (true);
	}
	return (false);
}

/* What an error's JSON text is made of; the strings are escaped. */
struct body {
	const struct word *word;
	int status;
	int admin_code;
	const char *type;
	const char *message;
	const char *request_id;	/* with its member name, or "" */
};

static int
body_anthropic(struct buf *out, const struct body *b)
{

	return (buf_printf(out, "{\"type\":\"error\",\"error\":"
	    "{\"type\":\"%s\",\"message\":\"%s\"}%s}", b->type,
	    b->message, b->request_id));
}

static int
body_openai(struct buf *out, const struct body *b)
{
	const char *code = b->word->openai_code;
	const char *quote = code != NULL ? "\"" : "";

	return (buf_printf(out, "{\"error\":{\"message\":\"%s\","
	    "\"type\":\"%s\",\"param\":null,\"code\":%s%s%s}}",
	    b->message, b->word->openai, quote, code != NULL ? code : "null",
	    quote));
}

static int
body_gemini(struct buf *out, const struct body *b)
{

	return (buf_printf(out, "{\"error\":{\"code\":%d,"
	    "\"message\":\"%s\",\"status\":\"%s\"}}", b->status,
	    b->message, b->word->gemini));
}

static int
body_admin(struct buf *out, const struct body *b)
{

	return (buf_printf(out, "{\"error\":\"%s\",\"code\":%d}", b->message,
	    b->admin_code));
}

static int (*const bodies[])(struct buf *, const struct body *) = {
	[DIALECT_ANTHROPIC] = body_anthropic,
	[DIALECT_OPENAI] = body_openai,
	[DIALECT_GEMINI] = body_gemini,
	[DIALECT_ADMIN] = body_admin
};

/* Escape the foreign text of an error and write its body to ${out}. */
static int
put_body(struct buf *out, enum dialect dialect, const struct word *w,
    const struct response_error *e)
{
	char message[RESPONSE_MESSAGE_BYTES * 6 + 1], type[128], id[256];
	char member[300] = "";
	struct body b = {
		.word = w,
		.status = e->status,
		.admin_code = e->admin_code != 0 ? e->admin_code :
		    e->status * 100 + 1,
		.type = type,
		.message = message,
		.request_id = member
	};
	size_t len = strlen(e->message);

	if (len > RESPONSE_MESSAGE_BYTES)
		len = RESPONSE_MESSAGE_BYTES;
	json_escape(e->message, len, message, sizeof(message));
	json_escape(e->type != NULL ? e->type : w->anthropic,
	    strlen(e->type != NULL ? e->type : w->anthropic), type,
	    sizeof(type));
	if (e->request_id != NULL) {
		json_escape(e->request_id, strlen(e->request_id), id,
		    sizeof(id));
		(void)snprintf(member, sizeof(member),
		    ",\"request_id\":\"%s\"", id);
	}
	return (bodies[dialect](out, &b));
}

static int
put_head(struct buf *out, const struct response_error *e, size_t body_len)
{

	if (response_begin(out, e->status) ||
	    response_header(out, "content-type", "application/json") ||
	    response_header_int(out, "content-length", (int64_t)body_len))
		return (-1);
	if (e->request_id != NULL &&
	    response_header(out, "request-id", e->request_id))
		return (-1);
	if (e->retry_after_s > 0 &&
	    response_header_int(out, "retry-after", e->retry_after_s))
		return (-1);
	if (e->should_retry != -1 && response_header(out, "x-should-retry",
	    e->should_retry ? "true" : "false"))
		return (-1);
	if (e->allow != NULL && response_header(out, "allow", e->allow))
		return (-1);
	if (e->lines != NULL && buf_puts(out, e->lines))
		return (-1);
	return (response_end(out));
}

int
response_error(struct buf *out, enum dialect dialect,
    const struct response_error *e)
{
	struct buf all, body;
	int rc = -1;

	buf_init(&body, BODY_BYTES);
	buf_init(&all, BODY_BYTES + 2048);
	if (put_body(&body, dialect, word_of(e->status), e) ||
	    put_head(&all, e, buf_len(&body)) ||
	    buf_append(&all, buf_head(&body), buf_len(&body)))
		goto done;
	rc = buf_append(out, buf_head(&all), buf_len(&all));

done:
	buf_fini(&all);
	buf_fini(&body);
	return (rc);
}

int
response_sse_error(struct buf *out, enum dialect dialect, const char *type,
    const char *message, const char *request_id)
{
	const struct word *w = word_of_type(type);
	const struct response_error e = {
		.status = w->status,
		.type = type,
		.message = message,
		.request_id = request_id
	};
	struct buf all;
	int rc = -1;

	buf_init(&all, BODY_BYTES);
	if (dialect == DIALECT_ANTHROPIC && buf_puts(&all, "event: error\n"))
		goto done;
	if (buf_puts(&all, "data: ") || put_body(&all, dialect, w, &e) ||
	    buf_puts(&all, "\n\n"))
		goto done;
	rc = buf_append(out, buf_head(&all), buf_len(&all));

done:
	buf_fini(&all);
	return (rc);
}
