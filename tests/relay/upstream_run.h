#ifndef TESTS_RELAY_UPSTREAM_RUN_H_
#define TESTS_RELAY_UPSTREAM_RUN_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "fake_upstream.h"
#include "relay/upstream.h"

/** What a test has: a loop, an upstream on it, and a server that misbehaves. */
struct fixture {
	struct loop *loop;
	struct upstream *u;
	struct fake *f;
};

/** fixture_new(ca_file): As in struct upstream_params; keeps 16 connections.
 * run_setup, run_teardown: For cmocka, without a CA file. */
struct fixture *fixture_new(const char *ca_file);
void fixture_free(struct fixture *x);
int run_setup(void **state);
int run_teardown(void **state);

/** One request and what came of it. */
struct run {
	struct fixture *x;
	struct transfer *t;
	struct transfer_params p;	/* may be changed before run_start */
	char url[256];
	int heads, status, dones;	/* heads, dones: how many came */
	const struct transfer_header *h;
	size_t nh;
	uint64_t bytes;
	char body[16384];		/* the beginning of it; NUL */
	enum transfer_result result;
	struct err why;
	struct transfer_timings tm;
	bool refuse;			/* body() takes nothing ... */
	int refused;			/* ... so many times */
	enum { NEVER, AT_HEAD, AT_BODY, AT_DONE } cancel;
	struct run *other;		/* ... cancel this one instead */
	int64_t cancelled_at;		/* as clock_mono_us */
};

/** run_init(r, x, path): A GET to the server of ${x}. */
void run_init(struct run *r, struct fixture *x, const char *path);
void run_start(struct run *r);
/** run_end(r): Turn the loop until it is done. */
void run_end(struct run *r);
void run_free(struct run *r);
/** run_get(r, x, path): All of these but run_free. */
void run_get(struct run *r, struct fixture *x, const char *path);

/** run_cancel(r): Cancel it, or .other where that is set. */
void run_cancel(struct run *r);

/** run_header(r, name): NULL if there is none. */
const char *run_header(const struct run *r, const char *name);

/** run_turn(x, ms): One turn of the loop, at most ${ms} long.
 * run_until(x, flag): Turns until *${flag} is not 0, at most 8 s. */
void run_turn(struct fixture *x, int ms);
void run_until(struct fixture *x, const int *flag);

#endif /* !TESTS_RELAY_UPSTREAM_RUN_H_ */
