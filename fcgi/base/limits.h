#ifndef BASE_LIMITS_H_
#define BASE_LIMITS_H_

/**
 * Every maximum of the program that is not a setting, each with its reason.
 */

/* nginx sends at most 4 x 8 KB of header lines, Apache measured 120 KB. */
#define LIMIT_PARAMS_BYTES	(192 * 1024)

/* Params of one request; Claude Code sends some 40 headers. */
#define LIMIT_PARAMS		512

/* One record's content: FastCGI's own bound (16-bit length). */
#define LIMIT_RECORD_BYTES	65535

/* Unsent answer bytes to one client; beyond it the upstream is paused. */
#define LIMIT_CLIENT_OUT_BYTES	(64 * 1024)

/* Reading is resumed when a client's unsent bytes fall to this. */
#define LIMIT_CLIENT_OUT_RESUME	(16 * 1024)

/*
 * A whole plain answer (LIMIT_PLAIN_BODY_BYTES) may be written at once on top
 * of what waits.
 */
#define LIMIT_CLIENT_OUT_MAX_BYTES (4 * 1024 * 1024)

/* What is read at once from a web server's connection, into one buffer a
 * process; a FastCGI record is at most 64 KiB. */
#define LIMIT_READ_BYTES	(64 * 1024)

/* Memory that a request body takes ahead of what has come in, before it takes
 * as much again as it has: one record, and most plain calls. */
#define LIMIT_BODY_STEP_BYTES	(64 * 1024)

/* Rest of a body that was answered early, read so that a kept connection
 * can be used again; beyond it closing is cheaper. */
#define LIMIT_DISCARD_BYTES	(256 * 1024)

/* And before a connection that must be closed is, for web servers that send
 * a whole body before they look at the answer (Caddy): twice what is taken of
 * an upload as shipped, so that one too large is told so. */
#define LIMIT_LINGER_BYTES	(128 * 1024 * 1024)

/*
 * One SSE event held back until it is whole, so that an error event can
 * follow it well-formed.  Larger events pass on as they come.
 */
#define LIMIT_SSE_EVENT_BYTES	(128 * 1024)

/*
 * A plain answer kept whole before it goes to the client; longer ones are
 * passed on as they come.  128k tokens of text are some 0.5 MB.
 */
#define LIMIT_PLAIN_BODY_BYTES	(2 * 1024 * 1024)

/* Answer of a failed attempt that may be passed to the client later. */
#define LIMIT_ERROR_BODY_BYTES	(64 * 1024)

/* Upstream response headers; curl itself stops at 300 KB. */
#define LIMIT_UPSTREAM_HEAD_BYTES (64 * 1024)

/*
 * Upstream transfers begun in one turn of the loop: a new connection costs a
 * TLS handshake of about a millisecond.
 */
#define LIMIT_STARTS_PER_TURN	16

/* Ended transfers kept for reuse, each with a libcurl handle of some 6 KB. */
#define LIMIT_SPARE_TRANSFERS	64

/* Depth of JSON that is accepted; real requests stay below 20. */
#define LIMIT_JSON_DEPTH	512

/* Longest string value kept by the JSON scanner (model, session id). */
#define LIMIT_JSON_VALUE_BYTES	1024

/* Names of accounts, groups, keys, models. */
#define LIMIT_NAME_BYTES	128

/* Operations run in one transaction: bounds how long one batch may take. */
#define LIMIT_BATCH_OPS		256

/* Waiting tickets looked at in one placement. */
#define LIMIT_TICKETS_LOOKED_AT	256

/*
 * Memory for what the requests of one batch hold of budgets.  One request that
 * counts against all budgets there may be (LIMIT_BUDGETS) takes some 20 MB;
 * where a batch does not fit its requests are run by halves.
 */
#define LIMIT_BATCH_BYTES	(64 * 1024 * 1024)

/*
 * Budgets that are switched on, of all keys, users and groups together: each
 * responder has them in memory (some 300 bytes), and what one request holds of
 * them, 65 bytes each, goes into its row in one packet (MariaDB's
 * max_allowed_packet is 16 MB as it comes).
 */
#define LIMIT_BUDGETS		100000

/* Keys remembered by a relay responder between look-ups. */
#define LIMIT_KEY_CACHE		4096

/* One log line. */
#define LIMIT_LOG_LINE_BYTES	2048

/* One line of the access log; names may be 127 bytes long, and escaped. */
#define LIMIT_LOG_JSON_BYTES	8192

/*
 * Log lines waiting for the log thread, some 4,000; what comes beyond is
 * counted lost.
 */
#define LIMIT_LOG_RING_BYTES	(1024 * 1024)

/* Config file. */
#define LIMIT_CONF_BYTES	(256 * 1024)

/* Time zone files; the largest of the database's own is below 4 KB. */
#define LIMIT_ZONE_BYTES	(64 * 1024)

/* A secret read from standard input. */
#define LIMIT_SECRET_BYTES	(16 * 1024)

#endif /* !BASE_LIMITS_H_ */
