#include "visit.h"

#include <fastcgi.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ledger/rollup.h"

#include "events.h"
#include "gate.h"
#include "tokens.h"

/* How long a test waits for what should come at once, and for what should not
 * come at all, ms. */
#define PATIENCE_MS	10000
#define QUIET_MS	150

static const struct sign_in_life life = { 3600000, 86400000 };

/* A web server's end of a connection. */
struct ear {
	int fd;
	char raw[262144];	/* records as they came */
	size_t n;
	char text[262144];	/* what of them is the answer */
	bool ended;		/* END_REQUEST came */
	bool closed;
};

struct hall {
	struct desk *desk;
	struct events *events;
	struct visit visit;
	struct who who;
	struct ear ears[3];
};

static int
setup(void **state)
{
	struct hall *h = calloc(1, sizeof(*h));
	void *desk;

	assert_non_null(h);
	assert_int_equal(desk_setup(&desk), 0);
	h->desk = desk;
	visit_init(&h->visit, h->desk);
	visit_join(&h->visit, h->desk, "operator", "olga");
	assert_int_equal(sign_in_find(h->desk->st, &h->desk->pepper, &life,
	    h->visit.cookie, &h->who, NULL), 1);
	*state = h;
	return (0);
}

static int
teardown(void **state)
{
	struct hall *h = *state;
	void *desk = h->desk;
	size_t i;

	events_stop(h->events);
	for (i = 0; i < NITEMS(h->ears); i++) {
		if (h->ears[i].fd > 0)
			(void)close(h->ears[i].fd);
	}
	visit_fini(&h->visit);
	assert_int_equal(desk_teardown(&desk), 0);
	free(h);
	return (0);
}

/* As quick as tests like it; what ${params} sets stays. */
static void
start(struct hall *h, struct events_params params)
{

	params.store_url = params.store_url != NULL ? params.store_url :
	    h->desk->url;
	params.busy_timeout_ms = 1000;
	params.life = life;
	params.state_ms = 10;
	params.check_ms = params.check_ms != 0 ? params.check_ms : 60000;
	params.ping_ms = params.ping_ms != 0 ? params.ping_ms : 60000;
	h->events = events_start(&params, &h->desk->err);
	assert_non_null(h->events);
}

/* Ear ${i} listens as ${who}. */
static struct ear *
listen_as(struct hall *h, size_t i, const struct who *who)
{
	int ends[2];

	assert_true(events_reserve(h->events, who));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	h->ears[i] = (struct ear) { .fd = ends[0] };
	events_take(h->events, ends[1], (uint16_t)(i + 1), who);
	return (&h->ears[i]);
}

/* Take records apart, which are whole or will be. */
static void
unwrap(struct ear *e, uint16_t id)
{
	const unsigned char *p = (const unsigned char *)e->raw;
	size_t at, len, n = 0;

	for (at = 0; at + 8 <= e->n; at += 8 + len) {
		assert_int_equal(p[at], FCGI_VERSION_1);
		assert_int_equal(p[at + 2] << 8 | p[at + 3], id);
		len = (size_t)p[at + 4] << 8 | p[at + 5];
		if (at + 8 + len > e->n)
			break;
		if (p[at + 1] == FCGI_END_REQUEST) {
			e->ended = true;
			continue;
		}
		assert_int_equal(p[at + 1], FCGI_STDOUT);
		memcpy(e->text + n, p + at + 8, len);
		n += len;
	}
	e->text[n] = '\0';
}

/* What comes within ${ms}; false: nothing. */
static bool
hear(struct hall *h, struct ear *e, int ms)
{
	struct pollfd p = { .fd = e->fd, .events = POLLIN };
	ssize_t n;

	if (e->closed || poll(&p, 1, ms) != 1)
		return (false);
	n = read(e->fd, e->raw + e->n, sizeof(e->raw) - e->n - 1);
	e->closed = n <= 0;
	e->n += n > 0 ? (size_t)n : 0;
	unwrap(e, (uint16_t)(e - h->ears + 1));
	return (true);
}

static void
wait_for(struct hall *h, struct ear *e, const char *text)
{

	while (strstr(e->text, text) == NULL) {
		if (!hear(h, e, PATIENCE_MS))
			fail_msg("\"%s\" did not come, but %s", text,
			    e->text);
	}
}

static void
wait_for_close(struct hall *h, struct ear *e)
{

	while (!e->closed) {
		if (!hear(h, e, PATIENCE_MS))
			fail_msg("it does not end: %s", e->text);
	}
}

static int
count(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return (n);
}

/* The last state that was told. */
static json_t *
told(const struct ear *e)
{
	static const char start[] = "event: status\ndata: ";
	const char *p, *last = NULL;
	json_t *j;

	for (p = e->text; (p = strstr(p, start)) != NULL; p++)
		last = p + sizeof(start) - 1;
	assert_non_null(last);
	j = json_loadb(last, strcspn(last, "\n"), 0, NULL);
	assert_non_null(j);
	return (j);
}

static void
who_comes_is_told_the_state_and_each_change(void **state)
{
	struct hall *h = *state;
	const json_t *account;
	struct ear *e;
	json_t *j;

	desk_account(h->desk, "first", 3);
	start(h, (struct events_params) { .log = NULL });
	e = listen_as(h, 0, &h->who);
	wait_for(h, e, "}\n\n");
	assert_int_equal(strncmp(e->text, "retry: ", 7), 0);
	j = told(e);
	assert_true(desk_int(j, "now_ms") > 0);
	assert_int_equal(desk_int(j, "open_requests"), 0);
	assert_int_equal(desk_int(json_object_get(j, "queue"), "waiting"), 0);
	assert_int_equal(desk_int(json_object_get(j, "totals"), "requests"),
	    0);
	account = json_array_get(json_object_get(j, "accounts"), 0);
	assert_int_equal(desk_int(account, "concurrency"), 3);
	assert_int_equal(desk_int(account, "leases"), 0);
	assert_string_equal(json_string_value(json_object_get(account,
	    "state")), "closed");
	json_decref(j);

	/* As long as all is as it was, nothing comes. */
	assert_false(hear(h, e, QUIET_MS));
	desk_sql(h->desk, "UPDATE account SET enabled = 0");
	wait_for(h, e, "\"state\":\"disabled\"");
	assert_int_equal(count(e->text, "event: status"), 2);

	/* Another is told at once what is. */
	wait_for(h, listen_as(h, 1, &h->who), "\"state\":\"disabled\"");
	assert_false(hear(h, e, QUIET_MS));
}

static void
use(struct desk *d, int64_t start_ms)
{

	desk_sql(d, "INSERT INTO usage_hour (start_ms, key_id, account_id, "
	    "group_id, person_id, model, requests, errors, unpriced, "
	    "cost_nusd, input_tokens, output_tokens, cache_read_tokens, "
	    "cache_write_5m_tokens, cache_write_1h_tokens, web_searches, "
	    "queue_ms, first_byte_ms, total_ms, marked_exact, "
	    "marked_partial, marked_estimated, overruns, overrun_nusd, "
	    "first_500ms, first_1s, first_2s, first_5s, first_15s, "
	    "first_later) VALUES (%lld, 1, 1, 0, 0, 'm', 7, 1, 0, 1000, 1, "
	    "2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
	    (long long)start_ms);
}

static void
totals_are_of_the_last_24_hours(void **state)
{
	struct hall *h = *state;
	int64_t hour_ms = store_now_ms(h->desk->st);
	const json_t *totals;
	struct ear *e;
	json_t *j;

	hour_ms -= hour_ms % ROLLUP_HOUR_MS;
	use(h->desk, hour_ms - 25 * ROLLUP_HOUR_MS);
	use(h->desk, hour_ms - 3 * ROLLUP_HOUR_MS);
	start(h, (struct events_params) { .log = NULL });
	e = listen_as(h, 0, &h->who);
	wait_for(h, e, "\"requests\":7,");
	use(h->desk, hour_ms);
	wait_for(h, e, "\"requests\":14,");
	j = told(e);
	totals = json_object_get(j, "totals");
	assert_int_equal(desk_int(totals, "errors"), 2);
	assert_int_equal(desk_int(totals, "cost_nusd"), 2000);
	assert_int_equal(desk_int(totals, "cache_write_1h_tokens"), 10);
	assert_int_equal(desk_int(totals, "tokens"), 30);
	json_decref(j);
}

static void
pings_come_while_nothing_changes(void **state)
{
	struct hall *h = *state;
	struct ear *e;

	start(h, (struct events_params) { .ping_ms = 30 });
	e = listen_as(h, 0, &h->who);
	while (count(e->text, ": ping\n\n") < 3)
		assert_true(hear(h, e, PATIENCE_MS));
	assert_int_equal(count(e->text, "event: status"), 1);
}

static void
who_is_signed_out_is_told_so(void **state)
{
	static const char *const ends[] = {
		"DELETE FROM sign_in",
		"UPDATE sign_in SET expires_ms = 1",
		"UPDATE sign_in SET seen_ms = 1",
		"UPDATE person SET enabled = 0",
		"UPDATE person SET role = 'user'",
	};
	struct hall *h = *state;
	struct ear *e;
	char name[16];
	size_t i;

	start(h, (struct events_params) { .check_ms = 20 });
	for (i = 0; i < NITEMS(ends); i++) {
		(void)snprintf(name, sizeof(name), "olaf-%zu", i);
		visit_join(&h->visit, h->desk, "operator", name);
		assert_int_equal(sign_in_find(h->desk->st, &h->desk->pepper,
		    &life, h->visit.cookie, &h->who, NULL), 1);
		e = listen_as(h, 0, &h->who);
		wait_for(h, e, "event: status");
		assert_false(hear(h, e, QUIET_MS));
		desk_sql(h->desk, "%s", ends[i]);
		wait_for_close(h, e);
		wait_for(h, e, "event: end\ndata: ");
		assert_true(e->ended);
		(void)close(e->fd);
		e->fd = 0;
	}
}

static void
a_token_that_is_revoked_listens_no_more(void **state)
{
	struct hall *h = *state;
	char token[TOKEN_SIZE];
	struct who who;
	struct ear *own, *all;

	desk_works(h->desk, tokens_create(h->desk->st, &h->desk->pepper,
	    &(struct token_spec) { "mine", 0, h->who.person_id, true }, token,
	    &h->desk->err));
	assert_int_equal(tokens_find(h->desk->st, &h->desk->pepper, token,
	    &who, NULL), 1);
	start(h, (struct events_params) { .check_ms = 20 });
	own = listen_as(h, 0, &who);
	desk_works(h->desk, tokens_create(h->desk->st, &h->desk->pepper,
	    &(struct token_spec) { "all", 0, 0, false }, token,
	    &h->desk->err));
	assert_int_equal(tokens_find(h->desk->st, &h->desk->pepper, token,
	    &who, NULL), 1);
	all = listen_as(h, 1, &who);
	wait_for(h, own, "event: status");
	wait_for(h, all, "event: status");
	desk_works(h->desk, tokens_revoke(h->desk->st, "mine",
	    &h->desk->err));
	wait_for_close(h, own);
	assert_true(own->ended);
	assert_false(hear(h, all, QUIET_MS));
	desk_works(h->desk, tokens_revoke(h->desk->st, "all",
	    &h->desk->err));
	wait_for_close(h, all);
	assert_true(all->ended);
}

/* That one listens is no use of the sign-in. */
static void
an_id_that_comes_again_is_anothers(void **state)
{
	struct hall *h = *state;
	struct who who = h->who;

	assert_int_equal(gate_still_open(h->desk->st, &life, &who, NULL), 1);
	assert_int_equal(who.role, ROLE_OPERATOR);
	who.person_id++;
	assert_int_equal(gate_still_open(h->desk->st, &life, &who, NULL), 0);
	assert_int_equal(who.role, ROLE_NONE);
}

static void
a_place_is_free_when_its_listener_left(void **state)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct hall *h = *state;
	bool again = false;
	int i;

	start(h, (struct events_params) { .max = 2 });
	(void)listen_as(h, 0, &h->who);
	wait_for(h, listen_as(h, 1, &h->who), "event: status");
	assert_false(events_reserve(h->events, &h->who));
	assert_false(events_reserve(h->events, &h->who));
	(void)close(h->ears[0].fd);
	h->ears[0].fd = 0;
	for (i = 0; i < PATIENCE_MS / 2 && !again; i++) {
		again = events_reserve(h->events, &h->who);
		(void)nanosleep(&pause, NULL);
	}
	assert_true(again);
	assert_false(events_reserve(h->events, &h->who));
}

/* By whatever cookies and tokens one comes; others have places then. */
static void
one_person_takes_not_all_places(void **state)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct hall *h = *state;
	struct who again = h->who, other = h->who;
	struct who token = { .role = ROLE_ADMIN, .token_id = 7 };
	bool free_again = false;
	int i;

	again.sign_in_id += 100;
	other.person_id += 100;
	start(h, (struct events_params) { .max = 6, .max_each = 2 });
	(void)listen_as(h, 0, &h->who);
	wait_for(h, listen_as(h, 1, &again), "event: status");
	assert_false(events_reserve(h->events, &h->who));
	assert_false(events_reserve(h->events, &again));
	for (i = 0; i < 2; i++) {
		assert_true(events_reserve(h->events, &other));
		assert_true(events_reserve(h->events, &token));
	}
	assert_false(events_reserve(h->events, &other));
	token.token_id++;
	assert_false(events_reserve(h->events, &token));
	events_release(h->events, &other);
	assert_true(events_reserve(h->events, &token));

	(void)close(h->ears[0].fd);
	h->ears[0].fd = 0;
	for (i = 0; i < PATIENCE_MS / 2 && !free_again; i++) {
		free_again = events_reserve(h->events, &again);
		(void)nanosleep(&pause, NULL);
	}
	assert_true(free_again);
	assert_false(events_reserve(h->events, &h->who));
}

/* One reads nothing; the state is large enough to fill the socket soon. */
static void
who_takes_nothing_holds_up_nobody(void **state)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	struct hall *h = *state;
	struct ear *deaf, *e;
	char name[64];
	int i;

	for (i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "account-%d", i);
		desk_account(h->desk, name, 1);
	}
	start(h, (struct events_params) { .slow_ms = 300 });
	deaf = listen_as(h, 0, &h->who);
	for (i = 1; i < 60; i++) {
		e = listen_as(h, 1, &h->who);
		desk_sql(h->desk, "UPDATE account SET concurrency = %d", i);
		(void)snprintf(name, sizeof(name), "\"concurrency\":%d,", i);
		wait_for(h, e, name);
		(void)close(e->fd);
		(void)nanosleep(&pause, NULL);
	}
	h->ears[1].fd = 0;
	while (hear(h, deaf, PATIENCE_MS))
		continue;
	assert_true(deaf->closed);
	assert_false(deaf->ended);
}

static void
draining_ends_all(void **state)
{
	struct hall *h = *state;
	struct ear *a, *b, *late;
	int ends[2];

	start(h, (struct events_params) { .log = NULL });
	a = listen_as(h, 0, &h->who);
	b = listen_as(h, 1, &h->who);
	wait_for(h, a, "event: status");
	wait_for(h, b, "event: status");

	/* One was let in before, and comes after. */
	assert_true(events_reserve(h->events, &h->who));
	events_drain(h->events);
	assert_false(events_reserve(h->events, &h->who));
	wait_for_close(h, a);
	wait_for_close(h, b);
	assert_true(a->ended && b->ended);
	assert_null(strstr(a->text, "event: end"));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	late = &h->ears[2];
	late->fd = ends[0];
	events_take(h->events, ends[1], 3, &h->who);
	wait_for_close(h, late);
	assert_true(late->ended);
}

static void
without_the_database_they_go_on_listening(void **state)
{
	struct hall *h = *state;
	struct ear *e;

	start(h, (struct events_params) {
		.store_url = "sqlite:/nonexistent/leasehold.db",
		.ping_ms = 30,
		.check_ms = 20,
	});
	e = listen_as(h, 0, &h->who);
	while (count(e->text, ": ping\n\n") < 3)
		assert_true(hear(h, e, PATIENCE_MS));
	assert_false(e->ended);
	assert_null(strstr(e->text, "event:"));
}

static void
the_route_needs_the_thread_and_an_operator(void **state)
{
	struct hall *h = *state;
	struct visit *v = &h->visit;

	visit_expect(v, 40401, "GET", "/events", NULL);
	visit_join(v, h->desk, "user", "uwe");
	visit_expect(v, 40301, "GET", "/events", NULL);
	v->cookie[0] = '\0';
	visit_expect(v, 40101, "GET", "/events", NULL);
}

#define HALL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HALL_TEST(who_comes_is_told_the_state_and_each_change),
		HALL_TEST(totals_are_of_the_last_24_hours),
		HALL_TEST(pings_come_while_nothing_changes),
		HALL_TEST(who_is_signed_out_is_told_so),
		HALL_TEST(a_token_that_is_revoked_listens_no_more),
		HALL_TEST(an_id_that_comes_again_is_anothers),
		HALL_TEST(a_place_is_free_when_its_listener_left),
		HALL_TEST(one_person_takes_not_all_places),
		HALL_TEST(who_takes_nothing_holds_up_nobody),
		HALL_TEST(draining_ends_all),
		HALL_TEST(without_the_database_they_go_on_listening),
		HALL_TEST(the_route_needs_the_thread_and_an_operator),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
