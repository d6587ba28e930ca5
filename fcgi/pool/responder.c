#include "config.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "pool/responder.h"
#include "pool/shared.h"

/* What is sent to a wake socket, when it is more than a wake-up. */
#define RELOAD	"reload"

/* Boot id and host name: the same process id and path elsewhere is somebody
 * else, and what ran before a reboot runs no more. */
void
responder_host(const char *given, char *out, size_t size)
{
	char boot[64] = "", name[128] = "";
	FILE *f;

	if ((f = fopen("/proc/sys/kernel/random/boot_id", "re")) != NULL) {
		if (fgets(boot, sizeof(boot), f) == NULL)
			boot[0] = '\0';
		fclose(f);
	}
	boot[strcspn(boot, "\n")] = '\0';
	if (given[0] == '\0' && gethostname(name, sizeof(name) - 1) != 0)
		name[0] = '\0';
	snprintf(out, size, "%s/%s", boot, given[0] == '\0' ? name : given);
}

static int
open_lock(struct responder *r, struct err *err)
{

	r->lock_fd = open(r->lock_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0640);
	if (r->lock_fd == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot make %s (is run_dir "
		    "there and writable?)", r->lock_path);
		return (-1);
	}
	if (flock(r->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return (0);
	err_set_errno(err, ERR_IO, errno, "cannot lock %s", r->lock_path);
	return (-1);
}

static int
open_wake(struct responder *r, struct err *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	memcpy(sun.sun_path, r->wake_path, strlen(r->wake_path) + 1);
	r->wake_fd = socket(AF_UNIX,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->wake_fd == -1 || bind(r->wake_fd,
	    (const struct sockaddr *)&sun, sizeof(sun)) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot make the socket %s",
		    r->wake_path);
		return (-1);
	}
	r->send_fd = socket(AF_UNIX,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->send_fd != -1)
		return (0);
	err_set_errno(err, ERR_IO, errno, "cannot make a socket");
	return (-1);
}

int
responder_open(struct responder *r, const char *kind, const char *host,
    const char *run_dir, struct err *err)
{
	uint64_t random;

	*r = (struct responder) {
		.kind = kind,
		.lock_fd = -1,
		.wake_fd = -1,
		.send_fd = -1,
	};
	/* Room for the name that is added below. */
	if (strlen(run_dir) > sizeof(r->lock_path) - 40) {
		err_set(err, ERR_TOO_LARGE, "run_dir %s is too long for a "
		    "socket's path", run_dir);
		return (-1);
	}
	seal_random(&random, sizeof(random));
	snprintf(r->lock_path, sizeof(r->lock_path),
	    "%s/responder-%016" PRIx64 ".lock", run_dir, random);
	snprintf(r->wake_path, sizeof(r->wake_path),
	    "%s/responder-%016" PRIx64 ".wake", run_dir, random);
	responder_host(host, r->host, sizeof(r->host));
	if (open_lock(r, err) == 0 && open_wake(r, err) == 0)
		return (0);
	responder_close(r);
	return (-1);
}

int
responder_tell_reload(const char *wake_path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	ssize_t n = -1;
	int fd;

	if (strlen(wake_path) >= sizeof(sun.sun_path))
		return (-1);
	memcpy(sun.sun_path, wake_path, strlen(wake_path) + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return (-1);
	n = sendto(fd, RELOAD, strlen(RELOAD), MSG_NOSIGNAL,
	    (const struct sockaddr *)&sun, sizeof(sun));
	close(fd);
	return (n == -1 ? -1 : 0);
}

bool
responder_heard(int wake_fd)
{
	bool reload = false;
	char buf[64];
	ssize_t n;

	while ((n = recv(wake_fd, buf, sizeof(buf), MSG_DONTWAIT)) >= 0)
		reload = reload || ((size_t)n == strlen(RELOAD) &&
		    memcmp(buf, RELOAD, strlen(RELOAD)) == 0);
	return (reload);
}

static void
close_fd(int *fd)
{

	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

void
responder_close(struct responder *r)
{

	if (r->wake_fd != -1 && !r->keep_files)
		unlink(r->wake_path);
	if (r->lock_fd != -1 && !r->keep_files)
		unlink(r->lock_path);
	close_fd(&r->wake_fd);
	close_fd(&r->send_fd);
	close_fd(&r->lock_fd);
}

/* Nodes come in order: the first gap is free. */
static int
node_row(void *arg, const struct store_value *c, size_t n)
{
	int *node = arg;

	(void)n;
	if (store_get_int(&c[0]) > *node)
		return (1);
	(*node)++;
	return (0);
}

int
responder_register(struct responder *r, struct store *st, struct err *err)
{
	struct store_value v[10];
	int64_t now_ms = store_now_ms(st);
	int node = 0;

	if (store_lock(st, STMT_LOCK_NODES, NULL, 0, err))
		return (-1);
	if (store_query(st, STMT_RESPONDER_NODES, NULL, 0, node_row, &node,
	    err) < 0)
		return (-1);
	if (node >= RESPONDER_NODES) {
		err_set(err, ERR_RANGE, "there are %d responders already",
		    RESPONDER_NODES);
		return (-1);
	}
	v[0] = store_text(r->kind);
	v[1] = store_int(node);
	v[2] = store_text(r->host);
	v[3] = store_int(getpid());
	v[4] = store_text(r->lock_path);
	v[5] = store_text(r->wake_path);
	v[6] = store_text(PACKAGE_VERSION);
	v[7] = v[9] = store_int(now_ms);
	v[8] = store_int(r->beat);
	if (store_exec(st, STMT_RESPONDER_ADD, v, 1, 10, NULL, err))
		return (-1);
	r->next.set = true;
	r->next.id = store_insert_id(st);
	r->next.node = node;
	return (0);
}

int
responder_beat(struct responder *r, struct store *st,
    const struct pool_settings *set, struct err *err)
{
	struct store_value v[5];
	int64_t changes = 0;

	v[0] = store_int(r->beat + 1);
	v[1] = store_int(store_now_ms(st));
	v[2] = store_int(set->requests);
	v[3] = store_int(set->draining);
	v[4] = store_int(r->id);
	if (store_exec(st, STMT_RESPONDER_BEAT, v, 1, 5, &changes, err))
		return (-1);
	r->beat++;
	return (changes > 0);
}

bool
responder_ended(struct responder *r, bool committed)
{
	bool changed = r->next.set && committed;

	if (changed) {
		r->id = r->next.id;
		r->node = r->next.node;
	}
	r->next.set = false;
	return (changed);
}

int64_t
responder_self(const struct responder *r)
{

	return (r->next.set ? r->next.id : r->id);
}
