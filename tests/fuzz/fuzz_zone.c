/*
 * A time zone file: any bytes are refused with a reason, or give a zone whose
 * days tile time.
 */
#include <stdint.h>

#include "base/err.h"
#include "base/zone.h"

#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(x)	must((x), #x)

static void
days_tile(const struct zone *z, int64_t utc_ms)
{
	int64_t day = zone_day(z, utc_ms), offset = zone_offset_ms(z, utc_ms);
	char text[ZONE_RFC3339_SIZE];

	MUST(offset > -25 * 3600000 && offset < 26 * 3600000);
	MUST(zone_day_start_ms(z, day) <= utc_ms);
	MUST(zone_day_start_ms(z, day + 1) > utc_ms);
	MUST(zone_first_ms(z, utc_ms + offset) <= utc_ms);
	zone_rfc3339(z, utc_ms, text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;
	struct zone *z;
	int64_t t;

	err_clear(&err);
	z = zone_parse("Some/Where", data, size, &err);
	MUST((z != NULL) == (err.code == ERR_NONE));
	if (z == NULL)
		return (0);
	for (t = ZONE_MIN_MS; t < ZONE_MAX_MS; t += INT64_C(700000000007))
		days_tile(z, t);
	for (t = 0; t < INT64_C(200) * 365; t += 11)
		days_tile(z, t * 86400000 + t * 997);
	days_tile(z, ZONE_MIN_MS);
	days_tile(z, ZONE_MAX_MS);
	(void)zone_first_ms(z, INT64_MIN);
	(void)zone_day_start_ms(z, INT64_MAX);
	(void)zone_day(z, INT64_MAX);
	zone_free(z);
	return (0);
}
