#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "relay/batch_peek.h"

enum { W_MODEL, W_FALLBACKS, W_FILE, W_FILE_INSIDE, W_FILE_UPLOAD, W_REQUEST,
	W_COUNT };

#define CONTENT		"requests[].params.messages[].content[]"

static const struct json_want wants[] = {
	[W_MODEL] = { "requests[].params.model", LIMIT_NAME_BYTES, true },
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
on_match(void *arg, size_t want, const struct json_value *v)
{
	struct batch_scan *s = arg;
	bool text = v->kind == JSON_KIND_STRING;

	switch (want) {
	case W_MODEL:
		s->model = text && v->full_len > 0;
		if (text)
			object_ask_model(&s->ask, v->text, v->len);
		break;
	case W_FALLBACKS:
		s->ask.other_models |= v->kind != JSON_KIND_NULL &&
		    (v->kind != JSON_KIND_ARRAY || v->end - v->start > 2);
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
	json_scan_on_match(s->json, on_match, s);
	return (s);
}

void
batch_scan_free(struct batch_scan *s)
{

	if (s == NULL)
		return;
	json_scan_free(s->json);
	free(s);
}

static int
malformed(const struct err *why, struct err *err)
{

	err_set(err, ERR_INVAL, "the body is not valid JSON: %s", why->text);
	return (-1);
}

int
batch_scan_push(struct batch_scan *s, const void *p, size_t n,
    struct err *err)
{
	struct err why = { .code = ERR_NONE };

	if (json_scan_push(s->json, p, n, &why) == -1)
		return (malformed(&why, err));
	return (0);
}

int
batch_scan_end(struct batch_scan *s, struct object_ask *out, struct err *err)
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
		err_set(err, ERR_INVAL, "requests.%lld.params.model is missing "
		    "or not a string", (long long)s->without - 1);
		return (-1);
	}
	out->items = s->ask.items;
	out->nmodels = s->ask.nmodels;
	out->more_models = s->ask.more_models;
	out->other_models = s->ask.other_models;
	memcpy(out->models, s->ask.models, sizeof(out->models));
	out->n = s->ask.n;
	out->more = s->ask.more;
	memcpy(out->ids, s->ask.ids, sizeof(out->ids));
	return (0);
}
