#ifndef TESTS_RELAY_FAKE_UPSTREAM_H_
#define TESTS_RELAY_FAKE_UPSTREAM_H_

#include <stddef.h>
#include <stdint.h>

struct fake;

/**
 * A server on a free port of 127.0.0.1 that misbehaves on purpose: the first
 * part of a request's path names what it does (fake_upstream.c has the table).
 * One thread accepts, one thread serves each connection.
 */
struct fake *fake_start(void);
void fake_stop(struct fake *f);

int fake_port(const struct fake *f);

/** How many connections were accepted, and requests read whole. */
int fake_connections(struct fake *f);
int fake_requests(struct fake *f);

/** fake_gather(f, n): From now on "/which" answers once ${n} have asked for it:
 * none is over before the last one has come. */
void fake_gather(struct fake *f, int n);

/** fake_last(f, out, size): Head of the request that was read last. */
void fake_last(struct fake *f, char *out, size_t size);

/** fake_last_sum(f): Sum of the bytes of its body. */
uint64_t fake_last_sum(struct fake *f);

/**
 * fake_closed_at(f): Monotonic microseconds when a "/hold*" behaviour last
 * saw its client close, as clock_mono_us; 0 if none did.
 */
int64_t fake_closed_at(struct fake *f);

#endif /* !TESTS_RELAY_FAKE_UPSTREAM_H_ */
