/*
 * Files to import, of other programs and exports of our own: any text is
 * refused with a reason, or gives accounts, each with a name of its own, and
 * what was passed over.  No reason and nothing that is passed over tells of a
 * secret.  The first byte says which kind of file it is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "base/err.h"

#include "export.h"
#include "export_seal.h"
#include "import.h"
#include "import_from.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const kinds[] = { "env", "claude-relay-service", "litellm" };

#define NKINDS	(sizeof(kinds) / sizeof(kinds[0]))

/* The variables that a file may refer to. */
static const char *
variable(const char *name)
{

	return (name[0] == 'C' ? "sk-ant-of-the-environment" : NULL);
}

/* ---- what came of it ---- */

static void
check_account(const json_t *accounts, size_t i)
{
	const json_t *row = json_array_get(accounts, i), *other;
	const char *name = json_string_value(json_object_get(row, "name"));
	size_t k;

	/* One that is no good is refused when it is taken over. */
	must(name != NULL, "an account has a name");
	must(json_is_string(json_object_get(row, "platform")),
	    "and a platform");
	for (k = 0; k < i; k++) {
		other = json_array_get(accounts, k);
		must(strcmp(json_string_value(json_object_get(other, "name")),
		    name) != 0, "of its own");
	}
}

/* Is it long enough not to be there by chance, and in the file but once?  A
 * model that is called as a key is may be named. */
static bool
is_secret(const char *secret, const char *file)
{
	const char *at;

	if (secret == NULL || strlen(secret) < 24 ||
	    strchr(file, '\\') != NULL || (at = strstr(file, secret)) == NULL)
		return (false);
	return (strstr(at + 1, secret) == NULL);
}

static void
check_silence(const json_t *accounts, const char *file, const char *text)
{
	const char *secret;
	json_t *row;
	size_t i;

	json_array_foreach(accounts, i, row) {
		secret = json_string_value(json_object_get(row, "secret"));
		must(!is_secret(secret, file) || strstr(text, secret) == NULL,
		    "secrets are not told");
	}
}

static void
check_things(json_t *things, const char *file)
{
	const json_t *accounts = json_object_get(things, "accounts");
	const json_t *passed = json_object_get(things, "passed");
	json_t *text;
	size_t i;

	must(json_is_array(accounts), "there are accounts");
	must(json_is_array(passed), "and what was passed over");
	must(json_array_size(accounts) <= IMPORT_ROWS_MAX, "not too many");
	for (i = 0; i < json_array_size(accounts); i++)
		check_account(accounts, i);
	json_array_foreach(passed, i, text) {
		must(json_is_string(text), "it is a text");
		check_silence(accounts, file, json_string_value(text));
	}
}

/* ---- files ---- */

static void
try_foreign(const char *kind, const char *text, size_t n)
{
	const struct import_from from = { .group = "g", .env = variable };
	json_t *things = NULL;
	struct err err;

	err_clear(&err);
	if (import_parser_of(kind)(text, n, &from, &things, &err) == 0) {
		must(err.code == ERR_NONE, "a file without an error");
		check_things(things, text);
		import_wipe(things);
		return;
	}
	must(err.code != ERR_NONE && err.text[0] != '\0', "a reason");
	must(things == NULL, "and nothing else");
}

/* An export whose seal would cost much is not opened here. */
static bool
is_cheap(const json_t *doc)
{
	const json_t *seal = json_object_get(doc, "seal");

	return (json_integer_value(json_object_get(seal, "opslimit")) <= 1 &&
	    json_integer_value(json_object_get(seal, "memlimit")) <= 8192);
}

static void
try_own(const char *text, size_t n)
{
	struct err err;
	json_t *doc;

	err_clear(&err);
	if ((doc = import_json(text, n, &err)) == NULL) {
		must(err.code != ERR_NONE && err.text[0] != '\0', "a reason");
		return;
	}
	if (export_check(doc, &err) == 0 && is_cheap(doc) &&
	    export_open(doc, "a passphrase", 12, &err) == 0)
		must(err.code == ERR_NONE, "an export without an error");
	else
		must(!is_cheap(doc) || err.code != ERR_NONE, "a reason");
	import_wipe(doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;
	size_t kind;

	if (size == 0 || memchr(data, '\0', size) != NULL ||
	    sodium_init() == -1)
		return (0);
	kind = (size_t)data[0] % (NKINDS + 1);
	must((text = malloc(size)) != NULL, "memory");
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (kind < NKINDS)
		try_foreign(kinds[kind], text, size - 1);
	else
		try_own(text, size - 1);
	free(text);
	return (0);
}
