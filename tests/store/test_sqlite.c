#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "store/filelock.h"
#include "store_test.h"

#define MUST(x) do {							\
	struct err must_ = { 0 }, *why = &must_;			\
	if ((x) == -1)							\
		fail_msg("%s: %s", #x, must_.text);			\
} while (0)

static void
test_files_are_narrow(void **state)
{
	const struct place *pl = *state;
	struct store *st = place_store(pl, NULL);
	char lock[128];
	struct stat sb;

	assert_int_equal(stat(pl->path, &sb), 0);
	assert_int_equal(sb.st_mode & 0777 & ~0640, 0);
	snprintf(lock, sizeof(lock), "%s.lock", pl->path);
	assert_int_equal(stat(lock, &sb), 0);
	assert_int_equal(sb.st_mode & 0777 & ~0640, 0);
	store_close(st);
}

static void
test_open_says_what_to_mend(void **state)
{
	const struct place *pl = *state;
	static const struct {
		const char *url;
		bool create;
		enum err_code code;
		const char *text;
	} cases[] = {
		{ "mongo:/x", true, ERR_INVAL, "not built into" },
		{ "/x/y", true, ERR_INVAL, "sqlite:/path" },
		{ "sqlite:", true, ERR_INVAL, "sqlite:/path" },
		{ "sqlite:/nowhere/at/all/db", true, ERR_NOT_FOUND,
		    "no folder /nowhere/at/all" },
		{ "sqlite:/tmp/there-is-no-such-db", false, ERR_NOT_FOUND,
		    "leasehold init" },
		{ "sqlite:/tmp", false, ERR_INVAL, "/tmp is not a file" },
		{ "sqlite:/dev/null", false, ERR_INVAL, "not a file" },
	};
	struct store_options opt = { 0 };
	struct err err;
	FILE *f;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err_clear(&err);
		opt.create = cases[i].create;
		assert_null(store_open(cases[i].url, &opt, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_non_null(strstr(err.text, cases[i].text));
	}

	/* A file that is something else. */
	f = fopen(pl->path, "w");
	assert_non_null(f);
	for (i = 0; i < 200; i++)
		fprintf(f, "This is a shopping list.\n");
	fclose(f);
	err_clear(&err);
	assert_null(store_open(pl->url, &opt, &err));
	assert_int_equal(err.code, ERR_STORE_DOWN);
	assert_non_null(strstr(err.text, "restore a backup"));
}

/* The range that SQLite locks while a connection is open (os.h: SHARED_FIRST
 * and SHARED_SIZE behind PENDING_BYTE). */
static bool
is_locked_by_another(const char *path)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = 0x40000002, .l_len = 510 };
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(fcntl(fd, F_GETLK, &fl), 0);
	close(fd);
	return (fl.l_type != F_UNLCK);
}

/* Another process sees that this one has the database open. */
static void
assert_locked(const struct place *pl)
{
	int status;
	pid_t pid;

	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(is_locked_by_another(pl->path) ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_opening_again_keeps_the_locks(void **state)
{
	const struct place *pl = *state;
	struct store *st = place_store(pl, NULL), *other;

	MUST(store_begin(st, true, why));
	MUST(store_commit(st, why));
	other = place_store(pl, NULL);
	assert_locked(pl);
	store_close(other);
	store_close(st);
}

static void
test_unwritable_folder_is_refused(void **state)
{
	const struct place *pl = *state;
	struct store_options opt = { .create = true };
	struct err err = { 0 };

	if (geteuid() == 0 && (setegid(65534) == -1 || seteuid(65534) == -1))
		skip();
	assert_null(store_open("sqlite:/usr/db", &opt, &err));
	assert_int_equal(err.code, ERR_PERM);
	assert_non_null(strstr(err.text, "must be writable for user id"));
	(void)!seteuid(getuid());
	(void)!setegid(getgid());
	(void)pl;
}

/* In a child: take the write lock, say so through ${fd}, and keep it. */
static void
hold_lock(const struct place *pl, int fd)
{
	struct store *st = place_store(pl, NULL);

	if (store_begin(st, true, NULL) == -1)
		_exit(1);
	(void)!write(fd, "x", 1);
	for (;;)
		pause();
}

static void
test_a_stuck_writer_is_named(void **state)
{
	const struct place *pl = *state;
	struct store_options opt = { .create = true, .busy_timeout_ms = 120 };
	struct store *st;
	struct err err = { 0 };
	char c, want[32], lock[128];
	bool stopped;
	int p[2], status;
	pid_t pid;

	store_close(place_store(pl, NULL));
	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		hold_lock(pl, p[1]);
	close(p[1]);
	assert_int_equal(read(p[0], &c, 1), 1);
	st = store_open(pl->url, &opt, &err);
	assert_non_null(st);
	assert_int_equal(store_begin(st, true, &err), -1);
	assert_int_equal(err.code, ERR_STORE_BUSY);
	snprintf(lock, sizeof(lock), "%s.lock", pl->path);
	/* Not all file systems show in /proc which file is locked. */
	if (filelock_holder(lock, &stopped) != 0) {
		snprintf(want, sizeof(want), "process %jd ", (intmax_t)pid);
		assert_non_null(strstr(err.text, want));
		assert_int_equal(filelock_holder(lock, &stopped), pid);
		assert_false(stopped);
	} else
		assert_non_null(strstr(err.text, "was not free"));

	/* The lock of a dead process is free at once. */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	MUST(store_begin(st, true, why));
	MUST(store_commit(st, why));
	store_close(st);
	close(p[0]);
}

static void
test_the_turn_of_a_dead_waiter_passes(void **state)
{
	const struct place *pl = *state;
	struct store *st = place_store(pl, NULL);
	int p[2], status;
	char c;
	pid_t pid;

	MUST(store_begin(st, true, why));
	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct filelock *fl;
		struct stat sb;
		char lock[128];

		snprintf(lock, sizeof(lock), "%s.lock", pl->path);
		fl = stat(pl->path, &sb) == -1 ? NULL :
		    filelock_open(lock, &sb, NULL);
		(void)!write(p[1], "x", 1);
		_exit(fl == NULL || filelock_take(fl, 60000, NULL) == -1);
	}
	/* Killed while it waits, or before it has a number: the same to us. */
	assert_int_equal(read(p[0], &c, 1), 1);
	usleep(20000);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	MUST(store_commit(st, why));
	MUST(store_begin(st, true, why));
	MUST(store_commit(st, why));
	store_close(st);
	close(p[0]);
	close(p[1]);
}

static void
test_a_replaced_file_is_noticed(void **state)
{
	const struct place *pl = *state;
	struct store *st = place_store(pl, NULL);
	struct err err = { 0 };
	int i;

	MUST(store_begin(st, true, why));
	MUST(store_commit(st, why));
	assert_int_equal(unlink(pl->path), 0);
	for (i = 0; i < 40; i++) {
		if (store_begin(st, true, &err) == -1)
			break;
		MUST(store_commit(st, why));
		usleep(50000);
	}
	assert_int_equal(err.code, ERR_STORE_DOWN);
	assert_non_null(strstr(err.text, "is gone"));
	store_close(st);
}

static void
put_row(struct store *st, const struct store_value *row)
{

	MUST(store_begin(st, true, why));
	MUST(store_exec(st, STMT_META_PUT, row, 1, 2, NULL, why));
	MUST(store_commit(st, why));
}

static void
test_the_log_is_copied_when_idle(void **state)
{
	const struct place *pl = *state;
	struct store *st = place_store(pl, NULL);
	char wal[128], big[60000];
	struct store_value row[] = {
		store_text("big"), store_blob(big, sizeof(big)),
	};
	struct stat before, after;
	int i, same;

	memset(big, 'x', sizeof(big));
	snprintf(wal, sizeof(wal), "%s-wal", pl->path);
	assert_false(store_housekeep(st, true));
	for (i = 0; i < 100; i++)
		put_row(st, row);
	assert_int_equal(stat(wal, &before), 0);
	assert_true(before.st_size > 4 * 1024 * 1024);
	assert_true(store_housekeep(st, false));	/* can wait */
	assert_false(store_housekeep(st, true));
	/* The log begins anew, so that the file grows no more. */
	for (i = same = 0; i < 500 && same < 10; i++) {
		assert_int_equal(stat(wal, &before), 0);
		put_row(st, row);
		assert_int_equal(stat(wal, &after), 0);
		same = before.st_size == after.st_size ? same + 1 : 0;
		usleep(2000);
	}
	assert_int_equal(same, 10);
	assert_locked(pl);
	store_close(st);
}

#define WRITERS		4
#define TURNS		400

struct race {
	int turns[WRITERS];
	int total;
	int go;
};

/* In a child: write as fast as possible until all together are done. */
static void
write_on(const struct place *pl, struct race *race, int me)
{
	struct store *st = place_store(pl, NULL);

	__atomic_add_fetch(&race->go, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&race->go, __ATOMIC_SEQ_CST) < WRITERS)
		usleep(100);
	while (__atomic_load_n(&race->total, __ATOMIC_SEQ_CST) < TURNS) {
		if (store_begin(st, true, NULL) == -1)
			_exit(1);
		if (add_row(st, newest_row(st) + 1, NULL) == -1 ||
		    store_commit(st, NULL) == -1)
			_exit(2);
		race->turns[me]++;
		__atomic_add_fetch(&race->total, 1, __ATOMIC_SEQ_CST);
	}
	store_close(st);
	_exit(0);
}

static void
test_no_writer_starves(void **state)
{
	const struct place *pl = *state;
	struct race *race;
	pid_t pids[WRITERS];
	int i, status;

	store_close(place_store(pl, NULL));
	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(race, MAP_FAILED);
	for (i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0)
			write_on(pl, race, i);
	}
	for (i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	for (i = 0; i < WRITERS; i++) {
		print_message("# writer %d: %d of %d turns\n", i,
		    race->turns[i], race->total);
		assert_true(race->turns[i] >= TURNS / WRITERS / 4);
	}
	munmap(race, sizeof(*race));
}

#define T(f) cmocka_unit_test_setup_teardown(f, place_setup_sqlite,	\
	place_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_files_are_narrow),
		T(test_open_says_what_to_mend),
		T(test_opening_again_keeps_the_locks),
		T(test_unwritable_folder_is_refused),
		T(test_a_stuck_writer_is_named),
		T(test_the_turn_of_a_dead_waiter_passes),
		T(test_a_replaced_file_is_noticed),
		T(test_the_log_is_copied_when_idle),
		T(test_no_writer_starves),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
