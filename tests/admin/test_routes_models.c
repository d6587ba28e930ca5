#include "visit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const json_t *
first(const struct visit *v)
{

	return (json_array_get(json_object_get(v->body, "items"), 0));
}

static const char *
path_of(const struct visit *v, const char *under)
{
	static char path[512];
	const json_t *id = json_object_get(v->body, "id");

	if (json_is_string(id))
		(void)snprintf(path, sizeof(path), "%s/%s", under,
		    json_string_value(id));
	else
		(void)snprintf(path, sizeof(path), "%s/%lld", under,
		    (long long)desk_int(v->body, "id"));
	return (path);
}

/* What comes after it is of a later millisecond. */
static void
pause_ms(void)
{
	const struct timespec ms = { .tv_nsec = 2000000 };

	assert_int_equal(nanosleep(&ms, NULL), 0);
}

/* How many changes the log has of a kind. */
static size_t
logged(struct visit *v, const char *verb)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/logs?verb=%s", verb);
	assert_int_equal(visit(v, "GET", path, NULL), 200);
	return (json_array_size(v->body));
}

static void
prices_follow_one_another(void **state)
{
	struct desk *d = *state;
	char path[64], newer[64];
	struct visit v;

	visit_init_ann(&v, d);
	assert_int_equal(visit(&v, "POST", "/prices", "{\"model\": "
	    "\"model-*\", \"input_nusd_mtok\": 4000000000, "
	    "\"output_nusd_mtok\": 9000000000, \"batch_percent\": 50}"),
	    201);
	(void)snprintf(path, sizeof(path), "%s", path_of(&v, "/prices"));
	assert_string_equal(visit_text(&v, "platform"), "claude");
	assert_int_equal(desk_int(v.body, "valid_from_ms"), 0);
	assert_int_equal(desk_int(v.body, "cache_read_nusd_mtok"),
	    4000000000);
	assert_int_equal(desk_int(v.body, "cache_write_5m_nusd_mtok"),
	    5000000000);
	assert_int_equal(desk_int(v.body, "cache_write_1h_nusd_mtok"),
	    8000000000);
	assert_int_equal(visit(&v, "GET", path, NULL), 200);

	assert_int_equal(visit(&v, "PATCH", path, "{\"input_nusd_mtok\": 1, "
	    "\"cache_read_nusd_mtok\": 0}"), 201);
	(void)snprintf(newer, sizeof(newer), "%s", path_of(&v, "/prices"));
	assert_string_not_equal(newer, path);
	assert_true(desk_int(v.body, "valid_from_ms") > 0);
	assert_int_equal(desk_int(v.body, "output_nusd_mtok"), 9000000000);
	assert_int_equal(desk_int(v.body, "batch_percent"), 50);
	assert_int_equal(desk_int(v.body, "cache_read_nusd_mtok"), 0);
	assert_int_equal(visit(&v, "GET", "/prices", NULL), 200);
	assert_int_equal(desk_int(v.body, "total"), 1);
	assert_int_equal(desk_int(first(&v), "input_nusd_mtok"), 1);

	/* The one before is valid again. */
	pause_ms();
	assert_int_equal(visit(&v, "DELETE", newer, NULL), 200);
	visit_expect(&v, 40901, "DELETE", newer, NULL);
	assert_int_equal(visit(&v, "GET", "/prices", NULL), 200);
	assert_int_equal(desk_int(first(&v), "input_nusd_mtok"), 4000000000);
	assert_int_equal(logged(&v, "price.set"), 2);
	assert_int_equal(logged(&v, "price.remove"), 1);
	assert_int_equal(json_array_size(json_object_get(json_array_get(
	    v.body, 0), "before")), 2);
	visit_fini(&v);
}

/* The first one of a model is since ever; when it has ended, there is room for
 * another all the same. */
static void
a_price_that_ended_can_be_had_again(void **state)
{
	static const char price[] = "{\"model\": \"m\", "
	    "\"input_nusd_mtok\": 1, \"output_nusd_mtok\": 2}";
	static const char file[] = "{\"file\": {\"claude-x\": "
	    "{\"litellm_provider\": \"anthropic\", "
	    "\"input_cost_per_token\": 0.000003, "
	    "\"output_cost_per_token\": 0.000015}}}";
	struct desk *d = *state;
	char path[64];
	struct visit v;

	visit_init_ann(&v, d);
	assert_int_equal(visit(&v, "POST", "/prices", price), 201);
	(void)snprintf(path, sizeof(path), "%s", path_of(&v, "/prices"));
	assert_int_equal(visit(&v, "DELETE", path, NULL), 200);
	assert_int_equal(visit(&v, "GET", "/prices", NULL), 200);
	assert_int_equal(desk_int(v.body, "total"), 0);
	assert_int_equal(visit(&v, "POST", "/prices", price), 201);
	assert_int_equal(visit(&v, "GET", "/prices", NULL), 200);
	assert_int_equal(desk_int(v.body, "total"), 1);

	assert_int_equal(visit(&v, "POST", "/prices/import", file), 200);
	assert_int_equal(desk_int(v.body, "added"), 1);
	assert_int_equal(visit(&v, "POST", "/prices/import", file), 200);
	assert_int_equal(desk_int(v.body, "unchanged"), 1);
	assert_int_equal(visit(&v, "GET", "/prices", NULL), 200);
	assert_int_equal(desk_int(v.body, "total"), 2);
	assert_int_equal(desk_int(first(&v), "input_nusd_mtok"), 3000000000);
	(void)snprintf(path, sizeof(path), "/prices/%lld",
	    (long long)desk_int(first(&v), "id"));
	assert_int_equal(visit(&v, "DELETE", path, NULL), 200);
	assert_int_equal(visit(&v, "POST", "/prices/import", file), 200);
	assert_int_equal(desk_int(v.body, "added"), 1);
	assert_int_equal(logged(&v, "price.import"), 2);
	visit_fini(&v);
}

static void
a_price_to_come_is_taken_away(void **state)
{
	struct desk *d = *state;
	char path[64], body[160];
	struct visit v;

	visit_init_ann(&v, d);
	(void)snprintf(body, sizeof(body), "{\"model\": \"m\", "
	    "\"input_nusd_mtok\": 1, \"output_nusd_mtok\": 2, "
	    "\"valid_from_ms\": %lld}", (long long)store_now_ms(d->st) +
	    86400000);
	assert_int_equal(visit(&v, "POST", "/prices", body), 201);
	(void)snprintf(path, sizeof(path), "%s", path_of(&v, "/prices"));
	visit_expect(&v, 40901, "POST", "/prices", body);
	assert_int_equal(visit(&v, "DELETE", path, NULL), 200);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM price"), 0);
	visit_expect(&v, 40401, "GET", path, NULL);
	visit_expect(&v, 40401, "DELETE", path, NULL);
	visit_expect(&v, 40401, "PATCH", path, "{}");
	visit_fini(&v);
}

static void
aliases_are_kept(void **state)
{
	struct desk *d = *state;
	char path[512];
	struct visit v;

	visit_init_ann(&v, d);
	desk_account(d, "vendor", 1);
	assert_int_equal(visit(&v, "POST", "/groups", "{\"name\": \"g\"}"),
	    201);
	assert_int_equal(visit(&v, "POST", "/aliases", "{\"on\": "
	    "\"account\", \"of\": \"vendor\", \"alias\": \"a/b?*\", "
	    "\"model\": \"m\"}"), 201);
	(void)snprintf(path, sizeof(path), "%s", path_of(&v, "/aliases"));
	assert_string_equal(visit_text(&v, "of"), "vendor");
	visit_expect(&v, 40901, "POST", "/aliases", "{\"on\": "
	    "\"account\", \"of\": \"vendor\", \"alias\": \"a/b?*\", "
	    "\"model\": \"n\"}");
	assert_int_equal(visit(&v, "POST", "/aliases", "{\"on\": "
	    "\"group\", \"of\": \"g\", \"alias\": \"a/b?*\", "
	    "\"model\": \"of group\"}"), 201);
	assert_string_not_equal(path_of(&v, "/aliases"), path);

	assert_int_equal(visit(&v, "PATCH", path, "{\"model\": \"n\"}"),
	    200);
	assert_string_equal(visit_text(&v, "model"), "n");
	assert_int_equal(visit(&v, "GET", path, NULL), 200);
	assert_string_equal(visit_text(&v, "alias"), "a/b?*");
	assert_int_equal(visit(&v, "GET", "/aliases?group=g", NULL), 200);
	assert_int_equal(desk_int(v.body, "total"), 1);
	assert_string_equal(json_string_value(json_object_get(first(&v),
	    "model")), "of group");
	visit_expect(&v, 40001, "GET", "/aliases?group=g&account=vendor",
	    NULL);
	visit_expect(&v, 40001, "PATCH", path, "{\"model\": \"n*\"}");
	visit_expect(&v, 40001, "PATCH", path, "{\"alias\": \"n\"}");
	assert_int_equal(visit(&v, "DELETE", path, NULL), 200);
	visit_expect(&v, 40401, "GET", path, NULL);
	visit_expect(&v, 40401, "DELETE", path, NULL);
	assert_int_equal(visit(&v, "GET", "/aliases", NULL), 200);
	assert_int_equal(desk_int(v.body, "total"), 1);
	assert_int_equal(logged(&v, "alias.add"), 2);
	assert_int_equal(logged(&v, "alias.set"), 1);
	assert_int_equal(logged(&v, "alias.remove"), 1);
	visit_fini(&v);
}

static void
object(struct desk *d, int id, const char *upstream_id)
{

	desk_sql(d, "INSERT INTO object (id, kind, upstream_id, account_id, "
	    "key_id, ledger_id, model, final, unheard, created_ms, seen) "
	    "VALUES (%d, 'file', '%s', (SELECT max(id) FROM account), 1, 7, "
	    "'', 1, 0, %d, '{}')", id, upstream_id, id);
}

static void
objects_are_paged_and_forgotten(void **state)
{
	struct desk *d = *state;
	struct visit v;

	visit_init_ann(&v, d);
	desk_account(d, "holder", 1);
	object(d, 1, "file_1");
	object(d, 2, "file_2");
	object(d, 3, "file_3");
	assert_int_equal(visit(&v, "GET", "/objects?limit=2", NULL), 200);
	assert_int_equal(desk_int(v.body, "next"), 2);
	assert_string_equal(json_string_value(json_object_get(first(&v),
	    "id")), "file_3");
	assert_int_equal(visit(&v, "GET", "/objects?limit=2&before=2", NULL),
	    200);
	assert_true(json_is_null(json_object_get(v.body, "next")));
	assert_int_equal(desk_int(first(&v), "row"), 1);
	assert_int_equal(visit(&v, "GET", "/objects/file_2", NULL), 200);
	assert_string_equal(json_string_value(json_object_get(first(&v),
	    "account")), "holder");
	visit_expect(&v, 40401, "GET", "/objects/file_9", NULL);
	visit_expect(&v, 40001, "GET", "/objects?kind=shoe", NULL);
	assert_int_equal(visit(&v, "GET", "/objects/lost", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(v.body, "items")),
	    0);

	assert_int_equal(visit(&v, "DELETE", "/objects/file_2", NULL), 200);
	assert_int_equal(desk_int(v.body, "forgotten"), 1);
	visit_expect(&v, 40401, "DELETE", "/objects/file_2", NULL);
	visit_expect(&v, 40401, "POST", "/objects/forget",
	    "{\"account\": \"nobody\"}");
	assert_int_equal(visit(&v, "POST", "/objects/forget",
	    "{\"account\": \"holder\", \"before_ms\": 3}"), 200);
	assert_int_equal(desk_int(v.body, "forgotten"), 1);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM object"), 1);
	assert_int_equal(logged(&v, "object.forget"), 2);
	visit_fini(&v);
}

static void
bad_values_are_refused(void **state)
{
	static const struct {
		const char *path, *body;
	} bad[] = {
		{ "/prices", "{}" },
		{ "/prices", "{\"model\": \"m\", \"input_nusd_mtok\": 1}" },
		{ "/prices", "{\"model\": \"m\", \"input_nusd_mtok\": -1, "
		    "\"output_nusd_mtok\": 1}" },
		{ "/prices", "{\"model\": \"m\", \"input_nusd_mtok\": 0.5, "
		    "\"output_nusd_mtok\": 1}" },
		{ "/prices", "{\"model\": \"\", \"input_nusd_mtok\": 1, "
		    "\"output_nusd_mtok\": 1}" },
		{ "/prices", "{\"model\": \"m\", \"input_nusd_mtok\": 1, "
		    "\"output_nusd_mtok\": 1, \"platform\": \"abacus\"}" },
		{ "/prices", "{\"model\": \"m\", \"input_nusd_mtok\": 1, "
		    "\"output_nusd_mtok\": 1, \"batch_percent\": 10001}" },
		{ "/prices", "{\"model\": \"m\", \"input_nusd_mtok\": 1, "
		    "\"output_nusd_mtok\": 1, \"valid_until_ms\": 5}" },
		{ "/prices", "{\"model\": \"m\", \"input_nusd_mtok\": 1, "
		    "\"output_nusd_mtok\": 1, \"source\": \"me\"}" },
		{ "/prices/import", "{\"file\": []}" },
		{ "/prices/import", "{\"file\": {}}" },
		{ "/prices/import", "{\"path\": \"/etc/passwd\"}" },
		{ "/aliases", "{\"on\": \"group\", \"of\": \"g\"}" },
		{ "/aliases", "{\"on\": \"key\", \"of\": \"g\", "
		    "\"alias\": \"a\", \"model\": \"b\"}" },
		{ "/aliases", "{\"on\": \"group\", \"of\": \"g\", "
		    "\"alias\": \"a\\nb\", \"model\": \"b\"}" },
		{ "/aliases", "{\"on\": \"group\", \"of\": \"g\", "
		    "\"alias\": \"a\", \"model\": \"*\"}" },
		{ "/objects/forget", "{}" },
		{ "/objects/forget", "{\"account\": 1}" },
	};
	struct desk *d = *state;
	struct visit v;
	size_t i;

	visit_init_ann(&v, d);
	assert_int_equal(visit(&v, "POST", "/groups", "{\"name\": \"g\"}"),
	    201);
	for (i = 0; i < NITEMS(bad); i++)
		visit_expect(&v, 40001, "POST", bad[i].path, bad[i].body);
	visit_expect(&v, 40401, "POST", "/aliases", "{\"on\": \"account\", "
	    "\"of\": \"g\", \"alias\": \"a\", \"model\": \"b\"}");
	assert_int_equal(desk_number(d, "SELECT count(*) FROM price"), 0);
	assert_int_equal(desk_number(d, "SELECT count(*) FROM model_alias"),
	    0);
	visit_fini(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(prices_follow_one_another),
		DESK_TEST(a_price_that_ended_can_be_had_again),
		DESK_TEST(a_price_to_come_is_taken_away),
		DESK_TEST(aliases_are_kept),
		DESK_TEST(objects_are_paged_and_forgotten),
		DESK_TEST(bad_values_are_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
