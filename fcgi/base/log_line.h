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

#endif /* !BASE_LOG_LINE_H_ */
