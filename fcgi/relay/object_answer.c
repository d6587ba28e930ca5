#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "relay/object_answer.h"

enum { W_ID, W_STATUS, W_URL, W_COUNT };
static const struct json_want wants[] = {
	[W_ID] = { "id", OBJECT_ID_SIZE, false },
	[W_STATUS] = { "processing_status", 16, false },
	[W_URL] = { "results_url", 1, false },
};
_Static_assert(sizeof(wants) / sizeof(wants[0]) == W_COUNT,
    "a row for each");

static void
take(const struct json_scan *s, enum object_kind kind,
    struct object_answer *out)
{
	const struct json_value *id = json_scan_get(s, W_ID);
	const struct json_value *status = json_scan_get(s, W_STATUS);
	const struct json_value *url = json_scan_get(s, W_URL);

	if (id->kind == JSON_KIND_STRING && object_id_fits(id->text, id->len))
		memcpy(out->id, id->text, id->len + 1);
	out->final = kind == OBJECT_FILE || (status->kind ==
	    JSON_KIND_STRING && strcmp(status->text, "ended") == 0);
	out->has_url = url->kind == JSON_KIND_STRING;
	out->url_start = url->start;
	out->url_end = url->end;
}

bool
object_answer_read(const void *p, size_t n, enum object_kind kind,
    struct object_answer *out)
{
	struct json_scan *s;
	bool good;

	memset(out, 0, sizeof(*out));
	if ((s = json_scan_new(wants, W_COUNT)) == NULL)
		return (false);
	good = json_scan_push(s, p, n, NULL) == 0 &&
	    json_scan_end(s, NULL) == 0 &&
	    json_scan_top(s) == JSON_KIND_OBJECT;
	if (good)
		take(s, kind, out);
	json_scan_free(s);
	return (good);
}

void
object_answer_seen(const void *p, size_t n, const struct object_answer *a,
    char seen[OBJECT_SEEN_SIZE])
{

	if (n < OBJECT_SEEN_SIZE && json_is_utf8(p, n)) {
		memcpy(seen, p, n);
		seen[n] = '\0';
	} else
		snprintf(seen, OBJECT_SEEN_SIZE, "{\"id\":\"%s\"}", a->id);
}

int
object_answer_put(struct buf *b, const void *p, size_t n,
    const struct object_answer *a, const char *origin)
{
	const char *text = p;
	char escaped[6 * 1024];

	if (!a->has_url || a->id[0] == '\0')
		return (buf_append(b, p, n));
	json_escape(origin, strlen(origin), escaped, sizeof(escaped));
	if (buf_append(b, text, a->url_start) != 0 ||
	    buf_printf(b, "\"%s/v1/messages/batches/%s/results\"", escaped,
	    a->id) != 0)
		return (-1);
	return (buf_append(b, text + a->url_end, n - a->url_end));
}
