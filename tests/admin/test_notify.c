/* What is detected, and what becomes of it; on each store. */
#include "desk.h"

#include <stdio.h>
#include <string.h>

#include "base/zone.h"

#include "notify_outbox.h"
#include "notify_targets.h"

#define HOUR_MS		INT64_C(3600000)
#define DAY_MS		(24 * HOUR_MS)

/* What is new. */
static int
detect(struct desk *d)
{
	json_t *targets = notify_targets_list(d->st, true, true, &d->err);
	int raised;

	desk_works(d, targets == NULL);
	desk_works(d, notify_detect(d->st, targets, &raised, &d->err));
	json_decref(targets);
	return (raised);
}

static int64_t
events(struct desk *d, const char *kind)
{

	return (desk_number(d, "SELECT count(*) FROM notify_event WHERE "
	    "kind = '%s'", kind));
}

static int64_t
deliveries(struct desk *d, const char *state)
{

	return (desk_number(d, "SELECT count(*) FROM notify_delivery WHERE "
	    "state = '%s'", state));
}

static long long
now(struct desk *d)
{

	return ((long long)store_now_ms(d->st));
}

/* As if all had been so much earlier. */
static void
pass(struct desk *d, int64_t ms)
{

	desk_sql(d, "UPDATE notify_delivery SET created_ms = created_ms - "
	    "%lld, due_ms = due_ms - %lld, first_ms = first_ms - %lld",
	    (long long)ms, (long long)ms, (long long)ms);
	desk_sql(d, "UPDATE notify_event SET at_ms = at_ms - %lld",
	    (long long)ms);
}

/* ---- what is detected ---- */

static void
park(struct desk *d, const char *account, const char *reason,
    long long since_ms, long long until_ms)
{

	desk_sql(d, "REPLACE INTO cooldown (account_id, family, reason, "
	    "since_ms, until_ms, stated, observed_ms) SELECT id, '', '%s', "
	    "%lld, %lld, 0, %lld FROM account WHERE name = '%s'", reason,
	    since_ms, until_ms, since_ms, account);
}

static void
a_park_is_told_once(void **state)
{
	struct desk *d = *state;
	long long t = now(d);

	desk_webhook(d, "hook", "account.parked", NULL);
	desk_account(d, "a", 1);
	desk_account(d, "b", 1);
	assert_int_equal(detect(d), 0);
	park(d, "a", "auth", t - 1000, t + HOUR_MS);
	assert_int_equal(detect(d), 1);
	assert_int_equal(detect(d), 0);
	/* It is extended. */
	park(d, "a", "auth", t - 1000, t + 2 * HOUR_MS);
	assert_int_equal(detect(d), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM notify_event "
	    "WHERE kind = 'account.parked' AND data LIKE "
	    "'%%\"reason\":\"auth\"%%' AND data LIKE "
	    "'%%\"until_ms\":%lld%%'", t + HOUR_MS), 1);
	/* It is over, and comes again: an event, but too soon to tell. */
	park(d, "a", "auth", t - 1000, t - 1);
	assert_int_equal(detect(d), 0);
	park(d, "a", "auth", t, t + HOUR_MS);
	assert_int_equal(detect(d), 1);
	assert_int_equal(deliveries(d, "waiting"), 1);
	assert_int_equal(deliveries(d, "skipped"), 1);
	/* For something else, or of another, is no repetition. */
	park(d, "a", "credit", t + 1, t + HOUR_MS);
	park(d, "b", "auth", t, t + HOUR_MS);
	assert_int_equal(detect(d), 2);
	assert_int_equal(deliveries(d, "waiting"), 3);
	/* After the interval it is told again. */
	pass(d, HOUR_MS + 1000);
	park(d, "b", "auth", t + 2, t + HOUR_MS);
	assert_int_equal(detect(d), 1);
	assert_int_equal(deliveries(d, "waiting"), 4);
	/* One that is off is not looked at. */
	desk_sql(d, "UPDATE account SET enabled = 0");
	assert_int_equal(detect(d), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM notify_event "
	    "WHERE event_key IS NOT NULL"), 0);
}

static void
a_group_is_told_when_nothing_is_left(void **state)
{
	struct desk *d = *state;
	long long t = now(d);

	desk_webhook(d, "hook", "group.empty", NULL);
	assert_int_equal(detect(d), 0);
	desk_sql(d, "INSERT INTO account_group (name, created_ms) VALUES "
	    "('g', 0), ('none', 0)");
	desk_account(d, "a", 1);
	desk_account(d, "b", 1);
	desk_account(d, "c", 1);
	desk_sql(d, "UPDATE account SET group_id = (SELECT id FROM "
	    "account_group WHERE name = 'g') WHERE name <> 'c'");
	assert_int_equal(detect(d), 0);
	park(d, "a", "auth", t, t + HOUR_MS);
	assert_int_equal(detect(d), 0);
	desk_sql(d, "UPDATE account SET enabled = 0 WHERE name = 'b'");
	assert_int_equal(detect(d), 1);
	assert_int_equal(detect(d), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM notify_event "
	    "WHERE data LIKE '%%\"subject\":\"g\"%%' AND data LIKE "
	    "'%%\"accounts\":2%%' AND data LIKE '%%\"enabled\":1%%'"), 1);
	/* A park of one model family leaves the others. */
	desk_sql(d, "INSERT INTO cooldown (account_id, family, reason, "
	    "since_ms, until_ms, stated, observed_ms) SELECT id, 'opus', "
	    "'x', 0, %lld, 0, 0 FROM account WHERE name = 'c'", t + HOUR_MS);
	assert_int_equal(detect(d), 0);
	/* Now the whole pool. */
	park(d, "c", "auth", t, t + HOUR_MS);
	assert_int_equal(detect(d), 1);
	assert_int_equal(events(d, "group.empty"), 2);
	/* One is back: both are over, and may come again. */
	desk_sql(d, "DELETE FROM cooldown");
	assert_int_equal(detect(d), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM notify_event "
	    "WHERE event_key IS NOT NULL"), 0);
	park(d, "a", "auth", t, t + HOUR_MS);
	assert_int_equal(detect(d), 1);
	assert_int_equal(deliveries(d, "skipped"), 1);
}

/* A budget, and what is spent in a window. */
static void
budget(struct desk *d, const char *period, int64_t length_ms)
{

	desk_sql(d, "INSERT INTO budget (id, name, scope, scope_id, kind, "
	    "period, length_ms, limit_value, created_ms) VALUES (1, 'b', "
	    "'key', 1, 'tokens', '%s', %lld, 1000, 0)", period,
	    (long long)length_ms);
}

static void
spend(struct desk *d, long long start_ms, int spent)
{

	desk_sql(d, "REPLACE INTO budget_window (budget_id, start_ms, spent) "
	    "VALUES (1, %lld, %d)", start_ms, spent);
}

struct step {
	int spent;
	int e80, e100;		/* events so far */
	int told;		/* deliveries so far */
};

static void
walk(struct desk *d, long long start_ms, const struct step *steps, size_t n)
{
	size_t i;
	int again;

	for (i = 0; i < n; i++) {
		spend(d, start_ms, steps[i].spent);
		for (again = 0; again < 2; again++)
			(void)detect(d);
		if (events(d, "budget.80") != steps[i].e80 ||
		    events(d, "budget.100") != steps[i].e100 ||
		    deliveries(d, "waiting") != steps[i].told)
			fail_msg("step %zu: %lld, %lld, %lld", i,
			    (long long)events(d, "budget.80"),
			    (long long)events(d, "budget.100"),
			    (long long)deliveries(d, "waiting"));
	}
}

static void
each_threshold_is_told_once_a_window(void **state)
{
	static const struct step first[] = {
		{ 0, 0, 0, 0 }, { 799, 0, 0, 0 }, { 800, 1, 0, 1 },
		{ 801, 1, 0, 1 }, { 999, 1, 0, 1 }, { 1000, 1, 1, 2 },
		{ 5000, 1, 1, 2 },
		/* What is corrected does not tell it anew. */
		{ 100, 1, 1, 2 }, { 900, 1, 1, 2 }, { 1000, 1, 1, 2 },
	};
	/* All at once: of 80 % nobody is told any more. */
	static const struct step second[] = {
		{ 0, 1, 1, 2 }, { 1000, 2, 2, 3 }, { 850, 2, 2, 3 },
	};
	struct desk *d = *state;
	const long long t = now(d);

	desk_webhook(d, "hook", "budget.80,budget.100", NULL);
	desk_sql(d, "UPDATE notify_target SET interval_ms = 0");
	budget(d, "fixed", DAY_MS);
	walk(d, t / DAY_MS * DAY_MS, first, NITEMS(first));
	/* The next window: the budget's are moved, so that it is now. */
	desk_sql(d, "DELETE FROM budget_window");
	desk_sql(d, "UPDATE notify_event SET hold_ms = %lld", t);
	desk_sql(d, "UPDATE budget SET anchor_ms = %lld",
	    t / HOUR_MS * HOUR_MS - 13 * HOUR_MS);
	walk(d, t / HOUR_MS * HOUR_MS - 13 * HOUR_MS, second,
	    NITEMS(second));
	/* One that is over, and one that is off, tell nothing. */
	spend(d, t - 2 * DAY_MS, 5000);
	assert_int_equal(detect(d), 0);
	desk_sql(d, "UPDATE budget SET enabled = 0, limit_value = 10");
	assert_int_equal(detect(d), 0);
	/* With another limit it is another matter. */
	desk_sql(d, "UPDATE budget SET enabled = 1");
	assert_int_equal(detect(d), 1);
}

static void
a_total_falls_before_it_is_told_again(void **state)
{
	static const struct step steps[] = {
		{ 800, 1, 0, 1 }, { 790, 1, 0, 1 }, { 800, 1, 0, 1 },
		{ 700, 1, 0, 1 }, { 800, 1, 0, 1 }, { 699, 1, 0, 1 },
		{ 800, 2, 0, 2 }, { 1000, 2, 1, 3 }, { 899, 2, 1, 3 },
		{ 1000, 2, 2, 4 },
	};
	struct desk *d = *state;

	desk_webhook(d, "hook", "budget.80,budget.100", NULL);
	desk_sql(d, "UPDATE notify_target SET interval_ms = 0");
	budget(d, "total", 0);
	walk(d, 0, steps, NITEMS(steps));
}

static void
a_rolling_budget_is_the_sum_of_its_buckets(void **state)
{
	static const struct step steps[] = {
		{ 300, 0, 0, 0 }, { 400, 1, 0, 1 }, { 600, 1, 1, 2 },
		{ 299, 1, 1, 2 }, { 400, 2, 1, 3 },
	};
	struct desk *d = *state;
	const int64_t bucket = HOUR_MS / 60;
	const long long t = now(d) / bucket * bucket;

	desk_webhook(d, "hook", "budget.80,budget.100", NULL);
	desk_sql(d, "UPDATE notify_target SET interval_ms = 0");
	budget(d, "rolling", HOUR_MS);
	spend(d, t - 30 * bucket, 400);
	spend(d, t - 90 * bucket, 9000);
	/* From 299 it has fallen below 70 %. */
	walk(d, t - 10 * bucket, steps, NITEMS(steps));
}

static void
budgets_of_days_go_by_their_zone(void **state)
{
	struct desk *d = *state;
	const int64_t t = now(d);
	struct zone *z = zone_new("Asia/Shanghai", NULL);
	const long long today = zone_day_start_ms(z, zone_day(z, t));

	desk_webhook(d, "hook", "budget.80", NULL);
	budget(d, "day", 0);
	desk_sql(d, "UPDATE budget SET zone = 'Asia/Shanghai'");
	spend(d, today - DAY_MS, 900);
	assert_int_equal(detect(d), 0);
	spend(d, today, 900);
	assert_int_equal(detect(d), 1);
	assert_int_equal(desk_number(d, "SELECT hold_ms FROM notify_event"),
	    today + DAY_MS);
	zone_free(z);
}

static void
a_spool_and_a_backup_are_told(void **state)
{
	struct desk *d = *state;
	const long long t = now(d);

	desk_webhook(d, "hook", "spool.filled,backup.failed", NULL);
	desk_sql(d, "INSERT INTO notify_spool VALUES ('h1', 5, 0, %lld), "
	    "('h2', 5, 0, %lld), ('h3', 0, 1, %lld)", t - 120000, t, t);
	assert_int_equal(detect(d), 2);
	assert_int_equal(detect(d), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM notify_event "
	    "WHERE event_key IN ('spool:h1', 'spool:h3')"), 2);
	desk_sql(d, "DELETE FROM notify_spool");
	desk_sql(d, "INSERT INTO job (name, since_ms, result, detail, "
	    "last_end_ms) VALUES ('backup', 0, 'failed', 'no room', 7)");
	assert_int_equal(detect(d), 1);
	assert_int_equal(detect(d), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM notify_event "
	    "WHERE event_key = 'backup:7' AND data LIKE '%%no room%%'"), 1);
	desk_sql(d, "UPDATE job SET last_end_ms = 8");
	assert_int_equal(detect(d), 1);
	desk_sql(d, "UPDATE job SET result = 'ok'");
	assert_int_equal(detect(d), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM notify_event "
	    "WHERE event_key IS NOT NULL"), 0);
}

/* 1; 0: it is there already. */
static int
raise_one(struct desk *d, const struct notify_news *news,
    const json_t *targets)
{
	int raised = 0;

	desk_works(d, notify_raise(d->st, &news, 1, targets, &raised,
	    &d->err));
	return (raised);
}

static void
two_that_detect_raise_one_event(void **state)
{
	struct desk *d = *state;
	json_t *targets, *data = json_pack("{s:s}", "subject", "x");
	const struct notify_news news = {
		.kind = NOTIFY_SPOOL, .key = "spool:x", .topic = "spool:x",
		.data = data
	};

	desk_webhook(d, "one", "spool.filled", NULL);
	desk_webhook(d, "two", "backup.failed", NULL);
	assert_non_null(targets = notify_targets_list(d->st, true, true,
	    &d->err));
	assert_int_equal(raise_one(d, &news, targets), 1);
	assert_int_equal(raise_one(d, &news, targets), 0);
	assert_int_equal(events(d, "spool.filled"), 1);
	assert_int_equal(deliveries(d, "waiting"), 1);
	json_decref(targets);
	json_decref(data);
}

/* Of several in one transaction, those that are new. */
static void
what_is_there_already_keeps_no_other_away(void **state)
{
	struct desk *d = *state;
	json_t *targets, *data = json_pack("{s:s}", "subject", "x");
	struct notify_news list[3];
	const struct notify_news *news[3];
	int raised = 0, i;
	static const char *const keys[] = { "spool:a", "spool:b", "spool:c" };

	desk_webhook(d, "one", "spool.filled", NULL);
	assert_non_null(targets = notify_targets_list(d->st, true, true,
	    &d->err));
	for (i = 0; i < 3; i++) {
		list[i] = (struct notify_news) {
			.kind = NOTIFY_SPOOL, .key = keys[i],
			.topic = keys[i], .data = data
		};
		news[i] = &list[i];
	}
	assert_int_equal(raise_one(d, news[1], targets), 1);
	desk_works(d, notify_raise(d->st, news, 3, targets, &raised,
	    &d->err));
	assert_int_equal(raised, 2);
	desk_works(d, notify_raise(d->st, news, 3, targets, &raised,
	    &d->err));
	assert_int_equal(raised, 2);
	assert_int_equal(events(d, "spool.filled"), 3);
	assert_int_equal(deliveries(d, "waiting"), 3);
	json_decref(targets);
	json_decref(data);
}

/* What one job has to do when an upstream refuses everybody. */
static void
thousands_of_parks_are_each_told_once(void **state)
{
	enum { PARKS = 5050 };
	struct notify_answer yes = { .taken = true };
	struct desk *d = *state;
	struct notify_message m;
	int rc, messages = 0;
	size_t told = 0;

	desk_webhook(d, "hook", "account.parked", NULL);
	desk_webhook(d, "other", "account.parked", NULL);
	desk_account(d, "a", 1);
	desk_sql(d, "INSERT INTO account (name, platform, base_url, "
	    "credential, secret, created_ms, updated_ms) WITH RECURSIVE "
	    "n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
	    "SELECT %s, a.platform, a.base_url, a.credential, a.secret, 0, 0 "
	    "FROM account a, n x, n y WHERE a.name = 'a' AND x.i <= %d",
	    raw_is_mysql() ? "concat('a', x.i, '-', y.i)" :
	    "'a' || x.i || '-' || y.i", PARKS / 100);
	desk_sql(d, "INSERT INTO cooldown (account_id, family, reason, "
	    "since_ms, until_ms, stated, observed_ms) SELECT id, '', 'auth', "
	    "%lld, %lld, 0, %lld FROM account", now(d), now(d) + HOUR_MS,
	    now(d));
	assert_int_equal(detect(d), PARKS / 100 * 100 + 1);
	assert_int_equal(detect(d), 0);
	while ((rc = notify_next(d->st, desk_number(d, "SELECT min(id) FROM "
	    "notify_target"), &m, &d->err)) == 1) {
		told += json_array_size(m.events);
		messages++;
		desk_works(d, notify_told(d->st, &m, &yes, &d->err));
		notify_message_fini(&m);
	}
	desk_works(d, rc);
	assert_int_equal(told, PARKS / 100 * 100 + 1);
	assert_in_range(messages, 50, 52);
	assert_int_equal(deliveries(d, "sent"), told);
	assert_int_equal(deliveries(d, "waiting"), told);
}

/* ---- messages ---- */

static void
raise_some(struct desk *d, int n)
{
	json_t *targets = notify_targets_list(d->st, true, true, &d->err);
	json_t *data = json_pack("{s:s}", "subject", "x");
	char topic[32];
	struct notify_news news = {
		.kind = NOTIFY_BACKUP, .topic = topic, .data = data
	};
	int i;

	assert_non_null(targets);
	for (i = 0; i < n; i++) {
		(void)snprintf(topic, sizeof(topic), "t%d", i);
		assert_int_equal(raise_one(d, &news, targets), 1);
	}
	json_decref(targets);
	json_decref(data);
}

/* How many events the next message has; 0: nothing is due. */
static size_t
next(struct desk *d, struct notify_message *m)
{
	int rc = notify_next(d->st, desk_number(d, "SELECT min(id) FROM "
	    "notify_target"), m, &d->err);

	desk_works(d, rc < 0);
	return (rc == 0 ? 0 : json_array_size(m->events));
}

static void
what_is_not_taken_is_tried_again_as_it_was(void **state)
{
	struct notify_answer no = { .status = 500, .detail = "HTTP 500" };
	struct notify_answer yes = { .taken = true, .status = 204 };
	struct desk *d = *state;
	struct notify_message m, again;
	int i;

	desk_webhook(d, "hook", "backup.failed", NULL);
	raise_some(d, 1);
	assert_int_equal(next(d, &m), 1);
	assert_int_equal(m.tries, 1);
	/* Whoever is killed now leaves it so. */
	assert_int_equal(next(d, &again), 0);
	for (i = 2; i < 6; i++) {
		desk_works(d, notify_told(d->st, &m, &no, &d->err));
		assert_int_equal(next(d, &again), 0);
		pass(d, notify_pause_ms(i - 1) + 100);
		assert_int_equal(next(d, &again), 1);
		assert_string_equal(again.id, m.id);
		assert_int_equal(again.tries, i);
		notify_message_fini(&m);
		m = again;
	}
	desk_works(d, notify_told(d->st, &m, &yes, &d->err));
	notify_message_fini(&m);
	assert_int_equal(deliveries(d, "sent"), 1);
	pass(d, DAY_MS);
	assert_int_equal(next(d, &m), 0);
}

static void
it_is_given_up_after_a_day_or_when_it_is_no_use(void **state)
{
	struct notify_answer no = { .status = 500, .detail = "HTTP 500" };
	struct desk *d = *state;
	struct notify_message m;
	int tries;

	desk_webhook(d, "hook", "backup.failed", NULL);
	raise_some(d, 1);
	for (tries = 0; next(d, &m) == 1; tries++) {
		desk_works(d, notify_told(d->st, &m, &no, &d->err));
		notify_message_fini(&m);
		pass(d, notify_pause_ms(tries + 1) + 1);
	}
	/* 5 s to 2560 s, and each hour. */
	assert_in_range(tries, 30, 35);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM "
	    "notify_delivery WHERE state = 'failed' AND detail = 'HTTP 500' "
	    "AND status = 500 AND done_ms IS NOT NULL"), 1);
	pass(d, DAY_MS);
	raise_some(d, 1);
	no.gone = true;
	assert_int_equal(next(d, &m), 1);
	desk_works(d, notify_told(d->st, &m, &no, &d->err));
	notify_message_fini(&m);
	assert_int_equal(deliveries(d, "failed"), 2);
}

static void
one_that_ends_its_senders_is_not_tried_for_ever(void **state)
{
	struct desk *d = *state;
	struct notify_message m;
	int tries;

	desk_webhook(d, "hook", "backup.failed", NULL);
	raise_some(d, 2);
	for (tries = 0; tries < 2 * NOTIFY_TRIES_MAX; tries++) {
		assert_int_equal(next(d, &m), 1);
		notify_message_fini(&m);
		desk_sql(d, "UPDATE notify_delivery SET due_ms = 0");
	}
	assert_int_equal(next(d, &m), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM "
	    "notify_delivery WHERE state = 'failed' AND tries = %d AND "
	    "detail = 'nothing came of any try'", NOTIFY_TRIES_MAX), 2);
}

static void
many_at_once_go_in_one_message(void **state)
{
	struct notify_answer yes = { .taken = true };
	struct desk *d = *state;
	struct notify_message m;
	size_t i;

	desk_webhook(d, "hook", "backup.failed", NULL);
	raise_some(d, 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(next(d, &m), 1);
		desk_works(d, notify_told(d->st, &m, &yes, &d->err));
		notify_message_fini(&m);
	}
	desk_sql(d, "UPDATE notify_target SET interval_ms = 0");
	raise_some(d, 120);
	assert_int_equal(next(d, &m), NOTIFY_EVENTS_MAX);
	notify_message_fini(&m);
	assert_int_equal(next(d, &m), 20);
	notify_message_fini(&m);
}

static void
what_a_quiet_time_held_goes_in_one_message(void **state)
{
	struct desk *d = *state;
	const int64_t minute = now(d) / 60000 % 1440;
	const int from = (int)((minute + 1435) % 1440);
	const int to = (int)((minute + 10) % 1440);
	struct notify_message m;
	char quiet[16];

	(void)snprintf(quiet, sizeof(quiet), "%02d:%02d-%02d:%02d",
	    from / 60, from % 60, to / 60, to % 60);
	desk_webhook(d, "hook", "backup.failed", quiet);
	raise_some(d, 4);
	assert_int_equal(next(d, &m), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM "
	    "notify_delivery WHERE held = 1"), 4);
	pass(d, 11 * 60000);
	assert_int_equal(next(d, &m), 4);
	notify_message_fini(&m);
	/* What fails in one waits for its end. */
	pass(d, 60000);
	desk_works(d, notify_hold(d->st, desk_number(d, "SELECT min(id) FROM "
	    "notify_target"), now(d) + HOUR_MS, &d->err));
	assert_int_equal(next(d, &m), 0);
}

static void
what_is_switched_off_gives_up_what_waits(void **state)
{
	struct desk *d = *state;
	char secret[NOTIFY_SECRET_SIZE];
	struct notify_spec s;

	desk_webhook(d, "hook", "backup.failed", NULL);
	raise_some(d, 2);
	notify_spec_init(&s);
	s.enabled = 0;
	desk_works(d, notify_targets_set(d->st, d->seal, "hook", &s, secret,
	    &d->err));
	assert_int_equal(deliveries(d, "failed"), 2);
	desk_works(d, notify_targets_remove(d->st, "hook", &d->err));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM "
	    "notify_delivery"), 0);
}

static void
old_rows_go_and_what_lasts_stays(void **state)
{
	struct desk *d = *state;
	const struct notify_filter all = { .limit = 10 };
	json_t *log;

	desk_webhook(d, "hook", "backup.failed,spool.filled", NULL);
	raise_some(d, 2);
	desk_sql(d, "UPDATE notify_delivery SET state = 'sent'");
	desk_sql(d, "INSERT INTO notify_spool VALUES ('h1', 5, 1, 0)");
	assert_int_equal(detect(d), 1);
	pass(d, INT64_C(29) * DAY_MS);
	desk_works(d, notify_prune(d->st, &d->err));
	assert_non_null(log = notify_log(d->st, &all, &d->err));
	assert_int_equal(json_array_size(log), 3);
	json_decref(log);
	pass(d, 2 * DAY_MS);
	desk_works(d, notify_prune(d->st, &d->err));
	assert_non_null(log = notify_log(d->st, &all, &d->err));
	assert_int_equal(json_array_size(log), 1);
	json_decref(log);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM notify_event"),
	    1);
	assert_int_equal(detect(d), 0);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_park_is_told_once),
		TEST(a_group_is_told_when_nothing_is_left),
		TEST(each_threshold_is_told_once_a_window),
		TEST(a_total_falls_before_it_is_told_again),
		TEST(a_rolling_budget_is_the_sum_of_its_buckets),
		TEST(budgets_of_days_go_by_their_zone),
		TEST(a_spool_and_a_backup_are_told),
		TEST(two_that_detect_raise_one_event),
		TEST(what_is_there_already_keeps_no_other_away),
		TEST(thousands_of_parks_are_each_told_once),
		TEST(what_is_not_taken_is_tried_again_as_it_was),
		TEST(it_is_given_up_after_a_day_or_when_it_is_no_use),
		TEST(one_that_ends_its_senders_is_not_tried_for_ever),
		TEST(many_at_once_go_in_one_message),
		TEST(what_a_quiet_time_held_goes_in_one_message),
		TEST(what_is_switched_off_gives_up_what_waits),
		TEST(old_rows_go_and_what_lasts_stays),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
