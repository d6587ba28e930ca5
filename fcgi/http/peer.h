#ifndef HTTP_PEER_H_
#define HTTP_PEER_H_

#include "base/net.h"

struct http_request;

/* In a list of trusted proxies: a peer that has no address, as it came over a
 * Unix socket. */
#define PEER_UNIX	"unix"

/**
 * http_peer(r, trusted, out):
 * Whose request it is: REMOTE_ADDR, which the web server states, or, where
 * that is one of the networks of ${trusted}, the right-most entry of
 * X-Forwarded-For that is not.  If all of them are, the left-most; without the
 * header, REMOTE_ADDR.  Forwarded (RFC 7239) is not looked at: a proxy that
 * writes one of the two passes the other on as the client made it up.
 *
 * Not .known if it cannot be told: an entry that counts is no address, with or
 * without port ("unknown", "_hidden"), or REMOTE_ADDR is none, as with peers
 * on Unix sockets ("unix:", or empty), unless PEER_UNIX is in ${trusted} and
 * the header tells.  Any thread.
 */
void http_peer(const struct http_request *r, const char *trusted,
    struct net_addr *out);

#endif /* !HTTP_PEER_H_ */
