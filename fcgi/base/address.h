#ifndef BASE_ADDRESS_H_
#define BASE_ADDRESS_H_

#include <sys/socket.h>
#include <stdbool.h>

/** Where a pool listens: the path of a Unix socket, or ADDRESS:PORT. */
struct address {
	struct sockaddr_storage sa;
	socklen_t len;
	bool is_unix;
	bool loopback;		/* TCP: reached from this host alone */
};

/**
 * address_parse(text, a):
 * "/run/relay.sock", "127.0.0.1:9000" or "[::1]:9000"; no names, as nothing
 * is looked up.  0, or -1 if it is none of these; a path must fit into a
 * sockaddr_un.
 */
int address_parse(const char *text, struct address *a)
    __attribute__((__warn_unused_result__));

#endif /* !BASE_ADDRESS_H_ */
