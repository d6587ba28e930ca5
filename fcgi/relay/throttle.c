#include <stddef.h>

#include "relay/throttle.h"

/* FNV-1a: spreads addresses; nobody gains by making two meet. */
static size_t
throttle_row(const char *addr)
{
	uint32_t h = 2166136261u;

	for (; *addr != '\0'; addr++)
		h = (h ^ (unsigned char)*addr) * 16777619u;
	return (h % THROTTLE_ROWS);
}

void
throttle_failed(struct throttle *t, const char *addr, int64_t now_ms)
{
	size_t i = throttle_row(addr);

	if (now_ms - t->rows[i].since_ms > THROTTLE_WINDOW_MS) {
		t->rows[i].since_ms = now_ms;
		t->rows[i].failures = 0;
	}
	t->rows[i].failures++;
}

bool
throttle_blocked(const struct throttle *t, const char *addr, int64_t now_ms)
{
	size_t i = throttle_row(addr);

	return (t->rows[i].failures >= THROTTLE_FAILURES &&
	    now_ms - t->rows[i].since_ms <= THROTTLE_WINDOW_MS);
}
