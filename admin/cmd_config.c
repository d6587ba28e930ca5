#include <stddef.h>
#include <stdio.h>

#include "base/conf.h"
#include "base/err.h"

#include "command.h"
#include "output.h"

#define VALUE_SIZE	4096

static int
run_check(struct cli *cli, struct err *err)
{

	const char *path = conf_path(cli->config_path);

	(void)err;
	output_done(cli->json, "config", path, "%s: good", path);
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
		.summary = "check the config file",
		.details = "Names file, line and setting of what is wrong.",
		.run = run_check,
	},
	{
		.group = "config",
		.name = "show",
		.args = "",
		.needs = NEEDS_CONF,
		.summary = "show all settings as they are in force",
		.options = show_options,
		.run = run_show,
	},
	{ .name = NULL }
};
