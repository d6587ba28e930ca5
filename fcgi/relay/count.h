#ifndef RELAY_COUNT_H_
#define RELAY_COUNT_H_

struct admit_op;
struct attempt_end;
struct call;
struct park;
struct relay;

/**
 * What the relay counts for GET /metrics, see metrics/metrics.h.  Without a
 * slot nothing is.  Loop thread only.
 */

/** count_platform(c): The platform of the account that is leased. */
void count_platform(struct call *c);

/** count_call(c): It is over, once: request, tokens, times. */
void count_call(const struct call *c);

/** count_attempt(c, end, park): One try upstream is.  count_failover(c, end):
 * The next one begins, after that one. */
void count_attempt(const struct call *c, const struct attempt_end *end,
    const struct park *park);
void count_failover(const struct call *c, const struct attempt_end *end);

/** count_refusal(r, outcome): Turned away in our own words.
 * count_admission(c, op): The same as a verdict of admission, for those of
 * budgets.  count_budget_cut(c): A stream that one ended. */
void count_refusal(struct relay *r, const char *outcome);
void count_admission(const struct call *c, const struct admit_op *op);
void count_budget_cut(const struct call *c);

/** count_plain(r, route, status): An answer without a call; ${route} as the
 * table of metrics has it, else it is "other". */
void count_plain(struct relay *r, const char *route, int status);

#endif /* !RELAY_COUNT_H_ */
