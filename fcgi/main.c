#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fastcgi.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/options.h"
#include "base/seal.h"
#include "ledger/meta.h"
#include "metrics/slots.h"
#include "pool/pool.h"
#include "relay/relay.h"
#include "relay/upstream.h"

/* A program that cannot start is started again at once by multiwatch, which
 * knows no pause. */
#define MAIN_REFUSED_S	1

/* Answers and settlements of the last calls, when the drain time is over; at
 * most that long, as it ends when all are out. */
#define MAIN_LAST_MS	3000

/* What the parts of the relay responder hang on. */
struct main {
	const char *conf_path;
	struct conf *conf;
	struct log *log;
	struct log *access;		/* NULL: there is none */
	struct seal *seal;
	struct loop *loop;
	struct pool *pool;
	struct upstream *upstream;
	struct relay *relay;		/* NULL: nothing is accepted yet */
	struct slots *slots;		/* NULL: nothing is counted */
	struct slot *slot, *store_slot;
	struct err failed;		/* why the loop was stopped */
	struct loop_timer deadline;
	struct heap_care heap;
	bool draining;
	bool aborted;
};

/*
 * Accept from now on.  Not before it is known how the database is: until then
 * requests wait, or others of the pool take them, and none is turned away for
 * nothing while a pool takes the place of another.
 */
static void
main_serve(void *arg)
{
	struct main *m = arg;
	struct relay_params rp = {
		.loop = m->loop,
		.conf = m->conf,
		.pool = m->pool,
		.upstream = m->upstream,
		.log = m->log,
		.access = m->access,
		.slot = m->slot,
		.listen_fd = FCGI_LISTENSOCK_FILENO
	};

	if (m->relay != NULL)
		return;
	if ((m->relay = relay_new(&rp, &m->failed)) == NULL)
		loop_stop(m->loop);
}

/* ---- signals ---- */

static void
main_idle(void *arg)
{
	struct main *m = arg;

	loop_stop(m->loop);
}

static void
main_deadline(struct loop_timer *t)
{
	struct main *m = t->arg;

	if (m->aborted) {
		loop_stop(m->loop);
		return;
	}
	m->aborted = true;
	relay_abort(m->relay);
	if (loop_timer_set(m->loop, &m->deadline, loop_now_ms(m->loop) +
	    MAIN_LAST_MS, main_deadline, m) != 0)
		loop_stop(m->loop);
}

static void
main_drain(int signo, void *arg)
{
	struct main *m = arg;

	(void)signo;
	if (m->draining)
		return;
	main_serve(m);
	if (m->relay == NULL)
		return;
	m->draining = true;
	log_note(m->log, LOG_LEVEL_INFO, "main", "draining", NULL);
	pool_set_draining(m->pool);
	if (loop_timer_set(m->loop, &m->deadline, loop_now_ms(m->loop) +
	    m->conf->drain_ms, main_deadline, m) != 0)
		loop_stop(m->loop);
	relay_drain(m->relay, main_idle, m);
}

static void
main_reload(int signo, void *arg)
{
	struct main *m = arg;
	struct err err = { 0 };
	enum log_level level;

	(void)signo;
	log_reopen(m->log);
	if (m->access != NULL)
		log_reopen(m->access);
	if (conf_reload(m->conf, m->conf_path, &err) != 0) {
		log_note(m->log, LOG_LEVEL_ERROR, "main", "reload_failed",
		    &err);
		return;
	}
	if (log_level_parse(m->conf->log_level, &level) == 0)
		log_set_level(m->log, level);
	pool_reload(m->pool);
	if (m->relay != NULL)
		relay_reload(m->relay);
	log_note(m->log, LOG_LEVEL_INFO, "main", "reloaded", NULL);
}

static int
main_signals(struct main *m, struct err *err)
{
	static const struct {
		int signo;
		void (*cb)(int, void *);
	} wanted[] = {
		{ SIGTERM, main_drain },
		{ SIGINT, main_drain },
		{ SIGQUIT, main_drain },	/* multiwatch -s TERM */
		{ SIGUSR1, main_drain },	/* multiwatch's default */
		{ SIGHUP, main_reload },
		{ SIGUSR2, main_reload }	/* passed on by multiwatch */
	};
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* EFBIG is an error like others */
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (loop_signal_add(m->loop, wanted[i].signo, wanted[i].cb, m,
		    err) != 0)
			return (-1);
	return (0);
}

/* ---- life ---- */

static bool
main_is_spawned(void)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	return (getsockopt(FCGI_LISTENSOCK_FILENO, SOL_SOCKET, SO_ACCEPTCONN,
	    &listening, &len) == 0 && listening);
}

static int
main_check_socket(struct err *err)
{

	if (main_is_spawned())
		return (0);
	err_set(err, ERR_INVAL, "standard input is not a listening socket: "
	    "start leasehold-relay.fcgi through spawn-fcgi, systemd or the "
	    "like");
	return (-1);
}

static int64_t
main_open_requests(void *arg)
{
	struct main *m = arg;

	return (m->relay == NULL ? 0 : relay_calls(m->relay));
}

/* A stream takes two descriptors, and the usual soft limit is 1,024. */
static void
main_descriptors(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) != 0 || rl.rlim_cur >= rl.rlim_max)
		return;
	rl.rlim_cur = rl.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
}

/* Settings, log, secrets: what must be right before anything starts. */
static int
main_prepare(struct main *m, struct err *err)
{
	enum log_level level;

	main_descriptors();
	if ((m->conf = conf_load(m->conf_path, err)) == NULL)
		return (-1);
	if (log_level_parse(m->conf->log_level, &level) != 0)
		level = LOG_LEVEL_INFO;
	if ((m->loop = loop_new(clock_system(), err)) == NULL)
		return (-1);
	if (main_signals(m, err) != 0)
		return (-1);
	if ((m->log = log_open(m->conf->log, level, clock_system(), err)) ==
	    NULL)
		return (-1);
	if (strcmp(m->conf->access_log, "off") != 0 && (m->access =
	    log_open_json(m->conf->access_log, clock_system(), err)) == NULL)
		return (-1);
	if ((m->seal = seal_open(m->conf->master_key_file, err)) == NULL)
		return (-1);
	if (main_check_socket(err) != 0)
		return (-1);
	return (meta_check_start(m->conf->store, m->conf->store_timeout_ms,
	    m->seal, err));
}

/* Counting is no reason not to serve: it is said once, and left. */
static void
main_count(struct main *m)
{
	struct err err = { 0 };

	if ((m->slots = slots_open_in(m->conf->run_dir, &err)) != NULL &&
	    (m->slot = slots_claim(m->slots, SLOT_RELAY, &err)) != NULL)
		m->store_slot = slots_claim(m->slots, SLOT_OTHER, &err);
	if (err.code != ERR_NONE)
		log_note(m->log, LOG_LEVEL_WARN, "main", "not_counted", &err);
}

static int
main_start(struct main *m, struct err *err)
{
	struct pool_params pp = {
		.conf = m->conf,
		.seal = m->seal,
		.loop = m->loop,
		.log = m->log,
		.clock = clock_system(),
		.slot = m->slot,
		.store_slot = m->store_slot,
		.open_requests = main_open_requests,
		.state = main_serve,
		.arg = m
	};
	struct upstream_params up = {
		.loop = m->loop,
		.ca_file = m->conf->ca_file,
		.connections_max = m->conf->streams_max
	};

	if ((m->pool = pool_start(&pp, err)) == NULL)
		return (-1);
	if ((m->upstream = upstream_new(&up, err)) == NULL)
		return (-1);
	if (heap_care_start(&m->heap, m->loop, main_open_requests, m) == 0)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for a timer");
	return (-1);
}

/* What it has done, for those who read the log. */
static void
main_note_numbers(struct main *m)
{
	struct pool_stats st;
	struct log_line l;

	pool_stats(m->pool, &st);
	log_begin(&l, m->log, LOG_LEVEL_INFO, NULL, "main", "ended");
	log_int(&l, "responder", st.responder_id);
	log_int(&l, "transactions", (int64_t)st.store.batches);
	log_int(&l, "operations", (int64_t)st.store.ops);
	log_int(&l, "retries", (int64_t)st.store.retries);
	log_int(&l, "failures", (int64_t)st.store.failures);
	log_int(&l, "commit_us_max", st.store.commit_us_max);
	log_int(&l, "waiting", st.waiting);
	log_int(&l, "not_settled", m->relay == NULL ? 0 :
	    relay_calls(m->relay));
	log_end(&l);
}

static void
main_stop(struct main *m)
{

	loop_timer_cancel(&m->deadline);
	heap_care_stop(&m->heap);
	if (m->relay != NULL)
		relay_abort(m->relay);
	if (m->pool != NULL)
		main_note_numbers(m);
	pool_stop(m->pool, MAIN_LAST_MS);
	relay_free(m->relay);
	upstream_free(m->upstream);
	slots_close(m->slots);
	seal_free(m->seal);
	log_close(m->access);
	log_close(m->log);
	loop_free(m->loop);
	conf_free(m->conf);
}

static int
main_run(struct main *m)
{
	struct err err = { 0 };
	int rc = -1;

	if (main_prepare(m, &err) == 0) {
		main_count(m);
		rc = main_start(m, &err);
	}
	if (rc == 0) {
		log_note(m->log, LOG_LEVEL_INFO, "main", "started", NULL);
		rc = loop_run(m->loop, &err);
	}
	if (m->failed.code != ERR_NONE) {
		err = m->failed;
		rc = -1;
	}
	if (rc != 0) {
		log_note(m->log, LOG_LEVEL_ERROR, "main", "stopped", &err);
		fprintf(stderr, "leasehold-relay.fcgi: %s\n", err.text);
		if (main_is_spawned())
			(void)sleep(MAIN_REFUSED_S);
	}
	main_stop(m);
	return (rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int
main(int argc, char *argv[])
{
	struct main m = { 0 };
	int rc;

	if ((rc = options_read("leasehold-relay.fcgi", "relay responder", argc,
	    argv, &m.conf_path)) != -1)
		return (rc);
	seal_no_core();
	heap_setup();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		fputs("leasehold-relay.fcgi: cannot start libcurl\n", stderr);
		return (EXIT_FAILURE);
	}
	rc = main_run(&m);
	curl_global_cleanup();
	return (rc);
}
