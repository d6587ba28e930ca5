#include "config.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/err.h"
#include "metrics/slots.h"
#include "metrics/slots_internal.h"

#define CHILDREN	8
#define KEY(n)	metric_series(METRIC_REQUESTS, (n) >> 8, (n) & 0xff, \
		    0, 0)

static char dir[] = "/tmp/test_slots.XXXXXX";
static char path[64];

static int
new_file(void **state)
{

	(void)state;
	(void)unlink(path);
	return (0);
}

static struct slots *
must_open(void)
{
	struct err err = { 0 };
	struct slots *s = slots_open(path, &err);

	if (s == NULL)
		fail_msg("%s", err.text);
	return (s);
}

static struct slot *
must_claim(struct slots *s, enum slot_kind kind)
{
	struct err err = { 0 };
	struct slot *slot = slots_claim(s, kind, &err);

	if (slot == NULL)
		fail_msg("%s", err.text);
	return (slot);
}

static uint64_t
sum_of(struct slots *s, uint64_t key)
{
	struct err err = { 0 };
	struct slot_sums sums;
	uint64_t v = 0;
	size_t i;

	if (slots_read(s, &sums, &err) != 0)
		fail_msg("%s", err.text);
	for (i = 0; i < sums.ncells; i++) {
		if (i > 0)
			assert_true(sums.cells[i - 1].key < sums.cells[i].key);
		if (sums.cells[i].key == key)
			v = sums.cells[i].value;
	}
	slot_sums_fini(&sums);
	return (v);
}

/* As another process sees it. */
static uint64_t
sum_now(uint64_t key)
{
	struct slots *s = must_open();
	uint64_t v = sum_of(s, key);

	slots_close(s);
	return (v);
}

/* ---- processes ---- */

/* What children have counted, as they say themselves. */
static _Atomic uint64_t *counted;

static void
wait_for(_Atomic uint64_t *v, uint64_t least)
{

	while (atomic_load(v) < least)
		(void)usleep(200);
}

/* Count till the end comes, each time telling afterwards. */
static void
count_for_ever(_Atomic uint64_t *mine)
{
	struct slots *s = slots_open(path, NULL);
	struct slot *slot = s == NULL ? NULL : slots_claim(s, SLOT_RELAY,
	    NULL);

	if (slot == NULL)
		_exit(1);
	for (;;) {
		slot_add(slot, KEY(1), 1);
		atomic_fetch_add(mine, 1);
	}
}

static pid_t
start_counting(_Atomic uint64_t *mine)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		count_for_ever(mine);
	return (pid);
}

static void
kill_it(pid_t pid)
{

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
processes_that_are_killed_lose_no_count(void **state)
{
	struct slots *s = must_open();
	uint64_t told = 0, before = 0, now;
	pid_t pids[CHILDREN];
	int round, i;

	(void)state;
	for (i = 0; i < CHILDREN; i++)
		atomic_store(&counted[i], 0);
	for (round = 0; round < 5; round++) {
		for (i = 0; i < CHILDREN; i++)
			pids[i] = start_counting(&counted[i]);
		for (i = 0; i < CHILDREN; i++) {
			wait_for(&counted[i], 1000U * (unsigned)(round + 1));
			kill_it(pids[i]);
			now = sum_of(s, KEY(1));
			assert_true(now >= before);
			before = now;
		}
	}
	for (i = 0; i < CHILDREN; i++)
		told += atomic_load(&counted[i]);

	/* Each may have been killed between counting and telling. */
	assert_in_range(before, told, told + 5 * CHILDREN);
	assert_int_equal(sum_now(KEY(1)), before);
	slots_close(s);
}

/* Read, which folds what the dead have left, till the end comes. */
static void
read_for_ever(_Atomic uint64_t *mine)
{
	struct slots *s = slots_open(path, NULL);
	struct slot_sums sums;

	for (;;) {
		if (s == NULL || slots_read(s, &sums, NULL) != 0)
			_exit(1);
		slot_sums_fini(&sums);
		atomic_fetch_add(mine, 1);
	}
}

/* Leave a slot with 100 series of 1000 each to be folded. */
static void
count_and_leave(void)
{
	struct slots *s = must_open();
	struct slot *slot = must_claim(s, SLOT_RELAY);
	unsigned int i;

	for (i = 0; i < 100; i++)
		slot_add(slot, KEY(1000 + i), 1000);
	slots_close(s);
}

static void
whoever_folds_may_be_killed(void **state)
{
	uint64_t seen;
	pid_t pid;
	int i;

	(void)state;
	for (i = 1; i <= 60; i++) {
		atomic_store(&counted[0], 0);
		count_and_leave();
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0)
			read_for_ever(&counted[0]);
		if (i % 2 == 0)
			wait_for(&counted[0], 1);
		(void)usleep((useconds_t)(i * 37 % 400));
		kill_it(pid);
		seen = sum_now(KEY(1042));
		assert_int_equal(seen, 1000 * i);
	}
}

static void
a_table_that_was_left_half_made_does_not_count(void **state)
{
	struct slots *s;
	uint32_t other;

	(void)state;
	count_and_leave();
	s = must_open();
	assert_int_equal(sum_of(s, KEY(1001)), 1000);
	other = !(atomic_load(&s->file->head.retired) & 1);
	memset(&s->file->retired[other], 0x5a, sizeof(s->file->retired[0]));
	count_and_leave();
	assert_int_equal(sum_of(s, KEY(1001)), 2000);
	slots_close(s);
}

static void
slots_of_one_life_are_of_the_next(void **state)
{
	struct slots *a = must_open(), *b = must_open();
	struct slot *x = must_claim(a, SLOT_RELAY), *y;

	(void)state;
	slot_add(x, KEY(1), 3);
	slots_close(a);
	y = must_claim(b, SLOT_RELAY);
	assert_ptr_equal(y->entry, &b->file->entries[0]);
	assert_int_equal(atomic_load(&y->entry->life), 2);
	assert_int_equal(sum_of(b, KEY(1)), 3);
	slot_add(y, KEY(1), 4);
	assert_int_equal(sum_of(b, KEY(1)), 7);
	slots_close(b);
	assert_int_equal(sum_now(KEY(1)), 7);
}

/* ---- bounds ---- */

static void
full_slots_are_refused_and_come_back(void **state)
{
	struct slots *s = must_open();
	struct err err = { 0 };
	struct slot_sums sums;
	int i;

	(void)state;
	for (i = 0; i < SLOTS_MAX; i++)
		slot_add(must_claim(s, SLOT_RELAY), KEY(1), 1);
	assert_null(slots_claim(s, SLOT_RELAY, &err));
	assert_int_equal(err.code, ERR_RANGE);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(slots_read(s, &sums, NULL), 0);
	assert_int_equal(sums.free, 0);
	assert_int_equal(sums.nlives, SLOTS_MAX);
	slot_sums_fini(&sums);
	slots_close(s);
	s = must_open();
	(void)must_claim(s, SLOT_RELAY);
	assert_int_equal(sum_of(s, KEY(1)), SLOTS_MAX);
	slots_close(s);
}

static void
series_beyond_a_slots_room_are_counted_as_dropped(void **state)
{
	struct slots *s = must_open();
	struct slot *slot = must_claim(s, SLOT_RELAY);
	const uint64_t dropped = metric_series(METRIC_DROPPED, 0, 0, 0, 0);
	unsigned int i;

	(void)state;
	for (i = 0; i < SLOT_CELLS + 7; i++)
		slot_add(slot, KEY(i), 1);
	slot_add(slot, KEY(5), 1);
	assert_int_equal(sum_of(s, KEY(5)), 2);
	assert_int_equal(sum_of(s, KEY(SLOT_CELLS - 1)), 1);
	assert_int_equal(sum_of(s, KEY(SLOT_CELLS)), 0);
	assert_int_equal(sum_of(s, dropped), 7);
	slots_close(s);
	assert_int_equal(sum_now(dropped), 7);
}

/* What finds no room among the retired stays where it is, and counts. */
static void
retired_that_are_full_keep_the_slots_of_the_dead(void **state)
{
	const unsigned int lives = RETIRED_CELLS / SLOT_CELLS + 2;
	struct slots *s;
	struct slot *slot;
	unsigned int i, j;

	(void)state;
	for (i = 0; i < lives; i++) {
		s = must_open();
		slot = must_claim(s, SLOT_RELAY);
		for (j = 0; j < SLOT_CELLS; j++)
			slot_add(slot, KEY(i * SLOT_CELLS + j), 1);
		slots_close(s);
	}
	for (i = 0; i < lives; i++)
		assert_int_equal(sum_now(KEY(i * SLOT_CELLS + 9)), 1);
}

/* ---- the file ---- */

static void
spoil_magic(struct slots_head *h)
{

	h->magic++;
}

static void
spoil_layout(struct slots_head *h)
{

	h->layout++;
}

static void
spoil_print(struct slots_head *h)
{

	h->print++;
}

static void
spoil_boot(struct slots_head *h)
{

	h->boot[3] ^= 1;
}

static void
a_file_of_another_kind_is_replaced(void **state)
{
	void (*const spoils[])(struct slots_head *) = {
		spoil_magic, spoil_layout, spoil_print, spoil_boot
	};
	struct slots *old, *s;
	struct slot *slot;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(spoils); i++) {
		old = must_open();
		slot = must_claim(old, SLOT_RELAY);
		slot_add(slot, KEY(1), 5);
		spoils[i](&old->file->head);
		s = must_open();
		assert_int_equal(sum_of(s, KEY(1)), 0);

		/* Who has the old one goes on, unseen. */
		slot_add(slot, KEY(1), 5);
		assert_int_equal(sum_of(old, KEY(1)), 10);
		slot_add(must_claim(s, SLOT_RELAY), KEY(1), 1);
		assert_int_equal(sum_now(KEY(1)), 1);
		slots_close(old);
		slots_close(s);
		(void)unlink(path);
	}
}

static void
a_file_of_another_size_is_replaced(void **state)
{
	static const char *const texts[] = { "x", "no file of ours\n" };
	struct slots *s;
	size_t i;
	FILE *f;

	(void)state;
	for (i = 0; i < NITEMS(texts); i++) {
		assert_non_null(f = fopen(path, "w"));
		assert_int_equal(fputs(texts[i], f) >= 0, 1);
		assert_int_equal(fclose(f), 0);
		s = must_open();
		slot_add(must_claim(s, SLOT_RELAY), KEY(1), 1);
		assert_int_equal(sum_now(KEY(1)), 1);
		slots_close(s);
	}
}

static void
what_cannot_be_opened_says_why(void **state)
{
	char target[80];
	struct err err = { 0 };

	(void)state;
	assert_null(slots_open("/nonexistent/metrics", &err));
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.text, "/nonexistent/metrics"));

	/* Nor is what a link leads to. */
	(void)snprintf(target, sizeof(target), "%s.target", path);
	assert_int_equal(symlink(target, path), 0);
	err_clear(&err);
	assert_null(slots_open(path, &err));
	assert_int_equal(access(target, F_OK), -1);
}

static void
a_lock_that_is_kept_is_not_waited_for_for_ever(void **state)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_len = 1 };
	struct slots *s = must_open(), *holder = must_open();
	struct slot_sums sums;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(fcntl(holder->fd, F_OFD_SETLK, &fl), 0);
	assert_int_equal(slots_read(s, &sums, &err), -1);
	slot_sums_fini(&sums);
	assert_non_null(strstr(err.text, path));
	fl.l_type = F_UNLCK;
	assert_int_equal(fcntl(holder->fd, F_OFD_SETLK, &fl), 0);
	assert_int_equal(sum_of(s, KEY(1)), 0);
	slots_close(holder);
	slots_close(s);
}

static void
each_allocation_may_fail(void **state)
{
	struct slot_sums sums;
	struct slots *s;
	struct slot *slot;
	int n, failed = 1;

	(void)state;
	for (n = 0; failed; n++) {
		count_and_leave();
		alloc_fail_after(n);
		s = slots_open(path, NULL);
		slot = s == NULL ? NULL : slots_claim(s, SLOT_RELAY, NULL);
		if (slot != NULL) {
			slot_add(slot, KEY(1001), 1);
			if (slots_read(s, &sums, NULL) == 0)
				assert_true(sums.ncells >= 100);
			slot_sums_fini(&sums);
		}
		slots_close(s);
		failed = alloc_fail_stop();
	}
	assert_true(n > 4);
	assert_in_range(sum_now(KEY(1001)), 1000 * (uint64_t)n,
	    1000 * (uint64_t)n + (uint64_t)n);
}

/* ---- values ---- */

static void
gauges_and_lives_are_those_of_who_runs(void **state)
{
	struct slots *s = must_open();
	struct slot *slot = must_claim(s, SLOT_RELAY);
	struct slot_sums sums;

	(void)state;
	(void)must_claim(s, SLOT_OTHER);
	slot_set(slot, SLOT_REQUESTS, 4);
	slot_set(slot, SLOT_CONNECTIONS, 9);
	slot_set(slot, SLOT_REQUESTS, 3);
	assert_int_equal(slots_read(s, &sums, NULL), 0);
	assert_int_equal(sums.nlives, 1);
	assert_int_equal(sums.lives[0].kind, SLOT_RELAY);
	assert_int_equal(sums.lives[0].pid, getpid());
	assert_int_equal(sums.lives[0].gauges[SLOT_REQUESTS], 3);
	assert_int_equal(sums.lives[0].gauges[SLOT_CONNECTIONS], 9);
	assert_int_equal(sums.free, SLOTS_MAX - 2);
	slot_sums_fini(&sums);
	slots_close(s);
	s = must_open();
	assert_int_equal(slots_read(s, &sums, NULL), 0);
	assert_int_equal(sums.nlives, 0);
	slot_sums_fini(&sums);
	slots_close(s);
}

static void
a_histogram_has_its_buckets_and_its_sum(void **state)
{
	const uint64_t key = metric_series(METRIC_BATCH, 0, 0, 0, 0);
	struct slots *s = must_open();
	struct slot *slot = must_claim(s, SLOT_RELAY);

	(void)state;
	slot_observe(slot, key, 1);	/* of the bucket up to 1 */
	slot_observe(slot, key, 2);
	slot_observe(slot, key, 3);	/* up to 4 */
	slot_observe(slot, key, 513);	/* beyond the last bound */
	slot_observe(slot, key, -1);	/* is no value */
	assert_int_equal(sum_of(s, key | 0), 1);
	assert_int_equal(sum_of(s, key | 1), 1);
	assert_int_equal(sum_of(s, key | 2), 1);
	assert_int_equal(sum_of(s, key | 10), 1);
	assert_int_equal(sum_of(s, key | METRIC_SUM), 519);
	slots_close(s);
}

static void
nobody_counts_without_a_slot(void **state)
{

	(void)state;
	slot_add(NULL, KEY(1), 1);
	slot_observe(NULL, metric_series(METRIC_BATCH, 0, 0, 0, 0), 1);
	slot_set(NULL, SLOT_REQUESTS, 1);
}

/* ---- threads ---- */

#define TORN	(UINT64_C(1) << 32 | 1)

struct writer {
	struct slot *slot;
	atomic_bool stop;
	uint64_t n;
};

static void *
write_halves(void *arg)
{
	struct writer *w = arg;
	unsigned int i;

	while (!atomic_load(&w->stop)) {
		slot_add(w->slot, KEY(1), (int64_t)TORN);
		for (i = 0; i < 10; i++)
			slot_add(w->slot, KEY(2 + (w->n + i) % 500), 1);
		w->n++;
	}
	return (NULL);
}

/* Both halves of a value are always of one moment, and no cell is seen that is
 * not whole. */
static void
a_reader_beside_writers_sees_whole_values(void **state)
{
	struct slots *s = must_open(), *reader = must_open();
	struct writer w[2] = { { .n = 0 }, { .n = 0 } };
	uint64_t v, before = 0;
	pthread_t tids[2];
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		w[i].slot = must_claim(s, SLOT_OTHER);
		assert_int_equal(pthread_create(&tids[i], NULL, write_halves,
		    &w[i]), 0);
	}
	for (i = 0; i < 300; i++) {
		v = sum_of(reader, KEY(1));
		assert_int_equal(v >> 32, v & 0xffffffff);
		assert_true(v >= before);
		before = v;
	}
	for (i = 0; i < 2; i++) {
		atomic_store(&w[i].stop, true);
		assert_int_equal(pthread_join(tids[i], NULL), 0);
	}
	assert_int_equal(sum_of(reader, KEY(1)), TORN * (w[0].n + w[1].n));
	slots_close(reader);
	slots_close(s);
}

static void *
read_often(void *arg)
{
	int i;

	for (i = 0; i < 50; i++)
		(void)sum_of(arg, KEY(1));
	return (NULL);
}

static void
threads_may_read_through_one_handle(void **state)
{
	struct slots *s = must_open();
	pthread_t tids[4];
	size_t i;

	(void)state;
	slot_add(must_claim(s, SLOT_ADMIN), KEY(1), 8);
	for (i = 0; i < NITEMS(tids); i++)
		assert_int_equal(pthread_create(&tids[i], NULL, read_often,
		    s), 0);
	for (i = 0; i < NITEMS(tids); i++)
		assert_int_equal(pthread_join(tids[i], NULL), 0);
	slots_close(s);
}

#define CASE(f)	cmocka_unit_test_setup(f, new_file)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(processes_that_are_killed_lose_no_count),
		CASE(whoever_folds_may_be_killed),
		CASE(a_table_that_was_left_half_made_does_not_count),
		CASE(slots_of_one_life_are_of_the_next),
		CASE(full_slots_are_refused_and_come_back),
		CASE(series_beyond_a_slots_room_are_counted_as_dropped),
		CASE(retired_that_are_full_keep_the_slots_of_the_dead),
		CASE(a_file_of_another_kind_is_replaced),
		CASE(a_file_of_another_size_is_replaced),
		CASE(what_cannot_be_opened_says_why),
		CASE(a_lock_that_is_kept_is_not_waited_for_for_ever),
		CASE(each_allocation_may_fail),
		CASE(gauges_and_lives_are_those_of_who_runs),
		CASE(a_histogram_has_its_buckets_and_its_sum),
		CASE(nobody_counts_without_a_slot),
		CASE(a_reader_beside_writers_sees_whole_values),
		CASE(threads_may_read_through_one_handle),
	};
	int rc;

	if (mkdtemp(dir) == NULL)
		return (1);
	(void)snprintf(path, sizeof(path), "%s/metrics", dir);
	counted = mmap(NULL, CHILDREN * sizeof(*counted),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counted == MAP_FAILED)
		return (1);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	(void)rmdir(dir);
	return (rc);
}
