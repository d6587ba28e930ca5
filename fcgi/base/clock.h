#ifndef BASE_CLOCK_H_
#define BASE_CLOCK_H_

#include <stdint.h>

/**
 * Time, injected where it is used so that tests can step it.  Both clocks
 * count milliseconds; wall time is since the epoch, UTC.  Any thread.
 */
struct clock {
	int64_t (*mono_ms)(void *arg);
	int64_t (*wall_ms)(void *arg);
	void *arg;
};

/** clock_system(): Borrow the clock of this machine; static. */
const struct clock *clock_system(void);

static inline int64_t
clock_mono_ms(const struct clock *c)
{

	return (c->mono_ms(c->arg));
}

static inline int64_t
clock_wall_ms(const struct clock *c)
{

	return (c->wall_ms(c->arg));
}

/** clock_mono_us(): Microseconds of this machine's monotonic clock, to tell how
 * long something took. */
int64_t clock_mono_us(void);

/** A clock for tests: stands still until told otherwise. */
struct clock_fake {
	struct clock clock;	/* pass &fake.clock */
	int64_t mono_ms;
	int64_t wall_ms;
};

/** clock_fake_init(f, wall_ms): Monotonic time starts at 1000. */
void clock_fake_init(struct clock_fake *f, int64_t wall_ms);

/** clock_fake_advance(f, ms): Both clocks go on by ${ms}. */
void clock_fake_advance(struct clock_fake *f, int64_t ms);

/**
 * clock_days(y, m, d), clock_civil(days, y, m, d):
 * Days since 1970-01-01 of a date of the Gregorian calendar (month 1..12, day
 * 1..31), and back.
 */
int64_t clock_days(int64_t y, int m, int d);
void clock_civil(int64_t days, int64_t *y, int *m, int *d);

/**
 * clock_rfc3339(wall_ms, out):
 * Write "2026-11-20T07:29:18.123Z" and a NUL into ${out}.
 */
#define CLOCK_RFC3339_SIZE 32
void clock_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE]);

/**
 * clock_parse_date(s, wall_ms):
 * Read an HTTP date (RFC 9110, IMF-fixdate) or an RFC 3339 time, as
 * retry-after and anthropic-ratelimit-*-reset carry them.  0, or -1 if ${s}
 * is neither.
 */
int clock_parse_date(const char *s, int64_t *wall_ms)
    __attribute__((__warn_unused_result__));

#endif /* !BASE_CLOCK_H_ */
