#ifndef BASE_ERR_H_
#define BASE_ERR_H_

#include <stdbool.h>

/**
 * What can go wrong, in one table.  Local failures are disjoint from the
 * statuses an upstream answers with, and "outcome unknown" is one of them.
 */
enum err_code {
	ERR_NONE = 0,
	ERR_NOMEM,		/* memory, or a stated maximum, is used up */
	ERR_INVAL,		/* bad input: argument, config, request */
	ERR_RANGE,		/* a number outside of what is allowed */
	ERR_TOO_LARGE,		/* input longer than its bound */
	ERR_NOT_FOUND,
	ERR_EXISTS,		/* a constraint says that it is there already */
	ERR_PERM,		/* file mode, owner, or right missing */
	ERR_IO,
	ERR_PROTO,		/* the peer broke the protocol */
	ERR_TIMEOUT,
	ERR_CRYPTO,		/* wrong key, forged or damaged ciphertext */
	ERR_SCHEMA,		/* schema older or newer than the program */
	ERR_STORE_BUSY,		/* lock or deadlock: run it again */
	ERR_STORE_DOWN,		/* the database cannot be used now */
	ERR_STORE_UNKNOWN,	/* COMMIT sent, answer lost */
	ERR_CANCELLED,		/* the caller took it back */
	ERR_INTERNAL,
	ERR_NCODES
};

struct err {
	enum err_code code;
	char text[256];
};

/** One row of the table of codes. */
struct err_info {
	const char *name;	/* for logs: "store_down" */
	const char *message;	/* for people, without operand */
	int http_status;	/* what a client is told */
	bool retryable;		/* the same call may succeed later */
};

/**
 * err_set(err, code, fmt, ...):
 * Record ${code} and a text that names the operand ("cannot open /x/y: ...").
 * ${err} may be NULL.  The first error wins: nothing happens if ${err} holds
 * one already.  Any thread, on an ${err} of its own.
 */
void err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((__format__(__printf__, 3, 4)));

/**
 * err_set_errno(err, code, errnum, fmt, ...):
 * As err_set, with ": " and the text of ${errnum} added.
 */
void err_set_errno(struct err *err, enum err_code code, int errnum,
    const char *fmt, ...) __attribute__((__format__(__printf__, 4, 5)));

/** err_clear(err): Make ${err} ready for use or reuse.  NULL is allowed. */
void err_clear(struct err *err);

/** err_info(code): Borrow the table row of ${code}; never NULL. */
const struct err_info *err_info(enum err_code code);

#endif /* !BASE_ERR_H_ */
