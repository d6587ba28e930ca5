#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"

#include "import.h"

#include "import_from.h"

/*
 * A file of environment variables, as shells, systemd and containers read
 * them.  The last of several lines for one variable counts.
 */
enum { CLAUDE_API_KEY, ANTHROPIC_API_KEY, CLAUDE_ACCOUNTS, VARS };

static const struct {
	const char *name;
	const char *account;	/* what it makes is called */
} vars[VARS] = {
	[CLAUDE_API_KEY] = { "CLAUDE_API_KEY", "claude" },
	[ANTHROPIC_API_KEY] = { "ANTHROPIC_API_KEY", "anthropic" },
	[CLAUDE_ACCOUNTS] = { "CLAUDE_ACCOUNTS", "claude" },
};

#define BLANKS	" \t\r"

/* Of a value: its text without quotes, in place.  0, or -1: a quote is not
 * closed, or something stands behind it. */
static int
unquote(char *s)
{
	char quote = s[0], *in, *out = s;

	if (quote != '"' && quote != '\'') {
		/* Up to a comment, and without blanks at its end. */
		for (in = s; *in != '\0'; in++) {
			if (*in == '#' && in > s && strchr(BLANKS,
			    in[-1]) != NULL)
				break;
		}
		while (in > s && strchr(BLANKS, in[-1]) != NULL)
			in--;
		*in = '\0';
		return (0);
	}
	for (in = s + 1; *in != '\0' && *in != quote; in++) {
		if (quote == '"' && *in == '\\' && in[1] != '\0' &&
		    strchr("\"\\$`", in[1]) != NULL)
			in++;
		*out++ = *in;
	}
	if (*in != quote)
		return (-1);
	in += 1 + strspn(in + 1, BLANKS);
	*out = '\0';
	return (*in == '\0' || *in == '#' ? 0 : -1);
}

/* Which of them a name is; VARS: none. */
static size_t
var_of(const char *name)
{
	size_t i;

	for (i = 0; i < VARS && strcmp(vars[i].name, name) != 0; i++)
		continue;
	return (i);
}

/* One line, which is changed; what it says of a variable stays in it. */
static int
take_line(char *line, size_t number, json_t *things, const char *values[VARS],
    struct err *err)
{
	char *name = line + strspn(line, BLANKS), *value;
	size_t i, n;

	if (*name == '\0' || *name == '#')
		return (0);
	if (strncmp(name, "export", 6) == 0 && name[6] != '\0' &&
	    strchr(BLANKS, name[6]) != NULL)
		name += 7 + strspn(name + 7, BLANKS);
	n = strcspn(name, "=");
	if (name[n] == '\0' || n == 0 || strspn(name, "ABCDEFGHIJKLMNOPQRST"
	    "UVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != n) {
		err_set(err, ERR_INVAL, "line %zu is no NAME=VALUE", number);
		return (-1);
	}
	name[n] = '\0';
	value = name + n + 1;
	if ((i = var_of(name)) == VARS) {
		if (strncmp(name, "CLAUDE_", 7) == 0 ||
		    strncmp(name, "ANTHROPIC_", 10) == 0)
			import_pass(things, "%.60s: not a variable that is "
			    "read", name);
		return (0);
	}
	if (unquote(value) == 0) {
		values[i] = value;
		return (0);
	}
	err_set(err, ERR_INVAL, "line %zu: the quotes of %s do not end where "
	    "its value does", number, name);
	return (-1);
}

static int
take_lines(char *text, json_t *things, const char *values[VARS],
    struct err *err)
{
	char *line, *next;
	size_t number = 1;

	for (line = text; line != NULL; line = next, number++) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		if (take_line(line, number, things, values, err))
			return (-1);
	}
	return (0);
}

static int
add_key(json_t *things, const struct import_from *from, const char *name,
    const char *key, struct err *err)
{
	json_t *account;

	if ((account = import_account(things, from, name, err)) == NULL ||
	    import_at(account, from, NULL, err))
		return (-1);
	return (import_key(account, key, err));
}

static void
pass_void(json_t *things)
{

	import_pass(things, "%s: there is no account in it",
	    vars[CLAUDE_ACCOUNTS].name);
}

/* An object of the array, or a key alone. */
static int
add_element(json_t *things, const struct import_from *from, const json_t *j,
    size_t number, struct err *err)
{
	char name[32];
	const char *given;
	json_t *account;
	int got;

	(void)snprintf(name, sizeof(name), "%s-%zu",
	    vars[CLAUDE_ACCOUNTS].account, number);
	if (json_is_string(j))
		return (add_key(things, from, name, json_string_value(j),
		    err));
	given = json_string_value(json_object_get(j, "name"));
	if ((account = import_account(things, from, given != NULL ? given :
	    name, err)) == NULL || import_at(account, from,
	    json_string_value(json_object_get(j, "base_url")), err) ||
	    (got = import_credentials(account, from, j, err)) == -1)
		return (-1);
	if (got == 1)
		return (0);
	err_set(err, ERR_INVAL, "element %zu of CLAUDE_ACCOUNTS has neither "
	    "an \"api_key\" nor an \"access_token\"", number);
	return (-1);
}

static int
add_array(json_t *things, const struct import_from *from, const char *text,
    struct err *err)
{
	json_t *list, *j;
	size_t i;
	int rc = 0;

	list = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_array(list)) {
		err_set(err, ERR_INVAL, "CLAUDE_ACCOUNTS begins as a JSON "
		    "array and is none");
		rc = -1;
	}
	json_array_foreach(list, i, j) {
		if (rc == 0)
			rc = add_element(things, from, j, i + 1, err);
	}
	if (rc == 0 && json_array_size(list) == 0)
		pass_void(things);
	import_wipe(list);
	return (rc);
}

/* "NAME:KEY" or "KEY", by comma. */
static int
add_list(json_t *things, const struct import_from *from, char *text,
    struct err *err)
{
	char *item, *next, *key, name[32];
	size_t n = 0;

	for (item = text; item != NULL; item = next) {
		if ((next = strchr(item, ',')) != NULL)
			*next++ = '\0';
		item += strspn(item, BLANKS);
		for (key = item + strlen(item); key > item &&
		    strchr(BLANKS, key[-1]) != NULL; key--)
			key[-1] = '\0';
		if (*item == '\0')
			continue;
		(void)snprintf(name, sizeof(name), "%s-%zu",
		    vars[CLAUDE_ACCOUNTS].account, ++n);
		if ((key = strrchr(item, ':')) != NULL)
			*key++ = '\0';
		/* A name is printed: a key in its place must not be. */
		if (key != NULL && strncmp(item, "sk-", 3) == 0) {
			err_set(err, ERR_INVAL, "element %zu of "
			    "CLAUDE_ACCOUNTS is no NAME:KEY", n);
			return (-1);
		}
		if (add_key(things, from, key != NULL ? item : name,
		    key != NULL ? key : item, err))
			return (-1);
	}
	if (n == 0)
		pass_void(things);
	return (0);
}

static int
add_all(json_t *things, const struct import_from *from,
    const char *const values[VARS], struct err *err)
{
	char *several = (char *)(uintptr_t)values[CLAUDE_ACCOUNTS];
	size_t i;

	for (i = 0; i < VARS; i++) {
		if (values[i] != NULL && values[i][0] == '\0')
			import_pass(things, "%s: it is empty", vars[i].name);
		else if (i != CLAUDE_ACCOUNTS && values[i] != NULL &&
		    add_key(things, from, vars[i].account, values[i], err))
			return (-1);
	}
	if (several == NULL || several[0] == '\0')
		return (0);
	several += strspn(several, BLANKS);
	return (several[0] == '[' ? add_array(things, from, several, err) :
	    add_list(things, from, several, err));
}

int
import_env(const char *text, size_t n, const struct import_from *from,
    json_t **things, struct err *err)
{
	const char *values[VARS] = { NULL };
	char *copy;
	int rc;

	*things = NULL;
	if ((copy = strdup(text)) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an import");
		return (-1);
	}
	if ((*things = import_things(from, err)) == NULL)
		rc = -1;
	else if ((rc = take_lines(copy, *things, values, err)) == 0)
		rc = add_all(*things, from, values, err);
	seal_wipe_free(copy, n);
	if (rc == 0)
		return (0);
	import_wipe(*things);
	*things = NULL;
	return (-1);
}
