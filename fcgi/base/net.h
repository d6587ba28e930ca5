#ifndef BASE_NET_H_
#define BASE_NET_H_

#include <stdbool.h>
#include <stddef.h>

struct err;

/**
 * Addresses of IPv4 and IPv6, and lists of networks (CIDR, RFC 4632 and RFC
 * 4291) between commas: "10.0.0.0/8, 192.0.2.7, 2001:db8::/32".  An address
 * without a length is a network of one.  IPv4 addresses that are written as
 * IPv6 ones (::ffff:192.0.2.7) are IPv4, as dual-stack sockets show them; no
 * network of IPv6 holds one.  Pure; any thread.
 */

/* Longest numeric form of either family, with its NUL. */
#define NET_ADDR_SIZE 46

struct net_addr {
	bool known;		/* false: nothing is known of it */
	bool v4;
	unsigned char b[16];	/* IPv4: the last four, behind ::ffff: */
};

/** net_addr_parse(s, n, a): The ${n} bytes at ${s}.  0, or -1 with ${a} not
 * .known if they are no address. */
int net_addr_parse(const char *s, size_t n, struct net_addr *a)
    __attribute__((__warn_unused_result__));

/** net_addr_format(a, out): "192.0.2.7", "2001:db8::1"; "" if it is not
 * known. */
void net_addr_format(const struct net_addr *a, char out[NET_ADDR_SIZE]);

/** net_list_check(list, also, err): 0, or -1 with ERR_INVAL that names the
 * entry.  "" is a list of none; an entry may be the word ${also}, unless that
 * is NULL. */
int net_list_check(const char *list, const char *also, struct err *err)
    __attribute__((__warn_unused_result__));

/** net_list_has(list, a): Does a network of ${list} hold ${a}?  None holds an
 * address that is not known. */
bool net_list_has(const char *list, const struct net_addr *a);

/** net_list_names(list, word): Is the word itself an entry? */
bool net_list_names(const char *list, const char *word);

/** net_word(p, n): The next entry of a list between commas, from *${p} on,
 * which is moved behind it, without the blanks around: its start, and in
 * *${n} its length, which may be 0.  NULL at the end. */
const char *net_word(const char **p, size_t *n);

#endif /* !BASE_NET_H_ */
