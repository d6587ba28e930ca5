#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/seal.h"

#include "pool/oauth.h"

/* A token that is good for longer is renewed as if it were not. */
#define LIFETIME_MAX_MS	(INT64_C(366) * 86400 * 1000)

/* ---- questions ---- */

static int
put_encoded(struct buf *b, const char *s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._~";
	int rc = 0;

	for (; *s != '\0'; s++) {
		if (strchr(plain, *s) != NULL)
			rc |= buf_append(b, s, 1);
		else
			rc |= buf_printf(b, "%%%02X", (unsigned char)*s);
	}
	return (rc);
}

int
oauth_form(struct buf *b, const struct oauth_param *params, size_t n)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < n; i++) {
		if (i > 0)
			rc |= buf_puts(b, "&");
		rc |= put_encoded(b, params[i].name);
		rc |= buf_puts(b, "=");
		rc |= put_encoded(b, params[i].value);
	}
	return (rc == 0 ? 0 : -1);
}

static int
put_quoted(struct buf *b, const char *s)
{
	int rc = buf_puts(b, "\"");

	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			rc |= buf_puts(b, "\\");
		if ((unsigned char)*s < 0x20)
			rc |= buf_printf(b, "\\u%04x", (unsigned char)*s);
		else
			rc |= buf_append(b, s, 1);
	}
	return (rc | buf_puts(b, "\""));
}

int
oauth_json(struct buf *b, const struct oauth_param *params, size_t n)
{
	size_t i;
	int rc = buf_puts(b, "{");

	for (i = 0; i < n; i++) {
		if (i > 0)
			rc |= buf_puts(b, ",");
		rc |= put_quoted(b, params[i].name);
		rc |= buf_puts(b, ":");
		rc |= put_quoted(b, params[i].value);
	}
	return ((rc | buf_puts(b, "}")) == 0 ? 0 : -1);
}

/* ---- answers ---- */

bool
oauth_token_fits(const char *s)
{
	const unsigned char *p;

	for (p = (const unsigned char *)s; *p != '\0'; p++) {
		if (*p <= 0x20 || *p >= 0x7f)
			return (false);
	}
	return (s[0] != '\0' && strlen(s) <= LIMIT_SECRET_BYTES);
}

void
oauth_tokens_wipe(struct oauth_tokens *t)
{

	if (t->access != NULL)
		seal_wipe_free(t->access, strlen(t->access));
	if (t->refresh != NULL)
		seal_wipe_free(t->refresh, strlen(t->refresh));
	*t = (struct oauth_tokens) { .access = NULL };
}

/* Some give it as a fraction, some as text. */
static int64_t
lifetime_of(const json_t *v)
{
	double s = json_number_value(v);

	if (json_is_string(v))
		s = strtod(json_string_value(v), NULL);
	if (!(s > 0))
		return (0);
	return (s * 1000 > (double)LIFETIME_MAX_MS ? LIFETIME_MAX_MS :
	    (int64_t)(s * 1000));
}

static bool
take_tokens(const json_t *j, struct oauth_tokens *out)
{
	const char *access = json_string_value(json_object_get(j,
	    "access_token"));
	const char *refresh = json_string_value(json_object_get(j,
	    "refresh_token"));

	if (access == NULL || !oauth_token_fits(access) ||
	    (refresh != NULL && !oauth_token_fits(refresh)))
		return (false);
	out->lifetime_ms = lifetime_of(json_object_get(j, "expires_in"));
	out->access = strdup(access);
	if (refresh != NULL)
		out->refresh = strdup(refresh);
	if (out->access != NULL && (refresh == NULL || out->refresh != NULL))
		return (true);
	oauth_tokens_wipe(out);
	return (false);
}

/* "error", as RFC 6749 has it, or as the type of an object. */
static const char *
error_of(const json_t *j)
{
	const json_t *e = json_object_get(j, "error");
	const char *s = json_string_value(e);

	if (s == NULL)
		s = json_string_value(json_object_get(e, "type"));
	return (s != NULL ? s : "");
}

/* What others say goes into logs and rows: short, and plain. */
static void
explain(int status, const char *error, char *why, size_t size)
{
	char word[48];
	size_t i;

	(void)snprintf(word, sizeof(word), "%s", error);
	for (i = 0; word[i] != '\0'; i++) {
		if (strchr("abcdefghijklmnopqrstuvwxyz_-0123456789",
		    word[i]) == NULL)
			word[i] = '?';
	}
	(void)snprintf(why, size, "HTTP %d%s%s", status,
	    word[0] != '\0' ? " " : "", word);
}

/* jansson frees without wiping: the texts are overwritten where they are. */
static void
wipe_json(json_t *j)
{
	static const char *const names[] = { "access_token", "refresh_token",
		"id_token" };
	const json_t *v;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		v = json_object_get(j, names[i]);
		if (json_is_string(v))
			seal_wipe((char *)(uintptr_t)json_string_value(v),
			    json_string_length(v));
	}
	json_decref(j);
}

enum oauth_verdict
oauth_answer(int status, const void *p, size_t n, struct oauth_tokens *out,
    char *why, size_t size)
{
	json_t *j = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
	enum oauth_verdict verdict = OAUTH_FAILED;

	*out = (struct oauth_tokens) { .access = NULL };
	why[0] = '\0';
	explain(status, error_of(j), why, size);
	if (status >= 200 && status <= 299)
		verdict = take_tokens(j, out) ? OAUTH_TOKENS : OAUTH_UNCLEAR;
	else if (strcmp(error_of(j), "invalid_grant") == 0)
		verdict = OAUTH_REFUSED;
	wipe_json(j);
	return (verdict);
}

int64_t
oauth_renew_ms(int64_t now_ms, int64_t lifetime_ms, int64_t ahead_ms)
{

	if (lifetime_ms <= 0)
		return (0);
	if (ahead_ms > lifetime_ms / 4)
		ahead_ms = lifetime_ms / 4;
	return (now_ms + lifetime_ms - ahead_ms);
}
