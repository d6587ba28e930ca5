#ifndef ADMIN_DOCTOR_JUDGE_H_
#define ADMIN_DOCTOR_JUDGE_H_

#include <stddef.h>
#include <stdint.h>

/**
 * What doctor makes of what it saw: pure functions and tables.
 */

enum web_server {
	WEB_NGINX,
	WEB_APACHE,
	WEB_CADDY,
	WEB_NSERVERS,
	WEB_UNKNOWN = WEB_NSERVERS
};

/** web_server_of(name): By a Server header or SERVER_SOFTWARE ("nginx/1.22.1",
 * "Apache/2.4.62 (Debian)", "Caddy"); openresty and Tengine are nginx.  NULL is
 * allowed. */
enum web_server web_server_of(const char *name);

/** web_server_title(server): "nginx"; of WEB_UNKNOWN "the web server". */
const char *web_server_title(enum web_server server);

/** What can be wrong between the web server and the responders. */
enum web_problem {
	WEB_NO_AUTHORIZATION,	/* the header does not arrive */
	WEB_NO_API_KEY,		/* x-api-key does not arrive */
	WEB_BUFFERED,		/* events of a stream are held back */
	WEB_COMPRESSED,		/* a stream is compressed */
	WEB_BODY_LIMIT,		/* large bodies are refused */
	WEB_SILENCE,		/* gives up on a silent responder */
	WEB_NOT_ROUTED,		/* does not know the path at all */
	WEB_DOWN,		/* cannot reach the responders */
	WEB_TO_ADMIN,		/* leads relay paths to the admin responder */
	WEB_TO_RELAY,		/* and the other way round */
	WEB_HTTP10,		/* speaks HTTP/1.0 to what stands behind it, or
				   to clients */
	WEB_NPROBLEMS
};

/** What a remedy's text is filled in with. */
struct web_place {
	const char *mount;		/* "" or "/claude" */
	const char *relay_socket;	/* a path, or ADDRESS:PORT */
	const char *admin_socket;
};

/**
 * web_remedy(problem, server, place, out, size):
 * The lines that mend it, with the names of the directives; for WEB_UNKNOWN
 * those of all three servers.  Cut to ${size}, with a NUL.
 */
void web_remedy(enum web_problem problem, enum web_server server,
    const struct web_place *place, char *out, size_t size);

/** How a stream of events arrived. */
enum stream_flow {
	STREAM_LIVE,		/* each event when it was sent */
	STREAM_LUMPY,		/* some of them late, together with others */
	STREAM_HELD,		/* all of them at the end */
	STREAM_SHORT		/* not all of them */
};

/**
 * stream_flow(at_ms, n, sent, gap_ms):
 * The ${n} events that came, of ${sent}, arrived at ${at_ms}, counted from
 * the request; they were sent ${gap_ms} apart, the first one at once.
 */
enum stream_flow stream_flow(const int64_t *at_ms, size_t n, size_t sent,
    int64_t gap_ms);

/** Whose answer it is. */
enum answer_from {
	FROM_RELAY,		/* the relay responder */
	FROM_ADMIN,		/* the admin responder */
	FROM_OTHER		/* the web server itself, or what else stands
				   there */
};

/** answer_from(body, n): By the shape of its JSON. */
enum answer_from answer_from(const char *body, size_t n);

/**
 * answer_text(body, n, out, size):
 * What a body says, on one line: the message of an error's JSON, the title of
 * a page, else the text without HTML tags, cut to ${size}.
 */
void answer_text(const char *body, size_t n, char *out, size_t size);

/** url_path(url): Where the path begins in "https://host/path"; at its NUL
 * if there is none. */
const char *url_path(const char *url);

#endif /* !ADMIN_DOCTOR_JUDGE_H_ */
