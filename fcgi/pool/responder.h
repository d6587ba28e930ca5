#ifndef POOL_RESPONDER_H_
#define POOL_RESPONDER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pool_settings;
struct store;

/**
 * This process among its like: a row with a node number and a heartbeat, a
 * lock file held for life, and a datagram socket that others send to when they
 * grant a slot to one of its waiting requests.
 */

#define RESPONDER_NODES	1024
#define RESPONDER_HOST_SIZE 192

struct responder {
	const char *kind;	/* relay | admin; constant */
	char lock_path[108];	/* as long as a socket's may be */
	char wake_path[108];
	char host[RESPONDER_HOST_SIZE];	/* boot id and name */
	int lock_fd;
	int wake_fd;		/* the loop reads it */
	int send_fd;
	bool keep_files;	/* at responder_close: the row is still there,
				   and others are to find its lock free */

	/* as registered; ended() takes over ${next} */
	int64_t id;		/* 0: not yet */
	int node;
	int64_t beat;
	struct {
		bool set;
		int64_t id;
		int node;
	} next;
};

/** responder_open(r, kind, host, run_dir, err): Make lock file and socket.
 * ${host} is the host's name, "" for the machine's own.  0, or -1 with ${err}
 * saying what to mend. */
int responder_open(struct responder *r, const char *kind, const char *host,
    const char *run_dir, struct err *err)
    __attribute__((__warn_unused_result__));

/** responder_close(r): Let go and remove the files, see .keep_files. */
void responder_close(struct responder *r);

/**
 * responder_register(r, st, err):
 * In a write transaction: make a row, with the smallest node number that is
 * free; see responder_ended.  0, or -1.
 */
int responder_register(struct responder *r, struct store *st,
    struct err *err) __attribute__((__warn_unused_result__));

/** responder_beat(r, st, set, err): 1; 0: there is no row any more; -1. */
int responder_beat(struct responder *r, struct store *st,
    const struct pool_settings *set, struct err *err)
    __attribute__((__warn_unused_result__));

/** responder_ended(r, committed): True if the registration changed. */
bool responder_ended(struct responder *r, bool committed);

/** responder_host(given, out, size): .host of those that run here; ${given} is
 * the host's name, or "" for the machine's own. */
void responder_host(const char *given, char *out, size_t size);

/**
 * responder_tell_reload(wake_path):
 * Tell whoever listens there to read its settings again.  0; -1: nobody does,
 * or it is not let in.
 *
 * responder_heard(wake_fd):
 * Take what was sent to a wake_fd.  true: somebody wants the settings read
 * again; the process does on SIGHUP.
 */
int responder_tell_reload(const char *wake_path)
    __attribute__((__warn_unused_result__));
bool responder_heard(int wake_fd);

/** responder_self(r): Id to write into rows: the one that this batch is about
 * to register, or the present one. */
int64_t responder_self(const struct responder *r);

#endif /* !POOL_RESPONDER_H_ */
