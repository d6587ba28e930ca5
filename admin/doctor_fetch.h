#ifndef ADMIN_DOCTOR_FETCH_H_
#define ADMIN_DOCTOR_FETCH_H_

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

/**
 * One HTTP request of doctor, and when each part of its answer came.  Goes
 * straight to the host that the URL names (no proxy from the environment),
 * follows no redirect, checks certificates against those of the system.
 * Blocks.  curl_global_init is the caller's.
 */
struct fetch_params {
	const char *url;
	const char *const *headers;	/* "name: value", NULL-ended; may be
					   NULL */
	int64_t body_bytes;	/* POST of so many zeros; -1: GET */
	int64_t timeout_ms;	/* for all of it */
};

#define FETCH_ARRIVALS_MAX	256
#define FETCH_BODY_BYTES	(64 * 1024)

struct fetch {
	int status;		/* HTTP; 0: there was no answer */
	int curl_code;		/* CURLcode of how it ended; 0: well */
	char error[256];	/* in libcurl's words; "" if it ended well */
	char server[128];	/* headers of the answer, "" if absent */
	char type[128];
	char encoding[64];
	char date[64];
	char location[512];
	int http_version;	/* 10, 11, 20, 30; 0: unknown */
	int64_t began_wall_ms;
	int64_t head_wall_ms;	/* when its head was there */
	int64_t total_ms;
	int64_t sent_bytes;	/* of the request's body */
	struct buf body;	/* the first FETCH_BODY_BYTES of it */
	struct {
		size_t end;	/* bytes of the body until then */
		int64_t ms;	/* since the request began */
	} arrivals[FETCH_ARRIVALS_MAX];
	size_t narrivals;
};

/** fetch_run(params, f, err): Do it; ${f} need not be initialised.  0 if
 * there is something in ${f} to judge, also that the connection failed; -1:
 * no memory.  fetch_fini in either case. */
int fetch_run(const struct fetch_params *params, struct fetch *f,
    struct err *err) __attribute__((__warn_unused_result__));
void fetch_fini(struct fetch *f);

/** fetch_events(f, at_ms, max): When each SSE event of the body was whole;
 * returns how many, at most ${max}. */
size_t fetch_events(const struct fetch *f, int64_t *at_ms, size_t max);

#endif /* !ADMIN_DOCTOR_FETCH_H_ */
