#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/err.h"
#include "base/net.h"
#include "base/num.h"

#define V4_BITS	96	/* of IPv6, that all addresses of IPv4 begin with */

static const unsigned char v4_mapped[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

struct net {
	struct net_addr addr;
	int bits;		/* of all 128 */
};

int
net_addr_parse(const char *s, size_t n, struct net_addr *a)
{
	char text[NET_ADDR_SIZE];

	memset(a, 0, sizeof(*a));
	if (n == 0 || n >= sizeof(text) || memchr(s, '\0', n) != NULL)
		return (-1);
	memcpy(text, s, n);
	text[n] = '\0';
	if (inet_pton(AF_INET, text, a->b + sizeof(v4_mapped)) == 1)
		memcpy(a->b, v4_mapped, sizeof(v4_mapped));
	else if (inet_pton(AF_INET6, text, a->b) != 1)
		return (-1);
	a->v4 = memcmp(a->b, v4_mapped, sizeof(v4_mapped)) == 0;
	a->known = true;
	return (0);
}

void
net_addr_format(const struct net_addr *a, char out[NET_ADDR_SIZE])
{

	if (!a->known || inet_ntop(a->v4 ? AF_INET : AF_INET6, a->v4 ?
	    a->b + sizeof(v4_mapped) : a->b, out, NET_ADDR_SIZE) == NULL)
		out[0] = '\0';
}

const char *
net_word(const char **p, size_t *n)
{
	const char *start;

	if (*p == NULL)
		return (NULL);
	start = *p + strspn(*p, " \t");
	*n = strcspn(start, ",");
	*p = start[*n] == ',' ? start + *n + 1 : NULL;
	while (*n > 0 && strchr(" \t", start[*n - 1]) != NULL)
		(*n)--;
	return (start);
}

/* Are all bits beyond the first ${bits} zero? */
static bool
ends_in_zeros(const struct net_addr *a, int bits)
{
	int i;

	for (i = bits; i < 128; i++) {
		if (a->b[i / 8] & (0x80 >> i % 8))
			return (false);
	}
	return (true);
}

/* NULL, or what is wrong with it. */
static const char *
parse_net(const char *s, size_t n, struct net *net)
{
	const char *slash = memchr(s, '/', n);
	size_t len = slash == NULL ? n : (size_t)(slash - s);
	bool as_v6 = memchr(s, ':', len) != NULL;
	int64_t bits = 128;
	int base;

	if (net_addr_parse(s, len, &net->addr))
		return ("is no address");
	base = net->addr.v4 && !as_v6 ? V4_BITS : 0;
	if (slash != NULL && (num_parse(slash + 1, n - len - 1, 0,
	    128 - base, &bits) || (bits += base) < 0))
		return ("has a length that is none");
	net->bits = (int)bits;
	if (net->addr.v4 && net->bits < V4_BITS)
		return ("mixes IPv4 and IPv6");
	if (!ends_in_zeros(&net->addr, net->bits))
		return ("has more bits set than its length says");
	return (NULL);
}

static bool
net_holds(const struct net *net, const struct net_addr *a)
{
	size_t whole = (size_t)net->bits / 8;
	int rest = net->bits % 8;

	if (net->addr.v4 != a->v4 || memcmp(net->addr.b, a->b, whole) != 0)
		return (false);
	return (rest == 0 || (net->addr.b[whole] ^ a->b[whole]) >>
	    (8 - rest) == 0);
}

static bool
is_word(const char *s, size_t n, const char *word)
{

	return (word != NULL && n == strlen(word) && memcmp(s, word, n) == 0);
}

bool
net_list_names(const char *list, const char *word)
{
	const char *p = list, *s;
	size_t n;

	while ((s = net_word(&p, &n)) != NULL) {
		if (is_word(s, n, word))
			return (true);
	}
	return (false);
}

int
net_list_check(const char *list, const char *also, struct err *err)
{
	const char *p = list, *s, *fault;
	struct net net;
	size_t n;

	if (list[strspn(list, " \t")] == '\0')
		return (0);
	while ((s = net_word(&p, &n)) != NULL) {
		if (is_word(s, n, also) ||
		    (fault = parse_net(s, n, &net)) == NULL)
			continue;
		err_set(err, ERR_INVAL, "\"%.*s\" %s: networks are written "
		    "as 192.0.2.0/24 or 2001:db8::/32, by comma",
		    n > 60 ? 60 : (int)n, s, fault);
		return (-1);
	}
	return (0);
}

bool
net_list_has(const char *list, const struct net_addr *a)
{
	const char *p = list, *s;
	struct net net;
	size_t n;

	if (!a->known)
		return (false);
	while ((s = net_word(&p, &n)) != NULL) {
		if (parse_net(s, n, &net) == NULL && net_holds(&net, a))
			return (true);
	}
	return (false);
}
