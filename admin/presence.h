#ifndef ADMIN_PRESENCE_H_
#define ADMIN_PRESENCE_H_

#include <stdint.h>

struct err;
struct log;
struct presence;

/**
 * The admin responder's row among the responders: a thread with a database
 * connection of its own registers it and beats, so that `leasehold status'
 * shows it, and sends the process SIGHUP when somebody wants the settings
 * read again (see responder_heard); when it dies, a relay responder takes the
 * row away.
 */
struct presence_params {
	const char *store_url;		/* these outlive it */
	const char *host_name;		/* "": the machine's own */
	const char *run_dir;
	int64_t busy_timeout_ms;
	int64_t interval_ms;		/* from beat to beat */
	struct log *log;
	const int64_t *requests;	/* that are open; read atomically */
};

/**
 * presence_start(params, err):
 * Make the lock file under run_dir and start the thread, with the signals of
 * the caller blocked.  A database that is away is waited for.  NULL with
 * ${err}: run_dir cannot be written, no thread, no memory.
 */
struct presence *presence_start(const struct presence_params *params,
    struct err *err);

/** presence_stop(p): Take the row away if the database can be had, and end
 * the thread.  NULL is allowed. */
void presence_stop(struct presence *p);

#endif /* !ADMIN_PRESENCE_H_ */
