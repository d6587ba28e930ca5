#include <stdlib.h>
#include <string.h>

#include "http/proxy.h"
#include "http/token.h"
#include "relay/upstream_internal.h"

/*
 * libcurl sends at most this of a body at once where it does not go out with
 * the head.  Given back when the body has left; until then the body itself is
 * in memory and is the larger part.
 */
#define UPLOAD_SMALL_BYTES	(16 * 1024L)
#define UPLOAD_LARGE_BYTES	(64 * 1024L)

/* Bytes read at once; one TLS record at most. */
#define READ_BYTES		(16 * 1024L)

/*
 * Idle connections are not used again after this.  Below the 75 s and 100 s
 * after which nginx and Cloudflare's edge are known to let go, a request
 * hardly ever meets a server that is just closing.
 */
#define IDLE_MAX_S		70L

/* A connection is left after this, so that changed addresses are followed; a
 * new one takes what was looked up so long ago at most. */
#define LIFETIME_MAX_S		3600L
#define NAMES_KEPT_S		60L

/* TCP probes keep the entries of NAT gateways alive and find dead peers. */
#define KEEPALIVE_IDLE_S	30L
#define KEEPALIVE_INTERVAL_S	15L

/* Headers that libcurl would add by itself unless told not to. */
static const char *const suppressed[] = { "accept", "content-type", "expect" };

#define NSUPPRESSED	(sizeof(suppressed) / sizeof(suppressed[0]))

/* Set an option of ${t}; leaves the function with the code of a failure. */
#define SET(option, value) do {						\
	CURLcode rc_ = curl_easy_setopt(t->easy, option, value);	\
	if (rc_ != CURLE_OK)						\
		return (rc_);						\
} while (0)

static CURLcode
set_callbacks(struct transfer *t)
{

	SET(CURLOPT_PRIVATE, t);
	SET(CURLOPT_ERRORBUFFER, t->curl_text);
	SET(CURLOPT_HEADERFUNCTION, transfer_on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, transfer_on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_PREREQFUNCTION, transfer_on_dispatch);
	SET(CURLOPT_PREREQDATA, t);
	SET(CURLOPT_OPENSOCKETFUNCTION, sock_open);
	SET(CURLOPT_OPENSOCKETDATA, t);
	SET(CURLOPT_CLOSESOCKETFUNCTION, sock_close);
	SET(CURLOPT_CLOSESOCKETDATA, t->u);
	return (CURLE_OK);
}

static CURLcode
set_connection(struct transfer *t)
{

	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	SET(CURLOPT_MAXAGE_CONN, IDLE_MAX_S);
	SET(CURLOPT_MAXLIFETIME_CONN, LIFETIME_MAX_S);
	SET(CURLOPT_DNS_CACHE_TIMEOUT, NAMES_KEPT_S);
	SET(CURLOPT_BUFFERSIZE, READ_BYTES);
	return (CURLE_OK);
}

static CURLcode
set_protocol(struct transfer *t)
{

	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTP09_ALLOWED, 0L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_SHARE, t->u->share);
	SET(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (t->u->ca_file != NULL) {
		SET(CURLOPT_CAINFO, t->u->ca_file);
		SET(CURLOPT_CAPATH, NULL);
	}
	return (CURLE_OK);
}

int
transfer_setup_handle(struct transfer *t, struct err *err)
{
	CURLcode rc;

	if ((rc = set_callbacks(t)) != CURLE_OK ||
	    (rc = set_connection(t)) != CURLE_OK ||
	    (rc = set_protocol(t)) != CURLE_OK) {
		err_set(err, rc == CURLE_OUT_OF_MEMORY ? ERR_NOMEM :
		    ERR_INTERNAL, "cannot prepare libcurl: %s",
		    curl_easy_strerror(rc));
		return (-1);
	}
	return (0);
}

/* ---- the request's headers ---- */

static bool
is_text(const char *s)
{

	return (token_is_text(s, strlen(s)));
}

/* Check the headers; the bytes that their lines need, or -1. */
static int64_t
measure(const struct transfer_params *params, struct err *err)
{
	const struct transfer_header *h;
	int64_t bytes = 0;
	size_t i;

	for (i = 0; i < params->nheaders; i++) {
		h = &params->headers[i];
		if (!token_is_valid(h->name, strlen(h->name)) ||
		    !is_text(h->value)) {
			err_set(err, ERR_INVAL, "header %zu (%.64s) cannot be "
			    "sent", i + 1, is_text(h->name) ? h->name : "?");
			return (-1);
		}
		bytes += (int64_t)(strlen(h->name) + strlen(h->value)) + 3;
	}
	return (bytes);
}

/* libcurl sends a header without value only if it is written "name;". */
static size_t
put_line(char *out, const struct transfer_header *h)
{
	size_t name_len = strlen(h->name), value_len = strlen(h->value);

	memcpy(out, h->name, name_len);
	if (h->value[strspn(h->value, " \t")] == '\0') {
		memcpy(out + name_len, ";", 2);
		return (name_len + 2);
	}
	memcpy(out + name_len, ": ", 2);
	memcpy(out + name_len + 2, h->value, value_len + 1);
	return (name_len + value_len + 3);
}

static bool
has_header(const struct transfer_params *params, const char *name)
{
	size_t i;

	for (i = 0; i < params->nheaders; i++) {
		if (strcmp(params->headers[i].name, name) == 0)
			return (true);
	}
	return (false);
}

static size_t
put_suppressed(char *out, const char *name)
{
	size_t len = strlen(name);

	memcpy(out, name, len);
	memcpy(out + len, ":", 2);
	return (len + 2);
}

static struct curl_slist *
link_line(struct curl_slist *list, size_t n, char *line)
{

	list[n].data = line;
	list[n].next = NULL;
	if (n > 0)
		list[n - 1].next = &list[n];
	return (list);
}

/*
 * The list that libcurl wants, in two pieces of memory: it only reads it, and
 * a request of some forty headers would else cost eighty allocations.
 */
static int
build_list(struct transfer *t, const struct transfer_params *params,
    struct err *err)
{
	int64_t bytes;
	size_t i, n = 0;
	char *out;

	if ((bytes = measure(params, err)) == -1)
		return (-1);
	bytes += NSUPPRESSED * 16;
	t->list = calloc(params->nheaders + NSUPPRESSED, sizeof(*t->list));
	out = (char *)buf_reserve(&t->lines, (size_t)bytes);
	if (t->list == NULL || out == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a request's headers");
		return (-1);
	}
	for (i = 0; i < params->nheaders; i++) {
		link_line(t->list, n++, out);
		out += put_line(out, &params->headers[i]);
	}
	for (i = 0; i < NSUPPRESSED; i++) {
		if (has_header(params, suppressed[i]))
			continue;
		link_line(t->list, n++, out);
		out += put_suppressed(out, suppressed[i]);
	}
	buf_commit(&t->lines, (size_t)bytes);
	return (0);
}

/* ---- its method, body and target ---- */

void
transfer_drop_upload(struct transfer *t)
{

	(void)curl_easy_setopt(t->easy, CURLOPT_UPLOAD_BUFFERSIZE,
	    UPLOAD_SMALL_BYTES);
}

static CURLcode
set_body(struct transfer *t, const struct transfer_params *params)
{
	const char *method = params->method;

	SET(CURLOPT_NOBODY, 0L);
	SET(CURLOPT_CUSTOMREQUEST, NULL);
	if (params->has_body) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, params->body_len == 0 ? "" :
		    (const char *)params->body);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)params->body_len);
		SET(CURLOPT_UPLOAD_BUFFERSIZE, params->body_len >
		    (size_t)UPLOAD_SMALL_BYTES ? UPLOAD_LARGE_BYTES :
		    UPLOAD_SMALL_BYTES);
		if (strcmp(method, "POST") != 0)
			SET(CURLOPT_CUSTOMREQUEST, method);
		return (CURLE_OK);
	}
	SET(CURLOPT_HTTPGET, 1L);
	if (strcmp(method, "HEAD") == 0)
		SET(CURLOPT_NOBODY, 1L);
	else if (strcmp(method, "GET") != 0)
		SET(CURLOPT_CUSTOMREQUEST, method);
	return (CURLE_OK);
}

/* The place where the host ends, or NULL if this is not http(s)://host... */
static const char *
host_end(const char *url)
{
	const char *host, *p;

	if (strncmp(url, "https://", 8) == 0)
		host = url + 8;
	else if (strncmp(url, "http://", 7) == 0)
		host = url + 7;
	else
		return (NULL);
	for (p = url; *p != '\0'; p++) {
		if ((unsigned char)*p <= 0x20 || *p == 0x7f)
			return (NULL);
	}
	p = host + strcspn(host, "/?#");
	return (p == host || (*p != '/' && *p != '\0') ? NULL : p);
}

/*
 * libcurl would normalise a path, so it gets the origin as URL and the rest as
 * the request's target, which it does not touch.
 */
static CURLcode
set_target(struct transfer *t, const char *url, const char *end)
{
	char *origin = strndup(url, (size_t)(end - url));
	CURLcode rc;

	if (origin == NULL)
		return (CURLE_OUT_OF_MEMORY);
	rc = curl_easy_setopt(t->easy, CURLOPT_URL, origin);
	free(origin);
	if (rc != CURLE_OK)
		return (rc);
	SET(CURLOPT_REQUEST_TARGET, *end == '\0' ? "/" : end);
	return (CURLE_OK);
}

static CURLcode
set_request(struct transfer *t, const struct transfer_params *params,
    const char *end)
{
	CURLcode rc;

	t->proxied = params->proxy != NULL;
	if ((rc = set_target(t, params->url, end)) != CURLE_OK ||
	    (rc = proxy_set(t->easy, params->proxy, t->u->ca_file)) !=
	    CURLE_OK)
		return (rc);
	if (params->fresh)
		SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_HTTPHEADER, t->list);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)params->connect_timeout_ms);
	return (set_body(t, params));
}

int
transfer_setup_request(struct transfer *t,
    const struct transfer_params *params, struct err *err)
{
	const char *end;
	CURLcode rc;

	if ((end = host_end(params->url)) == NULL) {
		err_set(err, ERR_INVAL, "not an http(s) URL that can be sent: "
		    "%.100s", is_text(params->url) ? params->url : "?");
		return (-1);
	}
	if (!token_is_valid(params->method, strlen(params->method))) {
		err_set(err, ERR_INVAL, "the method cannot be sent");
		return (-1);
	}
	if (build_list(t, params, err))
		return (-1);
	if ((rc = set_request(t, params, end)) != CURLE_OK) {
		err_set(err, rc == CURLE_OUT_OF_MEMORY ? ERR_NOMEM :
		    ERR_INVAL, "libcurl does not take the request: %s",
		    curl_easy_strerror(rc));
		return (-1);
	}
	return (0);
}
