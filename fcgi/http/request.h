#ifndef HTTP_REQUEST_H_
#define HTTP_REQUEST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/**
 * A request as CGI parameters describe it, whichever responder received it.
 * Header names are lower case with '-' ("HTTP_X_API_KEY" is "x-api-key"; the
 * web servers drop or merge names with '_', WEBSERVERS.md section 3).
 * Repeated headers are joined with ", " in order.  One thread at a time.
 */
struct http_header {
	const char *name;
	const char *value;	/* NUL-ended, holds no control character */
	size_t name_len;
	size_t value_len;
};

struct http_request {
	const char *method;	/* this and the others "" until seen */
	const char *target;	/* REQUEST_URI, raw */
	const char *path;	/* target without mount prefix and query; starts
				   with '/'; raw, not decoded; NUL-ended */
	const char *query;	/* after '?', raw, or NULL if there was none */
	const char *remote_addr;
	const char *protocol;	/* "HTTP/2.0", as the web server says */
	const char *server;	/* its name, "nginx/1.22.1" */
	bool https;
	int64_t content_length;	/* -1: not stated */
	struct http_header *headers;
	size_t nheaders;
	void *priv;		/* memory that the above borrows from */
	char *key;		/* the query's, decoded (private) */
};

/**
 * http_request_init(r), http_request_param(r, name, value, err):
 * Take CGI parameters one by one; both are copied, and can be read after
 * http_request_ready.  Taken are REQUEST_METHOD, REQUEST_URI, CONTENT_LENGTH,
 * CONTENT_TYPE (as header content-type), REMOTE_ADDR, SERVER_PROTOCOL,
 * SERVER_SOFTWARE, HTTPS, of which the last one given counts, and HTTP_*.
 * All others are left out unread (some hold line feeds by right: PATH_INFO is
 * decoded), as are HTTP_PROXY (httpoxy), and HTTP_CONTENT_TYPE and
 * HTTP_CONTENT_LENGTH, which repeat what is known.
 *
 * 0, or -1: ERR_INVAL when a header's name is not a token or a value holds
 * NUL, CR, LF or another control character than HT, ERR_TOO_LARGE past
 * LIMIT_PARAMS or LIMIT_PARAMS_BYTES, ERR_NOMEM.  Others may follow it.
 */
void http_request_init(struct http_request *r);
int http_request_param(struct http_request *r, const char *name,
    size_t name_len, const char *value, size_t value_len, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * http_request_ready(r, mount, err):
 * All parameters are in: join headers, find path and query.  1: ${r} is
 * complete; 0: the target is not under ${mount}; -1 with ERR_INVAL: no
 * method, no REQUEST_URI, a content length that is not a number (absent, ""
 * and "-1" mean not stated), a target that does not start with '/'; or with
 * ERR_NOMEM.  Strings are set in any case (not NULL, but query), so that an
 * error can be answered as the path asks for.  No http_request_param after
 * it.  http_request_fini wipes what was held.
 */
int http_request_ready(struct http_request *r, const char *mount,
    struct err *err) __attribute__((__warn_unused_result__));
void http_request_fini(struct http_request *r);

/** http_request_header(r, name): Value, or NULL.  ${name} in lower case. */
const char *http_request_header(const struct http_request *r,
    const char *name);

/**
 * http_request_keys(r, out):
 * The candidate client keys in the order of WIRE.md section 7 rule 1:
 * x-api-key, Authorization: Bearer, x-goog-api-key, api-key, ?key=.  Distinct
 * values, borrowed from ${r} or decoded into its memory.  Returns how many.
 */
#define HTTP_KEYS_MAX 5
size_t http_request_keys(struct http_request *r, const char **out);

#endif /* !HTTP_REQUEST_H_ */
