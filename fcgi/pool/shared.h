#ifndef POOL_SHARED_H_
#define POOL_SHARED_H_

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/seal.h"

#include "pool/backlog.h"

struct conf;
struct snapshot;

/** What becomes of a model without a price. */
enum unpriced {
	UNPRICED_ALLOW,
	UNPRICED_REFUSE,
	UNPRICED_DEFAULT,		/* it has the default price, if one is
					   stated, else it is refused */
	NUNPRICED
};

/** The settings that the store thread goes by, copied from struct conf. */
struct pool_settings {
	int64_t queue_max;
	int64_t slice_tokens;		/* output reserved at a time */
	int64_t dead_after_ms;
	int64_t grant_timeout_ms;
	int64_t cooldown_max_ms;
	int64_t affinity_ttl_ms;	/* 0: none */
	int64_t affinity_wait_ms;
	int64_t refresh_ahead_ms;
	enum unpriced unpriced;
	bool charge_implausible;
	bool draining;
	int64_t requests;		/* open in this process */
};

/** What the loop learns from the store thread. */
struct pool_facts {
	struct snapshot *snapshot;
	struct seal *seal;		/* the master keys it goes by */
	struct err shut;		/* what they do not open, or
					   ERR_NONE */
	int64_t responder_id;
	int node;
	struct seal_pepper pepper;
	bool registered;
};

/**
 * The board on which loop and store thread leave notes for each other outside
 * of operations.  The lock guards all but ${serial}; nothing else is called
 * under it.  Any thread.
 */
struct shared {
	pthread_mutex_t lock;
	struct pool_settings settings;
	struct pool_facts facts;
	size_t nnotes;
	struct backlog_note notes[BACKLOG_NOTES];
	unsigned serial;		/* atomic; raised with each change of
					   facts */
};

int shared_init(struct shared *sh, struct err *err)
    __attribute__((__warn_unused_result__));
void shared_fini(struct shared *sh);

/** shared_configure(sh, conf): Copy the settings.  Loop. */
void shared_configure(struct shared *sh, const struct conf *conf);

/** shared_settings(sh, out): Copy them out. */
void shared_settings(struct shared *sh, struct pool_settings *out);

/** shared_note(sh, requests, draining): For the responder's row.  Loop. */
void shared_note(struct shared *sh, int64_t requests, bool draining);

/** shared_publish(sh, facts): Replace the facts; references on snapshot and
 * seal are taken.  Store thread. */
void shared_publish(struct shared *sh, const struct pool_facts *facts);

/** shared_tell(sh, note): Something for the log; if too much waits already it
 * is lost.  Store thread.  shared_told(sh, out): Take what waits; returns how
 * much.  Loop. */
void shared_tell(struct shared *sh, const struct backlog_note *note);
size_t shared_told(struct shared *sh, struct backlog_note out[BACKLOG_NOTES]);

/**
 * shared_news(sh, serial, out): If the facts changed since *${serial}, copy
 * them to ${out}, with references on snapshot and seal for the caller, and
 * return true.  Costs one atomic load if nothing changed.
 */
bool shared_news(struct shared *sh, unsigned *serial, struct pool_facts *out);

#endif /* !POOL_SHARED_H_ */
