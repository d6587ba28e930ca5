#include <string.h>

#include "base/conf.h"
#include "base/conf_internal.h"
#include "base/cron.h"
#include "base/zone.h"

/* Ranges: of what is stored, so milliseconds and bytes. */
#define SECOND	INT64_C(1000)
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)
#define KB	INT64_C(1024)
#define MB	(1024 * KB)
#define GB	(1024 * MB)

/* The kernel's PATH_MAX, and what fits into sun_path, without the NUL. */
#define PATH_LEN	4095
#define SOCKET_LEN	107

/* Claude Code waits 300 s for the first byte and Node for the head (measured):
 * before that a status code is worth more.  A build for tests has a shorter
 * one. */
#ifndef CONF_EARLY_PING_MIN_MS
#define CONF_EARLY_PING_MIN_MS	(200 * SECOND)
#endif

#define FIELD(f)	.offset = offsetof(struct conf, f)

static const struct conf_setting settings[] = {
	/* where things are */
	{ .name = "store", .type = CONF_STORE, FIELD(store),
	  .def = "sqlite:" LOCALSTATEDIR "/lib/leasehold/leasehold.db",
	  .min = 1, .max = PATH_LEN, .from_file = true,
	  .help = "The database: a file, or a MySQL or MariaDB server as "
	      "mysql://USER@HOST[:PORT]/DATABASE, behind it ?socket=/path, "
	      "ca=/path (TLS, checked with it), password_file=/path or "
	      "tls=off (plain TCP to another host), with & between; without "
	      "a file the password is that of LEASEHOLD_STORE_PASSWORD, or "
	      "the first line of the file that LEASEHOLD_STORE_PASSWORD_FILE "
	      "names." },
	{ .name = "master_key_file", .type = CONF_PATH, FIELD(master_key_file),
	  .def = SYSCONFDIR "/leasehold/master.key", .min = 1, .max = PATH_LEN,
	  .help = "File of the master keys, which upstream credentials are "
	      "sealed under; mode 0600." },
	{ .name = "run_dir", .type = CONF_PATH, FIELD(run_dir),
	  .def = "/run/leasehold", .min = 1, .max = 80,
	  .help = "Folder of lock files and wake-up sockets of the "
	      "responders." },
	{ .name = "host_name", .type = CONF_NAME, FIELD(host_name),
	  .def = "", .max = 120,
	  .help = "What this host is called where several share a database; "
	      "empty: the machine's own name.  Pools that do not see each "
	      "other's run_dir (two containers of one machine, say) are two "
	      "hosts and need two names." },
	{ .name = "spool_dir", .type = CONF_PATH, FIELD(spool_dir),
	  .def = LOCALSTATEDIR "/lib/leasehold/spool", .min = 1, .max = 255,
	  .help = "Folder where each relay responder keeps on disk what it "
	      "has to settle while the database cannot be used; it must "
	      "outlive a restart, and may lie on another file system than "
	      "the database." },
	{ .name = "mount", .type = CONF_MOUNT, FIELD(mount),
	  .def = "", .max = 255,
	  .help = "Path that the web server mounts the relay under, without "
	      "a slash at its end; empty: the top." },
	{ .name = "public_url", .type = CONF_URL, FIELD(public_url),
	  .def = "", .max = 1023,
	  .help = "How clients reach the relay, with the mount; doctor and "
	      "hints use it." },
	{ .name = "log", .type = CONF_STRING, FIELD(log),
	  .def = "stderr", .min = 1, .max = PATH_LEN,
	  .choices = "stderr|syslog|file:/path",
	  .help = "Where log lines go; a file is opened anew on SIGHUP." },
	{ .name = "log_level", .type = CONF_CHOICE, FIELD(log_level),
	  .def = "info", .choices = "error|warn|info|debug",
	  .reloadable = true,
	  .help = "Lines of this level and above are logged." },
	{ .name = "access_log", .type = CONF_STRING, FIELD(access_log),
	  .def = "off", .min = 1, .max = PATH_LEN,
	  .choices = "off|stderr|syslog|file:/path",
	  .help = "Where each request that is over gets a line of JSON: "
	      "time, route, status, bytes, times, key, account, model, "
	      "tokens, cost and others, see leasehold-relay.fcgi(8); a file "
	      "is opened anew on SIGHUP." },
	{ .name = "ca_file", .type = CONF_PATH, FIELD(ca_file),
	  .def = "", .max = PATH_LEN,
	  .help = "Certificates that upstreams are checked against; empty: "
	      "those of the system." },
	{ .name = "trusted_proxies", .type = CONF_NETS,
	  FIELD(trusted_proxies),
	  .def = "", .max = 2000, .reloadable = true,
	  .help = "Proxies before the web server whose X-Forwarded-For is "
	      "believed: a client's address is REMOTE_ADDR, or, where that "
	      "is one of these, the right-most entry of the header that is "
	      "not.  unix stands for peers without an address, which came "
	      "over a Unix socket.  Not for the web server itself." },
	{ .name = "record_address", .type = CONF_CHOICE,
	  FIELD(record_address),
	  .def = "full", .choices = "full|none", .reloadable = true,
	  .help = "Whether the ledger row of a request, and its line in the "
	      "access log, have the client's address, which is personal "
	      "data in many places; it is deleted with the row "
	      "(ledger_keep_days)." },
	{ .name = "trace_context", .type = CONF_CHOICE,
	  FIELD(trace_context),
	  .def = "pass", .choices = "pass|make|off", .reloadable = true,
	  .help = "What becomes of the traceparent and tracestate (W3C) of a "
	      "request: pass keeps its trace and goes on upstream with a "
	      "parent id of the relay's own, make begins a trace where there "
	      "is none, off takes no notice and sends none.  The trace id "
	      "stands in the log." },
	{ .name = "relay_socket", .type = CONF_SOCKET, FIELD(relay_socket),
	  .def = "/run/leasehold/relay.sock", .min = 1, .max = SOCKET_LEN,
	  .help = "Socket of the relay responders, as spawn-fcgi binds it: a "
	      "path, or for TCP an address and port such as "
	      "127.0.0.1:9000." },
	{ .name = "admin_socket", .type = CONF_SOCKET, FIELD(admin_socket),
	  .def = "/run/leasehold/admin.sock", .min = 1, .max = SOCKET_LEN,
	  .help = "Socket of the admin responder." },
	{ .name = "relay_processes", .type = CONF_INT, FIELD(relay_processes),
	  .def = "2", .min = 1, .max = 256,
	  .help = "Relay responders that are started; one a core is "
	      "plenty." },
	{ .name = "admin_processes", .type = CONF_INT, FIELD(admin_processes),
	  .def = "1", .min = 1, .max = 64,
	  .help = "Admin responders that are started." },
	{ .name = "admin_threads", .type = CONF_INT, FIELD(admin_threads),
	  .def = "4", .min = 1, .max = 64,
	  .help = "Threads of one admin responder." },
	{ .name = "routes", .type = CONF_CHOICE, FIELD(routes),
	  .def = "all", .choices = "all|relay|admin", .reloadable = true,
	  .help = "What the responders of this host serve: all, model calls "
	      "and what else takes a client's key (relay), or administration "
	      "alone (admin); the rest is answered 404.  Jobs run in any "
	      "case." },
	{ .name = "admin_from", .type = CONF_NETS, FIELD(admin_from),
	  .def = "", .max = 2000, .reloadable = true,
	  .help = "Networks (10.0.0.0/8, 2001:db8::/32, by comma) that "
	      "administration is open to, by the client's address (see "
	      "trusted_proxies), unix for clients of the web server that "
	      "have none; empty: all.  Others are answered 403.  What takes "
	      "a client's key is open to all." },

	{ .name = "metrics_from", .type = CONF_NETS, FIELD(metrics_from),
	  .def = "127.0.0.0/8, ::1", .max = 2000, .reloadable = true,
	  .help = "Networks that may read /metrics without a token, by the "
	      "client's address (see trusted_proxies), unix for clients of "
	      "the web server that have none; empty: nobody.  Others need "
	      "an operator's token, from where administration is open.  A "
	      "request that bears X-Forwarded-For or Forwarded from a peer "
	      "that is none of trusted_proxies needs one as well." },
	{ .name = "registration", .type = CONF_CHOICE, FIELD(registration),
	  .def = "invited", .choices = "invited|open",
	  .help = "Who may make a user of their own on the admin pages: "
	      "whoever has an invitation, or anybody." },
	{ .name = "sign_in_idle_s", .type = CONF_SECONDS,
	  FIELD(sign_in_idle_ms),
	  .def = "43200", .min = MINUTE, .max = 30 * DAY,
	  .help = "A browser that was not used for so long has to sign in "
	      "again." },
	{ .name = "sign_in_max_s", .type = CONF_SECONDS,
	  FIELD(sign_in_max_ms),
	  .def = "604800", .min = MINUTE, .max = 365 * DAY,
	  .help = "So long after it signed in a browser has to do so again, "
	      "however much it was used." },

	/* bounds */
	{ .name = "body_max_bytes", .type = CONF_BYTES, FIELD(body_max_bytes),
	  .def = "32M", .min = 1 * KB, .max = 1 * GB, .reloadable = true,
	  .help = "Longest request body; a longer one is answered 413." },
	{ .name = "upload_max_bytes", .type = CONF_BYTES,
	  FIELD(upload_max_bytes),
	  .def = "64M", .min = 1 * KB, .max = 1 * GB, .reloadable = true,
	  .help = "Longest body of a new batch or file; a longer one is "
	      "answered 413.  It is kept in memory until it has gone "
	      "upstream, and counts against bodies_max_bytes.  Upstreams take "
	      "batches of 256 MB and files of 500 MB." },
	{ .name = "bodies_max_bytes", .type = CONF_BYTES,
	  FIELD(bodies_max_bytes),
	  .def = "256M", .min = 1 * KB, .max = 64 * GB, .reloadable = true,
	  .help = "All request bodies that one relay responder keeps; beyond "
	      "it new requests are answered 503." },
	{ .name = "streams_max", .type = CONF_INT, FIELD(streams_max),
	  .def = "4096", .min = 1, .max = 65536,
	  .help = "Open requests of one relay responder; beyond it no more "
	      "are accepted." },
	{ .name = "queue_max", .type = CONF_INT, FIELD(queue_max),
	  .def = "1000", .min = 0, .max = 100000, .reloadable = true,
	  .help = "Requests that wait for an account, in the whole pool; 0: "
	      "none does.  Beyond it a key still finds room that has fewer "
	      "waiting than queue_max / keys that wait, as long as less than "
	      "twice as many wait in all: no key can keep the others out." },
	{ .name = "attempts_max", .type = CONF_INT, FIELD(attempts_max),
	  .def = "4", .min = 1, .max = 16, .reloadable = true,
	  .help = "Tries upstream for one request." },
	{ .name = "reserve_slice_tokens", .type = CONF_INT,
	  FIELD(reserve_slice_tokens),
	  .def = "2048", .min = 64, .max = 1000000, .reloadable = true,
	  .help = "Output that a stream reserves at a time on its elastic "
	      "budgets, and that one may be overrun by." },

	/* times */
	{ .name = "queue_timeout_s", .type = CONF_SECONDS,
	  FIELD(queue_timeout_ms),
	  .def = "60", .min = 0, .max = HOUR, .reloadable = true,
	  .help = "How long a request waits for an account." },
	{ .name = "affinity_ttl_s", .type = CONF_SECONDS,
	  FIELD(affinity_ttl_ms),
	  .def = "3600", .min = 0, .max = DAY, .reloadable = true,
	  .help = "So long after its last request a session keeps its "
	      "account, which holds its prompt cache; at least an hour where "
	      "the client asks for caches that last one.  0: requests go to "
	      "any account." },
	{ .name = "affinity_wait_ms", .type = CONF_MS,
	  FIELD(affinity_wait_ms),
	  .def = "10000", .min = 0, .max = 5 * MINUTE, .reloadable = true,
	  .help = "How long a request waits for its session's account when "
	      "that is busy, rather than go to another and lose 32,768 "
	      "cached tokens or more; proportionally less for less, not at all "
	      "for less than 1,024, and never longer than half of "
	      "queue_timeout_s." },
	{ .name = "attempt_budget_s", .type = CONF_SECONDS,
	  FIELD(attempt_budget_ms),
	  .def = "120", .min = 0, .max = HOUR, .reloadable = true,
	  .help = "So long after its first attempt a request may begin "
	      "another." },
	{ .name = "connect_timeout_s", .type = CONF_SECONDS,
	  FIELD(connect_timeout_ms),
	  .def = "10", .min = 10, .max = 5 * MINUTE, .reloadable = true,
	  .help = "Name look-up, connection and TLS handshake with an "
	      "upstream." },
	{ .name = "first_byte_timeout_s", .type = CONF_SECONDS,
	  FIELD(first_byte_timeout_ms),
	  .def = "300", .min = 10, .max = DAY, .reloadable = true,
	  .help = "First byte of a stream from an upstream." },
	{ .name = "idle_timeout_s", .type = CONF_SECONDS,
	  FIELD(idle_timeout_ms),
	  .def = "300", .min = 10, .max = DAY, .reloadable = true,
	  .help = "Longest silence of an upstream within a stream." },
	{ .name = "plain_timeout_s", .type = CONF_SECONDS,
	  FIELD(plain_timeout_ms),
	  .def = "600", .min = 10, .max = DAY, .reloadable = true,
	  .help = "Whole of a call that is not a stream." },
	{ .name = "client_read_timeout_s", .type = CONF_SECONDS,
	  FIELD(client_read_timeout_ms),
	  .def = "60", .min = 10, .max = HOUR, .reloadable = true,
	  .help = "Longest silence while a request comes in." },
	{ .name = "client_write_timeout_s", .type = CONF_SECONDS,
	  FIELD(client_write_timeout_ms),
	  .def = "300", .min = 10, .max = DAY, .reloadable = true,
	  .help = "So long a client may take no byte of its answer." },
	{ .name = "ping_interval_s", .type = CONF_SECONDS,
	  FIELD(ping_interval_ms),
	  .def = "15", .min = 0, .max = HOUR, .reloadable = true,
	  .help = "A silent stream gets a ping so often, which keeps proxies "
	      "from giving up, and by which Apache and Caddy find out that "
	      "the client left; 0: none." },
	{ .name = "early_ping_s", .type = CONF_SECONDS,
	  FIELD(early_ping_ms), .or_zero = true,
	  .def = "0", .min = CONF_EARLY_PING_MIN_MS, .max = HOUR,
	  .reloadable = true,
	  .help = "A stream that has waited for an account for so long is "
	      "opened, and kept alive by pings, before there is an answer, "
	      "as clients give up after 300 to 360 s without a byte.  The "
	      "price is the status code: what fails after that is told by an "
	      "error event, which clients act on less well.  Of use only "
	      "where queue_timeout_s is longer; 0: never." },
	{ .name = "disconnect_drain_s", .type = CONF_SECONDS,
	  FIELD(disconnect_drain_ms),
	  .def = "0", .min = 0, .max = HOUR, .reloadable = true,
	  .help = "When a client leaves in the middle of its answer, the "
	      "upstream may go on for so long, so that its usage is known "
	      "and not estimated; 0: it is cancelled at once.  A key can "
	      "have its own." },
	{ .name = "drain_s", .type = CONF_SECONDS, FIELD(drain_ms),
	  .def = "60", .min = 0, .max = DAY, .reloadable = true,
	  .help = "Running requests may go on for so long after SIGTERM." },
	{ .name = "beat_interval_ms", .type = CONF_MS, FIELD(beat_interval_ms),
	  .def = "1000", .min = 50, .max = 10 * SECOND,
	  .help = "How often a responder says that it is alive." },
	{ .name = "dead_after_s", .type = CONF_SECONDS, FIELD(dead_after_ms),
	  .def = "15", .min = 200, .max = 10 * MINUTE,
	  .help = "A responder on another host is dead when it has not said "
	      "so for this long." },
	{ .name = "grant_timeout_ms", .type = CONF_MS, FIELD(grant_timeout_ms),
	  .def = "2000", .min = 50, .max = MINUTE,
	  .help = "A slot granted to a waiting request goes to the next one "
	      "when not taken up by then." },

	/* cooldowns */
	{ .name = "cooldown_rate_s", .type = CONF_SECONDS,
	  FIELD(cooldown_rate_ms),
	  .def = "60", .min = 0, .max = DAY, .reloadable = true,
	  .help = "An account rests so long after 429, where the upstream "
	      "does not say." },
	{ .name = "cooldown_auth_s", .type = CONF_SECONDS,
	  FIELD(cooldown_auth_ms),
	  .def = "300", .min = 0, .max = DAY, .reloadable = true,
	  .help = "An account rests so long after 401 or 402." },
	{ .name = "cooldown_overload_s", .type = CONF_SECONDS,
	  FIELD(cooldown_overload_ms),
	  .def = "30", .min = 0, .max = DAY, .reloadable = true,
	  .help = "An account rests so long after 529 or 503, where the "
	      "upstream does not say." },
	{ .name = "cooldown_error_s", .type = CONF_SECONDS,
	  FIELD(cooldown_error_ms),
	  .def = "10", .min = 0, .max = DAY, .reloadable = true,
	  .help = "An account rests so long after 403, another 5xx or a "
	      "broken connection." },
	{ .name = "cooldown_max_s", .type = CONF_SECONDS,
	  FIELD(cooldown_max_ms),
	  .def = "3600", .min = SECOND, .max = 7 * DAY, .reloadable = true,
	  .help = "The rests above double with each failure that follows the "
	      "last rest, more or less a tenth, up to this." },
	{ .name = "half_open_s", .type = CONF_SECONDS, FIELD(half_open_ms),
	  .def = "30", .min = SECOND, .max = HOUR, .reloadable = true,
	  .help = "After a rest one request at a time probes an account, and "
	      "the others wait for what comes of it; a stream that probes "
	      "must begin within so long." },
	{ .name = "refresh_ahead_s", .type = CONF_SECONDS,
	  FIELD(refresh_ahead_ms),
	  .def = "600", .min = SECOND, .max = 24 * HOUR, .reloadable = true,
	  .help = "The access token of an OAuth account is renewed so long "
	      "before it ends, but not before three quarters of its life." },

	/* money */
	{ .name = "unpriced", .type = CONF_CHOICE, FIELD(unpriced),
	  .def = "allow", .choices = "refuse|allow|default",
	  .reloadable = true,
	  .help = "Whether a model without a price may be called.  A key "
	      "with a budget in money never may call one, unless the default "
	      "price is used, that of the pattern *." },
	{ .name = "implausible", .type = CONF_CHOICE, FIELD(implausible),
	  .def = "bound", .choices = "bound|charge", .reloadable = true,
	  .help = "What is charged when an upstream states usage that cannot "
	      "be true: what is possible at the most, or what it states.  "
	      "The request is marked either way." },

	/* retention */
	{ .name = "ledger_keep_days", .type = CONF_INT,
	  FIELD(ledger_keep_days),
	  .def = "0", .min = 0, .max = 36500, .reloadable = true,
	  .help = "Days after which the job prune deletes requests from the "
	      "ledger; their sums by hour and day stay.  0: never." },
	{ .name = "audit_keep_days", .type = CONF_INT,
	  FIELD(audit_keep_days),
	  .def = "0", .min = 0, .max = 36500, .reloadable = true,
	  .help = "Days after which the job prune deletes rows of the audit "
	      "log.  0: never." },

	/* jobs */
	{ .name = "job_refresh", .type = CONF_CRON, FIELD(job_refresh),
	  .def = "*/5 * * * *", .max = CRON_LENGTH_MAX, .reloadable = true,
	  .help = "When tokens of OAuth accounts are renewed that the relay "
	      "responders, which do it in time, left behind." },
	{ .name = "job_probe", .type = CONF_CRON, FIELD(job_probe),
	  .def = "*/15 * * * *", .max = CRON_LENGTH_MAX, .reloadable = true,
	  .help = "When each account is asked for its list of models, or to "
	      "count tokens where it has none, which costs nothing, to find "
	      "out how it does." },
	{ .name = "job_reap", .type = CONF_CRON, FIELD(job_reap),
	  .def = "*/10 * * * *", .max = CRON_LENGTH_MAX, .reloadable = true,
	  .help = "When requests are closed that dead responders left and no "
	      "other has closed; relay responders do it within seconds." },
	{ .name = "job_rollup", .type = CONF_CRON, FIELD(job_rollup),
	  .def = "15 4 * * *", .max = CRON_LENGTH_MAX, .reloadable = true,
	  .help = "When all sums are made anew from the rows and compared "
	      "with those kept, as `leasehold ledger verify' does." },
	{ .name = "job_latency", .type = CONF_CRON, FIELD(job_latency),
	  .def = "*/2 * * * *", .max = CRON_LENGTH_MAX, .reloadable = true,
	  .help = "When it is counted how long requests took, which reports "
	      "of usage make percentiles of; what is not counted yet they "
	      "read from the ledger." },
	{ .name = "job_prune", .type = CONF_CRON, FIELD(job_prune),
	  .def = "5 * * * *", .max = CRON_LENGTH_MAX, .reloadable = true,
	  .help = "When old requests (ledger_keep_days), budget windows and "
	      "sessions are deleted." },
	{ .name = "job_checkpoint", .type = CONF_CRON, FIELD(job_checkpoint),
	  .def = "35 4 * * *", .max = CRON_LENGTH_MAX, .reloadable = true,
	  .help = "SQLite: when the write-ahead log is copied into the "
	      "database to its end and cut; it is copied as it grows, too." },
	{ .name = "job_backup", .type = CONF_CRON, FIELD(job_backup),
	  .def = "25 3 * * *", .max = CRON_LENGTH_MAX, .reloadable = true,
	  .help = "When the database is copied to a file in backup_dir, "
	      "while all goes on." },
	{ .name = "job_notify", .type = CONF_CRON, FIELD(job_notify),
	  .def = "* * * * *", .max = CRON_LENGTH_MAX, .reloadable = true,
	  .help = "When it is looked whether there is anything to tell the "
	      "targets of notifications, and they are told." },
	{ .name = "job_zone", .type = CONF_ZONE, FIELD(job_zone),
	  .def = "UTC", .min = 1, .max = ZONE_NAME_SIZE - 1,
	  .reloadable = true,
	  .help = "Time zone of the schedules of jobs." },
	{ .name = "job_lease_s", .type = CONF_SECONDS, FIELD(job_lease_ms),
	  .def = "60", .min = SECOND, .max = HOUR, .reloadable = true,
	  .help = "So long after its last sign of life another may take over "
	      "a job that somebody runs." },
	{ .name = "sendmail", .type = CONF_PATH, FIELD(sendmail),
	  .def = "/usr/sbin/sendmail", .max = 255, .reloadable = true,
	  .help = "Program that takes notifications by e-mail on its standard "
	      "input, called as sendmail -i -- ADDRESS; empty: there are "
	      "none." },
	{ .name = "mail_from", .type = CONF_MAIL, FIELD(mail_from),
	  .def = "", .max = 120, .reloadable = true,
	  .help = "Mail address that notifications come from; empty: as "
	      "sendmail has it." },
	{ .name = "backup_dir", .type = CONF_PATH, FIELD(backup_dir),
	  .def = LOCALSTATEDIR "/lib/leasehold/backup",
	  .max = 255, .reloadable = true,
	  .help = "Folder of the backups, made if need be; empty: the job "
	      "backup does nothing." },
	{ .name = "backup_keep", .type = CONF_INT, FIELD(backup_keep),
	  .def = "7", .min = 1, .max = 1000, .reloadable = true,
	  .help = "Backups that are kept; older ones are deleted when a new "
	      "one is whole." },

	/* store */
	{ .name = "sqlite_synchronous", .type = CONF_CHOICE,
	  FIELD(sqlite_synchronous),
	  .def = "full", .choices = "full|normal",
	  .help = "With normal the last moments before a loss of power may "
	      "be gone; it saves one disk flush a batch." },
	{ .name = "store_timeout_s", .type = CONF_SECONDS,
	  FIELD(store_timeout_ms),
	  .def = "5", .min = 50, .max = MINUTE, .reloadable = true,
	  .help = "A database operation not begun by then fails." },
	{ .name = "spool_bytes", .type = CONF_BYTES, FIELD(spool_bytes),
	  .def = "4M", .min = 64 * KB, .max = GB,
	  .help = "Size of a responder's file in spool_dir, allocated at its "
	      "start; a settlement takes some 600 bytes." },
};

#define NSETTINGS	(sizeof(settings) / sizeof(settings[0]))

_Static_assert(sizeof(char *) != sizeof(int64_t) ||
    NSETTINGS * sizeof(int64_t) == sizeof(struct conf),
    "one row for each field of struct conf");
_Static_assert(NSETTINGS <= CONF_SETTINGS_MAX, "room in struct conf_text");

/* Where each part of the table begins. */
static const struct {
	const char *first, *name;
} sections[] = {
	{ "store", "places" },
	{ "body_max_bytes", "bounds" },
	{ "queue_timeout_s", "times" },
	{ "cooldown_rate_s", "cooldowns" },
	{ "unpriced", "money" },
	{ "ledger_keep_days", "retention" },
	{ "job_refresh", "jobs" },
	{ "sqlite_synchronous", "database" },
};

const char *
conf_section(const struct conf_setting *s)
{
	const struct conf_setting *at;
	const char *name = sections[0].name;
	size_t i = 0;

	for (at = settings; at <= s; at++) {
		if (i < sizeof(sections) / sizeof(sections[0]) &&
		    strcmp(at->name, sections[i].first) == 0)
			name = sections[i++].name;
	}
	return (name);
}

const struct conf_setting *
conf_settings(size_t *n)
{

	*n = NSETTINGS;
	return (settings);
}
