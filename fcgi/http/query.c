#include <string.h>

#include "http/query.h"

static int
hex(char c)
{

	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

int
query_byte(const char *p, size_t n)
{

	if (n < 3 || p[0] != '%' || hex(p[1]) == -1 || hex(p[2]) == -1)
		return (-1);
	return (hex(p[1]) << 4 | hex(p[2]));
}

static void
decode(const char *p, size_t n, char *out, size_t size)
{
	size_t i, len = 0;
	int byte;
	char c;

	for (i = 0; i < n && len + 1 < size; i++) {
		c = p[i] == '+' ? ' ' : p[i];
		if ((byte = query_byte(p + i, n - i)) != -1) {
			c = (char)byte;
			i += 2;
		}
		if (c == '\0')
			break;
		out[len++] = c;
	}
	out[len] = '\0';
}

bool
query_next(const char **at, char *name, size_t name_size, char *value,
    size_t value_size)
{
	const char *p = *at, *eq;
	size_t n;

	while (p != NULL && *p == '&')
		p++;
	if (p == NULL || *p == '\0')
		return (false);
	n = strcspn(p, "&");
	eq = memchr(p, '=', n);
	*at = p + n;
	decode(p, eq == NULL ? n : (size_t)(eq - p), name, name_size);
	value[0] = '\0';
	if (eq != NULL)
		decode(eq + 1, n - (size_t)(eq + 1 - p), value, value_size);
	return (true);
}
