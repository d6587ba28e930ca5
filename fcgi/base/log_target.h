#ifndef BASE_LOG_TARGET_H_
#define BASE_LOG_TARGET_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct log_target_kind;

/** Where the lines of a log go.  The log's own; one thread at a time. */
struct log_target {
	const struct log_target_kind *kind;
	char *path;		/* of "file:"; else NULL */
	int fd;			/* -1: none */
};

/**
 * log_target_open(t, name, err):
 * Open "stderr", "syslog" or "file:/path".  0, or -1 with ${err}.
 */
int log_target_open(struct log_target *t, const char *name, struct err *err)
    __attribute__((__warn_unused_result__));
void log_target_close(struct log_target *t);

/**
 * log_target_reopen(t, err):
 * Open a file by its name again; the old one stays in use if that fails.
 * Nothing for other targets.
 */
int log_target_reopen(struct log_target *t, struct err *err)
    __attribute__((__warn_unused_result__));

/**
 * log_target_write(t, p, n):
 * Write ${n} bytes, whole lines as log_end makes them.  Returns how many
 * lines were lost; 0 when all went well.
 */
uint64_t log_target_write(struct log_target *t, const char *p, size_t n)
    __attribute__((__warn_unused_result__));

#endif /* !BASE_LOG_TARGET_H_ */
