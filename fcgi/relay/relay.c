#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "http/route.h"
#include "metrics/slots.h"
#include "relay/call.h"
#include "relay/count.h"
#include "relay/refresher.h"
#include "relay/refusal.h"
#include "relay/relay_int.h"

/* ---- routes ---- */

enum relay_handler {
	RELAY_HELLO,
	RELAY_HEALTH,
	RELAY_MESSAGES,
	RELAY_COUNT_TOKENS,
	RELAY_MODELS,
	RELAY_BATCH_MAKE,
	RELAY_BATCH_LIST,
	RELAY_BATCH_GET,
	RELAY_BATCH_CANCEL,
	RELAY_BATCH_DELETE,
	RELAY_BATCH_RESULTS,
	RELAY_FILE_MAKE,
	RELAY_FILE_LIST,
	RELAY_FILE_GET,
	RELAY_FILE_CONTENT,
	RELAY_FILE_DELETE,
	RELAY_PROBE_ECHO,
	RELAY_PROBE_STREAM,
	RELAY_PROBE_SILENCE,
	RELAY_PROBE_BODY,
	RELAY_NHANDLERS
};

/* Rows of what is relayed; the others answer at once. */
static const struct call_kind relay_kinds[RELAY_NHANDLERS] = {
	[RELAY_MESSAGES] = {
		.name = "messages",
		.has_model = true,
		.has_body = true,
		.needs_slot = true,
		.billed = true
	},
	[RELAY_COUNT_TOKENS] = {
		.name = "count_tokens",
		.has_model = true,
		.has_body = true
	},
	[RELAY_MODELS] = {
		.name = "models"
	},
	[RELAY_BATCH_MAKE] = {
		.name = "batch_create",
		.has_body = true,
		.once = true,
		.makes = OBJECT_BATCH
	},
	[RELAY_BATCH_LIST] = {
		.name = "batch_list",
		.lists = OBJECT_BATCH
	},
	[RELAY_BATCH_GET] = {
		.name = "batch_get",
		.about = OBJECT_BATCH
	},
	[RELAY_BATCH_CANCEL] = {
		.name = "batch_cancel",
		.has_body = true,
		.about = OBJECT_BATCH
	},
	[RELAY_BATCH_DELETE] = {
		.name = "batch_delete",
		.once = true,
		.about = OBJECT_BATCH,
		.deletes = true
	},
	[RELAY_BATCH_RESULTS] = {
		.name = "batch_results",
		.lasting = true,
		.about = OBJECT_BATCH,
		.results = true
	},
	[RELAY_FILE_MAKE] = {
		.name = "file_upload",
		.has_body = true,
		.once = true,
		.makes = OBJECT_FILE
	},
	[RELAY_FILE_LIST] = {
		.name = "file_list",
		.lists = OBJECT_FILE
	},
	[RELAY_FILE_GET] = {
		.name = "file_get",
		.about = OBJECT_FILE
	},
	[RELAY_FILE_CONTENT] = {
		.name = "file_content",
		.lasting = true,
		.about = OBJECT_FILE
	},
	[RELAY_FILE_DELETE] = {
		.name = "file_delete",
		.once = true,
		.about = OBJECT_FILE,
		.deletes = true
	}
};

static const struct route routes[] = {
	{ "POST", "/v1/messages", ROUTE_KEY, DIALECT_ANTHROPIC, true,
	    RELAY_MESSAGES },
	{ "POST", "/v1/messages/count_tokens", ROUTE_KEY, DIALECT_ANTHROPIC,
	    true, RELAY_COUNT_TOKENS },
	{ "GET", "/v1/models", ROUTE_KEY, DIALECT_ANTHROPIC, false,
	    RELAY_MODELS },
	{ "GET", "/v1/models/{id}", ROUTE_KEY, DIALECT_ANTHROPIC, false,
	    RELAY_MODELS },
	{ "POST", "/v1/messages/batches", ROUTE_KEY, DIALECT_ANTHROPIC, true,
	    RELAY_BATCH_MAKE },
	{ "GET", "/v1/messages/batches", ROUTE_KEY, DIALECT_ANTHROPIC, false,
	    RELAY_BATCH_LIST },
	{ "GET", "/v1/messages/batches/{id}", ROUTE_KEY, DIALECT_ANTHROPIC,
	    false, RELAY_BATCH_GET },
	{ "DELETE", "/v1/messages/batches/{id}", ROUTE_KEY,
	    DIALECT_ANTHROPIC, false, RELAY_BATCH_DELETE },
	{ "POST", "/v1/messages/batches/{id}/cancel", ROUTE_KEY,
	    DIALECT_ANTHROPIC, true, RELAY_BATCH_CANCEL },
	{ "GET", "/v1/messages/batches/{id}/results", ROUTE_KEY,
	    DIALECT_ANTHROPIC, false, RELAY_BATCH_RESULTS },
	{ "POST", "/v1/files", ROUTE_KEY, DIALECT_ANTHROPIC, true,
	    RELAY_FILE_MAKE },
	{ "GET", "/v1/files", ROUTE_KEY, DIALECT_ANTHROPIC, false,
	    RELAY_FILE_LIST },
	{ "GET", "/v1/files/{id}", ROUTE_KEY, DIALECT_ANTHROPIC, false,
	    RELAY_FILE_GET },
	{ "DELETE", "/v1/files/{id}", ROUTE_KEY, DIALECT_ANTHROPIC, false,
	    RELAY_FILE_DELETE },
	{ "GET", "/v1/files/{id}/content", ROUTE_KEY, DIALECT_ANTHROPIC,
	    false, RELAY_FILE_CONTENT },
	{ "GET", "/", ROUTE_OPEN, DIALECT_ANTHROPIC, false, RELAY_HELLO },
	{ "GET", "/api/hello", ROUTE_OPEN, DIALECT_ANTHROPIC, false,
	    RELAY_HELLO },
	{ "GET", "/health", ROUTE_OPEN, DIALECT_ANTHROPIC, false,
	    RELAY_HEALTH },
	{ "GET", PROBE_PATH "echo", ROUTE_OPEN, DIALECT_ANTHROPIC, false,
	    RELAY_PROBE_ECHO },
	{ "GET", PROBE_PATH "stream", ROUTE_OPEN, DIALECT_ANTHROPIC, false,
	    RELAY_PROBE_STREAM },
	{ "GET", PROBE_PATH "silence", ROUTE_OPEN, DIALECT_ANTHROPIC, false,
	    RELAY_PROBE_SILENCE },
	{ "POST", PROBE_PATH "body", ROUTE_OPEN, DIALECT_ANTHROPIC, true,
	    RELAY_PROBE_BODY }
};

/* Where clients that were set up for other relays look. */
static const char *const relay_aliases[] = { "/claude", "/api", NULL };

#define RELAY_NROUTES	(sizeof(routes) / sizeof(routes[0]))

const struct route *
relay_routes(size_t *n)
{

	*n = RELAY_NROUTES;
	return (routes);
}

/* The path as the upstream knows it. */
static const char *
relay_upstream_path(const char *path)
{
	size_t i, n;

	for (i = 0; relay_aliases[i] != NULL; i++) {
		n = strlen(relay_aliases[i]);
		if (strncmp(path, relay_aliases[i], n) == 0 && path[n] == '/')
			return (path + n);
	}
	return (path);
}

/* The next character as an upstream may read it, that decodes first. */
static char
relay_decoded(const char **p)
{
	static const struct {
		const char *code;
		char c;
	} codes[] = { { "%2e", '.' }, { "%2f", '/' }, { "%5c", '/' } };
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strncasecmp(*p, codes[i].code, 3) == 0) {
			*p += 3;
			return (codes[i].c);
		}
	}
	return (*(*p)++);
}

/* Does the path lead elsewhere once "." and ".." in it are followed?  There it
 * would be put with an account's credential. */
static bool
relay_strays(const char *path)
{
	size_t dots = 0, others = 0;	/* in the segment at hand */
	char c;

	do {
		c = relay_decoded(&path);
		if (c == '.')
			dots++;
		else if (c != '/' && c != '\\' && c != '\0')
			others++;
		else if (others == 0 && (dots == 1 || dots == 2))
			return (true);
		else
			dots = others = 0;
	} while (c != '\0');
	return (false);
}

/* ---- answers without a call ---- */

static void
relay_send(struct fcgi_request *req, struct buf *b, int rc)
{

	if (rc != 0 || fcgi_write(req, buf_head(b), buf_len(b)) < 0)
		fcgi_reset(req);
	else
		fcgi_finish(req);
	buf_fini(b);
}

static void
relay_refuse(struct relay *r, struct fcgi_request *req, enum dialect dialect,
    struct response_error *e, const char *outcome)
{
	char request_id[LEDGER_ID_SIZE];
	struct access_plain plain = {
		.request_id = request_id,
		.status = e->status,
		.bytes = -1,
		.outcome = "refused"
	};
	struct log_line l;
	struct buf b;

	ledger_id_format(pool_next_id(r->pool), request_id);
	e->request_id = request_id;
	access_plain(r, fcgi_request_http(req), &plain);
	count_refusal(r, outcome);
	log_begin(&l, r->log, LOG_LEVEL_INFO, request_id, "relay", "refused");
	log_str(&l, "method", fcgi_request_http(req)->method);
	log_str(&l, "path", fcgi_request_http(req)->path);
	log_str(&l, "client", fcgi_request_http(req)->remote_addr);
	log_int(&l, "status", e->status);
	log_end(&l);
	buf_init(&b, LIMIT_ERROR_BODY_BYTES);
	relay_send(req, &b, response_error(&b, dialect, e));
}

static void
relay_plain(struct relay *r, struct fcgi_request *req, const char *route,
    int status, const char *body)
{
	const struct access_plain plain = {
		.status = status,
		.bytes = (int64_t)strlen(body)
	};
	bool head = strcmp(fcgi_request_http(req)->method, "HEAD") == 0;
	struct buf b;
	int rc = 0;

	access_plain(r, fcgi_request_http(req), &plain);
	count_plain(r, route, status);
	buf_init(&b, 4096);
	rc |= response_begin(&b, status);
	rc |= response_header(&b, "content-type", "application/json");
	rc |= response_header(&b, "cache-control", "no-store");
	rc |= response_header_int(&b, "content-length",
	    (int64_t)strlen(body));
	if (status == 503)
		rc |= response_header_int(&b, "retry-after", 2);
	rc |= response_end(&b);
	if (!head)
		rc |= buf_puts(&b, body);
	relay_send(req, &b, rc);
}

static void
relay_health(struct relay *r, struct fcgi_request *req)
{

	if (pool_ready(r->pool))
		relay_plain(r, req, "health", 200, "{\"status\":\"ok\"}\n");
	else
		relay_plain(r, req, "health", 503,
		    "{\"status\":\"unavailable\"}\n");
}

/* Preflights carry no credential and want none (WIRE.md section 7, rule 17):
 * the relay is not for pages of other origins, and says so by no header. */
static void
relay_options(struct relay *r, struct fcgi_request *req)
{
	const struct access_plain plain = { .status = 204 };
	struct buf b;
	int rc = 0;

	access_plain(r, fcgi_request_http(req), &plain);
	buf_init(&b, 1024);
	rc |= response_begin(&b, 204);
	rc |= response_header(&b, "allow", "GET, HEAD, POST, DELETE, OPTIONS");
	rc |= response_end(&b);
	relay_send(req, &b, rc);
}

/* ---- the front line ---- */

bool
relay_body_room(const struct relay *r, size_t n)
{

	return (r->body_bytes + (int64_t)n <= r->conf->bodies_max_bytes);
}

static void
relay_unmatched(struct relay *r, struct fcgi_request *req,
    enum route_result found, const struct route_match *m)
{
	struct response_error e = {
		.status = found == ROUTE_METHOD ? 405 : 404,
		.message = found == ROUTE_METHOD ?
		    "This path does not know this method." :
		    "There is nothing at this path.",
		.should_retry = -1,
		.allow = found == ROUTE_METHOD ? m->allow : NULL
	};

	count_plain(r, "", e.status);
	relay_refuse(r, req, m->dialect, &e, "no_route");
}

/* Routes are confined: this host is for administration. */
static void
relay_elsewhere(struct relay *r, struct fcgi_request *req,
    const struct route_match *m)
{
	struct response_error e = {
		.status = 404,
		.message = "Model calls are not served here.",
		.should_retry = -1
	};

	count_plain(r, "", e.status);
	relay_refuse(r, req, m->dialect, &e, "no_route");
}

/* Refused by its head: the body is not even begun. */
static void
relay_turn_away(struct relay *r, struct fcgi_request *req,
    const struct call_kind *kind, enum refusal why)
{
	const struct refusal_row *row = refusal_row(why);
	struct response_error e = row->answer;

	count_plain(r, kind == NULL ? "" : kind->name, e.status);
	relay_refuse(r, req, DIALECT_ANTHROPIC, &e, row->outcome);
}

int64_t
relay_body_max(const struct relay *r, const struct call_kind *kind)
{

	return (kind->makes != OBJECT_NONE ? r->conf->upload_max_bytes :
	    r->conf->body_max_bytes);
}

/* Too much, by the client's own word. */
static bool
relay_too_much(struct relay *r, struct fcgi_request *req,
    const struct call_kind *kind, int64_t max)
{
	int64_t n = fcgi_request_http(req)->content_length;
	enum refusal why;

	if (n > max)
		why = REFUSAL_TOO_LARGE;
	else if (n > 0 && !relay_body_room(r, (size_t)n))
		why = REFUSAL_BODIES_FULL;
	else
		return (false);
	relay_turn_away(r, req, kind, why);
	return (true);
}

/* Compressed: model and limits could not be read, nor the size be trusted. */
static bool
relay_encoded(struct relay *r, struct fcgi_request *req,
    const struct call_kind *kind)
{
	const char *coding = http_request_header(fcgi_request_http(req),
	    "content-encoding");

	if (coding == NULL || coding[0] == '\0' ||
	    strcasecmp(coding, "identity") == 0)
		return (false);
	relay_turn_away(r, req, kind, REFUSAL_ENCODED);
	return (true);
}

/* A call begins: its key is looked up before its body is taken. */
static bool
relay_call(struct relay *r, struct fcgi_request *req,
    const struct call_kind *kind, const struct route_match *m)
{
	struct call *c;

	if (relay_too_much(r, req, kind, relay_body_max(r, kind)) ||
	    ((kind->has_model || kind->makes == OBJECT_BATCH) &&
	    relay_encoded(r, req, kind)))
		return (false);
	c = call_new(r, req, kind,
	    relay_upstream_path(fcgi_request_http(req)->path), m);
	if (c == NULL) {
		fcgi_reset(req);
		return (false);
	}
	return (auth_start(c));
}

/* Doctor's request, which brings a token of its own. */
static bool
relay_probe(struct relay *r, struct fcgi_request *req, enum probe_kind kind)
{
	const struct access_plain plain = {
		.status = 200,
		.bytes = -1,
		.outcome = "probe"
	};
	struct response_error e;
	struct probe *p;

	if (relay_too_much(r, req, NULL, r->conf->body_max_bytes))
		return (false);
	if ((p = probe_open(&r->probes, pool_seal(r->pool), req, kind,
	    &e)) == NULL) {
		relay_refuse(r, req, DIALECT_ANTHROPIC, &e, "bad_request");
		return (false);
	}
	/* Before the answer, with which the request goes. */
	access_plain(r, fcgi_request_http(req), &plain);
	return (probe_begin(p) == 1);
}

static bool
relay_begin(void *arg, struct fcgi_request *req)
{
	struct relay *r = arg;
	const struct http_request *http = fcgi_request_http(req);
	struct route_match m;
	enum route_result found;

	r->route = NULL;
	if (strcmp(http->method, "OPTIONS") == 0) {
		relay_options(r, req);
		return (false);
	}
	found = route_find(routes, RELAY_NROUTES, relay_aliases,
	    http->method, http->path, &m);
	if (found == ROUTE_FOUND && relay_strays(http->path))
		found = ROUTE_UNKNOWN;
	if (found != ROUTE_FOUND) {
		relay_unmatched(r, req, found, &m);
		return (false);
	}
	r->route = m.route;
	switch ((enum relay_handler)m.route->handler) {
	case RELAY_HELLO:
		relay_plain(r, req, "hello", 200,
		    "{\"service\":\"leasehold\"}\n");
		return (false);
	case RELAY_HEALTH:
		relay_health(r, req);
		return (false);
	case RELAY_PROBE_ECHO:
		return (relay_probe(r, req, PROBE_ECHO));
	case RELAY_PROBE_STREAM:
		return (relay_probe(r, req, PROBE_STREAM));
	case RELAY_PROBE_SILENCE:
		return (relay_probe(r, req, PROBE_SILENCE));
	case RELAY_PROBE_BODY:
		return (relay_probe(r, req, PROBE_BODY));
	default:
		if (strcmp(r->conf->routes, "admin") == 0) {
			relay_elsewhere(r, req, &m);
			return (false);
		}
		return (relay_call(r, req, &relay_kinds[m.route->handler],
		    &m));
	}
}

static bool
relay_body(void *arg, struct fcgi_request *req, const void *p, size_t n)
{
	struct relay *r = arg;
	struct probe *probe;

	if ((probe = probe_of(&r->probes, req)) != NULL)
		return (probe_body(probe, n));
	return (call_body(fcgi_request_arg(req), p, n));
}

static void
relay_end(void *arg, struct fcgi_request *req)
{
	struct relay *r = arg;
	struct probe *probe;

	if ((probe = probe_of(&r->probes, req)) != NULL)
		probe_whole(probe);
	else
		call_whole(fcgi_request_arg(req));
}

static void
relay_bad(void *arg, struct fcgi_request *req, bool begun, int status,
    const char *message)
{
	struct relay *r = arg;
	struct response_error e = {
		.status = status,
		.message = message,
		.should_retry = -1
	};
	struct probe *probe;

	r->route = NULL;
	if ((probe = probe_of(&r->probes, req)) != NULL)
		probe_end(probe);
	if (begun && fcgi_request_arg(req) != NULL)
		close_error(fcgi_request_arg(req), &e, "bad_request");
	else {
		count_plain(r, "", status);
		relay_refuse(r, req, DIALECT_ANTHROPIC, &e, "bad_request");
	}
}

static void
relay_writable(void *arg, struct fcgi_request *req)
{

	(void)arg;
	if (fcgi_request_arg(req) != NULL)
		pass_writable(fcgi_request_arg(req));
}

static void
relay_gone(void *arg, struct fcgi_request *req, enum fcgi_gone why)
{
	struct relay *r = arg;
	struct probe *probe;

	(void)why;
	if ((probe = probe_of(&r->probes, req)) != NULL)
		probe_end(probe);
	else if (fcgi_request_arg(req) != NULL)
		call_gone(fcgi_request_arg(req));
}

static const struct fcgi_handler relay_handler = {
	.begin = relay_begin,
	.body = relay_body,
	.end = relay_end,
	.bad = relay_bad,
	.writable = relay_writable,
	.gone = relay_gone
};

/* ---- what a call leaves to the next ---- */

struct peek_scan *
relay_peek(struct relay *r)
{
	struct peek_scan *s = spares_take(&r->peeks);

	if (s == NULL)
		return (peek_new());
	peek_reset(s);
	return (s);
}

void
relay_peek_done(struct relay *r, struct peek_scan *s)
{

	if (s != NULL && !spares_put(&r->peeks, s))
		peek_free(s);
}

struct meter *
relay_meter(struct relay *r)
{
	struct meter *m = spares_take(&r->meters);

	if (m == NULL)
		return (meter_new());
	meter_reset(m);
	return (m);
}

void
relay_meter_done(struct relay *r, struct meter *m)
{

	if (m != NULL && !spares_put(&r->meters, m))
		meter_free(m);
}

/* ---- life ---- */

struct relay *
relay_new(const struct relay_params *params, struct err *err)
{
	struct fcgi_server_params sp = {
		.loop = params->loop,
		.listen_fd = params->listen_fd,
		.mount = params->conf->mount,
		.connections_max = params->conf->streams_max,
		.read_timeout_ms = params->conf->client_read_timeout_ms,
		.write_timeout_ms = params->conf->client_write_timeout_ms,
		.handler = &relay_handler,
		.slot = params->slot
	};
	struct relay *r;

	if ((r = calloc(1, sizeof(*r))) == NULL) {
		err_set(err, ERR_NOMEM, "cannot start the relay: no memory");
		goto err0;
	}
	r->loop = params->loop;
	r->conf = params->conf;
	r->pool = params->pool;
	r->upstream = params->upstream;
	r->log = params->log;
	r->access = params->access;
	r->slot = params->slot;
	TAILQ_INIT(&r->calls);
	probes_init(&r->probes, params->loop, params->conf);
	sp.arg = r;
	if ((r->refresher = refresher_new(r, err)) == NULL)
		goto err1;
	if ((r->server = fcgi_server_new(&sp, err)) == NULL)
		goto err2;
	return (r);

err2:
	refresher_free(r->refresher);
err1:
	free(r);
err0:
	return (NULL);
}

void
relay_free(struct relay *r)
{
	void *p;

	if (r == NULL)
		return;
	fcgi_server_free(r->server);
	refresher_free(r->refresher);
	loop_task_cancel(&r->idle_task);
	while ((p = spares_take(&r->peeks)) != NULL)
		peek_free(p);
	while ((p = spares_take(&r->meters)) != NULL)
		meter_free(p);
	free(r);
}

void
relay_reload(struct relay *r)
{

	fcgi_server_set_timeouts(r->server, r->conf->client_read_timeout_ms,
	    r->conf->client_write_timeout_ms);
}

int64_t
relay_calls(const struct relay *r)
{

	return (r->ncalls);
}

/* ---- draining ---- */

static void
relay_check_idle(struct loop_task *t)
{
	struct relay *r = t->arg;
	struct fcgi_server_stats st;

	fcgi_server_stats(r->server, &st);
	if (r->server_idle && st.connections == 0 && r->ncalls == 0 &&
	    refresher_idle(r->refresher))
		r->idle(r->idle_arg);
}

void
relay_maybe_idle(struct relay *r)
{

	if (r->idle != NULL)
		loop_task_add(r->loop, &r->idle_task, relay_check_idle, r);
}

static void
relay_server_idle(void *arg)
{
	struct relay *r = arg;

	r->server_idle = true;
	relay_maybe_idle(r);
}

void
relay_drain(struct relay *r, void (*idle)(void *arg), void *arg)
{

	r->idle = idle;
	r->idle_arg = arg;
	refresher_drain(r->refresher);
	fcgi_server_drain(r->server, relay_server_idle, r);
}

void
relay_abort(struct relay *r)
{
	struct call *c, *next;

	for (c = TAILQ_FIRST(&r->calls); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		call_abort(c);
	}
	probes_abort(&r->probes);
	refresher_stop(r->refresher);
	fcgi_server_close_idle(r->server);
}

void
relay_call_gone(struct relay *r, struct call *c)
{

	TAILQ_REMOVE(&r->calls, c, entry);
	slot_set(r->slot, SLOT_REQUESTS, --r->ncalls);
	relay_maybe_idle(r);
}
