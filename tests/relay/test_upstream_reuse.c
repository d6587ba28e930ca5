/*
 * What a warm pool saves: connections, and with them look-ups of names.  (TLS
 * sessions: test_upstream_tls.)
 */
#define _GNU_SOURCE	/* RTLD_NEXT */

#include "cmocka_all.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "upstream_run.h"

#define NAME	"upstream.test"

/* ---- a resolver that counts ---- */

/* libcurl calls it from threads of its own. */
static atomic_int lookups;

/*
 * Stands before the C library's, also for libcurl: a program's own functions
 * do.  Here NAME is this machine.
 */
int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (strcmp(node, NAME) != 0)
		return (real(node, service, hints, out));
	atomic_fetch_add(&lookups, 1);
	return (real("127.0.0.1", service, hints, out));
}

/* A GET by that name; the transfer is still there. */
static void
get_by_name(struct run *r, struct fixture *x, const char *path)
{

	run_init(r, x, path);
	snprintf(r->url, sizeof(r->url), "http://" NAME ":%d%s",
	    fake_port(x->f), path);
	run_start(r);
	run_end(r);
	if (r->result != TRANSFER_OK)
		fail_msg("%s: %s", path, r->why.text);
}

static void
a_kept_connection_needs_no_name(void **state)
{
	struct fixture *x = *state;
	struct run r;
	int i;

	atomic_store(&lookups, 0);
	for (i = 0; i < 20; i++) {
		get_by_name(&r, x, "/ok");
		assert_int_equal(r.tm.reused, i > 0);
		run_free(&r);
	}
	assert_int_equal(fake_connections(x->f), 1);
	assert_int_equal(atomic_load(&lookups), 1);
}

static void
a_name_is_looked_up_once_for_many_connections(void **state)
{
	struct fixture *x = *state;
	struct run r;
	int i;

	atomic_store(&lookups, 0);
	for (i = 0; i < 10; i++) {
		get_by_name(&r, x, "/until-close");
		assert_false(r.tm.reused);
		run_free(&r);
	}
	assert_int_equal(fake_connections(x->f), 10);
	assert_int_equal(atomic_load(&lookups), 1);
}

/* ---- which connection ---- */

/* ${n} requests at once; ${used} gets the numbers of their connections. */
static void
burst(struct fixture *x, int n, int *used)
{
	static struct run r[16];
	int i;

	fake_gather(x->f, n);
	for (i = 0; i < n; i++) {
		run_init(&r[i], x, "/which");
		run_start(&r[i]);
	}
	for (i = 0; i < n; i++) {
		run_end(&r[i]);
		assert_int_equal(r[i].result, TRANSFER_OK);
		used[i] = atoi(r[i].body);
		run_free(&r[i]);
	}
}

/* One bit for each connection that a burst of ${n} used. */
static unsigned
used_by(struct fixture *x, int n)
{
	unsigned set = 0;
	int i, used[16];

	burst(x, n, used);
	for (i = 0; i < n; i++)
		set |= 1U << used[i];
	assert_int_equal(__builtin_popcount(set), n);
	return (set);
}

static void
after_a_burst_single_requests_stay_on_one_connection(void **state)
{
	struct fixture *x = *state;
	int i, first, used;

	(void)used_by(x, 12);
	burst(x, 1, &first);
	for (i = 0; i < 30; i++) {
		burst(x, 1, &used);
		assert_int_equal(used, first);
	}
	assert_int_equal(fake_connections(x->f), 12);
}

/* The others stay idle, and so grow old: that is what hottest first is for. */
static void
k_at_a_time_keep_the_same_k_connections_busy(void **state)
{
	struct fixture *x = *state;
	unsigned hot, small;
	int i;

	(void)used_by(x, 12);
	hot = used_by(x, 4);
	for (i = 0; i < 10; i++) {
		assert_int_equal(used_by(x, 4), hot);

		/* Fewer find theirs among these. */
		small = used_by(x, 2);
		assert_int_equal(small & ~hot, 0);
	}
	assert_int_equal(fake_connections(x->f), 12);
}

/* The one in front is taken by an answer that is not read: the next one steps
 * in, and only as long as that lasts. */
static void
a_busy_connection_is_passed_over(void **state)
{
	struct fixture *x = *state;
	int first, meanwhile, i, used;
	struct run busy;

	(void)used_by(x, 3);
	burst(x, 1, &first);
	run_init(&busy, x, "/large");
	busy.refuse = true;
	run_start(&busy);
	run_until(x, &busy.refused);
	burst(x, 1, &meanwhile);
	assert_int_not_equal(meanwhile, first);
	busy.refuse = false;
	transfer_resume(busy.t);
	run_end(&busy);
	assert_int_equal(busy.result, TRANSFER_OK);
	run_free(&busy);
	for (i = 0; i < 5; i++) {
		burst(x, 1, &used);
		assert_int_equal(used, first);
	}
	assert_int_equal(fake_connections(x->f), 3);
}

int
main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, run_setup, \
	run_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_kept_connection_needs_no_name),
		TEST(a_name_is_looked_up_once_for_many_connections),
		TEST(after_a_burst_single_requests_stay_on_one_connection),
		TEST(k_at_a_time_keep_the_same_k_connections_busy),
		TEST(a_busy_connection_is_passed_over),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
