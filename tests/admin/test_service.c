#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/request.h"
#include "ledger/id.h"

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
		.busy_timeout_ms = 1000,
		.settings = {
			.mount = "/m",
			.life = { .idle_ms = 3600000, .max_ms = 86400000 },
		},
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
	const struct service_body body = { .n = 0 };
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
	a->status = service_answer(s, &r, &body, ready, &err, &out);
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

	desk_works(d, tokens_create(d->st, &d->pepper,
	    &(struct token_spec) { "t", 0, 0, false }, token,
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

/* Thirty were served in the last minute; ten of them by the only account of
 * group 7: one bound to that waits for those alone, behind who is bound to
 * nothing. */
static void
bound_ones_wait_for_less(struct desk *d, struct service *s, const char *auth,
    int64_t now_ms)
{
	static const int64_t expected_ms[] = { 2000, 12000, 12000 };
	json_t *j, *list;
	struct answer a;
	size_t i;

	desk_sql(d, "UPDATE ledger SET account_id = 3, group_id = 7 WHERE "
	    "state = 1 AND id < %lld",
	    (long long)ledger_id_first(now_ms - 30000) + 10);
	desk_sql(d, "UPDATE ticket SET bind_kind = 'group', bind_id = 7 WHERE "
	    "ledger_id = 12");
	desk_sql(d, "UPDATE ticket SET bind_kind = 'account', bind_id = 3 "
	    "WHERE ledger_id = 13");
	ask(s, "GET", "/m/api/v1/queue/status", auth, &a);
	j = json_loads(a.body, 0, NULL);
	list = json_object_get(j, "requests");
	for (i = 0; i < NITEMS(expected_ms); i++)
		assert_int_equal(desk_int(json_array_get(list, i),
		    "expected_ms"), expected_ms[i]);
	json_decref(j);
}

static void
the_queue_is_told_in_its_order(void **state)
{
	struct desk *d = *state;
	struct service *s = service(d);
	/* Two of key 1 came first, then one of key 2, whose turn is before the
	 * second; one is granted already. */
	static const struct {
		int64_t ledger, key, place;
	} tickets[] = { { 11, 1, 1 }, { 12, 1, 3 }, { 13, 2, 2 } };
	char auth[TOKEN_SIZE + 8];
	json_t *j, *list;
	struct answer a;
	int64_t now_ms;
	size_t i;

	make_bearer(d, auth);
	now_ms = store_now_ms(d->st);
	for (i = 0; i < 3; i++)
		desk_sql(d, "INSERT INTO ticket (ledger_id, responder_id, "
		    "key_id, bind_kind, model, enqueued_ms, expires_ms) "
		    "VALUES (%lld, 1, %lld, 'pool', '%lld', %lld, %lld)",
		    (long long)tickets[i].ledger, (long long)tickets[i].key,
		    (long long)tickets[i].place,
		    (long long)now_ms - 5000, (long long)now_ms + 55000);
	desk_sql(d, "INSERT INTO ticket (ledger_id, responder_id, key_id, "
	    "bind_kind, model, enqueued_ms, expires_ms, granted_ms) "
	    "VALUES (5, 1, 1, 'pool', 'm', 1, 2, 3)");
	ask(s, "GET", "/m/api/v1/queue/status", auth, &a);
	assert_int_equal(a.status, 200);
	j = json_loads(a.body, 0, NULL);
	assert_non_null(j);
	assert_int_equal(desk_int(j, "waiting"), 3);
	list = json_object_get(j, "requests");
	assert_int_equal(json_array_size(list), 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(desk_int(json_array_get(list, i),
		    "position"), i + 1);
		assert_int_equal(json_string_value(json_object_get(
		    json_array_get(list, i), "model"))[0], '1' + (int)i);
	}
	assert_true(json_is_null(json_object_get(json_array_get(list, 0),
	    "expected_ms")));
	assert_in_range(desk_int(json_array_get(list, 0), "waited_ms"), 5000,
	    65000);
	json_decref(j);

	/* Thirty were served in the last minute: one in two seconds. */
	for (i = 0; i < 30; i++)
		desk_sql(d, "INSERT INTO ledger (id, state, fence, "
		    "responder_id, created_ms, key_id, kind, model, stream, "
		    "reserved_nusd, body_bytes, attempts, settled_ms) VALUES "
		    "(%lld, 1, 1, 1, %lld, 1, 'messages', 'm', 0, 0, 0, 1, "
		    "%lld)", (long long)(ledger_id_first(now_ms - 30000) +
		    (int64_t)i), (long long)now_ms - 30000,
		    (long long)now_ms - 20000);
	ask(s, "GET", "/m/api/v1/queue/status", auth, &a);
	j = json_loads(a.body, 0, NULL);
	list = json_object_get(j, "requests");
	assert_int_equal(desk_int(j, "served_last_minute"), 30);
	assert_int_equal(desk_int(json_array_get(list, 2), "expected_ms"),
	    6000);
	json_decref(j);
	bound_ones_wait_for_less(d, s, auth, now_ms);
	ask(s, "GET", "/m/api/v1/queue/status", "Bearer lh-adm-x", &a);
	assert_int_equal(a.status, 401);
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
		assert_error(&a, 40101);
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
	assert_error(&a, 40101);
	service_free(s);
}

static void
what_is_not_served_is_said_in_the_admin_shape(void **state)
{
	static const struct {
		const char *method, *uri;
		int code;
	} cases[] = {
		{ "GET", "/m/api/v1/nope", 40401 },
		{ "GET", "/m/", 40401 },
		{ "GET", "/elsewhere/api/v1/status", 40401 },
		{ "POST", "/m/v1/messages", 40401 },
		{ "POST", "/m/api/v1/status", 40501 },
		{ "DELETE", "/m/api/v1/status", 40501 },
		{ "GET", NULL, 40001 },
		{ "GET", "nope", 40001 },
	};
	struct desk *d = *state;
	struct service *s = service(d);
	struct answer a;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		ask(s, cases[i].method, cases[i].uri, NULL, &a);
		assert_error(&a, cases[i].code);
		if (cases[i].code == 40501)
			assert_non_null(strstr(a.text,
			    "allow: GET, HEAD\r\n"));
		if (strstr(cases[i].method, "POST") != NULL &&
		    cases[i].code == 40401)
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
	assert_error(&a, 50301);
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
	assert_error(&a, 50301);
	assert_int_equal(rename(away, d->key_path), 0);
	ask(s, "GET", "/m/api/v1/status", auth, &a);
	assert_int_equal(a.status, 200);
	service_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(a_token_opens_the_status),
		DESK_TEST(the_queue_is_told_in_its_order),
		DESK_TEST(head_gets_the_head_alone),
		DESK_TEST(without_a_good_token_nothing_is_told),
		DESK_TEST(a_revoked_token_is_refused_at_once),
		DESK_TEST(what_is_not_served_is_said_in_the_admin_shape),
		DESK_TEST(it_heals_when_the_database_comes_back),
		DESK_TEST(it_heals_when_the_master_key_comes_back),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
