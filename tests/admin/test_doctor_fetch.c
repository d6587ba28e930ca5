#include "cmocka_all.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

#include "doctor_fetch.h"
#include "doctor_judge.h"

#define GAP_MS	80
#define EVENTS	3

/* A web server that answers one request, in pieces with pauses between. */
struct server {
	int fd;
	char url[64];
	const char *pieces[8];	/* NULL-ended */
	size_t body_bytes;	/* read before it answers */
	char request[4096];
	pthread_t thread;
};

static void
pause_ms(long ms)
{
	struct timespec ts = { 0, ms * 1000000 };

	(void)nanosleep(&ts, NULL);
}

/* Read a request with its body; keep the beginning of it. */
static void
take_request(struct server *s, int fd)
{
	size_t len = 0, want = s->body_bytes, got = 0;
	char buf[65536], *end = NULL;
	ssize_t n;

	while (end == NULL && len < sizeof(s->request) - 1 &&
	    (n = read(fd, s->request + len, sizeof(s->request) - 1 - len)) >
	    0) {
		len += (size_t)n;
		s->request[len] = '\0';
		end = strstr(s->request, "\r\n\r\n");
	}
	if (end != NULL)
		got = len - (size_t)(end + 4 - s->request);
	while (got < want && (n = read(fd, buf, sizeof(buf))) > 0)
		got += (size_t)n;
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->fd, NULL, NULL);
	const char *const *p;

	if (fd == -1)
		return (NULL);
	take_request(s, fd);
	for (p = s->pieces; *p != NULL; p++) {
		if (p != s->pieces)
			pause_ms(GAP_MS);
		if (write(fd, *p, strlen(*p)) == -1)
			break;
	}
	close(fd);
	return (NULL);
}

static void
start(struct server *s)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);

	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(s->fd != -1);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(s->fd, 4), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d/x",
	    ntohs(in.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void
stop(struct server *s)
{

	assert_int_equal(pthread_join(s->thread, NULL), 0);
	close(s->fd);
}

static void
fetch(struct server *s, const char *const *headers, int64_t body_bytes,
    struct fetch *f)
{
	const struct fetch_params p = { .url = s->url, .headers = headers,
	    .body_bytes = body_bytes, .timeout_ms = 10000 };

	start(s);
	assert_int_equal(fetch_run(&p, f, NULL), 0);
	stop(s);
}

static void
an_answer_is_kept_with_its_headers(void **state)
{
	static const char *const headers[] = { "x-one: 1", "x-two: 2", NULL };
	struct server s = { .pieces = { "HTTP/1.1 418 Teapot\r\n"
	    "Server:  nginx/1.22.1 \r\nCONTENT-TYPE: text/plain\r\n"
	    "Date: Fri, 20 Nov 2026 08:32:21 GMT\r\nLocation: /y\r\n"
	    "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello" } };
	struct fetch f;

	(void)state;
	fetch(&s, headers, -1, &f);
	assert_int_equal(f.curl_code, 0);
	assert_string_equal(f.error, "");
	assert_int_equal(f.status, 418);
	assert_int_equal(f.http_version, 11);
	assert_int_equal(web_server_of(f.server), WEB_NGINX);
	assert_string_equal(f.type, "text/plain");
	assert_string_equal(f.encoding, "gzip");
	assert_string_equal(f.date, "Fri, 20 Nov 2026 08:32:21 GMT");
	assert_string_equal(f.location, "/y");
	assert_int_equal(buf_len(&f.body), 5);
	assert_memory_equal(buf_head(&f.body), "hello", 5);
	assert_true(f.began_wall_ms <= f.head_wall_ms);
	assert_memory_equal(s.request, "GET /x HTTP/1.1\r\n", 17);
	assert_non_null(strstr(s.request, "\r\nx-one: 1\r\n"));
	assert_non_null(strstr(s.request, "\r\nx-two: 2\r\n"));
	fetch_fini(&f);
}

static void
events_are_timed_as_they_arrive(void **state)
{
	struct server s = { .pieces = { "HTTP/1.1 200 OK\r\n"
	    "Connection: close\r\n\r\ndata: 1\n\n", "data: 2\n\n",
	    "data: 3\n\n" } };
	int64_t at_ms[EVENTS + 1];
	struct fetch f;

	(void)state;
	fetch(&s, NULL, -1, &f);
	assert_int_equal(fetch_events(&f, at_ms, EVENTS + 1), EVENTS);
	assert_true(at_ms[1] - at_ms[0] >= GAP_MS / 2);
	assert_true(at_ms[2] - at_ms[1] >= GAP_MS / 2);
	assert_int_equal(fetch_events(&f, at_ms, 2), 2);
	fetch_fini(&f);
}

/* An event that comes in two pieces is there with its last byte. */
static void
an_event_is_there_with_its_end(void **state)
{
	struct server s = { .pieces = { "HTTP/1.1 200 OK\r\n"
	    "Connection: close\r\n\r\ndata: 1\n", "\ndata: 2\n\ndata: 3",
	    "\n\ndata: cut\n" } };
	int64_t at_ms[EVENTS + 1];
	struct fetch f;

	(void)state;
	fetch(&s, NULL, -1, &f);
	assert_int_equal(fetch_events(&f, at_ms, EVENTS + 1), EVENTS);
	assert_true(at_ms[0] >= GAP_MS / 2);
	assert_int_equal(at_ms[0], at_ms[1]);
	assert_true(at_ms[2] - at_ms[1] >= GAP_MS / 2);
	fetch_fini(&f);
}

static void
a_body_is_sent_whole(void **state)
{
	static const char *const no_expect[] = { "expect:", NULL };
	struct server s = { .body_bytes = 3 << 20,
	    .pieces = { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" } };
	struct fetch f;

	(void)state;
	fetch(&s, no_expect, 3 << 20, &f);
	assert_int_equal(f.curl_code, 0);
	assert_int_equal(f.status, 200);
	assert_int_equal(f.sent_bytes, 3 << 20);
	assert_non_null(strstr(s.request, "\r\nContent-Length: 3145728\r\n"));
	assert_int_equal(fetch_events(&f, NULL, 0), 0);
	fetch_fini(&f);
}

static void
what_went_wrong_is_told(void **state)
{
	struct server cut = { .pieces = { "HTTP/1.1 200 OK\r\n"
	    "Content-Length: 9\r\n\r\nhalf" } };
	struct server none = { .pieces = { NULL } };
	struct fetch f;

	(void)state;
	fetch(&cut, NULL, -1, &f);
	assert_int_equal(f.curl_code, CURLE_PARTIAL_FILE);
	assert_int_equal(f.status, 200);
	assert_true(f.error[0] != '\0');
	fetch_fini(&f);

	fetch(&none, NULL, -1, &f);
	assert_int_equal(f.status, 0);
	assert_true(f.error[0] != '\0');
	fetch_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_kept_with_its_headers),
		cmocka_unit_test(events_are_timed_as_they_arrive),
		cmocka_unit_test(an_event_is_there_with_its_end),
		cmocka_unit_test(a_body_is_sent_whole),
		cmocka_unit_test(what_went_wrong_is_told),
	};
	int rc;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return (EXIT_FAILURE);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return (rc);
}
