#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/num.h"
#include "http/request.h"
#include "http/token.h"

/* Parameters of which the last one given counts. */
enum single {
	SINGLE_METHOD,
	SINGLE_URI,
	SINGLE_LENGTH,
	SINGLE_TYPE,
	SINGLE_REMOTE,
	SINGLE_PROTOCOL,
	SINGLE_SERVER,
	SINGLE_HTTPS,
	NSINGLES
};

static const char *const single_names[] = {
	[SINGLE_METHOD] = "REQUEST_METHOD",
	[SINGLE_URI] = "REQUEST_URI",
	[SINGLE_LENGTH] = "CONTENT_LENGTH",
	[SINGLE_TYPE] = "CONTENT_TYPE",
	[SINGLE_REMOTE] = "REMOTE_ADDR",
	[SINGLE_PROTOCOL] = "SERVER_PROTOCOL",
	[SINGLE_SERVER] = "SERVER_SOFTWARE",
	[SINGLE_HTTPS] = "HTTPS"
};

_Static_assert(sizeof(single_names) / sizeof(single_names[0]) == NSINGLES,
    "a name for each");

/* Headers that are left out. */
static const char *const left_out[] = { "proxy", "content-type",
	"content-length" };

/* A NUL-ended string in the text; the text may move while it grows. */
struct span {
	size_t off, len;
};

struct item {
	struct span name, value;
	bool joined;		/* into an earlier one */
};

/*
 * What the request borrows from.  The text starts with a NUL, so that an
 * empty span is "".
 */
struct params {
	struct buf text;
	struct span singles[NSINGLES];
	struct item *items;
	size_t nitems, cap;
};

void
http_request_init(struct http_request *r)
{

	memset(r, 0, sizeof(*r));
	r->method = r->target = r->path = r->remote_addr = "";
	r->protocol = r->server = "";
	r->content_length = -1;
}

static void
params_free(struct params *pa)
{

	if (pa == NULL)
		return;
	buf_wipe(&pa->text);
	free(pa->items);
	free(pa);
}

/* Room for what may come, and for joining it: each value once more. */
static struct params *
params_new(void)
{
	struct params *pa;

	if ((pa = calloc(1, sizeof(*pa))) == NULL)
		return (NULL);
	buf_init(&pa->text, 3 * LIMIT_PARAMS_BYTES);
	if (buf_append(&pa->text, "", 1)) {
		params_free(pa);
		return (NULL);
	}
	return (pa);
}

void
http_request_fini(struct http_request *r)
{

	params_free(r->priv);
	if (r->key != NULL)
		explicit_bzero(r->key, strlen(r->key));
	free(r->key);
	free(r->headers);
	http_request_init(r);
}

static int
add_text(struct params *pa, const char *p, size_t n, struct span *span)
{
	unsigned char *room;

	if ((room = buf_reserve(&pa->text, n + 1)) == NULL)
		return (-1);
	if (n > 0)
		memcpy(room, p, n);
	room[n] = '\0';
	span->off = buf_len(&pa->text);
	span->len = n;
	buf_commit(&pa->text, n + 1);
	return (0);
}

static char *
text_at(const struct params *pa, struct span span)
{

	return ((char *)buf_head(&pa->text) + span.off);
}

static struct item *
add_item(struct params *pa)
{
	struct item *items;
	size_t cap;

	if (pa->nitems == pa->cap) {
		cap = pa->cap == 0 ? 32 : pa->cap * 2;
		if ((items = realloc(pa->items, cap * sizeof(*items))) == NULL)
			return (NULL);
		pa->items = items;
		pa->cap = cap;
	}
	memset(&pa->items[pa->nitems], 0, sizeof(*items));
	return (&pa->items[pa->nitems++]);
}

/* "X_API_KEY" -> "x-api-key" */
static char
header_char(char c)
{

	if (c == '_')
		return ('-');
	return (c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
}

static int
take_header(struct params *pa, const char *name, size_t name_len,
    const char *value, size_t value_len)
{
	struct item *item;
	char *p;

	if ((item = add_item(pa)) == NULL)
		return (-1);
	if (add_text(pa, name, name_len, &item->name) ||
	    add_text(pa, value, value_len, &item->value)) {
		pa->nitems--;
		return (-1);
	}
	for (p = text_at(pa, item->name); *p != '\0'; p++)
		*p = header_char(*p);
	return (0);
}

static int
find_single(const char *name, size_t len)
{
	int i;

	for (i = 0; i < NSINGLES; i++) {
		if (strlen(single_names[i]) == len &&
		    !memcmp(single_names[i], name, len))
			return (i);
	}
	return (-1);
}

static bool
is_left_out(const char *name, size_t len)
{
	size_t i, j;

	for (i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
		if (strlen(left_out[i]) != len)
			continue;
		for (j = 0; j < len && left_out[i][j] == header_char(name[j]);
		    j++)
			continue;
		if (j == len)
			return (true);
	}
	return (false);
}

/* Whether a parameter is a header to be taken; skips its HTTP_. */
static bool
is_header(const char **name, size_t *len)
{

	if (*len < 5 || memcmp(*name, "HTTP_", 5))
		return (false);
	*name += 5;
	*len -= 5;
	return (!is_left_out(*name, *len));
}

static bool
has_room(const struct params *pa, size_t n)
{

	return (pa->nitems < LIMIT_PARAMS && n <= LIMIT_PARAMS_BYTES &&
	    buf_len(&pa->text) + n <= LIMIT_PARAMS_BYTES);
}

int
http_request_param(struct http_request *r, const char *name, size_t name_len,
    const char *value, size_t value_len, struct err *err)
{
	struct params *pa;
	int single = find_single(name, name_len);
	int rc;

	if (single == -1 && !is_header(&name, &name_len))
		return (0);
	if (single == -1 && !token_is_valid(name, name_len)) {
		err_set(err, ERR_INVAL, "a header's name is malformed");
		return (-1);
	}
	if (!token_is_text(value, value_len)) {
		err_set(err, ERR_INVAL, "a header or the target holds a "
		    "control character");
		return (-1);
	}
	if (r->priv == NULL)
		r->priv = params_new();
	if ((pa = r->priv) == NULL)
		goto nomem;
	if (!has_room(pa, name_len + value_len + 2)) {
		err_set(err, ERR_TOO_LARGE, "too many headers, or too large");
		return (-1);
	}
	if (single != -1)
		rc = add_text(pa, value, value_len, &pa->singles[single]);
	else
		rc = take_header(pa, name, name_len, value, value_len);
	if (rc)
		goto nomem;
	return (0);

nomem:
	err_set(err, ERR_NOMEM, "no memory for parameters");
	return (-1);
}

static bool
same_name(const struct params *pa, const struct item *a, const struct item *b)
{

	return (a->name.len == b->name.len && !memcmp(text_at(pa, a->name),
	    text_at(pa, b->name), a->name.len));
}

/* Append ", " and the value of ${b} to that of ${a}, the last of the text. */
static int
append_value(struct params *pa, struct item *a, const struct item *b)
{
	size_t n = 2 + b->value.len;
	char *end;

	if (buf_reserve(&pa->text, n) == NULL)
		return (-1);
	end = text_at(pa, a->value) + a->value.len;
	memcpy(end, ", ", 2);
	memcpy(end + 2, text_at(pa, b->value), b->value.len + 1);
	a->value.len += n;
	buf_commit(&pa->text, n);
	return (0);
}

/* Join what came more than once into the first of its name. */
static int
join_item(struct params *pa, size_t i)
{
	struct item *a = &pa->items[i], *b;
	struct span first = a->value;
	size_t j;

	for (j = i + 1; j < pa->nitems; j++) {
		b = &pa->items[j];
		if (b->joined || !same_name(pa, a, b))
			continue;
		if (a->value.off == first.off) {
			/* Make room first: the source may not move. */
			if (buf_reserve(&pa->text, first.len + 1) == NULL ||
			    add_text(pa, text_at(pa, first), first.len,
			    &a->value))
				return (-1);
		}
		if (append_value(pa, a, b))
			return (-1);
		b->joined = true;
	}
	return (0);
}

static int
join_items(struct params *pa)
{
	size_t i;

	for (i = 0; i < pa->nitems; i++) {
		if (!pa->items[i].joined && join_item(pa, i))
			return (-1);
	}
	return (0);
}

static int
set_headers(struct http_request *r)
{
	struct params *pa = r->priv;
	struct http_header *h;
	size_t i;

	if (pa->nitems == 0)
		return (0);
	if ((r->headers = calloc(pa->nitems, sizeof(*h))) == NULL)
		return (-1);
	for (i = 0; i < pa->nitems; i++) {
		if (pa->items[i].joined)
			continue;
		h = &r->headers[r->nheaders++];
		h->name = text_at(pa, pa->items[i].name);
		h->name_len = pa->items[i].name.len;
		h->value = text_at(pa, pa->items[i].value);
		h->value_len = pa->items[i].value.len;
	}
	return (0);
}

/* What follows the mount prefix in the target, or NULL: not under it. */
static const char *
under_mount(const char *target, const char *mount)
{
	size_t n = strlen(mount);

	if (strncmp(target, mount, n))
		return (NULL);
	return (strchr("/?", target[n]) != NULL ? target + n : NULL);
}

/*
 * Copy the path, which starts within the target at ${from} (NULL: all of it
 * is the path).  "/claude" alone stands for "/claude/".
 */
static int
copy_path(struct params *pa, size_t from, struct span *path)
{
	struct span uri = pa->singles[SINGLE_URI];
	size_t n;

	if (buf_reserve(&pa->text, uri.len + 2) == NULL)
		return (-1);
	n = strcspn(text_at(pa, uri) + from, "?");
	if (n == 0)
		return (add_text(pa, "/", 1, path));
	return (add_text(pa, text_at(pa, uri) + from, n, path));
}

static void
set_strings(struct http_request *r, struct span path)
{
	struct params *pa = r->priv;
	const char *https = text_at(pa, pa->singles[SINGLE_HTTPS]);
	const char *query;

	r->method = text_at(pa, pa->singles[SINGLE_METHOD]);
	r->target = text_at(pa, pa->singles[SINGLE_URI]);
	r->remote_addr = text_at(pa, pa->singles[SINGLE_REMOTE]);
	r->protocol = text_at(pa, pa->singles[SINGLE_PROTOCOL]);
	r->server = text_at(pa, pa->singles[SINGLE_SERVER]);
	r->path = text_at(pa, path);
	if ((query = strchr(r->target, '?')) != NULL)
		r->query = query + 1;
	r->https = *https != '\0' && strcasecmp(https, "off");
}

static int
set_length(struct http_request *r)
{
	struct params *pa = r->priv;
	struct span s = pa->singles[SINGLE_LENGTH];

	if (s.len == 0 || !strcmp(text_at(pa, s), "-1"))
		return (0);
	return (num_parse(text_at(pa, s), s.len, 0, INT64_MAX,
	    &r->content_length));
}

static int
check(struct http_request *r, struct err *err)
{

	if (set_length(r)) {
		err_set(err, ERR_INVAL, "content-length is not a number");
		return (-1);
	}
	if (!token_is_valid(r->method, strlen(r->method))) {
		err_set(err, ERR_INVAL, "the request has no method");
		return (-1);
	}
	if (*r->target == '\0') {
		err_set(err, ERR_INVAL, "the request has no target: the web "
		    "server must pass REQUEST_URI");
		return (-1);
	}
	if (*r->target != '/') {
		err_set(err, ERR_INVAL, "the target does not start with '/'");
		return (-1);
	}
	return (0);
}

/* Build all that the request shows; the text does not move after this. */
static int
resolve(struct http_request *r, const char *rest)
{
	struct params *pa = r->priv;
	struct span *type = &pa->singles[SINGLE_TYPE], path = { 0, 0 };
	size_t from = 0;
	struct item *item;

	if (rest != NULL)
		from = (size_t)(rest -
		    text_at(pa, pa->singles[SINGLE_URI]));
	if (type->len > 0) {
		if ((item = add_item(pa)) == NULL)
			return (-1);
		item->value = *type;
		if (add_text(pa, "content-type", 12, &item->name))
			return (-1);
	}
	if (pa->singles[SINGLE_URI].len > 0 && copy_path(pa, from, &path))
		return (-1);
	if (join_items(pa) || set_headers(r))
		return (-1);
	set_strings(r, path);
	return (0);
}

int
http_request_ready(struct http_request *r, const char *mount, struct err *err)
{
	struct params *pa;
	const char *rest;

	if (r->priv == NULL)
		r->priv = params_new();
	if ((pa = r->priv) == NULL)
		goto nomem;
	rest = under_mount(text_at(pa, pa->singles[SINGLE_URI]), mount);
	if (resolve(r, rest))
		goto nomem;
	if (check(r, err))
		return (-1);
	return (rest != NULL);

nomem:
	err_set(err, ERR_NOMEM, "no memory for parameters");
	return (-1);
}

const char *
http_request_header(const struct http_request *r, const char *name)
{
	size_t i, n = strlen(name);

	for (i = 0; i < r->nheaders; i++) {
		if (r->headers[i].name_len == n &&
		    !memcmp(r->headers[i].name, name, n))
			return (r->headers[i].value);
	}
	return (NULL);
}
