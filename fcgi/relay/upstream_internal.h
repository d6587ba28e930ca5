#ifndef RELAY_UPSTREAM_INTERNAL_H_
#define RELAY_UPSTREAM_INTERNAL_H_

/*
 * What the files of the upstream share: upstream.c (libcurl's multi handle,
 * its sockets and timer, who runs), transfer.c (one transfer's way and its
 * callbacks) and transfer_setup.c (a request put into libcurl's options).
 * Nobody else includes this.
 */

#include <sys/queue.h>
#include <curl/curl.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "relay/head.h"
#include "relay/upstream.h"

/*
 * A transfer's states, and the list that it is in:
 *
 *	SPARE	.spare		a libcurl handle kept for the next request
 *	PENDING	.pending	started, waits for its turn to run
 *	RUNNING	.running	in the multi handle
 *	DOOMED	.doomed		cancelled from within libcurl, which forbids to
 *				take it out there; the reaper does at the end
 *				of the turn.  No callback comes.
 *	ENDED	none		done was called, or is about to be; not in the
 *				multi handle; the caller's until transfer_free
 *
 * start: SPARE -> PENDING -> RUNNING -> ENDED -> SPARE
 * cancel: PENDING, RUNNING, ENDED -> SPARE; RUNNING -> DOOMED -> SPARE
 */
enum transfer_state {
	TRANSFER_SPARE,
	TRANSFER_PENDING,
	TRANSFER_RUNNING,
	TRANSFER_DOOMED,
	TRANSFER_ENDED
};

struct transfer {
	struct upstream *u;
	CURL *easy;
	enum transfer_state state;
	TAILQ_ENTRY(transfer) entry;

	/* The request. */
	const struct transfer_events *events;
	void *arg;
	struct buf lines;		/* header lines; hold a credential */
	struct curl_slist *list;	/* points into lines */
	bool has_body, resend, proxied;
	int64_t body_len;

	/* Times, monotonic ms; -1: not yet. */
	int64_t start_ms, connected_ms, head_ms, last_byte_ms;
	int64_t first_byte_due_ms;
	int64_t idle_timeout_ms;	/* 0: none */
	int64_t deadline_ms;		/* 0: none */
	struct loop_timer timer;

	/* What has happened. */
	struct head head;
	struct err err;			/* why the head was refused */
	char curl_text[CURL_ERROR_SIZE];
	bool opened;			/* a socket was opened for it */
	bool dispatched;		/* the request goes out from here on */
	bool reused;			/* on a kept connection */
	bool unwatched;			/* the loop could not take its socket */
	bool paused;
	struct loop_task resume;
};

TAILQ_HEAD(transfer_list, transfer);

/*
 * A descriptor that libcurl has watched.  The watch stays in the loop while
 * the connection is kept, so that a request on a warm one costs no epoll_ctl.
 */
struct sock {
	struct loop_watch watch;
	struct upstream *u;
};

struct upstream {
	struct loop *loop;
	CURLM *multi;
	CURLSH *share;			/* TLS sessions */
	char *ca_file;			/* NULL: the system's */
	struct sock **socks;		/* by descriptor */
	size_t nsocks;
	struct loop_timer timer;	/* libcurl's next time-out ... */
	struct loop_task due;		/* ... which is now */
	struct transfer_list pending, running, doomed, spare;
	size_t nspare;
	struct loop_task starter, reaper;
	int depth;			/* within a call to libcurl */
};

/* ---- upstream.c ---- */

/** upstream_enqueue(t): A set-up transfer; it runs from the next turn on. */
void upstream_enqueue(struct transfer *t);

/** upstream_take_out(t): Out of its list and of the multi handle, whose
 * connection is closed unless the answer was whole.  Not within libcurl. */
void upstream_take_out(struct transfer *t);

/** upstream_enter(u), upstream_leave(u): Around a call to libcurl that may
 * call back; leaving hands out what ended. */
void upstream_enter(struct upstream *u);
void upstream_leave(struct upstream *u);

/** sock_open: CURLOPT_OPENSOCKETFUNCTION; ${arg} is the transfer. */
curl_socket_t sock_open(void *arg, curlsocktype purpose,
    struct curl_sockaddr *address);
/** sock_close: CURLOPT_CLOSESOCKETFUNCTION; ${arg} is the upstream, as a
 * connection outlives its transfer. */
int sock_close(void *arg, curl_socket_t fd);

/* ---- transfer.c ---- */

void transfer_destroy(struct transfer *t);	/* frees the memory */

/** transfer_ended(t, code): libcurl is done with it.  Calls done. */
void transfer_ended(struct transfer *t, CURLcode code);

/** transfer_fail(t, result, why): It is given up on.  Calls done. */
void transfer_fail(struct transfer *t, enum transfer_result result,
    const char *why);

/** transfer_recycle(t): Make a spare of it, or free it if there are enough.
 * It is in no list. */
void transfer_recycle(struct transfer *t);

/* libcurl's callbacks; ${arg} is the transfer. */
size_t transfer_on_header(char *p, size_t size, size_t n, void *arg);
size_t transfer_on_body(char *p, size_t size, size_t n, void *arg);
int transfer_on_dispatch(void *arg, char *peer, char *local, int peer_port,
    int local_port);

/* ---- transfer_setup.c ---- */

/** transfer_setup_handle(t, err): Options that no request changes. */
int transfer_setup_handle(struct transfer *t, struct err *err)
    __attribute__((__warn_unused_result__));

/** transfer_setup_request(t, params, err): 0, or -1 with ERR_INVAL/NOMEM. */
int transfer_setup_request(struct transfer *t,
    const struct transfer_params *params, struct err *err)
    __attribute__((__warn_unused_result__));

/** transfer_drop_upload(t): The body has left: give libcurl's upload buffer
 * back (setting its size frees it, also within a transfer). */
void transfer_drop_upload(struct transfer *t);

#endif /* !RELAY_UPSTREAM_INTERNAL_H_ */
