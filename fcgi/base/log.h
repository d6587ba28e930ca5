#ifndef BASE_LOG_H_
#define BASE_LOG_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct clock;
struct err;
struct log;

/**
 * One event a line: time, level, request id, subsystem, event, key=value.
 * Foreign text is escaped.  Secrets and prompts never go in.  Lines wait in
 * bounded memory for a thread, so that no caller waits for a disk; when that
 * is full lines are lost, and the log says later how many.  Errors and
 * warnings are written at once, others within 50 ms, many with one write.
 */
enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/**
 * log_open(target, level, clock, err):
 * Start a log to ${target}: "stderr", "syslog", or "file:/path" (opened for
 * appending; log_reopen opens it anew after logrotate moved it).  NULL with
 * ${err} set on failure.  log_close(log) writes what waits and ends the
 * thread; NULL is allowed.
 */
struct log *log_open(const char *target, enum log_level level,
    const struct clock *clock, struct err *err);
void log_close(struct log *log);

/** log_open_json(target, clock, err): The same for lines that are objects of
 * JSON (log_json.h), the log's own about lost lines included; no log_begin. */
struct log *log_open_json(const char *target, const struct clock *clock,
    struct err *err);

/** log_set_level, log_reopen: any thread. */
void log_set_level(struct log *log, enum log_level level);
void log_reopen(struct log *log);

/** log_level_parse(s, level): "error" ... "debug"; 0, or -1. */
int log_level_parse(const char *s, enum log_level *level)
    __attribute__((__warn_unused_result__));

/** A line being made; on the caller's stack, no allocation. */
struct log_line {
	struct log *log;	/* NULL: level is off, calls do nothing */
	enum log_level level;
	size_t len;
	bool cut;		/* too long: takes no more */
	char text[LIMIT_LOG_LINE_BYTES];
};

/**
 * log_begin(l, log, level, request_id, subsystem, event):
 * Start a line.  ${log} may be NULL (nothing is written), as may
 * ${request_id} (shown as "-").  Then any of log_str (${value} may be NULL:
 * left out), log_strn, log_int, log_err (adds err=NAME reason="..."), and
 * log_end, which hands it over.  A line that grows too long is cut, with
 * "..." at its end.  Any thread.
 */
void log_begin(struct log_line *l, struct log *log, enum log_level level,
    const char *request_id, const char *subsystem, const char *event);
void log_str(struct log_line *l, const char *key, const char *value);
void log_strn(struct log_line *l, const char *key, const char *value,
    size_t n);
void log_int(struct log_line *l, const char *key, int64_t value);
void log_err(struct log_line *l, const struct err *err);
void log_end(struct log_line *l);

/** log_note: begin, log_err when ${err} is not NULL, end. */
void log_note(struct log *log, enum log_level level, const char *subsystem,
    const char *event, const struct err *err);

#endif /* !BASE_LOG_H_ */
