#include <string.h>

#include "base/zone.h"

#include "notify.h"

#define MINUTE_MS	INT64_C(60000)

static const char *const names[] = {
	[NOTIFY_PARKED] = "account.parked",
	[NOTIFY_BUDGET_80] = "budget.80",
	[NOTIFY_BUDGET_100] = "budget.100",
	[NOTIFY_GROUP] = "group.empty",
	[NOTIFY_SPOOL] = "spool.filled",
	[NOTIFY_BACKUP] = "backup.failed",
	[NOTIFY_TEST] = "test",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == NOTIFY_KINDS,
    "one name each");

const char *
notify_kind_name(enum notify_kind kind)
{

	return (names[kind]);
}

enum notify_kind
notify_kind_of(const char *name)
{
	enum notify_kind k;

	for (k = 0; k < NOTIFY_KINDS; k++) {
		if (strcmp(names[k], name) == 0)
			break;
	}
	return (k);
}

bool
notify_wants(const json_t *target, enum notify_kind kind)
{
	const json_t *name;
	size_t i;

	json_array_foreach(json_object_get(target, "events"), i, name) {
		if (strcmp(json_string_value(name), names[kind]) == 0)
			return (true);
	}
	return (false);
}

int64_t
notify_pause_ms(int64_t tries)
{
	int64_t ms = NOTIFY_PAUSE_MS;

	for (; tries > 1 && ms < NOTIFY_PAUSE_MAX_MS; tries--)
		ms *= 2;
	return (ms < NOTIFY_PAUSE_MAX_MS ? ms : NOTIFY_PAUSE_MAX_MS);
}

/* The hours that began on a day may reach into the next; a clock that is put
 * back shows the day before again. */
int64_t
notify_quiet_ms(const struct zone *zone, int from, int to, int64_t at_ms)
{
	int64_t today = zone_day(zone, at_ms), day, begin, end;

	if (from == to)
		return (0);
	for (day = today - 1; day <= today + 1; day++) {
		begin = zone_first_ms(zone, day * ZONE_DAY_MS +
		    from * MINUTE_MS);
		end = zone_first_ms(zone, (to > from ? day : day + 1) *
		    ZONE_DAY_MS + to * MINUTE_MS);
		if (begin <= at_ms && at_ms < end)
			return (end);
	}
	return (0);
}
