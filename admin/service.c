#include "config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/log.h"
#include "base/seal.h"
#include "http/response.h"
#include "http/route.h"
#include "ledger/meta.h"
#include "store/store.h"

#include "queue.h"
#include "status.h"
#include "tokens.h"

#include "service.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* When a client may try again while the database is away, s. */
#define RETRY_AFTER_S	5

struct service {
	struct service_params params;
	struct store *store;		/* NULL: not connected */
	struct seal_pepper pepper;	/* valid while connected */
};

enum handler { HANDLER_STATUS, HANDLER_QUEUE, HANDLERS };

static const struct route routes[] = {
	{ "GET", "/api/v1/status", ROUTE_TOKEN, DIALECT_ADMIN, false,
	    HANDLER_STATUS },
	{ "GET", "/api/v1/queue/status", ROUTE_TOKEN, DIALECT_ADMIN, false,
	    HANDLER_QUEUE },
};

/* What each handler answers, as JSON; NULL with an error. */
static json_t *(*const handlers[])(struct store *st, struct err *err) = {
	[HANDLER_STATUS] = status_get,
	[HANDLER_QUEUE] = queue_status,
};
_Static_assert(NITEMS(handlers) == HANDLERS, "one function each");

/* Paths of the relay responder: a request for one is led here by mistake. */
static const char *const relay_paths[] = {
	"/v1/", "/v1beta/", "/claude/", "/openai/", "/gemini/",
	"/api/v1/messages", "/api/v1/models", "/api/v1/chat",
	"/api/v1/sessions", "/api/hello", "/health"
};

struct service *
service_new(const struct service_params *params)
{
	struct service *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	s->params = *params;
	return (s);
}

static void
disconnect(struct service *s)
{

	if (s->store != NULL)
		store_close(s->store);
	s->store = NULL;
	seal_wipe(&s->pepper, sizeof(s->pepper));
}

void
service_free(struct service *s)
{

	if (s == NULL)
		return;
	disconnect(s);
	free(s);
}

/* The master key file is read at each connect, as it may have been rotated
 * since. */
static int
connect_store(struct service *s, struct err *err)
{
	const struct store_options opt = {
		.busy_timeout_ms = s->params.busy_timeout_ms,
	};
	struct seal *seal;

	if (s->store != NULL)
		return (0);
	if ((s->store = store_open(s->params.store_url, &opt, err)) == NULL)
		goto err0;
	if (store_prepare(s->store, err))
		goto err1;
	if ((seal = seal_open(s->params.master_key_file, err)) == NULL)
		goto err1;
	if (meta_pepper(s->store, seal, &s->pepper, err))
		goto err2;
	seal_free(seal);
	return (0);

err2:
	seal_free(seal);
err1:
	disconnect(s);
err0:
	return (-1);
}

/* The token of "Authorization: Bearer TOKEN"; NULL if there is none. */
static const char *
bearer(const struct http_request *r)
{
	static const char scheme[] = "Bearer ";
	const char *value = http_request_header(r, "authorization");

	if (value == NULL ||
	    strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
		return (NULL);
	value += sizeof(scheme) - 1;
	return (value + strspn(value, " "));
}

/* Append an answer of the relay's own words; returns its status. */
static int
answer_error(struct buf *out, int status, const char *message,
    const char *allow)
{
	const struct response_error e = {
		.status = status,
		.message = message,
		.retry_after_s = status == 503 ? RETRY_AFTER_S : 0,
		.should_retry = -1,
		.allow = allow,
	};

	buf_reset(out);
	if (response_error(out, DIALECT_ADMIN, &e) == -1)
		buf_reset(out);
	return (status);
}

/* The store's words are for the log; people get the table's. */
static int
answer_failure(struct service *s, struct buf *out, const struct err *err)
{
	const struct err_info *info = err_info(err->code);

	log_note(s->params.log, LOG_LEVEL_ERROR, "admin", "failed", err);

	/* Whatever became of the connection, the next request gets a new
	 * one. */
	disconnect(s);
	return (answer_error(out, info->http_status == 503 ||
	    err->code == ERR_CRYPTO || err->code == ERR_PERM ||
	    err->code == ERR_NOT_FOUND ? 503 : 500, info->message, NULL));
}

static int
answer_json(struct buf *out, const json_t *j)
{
	char *text;
	size_t n;
	int rc;

	if ((text = json_dumps(j, JSON_COMPACT)) == NULL)
		return (answer_error(out, 500, "out of memory", NULL));
	n = strlen(text);
	rc = response_begin(out, 200) == -1 ||
	    response_header(out, "content-type", "application/json") == -1 ||
	    response_header(out, "cache-control", "no-store") == -1 ||
	    response_header_int(out, "content-length", (int64_t)n) == -1 ||
	    response_end(out) == -1 || buf_append(out, text, n) == -1;
	free(text);
	if (rc)
		return (answer_error(out, 500, "the answer is too long",
		    NULL));
	return (200);
}

static int
run_handler(struct service *s, const struct route *route, struct buf *out)
{
	struct err err = { .code = ERR_NONE };
	json_t *j;
	int status;

	if ((j = handlers[route->handler](s->store, &err)) == NULL)
		return (answer_failure(s, out, &err));
	status = answer_json(out, j);
	json_decref(j);
	return (status);
}

static int
answer_route(struct service *s, const struct http_request *r,
    const struct route *route, struct buf *out)
{
	struct err err = { .code = ERR_NONE };
	const char *token = bearer(r);
	int good;

	if (token == NULL)
		return (answer_error(out, 401, "an admin token is needed: "
		    "Authorization: Bearer lh-adm-...", NULL));
	if (connect_store(s, &err))
		return (answer_failure(s, out, &err));
	good = tokens_check(s->store, &s->pepper, token, &err);
	if (good == -1)
		return (answer_failure(s, out, &err));
	if (!good)
		return (answer_error(out, 401, "the admin token is not valid",
		    NULL));
	return (run_handler(s, route, out));
}

static int
answer_unknown(struct service *s, const struct http_request *r,
    struct buf *out)
{
	struct log_line l;
	size_t i;

	for (i = 0; i < NITEMS(relay_paths); i++) {
		if (strncmp(r->path, relay_paths[i],
		    strlen(relay_paths[i])) != 0)
			continue;
		log_begin(&l, s->params.log, LOG_LEVEL_WARN, NULL, "admin",
		    "misrouted");
		log_str(&l, "path", r->path);
		log_str(&l, "hint", "the web server sends a path of the "
		    "relay responder to the admin responder");
		log_end(&l);
		return (answer_error(out, 404, "this path belongs to the "
		    "relay responder; the web server's config leads it to "
		    "the admin responder", NULL));
	}
	return (answer_error(out, 404, "there is no such route", NULL));
}

static int
answer(struct service *s, struct http_request *r, int ready,
    const struct err *err, struct buf *out)
{
	struct route_match m;

	if (ready == -1)
		return (answer_error(out, err_info(err->code)->http_status,
		    err->text, NULL));
	if (ready == 0)
		return (answer_error(out, 404, "the path is not under the "
		    "mount of this relay", NULL));
	switch (route_find(routes, NITEMS(routes), NULL, r->method, r->path,
	    &m)) {
	case ROUTE_FOUND:
		return (answer_route(s, r, m.route, out));
	case ROUTE_METHOD:
		return (answer_error(out, 405, "the method is not allowed "
		    "here", m.allow));
	case ROUTE_UNKNOWN:
		break;
	}
	return (answer_unknown(s, r, out));
}

/* An answer to HEAD ends with its head. */
static void
cut_body(struct buf *out)
{
	const char *end;

	end = memmem(buf_head(out), buf_len(out), "\r\n\r\n", 4);
	if (end != NULL)
		out->len = (size_t)(end + 4 - (const char *)out->data);
}

int
service_answer(struct service *s, struct http_request *r, int ready,
    const struct err *err, struct buf *out)
{
	struct log_line l;
	int status;

	status = answer(s, r, ready, err, out);
	if (strcmp(r->method, "HEAD") == 0)
		cut_body(out);
	log_begin(&l, s->params.log, LOG_LEVEL_INFO, NULL, "admin",
	    "request");
	log_str(&l, "method", r->method);
	log_str(&l, "path", r->path);
	log_str(&l, "client", r->remote_addr);
	log_int(&l, "status", status);
	log_end(&l);
	return (status);
}
