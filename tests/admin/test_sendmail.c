/* Which mail programs are of no use to whom. */
#include "cmocka_all.h"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sendmail.h"

/* The programs of a test, of our own user and group. */
static const char *const names[] = { "sendmail", "sendmail.real", "exim4",
	"msmtp", "postdrop", "nullmailer-queue" };

/* A path in a folder of this test's own. */
static const char *
in_folder(const char *name)
{
	static char folder[64], path[160];

	if (folder[0] == '\0') {
		(void)snprintf(folder, sizeof(folder),
		    "/tmp/lh-sendmail-XXXXXX");
		assert_non_null(mkdtemp(folder));
	}
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return (path);
}

static void
make(const char *name, mode_t mode)
{
	FILE *f = fopen(in_folder(name), "w");

	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(chmod(in_folder(name), mode), 0);
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(names); i++)
		(void)unlink(in_folder(names[i]));
	(void)unlink(in_folder("link"));
	return (rmdir(in_folder("")));
}

#define PLAIN	0755
#define SETUID	04755
#define SETGID	02755

enum who { STRANGER, MEMBER, OWNER, ROOT, FREE };

/* Somebody who has nothing to do with the programs, or something. */
static struct sendmail_caller
caller(enum who who)
{
	struct sendmail_caller c = { .confined = who != FREE,
		.uid = getuid() + 1, .ngroups = 1,
		.groups = { getgid() + 1 } };

	if (who == MEMBER)
		c.groups[c.ngroups++] = getgid();
	else if (who == OWNER)
		c.uid = getuid();
	else if (who == ROOT)
		c.uid = 0;
	return (c);
}

static void
who_must_gain_rights_is_found(void **state)
{
	static const struct {
		const char *program, *other;
		mode_t mode, other_mode;
		enum who who;
		const char *which;	/* NULL: none is barred */
	} rows[] = {
		{ "msmtp", NULL, PLAIN, 0, STRANGER, NULL },
		{ "exim4", NULL, SETUID, 0, STRANGER, "exim4" },
		{ "exim4", NULL, SETUID, 0, FREE, NULL },
		{ "exim4", NULL, SETUID, 0, MEMBER, "exim4" },
		{ "exim4", NULL, SETGID, 0, STRANGER, "exim4" },
		{ "exim4", NULL, SETGID, 0, MEMBER, NULL },
		/* Without a right to run it for the group it is a lock. */
		{ "exim4", NULL, 02705, 0, STRANGER, NULL },
		{ "sendmail", "postdrop", PLAIN, SETGID, STRANGER,
		    "postdrop" },
		{ "sendmail", "postdrop", PLAIN, SETGID, MEMBER, NULL },
		{ "sendmail", "postdrop", PLAIN, SETGID, FREE, NULL },
		{ "sendmail", "postdrop", PLAIN, PLAIN, STRANGER, NULL },
		{ "sendmail.real", "postdrop", PLAIN, SETGID, STRANGER,
		    "postdrop" },
		{ "sendmail", "nullmailer-queue", PLAIN, SETUID, STRANGER,
		    "nullmailer-queue" },
		/* Another one's is not called. */
		{ "msmtp", "postdrop", PLAIN, SETGID, STRANGER, NULL },
	};
	char which[PATH_MAX];
	struct sendmail_caller c;
	size_t i;
	bool got;

	for (i = 0; i < NITEMS(rows); i++) {
		make(rows[i].program, rows[i].mode);
		if (rows[i].other != NULL)
			make(rows[i].other, rows[i].other_mode);
		(void)unlink(in_folder("link"));
		assert_int_equal(symlink(rows[i].program, in_folder("link")),
		    0);
		c = caller(rows[i].who);
		got = sendmail_barred(in_folder("link"), &c, which);
		if (got != (rows[i].which != NULL) || (got &&
		    strcmp(which, in_folder(rows[i].which)) != 0))
			fail_msg("row %zu: %d, %s", i, got, got ? which : "");
		assert_int_equal(unlink(in_folder(rows[i].program)), 0);
		if (rows[i].other != NULL)
			assert_int_equal(unlink(in_folder(rows[i].other)), 0);
	}
	(void)state;
}

static void
its_owner_and_root_need_no_more(void **state)
{
	char which[PATH_MAX];
	struct sendmail_caller c;

	(void)state;
	make("exim4", SETUID);
	c = caller(OWNER);
	assert_false(sendmail_barred(in_folder("exim4"), &c, which));
	c = caller(ROOT);
	assert_false(sendmail_barred(in_folder("exim4"), &c, which));
	c = caller(STRANGER);
	assert_false(sendmail_barred("/nowhere/sendmail", &c, which));
}

static void
a_process_says_what_it_may(void **state)
{
	struct sendmail_caller c;
	gid_t groups[SENDMAIL_GROUPS_MAX];
	int i, n;

	(void)state;
	assert_int_equal(sendmail_caller(0, &c), 0);
	assert_int_equal(c.uid, geteuid());
	assert_int_equal(c.groups[0], getegid());
	n = getgroups(SENDMAIL_GROUPS_MAX - 1, groups);
	assert_int_equal(c.ngroups, n + 1);
	for (i = 0; i < n; i++)
		assert_int_equal(c.groups[i + 1], groups[i]);
	assert_int_equal(c.confined, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	/* This one is none of ours, as its name has it. */
	assert_int_equal(sendmail_caller(getpid(), &c), -1);
	assert_int_equal(sendmail_caller(INT_MAX, &c), -1);

	/* For good: last. */
	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(sendmail_caller(0, &c), 0);
	assert_true(c.confined);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_must_gain_rights_is_found),
		cmocka_unit_test(its_owner_and_root_need_no_more),
		cmocka_unit_test(a_process_says_what_it_may),
	};

	return (cmocka_run_group_tests(tests, NULL, teardown));
}
