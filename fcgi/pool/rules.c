#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/net.h"

#include "pool/rules.h"

#define PATTERN		"ua:"
#define PATTERN_LEN	3

/*
 * As the clients were seen to call themselves in November 2026; the Python and
 * Go libraries, as their sources make the name.  Those of one kind in a row.
 */
static const struct {
	const char *name;
	const char *begins;	/* User-Agent */
} kinds[] = {
	{ "claude-code", "claude-cli/" },
	{ "claude-code", "claude-code/" },
	{ "anthropic-sdk-typescript", "Anthropic/JS " },
	{ "anthropic-sdk-python", "Anthropic/Python " },
	{ "anthropic-sdk-python", "AsyncAnthropic/Python " },
	{ "anthropic-sdk-go", "Anthropic/Go " },
	{ "openai-sdk-typescript", "OpenAI/JS " },
	{ "openai-sdk-python", "OpenAI/Python " },
	{ "openai-sdk-python", "AsyncOpenAI/Python " },
	{ "codex", "codex_" },
	{ "gemini-cli", "GeminiCLI/" },
	{ "google-genai", "google-genai-sdk/" },
	{ "curl", "curl/" },
};

#define NKINDS	(sizeof(kinds) / sizeof(kinds[0]))

const char *
rules_kind(const char *agent)
{
	size_t i;

	for (i = 0; i < NKINDS; i++) {
		if (strncasecmp(agent, kinds[i].begins,
		    strlen(kinds[i].begins)) == 0)
			return (kinds[i].name);
	}
	return ("unknown");
}

/* '*' stands for any run of characters; ${n} bytes of pattern. */
static bool
pattern_fits(const char *p, size_t n, const char *s)
{
	const char *end = p + n, *star = NULL, *from = NULL;

	while (*s != '\0') {
		if (p < end && *p == '*') {
			star = ++p;
			from = s;
		} else if (p < end && strncasecmp(p, s, 1) == 0) {
			p++;
			s++;
		} else if (star != NULL) {
			p = star;
			s = ++from;
		} else {
			return (false);
		}
	}
	while (p < end && *p == '*')
		p++;
	return (p == end);
}

static bool
entry_fits(const char *s, size_t n, const char *agent, const char *kind)
{

	if (n > PATTERN_LEN && memcmp(s, PATTERN, PATTERN_LEN) == 0)
		return (pattern_fits(s + PATTERN_LEN, n - PATTERN_LEN,
		    agent));
	return (n == strlen(kind) && memcmp(s, kind, n) == 0);
}

bool
rules_client(const char *clients, const char *agent)
{
	const char *p = clients, *s, *kind;
	size_t n;

	if (clients == NULL || *clients == '\0')
		return (true);
	kind = rules_kind(agent);
	while ((s = net_word(&p, &n)) != NULL) {
		if (entry_fits(s, n, agent, kind))
			return (true);
	}
	return (false);
}

enum admit_verdict
rules_verdict(const char *clients, const char *nets,
    const struct caller *caller)
{

	if (nets != NULL && *nets != '\0' &&
	    !net_list_has(nets, &caller->addr))
		return (ADMIT_ADDRESS);
	if (!rules_client(clients, caller->agent))
		return (ADMIT_CLIENT);
	return (ADMIT_LEASED);
}

void
rules_explain(enum admit_verdict verdict, const char *clients,
    const struct caller *caller, char *out, size_t size)
{
	char addr[NET_ADDR_SIZE];

	net_addr_format(&caller->addr, addr);
	if (verdict == ADMIT_CLIENT)
		(void)snprintf(out, size, "the key is for these clients: "
		    "%.120s; yours is of kind %s, as it says it is \"%.90s\"",
		    clients, rules_kind(caller->agent), caller->agent);
	else if (addr[0] != '\0')
		(void)snprintf(out, size, "the key may not be used from "
		    "address %s", addr);
	else
		(void)snprintf(out, size, "the key may be used from some "
		    "addresses alone, and yours cannot be told");
}

static bool
is_kind(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < NKINDS; i++) {
		if (n == strlen(kinds[i].name) &&
		    memcmp(s, kinds[i].name, n) == 0)
			return (true);
	}
	return (false);
}

/* All kinds, once each. */
static void
list_kinds(char *out, size_t size)
{
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < NKINDS && n < size; i++) {
		if (i > 0 && strcmp(kinds[i].name, kinds[i - 1].name) == 0)
			continue;
		n += (size_t)snprintf(out + n, size - n, "%s%s",
		    i == 0 ? "" : " ", kinds[i].name);
	}
}

int
rules_check(const char *clients, struct err *err)
{
	const char *p = clients, *s;
	char all[160];
	size_t n;

	if (*clients == '\0')
		return (0);
	while ((s = net_word(&p, &n)) != NULL) {
		if (is_kind(s, n) || (n > PATTERN_LEN && n <
		    CALLER_AGENT_SIZE && memcmp(s, PATTERN, PATTERN_LEN) == 0))
			continue;
		list_kinds(all, sizeof(all));
		err_set(err, ERR_INVAL, "\"%.*s\" is no client: take "
		    "ua:PATTERN or %s", n > 30 ? 30 : (int)n, s, all);
		return (-1);
	}
	return (0);
}
