/* Webhooks as they go out, and what receivers may do to whoever sends them. */
#include "config.h"

#include "cmocka_all.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/zone.h"

#include "answerer.h"
#include "notify.h"
#include "notify_send.h"
#include "tls_server.h"

#define SECRET		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OLD_SECRET	"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
#define LIMIT_MS	700

static struct tls_server server;

static int
start(void **state)
{

	(void)state;
	assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), 0);
	tls_server_start(&server);
	return (0);
}

static int
stop(void **state)
{

	(void)state;
	tls_server_stop(&server);
	curl_global_cleanup();
	return (0);
}

/* A message about ${subject} to ${url}; "" for ${ca}: the system's. */
static struct notify_answer
tell(const char *url, const char *ca, const char *subject)
{
	static const struct notify_secrets secrets = {
		.now = SECRET, .old = OLD_SECRET
	};
	struct err err = { .code = ERR_NONE };
	struct zone *z = zone_new("UTC", NULL);
	json_t *events = json_pack("[{s:s, s:I, s:{s:s, s:s, s:s, s:I}}]",
	    "kind", "account.parked", "at_ms", (json_int_t)1000, "data",
	    "subject", subject, "family", "", "reason", "auth", "until_ms",
	    (json_int_t)60000);
	const struct notify_letter l = {
		.id = "msg_x", .lang = "en", .zone = z, .events = events,
		.now_ms = 1614265330000, .limit_ms = LIMIT_MS
	};
	struct notify_answer a = { .taken = false };
	struct conf *conf;
	char text[160];

	(void)snprintf(text, sizeof(text), ca[0] == '\0' ? "\n" :
	    "ca_file = %s\n", ca);
	conf = conf_parse("test", text, strlen(text), &err);
	if (conf == NULL || notify_hook_send(conf, url, &secrets, &l, &a,
	    &err))
		fail_msg("%s", err.text);
	conf_free(conf);
	json_decref(events);
	zone_free(z);
	return (a);
}

/* ---- TLS ---- */

static struct notify_answer
tell_tls(const char *host, const char *ca)
{
	char url[64];

	(void)snprintf(url, sizeof(url), "https://%s:%d/close", host,
	    server.port);
	return (tell(url, ca, "x"));
}

static void
a_certificate_that_nobody_vouches_for_is_refused(void **state)
{
	struct notify_answer a = tell_tls("127.0.0.1", "");

	(void)state;
	assert_false(a.taken || a.gone);
	assert_int_equal(a.status, 0);
	assert_non_null(strcasestr(a.detail, "certificate"));
}

static void
one_of_the_ca_file_is_taken(void **state)
{
	struct notify_answer a = tell_tls("127.0.0.1", server.cert);

	(void)state;
	assert_string_equal(a.detail, "");
	assert_true(a.taken);
	assert_int_equal(a.status, 200);
}

static void
one_of_another_name_is_refused(void **state)
{
	struct notify_answer a = tell_tls("localhost", server.cert);

	(void)state;
	assert_false(a.taken);
	assert_int_equal(a.status, 0);
}

/* ---- answers ---- */

static struct notify_answer
tell_answerer(struct answerer *a, const char *subject)
{
	struct notify_answer got;
	char url[96];

	answerer_start(a);
	(void)snprintf(url, sizeof(url), "%s/in?key=k", a->url);
	got = tell(url, "", subject);
	answerer_stop(a);
	return (got);
}

static void
each_answer_is_what_it_is(void **state)
{
	static const struct {
		const char *pieces[4];
		bool taken, gone;
		int status;
		const char *detail;	/* begins so */
	} rows[] = {
		{ { "HTTP/1.1 204 No Content\r\n\r\n" }, true, false, 204,
		    "" },
		{ { "HTTP/1.1 299 x\r\nContent-Length: 0\r\n\r\n" }, true,
		    false, 299, "" },
		{ { "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n" }, false,
		    true, 410, "HTTP 410" },
		{ { "HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:1/\r\n"
		    "Content-Length: 0\r\n\r\n" }, false, false, 307,
		    "HTTP 307, a redirect" },
		{ { "HTTP/1.1 500 x\r\nContent-Length: 2\r\n\r\nno" }, false,
		    false, 500, "HTTP 500" },
		{ { "SSH-2.0-OpenSSH_9.2\r\n" }, false, false, 0, "" },
		{ { "" }, false, false, 0, "" },
		/* It hangs: before an answer, in its head, in its body. */
		{ { ANSWERER_HOLD }, false, false, 0, "" },
		{ { "HTTP/1.1 200 OK\r\nX: ", ANSWERER_HOLD }, false, false,
		    0, "" },
		{ { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
		    ANSWERER_HOLD }, false, false, 0, "" },
	};
	struct notify_answer got;
	struct answerer *a;
	int64_t began_ms;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		assert_non_null(a = calloc(1, sizeof(*a)));
		a->turns[0] = rows[i].pieces;
		began_ms = clock_mono_ms(clock_system());
		got = tell_answerer(a, "x");
		if (got.taken != rows[i].taken || got.gone != rows[i].gone ||
		    got.status != rows[i].status || (got.detail[0] == '\0') !=
		    rows[i].taken || strncmp(got.detail, rows[i].detail,
		    strlen(rows[i].detail)) != 0)
			fail_msg("row %zu: %d %s", i, got.status, got.detail);
		assert_true(clock_mono_ms(clock_system()) - began_ms <
		    10 * LIMIT_MS);
		free(a);
	}
}

/* More than anybody reads: its status is known by then. */
static void
a_long_answer_is_broken_off(void **state)
{
	static char part[NOTIFY_ANSWER_BYTES + 1];
	static const char *const heads[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n",
		"HTTP/1.1 500 x\r\nContent-Length: 999999999\r\n\r\n",
	};
	const char *pieces[5] = { NULL, part, part, ANSWERER_HOLD, NULL };
	struct notify_answer got;
	struct answerer *a;
	size_t i;

	(void)state;
	memset(part, 'x', sizeof(part) - 1);
	for (i = 0; i < NITEMS(heads); i++) {
		assert_non_null(a = calloc(1, sizeof(*a)));
		pieces[0] = heads[i];
		a->turns[0] = pieces;
		got = tell_answerer(a, "x");
		assert_int_equal(got.taken, i == 0);
		assert_int_equal(got.status, i == 0 ? 200 : 500);
		assert_string_equal(got.detail, i == 0 ? "" : "HTTP 500");
		free(a);
	}
}

/* ---- requests ---- */

static const char *
header(const char *request, const char *name, char out[512])
{
	const char *p = strcasestr(request, name);

	assert_non_null(p);
	p += strlen(name);
	(void)snprintf(out, 512, "%.*s", (int)strcspn(p, "\r\n"), p);
	return (out);
}

static void
no_name_leaves_the_body(void **state)
{
	static const char *const names[] = {
		"plain", "a\r\nX-Evil: 1\r\n\r\n{}", "\"}, \"type\": \"test",
		"\xe8\xb4\xa6\xe5\x8f\xb7 \xf0\x9f\x98\x80\x01",
	};
	static const char *const ok[] = { "HTTP/1.1 204 x\r\n\r\n", NULL };
	char line[512], signature[2 * NOTIFY_SIGNATURE_SIZE];
	const char *request, *body, *p;
	struct answerer *a;
	size_t i, lines;
	json_t *j;

	(void)state;
	for (i = 0; i < NITEMS(names); i++) {
		assert_non_null(a = calloc(1, sizeof(*a)));
		a->turns[0] = ok;
		assert_true(tell_answerer(a, names[i]).taken);
		request = answerer_request(a, 0);
		assert_int_equal(strncmp(request, "POST /in?key=k HTTP/1.1"
		    "\r\n", 25), 0);
		assert_non_null(body = strstr(request, "\r\n\r\n"));
		for (p = request, lines = 0; p < body; p++)
			lines += *p == '\n';
		assert_int_equal(lines, 8);	/* but for the first */
		body += 4;
		assert_non_null(j = json_loads(body, JSON_REJECT_DUPLICATES,
		    NULL));
		assert_string_equal(json_string_value(json_object_get(
		    json_object_get(j, "data"), "subject")), names[i]);
		assert_string_equal(json_string_value(json_object_get(j,
		    "type")), "account.parked");
		json_decref(j);
		/* By the secret, and by the one before. */
		assert_int_equal(notify_sign(SECRET, "msg_x", 1614265330,
		    body, strlen(body), signature), 0);
		strcat(signature, " ");
		assert_int_equal(notify_sign(OLD_SECRET, "msg_x", 1614265330,
		    body, strlen(body), strchr(signature, '\0')), 0);
		assert_string_equal(header(request, "\nwebhook-signature: ",
		    line), signature);
		assert_string_equal(header(request, "\nwebhook-timestamp: ",
		    line), "1614265330");
		free(a);
	}
}

static void
no_proxy_of_the_environment_is_used(void **state)
{
	static const char *const names[] = {
		"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
		"all_proxy", "ALL_PROXY",
	};
	static const char *const ok[] = { "HTTP/1.1 204 x\r\n\r\n", NULL };
	struct answerer *a = calloc(1, sizeof(*a));
	size_t i;

	(void)state;
	assert_non_null(a);
	for (i = 0; i < NITEMS(names); i++)
		assert_int_equal(setenv(names[i], "http://127.0.0.1:1", 1),
		    0);
	a->turns[0] = ok;
	assert_true(tell_answerer(a, "x").taken);
	assert_true(tell_tls("127.0.0.1", server.cert).taken);
	for (i = 0; i < NITEMS(names); i++)
		assert_int_equal(unsetenv(names[i]), 0);
	free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_certificate_that_nobody_vouches_for_is_refused),
		cmocka_unit_test(one_of_the_ca_file_is_taken),
		cmocka_unit_test(one_of_another_name_is_refused),
		cmocka_unit_test(each_answer_is_what_it_is),
		cmocka_unit_test(a_long_answer_is_broken_off),
		cmocka_unit_test(no_name_leaves_the_body),
		cmocka_unit_test(no_proxy_of_the_environment_is_used),
	};

	if (!tls_server_can())
		return (77);
	return (cmocka_run_group_tests(tests, start, stop));
}
