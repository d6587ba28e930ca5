#include <string.h>
#include <strings.h>

#include "http/query.h"
#include "http/request.h"

/* Decode %XX in place, but leave %00, which is in no key. */
static void
percent_decode(char *p)
{
	const char *end = p + strlen(p);
	char *w = p;
	int c;

	while (p < end) {
		c = query_byte(p, (size_t)(end - p));
		*w++ = c > 0 ? (char)c : *p;
		p += c > 0 ? 3 : 1;
	}
	*w = '\0';
}

/* The value of the first "key" in the query, decoded; or NULL. */
static const char *
query_key(struct http_request *r)
{
	const char *p;

	if (r->key != NULL || r->query == NULL)
		return (r->key);
	for (p = r->query; p != NULL; p = strchr(p, '&')) {
		p += *p == '&';
		if (strncmp(p, "key=", 4))
			continue;
		if ((r->key = strndup(p + 4, strcspn(p + 4, "&"))) != NULL)
			percent_decode(r->key);
		break;
	}
	return (r->key);
}

static const char *
bearer(const char *authorization)
{

	if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7))
		return (NULL);
	authorization += 7;
	return (authorization + strspn(authorization, " "));
}

size_t
http_request_keys(struct http_request *r, const char **out)
{
	const char *found[HTTP_KEYS_MAX] = {
		http_request_header(r, "x-api-key"),
		bearer(http_request_header(r, "authorization")),
		http_request_header(r, "x-goog-api-key"),
		http_request_header(r, "api-key"),
		query_key(r)
	};
	size_t i, j, n = 0;

	for (i = 0; i < HTTP_KEYS_MAX; i++) {
		if (found[i] == NULL || *found[i] == '\0')
			continue;
		for (j = 0; j < n && strcmp(out[j], found[i]); j++)
			continue;
		if (j == n)
			out[n++] = found[i];
	}
	return (n);
}
