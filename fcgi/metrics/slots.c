#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "metrics/slots.h"
#include "metrics/slots_internal.h"

/* Whoever holds the lock is done in no time; only one that was stopped is
 * not. */
#define LOCK_TRIES	200
#define LOCK_NAP_NS	10000000L

/* A file may be replaced under way, but not for ever. */
#define OPEN_TRIES	10

static const struct timespec nap = { 0, LOCK_NAP_NS };

/* ---- locks: byte 0 is everybody's, byte 1 + n that of slot n ---- */

static int
lock_byte(int fd, int cmd, short type, off_t at)
{
	struct flock fl = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = at,
		.l_len = 1
	};

	if (fcntl(fd, cmd, &fl) == -1)
		return (-1);
	return (cmd == F_OFD_GETLK && fl.l_type != F_UNLCK);
}

static int
lock_file(int fd, const char *path, struct err *err)
{
	int i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (lock_byte(fd, F_OFD_SETLK, F_WRLCK, 0) == 0)
			return (0);
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			break;
		(void)nanosleep(&nap, NULL);
	}
	err_set_errno(err, ERR_IO, errno, "cannot lock %s", path);
	return (-1);
}

static void
unlock_file(int fd)
{

	(void)lock_byte(fd, F_OFD_SETLK, F_UNLCK, 0);
}

bool
slots_is_dead(const struct slots *s, unsigned int n)
{

	return (!s->mine[n] &&
	    lock_byte(s->fd, F_OFD_GETLK, F_WRLCK, 1 + (off_t)n) == 0);
}

/* ---- the file ---- */

static void
boot_id(char out[SLOTS_BOOT_SIZE])
{
	ssize_t n = -1;
	int fd;

	memset(out, 0, SLOTS_BOOT_SIZE);
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		n = read(fd, out, SLOTS_BOOT_SIZE - 1);
		(void)close(fd);
	}
	if (n < 0)
		memset(out, 0, SLOTS_BOOT_SIZE);
}

static bool
is_good(const struct slots_head *h)
{
	char boot[SLOTS_BOOT_SIZE];

	boot_id(boot);
	return (atomic_load(&h->magic) == SLOTS_MAGIC &&
	    h->layout == SLOTS_LAYOUT && h->print == metrics_print() &&
	    memcmp(h->boot, boot, sizeof(boot)) == 0);
}

/* What is written to is on disk (or in memory) beforehand: a page that cannot
 * be had would end the process. */
static int
make_room(int fd, off_t at, size_t n, const char *path, struct err *err)
{
	int rc = posix_fallocate(fd, at, (off_t)n);

	if (rc == 0)
		return (0);
	err_set_errno(err, ERR_IO, rc, "no room for %s", path);
	return (-1);
}

static int
map(struct slots *s, struct err *err)
{
	void *p = mmap(NULL, sizeof(*s->file), PROT_READ | PROT_WRITE,
	    MAP_SHARED, s->fd, 0);

	if (p != MAP_FAILED) {
		s->file = p;
		return (0);
	}
	err_set_errno(err, ERR_IO, errno, "cannot map %s", s->path);
	return (-1);
}

/* An empty file, which is locked, becomes a good one. */
static int
fill(struct slots *s, struct err *err)
{
	struct slots_head *h;

	if (ftruncate(s->fd, sizeof(*s->file)) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot make %s", s->path);
		return (-1);
	}
	if (make_room(s->fd, 0, offsetof(struct slots_file, cells), s->path,
	    err) || map(s, err))
		return (-1);
	h = &s->file->head;
	h->layout = SLOTS_LAYOUT;
	h->print = metrics_print();
	boot_id(h->boot);
	atomic_store(&h->magic, SLOTS_MAGIC);
	return (0);
}

/* Is the file that is open, and locked, still the one at the path?  1, 0. */
static int
is_there(const struct slots *s, struct stat *st)
{
	struct stat at;

	return (fstat(s->fd, st) == 0 && stat(s->path, &at) == 0 &&
	    at.st_dev == st->st_dev && at.st_ino == st->st_ino);
}

/* 1: it is open; 0: it was replaced meanwhile, or is to be; -1: ${err}. */
static int
open_once(struct slots *s, struct err *err)
{
	struct stat st;
	int rc = -1;

	s->fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (s->fd == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot open %s", s->path);
		return (-1);
	}
	if (lock_file(s->fd, s->path, err))
		goto err0;
	rc = 0;
	if (!is_there(s, &st))
		goto err0;
	if (st.st_size == 0)
		rc = fill(s, err) == 0 ? 1 : -1;
	else if (st.st_size == sizeof(*s->file) && (rc = map(s, err)) == 0)
		rc = is_good(&s->file->head);
	if (rc == 1) {
		unlock_file(s->fd);
		return (1);
	}

	/* One of ours that is empty would be taken for good by the next. */
	if (unlink(s->path) == -1 && rc == 0) {
		err_set_errno(err, ERR_IO, errno, "cannot replace %s",
		    s->path);
		rc = -1;
	}

err0:
	if (s->file != NULL)
		(void)munmap(s->file, sizeof(*s->file));
	s->file = NULL;
	(void)close(s->fd);
	s->fd = -1;
	return (rc);
}

struct slots *
slots_open(const char *path, struct err *err)
{
	struct slots *s;
	int i, rc = 0;

	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->path = strdup(path)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for counters");
		goto err0;
	}
	for (i = 0; rc == 0 && i < OPEN_TRIES; i++)
		rc = open_once(s, err);
	if (rc == 1) {
		(void)pthread_mutex_init(&s->lock, NULL);
		return (s);
	}
	err_set(err, ERR_IO, "%s is replaced again and again", path);
	free(s->path);
err0:
	free(s);
	return (NULL);
}

struct slots *
slots_open_in(const char *run_dir, struct err *err)
{
	char path[256];

	if (snprintf(path, sizeof(path), "%s/metrics", run_dir) >=
	    (int)sizeof(path)) {
		err_set(err, ERR_TOO_LARGE, "run_dir %.100s is too long",
		    run_dir);
		return (NULL);
	}
	return (slots_open(path, err));
}

void
slots_close(struct slots *s)
{
	unsigned int i;

	if (s == NULL)
		return;
	for (i = 0; i < SLOTS_MAX; i++) {
		if (s->mine[i])
			free(s->claimed[i]);
	}
	(void)munmap(s->file, sizeof(*s->file));
	(void)close(s->fd);
	(void)pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}

int
slots_lock(struct slots *s, struct err *err)
{

	(void)pthread_mutex_lock(&s->lock);
	if (lock_file(s->fd, s->path, err) == 0)
		return (0);
	(void)pthread_mutex_unlock(&s->lock);
	return (-1);
}

void
slots_unlock(struct slots *s)
{

	unlock_file(s->fd);
	(void)pthread_mutex_unlock(&s->lock);
}

/* ---- a slot ---- */

/* That numbers of processes mean the same to us. */
static uint64_t
pid_world(void)
{
	struct stat st;

	return (stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino :
	    0);
}

static int64_t
wall_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* The cells of the last life are in what is retired. */
static void
begin_life(struct slots_entry *e, enum slot_kind kind)
{
	size_t i;

	atomic_store(&e->ncells, 0);
	atomic_store(&e->dropped, 0);
	for (i = 0; i < SLOT_GAUGES; i++)
		atomic_store(&e->gauges[i], 0);
	e->kind = (uint32_t)kind;
	e->pid = getpid();
	e->world = pid_world();
	e->started_ms = wall_ms();
	atomic_fetch_add(&e->life, 1);
}

/* A slot whose last life is retired, or that had none; locked. */
static int
find_free(struct slots *s)
{
	const struct slots_retired *r = slots_retired(s);
	unsigned int n;

	for (n = 0; n < SLOTS_MAX; n++) {
		if (atomic_load(&s->file->entries[n].life) == r->folded[n] &&
		    slots_is_dead(s, n))
			return ((int)n);
	}
	return (-1);
}

static struct slot *
claim(struct slots *s, enum slot_kind kind, struct err *err)
{
	struct slot *slot;
	int n;

	if (slots_fold(s, err))
		return (NULL);
	if ((n = find_free(s)) == -1) {
		err_set(err, ERR_RANGE, "all %d places of %s are taken",
		    SLOTS_MAX, s->path);
		return (NULL);
	}
	if ((slot = calloc(1, sizeof(*slot))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for counters");
		return (NULL);
	}
	slot->entry = &s->file->entries[n];
	slot->cells = s->file->cells[n];
	if (make_room(s->fd, (off_t)offsetof(struct slots_file, cells[n]),
	    sizeof(s->file->cells[n]), s->path, err))
		goto err0;
	if (lock_byte(s->fd, F_OFD_SETLK, F_WRLCK, 1 + (off_t)n) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot lock %s", s->path);
		goto err0;
	}
	begin_life(slot->entry, kind);
	s->mine[n] = true;
	s->claimed[n] = slot;
	return (slot);

err0:
	free(slot);
	return (NULL);
}

struct slot *
slots_claim(struct slots *s, enum slot_kind kind, struct err *err)
{
	struct slot *slot;

	if (slots_lock(s, err))
		return (NULL);
	slot = claim(s, kind, err);
	slots_unlock(s);
	return (slot);
}

/* ---- counting ---- */

/* The place of ${key} in the index: of its cell, or free. */
static unsigned int
index_of(const struct slot *s, uint64_t key)
{
	unsigned int i = (unsigned int)(key * UINT64_C(0x9e3779b97f4a7c15) >>
	    (64 - SLOT_INDEX_BITS));

	while (s->index[i] != 0 && atomic_load_explicit(
	    &s->cells[s->index[i] - 1].key, memory_order_relaxed) != key)
		i = (i + 1) % SLOT_INDEX;
	return (i);
}

static void
bump(_Atomic uint64_t *v, uint64_t n)
{

	atomic_store_explicit(v, atomic_load_explicit(v,
	    memory_order_relaxed) + n, memory_order_relaxed);
}

static void
add(struct slot *s, uint64_t key, uint64_t n)
{
	unsigned int i = index_of(s, key);
	uint32_t at;

	if (s->index[i] != 0) {
		bump(&s->cells[s->index[i] - 1].value, n);
		return;
	}
	at = atomic_load_explicit(&s->entry->ncells, memory_order_relaxed);
	if (at == SLOT_CELLS) {
		bump(&s->entry->dropped, 1);
		return;
	}
	atomic_store_explicit(&s->cells[at].key, key, memory_order_relaxed);
	atomic_store_explicit(&s->cells[at].value, n, memory_order_relaxed);
	atomic_store_explicit(&s->entry->ncells, at + 1,
	    memory_order_release);
	s->index[i] = (uint16_t)(at + 1);
}

void
slot_add(struct slot *s, uint64_t series, int64_t n)
{

	if (s != NULL && n >= 0)
		add(s, series, (uint64_t)n);
}

void
slot_observe(struct slot *s, uint64_t series, int64_t v)
{

	if (s == NULL || v < 0)
		return;
	add(s, series | METRIC_SUM, (uint64_t)v);
	add(s, series | metric_bucket((enum metric)series_metric(series), v),
	    1);
}

void
slot_set(struct slot *s, enum slot_gauge g, int64_t v)
{

	if (s != NULL)
		atomic_store_explicit(&s->entry->gauges[g], v,
		    memory_order_relaxed);
}
