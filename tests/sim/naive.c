#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/crowd.h"
#include "sim/naive.h"
#include "sim/world.h"

#define REST_MS	60000

struct naive {
	struct sim *sim;
	int64_t rests_until_ms[SIM_ACCOUNTS];
	int64_t used[SIM_ACCOUNTS];	/* by a count */
	int64_t count;
};

struct naive_call {
	struct naive *naive;
	struct chat *session;
	int account;
	struct world_answer answer;
};

static int
pick(const struct naive *n, int64_t now_ms)
{
	int i, best = -1, by;

	for (i = 0; i < SIM_ACCOUNTS; i++) {
		if (n->rests_until_ms[i] > now_ms)
			continue;
		by = best < 0 ? -1 : world_priority(i) - world_priority(best);
		if (by < 0 || (by == 0 && n->used[i] < n->used[best]))
			best = i;
	}
	return (best);
}

static int64_t
retry_after(const struct world_answer *a)
{
	size_t i;

	for (i = 0; i < a->nheaders; i++) {
		if (strcmp(a->headers[i].name, "retry-after") == 0)
			return (strtoll(a->headers[i].value, NULL, 10));
	}
	return (0);
}

static void
answered(void *arg)
{
	struct naive_call *c = arg;
	struct naive *n = c->naive;
	int64_t wait_s = retry_after(&c->answer);

	world_done(n->sim->world, c->account);
	if (c->answer.status == 200) {
		crowd_served(c->session, c->account, c->answer.total_ms);
	} else {
		if (c->answer.status == 429)
			n->rests_until_ms[c->account] =
			    agenda_now(&n->sim->agenda) +
			    (wait_s > 0 ? wait_s * 1000 : REST_MS);

		/* No client sleeps for hours. */
		crowd_refused(c->session, wait_s, wait_s > 60 ? 0 : -1);
	}
	free(c);
}

static void
ask(void *relay, struct chat *s)
{
	struct naive *n = relay;
	int account = pick(n, agenda_now(&n->sim->agenda));
	struct naive_call *c;

	if (account < 0) {
		crowd_refused(s, 0, -1);
		return;
	}
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		fprintf(stderr, "sim: no memory\n");
		exit(1);
	}
	n->used[account] = ++n->count;
	*c = (struct naive_call) { .naive = n, .session = s,
		.account = account };
	world_ask(n->sim->world, account, s, &c->answer);
	agenda_put(&n->sim->agenda, c->answer.total_ms, answered, c);
}

struct naive *
naive_new(struct sim *sim)
{
	struct naive *n = calloc(1, sizeof(*n));

	if (n == NULL) {
		fprintf(stderr, "sim: no memory\n");
		exit(1);
	}
	n->sim = sim;
	sim->ask = ask;
	sim->relay = n;
	return (n);
}

void
naive_free(struct naive *n)
{

	free(n);
}
