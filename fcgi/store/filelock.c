#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "store/filelock.h"

/* Bytes of the file that are locked. */
#define BYTE_NEXT	0
#define BYTE_WRITER	1

/*
 * Who had to wait has company.  For its next turns it holds back for so long
 * before it asks again: the kernel wakes the next one but keeps no place for
 * it, and whoever is running already would be faster every time.
 */
#define CROWDED_TURNS	8
#define HOLD_BACK_NS	(20 * 1000L)

/* The timer fires again this often, for a signal that came too early. */
#define AGAIN_NS	(50 * 1000000L)

struct filelock {
	int fd;
	char *path;
	dev_t dev;
	ino_t ino;
	bool held;
	int crowded;		/* turns for which to hold back */
	bool has_timer;
	timer_t timer;		/* sends SIGURG to ${timer_owner} */
	pthread_t timer_owner;
};

struct filelock *
filelock_open(const char *path, int like_fd, struct err *err)
{
	struct filelock *fl;
	struct stat st, like;

	fl = calloc(1, sizeof(*fl));
	if (fl == NULL || (fl->path = strdup(path)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the lock of %s", path);
		goto err0;
	}
	fl->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fl->fd == -1) {
		err_set_errno(err, ERR_PERM, errno, "cannot open %s", path);
		goto err0;
	}
	if (fstat(fl->fd, &st) == -1 || fstat(like_fd, &like) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot look at %s", path);
		goto err1;
	}
	/* Whoever may write the database may lock it, if root made it too. */
	if (st.st_uid == geteuid()) {
		(void)!fchmod(fl->fd, like.st_mode & 0666);
		if (st.st_uid == 0 && like.st_uid != 0)
			(void)!fchown(fl->fd, like.st_uid, like.st_gid);
	}
	fl->dev = st.st_dev;
	fl->ino = st.st_ino;
	return (fl);

err1:
	close(fl->fd);
err0:
	if (fl != NULL)
		free(fl->path);
	free(fl);
	return (NULL);
}

void
filelock_free(struct filelock *fl)
{

	if (fl == NULL)
		return;
	if (fl->has_timer)
		timer_delete(fl->timer);
	close(fl->fd);
	free(fl->path);
	free(fl);
}

/* fcntl(2) on one byte: 0, or -1 with errno. */
static int
lock_byte(const struct filelock *fl, int cmd, short type, off_t byte)
{
	struct flock l = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	return (fcntl(fl->fd, cmd, &l));
}

static void
unlock_byte(const struct filelock *fl, off_t byte)
{

	(void)lock_byte(fl, F_OFD_SETLK, F_UNLCK, byte);
}

static void
on_signal(int signo)
{

	(void)signo;
}

/* Have a timer that interrupts this thread. */
static int
own_timer(struct filelock *fl, struct err *err)
{
	struct sigevent ev = { 0 };
	struct sigaction sa;

	if (fl->has_timer && pthread_equal(fl->timer_owner, pthread_self()))
		return (0);
	if (fl->has_timer)
		timer_delete(fl->timer);
	fl->has_timer = false;
	if (sigaction(SIGURG, NULL, &sa) == 0 &&
	    (sa.sa_flags & SA_SIGINFO) == 0 &&
	    (sa.sa_handler == SIG_DFL || sa.sa_handler == SIG_IGN)) {
		sa.sa_handler = on_signal;
		sa.sa_flags = 0;
		(void)sigaction(SIGURG, &sa, NULL);
	}
	ev.sigev_notify = SIGEV_THREAD_ID;
	ev.sigev_signo = SIGURG;
	ev._sigev_un._tid = gettid();
	if (timer_create(CLOCK_MONOTONIC, &ev, &fl->timer) == -1) {
		err_set_errno(err, ERR_STORE_DOWN, errno, "cannot make a "
		    "timer");
		return (-1);
	}
	fl->timer_owner = pthread_self();
	fl->has_timer = true;
	return (0);
}

static void
run_timer(struct filelock *fl, int64_t ms)
{
	struct itimerspec it = {
		.it_value = { ms / 1000, ms % 1000 * 1000000 },
		.it_interval = { 0, ms == 0 ? 0 : AGAIN_NS },
	};

	(void)timer_settime(fl->timer, 0, &it, NULL);
}

/* Wait for ${byte} until ${end_ms}: 0, or -1 with errno (EINTR: too late). */
static int
wait_byte(const struct filelock *fl, off_t byte, int64_t end_ms)
{
	int rc;

	do
		rc = lock_byte(fl, F_OFD_SETLKW, F_WRLCK, byte);
	while (rc == -1 && errno == EINTR &&
	    clock_mono_ms(clock_system()) < end_ms);
	return (rc);
}

/* Queue for what is not free: byte 0 unless we have it, then byte 1. */
static int
wait_turn(struct filelock *fl, bool have_next, int64_t timeout_ms,
    struct err *err)
{
	int64_t end_ms = clock_mono_ms(clock_system()) + timeout_ms;
	sigset_t urgent, before;
	int rc = -1, saved;

	if (own_timer(fl, err) == -1) {
		if (have_next)
			unlock_byte(fl, BYTE_NEXT);
		return (-1);
	}
	sigemptyset(&urgent);
	sigaddset(&urgent, SIGURG);
	(void)pthread_sigmask(SIG_UNBLOCK, &urgent, &before);
	run_timer(fl, timeout_ms > 0 ? timeout_ms : 1);
	if (have_next || wait_byte(fl, BYTE_NEXT, end_ms) == 0) {
		rc = wait_byte(fl, BYTE_WRITER, end_ms);
		saved = errno;
		unlock_byte(fl, BYTE_NEXT);
	} else
		saved = errno;
	run_timer(fl, 0);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return (rc);
}

/* Say who has it. */
static void
busy(const struct filelock *fl, int64_t timeout_ms, struct err *err)
{
	bool stopped;
	pid_t pid = filelock_holder(fl->path, &stopped);

	if (pid == 0)
		err_set(err, ERR_STORE_BUSY, "the write lock %s was not free "
		    "for %jd ms", fl->path, (intmax_t)timeout_ms);
	else
		err_set(err, ERR_STORE_BUSY, "process %jd%s has held the "
		    "write lock %s for %jd ms; %s it", (intmax_t)pid,
		    stopped ? ", which is stopped," : "", fl->path,
		    (intmax_t)timeout_ms, stopped ? "continue or kill" :
		    "look at");
}

int
filelock_take(struct filelock *fl, int64_t timeout_ms, struct err *err)
{
	static const struct timespec hold_back = { 0, HOLD_BACK_NS };
	bool have_next;

	if (fl->crowded > 0) {
		fl->crowded--;
		(void)nanosleep(&hold_back, NULL);
	}
	have_next = lock_byte(fl, F_OFD_SETLK, F_WRLCK, BYTE_NEXT) == 0;
	if (have_next &&
	    lock_byte(fl, F_OFD_SETLK, F_WRLCK, BYTE_WRITER) == 0) {
		unlock_byte(fl, BYTE_NEXT);
		fl->held = true;
		return (0);
	}
	fl->crowded = CROWDED_TURNS;
	if (wait_turn(fl, have_next, timeout_ms, err) == 0) {
		fl->held = true;
		return (0);
	}
	if (errno == EINTR)
		busy(fl, timeout_ms, err);
	else
		err_set_errno(err, ERR_STORE_DOWN, errno, "cannot lock %s",
		    fl->path);
	return (-1);
}

void
filelock_drop(struct filelock *fl)
{

	if (!fl->held)
		return;
	fl->held = false;
	unlock_byte(fl, BYTE_WRITER);
}

bool
filelock_moved(const struct filelock *fl)
{
	struct stat st;

	return (stat(fl->path, &st) == -1 || st.st_dev != fl->dev ||
	    st.st_ino != fl->ino);
}

/* Does this fdinfo file of /proc show the writer's lock on ${ino}? */
static bool
holds(const char *fdinfo, const struct stat *st)
{
	char line[256], want[64];
	bool found = false;
	FILE *f;

	(void)snprintf(want, sizeof(want), " %02x:%02x:%ju %d %d",
	    major(st->st_dev), minor(st->st_dev), (uintmax_t)st->st_ino,
	    BYTE_WRITER, BYTE_WRITER);
	f = fopen(fdinfo, "re");
	if (f == NULL)
		return (false);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = strncmp(line, "lock:", 5) == 0 &&
		    strstr(line, "OFDLCK") != NULL &&
		    strstr(line, want) != NULL;
	(void)fclose(f);
	return (found);
}

/* Does process ${pid} hold it through any of its descriptors? */
static bool
process_holds(const char *pid, const struct stat *st)
{
	char path[64 + 2 * NAME_MAX];
	const struct dirent *de;
	bool found = false;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	dir = opendir(path);
	if (dir == NULL)
		return (false);
	while (!found && (de = readdir(dir)) != NULL) {
		(void)snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid,
		    de->d_name);
		found = de->d_name[0] != '.' && holds(path, st);
	}
	(void)closedir(dir);
	return (found);
}

/* The state letter in /proc/PID/stat stands after the name in brackets. */
static bool
is_stopped(const char *pid)
{
	char path[64 + NAME_MAX], line[512], *paren = NULL;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return (false);
	if (fgets(line, sizeof(line), f) != NULL)
		paren = strrchr(line, ')');
	(void)fclose(f);
	return (paren != NULL && (strncmp(paren, ") T", 3) == 0 ||
	    strncmp(paren, ") t", 3) == 0));
}

pid_t
filelock_holder(const char *path, bool *stopped)
{
	const struct dirent *de;
	struct stat st;
	int64_t pid, found = 0;
	DIR *proc;

	*stopped = false;
	if (stat(path, &st) == -1 || (proc = opendir("/proc")) == NULL)
		return (0);
	while (found == 0 && (de = readdir(proc)) != NULL) {
		if (num_parse(de->d_name, strlen(de->d_name), 1, INT32_MAX,
		    &pid) == -1 || !process_holds(de->d_name, &st))
			continue;
		found = pid;
		*stopped = is_stopped(de->d_name);
	}
	(void)closedir(proc);
	return ((pid_t)found);
}
