#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/zone.h"
#include "store/store.h"

#include "doctor.h"

#include "doctor_time.h"

/* 2026-01-01: no clock that is right shows less. */
#define MADE_MS		INT64_C(1767225600000)

static const char remedy[] =
    "Let a time service keep this clock: `timedatectl set-ntp true', or "
    "chrony.";

void
time_judge(struct doctor_finding *f, const char *what, int64_t other_ms,
    int64_t now_ms)
{
	char now[CLOCK_RFC3339_SIZE];

	clock_rfc3339(now_ms, now);
	if (now_ms < MADE_MS) {
		finding_set(f, DOCTOR_FAIL, "clock_behind", "this host's clock "
		    "says %s, which is before this version was made", now);
		finding_remedy(f, "keep_time", "%s", remedy);
	} else if (other_ms > now_ms + TIME_SKEW_MS) {
		finding_set(f, DOCTOR_WARN, "clock_skewed", "this host's clock "
		    "says %s, but %s %lld s later: it went back, or is behind "
		    "that of another host", now, what,
		    (long long)(other_ms - now_ms) / 1000);
		finding_remedy(f, "keep_time", "%s", remedy);
	} else {
		finding_set(f, DOCTOR_OK, "clock_good", "%s, and nothing in "
		    "the database is from the future", now);
	}
}

bool
time_judge_server(struct doctor_finding *f, int64_t here_ms,
    int64_t server_ms)
{
	const int64_t off_ms = here_ms - server_ms;

	if (off_ms <= TIME_SKEW_MS && off_ms >= -TIME_SKEW_MS)
		return (false);
	finding_set(f, DOCTOR_WARN, "clock_apart", "this host's clock is %lld "
	    "s %s the database server's",
	    (long long)(off_ms < 0 ? -off_ms : off_ms) / 1000,
	    off_ms < 0 ? "behind" : "ahead of");
	finding_remedy(f, "keep_time", "%s", remedy);
	return (true);
}

void
time_judge_date(struct doctor_finding *f, const char *date,
    int64_t before_ms, int64_t after_ms)
{
	int64_t date_ms, off_ms = 0;

	if (clock_parse_date(date, &date_ms)) {
		finding_set(f, DOCTOR_SKIP, "no_date", "the answer has no Date "
		    "header");
		return;
	}
	if (date_ms + 1000 < before_ms)
		off_ms = date_ms + 1000 - before_ms;
	else if (date_ms > after_ms)
		off_ms = date_ms - after_ms;
	if (off_ms > TIME_SKEW_MS || off_ms < -TIME_SKEW_MS) {
		finding_set(f, DOCTOR_WARN, "web_clock_skewed", "the web "
		    "server's clock is %lld s %s this host's",
		    (long long)(off_ms < 0 ? -off_ms : off_ms) / 1000,
		    off_ms < 0 ? "behind" : "ahead of");
		finding_remedy(f, "keep_web_time", "On the one that is wrong: "
		    "%s", remedy);
		return;
	}
	finding_set(f, DOCTOR_OK, "web_clock_good", "the web server's clock is "
	    "less than %d s from this host's", TIME_SKEW_MS / 1000);
}

/* What was read of zones. */
struct zones {
	int64_t n;
	char budget[128];		/* the first whose zone is bad */
	struct err why;
};

/* zone, a budget that goes by it */
static int
try_zone(void *arg, const struct store_value *c, size_t n)
{
	struct zones *zones = arg;
	struct zone *z;

	(void)n;
	zones->n++;
	z = zone_new(store_get_text(&c[0]), &zones->why);
	if (z == NULL)
		(void)snprintf(zones->budget, sizeof(zones->budget), "%s",
		    store_get_text(&c[1]));
	zone_free(z);
	return (z == NULL);
}

void
time_check_zones(struct doctor *d, struct doctor_finding *f)
{
	struct zones zones = { .n = 0 };
	struct err err = { .code = ERR_NONE };

	if (store_query(d->store, STMT_DOCTOR_ZONES, NULL, 0, try_zone,
	    &zones, &err) == -1) {
		finding_set(f, DOCTOR_FAIL, "query_failed", "%s", err.text);
	} else if (zones.why.code != ERR_NONE) {
		finding_set(f, DOCTOR_FAIL, "zone_unknown", "budget \"%s\": "
		    "%s: requests that count against it are refused",
		    zones.budget, zones.why.text);
		finding_remedy(f, "install_zones", "Install the time zones, on "
		    "each host that runs responders: `apt install tzdata'.");
	} else if (zones.n == 0) {
		finding_set(f, DOCTOR_OK, "no_zones", "no budget goes by a "
		    "time zone");
	} else {
		finding_set(f, DOCTOR_OK, "zones_known", "%lld that budgets go "
		    "by are known to this host", (long long)zones.n);
	}
}
