#include "config.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "http/proxy.h"

#include "notify.h"
#include "notify_send.h"

#define HTTP_GONE		410

/* ---- the body ---- */

static json_t *
show_event(const struct notify_letter *l, const json_t *event)
{
	const char *name = json_string_value(json_object_get(event, "kind"));
	enum notify_kind kind = notify_kind_of(name);
	json_t *data = json_copy(json_object_get(event, "data"));
	char at[CLOCK_RFC3339_SIZE];
	char *title, *text;
	json_t *j;

	clock_rfc3339(json_integer_value(json_object_get(event, "at_ms")), at);
	title = notify_subject(kind, l->lang, data);
	text = notify_text(kind, l->lang, data, l->zone);
	j = json_pack("{s:s, s:s, s:o}", "type", name, "timestamp", at, "data",
	    data);
	if (j != NULL && (title == NULL || text == NULL ||
	    json_object_set_new(data, "title", json_string(title)) ||
	    json_object_set_new(data, "text", json_string(text)))) {
		json_decref(j);
		j = NULL;
	}
	free(title);
	free(text);
	return (j);
}

/* Several: as new as the last of them. */
static json_t *
show_digest(const struct notify_letter *l)
{
	json_t *events = json_array(), *event, *last = NULL;
	char *title = notify_digest(l->lang, json_array_size(l->events));
	size_t i;
	json_t *j = NULL;

	json_array_foreach(l->events, i, event) {
		if ((last = show_event(l, event)) == NULL ||
		    json_array_append_new(events, last))
			goto done;
	}
	j = json_pack("{s:s, s:O, s:{s:s?, s:O}}", "type", "digest",
	    "timestamp", json_object_get(last, "timestamp"), "data", "title",
	    title, "events", events);
done:
	json_decref(events);
	free(title);
	return (j);
}

/* {"type", "timestamp", "data"}, malloc'd; the same at each try. */
static char *
body_of(const struct notify_letter *l)
{
	json_t *j = json_array_size(l->events) > 1 ? show_digest(l) :
	    show_event(l, json_array_get(l->events, 0));
	char *body = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);

	json_decref(j);
	return (body);
}

/* ---- the request ---- */

struct hook {
	CURL *curl;
	struct curl_slist *headers;
	const struct notify_letter *letter;
	size_t got;
	char error[CURL_ERROR_SIZE];
};

/* Its status is all that matters. */
static size_t
drop_body(char *p, size_t size, size_t n, void *arg)
{
	struct hook *h = arg;

	(void)p;
	(void)size;
	h->got += n;
	return (h->got > NOTIFY_ANSWER_BYTES ? 0 : n);
}

static int
see_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow,
    curl_off_t ultotal, curl_off_t ulnow)
{
	const struct notify_letter *l = ((const struct hook *)arg)->letter;

	(void)dltotal;
	(void)dlnow;
	(void)ultotal;
	(void)ulnow;
	return (l->stops != NULL && l->stops(l->arg) ? 1 : 0);
}

static int
add_header(struct hook *h, const char *name, const char *value)
{
	struct curl_slist *longer;
	char line[256];

	(void)snprintf(line, sizeof(line), "%s: %s", name, value);
	if ((longer = curl_slist_append(h->headers, line)) == NULL)
		return (-1);
	h->headers = longer;
	return (0);
}

/* By the secret, and by the old one where there is one. */
static int
sign(const struct notify_secrets *secrets, const char *id, int64_t at,
    const char *body, char out[2 * NOTIFY_SIGNATURE_SIZE])
{
	size_t n;

	if (notify_sign(secrets->now, id, at, body, strlen(body), out))
		return (-1);
	if (secrets->old[0] == '\0')
		return (0);
	n = strlen(out);
	out[n++] = ' ';
	return (notify_sign(secrets->old, id, at, body, strlen(body),
	    out + n));
}

static int
make_headers(struct hook *h, const struct notify_secrets *secrets,
    const char *body, struct err *err)
{
	char seconds[24], signature[2 * NOTIFY_SIGNATURE_SIZE];
	const int64_t at = h->letter->now_ms / 1000;

	if (sign(secrets, h->letter->id, at, body, signature)) {
		err_set(err, ERR_CRYPTO, "the target has no secret that could "
		    "sign");
		return (-1);
	}
	(void)snprintf(seconds, sizeof(seconds), "%lld", (long long)at);
	if (add_header(h, "content-type", "application/json") ||
	    add_header(h, "user-agent", "leasehold/" PACKAGE_VERSION) ||
	    add_header(h, "webhook-id", h->letter->id) ||
	    add_header(h, "webhook-timestamp", seconds) ||
	    add_header(h, "webhook-signature", signature) ||
	    add_header(h, "expect", "")) {
		err_set(err, ERR_NOMEM, "no memory for headers");
		return (-1);
	}
	return (0);
}

/* Redirects are not followed, and certificates are looked at, as libcurl does
 * unless it is told. */
static int
set_up(struct hook *h, const struct conf *conf, const char *url,
    const char *body, struct err *err)
{
	CURL *c = h->curl;
	const char *ca = conf->ca_file[0] == '\0' ? NULL : conf->ca_file;
	const long limit_ms = h->letter->limit_ms > 0 ?
	    (long)h->letter->limit_ms : NOTIFY_HOOK_MS;

	if (curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") ==
	    CURLE_OK && proxy_set(c, NULL, ca) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)NOTIFY_CONNECT_MS) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, limit_ms) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_HTTPHEADER, h->headers) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->error) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop_body) ==
	    CURLE_OK && curl_easy_setopt(c, CURLOPT_WRITEDATA, h) ==
	    CURLE_OK && curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) ==
	    CURLE_OK && curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION,
	    see_progress) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_XFERINFODATA, h) == CURLE_OK &&
	    (ca == NULL || curl_easy_setopt(c, CURLOPT_CAINFO, ca) ==
	    CURLE_OK))
		return (0);
	err_set(err, ERR_INTERNAL, "libcurl refused a setting");
	return (-1);
}

/* A long answer was one. */
static void
perform(struct hook *h, struct notify_answer *a)
{
	CURLcode rc = curl_easy_perform(h->curl);
	long status = 0;

	(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	if (rc == CURLE_OK || (rc == CURLE_WRITE_ERROR &&
	    h->got > NOTIFY_ANSWER_BYTES))
		a->status = (int)status;
	a->taken = a->status >= 200 && a->status <= 299;
	a->gone = a->status == HTTP_GONE;
	if (a->status != 0 && !a->taken)
		(void)snprintf(a->detail, sizeof(a->detail), "HTTP %d%s",
		    a->status, a->status >= 300 && a->status <= 399 ?
		    ", a redirect, which is not followed" : "");
	else if (a->status == 0)
		(void)snprintf(a->detail, sizeof(a->detail), "%.200s",
		    h->error[0] != '\0' ? h->error : curl_easy_strerror(rc));
}

int
notify_hook_send(const struct conf *conf, const char *url,
    const struct notify_secrets *secrets, const struct notify_letter *letter,
    struct notify_answer *answer, struct err *err)
{
	struct hook h = { .letter = letter };
	char *body = body_of(letter);
	int rc = -1;

	*answer = (struct notify_answer) { .status = 0 };
	if (body == NULL || (h.curl = curl_easy_init()) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a request");
	} else if (make_headers(&h, secrets, body, err) == 0 &&
	    set_up(&h, conf, url, body, err) == 0) {
		perform(&h, answer);
		rc = 0;
	}
	if (h.curl != NULL)
		curl_easy_cleanup(h.curl);
	curl_slist_free_all(h.headers);
	free(body);
	return (rc);
}
