#include "config.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "base/seal_token.h"
#include "relay/probe.h"

#include "doctor.h"
#include "doctor_fetch.h"
#include "doctor_time.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define TEXT_SIZE	200

/* How long doctor's requests may take: short ones, a body on a slow line, and
 * a silence beyond its own length. */
#define SHORT_MS	20000
#define BODY_MS		600000
#define SILENCE_MORE_MS	20000

/* A token need only live until its request was begun. */
#define TOKEN_LIFE_S	120

/* The events of the stream; five of them show buffering well. */
#define EVENTS		5
#define GAP_MS		300

/* Sent to see whether it arrives; it is no key. */
#define NO_KEY		"doctor-looks-whether-this-arrives"

/* ---- asking ---- */

/* Send a request; ${more} has up to two header lines.  0, or -1 with ${f}
 * saying why there is nothing to judge. */
static int
ask(const struct doctor *d, const char *path, const char *const more[2],
    int64_t body_bytes, int64_t timeout_ms, struct fetch *answer,
    struct doctor_finding *f)
{
	struct err err = { .code = ERR_NONE };
	char url[sizeof(d->base) + 128], token[SEAL_TOKEN_SIZE];
	char line[sizeof(PROBE_HEADER) + SEAL_TOKEN_SIZE + 2];
	const char *headers[5] = { "content-type: application/octet-stream" };
	const struct fetch_params params = { .url = url, .headers = headers,
	    .body_bytes = body_bytes, .timeout_ms = timeout_ms };
	size_t n = 1, i;

	(void)snprintf(url, sizeof(url), "%s%s", d->base, path);
	if (d->seal != NULL) {
		seal_token_make(d->seal, PROBE_PURPOSE,
		    clock_wall_ms(clock_system()) / 1000 + TOKEN_LIFE_S,
		    token);
		(void)snprintf(line, sizeof(line), "%s: %s", PROBE_HEADER,
		    token);
		headers[n++] = line;
	}
	for (i = 0; more != NULL && i < 2 && more[i] != NULL; i++)
		headers[n++] = more[i];
	headers[n] = NULL;
	if (fetch_run(&params, answer, &err) == 0)
		return (0);
	fetch_fini(answer);
	finding_set(f, DOCTOR_FAIL, "unreachable", "%s", err.text);
	return (-1);
}

static enum answer_from
from(const struct fetch *answer)
{

	return (answer_from((const char *)buf_head(&answer->body),
	    buf_len(&answer->body)));
}

/* Say how a request came to an end that was not the one hoped for. */
static void
tell(struct doctor_finding *f, enum doctor_verdict verdict,
    const struct fetch *answer, const char *what)
{
	static const char *const whose[] = {
		[FROM_RELAY] = "relay",
		[FROM_ADMIN] = "admin responder",
		[FROM_OTHER] = "web server"
	};
	char text[TEXT_SIZE], status[16];

	if (answer->status == 0) {
		finding_set(f, verdict, "no_answer", "%s: no answer after %.1f "
		    "s: %s", what, (double)answer->total_ms / 1000,
		    answer->error);
		return;
	}
	answer_text((const char *)buf_head(&answer->body),
	    buf_len(&answer->body), text, sizeof(text));

	/* The title of a page mostly begins with it. */
	(void)snprintf(status, sizeof(status), "%d ", answer->status);
	if (strncmp(text, status, strlen(status)) == 0)
		status[0] = '\0';
	finding_set(f, verdict, "says", "%s: after %.1f s the %s says %s%s%s%s",
	    what, (double)answer->total_ms / 1000, whose[from(answer)], status,
	    text, answer->error[0] != '\0' ? "; " : "", answer->error);
}

static bool
answered(const struct fetch *answer, int status, enum answer_from whose)
{

	return (answer->curl_code == 0 && answer->status == status &&
	    from(answer) == whose);
}

/* A field of the JSON that a probe answered, copied to ${out}. */
static void
field_text(const struct fetch *answer, const char *name, char *out,
    size_t size)
{
	json_t *j = json_loadb((const char *)buf_head(&answer->body),
	    buf_len(&answer->body), 0, NULL);
	const char *text = json_string_value(json_object_get(j, name));

	(void)snprintf(out, size, "%s", text != NULL ? text : "");
	json_decref(j);
}

static int64_t
field_int(const struct fetch *answer, const char *name)
{
	json_t *j = json_loadb((const char *)buf_head(&answer->body),
	    buf_len(&answer->body), 0, NULL);
	const json_t *v = json_object_get(j, name);
	int64_t value;

	value = json_is_boolean(v) ? json_is_true(v) : json_integer_value(v);
	json_decref(j);
	return (value);
}

/* ---- is it there at all ---- */

/* What to do when there is no HTTP answer, by libcurl's word. */
static const struct {
	CURLcode code;
	const char *remedy;
} unreached[] = {
	{ CURLE_URL_MALFORMAT, "A URL is like https://host.example/claude." },
	{ CURLE_UNSUPPORTED_PROTOCOL,
	    "A URL begins with https:// (or http://)." },
	{ CURLE_COULDNT_RESOLVE_HOST, "The name is not known from this host: "
	    "see its DNS, or /etc/hosts." },
	{ CURLE_COULDNT_CONNECT, "Does the web server run, and listen on that "
	    "address and port?  `ss -ltnp' shows who does." },
	{ CURLE_OPERATION_TIMEDOUT, "A firewall on the way, or a router that "
	    "does not lead its own address back in: run doctor from outside "
	    "too." },
	{ CURLE_PEER_FAILED_VERIFICATION, "Clients will refuse it likewise: "
	    "the certificate must name the host, be in date, and be sent "
	    "with its chain (nginx: ssl_certificate takes the full chain)." },
	{ CURLE_SSL_CONNECT_ERROR, "Is it an HTTPS port at all?" },
	{ CURLE_GOT_NOTHING, "Is it an HTTP port, or one for HTTPS?" },
};

static void
judge_unreached(struct doctor_finding *f, const struct fetch *a)
{
	size_t i;

	for (i = 0; i < NITEMS(unreached); i++) {
		if ((CURLcode)a->curl_code == unreached[i].code)
			finding_remedy(f, "unreached", "%s",
			    unreached[i].remedy);
	}
}

/* Neither responder answered, but the web server or what else is there. */
static void
judge_foreign(const struct doctor *d, struct doctor_finding *f,
    const struct fetch *a)
{

	switch (a->status) {
	case 404:
		finding_web(f, d, WEB_NOT_ROUTED);
		break;
	case 502:
	case 503:
	case 504:
		finding_web(f, d, WEB_DOWN);
		break;
	case 301:
	case 302:
	case 307:
	case 308:
		finding_remedy(f, "moved", "It leads on to %s; give clients "
		    "(and public_url) the place where it ends, as not all of "
		    "them send a POST again.", a->location);
		break;
	case 401:
	case 403:
		finding_remedy(f, "behind_login", "The web server asks for a "
		    "login, or forbids the address: the relay has keys of its "
		    "own, so leave its location open.");
		break;
	default:
		finding_remedy(f, "something_else", "Something else answers "
		    "there.");
		finding_web(f, d, WEB_NOT_ROUTED);
		break;
	}
}

static void
judge_reached(struct doctor *d, struct doctor_finding *f)
{
	const struct fetch *a = d->health;

	tell(f, DOCTOR_FAIL, a, d->base);
	if (a->status == 0) {
		judge_unreached(f, a);
	} else if (from(a) == FROM_ADMIN) {
		finding_web(f, d, WEB_TO_ADMIN);
	} else if (from(a) == FROM_OTHER) {
		judge_foreign(d, f, a);
	} else if (a->status == 404) {
		finding_remedy(f, "other_place", "The relay gets the request, "
		    "but as one that is not under its mount.  In "
		    "leasehold.conf:\n"
		    "    mount = %s\n"
		    "(now \"%s\"), and start the responders anew.",
		    url_path(d->base), d->conf->mount);
	} else {
		d->have |= DOCTOR_REACHED;
		if (a->status == 200)
			finding_set(f, DOCTOR_OK, "leads_to_relay", "%s leads "
			    "to the relay, through %s", d->base,
			    d->server_name);
		else
			finding_remedy(f, "no_database", "The relay is there "
			    "but cannot use its database: its log says why.");
	}
}

static void
check_reach(struct doctor *d, struct doctor_finding *f)
{

	if ((d->health = malloc(sizeof(*d->health))) == NULL) {
		finding_set(f, DOCTOR_FAIL, "out_of_memory", "out of memory");
		return;
	}
	if (ask(d, "/health", NULL, -1, SHORT_MS, d->health, f)) {
		free(d->health);
		d->health = NULL;
		return;
	}
	d->server = d->front = web_server_of(d->health->server);
	(void)snprintf(d->server_name, sizeof(d->server_name), "%s",
	    d->health->server[0] != '\0' ? d->health->server :
	    "a web server without a name");
	judge_reached(d, f);
}

/* ---- what arrives ---- */

/* The echo tells who hands requests to the relay, also behind a proxy. */
static void
take_server(struct doctor *d)
{
	char name[sizeof(d->server_name)];

	field_text(d->echo, "server", name, sizeof(name));
	if (web_server_of(name) == WEB_UNKNOWN)
		return;
	d->server = web_server_of(name);
	(void)snprintf(d->server_name, sizeof(d->server_name), "%s", name);
}

static void
judge_echo(struct doctor *d, struct doctor_finding *f)
{
	const struct fetch *a = d->echo;
	char remote[64], protocol[32];

	if (answered(a, 200, FROM_RELAY)) {
		d->have |= DOCTOR_PROBES;
		take_server(d);
		field_text(a, "remote_addr", remote, sizeof(remote));
		field_text(a, "protocol", protocol, sizeof(protocol));
		finding_set(f, DOCTOR_OK, "passes_on", "%s passes requests on, "
		    "as %s from %s", d->server_name, protocol, remote);
		return;
	}
	tell(f, DOCTOR_FAIL, a, "a probe");
	if (from(a) == FROM_RELAY && a->status == 403)
		finding_remedy(f, "other_key", "The relay does not know "
		    "doctor's token: its master key file is another one, its "
		    "clock is far off, or the URL leads to another "
		    "installation.");
	else if (from(a) == FROM_RELAY)
		finding_remedy(f, "same_version", "Do the responders run this "
		    "version (" PACKAGE_VERSION ")?");
	else if (from(a) == FROM_ADMIN)
		finding_web(f, d, WEB_TO_ADMIN);
	else
		judge_foreign(d, f, a);
}

static void
check_probes(struct doctor *d, struct doctor_finding *f)
{
	static const char *const keys[2] = {
		"x-api-key: " NO_KEY, "authorization: Bearer " NO_KEY
	};

	if ((d->echo = malloc(sizeof(*d->echo))) == NULL) {
		finding_set(f, DOCTOR_FAIL, "out_of_memory", "out of memory");
		return;
	}
	if (ask(d, PROBE_PATH "echo", keys, -1, SHORT_MS, d->echo, f)) {
		free(d->echo);
		d->echo = NULL;
		return;
	}
	judge_echo(d, f);
}

static void
check_api_key(struct doctor *d, struct doctor_finding *f)
{

	if (field_int(d->echo, "x-api-key")) {
		finding_set(f, DOCTOR_OK, "arrives", "it arrives");
		return;
	}
	finding_set(f, DOCTOR_FAIL, "does_not_arrive", "it does not arrive at "
	    "the relay");
	finding_web(f, d, WEB_NO_API_KEY);
}

static void
check_authorization(struct doctor *d, struct doctor_finding *f)
{

	if (field_int(d->echo, "authorization")) {
		finding_set(f, DOCTOR_OK, "arrives", "it arrives");
		return;
	}
	finding_set(f, DOCTOR_FAIL, "key_does_not_arrive", "it does not arrive "
	    "at the relay: clients that send their key so are refused");
	finding_web(f, d, WEB_NO_AUTHORIZATION);
}

static void
check_mount(struct doctor *d, struct doctor_finding *f)
{
	const char *path = url_path(d->base);
	char mount[256];

	field_text(d->echo, "mount", mount, sizeof(mount));
	if (strcmp(mount, d->conf->mount) != 0) {
		finding_set(f, DOCTOR_WARN, "other_mount", "the responders run "
		    "with mount \"%s\", the config says \"%s\"", mount,
		    d->conf->mount);
		finding_remedy(f, "start_anew", "Start them anew.");
	} else if (strcmp(mount, path) != 0) {
		finding_set(f, DOCTOR_WARN, "rewrites_paths", "the URL has "
		    "\"%s\", mount is \"%s\": something on the way rewrites "
		    "paths", path, mount);
		finding_remedy(f, "same_path", "It works for what doctor "
		    "tried; simpler is the same path in both.");
	} else {
		finding_set(f, DOCTOR_OK, "mount_is", "\"%s\", as in the URL",
		    mount);
	}
}

/* Where HTTP/1.0 is spoken an answer of unknown length ends with the
 * connection. */
static void
check_protocol(struct doctor *d, struct doctor_finding *f)
{
	const bool answer = d->health->http_version == 10;
	char protocol[32];

	field_text(d->echo, "protocol", protocol, sizeof(protocol));
	if (!answer && strcmp(protocol, "HTTP/1.0") != 0) {
		finding_set(f, DOCTOR_OK, "protocol_is", "%s, answered with "
		    "HTTP/%d.%d", protocol, d->health->http_version / 10,
		    d->health->http_version % 10);
		return;
	}
	finding_set(f, DOCTOR_WARN, "protocol_old", "%s HTTP/1.0: streams end "
	    "by closing the connection, so that one which breaks looks as if "
	    "it were whole", answer ? "answers come as" : "what stands in "
	    "front of the web server speaks");
	finding_front(f, d, WEB_HTTP10);
}

/* Whether the URL names this host itself: by a loopback address, or a name
 * that stands for one (RFC 6761). */
static bool
is_local(const char *url)
{
	const char *host = strstr(url, "://");
	size_t n;

	if (host == NULL)
		return (false);
	host += 3;
	n = strcspn(host, ":/");
	if ((strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") ==
	    n) || strncmp(host, "[::1]", 5) == 0)
		return (true);
	if (n < 9 || strncasecmp(host + n - 9, "localhost", 9) != 0)
		return (false);
	return (n == 9 || host[n - 10] == '.');
}

/* In clear keys are safe on their own host alone. */
static void
check_tls(struct doctor *d, struct doctor_finding *f)
{

	if (strncmp(d->base, "https://", 8) == 0) {
		finding_set(f, DOCTOR_OK, "tls_good", "the URL is https, its "
		    "certificate good, HTTP/%d.%d",
		    d->health->http_version / 10, d->health->http_version % 10);
		return;
	}
	if (is_local(d->base)) {
		finding_set(f, DOCTOR_OK, "tls_local", "not needed on this "
		    "host itself");
		return;
	}
	finding_set(f, DOCTOR_WARN, "tls_none", "the URL is http: keys and "
	    "prompts travel in clear");
	finding_remedy(f, "want_tls", "Let the web server speak TLS, and give "
	    "clients the https URL.");
}

static void
check_web_clock(struct doctor *d, struct doctor_finding *f)
{

	time_judge_date(f, d->health->date, d->health->began_wall_ms,
	    d->health->head_wall_ms);
}

/* ---- the admin responder ---- */

static void
check_admin_route(struct doctor *d, struct doctor_finding *f)
{
	struct fetch a;

	if (ask(d, "/api/v1/status", NULL, -1, SHORT_MS, &a, f))
		return;
	if (answered(&a, 401, FROM_ADMIN)) {
		finding_set(f, DOCTOR_OK, "admin_asks", "/api/v1/status leads "
		    "to the admin responder, which asks for a token");
	} else if (a.status == 403 && from(&a) == FROM_OTHER) {
		finding_set(f, DOCTOR_OK, "admin_forbidden", "/api/v1/status "
		    "is forbidden to this address by the web server");
	} else if (answered(&a, 403, FROM_ADMIN)) {
		finding_set(f, DOCTOR_OK, "admin_closed", "/api/v1/status "
		    "leads to the admin responder, which is not open to this "
		    "address (admin_from)");
	} else if (answered(&a, 404, FROM_ADMIN) &&
	    strcmp(d->conf->routes, "relay") == 0) {
		finding_set(f, DOCTOR_OK, "admin_not_here", "/api/v1/status "
		    "leads to the admin responder, which does not serve it "
		    "here (routes)");
	} else {
		tell(f, DOCTOR_FAIL, &a, "/api/v1/status");
		if (from(&a) == FROM_OTHER && a.status >= 502 &&
		    a.status <= 504)
			finding_remedy(f, "start_admin", "The web server "
			    "cannot reach the admin responder at %s: is it "
			    "started, and may the web server's user connect to "
			    "it?", d->conf->admin_socket);
		else
			finding_web(f, d, WEB_TO_RELAY);
	}
	fetch_fini(&a);
}

/* ---- streams ---- */

/* One stream: how it flowed, or -1 with ${f} set. */
static int
try_stream(struct doctor *d, const char *accept, struct fetch *a,
    struct doctor_finding *f)
{
	const char *const more[2] = { "accept: text/event-stream", accept };
	char path[128];

	(void)snprintf(path, sizeof(path), "%sstream?chunks=%d&gap_ms=%d",
	    PROBE_PATH, EVENTS, GAP_MS);
	if (ask(d, path, more, -1, SHORT_MS, a, f))
		return (-1);
	if (a->curl_code == 0 && a->status == 200)
		return (0);
	tell(f, DOCTOR_FAIL, a, "a stream");
	fetch_fini(a);
	return (-1);
}

static void
judge_stream(struct doctor *d, struct doctor_finding *f,
    enum stream_flow flow, const int64_t *at_ms, size_t n)
{
	char times[EVENTS * 8 + 1] = "";
	size_t i, len = 0;

	for (i = 0; i < n && len < sizeof(times); i++)
		len += (size_t)snprintf(times + len, sizeof(times) - len,
		    " %lld", (long long)(at_ms[i] > 99999 ? 99999 :
		    at_ms[i]));
	switch (flow) {
	case STREAM_LIVE:
		finding_set(f, DOCTOR_OK, "stream_live", "%d events sent %d ms "
		    "apart arrive one by one (after%s ms)", EVENTS, GAP_MS,
		    times);
		break;
	case STREAM_LUMPY:
		finding_set(f, DOCTOR_WARN, "stream_lumpy", "%d events sent %d "
		    "ms apart arrive in lumps (after%s ms): a busy host or "
		    "line, or a buffer", EVENTS, GAP_MS, times);
		finding_web(f, d, WEB_BUFFERED);
		break;
	case STREAM_HELD:
		finding_set(f, DOCTOR_FAIL, "stream_held", "%d events sent %d "
		    "ms apart are held back and arrive together (after%s ms): "
		    "clients see nothing until the end", EVENTS, GAP_MS, times);
		finding_web(f, d, WEB_BUFFERED);
		break;
	case STREAM_SHORT:
		finding_set(f, DOCTOR_FAIL, "stream_short", "only %zu of %d "
		    "events arrive", n, EVENTS);
		finding_web(f, d, WEB_SILENCE);
		break;
	}
}

static void
check_stream(struct doctor *d, struct doctor_finding *f)
{
	int64_t at_ms[EVENTS];
	enum stream_flow flow;
	struct fetch a;
	int tries = 0;
	size_t n;

	/* A moment of a busy host is not the web server's fault. */
	do {
		if (try_stream(d, NULL, &a, f))
			return;
		n = fetch_events(&a, at_ms, EVENTS);
		flow = stream_flow(at_ms, n, EVENTS, GAP_MS);
		fetch_fini(&a);
	} while (flow == STREAM_LUMPY && ++tries < 3);
	judge_stream(d, f, flow, at_ms, n);
}

/* As most clients ask, who say that they take compressed answers. */
static void
check_compression(struct doctor *d, struct doctor_finding *f)
{
	struct fetch a;

	if (try_stream(d, "accept-encoding: gzip, deflate, br, zstd", &a, f))
		return;
	if (a.encoding[0] == '\0') {
		finding_set(f, DOCTOR_OK, "not_compressed", "streams are not "
		    "compressed");
	} else {
		finding_set(f, DOCTOR_WARN, "compressed", "streams are "
		    "compressed (%s), which costs time and may hold events "
		    "back", a.encoding);
		finding_web(f, d, WEB_COMPRESSED);
	}
	fetch_fini(&a);
}

/* ---- large and long ---- */

static void
check_body(struct doctor *d, struct doctor_finding *f)
{
	const int64_t size = d->conf->body_max_bytes;
	char what[64];
	struct fetch a;

	if (ask(d, PROBE_PATH "body", NULL, size, BODY_MS, &a, f))
		return;
	(void)snprintf(what, sizeof(what), "a body of %lld KiB",
	    (long long)size / 1024);
	if (answered(&a, 200, FROM_RELAY) &&
	    field_int(&a, "bytes") == size) {
		finding_set(f, DOCTOR_OK, "body_arrives", "%s (body_max_bytes) "
		    "arrives, in %.1f s", what, (double)a.total_ms / 1000);
	} else if (a.status != 0 && from(&a) == FROM_RELAY) {
		tell(f, DOCTOR_WARN, &a, what);
		finding_remedy(f, "same_config", "Do the responders run with "
		    "this config? SIGHUP, or start them anew.");
	} else {
		tell(f, DOCTOR_FAIL, &a, what);
		finding_web(f, d, WEB_BODY_LIMIT);
	}
	fetch_fini(&a);
}

/* Without --key-stdin this is skipped.  The key is tried both ways. */
static void
check_key(struct doctor *d, struct doctor_finding *f)
{
	static const char *const ways[] = { "x-api-key: ",
	    "authorization: Bearer " };
	const char *more[2] = { NULL, NULL };
	char line[512];
	struct fetch a;
	size_t i;

	for (i = 0; i < NITEMS(ways); i++) {
		(void)snprintf(line, sizeof(line), "%s%s", ways[i], d->key);
		more[0] = line;
		if (ask(d, "/v1/models", more, -1, SHORT_MS, &a, f))
			break;
		if (a.curl_code == 0 && a.status == 200) {
			finding_set(f, DOCTOR_OK, "key_known", "it is known, "
			    "and an account serves it");
		} else if (from(&a) == FROM_RELAY && a.status == 401) {
			tell(f, DOCTOR_FAIL, &a, ways[i]);
			finding_remedy(f, "see_keys", "`leasehold key list' "
			    "shows the keys; is it revoked, expired, "
			    "disabled?");
		} else {
			tell(f, DOCTOR_WARN, &a, "GET /v1/models");
			if (from(&a) == FROM_RELAY)
				finding_remedy(f, "key_is_known", "The key is "
				    "known; see `leasehold account test' and "
				    "`leasehold status'.");
		}
		fetch_fini(&a);
		if (f->verdict != DOCTOR_OK)
			break;
	}
	seal_wipe(line, sizeof(line));
}

static void
check_silence(struct doctor *d, struct doctor_finding *f)
{
	char path[128];
	struct fetch a;

	if (d->silence_ms == 0) {
		finding_set(f, DOCTOR_SKIP, "silence_off", "--silence 0");
		return;
	}
	(void)snprintf(path, sizeof(path), "%ssilence?ms=%lld", PROBE_PATH,
	    (long long)d->silence_ms);
	if (ask(d, path, NULL, -1, d->silence_ms + SILENCE_MORE_MS, &a, f))
		return;
	if (answered(&a, 200, FROM_RELAY)) {
		finding_set(f, DOCTOR_OK, "silence_arrives", "an answer that "
		    "takes %lld s arrives", (long long)d->silence_ms / 1000);
	} else {
		tell(f, DOCTOR_FAIL, &a, "a long silence");
		finding_web(f, d, WEB_SILENCE);
	}
	fetch_fini(&a);
}

#define AT_URL	(DOCTOR_CONF | DOCTOR_URL)
#define REACHED	(AT_URL | DOCTOR_REACHED)
#define PROBES	(REACHED | DOCTOR_SEAL | DOCTOR_PROBES)

const struct doctor_check doctor_web_checks[] = {
	{ "reach", "the URL", AT_URL, check_reach },
	{ "tls", "TLS", REACHED, check_tls },
	{ "web_clock", "web server's clock", REACHED, check_web_clock },
	{ "admin_route", "admin routes", REACHED, check_admin_route },
	{ "probes", "probes", REACHED | DOCTOR_SEAL, check_probes },
	{ "mount", "mount", PROBES, check_mount },
	{ "protocol", "HTTP version", PROBES, check_protocol },
	{ "x_api_key", "header x-api-key", PROBES, check_api_key },
	{ "authorization", "header Authorization", PROBES,
	    check_authorization },
	{ "stream", "streams", PROBES, check_stream },
	{ "compression", "compression", PROBES, check_compression },
	{ "body", "large bodies", PROBES, check_body },
	{ "key", "client key", REACHED | DOCTOR_KEY, check_key },
	{ "silence", "long silences", PROBES, check_silence },
	{ .name = NULL }
};
