#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/err.h"
#include "store/store.h"

#include "command.h"
#include "output.h"

#define VALUE_SIZE	4096

extern char **environ;

/* Tell of the environment's next variable that nothing reads, or add it to
 * ${list}, which is NULL where people read.  1, 0 at the end, -1. */
static int
next_unknown(size_t *at, json_t *list)
{
	const char *const *environment = (const char *const *)environ;
	const struct conf_setting *meant;
	char name[CONF_NAME_SIZE];
	const char *entry;
	int len;

	entry = conf_unknown_variable(environment, at, &meant);
	if (entry == NULL)
		return (0);
	len = (int)strcspn(entry, "=");
	if (list != NULL)
		return (json_array_append_new(list, json_stringn(entry,
		    (size_t)len)) == 0 ? 1 : -1);
	fprintf(stderr, "leasehold: warning: nothing reads the environment "
	    "variable %.*s", len, entry);
	if (meant != NULL) {
		conf_variable(meant, CONF_FROM_VARIABLE, name, sizeof(name));
		fprintf(stderr, "; did you mean %s?", name);
	}
	fputc('\n', stderr);
	return (1);
}

/* What comes behind mysql:// the store knows. */
static int
check_store(const struct cli *cli, struct err *err)
{
	char place[CONF_NAME_SIZE];
	struct err why;

	err_clear(&why);
	if (store_check_url(cli->conf->store, &why) == 0)
		return (0);
	err_set(err, why.code, "%s: store (%s): %s",
	    conf_path(cli->config_path), conf_place(cli->conf, "store", place),
	    why.text);
	return (-1);
}

static int
run_check(struct cli *cli, struct err *err)
{
	const char *path = conf_path(cli->config_path);
	json_t *list = cli->json ? json_array() : NULL;
	size_t at = 0;
	int rc;

	if (check_store(cli, err)) {
		json_decref(list);
		return (-1);
	}
	while ((rc = next_unknown(&at, list)) == 1)
		continue;
	if (rc == -1 || (cli->json && list == NULL)) {
		json_decref(list);
		err_set(err, ERR_NOMEM, "no memory for an answer");
		return (-1);
	}
	if (cli->json)
		output_json(json_pack("{s:s, s:o}", "config", path,
		    "unknown_variables", list));
	else
		printf("%s: good\n", path);
	return (0);
}

static json_t *
config_json(const struct conf *conf)
{
	const struct conf_setting *settings;
	char value[VALUE_SIZE];
	json_t *j = json_object();
	size_t i, n;

	settings = conf_settings(&n);
	for (i = 0; i < n; i++) {
		conf_format(conf, &settings[i], value, sizeof(value));
		if (json_object_set_new(j, settings[i].name,
		    json_string(value)) == -1) {
			json_decref(j);
			return (NULL);
		}
	}
	return (j);
}

/* Where a value is from, if it is not the default, as a comment. */
static void
print_source(const struct cli *cli, const struct conf_setting *s)
{
	char name[CONF_NAME_SIZE];
	enum conf_source source;
	int line;

	source = conf_source(cli->conf, s, &line);
	if (source == CONF_FROM_FILE) {
		printf("# from %s, line %d\n", conf_path(cli->config_path),
		    line);
	} else if (source != CONF_FROM_DEFAULT) {
		conf_variable(s, source, name, sizeof(name));
		printf("# from environment variable %s\n", name);
	}
}

static int
run_show(struct cli *cli, struct err *err)
{
	const struct conf_setting *settings;
	char value[VALUE_SIZE];
	json_t *j;
	size_t i, n;

	if (cli->json) {
		if ((j = config_json(cli->conf)) == NULL) {
			err_set(err, ERR_NOMEM, "no memory for an answer");
			return (-1);
		}
		output_json(j);
		return (0);
	}
	settings = conf_settings(&n);
	for (i = 0; i < n; i++) {
		conf_format(cli->conf, &settings[i], value, sizeof(value));
		if (cli_flag(cli, "help-text"))
			printf("# %s\n", settings[i].help);
		print_source(cli, &settings[i]);
		printf("%s = %s\n", settings[i].name, value);
	}
	return (0);
}

static const struct command_option show_options[] = {
	{ "help-text", NULL, "with what each setting is for" },
	{ NULL, NULL, NULL }
};

const struct command commands_config[] = {
	{
		.group = "config",
		.name = "check",
		.args = "",
		.needs = NEEDS_CONF,
		.summary = "check the config file and the environment",
		.details = "Names file and line, or variable, and setting of "
		    "what is wrong, and warns of\nLEASEHOLD_ variables that "
		    "nothing reads.",
		.run = run_check,
	},
	{
		.group = "config",
		.name = "show",
		.args = "",
		.needs = NEEDS_CONF,
		.summary = "show all settings as they are in force",
		.details = "Comments say where each is from that is not the "
		    "default.",
		.options = show_options,
		.run = run_show,
	},
	{ .name = NULL }
};
