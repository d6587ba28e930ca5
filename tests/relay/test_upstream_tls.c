#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "tls_server.h"
#include "upstream_run.h"

static struct tls_server server;

static int
start_server(void **state)
{

	(void)state;
	tls_server_start(&server);
	return (0);
}

static int
stop_server(void **state)
{

	(void)state;
	tls_server_stop(&server);
	return (0);
}

static void
get(struct run *r, struct fixture *x, const char *host, const char *path)
{

	run_init(r, x, path);
	snprintf(r->url, sizeof(r->url), "https://%s:%d%s", host, server.port,
	    path);
	run_start(r);
	run_end(r);
}

static void
an_unknown_issuer_is_refused(void **state)
{
	struct fixture *x = fixture_new("");
	static struct run r;

	(void)state;
	get(&r, x, "127.0.0.1", "/close");
	assert_int_equal(r.result, TRANSFER_TLS);
	assert_int_equal(r.heads, 0);
	assert_int_equal(r.tm.connected_ms, -1);
	run_free(&r);
	fixture_free(x);
}

static void
an_issuer_of_the_ca_file_is_trusted(void **state)
{
	struct fixture *x = fixture_new(server.cert);
	static struct run r;

	(void)state;
	get(&r, x, "127.0.0.1", "/close");
	if (r.result != TRANSFER_OK)
		fail_msg("%s", r.why.text);
	assert_int_equal(r.status, 200);
	run_free(&r);
	fixture_free(x);
}

static void
a_certificate_of_another_name_is_refused(void **state)
{
	struct fixture *x = fixture_new(server.cert);
	static struct run r;

	(void)state;
	get(&r, x, "localhost", "/close");
	assert_int_equal(r.result, TRANSFER_TLS);
	run_free(&r);
	fixture_free(x);
}

/* Each on another handle of libcurl's, as the one before is not free yet. */
static void
a_closed_connection_leaves_its_session_to_the_next(void **state)
{
	struct fixture *x = fixture_new(server.cert);
	static struct run r[10];
	int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		get(&r[i], x, "127.0.0.1", "/close");
		assert_int_equal(r[i].result, TRANSFER_OK);
		assert_false(r[i].tm.reused);
		assert_non_null(strstr(r[i].body, i == 0 ? "new session" :
		    "resumed session"));
	}
	for (i = 0; i < 10; i++)
		run_free(&r[i]);
	fixture_free(x);
}

/* Nor has a request on a warm connection a handshake at all. */
static void
a_kept_connection_serves_many_requests(void **state)
{
	struct fixture *x = fixture_new(server.cert);
	static struct run r;
	int i, connection, nth, first = 0;

	(void)state;
	for (i = 1; i <= 20; i++) {
		get(&r, x, "127.0.0.1", "/");
		assert_int_equal(r.result, TRANSFER_OK);
		assert_int_equal(r.tm.reused, i > 1);
		assert_int_equal(sscanf(r.body, "connection %d, request %d",
		    &connection, &nth), 2);
		if (i == 1)
			first = connection;
		assert_int_equal(connection, first);
		assert_int_equal(nth, i);
		run_free(&r);
	}
	fixture_free(x);
}

static void
a_server_without_tls_is_refused(void **state)
{
	struct fixture *x = fixture_new("");
	static struct run r;

	(void)state;
	run_init(&r, x, "/");
	snprintf(r.url, sizeof(r.url), "https://127.0.0.1:%d/",
	    fake_port(x->f));
	r.p.connect_timeout_ms = 500;
	run_start(&r);
	run_end(&r);
	assert_true(r.result == TRANSFER_TLS || r.result == TRANSFER_CONNECT);
	run_free(&r);
	fixture_free(x);
}

static void
a_ca_file_that_cannot_be_read_is_named(void **state)
{
	struct upstream_params params = { .ca_file = "/nonexistent/ca.pem",
	    .connections_max = 16 };
	struct err err = { 0 };

	(void)state;
	assert_null(upstream_new(&params, &err));
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.text, "/nonexistent/ca.pem"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_issuer_is_refused),
		cmocka_unit_test(an_issuer_of_the_ca_file_is_trusted),
		cmocka_unit_test(a_certificate_of_another_name_is_refused),
		cmocka_unit_test(
		    a_closed_connection_leaves_its_session_to_the_next),
		cmocka_unit_test(a_kept_connection_serves_many_requests),
		cmocka_unit_test(a_server_without_tls_is_refused),
		cmocka_unit_test(a_ca_file_that_cannot_be_read_is_named),
	};

	if (!tls_server_can())
		return (77);
	return (cmocka_run_group_tests(tests, start_server, stop_server));
}
