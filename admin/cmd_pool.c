#include <sys/wait.h>

#include <errno.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"

#include "command.h"
#include "output.h"

#define POOL_PROGRAM	LIBEXECDIR "/leasehold-pool"

/* What it exits with when no pool is there. */
#define POOL_NOT_RUNNING 7

extern char **environ;

/* The script knows who runs the pool: systemd, or multiwatch. */
static int
run_script(const char *config, const char *verb, int *status, struct err *err)
{
	char *argv[] = { (char *)(uintptr_t)"leasehold-pool",
	    (char *)(uintptr_t)"--config", (char *)(uintptr_t)config,
	    (char *)(uintptr_t)verb, NULL };
	pid_t pid;
	int rc;

	if ((rc = posix_spawn(&pid, POOL_PROGRAM, NULL, NULL, argv,
	    environ)) != 0) {
		err_set_errno(err, ERR_IO, rc, "cannot run %s", POOL_PROGRAM);
		return (-1);
	}
	while ((rc = waitpid(pid, status, 0)) == -1 && errno == EINTR)
		continue;
	if (rc == pid)
		return (0);
	err_set_errno(err, ERR_IO, errno, "cannot wait for %s", POOL_PROGRAM);
	return (-1);
}

static int
act(struct cli *cli, const char *verb, const char *done, struct err *err)
{
	const char *config = conf_path(cli->config_path);
	int status;

	if (run_script(config, verb, &status, err))
		return (-1);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		output_done(cli->json, "pool", config, "%s: %s", config, done);
		return (0);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == POOL_NOT_RUNNING)
		err_set(err, ERR_NOT_FOUND, "no pool runs with %s", config);
	else
		err_set(err, ERR_IO, "cannot %s the pool of %s", verb, config);
	return (-1);
}

static int
run_reload(struct cli *cli, struct err *err)
{

	return (act(cli, "reload", "told to read the settings again", err));
}

static int
run_restart(struct cli *cli, struct err *err)
{

	return (act(cli, "restart", "served by new responders", err));
}

const struct command commands_pool[] = {
	{
		.name = "reload",
		.args = "",
		.needs = NEEDS_CONF,
		.summary = "have the responders read the settings again",
		.details = "They take over what leasehold.conf(5) marks, and "
		    "open their log file anew.\nSettings that are not good "
		    "change nothing.",
		.run = run_reload,
		.once = true,
		.opens = true,
	},
	{
		.name = "restart",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "put new responders in the old ones' place",
		.details = "No request is refused and no stream broken: what "
		    "runs may go on for drain_s.\nIt works with systemd's "
		    "units and without; nothing is restarted while the\n"
		    "settings are not good or the database has another "
		    "schema.",
		.run = run_restart,
		.once = true,
	},
	{ .name = NULL }
};
