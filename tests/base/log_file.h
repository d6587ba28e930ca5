#ifndef TESTS_BASE_LOG_FILE_H_
#define TESTS_BASE_LOG_FILE_H_

#include "cmocka_all.h"

#include "base/clock.h"
#include "base/log.h"

/* The time of the clock that stands, as lines have it. */
#define LOG_FILE_TIME	"2026-11-20T07:29:18.123Z"

/** A log into a file of its own, on a clock that stands. */
struct log_file {
	char dir[32];
	char path[64], target[80];
	char old[80];		/* a name for what is moved away */
	struct clock_fake clock;
	struct log *log;	/* NULL: closed */
	char *text;		/* what the file held when last read */
};

/** log_file_setup: Of lines; log_file_setup_json: of objects. */
int log_file_setup(void **state);
int log_file_setup_json(void **state);
int log_file_teardown(void **state);

/** log_file_read(f, path): What is there, until the next is read.
 * log_file_result(f): Close the log, which writes all, and read it. */
const char *log_file_read(struct log_file *f, const char *path);
const char *log_file_result(struct log_file *f);

/** log_file_appears(f, path, what): Wait, at most 5 s, until the log's thread
 * has written ${what} there. */
bool log_file_appears(struct log_file *f, const char *path,
    const char *what);

#endif /* !TESTS_BASE_LOG_FILE_H_ */
