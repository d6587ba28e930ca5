#include <string.h>

#include "http/peer.h"
#include "http/request.h"

/* "192.0.2.7", "192.0.2.7:4711", "2001:db8::1", "[2001:db8::1]:4711" */
static int
parse_entry(const char *s, size_t n, struct net_addr *out)
{
	const char *end, *colon = memchr(s, ':', n);

	if (n > 0 && s[0] == '[') {
		end = memchr(s, ']', n);
		if (end == NULL || (end + 1 < s + n && end[1] != ':'))
			return (-1);
		return (net_addr_parse(s + 1, (size_t)(end - s) - 1, out));
	}
	if (colon != NULL && memchr(s, '.', n) != NULL &&
	    memchr(colon + 1, ':', n - (size_t)(colon - s) - 1) == NULL)
		n = (size_t)(colon - s);
	return (net_addr_parse(s, n, out));
}

/* From the right, as far as those who wrote it are trusted. */
static void
read_chain(const char *chain, const char *trusted, struct net_addr *out)
{
	const char *end = chain + strlen(chain), *start, *p;
	size_t n;

	for (;;) {
		start = end;
		while (start > chain && start[-1] != ',')
			start--;
		p = start + strspn(start, " \t");
		n = p < end ? (size_t)(end - p) : 0;
		while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
			n--;
		if (parse_entry(p, n, out)) {
			*out = (struct net_addr) { .known = false };
			return;
		}
		if (start == chain || !net_list_has(trusted, out))
			return;
		end = start - 1;
	}
}

void
http_peer(const struct http_request *r, const char *trusted,
    struct net_addr *out)
{
	const char *addr = r->remote_addr, *chain;
	bool local;

	local = *addr == '\0' || strcmp(addr, "unix:") == 0;
	if (net_addr_parse(addr, strlen(addr), out) && !local)
		return;
	if (*trusted == '\0' || !(local ? net_list_names(trusted, PEER_UNIX) :
	    net_list_has(trusted, out)))
		return;
	if ((chain = http_request_header(r, "x-forwarded-for")) != NULL)
		read_chain(chain, trusted, out);
}
