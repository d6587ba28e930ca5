#ifndef TESTS_HTTP_SERVER_FIX_H_
#define TESTS_HTTP_SERVER_FIX_H_

#include <sys/socket.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/loop.h"
#include "http/server.h"

/**
 * A FastCGI server on a real socket, with an application that notes what it
 * is told, and a client that plays the web server.  The clock stands still
 * unless a test moves it.
 *
 * What the application does goes by the path: /early is answered at once and
 * wants no body, /enough at the first body bytes; /drop wants no body and
 * /later gets it all, and both are answered by the test; /hold holds its
 * input back; all else is answered "ok" when it is whole.  Malformed requests
 * are answered "bad".
 */
struct fix {
	struct clock_fake clock;
	struct loop *loop;
	struct fcgi_server *server;
	struct fcgi_server_params params;
	int listen_fd;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	char dir[64];

	char log[4096];			/* what the application was told */
	struct fcgi_request *open;	/* to be answered by the test */
	size_t body_bytes;
	int idle;			/* calls of fix_idle */

	int fd;				/* the client, or -1 */
	struct buf send;		/* records that it is about to send */
	bool closed;			/* the server closed it */
	int failed;			/* errno of a failed read */
	struct buf got;			/* raw */
	char out[8192];			/* the same as text */
};

#define FIX_READ_TIMEOUT_MS	10000
#define FIX_WRITE_TIMEOUT_MS	20000

/* What an answer of the application looks like in fix_told. */
#define HEAD	"Status: 200 OK\r\n\r\n"
#define OK	HEAD "ok[eof][end 1 0]"

int fix_set_up(void **state);		/* on a Unix socket */
int fix_set_up_tcp(void **state);
int fix_tear_down(void **state);

#define SERVER_TEST(t)	cmocka_unit_test_setup_teardown(t, fix_set_up, \
	fix_tear_down)
#define TCP_TEST(t)	cmocka_unit_test_setup_teardown(t, fix_set_up_tcp, \
	fix_tear_down)

/** fix_pump(f): Let the server do all that it can do now. */
void fix_pump(struct fix *f);

/** fix_connect(f): One more connection; fix_client(f): a new client. */
int fix_connect(struct fix *f);
void fix_client(struct fix *f);

/** fix_post(f, uri, length, body): Put a whole request together (rec_post). */
void fix_post(struct fix *f, const char *uri, const char *length,
    const char *body);

/** fix_post_head(f, flags, uri, length): All of it but the body. */
void fix_post_head(struct fix *f, uint8_t flags, const char *uri,
    const char *length);

/** fix_push(f, from, n): Send a part of f->send; fix_push_all: and reset it. */
void fix_push(struct fix *f, size_t from, size_t n);
void fix_push_all(struct fix *f);

/** fix_pull(f): Read once, nonzero if there was any; fix_pull_all: all. */
int fix_pull(struct fix *f);
void fix_pull_all(struct fix *f);

/**
 * fix_told(f):
 * All that has come as text, since the last call: STDOUT as it is, its end
 * "[eof]", "[end ID STATUS]", "[type N]", "[broken]".
 */
const char *fix_told(struct fix *f);

/** fix_answer(f, req, text): As the application: answer and finish. */
void fix_answer(struct fix *f, struct fcgi_request *req, const char *text);

int64_t fix_protocol_errors(struct fix *f);
int64_t fix_connections(struct fix *f);

/** fix_idle(arg): For fcgi_server_drain. */
void fix_idle(void *arg);

#endif /* !TESTS_HTTP_SERVER_FIX_H_ */
