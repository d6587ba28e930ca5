#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "relay/trace.h"

static const char cut[] = "{\"cut\":true}";

/* What is shorter is the time that admission takes anyway. */
#define WAITED_MS	10

/* Room that is kept for the last words. */
#define LAST	(sizeof(cut) + 2)

struct writer {
	char *text;
	size_t len;
	bool full;
};

/* One element, with what is put before its members. */
static void
put(struct writer *w, const char *more, const char *element, size_t n)
{
	size_t room = POOL_TRACE_SIZE - LAST - w->len;
	const char *comma = w->len > 1 ? "," : "";
	int len;

	if (w->full)
		return;
	len = snprintf(w->text + w->len, room, "%s{%s%.*s", comma, more,
	    (int)(n - 1), element + 1);
	if (len >= 0 && (size_t)len < room) {
		w->len += (size_t)len;
		return;
	}
	w->full = true;
	w->len += (size_t)snprintf(w->text + w->len, POOL_TRACE_SIZE - w->len,
	    "%s%s", comma, cut);
}

static void
say_first(const struct trace_part *part, bool first, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	if (first && part->trace_id != NULL)
		n = (size_t)snprintf(out, size, "\"trace_id\":\"%.32s\",",
		    part->trace_id);
	if (part->attempt > 0)
		n += (size_t)snprintf(out + n, size - n, "\"attempt\":%d,",
		    part->attempt);
	if (part->waited_ms >= WAITED_MS)
		(void)snprintf(out + n, size - n, "\"waited_ms\":%" PRId64
		    ",", part->waited_ms);
}

void
trace_add(char trace[POOL_TRACE_SIZE], const struct trace_part *part)
{
	struct writer w = { .text = trace, .len = strlen(trace) };
	const char *p, *end;
	char first[128];

	if ((p = strchr(part->choice, '{')) == NULL)
		return;
	if (w.len == 0)
		trace[w.len++] = '[';
	else
		w.len--;
	w.full = w.len >= sizeof(cut) - 1 && memcmp(trace + w.len -
	    (sizeof(cut) - 1), cut, sizeof(cut) - 1) == 0;
	say_first(part, w.len == 1, first, sizeof(first));
	for (; p != NULL && (end = strchr(p, '}')) != NULL;
	    p = strchr(end, '{')) {
		put(&w, first, p, (size_t)(end - p) + 1);
		first[0] = '\0';
	}
	memcpy(trace + w.len, "]", 2);
}
