#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/num.h"
#include "http/query.h"
#include "http/response.h"

#include "change.h"

#include "api.h"

#define PAGE_ROWS	100
#define PAGE_ROWS_MAX	1000
#define PAGES_MAX	1000000

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

struct conf *
api_conf(struct api_call *c)
{
	struct err why = { .code = ERR_NONE };
	struct conf *conf;

	if ((conf = conf_load(c->settings->conf_path, &why)) == NULL)
		(void)api_refuse(c, 500, "%s", why.text);
	return (conf);
}

json_t *
api_done(struct api_call *c)
{

	(void)c;
	return (json_object());
}

bool
api_is_person(struct api_call *c)
{

	if (c->who.person_id != 0)
		return (true);
	(void)api_refuse(c, 403, "a token of the installation is no person");
	return (false);
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

const char *
api_param(const struct api_call *c, size_t i, char *buf, size_t size)
{
	const char *p = c->match->params[i].p;
	const size_t n = c->match->params[i].n;
	size_t at;
	bool good = n < size;

	for (at = 0; at < n && good; at++)
		good = p[at] > ' ' && p[at] <= '~';
	(void)snprintf(buf, size, "%.*s", good ? (int)n : 0, p);
	return (buf);
}

int
api_id(const struct api_call *c, size_t i, int64_t *id, struct err *err)
{

	if (num_parse(c->match->params[i].p, c->match->params[i].n, 1,
	    INT64_MAX, id) == 0)
		return (0);
	err_set(err, ERR_NOT_FOUND, "there is no such id");
	return (-1);
}

static int
take_name(void *arg, const struct store_value *cols, size_t ncols)
{
	const char *text = store_get_text(&cols[0]);

	(void)ncols;
	if (strlen(text) < LIMIT_NAME_BYTES)
		strcpy(arg, text);
	return (1);
}

/* The newest name of an id counts. */
static void
keep_name(struct api_call *c, enum stmt_id stmt, int64_t id, const char *name)
{
	size_t i;

	for (i = 0; i < c->nnamed; i++) {
		if (c->named[i].stmt == stmt && c->named[i].id == id)
			break;
	}
	if (i == API_NAMED)
		return;
	c->named[i].stmt = stmt;
	c->named[i].id = id;
	strcpy(c->named[i].name, name);
	if (i == c->nnamed)
		c->nnamed++;
}

int
api_name_of(struct api_call *c, enum stmt_id stmt, int64_t id,
    const char *what, char name[LIMIT_NAME_BYTES], struct err *err)
{
	const struct store_value param = store_int(id);

	name[0] = '\0';
	if (store_query(c->store, stmt, &param, 1, take_name, name, err)
	    == -1)
		return (-1);
	if (name[0] != '\0') {
		keep_name(c, stmt, id, name);
		return (0);
	}
	err_set(err, ERR_NOT_FOUND, "there is no %s with the id %lld", what,
	    (long long)id);
	return (-1);
}

int
api_name(struct api_call *c, enum stmt_id stmt,
    char name[LIMIT_NAME_BYTES], struct err *err)
{
	struct err e = { .code = ERR_NONE };
	int64_t id;

	if (api_id(c, 0, &id, err))
		return (-1);
	if (api_name_of(c, stmt, id, "such", name, &e) == 0)
		return (0);
	if (e.code == ERR_NOT_FOUND)
		err_set(err, ERR_NOT_FOUND, "there is no such id");
	else
		err_set(err, e.code, "%s", e.text);
	return (-1);
}

void
api_audit(struct api_call *c, struct audit *a, const char *verb,
    const char *object, const char *renamed)
{
	char kind[32];

	(void)snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(verb, "."),
	    verb);
	*a = (struct audit) {
		.actor = api_actor(c),
		.verb = verb,
		.object = object,
		.renamed = renamed,
		.view = audit_view_of(kind),
		.named = c->named,
		.nnamed = c->nnamed,
	};
	c->nnamed = 0;
	change_audit(c->store, a);
}

int
api_note(struct api_call *c, const char *verb, const char *object,
    struct err *err)
{
	struct audit a;

	api_audit(c, &a, verb, object, NULL);
	a.view = NULL;
	if (store_begin(c->store, true, err))
		return (-1);
	return (store_end(c->store, change_note(c->store, err), err));
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

int
api_flag(const struct api_call *c, const char *name, int *out,
    struct err *err)
{
	bool b = *out > 0;

	if (json_object_get(c->body, name) == NULL)
		return (0);
	if (api_bool(c, name, &b, err))
		return (-1);
	*out = b;
	return (0);
}

int
api_thing(struct api_call *c, const char *member,
    const char *member_id, enum stmt_id stmt, char name[LIMIT_NAME_BYTES],
    const char **text, struct err *err)
{
	const json_t *id = json_object_get(c->body, member_id);
	int64_t n;

	if (id == NULL)
		return (api_text(c, member, text, err));
	if (json_object_get(c->body, member) != NULL) {
		err_set(err, ERR_INVAL, "\"%s\" and \"%s\" exclude each "
		    "other", member, member_id);
		return (-1);
	}
	name[0] = '\0';
	if (!json_is_null(id) && (api_int(c, member_id, 1, INT64_MAX, &n, err)
	    || api_name_of(c, stmt, n, member, name, err)))
		return (-1);
	*text = name;
	return (0);
}

/* ---- the query ---- */

/* Undo "%41" and '+'; NULL if it does not fit or is not well-formed. */
static const char *
decode(const char *p, size_t n, char *buf, size_t size)
{
	size_t i, len = 0;
	int byte;

	for (i = 0; i < n && len + 1 < size; i++) {
		if (p[i] == '+') {
			buf[len++] = ' ';
		} else if (p[i] != '%') {
			buf[len++] = p[i];
		} else {
			if ((byte = query_byte(p + i, n - i)) <= 0)
				return (NULL);
			buf[len++] = (char)byte;
			i += 2;
		}
	}
	buf[len] = '\0';
	return (i == n ? buf : NULL);
}

const char *
api_query(struct api_call *c, const char *name, char *buf, size_t size)
{
	const char *p = c->http->query, *value;
	size_t n, len = strlen(name);

	for (; p != NULL && *p != '\0'; p += n + (p[n] == '&')) {
		n = strcspn(p, "&");
		if (n <= len || strncmp(p, name, len) != 0 || p[len] != '=')
			continue;
		value = decode(p + len + 1, n - len - 1, buf, size);
		if (value == NULL)
			(void)api_refuse(c, 400, "%s is malformed, or longer "
			    "than what can be", name);
		return (value);
	}
	return (NULL);
}

const char *
api_query_lower(struct api_call *c, const char *name, char *buf, size_t size)
{
	char *p;

	if (api_query(c, name, buf, size) == NULL)
		return (NULL);
	for (p = buf; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	return (buf);
}

int
api_query_int(struct api_call *c, const char *name, int64_t min,
    int64_t max, int64_t *out, struct err *err)
{
	char buf[24];
	const char *s = api_query(c, name, buf, sizeof(buf));

	if (s == NULL || num_parse(s, strlen(s), min, max, out) == 0)
		return (0);
	err_set(err, ERR_INVAL, "%s must be a whole number from %lld to %lld",
	    name, (long long)min, (long long)max);
	return (-1);
}

/* ---- the answer ---- */

int
api_range(struct api_call *c, struct api_range *r, struct err *err)
{

	r->page = 1;
	r->limit = PAGE_ROWS;
	if (api_query_int(c, "page", 1, PAGES_MAX, &r->page, err) ||
	    api_query_int(c, "limit", 1, PAGE_ROWS_MAX, &r->limit, err))
		return (-1);
	r->offset = (r->page - 1) * r->limit;
	return (0);
}

json_t *
api_part(const struct api_range *r, json_t *items, int64_t total,
    struct err *err)
{
	json_t *answer;

	if (items == NULL)
		return (NULL);
	answer = json_pack("{s:o, s:I, s:I, s:I}", "items", items, "page",
	    (json_int_t)r->page, "limit", (json_int_t)r->limit, "total",
	    (json_int_t)total);
	if (answer == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (answer);
}

json_t *
api_page(struct api_call *c, json_t *list, struct err *err)
{
	json_t *items = NULL;
	struct api_range r;
	size_t i, total;

	if (list == NULL || api_range(c, &r, err))
		goto err0;
	if ((items = json_array()) == NULL)
		goto err1;
	total = json_array_size(list);
	for (i = (size_t)r.offset; i < total &&
	    i < (size_t)(r.offset + r.limit); i++) {
		if (json_array_append(items, json_array_get(list, i)) == -1)
			goto err1;
	}
	json_decref(list);
	return (api_part(&r, items, (int64_t)total, err));

err1:
	err_set(err, ERR_NOMEM, "no memory for an answer");
	json_decref(items);
err0:
	json_decref(list);
	return (NULL);
}

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
