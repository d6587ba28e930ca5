#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/err.h"

#include "conf_file.h"

static void
the_environment_wins_over_the_file(void **state)
{
	struct conf_file *f = *state;
	const char *text = "queue_max = 5\nattempts_max = 2\n";
	struct conf *c;

	conf_file_write(f, text, strlen(text));
	setenv("LEASEHOLD_QUEUE_MAX", "9", 1);
	setenv("LEASEHOLD_CONFIG", f->path, 1);
	c = conf_load(NULL, &f->err);
	assert_non_null(c);
	assert_int_equal(c->queue_max, 9);
	assert_int_equal(c->attempts_max, 2);
	conf_free(c);
}

static void
a_bad_variable_is_named(void **state)
{
	struct conf_file *f = *state;

	conf_file_write(f, "", 0);
	setenv("LEASEHOLD_QUEUE_MAX", "x", 1);
	assert_null(conf_load(f->path, &f->err));
	assert_string_equal(f->err.text, "environment variable "
	    "LEASEHOLD_QUEUE_MAX: queue_max = \"x\": allowed: 0 to 100000");
	err_clear(&f->err);
	setenv("LEASEHOLD_QUEUE_MAX", "1\n", 1);
	assert_null(conf_load(f->path, &f->err));
	assert_non_null(strstr(f->err.text, "LEASEHOLD_QUEUE_MAX: a control"));
}

/* What a variable of ${s} may say: not the default, where that can be. */
static void
other_value(const struct conf_setting *s, char *out, size_t len)
{
	static const char *const texts[] = { "sqlite:/x.db", "/x", "/x.sock",
	    "x", "https://x", "10.0.0.0/8", "off", "Europe/Berlin",
	    "a@b" };
	struct conf *c;
	char line[256];
	size_t i;

	if (s->type == CONF_INT || s->type >= CONF_BYTES) {
		snprintf(out, len, "%lld%s", (long long)s->max,
		    s->type == CONF_SECONDS ? "ms" : "");
		return;
	}
	if (s->choices != NULL) {
		snprintf(out, len, "%.*s", (int)strcspn(s->choices, "|"),
		    s->choices);
		return;
	}
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(line, sizeof(line), "%s = %s\n", s->name, texts[i]);
		c = conf_parse("x", line, strlen(line), NULL);
		conf_free(c);
		if (c != NULL)
			break;
	}
	assert_true(i < sizeof(texts) / sizeof(texts[0]));
	snprintf(out, len, "%s", texts[i]);
}

static void
every_setting_has_its_variable(void **state)
{
	struct conf_file *f = *state;
	const struct conf_setting *s;
	char name[CONF_NAME_SIZE], value[64], got[4200], want[4200];
	struct conf *c, *same;
	size_t n, i;

	conf_file_write(f, "", 0);
	s = conf_settings(&n);
	for (i = 0; i < n; i++) {
		conf_variable(&s[i], CONF_FROM_VARIABLE, name, sizeof(name));
		assert_int_equal(strlen(name), strlen("LEASEHOLD_") +
		    strlen(s[i].name));
		other_value(&s[i], value, sizeof(value));
		if (strcmp(s[i].name, "body_max_bytes") == 0)
			strcpy(value, "64M");
		if (strcmp(s[i].name, "beat_interval_ms") == 0)
			strcpy(value, "60");
		setenv(name, value, 1);
		err_clear(&f->err);
		c = conf_load(f->path, &f->err);
		unsetenv(name);
		if (c == NULL)
			fail_msg("%s=%s: %s", name, value, f->err.text);
		assert_int_equal(conf_source(c, &s[i], NULL),
		    CONF_FROM_VARIABLE);
		conf_format(c, &s[i], got, sizeof(got));
		conf_free(c);
		snprintf(want, sizeof(want), "%s = %s\n", s[i].name, value);
		assert_non_null(same = conf_parse("x", want, strlen(want),
		    NULL));
		conf_format(same, &s[i], want, sizeof(want));
		conf_free(same);
		assert_string_equal(got, want);
	}
}

static void
it_is_known_where_each_value_is_from(void **state)
{
	struct conf_file *f = *state;
	const char *text = "# x\nqueue_max = 5\nattempts_max = 4\n";
	const char *after = "\n\n\nattempts_max = 3\nmount = /a\n";
	struct conf *c;
	int line;

	conf_file_write(f, text, strlen(text));
	setenv("LEASEHOLD_QUEUE_MAX", "9", 1);
	assert_non_null(c = conf_load(f->path, &f->err));
	assert_int_equal(conf_source(c, conf_file_setting("queue_max"), NULL),
	    CONF_FROM_VARIABLE);
	/* As the default has it, but from the file. */
	assert_int_equal(conf_source(c, conf_file_setting("attempts_max"),
	    &line), CONF_FROM_FILE);
	assert_int_equal(line, 3);
	assert_int_equal(conf_source(c, conf_file_setting("mount"), NULL),
	    CONF_FROM_DEFAULT);

	/* What was not taken over is not said to be from there. */
	conf_file_write(f, after, strlen(after));
	assert_int_equal(conf_reload(c, f->path, &f->err), 0);
	assert_int_equal(c->queue_max, 9);
	assert_int_equal(conf_source(c, conf_file_setting("queue_max"), NULL),
	    CONF_FROM_VARIABLE);
	assert_int_equal(conf_source(c, conf_file_setting("attempts_max"),
	    &line), CONF_FROM_FILE);
	assert_int_equal(line, 4);
	assert_int_equal(conf_source(c, conf_file_setting("mount"), NULL),
	    CONF_FROM_DEFAULT);
	conf_free(c);
}

static void
a_file_may_hold_the_store(void **state)
{
	struct conf_file *f = *state;
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "LEASEHOLD_STORE_FILE: store = \"\"" },
		{ "\nsqlite:/x.db", "LEASEHOLD_STORE_FILE: store = \"\"" },
		{ "sqlite:/x\001", "LEASEHOLD_STORE_FILE: a control" },
		{ "mysql://a:hunter2@h/d", "LEASEHOLD_STORE_FILE: store: " },
		{ "hunter2", "LEASEHOLD_STORE_FILE: store: allowed: " },
	};
	struct conf *c;
	size_t i;

	setenv("LEASEHOLD_CONFIG", "/dev/null", 1);
	setenv("LEASEHOLD_STORE_FILE", f->path, 1);
	conf_file_write(f, "sqlite:/x.db\r\nmore\n", 20);
	assert_non_null(c = conf_load(NULL, &f->err));
	assert_string_equal(c->store, "sqlite:/x.db");
	assert_int_equal(conf_source(c, conf_file_setting("store"), NULL),
	    CONF_FROM_VARIABLE_FILE);
	conf_free(c);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		conf_file_write(f, bad[i].text, strlen(bad[i].text));
		assert_null(conf_load(NULL, &f->err));
		assert_non_null(strstr(f->err.text, bad[i].why));
		assert_null(strstr(f->err.text, "hunter2"));
	}

	/* Both, and a file that is not there. */
	conf_file_write(f, "sqlite:/x.db", 12);
	setenv("LEASEHOLD_STORE", "sqlite:/y.db", 1);
	assert_null(conf_load(NULL, &f->err));
	assert_string_equal(f->err.text, "environment variable "
	    "LEASEHOLD_STORE: its value is given with LEASEHOLD_STORE_FILE, "
	    "too; one of them will do");
	unsetenv("LEASEHOLD_STORE");
	setenv("LEASEHOLD_STORE_FILE", "/nowhere/store", 1);
	err_clear(&f->err);
	assert_null(conf_load(NULL, &f->err));
	assert_int_equal(f->err.code, ERR_NOT_FOUND);
	assert_string_equal(f->err.text, "environment variable "
	    "LEASEHOLD_STORE_FILE: cannot open /nowhere/store: No such file "
	    "or directory");
}

static void
variables_that_nothing_reads_are_found(void **state)
{
	static const char *const environment[] = {
		"HOME=/", "LEASEHOLD_QUEUE_MAX=1", "LEASEHOLD_QEUE_MAX=1",
		"LEASEHOLD_CONFIG=/x", "LEASEHOLD_STORE_FILE=/x",
		"LEASEHOLD_LOG_FILE=/x", "LEASEHOLD_STORE_PASSWORD=x",
		"LEASEHOLD_STORE_PASSWORD_FILE=/x", "LEASEHOLD_PREFIX=/usr",
		"LEASEHOLD_", "LEASEHOLDS=1", "LEASEHOLD_mount=/a",
		"LEASEHOLD_MASTER_KEY_FILE=/x", NULL
	};
	static const struct {
		const char *name, *meant;
	} want[] = {
		{ "LEASEHOLD_QEUE_MAX", "queue_max" },
		{ "LEASEHOLD_LOG_FILE", NULL },
		{ "LEASEHOLD_PREFIX", NULL },
		{ "LEASEHOLD_", NULL },
		{ "LEASEHOLD_mount", "mount" },
	};
	const struct conf_setting *meant;
	const char *entry;
	size_t at = 0, i;

	(void)state;
	for (i = 0; (entry = conf_unknown_variable(environment, &at,
	    &meant)) != NULL; i++) {
		assert_true(i < sizeof(want) / sizeof(want[0]));
		assert_int_equal(strcspn(entry, "="), strlen(want[i].name));
		assert_memory_equal(entry, want[i].name,
		    strlen(want[i].name));
		if (want[i].meant != NULL) {
			assert_non_null(meant);
			assert_string_equal(meant->name, want[i].meant);
		}
	}
	assert_int_equal(i, sizeof(want) / sizeof(want[0]));
}

#define conf_test(f)	cmocka_unit_test_setup_teardown(f, conf_file_setup, \
	conf_file_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		conf_test(the_environment_wins_over_the_file),
		conf_test(a_bad_variable_is_named),
		conf_test(every_setting_has_its_variable),
		conf_test(it_is_known_where_each_value_is_from),
		conf_test(a_file_may_hold_the_store),
		cmocka_unit_test(variables_that_nothing_reads_are_found),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
