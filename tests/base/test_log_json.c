#include "cmocka_all.h"

#include <sys/resource.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/log_json.h"

#include "log_file.h"

static void
a_line_is_an_object_that_begins_with_its_time(void **state)
{
	struct log_file *f = *state;
	struct log_json l;

	log_json_begin(&l, f->log);
	log_json_str(&l, "method", "GET");
	log_json_str(&l, "left", NULL);
	log_json_str(&l, "out", "");
	log_json_int(&l, "status", 200);
	log_json_int(&l, "least", INT64_MIN);
	log_json_bool(&l, "stream", true);
	log_json_end(&l);
	assert_string_equal(log_file_result(f), "{\"time\":\""
	    LOG_FILE_TIME "\","
	    "\"method\":\"GET\",\"status\":200,"
	    "\"least\":-9223372036854775808,\"stream\":true}\n");
}

static void
without_a_log_nothing_is_done(void **state)
{
	struct log_json l;

	(void)state;
	log_json_begin(&l, NULL);
	log_json_str(&l, "a", "b");
	log_json_int(&l, "c", 1);
	log_json_bool(&l, "d", true);
	log_json_end(&l);
	assert_null(l.log);
}

static void
foreign_text_is_escaped(void **state)
{
	static const struct {
		const char *value, *shown;
	} cases[] = {
		{ "\"\\/", "\"\\/" }, { "a\nb\r\t", "a\nb\r\t" },
		{ "\x1b[2J\x7f", "\x1b[2J\x7f" },
		{ "gr\xc3\xbc\xc3\x9f \xe4\xbd\xa0 \xf0\x9f\x98\x80",
		  "gr\xc3\xbc\xc3\x9f \xe4\xbd\xa0 \xf0\x9f\x98\x80" },
		{ "\xff" "a", "\xef\xbf\xbd" "a" },
		{ "\xc3", "\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};
	struct log_file *f = *state;
	struct log_json l;
	const char *line;
	json_t *j;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		log_json_begin(&l, f->log);
		log_json_str(&l, "v", cases[i].value);
		log_json_end(&l);
	}
	line = log_file_result(f);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		j = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
		assert_non_null(j);
		assert_string_equal(json_string_value(json_object_get(j, "v")),
		    cases[i].shown);
		json_decref(j);
		assert_non_null(line = strchr(line, '\n'));
		line++;
	}
	assert_string_equal(line, "");
}

/* What does not fit is left out, and the line stays one. */
static void
a_line_is_whole_however_much_is_put_in(void **state)
{
	struct log_file *f = *state;
	char value[2000] = "", name[16];
	struct log_json l;
	const char *text;
	json_t *j;
	size_t n, i;

	for (n = 0; n < 20; n++) {
		memset(value, '\x01', sizeof(value) - 1);
		value[200 + n] = '\0';
		log_json_begin(&l, f->log);
		for (i = 0; i < 30; i++) {
			snprintf(name, sizeof(name), "v%zu", i);
			log_json_str(&l, name, value);
			log_json_int(&l, name + 1, (int64_t)i);
		}
		log_json_end(&l);
	}
	memset(value, 'x', sizeof(value) - 1);
	log_json_begin(&l, f->log);
	log_json_str(&l, "v", value);
	log_json_end(&l);
	text = log_file_result(f);
	for (n = 0; n < 20; n++) {
		assert_non_null(j = json_loads(text, JSON_DISABLE_EOF_CHECK,
		    NULL));
		assert_int_equal(strlen(json_string_value(json_object_get(j,
		    "v0"))), 200 + n);
		assert_null(json_object_get(j, "v29"));
		json_decref(j);
		text = strchr(text, '\n') + 1;
	}
	assert_non_null(j = json_loads(text, 0, NULL));
	assert_int_equal(strlen(json_string_value(json_object_get(j, "v"))),
	    LOG_JSON_TEXT);
	json_decref(j);
}

static void
a_file_is_opened_anew_after_it_was_moved(void **state)
{
	struct log_file *f = *state;
	struct log_json l;

	log_json_begin(&l, f->log);
	log_json_int(&l, "n", 1);
	log_json_end(&l);
	assert_true(log_file_appears(f, f->path, "\"n\":1"));
	assert_int_equal(rename(f->path, f->old), 0);
	log_reopen(f->log);
	assert_true(log_file_appears(f, f->path, ""));
	log_json_begin(&l, f->log);
	log_json_int(&l, "n", 2);
	log_json_end(&l);
	assert_non_null(strstr(log_file_result(f), "\"n\":2"));
	assert_null(strstr(f->text, "\"n\":1"));
	assert_non_null(strstr(log_file_read(f, f->old), "\"n\":1"));
}

/* Who writes never waits; the log says how many lines are gone, as JSON. */
static void
lines_that_cannot_be_written_are_counted(void **state)
{
	const struct rlimit none = { 0, RLIM_INFINITY };
	struct log_file *f = *state;
	struct rlimit before;
	struct log_json l;
	int i;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	for (i = 0; i < 3; i++) {
		log_json_begin(&l, f->log);
		log_json_int(&l, "n", i);
		log_json_end(&l);
	}
	usleep(300000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	log_json_begin(&l, f->log);
	log_json_int(&l, "n", 7);
	log_json_end(&l);
	assert_non_null(strstr(log_file_result(f), "\"n\":7}\n{\"time\":"
	    "\"2026-11-20T07:29:18.123Z\",\"event\":\"lost\","));
	assert_null(strstr(f->text, "\"n\":1"));
}

static void
a_target_that_cannot_be_is_an_error(void **state)
{
	struct log_file *f = *state;
	struct err err;

	err_clear(&err);
	assert_null(log_open_json("file:/nowhere/x", &f->clock.clock, &err));
	assert_int_equal(err.code, ERR_IO);
	err_clear(&err);
	assert_null(log_open_json("off", &f->clock.clock, &err));
	assert_int_equal(err.code, ERR_INVAL);
}

#define log_test(f)	cmocka_unit_test_setup_teardown(f, \
    log_file_setup_json, log_file_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		log_test(a_line_is_an_object_that_begins_with_its_time),
		cmocka_unit_test(without_a_log_nothing_is_done),
		log_test(foreign_text_is_escaped),
		log_test(a_line_is_whole_however_much_is_put_in),
		log_test(a_file_is_opened_anew_after_it_was_moved),
		log_test(lines_that_cannot_be_written_are_counted),
		log_test(a_target_that_cannot_be_is_an_error),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
