#ifndef ADMIN_SECRET_H_
#define ADMIN_SECRET_H_

#include <stddef.h>

struct err;

/**
 * secret_read(prompt, secret, len, err):
 * Read a secret: asked for without echo where standard input is a terminal,
 * else all of standard input.  One line end behind it is taken off.  The
 * caller gives it to seal_wipe_free.  0, or -1: ERR_CANCELLED by control-C,
 * ERR_TOO_LARGE, ERR_INVAL when it is empty.
 */
int secret_read(const char *prompt, char **secret, size_t *len,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * secret_line(prompt, secret, len, err):
 * The same for one of several: up to the next line end of standard input,
 * where that is no terminal.
 */
int secret_line(const char *prompt, char **secret, size_t *len,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * secret_file(path, max, len, err):
 * All of a file that holds secrets, or of standard input where ${path} is "-",
 * with a NUL behind; the caller gives it and ${max} to seal_wipe_free.  NULL
 * with ${err}: ERR_NOT_FOUND, ERR_IO, ERR_NOMEM, ERR_TOO_LARGE when it has
 * ${max} bytes or more, ERR_INVAL when there is a NUL in it.
 */
char *secret_file(const char *path, size_t max, size_t *len, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_SECRET_H_ */
