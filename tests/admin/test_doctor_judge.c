#include "cmocka_all.h"

#include <string.h>

#include "base/clock.h"

#include "doctor.h"
#include "doctor_judge.h"
#include "doctor_time.h"

#define NOW_MS	INT64_C(1795163541000)	/* 2026-11-20T08:32:21Z */

static void
servers_are_known_by_their_names(void **state)
{
	static const struct {
		const char *name;
		enum web_server server;
	} cases[] = {
		{ "nginx/1.22.1", WEB_NGINX },
		{ "nginx", WEB_NGINX },
		{ "openresty/1.25.3.1", WEB_NGINX },
		{ "Apache/2.4.62 (Debian)", WEB_APACHE },
		{ "Caddy", WEB_CADDY },
		{ "Caddy/2.6.2", WEB_CADDY },
		{ "cloudflare", WEB_UNKNOWN },
		{ "", WEB_UNKNOWN },
		{ NULL, WEB_UNKNOWN },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++)
		assert_int_equal(web_server_of(cases[i].name),
		    cases[i].server);
}

static void
streams_are_judged_by_the_distances_of_their_events(void **state)
{
	static const struct {
		enum stream_flow flow;
		size_t n;
		int64_t at_ms[5];
	} cases[] = {
		{ STREAM_LIVE, 5, { 2, 302, 601, 903, 1201 } },
		/* a slow way delays all of them alike */
		{ STREAM_LIVE, 5, { 2500, 2810, 3090, 3420, 3700 } },
		/* and the first one may come late with its connection */
		{ STREAM_LIVE, 5, { 130, 300, 600, 900, 1200 } },
		{ STREAM_HELD, 5, { 1201, 1201, 1201, 1201, 1201 } },
		{ STREAM_HELD, 5, { 1201, 1202, 1203, 1210, 1290 } },
		{ STREAM_LUMPY, 5, { 2, 600, 601, 1200, 1201 } },
		{ STREAM_LUMPY, 5, { 2, 302, 901, 902, 1201 } },
		{ STREAM_SHORT, 4, { 2, 302, 601, 903 } },
		{ STREAM_SHORT, 0, { 0 } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++)
		assert_int_equal(stream_flow(cases[i].at_ms, cases[i].n, 5,
		    300), cases[i].flow);
}

static void
answers_are_known_by_their_shape(void **state)
{
	static const struct {
		enum answer_from from;
		const char *body;
	} cases[] = {
		{ FROM_RELAY, "{\"status\":\"ok\"}\n" },
		{ FROM_RELAY, "{\"status\":\"unavailable\"}" },
		{ FROM_RELAY, "{\"service\":\"leasehold\"}" },
		{ FROM_RELAY, "{\"probe\":\"echo\",\"https\":true}" },
		{ FROM_RELAY, "{\"type\":\"error\",\"error\":{\"type\":"
		    "\"not_found_error\",\"message\":\"m\"},\"request_id\":"
		    "\"req_lh_06xhtxbm00000\"}" },
		/* an upstream that was reached without us */
		{ FROM_OTHER, "{\"type\":\"error\",\"error\":{\"type\":"
		    "\"not_found_error\",\"message\":\"m\"},\"request_id\":"
		    "\"req_011CX\"}" },
		{ FROM_ADMIN, "{\"error\":\"m\",\"code\":40400}" },
		{ FROM_OTHER, "{\"error\":\"m\"}" },
		{ FROM_OTHER, "{\"status\":\"UP\"}" },
		{ FROM_OTHER, "{\"status\":200}" },
		{ FROM_OTHER, "[\"probe\"]" },
		{ FROM_OTHER, "<html>nginx</html>" },
		{ FROM_OTHER, "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++)
		assert_int_equal(answer_from(cases[i].body,
		    strlen(cases[i].body)), cases[i].from);
	assert_int_equal(answer_from(NULL, 0), FROM_OTHER);
}

static void
an_answer_is_told_on_one_line(void **state)
{
	static const struct {
		const char *body, *text;
	} cases[] = {
		{ "<html>\r\n<head><title>413 Too Large</title></head>\r\n"
		    "<body>much more</body>", "413 Too Large" },
		{ "<h1>Service</h1>\n <p>down\t\033[31m</p>",
		    "Service down [31m" },
		{ "{\"error\":\"no token\",\"code\":401}", "no token" },
		{ "{\"type\":\"error\",\"error\":{\"message\":\"a\\nb\"}}",
		    "a b" },
		{ "<title", "" },
		{ "<title>cut", "cut" },
		{ "", "" },
		{ "0123456789012345678901234567890123456789",
		    "012345678901234567890123456789" },
	};
	char text[31];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		answer_text(cases[i].body, strlen(cases[i].body), text,
		    sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
	answer_text(NULL, 0, text, sizeof(text));
	assert_string_equal(text, "");
}

static void
urls_give_their_path(void **state)
{

	(void)state;
	assert_string_equal(url_path("https://h/claude"), "/claude");
	assert_string_equal(url_path("http://h:80/a/b"), "/a/b");
	assert_string_equal(url_path("http://h"), "");
	assert_string_equal(url_path("h/x"), "/x");
}

static const struct web_place place = {
	.mount = "/m",
	.relay_socket = "/run/r.sock",
	.admin_socket = "/run/a.sock",
};

static void
remedies_name_the_directive_of_the_server(void **state)
{
	static const struct {
		enum web_problem problem;
		enum web_server server;
		const char *line;
	} cases[] = {
		{ WEB_NO_AUTHORIZATION, WEB_APACHE, "CGIPassAuth On" },
		{ WEB_BUFFERED, WEB_NGINX, "fastcgi_buffering off;" },
		{ WEB_BUFFERED, WEB_APACHE, "flushpackets=on" },
		{ WEB_BUFFERED, WEB_CADDY, "flush_interval -1" },
		{ WEB_BUFFERED, WEB_CADDY, "buffer_responses" },
		{ WEB_HTTP10, WEB_NGINX, "proxy_http_version 1.1;" },
		{ WEB_HTTP10, WEB_APACHE, "force-proxy-request-1.0" },
		{ WEB_HTTP10, WEB_CADDY, "proxy_http_version 1.1;" },
		{ WEB_BODY_LIMIT, WEB_NGINX, "client_max_body_size 0;" },
		{ WEB_BODY_LIMIT, WEB_APACHE, "LimitRequestBody 0" },
		{ WEB_SILENCE, WEB_NGINX, "fastcgi_read_timeout 1h;" },
		{ WEB_SILENCE, WEB_APACHE, "timeout=3600" },
		{ WEB_SILENCE, WEB_CADDY, "read_timeout" },
		{ WEB_COMPRESSED, WEB_NGINX, "gzip off;" },
		{ WEB_DOWN, WEB_NGINX, "unix:/run/r.sock;" },
		{ WEB_NOT_ROUTED, WEB_NGINX, "location /m/ {" },
		{ WEB_NOT_ROUTED, WEB_APACHE, "ProxyPass \"/m/\" "
		    "\"unix:/run/r.sock|fcgi://localhost/m/\"" },
		{ WEB_TO_RELAY, WEB_CADDY, "handle @admin {" },
		{ WEB_TO_ADMIN, WEB_NGINX, "unix:/run/a.sock;" },
	};
	char text[3072];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		web_remedy(cases[i].problem, cases[i].server, &place, text,
		    sizeof(text));
		if (strstr(text, cases[i].line) == NULL)
			fail_msg("\"%s\" is not in: %s", cases[i].line, text);
	}
}

static void
remedies_name_an_address_as_the_server_does(void **state)
{
	static const struct web_place tcp = { "/m", "127.0.0.1:9000",
	    "[::1]:9001" };
	static const struct {
		enum web_problem problem;
		enum web_server server;
		const char *line;
	} cases[] = {
		{ WEB_NOT_ROUTED, WEB_NGINX, "fastcgi_pass 127.0.0.1:9000;" },
		{ WEB_NOT_ROUTED, WEB_APACHE, "ProxyPass \"/m/\" "
		    "\"fcgi://127.0.0.1:9000/m/\"" },
		{ WEB_NOT_ROUTED, WEB_CADDY, "reverse_proxy 127.0.0.1:9000 "
		    "{" },
		{ WEB_TO_RELAY, WEB_APACHE, "\"fcgi://[::1]:9001/\"" },
	};
	char text[3072];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		web_remedy(cases[i].problem, cases[i].server, &tcp, text,
		    sizeof(text));
		if (strstr(text, cases[i].line) == NULL)
			fail_msg("\"%s\" is not in: %s", cases[i].line, text);
	}
}

static void
every_remedy_is_there_for_every_server(void **state)
{
	char text[3072], all[sizeof(text)];
	enum web_problem p;
	enum web_server s;

	(void)state;
	for (p = 0; p < WEB_NPROBLEMS; p++) {
		web_remedy(p, WEB_UNKNOWN, &place, all, sizeof(all));
		assert_true(strlen(all) < sizeof(all) - 1);
		for (s = 0; s < WEB_NSERVERS; s++) {
			web_remedy(p, s, &place, text, sizeof(text));
			assert_true(text[0] != '\0');
			assert_non_null(strstr(all, text));
			assert_non_null(strstr(all, web_server_title(s)));
			assert_null(strstr(text, "@mount@"));
			assert_null(strstr(text, "@@"));
		}
	}
}

static void
a_remedy_is_cut_to_its_room(void **state)
{
	char text[8] = "xxxxxxx";

	(void)state;
	web_remedy(WEB_BUFFERED, WEB_CADDY, &place, text, sizeof(text));
	assert_string_equal(text, "In the ");
	web_remedy(WEB_BUFFERED, WEB_CADDY, &place, text, 1);
	assert_string_equal(text, "");
}

static void
clocks_are_compared(void **state)
{
	static const struct {
		enum doctor_verdict verdict;
		int64_t other_ms, now_ms;
	} cases[] = {
		{ DOCTOR_OK, 0, NOW_MS },
		{ DOCTOR_OK, NOW_MS - 86400000, NOW_MS },
		{ DOCTOR_OK, NOW_MS + TIME_SKEW_MS, NOW_MS },
		{ DOCTOR_WARN, NOW_MS + TIME_SKEW_MS + 1, NOW_MS },
		{ DOCTOR_FAIL, 0, 1000 },
	};
	struct doctor_finding f;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		memset(&f, 0, sizeof(f));
		time_judge(&f, "x is from", cases[i].other_ms,
		    cases[i].now_ms);
		assert_int_equal(f.verdict, cases[i].verdict);
		assert_true((f.remedy[0] != '\0') ==
		    (f.verdict != DOCTOR_OK));
	}
}

static void
a_database_servers_clock_is_compared(void **state)
{
	struct doctor_finding f = { .verdict = DOCTOR_OK };

	(void)state;
	assert_false(time_judge_server(&f, 100000, 104000));
	assert_true(time_judge_server(&f, 100000, 160000));
	assert_int_equal(f.verdict, DOCTOR_WARN);
	assert_string_equal(f.seen, "this host's clock is 60 s behind the "
	    "database server's");
	assert_non_null(strstr(f.remedy, "timedatectl"));
	assert_true(time_judge_server(&f, 3700000, 100000));
	assert_string_equal(f.seen, "this host's clock is 3600 s ahead of the "
	    "database server's");
}

static void
the_date_header_is_right_to_the_second(void **state)
{
	static const struct {
		enum doctor_verdict verdict;
		int64_t before_ms, after_ms;
		const char *date, *words;
	} cases[] = {
		{ DOCTOR_OK, NOW_MS, NOW_MS + 10,
		    "Fri, 20 Nov 2026 08:32:21 GMT", "less than 5 s" },
		/* it has no fraction, so it may seem older */
		{ DOCTOR_OK, NOW_MS + 999, NOW_MS + 999,
		    "Fri, 20 Nov 2026 08:32:21 GMT", "less than 5 s" },
		{ DOCTOR_OK, NOW_MS, NOW_MS + 30000,
		    "Fri, 20 Nov 2026 08:32:40 GMT", "less than 5 s" },
		{ DOCTOR_WARN, NOW_MS, NOW_MS + 10,
		    "Fri, 20 Nov 2026 08:32:11 GMT", "9 s behind" },
		{ DOCTOR_WARN, NOW_MS, NOW_MS,
		    "Fri, 20 Nov 2026 09:32:21 GMT", "3600 s ahead" },
		{ DOCTOR_SKIP, NOW_MS, NOW_MS, "", "no Date" },
		{ DOCTOR_SKIP, NOW_MS, NOW_MS, "yesterday", "no Date" },
	};
	struct doctor_finding f;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		memset(&f, 0, sizeof(f));
		time_judge_date(&f, cases[i].date, cases[i].before_ms,
		    cases[i].after_ms);
		assert_int_equal(f.verdict, cases[i].verdict);
		assert_non_null(strstr(f.seen, cases[i].words));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_database_servers_clock_is_compared),
		cmocka_unit_test(servers_are_known_by_their_names),
		cmocka_unit_test(
		    streams_are_judged_by_the_distances_of_their_events),
		cmocka_unit_test(answers_are_known_by_their_shape),
		cmocka_unit_test(an_answer_is_told_on_one_line),
		cmocka_unit_test(urls_give_their_path),
		cmocka_unit_test(remedies_name_the_directive_of_the_server),
		cmocka_unit_test(remedies_name_an_address_as_the_server_does),
		cmocka_unit_test(every_remedy_is_there_for_every_server),
		cmocka_unit_test(a_remedy_is_cut_to_its_room),
		cmocka_unit_test(clocks_are_compared),
		cmocka_unit_test(the_date_header_is_right_to_the_second),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
