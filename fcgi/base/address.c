#include <sys/un.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/address.h"
#include "base/num.h"

/* The longest numeric address, brackets included. */
#define HOST_MAX	(INET6_ADDRSTRLEN + 2)

static int
parse_path(const char *text, struct address *a)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&a->sa;
	size_t n = strlen(text);

	if (n >= sizeof(sun->sun_path))
		return (-1);
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, text, n + 1);
	a->len = sizeof(*sun);
	a->is_unix = true;
	return (0);
}

static int
parse_ipv4(const char *host, uint16_t port, struct address *a)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&a->sa;

	if (inet_pton(AF_INET, host, &sin->sin_addr) != 1)
		return (-1);
	sin->sin_family = AF_INET;
	sin->sin_port = htons(port);
	a->len = sizeof(*sin);
	a->loopback = ntohl(sin->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return (0);
}

/* ${host} is in brackets. */
static int
parse_ipv6(char *host, uint16_t port, struct address *a)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&a->sa;
	size_t n = strlen(host);

	if (host[n - 1] != ']')
		return (-1);
	host[n - 1] = '\0';
	if (inet_pton(AF_INET6, host + 1, &sin6->sin6_addr) != 1)
		return (-1);
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	a->len = sizeof(*sin6);
	a->loopback = IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr);
	return (0);
}

int
address_parse(const char *text, struct address *a)
{
	const char *colon = strrchr(text, ':');
	char host[HOST_MAX + 1];
	int64_t port;

	memset(a, 0, sizeof(*a));
	if (text[0] == '/')
		return (parse_path(text, a));
	if (colon == NULL || colon == text ||
	    (size_t)(colon - text) > HOST_MAX ||
	    num_parse(colon + 1, strlen(colon + 1), 1, UINT16_MAX, &port))
		return (-1);
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	return (host[0] == '[' ? parse_ipv6(host, (uint16_t)port, a) :
	    parse_ipv4(host, (uint16_t)port, a));
}
