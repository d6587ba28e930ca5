#ifndef HTTP_PROXY_H_
#define HTTP_PROXY_H_

#include <curl/curl.h>

/**
 * proxy_set(easy, url):
 * Send what ${easy} asks for through the proxy at ${url}, or directly if that
 * is NULL; in neither case does the environment decide.  ${url} is
 * SCHEME://[USER:PASSWORD@]HOST:PORT, with user and password percent-encoded;
 * http and https are asked for a tunnel (CONNECT), whatever the target;
 * socks5 looks the target's name up here, socks5h at the proxy.  What goes to
 * the target alone (its headers) is not shown to the proxy.  The proxy's own
 * certificate is verified like the target's (${ca_file}; NULL: the system's).
 *
 * libcurl (7.88, and 8 as well) takes a kept connection through an HTTP proxy
 * for one of any user of that proxy.  As the user may decide through which
 * address the proxy goes out, connections through a proxy with a user are
 * used once.
 */
CURLcode proxy_set(CURL *easy, const char *url, const char *ca_file)
    __attribute__((__warn_unused_result__));

#endif /* !HTTP_PROXY_H_ */
