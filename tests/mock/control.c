#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"

#include "mock/control.h"
#include "mock/objects.h"

#define PREFIX		"/__mock/"
#define PREFIX_LEN	(sizeof(PREFIX) - 1)

/* What a route works on. */
struct call {
	const char *query;		/* after '?'; "" none */
	const json_t *json;		/* the body; NULL: none, or no JSON */
	const struct control *on;
};

bool
control_wants(const struct head *h)
{

	return (strncmp(h->path, PREFIX, PREFIX_LEN) == 0);
}

static json_t *
do_rules(const struct call *c, struct err *err)
{

	if (rules_add(c->on->rules, json_object_get(c->json, "rules"),
	    err) != 0)
		return (NULL);
	return (json_object());
}

static json_t *
do_keep(const struct call *c, struct err *err)
{

	(void)err;
	journal_keep_bodies(c->on->journal,
	    json_is_true(json_object_get(c->json, "bodies")));
	return (json_object());
}

static json_t *
do_reset(const struct call *c, struct err *err)
{

	(void)err;
	rules_clear(c->on->rules);
	journal_reset(c->on->journal);
	return (json_object());
}

static json_t *
do_log(const struct call *c, struct err *err)
{
	uint64_t since = 0;

	(void)err;
	if (strncmp(c->query, "since=", 6) == 0)
		since = strtoull(c->query + 6, NULL, 10);
	return (journal_json(c->on->journal, since));
}

static json_t *
do_end(const struct call *c, struct err *err)
{

	(void)err;
	objects_end(c->on->objects);
	return (json_object());
}

static json_t *
do_objects(const struct call *c, struct err *err)
{

	(void)err;
	return (json_pack("{s:o}", "objects", objects_json(c->on->objects)));
}

static const struct {
	const char *method, *name;
	json_t *(*run)(const struct call *c, struct err *err);
} routes[] = {
	{ "POST", "rules", do_rules },
	{ "POST", "keep", do_keep },
	{ "POST", "reset", do_reset },
	{ "GET", "log", do_log },
	{ "POST", "end", do_end },
	{ "GET", "objects", do_objects },
};

/* Write ${v} (its reference is taken over) or the error. */
static int
put(json_t *v, const struct err *err, struct buf *out)
{
	int status = v != NULL ? 200 : 400;
	char *text;

	if (v == NULL)
		v = json_pack("{s:s}", "error", err->text);
	text = json_dumps(v, JSON_COMPACT);
	json_decref(v);
	if (text == NULL || buf_puts(out, text) != 0)
		status = 500;
	free(text);
	return (status);
}

int
control_answer(const struct control *control, const struct head *h,
    const unsigned char *body, size_t len, struct buf *out)
{
	struct call c = { .query = "", .on = control };
	const char *name = h->path + PREFIX_LEN;
	size_t n = strcspn(name, "?"), i;
	struct err err;
	json_t *json;
	int status;

	err_clear(&err);
	json = json_loadb((const char *)body, len, JSON_ALLOW_NUL, NULL);
	c.json = json;
	if (name[n] == '?')
		c.query = name + n + 1;
	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(h->method, routes[i].method) == 0 &&
		    strlen(routes[i].name) == n &&
		    strncmp(name, routes[i].name, n) == 0)
			break;
	if (i == sizeof(routes) / sizeof(routes[0])) {
		err_set(&err, ERR_NOT_FOUND, "no such control route");
		status = put(NULL, &err, out);
	} else
		status = put(routes[i].run(&c, &err), &err, out);
	json_decref(json);
	return (status);
}
