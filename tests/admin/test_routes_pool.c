#include "config.h"

#include "visit.h"

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "pool/responder.h"

#include "in_force.h"
#include "jobs.h"

#include "ledger/id.h"

/* Of an array of the answer, the one with a member of this text. */
static const json_t *
item(const struct visit *v, const char *array, const char *name,
    const char *text)
{
	const json_t *list = json_object_get(v->body, array), *j;
	const char *is;
	size_t i;

	json_array_foreach(list, i, j) {
		is = json_string_value(json_object_get(j, name));
		if (is != NULL && strcmp(is, text) == 0)
			return (j);
	}
	fail_msg("no %s \"%s\" in %s", name, text, array);
	return (NULL);
}

static const char *
text(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	if (s == NULL)
		fail_msg("%s is no text", name);
	return (s);
}

static void
jobs_are_listed_and_run(void **state)
{
	struct desk *d = *state;
	const json_t *last;
	struct visit v;
	size_t n;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	assert_int_equal(visit(&v, "GET", "/jobs", NULL), 200);
	(void)jobs_table(&n);
	assert_int_equal(desk_int(v.body, "total"), n);
	assert_true(json_is_null(json_object_get(item(&v, "items", "name",
	    "prune"), "last")));

	assert_int_equal(visit(&v, "POST", "/jobs/prune/run", NULL), 200);
	assert_string_equal(visit_text(&v, "name"), "prune");
	assert_true(json_is_null(json_object_get(v.body,
	    "running_since_ms")));
	assert_true(json_is_true(json_object_get(v.body, "enabled")));
	last = json_object_get(v.body, "last");
	assert_string_equal(text(last, "result"), "ok");
	assert_true(desk_int(last, "started_ms") > 0);
	assert_true(desk_int(last, "duration_ms") >= 0);
	assert_int_equal(desk_number(d, "SELECT runs FROM job "
	    "WHERE name = 'prune'"), 1);
	assert_int_equal(visit(&v, "GET", "/logs?verb=job.run", NULL), 200);
	assert_int_equal(json_array_size(v.body), 1);
	assert_string_equal(text(json_array_get(v.body, 0), "object"),
	    "prune");
	assert_string_equal(text(json_array_get(v.body, 0), "actor"),
	    "olga");

	visit_expect(&v, 40401, "POST", "/jobs/nap/run", NULL);
	visit_fini(&v);
}

static void
status_names_versions(void **state)
{
	struct desk *d = *state;
	int64_t schema;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	assert_int_equal(visit(&v, "GET", "/status", NULL), 200);
	assert_string_equal(visit_text(&v, "version"), PACKAGE_VERSION);
	desk_works(d, store_schema_version(d->st, &schema, &d->err));
	assert_int_equal(desk_int(v.body, "schema"), schema);
	assert_non_null(strstr(visit_text(&v, "database"),
	    store_shared(d->st) ? "M" : "SQLite 3."));
	assert_non_null(strpbrk(visit_text(&v, "database"), "0123456789"));
	visit_fini(&v);
}

static void
a_job_runs_once_at_a_time(void **state)
{
	struct desk *d = *state;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	assert_int_equal(visit(&v, "POST", "/jobs/reap/run", NULL), 200);
	desk_sql(d, "UPDATE job SET lease_by = 'another', lease_until_ms = "
	    "%lld WHERE name = 'reap'", (long long)store_now_ms(d->st) +
	    60000);
	visit_expect(&v, 40901, "POST", "/jobs/reap/run", NULL);
	assert_non_null(strstr(visit_text(&v, "error"), "another"));
	assert_int_equal(visit(&v, "GET", "/jobs", NULL), 200);
	assert_true(json_is_integer(json_object_get(item(&v, "items",
	    "name", "reap"), "running_since_ms")));
	assert_string_equal(text(item(&v, "items", "name", "reap"),
	    "holder"), "another");
	assert_int_equal(visit(&v, "GET", "/logs?verb=job.run", NULL), 200);
	assert_int_equal(json_array_size(v.body), 1);
	visit_fini(&v);
}

/* A setting more at the end of the config file, or one that is none. */
static void
append_conf(struct desk *d, const char *line)
{
	FILE *f = fopen(d->conf_path, "a");

	assert_non_null(f);
	fprintf(f, "%s\n", line);
	assert_int_equal(fclose(f), 0);
}

static void
write_file(struct desk *d, const char *name, const char *content)
{
	char path[200];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", d->dir, name);
	assert_non_null(f = fopen(path, "w"));
	fputs(content, f);
	assert_int_equal(fclose(f), 0);
}

static void
drop_file(struct desk *d, const char *name)
{
	char path[200];

	(void)snprintf(path, sizeof(path), "%s/%s", d->dir, name);
	assert_int_equal(remove(path), 0);
}

static void
the_host_is_told_of(void **state)
{
	struct desk *d = *state;
	const json_t *one;
	char path[200];
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	(void)snprintf(path, sizeof(path), "%s/backups", d->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "backup_dir = %s/backups",
	    d->dir);
	append_conf(d, path);
	assert_int_equal(visit(&v, "GET", "/host", NULL), 200);
	assert_string_equal(visit_text(&v, "config"), d->conf_path);
	assert_true(json_is_false(json_object_get(v.body,
	    "default_config")));
	assert_string_equal(visit_text(&v, "master_key_file"), d->key_path);
	assert_string_equal(visit_text(&v, "version"), PACKAGE_VERSION);
	assert_int_equal(desk_int(v.body, "schema"), store_schema_wanted());
	assert_int_equal(desk_int(v.body, "schema_wanted"),
	    store_schema_wanted());
	assert_int_equal(json_array_size(json_object_get(v.body, "backups")),
	    0);
	assert_true(json_is_null(json_object_get(v.body, "differs")));

	/* Newest first, and nothing else that lies there. */
	write_file(d, "backups/leasehold-20260101T000000Z.db", "old");
	write_file(d, "backups/leasehold-20260102T000000Z.db", "newer");
	write_file(d, "backups/leasehold-20260103T000000Z.db.part", "x");
	write_file(d, "backups/notes", "x");
	assert_int_equal(visit(&v, "GET", "/host", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(v.body, "backups")),
	    2);
	one = json_array_get(json_object_get(v.body, "backups"), 0);
	assert_non_null(strstr(text(one, "file"),
	    "/backups/leasehold-20260102T000000Z.db"));
	assert_int_equal(desk_int(one, "bytes"), 5);
	assert_true(desk_int(one, "made_ms") > 0);

	visit_fini(&v);
	drop_file(d, "backups/leasehold-20260101T000000Z.db");
	drop_file(d, "backups/leasehold-20260102T000000Z.db");
	drop_file(d, "backups/leasehold-20260103T000000Z.db.part");
	drop_file(d, "backups/notes");
	drop_file(d, "backups");
}

/* What a responder that runs has not taken over. */
static void
settings_that_differ_are_told(void **state)
{
	struct desk *d = *state;
	struct conf *conf;
	const json_t *one;
	struct visit v;

	assert_non_null(conf = conf_load(d->conf_path, &d->err));
	assert_non_null(d->in_force = in_force_new(conf, &d->err));
	conf_free(conf);
	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	append_conf(d, "cooldown_rate_s = 77s");
	assert_int_equal(visit(&v, "GET", "/host", NULL), 200);
	one = json_object_get(v.body, "differs");
	assert_int_equal(json_array_size(one), 1);
	one = json_array_get(one, 0);
	assert_string_equal(text(one, "name"), "cooldown_rate_s");
	assert_non_null(strstr(text(one, "value"), "77"));
	assert_null(strstr(text(one, "in_force"), "77"));
	assert_non_null(conf = conf_load(d->conf_path, &d->err));
	desk_works(d, in_force_set(d->in_force, conf, &d->err));
	conf_free(conf);
	assert_int_equal(visit(&v, "GET", "/host", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(v.body, "differs")),
	    0);
	append_conf(d, "nonsense = 1");
	visit_expect(&v, 50001, "GET", "/host", NULL);
	visit_fini(&v);
	in_force_free(d->in_force);
}

static void
responders_are_told_to_read_the_settings(void **state)
{
	struct desk *d = *state;
	struct responder here;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	visit_expect(&v, 40301, "POST", "/reload", NULL);
	visit_join(&v, d, "admin", "ann");
	assert_int_equal(visit(&v, "POST", "/reload", NULL), 200);
	assert_int_equal(desk_int(v.body, "told"), 0);

	desk_works(d, responder_open(&here, "relay", "", d->dir, &d->err));
	desk_works(d, store_begin(d->st, true, &d->err));
	desk_works(d, responder_register(&here, d->st, &d->err));
	desk_works(d, store_commit(d->st, &d->err));
	desk_sql(d, "INSERT INTO responder (kind, node, host, pid, lock_path, "
	    "wake_path, version, started_ms, beat, beat_ms) VALUES ('relay', "
	    "7, 'another', 1, '', '/nowhere', '1', 0, 0, 0)");
	assert_false(responder_heard(here.wake_fd));
	assert_int_equal(visit(&v, "POST", "/reload", NULL), 200);
	assert_int_equal(desk_int(v.body, "told"), 1);
	assert_int_equal(desk_int(v.body, "elsewhere"), 1);
	assert_int_equal(desk_int(v.body, "missed"), 0);
	assert_true(responder_heard(here.wake_fd));
	assert_false(responder_heard(here.wake_fd));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit WHERE "
	    "verb = 'reload' AND actor = 'ann'"), 2);

	/* Settings that are not good are not taken over. */
	append_conf(d, "nonsense = 1");
	visit_expect(&v, 40901, "POST", "/reload", NULL);
	assert_non_null(strstr(visit_text(&v, "error"), "nonsense"));
	assert_false(responder_heard(here.wake_fd));
	responder_close(&here);
	visit_fini(&v);
}

static void
settings_are_those_of_the_file(void **state)
{
	struct desk *d = *state;
	const json_t *keep;
	struct visit v;
	FILE *f;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	assert_int_equal(visit(&v, "GET", "/settings", NULL), 200);
	assert_string_equal(visit_text(&v, "file"), d->conf_path);
	keep = item(&v, "items", "name", "ledger_keep_days");
	assert_string_equal(text(keep, "value"), "30");
	assert_string_equal(text(keep, "default"), "0");
	assert_string_equal(text(keep, "source"), "file");
	assert_string_equal(text(keep, "section"), "retention");
	assert_true(json_is_true(json_object_get(keep, "set")));
	assert_string_equal(text(item(&v, "items", "name", "mount"),
	    "source"), "default");
	assert_string_equal(text(keep, "variable"),
	    "LEASEHOLD_LEDGER_KEEP_DAYS");
	setenv("LEASEHOLD_LEDGER_KEEP_DAYS", "31", 1);
	assert_int_equal(visit(&v, "GET", "/settings", NULL), 200);
	unsetenv("LEASEHOLD_LEDGER_KEEP_DAYS");
	keep = item(&v, "items", "name", "ledger_keep_days");
	assert_string_equal(text(keep, "value"), "31");
	assert_string_equal(text(keep, "source"), "environment");
	assert_string_equal(text(item(&v, "items", "name", "spool_bytes"),
	    "section"), "database");

	/* Whose fault a bad file is, is not who asks. */
	assert_non_null(f = fopen(d->conf_path, "a"));
	assert_true(fputs("nonsense = 1\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	visit_expect(&v, 50001, "GET", "/settings", NULL);
	assert_non_null(strstr(visit_text(&v, "error"), "nonsense"));
	visit_expect(&v, 50001, "POST", "/jobs/prune/run", NULL);
	visit_fini(&v);
}

static void
the_doctor_looks_from_inside(void **state)
{
	struct desk *d = *state;
	struct visit v;
	FILE *f;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	assert_int_equal(visit(&v, "GET", "/doctor", NULL), 200);
	assert_string_equal(text(item(&v, "checks", "name", "config"),
	    "verdict"), "ok");
	assert_string_equal(text(item(&v, "checks", "name", "fits"),
	    "verdict"), "ok");

	/* Nothing serves here. */
	assert_string_equal(text(item(&v, "checks", "name", "responders"),
	    "verdict"), "fail");
	assert_true(strlen(text(item(&v, "checks", "name", "responders"),
	    "remedy")) > 0);
	assert_true(json_is_false(json_object_get(v.body, "ok")));
	assert_true(desk_int(v.body, "failed") > 0);

	/* With bad settings it goes on, and says so. */
	assert_non_null(f = fopen(d->conf_path, "a"));
	assert_true(fputs("nonsense = 1\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(visit(&v, "GET", "/doctor", NULL), 200);
	assert_string_equal(text(item(&v, "checks", "name", "config"),
	    "verdict"), "fail");
	assert_string_equal(text(item(&v, "checks", "name", "writes"),
	    "verdict"), "skip");
	v.long_runs = 2;
	visit_expect(&v, 42901, "GET", "/doctor", NULL);
	visit_fini(&v);
}

static void
responder(struct desk *d, int id, const char *host)
{

	desk_sql(d, "INSERT INTO responder (id, kind, node, host, pid, "
	    "lock_path, wake_path, version, started_ms, beat, beat_ms) "
	    "VALUES (%d, 'relay', %d, '%s', 1, '', '', 'v', 1, 1, 1)", id,
	    id, host);
}

static void
workers_hold_leases(void **state)
{
	struct desk *d = *state;
	const json_t *lease;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	desk_account(d, "a", 3);
	responder(d, 5, "h");
	responder(d, 6, "i");
	desk_sql(d, "UPDATE slot SET responder_id = 5, ledger_id = 77, "
	    "leased_ms = 1000 + n WHERE n < 3");
	assert_int_equal(visit(&v, "GET", "/workers", NULL), 200);
	assert_int_equal(desk_int(item(&v, "items", "host", "h"), "leases"),
	    2);
	assert_int_equal(desk_int(item(&v, "items", "host", "i"), "leases"),
	    0);
	assert_int_equal(json_array_size(json_object_get(v.body, "leases")),
	    2);
	lease = item(&v, "leases", "account", "a");
	assert_int_equal(desk_int(lease, "leased_ms"), 1001);
	assert_int_equal(desk_int(lease, "responder_id"), 5);
	visit_fini(&v);
}

/* What responders told one another is told to people. */
static void
accounts_show_how_they_do(void **state)
{
	struct desk *d = *state;
	const json_t *a;
	struct visit v;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	desk_account(d, "a", 1);
	desk_account(d, "b", 1);
	desk_account(d, "c", 1);
	desk_sql(d, "INSERT INTO account_health (account_id, first_byte_ms, "
	    "first_byte_seen_ms, share_permille, share_reset_ms, "
	    "share_window_ms, share_seen_ms, updated_ms) VALUES "
	    "(1, 321, 5, 380, 9000, 18000, 7, 8), (2, 0, 0, 0, 0, 0, 0, 8)");
	assert_int_equal(visit(&v, "GET", "/status", NULL), 200);
	a = item(&v, "accounts", "name", "a");
	assert_int_equal(desk_int(a, "first_byte_ms"), 321);
	assert_int_equal(desk_int(a, "share_permille"), 380);
	assert_int_equal(desk_int(a, "share_reset_ms"), 9000);
	assert_int_equal(desk_int(a, "share_window_ms"), 18000);
	assert_int_equal(desk_int(a, "share_seen_ms"), 7);
	a = item(&v, "accounts", "name", "b");
	assert_true(json_is_null(json_object_get(a, "first_byte_ms")));
	assert_true(json_is_null(json_object_get(a, "share_permille")));
	a = item(&v, "accounts", "name", "c");
	assert_true(json_is_null(json_object_get(a, "share_permille")));
	assert_int_equal(visit(&v, "GET", "/admin/accounts/1", NULL), 200);
	assert_int_equal(desk_int(v.body, "share_permille"), 380);
	visit_fini(&v);
}

static void
request_of(struct desk *d, long long id, int key, int person)
{

	desk_sql(d, "INSERT INTO ledger (id, state, fence, responder_id, "
	    "created_ms, key_id, kind, model, stream, reserved_nusd, "
	    "body_bytes, person_id) VALUES (%lld, 1, 1, 1, 1, %d, "
	    "'messages', 'm', 0, 0, 1, %d)", id, key, person);
}

static void
old_requests_are_deleted(void **state)
{
	static const char *const wrong[] = {
		"{}", "{\"days\": 0}", "{\"days\": -1}", "{\"days\": 36501}",
		"{\"days\": \"30\"}", "{\"days\": null}",
		"{\"days\": 30, \"before_ms\": 1}"
	};
	struct desk *d = *state;
	const int64_t now = store_now_ms(d->st), day = 86400000;
	struct visit v;
	size_t i;

	visit_init(&v, d);
	visit_join(&v, d, "operator", "olga");
	request_of(d, ledger_id_first(now - 40 * day) + 1, 1, 1);
	request_of(d, ledger_id_first(now - 20 * day) + 1, 1, 1);
	request_of(d, ledger_id_first(now - 1000) + 1, 1, 1);
	visit_expect(&v, 40301, "POST", "/ledger/prune", "{\"days\": 30}");
	visit_join(&v, d, "admin", "ann");
	for (i = 0; i < NITEMS(wrong); i++)
		visit_expect(&v, 40001, "POST", "/ledger/prune", wrong[i]);
	v.long_runs = 2;
	visit_expect(&v, 42901, "POST", "/ledger/prune", "{\"days\": 30}");
	v.long_runs = 0;
	assert_int_equal(desk_number(d, "SELECT count(*) FROM ledger"), 3);

	assert_int_equal(visit(&v, "POST", "/ledger/prune",
	    "{\"days\": 30}"), 200);
	assert_int_equal(desk_int(v.body, "rows"), 1);
	assert_true(desk_int(v.body, "cut_ms") <= now - 30 * day);
	assert_true(json_is_false(json_object_get(v.body, "held")));
	assert_int_equal(desk_number(d, "SELECT count(*) FROM ledger"), 2);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM audit WHERE "
	    "verb = 'ledger.prune' AND actor = 'ann' AND "
	    "object = 'older than 30 days'"), 1);
	assert_int_equal(visit(&v, "POST", "/ledger/prune",
	    "{\"days\": 30}"), 200);
	assert_int_equal(desk_int(v.body, "rows"), 0);
	visit_fini(&v);
}

static void
requests_are_those_of_a_user(void **state)
{
	struct desk *d = *state;
	long long first = ledger_id_first(store_now_ms(d->st) - 1000);
	struct visit v, other;

	visit_init(&v, d);
	visit_init(&other, d);
	visit_join(&v, d, "operator", "olga");
	visit_join(&other, d, "user", "ulf");
	request_of(d, first + 1, 1, 1);
	request_of(d, first + 2, 2, 2);
	request_of(d, first + 3, 1, 1);
	assert_int_equal(visit(&v, "GET", "/requests?user=olga", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(v.body, "items")),
	    2);
	assert_int_equal(visit(&v, "GET", "/requests?user=ulf", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(v.body, "items")),
	    1);
	assert_int_equal(visit(&v, "GET", "/requests", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(v.body, "items")),
	    3);
	visit_expect(&v, 40401, "GET", "/requests?user=nobody", NULL);
	visit_fini(&v);
	visit_fini(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(jobs_are_listed_and_run),
		DESK_TEST(status_names_versions),
		DESK_TEST(a_job_runs_once_at_a_time),
		DESK_TEST(the_host_is_told_of),
		DESK_TEST(settings_that_differ_are_told),
		DESK_TEST(responders_are_told_to_read_the_settings),
		DESK_TEST(settings_are_those_of_the_file),
		DESK_TEST(workers_hold_leases),
		DESK_TEST(the_doctor_looks_from_inside),
		DESK_TEST(accounts_show_how_they_do),
		DESK_TEST(old_requests_are_deleted),
		DESK_TEST(requests_are_those_of_a_user),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
