#include <string.h>

#include "http/route.h"

/* The length of ${path} without the slash at its end. */
static size_t
path_length(const char *path)
{
	size_t n = strlen(path);

	return (n > 1 && path[n - 1] == '/' ? n - 1 : n);
}

/* The end of the segment that starts at ${p}. */
static const char *
segment_end(const char *p, const char *end)
{

	while (p < end && *p != '/')
		p++;
	return (p);
}

static bool
is_param(const char *p, size_t n)
{

	return (n >= 2 && p[0] == '{' && p[n - 1] == '}');
}

/* Keep a segment that stands for a "{name}". */
static bool
take_param(struct route_match *m, const char *p, size_t n)
{

	if (n == 0 || m->nparams == ROUTE_PARAMS_MAX)
		return (false);
	m->params[m->nparams].p = p;
	m->params[m->nparams].n = n;
	m->nparams++;
	return (true);
}

/*
 * Compare segment by segment.  Returns how many are the same; *${whole} when
 * all of both were.
 */
static size_t
compare(const char *pattern, const char *path, struct route_match *m,
    bool *whole)
{
	const char *a = pattern, *aend = pattern + path_length(pattern);
	const char *b = path, *bend = path + path_length(path);
	const char *ae, *be;
	size_t same = 0;

	m->nparams = 0;
	*whole = false;
	while (a < aend && b < bend) {
		ae = segment_end(++a, aend);
		be = segment_end(++b, bend);
		if (is_param(a, (size_t)(ae - a))) {
			if (!take_param(m, b, (size_t)(be - b)))
				return (same);
		} else if (ae - a != be - b ||
		    memcmp(a, b, (size_t)(be - b))) {
			return (same);
		}
		same++;
		a = ae;
		b = be;
	}
	*whole = a == aend && b == bend;
	return (same);
}

static bool
is_listed(const char *list, const char *method)
{
	size_t n = strlen(method);
	const char *p;

	for (p = list; (p = strstr(p, method)) != NULL; p += n) {
		if ((p == list || p[-1] == ' ') &&
		    (p[n] == '\0' || p[n] == ','))
			return (true);
	}
	return (false);
}

static void
list_method(struct route_match *m, const char *method)
{
	size_t len = strlen(m->allow);

	if (is_listed(m->allow, method) ||
	    len + strlen(method) + 3 > sizeof(m->allow))
		return;
	if (len > 0)
		strcat(m->allow, ", ");
	strcat(m->allow, method);
}

/* Among the rows with this row's pattern, the one that serves ${method}. */
static const struct route *
by_method(const struct route *table, size_t n, const struct route *first,
    const char *method, struct route_match *m)
{
	const struct route *r, *get = NULL;

	for (r = first; r < table + n; r++) {
		if (strcmp(r->pattern, first->pattern))
			continue;
		if (!strcmp(r->method, method))
			return (r);
		if (!strcmp(r->method, "GET")) {
			get = r;
			list_method(m, "GET");
			list_method(m, "HEAD");
		} else {
			list_method(m, r->method);
		}
	}
	return (strcmp(method, "HEAD") ? NULL : get);
}

/*
 * Look ${path} up as it is.  The dialect is that of the row that has most of
 * the path, *${most} segments so far.
 */
static enum route_result
find(const struct route *table, size_t n, const char *method,
    const char *path, struct route_match *m, size_t *most)
{
	const struct route *r;
	size_t same;
	bool whole;

	for (r = table; r < table + n; r++) {
		same = compare(r->pattern, path, m, &whole);
		if (!whole) {
			if (same > *most) {
				*most = same;
				m->dialect = r->dialect;
			}
			continue;
		}
		m->dialect = r->dialect;
		m->route = by_method(table, n, r, method, m);
		if (m->route == NULL)
			return (ROUTE_METHOD);
		m->dialect = m->route->dialect;
		return (ROUTE_FOUND);
	}
	m->nparams = 0;
	return (ROUTE_UNKNOWN);
}

enum route_result
route_find(const struct route *table, size_t n, const char *const *aliases,
    const char *method, const char *path, struct route_match *m)
{
	enum route_result rc;
	size_t len, most = 0;

	memset(m, 0, sizeof(*m));
	if (n > 0)
		m->dialect = table[0].dialect;
	rc = find(table, n, method, path, m, &most);
	for (; rc == ROUTE_UNKNOWN && aliases != NULL && *aliases != NULL;
	    aliases++) {
		len = strlen(*aliases);
		if (strncmp(path, *aliases, len) || path[len] != '/')
			continue;
		rc = find(table, n, method, path + len, m, &most);
	}
	return (rc);
}
