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
	const char *method;	/* "" until seen */
	const char *target;	/* REQUEST_URI, raw */
	const char *path;	/* target without mount prefix and query; starts
				   with '/'; raw, not decoded; NUL-ended */
	const char *query;	/* after '?', raw, or NULL if there was none */
	const char *remote_addr;
	bool https;
	int64_t content_length;	/* -1: not stated */
	struct http_header *headers;
	size_t nheaders;
	void *priv;		/* memory that the above borrows from */
};

/**
 * http_request_init(r), http_request_param(r, name, value, err):
 * Take CGI parameters one by one; both are copied.  0, or -1: ERR_INVAL when a
 * name or value holds NUL, CR or LF or other control characters than HT,
 * ERR_TOO_LARGE past LIMIT_PARAMS or LIMIT_PARAMS_BYTES.  HTTP_PROXY (httpoxy)
 * and parameters that the program does not know are left out.
 */
void http_request_init(struct http_request *r);
int http_request_param(struct http_request *r, const char *name,
    size_t name_len, const char *value, size_t value_len, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * http_request_ready(r, mount, err):
 * All parameters are in: find path and query.  1: ${r} is complete; 0: the
 * target is not under ${mount}; -1 with ERR_INVAL: no method, no REQUEST_URI,
 * a content length that is not a number (absent, "" and "-1" mean not
 * stated), a target that does not start with '/'.
 */
int http_request_ready(struct http_request *r, const char *mount,
    struct err *err) __attribute__((__warn_unused_result__));
void http_request_fini(struct http_request *r);

/** http_request_header(r, name): Value, or NULL.  ${name} in lower case. */
const char *http_request_header(const struct http_request *r,
    const char *name);

/**
 * http_request_keys(r, out, max):
 * The candidate client keys in the order of WIRE.md section 7 rule 1:
 * x-api-key, Authorization: Bearer, x-goog-api-key, api-key, ?key=.  Distinct
 * values, borrowed from ${r} or decoded into its memory.  Returns how many.
 */
#define HTTP_KEYS_MAX 5
size_t http_request_keys(struct http_request *r, const char **out);

#endif /* !HTTP_REQUEST_H_ */
