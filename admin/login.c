#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "http/proxy.h"

#include "check.h"
#include "login.h"
#include "member.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define REQUEST_BYTES	(64 * 1024)
#define EXCHANGE_MS	30000

/* Numbers beyond this are milliseconds (seconds until the year 5138). */
#define SECONDS_MAX	INT64_C(100000000000)

/* ---- the address ---- */

static void
encode(char out[44], const unsigned char p[32])
{

	sodium_bin2base64(out, 44, p, 32,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static void
random_text(char out[44])
{
	unsigned char p[32];

	seal_random(p, sizeof(p));
	encode(out, p);
	seal_wipe(p, sizeof(p));
}

int
login_begin(struct login *l, const json_t *settings, char **url,
    struct err *err)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	const char *base = text_of(settings, "authorize_url");
	char challenge[44];
	struct buf b;
	int rc;

	random_text(l->state);
	random_text(l->verifier);
	crypto_hash_sha256(hash, (const unsigned char *)l->verifier,
	    strlen(l->verifier));
	encode(challenge, hash);
	const struct oauth_param params[] = {
		{ "response_type", "code" },
		{ "client_id", text_of(settings, "client_id") },
		{ "redirect_uri", text_of(settings, "redirect_uri") },
		{ "scope", text_of(settings, "scopes") },
		{ "state", l->state },
		{ "code_challenge", challenge },
		{ "code_challenge_method", "S256" },
	};
	buf_init(&b, REQUEST_BYTES);
	rc = buf_puts(&b, base);
	rc |= buf_puts(&b, strchr(base, '?') != NULL ? "&" : "?");
	rc |= oauth_form(&b, params, NITEMS(params));
	*url = rc == 0 && buf_cstr(&b) != NULL ? strdup(buf_cstr(&b)) : NULL;
	buf_fini(&b);
	if (*url == NULL)
		err_set(err, ERR_NOMEM, "no memory for an address");
	return (*url == NULL ? -1 : 0);
}

/* ---- what comes back ---- */

/* The value of ${name} in a query, malloc'd and decoded; NULL: none. */
static char *
query_value(const char *query, const char *name)
{
	size_t n = strlen(name), len;
	const char *p = query;
	char *plain, *copy;

	for (; *p != '\0'; p += len + (p[len] == '&')) {
		len = strcspn(p, "&#");
		if (strncmp(p, name, n) == 0 && p[n] == '=') {
			/* To libcurl no length is that of the whole. */
			if (len == n + 1)
				return (NULL);
			plain = curl_easy_unescape(NULL, p + n + 1,
			    (int)(len - n - 1), NULL);
			copy = plain == NULL ? NULL : strdup(plain);
			curl_free(plain);
			return (copy);
		}
		if (p[len] == '#')
			break;
	}
	return (NULL);
}

static void
take_parts(const char *pasted, char **code, char **state)
{
	const char *hash = strrchr(pasted, '#'), *query;

	*code = *state = NULL;
	if (strstr(pasted, "code=") != NULL) {
		query = strchr(pasted, '?');
		query = query != NULL ? query + 1 : pasted;
		*code = query_value(query, "code");
		*state = query_value(query, "state");
	} else if (hash != NULL) {
		*code = strndup(pasted, (size_t)(hash - pasted));
		*state = strdup(hash + 1);
	}
}

int
login_code(const struct login *l, const char *pasted, char **code,
    struct err *err)
{
	char *state;
	int rc = -1;

	take_parts(pasted, code, &state);
	if (*code == NULL || (*code)[0] == '\0' || state == NULL)
		err_set(err, ERR_INVAL, "there is no code with its state in "
		    "that: give the whole address that the browser was led "
		    "to, or CODE#STATE");
	else if (strlen(state) != strlen(l->state) ||
	    sodium_memcmp(state, l->state, strlen(state)) != 0)
		err_set(err, ERR_INVAL, "the state is not the one of this "
		    "sign-in: the code is of another one; begin anew");
	else
		rc = 0;
	free(state);
	if (rc == -1) {
		free(*code);
		*code = NULL;
	}
	return (rc);
}

/* ---- the exchange ---- */

static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{

	(void)size;
	return (buf_append(arg, p, n) == 0 ? n : 0);
}

static int
set_up(CURL *c, const struct login_question *q, const struct conf *conf,
    struct curl_slist *headers, const struct buf *question,
    struct buf *answer)
{
	const char *ca = conf->ca_file[0] == '\0' ? NULL : conf->ca_file;

	return (proxy_set(c, q->proxy, ca) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_URL, q->token_url) ||
	    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") ||
	    curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1) ||
	    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) ||
	    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) ||
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)conf->connect_timeout_ms) ||
	    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)q->timeout_ms) ||
	    (ca != NULL && curl_easy_setopt(c, CURLOPT_CAINFO, ca)) ||
	    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE,
	    (long)buf_len(question)) ||
	    curl_easy_setopt(c, CURLOPT_POSTFIELDS, buf_head(question)) ||
	    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) ||
	    curl_easy_setopt(c, CURLOPT_WRITEDATA, answer) ? -1 : 0);
}

/* Before it was sent nothing can have come of it. */
static bool
was_sent(CURLcode rc)
{

	return (rc != CURLE_COULDNT_RESOLVE_HOST &&
	    rc != CURLE_COULDNT_RESOLVE_PROXY &&
	    rc != CURLE_COULDNT_CONNECT && rc != CURLE_PROXY &&
	    rc != CURLE_SSL_CONNECT_ERROR &&
	    rc != CURLE_PEER_FAILED_VERIFICATION);
}

static void
perform(CURL *c, const struct buf *answer, struct login_answer *a)
{
	CURLcode rc = curl_easy_perform(c);
	long status = 0;

	if (rc != CURLE_OK) {
		a->sent = was_sent(rc);
		(void)snprintf(a->why, sizeof(a->why), "cannot ask the token "
		    "endpoint: %s", curl_easy_strerror(rc));
		return;
	}
	a->answered = true;
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	a->verdict = oauth_answer((int)status, buf_head(answer),
	    buf_len(answer), &a->tokens, a->why, sizeof(a->why));
}

void
login_ask(const struct login_question *q, const struct conf *conf,
    struct login_answer *a)
{
	struct curl_slist *headers;
	struct buf question, answer;
	CURL *c = curl_easy_init();

	*a = (struct login_answer) { .why = "no memory for a request" };
	buf_init(&question, REQUEST_BYTES);
	buf_init(&answer, OAUTH_ANSWER_BYTES);
	headers = curl_slist_append(NULL, q->json ?
	    "content-type: application/json" :
	    "content-type: application/x-www-form-urlencoded");
	if (c != NULL && headers != NULL &&
	    (q->json ? oauth_json(&question, q->params, q->nparams) :
	    oauth_form(&question, q->params, q->nparams)) == 0 &&
	    set_up(c, q, conf, headers, &question, &answer) == 0)
		perform(c, &answer, a);
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	buf_wipe(&question);
	buf_wipe(&answer);
}

int
login_exchange(const struct login *l, const json_t *settings,
    const struct conf *conf, const char *proxy, const char *code,
    struct oauth_tokens *tokens, struct err *err)
{
	const struct oauth_param params[] = {
		{ "grant_type", "authorization_code" },
		{ "code", code },
		{ "redirect_uri", text_of(settings, "redirect_uri") },
		{ "client_id", text_of(settings, "client_id") },
		{ "code_verifier", l->verifier },
		{ "state", l->state },
	};
	const struct login_question q = {
		.token_url = text_of(settings, "token_url"),
		.json = strcmp(text_of(settings, "token_format"), "json") ==
		    0,
		.proxy = proxy,
		.params = params,
		.nparams = NITEMS(params),
		.timeout_ms = EXCHANGE_MS,
	};
	struct login_answer a;

	login_ask(&q, conf, &a);
	*tokens = a.tokens;
	if (!a.answered || a.verdict != OAUTH_TOKENS) {
		err_set(err, a.answered ? ERR_PROTO : ERR_IO, "the token "
		    "endpoint gave no tokens: %s", a.why);
		return (-1);
	}
	if (tokens->refresh != NULL)
		return (0);
	oauth_tokens_wipe(tokens);
	err_set(err, ERR_PROTO, "the token endpoint gave no refresh token; "
	    "it may want another scope");
	return (-1);
}

/* ---- a pair that is there ---- */

/* *${out} is 0 if it is not stated; -1: not a time. */
static int
end_of(const json_t *v, int64_t *out, struct err *err)
{
	int64_t at = json_integer_value(v);

	*out = 0;
	if (v == NULL || json_is_null(v))
		return (0);
	if (json_is_string(v)) {
		if (check_date(json_string_value(v), &at, err))
			return (-1);
	} else if (!json_is_integer(v) || at <= 0) {
		err_set(err, ERR_INVAL, "expires_at is no time");
		return (-1);
	} else if (at < SECONDS_MAX) {
		at *= 1000;
	}
	*out = at;
	return (0);
}

int
login_tokens(const json_t *j, struct oauth_tokens *tokens, struct err *err)
{
	const char *access = text_of(j, "access_token");
	const char *refresh = text_of(j, "refresh_token");
	int rc = -1;

	*tokens = (struct oauth_tokens) { .access = NULL };
	if (!oauth_token_fits(access) || !oauth_token_fits(refresh))
		err_set(err, ERR_INVAL, "this is no JSON object with "
		    "access_token and refresh_token");
	else if (end_of(json_object_get(j, "expires_at"), &tokens->expires_ms,
	    err) == 0) {
		tokens->access = strdup(access);
		tokens->refresh = strdup(refresh);
		rc = tokens->access == NULL || tokens->refresh == NULL ? -1 :
		    0;
		if (rc == -1)
			err_set(err, ERR_NOMEM, "no memory for tokens");
	}
	if (rc == -1)
		oauth_tokens_wipe(tokens);
	return (rc);
}

int
login_import(const char *text, size_t n, struct oauth_tokens *tokens,
    struct err *err)
{
	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	int rc;

	rc = login_tokens(j, tokens, err);
	json_decref(j);
	return (rc);
}
