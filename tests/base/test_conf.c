#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/limits.h"

#include "conf_file.h"

static struct conf *
parse(const char *text, struct err *err)
{

	err_clear(err);
	return (conf_parse("t.conf", text, strlen(text), err));
}

/* ---- the table ---- */

static void
an_empty_file_gives_the_defaults(void **state)
{
	struct err err;
	struct conf *c = parse("", &err);

	(void)state;
	assert_non_null(c);
	assert_string_equal(c->store, "sqlite:" LOCALSTATEDIR
	    "/lib/leasehold/leasehold.db");
	assert_string_equal(c->master_key_file,
	    SYSCONFDIR "/leasehold/master.key");
	assert_string_equal(c->mount, "");
	assert_string_equal(c->log, "stderr");
	assert_string_equal(c->log_level, "info");
	assert_string_equal(c->unpriced, "allow");
	assert_string_equal(c->implausible, "bound");
	assert_string_equal(c->sqlite_synchronous, "full");
	assert_int_equal(c->relay_processes, 2);
	assert_int_equal(c->body_max_bytes, 32 * 1024 * 1024);
	assert_int_equal(c->bodies_max_bytes, 256 * 1024 * 1024);
	assert_int_equal(c->streams_max, 4096);
	assert_int_equal(c->queue_timeout_ms, 60000);
	assert_int_equal(c->beat_interval_ms, 1000);
	assert_int_equal(c->grant_timeout_ms, 2000);
	assert_int_equal(c->drain_ms, 60000);
	assert_int_equal(c->cooldown_max_ms, 3600000);
	assert_int_equal(c->store_timeout_ms, 5000);
	conf_free(c);
	conf_free(NULL);
}

static void
every_setting_has_a_field_of_its_own_and_help(void **state)
{
	const struct conf_setting *s;
	size_t n, i, k;

	(void)state;
	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		assert_true(strlen(s[i].help) > 10);
		assert_int_equal(s[i].help[strlen(s[i].help) - 1], '.');
		assert_true(s[i].offset < sizeof(struct conf));
		for (k = 0; k < i; k++) {
			assert_int_not_equal(s[i].offset, s[k].offset);
			assert_string_not_equal(s[i].name, s[k].name);
		}
	}
}

static void
defaults_are_written_as_they_stand_in_the_table(void **state)
{
	const struct conf_setting *s;
	struct conf *c;
	struct err err;
	char text[256];
	size_t n, i;

	(void)state;
	c = parse("", &err);
	assert_non_null(c);
	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		conf_format(c, &s[i], text, sizeof(text));
		assert_string_equal(text, s[i].def);
	}
	conf_free(c);
}

static void
what_a_running_process_depends_on_is_not_reloadable(void **state)
{
	static const char *fixed[] = { "store", "master_key_file", "run_dir",
		"mount", "log", "relay_socket", "admin_socket",
		"relay_processes", "admin_processes", "admin_threads",
		"sqlite_synchronous", "streams_max" };
	static const char *free_to_change[] = { "log_level", "queue_max",
		"attempts_max", "idle_timeout_s", "ping_interval_s", "drain_s",
		"cooldown_rate_s", "unpriced", "implausible",
		"body_max_bytes",
		"bodies_max_bytes" };
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(fixed); i++)
		assert_false(conf_file_setting(fixed[i])->reloadable);
	for (i = 0; i < NITEMS(free_to_change); i++)
		assert_true(conf_file_setting(free_to_change[i])->reloadable);
}

/* ---- values ---- */

static void
good_values_are_taken_and_written_back(void **state)
{
	static const struct {
		const char *line;
		const char *name;
		const char *shown;
	} cases[] = {
		{ "queue_max=7", "queue_max", "7" },
		{ "  queue_max\t=  7  ", "queue_max", "7" },
		{ "queue_timeout_s = 250ms", "queue_timeout_s", "250ms" },
		{ "queue_timeout_s = 5m", "queue_timeout_s", "300" },
		{ "queue_timeout_s = 0", "queue_timeout_s", "0" },
		{ "drain_s = 1d", "drain_s", "86400" },
		{ "beat_interval_ms = 2s", "beat_interval_ms", "2000" },
		{ "body_max_bytes = 2048", "body_max_bytes", "2K" },
		{ "body_max_bytes = 2049", "body_max_bytes", "2049" },
		{ "bodies_max_bytes = 2G", "bodies_max_bytes", "2G" },
		{ "log_level = debug", "log_level", "debug" },
		{ "log = syslog", "log", "syslog" },
		{ "log = file:/var/log/x = y # z", "log",
		    "file:/var/log/x = y # z" },
		{ "store = sqlite:/a/b", "store", "sqlite:/a/b" },
		{ "store = mysql://u@h:1/d?ca=/x@y", "store",
		    "mysql://u@h:1/d?ca=/x@y" },
		{ "mount = /a", "mount", "/a" },
		{ "mount = /some/site.path/v-1_~", "mount",
		    "/some/site.path/v-1_~" },
		{ "mount =", "mount", "" },
		{ "ca_file =", "ca_file", "" },
		{ "public_url = https://x.example/claude?a=b", "public_url",
		    "https://x.example/claude?a=b" },
		{ "public_url = http://[::1]:8080", "public_url",
		    "http://[::1]:8080" },
	};
	struct conf *c;
	struct err err;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		c = parse(cases[i].line, &err);
		if (c == NULL)
			fail_msg("%s: %s", cases[i].line, err.text);
		conf_format(c, conf_file_setting(cases[i].name), text,
		    sizeof(text));
		assert_string_equal(text, cases[i].shown);
		conf_free(c);
	}
}

#define STORE_ALLOWED	"allowed: sqlite:/path, or "			\
	"mysql://USER@HOST/DATABASE without a password, of at most 4095 bytes"

/* 0, or enough that it does no harm; a build for tests is content with less. */
static void
pings_are_early_after_200_seconds_or_never(void **state)
{
#ifndef CONF_EARLY_PING_MIN_MS
	static const char *const bad[] = { "1ms", "199", "199999ms", "2h" };
	static const char *const good[] = { "0", "200", "300s", "1h" };
#else
	static const char *const bad[] = { "1ms", "2h" };
	static const char *const good[] = { "0", "200ms", "1h" };
#endif
	char text[64];
	struct conf *conf;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&err);
		snprintf(text, sizeof(text), "early_ping_s = %s", bad[i]);
		assert_null(conf_parse("t.conf", text, strlen(text), &err));
		assert_non_null(strstr(err.text, "allowed: 0, or 200"));
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), "early_ping_s = %s", good[i]);
		conf = conf_parse("t.conf", text, strlen(text), &err);
		assert_non_null(conf);
		conf_free(conf);
	}
}

static const struct {
	const char *line;
	const char *text;
} bad_values[] = {
	{ "queue_max = lots",
	    "queue_max = \"lots\": allowed: 0 to 100000" },
	{ "queue_max = -1",
	    "queue_max = \"-1\": allowed: 0 to 100000" },
	{ "queue_max = 100001",
	    "queue_max = \"100001\": allowed: 0 to 100000" },
	{ "queue_max = 99999999999999999999999",
	    "queue_max = \"99999999999999999999999\": allowed: 0 to "
	    "100000" },
	{ "queue_max =", "queue_max = \"\": allowed: 0 to 100000" },
	{ "drain_s = 2d", "drain_s = \"2d\": allowed: 0 to 1d (in "
	    "seconds; or ms, s, m, h, d)" },
	{ "connect_timeout_s = 1ms", "connect_timeout_s = \"1ms\": "
	    "allowed: 10ms to 5m (in seconds; or ms, s, m, h, d)" },
	{ "connect_timeout_s = 1.5", "connect_timeout_s = \"1.5\": "
	    "allowed: 10ms to 5m (in seconds; or ms, s, m, h, d)" },
	{ "beat_interval_ms = 1m", "beat_interval_ms = \"1m\": "
	    "allowed: 50ms to 10s (in milliseconds; or ms, s, m, h, "
	    "d)" },
	{ "body_max_bytes = 10T", "body_max_bytes = \"10T\": allowed: "
	    "1K to 1G (in bytes; or k, M, G, T)" },
	{ "log_level = INFO", "log_level = \"INFO\": allowed: error, "
	    "warn, info, debug" },
	{ "log_level = warn|info", "log_level = \"warn|info\": "
	    "allowed: error, warn, info, debug" },
	{ "unpriced =", "unpriced = \"\": allowed: refuse, allow, "
	    "default" },
	{ "log = file:x", "log = \"file:x\": allowed: stderr, syslog, "
	    "file:/path" },
	{ "log = file:/", "log = \"file:/\": allowed: stderr, syslog, "
	    "file:/path" },
	{ "store = /a/b", "store = \"/a/b\": " STORE_ALLOWED },
	{ "store = sqlite:/", "store = \"sqlite:/\": "
	    STORE_ALLOWED },
	{ "store = mysql://x", "store = \"mysql://x\": "
	    STORE_ALLOWED },
	/* There may be a password in it. */
	{ "store = mysql://u:pw@h/d", "store: " STORE_ALLOWED },
	{ "store = mysql://u:p@w@h/d", "store: " STORE_ALLOWED },
	{ "store = mysql://u@pw@h/d", "store: " STORE_ALLOWED },
	{ "store = mysql://h/u@d", "store: " STORE_ALLOWED },
	{ "run_dir = run", "run_dir = \"run\": allowed: an absolute "
	    "path, of at most 80 bytes" },
	{ "host_name = a b", "host_name = \"a b\": allowed: empty, or "
	    "letters, digits, '.', '-' and '_', of at most 120 "
	    "bytes" },
	{ "run_dir =", "run_dir = \"\": allowed: an absolute path, of "
	    "at most 80 bytes" },
	{ "relay_socket = /1234567890123456789012345678901234567890123"
	  "4567890123456789012345678901234567890123456789012345678901"
	  "23456789",
	    "relay_socket = \"/12345678901234567890123456789012345678"
	    "901234567890123456789\": allowed: an absolute path, or "
	    "ADDRESS:PORT in numbers, of at most 107 bytes" },
	{ "relay_socket = localhost:9000",
	    "relay_socket = \"localhost:9000\": allowed: an absolute "
	    "path, or ADDRESS:PORT in numbers, of at most 107 "
	    "bytes" },
	{ "admin_socket =", "admin_socket = \"\": allowed: an "
	    "absolute path, or ADDRESS:PORT in numbers, of at most "
	    "107 bytes" },
	{ "ca_file = x", "ca_file = \"x\": allowed: empty, or an "
	    "absolute path, of at most 4095 bytes" },
};

static void
bad_values_are_refused_with_what_is_allowed(void **state)
{
	char want[256];
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(bad_values); i++) {
		assert_null(parse(bad_values[i].line, &err));
		snprintf(want, sizeof(want), "t.conf: line 1: %s",
		    bad_values[i].text);
		assert_string_equal(err.text, want);
		assert_int_equal(err_info(err.code)->http_status, 400);
	}
}

static void
bad_mounts_and_urls_are_refused(void **state)
{
	static const char *cases[] = {
		"mount = claude", "mount = /", "mount = /claude/",
		"mount = //claude", "mount = /a//b", "mount = /a/../b",
		"mount = /.", "mount = /a b", "mount = /a%2fb", "mount = /a?b",
		"public_url = ftp://x", "public_url = x.example",
		"public_url = https://", "public_url = https:///x",
		"public_url = http://?", "public_url = https://a b",
		"public_url = https://a\"b", "public_url = HTTP://x",
		"public_url = https://\xc3\xa9",
	};
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (parse(cases[i], &err) != NULL)
			fail_msg("accepted: %s", cases[i]);
		assert_non_null(strstr(err.text, "allowed: empty, or a"));
	}
}

static void
settings_that_contradict_each_other_are_refused(void **state)
{
	struct err err;

	(void)state;
	assert_null(parse("body_max_bytes = 1M\nbodies_max_bytes = 64K\n",
	    &err));
	assert_non_null(strstr(err.text, "t.conf: bodies_max_bytes (line 2) "
	    "is less than body_max_bytes (line 1)"));
	assert_null(parse("\ndead_after_s = 2\n", &err));
	assert_non_null(strstr(err.text, "t.conf: dead_after_s (line 2) is "
	    "less than three times beat_interval_ms (the default)"));
	assert_null(parse("admin_socket = /run/a\nrelay_socket = /run/a\n",
	    &err));
	assert_non_null(strstr(err.text, "t.conf: admin_socket (line 1) is "
	    "that of relay_socket (line 2)"));
}

/* ---- lines ---- */

static void
bad_lines_are_named(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ "# c\n\nno equals", "t.conf: line 3: '=' is missing; a line "
		    "is \"name = value\"" },
		{ "queue_max = 1\nlog_levl = info\n", "t.conf: line 2: "
		    "unknown setting \"log_levl\"; did you mean "
		    "\"log_level\"?" },
		{ "Queue_Max = 1", "t.conf: line 1: unknown setting "
		    "\"Queue_Max\"; did you mean \"queue_max\"?" },
		{ "queue_timeout = 1", "t.conf: line 1: unknown setting "
		    "\"queue_timeout\"; did you mean \"queue_timeout_s\"?" },
		{ "zzz = 1", "t.conf: line 1: unknown setting \"zzz\"; "
		    "`leasehold config show` lists them" },
		{ "= 1", "t.conf: line 1: unknown setting \"\"; "
		    "`leasehold config show` lists them" },
		{ "queue_max = 1\n\nqueue_max = 1\n", "t.conf: line 3: "
		    "queue_max is set already on line 1" },
		{ "queue_max = 1\x01", "t.conf: line 1: a control character "
		    "(0x01) has no place here" },
		{ "queue_max = \x7f", "t.conf: line 1: a control character "
		    "(0x7f) has no place here" },
		{ "# \x1b[31m", "t.conf: line 1: a control character (0x1b) "
		    "has no place here" },
	};
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		assert_null(parse(cases[i].text, &err));
		assert_string_equal(err.text, cases[i].want);
		assert_int_equal(err.code, ERR_INVAL);
	}
}

static void
a_nul_byte_is_named(void **state)
{
	static const char text[] = "queue_max = 1\nlog_level = de\0bug\n";
	struct err err;

	(void)state;
	err_clear(&err);
	assert_null(conf_parse("t.conf", text, sizeof(text) - 1, &err));
	assert_string_equal(err.text,
	    "t.conf: line 2: a NUL byte (0x00) has no place here");
}

static void
line_ends_of_other_systems_are_taken(void **state)
{
	struct err err;
	struct conf *c = parse("# c\r\nqueue_max = 5\r\n\r\nlog_level=warn",
	    &err);

	(void)state;
	assert_non_null(c);
	assert_int_equal(c->queue_max, 5);
	assert_string_equal(c->log_level, "warn");
	conf_free(c);
}

static void
a_long_name_and_a_long_value_are_cut_in_the_message(void **state)
{
	char text[2000];
	struct err err;

	(void)state;
	memset(text, 'n', 1000);
	strcpy(text + 1000, " = 1");
	assert_null(parse(text, &err));
	assert_non_null(strstr(err.text, "unknown setting \"nnnnnnnnnn"));
	strcpy(text, "queue_max = ");
	memset(text + strlen(text), '9', 1500);
	text[1512] = '\0';
	assert_null(parse(text, &err));
	assert_non_null(strstr(err.text, "allowed: 0 to 100000"));
}

/* ---- files ---- */

static void
a_missing_file_is_an_error_when_it_was_named(void **state)
{
	struct conf_file *f = *state;

	assert_null(conf_load("/nowhere/x.conf", &f->err));
	assert_int_equal(f->err.code, ERR_NOT_FOUND);
	assert_string_equal(f->err.text, "cannot open config file "
	    "/nowhere/x.conf: No such file or directory");
	err_clear(&f->err);
	setenv("LEASEHOLD_CONFIG", "/nowhere/y.conf", 1);
	assert_null(conf_load(NULL, &f->err));
	assert_non_null(strstr(f->err.text, "/nowhere/y.conf"));
	assert_string_equal(conf_default_path(),
	    SYSCONFDIR "/leasehold/leasehold.conf");
}

static void
an_overlong_file_is_refused(void **state)
{
	struct conf_file *f = *state;
	char *text = malloc(LIMIT_CONF_BYTES + 1);
	char want[128];
	struct conf *c;

	assert_non_null(text);
	memset(text, '#', LIMIT_CONF_BYTES + 1);
	conf_file_write(f, text, LIMIT_CONF_BYTES + 1);
	assert_null(conf_load(f->path, &f->err));
	assert_int_equal(f->err.code, ERR_TOO_LARGE);
	snprintf(want, sizeof(want), "%s: longer than %d bytes", f->path,
	    LIMIT_CONF_BYTES);
	assert_string_equal(f->err.text, want);
	conf_file_write(f, text, LIMIT_CONF_BYTES);
	c = conf_load(f->path, &f->err);
	assert_non_null(c);
	conf_free(c);
	free(text);
}

static void
reloading_takes_reloadable_settings_alone(void **state)
{
	struct conf_file *f = *state;
	const char *before = "queue_max = 5\nmount = /a\nlog_level = warn\n";
	const char *after = "queue_max = 6\nmount = /b\nlog_level = debug\n"
	    "drain_s = 2\nstreams_max = 9\n";
	const char *bad = "queue_max = 7\nlog_level = loud\n";
	struct conf *c;

	conf_file_write(f, before, strlen(before));
	c = conf_load(f->path, &f->err);
	assert_non_null(c);
	conf_file_write(f, after, strlen(after));
	assert_int_equal(conf_reload(c, f->path, &f->err), 0);
	assert_int_equal(c->queue_max, 6);
	assert_int_equal(c->drain_ms, 2000);
	assert_string_equal(c->log_level, "debug");
	assert_string_equal(c->mount, "/a");
	assert_int_equal(c->streams_max, 4096);
	conf_file_write(f, bad, strlen(bad));
	assert_int_equal(conf_reload(c, f->path, &f->err), -1);
	assert_non_null(strstr(f->err.text, "line 2: log_level = \"loud\""));
	assert_int_equal(c->queue_max, 6);
	assert_string_equal(c->log_level, "debug");
	conf_free(c);
}

static void
every_failing_allocation_is_an_error_and_leaks_nothing(void **state)
{
	struct conf_file *f = *state;
	const char *text = "queue_max = 5\nmount = /a\nlog_level = warn\n";
	struct conf *c = NULL;
	int n;

	conf_file_write(f, text, strlen(text));
	for (n = 0; c == NULL; n++) {
		assert_true(n < 100);
		err_clear(&f->err);
		alloc_fail_after(n);
		c = conf_load(f->path, &f->err);
		if (!alloc_fail_stop())
			break;
		assert_null(c);
		assert_int_equal(f->err.code, ERR_NOMEM);
	}
	assert_true(n > 10);
	assert_non_null(c);
	conf_free(c);
}

/* ---- help ---- */

static char *
table_as(const char *format)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(conf_write_table(out, format, NULL), 0);
	fclose(out);
	return (text);
}

static void
help_lists_every_setting_in_lines_that_fit(void **state)
{
	const struct conf_setting *s;
	char *text = table_as("text"), *line, want[256];
	size_t n, i;

	(void)state;
	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		snprintf(want, sizeof(want), "  %s = %s\n", s[i].name,
		    s[i].def);
		assert_non_null(strstr(text, want));
	}
	assert_non_null(strstr(text, "  queue_max = 1000\n"
	    "      Requests that wait for an account, in the whole pool; "
	    "0: none does.\n"
	    "      Beyond it a key still finds room that has fewer "
	    "waiting than queue_max /\n"
	    "      keys that wait, as long as less than twice as many "
	    "wait in all: no key\n"
	    "      can keep the others out. Allowed: 0 to 100000. Taken "
	    "over on SIGHUP.\n"));
	/* But for a default path, which is as long as the prefix makes it. */
	for (line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 78 || strchr(line, '/') != NULL);
	free(text);
}

static void
the_manual_lists_every_setting_as_mdoc(void **state)
{
	const struct conf_setting *s;
	char *text = table_as("mdoc"), want[128];
	size_t n, i;

	(void)state;
	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		snprintf(want, sizeof(want), ".It Ic %s No = Ar ", s[i].name);
		assert_non_null(strstr(text, want));
	}
	assert_memory_equal(text, ".Bl -tag -width Ds\n", 19);
	assert_non_null(strstr(text, ".It Ic queue_timeout_s No = Ar "
	    "duration\nHow long a request waits for an account.\nAllowed:\n0 "
	    "to 1h (in seconds; or ms, s, m, h, d).\nThe default is\n.Ql 60 "
	    ".\nTaken over on SIGHUP.\nIn the environment\n"
	    ".Ev LEASEHOLD_QUEUE_TIMEOUT_S .\n"));
	assert_non_null(strstr(text, ".Ev LEASEHOLD_STORE ,\nor\n"
	    ".Ev LEASEHOLD_STORE_FILE\n"));
	assert_non_null(strstr(text, "as spawn\\-fcgi binds it"));
	free(text);
}

static void
an_unknown_format_is_an_error(void **state)
{
	struct err err;

	(void)state;
	err_clear(&err);
	assert_int_equal(conf_write_table(stdout, "html", &err), -1);
	assert_int_equal(err.code, ERR_INVAL);
}

#define conf_test(f)	cmocka_unit_test_setup_teardown(f, conf_file_setup, \
	conf_file_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_gives_the_defaults),
		cmocka_unit_test(every_setting_has_a_field_of_its_own_and_help),
		cmocka_unit_test(
		    defaults_are_written_as_they_stand_in_the_table),
		cmocka_unit_test(
		    what_a_running_process_depends_on_is_not_reloadable),
		cmocka_unit_test(good_values_are_taken_and_written_back),
		cmocka_unit_test(bad_values_are_refused_with_what_is_allowed),
		cmocka_unit_test(pings_are_early_after_200_seconds_or_never),
		cmocka_unit_test(bad_mounts_and_urls_are_refused),
		cmocka_unit_test(
		    settings_that_contradict_each_other_are_refused),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(a_nul_byte_is_named),
		cmocka_unit_test(line_ends_of_other_systems_are_taken),
		cmocka_unit_test(
		    a_long_name_and_a_long_value_are_cut_in_the_message),
		conf_test(a_missing_file_is_an_error_when_it_was_named),
		conf_test(an_overlong_file_is_refused),
		conf_test(reloading_takes_reloadable_settings_alone),
		conf_test(
		    every_failing_allocation_is_an_error_and_leaks_nothing),
		cmocka_unit_test(help_lists_every_setting_in_lines_that_fit),
		cmocka_unit_test(the_manual_lists_every_setting_as_mdoc),
		cmocka_unit_test(an_unknown_format_is_an_error),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
