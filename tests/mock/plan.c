#include "config.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"

#include "mock/plan.h"

static const char *const end_names[] = {
	[PLAN_COMPLETE] = "complete",
	[PLAN_SILENT] = "silent",
	[PLAN_FIN] = "fin",
	[PLAN_RESET] = "reset",
	[PLAN_STOP] = "stop",
	[PLAN_ERROR_EVENT] = "error_event",
	[PLAN_GARBAGE] = "garbage",
};
_Static_assert(sizeof(end_names) / sizeof(end_names[0]) == PLAN_NENDS,
    "one name each");

static const char *const place_names[] = {
	[PLAN_AT_HEAD] = "head",
	[PLAN_AT_FIRST] = "first",
	[PLAN_AT_CHUNK] = "chunk",
	[PLAN_AT_INSIDE] = "inside",
};
_Static_assert(sizeof(place_names) / sizeof(place_names[0]) == PLAN_NPLACES,
    "one name each");

/* Members that are plain numbers. */
static const struct {
	const char *name;
	size_t offset;
} numbers[] = {
	{ "chunks", offsetof(struct plan, chunks) },
	{ "chunk_bytes", offsetof(struct plan, chunk_bytes) },
	{ "thinking", offsetof(struct plan, thinking) },
	{ "tool", offsetof(struct plan, tool) },
	{ "input_tokens", offsetof(struct plan, input_tokens) },
	{ "cache_read", offsetof(struct plan, cache_read) },
	{ "cache_5m", offsetof(struct plan, cache_5m) },
	{ "cache_1h", offsetof(struct plan, cache_1h) },
	{ "head_delay_ms", offsetof(struct plan, head_delay_ms) },
	{ "first_delay_ms", offsetof(struct plan, first_delay_ms) },
	{ "chunk_delay_ms", offsetof(struct plan, chunk_delay_ms) },
	{ "write_bytes", offsetof(struct plan, write_bytes) },
	{ "after", offsetof(struct plan, after) },
};

static struct plan *
plan_default(void)
{
	struct plan *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return (NULL);
	p->refs = 1;
	p->status = 200;
	p->chunks = 8;
	p->input_tokens = -1;
	p->at = PLAN_AT_CHUNK;
	return (p);
}

struct plan *
plan_ref(struct plan *p)
{

	p->refs++;
	return (p);
}

void
plan_unref(struct plan *p)
{

	if (p == NULL || --p->refs > 0)
		return;
	free(p->headers);
	free(p->body);
	free(p->raw);
	free(p->error_type);
	free(p->error_message);
	free(p);
}

/* A copy of a string member; NULL if there is none. */
static char *
dup_member(const json_t *json, const char *name)
{
	const char *s = json_string_value(json_object_get(json, name));

	return (s == NULL ? NULL : strdup(s));
}

/* The index of ${v} among ${names}, or -1. */
static int
choice(const json_t *v, const char *const *names, int n)
{

	for (int i = 0; json_is_string(v) && i < n; i++)
		if (strcmp(json_string_value(v), names[i]) == 0)
			return (i);
	return (-1);
}

/* Code points up to U+00FF become bytes, so that tests can send any byte. */
static char *
latin1(const char *utf8, size_t n, size_t *len)
{
	const unsigned char *s = (const unsigned char *)utf8;
	char *out = malloc(n + 1);
	size_t o = 0;

	if (out == NULL)
		return (NULL);
	for (size_t i = 0; i < n; i++) {
		if ((s[i] == 0xc2 || s[i] == 0xc3) && i + 1 < n) {
			out[o++] = (char)(((s[i] & 3) << 6) | (s[i + 1] & 63));
			i++;
		} else
			out[o++] = (char)s[i];
	}
	out[o] = '\0';
	*len = o;
	return (out);
}

/* [["retry-after", "7"], ...] to header lines. */
static char *
header_lines(const json_t *list)
{
	const char *name, *value;
	size_t i, len = 0;
	json_t *pair;
	char *out;
	FILE *f;

	if ((f = open_memstream(&out, &len)) == NULL)
		return (NULL);
	json_array_foreach(list, i, pair) {
		name = json_string_value(json_array_get(pair, 0));
		value = json_string_value(json_array_get(pair, 1));
		if (name != NULL && value != NULL)
			fprintf(f, "%s: %s\r\n", name, value);
	}
	if (fclose(f) != 0)
		return (NULL);
	return (out);
}

/* The fixed body: a string as it is, anything else as JSON. */
static int
set_body(struct plan *p, const json_t *v)
{

	if (json_is_string(v))
		p->body = latin1(json_string_value(v), json_string_length(v),
		    &p->body_len);
	else if ((p->body = json_dumps(v, JSON_COMPACT)) != NULL)
		p->body_len = strlen(p->body);
	return (p->body == NULL ? -1 : 0);
}

/* {"end": ..., "at": ..., "error": {"type", "message"}} */
static int
set_end(struct plan *p, const json_t *json, struct err *err)
{
	const json_t *v;
	int i;

	if ((v = json_object_get(json, "end")) != NULL) {
		if ((i = choice(v, end_names, PLAN_NENDS)) < 0)
			goto bad;
		p->end = (enum plan_end)i;
	}
	if ((v = json_object_get(json, "at")) != NULL) {
		if ((i = choice(v, place_names, PLAN_NPLACES)) < 0)
			goto bad;
		p->at = (enum plan_place)i;
	}
	v = json_object_get(json, "error");
	p->error_type = dup_member(v, "type");
	p->error_message = dup_member(v, "message");
	return (0);
bad:
	err_set(err, ERR_INVAL, "plan: unknown \"end\" or \"at\"");
	return (-1);
}

static int
set_members(struct plan *p, const json_t *json, struct err *err)
{
	const json_t *v;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if ((v = json_object_get(json, numbers[i].name)) == NULL)
			continue;
		if (!json_is_integer(v)) {
			err_set(err, ERR_INVAL, "plan: \"%s\" is no integer",
			    numbers[i].name);
			return (-1);
		}
		memcpy((char *)p + numbers[i].offset,
		    &(int64_t){ json_integer_value(v) }, sizeof(int64_t));
	}
	if ((v = json_object_get(json, "status")) != NULL)
		p->status = (int)json_integer_value(v);
	if ((v = json_object_get(json, "headers")) != NULL &&
	    (p->headers = header_lines(v)) == NULL)
		return (-1);
	if ((v = json_object_get(json, "body")) != NULL &&
	    set_body(p, v) != 0)
		return (-1);
	if ((v = json_object_get(json, "raw")) != NULL &&
	    (p->raw = latin1(json_string_value(v), json_string_length(v),
	    &p->raw_len)) == NULL)
		return (-1);
	return (set_end(p, json, err));
}

struct plan *
plan_new(const json_t *json, struct err *err)
{
	struct plan *p = plan_default();

	if (p == NULL || set_members(p, json, err) != 0) {
		err_set(err, ERR_NOMEM, "plan: out of memory");
		plan_unref(p);
		return (NULL);
	}
	return (p);
}

struct plan *
plan_by_model(const char *model)
{
	struct plan *p;
	int a, b;

	if (strncmp(model, "mock-", 5) != 0 || (p = plan_default()) == NULL)
		return (NULL);
	if (sscanf(model, "mock-slow-%dx%dms", &a, &b) == 2) {
		p->chunks = a;
		p->chunk_delay_ms = b;
	} else if (sscanf(model, "mock-chunks-%d", &a) == 1)
		p->chunks = a;
	else if (sscanf(model, "mock-delay-%dms", &a) == 1)
		p->head_delay_ms = a;
	else if (sscanf(model, "mock-error-%d", &a) == 1 && a > 199 && a < 600)
		p->status = a;
	return (p);
}

/* ---- rules ---- */

struct step {
	struct plan *plan;
	int64_t left;		/* 0: for ever */
};

struct rule {
	struct rule *next;
	char *credential, *model, *path;	/* wildcards; NULL: any */
	struct step *steps;
	size_t nsteps, at;
};

struct rules {
	struct rule *first, **last;
	struct plan *fallback;
};

struct rules *
rules_new(struct plan *fallback)
{
	struct rules *r = calloc(1, sizeof(*r));

	if (r == NULL || fallback == NULL) {
		free(r);
		plan_unref(fallback);
		return (NULL);
	}
	r->last = &r->first;
	r->fallback = fallback;
	return (r);
}

static void
rule_free(struct rule *u)
{

	for (size_t i = 0; i < u->nsteps; i++)
		plan_unref(u->steps[i].plan);
	free(u->steps);
	free(u->credential);
	free(u->model);
	free(u->path);
	free(u);
}

void
rules_clear(struct rules *r)
{
	struct rule *u;

	while ((u = r->first) != NULL) {
		r->first = u->next;
		rule_free(u);
	}
	r->last = &r->first;
}

void
rules_free(struct rules *r)
{

	if (r == NULL)
		return;
	rules_clear(r);
	plan_unref(r->fallback);
	free(r);
}

static struct rule *
rule_new(const json_t *json, struct err *err)
{
	const json_t *match = json_object_get(json, "match");
	const json_t *then = json_object_get(json, "then"), *c;
	struct rule *u = calloc(1, sizeof(*u));
	size_t n = json_array_size(then), i;

	if (u == NULL || (n > 0 &&
	    (u->steps = calloc(n, sizeof(*u->steps))) == NULL))
		goto err;
	u->credential = dup_member(match, "credential");
	u->model = dup_member(match, "model");
	u->path = dup_member(match, "path");
	for (i = 0; i < n; i++) {
		u->steps[i].plan = plan_new(json_array_get(then, i), err);
		if (u->steps[i].plan == NULL)
			goto err;
		u->nsteps++;
		c = json_object_get(json_array_get(then, i), "count");
		u->steps[i].left = c != NULL ? json_integer_value(c) :
		    i + 1 < n;
	}
	return (u);
err:
	err_set(err, ERR_NOMEM, "rule: out of memory");
	if (u != NULL)
		rule_free(u);
	return (NULL);
}

int
rules_add(struct rules *r, const json_t *json, struct err *err)
{
	struct rule *u;
	json_t *v;
	size_t i;

	if (!json_is_array(json)) {
		err_set(err, ERR_INVAL, "\"rules\" is no array");
		return (-1);
	}
	json_array_foreach(json, i, v) {
		if ((u = rule_new(v, err)) == NULL)
			return (-1);
		*r->last = u;
		r->last = &u->next;
	}
	return (0);
}

static bool
fits(const char *pattern, const char *s)
{

	return (pattern == NULL || fnmatch(pattern, s, 0) == 0);
}

/* The rule's next plan; NULL when its sequence is used up. */
static struct plan *
rule_take(struct rule *u)
{
	struct step *s;

	if (u->at == u->nsteps)
		return (NULL);
	s = &u->steps[u->at];
	if (s->left > 0 && --s->left == 0)
		u->at++;
	return (s->plan);
}

struct plan *
rules_pick(struct rules *r, const char *credential, const char *model,
    const char *path)
{
	struct plan *p;

	for (struct rule *u = r->first; u != NULL; u = u->next)
		if (fits(u->credential, credential) && fits(u->model, model) &&
		    fits(u->path, path) && (p = rule_take(u)) != NULL)
			return (plan_ref(p));
	if ((p = plan_by_model(model)) != NULL)
		return (p);
	return (plan_ref(r->fallback));
}
