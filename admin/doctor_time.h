#ifndef ADMIN_DOCTOR_TIME_H_
#define ADMIN_DOCTOR_TIME_H_

#include <stdbool.h>
#include <stdint.h>

struct doctor;
struct doctor_finding;
struct store;

/** Clocks that differ by more than this are worth a warning. */
#define TIME_SKEW_MS	5000

/**
 * time_judge(f, what, other_ms, now_ms):
 * Compare this host's clock with the newest time that ${what} states, which
 * can be older than now by right, but not from the future: a warning if it
 * is, or if this host's clock is before this version was made.
 */
void time_judge(struct doctor_finding *f, const char *what, int64_t other_ms,
    int64_t now_ms);

/** time_judge_server(f, here_ms, server_ms): Compare this host's clock with the
 * database server's.  True, with a warning, if they are apart. */
bool time_judge_server(struct doctor_finding *f, int64_t here_ms,
    int64_t server_ms);

/**
 * time_judge_date(f, date, before_ms, after_ms):
 * Compare with the Date of an answer, which was made between the two times
 * of this host, to the second.
 */
void time_judge_date(struct doctor_finding *f, const char *date,
    int64_t before_ms, int64_t after_ms);

/** time_check_zones(d, f): A check: does this host know the time zones that
 * budgets go by? */
void time_check_zones(struct doctor *d, struct doctor_finding *f);

#endif /* !ADMIN_DOCTOR_TIME_H_ */
