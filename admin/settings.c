#include <stdbool.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"

#include "settings.h"

#define VALUE_SIZE	4200

static const char *const sources[] = {
	[CONF_FROM_DEFAULT] = "default",
	[CONF_FROM_FILE] = "file",
	[CONF_FROM_VARIABLE_FILE] = "environment",
	[CONF_FROM_VARIABLE] = "environment",
};

static json_t *
show(const struct conf *conf, const struct conf *defaults,
    const struct conf_setting *s)
{
	enum conf_source source = conf_source(conf, s, NULL);
	char value[VALUE_SIZE], def[VALUE_SIZE], variable[CONF_NAME_SIZE];

	conf_format(conf, s, value, sizeof(value));
	conf_format(defaults, s, def, sizeof(def));
	conf_variable(s, source, variable, sizeof(variable));
	return (json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:s}",
	    "name", s->name, "section", conf_section(s), "value", value,
	    "default", def, "source", sources[source], "variable", variable,
	    "set", strcmp(value, def) != 0, "reloadable", s->reloadable,
	    "help", s->help));
}

static json_t *
show_all(const struct conf *conf, const struct conf *defaults)
{
	const struct conf_setting *s;
	json_t *items = json_array();
	size_t i, n;

	s = conf_settings(&n);
	for (i = 0; i < n && items != NULL; i++) {
		if (json_array_append_new(items, show(conf, defaults, &s[i]))
		    == 0)
			continue;
		json_decref(items);
		items = NULL;
	}
	return (items);
}

json_t *
settings_show(const char *path, struct err *err)
{
	struct conf *conf, *defaults = NULL;
	json_t *answer = NULL;

	if ((conf = conf_load(path, err)) == NULL ||
	    (defaults = conf_parse("", "", 0, err)) == NULL)
		goto done;
	answer = json_pack("{s:s, s:o}", "file", conf_path(path), "items",
	    show_all(conf, defaults));
	if (answer == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
done:
	conf_free(defaults);
	conf_free(conf);
	return (answer);
}
