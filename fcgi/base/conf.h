#ifndef BASE_CONF_H_
#define BASE_CONF_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;

/**
 * The settings: one table (conf.c) feeds the parser, `leasehold config
 * check|show`, --help and leasehold.conf(5).  The file has lines
 * "name = value", '#' starts a comment line.  Each setting can also be given
 * as environment variable LEASEHOLD_NAME, which wins over the file; some as
 * the first line of a file that LEASEHOLD_NAME_FILE names.
 * Times are in milliseconds here whatever unit the file uses.  Strings are
 * never NULL.
 */
struct conf {
	/* where things are */
	char *store;			/* "sqlite:/path", "mysql://..." */
	char *master_key_file;
	char *run_dir;			/* locks, wake-up sockets */
	char *host_name;		/* "": the machine's */
	char *spool_dir;		/* settlements in an outage */
	char *mount;			/* "" or "/claude"; no trailing slash */
	char *public_url;		/* for doctor and hints; may be "" */
	char *log;			/* stderr | syslog | file:/path */
	char *log_level;
	char *access_log;		/* off | as log */
	char *ca_file;			/* "" : the system's */
	char *trusted_proxies;		/* networks by comma, and "unix", see
					   http/peer.h; "": none */
	char *record_address;		/* full | none */
	char *trace_context;		/* pass | make | off */
	char *relay_socket;		/* what spawn-fcgi binds: a path, or
					   ADDRESS:PORT; for doctor */
	char *admin_socket;
	int64_t relay_processes;	/* for quickstart and units */
	int64_t admin_processes;
	int64_t admin_threads;
	char *routes;			/* "all", "relay", "admin" */
	char *admin_from;		/* networks by comma; "": all */
	char *metrics_from;		/* networks by comma; "": none */
	char *registration;		/* "invited", "open" */
	int64_t sign_in_idle_ms;
	int64_t sign_in_max_ms;

	/* bounds */
	int64_t body_max_bytes;
	int64_t upload_max_bytes;	/* of a batch or a file */
	int64_t bodies_max_bytes;	/* all bodies of one process */
	int64_t streams_max;		/* open requests of one process */
	int64_t queue_max;		/* waiting requests of the whole pool */
	int64_t attempts_max;
	int64_t reserve_slice_tokens;	/* output, of elastic budgets */

	/* times, ms */
	int64_t queue_timeout_ms;
	int64_t affinity_ttl_ms;	/* of a session; 0: none has one */
	int64_t affinity_wait_ms;	/* for its account, at the most */
	int64_t attempt_budget_ms;	/* no new attempt after this */
	int64_t connect_timeout_ms;
	int64_t first_byte_timeout_ms;	/* of a stream */
	int64_t idle_timeout_ms;	/* silence within a stream */
	int64_t plain_timeout_ms;	/* whole non-stream call */
	int64_t client_read_timeout_ms;	/* silence while a request comes in */
	int64_t client_write_timeout_ms;/* client takes no byte for so long */
	int64_t ping_interval_ms;	/* 0: none */
	int64_t early_ping_ms;		/* 0: none; see relay/early.c */
	int64_t disconnect_drain_ms;	/* 0: cut */
	int64_t drain_ms;
	int64_t beat_interval_ms;
	int64_t dead_after_ms;		/* unchanged beat, across hosts */
	int64_t grant_timeout_ms;	/* grant not taken up lapses */

	/* cooldowns where the upstream states none, ms */
	int64_t cooldown_rate_ms;	/* 429 */
	int64_t cooldown_auth_ms;	/* 401, 402 */
	int64_t cooldown_overload_ms;	/* 529, 503 */
	int64_t cooldown_error_ms;	/* 5xx, connection */
	int64_t cooldown_max_ms;	/* bound of the back-off */
	int64_t half_open_ms;		/* a probe keeps others away */
	int64_t refresh_ahead_ms;	/* OAuth: before a token ends */

	/* money */
	char *unpriced;			/* refuse | allow | default */
	char *implausible;		/* bound | charge */

	/* retention */
	int64_t ledger_keep_days;	/* 0: for ever */
	int64_t audit_keep_days;	/* likewise */

	/* jobs: when they are due, see cron.h */
	char *job_refresh;
	char *job_probe;
	char *job_reap;
	char *job_rollup;
	char *job_latency;
	char *job_prune;
	char *job_checkpoint;
	char *job_backup;
	char *job_notify;
	char *job_zone;			/* IANA name */
	int64_t job_lease_ms;
	char *sendmail;			/* "": no e-mail */
	char *mail_from;		/* "": sendmail knows */
	char *backup_dir;
	int64_t backup_keep;		/* files */

	/* store */
	char *sqlite_synchronous;	/* full | normal */
	int64_t store_timeout_ms;	/* not begun by then: fails */
	int64_t spool_bytes;		/* of one responder's file */
};

/** How a value is written, checked and shown. */
enum conf_type {
	CONF_STRING,
	CONF_STORE,		/* sqlite:/... or mysql://user@... */
	CONF_PATH,		/* absolute */
	CONF_SOCKET,		/* absolute path, or ADDRESS:PORT */
	CONF_NAME,		/* "" or as of a host */
	CONF_MAIL,		/* "" or a mail address */
	CONF_MOUNT,
	CONF_URL,		/* "" or http(s)://... */
	CONF_NETS,		/* networks by comma, "unix" */
	CONF_CRON,		/* see cron.h */
	CONF_ZONE,		/* IANA name, known on this machine */
	CONF_CHOICE,		/* one of .choices, separated by '|' */
	CONF_INT,
	CONF_BYTES,
	CONF_SECONDS,		/* bare number: seconds; stored as ms */
	CONF_MS			/* bare number: ms */
};

/** One row of the table. */
struct conf_setting {
	const char *name;	/* queue_timeout_s */
	enum conf_type type;
	size_t offset;		/* in struct conf */
	const char *def;	/* default as it would stand in the file */
	int64_t min, max;	/* of what is stored; of text: its length */
	const char *choices;	/* CONF_CHOICE and what CONF_STRING allows,
				   where "x:/path" is x: and any path */
	bool or_zero;		/* 0 will do, too */
	bool reloadable;	/* SIGHUP takes it over */
	bool from_file;		/* LEASEHOLD_NAME_FILE may name a file */
	const char *help;	/* one or two sentences, with the unit */
};

/** conf_settings(n): Borrow the table; *${n} rows. */
const struct conf_setting *conf_settings(size_t *n);

/** conf_find(name): Borrow its row of the table; NULL: there is none. */
const struct conf_setting *conf_find(const char *name);

/** conf_section(s): What ${s} of the table is about: "places", "money" ... */
const char *conf_section(const struct conf_setting *s);

/** Where a value is from; each wins over those before it. */
enum conf_source {
	CONF_FROM_DEFAULT,
	CONF_FROM_FILE,
	CONF_FROM_VARIABLE_FILE,	/* a file that a variable names */
	CONF_FROM_VARIABLE		/* both variables at once are refused */
};

/** conf_source(conf, s, line): Where ${conf}, of conf_load or conf_parse, has
 * ${s} from; of the config file with its ${line}, which may be NULL. */
enum conf_source conf_source(const struct conf *conf,
    const struct conf_setting *s, int *line);

/* Longer than any setting's name, and than its variable's. */
#define CONF_NAME_SIZE	64

/** conf_place(conf, setting, out): Where ${conf} has the setting of that name
 * from, for people: "line 3" of the config file, "LEASEHOLD_STORE", "the
 * default".  Returns ${out}. */
const char *conf_place(const struct conf *conf, const char *setting,
    char out[CONF_NAME_SIZE]);

/** conf_variable(s, source, out, len): "LEASEHOLD_STORE" for ${s}, or with
 * CONF_FROM_VARIABLE_FILE "LEASEHOLD_STORE_FILE". */
void conf_variable(const struct conf_setting *s, enum conf_source source,
    char *out, size_t len);

/**
 * conf_unknown_variable(environment, at, meant):
 * The next entry "NAME=VALUE" from *${at} on that begins with LEASEHOLD_ and
 * that nothing reads; NULL: there is no more.  *${at} begins at 0.  *${meant}
 * is the setting that it was probably meant for, or NULL.
 */
const char *conf_unknown_variable(const char *const *environment, size_t *at,
    const struct conf_setting **meant);

/** conf_default_path(): What is read without --config; static.
 * conf_path(path): ${path} if it is not NULL, else $LEASEHOLD_CONFIG or
 * that. */
const char *conf_default_path(void);
const char *conf_path(const char *path);

/**
 * conf_load(path, err):
 * Read file and environment.  ${path} NULL: $LEASEHOLD_CONFIG, else the
 * default path, which alone may be missing: then there are only defaults and
 * the environment.  On a bad line NULL with ${err} naming file, line, setting
 * and what is allowed.  conf_parse does it for text in memory; ${name} stands
 * for the file in messages, and the environment is left out.
 */
struct conf *conf_load(const char *path, struct err *err);
struct conf *conf_parse(const char *name, const char *text, size_t len,
    struct err *err);
void conf_free(struct conf *conf);

/**
 * conf_reload(live, path, err):
 * Read again and take over reloadable settings alone; texts among them are
 * freed and replaced.  0, or -1 with ${live} unchanged.
 */
int conf_reload(struct conf *live, const char *path, struct err *err)
    __attribute__((__warn_unused_result__));

/** conf_format(conf, s, buf, len): ${s}'s value as the file would say it. */
void conf_format(const struct conf *conf, const struct conf_setting *s,
    char *buf, size_t len);

/** conf_allowed(s, buf, len): What ${s} may be: "1 to 16", "full, normal". */
void conf_allowed(const struct conf_setting *s, char *buf, size_t len);

/**
 * conf_write_table(out, format, err):
 * Write all settings with default, range and help: ${format} "text" for
 * --help, or "mdoc", a list for leasehold.conf(5).  0, or -1.
 */
int conf_write_table(FILE *out, const char *format, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !BASE_CONF_H_ */
