#define _GNU_SOURCE	/* memmem */

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "relay/batch_peek.h"
#include "relay/mentions.h"
#include "relay/object_answer.h"

#define ITEM(params)	"{\"custom_id\":\"a\",\"params\":{" params "}}"
#define BODY(items)	"{\"requests\":[" items "]}"
#define MODEL(m)	"\"model\":\"" m "\",\"max_tokens\":9"
#define SOURCE(id)	"{\"type\":\"document\",\"source\":{\"type\":" \
	"\"file\",\"file_id\":\"" id "\"}}"
#define CONTENT(c)	"\"messages\":[{\"role\":\"user\",\"content\":[" c "]}]"

static const struct {
	const char *body;
	int64_t items;
	const char *models, *ids;	/* with a blank behind each */
	bool other;
} good[] = {
	{ BODY(ITEM(MODEL("m1"))), 1, "m1 ", "", false },
	{ BODY(ITEM(MODEL("m1")) "," ITEM(MODEL("m2")) "," ITEM(MODEL("m1"))),
	    3, "m1 m2 ", "", false },
	{ BODY(ITEM(MODEL("m1") ",\"fallbacks\":[{\"model\":\"m3\"}]")), 1,
	    "m1 m3 ", "", false },
	{ BODY(ITEM(MODEL("m1") ",\"fallbacks\":[{\"model\":\"m3\"},{}]")),
	    1, "m1 m3 ", "", true },
	{ BODY(ITEM(MODEL("m1") ",\"fallbacks\":[\"m3\"]")), 1, "m1 ", "",
	    true },
	{ BODY(ITEM(MODEL("m1") ",\"fallbacks\":\"default\"")), 1, "m1 ", "",
	    true },
	{ BODY(ITEM(MODEL("m1") ",\"fallbacks\":null")), 1, "m1 ", "", false },
	{ BODY(ITEM(MODEL("m1") ",\"tools\":[{\"model\":\"m2\"},{}]")), 1,
	    "m1 m2 ", "", false },
	{ BODY(ITEM(MODEL("m1") ",\"fallbacks\":[]")), 1, "m1 ", "", false },
	{ BODY(ITEM(MODEL("m1") "," CONTENT(SOURCE("f1") "," SOURCE("f2")))
	    "," ITEM(CONTENT(SOURCE("f1")) "," MODEL("m1"))), 2, "m1 ",
	    "f1 f2 ", false },
	{ BODY(ITEM(MODEL("m1") "," CONTENT("{\"type\":\"tool_result\","
	    "\"content\":[" SOURCE("f3") "]}"))), 1, "m1 ", "f3 ", false },
	{ BODY(ITEM(MODEL("m1") "," CONTENT("{\"type\":\"container_upload\","
	    "\"file_id\":\"f4\"}"))), 1, "m1 ", "f4 ", false },
	/* What the model was told of its own tools' files. */
	{ BODY(ITEM(MODEL("m1") "," CONTENT("{\"type\":\"x_tool_result\","
	    "\"content\":{\"content\":[{\"file_id\":\"f5\"}]}}"))), 1, "m1 ",
	    "", false },
	/* Both of two that are given count, however they are written. */
	{ BODY(ITEM(MODEL("m1") ",\"mod\\u0065l\":\"m2\"")), 1, "m1 m2 ", "",
	    false },
	/* No id that anybody has. */
	{ BODY(ITEM(MODEL("m1") "," CONTENT(SOURCE("f/../x")))), 1, "m1 ",
	    " ", false },
};

static void
join(char *out, const char *names, size_t size, size_t n)
{
	size_t i;

	out[0] = '\0';
	for (i = 0; i < n; i++) {
		strcat(out, names + i * size);
		strcat(out, " ");
	}
}

/* Its places hold what they are said to. */
static void
check_places(const char *body, const struct mentions *m)
{
	const struct splice_place *p;

	for (p = m->splice.places; p < m->splice.places + m->splice.n; p++) {
		assert_int_equal(body[p->start], '"');
		assert_int_equal(body[p->start + p->len - 1], '"');
		assert_int_equal(p->plain, p->len ==
		    strlen(m->ask.names[p->name]) + 2);
		if (!p->plain)
			continue;
		assert_int_equal(p->len, strlen(m->ask.names[p->name]) + 2);
		assert_memory_equal(body + p->start + 1,
		    m->ask.names[p->name], p->len - 2);
	}
}

static void
what_a_body_names_is_found_however_it_is_cut(void **state)
{
	struct mentions models;
	struct object_ask ask;
	struct batch_scan *s;
	char text[256];
	size_t i, cut, n;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		n = strlen(good[i].body);
		for (cut = 0; cut <= n; cut++) {
			memset(&ask, 0, sizeof(ask));
			s = batch_scan_new();
			assert_non_null(s);
			assert_int_equal(batch_scan_push(s, good[i].body, cut,
			    NULL), 0);
			assert_int_equal(batch_scan_push(s, good[i].body +
			    cut, n - cut, NULL), 0);
			assert_int_equal(batch_scan_end(s, &ask,
			    &models, NULL), 0);
			assert_int_equal(ask.items, good[i].items);
			join(text, models.ask.names[0], LIMIT_NAME_BYTES,
			    models.ask.n);
			assert_string_equal(text, good[i].models);
			check_places(good[i].body, &models);
			join(text, ask.ids[0], OBJECT_ID_SIZE, ask.n);
			assert_string_equal(text, good[i].ids);
			assert_int_equal(models.ask.unnamed, good[i].other);
			mentions_fini(&models);
			batch_scan_free(s);
		}
	}
}

static const struct {
	const char *body, *why;
} bad[] = {
	{ "{\"requests\":[", "not valid JSON" },
	{ "{\"requests\":}", "not valid JSON" },
	{ "[]", "not a JSON object" },
	{ "{}", "requests is missing or empty" },
	{ "{\"requests\":[]}", "requests is missing or empty" },
	{ BODY(ITEM(MODEL("m1")) "," ITEM("\"max_tokens\":1")),
	    "requests.1.params.model is missing" },
	{ BODY(ITEM("\"model\":7")), "requests.0.params.model is not a "
	    "string" },
	{ BODY(ITEM(MODEL("m1")) "," ITEM(MODEL(""))),
	    "requests.1.params.model is empty" },
	{ BODY(ITEM(MODEL("m1\\nm2"))),
	    "requests.0.params.model holds a control character" },
	{ BODY(ITEM(MODEL("m1") ",\"fallbacks\":[{\"model\":null}]")),
	    "requests.0.params.fallbacks[].model is not a string" },
	{ BODY(ITEM(MODEL("m1") ",\"tools\":[{\"model\":[]}]")),
	    "requests.0.params.tools[].model is not a string" },
	{ BODY("{}"), "requests.0.params.model is missing" },
};

static void
what_makes_no_sense_is_told(void **state)
{
	struct object_ask ask = { .n = 0 };
	struct mentions models;
	struct batch_scan *s;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&err);
		s = batch_scan_new();
		assert_non_null(s);
		if (batch_scan_push(s, bad[i].body, strlen(bad[i].body),
		    &err) == 0)
			assert_int_equal(batch_scan_end(s, &ask, &models,
			    &err), -1);
		assert_int_equal(err.code, ERR_INVAL);
		assert_non_null(strstr(err.text, bad[i].why));
		batch_scan_free(s);
	}
}

static void
more_models_and_files_than_fit_are_told(void **state)
{
	char body[8192] = "{\"requests\":[";
	struct object_ask ask = { .n = 0 };
	struct batch_scan *s = batch_scan_new();
	struct mentions models;
	char one[256];
	int i;

	(void)state;
	assert_non_null(s);
	for (i = 0; i < OBJECT_NAMES_MAX + 1; i++) {
		snprintf(one, sizeof(one), "%s" ITEM(MODEL("m%d") ","
		    CONTENT(SOURCE("f%d"))), i > 0 ? "," : "", i % 10, i);
		strcat(body, one);
	}
	strcat(body, "]}");
	assert_int_equal(batch_scan_push(s, body, strlen(body), NULL), 0);
	assert_int_equal(batch_scan_end(s, &ask, &models, NULL), 0);
	assert_int_equal(ask.items, OBJECT_NAMES_MAX + 1);
	assert_int_equal(models.ask.n, MODEL_ASK_MAX);
	assert_true(models.ask.more);
	mentions_fini(&models);
	assert_int_equal(ask.n, OBJECT_NAMES_MAX);
	assert_true(ask.more);
	batch_scan_free(s);
}

/* What a batch takes beside its body: 16 bytes a place, in steps. */
static void
places_take_little_memory(void **state)
{
	static const char item[] = ITEM(MODEL("m1")) ",";
	struct batch_scan *s = batch_scan_new();
	int i;

	(void)state;
	assert_non_null(s);
	assert_int_equal(batch_scan_push(s, "{\"requests\":[", 13, NULL), 0);
	assert_int_equal(batch_scan_bytes(s), 0);
	for (i = 0; i < 100000; i++)
		assert_int_equal(batch_scan_push(s, item, strlen(item), NULL),
		    0);
	assert_in_range(batch_scan_bytes(s), 1600000, 3200000);
	batch_scan_free(s);
}

/* ---- answers ---- */

#define URL	"https://api.example/v1/messages/batches/b1/results"

static void
an_answer_is_read_and_its_url_leads_to_the_relay(void **state)
{
	static const char text[] = "{\"id\":\"b1\",\"processing_status\":"
	    "\"ended\",\"results_url\":\"" URL "\",\"x\":1}";
	char seen[OBJECT_SEEN_SIZE];
	struct object_answer a;
	struct buf b;

	(void)state;
	assert_true(object_answer_read(text, strlen(text), OBJECT_BATCH,
	    &a));
	assert_string_equal(a.id, "b1");
	assert_true(a.final && a.has_url);
	buf_init(&b, 4096);
	assert_int_equal(object_answer_put(&b, text, strlen(text), &a,
	    "https://relay.example/claude"), 0);
	assert_int_equal(buf_append(&b, "", 1), 0);
	assert_string_equal(buf_head(&b), "{\"id\":\"b1\","
	    "\"processing_status\":\"ended\",\"results_url\":"
	    "\"https://relay.example/claude/v1/messages/batches/b1/results\","
	    "\"x\":1}");
	buf_reset(&b);
	assert_int_equal(object_answer_put(&b, text, strlen(text), &a, ""),
	    0);
	assert_non_null(memmem(buf_head(&b), buf_len(&b),
	    ":\"/v1/messages/batches/b1/results\",", 34));
	buf_fini(&b);
	object_answer_seen(text, strlen(text), &a, seen);
	assert_string_equal(seen, text);
}

static void
answers_that_are_none_are_kept_by_their_id(void **state)
{
	static const struct {
		const char *text;
		bool good, final, has_url;
		const char *id;
	} cases[] = {
		{ "{\"id\":\"b1\",\"processing_status\":\"in_progress\","
		    "\"results_url\":null}", true, false, false, "b1" },
		{ "{\"id\":\"b 1\"}", true, false, false, "" },
		{ "{\"id\":7}", true, false, false, "" },
		{ "[1]", false, false, false, "" },
		{ "{\"id\":\"b1\"", false, false, false, "" },
	};
	static char text[OBJECT_SEEN_SIZE + 64];
	char seen[OBJECT_SEEN_SIZE];
	struct object_answer a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(object_answer_read(cases[i].text,
		    strlen(cases[i].text), OBJECT_BATCH, &a), cases[i].good);
		assert_string_equal(a.id, cases[i].id);
		assert_int_equal(a.final, cases[i].final);
		assert_int_equal(a.has_url, cases[i].has_url);
	}
	snprintf(text, sizeof(text), "{\"id\":\"f1\",\"filename\":\"%*s\"}",
	    OBJECT_SEEN_SIZE, "");
	assert_true(object_answer_read(text, strlen(text), OBJECT_FILE, &a));
	assert_true(a.final);
	object_answer_seen(text, strlen(text), &a, seen);
	assert_string_equal(seen, "{\"id\":\"f1\"}");
	object_answer_seen("{\"id\":\"f1\",\"n\":\"\xff\"}", 18, &a, seen);
	assert_string_equal(seen, "{\"id\":\"f1\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_a_body_names_is_found_however_it_is_cut),
		cmocka_unit_test(what_makes_no_sense_is_told),
		cmocka_unit_test(more_models_and_files_than_fit_are_told),
		cmocka_unit_test(places_take_little_memory),
		cmocka_unit_test(
		    an_answer_is_read_and_its_url_leads_to_the_relay),
		cmocka_unit_test(answers_that_are_none_are_kept_by_their_id),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
