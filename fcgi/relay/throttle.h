#ifndef RELAY_THROTTLE_H_
#define RELAY_THROTTLE_H_

#include <stdbool.h>
#include <stdint.h>

/**
 * Slows down guessing of keys: counts failed look-ups by client address in a
 * table of fixed size.  Addresses that share a row share its count; a key that
 * is known is never held up.  One thread at a time.
 */
#define THROTTLE_ROWS		1024
#define THROTTLE_WINDOW_MS	10000
#define THROTTLE_FAILURES	30	/* allowed within a window */

struct throttle {
	struct {
		int64_t since_ms;
		int failures;
	} rows[THROTTLE_ROWS];
};

/** throttle_failed(t, addr, now_ms): A look-up for ${addr} found nothing.
 * throttle_blocked(t, addr, now_ms): It has failed too often lately. */
void throttle_failed(struct throttle *t, const char *addr, int64_t now_ms);
bool throttle_blocked(const struct throttle *t, const char *addr,
    int64_t now_ms);

#endif /* !RELAY_THROTTLE_H_ */
