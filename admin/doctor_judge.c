#include "config.h"

#include <ctype.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "doctor_judge.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* ---- web servers ---- */

static const char *const titles[] = {
	[WEB_NGINX] = "nginx",
	[WEB_APACHE] = "Apache",
	[WEB_CADDY] = "Caddy",
	[WEB_UNKNOWN] = "the web server",
};

/* How they call themselves, without regard to case. */
static const struct {
	const char *prefix;
	enum web_server server;
} names[] = {
	{ "nginx", WEB_NGINX },
	{ "openresty", WEB_NGINX },
	{ "tengine", WEB_NGINX },
	{ "apache", WEB_APACHE },
	{ "caddy", WEB_CADDY },
};

enum web_server
web_server_of(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < NITEMS(names); i++) {
		if (strncasecmp(name, names[i].prefix,
		    strlen(names[i].prefix)) == 0)
			return (names[i].server);
	}
	return (WEB_UNKNOWN);
}

const char *
web_server_title(enum web_server server)
{

	return (titles[server]);
}

/* ---- streams ---- */

enum stream_flow
stream_flow(const int64_t *at_ms, size_t n, size_t sent, int64_t gap_ms)
{
	int64_t pause_ms;
	size_t i, together = 0;

	if (n < sent)
		return (STREAM_SHORT);

	/* The network may delay all of them, but keeps their distances:
	 * an event that came at less than half of its distance to the one
	 * before was held back with it. */
	for (i = 1; i < n; i++) {
		pause_ms = at_ms[i] - at_ms[i - 1];
		together += pause_ms < gap_ms / 2;
	}
	if (together == 0)
		return (STREAM_LIVE);
	return (together == n - 1 ? STREAM_HELD : STREAM_LUMPY);
}

/* ---- answers ---- */

/* The object in ${key} of ${j}, or NULL. */
static const char *
text_of(const json_t *j, const char *key)
{

	return (json_string_value(json_object_get(j, key)));
}

enum answer_from
answer_from(const char *body, size_t n)
{
	json_t *j = json_loadb(body, n, 0, NULL);
	enum answer_from from = FROM_OTHER;
	const char *type = text_of(j, "type"), *status = text_of(j, "status");
	const char *id = text_of(j, "request_id");

	if (text_of(j, "probe") != NULL || text_of(j, "service") != NULL)
		from = FROM_RELAY;
	else if (type != NULL && strcmp(type, "error") == 0 && id != NULL &&
	    strncmp(id, "req_lh_", 7) == 0)
		from = FROM_RELAY;
	else if (status != NULL && (strcmp(status, "ok") == 0 ||
	    strcmp(status, "unavailable") == 0))
		from = FROM_RELAY;
	else if (text_of(j, "error") != NULL &&
	    json_is_integer(json_object_get(j, "code")))
		from = FROM_ADMIN;
	json_decref(j);
	return (from);
}

/* The text of a page: no tags, no line ends, no control characters. */
static void
plain_text(const char *p, size_t n, char *out, size_t size)
{
	bool tag = false;
	size_t i, len = 0;
	char c;

	for (i = 0; i < n && len + 1 < size; i++) {
		c = p[i];
		if (c == '<' || (tag && c == '>')) {
			tag = c == '<';
			c = ' ';
		} else if (tag) {
			continue;
		}
		if (isspace((unsigned char)c) || iscntrl((unsigned char)c)) {
			if (len == 0 || out[len - 1] == ' ')
				continue;
			c = ' ';
		}
		out[len++] = c;
	}
	while (len > 0 && out[len - 1] == ' ')
		len--;
	out[len] = '\0';
}

/* A page's title says enough of it. */
static void
page_title(const char **body, size_t *n)
{
	static const char open[] = "<title>", close[] = "</title>";
	const char *p, *end;

	if (*n == 0)
		return;
	if ((p = memmem(*body, *n, open, strlen(open))) == NULL)
		return;
	p += strlen(open);
	*n -= (size_t)(p - *body);
	*body = p;
	if ((end = memmem(p, *n, close, strlen(close))) != NULL)
		*n = (size_t)(end - p);
}

void
answer_text(const char *body, size_t n, char *out, size_t size)
{
	json_t *j = json_loadb(body, n, 0, NULL);
	const char *message;

	if ((message = text_of(json_object_get(j, "error"), "message")) ==
	    NULL)
		message = text_of(j, "error");
	if (message != NULL) {
		plain_text(message, strlen(message), out, size);
	} else {
		page_title(&body, &n);
		plain_text(body, n, out, size);
	}
	json_decref(j);
}

const char *
url_path(const char *url)
{
	const char *p = strstr(url, "://");

	p = p == NULL ? url : p + 3;
	return (p + strcspn(p, "/?#"));
}
