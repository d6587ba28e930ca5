#ifndef BASE_LOG_LINE_H_
#define BASE_LOG_LINE_H_

#include "base/log.h"

/**
 * log_line_start(l, log, wall_ms, level, request_id, subsystem, event):
 * As log_begin, whatever the level of ${log}.  log_line_end puts in the
 * newline and returns the length of the line.
 */
void log_line_start(struct log_line *l, struct log *log, int64_t wall_ms,
    enum log_level level, const char *request_id, const char *subsystem,
    const char *event);
size_t log_line_end(struct log_line *l);

/** log_hand_over(log, text, n, urgent): A whole line for the log's thread, at
 * once if it is ${urgent}; when it finds no room it is counted as lost. */
void log_hand_over(struct log *log, const char *text, size_t n, bool urgent);

/** log_wall_ms(log): What its clock says. */
int64_t log_wall_ms(const struct log *log);

/** log_utf8_len(p, n): Bytes of the UTF-8 character at ${p}, or 0 if it is
 * none, or ASCII. */
size_t log_utf8_len(const char *p, size_t n);

#endif /* !BASE_LOG_LINE_H_ */
