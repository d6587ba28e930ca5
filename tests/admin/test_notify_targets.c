/* Who is told: what may be set, and the secrets of webhooks; on each store. */
#include "desk.h"

#include <stdio.h>
#include <string.h>

#include "notify_outbox.h"
#include "notify_targets.h"

#define HOUR_MS		INT64_C(3600000)
#define DAY_MS		(24 * HOUR_MS)

static long long
now(struct desk *d)
{

	return ((long long)store_now_ms(d->st));
}

static void
a_target_is_what_it_was_set_to(void **state)
{
	struct desk *d = *state;
	char first[NOTIFY_SECRET_SIZE], other[NOTIFY_SECRET_SIZE];
	struct notify_secrets secrets;
	struct notify_spec s;
	json_t *row;
	int64_t id;

	desk_webhook(d, "hook", "backup.failed,budget.80,backup.failed",
	    "22:00-07:30");
	assert_non_null(row = notify_targets_show(d->st, "hook", &d->err));
	assert_string_equal(json_string_value(json_object_get(row,
	    "address")), "https://hooks.example/...");
	assert_int_equal(json_array_size(json_object_get(row, "events")), 2);
	assert_string_equal(json_string_value(json_object_get(row, "quiet")),
	    "22:00-07:30");
	id = desk_int(row, "id");
	json_decref(row);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM notify_target "
	    "WHERE secret LIKE '%%whsec%%'"), 0);
	desk_works(d, notify_secrets_get(d->st, d->seal, id, &secrets,
	    &d->err));
	assert_string_equal(secrets.old, "");
	(void)snprintf(first, sizeof(first), "%s", secrets.now);
	notify_spec_init(&s);
	s.name = "renamed";
	s.secret = "";
	s.quiet = "";
	s.enabled = 0;
	desk_works(d, notify_targets_set(d->st, d->seal, "hook", &s, other,
	    &d->err));
	assert_string_not_equal(first, other);
	desk_works(d, notify_secrets_get(d->st, d->seal, id, &secrets,
	    &d->err));
	assert_string_equal(secrets.now, other);
	assert_string_equal(secrets.old, first);
	assert_non_null(row = notify_targets_get(d->st, "renamed", true,
	    &d->err));
	assert_string_equal(json_string_value(json_object_get(row,
	    "address")), "https://hooks.example/in?key=sesame");
	assert_string_equal(json_string_value(json_object_get(row, "quiet")),
	    "");
	assert_true(json_is_false(json_object_get(row, "enabled")));
	json_decref(row);
	desk_works(d, notify_targets_remove(d->st, "renamed", &d->err));
	desk_fails(d, notify_targets_remove(d->st, "renamed", &d->err),
	    ERR_NOT_FOUND);
	desk_fails(d, notify_targets_remove(d->st, "", &d->err),
	    ERR_NOT_FOUND);
}

static int64_t
old_until(struct desk *d)
{
	json_t *row = notify_targets_show(d->st, "hook", &d->err);
	json_t *until = json_object_get(row, "old_until_ms");
	int64_t ms = json_is_null(until) ? 0 : json_integer_value(until);

	assert_non_null(until);
	json_decref(row);
	return (ms);
}

/* Another secret; its own text is in ${secret}. */
static void
renew(struct desk *d, const char *given, int64_t overlap_ms,
    char secret[NOTIFY_SECRET_SIZE])
{
	struct notify_spec s;

	notify_spec_init(&s);
	s.secret = given;
	s.overlap_ms = overlap_ms;
	desk_works(d, notify_targets_set(d->st, d->seal, "hook", &s, secret,
	    &d->err));
}

static void
signs(struct desk *d, const char *now, const char *old)
{
	struct notify_secrets secrets;

	desk_works(d, notify_secrets_get(d->st, d->seal, desk_number(d,
	    "SELECT id FROM notify_target"), &secrets, &d->err));
	assert_string_equal(secrets.now, now);
	assert_string_equal(secrets.old, old);
}

static void
the_secret_before_signs_until_its_time(void **state)
{
	static const char given[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
	struct desk *d = *state;
	char a[NOTIFY_SECRET_SIZE], b[NOTIFY_SECRET_SIZE];
	struct notify_spec s;

	desk_webhook(d, "hook", "backup.failed", NULL);
	assert_int_equal(old_until(d), 0);
	renew(d, "", HOUR_MS, a);
	assert_in_range(old_until(d), now(d) + HOUR_MS - 60000,
	    now(d) + HOUR_MS);
	renew(d, given, -1, b);
	assert_string_equal(b, given);
	signs(d, given, a);
	assert_in_range(old_until(d), now(d) + DAY_MS - 60000,
	    now(d) + DAY_MS);
	/* Under another master key, too, and whatever else is changed. */
	desk_works(d, store_begin(d->st, true, &d->err));
	desk_works(d, store_end(d->st, notify_secrets_reseal(d->st, d->seal,
	    &d->err), &d->err));
	notify_spec_init(&s);
	s.lang = "zh";
	desk_works(d, notify_targets_set(d->st, d->seal, "hook", &s, b,
	    &d->err));
	signs(d, given, a);
	desk_works(d, notify_prune(d->st, &d->err));
	signs(d, given, a);
	desk_sql(d, "UPDATE notify_target SET old_until_ms = %lld", now(d));
	signs(d, given, "");
	desk_works(d, notify_prune(d->st, &d->err));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM notify_target "
	    "WHERE old_secret IS NULL AND old_until_ms IS NULL AND secret "
	    "IS NOT NULL"), 1);
	/* One that others know is of no use at once. */
	renew(d, "", DAY_MS, a);
	renew(d, "", 0, b);
	signs(d, b, "");
	s.overlap_ms = 1000;
	desk_fails(d, notify_targets_set(d->st, d->seal, "hook", &s, b,
	    &d->err), ERR_INVAL);
}

static void
what_makes_no_sense_is_refused(void **state)
{
	static const struct notify_spec rows[] = {
		{ .name = "", .kind = "email", .address = "a@b" },
		{ .name = "n\n", .kind = "email", .address = "a@b" },
		{ .name = "n", .kind = "pigeon", .address = "a@b" },
		{ .name = "n", .kind = "email", .address = "a" },
		{ .name = "n", .kind = "email", .address = "-f@b" },
		{ .name = "n", .kind = "email", .address = "a@b\nBcc: c@d" },
		{ .name = "n", .kind = "webhook", .address = "a@b" },
		{ .name = "n", .kind = "webhook", .address = "ftp://a" },
		{ .name = "n", .kind = "webhook", .address = "http://a" },
		{ .name = "n", .kind = "webhook",
		    .address = "https://u:p@a" },
		{ .name = "n", .kind = "email", .address = "a@b",
		    .events = "" },
		{ .name = "n", .kind = "email", .address = "a@b",
		    .events = "test" },
		{ .name = "n", .kind = "email", .address = "a@b",
		    .events = "budget.80,x" },
		{ .name = "n", .kind = "email", .address = "a@b",
		    .lang = "de" },
		{ .name = "n", .kind = "email", .address = "a@b",
		    .zone = "Nowhere/At_All" },
		{ .name = "n", .kind = "email", .address = "a@b",
		    .quiet = "22-7" },
		{ .name = "n", .kind = "email", .address = "a@b",
		    .quiet = "22:00-24:00" },
		{ .name = "n", .kind = "email", .address = "a@b",
		    .quiet = "22:00-22:00" },
		{ .name = "n", .kind = "email", .address = "a@b",
		    .quiet = "22:60-07:00" },
		{ .name = "n", .kind = "email", .address = "a@b",
		    .secret = "" },
		{ .name = "n", .kind = "webhook", .address = "https://a",
		    .secret = "whsec_short" },
	};
	struct desk *d = *state;
	char secret[NOTIFY_SECRET_SIZE];
	struct notify_spec s;
	size_t i;

	for (i = 0; i < NITEMS(rows); i++) {
		s = rows[i];
		s.overlap_ms = s.interval_ms = s.enabled = -1;
		desk_fails(d, notify_targets_add(d->st, d->seal, &s, secret,
		    &d->err), ERR_INVAL);
	}
	desk_webhook(d, "n", "budget.80", NULL);
	notify_spec_init(&s);
	s.name = "n";
	s.kind = "email";
	s.address = "a@b";
	desk_fails(d, notify_targets_add(d->st, d->seal, &s, secret,
	    &d->err), ERR_EXISTS);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM notify_target"),
	    1);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_target_is_what_it_was_set_to),
		TEST(the_secret_before_signs_until_its_time),
		TEST(what_makes_no_sense_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
