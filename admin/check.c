#include <arpa/inet.h>
#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/num.h"
#include "base/zone.h"

#include "check.h"

/* All patterns of a key together; the column has no bound of its own. */
#define MODELS_MAX	4096

#define DATE_SIZE	64

/* Its column. */
#define AUTH_HEADER_MAX	63

/* Is it UTF-8?  jansson knows. */
static bool
is_utf8(const char *s)
{
	json_t *text = json_string(s);

	json_decref(text);
	return (text != NULL);
}

size_t
check_control(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	if (p[0] != '\0' && (p[0] < 0x20 || p[0] == 0x7f))
		return (1);
	/* U+0080 to U+009F */
	if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
		return (2);
	/* U+200E to U+202E, U+2066 to U+2069 */
	if (p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0x8e && p[2] <= 0xae) ||
	    (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
		return (3);
	return (0);
}

static bool
has_control(const char *s)
{

	for (; *s != '\0'; s++) {
		if (check_control(s) > 0)
			return (true);
	}
	return (false);
}

int
check_name(const char *what, const char *s, struct err *err)
{
	size_t n = strlen(s);

	if (n > 0 && n < LIMIT_NAME_BYTES && s[0] != ' ' && s[n - 1] != ' ' &&
	    !has_control(s) && is_utf8(s))
		return (0);
	err_set(err, ERR_INVAL, "the name of %s has 1 to %d bytes of UTF-8, "
	    "without control characters and without a blank at its ends",
	    what, LIMIT_NAME_BYTES - 1);
	return (-1);
}

static bool
is_loopback(const char *host)
{
	struct in_addr v4;

	/* curl writes IPv6 hosts in brackets, in their shortest form. */
	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return (true);
	return (inet_pton(AF_INET, host, &v4) == 1 &&
	    ntohl(v4.s_addr) >> 24 == 127);
}

/* What is wrong with a URL that curl understood; NULL: nothing. */
static const char *
url_fault(CURLU *url, bool query)
{
	static const CURLUPart unwanted[] = {
		CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT,
		CURLUPART_QUERY
	};
	char *scheme = NULL, *host = NULL, *part;
	const char *fault = NULL;
	size_t i;

	for (i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]) - query; i++) {
		if (curl_url_get(url, unwanted[i], &part, 0) != CURLUE_OK)
			continue;
		curl_free(part);
		fault = "it must not have a user, query or fragment";
	}
	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		fault = "it must have a scheme and a host";
	else if (strcmp(scheme, "http") == 0 && !is_loopback(host))
		fault = "http is for loopback hosts only, use https";
	else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		fault = "it must start with https://";
	curl_free(scheme);
	curl_free(host);
	return (fault);
}

static char *
without_slash(const char *url)
{
	size_t n = strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	return (strndup(url, n));
}

int
check_base_url(const char *s, char **out, struct err *err)
{
	const char *fault = "it is not a URL";
	char *normal;
	CURLU *url;

	if ((url = curl_url()) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a URL");
		goto err0;
	}
	if (has_control(s) || strchr(s, ' ') != NULL ||
	    curl_url_set(url, CURLUPART_URL, s, 0) != CURLUE_OK ||
	    (fault = url_fault(url, false)) != NULL) {
		err_set(err, ERR_INVAL, "base URL \"%.100s\": %s", s, fault);
		goto err1;
	}
	if (curl_url_get(url, CURLUPART_URL, &normal, 0) != CURLUE_OK) {
		err_set(err, ERR_NOMEM, "no memory for a URL");
		goto err1;
	}
	*out = without_slash(normal);
	curl_free(normal);
	curl_url_cleanup(url);
	if (*out == NULL)
		err_set(err, ERR_NOMEM, "no memory for a URL");
	return (*out == NULL ? -1 : 0);

err1:
	curl_url_cleanup(url);
err0:
	return (-1);
}

int
check_endpoint(const char *what, const char *s, bool query, struct err *err)
{
	const char *fault = "it is not a URL";
	CURLU *url = curl_url();
	int rc = -1;

	if (url == NULL)
		err_set(err, ERR_NOMEM, "no memory for a URL");
	else if (has_control(s) || strchr(s, ' ') != NULL ||
	    curl_url_set(url, CURLUPART_URL, s, 0) != CURLUE_OK ||
	    (fault = url_fault(url, query)) != NULL)
		err_set(err, ERR_INVAL, "%s \"%.100s\": %s", what, s, fault);
	else
		rc = 0;
	curl_url_cleanup(url);
	return (rc);
}

int
check_models(const char *s, char **out, struct err *err)
{
	const char *fault = NULL;
	char *p;
	size_t item = 0;
	bool apart = false;	/* a blank stood behind the name */

	if (has_control(s) || !is_utf8(s) || strlen(s) > MODELS_MAX) {
		err_set(err, ERR_INVAL, "models are names or patterns with "
		    "'*', by comma, at most %d bytes", MODELS_MAX);
		return (-1);
	}
	if ((*out = p = malloc(strlen(s) + 1)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for models");
		return (-1);
	}
	for (; *s != '\0'; s++) {
		if (*s == ' ') {
			apart = item > 0;
			continue;
		}
		if (*s != ',' && apart)
			fault = "has a name with a blank in it";
		apart = false;
		item = *s == ',' ? 0 : item + 1;
		if (item == 0 && (p == *out || p[-1] == ','))
			fault = "has an empty name";
		if (item >= LIMIT_NAME_BYTES)
			fault = "has a name that is too long";
		*p++ = *s;
	}
	*p = '\0';
	if (p > *out && p[-1] == ',')
		fault = "ends with a comma";
	if (fault == NULL)
		return (0);
	err_set(err, ERR_INVAL, "the list of models %s", fault);
	free(*out);
	*out = NULL;
	return (-1);
}

/* Headers that no API key goes in; a name that ends in '-' is a prefix. */
static const char *const reserved_headers[] = {
	"accept", "accept-", "anthropic-", "cache-control", "cdn-loop", "cf-",
	"connection", "content-", "cookie", "date", "expect", "forwarded",
	"host", "http2-settings", "if-", "keep-alive", "origin", "proxy-",
	"range", "referer", "sec-", "set-cookie", "te", "trailer",
	"transfer-encoding", "true-client-ip", "upgrade", "user-agent", "via",
	"x-claude-", "x-forwarded-", "x-leasehold-", "x-real-ip",
	"x-stainless-",
};

static bool
is_reserved(const char *name)
{
	const char *r;
	size_t i, n;

	for (i = 0; i < sizeof(reserved_headers) /
	    sizeof(reserved_headers[0]); i++) {
		r = reserved_headers[i];
		n = strlen(r);
		if (strncmp(name, r, n) == 0 &&
		    (r[n - 1] == '-' || name[n] == '\0'))
			return (true);
	}
	return (false);
}

static void
lower(char *s)
{

	for (; *s != '\0'; s++) {
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
	}
}

/* What is wrong with a name in lower case; NULL: nothing. */
static const char *
header_fault(const char *name)
{
	size_t n = strlen(name);

	if (n > AUTH_HEADER_MAX || strspn(name,
	    "abcdefghijklmnopqrstuvwxyz0123456789-_") != n)
		return ("a header's name has at most 63 letters, digits, '-' "
		    "and '_'");
	if (strcmp(name, "authorization") == 0)
		return ("take --credential bearer, which is sent as "
		    "Authorization: Bearer");
	return (is_reserved(name) ? "that header means something else" :
	    NULL);
}

int
check_auth_header(const char *s, char **out, struct err *err)
{
	const char *fault;

	if ((*out = strdup(s)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a header");
		return (-1);
	}
	lower(*out);
	if ((fault = header_fault(*out)) != NULL) {
		err_set(err, ERR_INVAL, "auth header \"%.70s\": %s",
		    has_control(s) ? "..." : s, fault);
		free(*out);
		*out = NULL;
		return (-1);
	}
	if (strcmp(*out, "x-api-key") == 0)
		**out = '\0';
	return (0);
}

/* "2027-01-31" or RFC 3339. */
static int
parse_date(const char *s, int64_t *out_ms)
{
	char whole[DATE_SIZE];

	if (strlen(s) == strlen("2027-01-31")) {
		(void)snprintf(whole, sizeof(whole), "%sT00:00:00Z", s);
		s = whole;
	}
	return (clock_parse_date(s, out_ms));
}

/* "90d"; a bare number would leave its unit open. */
static int
parse_duration(const char *s, int64_t *out_ms)
{

	if (s[0] == '\0' || strchr("0123456789", s[strlen(s) - 1]) != NULL)
		return (-1);
	return (num_parse_duration_ms(s, 1, out_ms));
}

int
check_expiry(const char *s, int64_t now_ms, int64_t *out_ms, struct err *err)
{
	int64_t ms;

	if (strcmp(s, "never") == 0) {
		*out_ms = 0;
		return (0);
	}
	if (parse_duration(s, &ms) == 0)
		ms = num_add_sat(now_ms, ms);
	else if (parse_date(s, &ms)) {
		err_set(err, ERR_INVAL, "\"%.40s\" is neither a date "
		    "(2027-01-31, or RFC 3339), nor a duration from now (90d, "
		    "12h), nor \"never\"", s);
		return (-1);
	}
	if (ms <= now_ms || ms > ZONE_MAX_MS) {
		err_set(err, ERR_INVAL, ms <= now_ms ?
		    "\"%.40s\" is over already" :
		    "\"%.40s\" is after the year 9999: take \"never\"", s);
		return (-1);
	}
	*out_ms = ms;
	return (0);
}

int
check_since(const char *s, int64_t now_ms, int64_t *out_ms, struct err *err)
{
	int64_t ms;

	if (parse_duration(s, &ms) == 0) {
		*out_ms = ms < now_ms ? now_ms - ms : 0;
		return (0);
	}
	if (parse_date(s, out_ms) == 0)
		return (0);
	err_set(err, ERR_INVAL, "\"%.40s\" is neither a date (2026-10-31, or "
	    "RFC 3339) nor a duration before now (2h, 7d)", s);
	return (-1);
}

int
check_money(const char *s, int64_t *nusd, struct err *err)
{

	if (num_parse_decimal(s, strlen(s), 9, nusd)) {
		err_set(err, ERR_INVAL, "\"%.40s\" is not an amount of "
		    "dollars, such as 5 or 0.25", s);
		return (-1);
	}
	if (*nusd > 0 || strpbrk(s, "123456789") == NULL)
		return (0);
	err_set(err, ERR_INVAL, "\"%.40s\" is less than a nano-dollar, the "
	    "least that is counted", s);
	return (-1);
}

int
check_length(const char *s, int64_t *out_ms, struct err *err)
{

	if (parse_duration(s, out_ms) == 0 && *out_ms > 0)
		return (0);
	err_set(err, ERR_INVAL, "\"%.40s\" is not a length of time, such as "
	    "5h or 30d", s);
	return (-1);
}

struct zone *
check_zone(const char *name, struct err *err)
{
	struct err e = { .code = ERR_NONE };
	struct zone *z;

	if ((z = zone_new(name, &e)) != NULL)
		return (z);
	if (e.code == ERR_NOT_FOUND)
		err_set(err, ERR_INVAL, "this machine knows no time zone "
		    "\"%.60s\"", name);
	else
		err_set(err, e.code, "%s", e.text);
	return (NULL);
}

int
check_date(const char *s, int64_t *out_ms, struct err *err)
{

	if (parse_date(s, out_ms) == 0)
		return (0);
	err_set(err, ERR_INVAL, "\"%.40s\" is not a date (2026-10-31, or RFC "
	    "3339)", s);
	return (-1);
}

int
check_secret(const char *s, size_t n, struct err *err)
{
	size_t i;

	if (n == 0) {
		err_set(err, ERR_INVAL, "the secret is empty");
		return (-1);
	}
	for (i = 0; i < n; i++) {
		if (s[i] > 0x20 && s[i] < 0x7f)
			continue;
		err_set(err, ERR_INVAL, "the secret has a blank, a line end or "
		    "another character that no header can carry, at byte %zu",
		    i + 1);
		return (-1);
	}
	return (0);
}
