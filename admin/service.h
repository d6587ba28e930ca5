#ifndef ADMIN_SERVICE_H_
#define ADMIN_SERVICE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/request.h"

#include "api.h"

struct err;
struct log;
struct service;

/**
 * The admin routes, for one thread: a request in, a whole answer out, or one
 * that went into the sink piece by piece, and nothing after it.  Each
 * thread has a service with a database connection of its own, which is made
 * when it is first needed and made anew after the database was gone.
 */
struct service_params {
	const char *store_url;		/* these outlive the service */
	const char *master_key_file;
	int64_t busy_timeout_ms;
	struct api_settings settings;
	struct api_sink sink;	/* .put NULL: there is none */
	struct log *log;
	struct log *access_log;	/* of log_open_json; NULL: there is none */
};

/** The body of a request, as far as it was read. */
struct service_body {
	const char *p;
	size_t n;
	bool too_large;		/* more than SERVICE_BODY_BYTES */
};

/** Longest body, which may be a file to import (IMPORT_ROUTE_BYTES) as a JSON
 * text with its quotes escaped, and longest answer of an admin route. */
#define SERVICE_BODY_BYTES	(12 * 1024 * 1024)

/** Of one that whoever likes may send, or any user: read as JSON it may take
 * thirty times as much. */
#define SERVICE_SMALL_BODY_BYTES	(64 * 1024)
#define SERVICE_ANSWER_BYTES	(16 * 1024 * 1024)

/** service_new(params): NULL without memory. */
struct service *service_new(const struct service_params *params);
void service_free(struct service *s);

/**
 * service_answer(s, r, body, ready, err, out):
 * Answer request ${r}, whose parameters were all taken; ${ready} and ${err}
 * are what http_request_ready (or http_request_param, if that failed) gave.
 * What goes wrong is an answer too, and is logged.  Returns the status.
 */
int service_answer(struct service *s, const struct http_request *r,
    const struct service_body *body, int ready, const struct err *err,
    struct buf *out);

/**
 * service_listener(s, who):
 * Is the last answer, as it was given, but the head of what the events thread
 * goes on with (api_events)?  Then whom it serves; a place is reserved, and
 * the caller has to give the connection to events_take.
 */
bool service_listener(const struct service *s, struct who *who);

#endif /* !ADMIN_SERVICE_H_ */
