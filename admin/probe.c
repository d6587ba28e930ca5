#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/seal.h"
#include "http/proxy.h"

#include "account_secrets.h"
#include "accounts.h"
#include "member.h"
#include "probe_model.h"
#include "trial.h"

#include "probe.h"

/* The oldest version that all upstreams speak. */
#define VERSION_HEADER	"anthropic-version: 2023-06-01"

/* Of an answer that somebody looks at. */
#define WATCHED_TOKENS	32

/* What Anthropic wants with its OAuth tokens, as the relay sends it. */
#define OAUTH_TOKEN	"Bearer sk-ant-oat"
#define OAUTH_HEADER	"anthropic-beta: oauth-2025-04-20"

/* How a kind of credential is sent. */
static const struct {
	const char *credential;
	const char *header;
} credentials[] = {
	{ "api_key", "x-api-key: " },
	{ "bearer", "authorization: Bearer " },
	{ "oauth", "authorization: Bearer " },
};

/** What is asked for. */
enum ask_kind { ASK_LIST, ASK_TOKEN, ASK_COUNT, ASK_STREAM };

static const char *const paths[] = {
	[ASK_LIST] = "/v1/models?limit=1",
	[ASK_TOKEN] = "/v1/messages",
	[ASK_COUNT] = "/v1/messages/count_tokens",
	[ASK_STREAM] = "/v1/messages",
};

struct ask {
	enum ask_kind kind;
	const char *model;	/* not of ASK_LIST */
	const struct probe_limits *limits;	/* NULL: those of a call */
	const struct probe_watch *watch;	/* NULL: nobody looks on */
};

struct probe {
	CURL *curl;
	struct curl_slist *headers;
	char *auth;		/* header line with the secret */
	size_t auth_size;
	char *proxy;		/* with its password; NULL: none */
	size_t proxy_len;
	char *body;		/* request body; NULL: GET */
	struct buf answer;
	char error[CURL_ERROR_SIZE];
	const struct ask *ask;
};

static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{
	struct buf *answer = arg;

	/* Only the beginning matters; the rest is read and dropped. */
	(void)size;
	if (buf_len(answer) + n <= answer->max &&
	    buf_append(answer, p, n) == -1)
		return (0);
	return (n);
}

static int
see_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow,
    curl_off_t ultotal, curl_off_t ulnow)
{
	const struct probe_limits *limits = arg;

	(void)dltotal;
	(void)dlnow;
	(void)ultotal;
	(void)ulnow;
	return (limits->stops(limits->arg) ? 1 : 0);
}

/* What the header line is before the secret; NULL without memory. */
static char *
auth_prefix(const json_t *account)
{
	const char *own = text_of(account, "auth_header");
	const char *header = credentials[0].header;
	char *line;
	size_t i;

	for (i = 0; i < sizeof(credentials) / sizeof(credentials[0]); i++) {
		if (strcmp(credentials[i].credential,
		    text_of(account, "credential")) == 0)
			header = credentials[i].header;
	}
	if (own[0] == '\0')
		return (strdup(header));
	if ((line = malloc(strlen(own) + 3)) != NULL)
		(void)sprintf(line, "%s: ", own);
	return (line);
}

/* Make the header line that carries the secret. */
static int
make_auth(struct probe *p, struct store *st, const struct seal *seal,
    const json_t *account, struct err *err)
{
	int64_t id = json_integer_value(json_object_get(account, "id"));
	char *prefix = auth_prefix(account), *secret;
	size_t len;

	if (prefix == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a header");
		return (-1);
	}
	if (account_secret_get(st, seal, ACCOUNT_SECRET, id, &secret, &len,
	    err)) {
		free(prefix);
		return (-1);
	}
	p->auth_size = strlen(prefix) + len + 1;
	if ((p->auth = malloc(p->auth_size)) == NULL)
		err_set(err, ERR_NOMEM, "no memory for a header");
	else
		(void)snprintf(p->auth, p->auth_size, "%s%s", prefix, secret);
	seal_wipe_free(secret, len);
	free(prefix);
	return (p->auth == NULL ? -1 : 0);
}

static int
find_proxy(struct probe *p, struct store *st, const struct seal *seal,
    const json_t *account, struct err *err)
{

	return (account_secret_get(st, seal, ACCOUNT_PROXY,
	    json_integer_value(json_object_get(account, "id")), &p->proxy,
	    &p->proxy_len, err));
}

static int
make_headers(struct probe *p, struct err *err)
{
	const char *lines[] = {
		VERSION_HEADER, p->auth,
		p->body != NULL ? "content-type: application/json" : NULL,
		strstr(p->auth, OAUTH_TOKEN) != NULL ? OAUTH_HEADER : NULL,
		"expect:"
	};
	struct curl_slist *longer;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (lines[i] == NULL)
			continue;
		longer = curl_slist_append(p->headers, lines[i]);
		if (longer == NULL) {
			err_set(err, ERR_NOMEM, "no memory for headers");
			return (-1);
		}
		p->headers = longer;
	}
	return (0);
}

static int
make_body(struct probe *p, struct err *err)
{
	json_t *j;

	if (p->ask->kind == ASK_LIST)
		return (0);
	j = json_pack("{s:s, s:[{s:s, s:s}]}", "model", p->ask->model,
	    "messages", "role", "user", "content", p->ask->kind == ASK_STREAM ?
	    "Say hello in one short sentence." : "Hi");
	if (p->ask->kind != ASK_COUNT)
		(void)json_object_set_new(j, "max_tokens", json_integer(
		    p->ask->kind == ASK_STREAM ? WATCHED_TOKENS : 1));
	if (p->ask->kind == ASK_STREAM)
		(void)json_object_set_new(j, "stream", json_true());
	p->body = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);
	json_decref(j);
	if (p->body != NULL)
		return (0);
	err_set(err, ERR_INVAL, "the model's name is not UTF-8");
	return (-1);
}

static int
set_limits(struct probe *p, const struct conf *conf)
{
	CURL *c = p->curl;
	const struct probe_limits *limits = p->ask->limits;
	const struct probe_watch *watch = p->ask->watch;
	int64_t all_ms = limits != NULL ? limits->timeout_ms :
	    watch != NULL ? watch->timeout_ms : conf->plain_timeout_ms;

	if (curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)conf->connect_timeout_ms) ||
	    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)all_ms))
		return (-1);
	if (limits == NULL)
		return (0);
	return (curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) ||
	    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, see_progress) ||
	    curl_easy_setopt(c, CURLOPT_XFERINFODATA, limits) ? -1 : 0);
}

static int
set_up(struct probe *p, const struct conf *conf, const char *url,
    struct err *err)
{
	CURL *c;

	if ((c = p->curl = curl_easy_init()) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a request");
		return (-1);
	}
	if (curl_easy_setopt(c, CURLOPT_URL, url) ||
	    proxy_set(c, p->proxy, conf->ca_file[0] == '\0' ? NULL :
	    conf->ca_file) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") ||
	    curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1) ||
	    curl_easy_setopt(c, CURLOPT_HTTPHEADER, p->headers) ||
	    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) ||
	    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, p->error) ||
	    set_limits(p, conf) ||
	    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) ||
	    curl_easy_setopt(c, CURLOPT_WRITEDATA, &p->answer) ||
	    (conf->ca_file[0] != '\0' &&
	    curl_easy_setopt(c, CURLOPT_CAINFO, conf->ca_file)) ||
	    (p->body != NULL &&
	    curl_easy_setopt(c, CURLOPT_POSTFIELDS, p->body))) {
		err_set(err, ERR_INTERNAL, "libcurl refused a setting");
		return (-1);
	}
	return (0);
}

/* The words of an error answer, as far as they can be found. */
static void
read_message(const struct buf *answer, struct probe_result *result)
{
	const char *message, *type;
	json_t *j, *error;

	j = json_loadb((const char *)buf_head(answer), buf_len(answer), 0,
	    NULL);
	error = json_object_get(j, "error");
	message = json_string_value(json_object_get(error, "message"));
	type = json_string_value(json_object_get(error, "type"));
	if (message != NULL)
		(void)snprintf(result->message, sizeof(result->message),
		    "%s%s%.200s", type != NULL ? type : "",
		    type != NULL ? ": " : "", message);
	else
		(void)snprintf(result->message, sizeof(result->message),
		    "the answer is no error of the Anthropic API");
	json_decref(j);
}

static void
perform(struct probe *p, struct probe_result *result)
{
	curl_off_t us = 0;
	long status = 0;
	CURLcode rc;

	rc = p->ask->watch == NULL ? curl_easy_perform(p->curl) :
	    trial_perform(p->curl, p->ask->kind == ASK_STREAM, p->ask->watch,
	    &p->answer, result);
	(void)curl_easy_getinfo(p->curl, CURLINFO_TOTAL_TIME_T, &us);
	(void)curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &status);
	result->latency_ms = (int64_t)us / 1000;
	result->status = (int)status;
	if (rc != CURLE_OK)
		(void)snprintf(result->message, sizeof(result->message),
		    "%.200s%s", p->error[0] != '\0' ? p->error :
		    curl_easy_strerror(rc), p->proxy != NULL ?
		    " (through the account's proxy)" : "");
	else if (status < 200 || status > 299)
		read_message(&p->answer, result);
}

static int
probe(struct store *st, const struct seal *seal, const struct conf *conf,
    const json_t *account, const struct ask *ask,
    struct probe_result *result, struct err *err)
{
	struct probe p = { .ask = ask };
	int rc = -1;

	*result = (struct probe_result) { .first_byte_ms = -1 };
	buf_init(&p.answer, LIMIT_ERROR_BODY_BYTES);
	(void)snprintf(result->url, sizeof(result->url), "%.480s%s",
	    text_of(account, "base_url"), paths[ask->kind]);
	if (make_auth(&p, st, seal, account, err) ||
	    find_proxy(&p, st, seal, account, err) ||
	    make_body(&p, err) || make_headers(&p, err) ||
	    set_up(&p, conf, result->url, err))
		goto done;
	perform(&p, result);
	rc = 0;

done:
	if (p.curl != NULL)
		curl_easy_cleanup(p.curl);
	/* libcurl's list has a copy of the secret, in its second line. */
	if (p.headers != NULL && p.headers->next != NULL)
		seal_wipe(p.headers->next->data, strlen(p.headers->next->data));
	curl_slist_free_all(p.headers);
	if (p.auth != NULL)
		seal_wipe_free(p.auth, p.auth_size);
	if (p.proxy != NULL)
		seal_wipe_free(p.proxy, p.proxy_len);
	free(p.body);
	buf_fini(&p.answer);
	return (rc);
}

/* Where there is no list: the count, if a model is known, in the time that is
 * left.  Until then ${result} is that of the list. */
static int
probe_count(struct store *st, const struct seal *seal,
    const struct conf *conf, const json_t *account,
    const struct ask *list, struct probe_result *result, struct err *err)
{
	const struct probe_limits *limits = list->limits;
	struct probe_limits rest = { .timeout_ms = 0 };
	char model[LIMIT_NAME_BYTES];
	struct ask ask = {
		.kind = ASK_COUNT, .model = model, .watch = list->watch
	};
	int rc;

	rc = probe_model(st, json_integer_value(json_object_get(account,
	    "id")), model, err);
	if (rc <= 0)
		return (rc);
	if (limits != NULL) {
		rest = *limits;
		rest.timeout_ms -= result->latency_ms;
		ask.limits = &rest;
		if (rest.timeout_ms <= 0 || limits->stops(limits->arg))
			return (0);
	}
	return (probe(st, seal, conf, account, &ask, result, err));
}

static int
probe_by_name(struct store *st, const struct seal *seal,
    const struct conf *conf, const char *name, const struct ask *ask,
    struct probe_result *result, struct err *err)
{
	json_t *account;
	int rc;

	if ((account = accounts_show(st, name, err)) == NULL)
		return (-1);
	rc = probe(st, seal, conf, account, ask, result, err);
	if (rc == 0 && ask->kind == ASK_LIST &&
	    (result->status == 404 || result->status == 405))
		rc = probe_count(st, seal, conf, account, ask, result, err);
	json_decref(account);
	return (rc);
}

int
probe_account(struct store *st, const struct seal *seal,
    const struct conf *conf, const char *name, const char *model,
    struct probe_result *result, struct err *err)
{
	const struct ask ask = {
		.kind = model == NULL ? ASK_LIST : ASK_TOKEN, .model = model
	};

	return (probe_by_name(st, seal, conf, name, &ask, result, err));
}

int
probe_account_within(struct store *st, const struct seal *seal,
    const struct conf *conf, const char *name,
    const struct probe_limits *limits, struct probe_result *result,
    struct err *err)
{
	const struct ask ask = { .kind = ASK_LIST, .limits = limits };

	return (probe_by_name(st, seal, conf, name, &ask, result, err));
}

int
probe_account_watched(struct store *st, const struct seal *seal,
    const struct conf *conf, const char *name, const char *model,
    const struct probe_watch *w, struct probe_result *result,
    struct err *err)
{
	const struct ask ask = {
		.kind = model == NULL ? ASK_LIST : ASK_STREAM,
		.model = model,
		.watch = w,
	};

	return (probe_by_name(st, seal, conf, name, &ask, result, err));
}
