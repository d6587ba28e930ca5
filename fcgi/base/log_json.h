#ifndef BASE_LOG_JSON_H_
#define BASE_LOG_JSON_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct log;

/**
 * A line that is an object of JSON, for a log of log_open_json; on the
 * caller's stack, no allocation.  It is always whole: a value that is too long
 * is cut, a member that finds no room is left out.
 */
struct log_json {
	struct log *log;	/* NULL: calls do nothing */
	size_t len;
	char text[LIMIT_LOG_JSON_BYTES];
};

/** Longest value of a text, in bytes; the rest is cut off. */
#define LOG_JSON_TEXT	256

/**
 * log_json_begin(l, log):
 * Start a line, with its "time".  ${log} may be NULL.  Then any of
 * log_json_str (NULL or "": left out), log_json_int and log_json_bool, and
 * log_json_end, which hands it over.  What is no UTF-8 is replaced.  Any
 * thread.
 */
void log_json_begin(struct log_json *l, struct log *log);
void log_json_str(struct log_json *l, const char *name, const char *value);
void log_json_int(struct log_json *l, const char *name, int64_t value);
void log_json_bool(struct log_json *l, const char *name, bool value);
void log_json_end(struct log_json *l);

/** log_json_close(l): The log's own: end the text of the line; its length. */
size_t log_json_close(struct log_json *l);

#endif /* !BASE_LOG_JSON_H_ */
