#ifndef TESTS_ADMIN_ANSWERER_H_
#define TESTS_ADMIN_ANSWERER_H_

#include <pthread.h>
#include <stdbool.h>

#define ANSWERER_TURNS	8

/** A piece that is no bytes: wait until the client has left. */
#define ANSWERER_HOLD	"(hold)"

/**
 * An upstream on a port of its own that answers one request after the other,
 * each on a connection of its own, with what is written down for it: pieces
 * with a pause between, NULL-ended.  What fails ends the test.
 */
struct answerer {
	const char *const *turns[ANSWERER_TURNS];	/* NULL: no more */
	char url[64];			/* "http://127.0.0.1:N" */
	bool left;			/* the last client did, during a hold */
	char requests[ANSWERER_TURNS][4096];	/* private, like what follows */
	int taken;			/* atomic */
	int fd;
	pthread_t thread;
};

/** answerer_start(a): With .turns set.  answerer_stop(a): All of them were
 * asked for.  answerer_request(a, i): The ${i}th request, as it came; it has
 * been answered. */
void answerer_start(struct answerer *a);
void answerer_stop(struct answerer *a);
const char *answerer_request(const struct answerer *a, int i);

#endif /* !TESTS_ADMIN_ANSWERER_H_ */
