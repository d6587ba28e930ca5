/* Quiet times, pauses, signatures, e-mail; nothing of it needs a database. */
#include "cmocka_all.h"

#include <sys/stat.h>

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/mail.h"
#include "base/zone.h"

#include "notify.h"
#include "notify_send.h"

static int64_t
ms_of(const char *time)
{
	int64_t ms;

	assert_int_equal(clock_parse_date(time, &ms), 0);
	return (ms);
}

/* In minutes. */
#define AT(h, m)	((h) * 60 + (m))

static void
a_quiet_time_has_its_hours_in_each_zone(void **state)
{
	static const struct {
		const char *zone;
		int from, to;
		const char *at;
		const char *until;	/* NULL: it is not quiet */
	} rows[] = {
		/* within a day */
		{ "UTC", AT(9, 0), AT(17, 30), "2026-11-20T08:59:59Z", NULL },
		{ "UTC", AT(9, 0), AT(17, 30), "2026-11-20T09:00:00Z",
		    "2026-11-20T17:30:00Z" },
		{ "UTC", AT(9, 0), AT(17, 30), "2026-11-20T17:29:59Z",
		    "2026-11-20T17:30:00Z" },
		{ "UTC", AT(9, 0), AT(17, 30), "2026-11-20T17:30:00Z", NULL },
		/* across midnight */
		{ "UTC", AT(22, 0), AT(7, 0), "2026-11-20T21:59:59Z", NULL },
		{ "UTC", AT(22, 0), AT(7, 0), "2026-11-20T23:00:00Z",
		    "2026-11-21T07:00:00Z" },
		{ "UTC", AT(22, 0), AT(7, 0), "2026-11-21T00:00:00Z",
		    "2026-11-21T07:00:00Z" },
		{ "UTC", AT(22, 0), AT(7, 0), "2026-11-21T07:00:00Z", NULL },
		{ "UTC", AT(22, 0), AT(0, 0), "2026-12-31T23:00:00Z",
		    "2027-01-01T00:00:00Z" },
		/* never */
		{ "UTC", AT(7, 0), AT(7, 0), "2026-11-21T07:00:00Z", NULL },
		/* elsewhere */
		{ "Asia/Shanghai", AT(22, 0), AT(7, 0),
		    "2026-11-20T14:00:00Z", "2026-11-20T23:00:00Z" },
		{ "Asia/Shanghai", AT(22, 0), AT(7, 0),
		    "2026-11-20T13:59:00Z", NULL },
		{ "Asia/Kolkata", AT(0, 0), AT(6, 0), "2026-11-20T18:30:00Z",
		    "2026-11-21T00:30:00Z" },
		/* 02:00 becomes 03:00: the night is an hour shorter, and hours
		 * that are skipped are none */
		{ "Europe/Berlin", AT(22, 0), AT(7, 0),
		    "2026-03-28T21:00:00Z", "2026-03-29T05:00:00Z" },
		{ "Europe/Berlin", AT(2, 15), AT(2, 45),
		    "2026-03-29T01:00:00Z", NULL },
		{ "Europe/Berlin", AT(2, 30), AT(4, 0),
		    "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z" },
		/* 03:00 becomes 02:00: an hour longer */
		{ "Europe/Berlin", AT(22, 0), AT(7, 0),
		    "2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z" },
		{ "Europe/Berlin", AT(2, 30), AT(4, 0),
		    "2026-10-25T00:30:00Z", "2026-10-25T03:00:00Z" },
		{ "Europe/Berlin", AT(1, 0), AT(2, 30),
		    "2026-10-25T00:29:00Z", "2026-10-25T00:30:00Z" },
		{ "Europe/Berlin", AT(1, 0), AT(2, 30),
		    "2026-10-25T01:10:00Z", NULL },
	};
	struct zone *z;
	int64_t got;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		assert_non_null(z = zone_new(rows[i].zone, NULL));
		got = notify_quiet_ms(z, rows[i].from, rows[i].to,
		    ms_of(rows[i].at));
		if (got != (rows[i].until == NULL ? 0 : ms_of(rows[i].until)))
			fail_msg("row %zu: %s: %lld", i, rows[i].at,
			    (long long)got);
		zone_free(z);
	}
}

static void
pauses_double_up_to_an_hour(void **state)
{
	static const int64_t seconds[] = { 5, 10, 20, 40, 80, 160, 320, 640,
		1280, 2560, 3600, 3600 };
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(seconds); i++)
		assert_int_equal(notify_pause_ms((int64_t)i + 1),
		    seconds[i] * 1000);
	assert_int_equal(notify_pause_ms(1000000), 3600000);
}

static void
events_are_found_by_whole_names(void **state)
{
	enum notify_kind k;

	(void)state;
	for (k = 0; k < NOTIFY_KINDS; k++)
		assert_int_equal(notify_kind_of(notify_kind_name(k)), k);
	assert_int_equal(notify_kind_of("budget.8"), NOTIFY_KINDS);
}

static void
a_target_wants_what_it_chose(void **state)
{
	json_t *target = json_pack("{s:[s, s]}", "events", "budget.100",
	    "backup.failed");

	(void)state;
	assert_non_null(target);
	assert_true(notify_wants(target, NOTIFY_BUDGET_100));
	assert_true(notify_wants(target, NOTIFY_BACKUP));
	assert_false(notify_wants(target, NOTIFY_BUDGET_80));
	assert_false(notify_wants(target, NOTIFY_TEST));
	json_decref(target);
}

/* ---- signatures ---- */

/* Of the tests of the specification's own libraries. */
static void
a_signature_is_that_of_the_specification(void **state)
{
	static const char body[] = "{\"test\": 2432232314}";
	char out[NOTIFY_SIGNATURE_SIZE];

	(void)state;
	assert_int_equal(notify_sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	    "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, strlen(body),
	    out), 0);
	assert_string_equal(out,
	    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void
a_secret_is_what_it_must_be(void **state)
{
	static const char *const bad[] = {
		"", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2La",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw!",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw MfKQ",
		("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
	};
	char a[NOTIFY_SECRET_SIZE], b[NOTIFY_SECRET_SIZE];
	char out[NOTIFY_SIGNATURE_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(bad); i++) {
		assert_false(notify_secret_ok(bad[i]));
		assert_int_equal(notify_sign(bad[i], "m", 1, "", 0, out), -1);
	}
	notify_secret_new(a);
	notify_secret_new(b);
	assert_true(notify_secret_ok(a) && notify_secret_ok(b));
	assert_string_not_equal(a, b);
}

/* ---- e-mail ---- */

static void
addresses(void **state)
{
	static const char *const good[] = {
		"ops@example.org", "a@b", "first.last+tag@sub.example.org",
		"o'brien@example.org", "x_y%z@host-1.example",
	};
	static const char *const bad[] = {
		"", "a", "@b", "a@", "-f@example.org", "a b@example.org",
		"a@example.org\nBcc: b@example.org", "a@b@c", "a,b@c",
		"\"a\"@b", "<a@b>", "a@-b", ".a@b", "a.@b", "a..c@b", "a@b..c",
		"a@b.", "a@b\r", "a;b@c", "a@[127.0.0.1]", "\xc3\xa4@b",
	};
	char longest[400];
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(good); i++)
		assert_true(mail_address_ok(good[i]));
	for (i = 0; i < NITEMS(bad); i++) {
		if (mail_address_ok(bad[i]))
			fail_msg("%s", bad[i]);
	}
	memset(longest, 'a', sizeof(longest));
	longest[1] = '@';
	longest[254] = '\0';
	assert_true(mail_address_ok(longest));
	longest[254] = 'a';
	longest[255] = '\0';
	assert_false(mail_address_ok(longest));
}

static json_t *
events_of(const char *subject)
{
	json_t *j = json_pack("[{s:s, s:I, s:{s:s, s:s, s:s, s:I}}]", "kind",
	    "account.parked", "at_ms", (json_int_t)1000, "data", "subject",
	    subject, "family", "", "reason", "auth", "until_ms",
	    (json_int_t)60000);

	assert_non_null(j);
	return (j);
}

/* All of the base64 of ${text}'s lines from ${from} up to ${to}. */
static void
decode(const char *from, const char *to, char *out, size_t size)
{
	size_t n;

	assert_int_equal(sodium_base642bin((unsigned char *)out, size - 1,
	    from, (size_t)(to - from), "\n", &n, NULL,
	    sodium_base64_VARIANT_ORIGINAL), 0);
	out[n] = '\0';
}

/* The subject put together, of whole words of at most 75 bytes. */
static void
subject_of(const char *mail, char *out, size_t size)
{
	const char *p = strstr(mail, "\nSubject:"), *end;
	size_t n;

	assert_non_null(p);
	out[0] = '\0';
	for (p += 9; *p == ' '; p = end + 3) {
		assert_int_equal(strncmp(p, " =?UTF-8?B?", 11), 0);
		assert_non_null(end = strstr(p, "?=\n"));
		assert_in_range(end + 2 - p - 1, 1, 75);
		n = strlen(out);
		decode(p + 11, end, out + n, size - n);
		/* None begins within a character. */
		assert_true(((unsigned char)out[n] & 0xc0) != 0x80);
	}
}

static void
nothing_gets_out_of_its_line(void **state)
{
	static const char *const names[] = {
		"plain", "a\nBcc: x@example.org\n\nhello", "a\r\nX: y",
		"=?UTF-8?B?aGk=?=", "\xe8\xb4\xa6\xe5\x8f\xb7 \xf0\x9f\x98\x80",
		"-rf; $(touch /tmp/x) `id` | cat\\", ".", "\"><",
		"\xe8\xb4\xa6\xe8\xb4\xa6\xe8\xb4\xa6\xe8\xb4\xa6\xe8\xb4\xa6"
		    "\xe8\xb4\xa6\xe8\xb4\xa6\xe8\xb4\xa6\xe8\xb4\xa6\xe8\xb4"
		    "\xa6\xe8\xb4\xa6\xe8\xb4\xa6\xe8\xb4\xa6\xe8\xb4\xa6\xe8"
		    "\xb4\xa6\xe8\xb4\xa6\xe8\xb4\xa6\xe8\xb4\xa6\xe8\xb4\xa6",
	};
	struct notify_letter l = { .id = "msg_x", .lang = "en" };
	struct zone *z = zone_new("UTC", NULL);
	char subject[1024], body[4096], wanted[1024], *title;
	const char *mail, *blank, *p;
	struct buf b;
	size_t i, lines;

	(void)state;
	l.zone = z;
	for (i = 0; i < NITEMS(names); i++) {
		json_t *events = events_of(names[i]);

		l.events = events;
		buf_init(&b, NOTIFY_BODY_MAX);
		assert_int_equal(notify_mail_write(&l, "me@example.org",
		    "ops@example.org", &b, NULL), 0);
		assert_non_null(mail = buf_cstr(&b));
		for (p = mail; *p != '\0'; p++)
			assert_true(*p == '\n' || (*p >= ' ' && *p < 0x7f));
		assert_null(strstr(mail, "\nBcc"));
		assert_non_null(blank = strstr(mail, "\n\n"));
		for (p = mail, lines = 0; p < blank; p++)
			lines += *p == '\n' && p[1] != ' ';
		assert_int_equal(lines, 8);	/* and the first */
		subject_of(mail, subject, sizeof(subject));
		title = notify_subject(NOTIFY_PARKED, "en", json_object_get(
		    json_array_get(events, 0), "data"));
		assert_string_equal(subject, title);
		free(title);
		decode(blank + 2, mail + strlen(mail), body, sizeof(body));
		(void)snprintf(wanted, sizeof(wanted), "Account \"%s\" is "
		    "parked: its credential is refused", names[i]);
		assert_non_null(strstr(body, wanted));
		assert_non_null(strstr(body, "1970-01-01T00:01:00"));
		buf_fini(&b);
		json_decref(events);
	}
	zone_free(z);
}

/* A sendmail that keeps what it was given. */
struct post {
	char dir[64], program[96];
	struct conf *conf;
};

static void
write_program(const struct post *p, const char *text)
{
	FILE *f = fopen(p->program, "w");

	assert_non_null(f);
	(void)fprintf(f, "#!/bin/sh\ncd %s\n%s\n", p->dir, text);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(p->program, 0700), 0);
}

static int
setup(void **state)
{
	struct post *p = calloc(1, sizeof(*p));
	struct err err = { .code = ERR_NONE };
	char text[256];

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/lh-mail-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->program, sizeof(p->program), "%s/send mail",
	    p->dir);
	(void)snprintf(text, sizeof(text), "sendmail = %s\nmail_from = "
	    "me@example.org\n", p->program);
	p->conf = conf_parse("test", text, strlen(text), &err);
	if (p->conf == NULL)
		fail_msg("%s", err.text);
	*state = p;
	return (0);
}

static int
teardown(void **state)
{
	static const char *const files[] = { "args", "in", "env", "fds",
		"send mail" };
	struct post *p = *state;
	char path[160];
	size_t i;

	for (i = 0; i < NITEMS(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", p->dir, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(p->dir);
	conf_free(p->conf);
	free(p);
	return (0);
}

/* Of so many events a message is twice as long, or more, as what a pipe
 * takes. */
#define MANY	2000

/* A message of so many events. */
static struct notify_answer
post_events(struct post *p, const char *to, size_t n)
{
	struct zone *z = zone_new("UTC", NULL);
	json_t *events = events_of("x");
	const struct notify_letter l = { .id = "msg_x", .lang = "zh",
		.zone = z, .events = events, .limit_ms = 700 };
	struct notify_answer a;
	struct err err = { .code = ERR_NONE };

	while (json_array_size(events) < n)
		assert_int_equal(json_array_append_new(events, json_deep_copy(
		    json_array_get(events, 0))), 0);
	if (notify_mail_send(p->conf, to, &l, &a, &err))
		fail_msg("%s", err.text);
	json_decref(events);
	zone_free(z);
	return (a);
}

static struct notify_answer
post(struct post *p, const char *to)
{

	return (post_events(p, to, 1));
}

static void
keeps(const struct post *p, const char *file, const char *text)
{
	char path[160], got[8192];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", p->dir, file);
	assert_non_null(f = fopen(path, "r"));
	n = fread(got, 1, sizeof(got) - 1, f);
	got[n] = '\0';
	(void)fclose(f);
	if (strstr(got, text) == NULL)
		fail_msg("%s: %s", file, got);
}

static void
sendmail_is_given_the_message_and_one_address(void **state)
{
	struct post *p = *state;
	struct notify_answer a;

	write_program(p, "printf '%s\\n' \"$#\" \"$@\" >args; cat >in; "
	    "env >env; ls /proc/$$/fd >fds");
	a = post(p, "o'ps+$HOME@example.org");
	assert_true(a.taken);
	assert_string_equal(a.detail, "");
	keeps(p, "args", "3\n-i\n--\no'ps+$HOME@example.org\n");
	keeps(p, "in", "From: me@example.org\nTo: o'ps+$HOME@example.org\n"
	    "Subject: =?UTF-8?B?");
	keeps(p, "in", "\nMessage-ID: <msg_x@leasehold>\n");
	keeps(p, "env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
}

static void
a_sendmail_that_fails_is_told_of(void **state)
{
	static const struct {
		const char *program;
		int status;
		const char *detail;
	} rows[] = {
		{ "cat >/dev/null; echo 'no such user' >&2; exit 67", 67,
		    "sendmail ended with status 67: no such user" },
		{ "exit 75", 75, "sendmail ended with status 75" },
		{ "exec 0<&-; kill -9 $$", 137,
		    "sendmail ended with signal 9" },
	};
	static const char *const hangs[] = {
		"exec sleep 60", "exec sleep 60 <&- >&- 2>&-",
	};
	struct post *p = *state;
	struct notify_answer a;
	size_t i;

	for (i = 0; i < NITEMS(rows); i++) {
		write_program(p, rows[i].program);
		a = post(p, "a@example.org");
		assert_false(a.taken);
		assert_int_equal(a.status, rows[i].status);
		assert_string_equal(a.detail, rows[i].detail);
	}
	/* One that hangs is ended, whatever it has closed. */
	for (i = 0; i < NITEMS(hangs); i++) {
		write_program(p, hangs[i]);
		a = post(p, "a@example.org");
		assert_false(a.taken);
		assert_string_equal(a.detail, "sendmail took too long");
	}
}

static void
a_sendmail_that_is_not_there_is_told_of(void **state)
{
	struct post *p = *state;
	struct notify_answer a;

	/* Its vfork is a fork, whose failing exec the parent cannot learn. */
	if (getenv("LEASEHOLD_VALGRIND") != NULL)
		skip();
	(void)unlink(p->program);
	a = post(p, "a@example.org");
	assert_false(a.taken);
	assert_non_null(strstr(a.detail, "No such file"));
}

/* What has ended may wait for somebody who asks how. */
static bool
is_alive(int pid)
{
	char path[64], line[256] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if ((f = fopen(path, "r")) == NULL)
		return (false);
	(void)!fgets(line, sizeof(line), f);
	(void)fclose(f);
	return (strstr(line, ") Z ") == NULL);
}

/* What it said before that is told; nothing of it goes on. */
static void
a_sendmail_that_hangs_is_ended_with_what_it_has_started(void **state)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	struct post *p = *state;
	struct notify_answer a;
	char path[160];
	int i, pid;
	FILE *f;

	write_program(p, "sleep 60 & echo $! >in; echo no queue; wait");
	a = post(p, "a@example.org");
	assert_false(a.taken);
	assert_string_equal(a.detail, "sendmail took too long: no queue");
	(void)snprintf(path, sizeof(path), "%s/in", p->dir);
	assert_non_null(f = fopen(path, "r"));
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	(void)fclose(f);
	for (i = 0; i < 500 && is_alive(pid); i++)
		(void)nanosleep(&nap, NULL);
	assert_false(is_alive(pid));
	write_program(p, "exec yes");
	assert_string_equal(post(p, "a@example.org").detail,
	    "sendmail took too long: y");
}

/* It is neither waited for, nor does its end end us. */
static void
a_sendmail_that_does_not_read_is_told_of(void **state)
{
	static const char unread[] = "sendmail ended without reading the "
	    "whole message";
	static const struct {
		const char *program, *detail;
	} rows[] = {
		{ "exec 0<&-; sleep 0.1; echo full; exit 75",
		    "sendmail ended with status 75: full" },
		{ "head -c 100 >/dev/null; exit 75",
		    "sendmail ended with status 75" },
		{ "exec 0<&-; sleep 0.1; exit 0", unread },
		{ "head -c 100 >/dev/null; exit 0", unread },
		{ "exec 0<&-; exec sleep 60", "sendmail took too long" },
		{ "exec sleep 60", "sendmail took too long" },
	};
	struct post *p = *state;
	struct notify_answer a;
	sigset_t waiting;
	size_t i;

	for (i = 0; i < NITEMS(rows); i++) {
		write_program(p, rows[i].program);
		a = post_events(p, "a@example.org", MANY);
		if (a.taken)
			fail_msg("row %zu", i);
		assert_string_equal(a.detail, rows[i].detail);
		assert_int_equal(sigpending(&waiting), 0);
		assert_false(sigismember(&waiting, SIGPIPE));
	}
	write_program(p, "cat >in");
	a = post_events(p, "a@example.org", MANY);
	assert_string_equal(a.detail, "");
	assert_true(a.taken);
}

/* One that hands over to a process which keeps its output has ended. */
static void
what_a_sendmail_leaves_behind_is_not_waited_for(void **state)
{
	struct post *p = *state;
	struct notify_answer a;

	write_program(p, "cat >in; sleep 3 & exit 0");
	a = post(p, "a@example.org");
	assert_string_equal(a.detail, "");
	assert_true(a.taken);
	write_program(p, "cat >in; sleep 3 & echo no; exit 67");
	a = post(p, "a@example.org");
	assert_string_equal(a.detail, "sendmail ended with status 67: no");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_time_has_its_hours_in_each_zone),
		cmocka_unit_test(pauses_double_up_to_an_hour),
		cmocka_unit_test(events_are_found_by_whole_names),
		cmocka_unit_test(a_target_wants_what_it_chose),
		cmocka_unit_test(a_signature_is_that_of_the_specification),
		cmocka_unit_test(a_secret_is_what_it_must_be),
		cmocka_unit_test(addresses),
		cmocka_unit_test(nothing_gets_out_of_its_line),
		cmocka_unit_test_setup_teardown(
		    sendmail_is_given_the_message_and_one_address, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_sendmail_that_fails_is_told_of, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_sendmail_that_is_not_there_is_told_of, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_sendmail_that_hangs_is_ended_with_what_it_has_started,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_sendmail_that_does_not_read_is_told_of, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_a_sendmail_leaves_behind_is_not_waited_for, setup,
		    teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
