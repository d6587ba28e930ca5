#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "account_proxy.h"
#include "account_secrets.h"
#include "check.h"

/* A sealed URL has to fit into its column. */
#define PROXY_MAX	255

/* SOCKS5 has a byte for the length of each (RFC 1929). */
#define CREDENTIAL_MAX	255

static const char *const schemes[] = { "http", "https", "socks5", "socks5h" };

static bool
known_scheme(const char *scheme)
{
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strcmp(schemes[i], scheme) == 0)
			return (true);
	}
	return (false);
}

static bool
has_part(CURLU *url, CURLUPart part)
{
	char *text;

	if (curl_url_get(url, part, &text, 0) != CURLUE_OK)
		return (false);
	curl_free(text);
	return (true);
}

static bool
has_path(CURLU *url)
{
	char *path;
	bool longer;

	if (curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK)
		return (false);
	longer = strcmp(path, "/") != 0;
	curl_free(path);
	return (longer);
}

static bool
bad_scheme(CURLU *url)
{
	char *scheme;
	bool bad;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		return (true);
	bad = !known_scheme(scheme);
	curl_free(scheme);
	return (bad);
}

/* What is wrong with it; NULL: nothing. */
static const char *
proxy_fault(CURLU *url)
{

	if (bad_scheme(url))
		return ("it must start with http://, https://, socks5:// or "
		    "socks5h://");
	if (has_part(url, CURLUPART_PASSWORD))
		return ("give its user alone; the password is asked for, or "
		    "read from standard input");
	if (!has_part(url, CURLUPART_PORT))
		return ("it must have a port");
	if (has_path(url) || has_part(url, CURLUPART_QUERY) ||
	    has_part(url, CURLUPART_FRAGMENT))
		return ("it must end with the port");
	return (NULL);
}

/* NULL with ${err}.  A text with a password is not repeated. */
static CURLU *
parse(const char *s, struct err *err)
{
	const char *fault = "it is not a URL";
	const char *at = strrchr(s, '@');
	CURLU *url;

	if ((url = curl_url()) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a URL");
		return (NULL);
	}
	if (strlen(s) <= PROXY_MAX && check_control(s) == 0 &&
	    strchr(s, ' ') == NULL && strstr(s, "://") != NULL &&
	    curl_url_set(url, CURLUPART_URL, s,
	    CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
	    (fault = proxy_fault(url)) == NULL)
		return (url);
	err_set(err, ERR_INVAL, "proxy %s%.100s: %s", at != NULL ? "..." : "",
	    at != NULL ? at : s, fault);
	curl_url_cleanup(url);
	return (NULL);
}

int
account_proxy_check(const char *s, bool *user, struct err *err)
{
	CURLU *url;

	if ((url = parse(s, err)) == NULL)
		return (-1);
	*user = has_part(url, CURLUPART_USER);
	curl_url_cleanup(url);
	return (0);
}

/* 0, or -1.  What ${url} is now, without a slash at its end; the caller gives
 * it to curl_free. */
static int
text_of(CURLU *url, char **text, struct err *err)
{
	size_t n;

	if (curl_url_get(url, CURLUPART_URL, text, 0) != CURLUE_OK) {
		err_set(err, ERR_NOMEM, "no memory for a URL");
		return (-1);
	}
	n = strlen(*text);
	if (n > 0 && (*text)[n - 1] == '/')
		(*text)[n - 1] = '\0';
	return (0);
}

static int
put_sealed(struct store *st, const struct seal *seal, int64_t id, CURLU *url,
    struct err *err)
{
	char *text;
	int rc;

	if (text_of(url, &text, err))
		return (-1);
	rc = account_secret_put(st, seal, ACCOUNT_PROXY, id, text,
	    strlen(text), err);
	seal_wipe(text, strlen(text));
	curl_free(text);
	return (rc);
}

static int
show(struct store *st, int64_t id, const char *shown, struct err *err)
{
	const struct store_value row[2] = {
		store_text(shown), store_int(id)
	};

	return (store_exec(st, STMT_ACCOUNT_SHOW_PROXY, row, 1, 2, NULL, err));
}

static int
put_shown(struct store *st, int64_t id, CURLU *url, struct err *err)
{
	char *text;
	int rc;

	if (curl_url_set(url, CURLUPART_PASSWORD, NULL, 0) != CURLUE_OK ||
	    curl_url_set(url, CURLUPART_USER, NULL, 0) != CURLUE_OK) {
		err_set(err, ERR_INTERNAL, "libcurl refused a URL");
		return (-1);
	}
	if (text_of(url, &text, err))
		return (-1);
	rc = show(st, id, text, err);
	curl_free(text);
	return (rc);
}

static int
set_password(CURLU *url, const char *password, struct err *err)
{

	if (password == NULL)
		return (0);
	if (strlen(password) > CREDENTIAL_MAX) {
		err_set(err, ERR_INVAL, "a proxy's password has at most %d "
		    "bytes", CREDENTIAL_MAX);
		return (-1);
	}
	if (curl_url_set(url, CURLUPART_PASSWORD, password,
	    CURLU_URLENCODE) == CURLUE_OK)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for a URL");
	return (-1);
}

int
account_proxy_put(struct store *st, const struct seal *seal, int64_t id,
    const char *s, const char *password, struct err *err)
{
	CURLU *url;
	int rc = -1;

	if (s[0] == '\0') {
		rc = account_secret_drop(st, ACCOUNT_PROXY, id, err);
		return (rc == 0 ? show(st, id, "", err) : -1);
	}
	if ((url = parse(s, err)) == NULL)
		return (-1);
	if (set_password(url, password, err) == 0 &&
	    put_sealed(st, seal, id, url, err) == 0)
		rc = put_shown(st, id, url, err);
	curl_url_cleanup(url);
	return (rc);
}

int
account_proxy_url(const char *s, const char *password, char **url,
    struct err *err)
{
	CURLU *parsed;
	char *text;

	*url = NULL;
	if ((parsed = parse(s, err)) == NULL)
		return (-1);
	if (set_password(parsed, password, err) == 0 &&
	    text_of(parsed, &text, err) == 0) {
		if ((*url = strdup(text)) == NULL)
			err_set(err, ERR_NOMEM, "no memory for a URL");
		seal_wipe(text, strlen(text));
		curl_free(text);
	}
	curl_url_cleanup(parsed);
	return (*url == NULL ? -1 : 0);
}

int
account_proxy_split(const char *url, char **s, char **password,
    struct err *err)
{
	char *text = NULL, *secret = NULL;
	CURLU *parsed = curl_url();

	*s = *password = NULL;
	if (parsed == NULL || curl_url_set(parsed, CURLUPART_URL, url,
	    CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		goto done;
	if (curl_url_get(parsed, CURLUPART_PASSWORD, &secret,
	    CURLU_URLDECODE) == CURLUE_OK &&
	    (*password = strdup(secret)) == NULL)
		goto done;
	if (curl_url_set(parsed, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
	    text_of(parsed, &text, err) == 0)
		*s = strdup(text);
done:
	if (secret != NULL)
		seal_wipe(secret, strlen(secret));
	curl_free(secret);
	curl_free(text);
	curl_url_cleanup(parsed);
	if (*s != NULL)
		return (0);
	if (*password != NULL)
		seal_wipe_free(*password, strlen(*password));
	*password = NULL;
	err_set(err, ERR_INTERNAL, "cannot read the URL of a proxy");
	return (-1);
}
