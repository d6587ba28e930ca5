#define _GNU_SOURCE	/* strcasestr, POLLRDHUP */

#include <sys/socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "fake_upstream.h"

#define HEAD_MAX	(256 * 1024)
#define CONNS_MAX	256
#define GATHER_MS	5000	/* so long, at the most */

struct fake {
	int fd;
	int port;
	pthread_t acceptor;

	/* Guards what is below. */
	pthread_mutex_t lock;
	int connections, requests;
	char last[HEAD_MAX];
	uint64_t last_sum;
	int64_t closed_at;
	int gather, gathered;		/* requests for /which */
	int fds[CONNS_MAX];
	pthread_t threads[CONNS_MAX];
};

/* One connection, as its thread has it. */
struct conn {
	struct fake *f;
	int fd, slot;
	char in[HEAD_MAX];
	size_t len;
	bool open;
};

/* ---- what it does ---- */

static void
put(struct conn *c, const char *text)
{
	size_t len = strlen(text);

	if (send(c->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		c->open = false;
}

static void
pause_ms(int ms)
{

	poll(NULL, 0, ms);
}

static void
put_many(struct conn *c, const char *head, size_t n)
{
	static const char block[16384] = { 'x' };
	ssize_t sent;

	put(c, head);
	while (c->open && n > 0) {
		sent = send(c->fd, block, n < sizeof(block) ? n :
		    sizeof(block), MSG_NOSIGNAL);
		if (sent <= 0)
			c->open = false;
		else
			n -= (size_t)sent;
	}
}

static void
do_ok(struct conn *c)
{

	put(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	    "X-Empty:\r\nX-Trim: \t a b \t\r\nContent-Length: 5\r\n\r\nhello");
}

static bool
all_gathered(struct conn *c, int more)
{
	bool all;

	pthread_mutex_lock(&c->f->lock);
	c->f->gathered += more;
	all = c->f->gathered >= c->f->gather;
	pthread_mutex_unlock(&c->f->lock);
	return (all);
}

/* The number of the connection, from 0: which one was used. */
static void
do_which(struct conn *c)
{
	bool all = all_gathered(c, 1);
	char text[64];
	int i;

	for (i = 0; i < GATHER_MS && !all; i++) {
		pause_ms(1);
		all = all_gathered(c, 0);
	}
	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n"
	    "Content-Length: 3\r\n\r\n%03d", c->slot);
	put(c, text);
}

static void
do_chunked(struct conn *c)
{

	put(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nhel\r\n");
	pause_ms(5);
	put(c, "2\r\nlo\r\n0\r\nX-Trailer: yes\r\n\r\n");
}

static void
do_early(struct conn *c)
{

	put(c, "HTTP/1.1 100 Continue\r\n\r\n");
	put(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
	do_ok(c);
}

static void
do_until_close(struct conn *c)
{

	put(c, "HTTP/1.0 200 OK\r\n\r\nhello");
	c->open = false;
}

static void
do_short(struct conn *c)
{

	put(c, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
	c->open = false;
}

static void
do_cut_head(struct conn *c)
{

	put(c, "HTTP/1.1 200 OK\r\nContent-Le");
	c->open = false;
}

static void
do_cut_chunk(struct conn *c)
{

	put(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "9\r\nhello");
	c->open = false;
}

static void
do_close(struct conn *c)
{

	c->open = false;
}

static void
do_reset(struct conn *c)
{
	struct linger l = { 1, 0 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	c->open = false;
}

static void
do_reset_within(struct conn *c)
{

	put(c, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
	pause_ms(20);
	do_reset(c);
}

static void
do_garbage(struct conn *c)
{

	put(c, "220 mail.example ESMTP ready\r\n");
	c->open = false;
}

static void
do_garbage_header(struct conn *c)
{

	put(c, "HTTP/1.1 200 OK\r\nbad\x01name: 1\r\n\r\n");
}

static void
do_huge_head(struct conn *c)
{
	int i;

	put(c, "HTTP/1.1 200 OK\r\n");
	for (i = 0; i < 2000 && c->open; i++)
		put(c, "X-Filler: 012345678901234567890123456789\r\n");
	put(c, "Content-Length: 0\r\n\r\n");
}

static void
do_huge_line(struct conn *c)
{

	put_many(c, "HTTP/1.1 200 OK\r\nX-Filler: ", 90000);
	put(c, "\r\nContent-Length: 0\r\n\r\n");
}

/* Longer than libcurl takes. */
static void
do_endless_line(struct conn *c)
{

	put_many(c, "HTTP/1.1 200 OK\r\nX-Filler: ", 300000);
	put(c, "\r\nContent-Length: 0\r\n\r\n");
}

static void
do_endless_early(struct conn *c)
{

	while (c->open)
		put(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

static void
do_redirect(struct conn *c)
{

	put(c, "HTTP/1.1 302 Found\r\nLocation: /ok\r\n"
	    "Content-Length: 0\r\n\r\n");
}

static void
do_large(struct conn *c)
{

	put_many(c, "HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n",
	    10485760);
}

/* Wait for the client to close, and note when it did. */
static void
hold(struct conn *c)
{
	struct pollfd p = { c->fd, POLLIN | POLLRDHUP, 0 };
	char byte;

	while (poll(&p, 1, 10000) == 1) {
		if (p.revents & (POLLRDHUP | POLLHUP | POLLERR))
			break;
		if (recv(c->fd, &byte, 1, 0) <= 0)
			break;
	}
	pthread_mutex_lock(&c->f->lock);
	c->f->closed_at = clock_mono_us();
	pthread_mutex_unlock(&c->f->lock);
	c->open = false;
}

static void
do_hold_head(struct conn *c)
{

	put(c, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n");
	hold(c);
}

static void
do_hold_body(struct conn *c)
{

	put(c, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
	hold(c);
}

static void
do_hold_part(struct conn *c)
{

	put(c, "HTTP/1.1 200 OK\r\nContent-Le");
	hold(c);
}

static void
do_drip(struct conn *c)
{
	int i;

	put(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
	for (i = 0; i < 10 && c->open; i++) {
		pause_ms(30);
		put(c, ".");
	}
}

/* The first request of a connection is answered, the second is not. */
static void
do_once(struct conn *c)
{

	do_ok(c);
	(void)poll(&(struct pollfd){ c->fd, POLLIN, 0 }, 1, 10000);
	c->open = false;
}

static const struct {
	const char *path;
	void (*serve)(struct conn *c);
} behaviours[] = {
	{ "/chunked", do_chunked },
	{ "/close", do_close },
	{ "/cut-chunk", do_cut_chunk },
	{ "/cut-head", do_cut_head },
	{ "/drip", do_drip },
	{ "/early", do_early },
	{ "/endless-early", do_endless_early },
	{ "/endless-line", do_endless_line },
	{ "/garbage", do_garbage },
	{ "/garbage-header", do_garbage_header },
	{ "/hold", hold },
	{ "/hold-body", do_hold_body },
	{ "/hold-head", do_hold_head },
	{ "/hold-part", do_hold_part },
	{ "/huge-head", do_huge_head },
	{ "/huge-line", do_huge_line },
	{ "/large", do_large },
	{ "/once", do_once },
	{ "/redirect", do_redirect },
	{ "/reset", do_reset },
	{ "/reset-within", do_reset_within },
	{ "/short", do_short },
	{ "/until-close", do_until_close },
	{ "/which", do_which },
};

static void
serve(struct conn *c, const char *head)
{
	const char *path = strchr(head, ' ');
	size_t i, len;

	path = path == NULL ? "" : path + 1;
	len = strcspn(path, " ?");
	for (i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++) {
		if (strlen(behaviours[i].path) == len &&
		    memcmp(path, behaviours[i].path, len) == 0) {
			behaviours[i].serve(c);
			return;
		}
	}
	if (strncmp(head, "HEAD ", 5) == 0)
		put(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
	else
		do_ok(c);
}

/* ---- reading requests ---- */

static bool
fill(struct conn *c)
{
	ssize_t n;

	n = recv(c->fd, c->in + c->len, sizeof(c->in) - 1 - c->len, 0);
	if (n <= 0)
		return (false);
	c->len += (size_t)n;
	c->in[c->len] = '\0';
	return (true);
}

static size_t
body_length(const char *head)
{
	const char *p = strcasestr(head, "\r\ncontent-length:");

	return (p == NULL ? 0 : strtoul(p + 17, NULL, 10));
}

/* Read and sum up the body that follows the ${head_len} bytes of a head. */
static bool
read_body(struct conn *c, size_t head_len, size_t left, uint64_t *sum)
{
	size_t i, n;

	c->len -= head_len;
	memmove(c->in, c->in + head_len, c->len);
	for (*sum = 0; left > 0; left -= n) {
		if (c->len == 0 && !fill(c))
			return (false);
		n = c->len < left ? c->len : left;
		for (i = 0; i < n; i++)
			*sum += (unsigned char)c->in[i];
		c->len -= n;
		memmove(c->in, c->in + n, c->len);
	}
	return (true);
}

static void
serve_one(struct conn *c)
{
	static _Thread_local char head[HEAD_MAX];
	uint64_t sum;
	char *end;

	c->in[c->len] = '\0';
	while ((end = strstr(c->in, "\r\n\r\n")) == NULL) {
		if (!fill(c)) {
			c->open = false;
			return;
		}
	}
	end[2] = '\0';
	memcpy(head, c->in, (size_t)(end - c->in) + 3);
	if (!read_body(c, (size_t)(end - c->in) + 4, body_length(head),
		&sum)) {
		c->open = false;
		return;
	}
	pthread_mutex_lock(&c->f->lock);
	c->f->requests++;
	c->f->last_sum = sum;
	strcpy(c->f->last, head);
	pthread_mutex_unlock(&c->f->lock);
	serve(c, head);
}

static void *
serve_conn(void *arg)
{
	struct conn *c = arg;

	while (c->open)
		serve_one(c);
	pthread_mutex_lock(&c->f->lock);
	close(c->fd);
	c->f->fds[c->slot] = -1;
	pthread_mutex_unlock(&c->f->lock);
	free(c);
	return (NULL);
}

static void *
accept_all(void *arg)
{
	struct fake *f = arg;
	struct conn *c;
	int fd;

	while ((fd = accept(f->fd, NULL, NULL)) != -1) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 },
		    sizeof(int));
		if ((c = calloc(1, sizeof(*c))) == NULL)
			abort();
		c->f = f;
		c->fd = fd;
		c->open = true;
		pthread_mutex_lock(&f->lock);
		c->slot = f->connections++;
		if (c->slot >= CONNS_MAX)
			abort();
		f->fds[c->slot] = fd;
		if (pthread_create(&f->threads[c->slot], NULL, serve_conn, c))
			abort();
		pthread_mutex_unlock(&f->lock);
	}
	return (NULL);
}

/* ---- for the test ---- */

struct fake *
fake_start(void)
{
	struct sockaddr_in sin = { 0 };
	socklen_t len = sizeof(sin);
	struct fake *f;

	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((f = calloc(1, sizeof(*f))) == NULL ||
	    (f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(f->fd, (struct sockaddr *)&sin, sizeof(sin)) ||
	    listen(f->fd, 128) ||
	    getsockname(f->fd, (struct sockaddr *)&sin, &len))
		abort();
	f->port = ntohs(sin.sin_port);
	pthread_mutex_init(&f->lock, NULL);
	if (pthread_create(&f->acceptor, NULL, accept_all, f))
		abort();
	return (f);
}

void
fake_stop(struct fake *f)
{
	int i;

	shutdown(f->fd, SHUT_RDWR);
	pthread_join(f->acceptor, NULL);
	close(f->fd);
	pthread_mutex_lock(&f->lock);
	for (i = 0; i < f->connections; i++) {
		if (f->fds[i] != -1)
			shutdown(f->fds[i], SHUT_RDWR);
	}
	pthread_mutex_unlock(&f->lock);
	for (i = 0; i < f->connections; i++)
		pthread_join(f->threads[i], NULL);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

int
fake_port(const struct fake *f)
{

	return (f->port);
}

/* Read a number that the threads change. */
static int64_t
locked(struct fake *f, int64_t (*get)(const struct fake *f))
{
	int64_t value;

	pthread_mutex_lock(&f->lock);
	value = get(f);
	pthread_mutex_unlock(&f->lock);
	return (value);
}

static int64_t
get_connections(const struct fake *f)
{

	return (f->connections);
}

static int64_t
get_requests(const struct fake *f)
{

	return (f->requests);
}

static int64_t
get_closed_at(const struct fake *f)
{

	return (f->closed_at);
}

static int64_t
get_last_sum(const struct fake *f)
{

	return ((int64_t)f->last_sum);
}

void
fake_gather(struct fake *f, int n)
{

	pthread_mutex_lock(&f->lock);
	f->gather = n;
	f->gathered = 0;
	pthread_mutex_unlock(&f->lock);
}

int
fake_connections(struct fake *f)
{

	return ((int)locked(f, get_connections));
}

int
fake_requests(struct fake *f)
{

	return ((int)locked(f, get_requests));
}

int64_t
fake_closed_at(struct fake *f)
{

	return (locked(f, get_closed_at));
}

uint64_t
fake_last_sum(struct fake *f)
{

	return ((uint64_t)locked(f, get_last_sum));
}

void
fake_last(struct fake *f, char *out, size_t size)
{

	pthread_mutex_lock(&f->lock);
	snprintf(out, size, "%s", f->last);
	pthread_mutex_unlock(&f->lock);
}
