#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"

#include "store/mysql_url.h"

#define PORT_DEFAULT	3306

/* What a part of the URL is put into. */
struct field {
	const char *name;
	size_t offset, size;
	bool path;		/* must be an absolute path */
};

#define FIELD(n, p)	{ .name = #n, .path = (p),			\
	.offset = offsetof(struct mysql_url, n),			\
	.size = sizeof(((struct mysql_url *)0)->n) }

static const struct field user = FIELD(user, false);
static const struct field host = FIELD(host, false);
static const struct field database = FIELD(database, false);

static const struct field params[] = {
	FIELD(socket, true),
	FIELD(ca, true),
	FIELD(tls, false),
	FIELD(password_file, true),
};

static char *
field_of(struct mysql_url *u, const struct field *f)
{

	return ((char *)u + f->offset);
}

static int
hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	p = c == '\0' ? NULL : strchr(digits, c);
	return (p == NULL ? -1 : (int)(p - digits));
}

/* Decode [p, end) into the field; control characters are refused. */
static int
decode(struct mysql_url *u, const struct field *f, const char *p,
    const char *end, struct err *err)
{
	char *out = field_of(u, f);
	size_t n = 0;
	int c;

	for (; p < end; p++) {
		c = (unsigned char)*p;
		if (c == '%') {
			if (end - p < 3 || hex(p[1]) < 0 || hex(p[2]) < 0)
				goto bad;
			c = hex(p[1]) * 16 + hex(p[2]);
			p += 2;
		}
		if (c < ' ' || c == 0x7f || n + 1 >= f->size)
			goto bad;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	if (!f->path || out[0] == '/')
		return (0);
	err_set(err, ERR_INVAL, "the store's URL: %s must be an absolute "
	    "path", f->name);
	return (-1);

bad:
	err_set(err, ERR_INVAL, "the store's URL: the %s is too long, or has "
	    "a control character or a '%%' without two hexadecimal digits",
	    f->name);
	return (-1);
}

static int
parse_param(struct mysql_url *u, const char *p, const char *end,
    struct err *err)
{
	const char *eq = memchr(p, '=', (size_t)(end - p));
	size_t i, n = eq == NULL ? 0 : (size_t)(eq - p);

	for (i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		if (eq == NULL || strlen(params[i].name) != n ||
		    memcmp(params[i].name, p, n) != 0)
			continue;
		if (*field_of(u, &params[i]) != '\0') {
			err_set(err, ERR_INVAL, "the store's URL: %s is given "
			    "twice", params[i].name);
			return (-1);
		}
		return (decode(u, &params[i], eq + 1, end, err));
	}
	err_set(err, ERR_INVAL, "the store's URL: after '?' only socket=, "
	    "ca=, tls= and password_file= are known");
	return (-1);
}

static int
parse_params(struct mysql_url *u, const char *p, struct err *err)
{
	const char *end;

	for (;;) {
		end = p + strcspn(p, "&");
		if (parse_param(u, p, end, err))
			return (-1);
		if (*end == '\0')
			return (0);
		p = end + 1;
	}
}

/* HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT. */
static int
parse_host(struct mysql_url *u, const char *p, const char *end,
    struct err *err)
{
	const char *stop, *colon = NULL;
	int64_t port = PORT_DEFAULT;

	if (p < end && *p == '[') {
		stop = memchr(p, ']', (size_t)(end - p));
		if (stop == NULL || stop == p + 1)
			goto bad;
		if (stop + 1 < end)
			colon = stop + 1;
		p++;
	} else {
		colon = memchr(p, ':', (size_t)(end - p));
		stop = colon == NULL ? end : colon;
	}
	if (colon != NULL && (*colon != ':' || num_parse(colon + 1,
	    (size_t)(end - colon - 1), 1, 65535, &port)))
		goto bad;
	u->port = (unsigned int)port;
	return (decode(u, &host, p, stop, err));

bad:
	err_set(err, ERR_INVAL, "the store's URL: host and port are written "
	    "as HOST, HOST:PORT or [ADDRESS]:PORT");
	return (-1);
}

/* USER@HOST:PORT */
static int
parse_server(struct mysql_url *u, const char *p, const char *end,
    struct err *err)
{
	const char *at = memchr(p, '@', (size_t)(end - p));

	if (at == NULL || at == p) {
		err_set(err, ERR_INVAL, "the store's URL names no user: "
		    "write mysql://USER@HOST/DATABASE");
		return (-1);
	}
	if (memchr(p, ':', (size_t)(at - p)) != NULL ||
	    memchr(at + 1, '@', (size_t)(end - at - 1)) != NULL) {
		err_set(err, ERR_INVAL, "the store's URL must not hold a "
		    "password: put it into a file that only the responders' "
		    "user may read, and add ?password_file=/path");
		return (-1);
	}
	if (decode(u, &user, p, at, err))
		return (-1);
	return (parse_host(u, at + 1, end, err));
}

static bool
is_here(const char *name)
{

	return (strcmp(name, "localhost") == 0 || strcmp(name, "::1") == 0 ||
	    strncmp(name, "127.", 4) == 0);
}

/* What only makes sense together. */
static int
check_together(const struct mysql_url *u, struct err *err)
{

	if (u->tls[0] != '\0' && strcmp(u->tls, "off") != 0)
		err_set(err, ERR_INVAL, "the store's URL: tls= can only be "
		    "off; with ca= the server's certificate is checked");
	else if (u->tls[0] != '\0' && u->ca[0] != '\0')
		err_set(err, ERR_INVAL, "the store's URL: ca= and tls=off "
		    "exclude each other");
	else if (u->socket[0] != '\0' && u->host[0] != '\0' &&
	    strcmp(u->host, "localhost") != 0)
		err_set(err, ERR_INVAL, "the store's URL: with socket= the "
		    "host is localhost");
	else if (u->socket[0] == '\0' && u->host[0] == '\0')
		err_set(err, ERR_INVAL, "the store's URL has neither a host "
		    "nor socket=");
	else if (u->socket[0] == '\0' && !is_here(u->host) &&
	    u->ca[0] == '\0' && u->tls[0] == '\0')
		err_set(err, ERR_INVAL, "the store's URL: a server on another "
		    "host needs ca=/path to the certificate that it is "
		    "checked with (or tls=off on a network that is trusted)");
	else
		return (0);
	return (-1);
}

int
mysql_url_parse(const char *text, struct mysql_url *out, struct err *err)
{
	const char *p = text + 2, *slash, *query;

	memset(out, 0, sizeof(*out));
	if (strncmp(text, "//", 2) != 0 ||
	    (slash = strchr(p, '/')) == NULL || slash[1] == '\0' ||
	    slash[1] == '?') {
		err_set(err, ERR_INVAL, "the store's URL is written as "
		    "mysql://USER@HOST/DATABASE");
		return (-1);
	}
	query = slash + 1 + strcspn(slash + 1, "?");
	if (parse_server(out, p, slash, err) ||
	    decode(out, &database, slash + 1, query, err) ||
	    (*query == '?' && parse_params(out, query + 1, err)))
		return (-1);
	return (check_together(out, err));
}
