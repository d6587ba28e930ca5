#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/options.h"
#include "base/seal.h"
#include "ledger/meta.h"

#include "access.h"
#include "events.h"
#include "in_force.h"
#include "job_thread.h"
#include "metrics.h"
#include "presence.h"
#include "workers.h"

/* A program that cannot start is started again at once by multiwatch, which
 * knows no pause. */
#define REFUSED_S	1

/* Nobody waits for this one's beats, so that they are seldom; but others are
 * to see several before they would take it for dead. */
#define BEAT_MS		5000
#define BEATS_TO_DEATH	3

/* What the parts of the admin responder hang on. */
struct responder {
	const char *conf_path;
	struct conf *conf;
	struct log *log;
	struct log *access_log;	/* NULL: there is none */
	int64_t busy;		/* requests; atomic */
	struct workers *workers;
	struct presence *presence;
	struct events *events;
	struct access *access;
	struct metrics *metrics;
	struct in_force *in_force;
	struct job_thread *jobs;
};

/* Signals are taken one by one by this thread.  They are blocked before
 * libfcgi is told of them, whose handlers therefore never run. */
static void
block_signals(sigset_t *set)
{
	static const int taken[] = {
		SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGHUP, SIGUSR2
	};
	size_t i;

	(void)sigemptyset(set);
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		(void)sigaddset(set, taken[i]);
	(void)pthread_sigmask(SIG_BLOCK, set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);	/* EFBIG is an error like others */
}

static void
set_level(struct responder *r)
{
	enum log_level level;

	if (log_level_parse(r->conf->log_level, &level) == 0)
		log_set_level(r->log, level);
}

/* The services open both anew, each when it needs them. */
static int
check_start(const struct responder *r, struct err *err)
{
	struct seal *seal;
	int rc;

	if ((seal = seal_open(r->conf->master_key_file, err)) == NULL)
		return (-1);
	rc = meta_check_start(r->conf->store, r->conf->store_timeout_ms, seal,
	    err);
	seal_free(seal);
	return (rc);
}

static int
start_presence(struct responder *r, struct err *err)
{
	const struct presence_params params = {
		.store_url = r->conf->store,
		.host_name = r->conf->host_name,
		.run_dir = r->conf->run_dir,
		.busy_timeout_ms = r->conf->store_timeout_ms,
		.interval_ms = r->conf->dead_after_ms / BEATS_TO_DEATH <
		    BEAT_MS ? r->conf->dead_after_ms / BEATS_TO_DEATH :
		    BEAT_MS,
		.log = r->log,
		.requests = &r->busy,
	};

	r->presence = presence_start(&params, err);
	return (r->presence == NULL ? -1 : 0);
}

/* None of these is reloadable, so the threads may keep them. */
static void
fill_params(const struct responder *r, struct service_params *params)
{

	*params = (struct service_params) {
		.store_url = r->conf->store,
		.master_key_file = r->conf->master_key_file,
		.busy_timeout_ms = r->conf->store_timeout_ms,
		.settings = {
			.mount = r->conf->mount,
			.conf_path = r->conf_path,
			.life = {
				.idle_ms = r->conf->sign_in_idle_ms,
				.max_ms = r->conf->sign_in_max_ms,
			},
			.registration = strcmp(r->conf->registration,
			    "open") == 0 ? REGISTRATION_OPEN :
			    REGISTRATION_INVITED,
			.secure = strncmp(r->conf->public_url, "https:", 6)
			    == 0,
		},
		.log = r->log,
		.access_log = r->access_log,
	};
}

/* The workers, and the thread that they give listeners to. */
static int
start_workers(struct responder *r, struct err *err)
{
	struct service_params params;

	if ((r->in_force = in_force_new(r->conf, err)) == NULL ||
	    (r->access = access_new(r->conf, err)) == NULL ||
	    (r->metrics = metrics_new(r->conf, err)) == NULL)
		return (-1);
	fill_params(r, &params);
	r->events = events_start(&(struct events_params) {
		.store_url = params.store_url,
		.busy_timeout_ms = params.busy_timeout_ms,
		.life = params.settings.life,
		.log = r->log,
	}, err);
	if (r->events == NULL)
		return (-1);
	params.settings.events = r->events;
	params.settings.access = r->access;
	params.settings.metrics = r->metrics;
	params.settings.in_force = r->in_force;
	r->workers = workers_start(r->conf->admin_threads, &params, &r->busy,
	    err);
	return (r->workers == NULL ? -1 : 0);
}

static int
start(struct responder *r, struct err *err)
{

	if ((r->conf = conf_load(r->conf_path, err)) == NULL)
		return (-1);
	r->log = log_open(r->conf->log, LOG_LEVEL_INFO, clock_system(), err);
	if (r->log == NULL)
		return (-1);
	set_level(r);
	if (strcmp(r->conf->access_log, "off") != 0 && (r->access_log =
	    log_open_json(r->conf->access_log, clock_system(), err)) == NULL)
		return (-1);
	if (check_start(r, err) || start_presence(r, err) ||
	    (r->jobs = job_thread_start(r->conf_path, r->log, err)) == NULL)
		return (-1);
	return (start_workers(r, err));
}

static void
reload(struct responder *r)
{
	struct err err = { .code = ERR_NONE };

	log_reopen(r->log);
	if (r->access_log != NULL)
		log_reopen(r->access_log);
	if (conf_reload(r->conf, r->conf_path, &err)) {
		log_note(r->log, LOG_LEVEL_ERROR, "main", "reload", &err);
		return;
	}
	set_level(r);
	job_thread_reload(r->jobs);
	if (in_force_set(r->in_force, r->conf, &err) ||
	    access_set(r->access, r->conf, &err)) {
		log_note(r->log, LOG_LEVEL_ERROR, "main", "reload", &err);
		return;
	}
	log_note(r->log, LOG_LEVEL_INFO, "main", "reload", NULL);
}

/* Until a signal says that it is over. */
static void
wait_for_end(struct responder *r, const sigset_t *set)
{
	int signo;

	for (;;) {
		if (sigwait(set, &signo) != 0)
			continue;
		if (signo != SIGHUP && signo != SIGUSR2)
			return;
		reload(r);
	}
}

/* What answers, once no thread of the workers asks any more. */
static void
stop_parts(struct responder *r)
{

	events_stop(r->events);
	access_free(r->access);
	metrics_free(r->metrics);
	in_force_free(r->in_force);
}

static void
close_all(struct responder *r)
{

	log_close(r->access_log);
	log_close(r->log);
	conf_free(r->conf);
	curl_global_cleanup();
}

static int
refuse(struct responder *r, const struct err *err)
{

	fprintf(stderr, "leasehold-admin.fcgi: %s\n", err->text);
	if (r->log != NULL)
		log_note(r->log, LOG_LEVEL_ERROR, "main", "stopped", err);
	stop_parts(r);
	job_thread_stop(r->jobs);
	presence_stop(r->presence);
	if (workers_are_spawned())
		(void)sleep(REFUSED_S);
	close_all(r);
	return (EXIT_FAILURE);
}

static void
drain(struct responder *r)
{

	log_note(r->log, LOG_LEVEL_INFO, "main", "drain", NULL);
	events_drain(r->events);
	job_thread_stop(r->jobs);
	presence_stop(r->presence);
	if (workers_stop(r->workers, r->conf->drain_ms)) {
		/* Threads that still run use log and config. */
		log_note(r->log, LOG_LEVEL_WARN, "main", "drain_timeout", NULL);
		_exit(EXIT_FAILURE);
	}
	stop_parts(r);
}

int
main(int argc, char **argv)
{
	struct responder r = { .conf_path = NULL };
	struct err err = { .code = ERR_NONE };
	sigset_t set;
	int rc;

	if ((rc = options_read("leasehold-admin.fcgi", "admin responder", argc,
	    argv, &r.conf_path)) != -1)
		return (rc);
	seal_no_core();
	block_signals(&set);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		fputs("leasehold-admin.fcgi: cannot start libcurl\n", stderr);
		return (EXIT_FAILURE);
	}
	if (start(&r, &err))
		return (refuse(&r, &err));
	log_note(r.log, LOG_LEVEL_INFO, "main", "start", NULL);
	wait_for_end(&r, &set);
	drain(&r);
	log_note(r.log, LOG_LEVEL_INFO, "main", "exit", NULL);
	close_all(&r);
	return (EXIT_SUCCESS);
}
