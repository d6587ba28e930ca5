#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "store/filelock.h"

/* The timer fires again this often, for a signal that came too early. */
#define AGAIN_NS	(50 * 1000000L)

/*
 * So long the lock may lie free before a turn that is not taken is over; and
 * the turns after it, for who has seen that.
 */
#define PATIENCE_MS	50
#define PATIENCE_MORE_MS 5

/* Who has given up leaves a number; older ones than these are not waited
 * for. */
#define NUMBERS_WAITED_FOR 64

#define NAP_NS		(50 * 1000L)

/*
 * Who had to wait has company.  If in one of its next turns nobody has taken
 * a number since its last one, it naps before it goes on: those whose turn
 * was passed over have no number any more, and would never be fast enough.
 */
#define CROWDED_TURNS	8

static const struct timespec nap = { 0, NAP_NS };

/* What is in the file.  Any contents will do to begin with. */
struct numbers {
	_Atomic uint32_t next;		/* to be given out */
	_Atomic uint32_t turn;		/* who may take the lock; changed by
					   its holder alone */
};

struct filelock {
	int fd;
	char *path;
	struct numbers *numbers;	/* mapped, shared */
	dev_t dev;
	ino_t ino;
	bool held;
	uint32_t last;			/* our last number */
	int crowded;			/* turns with company, see above */
	bool has_timer;
	timer_t timer;			/* sends SIGURG to ${timer_owner} */
	pthread_t timer_owner;
};

/* Whoever may write the database may lock it, also when root made it. */
static void
be_like(const struct filelock *fl, const struct stat *st,
    const struct stat *like)
{

	if (st->st_uid != geteuid())
		return;
	if ((st->st_mode & 0777) != (like->st_mode & 0666))
		(void)!fchmod(fl->fd, like->st_mode & 0666);
	if (st->st_uid == 0 && like->st_uid != 0)
		(void)!fchown(fl->fd, like->st_uid, like->st_gid);
}

static int
map_numbers(struct filelock *fl, const struct stat *st)
{
	void *p;

	if (st->st_size < (off_t)sizeof(*fl->numbers) &&
	    ftruncate(fl->fd, sizeof(*fl->numbers)) == -1)
		return (-1);
	p = mmap(NULL, sizeof(*fl->numbers), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fl->fd, 0);
	if (p == MAP_FAILED)
		return (-1);
	fl->numbers = p;
	return (0);
}

struct filelock *
filelock_open(const char *path, const struct stat *like, struct err *err)
{
	struct filelock *fl;
	struct stat st;

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
	if (fstat(fl->fd, &st) == -1 ||
	    map_numbers(fl, &st) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot use %s", path);
		goto err1;
	}
	be_like(fl, &st, like);
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
	(void)munmap(fl->numbers, sizeof(*fl->numbers));
	close(fl->fd);
	free(fl->path);
	free(fl);
}

/* fcntl(2): 0, or -1 with errno. */
static int
lock_file(const struct filelock *fl, int cmd, short type)
{
	struct flock l = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = 0,
		.l_len = 1,
	};

	return (fcntl(fl->fd, cmd, &l));
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

/* Has the one with number ${mine} its turn, or had it already? */
static bool
is_turn(const struct filelock *fl, uint32_t mine)
{

	return ((int32_t)(mine - atomic_load(&fl->numbers->turn)) <= 0);
}

/*
 * We have the lock for good: the next one's turn is after ours, unless ours
 * was over already.  A turn beyond the numbers given out is damage.
 */
static void
take_turn(struct filelock *fl, uint32_t mine)
{
	uint32_t turn = atomic_load(&fl->numbers->turn);

	if ((int32_t)(mine - turn) >= 0 ||
	    (int32_t)(turn - atomic_load(&fl->numbers->next)) > 0)
		atomic_store(&fl->numbers->turn, mine + 1);
	fl->held = true;
}

/* What one who waits has seen of a turn that nobody takes. */
struct patience {
	uint32_t turn;
	int64_t since_ms;	/* 0: nothing yet */
	int64_t ms;
};

/*
 * We have got the lock out of turn, which shows that it is free: if the one
 * whose turn it is did not come for too long, its turn is over.
 */
static void
pass_over(const struct filelock *fl, struct patience *p)
{
	uint32_t turn = atomic_load(&fl->numbers->turn), oldest;
	int64_t now = clock_mono_ms(clock_system());

	if (p->since_ms == 0 || p->turn != turn) {
		p->turn = turn;
		p->since_ms = now;
		return;
	}
	if (now - p->since_ms <= p->ms)
		return;
	p->ms = PATIENCE_MORE_MS;
	oldest = atomic_load(&fl->numbers->next) - NUMBERS_WAITED_FOR;
	turn++;
	if ((int32_t)(oldest - turn) > 0)
		turn = oldest;
	atomic_store(&fl->numbers->turn, turn);
}

/*
 * Wait for the lock and the turn until ${end_ms}: 0, or -1 with errno (EINTR:
 * too late).  Out of turn we let go for a moment, so that the one whose turn
 * it is can come.
 */
static int
wait_turn(const struct filelock *fl, uint32_t mine, int64_t end_ms)
{
	struct patience p = { .ms = PATIENCE_MS };

	for (;;) {
		if (lock_file(fl, F_OFD_SETLKW, F_WRLCK) == -1) {
			if (errno != EINTR ||
			    clock_mono_ms(clock_system()) >= end_ms)
				return (-1);
			continue;
		}
		if (!is_turn(fl, mine))
			pass_over(fl, &p);
		if (is_turn(fl, mine))
			return (0);
		(void)lock_file(fl, F_OFD_SETLK, F_UNLCK);
		(void)nanosleep(&nap, NULL);
	}
}

/* As wait_turn, with the timer that ends it. */
static int
wait_timed(struct filelock *fl, uint32_t mine, int64_t timeout_ms,
    struct err *err)
{
	int64_t end_ms = clock_mono_ms(clock_system()) + timeout_ms;
	sigset_t urgent, before;
	int rc, saved;

	if (own_timer(fl, err) == -1)
		return (-1);
	sigemptyset(&urgent);
	sigaddset(&urgent, SIGURG);
	(void)pthread_sigmask(SIG_UNBLOCK, &urgent, &before);
	run_timer(fl, timeout_ms > 0 ? timeout_ms : 1);
	rc = wait_turn(fl, mine, end_ms);
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
	uint32_t mine = atomic_fetch_add(&fl->numbers->next, 1);

	if (fl->crowded > 0) {
		fl->crowded--;
		if (mine == fl->last + 1)
			(void)nanosleep(&nap, NULL);
	}
	fl->last = mine;
	if (is_turn(fl, mine) &&
	    lock_file(fl, F_OFD_SETLK, F_WRLCK) == 0) {
		take_turn(fl, mine);
		return (0);
	}
	fl->crowded = CROWDED_TURNS;
	if (wait_timed(fl, mine, timeout_ms, err) == 0) {
		take_turn(fl, mine);
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
	(void)lock_file(fl, F_OFD_SETLK, F_UNLCK);
}

bool
filelock_moved(const struct filelock *fl)
{
	struct stat st;

	return (stat(fl->path, &st) == -1 || st.st_dev != fl->dev ||
	    st.st_ino != fl->ino);
}

/* Does this fdinfo file of /proc show our lock on the file of ${st}? */
static bool
holds(const char *fdinfo, const struct stat *st)
{
	char line[256], want[64];
	bool found = false;
	FILE *f;

	(void)snprintf(want, sizeof(want), " %02x:%02x:%ju 0 0",
	    major(st->st_dev), minor(st->st_dev), (uintmax_t)st->st_ino);
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
