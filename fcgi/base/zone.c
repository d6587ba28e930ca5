#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#include "base/zone_internal.h"

static int64_t
floor_div(int64_t a, int64_t b)
{

	return (a / b - (a % b < 0));
}

/* A window of the last day of the range may end after it. */
#define MIN_DAY		(ZONE_MIN_MS / ZONE_DAY_MS - 366)
#define MAX_DAY		(ZONE_MAX_MS / ZONE_DAY_MS + 366)

static int64_t
within(int64_t ms)
{

	return (ms < MIN_DAY * ZONE_DAY_MS ? MIN_DAY * ZONE_DAY_MS :
	    ms > MAX_DAY * ZONE_DAY_MS ? MAX_DAY * ZONE_DAY_MS : ms);
}

const char *
zone_name(const struct zone *z)
{

	return (z->name);
}

void
zone_free(struct zone *z)
{

	if (z == NULL)
		return;
	free(z->at_s);
	free(z->offset_s);
	free(z);
}

/* The offset at ${t}; *${until}: when it ends, or INT64_MAX. */
static int32_t
offset_at(const struct zone *z, int64_t t, int64_t *until)
{
	int64_t shift = 0;
	size_t lo = 0, hi = z->n, mid;

	if (z->cyclic && t >= z->cycle_s)
		shift = ((t - z->cycle_s) / ZONE_CYCLE_S + 1) * ZONE_CYCLE_S;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (z->at_s[mid] <= t - shift)
			lo = mid + 1;
		else
			hi = mid;
	}
	*until = lo < z->n ? z->at_s[lo] + shift : INT64_MAX;
	return (z->offset_s[lo]);
}

int64_t
zone_offset_ms(const struct zone *z, int64_t utc_ms)
{
	int64_t until;

	return ((int64_t)offset_at(z, floor_div(within(utc_ms), 1000),
	    &until) * 1000);
}

int64_t
zone_first_ms(const struct zone *z, int64_t local_ms)
{
	int64_t local_s, ms, t, until;
	int32_t offset;

	local_ms = within(local_ms);
	local_s = floor_div(local_ms, 1000);
	ms = local_ms - local_s * 1000;
	/* No clock is so far ahead that it shows that time before ${t}. */
	t = local_s - ZONE_OFFSET_MAX_S;
	for (;; t = until) {
		offset = offset_at(z, t, &until);
		if (t + offset > local_s)
			return (t * 1000);
		if (local_s - offset < until)
			return ((local_s - offset) * 1000 + ms);
	}
}

int64_t
zone_day_start_ms(const struct zone *z, int64_t day)
{

	if (day > MAX_DAY)
		day = MAX_DAY;
	if (day < MIN_DAY)
		day = MIN_DAY;
	return (zone_first_ms(z, day * ZONE_DAY_MS));
}

int64_t
zone_day(const struct zone *z, int64_t utc_ms)
{
	int64_t day;

	utc_ms = within(utc_ms);
	day = floor_div(utc_ms + zone_offset_ms(z, utc_ms), ZONE_DAY_MS);
	/* Clocks that went back show a day that is over. */
	while (day < MAX_DAY && zone_day_start_ms(z, day + 1) <= utc_ms)
		day++;
	return (day);
}

void
zone_rfc3339(const struct zone *z, int64_t utc_ms,
    char out[ZONE_RFC3339_SIZE])
{
	int64_t offset = zone_offset_ms(z, utc_ms), days, year, s;
	int month, day;

	s = floor_div(within(within(utc_ms) + offset), 1000);
	days = floor_div(s, 86400);
	s -= days * 86400;
	clock_civil(days, &year, &month, &day);
	/* Local mean time had seconds; the format has none. */
	offset /= 60000;
	(void)snprintf(out, ZONE_RFC3339_SIZE,
	    "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", (int)year, month, day,
	    (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60),
	    offset < 0 ? '-' : '+', abs((int)offset) / 60,
	    abs((int)offset) % 60);
}
