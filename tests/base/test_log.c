#include "cmocka_all.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

#include "log_file.h"

static void
a_line_has_time_level_request_subsystem_event_and_values(void **state)
{
	struct log_file *f = *state;
	struct log_line l;

	log_begin(&l, f->log, LOG_LEVEL_INFO, "req_1", "relay", "settle");
	log_int(&l, "key", 7);
	log_int(&l, "least", INT64_MIN);
	log_str(&l, "model", "claude-x");
	log_str(&l, "left_out", NULL);
	log_end(&l);
	assert_string_equal(log_file_result(f), LOG_FILE_TIME " info req_1 "
	    "relay settle key=7 least=-9223372036854775808 model=claude-x\n");
}

static void
foreign_text_is_escaped_where_needed(void **state)
{
	static const struct {
		const char *value;
		const char *shown;
	} cases[] = {
		{ "plain-text_1.5/x:y", "plain-text_1.5/x:y" },
		{ "", "\"\"" },
		{ "two words", "\"two words\"" },
		{ "a=b", "\"a=b\"" },
		{ "with \"quotes\" \\ \n",
		    "\"with \\\"quotes\\\" \\\\ \\x0a\"" },
		{ "tab\there\x7f", "\"tab\\x09here\\x7f\"" },
		{ "\x1b[31mred", "\"\\x1b[31mred\"" },
		{ "\xe4\xbd\xa0\xe5\xa5\xbd", "\"\xe4\xbd\xa0\xe5\xa5\xbd\"" },
		{ "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" },
		{ "\xc3\xa9", "\"\xc3\xa9\"" },
		{ "\xff\xfe", "\"\\xff\\xfe\"" },
		{ "\xc0\xaf", "\"\\xc0\\xaf\"" },
		{ "\xe0\x80\xaf", "\"\\xe0\\x80\\xaf\"" },
		{ "\xed\xa0\x80", "\"\\xed\\xa0\\x80\"" },
		{ "\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\"" },
		{ "\xe4\xbd", "\"\\xe4\\xbd\"" },
		{ "\xe4\xbdx", "\"\\xe4\\xbdx\"" },
		{ "\xc2\x85", "\"\\xc2\\x85\"" },
		{ "\xe2\x80\xae" "evil", "\"\\xe2\\x80\\xae" "evil\"" },
		{ "\xe2\x80\xa8", "\"\\xe2\\x80\\xa8\"" },
	};
	struct log_file *f = *state;
	struct log_line l;
	char want[256];
	const char *p;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		log_begin(&l, f->log, LOG_LEVEL_INFO, NULL, "a", "b");
		log_str(&l, "v", cases[i].value);
		log_end(&l);
	}
	p = log_file_result(f);
	for (i = 0; i < NITEMS(cases); i++) {
		snprintf(want, sizeof(want),
		    "2026-11-20T07:29:18.123Z info - a b v=%s\n",
		    cases[i].shown);
		assert_memory_equal(p, want, strlen(want));
		p += strlen(want);
	}
	assert_string_equal(p, "");
}

static void
a_nul_byte_and_a_forged_request_id_are_escaped(void **state)
{
	struct log_file *f = *state;
	struct log_line l;

	log_begin(&l, f->log, LOG_LEVEL_INFO, "x\nforged", "a", "b");
	log_strn(&l, "v", "a\0b", 3);
	log_end(&l);
	assert_string_equal(log_file_result(f), "2026-11-20T07:29:18.123Z info "
	    "\"x\\x0aforged\" a b v=\"a\\x00b\"\n");
}

static void
a_long_line_is_cut(void **state)
{
	struct log_file *f = *state;
	struct log_line l;
	char longer[3000];
	const char *text;
	size_t len, n, cut = 0;

	/* At every length around the bound, and in escapes as well. */
	for (n = LIMIT_LOG_LINE_BYTES - 60; n < LIMIT_LOG_LINE_BYTES + 10;
	    n++) {
		memset(longer, n % 2 ? '\n' : 'x', n);
		log_begin(&l, f->log, LOG_LEVEL_INFO, NULL, "a", "b");
		log_strn(&l, "v", longer, n);
		log_str(&l, "after", "after");
		log_end(&l);
	}
	text = log_file_result(f);
	for (n = 0; *text != '\0'; n++, text += len) {
		len = strcspn(text, "\n") + 1;
		assert_true(len <= LIMIT_LOG_LINE_BYTES);
		if (memcmp(text + len - 4, "...\n", 4) == 0)
			cut++;
		else
			assert_memory_equal(text + len - 13, " after=after\n",
			    13);
	}
	assert_int_equal(n, 70);
	assert_in_range(cut, 50, 69);
}

static void
levels_below_are_left_out(void **state)
{
	struct log_file *f = *state;
	struct log_line l;
	const char *text;

	log_note(f->log, LOG_LEVEL_DEBUG, "a", "no1", NULL);
	log_begin(&l, f->log, LOG_LEVEL_DEBUG, NULL, "a", "no2");
	assert_null(l.log);
	log_str(&l, "k", "v");
	log_int(&l, "k", 1);
	log_end(&l);
	log_set_level(f->log, LOG_LEVEL_DEBUG);
	log_note(f->log, LOG_LEVEL_DEBUG, "a", "yes1", NULL);
	log_set_level(f->log, LOG_LEVEL_ERROR);
	log_note(f->log, LOG_LEVEL_WARN, "a", "no3", NULL);
	log_note(f->log, LOG_LEVEL_ERROR, "a", "yes2", NULL);
	log_note(NULL, LOG_LEVEL_ERROR, "a", "no4", NULL);
	text = log_file_result(f);
	assert_null(strstr(text, "no"));
	assert_non_null(strstr(text, " debug - a yes1\n"));
	assert_non_null(strstr(text, " error - a yes2\n"));
}

static void
an_error_adds_its_name_and_reason(void **state)
{
	struct log_file *f = *state;
	struct err err;

	err_clear(&err);
	err_set(&err, ERR_STORE_DOWN, "cannot open /x: gone");
	log_note(f->log, LOG_LEVEL_ERROR, "store", "open_failed", &err);
	assert_non_null(strstr(log_file_result(f), "error - store open_failed "
	    "err=store_down reason=\"cannot open /x: gone\"\n"));
}

static void
a_file_moved_away_is_opened_anew(void **state)
{
	struct log_file *f = *state;

	log_note(f->log, LOG_LEVEL_INFO, "a", "before", NULL);
	assert_true(log_file_appears(f, f->path, "before"));
	assert_int_equal(rename(f->path, f->old), 0);
	log_note(f->log, LOG_LEVEL_WARN, "a", "between", NULL);
	assert_true(log_file_appears(f, f->old, "between"));
	log_reopen(f->log);
	assert_true(log_file_appears(f, f->path, ""));
	log_note(f->log, LOG_LEVEL_INFO, "a", "after", NULL);
	assert_non_null(strstr(log_file_result(f), "after"));
	assert_null(strstr(log_file_read(f, f->old), "after"));
}

static void
a_file_that_cannot_be_opened_anew_stays_in_use(void **state)
{
	struct log_file *f = *state;
	char old[80], moved[64];

	/* The folder is away for a moment. */
	snprintf(moved, sizeof(moved), "%s.away", f->dir);
	assert_int_equal(rename(f->dir, moved), 0);
	snprintf(old, sizeof(old), "%s/log", moved);
	log_reopen(f->log);
	assert_true(log_file_appears(f, old, "reopen_failed err=io reason="
	    "\"cannot open log file "));
	log_note(f->log, LOG_LEVEL_ERROR, "a", "goes on", NULL);
	assert_true(log_file_appears(f, old, "goes on"));
	assert_int_equal(rename(moved, f->dir), 0);
}

/* Reads a pipe to its end, as text. */
struct drain {
	int fd;
	char *text;
	size_t len;
};

static void *
drain_pipe(void *arg)
{
	struct drain *d = arg;
	ssize_t n;

	while ((n = read(d->fd, d->text + d->len, 65536)) > 0)
		d->len += (size_t)n;
	d->text[d->len] = '\0';
	return (NULL);
}

static unsigned long long
sum_of_lost(const char *text)
{
	unsigned long long sum = 0;
	const char *p;

	for (p = text; (p = strstr(p, "lost lines=")) != NULL; p++)
		sum += strtoull(p + strlen("lost lines="), NULL, 10);
	return (sum);
}

/* A pipe that nobody empties takes some lines; the rest is counted. */
static void
lines_that_find_no_room_are_counted(void **state)
{
	enum { LINES = 4000 };
	struct drain d = { .text = calloc(1, 8 * 1024 * 1024) };
	struct log *log;
	struct log_line l;
	char block[1000], *p;
	int fds[2], saved, i;
	unsigned long long lost, got = 0;
	pthread_t reader;

	(void)state;
	assert_non_null(d.text);
	assert_int_equal(pipe(fds), 0);
	d.fd = fds[0];
	saved = dup(STDERR_FILENO);
	assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
	close(fds[1]);
	log = log_open("stderr", LOG_LEVEL_INFO, clock_system(), NULL);
	assert_non_null(log);
	memset(block, 'x', sizeof(block));
	for (i = 0; i < LINES; i++) {
		log_begin(&l, log, LOG_LEVEL_INFO, NULL, "a", "line");
		log_strn(&l, "v", block, sizeof(block));
		log_end(&l);
	}

	/* Only now somebody reads, while the log writes what is left. */
	assert_int_equal(pthread_create(&reader, NULL, drain_pipe, &d), 0);
	log_close(log);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	assert_int_equal(pthread_join(reader, NULL), 0);
	close(fds[0]);
	for (p = d.text; (p = strstr(p, " a line v=")) != NULL; p++)
		got++;
	lost = sum_of_lost(d.text);
	free(d.text);
	assert_true(lost > 0);
	assert_int_equal(got + lost, LINES);
}

static void *
write_lines(void *arg)
{
	struct log_file *f = arg;
	struct log_line l;
	int i;

	for (i = 0; i < 2000; i++) {
		log_begin(&l, f->log, i % 100 ? LOG_LEVEL_INFO :
		    LOG_LEVEL_WARN, NULL, "a", "b");
		log_int(&l, "i", i);
		log_end(&l);
		if (i % 500 == 0)
			log_reopen(f->log);
		log_set_level(f->log, LOG_LEVEL_INFO);
	}
	return (NULL);
}

static void
lines_of_several_threads_stay_whole(void **state)
{
	struct log_file *f = *state;
	pthread_t threads[3];
	const char *p;
	int i, lines = 0, value;

	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines,
		    f), 0);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (p = log_file_result(f); *p != '\0'; p = strchr(p, '\n') + 1) {
		assert_memory_equal(p, "2026-11-20T07:29:18.123Z ", 25);
		p = strstr(p, " - a b i=");
		assert_non_null(p);
		assert_int_equal(sscanf(p, " - a b i=%d\n", &value), 1);
		lines++;
	}
	assert_int_equal(lines, 6000);
}

static void
a_bad_target_is_refused_with_what_is_allowed(void **state)
{
	static const char *cases[] = { "", "file", "file:", "file:relative",
		"stdout", "stderr:", "/var/log/x" };
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		err_clear(&err);
		assert_null(log_open(cases[i], LOG_LEVEL_INFO, clock_system(),
		    &err));
		assert_int_equal(err.code, ERR_INVAL);
		assert_non_null(strstr(err.text,
		    "stderr, syslog and file:/path"));
	}
	err_clear(&err);
	assert_null(log_open("file:/nowhere/at/all", LOG_LEVEL_INFO,
	    clock_system(), &err));
	assert_string_equal(err.text, "cannot open log file /nowhere/at/all: "
	    "No such file or directory");
	log_close(NULL);
}

static void
level_names_are_read(void **state)
{
	enum log_level level;

	(void)state;
	assert_int_equal(log_level_parse("error", &level), 0);
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_int_equal(log_level_parse("warn", &level), 0);
	assert_int_equal(level, LOG_LEVEL_WARN);
	assert_int_equal(log_level_parse("info", &level), 0);
	assert_int_equal(level, LOG_LEVEL_INFO);
	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("INFO", &level), -1);
	assert_int_equal(log_level_parse("", &level), -1);
}

#define log_test(f)	cmocka_unit_test_setup_teardown(f, \
    log_file_setup, log_file_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		log_test(
		    a_line_has_time_level_request_subsystem_event_and_values),
		log_test(foreign_text_is_escaped_where_needed),
		log_test(a_nul_byte_and_a_forged_request_id_are_escaped),
		log_test(a_long_line_is_cut),
		log_test(levels_below_are_left_out),
		log_test(an_error_adds_its_name_and_reason),
		log_test(a_file_moved_away_is_opened_anew),
		log_test(a_file_that_cannot_be_opened_anew_stays_in_use),
		log_test(lines_of_several_threads_stay_whole),
		cmocka_unit_test(lines_that_find_no_room_are_counted),
		cmocka_unit_test(a_bad_target_is_refused_with_what_is_allowed),
		cmocka_unit_test(level_names_are_read),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
