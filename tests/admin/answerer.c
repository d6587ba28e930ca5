#include "config.h"

#include "cmocka_all.h"

#include "answerer.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MS	20

/* The whole head, and as much of a body as it says. */
static bool
is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n"), *length;

	if (end == NULL)
		return (false);
	length = strcasestr(request, "\r\ncontent-length:");
	return (length == NULL || length > end || strlen(end + 4) >=
	    strtoul(length + sizeof("\r\ncontent-length:") - 1, NULL, 10));
}

static void
take_request(char *request, size_t size, int fd)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && !is_whole(request) &&
	    (n = read(fd, request + len, size - 1 - len)) > 0) {
		len += (size_t)n;
		request[len] = '\0';
	}
}

static void
answer(struct answerer *a, const char *const *pieces, int fd)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	char byte;

	for (; *pieces != NULL; pieces++) {
		if (strcmp(*pieces, ANSWERER_HOLD) == 0)
			a->left = read(fd, &byte, 1) <= 0;
		else if (send(fd, *pieces, strlen(*pieces), MSG_NOSIGNAL) ==
		    -1)
			return;
		(void)nanosleep(&pause, NULL);
	}
}

static void *
serve(void *arg)
{
	struct answerer *a = arg;
	size_t i;
	int fd;

	for (i = 0; i < ANSWERER_TURNS && a->turns[i] != NULL; i++) {
		if ((fd = accept(a->fd, NULL, NULL)) == -1)
			break;
		take_request(a->requests[i], sizeof(a->requests[i]), fd);
		__atomic_store_n(&a->taken, (int)i + 1, __ATOMIC_RELEASE);
		answer(a, a->turns[i], fd);
		close(fd);
	}
	return (NULL);
}

void
answerer_start(struct answerer *a)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);

	a->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(a->fd != -1);
	assert_int_equal(bind(a->fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(a->fd, 4), 0);
	assert_int_equal(getsockname(a->fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(a->url, sizeof(a->url), "http://127.0.0.1:%d",
	    ntohs(in.sin_port));
	assert_int_equal(pthread_create(&a->thread, NULL, serve, a), 0);
}

void
answerer_stop(struct answerer *a)
{

	assert_int_equal(pthread_join(a->thread, NULL), 0);
	close(a->fd);
}

const char *
answerer_request(const struct answerer *a, int i)
{

	assert_true(i < __atomic_load_n(&a->taken, __ATOMIC_ACQUIRE));
	return (a->requests[i]);
}
