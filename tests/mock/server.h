#ifndef MOCK_SERVER_H_
#define MOCK_SERVER_H_

#include <stdbool.h>

struct err;
struct journal;
struct loop;
struct rules;
struct server;

/**
 * The mock upstream's HTTP/1.1 server: connections on the loop, each serving
 * requests one after the other, answered after the plan that the rules pick.
 */
struct server_params {
	struct loop *loop;
	int listen_fd;			/* taken over */
	struct rules *rules;		/* borrowed */
	struct journal *journal;
	struct objects *objects;	/* borrowed */
	bool control;			/* serve the control API */
};
struct server *server_new(const struct server_params *params,
    struct err *err);
void server_free(struct server *s);

#endif /* !MOCK_SERVER_H_ */
