#include <stdio.h>
#include <string.h>

#include "base/seal.h"
#include "http/request.h"
#include "http/traceparent.h"

/* Where the fields of version 00 begin, and its length. */
#define AT_TRACE	3
#define AT_PARENT	36
#define AT_FLAGS	53
#define LENGTH		55

/* Flags that have a meaning; the others are sent as 0. */
#define SAMPLED		1
#define RANDOM		2

/* Section 3.3.1 of the standard. */
#define MEMBERS_MAX	32
#define KEY_MAX		256
#define VALUE_MAX	256
#define TENANT_MAX	241	/* of a key TENANT@SYSTEM */
#define SYSTEM_MAX	14

#define LOWER	"abcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

/* ---- traceparent ---- */

/* ${n} digits of hex, in small letters. */
static bool
is_hex(const char *p, size_t n)
{

	return (strspn(p, DIGITS "abcdef") >= n);
}

static bool
is_zero(const char *p, size_t n)
{

	return (strspn(p, "0") >= n);
}

static unsigned int
hex_byte(const char *p)
{
	static const char digits[] = DIGITS "abcdef";

	return ((unsigned int)((strchr(digits, p[0]) - digits) * 16 +
	    (strchr(digits, p[1]) - digits)));
}

/* Only 00 ends here; what a later version adds stands behind a '-'. */
static bool
is_well_formed(const char *p, size_t len)
{

	if (len < LENGTH || !is_hex(p, 2) || memcmp(p, "ff", 2) == 0)
		return (false);
	if (len > LENGTH && (memcmp(p, "00", 2) == 0 || p[LENGTH] != '-'))
		return (false);
	return (p[AT_TRACE - 1] == '-' && p[AT_PARENT - 1] == '-' &&
	    p[AT_FLAGS - 1] == '-' &&
	    is_hex(p + AT_TRACE, TRACE_ID_SIZE - 1) &&
	    is_hex(p + AT_PARENT, TRACE_PARENT_SIZE - 1) &&
	    is_hex(p + AT_FLAGS, 2) &&
	    !is_zero(p + AT_TRACE, TRACE_ID_SIZE - 1) &&
	    !is_zero(p + AT_PARENT, TRACE_PARENT_SIZE - 1));
}

/* Blanks round a header's value belong to nobody. */
static size_t
trimmed(const char **p)
{
	size_t len;

	*p += strspn(*p, " \t");
	len = strlen(*p);
	while (len > 0 && ((*p)[len - 1] == ' ' || (*p)[len - 1] == '\t'))
		len--;
	return (len);
}

int
traceparent_parse(const char *text, struct traceparent *tp)
{
	size_t len = trimmed(&text);

	memset(tp, 0, sizeof(*tp));
	tp->state = "";
	if (!is_well_formed(text, len))
		return (-1);
	memcpy(tp->trace_id, text + AT_TRACE, TRACE_ID_SIZE - 1);
	memcpy(tp->parent_id, text + AT_PARENT, TRACE_PARENT_SIZE - 1);
	tp->flags = hex_byte(text + AT_FLAGS) & (SAMPLED | RANDOM);
	return (0);
}

/* ---- tracestate ---- */

/* A key, or a part of one round its '@': how long it is; 0: it is none. */
static size_t
key_part(const char *p, bool digit_first, size_t max)
{
	size_t n;

	if (strchr(LOWER, *p) == NULL &&
	    (!digit_first || strchr(DIGITS, *p) == NULL))
		return (0);
	n = strspn(p, LOWER DIGITS "_-*/");
	return (n <= max ? n : 0);
}

/* Length of the key at ${p}; 0: there is none. */
static size_t
key_length(const char *p)
{
	size_t n = strspn(p, LOWER DIGITS "_-*/"), system;

	if (*p == '\0')
		return (0);
	if (p[n] != '@')
		return (key_part(p, false, KEY_MAX));
	system = p[n + 1] == '\0' ? 0 :
	    key_part(p + n + 1, false, SYSTEM_MAX);
	return (system == 0 || key_part(p, true, TENANT_MAX) == 0 ? 0 :
	    n + 1 + system);
}

/* Of a value: printable characters, but for ',' and '='. */
static bool
is_value(const char *p, size_t n)
{
	size_t i;

	if (n == 0 || n > VALUE_MAX || p[n - 1] == ' ')
		return (false);
	for (i = 0; i < n; i++) {
		if (p[i] < ' ' || p[i] > '~' || p[i] == '=')
			return (false);
	}
	return (true);
}

struct key {
	const char *p;
	size_t n;
};

static bool
is_among(const struct key *keys, size_t n, const struct key *key)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (keys[i].n == key->n &&
		    memcmp(keys[i].p, key->p, key->n) == 0)
			return (true);
	}
	return (false);
}

bool
tracestate_good(const char *text)
{
	struct key keys[MEMBERS_MAX];
	const char *end;
	size_t n = 0, len;

	for (; *text != '\0'; text = *end == ',' ? end + 1 : end) {
		text += strspn(text, " \t");
		end = text + strcspn(text, ",");
		for (len = (size_t)(end - text); len > 0 &&
		    (text[len - 1] == ' ' || text[len - 1] == '\t'); len--)
			continue;
		if (len == 0)
			continue;
		if (n == MEMBERS_MAX)
			return (false);
		keys[n].p = text;
		keys[n].n = key_length(text);
		if (keys[n].n == 0 || text[keys[n].n] != '=' ||
		    !is_value(text + keys[n].n + 1, len - keys[n].n - 1) ||
		    is_among(keys, n, &keys[n]))
			return (false);
		n++;
	}
	return (true);
}

/* ---- of a request ---- */

void
traceparent_of(const struct http_request *r, struct traceparent *tp)
{
	const char *text = http_request_header(r, "traceparent");
	const char *state = http_request_header(r, "tracestate");

	if (traceparent_parse(text == NULL ? "" : text, tp) == 0 &&
	    state != NULL && tracestate_good(state))
		tp->state = state;
}

/* ${n} random bytes, not all 0, in hex. */
static void
random_hex(char *out, size_t n)
{
	unsigned char bytes[16];
	size_t i;

	do {
		seal_random(bytes, n);
		for (i = 0; i < n; i++)
			(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
	} while (is_zero(out, 2 * n));
}

void
traceparent_begin(struct traceparent *tp)
{

	memset(tp, 0, sizeof(*tp));
	tp->state = "";
	tp->flags = RANDOM;
	random_hex(tp->trace_id, (TRACE_ID_SIZE - 1) / 2);
}

void
traceparent_step(struct traceparent *tp, char out[TRACEPARENT_SIZE])
{

	random_hex(tp->parent_id, (TRACE_PARENT_SIZE - 1) / 2);
	(void)snprintf(out, TRACEPARENT_SIZE, "00-%s-%s-%02x", tp->trace_id,
	    tp->parent_id, tp->flags);
}
