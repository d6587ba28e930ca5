#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "relay/batch_peek.h"
#include "relay/mentions.h"

enum { W_MODEL, W_TOOL_MODEL, W_FALLBACK_MODEL, W_FALLBACK, W_FALLBACKS,
	W_FILE, W_FILE_INSIDE, W_FILE_UPLOAD, W_REQUEST, W_COUNT };

#define CONTENT		"requests[].params.messages[].content[]"

static const struct json_want wants[] = {
	[W_MODEL] = { "requests[].params.model", LIMIT_NAME_BYTES - 1, true },
	[W_TOOL_MODEL] = { "requests[].params.tools[].model",
	    LIMIT_NAME_BYTES - 1, true },
	[W_FALLBACK_MODEL] = { "requests[].params.fallbacks[].model",
	    LIMIT_NAME_BYTES - 1, true },
	[W_FALLBACK] = { "requests[].params.fallbacks[]", 1, true },
	[W_FALLBACKS] = { "requests[].params.fallbacks", 1, true },
	[W_FILE] = { CONTENT ".source.file_id", OBJECT_ID_SIZE, true },
	[W_FILE_INSIDE] = { CONTENT ".content[].source.file_id",
	    OBJECT_ID_SIZE, true },
	[W_FILE_UPLOAD] = { CONTENT ".file_id", OBJECT_ID_SIZE, true },
	[W_REQUEST] = { "requests[]", 1, true },
};
_Static_assert(sizeof(wants) / sizeof(wants[0]) == W_COUNT,
    "a row for each");

struct batch_scan {
	struct json_scan *json;
	struct object_ask ask;
	struct mentions models;
	struct err why;		/* the first thing that is wrong with them */
	bool named;		/* the fallback at hand: it names one */
	bool model;		/* of the request at hand: it has one */
	int64_t without;	/* the first that has none, from 1; 0 */
};

static void
end_request(struct batch_scan *s)
{

	s->ask.items++;
	if (!s->model && s->without == 0)
		s->without = s->ask.items;
	s->model = false;
}

static void
take_model(struct batch_scan *s, size_t want, const struct json_value *v)
{
	const char *what = mentions_fault(v);

	if (s->why.code != ERR_NONE)
		return;
	if (what != NULL)
		err_set(&s->why, ERR_INVAL, "requests.%lld%s %s",
		    (long long)s->ask.items, wants[want].path +
		    strlen("requests[]"), what);
	else
		mentions_add(&s->models, v, &s->why);
}

static void
on_match(void *arg, size_t want, const struct json_value *v)
{
	struct batch_scan *s = arg;
	bool text = v->kind == JSON_KIND_STRING;

	switch (want) {
	case W_MODEL:
		s->model = true;
		take_model(s, want, v);
		break;
	case W_FALLBACK_MODEL:
		s->named = true;
		take_model(s, want, v);
		break;
	case W_TOOL_MODEL:
		take_model(s, want, v);
		break;
	case W_FALLBACK:
		s->models.ask.unnamed |= !s->named;
		s->named = false;
		break;
	case W_FALLBACKS:
		s->models.ask.unnamed |= v->kind != JSON_KIND_NULL &&
		    v->kind != JSON_KIND_ARRAY;
		break;
	case W_REQUEST:
		end_request(s);
		break;
	default:
		if (text)
			object_ask_id(&s->ask, v->text, v->len);
		break;
	}
}

struct batch_scan *
batch_scan_new(void)
{
	struct batch_scan *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	if ((s->json = json_scan_new(wants, W_COUNT)) == NULL) {
		free(s);
		return (NULL);
	}
	mentions_init(&s->models);
	json_scan_on_match(s->json, on_match, s);
	return (s);
}

void
batch_scan_free(struct batch_scan *s)
{

	if (s == NULL)
		return;
	mentions_fini(&s->models);
	json_scan_free(s->json);
	free(s);
}

static int
malformed(const struct err *why, struct err *err)
{

	err_set(err, ERR_INVAL, "the body is not valid JSON: %s", why->text);
	return (-1);
}

/* What was found to be wrong with a model. */
static int
told(const struct batch_scan *s, struct err *err)
{

	if (s->why.code == ERR_NONE)
		return (0);
	err_set(err, s->why.code, "%s", s->why.text);
	return (-1);
}

int
batch_scan_push(struct batch_scan *s, const void *p, size_t n,
    struct err *err)
{
	struct err why = { .code = ERR_NONE };

	if (json_scan_push(s->json, p, n, &why) == -1)
		return (malformed(&why, err));
	return (told(s, err));
}

size_t
batch_scan_bytes(const struct batch_scan *s)
{

	return (splice_bytes(&s->models.splice));
}

int
batch_scan_end(struct batch_scan *s, struct object_ask *out,
    struct mentions *models, struct err *err)
{
	struct err why = { .code = ERR_NONE };

	if (json_scan_end(s->json, &why) == -1)
		return (malformed(&why, err));
	if (json_scan_top(s->json) != JSON_KIND_OBJECT) {
		err_set(err, ERR_INVAL, "the body is not a JSON object");
		return (-1);
	}
	if (s->ask.items == 0) {
		err_set(err, ERR_INVAL, "requests is missing or empty");
		return (-1);
	}
	if (s->without != 0) {
		err_set(err, ERR_INVAL, "requests.%lld.params.model is "
		    "missing", (long long)s->without - 1);
		return (-1);
	}
	out->items = s->ask.items;
	out->n = s->ask.n;
	out->more = s->ask.more;
	memcpy(out->ids, s->ask.ids, sizeof(out->ids));
	*models = s->models;
	mentions_init(&s->models);
	return (0);
}
