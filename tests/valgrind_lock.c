/*
 * For make check-valgrind, put before the C library (LD_PRELOAD): valgrind
 * 3.19 knows that fcntl may block for F_SETLKW, but not for F_OFD_SETLKW, and
 * keeps its own lock meanwhile, so that neither another thread nor the signal
 * that is to end the wait can run.  Here such a wait is made of calls that it
 * does know: try, and sleep a little.  A signal ends it as it would end the
 * system call.
 */
#define _GNU_SOURCE	/* F_OFD_SETLK, ppoll, RTLD_NEXT */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

typedef int fcntl_function(int fd, int cmd, ...);

/* Signals are let in during the sleep alone, so that none is missed. */
static int
wait_for_lock(fcntl_function *real, int fd, void *lock)
{
	static const struct timespec nap = { .tv_nsec = 1000000 };
	sigset_t all, before;
	int rc, saved;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	while ((rc = real(fd, F_OFD_SETLK, lock)) == -1 && errno == EAGAIN) {
		if (ppoll(NULL, 0, &nap, &before) == -1)
			break;
	}
	saved = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return (rc);
}

static int
call(const char *name, int fd, int cmd, void *arg)
{
	fcntl_function *real;

	*(void **)&real = dlsym(RTLD_NEXT, name);
	if (cmd == F_OFD_SETLKW)
		return (wait_for_lock(real, fd, arg));
	return (real(fd, cmd, arg));
}

int fcntl64(int fd, int cmd, ...);

int
fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return (call("fcntl", fd, cmd, arg));
}

int
fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return (call("fcntl64", fd, cmd, arg));
}
