/**
 * mock-upstream: an Anthropic-like upstream for tests, benchmarks and the
 * demo.  Every credential is good; what goes wrong is chosen through the
 * control API (control.h) or by a magic model name (plan.h).
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/num.h"

#include "mock/journal.h"
#include "mock/objects.h"
#include "mock/plan.h"
#include "mock/server.h"

struct options {
	const char *listen;
	bool control;
	int64_t journal;
	int64_t chunk_delay_ms;
};

static void
usage(FILE *f)
{

	fputs("usage: mock-upstream [--listen ADDRESS:PORT|PATH] [--control]\n"
	    "                     [--journal N] [--delay-ms N]\n"
	    "\n"
	    "An upstream that answers like the Anthropic API, from memory.\n"
	    "  --listen     127.0.0.1:0 (the default) takes a free port and\n"
	    "               prints it; a path is a Unix socket\n"
	    "  --control    serve the control API under /__mock/\n"
	    "  --journal N  requests remembered for the control API (10000)\n"
	    "  --delay-ms N between the words of an answer (0)\n", f);
}

static int
parse_number(const char *s, int64_t max, int64_t *out)
{

	if (num_parse(s, strlen(s), 0, max, out) == 0)
		return (0);
	fprintf(stderr, "mock-upstream: bad number: %s\n", s);
	return (-1);
}

/* 0: go on; 1: --help was answered; -1: bad usage. */
static int
parse_options(int argc, char *argv[], struct options *o)
{
	static const struct option longs[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "control", no_argument, NULL, 'c' },
		{ "journal", required_argument, NULL, 'j' },
		{ "delay-ms", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int ch, rc = 0;

	while (rc == 0 && (ch = getopt_long(argc, argv, "h", longs,
	    NULL)) != -1) {
		switch (ch) {
		case 'l':
			o->listen = optarg;
			break;
		case 'c':
			o->control = true;
			break;
		case 'j':
			rc = parse_number(optarg, 10000000, &o->journal);
			break;
		case 'd':
			rc = parse_number(optarg, 60000, &o->chunk_delay_ms);
			break;
		case 'h':
			usage(stdout);
			return (1);
		default:
			rc = -1;
		}
	}
	if (rc == 0 && optind == argc)
		return (0);
	usage(stderr);
	return (-1);
}

static int
listen_on(int fd, const struct sockaddr *sa, socklen_t len, const char *name)
{

	if (fd == -1 || bind(fd, sa, len) != 0 || listen(fd, 4096) != 0) {
		fprintf(stderr, "mock-upstream: cannot listen on %s: %s\n",
		    name, strerror(errno));
		return (-1);
	}
	return (fd);
}

static int
listen_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	(void)unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return (listen_on(fd, (struct sockaddr *)&sun, sizeof(sun), path));
}

static int
listen_tcp(const char *where)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	const char *colon = strrchr(where, ':');
	socklen_t len = sizeof(sin);
	char host[64];
	int64_t port;
	int fd;

	if (colon == NULL || parse_number(colon + 1, 65535, &port) != 0)
		return (-1);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - where), where);
	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1) {
		fprintf(stderr, "mock-upstream: bad address: %s\n", host);
		return (-1);
	}
	sin.sin_port = htons((uint16_t)port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 },
	    sizeof(int));
	if (listen_on(fd, (struct sockaddr *)&sin, len, where) == -1)
		return (-1);
	(void)getsockname(fd, (struct sockaddr *)&sin, &len);
	printf("%d\n", ntohs(sin.sin_port));
	fflush(stdout);
	return (fd);
}

static struct plan *
fallback_plan(const struct options *o)
{
	json_t *json = json_pack("{s:i,s:I}", "chunks", 20, "chunk_delay_ms",
	    (json_int_t)o->chunk_delay_ms);
	struct plan *p = plan_new(json, NULL);

	json_decref(json);
	return (p);
}

static void
on_signal(int signo, void *arg)
{

	(void)signo;
	loop_stop(arg);
}

static int
serve(const struct options *o, int fd, struct err *err)
{
	struct server_params params = { .listen_fd = fd,
		.control = o->control };
	struct server *s;
	int rc = -1;

	params.rules = rules_new(fallback_plan(o));
	params.journal = journal_new(o->control ? (size_t)o->journal : 0);
	params.objects = objects_new();
	params.loop = loop_new(clock_system(), err);
	if (params.rules == NULL || params.journal == NULL ||
	    params.objects == NULL || params.loop == NULL)
		goto err0;
	if (loop_signal_add(params.loop, SIGTERM, on_signal, params.loop,
	    err) != 0 || loop_signal_add(params.loop, SIGINT, on_signal,
	    params.loop, err) != 0)
		goto err0;
	if ((s = server_new(&params, err)) == NULL)
		goto err0;
	rc = loop_run(params.loop, err);
	server_free(s);
err0:
	loop_free(params.loop);
	objects_free(params.objects);
	journal_free(params.journal);
	rules_free(params.rules);
	return (rc);
}

int
main(int argc, char *argv[])
{
	struct options o = { .listen = "127.0.0.1:0", .journal = 10000 };
	struct err err;
	int fd, rc;

	err_clear(&err);
	if ((rc = parse_options(argc, argv, &o)) != 0)
		return (rc > 0 ? 0 : 2);
	if (sodium_init() < 0)
		return (1);
	fd = o.listen[0] == '/' ? listen_unix(o.listen) : listen_tcp(o.listen);
	if (fd == -1)
		return (1);
	if (serve(&o, fd, &err) != 0) {
		fprintf(stderr, "mock-upstream: %s\n", err.text);
		return (1);
	}
	if (o.listen[0] == '/')
		(void)unlink(o.listen);
	return (0);
}
