#ifndef TESTS_SIM_AGENDA_H_
#define TESTS_SIM_AGENDA_H_

#include <stddef.h>
#include <stdint.h>

struct clock_fake;

/** What is to happen, by time; at one time in the order in which it was put
 * down. */
struct agenda {
	struct clock_fake *clock;	/* goes on with what happens */
	struct agenda_entry *heap;
	size_t n, cap;
	uint64_t count;
};

void agenda_init(struct agenda *a, struct clock_fake *clock);
void agenda_fini(struct agenda *a);

/** agenda_now(a): Wall time, ms. */
int64_t agenda_now(const struct agenda *a);

/** agenda_put(a, after_ms, what, arg): Call ${what} then.  Ends the program
 * without memory. */
void agenda_put(struct agenda *a, int64_t after_ms, void (*what)(void *arg),
    void *arg);

/** agenda_run(a): Until nothing is left. */
void agenda_run(struct agenda *a);

#endif /* !TESTS_SIM_AGENDA_H_ */
