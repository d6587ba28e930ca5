#ifndef ADMIN_DOCTOR_H_
#define ADMIN_DOCTOR_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "doctor_judge.h"

struct conf;
struct err;
struct fetch;
struct seal;
struct store;

/**
 * `leasehold doctor': a table of checks, of this host and, given the public
 * URL, through the web server.  Each says how it stands, what was seen, and
 * what to change.  They run in the order of the table; what one of them opens
 * or finds out stands in struct doctor for those that follow.
 */

enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_WARN,		/* works, but not as it should */
	DOCTOR_FAIL,
	DOCTOR_SKIP		/* could not or was not to be looked at */
};

/** A sentence for those who tell it in another language: which it is, and what
 * stands in it, each value ended by a NUL. */
struct doctor_said {
	const char *code;	/* a literal; NULL: nothing was said */
	char values[1024];
	size_t len;
};

#define DOCTOR_REMEDIES	4

struct doctor_finding {
	enum doctor_verdict verdict;
	char seen[640];		/* one line */
	char remedy[3072];	/* lines; "" where there is nothing to do */
	struct doctor_said what;	/* ${seen} */
	struct doctor_said todo[DOCTOR_REMEDIES];	/* ${remedy}, but for
					   what finding_web adds */
	size_t ntodo;
};

/** What a check stands on; without it, it is skipped. */
enum doctor_needs {
	DOCTOR_CONF = 1,
	DOCTOR_STORE = 2,	/* open, and of the right schema */
	DOCTOR_SEAL = 4,
	DOCTOR_URL = 8,
	DOCTOR_REACHED = 16,	/* the relay answers at the URL */
	DOCTOR_PROBES = 32,	/* and takes doctor's token */
	DOCTOR_KEY = 64
};

struct doctor {
	/* what to do */
	const char *config_path;	/* NULL: the default */
	const char *url;		/* NULL or "": public_url */
	bool host_only;
	const char *user;		/* NULL: found out */
	int64_t silence_ms;		/* 0: not tried */
	const char *key;		/* a client key; NULL: none */

	/* what was opened or found out */
	unsigned int have;		/* enum doctor_needs */
	struct conf *conf;
	struct store *store;
	struct seal *seal;
	char base[1024];		/* URL, without a slash at its end */
	uid_t uid;			/* that responders run as */
	bool uid_known;
	enum web_server server;		/* that hands requests to the pool */
	enum web_server front;		/* that answers clients */
	char server_name[128];		/* as it calls itself */
	struct fetch *health;		/* answer of /health */
	struct fetch *echo;		/* answer of the probe `echo' */
};

struct doctor_check {
	const char *name;	/* for machines: "relay_socket" */
	const char *title;	/* for people */
	unsigned int needs;
	void (*run)(struct doctor *d, struct doctor_finding *f);
};

/** The checks, each table ended by a NULL name. */
extern const struct doctor_check doctor_host_checks[];
extern const struct doctor_check doctor_pool_checks[];
extern const struct doctor_check doctor_web_checks[];

/** doctor_jobs(d, f): Do they run, and well?  One of the pool's checks. */
void doctor_jobs(struct doctor *d, struct doctor_finding *f);

/** doctor_mail(d, f): Where somebody is told by e-mail: can it go out?  One of
 * the pool's checks. */
void doctor_mail(struct doctor *d, struct doctor_finding *f);

/** doctor_fini(d): Close and free what was opened. */
void doctor_fini(struct doctor *d);

/** doctor_run(d, check, f): Run one check, or skip it with the reason. */
void doctor_run(struct doctor *d, const struct doctor_check *check,
    struct doctor_finding *f);

/** doctor_word(verdict): "ok", "warn", "fail" or "skip". */
const char *doctor_word(enum doctor_verdict verdict);

/** doctor_json(check, f): {"name", "title", "verdict", "seen", "remedy",
 * "code", "values", "remedies"}; NULL without memory. */
json_t *doctor_json(const struct doctor_check *check,
    const struct doctor_finding *f);

/**
 * doctor_inside(conf_path, err):
 * What those of the host and of the pool find, for a responder: with the eyes
 * of its own user, and nothing sent through the web server.  {"ok", "failed",
 * "warnings", "checks"}; NULL with ${err}.
 */
json_t *doctor_inside(const char *conf_path, struct err *err);

/**
 * finding_set(f, verdict, code, fmt, ...):
 * The verdict, and what was seen.  ${code}, a literal, names the sentence for
 * ever, whatever becomes of its words; htdocs/strings-doctor.js has it in
 * other languages.  ${fmt} has %s, %d, %lld, %llu, %zu and %.1f alone.
 */
void finding_set(struct doctor_finding *f, enum doctor_verdict verdict,
    const char *code, const char *fmt, ...)
    __attribute__((__format__(__printf__, 4, 5)));

/** finding_remedy(f, code, fmt, ...): Add a line, or lines, on what to do. */
void finding_remedy(struct doctor_finding *f, const char *code,
    const char *fmt, ...) __attribute__((__format__(__printf__, 3, 4)));

/** finding_web(f, d, problem): Add how the web server is mended; finding_front,
 * the one in front of it, if there are two. */
void finding_front(struct doctor_finding *f, const struct doctor *d,
    enum web_problem problem);
void finding_web(struct doctor_finding *f, const struct doctor *d,
    enum web_problem problem);

/** doctor_sqlite_path(conf): Path of the database file; NULL: the store is
 * not a file. */
const char *doctor_sqlite_path(const struct conf *conf);

#endif /* !ADMIN_DOCTOR_H_ */
