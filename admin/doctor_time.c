#include "config.h"

#include "base/clock.h"

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
		finding_set(f, DOCTOR_FAIL, "this host's clock says %s, which "
		    "is before this version was made", now);
		finding_remedy(f, "%s", remedy);
	} else if (other_ms > now_ms + TIME_SKEW_MS) {
		finding_set(f, DOCTOR_WARN, "this host's clock says %s, but "
		    "%s %lld s later: it went back, or is behind that of "
		    "another host", now, what,
		    (long long)(other_ms - now_ms) / 1000);
		finding_remedy(f, "%s", remedy);
	} else {
		finding_set(f, DOCTOR_OK, "%s, and nothing in the database "
		    "is from the future", now);
	}
}

void
time_judge_date(struct doctor_finding *f, const char *date,
    int64_t before_ms, int64_t after_ms)
{
	int64_t date_ms, off_ms = 0;

	if (clock_parse_date(date, &date_ms)) {
		finding_set(f, DOCTOR_SKIP, "the answer has no Date header");
		return;
	}
	if (date_ms + 1000 < before_ms)
		off_ms = date_ms + 1000 - before_ms;
	else if (date_ms > after_ms)
		off_ms = date_ms - after_ms;
	if (off_ms > TIME_SKEW_MS || off_ms < -TIME_SKEW_MS) {
		finding_set(f, DOCTOR_WARN, "the web server's clock is %lld s "
		    "%s this host's", (long long)(off_ms < 0 ? -off_ms :
		    off_ms) / 1000, off_ms < 0 ? "behind" : "ahead of");
		finding_remedy(f, "On the one that is wrong: %s", remedy);
		return;
	}
	finding_set(f, DOCTOR_OK, "the web server's clock is less than %d s "
	    "from this host's", TIME_SKEW_MS / 1000);
}
