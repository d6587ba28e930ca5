#include "config.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/err.h"

#include "doctor_fetch.h"

#define AGENT		"leasehold-doctor/" PACKAGE_VERSION
#define CONNECT_MS	10000L

struct job {
	const struct fetch_params *params;
	struct fetch *f;
	CURL *curl;
	struct curl_slist *headers;
	int64_t began_ms, left_bytes;
	size_t body_len;
};

static int64_t
now_ms(void)
{

	return (clock_mono_ms(clock_system()));
}

/* ---- what comes ---- */

static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{
	struct job *j = arg;
	struct fetch *f = j->f;
	size_t room = FETCH_BODY_BYTES - buf_len(&f->body);

	(void)size;
	if (buf_append(&f->body, p, n < room ? n : room))
		return (0);
	j->body_len += n;
	if (f->narrivals < FETCH_ARRIVALS_MAX) {
		f->arrivals[f->narrivals].end = j->body_len;
		f->arrivals[f->narrivals].ms = now_ms() - j->began_ms;
		f->narrivals++;
	}
	return (n);
}

/* The value of a header line, cut to its field. */
static void
take_value(const char *p, size_t n, char *out, size_t size)
{

	while (n > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		n--;
	}
	while (n > 0 && (p[n - 1] == '\r' || p[n - 1] == '\n'))
		n--;
	if (n >= size)
		n = size - 1;
	memcpy(out, p, n);
	out[n] = '\0';
}

static size_t
take_head(char *p, size_t size, size_t n, void *arg)
{
	struct job *j = arg;
	struct fetch *f = j->f;
	const struct {
		const char *name;
		char *out;
		size_t size;
	} wanted[] = {
		{ "server:", f->server, sizeof(f->server) },
		{ "content-type:", f->type, sizeof(f->type) },
		{ "content-encoding:", f->encoding, sizeof(f->encoding) },
		{ "date:", f->date, sizeof(f->date) },
		{ "location:", f->location, sizeof(f->location) },
	};
	size_t i, len;

	(void)size;
	f->head_wall_ms = clock_wall_ms(clock_system());
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		len = strlen(wanted[i].name);
		if (n > len && strncasecmp(p, wanted[i].name, len) == 0)
			take_value(p + len, n - len, wanted[i].out,
			    wanted[i].size);
	}
	return (n);
}

/* ---- what goes ---- */

static size_t
give_body(char *p, size_t size, size_t n, void *arg)
{
	struct job *j = arg;

	n *= size;
	if ((int64_t)n > j->left_bytes)
		n = (size_t)j->left_bytes;
	memset(p, '0', n);
	j->left_bytes -= (int64_t)n;
	return (n);
}

static int
set_headers(struct job *j)
{
	const char *const *line = j->params->headers;
	struct curl_slist *longer;

	for (; line != NULL && *line != NULL; line++) {
		if ((longer = curl_slist_append(j->headers, *line)) == NULL)
			return (-1);
		j->headers = longer;
	}
	return (0);
}

static int
set_options(struct job *j)
{
	const struct fetch_params *p = j->params;
	CURL *c = j->curl;
	int rc = 0;

	rc |= curl_easy_setopt(c, CURLOPT_URL, p->url);
	rc |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	rc |= curl_easy_setopt(c, CURLOPT_PROXY, "");
	rc |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	rc |= curl_easy_setopt(c, CURLOPT_USERAGENT, AGENT);
	rc |= curl_easy_setopt(c, CURLOPT_HTTPHEADER, j->headers);
	rc |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	rc |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)p->timeout_ms);
	rc |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, j->f->error);
	rc |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	rc |= curl_easy_setopt(c, CURLOPT_WRITEDATA, j);
	rc |= curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_head);
	rc |= curl_easy_setopt(c, CURLOPT_HEADERDATA, j);
	if (p->body_bytes >= 0) {
		rc |= curl_easy_setopt(c, CURLOPT_POST, 1L);
		rc |= curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)p->body_bytes);
		rc |= curl_easy_setopt(c, CURLOPT_READFUNCTION, give_body);
		rc |= curl_easy_setopt(c, CURLOPT_READDATA, j);
	}
	return (rc == 0 ? 0 : -1);
}

static int
version_of(long curl_version)
{

	switch (curl_version) {
	case CURL_HTTP_VERSION_1_0:
		return (10);
	case CURL_HTTP_VERSION_1_1:
		return (11);
	case CURL_HTTP_VERSION_2_0:
		return (20);
	case CURL_HTTP_VERSION_3:
		return (30);
	default:
		return (0);
	}
}

static void
perform(struct job *j)
{
	struct fetch *f = j->f;
	long status = 0, version = 0;
	curl_off_t sent = 0;
	CURLcode rc;

	f->began_wall_ms = clock_wall_ms(clock_system());
	j->began_ms = now_ms();
	rc = curl_easy_perform(j->curl);
	f->total_ms = now_ms() - j->began_ms;
	(void)curl_easy_getinfo(j->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(j->curl, CURLINFO_HTTP_VERSION, &version);
	(void)curl_easy_getinfo(j->curl, CURLINFO_SIZE_UPLOAD_T, &sent);
	f->status = (int)status;
	f->http_version = version_of(version);
	f->sent_bytes = sent;
	f->curl_code = (int)rc;
	if (rc == CURLE_OK)
		f->error[0] = '\0';
	else if (f->error[0] == '\0')
		(void)snprintf(f->error, sizeof(f->error), "%s",
		    curl_easy_strerror(rc));
}

int
fetch_run(const struct fetch_params *params, struct fetch *f,
    struct err *err)
{
	struct job j = { .params = params, .f = f,
	    .left_bytes = params->body_bytes };
	int rc = -1;

	_Static_assert(sizeof(f->error) >= CURL_ERROR_SIZE,
	    "libcurl writes so much");
	memset(f, 0, sizeof(*f));
	buf_init(&f->body, FETCH_BODY_BYTES + 1);
	if ((j.curl = curl_easy_init()) != NULL && set_headers(&j) == 0 &&
	    set_options(&j) == 0) {
		perform(&j);
		rc = 0;
	} else {
		err_set(err, ERR_NOMEM, "no memory for a request");
	}
	curl_easy_cleanup(j.curl);
	curl_slist_free_all(j.headers);
	return (rc);
}

void
fetch_fini(struct fetch *f)
{

	buf_fini(&f->body);
}

/* ---- events ---- */

/* When the byte before ${end} was there. */
static int64_t
arrival_of(const struct fetch *f, size_t end)
{
	size_t i = 0;

	while (i + 1 < f->narrivals && f->arrivals[i].end < end)
		i++;
	return (f->arrivals[i].ms);
}

size_t
fetch_events(const struct fetch *f, int64_t *at_ms, size_t max)
{
	const char *p = (const char *)buf_head(&f->body);
	size_t i, len = buf_len(&f->body), n = 0;

	/* An event ends with an empty line; those of the relay hold no CR. */
	for (i = 1; i < len && n < max; i++) {
		if (p[i] == '\n' && p[i - 1] == '\n')
			at_ms[n++] = arrival_of(f, i + 1);
	}
	return (n);
}
