/*
 * Every route, asked by everybody, with all that can be wrong: what is
 * answered is an error of the right kind, and nothing changes.  Which members
 * and parameters there are is told by openapi.json.
 */
#include "visit.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "openapi.h"
#include "service.h"
#include "tokens.h"

/* Longer than any text that is taken. */
#define LONG_TEXT	70000

enum asker {
	NOBODY,
	KEY_OWNER,
	USER,
	OPERATOR,
	ADMIN,
	READER,			/* an administrator's token that may read */
	ASKERS
};

static const char *const asker_words[ASKERS] = {
	[NOBODY] = "nobody", [KEY_OWNER] = "a key's owner", [USER] = "user",
	[OPERATOR] = "operator", [ADMIN] = "admin",
	[READER] = "a token that may read",
};

static const struct row {
	const char *method, *path;
	const char *least;
	bool body;
} rows[] = {
#define ROUTE(method, path, least, body, name) \
	{ method, path, #least, body },
#include "routes.def"
#undef ROUTE
};

struct matrix {
	struct desk *desk;
	struct visit visits[ASKERS];
	json_t *doc;
	char *long_text;
	char *body;		/* being asked with */
	int mistakes;
	int asked;
	int64_t changes;	/* that setup made */
};

/* ---- an installation with one of each ---- */

static int64_t
changes(const struct matrix *m)
{

	return (desk_number(m->desk, "SELECT count(*) FROM audit "
	    "WHERE verb NOT LIKE 'sign_in%%'"));
}

/* What makes one of each. */
static const char *const make[][2] = {
	{ "/groups", "{\"name\": \"g\"}" },
	{ "/admin/accounts", "{\"name\": \"a\", \"platform_type\": "
	    "\"claude\", \"request_url\": \"https://u.example\", "
	    "\"credential\": \"api_key\", \"secret_key\": \"s\"}" },
	{ "/api-keys", "{\"name\": \"k\"}" },
	{ "/budgets", "{\"on\": \"key\", \"of\": \"k\", "
	    "\"counts\": \"money\", \"limit\": 1}" },
	{ "/prices", "{\"model\": \"m\", \"input_nusd_mtok\": 1, "
	    "\"output_nusd_mtok\": 1}" },
	{ "/aliases", "{\"on\": \"group\", \"of\": \"g\", "
	    "\"alias\": \"x\", \"model\": \"y\"}" },
	{ "/notify/targets", "{\"kind\": \"webhook\", \"name\": \"n\", "
	    "\"address\": \"https://n.example/x\"}" },
	{ "/admin/invitations", "{}" },
	{ "/auth/tokens", "{\"name\": \"t\"}" },
};

static void
fill(struct matrix *m)
{
	struct visit *v = &m->visits[ADMIN];
	size_t i;

	for (i = 0; i < NITEMS(make); i++)
		assert_int_equal(visit(v, "POST", make[i][0], make[i][1]),
		    201);
}

static void
join(struct matrix *m)
{
	char key[SEAL_CLIENT_KEY_SIZE];
	struct key_change k;
	enum asker i;

	for (i = 0; i < ASKERS; i++)
		visit_init(&m->visits[i], m->desk);
	visit_join(&m->visits[ADMIN], m->desk, "admin", "ann");
	visit_join(&m->visits[OPERATOR], m->desk, "operator", "olga");
	visit_join(&m->visits[USER], m->desk, "user", "uwe");
	key_change_init(&k);
	k.name = "owned";
	desk_works(m->desk, keys_create(m->desk->st, &m->desk->pepper, &k,
	    key, &m->desk->err));
	(void)snprintf(m->visits[KEY_OWNER].bearer,
	    sizeof(m->visits[KEY_OWNER].bearer), "%s", key);
	desk_works(m->desk, tokens_create(m->desk->st, &m->desk->pepper,
	    &(struct token_spec) { "reader", 0, 1, true },
	    m->visits[READER].bearer, &m->desk->err));
}

static int
setup(void **state)
{
	struct matrix *m = calloc(1, sizeof(*m));
	void *desk;

	assert_non_null(m);
	assert_int_equal(desk_setup(&desk), 0);
	m->desk = desk;
	assert_non_null(m->doc = openapi_show("", &m->desk->err));
	assert_non_null(m->long_text = malloc(LONG_TEXT + 1));
	memset(m->long_text, 'x', LONG_TEXT);
	m->long_text[LONG_TEXT] = '\0';
	assert_non_null(m->body = malloc(2 * LONG_TEXT));
	join(m);
	fill(m);
	m->changes = changes(m);
	*state = m;
	return (0);
}

static int
teardown(void **state)
{
	struct matrix *m = *state;
	void *desk = m->desk;
	enum asker i;

	for (i = 0; i < ASKERS; i++)
		visit_fini(&m->visits[i]);
	json_decref(m->doc);
	free(m->long_text);
	free(m->body);
	free(m);
	return (desk_teardown(&desk));
}

/* ---- asking ---- */

static void
mistake(struct matrix *m, const struct row *r, enum asker who,
    const char *what, const char *why)
{
	const struct visit *v = &m->visits[who];
	const char *error = json_string_value(json_object_get(v->body,
	    "error"));

	print_error("%s %s as %s, %.80s: %d, %s (%s)\n", r->method, r->path,
	    asker_words[who], what, v->status, why,
	    error != NULL ? error : "");
	m->mistakes++;
}

static void
assert_none(struct matrix *m)
{
	const int mistakes = m->mistakes;

	m->mistakes = 0;
	assert_int_equal(mistakes, 0);
}

/* Ask; an error is of the shape of errors, and no fault of ours. */
static int
ask(struct matrix *m, const struct row *r, enum asker who, const char *path,
    const char *body, const char *what)
{
	struct visit *v = &m->visits[who];
	json_int_t code;

	(void)visit(v, r->method, path, body);
	m->asked++;
	code = json_integer_value(json_object_get(v->body, "code"));
	if (v->status >= 500)
		mistake(m, r, who, what, "a fault");
	else if (v->status >= 400 && (code / 100 != v->status ||
	    json_object_size(v->body) != 2 ||
	    json_string_length(json_object_get(v->body, "error")) < 3))
		mistake(m, r, who, what, "not of the shape of errors");
	return (v->status);
}

/* "/a/{id}/b" as "/a/1/b", or with another id; "?..." behind it. */
static const char *
path_of(const struct row *r, const char *id, const char *query,
    char out[8192])
{
	const char *brace = strchr(r->path, '{');
	int n;

	n = brace == NULL ? snprintf(out, 8192, "%s", r->path) :
	    snprintf(out, 8192, "%.*s%s%s", (int)(brace - r->path), r->path,
	    id, strchr(brace, '}') + 1);
	(void)snprintf(out + n, 8192 - (size_t)n, "%s", query);
	return (out);
}

static const json_t *
operation(const struct matrix *m, const struct row *r)
{
	char method[16];
	size_t i;

	for (i = 0; r->method[i] != '\0' && i + 1 < sizeof(method); i++)
		method[i] = (char)tolower((unsigned char)r->method[i]);
	method[i] = '\0';
	return (json_object_get(json_object_get(json_object_get(m->doc,
	    "paths"), r->path), method));
}

static const json_t *
resolve(const struct matrix *m, const json_t *j)
{
	const char *ref = json_string_value(json_object_get(j, "$ref"));
	char kind[32], name[64];

	if (ref == NULL ||
	    sscanf(ref, "#/components/%31[^/]/%63s", kind, name) != 2)
		return (j);
	return (json_object_get(json_object_get(json_object_get(m->doc,
	    "components"), kind), name));
}

/* ---- who may ask ---- */

/* 0: let in; else the status. */
static int
refused(const struct row *r, enum asker who)
{
	const char *least = r->least;

	if (strcmp(least, "NONE") == 0)
		return (0);
	if (strcmp(least, "KEY") == 0)
		return (who == KEY_OWNER ? 0 : 401);
	if (who == NOBODY || who == KEY_OWNER)
		return (401);
	if (who == READER)
		return (strcmp(r->method, "GET") == 0 ? 0 : 403);
	if ((strcmp(least, "ADMIN") == 0 && who < ADMIN) ||
	    (strcmp(least, "OPERATOR") == 0 && who < OPERATOR))
		return (403);
	return (0);
}

/* Bodies that are none, whatever the route. */
static const struct {
	const char *what, *body, *type;
	int status;
} bad_bodies[] = {
	{ "half of it", "{\"name\": ", NULL, 400 },
	{ "an array", "[]", NULL, 400 },
	{ "a text", "\"name\"", NULL, 400 },
	{ "a number", "1", NULL, 400 },
	{ "null", "null", NULL, 400 },
	{ "two objects", "{} {}", NULL, 400 },
	{ "blanks", "   ", NULL, 400 },
	{ "a name twice", "{\"name\": \"a\", \"name\": \"b\"}", NULL, 400 },
	{ "no UTF-8", "{\"name\": \"\xff\xfe\"}", NULL, 400 },
	{ "a NUL", "{\"name\": \"a\\u0000b\"}", NULL, 400 },
	{ "half a surrogate", "{\"name\": \"\\ud800\"}", NULL, 400 },
	{ "a form", "name=a&password=b",
	    "application/x-www-form-urlencoded", 415 },
	{ "a form of parts", "--x\r\n", "multipart/form-data; boundary=x",
	    415 },
	{ "JSON that is called text", "{\"name\": \"a\"}", "text/plain",
	    415 },
	{ "JSON without a type", "{\"name\": \"a\"}", "", 415 },
};

static void
ask_bad_bodies(struct matrix *m, const struct row *r, enum asker who)
{
	struct visit *v = &m->visits[who];
	int status = refused(r, who), wanted;
	char path[8192];
	size_t i;

	for (i = 0; i < NITEMS(bad_bodies); i++) {
		wanted = status != 0 ? status : bad_bodies[i].status;
		if (bad_bodies[i].type != NULL)
			v->type = bad_bodies[i].type;
		if (ask(m, r, who, path_of(r, "1", "", path),
		    bad_bodies[i].body, bad_bodies[i].what) != wanted)
			mistake(m, r, who, bad_bodies[i].what,
			    "another status");
		v->type = "application/json";
	}
}

/* What reads takes no body, and looks at none but to refuse it. */
static void
bodies_that_are_none_are_refused(void **state)
{
	struct matrix *m = *state;
	const struct row *r;
	enum asker who;

	for (r = rows; r < rows + NITEMS(rows); r++) {
		for (who = 0; who < ASKERS; who++) {
			/* A token is a wrong key, which is counted. */
			if (who != READER || strcmp(r->least, "KEY") != 0)
				ask_bad_bodies(m, r, who);
		}
	}
	assert_none(m);
}

static void
bodies_that_are_too_long_are_refused(void **state)
{
	struct matrix *m = *state;
	char *body = malloc(SERVICE_BODY_BYTES + 2), path[8192];
	const struct row *r;
	enum asker who;
	int wanted;

	assert_non_null(body);
	memset(body, ' ', SERVICE_BODY_BYTES + 1);
	memcpy(body, "{}", 2);
	body[SERVICE_BODY_BYTES + 1] = '\0';
	for (r = rows; r < rows + NITEMS(rows); r++) {
		for (who = 0; who < ASKERS; who++) {
			wanted = refused(r, who);
			if (who == READER && wanted == 401)
				continue;
			if (ask(m, r, who, path_of(r, "1", "", path), body,
			    "a long body") != (wanted != 0 ? wanted : 413))
				mistake(m, r, who, "a long body",
				    "another status");
		}
	}
	free(body);
	assert_none(m);
}

/* ---- ids ---- */

static void
ids_that_are_none_are_not_found(void **state)
{
	static const char *const ids[] = {
		"0", "-1", "+1", "999999999", "9223372036854775807",
		"9223372036854775808", "99999999999999999999999", "1.0", "1e0",
		"0x1", "%31", "1%00", "abc", "%20", "1%20", "..", ".",
		"%2e%2e", "1;2", "'", "1'%20OR%20'1'='1", "%ff", "null", "{id}",
		"req_lh_0000000000000", "\xe6\x97\xa5",
	};
	struct matrix *m = *state;
	const struct row *r;
	char path[8192];
	const char *body;
	size_t i;
	int status;

	for (r = rows; r < rows + NITEMS(rows); r++) {
		if (strchr(r->path, '{') == NULL)
			continue;
		body = r->body ? "{}" : NULL;
		for (i = 0; i < NITEMS(ids); i++) {
			status = ask(m, r, ADMIN, path_of(r, ids[i], "", path),
			    body, ids[i]);

			/* A body, or a query, may be looked at before. */
			if (status != 404 && status != 405 && !(status == 400 &&
			    (r->body || strstr(r->path, "why-not") != NULL)))
				mistake(m, r, ADMIN, ids[i], "found");
		}
	}
	assert_none(m);
}

/* ---- the query ---- */

static void
ask_query(struct matrix *m, const struct row *r, const json_t *p)
{
	static const char *const numbers[] = {
		"x", "-1", "1.5", "99999999999999999999", "", "1x", "%31%00",
		"+1%20", "0x10", "NaN"
	};
	static const char *const texts[] = { "%zz", "%", "%4", "%00" };
	const json_t *schema = resolve(m, json_object_get(p, "schema"));
	const char *name = json_string_value(json_object_get(p, "name"));
	const char *type = json_string_value(json_object_get(schema, "type"));
	const bool number = type != NULL && strcmp(type, "integer") == 0;
	char query[6000], path[8192];
	size_t i;

	for (i = 0; i < (number ? NITEMS(numbers) : NITEMS(texts)); i++) {
		(void)snprintf(query, sizeof(query), "?%s=%s", name,
		    number ? numbers[i] : texts[i]);
		if (ask(m, r, ADMIN, path_of(r, "1", query, path), NULL,
		    query) != 400)
			mistake(m, r, ADMIN, query, "taken");
	}
	(void)snprintf(query, sizeof(query), "?%s=%.5000s", name,
	    m->long_text);
	if (ask(m, r, ADMIN, path_of(r, "1", query, path), NULL, query) != 400)
		mistake(m, r, ADMIN, query, "taken");
}

static void
queries_that_are_none_are_refused(void **state)
{
	struct matrix *m = *state;
	const struct row *r;
	const json_t *p;
	size_t i;

	for (r = rows; r < rows + NITEMS(rows); r++) {
		if (strcmp(r->least, "KEY") == 0)
			continue;
		json_array_foreach(json_object_get(operation(m, r),
		    "parameters"), i, p) {
			p = resolve(m, p);
			if (strcmp(json_string_value(json_object_get(p,
			    "in")), "query") == 0)
				ask_query(m, r, p);
		}
	}
	assert_none(m);
}

/* ---- members of bodies ---- */

/* Values of another type than ${schema} says, or beyond it. */
static bool
is_wrong(const json_t *schema, const char *value)
{
	const json_t *type = json_object_get(schema, "type");
	char text[64] = "";
	const json_t *one;
	size_t i;

	json_array_foreach(type, i, one)
		(void)strcat(strcat(text, json_string_value(one)), " ");
	if (json_is_string(type))
		(void)strcat(text, json_string_value(type));
	if (value[0] == '"')
		return (strstr(text, "string") == NULL);
	if (value[0] == '[')
		return (strstr(text, "array") == NULL ||
		    strcmp(value, "[]") == 0);
	if (value[0] == '{')
		return (strstr(text, "object") == NULL);
	if (value[0] == 't')
		return (strstr(text, "boolean") == NULL);
	if (strcmp(value, "1") == 0)
		return (strstr(text, "integer") == NULL);
	return (true);
}

static void
ask_member(struct matrix *m, const struct row *r, const char *name,
    const json_t *schema)
{
	static const char *const values[] = {
		"[]", "{}", "[1]", "[[]]", "{\"a\": 1}", "true", "1", "1.5",
		"-1", "1e300", "-9223372036854775808",
		"9223372036854775807123", "\"x\"",
	};
	char path[8192], what[160];
	size_t i;
	int status;

	for (i = 0; i < NITEMS(values); i++) {
		if (!is_wrong(schema, values[i]))
			continue;
		(void)snprintf(m->body, 2 * LONG_TEXT, "{\"%s\": %s}", name,
		    values[i]);
		(void)snprintf(what, sizeof(what), "%s", m->body);
		status = ask(m, r, ADMIN, path_of(r, "1", "", path), m->body,
		    what);
		if (status < 400)
			mistake(m, r, ADMIN, what, "taken");
	}
	(void)snprintf(m->body, 2 * LONG_TEXT, "{\"%s\": \"%s\"}", name,
	    m->long_text);
	(void)snprintf(what, sizeof(what), "a long \"%s\"", name);
	if (ask(m, r, ADMIN, path_of(r, "1", "", path), m->body, what) < 400)
		mistake(m, r, ADMIN, what, "taken");
}

static void
members_of_another_type_are_refused(void **state)
{
	struct matrix *m = *state;
	const json_t *schema;
	const struct row *r;
	const char *name;
	json_t *member;

	for (r = rows; r < rows + NITEMS(rows); r++) {
		schema = resolve(m, json_object_get(json_object_get(
		    json_object_get(json_object_get(operation(m, r),
		    "requestBody"), "content"), "application/json"),
		    "schema"));
		json_object_foreach(json_object_get(schema, "properties"),
		    name, member)
			ask_member(m, r, name, resolve(m, member));
	}
	assert_none(m);
}

static void
what_is_needed_is_missed_and_strangers_are_refused(void **state)
{
	static const char *const strangers[] = {
		"{\"nonsense\": 1}", "{\"\": 1}", "{\"__proto__\": {}}",
		"{\"id\": 2}", "{\"created_ms\": 1}", "{\"key\": \"k\"}",
		"{\"person_id\": 1}", "{\"hash\": \"x\"}",
	};
	struct matrix *m = *state;
	const json_t *schema;
	const struct row *r;
	char path[8192];
	size_t i;
	int status;

	for (r = rows; r < rows + NITEMS(rows); r++) {
		if (!r->body)
			continue;
		(void)path_of(r, "1", "", path);
		for (i = 0; i < NITEMS(strangers); i++) {
			status = ask(m, r, ADMIN, path, strangers[i],
			    strangers[i]);
			if (status < 400)
				mistake(m, r, ADMIN, strangers[i], "taken");
		}
		schema = resolve(m, json_object_get(json_object_get(
		    json_object_get(json_object_get(operation(m, r),
		    "requestBody"), "content"), "application/json"),
		    "schema"));
		if (json_array_size(json_object_get(schema, "required")) == 0)
			continue;
		if (ask(m, r, ADMIN, path, "{}", "{}") < 400 ||
		    ask(m, r, ADMIN, path, NULL, "no body") < 400)
			mistake(m, r, ADMIN, "{}", "taken");
	}
	assert_none(m);
}

/* ---- methods ---- */

static void
other_methods_are_not_allowed(void **state)
{
	static const char *const methods[] = {
		"GET", "POST", "PATCH", "DELETE", "PUT", "TRACE", "CONNECT",
		"get", "PROPFIND"
	};
	struct matrix *m = *state;
	const struct row *r, *other;
	struct row asked;
	char path[8192];
	size_t i;
	bool known;

	for (r = rows; r < rows + NITEMS(rows); r++) {
		for (i = 0; i < NITEMS(methods); i++) {
			known = strchr(r->path, '{') == NULL && strncmp(
			    r->path, "/objects/", 9) == 0;
			for (other = rows; other < rows + NITEMS(rows);
			    other++)
				known = known || (strcmp(other->path,
				    r->path) == 0 && strcmp(other->method,
				    methods[i]) == 0);
			if (known)
				continue;
			asked = *r;
			asked.method = methods[i];
			if (ask(m, &asked, NOBODY, path_of(r, "1", "", path),
			    NULL, "another method") != 405 &&
			    m->visits[NOBODY].status != 401)
				mistake(m, &asked, NOBODY, "a method",
				    "another status");
		}
	}
	assert_none(m);
}

/* All that was asked before was wrong. */
static void
nothing_has_changed(void **state)
{
	struct matrix *m = *state;

	assert_true(m->asked > 10000);
	assert_int_equal(changes(m), m->changes);
	assert_int_equal(desk_number(m->desk, "SELECT count(*) FROM api_key "
	    "WHERE revoked_ms IS NULL"), 2);
	assert_int_equal(desk_number(m->desk, "SELECT count(*) FROM account"),
	    1);
	assert_int_equal(desk_number(m->desk, "SELECT count(*) FROM person "
	    "WHERE enabled = 1"), 3);
	assert_int_equal(desk_number(m->desk, "SELECT count(*) FROM budget"),
	    1);
}

/* ---- texts that are none of ours ---- */

static const char *const foreign[] = {
	"\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x98\x80",
	"<img src=x onerror=alert(1)>", "'; DROP TABLE api_key; --",
	"%s%n%p", "../../etc/passwd", "$(id)", "a\\u0007b", "a\\nb", " ",
	"\xc3\xa9\xcc\x81", "%", "_", "!", "\\\\",
};

/* In place of each text of a body that is good. */
static void
ask_foreign(struct matrix *m, const struct row *r, const char *good)
{
	json_t *body = json_loads(good, 0, NULL), *one, *value;
	const char *name;
	char *text, path[8192];
	size_t i;

	json_object_foreach(body, name, value) {
		if (!json_is_string(value))
			continue;
		for (i = 0; i < NITEMS(foreign); i++) {
			(void)snprintf(m->body, LONG_TEXT, "\"%s\"",
			    foreign[i]);
			one = json_copy(body);
			assert_int_equal(json_object_set_new(one, name,
			    json_loads(m->body, JSON_DECODE_ANY, NULL)), 0);
			text = json_dumps(one, 0);
			(void)ask(m, r, ADMIN, path_of(r, "1", "", path),
			    text, text);
			free(text);
			json_decref(one);
		}
	}
	json_decref(body);
}

/* The same in the query, and in the path. */
static void
ask_foreign_query(struct matrix *m, const struct row *r)
{
	char query[512], path[8192], *id;
	const json_t *p;
	size_t i, n;

	for (n = 0; n < NITEMS(foreign); n++) {
		assert_non_null(id = curl_easy_escape(NULL, foreign[n], 0));
		json_array_foreach(json_object_get(operation(m, r),
		    "parameters"), i, p) {
			p = resolve(m, p);
			(void)snprintf(query, sizeof(query), "?%s=%s",
			    json_string_value(json_object_get(p, "name")),
			    id);
			if (strcmp(r->method, "GET") == 0)
				(void)ask(m, r, ADMIN, path_of(r, "1", query,
				    path), NULL, query);
		}
		if (strchr(r->path, '{') != NULL)
			(void)ask(m, r, ADMIN, path_of(r, id, "", path),
			    r->body ? "{}" : NULL, id);
		curl_free(id);
	}
}

/* They are names, or are refused; in no case a fault. */
static void
foreign_texts_are_no_fault(void **state)
{
	struct matrix *m = *state;
	const struct row *r;
	size_t i;

	for (r = rows; r < rows + NITEMS(rows); r++) {
		ask_foreign_query(m, r);
		for (i = 0; i < NITEMS(make); i++) {
			if (strcmp(r->method, "POST") == 0 &&
			    strcmp(r->path, make[i][0]) == 0)
				ask_foreign(m, r, make[i][1]);
		}
	}
	assert_none(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_that_are_none_are_refused),
		cmocka_unit_test(bodies_that_are_too_long_are_refused),
		cmocka_unit_test(ids_that_are_none_are_not_found),
		cmocka_unit_test(queries_that_are_none_are_refused),
		cmocka_unit_test(members_of_another_type_are_refused),
		cmocka_unit_test(
		    what_is_needed_is_missed_and_strangers_are_refused),
		cmocka_unit_test(other_methods_are_not_allowed),
		cmocka_unit_test(nothing_has_changed),
		cmocka_unit_test(foreign_texts_are_no_fault),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
