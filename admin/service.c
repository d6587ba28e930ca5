#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/seal.h"
#include "http/access_line.h"
#include "http/response.h"
#include "http/route.h"
#include "http/traceparent.h"
#include "ledger/meta.h"
#include "pool/rules.h"
#include "store/store.h"

#include "access.h"
#include "api.h"
#include "change.h"
#include "gate.h"
#include "metrics.h"

#include "service.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* When a client may try again while the database is away, s. */
#define RETRY_AFTER_S	5

#define JSON_TYPE	"application/json"
#define METRICS_TYPE	"text/plain; version=0.0.4; charset=utf-8"
#define COOKIE_BYTES	1024

struct service {
	struct service_params params;
	struct store *store;		/* NULL: not connected */
	struct seal *seal;		/* these two while connected */
	struct seal_pepper pepper;
	bool listens;			/* see service_listener */
	struct who listener;

	/* of the request at hand, for the access log */
	const struct route *route;	/* NULL: it is none of ours */
	char user[LIMIT_NAME_BYTES];
	char address[NET_ADDR_SIZE];
};

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
	seal_free(s->seal);
	s->seal = NULL;
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

	if (s->store != NULL)
		return (0);
	if ((s->store = store_open(s->params.store_url, &opt, err)) == NULL)
		goto err0;
	if (store_prepare(s->store, err) ||
	    (s->seal = seal_open(s->params.master_key_file, err)) == NULL ||
	    meta_pepper(s->store, s->seal, &s->pepper, err))
		goto err0;
	return (0);

err0:
	disconnect(s);
	return (-1);
}

/* Append an answer of the relay's own words; returns its status. */
static int
answer_error(struct buf *out, const struct response_error *e)
{

	buf_reset(out);
	if (response_error(out, DIALECT_ADMIN, e) == -1)
		buf_reset(out);
	return (e->status);
}

static int
answer_words(struct buf *out, int status, const char *message)
{
	const struct response_error e = {
		.status = status,
		.message = message,
		.retry_after_s = status == 503 ? RETRY_AFTER_S : 0,
		.should_retry = -1,
	};

	return (answer_error(out, &e));
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
	return (answer_words(out, info->http_status == 503 ||
	    err->code == ERR_CRYPTO || err->code == ERR_PERM ||
	    err->code == ERR_NOT_FOUND ? 503 : 500, info->message));
}

/* What a handler found wrong with what it was asked is said in its words. */
static int
answer_mistake(struct service *s, struct buf *out, const struct err *err)
{

	switch (err->code) {
	case ERR_INVAL:
	case ERR_RANGE:
	case ERR_TOO_LARGE:
		return (answer_words(out, 400, err->text));
	case ERR_PERM:
		return (answer_words(out, 403, err->text));
	case ERR_NOT_FOUND:
		return (answer_words(out, 404, err->text));
	case ERR_EXISTS:
		return (answer_words(out, 409, err->text));
	default:
		return (answer_failure(s, out, err));
	}
}

/* An answer in full. */
static int
answer_type(struct buf *out, const struct api_call *c, const char *type,
    const char *text, size_t n)
{

	if (response_begin(out, c->status) == -1 ||
	    response_header(out, "content-type", type) == -1 ||
	    response_header(out, "cache-control", "no-store") == -1 ||
	    response_header(out, "x-content-type-options", "nosniff") == -1 ||
	    response_header_int(out, "content-length", (int64_t)n) == -1 ||
	    buf_append(out, buf_head(&c->cookie), buf_len(&c->cookie)) == -1 ||
	    response_end(out) == -1 || buf_append(out, text, n) == -1)
		return (answer_words(out, 500, "the answer is too long"));
	return (c->status);
}

/* Likewise; ${text} is wiped and given up. */
static int
answer_text(struct buf *out, const struct api_call *c, const char *type,
    char *text)
{
	const size_t n = strlen(text);
	const int status = answer_type(out, c, type, text, n);

	seal_wipe_free(text, n);
	return (status);
}

static int
answer_json(struct buf *out, const struct api_call *c, const json_t *j)
{
	char *text;

	if ((text = json_dumps(j, JSON_COMPACT)) == NULL)
		return (answer_words(out, 500, "out of memory"));
	return (answer_text(out, c, JSON_TYPE, text));
}

/* Its end comes with the connection's. */
static int
answer_head(struct buf *out, const struct api_call *c, const char *type)
{

	if (response_begin(out, c->status) == -1 ||
	    response_header(out, "content-type", type) == -1 ||
	    response_header(out, "cache-control", "no-store") == -1 ||
	    response_header(out, "x-accel-buffering", "no") == -1 ||
	    response_end(out) == -1)
		return (answer_words(out, 500, "the answer is too long"));
	return (c->status);
}

static int
answer_csv(struct buf *out, struct api_call *c)
{
	char *text = c->csv;

	c->csv = NULL;
	return (answer_text(out, c, "text/csv; charset=utf-8", text));
}

static int
answer_refusal(struct buf *out, const struct api_call *c)
{
	const struct response_error e = {
		.status = c->status,
		.message = c->message,
		.retry_after_s = c->retry_after_s,
		.should_retry = -1,
		.admin_code = c->code,
	};

	return (answer_error(out, &e));
}

/* The body as an object.  0, or the status that was answered. */
static int
take_body(struct api_call *c, enum role role, const struct service_body *body,
    struct buf *out)
{
	const char *type = http_request_header(c->http, "content-type");
	json_t *j;

	if (body->too_large ||
	    (role < ROLE_OPERATOR && body->n > SERVICE_SMALL_BODY_BYTES))
		return (answer_words(out, 413, "the body is too large"));
	if (body->n == 0)
		return (0);

	/* A page of another site cannot send this type unasked. */
	if (type == NULL || strncasecmp(type, JSON_TYPE,
	    sizeof(JSON_TYPE) - 1) != 0)
		return (answer_words(out, 415, "content-type must be "
		    JSON_TYPE));
	j = json_loadb(body->p, body->n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(j)) {
		json_decref(j);
		return (answer_words(out, 400, "the body is not a JSON "
		    "object"));
	}
	c->body = j;
	return (0);
}

/* Nothing of an answer is left of a try that the store rolled back. */
static void
forget_answer(struct api_call *c, struct err *err)
{

	store_attach(c->store, NULL);
	buf_reset(&c->cookie);
	free(c->csv);
	c->csv = NULL;
	c->nnamed = 0;
	c->status = 200;
	c->code = 0;
	c->retry_after_s = 0;
	*err = (struct err) { .code = ERR_NONE };
}

/* What met others in the store is made again, as long as nothing was said. */
static json_t *
run_duty(struct api_call *c, const struct api_duty *duty, struct err *err)
{
	json_t *j;
	int n;

	for (n = 1; ; n++) {
		j = duty->run(c, err);
		if (j != NULL || c->message[0] != '\0' || c->streams ||
		    c->listens || !change_again(c->store, n, err))
			return (j);
		forget_answer(c, err);
	}
}

static int
run_route(struct service *s, struct api_call *c, const struct api_duty *duty,
    const struct service_body *body, struct buf *out)
{
	struct err err = { .code = ERR_NONE };
	json_t *j;
	int status;

	if (gate_open(c, c->match->route->auth, duty->role, &err))
		return (err.code != ERR_NONE ? answer_failure(s, out, &err) :
		    answer_refusal(out, c));
	if ((status = take_body(c, duty->role, body, out)) != 0)
		return (status);
	j = run_duty(c, duty, &err);
	s->listens = c->listens;
	s->listener = c->who;
	(void)snprintf(s->user, sizeof(s->user), "%s", c->who.name);

	/* One that failed early left its audit behind, which is gone by now. */
	store_attach(s->store, NULL);
	if (c->streams)
		status = 200;
	else if (c->message[0] != '\0')
		status = answer_refusal(out, c);
	else if (j == NULL)
		status = answer_mistake(s, out, &err);
	else if (c->listens)
		status = answer_head(out, c, "text/event-stream");
	else if (c->csv != NULL)
		status = answer_csv(out, c);
	else
		status = answer_json(out, c, j);
	json_decref(j);
	return (status);
}

/* Who may not ask here at all is told so before anything is looked up.  0, or
 * the status that was answered. */
static int
admit(const struct service *s, const struct http_request *r,
    enum route_auth auth, char address[NET_ADDR_SIZE], struct buf *out)
{

	switch (access_ask(s->params.settings.access, r, auth, address)) {
	case ACCESS_FORBIDDEN:
		return (answer_words(out, 403, "administration is not open "
		    "to this address"));
	case ACCESS_ELSEWHERE:
		return (answer_words(out, 404, "administration is not served "
		    "here"));
	case ACCESS_GRANTED:
		break;
	}
	return (0);
}

static int
answer_route(struct service *s, const struct http_request *r,
    const struct service_body *body, const struct route_match *m,
    const struct api_duty *duty, struct buf *out)
{
	struct http_request from = *r;
	struct err err = { .code = ERR_NONE };
	struct api_call c = {
		.settings = &s->params.settings,
		.http = &from,
		.match = m,
		.sink = s->params.sink.put != NULL ? &s->params.sink : NULL,
		.status = 200,
	};
	char address[NET_ADDR_SIZE];
	int status;

	if (s->params.settings.access != NULL) {
		if ((status = admit(s, r, m->route->auth, address, out)) != 0)
			return (status);
		from.remote_addr = address;
	}
	(void)snprintf(s->address, sizeof(s->address), "%s",
	    from.remote_addr);
	if (connect_store(s, &err))
		return (answer_failure(s, out, &err));
	c.store = s->store;
	c.seal = s->seal;
	c.pepper = &s->pepper;
	buf_init(&c.cookie, COOKIE_BYTES);
	status = run_route(s, &c, duty, body, out);
	free(c.csv);
	json_decref(c.body);
	buf_wipe(&c.cookie);
	seal_wipe(&c.token, sizeof(c.token));
	return (status);
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
		return (answer_words(out, 404, "this path belongs to the "
		    "relay responder; the web server's config leads it to "
		    "the admin responder"));
	}
	return (answer_words(out, 404, "there is no such route"));
}

/* ---- /metrics ---- */

/* By whose token it is asked for.  0, or the status that was answered. */
static int
check_scraper(struct service *s, const struct http_request *r,
    struct buf *out)
{
	struct http_request from = *r;
	struct err err = { .code = ERR_NONE };
	struct api_call c = {
		.settings = &s->params.settings,
		.http = &from,
		.status = 200,
	};
	char address[NET_ADDR_SIZE];
	int status;

	if ((status = admit(s, r, ROUTE_TOKEN, address, out)) != 0)
		return (status);
	from.remote_addr = address;
	if (connect_store(s, &err))
		return (answer_failure(s, out, &err));
	c.store = s->store;
	c.pepper = &s->pepper;
	if (gate_open(&c, ROUTE_TOKEN, ROLE_OPERATOR, &err))
		status = err.code != ERR_NONE ? answer_failure(s, out, &err) :
		    answer_refusal(out, &c);
	seal_wipe(&c.token, sizeof(c.token));
	return (status);
}

/* Who may by address gets it also while the database is away. */
static int
answer_metrics(struct service *s, const struct http_request *r,
    struct buf *out)
{
	const struct api_call c = { .status = 200 };
	const struct api_settings *set = &s->params.settings;
	struct err err = { .code = ERR_NONE };
	struct buf text;
	int status = 0, rc;

	if (set->access != NULL && !access_scrapes(set->access, r))
		status = check_scraper(s, r, out);
	if (status != 0)
		return (status);
	if (connect_store(s, &err))
		log_note(s->params.log, LOG_LEVEL_WARN, "admin", "no_store",
		    &err);
	err_clear(&err);
	buf_init(&text, METRICS_BYTES);
	rc = metrics_put(set->metrics, s->store, &text, &err);
	if (rc == 1)
		disconnect(s);
	if (rc == -1 || buf_cstr(&text) == NULL) {
		log_note(s->params.log, LOG_LEVEL_ERROR, "admin",
		    "no_metrics", &err);
		status = answer_words(out, 503, "the counters cannot be "
		    "read");
	} else {
		status = answer_type(out, &c, METRICS_TYPE, buf_cstr(&text),
		    buf_len(&text));
	}
	buf_fini(&text);
	return (status);
}

static bool
is_metrics(const struct service *s, const struct http_request *r)
{

	return (s->params.settings.metrics != NULL &&
	    strcmp(r->path, "/metrics") == 0);
}

static int
answer(struct service *s, const struct http_request *r,
    const struct service_body *body, int ready, const struct err *err,
    struct buf *out)
{
	struct response_error not_allowed = {
		.status = 405,
		.message = "the method is not allowed here",
		.should_retry = -1,
	};
	const struct api_duty *duty;
	struct route_match m;

	if (ready == -1)
		return (answer_words(out, err_info(err->code)->http_status,
		    err->text));
	if (ready == 0)
		return (answer_words(out, 404, "the path is not under the "
		    "mount of this relay"));
	if (is_metrics(s, r)) {
		if (strcmp(r->method, "GET") == 0 ||
		    strcmp(r->method, "HEAD") == 0)
			return (answer_metrics(s, r, out));
		not_allowed.allow = "GET, HEAD";
		return (answer_error(out, &not_allowed));
	}
	switch (api_find(r->method, r->path, &m, &duty)) {
	case ROUTE_FOUND:
		s->route = m.route;
		return (answer_route(s, r, body, &m, duty, out));
	case ROUTE_METHOD:
		not_allowed.allow = m.allow;
		return (answer_error(out, &not_allowed));
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

/* Bytes of an answer behind its head; -1: it went out in pieces. */
static int64_t
body_bytes(const struct buf *out)
{
	const char *all = (const char *)buf_head(out), *end;

	end = buf_len(out) == 0 ? NULL :
	    memmem(all, buf_len(out), "\r\n\r\n", 4);
	return (end == NULL ? -1 :
	    (int64_t)(buf_len(out) - (size_t)(end + 4 - all)));
}

static void
log_access(const struct service *s, const struct http_request *r, int status,
    const struct buf *out, int64_t begun_ms)
{
	const char *agent = http_request_header(r, "user-agent");
	struct traceparent trace;
	struct access_line a;

	if (s->params.access_log == NULL)
		return;
	access_line_init(&a, "admin");
	a.method = r->method;
	a.route = s->route != NULL ? s->route->pattern : NULL;
	a.status = status;
	a.bytes = body_bytes(out);
	a.duration_ms = clock_mono_ms(clock_system()) - begun_ms;
	a.user = s->user;
	a.client = s->address[0] != '\0' ? s->address : r->remote_addr;
	a.agent = rules_kind(agent != NULL ? agent : "");
	traceparent_of(r, &trace);
	a.trace_id = trace.trace_id;
	access_line_write(s->params.access_log, &a);
}

int
service_answer(struct service *s, const struct http_request *r,
    const struct service_body *body, int ready, const struct err *err,
    struct buf *out)
{
	const int64_t begun_ms = clock_mono_ms(clock_system());
	struct log_line l;
	int status;

	s->listens = false;
	s->route = NULL;
	s->user[0] = s->address[0] = '\0';
	status = answer(s, r, body, ready, err, out);
	if (strcmp(r->method, "HEAD") == 0)
		cut_body(out);
	log_begin(&l, s->params.log, LOG_LEVEL_INFO, NULL, "admin",
	    "request");
	log_str(&l, "method", r->method);
	log_str(&l, "path", r->path);
	log_str(&l, "client", r->remote_addr);
	log_int(&l, "status", status);
	log_end(&l);
	log_access(s, r, status, out, begun_ms);
	return (status);
}

bool
service_listener(const struct service *s, struct who *who)
{

	*who = s->listener;
	return (s->listens);
}
