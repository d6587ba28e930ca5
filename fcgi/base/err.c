#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static const struct err_info infos[] = {
	[ERR_NONE] = { "none", "no error", 200, false },
	[ERR_NOMEM] = { "nomem", "out of memory", 503, true },
	[ERR_INVAL] = { "inval", "invalid input", 400, false },
	[ERR_RANGE] = { "range", "a number is out of range", 400, false },
	[ERR_TOO_LARGE] = { "too_large", "input is too large", 413, false },
	[ERR_NOT_FOUND] = { "not_found", "not found", 404, false },
	[ERR_EXISTS] = { "exists", "it exists already", 409, false },
	[ERR_PERM] = { "perm", "permission is missing", 403, false },
	[ERR_IO] = { "io", "input or output failed", 500, false },
	[ERR_PROTO] = { "proto", "the peer broke the protocol", 502, false },
	[ERR_TIMEOUT] = { "timeout", "it took too long", 504, true },
	[ERR_CRYPTO] = { "crypto", "wrong key, or damaged data", 500, false },
	[ERR_SCHEMA] = { "schema", "the database schema does not fit this "
		"version", 503, false },
	[ERR_STORE_BUSY] = { "store_busy", "the database is busy", 503, true },
	[ERR_STORE_DOWN] = { "store_down", "the database cannot be used now",
		503, true },
	[ERR_STORE_UNKNOWN] = { "store_unknown", "the database did not say "
		"whether it took the change", 503, false },
	[ERR_CANCELLED] = { "cancelled", "cancelled by the caller", 499,
		false },
	[ERR_INTERNAL] = { "internal", "internal error", 500, false },
};

_Static_assert(sizeof(infos) / sizeof(infos[0]) == ERR_NCODES,
    "one row for each error code");

/* Write the text unless an earlier error holds the place; 1 if written. */
static int __attribute__((__format__(__printf__, 3, 0)))
vset(struct err *err, enum err_code code, const char *fmt, va_list ap)
{

	if (err == NULL || err->code != ERR_NONE)
		return (0);
	err->code = code;
	if (vsnprintf(err->text, sizeof(err->text), fmt, ap) < 0)
		err->text[0] = '\0';
	return (1);
}

void
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vset(err, code, fmt, ap);
	va_end(ap);
}

void
err_set_errno(struct err *err, enum err_code code, int errnum,
    const char *fmt, ...)
{
	char reason[128];
	va_list ap;
	size_t len;
	int written;

	va_start(ap, fmt);
	written = vset(err, code, fmt, ap);
	va_end(ap);
	if (!written)
		return;
	if (strerror_r(errnum, reason, sizeof(reason)) != 0)
		(void)snprintf(reason, sizeof(reason), "error %d", errnum);
	len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof(err->text) - len, ": %s",
	    reason);
}

void
err_clear(struct err *err)
{

	if (err == NULL)
		return;
	err->code = ERR_NONE;
	err->text[0] = '\0';
}

const struct err_info *
err_info(enum err_code code)
{

	if ((unsigned int)code >= ERR_NCODES)
		code = ERR_INTERNAL;
	return (&infos[code]);
}
