#include "config.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/err.h"
#include "base/grow.h"
#include "store/spool.h"

#define SUFFIX		".spool"
#define SUFFIX_NEW	".spool-new"
#define SUFFIX_REFUSED	".refused"

#define FILE_MAGIC	"LHSPOOL1"
#define RECORD_MAGIC	UINT32_C(0x4c53504c)

/* A sector: where records begin. */
#define HEAD_BYTES	512
#define ALIGN		8
#define SUM_BYTES	16

/* No file is read that is larger than the setting allows. */
#define FILE_MAX	(INT64_C(1) << 30)

enum record_state {
	RECORD_PENDING,
	RECORD_DONE
};

struct file_head {
	char magic[8];
	struct spool_id id;
	unsigned char sum[SUM_BYTES];	/* of what is before it */
};

struct record_head {
	uint32_t magic;
	uint32_t state;
	uint32_t len;
	uint32_t zero;
	unsigned char sum[SUM_BYTES];	/* of place, length and payload */
};

_Static_assert(sizeof(struct record_head) == 32, "as the header draws it");
_Static_assert(crypto_generichash_BYTES_MIN <= SUM_BYTES, "a short hash");

struct record {
	int64_t off;
	uint32_t len;
	bool done;
};

struct spool {
	int fd;
	char *path;
	struct spool_id id;
	int64_t size;
	int64_t end;		/* where the next record goes */
	struct record *list;
	size_t n, cap;
	size_t pending;
	size_t damaged;
	bool failed;		/* what was put last may not be on disk */
};

/* ---- bytes ---- */

static int64_t
padded(uint32_t len)
{

	return ((int64_t)sizeof(struct record_head) +
	    ((int64_t)len + ALIGN - 1) / ALIGN * ALIGN);
}

static void
record_sum(int64_t off, uint32_t len, const void *p,
    unsigned char sum[SUM_BYTES])
{
	crypto_generichash_state h;

	(void)crypto_generichash_init(&h, NULL, 0, SUM_BYTES);
	(void)crypto_generichash_update(&h, (const unsigned char *)&off,
	    sizeof(off));
	(void)crypto_generichash_update(&h, (const unsigned char *)&len,
	    sizeof(len));
	(void)crypto_generichash_update(&h, p, len);
	(void)crypto_generichash_final(&h, sum, SUM_BYTES);
}

static void
head_sum(const struct file_head *h, unsigned char sum[SUM_BYTES])
{

	(void)crypto_generichash(sum, SUM_BYTES, (const unsigned char *)h,
	    offsetof(struct file_head, sum), NULL, 0);
}

static int
write_at(int fd, const void *p, size_t n, int64_t off)
{
	const unsigned char *from = p;
	ssize_t w;

	while (n > 0) {
		w = pwrite(fd, from, n, off);
		if (w == -1 && errno == EINTR)
			continue;
		if (w <= 0)
			return (-1);
		from += w;
		off += w;
		n -= (size_t)w;
	}
	return (0);
}

/* 0, or -1, also when the file ends before. */
static int
read_at(int fd, void *p, size_t n, int64_t off)
{
	unsigned char *to = p;
	ssize_t r;

	while (n > 0) {
		r = pread(fd, to, n, off);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == 0)
			errno = EIO;
		if (r <= 0)
			return (-1);
		to += r;
		off += r;
		n -= (size_t)r;
	}
	return (0);
}

static int
write_zeros(int fd, int64_t off, int64_t end)
{
	static const unsigned char zeros[16384];
	size_t n;

	for (; off < end; off += (int64_t)n) {
		n = end - off < (int64_t)sizeof(zeros) ? (size_t)(end - off) :
		    sizeof(zeros);
		if (write_at(fd, zeros, n, off))
			return (-1);
	}
	return (0);
}

/* ---- what a file holds ---- */

/* A whole record at ${off} of the ${size} bytes at ${p}? */
static bool
record_at(const unsigned char *p, int64_t size, int64_t off,
    struct record_head *h)
{
	unsigned char sum[SUM_BYTES];

	if (size - off < (int64_t)sizeof(*h))
		return (false);
	memcpy(h, p + off, sizeof(*h));
	if (h->magic != RECORD_MAGIC || h->len > SPOOL_RECORD_MAX ||
	    padded(h->len) > size - off)
		return (false);
	record_sum(off, h->len, p + off + sizeof(*h), sum);
	return (memcmp(sum, h->sum, sizeof(sum)) == 0);
}

static bool
is_zero(const unsigned char *p, int64_t size, int64_t off)
{
	static const unsigned char none[sizeof(struct record_head)];
	int64_t n = size - off;

	if (n > (int64_t)sizeof(none))
		n = sizeof(none);
	return (n <= 0 || memcmp(p + off, none, (size_t)n) == 0);
}

/*
 * Find the next record from *${off} on; what is there instead and is not empty
 * is damaged.  False: there is none.
 */
static bool
find_record(const unsigned char *p, int64_t size, int64_t *off,
    struct record_head *h, size_t *damaged)
{
	int64_t at = *off;

	if (record_at(p, size, at, h))
		return (true);
	if (!is_zero(p, size, at))
		(*damaged)++;
	for (at += ALIGN; at < size; at += ALIGN) {
		if (!record_at(p, size, at, h))
			continue;
		if (is_zero(p, size, *off))
			(*damaged)++;
		*off = at;
		return (true);
	}
	return (false);
}

static int
make_room(struct spool *sp, struct err *err)
{
	struct record *list;

	list = grow_list(sp->list, sp->n, &sp->cap, sizeof(*list));
	if (list == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a spool file");
		return (-1);
	}
	sp->list = list;
	return (0);
}

static int
index_records(struct spool *sp, const unsigned char *p, struct err *err)
{
	struct record_head h;
	int64_t off = HEAD_BYTES;

	while (find_record(p, sp->size, &off, &h, &sp->damaged)) {
		if (make_room(sp, err))
			return (-1);
		sp->list[sp->n++] = (struct record) {
			.off = off,
			.len = h.len,
			.done = h.state == RECORD_DONE,
		};
		sp->pending += h.state != RECORD_DONE;
		off += padded(h.len);
	}
	sp->end = off;
	return (0);
}

static int
check_head(struct spool *sp, const unsigned char *p, struct err *err)
{
	unsigned char sum[SUM_BYTES];
	struct file_head h;

	memcpy(&h, p, sizeof(h));
	head_sum(&h, sum);
	if (memcmp(h.magic, FILE_MAGIC, sizeof(h.magic)) != 0 ||
	    memcmp(h.sum, sum, sizeof(sum)) != 0) {
		err_set(err, ERR_INVAL, "%s is no spool file, or its head is "
		    "damaged", sp->path);
		return (-1);
	}
	sp->id = h.id;
	return (0);
}

/* Read the whole of an open file. */
static int
load(struct spool *sp, struct err *err)
{
	unsigned char *p = NULL;
	struct stat st;
	int rc = -1;

	if (fstat(sp->fd, &st) == -1 || st.st_size < HEAD_BYTES ||
	    st.st_size > FILE_MAX) {
		err_set(err, ERR_INVAL, "%s has not the size of a spool file",
		    sp->path);
		return (-1);
	}
	sp->size = st.st_size;
	if ((p = malloc((size_t)sp->size)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for %s", sp->path);
		return (-1);
	}
	if (read_at(sp->fd, p, (size_t)sp->size, 0))
		err_set_errno(err, ERR_IO, errno, "cannot read %s", sp->path);
	else if (check_head(sp, p, err) == 0)
		rc = index_records(sp, p, err);
	free(p);
	return (rc);
}

/* ---- life ---- */

static struct spool *
new_spool(const char *path, struct err *err)
{
	struct spool *sp;

	if ((sp = calloc(1, sizeof(*sp))) == NULL ||
	    (sp->path = strdup(path)) == NULL) {
		free(sp);
		err_set(err, ERR_NOMEM, "no memory for a spool file");
		return (NULL);
	}
	sp->fd = -1;
	sp->end = HEAD_BYTES;
	return (sp);
}

static void
free_spool(struct spool *sp)
{

	if (sp->fd != -1)
		close(sp->fd);
	free(sp->list);
	free(sp->path);
	free(sp);
}

static int
write_head(struct spool *sp)
{
	struct file_head h = { .id = sp->id };

	memcpy(h.magic, FILE_MAGIC, sizeof(h.magic));
	head_sum(&h, h.sum);
	return (write_at(sp->fd, &h, sizeof(h), 0));
}

/* Under a name of its own until it is whole and locked: nobody adopts it. */
static int
fill_new(struct spool *sp, const char *making, struct err *err)
{
	int rc;

	sp->fd = open(making, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (sp->fd == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot make %s (is "
		    "spool_dir there and writable?)", making);
		return (-1);
	}
	if (flock(sp->fd, LOCK_EX | LOCK_NB) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot lock %s", making);
		goto err0;
	}
	rc = posix_fallocate(sp->fd, 0, sp->size);
	if (rc != 0) {
		err_set_errno(err, ERR_IO, rc, "cannot allocate %" PRId64
		    " bytes for %s (see spool_bytes)", sp->size, making);
		goto err0;
	}
	if (write_head(sp) || fdatasync(sp->fd) == -1 ||
	    rename(making, sp->path) == -1) {
		err_set_errno(err, ERR_IO, errno, "cannot write %s", making);
		goto err0;
	}
	return (0);

err0:
	(void)unlink(making);
	return (-1);
}

/* The new name is to outlive a loss of power. */
static void
sync_folder(const char *dir)
{
	int fd;

	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return;
	(void)fsync(fd);
	close(fd);
}

struct spool *
spool_create(const char *dir, int64_t bytes, const struct spool_id *id,
    struct err *err)
{
	char path[PATH_MAX], making[PATH_MAX];
	struct spool *sp;
	uint64_t random;
	int n;

	randombytes_buf(&random, sizeof(random));
	n = snprintf(path, sizeof(path), "%s/%016" PRIx64 SUFFIX, dir, random);
	if (n < 0 || (size_t)n + sizeof(SUFFIX_NEW) > sizeof(making)) {
		err_set(err, ERR_TOO_LARGE, "spool_dir is too long");
		return (NULL);
	}
	snprintf(making, sizeof(making), "%.*s" SUFFIX_NEW,
	    (int)((size_t)n - sizeof(SUFFIX) + 1), path);
	(void)mkdir(dir, 0750);
	if ((sp = new_spool(path, err)) == NULL)
		return (NULL);
	sp->id = *id;
	sp->size = bytes;
	if (fill_new(sp, making, err)) {
		free_spool(sp);
		return (NULL);
	}
	sync_folder(dir);
	return (sp);
}

/* Locked, and still what ${path} names?  1, 0, -1 with errno. */
static int
lock_left(const char *path, int *fd)
{
	struct stat st;

	if ((*fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0 && fstat(*fd, &st) == 0 &&
	    st.st_nlink > 0)
		return (1);
	close(*fd);
	*fd = -1;
	return (0);
}

int
spool_adopt(const char *path, struct spool **out, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	struct spool *sp;
	int rc;

	if ((sp = new_spool(path, err)) == NULL)
		return (-1);
	rc = lock_left(path, &sp->fd);
	if (rc < 0)
		err_set_errno(err, ERR_IO, errno, "cannot open %s", path);
	if (rc <= 0) {
		free_spool(sp);
		return (rc);
	}
	if (load(sp, &why) == 0) {
		*out = sp;
		return (1);
	}
	err_set(err, why.code, "%s", why.text);
	if (why.code == ERR_INVAL)
		spool_refuse(sp);
	else
		free_spool(sp);
	return (-1);
}

void
spool_close(struct spool *sp)
{

	if (sp == NULL)
		return;
	if (sp->pending == 0)
		(void)unlink(sp->path);
	free_spool(sp);
}

void
spool_refuse(struct spool *sp)
{
	char aside[PATH_MAX];
	int n;

	n = snprintf(aside, sizeof(aside), "%s" SUFFIX_REFUSED, sp->path);
	if (n > 0 && (size_t)n < sizeof(aside))
		(void)rename(sp->path, aside);
	free_spool(sp);
}

bool
spool_is(const struct spool *sp, const struct spool_id *id)
{

	return (memcmp(sp->id.installation, id->installation,
	    sizeof(id->installation)) == 0 && sp->id.epoch == id->epoch);
}

const char *
spool_path(const struct spool *sp)
{

	return (sp->path);
}

size_t
spool_pending(const struct spool *sp)
{

	return (sp->pending);
}

size_t
spool_damaged(const struct spool *sp)
{

	return (sp->damaged);
}

/* ---- records ---- */

int
spool_put(struct spool *sp, const void *p, size_t n, struct err *err)
{
	unsigned char whole[sizeof(struct record_head) + SPOOL_RECORD_MAX];
	struct record_head h = { .magic = RECORD_MAGIC };
	int64_t room = sp->size - sp->end;

	if (n > SPOOL_RECORD_MAX || sp->failed ||
	    padded((uint32_t)n) > room) {
		err_set(err, ERR_TOO_LARGE, "no room in %s (see spool_bytes)",
		    sp->path);
		return (-1);
	}
	if (make_room(sp, err))
		return (-1);
	h.len = (uint32_t)n;
	record_sum(sp->end, h.len, p, h.sum);
	memset(whole, 0, sizeof(whole));
	memcpy(whole, &h, sizeof(h));
	memcpy(whole + sizeof(h), p, n);
	if (write_at(sp->fd, whole, (size_t)padded(h.len), sp->end)) {
		err_set_errno(err, ERR_IO, errno, "cannot write %s", sp->path);
		(void)write_zeros(sp->fd, sp->end, sp->end + padded(h.len));
		return (-1);
	}
	sp->list[sp->n++] = (struct record) { .off = sp->end, .len = h.len };
	sp->end += padded(h.len);
	sp->pending++;
	return (0);
}

int
spool_sync(struct spool *sp, struct err *err)
{

	if (fdatasync(sp->fd) == 0)
		return (0);
	err_set_errno(err, ERR_IO, errno, "cannot write %s to disk", sp->path);
	sp->failed = true;
	return (-1);
}

bool
spool_seek(const struct spool *sp, size_t *i)
{

	while (*i < sp->n && sp->list[*i].done)
		(*i)++;
	return (*i < sp->n);
}

int
spool_read(const struct spool *sp, size_t i, void *buf, size_t *n,
    struct err *err)
{
	const struct record *r = &sp->list[i];
	unsigned char sum[SUM_BYTES];
	struct record_head h;

	if (read_at(sp->fd, &h, sizeof(h), r->off) ||
	    read_at(sp->fd, buf, r->len, r->off + (int64_t)sizeof(h))) {
		err_set_errno(err, ERR_IO, errno, "cannot read %s", sp->path);
		return (-1);
	}
	record_sum(r->off, r->len, buf, sum);
	if (h.len != r->len || memcmp(sum, h.sum, sizeof(sum)) != 0) {
		err_set(err, ERR_IO, "%s changed since it was written",
		    sp->path);
		return (-1);
	}
	*n = r->len;
	return (0);
}

void
spool_done(struct spool *sp, size_t i)
{
	static const uint32_t done = RECORD_DONE;
	struct record *r = &sp->list[i];

	if (r->done)
		return;
	r->done = true;
	sp->pending--;
	(void)write_at(sp->fd, &done, sizeof(done), r->off +
	    (int64_t)offsetof(struct record_head, state));
}

void
spool_reset(struct spool *sp)
{

	if (sp->pending > 0 || sp->n == 0)
		return;
	if (write_zeros(sp->fd, HEAD_BYTES, sp->end) ||
	    fdatasync(sp->fd) == -1)
		return;
	sp->failed = false;
	sp->end = HEAD_BYTES;
	sp->n = 0;
}

/* ---- a folder ---- */

static bool
ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return (n > m && strcmp(name + n - m, suffix) == 0);
}

/* Its maker died over it. */
static void
remove_unfinished(const char *path)
{
	int fd;

	if (lock_left(path, &fd) != 1)
		return;
	(void)unlink(path);
	close(fd);
}

int
spool_look(const char *dir, int (*cb)(void *arg, const char *path), void *arg,
    struct err *err)
{
	char path[PATH_MAX];
	const struct dirent *de;
	int rc = 0;
	DIR *d;

	if ((d = opendir(dir)) == NULL) {
		if (errno == ENOENT)
			return (0);
		err_set_errno(err, ERR_IO, errno, "cannot open %s", dir);
		return (-1);
	}
	while (rc == 0 && (de = readdir(d)) != NULL) {
		if (snprintf(path, sizeof(path), "%s/%s", dir, de->d_name) >=
		    (int)sizeof(path))
			continue;
		if (ends_with(de->d_name, SUFFIX_NEW))
			remove_unfinished(path);
		else if (ends_with(de->d_name, SUFFIX) ||
		    ends_with(de->d_name, SUFFIX_REFUSED))
			rc = cb(arg, path);
	}
	closedir(d);
	return (rc);
}

bool
spool_is_refused(const char *path)
{

	return (ends_with(path, SUFFIX_REFUSED));
}

struct counting {
	struct spool_count *out;
	struct err *err;
};

/* One that went away meanwhile counts for nothing. */
static int
count_file(void *arg, const char *path)
{
	struct counting *c = arg;
	struct spool *sp;
	int rc = 0;

	if (spool_is_refused(path)) {
		c->out->refused++;
		return (0);
	}
	if ((sp = new_spool(path, c->err)) == NULL)
		return (-1);
	sp->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (sp->fd != -1 && (rc = load(sp, c->err)) == 0) {
		c->out->files++;
		c->out->records += (int64_t)sp->pending;
	} else if (sp->fd == -1 && errno != ENOENT) {
		err_set_errno(c->err, ERR_IO, errno, "cannot open %s", path);
		rc = -1;
	}
	free_spool(sp);
	return (rc);
}

int
spool_count(const char *dir, struct spool_count *out, struct err *err)
{
	struct counting c = { .out = out, .err = err };

	*out = (struct spool_count) { 0 };
	return (spool_look(dir, count_file, &c, err));
}
