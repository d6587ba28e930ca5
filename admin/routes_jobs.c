#include <string.h>

#include "base/conf.h"
#include "base/err.h"

#include "host.h"
#include "jobs.h"
#include "settings.h"

#include "api.h"

#define NAME_SIZE	64

/* ---- jobs ---- */

/* Borrow a member; NULL where it is null. */
static json_t *
member(const json_t *row, const char *name)
{
	json_t *j = json_object_get(row, name);

	return (json_is_null(j) ? NULL : j);
}

/* How the run before went: row of jobs_list; NULL: there was none. */
static json_t *
last_run(const json_t *row)
{
	const json_t *end = member(row, "last_end_ms");
	const json_int_t duration = json_integer_value(json_object_get(row,
	    "duration_ms"));

	if (end == NULL)
		return (NULL);
	return (json_pack("{s:I, s:I, s:O, s:O}", "started_ms",
	    json_integer_value(end) - duration, "duration_ms", duration,
	    "result", json_object_get(row, "result"), "text",
	    json_object_get(row, "detail")));
}

/* A job, and its row, which may be NULL. */
static json_t *
show_job(const struct job *job, const json_t *row)
{
	const char *schedule = json_string_value(json_object_get(row,
	    "schedule"));
	const char *state = json_string_value(json_object_get(row, "state"));
	const bool runs = state != NULL && strcmp(state, "running") == 0;

	return (json_pack("{s:s, s:s, s:s?, s:b, s:O?, s:s?, s:O?, s:O?, "
	    "s:O?, s:O?, s:o?}", "name", job->name, "summary", job->summary,
	    "schedule", schedule, "enabled", schedule != NULL &&
	    strcmp(schedule, "off") != 0, "next_ms", member(row, "next_ms"),
	    "state", state, "running_since_ms", runs ? member(row,
	    "last_start_ms") : NULL, "holder", member(row, "holder"), "runs",
	    member(row, "runs"), "good_ms", member(row, "good_ms"), "last",
	    last_run(row)));
}

static const json_t *
row_of(const json_t *rows, const struct job *job)
{
	const char *name;
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		name = json_string_value(json_object_get(row, "name"));
		if (name != NULL && strcmp(name, job->name) == 0)
			return (row);
	}
	return (NULL);
}

json_t *
api_jobs(struct api_call *c, struct err *err)
{
	const struct job *table;
	json_t *rows, *items;
	size_t i, n;

	if ((rows = jobs_list(c->store, err)) == NULL)
		return (NULL);
	items = json_array();
	table = jobs_table(&n);
	for (i = 0; i < n && items != NULL; i++) {
		if (json_array_append_new(items, show_job(&table[i],
		    row_of(rows, &table[i]))) == 0)
			continue;
		json_decref(items);
		items = NULL;
	}
	json_decref(rows);
	if (items == NULL)
		err_set(err, ERR_NOMEM, "no memory for an answer");
	return (api_page(c, items, err));
}

/* 0: it ran; -1: refused, or ${err}. */
static int
run_job(struct api_call *c, const struct conf *conf, const struct job *job,
    struct err *err)
{
	char by[256];
	const struct job_runner runner = {
		.st = c->store,
		.conf = conf,
		.by = by,
		.stopping = c->settings->over,
		.arg = c->settings->over_arg,
	};
	struct job_outcome out;
	struct audit a;

	jobs_by(conf, by, sizeof(by));
	api_audit(c, &a, "job.run", job->name, NULL);
	if (job_run(&runner, job, true, &out, err))
		return (-1);
	if (out.taken == JOB_TAKEN)
		return (0);
	(void)api_refuse(c, 409, "the job %s is being run by %s", job->name,
	    out.holder);
	return (-1);
}

json_t *
api_run_job(struct api_call *c, struct err *err)
{
	char name[NAME_SIZE];
	const struct job *job = jobs_find(api_param(c, 0, name,
	    sizeof(name)));
	json_t *rows, *item = NULL;
	struct conf *conf;

	if (job == NULL)
		return (api_refuse(c, 404, "there is no such job"));
	if (api_begin_long(c))
		return (NULL);
	if ((conf = api_conf(c)) == NULL)
		goto done;
	if (run_job(c, conf, job, err) == 0 &&
	    (rows = jobs_list(c->store, err)) != NULL) {
		item = show_job(job, row_of(rows, job));
		json_decref(rows);
		if (item == NULL)
			err_set(err, ERR_NOMEM, "no memory for an answer");
	}
	conf_free(conf);
done:
	api_end_long(c);
	return (item);
}

/* ---- settings ---- */

json_t *
api_settings(struct api_call *c, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	json_t *answer;

	(void)err;
	answer = settings_show(c->settings->conf_path, &why);
	return (answer != NULL ? answer : api_refuse(c, 500, "%s",
	    why.text));
}

/* ---- the host ---- */

json_t *
api_host(struct api_call *c, struct err *err)
{
	struct conf *conf;
	json_t *answer;

	if ((conf = api_conf(c)) == NULL)
		return (NULL);
	answer = host_show(c->store, conf, c->settings->conf_path,
	    c->settings->in_force, err);
	conf_free(conf);
	return (answer);
}

json_t *
api_reload(struct api_call *c, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	json_t *answer = NULL;
	struct conf *conf;

	if ((conf = conf_load(c->settings->conf_path, &why)) == NULL)
		return (api_refuse(c, 409, "the settings are not good, and "
		    "nothing was told: %s", why.text));
	if (api_note(c, "reload", "", err) == 0)
		answer = host_reload(c->store, conf, err);
	conf_free(conf);
	return (answer);
}
