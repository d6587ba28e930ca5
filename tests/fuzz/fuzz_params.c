/*
 * CGI parameters and headers: whatever a client sends, what is taken over
 * can be sent on as a header without starting another line.
 *
 * The first byte of the input chooses the mount; then come parameters
 * "NAME=value", each ended by the byte 0xfe.
 */
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "http/request.h"
#include "http/response.h"
#include "http/route.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const mounts[] = { "", "/claude", "/a/b" };

static const char *const aliases[] = { "/claude", "/api", NULL };

static const struct route routes[] = {
	{ "HEAD", "/", ROUTE_OPEN, DIALECT_ANTHROPIC, false, 0 },
	{ "POST", "/v1/messages", ROUTE_KEY, DIALECT_ANTHROPIC, true, 1 },
	{ "GET", "/v1/models/{id}", ROUTE_KEY, DIALECT_OPENAI, false, 2 },
};

static void
check_header(const struct http_header *h)
{
	struct buf out;
	size_t i, lines = 0;

	must(strlen(h->name) == h->name_len, "length of a name");
	must(strlen(h->value) == h->value_len, "length of a value");
	must(strcmp(h->name, "proxy") != 0, "httpoxy");
	buf_init(&out, 1 << 20);
	if (response_header(&out, h->name, h->value)) {
		must(!strcmp(h->name, "status"),
		    "a header that cannot be sent");
	} else {
		for (i = 0; i < buf_len(&out); i++)
			lines += buf_head(&out)[i] == '\n' ||
			    buf_head(&out)[i] == '\r';
		must(lines == 2, "a header of more than one line");
	}
	buf_fini(&out);
}

static void
check_keys(struct http_request *r)
{
	const char *keys[HTTP_KEYS_MAX];
	size_t i, j, n;

	n = http_request_keys(r, keys);
	must(n <= HTTP_KEYS_MAX, "number of keys");
	for (i = 0; i < n; i++) {
		must(*keys[i] != '\0', "an empty key");
		for (j = 0; j < i; j++)
			must(strcmp(keys[i], keys[j]) != 0, "a key twice");
	}
}

static void
check_route(const struct http_request *r)
{
	struct route_match m;
	enum route_result rc;
	size_t i;

	rc = route_find(routes, sizeof(routes) / sizeof(routes[0]), aliases,
	    r->method, r->path, &m);
	must((rc == ROUTE_FOUND) == (m.route != NULL), "route");
	for (i = 0; i < m.nparams; i++)
		must(m.params[i].p >= r->path && m.params[i].p +
		    m.params[i].n <= r->path + strlen(r->path), "params");
}

static void
take(struct http_request *r, const uint8_t *p, size_t n)
{
	const uint8_t *eq = memchr(p, '=', n);
	size_t name_len = eq == NULL ? n : (size_t)(eq - p);
	size_t skip = eq == NULL ? n : name_len + 1;
	struct err err;

	err_clear(&err);
	if (http_request_param(r, (const char *)p, name_len,
	    (const char *)p + skip, n - skip, &err))
		must(err.code != ERR_NONE, "an error without code");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request r;
	const uint8_t *end;
	size_t i, n;
	uint8_t mount;
	int rc;

	if (size == 0)
		return (0);
	mount = *data++ % 3;
	size--;
	http_request_init(&r);
	for (; size > 0; data += n, size -= n) {
		end = memchr(data, 0xfe, size);
		n = end == NULL ? size : (size_t)(end - data);
		take(&r, data, n);
		n += end != NULL;
	}
	rc = http_request_ready(&r, mounts[mount], NULL);
	must(r.method != NULL && r.target != NULL && r.path != NULL &&
	    r.remote_addr != NULL, "strings");
	if (rc == 1)
		must(*r.path == '/' && r.content_length >= -1, "path");
	for (i = 0; i < r.nheaders; i++)
		check_header(&r.headers[i]);
	check_keys(&r);
	check_route(&r);
	http_request_fini(&r);
	return (0);
}
