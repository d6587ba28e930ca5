#include "desk.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "pool/models.h"
#include "pool/snapshot.h"

#include "accounts.h"
#include "aliases.h"
#include "groups.h"

static const struct alias_of of_group = { .group = "g" };
static const struct alias_of of_account = { .account = "a" };

static void
furnish(struct desk *d)
{
	struct group_change g = { .name = "g", .concurrency = -1 };
	struct account_change c;

	desk_account(d, "a", 1);
	desk_works(d, groups_add(d->st, &g, &d->err));
	account_change_init(&c);
	c.group = "g";
	desk_works(d, accounts_set(d->st, d->seal, "a", &c, &d->err));
}

static int
add(struct desk *d, const struct alias_of *of, const char *pattern,
    const char *target)
{

	return (aliases_add(d->st, of, pattern, target, &d->err));
}

/* "pattern>target ..." of the list. */
static void
assert_list(struct desk *d, const struct alias_of *of, const char *want)
{
	char got[512] = "";
	json_t *rows, *row;
	size_t i, n = 0;

	rows = aliases_list(d->st, of, &d->err);
	desk_works(d, rows == NULL);
	json_array_foreach(rows, i, row)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s>%s",
		    i == 0 ? "" : " ",
		    json_string_value(json_object_get(row, "pattern")),
		    json_string_value(json_object_get(row, "target")));
	json_decref(rows);
	assert_string_equal(got, want);
}

/* What responders make of it. */
static void
assert_model(struct desk *d, const char *asked, const char *want)
{
	struct snapshot *s;

	desk_works(d, store_begin(d->st, false, &d->err));
	s = snapshot_load(d->st, d->seal, &d->err);
	desk_works(d, s == NULL);
	store_rollback(d->st);
	assert_string_equal(account_model(&s->accounts[0], asked), want);
	snapshot_unref(s);
}

static void
aliases_are_added_changed_and_removed(void **state)
{
	struct desk *d = *state;
	const struct alias_of nobody = { .group = NULL };
	int64_t version;

	furnish(d);
	assert_model(d, "best", "best");
	version = desk_number(d, "SELECT value + 0 FROM meta "
	    "WHERE name = 'config_version'");
	desk_works(d, add(d, &of_group, "*", "rest"));
	desk_works(d, add(d, &of_group, "best", "claude-opus-4"));
	desk_works(d, add(d, &of_group, "b*", "claude-b"));
	desk_works(d, add(d, &of_account, "claude-opus-4", "vendor/opus"));
	assert_int_equal(desk_number(d, "SELECT value + 0 FROM meta "
	    "WHERE name = 'config_version'"), version + 4);
	assert_list(d, &of_group, "best>claude-opus-4 b*>claude-b *>rest");
	assert_list(d, &of_account, "claude-opus-4>vendor/opus");
	assert_list(d, &nobody, "best>claude-opus-4 b*>claude-b *>rest "
	    "claude-opus-4>vendor/opus");
	assert_model(d, "best", "vendor/opus");
	assert_model(d, "bad", "claude-b");

	desk_fails(d, add(d, &of_group, "best", "x"), ERR_EXISTS);
	desk_works(d, aliases_set(d->st, &of_group, "best", "x", &d->err));
	assert_model(d, "best", "x");
	desk_fails(d, aliases_set(d->st, &of_group, "worst", "x", &d->err),
	    ERR_NOT_FOUND);
	desk_works(d, aliases_remove(d->st, &of_group, "best", &d->err));
	desk_fails(d, aliases_remove(d->st, &of_group, "best", &d->err),
	    ERR_NOT_FOUND);
	assert_model(d, "best", "claude-b");
}

static void
what_makes_no_sense_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "", "x" }, { "x", "" }, { "x", "claude-*" }, { "x", "*" },
		{ " x", "y" }, { "x", "y\n" }, { "x\x1b", "y" },
		{ "\xff", "y" }, { "x", "\xc3" },
	};
	const struct alias_of none = { .group = NULL };
	const struct alias_of both = { .group = "g", .account = "a" };
	const struct alias_of gone = { .group = "nobody" };
	struct desk *d = *state;
	char longer[LIMIT_NAME_BYTES + 1];
	size_t i;

	furnish(d);
	for (i = 0; i < NITEMS(bad); i++)
		desk_fails(d, add(d, &of_group, bad[i][0], bad[i][1]),
		    ERR_INVAL);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	desk_fails(d, add(d, &of_group, longer, "x"), ERR_INVAL);
	desk_fails(d, add(d, &of_group, "x", longer), ERR_INVAL);
	longer[LIMIT_NAME_BYTES - 1] = '\0';
	desk_works(d, add(d, &of_group, longer, longer));
	assert_model(d, longer, longer);
	desk_fails(d, add(d, &none, "x", "y"), ERR_INVAL);
	desk_fails(d, add(d, &both, "x", "y"), ERR_INVAL);
	desk_fails(d, add(d, &gone, "x", "y"), ERR_NOT_FOUND);
}

static void
they_go_with_their_group_or_account(void **state)
{
	struct desk *d = *state;

	furnish(d);
	desk_works(d, add(d, &of_group, "x", "y"));
	desk_works(d, add(d, &of_account, "y", "z"));
	desk_works(d, accounts_remove(d->st, "a", &d->err));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM model_alias"),
	    1);
	desk_works(d, groups_remove(d->st, "g", &d->err));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM model_alias"),
	    0);
}

static int
set(struct desk *d, const char *platform, const char *credential,
    const char *header, const char *models)
{
	struct account_change c;

	account_change_init(&c);
	c.platform = platform;
	c.credential = credential;
	c.auth_header = header;
	c.models = models;
	return (accounts_set(d->st, d->seal, "a", &c, &d->err));
}

static void
a_console_names_its_header(void **state)
{
	static const char *const good[][2] = {
		{ "X-Api-Key", "" }, { "", "" }, { "api-key", "api-key" },
		{ "X-Goog-Api-Key", "x-goog-api-key" },
		{ "Ocp_Apim-1", "ocp_apim-1" },
	};
	static const char *const bad[] = {
		"authorization", "Authorization: Bearer", "host",
		"Content-Length", "content-type", "connection", "te",
		"transfer-encoding", "Proxy-Authorization", "anthropic-beta",
		"x-forwarded-for", "x-leasehold-key", "accept", "user-agent",
		"a b", "a:b", "a\r\nb: c", "a\n", "\xc3\xa9", "a\x7f",
		"expect", "cookie", "upgrade", "x-stainless-lang",
		("x23456789x123456789x123456789x123456789x123456789"
		"x123456789x2345"),
	};
	struct desk *d = *state;
	json_t *a;
	size_t i;

	furnish(d);
	desk_fails(d, set(d, NULL, NULL, "x-key", NULL), ERR_INVAL);
	desk_fails(d, set(d, "claude_consoles", NULL, NULL, NULL), ERR_INVAL);
	desk_works(d, set(d, "claude_console", NULL, NULL, NULL));
	for (i = 0; i < NITEMS(good); i++) {
		desk_works(d, set(d, NULL, NULL, good[i][0], NULL));
		a = accounts_show(d->st, "a", &d->err);
		desk_works(d, a == NULL);
		assert_string_equal(json_string_value(json_object_get(a,
		    "auth_header")), good[i][1]);
		json_decref(a);
	}
	for (i = 0; i < NITEMS(bad); i++)
		desk_fails(d, set(d, NULL, NULL, bad[i], NULL), ERR_INVAL);

	/* It is no use to others, and does not stay behind unseen. */
	desk_fails(d, set(d, "claude", NULL, NULL, NULL), ERR_INVAL);
	desk_fails(d, set(d, NULL, "bearer", NULL, NULL), ERR_INVAL);
	desk_works(d, set(d, "claude", NULL, "", NULL));
}

static void
an_account_has_a_list_of_models(void **state)
{
	struct desk *d = *state;
	struct snapshot *s;

	furnish(d);
	desk_fails(d, set(d, NULL, NULL, NULL, "a,,b"), ERR_INVAL);
	desk_works(d, set(d, NULL, NULL, NULL, "claude-haiku-*, x"));
	desk_works(d, store_begin(d->st, false, &d->err));
	s = snapshot_load(d->st, d->seal, &d->err);
	desk_works(d, s == NULL);
	store_rollback(d->st);
	assert_string_equal(s->accounts[0].models, "claude-haiku-*,x");
	assert_true(s->names_models);
	snapshot_unref(s);
	desk_works(d, set(d, NULL, NULL, NULL, ""));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM account "
	    "WHERE models = ''"), 1);
}

/* The name is another group's by now, or nobody's: what was looked up is
 * changed, or nothing. */
static void
an_id_stays_whose_it_was(void **state)
{
	struct desk *d = *state;
	const struct group_change other = { .name = "g", .concurrency = -1 };
	struct alias_of was = of_group, now = { .group = "old" };

	furnish(d);
	desk_works(d, add(d, &of_group, "m*", "first"));
	was.id = desk_number(d, "SELECT id FROM account_group");
	desk_sql(d, "UPDATE account_group SET name = 'old'");
	desk_works(d, groups_add(d->st, &other, &d->err));
	desk_works(d, add(d, &of_group, "m*", "of-another"));
	desk_works(d, aliases_set(d->st, &was, "m*", "second", &d->err));
	assert_list(d, &now, "m*>second");
	assert_list(d, &of_group, "m*>of-another");
	desk_works(d, aliases_remove(d->st, &was, "m*", &d->err));
	desk_fails(d, aliases_set(d->st, &was, "m*", "third", &d->err),
	    ERR_NOT_FOUND);
	desk_fails(d, aliases_remove(d->st, &was, "m*", &d->err),
	    ERR_NOT_FOUND);
	assert_list(d, &now, "");
	assert_list(d, &of_group, "m*>of-another");
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)
	const struct CMUnitTest tests[] = {
		T(aliases_are_added_changed_and_removed),
		T(an_id_stays_whose_it_was),
		T(what_makes_no_sense_is_refused),
		T(they_go_with_their_group_or_account),
		T(a_console_names_its_header),
		T(an_account_has_a_list_of_models),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
