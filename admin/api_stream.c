#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/response.h"

#include "api.h"

/* Of one event; a head is shorter. */
#define EVENT_BYTES	(64 * 1024)

/* When there may be room again, s. */
#define LONG_RETRY_S	5

static int
put_head(struct api_call *c, struct buf *b)
{

	c->streams = true;
	return (response_begin(b, 200) == -1 ||
	    response_header(b, "content-type", "text/event-stream") == -1 ||
	    response_header(b, "cache-control", "no-store") == -1 ||
	    response_header(b, "x-content-type-options", "nosniff") == -1 ||
	    response_header(b, "x-accel-buffering", "no") == -1 ||
	    response_end(b) == -1 ? -1 : 0);
}

static int
put_event(struct buf *b, const char *name, const json_t *data)
{
	char *text = json_dumps(data, JSON_COMPACT);
	int rc;

	rc = text == NULL || buf_puts(b, "event: ") == -1 ||
	    buf_puts(b, name) == -1 || buf_puts(b, "\ndata: ") == -1 ||
	    buf_puts(b, text) == -1 || buf_puts(b, "\n\n") == -1 ? -1 : 0;
	free(text);
	return (rc);
}

void
api_event(struct api_call *c, const char *name, json_t *data)
{
	struct buf b;

	buf_init(&b, EVENT_BYTES);
	if (c->sink == NULL)
		(void)api_refuse(c, 503, "there is nowhere to stream to");
	else if (!c->left && ((!c->streams && put_head(c, &b) == -1) ||
	    put_event(&b, name, data) == -1 ||
	    c->sink->put(c->sink->arg, buf_head(&b), buf_len(&b)) == -1))
		c->left = true;
	buf_fini(&b);
	json_decref(data);
}

bool
api_stops(struct api_call *c)
{

	if (c->sink != NULL && c->sink->left(c->sink->arg))
		c->left = true;
	return (c->left || (c->settings->over != NULL &&
	    c->settings->over(c->settings->over_arg)));
}

int
api_begin_long(struct api_call *c)
{
	int64_t *n = c->settings->long_runs;

	if (n == NULL || __atomic_add_fetch(n, 1, __ATOMIC_RELAXED) <=
	    c->settings->long_runs_max)
		return (0);
	(void)__atomic_sub_fetch(n, 1, __ATOMIC_RELAXED);
	c->retry_after_s = LONG_RETRY_S;
	(void)api_refuse(c, 429, "as much that takes long is being done as "
	    "can be; try again in a moment");
	return (-1);
}

void
api_end_long(struct api_call *c)
{

	if (c->settings->long_runs != NULL)
		(void)__atomic_sub_fetch(c->settings->long_runs, 1,
		    __ATOMIC_RELAXED);
}
