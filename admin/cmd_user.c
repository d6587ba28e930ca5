#include <stddef.h>
#include <stdio.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"

#include "budget_text.h"
#include "command.h"
#include "output.h"
#include "people.h"
#include "users.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
	{ "NAME", "name", COLUMN_TEXT },
	{ "ROLE", "role", COLUMN_TEXT },
	{ "SIGNS IN", "signs_in", COLUMN_YES_NO },
	{ "CONCURRENCY", "concurrency", COLUMN_INT },
	{ "KEYS", "keys", COLUMN_INT },
	{ "BUDGETS", "budgets", COLUMN_INT },
	{ "IN FLIGHT", "in_flight", COLUMN_INT },
	{ "CREATED", "created_ms", COLUMN_TIME },
};

static const struct column show_columns[] = {
	{ "name", "name", COLUMN_TEXT },
	{ "role", "role", COLUMN_TEXT },
	{ "signs in", "signs_in", COLUMN_YES_NO },
	{ "enabled", "enabled", COLUMN_YES_NO },
	{ "second factor", "second_factor", COLUMN_YES_NO },
	{ "concurrency", "concurrency", COLUMN_INT },
	{ "in flight", "in_flight", COLUMN_INT },
	{ "created", "created_ms", COLUMN_TIME },
};

static const struct column key_columns[] = {
	{ "KEY NAME", "name", COLUMN_TEXT },
	{ "KEY", "visible", COLUMN_TEXT },
	{ "ENABLED", "enabled", COLUMN_YES_NO },
	{ "EXPIRES", "expires_ms", COLUMN_TIME },
	{ "REVOKED", "revoked_ms", COLUMN_TIME },
};

static int
run_add(struct cli *cli, struct err *err)
{
	struct user_change c = {
		.name = cli->args[0],
		.concurrency = -1,
		.enabled = -1,
	};

	if (cli_option_int(cli, "concurrency", 0, USER_CONCURRENCY_MAX,
	    &c.concurrency, err) || users_add(cli->store, &c, err))
		return (-1);
	output_done(cli->json, "user", c.name, "user \"%s\" is added",
	    c.name);
	return (0);
}

static int
run_set(struct cli *cli, struct err *err)
{
	struct user_change c = {
		.name = cli_option(cli, "name"),
		.concurrency = -1,
		.enabled = cli_flag(cli, "enable") ? 1 :
		    cli_flag(cli, "disable") ? 0 : -1,
	};
	const char *role = cli_option(cli, "role");

	if (role != NULL && !role_parse(role, &c.role)) {
		err_set(err, ERR_INVAL, "--role must be admin, operator or "
		    "user");
		return (-1);
	}
	if (cli_flag(cli, "enable") && cli_flag(cli, "disable")) {
		err_set(err, ERR_INVAL, "--enable or --disable, not both");
		return (-1);
	}

	if (cli_need_option(cli, err) || cli_option_int(cli, "concurrency", 0,
	    USER_CONCURRENCY_MAX, &c.concurrency, err) ||
	    users_set(cli->store, cli->args[0], &c, err))
		return (-1);
	output_done(cli->json, "user", cli->args[0], "user \"%s\" is changed",
	    cli->args[0]);
	return (0);
}

static int
run_list(struct cli *cli, struct err *err)
{

	return (output_rows(cli->json, users_list(cli->store, err),
	    columns, NITEMS(columns)));
}

static int
run_show(struct cli *cli, struct err *err)
{
	json_t *user, *keys, *budgets;

	user = users_show(cli->store, cli->args[0], err);
	if (user == NULL || cli->json)
		return (output_row(true, user, NULL, 0));
	output_fields(user, show_columns, NITEMS(show_columns));
	keys = json_object_get(user, "keys");
	if (json_array_size(keys) > 0) {
		putchar('\n');
		output_table(keys, key_columns, NITEMS(key_columns));
	}
	budgets = json_object_get(user, "budgets");
	if (json_array_size(budgets) > 0) {
		putchar('\n');
		budget_text_table(budgets);
	}
	json_decref(user);
	return (0);
}

static int
run_remove(struct cli *cli, struct err *err)
{

	if (users_remove(cli->store, cli->args[0], err))
		return (-1);
	output_done(cli->json, "user", cli->args[0], "user \"%s\" is removed",
	    cli->args[0]);
	return (0);
}

/* Where the pages are, as far as it is known. */
static void
print_invitation(const struct cli *cli, const char *whose,
    const char *invitation)
{
	const char *url = cli->conf->public_url;
	char link[1280];

	(void)snprintf(link, sizeof(link), "%s/admin/#invitation=%s", url,
	    invitation);
	output_secret(cli->json, "invitation", whose,
	    url[0] != '\0' ? link : invitation);
	seal_wipe(link, sizeof(link));
}

static int
run_invite(struct cli *cli, struct err *err)
{
	const char *word = cli_option(cli, "role");
	const char *name = cli->nargs > 0 ? cli->args[0] : NULL;
	char invitation[INVITATION_SIZE];
	struct seal_pepper pepper;
	enum role role = ROLE_USER;
	int rc;

	if (word != NULL && !role_parse(word, &role)) {
		err_set(err, ERR_INVAL, "--role must be admin, operator or "
		    "user");
		return (-1);
	}
	if (word == NULL && name != NULL && users_role(cli->store, name, &role,
	    err))
		return (-1);
	if (cli_pepper(cli, &pepper, err))
		return (-1);
	rc = people_invite(cli->store, &pepper, role, name, "shell",
	    invitation, err);
	seal_wipe(&pepper, sizeof(pepper));
	if (rc == 0)
		print_invitation(cli, name != NULL ? name : role_word(role),
		    invitation);
	seal_wipe(invitation, sizeof(invitation));
	return (rc);
}

#define CONCURRENCY							\
	{ "concurrency", "N", "requests at once of all its keys; 0: no limit" }

static const struct command_option add_options[] = {
	CONCURRENCY,
	{ NULL, NULL, NULL }
};

static const struct command_option invite_options[] = {
	{ "role", "ROLE", "admin, operator, user (of a new one by default)" },
	{ NULL, NULL, NULL }
};

static const struct command_option set_options[] = {
	{ "name", "NAME", "a new name" },
	CONCURRENCY,
	{ "role", "ROLE", "admin, operator, user" },
	{ "enable", NULL, "may sign in again" },
	{ "disable", NULL, "may not sign in; keys stay as they are" },
	{ NULL, NULL, NULL }
};

const struct command commands_user[] = {
	{
		.group = "user",
		.name = "add",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "add a user, who may own keys",
		.options = add_options,
		.run = run_add,
	},
	{
		.group = "user",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list users",
		.run = run_list,
	},
	{
		.group = "user",
		.name = "show",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "show a user, its keys and its budgets",
		.run = run_show,
	},
	{
		.group = "user",
		.name = "set",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "change a user",
		.options = set_options,
		.run = run_set,
	},
	{
		.group = "user",
		.name = "invite",
		.args = "[NAME]",
		.args_max = 1,
		.needs = NEEDS_SEAL,
		.summary = "let somebody sign in, by a link that is good once",
		.options = invite_options,
		.run = run_invite,
	},
	{
		.group = "user",
		.name = "remove",
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "remove a user without keys and budgets",
		.run = run_remove,
	},
	{ .name = NULL }
};
