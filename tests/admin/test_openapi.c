#include "visit.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/zone.h"
#include "http/route.h"
#include "relay/probe.h"
#include "relay/relay.h"

#include "who.h"

#define WHERE	"admin/openapi.json"

static const struct row {
	const char *method, *path;
	const char *least;	/* NONE, KEY, USER ... */
	bool body;
	const char *name;
} rows[] = {
#define ROUTE(method, path, least, body, name) \
	{ method, path, #least, body, #name },
#include "routes.def"
#undef ROUTE
};

/* What is wrong is told as a whole, for whoever added a route. */
struct desk_of_doc {
	struct desk *desk;
	struct visit visit;
	json_t *doc;
	int mistakes;
};

static int
setup(void **state)
{
	static struct desk_of_doc o;
	void *desk;

	memset(&o, 0, sizeof(o));
	assert_int_equal(desk_setup_sqlite(&desk), 0);
	o.desk = desk;
	visit_init(&o.visit, o.desk);

	/* It is open to all. */
	assert_int_equal(visit(&o.visit, "GET", "/openapi.json", NULL), 200);
	o.doc = json_incref(o.visit.body);
	*state = &o;
	return (0);
}

static int
teardown(void **state)
{
	struct desk_of_doc *o = *state;
	void *desk = o->desk;

	json_decref(o->doc);
	visit_fini(&o->visit);
	return (desk_teardown(&desk));
}

static void
mistake(struct desk_of_doc *o, const struct row *r, const char *what)
{

	print_error("%s: %s %s (api_%s): %s\n", WHERE, r->method, r->path,
	    r->name, what);
	o->mistakes++;
}

static json_t *
member(const json_t *j, const char *name)
{

	return (json_object_get(j, name));
}

static const char *
text(const json_t *j, const char *name)
{
	const char *s = json_string_value(member(j, name));

	return (s != NULL ? s : "");
}

static void
lower(const char *from, char to[16])
{
	size_t i;

	for (i = 0; from[i] != '\0' && i + 1 < 16; i++)
		to[i] = (char)tolower((unsigned char)from[i]);
	to[i] = '\0';
}

/* "#/components/KIND/NAME", or ${j} itself. */
static const json_t *
resolve(const struct desk_of_doc *o, const json_t *j)
{
	const char *ref = text(j, "$ref");
	char kind[32], name[64];

	if (sscanf(ref, "#/components/%31[^/]/%63s", kind, name) != 2)
		return (j);
	return (member(member(member(o->doc, "components"), kind), name));
}

/* ---- each route is described ---- */

static bool
asks_for(const json_t *op, const char *scheme)
{
	const json_t *one;
	size_t i;

	json_array_foreach(member(op, "security"), i, one) {
		if (member(one, scheme) != NULL)
			return (true);
	}
	return (false);
}

static void
check_role(struct desk_of_doc *o, const struct row *r, const json_t *op)
{
	const bool open = strcmp(r->least, "NONE") == 0;
	const bool key = strcmp(r->least, "KEY") == 0;
	char least[16];

	lower(r->least, least);
	if (strcmp(text(op, "x-least-role"), least) != 0)
		mistake(o, r, "x-least-role is not that of routes.def");
	if (open && (!json_is_array(member(op, "security")) ||
	    json_array_size(member(op, "security")) != 0))
		mistake(o, r, "open to all: \"security\" must be []");
	else if (key && !asks_for(op, "clientKey"))
		mistake(o, r, "\"security\" must have clientKey");
	else if (!open && !key && member(op, "security") != NULL)
		mistake(o, r, "\"security\" must be left out: it is that of "
		    "the document");
}

static bool
has_parameter(const struct desk_of_doc *o, const json_t *op,
    const char *name, size_t n)
{
	const json_t *one;
	size_t i;

	json_array_foreach(member(op, "parameters"), i, one) {
		one = resolve(o, one);
		if (strcmp(text(one, "in"), "path") == 0 &&
		    strlen(text(one, "name")) == n &&
		    strncmp(text(one, "name"), name, n) == 0 &&
		    json_is_true(member(one, "required")) &&
		    member(one, "schema") != NULL)
			return (true);
	}
	return (false);
}

static void
check_parameters(struct desk_of_doc *o, const struct row *r,
    const json_t *op)
{
	const json_t *one;
	const char *p;
	size_t i;

	for (p = r->path; (p = strchr(p, '{')) != NULL; p++) {
		if (!has_parameter(o, op, p + 1, strcspn(p + 1, "}")))
			mistake(o, r, "a parameter of the path is not "
			    "described, with \"required\" and \"schema\"");
	}
	json_array_foreach(member(op, "parameters"), i, one) {
		one = resolve(o, one);
		if (text(one, "name")[0] == '\0' ||
		    member(one, "schema") == NULL)
			mistake(o, r, "a parameter has no name or no schema");
		else if (strcmp(text(one, "in"), "query") == 0 &&
		    text(one, "description")[0] == '\0')
			mistake(o, r, "a parameter has no description");
	}
}

static void
check_body(struct desk_of_doc *o, const struct row *r, const json_t *op)
{
	const json_t *schema = resolve(o, member(member(member(member(op,
	    "requestBody"), "content"), "application/json"), "schema"));

	if (!r->body && member(op, "requestBody") != NULL)
		mistake(o, r, "it has a requestBody, and none in routes.def");
	if (!r->body)
		return;
	if (!json_is_object(member(schema, "properties")))
		mistake(o, r, "its requestBody has no properties");
	else if (!json_is_false(member(schema, "additionalProperties")))
		mistake(o, r, "other members are refused: "
		    "\"additionalProperties\" must be false");
}

static void
check_answers(struct desk_of_doc *o, const struct row *r, const json_t *op)
{
	const json_t *answers = member(op, "responses"), *one;
	const char *status, *type;
	json_t *content;
	bool good = false;

	json_object_foreach(member(op, "responses"), status,
	    content) {
		one = resolve(o, content);
		good = good || status[0] == '2';
		if (text(one, "description")[0] == '\0')
			mistake(o, r, "an answer has no description");
		if (json_object_size(member(one, "content")) == 0)
			mistake(o, r, "an answer has no content");
		json_object_foreach(member(one, "content"), type, content) {
			if (member(content, "schema") == NULL)
				mistake(o, r, "an answer has no schema");
		}
	}
	if (!good)
		mistake(o, r, "it has no good answer");
	if (member(answers, "default") == NULL)
		mistake(o, r, "its errors are not described: \"default\"");
}

static void
each_route_is_described(void **state)
{
	struct desk_of_doc *o = *state;
	const struct row *r;
	const json_t *op;
	char method[16];

	for (r = rows; r < rows + NITEMS(rows); r++) {
		lower(r->method, method);
		op = member(member(member(o->doc, "paths"), r->path),
		    method);
		if (op == NULL) {
			mistake(o, r, "routes.def has it; describe it here");
			continue;
		}
		if (strcmp(text(op, "operationId"), r->name) != 0)
			mistake(o, r, "\"operationId\" must be the name");
		if (text(op, "summary")[0] == '\0')
			mistake(o, r, "it has no summary");
		check_role(o, r, op);
		check_parameters(o, r, op);
		check_body(o, r, op);
		check_answers(o, r, op);
	}
	assert_int_equal(o->mistakes, 0);
}

/* ---- and nothing else is ---- */

static bool
is_route(const char *method, const char *path)
{
	const struct row *r;
	char lowered[16];

	for (r = rows; r < rows + NITEMS(rows); r++) {
		lower(r->method, lowered);
		if (strcmp(lowered, method) == 0 &&
		    strcmp(r->path, path) == 0)
			return (true);
	}
	return (false);
}

/* Paths of the relay have servers of their own. */
static void
nothing_else_is_described(void **state)
{
	struct desk_of_doc *o = *state;
	const char *path, *method;
	json_t *item, *op;
	int mistakes = 0;

	json_object_foreach(member(o->doc, "paths"), path, item) {
		if (member(item, "servers") != NULL)
			continue;
		json_object_foreach(item, method, op) {
			if (is_route(method, path))
				continue;
			print_error("%s: %s %s is not in routes.def\n",
			    WHERE, method, path);
			mistakes++;
		}
	}
	assert_int_equal(mistakes, 0);
}

/* ---- the relay's ---- */

/* Those that only the relay's own programs ask, and what a browser sees that
 * lost its way. */
static bool
is_private(const struct route *r)
{

	return (strncmp(r->pattern, PROBE_PATH, strlen(PROBE_PATH)) == 0 ||
	    strcmp(r->pattern, "/") == 0);
}

static bool
is_of_relay(const char *method, const char *path)
{
	const struct route *all, *r;
	char lowered[16];
	size_t n;

	all = relay_routes(&n);
	for (r = all; r < all + n; r++) {
		lower(r->method, lowered);
		if (strcmp(lowered, method) == 0 &&
		    strcmp(r->pattern, path) == 0)
			return (true);
	}
	return (false);
}

/* Each is described, with the key that it takes, and no others are. */
static void
the_relays_routes_are_described(void **state)
{
	static const char *const methods[] = {
		"get", "post", "put", "patch", "delete"
	};
	struct desk_of_doc *o = *state;
	const struct route *all, *r;
	const json_t *op, *paths = member(o->doc, "paths");
	const char *path;
	char method[16];
	json_t *item;
	int mistakes = 0;
	size_t n, i;

	all = relay_routes(&n);
	for (r = all; r < all + n; r++) {
		if (is_private(r))
			continue;
		lower(r->method, method);
		op = member(member(paths, r->pattern), method);
		if (op != NULL && member(member(paths, r->pattern),
		    "servers") != NULL && asks_for(op, "clientKey") ==
		    (r->auth == ROUTE_KEY) && (member(op, "requestBody") ==
		    NULL || r->body))
			continue;
		print_error("%s: %s %s of the relay is not described, or "
		    "with another key, body or server\n", WHERE, r->method,
		    r->pattern);
		mistakes++;
	}
	json_object_foreach(member(o->doc, "paths"), path, item) {
		for (i = 0; member(item, "servers") != NULL &&
		    i < NITEMS(methods); i++) {
			if (member(item, methods[i]) == NULL ||
			    is_of_relay(methods[i], path))
				continue;
			print_error("%s: %s %s is no route of the relay\n",
			    WHERE, methods[i], path);
			mistakes++;
		}
	}
	assert_int_equal(mistakes, 0);
}

/* ---- what it stands on ---- */

static int
count_refs(json_t *j, const char *ref)
{
	json_t *one;
	const char *key;
	json_t *value;
	size_t i;
	int n = 0;

	if (json_is_array(j)) {
		json_array_foreach(j, i, one)
			n += count_refs(one, ref);
	} else if (json_is_object(j)) {
		n += strcmp(text(j, "$ref"), ref) == 0;
		json_object_foreach(j, key, value)
			n += count_refs(value, ref);
	}
	return (n);
}

static int
check_refs(const struct desk_of_doc *o, json_t *j)
{
	json_t *one;
	const char *key;
	json_t *value;
	size_t i;
	int bad = 0;

	if (json_is_array(j)) {
		json_array_foreach(j, i, one)
			bad += check_refs(o, one);
	} else if (json_is_object(j)) {
		if (text(j, "$ref")[0] != '\0' && (resolve(o, j) == NULL ||
		    resolve(o, j) == j)) {
			print_error("%s: there is no %s\n", WHERE, text(j,
			    "$ref"));
			bad++;
		}
		json_object_foreach(j, key, value)
			bad += check_refs(o, value);
	}
	return (bad);
}

static void
each_part_is_there_and_used(void **state)
{
	static const char *const kinds[] = {
		"schemas", "responses", "parameters"
	};
	struct desk_of_doc *o = *state;
	char ref[128];
	const char *name;
	json_t *part;
	int unused = 0;
	size_t i;

	assert_int_equal(check_refs(o, o->doc), 0);
	for (i = 0; i < NITEMS(kinds); i++) {
		json_object_foreach(member(member(o->doc, "components"),
		    kinds[i]), name, part) {
			(void)snprintf(ref, sizeof(ref), "#/components/%s/%s",
			    kinds[i], name);
			if (count_refs(o->doc, ref) > 0)
				continue;
			print_error("%s: nothing uses %s\n", WHERE, ref);
			unused++;
		}
	}
	assert_int_equal(unused, 0);
}

/* It is told for the mount of who is asked. */
static void
it_names_the_mount(void **state)
{
	struct desk_of_doc *o = *state;
	const json_t *relay = member(member(o->doc, "paths"),
	    "/v1/messages");

	assert_string_equal(text(json_array_get(member(o->doc, "servers"),
	    0), "url"), "/m/api/v1");
	assert_string_equal(text(json_array_get(member(relay, "servers"),
	    0), "url"), "/m");
	assert_string_not_equal(text(member(o->doc, "info"), "version"), "");
	assert_int_equal(strncmp(text(o->doc, "openapi"), "3.1.", 4), 0);
}

/* ---- bodies ---- */

/* Of what is sent to a route; NULL: it takes none. */
static const json_t *
body_schema(const struct desk_of_doc *o, const struct row *r)
{
	char method[16];

	lower(r->method, method);
	return (resolve(o, member(member(member(member(member(member(member(
	    o->doc, "paths"), r->path), method), "requestBody"), "content"),
	    "application/json"), "schema")));
}

/* Each member that is described is known: none is refused as a stranger. */
static void
members_of_bodies_are_known(void **state)
{
	struct desk_of_doc *o = *state;
	const struct row *r;
	const json_t *schema;
	char path[128], body[128];
	const char *name, *brace;
	json_t *value;

	visit_join(&o->visit, o->desk, "admin", "ann");
	o->mistakes = 0;
	for (r = rows; r < rows + NITEMS(rows); r++) {
		schema = body_schema(o, r);
		brace = strchr(r->path, '{');
		(void)snprintf(path, sizeof(path), "%.*s%s%s", brace != NULL ?
		    (int)(brace - r->path) : 127, r->path, brace != NULL ?
		    "1" : "", brace != NULL ? strchr(brace, '}') + 1 : "");
		json_object_foreach(member(schema, "properties"), name,
		    value) {
			(void)snprintf(body, sizeof(body), "{\"%s\": []}",
			    name);
			(void)visit(&o->visit, r->method, path, body);
			if (strstr(text(o->visit.body, "error"),
			    "there is no member") == NULL)
				continue;
			mistake(o, r, name);
		}
	}
	assert_int_equal(o->mistakes, 0);
}

static bool
is_time(const char *name)
{
	static const char *const names[] = {
		"expires_ms", "anchor_ms", "valid_from_ms", "valid_until_ms",
		"from_ms", "to_ms",
	};
	size_t i;

	for (i = 0; i < NITEMS(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return (true);
	}
	return (false);
}

/* Where a time of a body ends, the description says so. */
static void
times_are_described_as_they_end(void **state)
{
	struct desk_of_doc *o = *state;
	const struct row *r;
	const json_t *schema;
	const char *name;
	json_t *value;
	int n = 0;

	o->mistakes = 0;
	for (r = rows; r < rows + NITEMS(rows); r++) {
		schema = body_schema(o, r);
		json_object_foreach(member(schema, "properties"), name,
		    value) {
			if (!is_time(name))
				continue;
			n++;
			if (json_integer_value(member(value, "maximum")) !=
			    ZONE_MAX_MS)
				mistake(o, r, name);
		}
	}
	assert_int_equal(o->mistakes, 0);
	assert_true(n >= 11);
}

/* And the route takes the last one, and none after it. */
static void
times_end_with_the_year_9999(void **state)
{
	static const struct {
		const char *path, *name, *body;
	} cases[] = {
		{ "/auth/tokens", "expires_ms", "\"name\": \"t\"" },
		{ "/admin/tokens", "expires_ms", "\"name\": \"u\"" },
		{ "/api-keys", "expires_ms", "\"name\": \"k\"" },
		{ "/budgets", "anchor_ms", "\"on\": \"user\", \"of\": "
		    "\"ann\", \"counts\": \"money\", \"limit\": 1, "
		    "\"period\": \"fixed\", \"length_ms\": 3600000" },
		{ "/prices", "valid_from_ms", "\"model\": \"m\", "
		    "\"input_nusd_mtok\": 1, \"output_nusd_mtok\": 1" },
		{ "/prices", "valid_until_ms", "\"model\": \"n\", "
		    "\"input_nusd_mtok\": 1, \"output_nusd_mtok\": 1" },
		{ "/reconcile", "from_ms", "\"report\": \"\"" },
		{ "/reconcile", "to_ms", "\"report\": \"\"" },
	};
	struct desk_of_doc *o = *state;
	char body[512], bound[64];
	size_t i;
	int past;
	bool refused;

	for (i = 0; i < 2 * NITEMS(cases); i++) {
		past = (int)i % 2;
		(void)snprintf(body, sizeof(body), "{%s, \"%s\": %lld}",
		    cases[i / 2].body, cases[i / 2].name,
		    (long long)ZONE_MAX_MS + past);
		(void)snprintf(bound, sizeof(bound), "\"%s\" must be a whole "
		    "number", cases[i / 2].name);
		(void)visit(&o->visit, "POST", cases[i / 2].path, body);
		refused = strstr(text(o->visit.body, "error"), bound) != NULL;
		if (refused != past)
			fail_msg("%s %s: %s", cases[i / 2].path, body,
			    text(o->visit.body, "error"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_route_is_described),
		cmocka_unit_test(nothing_else_is_described),
		cmocka_unit_test(the_relays_routes_are_described),
		cmocka_unit_test(each_part_is_there_and_used),
		cmocka_unit_test(it_names_the_mount),
		cmocka_unit_test(members_of_bodies_are_known),
		cmocka_unit_test(times_are_described_as_they_end),
		cmocka_unit_test(times_end_with_the_year_9999),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
