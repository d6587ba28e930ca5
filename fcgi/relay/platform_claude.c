#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "http/request.h"
#include "http/response.h"
#include "pool/snapshot.h"
#include "relay/platform.h"
#include "relay/platform_claude.h"

#define OAUTH_BETA		"oauth-2025-04-20"
#define OAUTH_TOKEN_PREFIX	"sk-ant-oat"

/*
 * What does not go upstream (WIRE.md section 7, rules 1, 4 and 5): client
 * credentials, what belongs to one hop, what tells where the client is, and
 * what libcurl or this file makes.  A name that ends in '-' is a prefix.
 */
static const char *const kept_back[] = {
	"x-api-key", "authorization", "x-goog-api-key", "api-key", "cookie",
	"host", "connection", "keep-alive", "te", "trailer",
	"transfer-encoding", "upgrade", "proxy-", "expect", "content-length",
	"accept-encoding",
	"forwarded", "via", "x-forwarded-", "x-real-ip", "true-client-ip",
	"cf-", "cdn-loop", "origin", "referer", "x-leasehold-",
	"traceparent", "tracestate",
};

/* What does not go to the client (rules 8 and 9); so too what a web server
 * would obey instead of passing it on. */
static const char *const kept_from_client[] = {
	"set-cookie", "anthropic-organization-id", "openai-organization",
	"anthropic-ratelimit-", "cf-", "server", "via", "alt-svc",
	"strict-transport-security", "date", "status",
	"connection", "keep-alive", "transfer-encoding", "content-length",
	"proxy-", "upgrade", "trailer", "x-accel-", "x-leasehold-",
};

static bool
is_listed(const char *name, const char *const *list, size_t n)
{
	size_t i, len;

	for (i = 0; i < n; i++) {
		if (list[i][0] != name[0])
			continue;
		len = strlen(list[i]);
		if (strncmp(name, list[i], len) == 0 &&
		    (name[len] == '\0' || list[i][len - 1] == '-'))
			return (true);
	}
	return (false);
}

bool
platform_claude_pass_header(const char *name, int status)
{

	(void)status;
	return (!is_listed(name, kept_from_client,
	    sizeof(kept_from_client) / sizeof(kept_from_client[0])) &&
	    !response_header_is_internal(name));
}

/* ---- lists of words, as in connection and anthropic-beta ---- */

/* The next word of a comma list, without blanks; NULL at its end. */
static const char *
next_word(const char **list, size_t *len)
{
	const char *word;

	*list += strspn(*list, ", \t");
	if (**list == '\0')
		return (NULL);
	word = *list;
	*list += strcspn(word, ",");
	*len = (size_t)(*list - word);
	while (*len > 0 && (word[*len - 1] == ' ' || word[*len - 1] == '\t'))
		(*len)--;
	return (word);
}

static bool
has_word(const char *list, const char *wanted)
{
	const char *word;
	size_t len;

	while ((word = next_word(&list, &len)) != NULL) {
		if (len == strlen(wanted) &&
		    strncasecmp(word, wanted, len) == 0)
			return (true);
	}
	return (false);
}

/* ---- text of the request; room for all of it was reserved ---- */

static char *
text_end(struct outgoing *out)
{

	return ((char *)buf_head(&out->text) + buf_len(&out->text));
}

static void
put(struct outgoing *out, const char *p, size_t n)
{

	memcpy(text_end(out), p, n);
	buf_commit(&out->text, n);
}

static void
put_str(struct outgoing *out, const char *s)
{

	put(out, s, strlen(s));
}

static void
put_end(struct outgoing *out)
{

	put(out, "", 1);
}

static void
add(struct outgoing *out, const char *name, const char *value)
{

	out->headers[out->nheaders].name = name;
	out->headers[out->nheaders].value = value;
	out->nheaders++;
}

/* ---- its parts ---- */

/* The query without ?key=, otherwise byte for byte. */
static void
put_query(struct outgoing *out, const char *query)
{
	const char *p, *next;
	char sep = '?';
	size_t len;

	if (query[0] == '\0')
		put(out, "?", 1);
	for (p = query; *p != '\0'; p = next) {
		len = strcspn(p, "&");
		next = p + len + (p[len] == '&');
		if (len == 3 ? memcmp(p, "key", 3) == 0 :
		    strncmp(p, "key=", 4) == 0)
			continue;
		put(out, &sep, 1);
		put(out, p, len);
		sep = '&';
		if (p[len] == '&' && *next == '\0')
			put(out, &sep, 1);
	}
}

static void
put_url(struct outgoing *out, const struct account *account, const char *path,
    const char *query)
{

	out->url = text_end(out);
	put_str(out, account->base_url);
	put_str(out, path);
	if (query != NULL)
		put_query(out, query);
	put_end(out);
}

static const char *
auth_header(const struct account *account)
{

	if (account->credential == CREDENTIAL_BEARER)
		return ("authorization");
	return (account->auth_header[0] == '\0' ? "x-api-key" :
	    account->auth_header);
}

static void
add_credential(struct outgoing *out, const struct account *account)
{
	const char *value = text_end(out);

	if (account->credential == CREDENTIAL_BEARER)
		put_str(out, "Bearer ");
	put_str(out, account->secret);
	put_end(out);
	add(out, auth_header(account), value);
}

static bool
wants_oauth_beta(const struct account *account)
{

	return (account->credential == CREDENTIAL_BEARER &&
	    strncmp(account->secret, OAUTH_TOKEN_PREFIX,
	    strlen(OAUTH_TOKEN_PREFIX)) == 0);
}

/* anthropic-beta without the word for OAuth; left out if nothing remains. */
static void
add_beta_without(struct outgoing *out, const char *name, const char *list)
{
	const char *value = text_end(out), *word;
	size_t len;

	while ((word = next_word(&list, &len)) != NULL) {
		if (len == strlen(OAUTH_BETA) &&
		    strncasecmp(word, OAUTH_BETA, len) == 0)
			continue;
		if (text_end(out) != value)
			put(out, ",", 1);
		put(out, word, len);
	}
	if (text_end(out) == value)
		return;
	put_end(out);
	add(out, name, value);
}

static void
add_beta_with(struct outgoing *out, const char *name, const char *list)
{
	const char *value = text_end(out);

	put_str(out, list);
	if (list[0] != '\0')
		put(out, ",", 1);
	put_str(out, OAUTH_BETA);
	put_end(out);
	add(out, name, value);
}

static void
add_beta(struct outgoing *out, const struct account *account, const char *name,
    const char *list)
{
	bool named = has_word(list, OAUTH_BETA);

	if (account->credential == CREDENTIAL_API_KEY && named)
		add_beta_without(out, name, list);
	else if (wants_oauth_beta(account) && !named)
		add_beta_with(out, name, list);
	else
		add(out, name, list);
}

/* Where the request stands in a trace of other programs. */
static void
add_trace(struct outgoing *out)
{

	if (out->trace == NULL || out->trace->trace_id[0] == '\0')
		return;
	traceparent_step(out->trace, out->traceparent);
	add(out, "traceparent", out->traceparent);
	if (out->trace->state[0] != '\0')
		add(out, "tracestate", out->trace->state);
}

static void
add_headers(struct outgoing *out, const struct http_request *r,
    const struct account *account)
{
	const char *hop = http_request_header(r, "connection");
	const char *name;
	bool beta = false;
	size_t i;

	for (i = 0; i < r->nheaders; i++) {
		name = r->headers[i].name;
		if (is_listed(name, kept_back,
		    sizeof(kept_back) / sizeof(kept_back[0])) ||
		    strcmp(name, account->auth_header) == 0 ||
		    (hop != NULL && has_word(hop, name)))
			continue;
		if (strcmp(name, "anthropic-beta") == 0) {
			add_beta(out, account, name, r->headers[i].value);
			beta = true;
		} else {
			add(out, name, r->headers[i].value);
		}
	}
	if (!beta && wants_oauth_beta(account))
		add(out, "anthropic-beta", OAUTH_BETA);
	add(out, "accept-encoding", "identity");
	add_trace(out);
	add_credential(out, account);
}

/* More than all the parts need, so that nothing moves while they are built
 * and no copy of the credential is left behind. */
static int
reserve(struct outgoing *out, const struct http_request *r, const char *path,
    const struct account *account)
{
	const char *beta = http_request_header(r, "anthropic-beta");
	size_t n = 128;

	n += strlen(account->base_url) + strlen(path);
	n += strlen(account->secret);
	n += r->query == NULL ? 0 : strlen(r->query);
	n += beta == NULL ? 0 : strlen(beta);
	out->cap = r->nheaders + 5;
	out->headers = calloc(out->cap, sizeof(*out->headers));
	return (out->headers == NULL ||
	    buf_reserve(&out->text, n) == NULL ? -1 : 0);
}

int
platform_claude_request(const struct http_request *r, const char *path,
    const struct account *account, struct outgoing *out, struct err *err)
{

	if (account->secret == NULL) {
		err_set(err, ERR_CRYPTO, "the credential of account %s could "
		    "not be unsealed", account->name);
		return (-1);
	}
	if (reserve(out, r, path, account)) {
		err_set(err, ERR_NOMEM, "no memory for an upstream request");
		return (-1);
	}
	put_url(out, account, path, r->query);
	add_headers(out, r, account);
	return (0);
}
