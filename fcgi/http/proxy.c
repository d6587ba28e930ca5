#include <stddef.h>
#include <string.h>

#include "http/proxy.h"

/* Set an option; leaves the function with the code of a failure. */
#define SET(option, value) do {						\
	CURLcode rc_ = curl_easy_setopt(easy, option, value);		\
	if (rc_ != CURLE_OK)						\
		return (rc_);						\
} while (0)

static CURLcode
set_direct(CURL *easy)
{

	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_FRESH_CONNECT, 0L);
	SET(CURLOPT_FORBID_REUSE, 0L);
	return (CURLE_OK);
}

CURLcode
proxy_set(CURL *easy, const char *url, const char *ca_file)
{
	long once;

	if (url == NULL)
		return (set_direct(easy));
	once = strchr(url, '@') != NULL;
	SET(CURLOPT_PROXY, url);
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
	SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
	SET(CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
	SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	if (ca_file != NULL) {
		SET(CURLOPT_PROXY_CAINFO, ca_file);
		SET(CURLOPT_PROXY_CAPATH, NULL);
	}
	SET(CURLOPT_FRESH_CONNECT, once);
	SET(CURLOPT_FORBID_REUSE, once);
	return (CURLE_OK);
}
