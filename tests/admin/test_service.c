#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/request.h"

#include "service.h"
#include "tokens.h"

/* One answer, split into what is looked at. */
struct answer {
	int status;
	char text[65536];		/* head and body */
	const char *body;
};

static struct service *
service(struct desk *d)
{
	const struct service_params params = {
		.store_url = d->url,
		.master_key_file = d->key_path,
		.mount = "/m",
		.busy_timeout_ms = 1000,
	};
	struct service *s = service_new(&params);

	assert_non_null(s);
	return (s);
}

static void
param(struct http_request *r, const char *name, const char *value)
{

	if (value != NULL)
		assert_int_equal(http_request_param(r, name, strlen(name),
		    value, strlen(value), NULL), 0);
}

static void
ask(struct service *s, const char *method, const char *uri, const char *auth,
    struct answer *a)
{
	struct err err = { .code = ERR_NONE };
	struct http_request r;
	struct buf out;
	int ready;

	http_request_init(&r);
	param(&r, "REQUEST_METHOD", method);
	param(&r, "REQUEST_URI", uri);
	param(&r, "HTTP_AUTHORIZATION", auth);
	ready = http_request_ready(&r, "/m", &err);
	buf_init(&out, SERVICE_ANSWER_BYTES);
	a->status = service_answer(s, &r, ready, &err, &out);
	assert_true(buf_len(&out) < sizeof(a->text));
	memcpy(a->text, buf_head(&out), buf_len(&out));
	a->text[buf_len(&out)] = '\0';
	a->body = strstr(a->text, "\r\n\r\n");
	assert_non_null(a->body);
	a->body += 4;
	buf_fini(&out);
	http_request_fini(&r);
}

/* The body is the admin error shape with this code. */
static void
assert_error(const struct answer *a, int code)
{
	json_t *j = json_loads(a->body, 0, NULL);

	if (j == NULL || !json_is_string(json_object_get(j, "error")) ||
	    json_integer_value(json_object_get(j, "code")) != code)
		fail_msg("not an error %d: %s", code, a->body);
	assert_int_equal(a->status, code / 100);
	json_decref(j);
}

static void
make_bearer(struct desk *d, char auth[TOKEN_SIZE + 8])
{
	char token[TOKEN_SIZE];

	desk_works(d, tokens_create(d->st, &d->pepper, "t", 0, token,
	    &d->err));
	(void)snprintf(auth, TOKEN_SIZE + 8, "Bearer %s", token);
}

static void
a_token_opens_the_status(void **state)
{
	struct desk *d = *state;
	struct service *s = service(d);
	char auth[TOKEN_SIZE + 8];
	struct answer a;
	json_t *j;

	desk_account(d, "one", 3);
	make_bearer(d, auth);
	ask(s, "GET", "/m/api/v1/status?x=1", auth, &a);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.text, "content-type: application/json\r\n"));
	j = json_loads(a.body, 0, NULL);
	assert_non_null(j);
	assert_int_equal(desk_int(j, "open_requests"), 0);
	assert_int_equal(desk_int(json_array_get(json_object_get(j,
	    "accounts"), 0), "concurrency"), 3);
	assert_null(strstr(a.body, "secret"));
	json_decref(j);

	/* The scheme's case does not matter. */
	auth[0] = 'b';
	ask(s, "GET", "/m/api/v1/status", auth, &a);
	assert_int_equal(a.status, 200);
	service_free(s);
}

static void
head_gets_the_head_alone(void **state)
{
	struct desk *d = *state;
	struct service *s = service(d);
	char auth[TOKEN_SIZE + 8];
	struct answer a;

	make_bearer(d, auth);
	ask(s, "HEAD", "/m/api/v1/status", auth, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "");
	assert_non_null(strstr(a.text, "content-length: "));
	ask(s, "HEAD", "/m/nope", auth, &a);
	assert_int_equal(a.status, 404);
	assert_string_equal(a.body, "");
	service_free(s);
}

static void
without_a_good_token_nothing_is_told(void **state)
{
	static const char *const wrong[] = {
		NULL, "", "Bearer", "Bearer ", "Bearer x", "Basic eDp5",
		"Bearer lh-adm-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"Bearer sk-lh-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	struct desk *d = *state;
	struct service *s = service(d);
	struct answer a;
	size_t i;

	for (i = 0; i < NITEMS(wrong); i++) {
		ask(s, "GET", "/m/api/v1/status", wrong[i], &a);
		assert_error(&a, 40100);
	}
	service_free(s);
}

static void
a_revoked_token_is_refused_at_once(void **state)
{
	struct desk *d = *state;
	struct service *s = service(d);
	char auth[TOKEN_SIZE + 8];
	struct answer a;

	make_bearer(d, auth);
	ask(s, "GET", "/m/api/v1/status", auth, &a);
	assert_int_equal(a.status, 200);
	desk_works(d, tokens_revoke(d->st, "t", &d->err));
	ask(s, "GET", "/m/api/v1/status", auth, &a);
	assert_error(&a, 40100);
	service_free(s);
}

static void
what_is_not_served_is_said_in_the_admin_shape(void **state)
{
	static const struct {
		const char *method, *uri;
		int code;
	} cases[] = {
		{ "GET", "/m/api/v1/nope", 40400 },
		{ "GET", "/m/", 40400 },
		{ "GET", "/elsewhere/api/v1/status", 40400 },
		{ "POST", "/m/v1/messages", 40400 },
		{ "POST", "/m/api/v1/status", 40500 },
		{ "DELETE", "/m/api/v1/status", 40500 },
		{ "GET", NULL, 40000 },
		{ "GET", "nope", 40000 },
	};
	struct desk *d = *state;
	struct service *s = service(d);
	struct answer a;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		ask(s, cases[i].method, cases[i].uri, NULL, &a);
		assert_error(&a, cases[i].code);
		if (cases[i].code == 40500)
			assert_non_null(strstr(a.text,
			    "allow: GET, HEAD\r\n"));
		if (strstr(cases[i].method, "POST") != NULL &&
		    cases[i].code == 40400)
			assert_non_null(strstr(a.body, "relay responder"));
	}
	service_free(s);
}

static void
it_heals_when_the_database_comes_back(void **state)
{
	struct desk *d = *state;
	struct service *s;
	char auth[TOKEN_SIZE + 8], away[160];
	struct answer a;

	if (raw_is_mysql())
		skip();		/* tests/e2e kill a server */
	s = service(d);
	make_bearer(d, auth);
	(void)snprintf(away, sizeof(away), "%s.away", d->db_path);
	assert_int_equal(rename(d->db_path, away), 0);
	ask(s, "GET", "/m/api/v1/status", auth, &a);
	assert_error(&a, 50300);
	assert_non_null(strstr(a.text, "retry-after: "));
	assert_int_equal(rename(away, d->db_path), 0);
	ask(s, "GET", "/m/api/v1/status", auth, &a);
	assert_int_equal(a.status, 200);
	service_free(s);
}

static void
it_heals_when_the_master_key_comes_back(void **state)
{
	struct desk *d = *state;
	struct service *s = service(d);
	char auth[TOKEN_SIZE + 8], away[160];
	struct answer a;

	make_bearer(d, auth);
	(void)snprintf(away, sizeof(away), "%s.away", d->key_path);
	assert_int_equal(rename(d->key_path, away), 0);
	desk_works(d, seal_create_file(d->key_path, &d->err));
	ask(s, "GET", "/m/api/v1/status", auth, &a);
	assert_error(&a, 50300);
	assert_int_equal(rename(away, d->key_path), 0);
	ask(s, "GET", "/m/api/v1/status", auth, &a);
	assert_int_equal(a.status, 200);
	service_free(s);
}

#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, desk_setup, \
    desk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(a_token_opens_the_status),
		DESK_TEST(head_gets_the_head_alone),
		DESK_TEST(without_a_good_token_nothing_is_told),
		DESK_TEST(a_revoked_token_is_refused_at_once),
		DESK_TEST(what_is_not_served_is_said_in_the_admin_shape),
		DESK_TEST(it_heals_when_the_database_comes_back),
		DESK_TEST(it_heals_when_the_master_key_comes_back),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
