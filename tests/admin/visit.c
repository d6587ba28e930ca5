#include "visit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "http/request.h"

#include "people.h"
#include "who.h"

static int
put_piece(void *arg, const void *p, size_t n)
{
	struct visit *v = arg;

	if (v->patience != 0 && v->events_len >= v->patience)
		return (-1);
	assert_true(v->events_len + n < sizeof(v->events));
	memcpy(v->events + v->events_len, p, n);
	v->events_len += n;
	v->events[v->events_len] = '\0';
	return (0);
}

static bool
has_left(void *arg)
{
	const struct visit *v = arg;

	return (v->patience != 0 && v->events_len >= v->patience);
}

static void
init(struct visit *v, struct desk *d, enum api_registration registration)
{
	const struct service_params params = {
		.store_url = d->url,
		.master_key_file = d->key_path,
		.busy_timeout_ms = 1000,
		.settings = {
			.mount = "/m",
			.conf_path = d->conf_path,
			.in_force = d->in_force,
			.long_runs = &v->long_runs,
			.long_runs_max = 2,
			.registration = registration,
			.life = { .idle_ms = 3600000, .max_ms = 86400000 },
		},
		.sink = { put_piece, has_left, v },
	};

	memset(v, 0, sizeof(*v));
	v->address = "192.0.2.1";
	v->type = "application/json";
	v->service = service_new(&params);
	assert_non_null(v->service);
}

void
visit_init(struct visit *v, struct desk *d)
{

	init(v, d, REGISTRATION_INVITED);
}

void
visit_init_open(struct visit *v, struct desk *d)
{

	init(v, d, REGISTRATION_OPEN);
}

void
visit_fini(struct visit *v)
{

	json_decref(v->body);
	service_free(v->service);
}

static void
param(struct http_request *r, const char *name, const char *value)
{

	if (value != NULL && value[0] != '\0')
		assert_int_equal(http_request_param(r, name, strlen(name),
		    value, strlen(value), NULL), 0);
}

/* What the answer sets, as a browser keeps it. */
static void
keep_cookie(struct visit *v)
{
	const char *p = strstr(v->head, "set-cookie: leasehold=");
	size_t n;

	if (p == NULL)
		return;
	p += strlen("set-cookie: leasehold=");
	n = strcspn(p, ";");
	assert_true(n < sizeof(v->cookie));
	memcpy(v->cookie, p, n);
	v->cookie[n] = '\0';
	assert_non_null(strstr(p, "Path=/m/;"));
	assert_non_null(strstr(p, "HttpOnly"));
	assert_non_null(strstr(p, "SameSite=Strict"));
}

/* The head of what came in pieces; the events stay. */
static void
take_events(struct visit *v)
{
	char *end = strstr(v->events, "\r\n\r\n");
	size_t n;

	assert_non_null(end);
	n = (size_t)(end + 4 - v->events);
	assert_true(n < sizeof(v->head));
	memcpy(v->head, v->events, n);
	v->head[n] = '\0';
	v->events_len -= n;
	memmove(v->events, v->events + n, v->events_len + 1);
	json_decref(v->body);
	v->body = json_object();
	assert_non_null(strstr(v->head, "content-type: text/event-stream"));
}

static void
take(struct visit *v, struct buf *out)
{
	const char *end, *csrf;

	assert_int_equal(buf_append(out, "", 1), 0);
	end = strstr((const char *)buf_head(out), "\r\n\r\n");
	assert_non_null(end);
	end += 2;
	assert_true((size_t)(end - (const char *)buf_head(out)) <
	    sizeof(v->head));
	(void)snprintf(v->head, sizeof(v->head), "%.*s",
	    (int)(end - (const char *)buf_head(out)), buf_head(out));
	json_decref(v->body);
	v->body = json_loads(end + 2, 0, NULL);
	assert_non_null(v->body);
	keep_cookie(v);
	csrf = json_string_value(json_object_get(v->body, "csrf"));
	if (csrf != NULL)
		(void)snprintf(v->csrf, sizeof(v->csrf), "%s", csrf);
}

int
visit(struct visit *v, const char *method, const char *path,
    const char *body)
{
	const struct service_body b = {
		.p = body,
		.n = body != NULL ? strlen(body) : 0,
		.too_large = body != NULL &&
		    strlen(body) > SERVICE_BODY_BYTES,
	};
	struct err err = { .code = ERR_NONE };
	char uri[8300], cookie[128], bearer[128];
	struct http_request r;
	struct buf out;
	int ready;

	(void)snprintf(uri, sizeof(uri), "/m/api/v1%s", path);
	(void)snprintf(cookie, sizeof(cookie), "other=1; leasehold=%s; x=y",
	    v->cookie);
	(void)snprintf(bearer, sizeof(bearer), "Bearer %s", v->bearer);
	http_request_init(&r);
	param(&r, "REQUEST_METHOD", method);
	param(&r, "REQUEST_URI", uri);
	param(&r, "REMOTE_ADDR", v->address);
	param(&r, "CONTENT_TYPE", v->type);
	param(&r, "HTTP_USER_AGENT", "Browser/1 (caf\xc3\xa9)");
	param(&r, "HTTP_COOKIE", v->cookie[0] != '\0' ? cookie : NULL);
	param(&r, "HTTP_AUTHORIZATION", v->bearer[0] != '\0' ? bearer : NULL);
	param(&r, "HTTP_X_CSRF_TOKEN", v->csrf);
	param(&r, "HTTP_X_API_KEY", v->key);
	ready = http_request_ready(&r, "/m", &err);
	buf_init(&out, SERVICE_ANSWER_BYTES);
	v->events_len = 0;
	v->events[0] = '\0';
	v->status = service_answer(v->service, &r, &b, ready, &err, &out);
	if (v->events_len > 0 && buf_len(&out) == 0)
		take_events(v);
	else
		take(v, &out);
	buf_fini(&out);
	http_request_fini(&r);
	return (v->status);
}

const char *
visit_path(const char *path, char buf[128])
{
	const char *brace = strchr(path, '{');

	if (brace == NULL)
		return (path);
	(void)snprintf(buf, 128, "%.*s1%s", (int)(brace - path), path,
	    strchr(brace, '}') + 1);
	return (buf);
}

void
visit_expect(struct visit *v, int code, const char *method, const char *path,
    const char *body)
{

	(void)visit(v, method, path, body);
	if (v->status != code / 100 || json_integer_value(json_object_get(
	    v->body, "code")) != code)
		fail_msg("%s %s %s: not an error %d but %d: %s", method, path,
		    body != NULL ? body : "", code, v->status,
		    json_string_value(json_object_get(v->body, "error")));
}

const char *
visit_text(const struct visit *v, const char *name)
{
	const char *text;

	text = json_string_value(json_object_get(v->body, name));
	if (text == NULL)
		fail_msg("the answer (%d) has no text \"%s\"", v->status,
		    name);
	return (text);
}

void
visit_join(struct visit *v, struct desk *d, const char *role,
    const char *name)
{
	char invitation[INVITATION_SIZE], body[256];
	enum role r;

	assert_true(role_parse(role, &r));
	desk_works(d, people_invite(d->st, &d->pepper, r, NULL, "shell",
	    invitation, &d->err));
	(void)snprintf(body, sizeof(body), "{\"invitation\": \"%s\", "
	    "\"name\": \"%s\", \"password\": \"" VISIT_PASSWORD "\"}",
	    invitation, name);
	assert_int_equal(visit(v, "POST", "/auth/register", body), 201);
	assert_string_equal(visit_text(v, "name"), name);
	assert_string_equal(visit_text(v, "role"), role);
}

void
visit_init_ann(struct visit *v, struct desk *d)
{

	visit_init(v, d);
	visit_join(v, d, "admin", "ann");
}
