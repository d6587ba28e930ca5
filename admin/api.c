#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "http/response.h"

#include "api.h"

json_t *
api_refuse(struct api_call *c, int status, const char *fmt, ...)
{
	va_list ap;

	c->status = status;
	va_start(ap, fmt);
	(void)vsnprintf(c->message, sizeof(c->message), fmt, ap);
	va_end(ap);
	return (NULL);
}

json_t *
api_done(struct api_call *c)
{

	(void)c;
	return (json_object());
}

struct actor
api_actor(const struct api_call *c)
{
	const struct actor actor = {
		.kind = c->who.person_id != 0 ? ACTOR_PERSON :
		    c->who.role != ROLE_NONE ? ACTOR_TOKEN : ACTOR_NOBODY,
		.name = c->who.name,
		.address = c->http->remote_addr,
	};

	return (actor);
}

int
api_id(const struct api_call *c, size_t i, int64_t *id, struct err *err)
{
	const char *p = c->match->params[i].p;
	size_t n = c->match->params[i].n;
	char digits[20];

	if (n < sizeof(digits)) {
		memcpy(digits, p, n);
		digits[n] = '\0';
		if (strspn(digits, "0123456789") == n &&
		    (*id = strtoll(digits, NULL, 10)) > 0)
			return (0);
	}
	err_set(err, ERR_NOT_FOUND, "there is no such id");
	return (-1);
}

/* ---- the body ---- */

int
api_members(const struct api_call *c, const char *const *names,
    struct err *err)
{
	const char *const *name;
	const char *key;
	json_t *value;

	json_object_foreach(c->body, key, value) {
		for (name = names; *name != NULL; name++) {
			if (strcmp(*name, key) == 0)
				break;
		}
		if (*name != NULL)
			continue;
		err_set(err, ERR_INVAL, "there is no member \"%.60s\" here",
		    key);
		return (-1);
	}
	return (0);
}

int
api_text(const struct api_call *c, const char *name, const char **out,
    struct err *err)
{
	const json_t *j = json_object_get(c->body, name);

	if (j == NULL || json_is_null(j))
		return (0);
	if (!json_is_string(j)) {
		err_set(err, ERR_INVAL, "\"%s\" must be a text", name);
		return (-1);
	}
	*out = json_string_value(j);
	return (0);
}

int
api_need_text(const struct api_call *c, const char *name, const char **out,
    struct err *err)
{

	*out = NULL;
	if (api_text(c, name, out, err))
		return (-1);
	if (*out != NULL)
		return (0);
	err_set(err, ERR_INVAL, "\"%s\" is needed", name);
	return (-1);
}

int
api_int(const struct api_call *c, const char *name, int64_t min, int64_t max,
    int64_t *out, struct err *err)
{
	const json_t *j = json_object_get(c->body, name);

	if (j == NULL)
		return (0);
	if (json_is_integer(j) && json_integer_value(j) >= min &&
	    json_integer_value(j) <= max) {
		*out = json_integer_value(j);
		return (0);
	}
	err_set(err, ERR_INVAL, "\"%s\" must be a whole number from %lld to "
	    "%lld", name, (long long)min, (long long)max);
	return (-1);
}

int
api_bool(const struct api_call *c, const char *name, bool *out,
    struct err *err)
{
	const json_t *j = json_object_get(c->body, name);

	if (j == NULL)
		return (0);
	if (json_is_boolean(j)) {
		*out = json_is_true(j);
		return (0);
	}
	err_set(err, ERR_INVAL, "\"%s\" must be true or false", name);
	return (-1);
}

/* ---- the query ---- */

static int
hex(char c)
{

	if (c >= '0' && c <= '9')
		return (c - '0');
	c |= 0x20;
	return (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1);
}

/* Undo "%41" and '+'; NULL if it does not fit or is not well-formed. */
static const char *
decode(const char *p, size_t n, char *buf, size_t size)
{
	size_t i, len = 0;
	int hi, lo;

	for (i = 0; i < n && len + 1 < size; i++) {
		if (p[i] == '+') {
			buf[len++] = ' ';
		} else if (p[i] != '%') {
			buf[len++] = p[i];
		} else {
			if (i + 2 >= n || (hi = hex(p[i + 1])) == -1 ||
			    (lo = hex(p[i + 2])) == -1 || (hi | lo) == 0)
				return (NULL);
			buf[len++] = (char)(hi << 4 | lo);
			i += 2;
		}
	}
	buf[len] = '\0';
	return (i == n ? buf : NULL);
}

const char *
api_query(const struct api_call *c, const char *name, char *buf, size_t size)
{
	const char *p = c->http->query;
	size_t n, len = strlen(name);

	for (; p != NULL && *p != '\0'; p += n + (p[n] == '&')) {
		n = strcspn(p, "&");
		if (n > len && strncmp(p, name, len) == 0 && p[len] == '=')
			return (decode(p + len + 1, n - len - 1, buf, size));
	}
	return (NULL);
}

int
api_query_int(const struct api_call *c, const char *name, int64_t min,
    int64_t max, int64_t *out, struct err *err)
{
	char buf[24];
	const char *s = api_query(c, name, buf, sizeof(buf));
	char *end;
	long long value;

	if (s == NULL)
		return (0);
	value = strtoll(s, &end, 10);
	if (end != s && *end == '\0' && value >= min && value <= max) {
		*out = value;
		return (0);
	}
	err_set(err, ERR_INVAL, "%s must be a whole number from %lld to %lld",
	    name, (long long)min, (long long)max);
	return (-1);
}

/* ---- the answer ---- */

void
api_set_cookie(struct api_call *c, const char *token, int64_t life_ms)
{
	const bool secure = c->settings->secure || c->http->https;
	char line[512];

	(void)snprintf(line, sizeof(line), "%s=%s; Path=%s/; Max-Age=%lld; "
	    "HttpOnly; SameSite=Strict%s", API_COOKIE,
	    token != NULL ? token : "", c->settings->mount,
	    token != NULL ? (long long)(life_ms / 1000) : 0LL,
	    secure ? "; Secure" : "");
	buf_reset(&c->cookie);
	(void)!response_header(&c->cookie, "set-cookie", line);
}

const char *
api_agent(const struct api_call *c, char *buf, size_t size)
{
	const char *agent = http_request_header(c->http, "user-agent");
	size_t i;

	for (i = 0; agent != NULL && agent[i] != '\0' && i + 1 < size; i++)
		buf[i] = agent[i] >= ' ' && agent[i] <= '~' ? agent[i] : '?';
	buf[i] = '\0';
	return (buf);
}
