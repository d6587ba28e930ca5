#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/conf.h"
#include "base/err.h"

#include "command.h"
#include "jobs.h"
#include "output.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

const struct column job_columns[JOB_COLUMNS] = {
	{ "JOB", "name", COLUMN_TEXT },
	{ "SCHEDULE", "schedule", COLUMN_TEXT },
	{ "STATE", "state", COLUMN_TEXT },
	{ "LAST START", "last_start_ms", COLUMN_TIME },
	{ "TOOK", "duration_ms", COLUMN_DURATION },
	{ "RESULT", "result", COLUMN_TEXT },
	{ "NEXT", "next_ms", COLUMN_TIME },
	{ "DETAIL", "detail", COLUMN_TEXT },
};

static int
run_list(struct cli *cli, struct err *err)
{

	if (jobs_plan(cli->store, cli->conf, err))
		return (-1);
	return (output_rows(cli->json, jobs_list(cli->store, err),
	    job_columns, JOB_COLUMNS));
}

/* What came of one, as JSON or a line. */
static json_t *
tell(const struct cli *cli, const struct job *job,
    const struct job_outcome *out)
{

	if (!cli->json)
		printf("%s: %s after %lld ms: %s\n", job->name,
		    job_result_name(out->result),
		    (long long)out->duration_ms, out->said);
	return (json_pack("{s:s, s:s, s:I, s:s}", "job", job->name, "result",
	    job_result_name(out->result), "duration_ms",
	    (json_int_t)out->duration_ms, "detail", out->said));
}

/* 1: it ran, and *${j} says how; 0: it was not due, or is another's. */
static int
run_one(struct cli *cli, const struct job *job, bool forced, json_t **j,
    bool *failed, struct err *err)
{
	char by[256];
	const struct job_runner runner = {
		.st = cli->store, .conf = cli->conf, .by = by
	};
	struct job_outcome out;

	jobs_by(cli->conf, by, sizeof(by));
	if (job_run(&runner, job, forced, &out, err))
		return (-1);
	if (out.taken == JOB_BUSY && forced) {
		err_set(err, ERR_EXISTS, "the job %s is being run by %s",
		    job->name, out.holder);
		return (-1);
	}
	if (out.taken != JOB_TAKEN)
		return (0);
	*failed |= out.result == JOB_FAILED || out.result == JOB_STOPPED;
	if ((*j = tell(cli, job, &out)) != NULL)
		return (1);
	err_set(err, ERR_NOMEM, "no memory for an answer");
	return (-1);
}

static int
run_due(struct cli *cli, bool *failed, struct err *err)
{
	json_t *all = json_array(), *one;
	const struct job *table;
	size_t i, n;
	int rc;

	table = jobs_table(&n);
	for (i = 0; i < n; i++) {
		rc = run_one(cli, &table[i], false, &one, failed, err);
		if (rc < 0 || (rc > 0 && json_array_append_new(all, one))) {
			json_decref(all);
			return (-1);
		}
	}
	if (cli->json)
		output_json(all);
	else
		json_decref(all);
	return (0);
}

static int
run_named(struct cli *cli, bool *failed, struct err *err)
{
	const struct job *job = jobs_find(cli->args[0]);
	json_t *one;

	if (job == NULL) {
		err_set(err, ERR_NOT_FOUND, "there is no job \"%.40s\": see "
		    "leasehold job list", cli->args[0]);
		return (-1);
	}
	if (run_one(cli, job, true, &one, failed, err) < 0)
		return (-1);
	if (cli->json)
		output_json(one);
	else
		json_decref(one);
	return (0);
}

static int
run_run(struct cli *cli, struct err *err)
{
	bool failed = false;
	int rc;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(err, ERR_NOMEM, "cannot start libcurl");
		return (-1);
	}
	rc = cli->nargs > 0 ? run_named(cli, &failed, err) :
	    run_due(cli, &failed, err);
	curl_global_cleanup();
	return (rc != 0 ? rc : failed ? EXIT_FAILED : EXIT_OK);
}

const struct command commands_job[] = {
	{
		.group = "job",
		.name = "list",
		.args = "",
		.needs = NEEDS_STORE,
		.summary = "list jobs with their last and next runs",
		.run = run_list,
	},
	{
		.group = "job",
		.name = "run",
		.args = "[NAME]",
		.args_max = 1,
		.needs = NEEDS_STORE,
		.summary = "run a job now, or all that are due",
		.details = "As an admin responder would, under the job's "
		    "lease: nobody runs it at the\nsame time.  Without NAME "
		    "the jobs that are due are run, for a crontab where\nno "
		    "admin responder runs:\n"
		    "  * * * * *  leasehold  leasehold job run\n"
		    "Exits with 1 if a job failed, with 4 if NAME is being "
		    "run by another.",
		.run = run_run,
		.once = true,
	},
	{ .name = NULL }
};
