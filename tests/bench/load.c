/*
 * A load generator for the benchmark: HTTP/1.1 over TCP on loopback, a number
 * of kept connections, each sending one request after the other, plain or
 * streamed.  It checks every answer (status, whole body, for streams each
 * event and the final one) and prints one line of JSON.  With --announce it
 * prints "open" before, as soon as every connection has got a body byte.
 */

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES	(64 * 1024)
#define HEAD_BYTES	(16 * 1024)
#define LINE_BYTES	48	/* of a line's beginning, enough to know it */
#define STUCK_MS	30000	/* nothing at all for so long: give up */
#define TOTAL_S		120	/* nor may all of it take longer */

enum phase {
	PHASE_HEAD,
	PHASE_LENGTH,		/* body of stated length */
	PHASE_CHUNK_SIZE,
	PHASE_CHUNK,
	PHASE_CHUNK_END,
	PHASE_TRAILER
};

struct conn {
	int fd;
	enum phase phase;
	size_t sent;
	char head[HEAD_BYTES];
	size_t head_len;
	int status;
	uint64_t left;		/* of the body, or of the chunk */
	char line[LINE_BYTES];	/* of an event stream */
	size_t line_len;
	char size[24];		/* a chunk's size line */
	size_t size_len;
	int events;
	bool stopped;		/* message_stop was seen */
	bool first;		/* a body byte was seen */
	bool counted;		/* among the open ones */
	bool close;		/* the server will close behind this answer */
	int64_t start_us;
};

struct load {
	/* what is asked for */
	struct sockaddr_in addr;
	const char *path, *key, *model;
	int connections;
	int64_t requests;
	size_t body_bytes;
	bool stream;
	int expect_events;
	int ramp_us;
	bool announce;

	/* state */
	int epoll;
	int opened;		/* connections so far */
	int open;		/* of them have got a body byte */
	char *request;
	size_t request_len;
	struct conn *conns;
	int64_t begun, done, errors, bad_status, lost_events;
	uint32_t *latency_us, *first_us;
	int64_t nfirst;
	char buf[READ_BYTES];
};

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

static void
die(const char *what)
{

	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- the request, the same each time ---- */

static void
make_request(struct load *l)
{
	size_t room = l->body_bytes + 4096;
	char *body, *p;
	size_t fill;
	int n;

	if ((body = malloc(room)) == NULL ||
	    (l->request = malloc(room + 4096)) == NULL)
		die("malloc");
	n = snprintf(body, room, "{\"model\":\"%s\",\"max_tokens\":1024,"
	    "\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"",
	    l->model, l->stream ? "true" : "false");
	p = body + n;
	for (fill = (size_t)n + 5; fill < l->body_bytes; fill++)
		*p++ = (char)('a' + fill % 26);
	memcpy(p, "\"}]}", 5);
	n = snprintf(l->request, room + 4096,
	    "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	    "x-api-key: %s\r\nanthropic-version: 2023-06-01\r\n"
	    "content-type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
	    l->path, l->key, strlen(body), body);
	l->request_len = (size_t)n;
	free(body);
}

/* ---- connections ---- */

static void
conn_open(struct load *l, struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	int one = 1;

	ev.data.ptr = c;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1)
		die("socket");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(c->fd, (struct sockaddr *)&l->addr, sizeof(l->addr)) != 0 &&
	    errno != EINPROGRESS)
		die("connect");
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		die("epoll_ctl");
}

static void
conn_send(struct load *l, struct conn *c)
{
	ssize_t n;

	while (c->sent < l->request_len) {
		n = send(c->fd, l->request + c->sent, l->request_len - c->sent,
		    MSG_NOSIGNAL);
		if (n < 0)
			return;
		c->sent += (size_t)n;
	}
}

/* Begin the next request, if any is left to begin. */
static void
conn_next(struct load *l, struct conn *c)
{

	c->phase = PHASE_HEAD;
	c->sent = l->request_len;
	if (l->begun >= l->requests)
		return;
	l->begun++;
	c->sent = 0;
	c->head_len = c->line_len = c->size_len = 0;
	c->events = 0;
	c->stopped = c->first = c->close = false;
	c->start_us = now_us();
	conn_send(l, c);
}

static void
conn_failed(struct load *l, struct conn *c)
{

	close(c->fd);
	l->errors++;
	l->done++;
	conn_open(l, c);
	conn_next(l, c);
}

/* ---- answers ---- */

static void
answer_bad(struct load *l, const struct conn *c)
{

	if (l->bad_status++ == 0)
		fprintf(stderr, "load: an answer was not 200:\n%s\n", c->head);
}

static void
answer_done(struct load *l, struct conn *c)
{

	l->latency_us[l->done - l->errors] =
	    (uint32_t)(now_us() - c->start_us);
	l->done++;
	if (c->status != 200)
		answer_bad(l, c);
	else if (l->stream && (!c->stopped || (l->expect_events > 0 &&
	    c->events != l->expect_events)))
		l->lost_events++;
	if (c->close) {
		close(c->fd);
		conn_open(l, c);
	}
	conn_next(l, c);
}

static void
answer_line(struct conn *c)
{
	static const char delta[] = "event: content_block_delta";
	static const char stop[] = "event: message_stop";

	if (c->line_len >= sizeof(delta) - 1 &&
	    memcmp(c->line, delta, sizeof(delta) - 1) == 0)
		c->events++;
	else if (c->line_len >= sizeof(stop) - 1 &&
	    memcmp(c->line, stop, sizeof(stop) - 1) == 0)
		c->stopped = true;
	c->line_len = 0;
}

static void
answer_begun(struct load *l, struct conn *c)
{

	if (c->counted)
		return;
	c->counted = true;
	if (++l->open == l->connections && l->announce) {
		puts("open");
		fflush(stdout);
	}
}

static void
answer_body(struct load *l, struct conn *c, const char *p, size_t n)
{
	size_t i;

	if (!c->first && n > 0) {
		c->first = true;
		l->first_us[l->nfirst++] = (uint32_t)(now_us() - c->start_us);
		answer_begun(l, c);
	}
	for (i = 0; l->stream && i < n; i++) {
		if (p[i] == '\n')
			answer_line(c);
		else if (c->line_len < LINE_BYTES)
			c->line[c->line_len++] = p[i];
	}
}

/* Find a header's value in the head; names in any case. */
static const char *
answer_header(const struct conn *c, const char *name)
{
	size_t n = strlen(name);
	const char *p = c->head;

	while ((p = strchr(p, '\n')) != NULL) {
		p++;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':')
			return (p + n + 1);
	}
	return (NULL);
}

static bool
answer_head(struct load *l, struct conn *c)
{
	const char *v;

	c->head[c->head_len] = '\0';
	if (sscanf(c->head, "HTTP/1.1 %d", &c->status) != 1)
		return (false);
	v = answer_header(c, "connection");
	c->close = v != NULL &&
	    strncasecmp(v + strspn(v, " "), "close", 5) == 0;
	if ((v = answer_header(c, "content-length")) != NULL) {
		c->left = strtoull(v, NULL, 10);
		c->phase = PHASE_LENGTH;
		if (c->left == 0)
			answer_done(l, c);
		return (true);
	}
	if (answer_header(c, "transfer-encoding") == NULL)
		return (false);
	c->phase = PHASE_CHUNK_SIZE;
	c->size_len = 0;
	return (true);
}

/* Take what one phase wants of ${n} bytes; 0: the answer makes no sense. */
static size_t
answer_take(struct load *l, struct conn *c, const char *p, size_t n)
{
	size_t take;

	switch (c->phase) {
	case PHASE_HEAD:
		if (c->head_len == HEAD_BYTES - 1)
			return (0);
		c->head[c->head_len++] = *p;
		if (c->head_len >= 4 && memcmp(c->head + c->head_len - 4,
		    "\r\n\r\n", 4) == 0 && !answer_head(l, c))
			return (0);
		return (1);
	case PHASE_LENGTH:
	case PHASE_CHUNK:
		take = n < c->left ? n : (size_t)c->left;
		answer_body(l, c, p, take);
		c->left -= take;
		if (c->left == 0 && c->phase == PHASE_CHUNK)
			c->phase = PHASE_CHUNK_END;
		else if (c->left == 0)
			answer_done(l, c);
		return (take);
	case PHASE_CHUNK_SIZE:
		if (c->size_len == sizeof(c->size) - 1)
			return (0);
		c->size[c->size_len++] = *p;
		if (*p != '\n')
			return (1);
		c->size[c->size_len] = '\0';
		c->size_len = 0;
		c->left = strtoull(c->size, NULL, 16);
		c->phase = c->left == 0 ? PHASE_TRAILER : PHASE_CHUNK;
		return (1);
	case PHASE_CHUNK_END:
		if (*p == '\n')
			c->phase = PHASE_CHUNK_SIZE;
		return (1);
	case PHASE_TRAILER:
		if (*p == '\n')
			answer_done(l, c);
		return (1);
	}
	return (0);
}

static void
conn_read(struct load *l, struct conn *c)
{
	ssize_t n;
	size_t at, used;
	int fd = c->fd;

	do {
		if ((n = recv(fd, l->buf, sizeof(l->buf), 0)) <= 0)
			break;
		for (at = 0; at < (size_t)n; at += used) {
			used = answer_take(l, c, l->buf + at, (size_t)n - at);
			if (used == 0) {
				conn_failed(l, c);
				return;
			}
		}
		/* Opened anew behind its answer; or all is read. */
		if (c->fd != fd || (size_t)n < sizeof(l->buf))
			return;
	} while (true);
	if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
		conn_failed(l, c);
}

/* ---- the run ---- */

/* Open what is due of the connections; milliseconds until the next is. */
static int
run_ramp(struct load *l, int64_t start_us)
{
	int64_t due = l->connections;

	if (l->opened == l->connections)
		return (STUCK_MS);
	if (l->ramp_us > 0)
		due = (now_us() - start_us) / l->ramp_us + 1;
	for (; l->opened < l->connections && l->opened < due; l->opened++) {
		conn_open(l, &l->conns[l->opened]);
		conn_next(l, &l->conns[l->opened]);
	}
	return (l->opened == l->connections ? STUCK_MS : 1);
}

/* Say how far it came, and what the first open connection waits for. */
static void
give_up(const struct load *l, const char *why)
{
	const struct conn *c = l->conns;

	while (c < l->conns + l->opened - 1 && c->sent == l->request_len &&
	    c->phase == PHASE_HEAD && c->head_len == 0)
		c++;
	fprintf(stderr, "load: %s: %lld begun, %lld of %lld done, %lld "
	    "failed; connection %d: phase %d, %zu of %zu sent, %zu bytes of "
	    "head, %llu of body left, %d events, %lld ms\n", why,
	    (long long)l->begun, (long long)l->done, (long long)l->requests,
	    (long long)l->errors, (int)(c - l->conns), (int)c->phase, c->sent,
	    l->request_len, c->head_len, (unsigned long long)c->left,
	    c->events, (long long)(now_us() - c->start_us) / 1000);
	exit(1);
}

static void
run(struct load *l)
{
	struct epoll_event evs[256];
	int64_t start_us = now_us();
	int i, n, wait_ms;

	while (l->done < l->requests) {
		wait_ms = run_ramp(l, start_us);
		n = epoll_wait(l->epoll, evs, 256, wait_ms);
		if (n == 0 && wait_ms == STUCK_MS)
			give_up(l, "nothing comes");
		if (now_us() - start_us > TOTAL_S * INT64_C(1000000))
			give_up(l, "takes too long");
		for (i = 0; i < n; i++) {
			struct conn *c = evs[i].data.ptr;

			if ((evs[i].events & EPOLLOUT) != 0)
				conn_send(l, c);
			if ((evs[i].events & ~(uint32_t)EPOLLOUT) != 0)
				conn_read(l, c);
		}
	}
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x < y ? -1 : x > y);
}

static uint32_t
percentile(uint32_t *v, int64_t n, int p)
{

	if (n == 0)
		return (0);
	qsort(v, (size_t)n, sizeof(*v), compare);
	return (v[(n - 1) * p / 100]);
}

static int64_t
cpu_us(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ((ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * INT64_C(1000000) +
	    ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
}

static void
report(struct load *l, int64_t us)
{
	int64_t good = l->done - l->errors, cpu = cpu_us();

	printf("{\"requests\":%lld,\"errors\":%lld,\"bad_status\":%lld,"
	    "\"lost_events\":%lld,\"seconds\":%.3f,\"rps\":%.1f,"
	    "\"p50_us\":%u,\"p99_us\":%u,\"first_p50_us\":%u,"
	    "\"first_p99_us\":%u,\"cpu_us\":%lld}\n",
	    (long long)l->done, (long long)l->errors,
	    (long long)l->bad_status, (long long)l->lost_events,
	    (double)us / 1e6, (double)good * 1e6 / (double)us,
	    percentile(l->latency_us, good, 50),
	    percentile(l->latency_us, good, 99),
	    percentile(l->first_us, l->nfirst, 50),
	    percentile(l->first_us, l->nfirst, 99), (long long)cpu);
}

static void
usage(void)
{

	fputs("usage: load --port N --key KEY [options]\n"
	    "  --path P         request target (/v1/messages)\n"
	    "  --model M        model to ask for\n"
	    "  --connections C  at once (1)\n"
	    "  --requests N     in all (1000)\n"
	    "  --body B         bytes of each request body (300)\n"
	    "  --stream         ask for a stream, and check it\n"
	    "  --events E       content deltas each stream must have\n"
	    "  --ramp US        microseconds between new connections\n"
	    "  --announce       print \"open\" once all have a body byte\n",
	    stderr);
	exit(2);
}

static void
options(struct load *l, int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "key", required_argument, NULL, 'k' },
		{ "path", required_argument, NULL, 'P' },
		{ "model", required_argument, NULL, 'm' },
		{ "connections", required_argument, NULL, 'c' },
		{ "requests", required_argument, NULL, 'n' },
		{ "body", required_argument, NULL, 'b' },
		{ "stream", no_argument, NULL, 's' },
		{ "events", required_argument, NULL, 'e' },
		{ "ramp", required_argument, NULL, 'r' },
		{ "announce", no_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 }
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (ch) {
		case 'p':
			l->addr.sin_port = htons((uint16_t)atoi(optarg));
			break;
		case 'k':
			l->key = optarg;
			break;
		case 'P':
			l->path = optarg;
			break;
		case 'm':
			l->model = optarg;
			break;
		case 'c':
			l->connections = atoi(optarg);
			break;
		case 'n':
			l->requests = atoll(optarg);
			break;
		case 'b':
			l->body_bytes = (size_t)atoll(optarg);
			break;
		case 's':
			l->stream = true;
			break;
		case 'e':
			l->expect_events = atoi(optarg);
			break;
		case 'r':
			l->ramp_us = atoi(optarg);
			break;
		case 'a':
			l->announce = true;
			break;
		default:
			usage();
		}
	}
	if (l->addr.sin_port == 0 || l->key == NULL || l->connections < 1 ||
	    l->requests < l->connections)
		usage();
}

int
main(int argc, char *argv[])
{
	static struct load l = {
		.path = "/v1/messages",
		.model = "claude-sonnet-4-5",
		.connections = 1,
		.requests = 1000,
		.body_bytes = 300
	};
	int64_t start_us;

	l.addr.sin_family = AF_INET;
	l.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	options(&l, argc, argv);
	make_request(&l);
	l.conns = calloc((size_t)l.connections, sizeof(*l.conns));
	l.latency_us = calloc((size_t)l.requests, sizeof(uint32_t));
	l.first_us = calloc((size_t)l.requests, sizeof(uint32_t));
	if (l.conns == NULL || l.latency_us == NULL || l.first_us == NULL ||
	    (l.epoll = epoll_create1(EPOLL_CLOEXEC)) == -1)
		die("start");
	start_us = now_us();
	run(&l);
	report(&l, now_us() - start_us);
	return (l.errors + l.bad_status + l.lost_events > 0);
}
