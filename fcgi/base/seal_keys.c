#include <sys/file.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/seal_keys.h"

/* SEAL_KEYS_MAX lines of at most 98 characters, and comments. */
#define FILE_MAX_BYTES	(8 * 1024)

#define HEX_CHARS	(2 * SEAL_MASTER_BYTES)

static const char file_head[] =
    "# Master keys of leasehold, newest first.  Keep this file secret, and a\n"
    "# copy of it in a safe place: without it no credential can be read.\n";

/* ---- reading ---- */

static bool
is_id(const char *s, size_t n)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t i;

	for (i = 0; i < n; i++) {
		if (s[i] == '\0' || strchr(set, s[i]) == NULL)
			return (false);
	}
	return (n > 0 && n <= SEAL_ID_MAX);
}

/* Add the key on a line "ID HEX64"; -1 if it has another form. */
static int
parse_key(struct seal_keys *keys, const char *line, size_t n)
{
	const char *hex = memchr(line, ' ', n);
	size_t idlen, i, len;

	if (hex == NULL || keys->n == SEAL_KEYS_MAX)
		return (-1);
	idlen = (size_t)(hex++ - line);
	if (!is_id(line, idlen) || n - idlen - 1 != HEX_CHARS)
		return (-1);
	for (i = 0; i < keys->n; i++) {
		if (strlen(keys->keys[i].id) == idlen &&
		    memcmp(keys->keys[i].id, line, idlen) == 0)
			return (-1);
	}
	if (sodium_hex2bin(keys->keys[keys->n].master, SEAL_MASTER_BYTES, hex,
	    HEX_CHARS, NULL, &len, NULL) || len != SEAL_MASTER_BYTES)
		return (-1);
	memcpy(keys->keys[keys->n].id, line, idlen);
	keys->keys[keys->n++].id[idlen] = '\0';
	return (0);
}

static int
parse_keys(struct seal_keys *keys, const char *path, const char *p, size_t n,
    struct err *err)
{
	const char *end;
	size_t len;
	int line;

	for (line = 1; n > 0; line++) {
		end = memchr(p, '\n', n);
		len = end == NULL ? n : (size_t)(end - p);
		if (len > 0 && p[0] != '#' && parse_key(keys, p, len)) {
			/* The line itself may be a key: it is not shown. */
			err_set(err, ERR_INVAL, "cannot use master key file "
			    "%s: line %d is not \"ID\" and %d hex digits, or "
			    "the id came before, or it is more than the %d "
			    "keys allowed", path, line, HEX_CHARS,
			    SEAL_KEYS_MAX);
			return (-1);
		}
		len += end != NULL;
		p += len;
		n -= len;
	}
	if (keys->n == 0) {
		err_set(err, ERR_INVAL, "cannot use master key file %s: there "
		    "is no key in it", path);
		return (-1);
	}
	return (0);
}

static int
open_file(const char *path, struct stat *st, struct err *err)
{
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1) {
		err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND :
		    errno == EACCES ? ERR_PERM : ERR_IO, errno,
		    "cannot open master key file %s", path);
		goto err0;
	}
	if (fstat(fd, st)) {
		err_set_errno(err, ERR_IO, errno,
		    "cannot stat master key file %s", path);
		goto err1;
	}
	if (!S_ISREG(st->st_mode)) {
		err_set(err, ERR_INVAL, "cannot use master key file %s: it is "
		    "not a regular file", path);
		goto err1;
	}
	if ((st->st_mode & 077) != 0) {
		err_set(err, ERR_PERM, "refusing master key file %s: mode %04o "
		    "lets others at it; run: chmod 600 %s", path,
		    (unsigned int)st->st_mode & 07777, path);
		goto err1;
	}
	return (fd);

err1:
	close(fd);
err0:
	return (-1);
}

/* Read all of the file into ${b}, which the caller wipes. */
static int
read_file(int fd, const char *path, struct buf *b, struct err *err)
{
	unsigned char *room;
	ssize_t n;

	if ((room = buf_reserve(b, FILE_MAX_BYTES + 1)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for master keys");
		return (-1);
	}
	do {
		n = read(fd, room + buf_len(b), FILE_MAX_BYTES + 1 -
		    buf_len(b));
		if (n > 0)
			buf_commit(b, (size_t)n);
	} while (n > 0 || (n == -1 && errno == EINTR));
	if (n == -1) {
		err_set_errno(err, ERR_IO, errno,
		    "cannot read master key file %s", path);
		return (-1);
	}
	if (buf_len(b) > FILE_MAX_BYTES) {
		err_set(err, ERR_TOO_LARGE, "cannot use master key file %s: it "
		    "is longer than %d bytes", path, FILE_MAX_BYTES);
		return (-1);
	}
	return (0);
}

static int
read_keys(int fd, const char *path, struct seal_keys *keys, struct err *err)
{
	struct buf b;
	int rc;

	memset(keys, 0, sizeof(*keys));
	buf_init(&b, FILE_MAX_BYTES + 1);
	rc = read_file(fd, path, &b, err);
	if (rc == 0)
		rc = parse_keys(keys, path, (const char *)buf_head(&b),
		    buf_len(&b), err);
	buf_wipe(&b);
	if (rc != 0)
		sodium_memzero(keys, sizeof(*keys));
	return (rc);
}

int
seal_keys_read(struct seal_keys *keys, const char *path, struct err *err)
{
	struct stat st;
	int fd, rc;

	if ((fd = open_file(path, &st, err)) == -1)
		return (-1);
	rc = read_keys(fd, path, keys, err);
	close(fd);
	return (rc);
}

/* ---- writing ---- */

/* Put a new random key before the others; there is room for it. */
static void
add_key(struct seal_keys *keys)
{
	unsigned char id[4];

	memmove(&keys->keys[1], &keys->keys[0],
	    keys->n * sizeof(keys->keys[0]));
	keys->n++;
	seal_random(id, sizeof(id));
	(void)snprintf(keys->keys[0].id, sizeof(keys->keys[0].id),
	    "k%02x%02x%02x%02x", id[0], id[1], id[2], id[3]);
	seal_random(keys->keys[0].master, SEAL_MASTER_BYTES);
}

static int
format_keys(const struct seal_keys *keys, struct buf *b, struct err *err)
{
	char hex[HEX_CHARS + 1];
	size_t i;
	int rc;

	/* All at once, as growing would leave copies of keys behind. */
	rc = buf_reserve(b, FILE_MAX_BYTES) == NULL ? -1 :
	    buf_puts(b, file_head);
	for (i = 0; rc == 0 && i < keys->n; i++) {
		sodium_bin2hex(hex, sizeof(hex), keys->keys[i].master,
		    SEAL_MASTER_BYTES);
		rc = buf_printf(b, "%s %s\n", keys->keys[i].id, hex);
	}
	sodium_memzero(hex, sizeof(hex));
	if (rc != 0)
		err_set(err, ERR_NOMEM, "no memory for master keys");
	return (rc);
}

static int
write_all(int fd, const struct buf *b)
{
	const unsigned char *p = buf_head(b);
	size_t n = buf_len(b);
	ssize_t w;

	while (n > 0) {
		if ((w = write(fd, p, n)) == -1 && errno == EINTR)
			continue;
		if (w == -1)
			return (-1);
		p += w;
		n -= (size_t)w;
	}
	return (fsync(fd));
}

/*
 * Write a file beside ${path}, whole and on disk; its name goes to ${temp}.
 * ${like} gives owner and group, NULL: whoever runs this.
 */
static int
write_temp(const char *path, const struct seal_keys *keys,
    const struct stat *like, char temp[PATH_MAX], struct err *err)
{
	struct buf b;
	int fd;

	buf_init(&b, FILE_MAX_BYTES);
	if (format_keys(keys, &b, err))
		goto err0;
	if (snprintf(temp, PATH_MAX, "%s.XXXXXX", path) >= PATH_MAX) {
		err_set(err, ERR_INVAL, "the path of the master key file is "
		    "too long");
		goto err0;
	}
	if ((fd = mkstemp(temp)) == -1) {
		err_set_errno(err, errno == EACCES ? ERR_PERM : ERR_IO, errno,
		    "cannot create %s", temp);
		goto err0;
	}
	if ((like != NULL && (like->st_uid != geteuid() ||
	    like->st_gid != getegid()) &&
	    fchown(fd, like->st_uid, like->st_gid)) || write_all(fd, &b)) {
		err_set_errno(err, ERR_IO, errno, "cannot write %s", temp);
		goto err1;
	}
	buf_wipe(&b);
	close(fd);
	return (0);

err1:
	close(fd);
	(void)unlink(temp);
err0:
	buf_wipe(&b);
	return (-1);
}

/* The new name is to last as well as what it names. */
static int
sync_folder(const char *path, struct err *err)
{
	char copy[PATH_MAX];
	int fd, rc;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd == -1 ? -1 : fsync(fd);
	if (rc != 0)
		err_set_errno(err, ERR_IO, errno,
		    "cannot put the folder of %s on disk", path);
	if (fd != -1)
		close(fd);
	return (rc);
}

int
seal_create_file(const char *path, struct err *err)
{
	char temp[PATH_MAX];
	struct seal_keys keys;
	int rc;

	memset(&keys, 0, sizeof(keys));
	add_key(&keys);
	rc = write_temp(path, &keys, NULL, temp, err);
	sodium_memzero(&keys, sizeof(keys));
	if (rc != 0)
		return (-1);

	/* Unlike a rename, a link never takes the place of another file. */
	rc = link(temp, path);
	if (rc != 0)
		err_set_errno(err, errno == EEXIST ? ERR_EXISTS : ERR_IO,
		    errno, "cannot create master key file %s", path);
	(void)unlink(temp);
	return (rc != 0 ? -1 : sync_folder(path, err));
}

/*
 * Open and lock the file.  Who waited for the lock may hold a file that was
 * replaced meanwhile; then the new one is to be locked.
 */
static int
open_locked(const char *path, struct stat *st, struct err *err)
{
	struct stat now;
	int fd;

	for (;;) {
		if ((fd = open_file(path, st, err)) == -1)
			return (-1);
		if (flock(fd, LOCK_EX) || stat(path, &now)) {
			err_set_errno(err, ERR_IO, errno,
			    "cannot lock master key file %s", path);
			close(fd);
			return (-1);
		}
		if (now.st_ino == st->st_ino && now.st_dev == st->st_dev)
			return (fd);
		close(fd);
	}
}

static int
add_first(struct seal_keys *keys, const char *path, struct err *err)
{

	if (keys->n == SEAL_KEYS_MAX) {
		err_set(err, ERR_INVAL, "cannot rotate master key file %s: it "
		    "has %d keys already; seal all anew and prune it first",
		    path, SEAL_KEYS_MAX);
		return (-1);
	}
	add_key(keys);
	return (0);
}

static int
keep_first(struct seal_keys *keys, const char *path, struct err *err)
{

	(void)path;
	(void)err;
	keys->n = 1;
	return (0);
}

/* Replace the file by one with ${change} made to its keys. */
static int
change_file(const char *path, int (*change)(struct seal_keys *keys,
    const char *path, struct err *err), struct err *err)
{
	char real[PATH_MAX], temp[PATH_MAX];
	struct seal_keys keys;
	struct stat st;
	int fd;

	if (realpath(path, real) == NULL) {
		err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
		    errno, "cannot open master key file %s", path);
		goto err0;
	}
	if ((fd = open_locked(real, &st, err)) == -1)
		goto err0;
	if (read_keys(fd, real, &keys, err))
		goto err1;
	if (change(&keys, real, err) || write_temp(real, &keys, &st, temp, err))
		goto err2;
	if (rename(temp, real)) {
		err_set_errno(err, ERR_IO, errno,
		    "cannot replace master key file %s", real);
		(void)unlink(temp);
		goto err2;
	}
	sodium_memzero(&keys, sizeof(keys));
	close(fd);
	return (sync_folder(real, err));

err2:
	sodium_memzero(&keys, sizeof(keys));
err1:
	close(fd);
err0:
	return (-1);
}

int
seal_rotate_file(const char *path, struct err *err)
{

	return (change_file(path, add_first, err));
}

int
seal_prune_file(const char *path, struct err *err)
{

	return (change_file(path, keep_first, err));
}
