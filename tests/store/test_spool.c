#include "cmocka_all.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/spool.h"

#define BYTES		(64 * 1024)
#define HEAD_BYTES	512
#define RECORD_HEAD	32

static const struct spool_id here = { "an installation", 3 };

struct place {
	char dir[64];
};

static int
setup(void **state)
{
	struct place *pl = calloc(1, sizeof(*pl));

	if (pl == NULL)
		return (-1);
	snprintf(pl->dir, sizeof(pl->dir), "/tmp/test-spool.XXXXXX");
	*state = pl;
	return (mkdtemp(pl->dir) == NULL ? -1 : 0);
}

static int
each_file(const char *dir, void (*cb)(const char *path))
{
	const struct dirent *de;
	char path[384];
	int n = 0;
	DIR *d;

	if ((d = opendir(dir)) == NULL)
		return (-1);
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		if (cb != NULL)
			cb(path);
		n++;
	}
	closedir(d);
	return (n);
}

static void
unlink_it(const char *path)
{

	(void)unlink(path);
}

static int
teardown(void **state)
{
	struct place *pl = *state;

	(void)each_file(pl->dir, unlink_it);
	(void)rmdir(pl->dir);
	free(pl);
	return (0);
}

static struct spool *
create(const struct place *pl)
{
	struct err err = { 0 };
	struct spool *sp;

	if ((sp = spool_create(pl->dir, BYTES, &here, &err)) == NULL)
		fail_msg("%s", err.text);
	return (sp);
}

static void
put(struct spool *sp, const char *text)
{
	struct err err = { 0 };

	if (spool_put(sp, text, strlen(text), &err) != 0)
		fail_msg("%s", err.text);
}

static struct spool *
adopt(const char *path)
{
	struct err err = { 0 };
	struct spool *sp = NULL;

	if (spool_adopt(path, &sp, &err) != 1)
		fail_msg("%s: %s", path, err.text);
	return (sp);
}

/* The pending records, with a blank behind each. */
static const char *
texts(const struct spool *sp)
{
	static char all[2048];
	char buf[SPOOL_RECORD_MAX];
	struct err err = { 0 };
	size_t i, n, len = 0;

	for (i = 0; spool_seek(sp, &i); i++) {
		assert_int_equal(spool_read(sp, i, buf, &n, &err), 0);
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%.*s ",
		    (int)n, buf);
	}
	all[len] = '\0';
	return (all);
}

/* Three records and their file, whose owner is gone. */
static char *
three(const struct place *pl, unsigned char bytes[BYTES])
{
	struct spool *sp = create(pl);
	struct err err = { 0 };
	char *path = strdup(spool_path(sp));
	int fd;

	assert_non_null(path);
	put(sp, "first");
	put(sp, "second-second");
	put(sp, "third-third-third!");
	assert_int_equal(spool_sync(sp, &err), 0);
	spool_close(sp);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, bytes, BYTES), BYTES);
	close(fd);
	return (path);
}

static void
rewrite(const char *path, const unsigned char bytes[BYTES])
{
	int fd = open(path, O_RDWR);

	assert_int_equal(pwrite(fd, bytes, BYTES, 0), BYTES);
	close(fd);
}

static void
what_was_put_comes_back_until_it_is_done(void **state)
{
	struct place *pl = *state;
	unsigned char bytes[BYTES];
	char *path = three(pl, bytes);
	struct spool_count n;
	struct err err = { 0 };
	struct spool *sp;

	sp = adopt(path);
	assert_true(spool_is(sp, &here));
	assert_int_equal(spool_damaged(sp), 0);
	assert_string_equal(texts(sp), "first second-second "
	    "third-third-third! ");
	spool_done(sp, 1);
	spool_done(sp, 1);
	assert_int_equal(spool_pending(sp), 2);
	spool_close(sp);

	sp = adopt(path);
	assert_string_equal(texts(sp), "first third-third-third! ");
	assert_int_equal(spool_count(pl->dir, &n, &err), 0);
	assert_int_equal(n.files, 1);
	assert_int_equal(n.records, 2);
	assert_int_equal(n.refused, 0);
	spool_done(sp, 0);
	spool_done(sp, 2);
	spool_close(sp);
	assert_int_equal(each_file(pl->dir, NULL), 0);
	free(path);
}

static void
a_record_torn_at_any_byte_is_recognised(void **state)
{
	struct place *pl = *state;
	unsigned char bytes[BYTES], cut[BYTES];
	char *path = three(pl, bytes);
	const size_t from = HEAD_BYTES + RECORD_HEAD + 8 + RECORD_HEAD + 16,
	    to = from + RECORD_HEAD + 18;
	struct spool *sp;
	bool whole;
	size_t at;

	for (at = from; at <= to; at++) {
		memcpy(cut, bytes, BYTES);
		memset(cut + at, 0, BYTES - at);
		rewrite(path, cut);
		whole = memcmp(cut, bytes, BYTES) == 0;
		assert_int_equal(whole, at == to);
		sp = adopt(path);
		assert_string_equal(texts(sp), whole ? "first second-second "
		    "third-third-third! " : "first second-second ");
		assert_int_equal(spool_damaged(sp), at > from && !whole);
		spool_close(sp);
	}
	free(path);
}

static void
a_flipped_bit_anywhere_costs_one_record(void **state)
{
	struct place *pl = *state;
	unsigned char bytes[BYTES], bad[BYTES];
	char *path = three(pl, bytes);
	const size_t from = HEAD_BYTES + RECORD_HEAD + 8,
	    to = from + RECORD_HEAD + 13;
	struct spool *sp;
	size_t at;

	for (at = from; at < to; at++) {
		/* The state, and what is not used yet. */
		if ((at >= from + 4 && at < from + 8) ||
		    (at >= from + 12 && at < from + 16))
			continue;
		memcpy(bad, bytes, BYTES);
		bad[at] ^= 0x10;
		rewrite(path, bad);
		sp = adopt(path);
		assert_string_equal(texts(sp), "first third-third-third! ");
		assert_int_equal(spool_damaged(sp), 1);
		spool_close(sp);
	}
	free(path);
}

static void
a_sector_that_was_lost_hides_nothing_behind_it(void **state)
{
	struct place *pl = *state;
	unsigned char bytes[BYTES];
	char *path = three(pl, bytes);
	struct spool *sp;

	memset(bytes + HEAD_BYTES, 0, RECORD_HEAD + 8);
	rewrite(path, bytes);
	sp = adopt(path);
	assert_string_equal(texts(sp), "second-second third-third-third! ");
	assert_int_equal(spool_damaged(sp), 1);
	spool_close(sp);
	free(path);
}

static void
a_file_without_a_good_head_is_put_aside(void **state)
{
	struct place *pl = *state;
	unsigned char bytes[BYTES];
	char *path = three(pl, bytes);
	struct spool_count n;
	struct err err = { 0 };
	struct spool *sp;

	bytes[10] ^= 1;
	rewrite(path, bytes);
	assert_int_equal(spool_adopt(path, &sp, &err), -1);
	assert_int_equal(err.code, ERR_INVAL);
	assert_int_equal(access(path, F_OK), -1);
	err_clear(&err);
	assert_int_equal(spool_count(pl->dir, &n, &err), 0);
	assert_int_equal(n.files, 0);
	assert_int_equal(n.refused, 1);
	free(path);
}

static void
a_living_owner_keeps_its_file(void **state)
{
	struct place *pl = *state;
	struct spool *sp = create(pl), *other = NULL;
	struct err err = { 0 };

	put(sp, "mine");
	assert_int_equal(spool_adopt(spool_path(sp), &other, &err), 0);
	assert_null(other);
	assert_int_equal(err.code, ERR_NONE);
	spool_done(sp, 0);
	spool_close(sp);
	assert_int_equal(each_file(pl->dir, NULL), 0);
}

static void
what_a_killed_process_synced_is_there(void **state)
{
	struct place *pl = *state;
	char path[256] = "";
	struct err err = { 0 };
	int ready[2], status;
	struct spool *sp;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	if ((pid = fork()) == 0) {
		sp = create(pl);
		put(sp, "before");
		if (spool_sync(sp, &err) != 0 || write(ready[1],
		    spool_path(sp), strlen(spool_path(sp))) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	n = read(ready[0], path, sizeof(path) - 1);
	assert_true(n > 0);
	assert_int_equal(spool_adopt(path, &sp, &err), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	sp = adopt(path);
	assert_string_equal(texts(sp), "before ");
	spool_close(sp);
	close(ready[0]);
	close(ready[1]);
}

static void
full_is_full_until_all_is_done(void **state)
{
	struct place *pl = *state;
	struct spool *sp = create(pl);
	unsigned char big[SPOOL_RECORD_MAX];
	struct err err = { 0 };
	struct stat st;
	size_t i, n = 0;

	memset(big, 'x', sizeof(big));
	while (spool_put(sp, big, sizeof(big), &err) == 0)
		n++;
	assert_int_equal(err.code, ERR_TOO_LARGE);
	assert_int_equal(n, (BYTES - HEAD_BYTES) / (RECORD_HEAD +
	    SPOOL_RECORD_MAX));
	for (i = 0; i + 1 < n; i++)
		spool_done(sp, i);
	spool_reset(sp);
	err_clear(&err);
	assert_int_equal(spool_put(sp, big, sizeof(big), &err), -1);
	spool_done(sp, n - 1);
	spool_reset(sp);
	put(sp, "again");
	assert_string_equal(texts(sp), "again ");
	assert_int_equal(stat(spool_path(sp), &st), 0);
	assert_int_equal(st.st_size, BYTES);
	assert_true(st.st_blocks * 512 >= BYTES);
	spool_done(sp, 0);
	spool_close(sp);
}

static void
what_is_too_large_for_a_record_is_refused(void **state)
{
	static const unsigned char big[SPOOL_RECORD_MAX + 1];
	struct place *pl = *state;
	struct spool *sp = create(pl);
	struct err err = { 0 };

	assert_int_equal(spool_put(sp, big, sizeof(big), &err), -1);
	assert_int_equal(err.code, ERR_TOO_LARGE);
	spool_close(sp);
}

static int
count_one(void *arg, const char *path)
{

	(void)path;
	++*(int *)arg;
	return (0);
}

static void
what_died_half_made_is_removed(void **state)
{
	struct place *pl = *state;
	struct err err = { 0 };
	char path[128];
	int n = 0, fd;

	snprintf(path, sizeof(path), "%s/0123.spool-new", pl->dir);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(spool_look(pl->dir, count_one, &n, &err), 0);
	assert_int_equal(access(path, F_OK), 0);
	close(fd);
	assert_int_equal(spool_look(pl->dir, count_one, &n, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(n, 0);
}

static void
a_folder_that_cannot_be_made_is_named(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_null(spool_create("/nowhere/at/all", BYTES, &here, &err));
	assert_non_null(strstr(err.text, "spool_dir"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(what_was_put_comes_back_until_it_is_done),
		T(a_record_torn_at_any_byte_is_recognised),
		T(a_flipped_bit_anywhere_costs_one_record),
		T(a_sector_that_was_lost_hides_nothing_behind_it),
		T(a_file_without_a_good_head_is_put_aside),
		T(a_living_owner_keeps_its_file),
		T(what_a_killed_process_synced_is_there),
		T(full_is_full_until_all_is_done),
		T(what_is_too_large_for_a_record_is_refused),
		T(what_died_half_made_is_removed),
		T(a_folder_that_cannot_be_made_is_named),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
