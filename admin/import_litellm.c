#include <stdbool.h>
#include <string.h>

#include "base/err.h"

#include "import.h"

#include "import_from.h"

/*
 * The model_list of a LiteLLM config.yaml, as JSON: [{"model_name",
 * "litellm_params": {"model", "api_key", "api_base"}}] (docs.litellm.ai,
 * "Proxy config"), where "litellm_credential_name" may name one of its
 * credential_list, [{"credential_name", "credential_values"}], whose values
 * are those that the entry leaves out.  Models with one key at one base are
 * one account.
 */
#define PROVIDER	"anthropic/"
#define FROM_ENV	"os.environ/"
#define USUAL_KEY	FROM_ENV "ANTHROPIC_API_KEY"

static const char *
text_of(const json_t *row, const char *key)
{

	return (json_string_value(json_object_get(row, key)));
}

/* The name of the model at Anthropic; NULL: it is another's. */
static const char *
model_of(const char *model)
{

	if (strncmp(model, PROVIDER, strlen(PROVIDER)) == 0)
		return (model + strlen(PROVIDER));
	return (strncmp(model, "claude-", 7) == 0 ? model : NULL);
}

/* What stands there, or in the environment variable that it names. */
static int
resolve(const struct import_from *from, const char *what, const char *text,
    const char **out, struct err *err)
{
	const char *name;

	*out = text;
	if (text == NULL || strncmp(text, FROM_ENV, strlen(FROM_ENV)) != 0)
		return (0);
	name = text + strlen(FROM_ENV);
	*out = from->env == NULL ? NULL : from->env(name);
	if (*out != NULL && (*out)[0] != '\0')
		return (0);
	err_set(err, ERR_INVAL, "its %s is in the environment variable "
	    "%.60s, which is not set", what, name);
	return (-1);
}

/* The account of that key and base, made if there is none yet. */
static json_t *
account_of(json_t *things, const struct import_from *from, json_t *places,
    const char *key, const char *base, struct err *err)
{
	json_t *account, *name, *place;

	place = json_sprintf("%s\n%s", key, base != NULL ? base : "");
	if (place == NULL) {
		err_set(err, ERR_INVAL, "its api_key or api_base is no text");
		return (NULL);
	}
	account = json_object_get(places, json_string_value(place));
	if (account != NULL) {
		import_wipe(place);
		return (account);
	}
	name = json_sprintf("litellm-%zu", json_object_size(places) + 1);
	account = import_account(things, from, json_string_value(name), err);
	json_decref(name);
	if (account != NULL && (import_at(account, from, base, err) ||
	    import_key(account, key, err)))
		account = NULL;
	if (account != NULL && json_object_set(places,
	    json_string_value(place), account) != 0) {
		err_set(err, ERR_NOMEM, "no memory for an import");
		account = NULL;
	}
	import_wipe(place);
	return (account);
}

/* What it is asked for as; ${seen} has the names that the account has. */
static int
put_alias(json_t *things, const json_t *account, json_t *seen,
    const char *asked, const char *model, struct err *err)
{
	json_t *place;
	int rc = 0;

	if (asked == NULL || strcmp(asked, model) == 0)
		return (0);
	if (strchr(model, '*') != NULL || strchr(asked, '*') != NULL) {
		if (model_of(asked) == NULL ||
		    strcmp(model_of(asked), model) != 0)
			import_pass(things, "model_name \"%.60s\": it is a "
			    "pattern; ask for models by their own names",
			    asked);
		return (0);
	}
	place = json_sprintf("%s\n%s", text_of(account, "name"), asked);
	if (place == NULL) {
		err_set(err, ERR_NOMEM, "no memory for an import");
		return (-1);
	}
	if (json_object_get(seen, json_string_value(place)) != NULL)
		import_pass(things, "model_name \"%.60s\": the account has a "
		    "model of that name", asked);
	else if ((rc = import_put(seen, json_string_value(place),
	    json_true(), err)) == 0)
		rc = import_alias(things, account, asked, model, err);
	json_decref(place);
	return (rc);
}

struct places {
	json_t *accounts;	/* by key and base */
	json_t *seen;		/* names of models, by account */
	const json_t *credentials;	/* that entries may name */
};

/* *${values} is NULL if the entry names none. */
static int
find_credential(const json_t *list, const char *name, const json_t **values,
    struct err *err)
{
	json_t *row;
	size_t i;

	*values = NULL;
	if (name == NULL)
		return (0);
	json_array_foreach(list, i, row) {
		if (json_string_value(json_object_get(row,
		    "credential_name")) == NULL || strcmp(text_of(row,
		    "credential_name"), name) != 0)
			continue;
		*values = json_object_get(row, "credential_values");
		return (0);
	}
	err_set(err, ERR_INVAL, "its litellm_credential_name \"%.60s\" is not "
	    "in credential_list", name);
	return (-1);
}

/* The key and base of an entry, out of the environment where it says so. */
static int
find_key(const struct import_from *from, const struct places *places,
    const json_t *params, const char **key, const char **base,
    struct err *err)
{
	const json_t *values;

	if (find_credential(places->credentials, text_of(params,
	    "litellm_credential_name"), &values, err))
		return (-1);
	if ((*key = text_of(params, "api_key")) == NULL &&
	    (*key = text_of(values, "api_key")) == NULL)
		*key = USUAL_KEY;
	if ((*base = text_of(params, "api_base")) == NULL)
		*base = text_of(values, "api_base");
	return (resolve(from, "api_key", *key, key, err) ||
	    resolve(from, "api_base", *base, base, err) ? -1 : 0);
}

static bool
is_anothers(const json_t *params)
{
	const char *provider = text_of(params, "custom_llm_provider");

	return (provider != NULL && strcmp(provider, "anthropic") != 0);
}

static int
take_model(json_t *things, const struct import_from *from,
    const struct places *places, const json_t *row, struct err *err)
{
	const json_t *params = json_object_get(row, "litellm_params");
	const char *asked = text_of(row, "model_name");
	const char *whole = text_of(params, "model"), *model, *key, *base;
	json_t *account;

	if (whole == NULL) {
		err_set(err, ERR_INVAL, "it has no litellm_params.model");
		return (-1);
	}
	if ((model = model_of(whole)) == NULL || is_anothers(params)) {
		import_pass(things, "model \"%.60s\": it is not Anthropic's",
		    whole);
		return (0);
	}
	if (find_key(from, places, params, &key, &base, err) ||
	    (account = account_of(things, from, places->accounts, key,
	    base, err)) == NULL)
		return (-1);
	return (import_model(account, model, err) || put_alias(things, account,
	    places->seen, asked, model, err) ? -1 : 0);
}

static int
take_all(json_t *things, const struct import_from *from, const json_t *list,
    const struct places *places, struct err *err)
{
	struct err why;
	json_t *row;
	size_t i;

	if (!json_is_array(list)) {
		err_set(err, ERR_INVAL, "there is no model_list in it: turn "
		    "config.yaml into JSON first");
		return (-1);
	}
	json_array_foreach(list, i, row) {
		why = (struct err) { .code = ERR_NONE };
		if (take_model(things, from, places, row, &why) == 0)
			continue;
		err_set(err, why.code, "model_list[%zu]: %s", i, why.text);
		return (-1);
	}
	return (0);
}

int
import_litellm(const char *text, size_t n, const struct import_from *from,
    json_t **things, struct err *err)
{
	struct places places;
	json_t *j;
	int rc = -1;

	*things = NULL;
	if ((j = import_json(text, n, err)) == NULL)
		return (-1);
	places = (struct places) { json_object(), json_object(),
		json_object_get(j, "credential_list") };
	if (places.accounts == NULL || places.seen == NULL)
		err_set(err, ERR_NOMEM, "no memory for an import");
	else if ((*things = import_things(from, err)) != NULL)
		rc = take_all(*things, from, json_object_get(j, "model_list"),
		    &places, err);
	import_wipe(j);
	json_decref(places.accounts);
	json_decref(places.seen);
	if (rc == 0)
		return (0);
	import_wipe(*things);
	*things = NULL;
	return (-1);
}
