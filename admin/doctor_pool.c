#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/address.h"
#include "base/conf.h"
#include "base/err.h"

#include "doctor.h"
#include "doctor_access.h"
#include "status.h"

#define WHY_SIZE	400

/* Beats this old are late, whatever dead_after_s says. */
#define BEAT_LATE_MS	5000

/* A listener of this host, or of its network, answers at once. */
#define CONNECT_S	3

/* ---- sockets ---- */

/* One of the two pools, as it is started. */
struct pool_kind {
	const char *kind;
	const char *program;
	const char *path;	/* or ADDRESS:PORT */
	int64_t processes;
};

static struct pool_kind
relay_kind(const struct conf *conf)
{

	return ((struct pool_kind) { "relay", "leasehold-relay.fcgi",
	    conf->relay_socket, conf->relay_processes });
}

static struct pool_kind
admin_kind(const struct conf *conf)
{

	return ((struct pool_kind) { "admin", "leasehold-admin.fcgi",
	    conf->admin_socket, conf->admin_processes });
}

/* Put the words that have spawn-fcgi bind a pool's socket. */
static void
bind_words(const struct pool_kind *k, char *out, size_t size)
{
	const char *colon = strrchr(k->path, ':'), *host = k->path;
	int len;

	if (k->path[0] == '/' || colon == NULL) {
		(void)snprintf(out, size, "-s %s -M 0660 -U www-data",
		    k->path);
		return;
	}
	len = (int)(colon - host);
	if (host[0] == '[') {
		host++;
		len -= 2;
	}
	(void)snprintf(out, size, "-a %.*s -p %s", len, host, colon + 1);
}

/* How the pool is started; -U and -M are for the web server. */
static void
remedy_start(struct doctor_finding *f, const struct pool_kind *k)
{
	char words[256];

	bind_words(k, words, sizeof(words));
	finding_remedy(f, "start_pool", "Start the pool: `systemctl start "
	    "leasehold.target' where systemd runs it, else\n"
	    "    spawn-fcgi %s -u leasehold -g leasehold -- "
	    "/usr/bin/multiwatch -f %lld -r 2000000000 -- %s/%s\n"
	    "-u and -g are the responders' user%s.", words,
	    (long long)k->processes, LIBEXECDIR, k->program,
	    k->path[0] != '/' ? "" : ", -U (or -G) the web server's, which "
	    "must be able to write to the socket");
}

/* Connect: 0, or errno.  A host that does not answer is not waited for long. */
static int
try_connect(const struct address *a)
{
	const struct timeval patience = { .tv_sec = CONNECT_S };
	int fd, rc;

	fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC |
	    (a->is_unix ? SOCK_NONBLOCK : 0), 0);
	if (fd == -1)
		return (errno);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof(patience));
	rc = connect(fd, (const struct sockaddr *)&a->sa, a->len) == 0 ?
	    0 : errno;
	close(fd);
	return (rc == EINPROGRESS ? ETIMEDOUT : rc);
}

/* No connection came about: why, and what to do. */
static void
judge_connect(struct doctor_finding *f, const struct pool_kind *k, int error,
    const char *described)
{

	switch (error) {
	case ECONNREFUSED:
		finding_set(f, DOCTOR_FAIL, "refused", "%s: connection "
		    "refused: the socket is there, but no responder listens "
		    "behind it", k->path);
		finding_remedy(f, "left_over", "It was left over from a pool "
		    "that has ended.");
		remedy_start(f, k);
		break;
	case EACCES:
		finding_set(f, DOCTOR_WARN, "denied_to_you", "%s: permission "
		    "denied to you (%s)", k->path, described);
		finding_remedy(f, "as_it_should", "This is as it should be "
		    "unless you are the web server's user; run doctor as root, "
		    "or as that user, to look further.");
		break;
	case EAGAIN:
		finding_set(f, DOCTOR_FAIL, "queue_full", "%s: its queue is "
		    "full: the responders do not accept", k->path);
		finding_remedy(f, "stopped_pool", "They are stopped, or at "
		    "streams_max: see `leasehold status'.");
		break;
	default:
		finding_set(f, DOCTOR_FAIL, "path_failed", "%s: %s", k->path,
		    strerror(error));
		remedy_start(f, k);
		break;
	}
}

/* Users that web servers run as, on one system or another. */
static const char *const web_users[] = {
	"www-data", "nginx", "apache", "caddy", "http", "_nginx", "wwwrun"
};

/* Names of the web servers' users of this host, and whether one of them may
 * write to the socket.  True if it is so, or none is known. */
static bool
web_server_may(const char *path, char *who, size_t size, char *why)
{
	struct access_user u;
	bool known = false;
	uid_t uid;
	size_t i;

	for (i = 0; i < sizeof(web_users) / sizeof(web_users[0]); i++) {
		if (access_user_find(web_users[i], &uid) == -1)
			continue;
		known = true;
		access_user_init(&u, uid);
		(void)snprintf(who, size, "%s", u.name);
		if (access_path(&u, path, W_OK, why, WHY_SIZE) == 0)
			return (true);
	}
	return (!known);
}

/* A port has no owner: who can reach it can speak for the web server. */
static void
check_tcp(struct doctor_finding *f, const struct pool_kind *k,
    const struct address *a)
{
	int error = try_connect(a);

	if (error != 0) {
		finding_set(f, DOCTOR_FAIL, "path_failed", "%s: %s", k->path,
		    strerror(error));
		remedy_start(f, k);
	} else if (a->loopback) {
		finding_set(f, DOCTOR_OK, "open_to_host", "%s takes "
		    "connections, of anyone on this host", k->path);
	} else {
		finding_set(f, DOCTOR_WARN, "open_to_others", "%s takes "
		    "connections, perhaps of other hosts too", k->path);
		finding_remedy(f, "firewall", "Whoever connects can claim any "
		    "client address, and FastCGI is not encrypted: let a "
		    "firewall leave the port to the web server's host, or bind "
		    "127.0.0.1.");
	}
}

static void
check_socket(const struct doctor *d, struct doctor_finding *f,
    const struct pool_kind *k)
{
	char described[256], who[64] = "", why[WHY_SIZE];
	struct address a;
	struct stat st;
	int error;

	if (address_parse(k->path, &a) == 0 && !a.is_unix) {
		check_tcp(f, k, &a);
		return;
	}

	if (stat(k->path, &st)) {
		finding_set(f, DOCTOR_FAIL, "path_failed", "%s: %s", k->path,
		    strerror(errno));
		remedy_start(f, k);
		return;
	}
	access_describe(&st, described, sizeof(described));
	if (!S_ISSOCK(st.st_mode)) {
		finding_set(f, DOCTOR_FAIL, "no_socket", "%s is not a socket "
		    "(%s)", k->path, described);
		finding_remedy(f, "take_away", "Take it away, or change "
		    "%s_socket.", k->kind);
	} else if ((error = try_connect(&a)) != 0) {
		judge_connect(f, k, error, described);
	} else if ((st.st_mode & 02) != 0) {
		finding_set(f, DOCTOR_WARN, "open_to_all", "%s takes "
		    "connections, of anyone on this host (%s)", k->path,
		    described);
		finding_remedy(f, "bind_socket", "Whoever connects can claim "
		    "any client address: spawn-fcgi -M 0660 with -U or -G for "
		    "the web server's user.");
	} else if (geteuid() == 0 && d->uid != geteuid() &&
	    !web_server_may(k->path, who, sizeof(who), why)) {
		finding_set(f, DOCTOR_WARN, "closed_to_web", "%s takes "
		    "connections, but not of the web server: %s", k->path, why);
		finding_remedy(f, "give_socket", "spawn-fcgi -U %s -M 0660, or "
		    "for now:\n"
		    "    chown %s %s", who, who, k->path);
	} else {
		finding_set(f, DOCTOR_OK, "takes", "%s takes connections (%s)",
		    k->path, described);
	}
}

static void
check_relay_socket(struct doctor *d, struct doctor_finding *f)
{
	const struct pool_kind k = relay_kind(d->conf);

	check_socket(d, f, &k);
}

static void
check_admin_socket(struct doctor *d, struct doctor_finding *f)
{
	const struct pool_kind k = admin_kind(d->conf);

	check_socket(d, f, &k);
}

/* ---- responders ---- */

struct beats {
	long long alive, draining, late, last_pid;
	bool other_version;
};

static void
count_beats(const json_t *responders, int64_t late_ms, struct beats *b)
{
	const char *version, *kind;
	const json_t *row;
	size_t i;

	json_array_foreach(responders, i, row) {
		kind = json_string_value(json_object_get(row, "kind"));
		if (kind == NULL || strcmp(kind, "relay") != 0)
			continue;
		version = json_string_value(json_object_get(row, "version"));
		if (json_integer_value(json_object_get(row, "beat_age_ms")) >
		    late_ms) {
			b->late++;
			b->last_pid = json_integer_value(
			    json_object_get(row, "pid"));
		} else if (json_is_true(json_object_get(row, "draining"))) {
			b->draining++;
		} else {
			b->alive++;
			b->other_version |= version == NULL ||
			    strcmp(version, PACKAGE_VERSION) != 0;
		}
	}
}

static void
judge_beats(struct doctor *d, struct doctor_finding *f,
    const struct beats *b)
{
	const struct pool_kind k = relay_kind(d->conf);

	finding_set(f, DOCTOR_OK, "alive", "%lld of %lld relay responders are "
	    "alive, %lld draining, %lld not heard of", b->alive,
	    (long long)k.processes, b->draining, b->late);
	if (b->late > 0) {
		f->verdict = DOCTOR_WARN;
		finding_remedy(f, "silent_responder", "Process %lld has not "
		    "said that it is alive for long: it is stopped, or cannot "
		    "reach the database; see its log.", b->last_pid);
	}
	if (b->other_version) {
		f->verdict = DOCTOR_WARN;
		finding_remedy(f, "other_version", "Some run another version "
		    "than this command (" PACKAGE_VERSION "): start them "
		    "anew.");
	}
	if (b->alive == 0) {
		f->verdict = DOCTOR_FAIL;
		remedy_start(f, &k);
	} else if (b->alive < k.processes && f->verdict == DOCTOR_OK) {
		f->verdict = DOCTOR_WARN;
		finding_remedy(f, "too_few", "Fewer than relay_processes says: "
		    "the log tells whether they end again after their start.");
	}
}

static void
check_responders(struct doctor *d, struct doctor_finding *f)
{
	struct err err = { .code = ERR_NONE };
	struct beats b = { 0 };
	int64_t late_ms = d->conf->dead_after_ms;
	json_t *status;

	if (late_ms > BEAT_LATE_MS)
		late_ms = BEAT_LATE_MS;
	if (late_ms < 3 * d->conf->beat_interval_ms)
		late_ms = 3 * d->conf->beat_interval_ms;
	if ((status = status_get(d->store, &err)) == NULL) {
		finding_set(f, DOCTOR_FAIL, "query_failed", "%s", err.text);
		return;
	}
	count_beats(json_object_get(status, "responders"), late_ms, &b);
	json_decref(status);
	judge_beats(d, f, &b);
}

#define STORE	(DOCTOR_CONF | DOCTOR_STORE)

const struct doctor_check doctor_pool_checks[] = {
	{ "relay_socket", "relay socket", DOCTOR_CONF, check_relay_socket },
	{ "admin_socket", "admin socket", DOCTOR_CONF, check_admin_socket },
	{ "responders", "responders", STORE, check_responders },
	{ "jobs", "jobs", STORE, doctor_jobs },
	{ "mail", "e-mail", STORE, doctor_mail },
	{ .name = NULL }
};
