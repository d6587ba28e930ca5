#define _GNU_SOURCE	/* memmem */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <jansson.h>

#include "mock/objects.h"

#define BATCHES		"/v1/messages/batches"
#define FILES		"/v1/files"

struct object {
	LIST_ENTRY(object) entry;
	char id[64], credential[128];
	bool is_file, ended, canceled;
	json_t *requests;		/* of a batch */
	json_t *meta;			/* of a file */
	struct buf content;
};

struct objects {
	LIST_HEAD(, object) list;
	unsigned made;
};

/* Where a request leads: ${id} "" is all of them. */
struct target {
	bool is_file;
	char id[64];
	char verb[32];
};

struct objects *
objects_new(void)
{
	struct objects *o = calloc(1, sizeof(*o));

	if (o != NULL)
		LIST_INIT(&o->list);
	return (o);
}

static void
remove_one(struct object *x)
{

	LIST_REMOVE(x, entry);
	json_decref(x->requests);
	json_decref(x->meta);
	buf_fini(&x->content);
	free(x);
}

void
objects_free(struct objects *o)
{

	if (o == NULL)
		return;
	while (!LIST_EMPTY(&o->list))
		remove_one(LIST_FIRST(&o->list));
	free(o);
}

void
objects_end(struct objects *o)
{
	struct object *x;

	LIST_FOREACH(x, &o->list, entry)
		x->ended = true;
}

struct json_t *
objects_json(const struct objects *o)
{
	const struct object *x;
	json_t *list = json_array();

	LIST_FOREACH(x, &o->list, entry)
		json_array_append_new(list, json_pack("{s:s,s:s,s:b}", "id",
		    x->id, "credential", x->credential, "file", x->is_file));
	return (list);
}

static bool
find_target(const struct head *h, struct target *t)
{
	const char *p = strstr(h->path, "/v1/"), *rest;

	memset(t, 0, sizeof(*t));
	if (p == NULL)
		return (false);
	if (strncmp(p, BATCHES, strlen(BATCHES)) == 0)
		rest = p + strlen(BATCHES);
	else if (strncmp(p, FILES, strlen(FILES)) == 0) {
		rest = p + strlen(FILES);
		t->is_file = true;
	} else
		return (false);
	if (*rest == '/' && sscanf(rest, "/%63[^/?]/%31[^/?]", t->id,
	    t->verb) >= 1)
		return (true);
	return (*rest == '\0' || *rest == '?');
}

bool
objects_wants(const struct head *h)
{
	struct target t;

	return (find_target(h, &t));
}

static struct object *
find(const struct objects *o, const char *credential, const char *id)
{
	struct object *x;

	LIST_FOREACH(x, &o->list, entry) {
		if (strcmp(x->id, id) == 0 &&
		    strcmp(x->credential, credential) == 0)
			return (x);
	}
	return (NULL);
}

static struct object *
make(struct objects *o, const struct head *h, bool is_file)
{
	struct object *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return (NULL);
	snprintf(x->id, sizeof(x->id), "%s_mock_%08x", is_file ? "file" :
	    "msgbatch", ++o->made);
	snprintf(x->credential, sizeof(x->credential), "%s", h->credential);
	x->is_file = is_file;
	buf_init(&x->content, 64 * 1024 * 1024);
	LIST_INSERT_HEAD(&o->list, x, entry);
	return (x);
}

static int
put_json(json_t *v, struct buf *out)
{
	char *text = json_dumps(v, JSON_COMPACT);
	int rc = text == NULL ? -1 : buf_puts(out, text);

	free(text);
	json_decref(v);
	return (rc == 0 ? 200 : 0);
}

/* ---- batches ---- */

static bool
begins(const char *s, const char *with)
{

	return (strncmp(s, with, strlen(with)) == 0);
}

static const char *
custom_id(const json_t *request)
{
	const char *id = json_string_value(json_object_get(request,
	    "custom_id"));

	return (id == NULL ? "" : id);
}

static json_t *
batch_json(const struct object *x)
{
	size_t i, n = json_array_size(x->requests), bad = 0;
	bool done = x->ended && !x->canceled;
	char url[256];

	for (i = 0; i < n; i++)
		bad += begins(custom_id(json_array_get(x->requests, i)),
		    "bad");
	snprintf(url, sizeof(url), "https://api.anthropic.com" BATCHES
	    "/%s/results", x->id);
	return (json_pack("{s:s,s:s,s:s,s:{s:I,s:I,s:I,s:I,s:i},s:s,s:s,s:s?}",
	    "id", x->id, "type", "message_batch", "processing_status",
	    x->ended ? "ended" : x->canceled ? "canceling" : "in_progress",
	    "request_counts",
	    "processing", (json_int_t)(x->ended ? 0 : n),
	    "succeeded", (json_int_t)(done ? n - bad : 0),
	    "errored", (json_int_t)(done ? bad : 0),
	    "canceled", (json_int_t)(x->ended && x->canceled ? n : 0),
	    "expired", 0,
	    "created_at", "2026-11-20T10:00:00Z",
	    "expires_at", "2026-11-21T10:00:00Z",
	    "results_url", x->ended ? url : NULL));
}

static int
put_text(const char *id, struct buf *out)
{
	long n = begins(id, "big-") ? atol(id + 4) : 0;
	unsigned char *p;

	if (n <= 0)
		return (buf_puts(out, "Hello"));
	if ((p = buf_reserve(out, (size_t)n)) == NULL)
		return (-1);
	memset(p, 'x', (size_t)n);
	buf_commit(out, (size_t)n);
	return (0);
}

/* The i-th, from 1, has 10 i tokens of input and 20 of output. */
static int
put_result(const struct object *x, size_t i, struct buf *out)
{
	const json_t *request = json_array_get(x->requests, i);
	const char *id = custom_id(request);
	const char *model = json_string_value(json_object_get(
	    json_object_get(request, "params"), "model"));

	if (buf_printf(out, "{\"custom_id\":\"%s\",\"result\":{\"type\":\"%s\"",
	    id, x->canceled ? "canceled" : begins(id, "bad") ? "errored" :
	    "succeeded") != 0)
		return (-1);
	if (begins(id, "bad") || x->canceled)
		return (buf_puts(out, "}}\n"));
	if (buf_printf(out, ",\"message\":{\"id\":\"msg_%zu\",\"type\":"
	    "\"message\",\"role\":\"assistant\",\"model\":\"%s\",\"content\":"
	    "[{\"type\":\"text\",\"text\":\"", i, model) != 0 ||
	    put_text(id, out) != 0)
		return (-1);
	return (buf_printf(out, "\"}],\"stop_reason\":\"end_turn\",\"usage\":"
	    "{\"input_tokens\":%zu,\"output_tokens\":20,\"service_tier\":"
	    "\"batch\"}}}}\n", 10 * (i + 1)));
}

static int
results(const struct object *x, struct buf *out, const char **type)
{
	size_t i;

	if (!x->ended)
		return (0);
	*type = "application/x-jsonl";
	for (i = 0; i < json_array_size(x->requests); i++) {
		if (put_result(x, i, out) != 0)
			return (0);
	}
	return (200);
}

static int
make_batch(struct objects *o, const struct head *h, const void *body,
    size_t n, struct buf *out)
{
	json_t *json = json_loadb(body, n, 0, NULL);
	json_t *requests = json_incref(json_object_get(json, "requests"));
	struct object *x;

	json_decref(json);
	if (requests == NULL || (x = make(o, h, false)) == NULL)
		return (-1);
	x->requests = requests;
	return (put_json(batch_json(x), out));
}

/* ---- files ---- */

/* The value of a parameter such as filename="a.txt" in a part's head. */
static void
copy_param(const char *head, size_t n, const char *name, char *out,
    size_t size)
{
	const char *p = memmem(head, n, name, strlen(name)), *end = head + n;
	size_t len = 0;

	for (p = p == NULL ? end : p + strlen(name); p < end && *p != '"' &&
	    *p != '\r' && len + 1 < size; p++)
		out[len++] = *p;
	out[len] = '\0';
}

/* One part, as clients send it. */
static int
make_file(struct objects *o, const struct head *h, const unsigned char *body,
    size_t n, struct buf *out)
{
	const unsigned char *head = memmem(body, n, "\r\n", 2), *content;
	const unsigned char *end = NULL, *at;
	char name[512], mime[128];
	size_t mark = head == NULL ? 0 : (size_t)(head - body);
	struct object *x;

	content = mark == 0 ? NULL : memmem(head, n - mark, "\r\n\r\n", 4);
	if (content == NULL)
		return (-1);
	content += 4;
	for (at = content; (at = memmem(at, n - (size_t)(at - body), body,
	    mark)) != NULL; at++)
		end = at - 2;
	if (end == NULL || end < content || (x = make(o, h, true)) == NULL)
		return (-1);
	copy_param((const char *)head, (size_t)(content - head),
	    "filename=\"", name, sizeof(name));
	copy_param((const char *)head, (size_t)(content - head),
	    "Content-Type: ", mime, sizeof(mime));
	if (buf_append(&x->content, content, (size_t)(end - content)) != 0)
		return (-1);
	x->meta = json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:b}", "id", x->id,
	    "type", "file", "filename", name, "mime_type", mime[0] == '\0' ?
	    "application/octet-stream" : mime, "size_bytes",
	    (json_int_t)(end - content), "created_at",
	    "2026-11-20T10:00:00Z", "downloadable", 1);
	return (put_json(json_incref(x->meta), out));
}

/* ---- requests ---- */

static int
list(const struct objects *o, const struct head *h, bool is_file,
    struct buf *out)
{
	const struct object *x;
	json_t *data = json_array();

	LIST_FOREACH(x, &o->list, entry) {
		if (x->is_file == is_file &&
		    strcmp(x->credential, h->credential) == 0)
			json_array_append_new(data, is_file ?
			    json_incref(x->meta) : batch_json(x));
	}
	return (put_json(json_pack("{s:o,s:b}", "data", data, "has_more",
	    0), out));
}

static int
delete(struct object *x, struct buf *out)
{
	json_t *v;

	if (!x->is_file && !x->ended)
		return (-1);
	v = json_pack("{s:s,s:s}", "id", x->id, "type", x->is_file ?
	    "file_deleted" : "message_batch_deleted");
	remove_one(x);
	return (put_json(v, out));
}

static int
one(struct object *x, const struct target *t, const struct head *h,
    struct buf *out, const char **type)
{

	if (strcmp(h->method, "DELETE") == 0)
		return (delete(x, out));
	if (strcmp(t->verb, "results") == 0)
		return (results(x, out, type));
	if (strcmp(t->verb, "content") == 0) {
		*type = "application/octet-stream";
		return (buf_append(out, buf_head(&x->content),
		    buf_len(&x->content)) == 0 ? 200 : 0);
	}
	if (strcmp(t->verb, "cancel") == 0 && !x->ended)
		x->canceled = true;
	return (put_json(x->is_file ? json_incref(x->meta) : batch_json(x),
	    out));
}

int
objects_answer(struct objects *o, const struct head *h,
    const unsigned char *body, size_t n, struct buf *out, const char **type)
{
	struct object *x;
	struct target t;

	if (!find_target(h, &t))
		return (0);
	if (t.id[0] != '\0') {
		x = find(o, h->credential, t.id);
		return (x == NULL || x->is_file != t.is_file ? 0 :
		    one(x, &t, h, out, type));
	}
	if (strcmp(h->method, "POST") != 0)
		return (list(o, h, t.is_file, out));
	return (t.is_file ? make_file(o, h, body, n, out) :
	    make_batch(o, h, body, n, out));
}

bool
objects_named(const struct objects *o, const struct head *h,
    const unsigned char *body, size_t n)
{
	static const char mark[] = "\"file_id\":\"";
	const unsigned char *p = body, *end = body + n;
	char id[64];
	size_t len;

	while ((p = memmem(p, (size_t)(end - p), mark,
	    sizeof(mark) - 1)) != NULL) {
		p += sizeof(mark) - 1;
		for (len = 0; p + len < end && p[len] != '"' &&
		    len + 1 < sizeof(id); len++)
			id[len] = (char)p[len];
		id[len] = '\0';
		if (find(o, h->credential, id) == NULL)
			return (false);
	}
	return (true);
}
