#ifndef ADMIN_NOTIFY_OUTBOX_H_
#define ADMIN_NOTIFY_OUTBOX_H_

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "notify.h"
#include "notify_send.h"

struct conf;
struct err;
struct seal;
struct store;

/** Events and their deliveries, see notify.h. */
struct notify_news {
	enum notify_kind kind;
	const char *key;	/* it is there once; NULL: it does not last */
	const char *topic;	/* of which a target is told so often */
	int64_t hold_ms;	/* it is not over before; 0: at any time */
	const json_t *data;	/* with "subject", what it is about */
	bool silent;		/* nobody is told */
};

/**
 * notify_raise(st, news, n, targets, raised, err):
 * ${n} events, and what the ${targets} that want them (notify_targets_list) are
 * to be told: in one transaction, or, where one of them is there already, one
 * for each that is not.  How many there are is added to ${raised}.  0, -1.
 */
int notify_raise(struct store *st, const struct notify_news *const *news,
    size_t n, const json_t *targets, int *raised, struct err *err)
    __attribute__((__warn_unused_result__));

/* ---- messages ---- */

#define NOTIFY_MESSAGE_SIZE	32

struct notify_message {
	char id[NOTIFY_MESSAGE_SIZE];
	json_t *events;		/* as in struct notify_letter */
	int64_t tries;		/* with this one */
	int64_t first_ms;
};

/** notify_hold(st, target_id, until_ms, err): What is due waits for the end of
 * a quiet time. */
int notify_hold(struct store *st, int64_t target_id, int64_t until_ms,
    struct err *err) __attribute__((__warn_unused_result__));

/**
 * notify_next(st, target_id, m, err):
 * The next message that is due, which counts as tried from here on: what was
 * collected in a quiet time, or is more than a few, in one.  1: to be given to
 * notify_message_fini; 0: nothing is due; -1.
 */
int notify_next(struct store *st, int64_t target_id,
    struct notify_message *m, struct err *err)
    __attribute__((__warn_unused_result__));
void notify_message_fini(struct notify_message *m);

/** notify_told(st, m, answer, err): What came of it; one that was not taken is
 * due again after its pause, or given up.  0, or -1. */
int notify_told(struct store *st, const struct notify_message *m,
    const struct notify_answer *answer, struct err *err)
    __attribute__((__warn_unused_result__));

/** How messages go out. */
struct notify_sender {
	struct store *st;
	const struct seal *seal;
	const struct conf *conf;
	bool (*stops)(void *arg);	/* NULL: never */
	void *arg;
};

/** notify_send(s, target, m, answer, err): By what the ${target}, a whole row
 * of notify_targets_list, is.  0 with ${answer}; -1. */
int notify_send(const struct notify_sender *s, const json_t *target,
    const struct notify_message *m, struct notify_answer *answer,
    struct err *err) __attribute__((__warn_unused_result__));

/** notify_test(s, name, answer, err): Send a test now, whatever the target
 * wants, and whether or not it is on or has a quiet time.  0 with ${answer}, -1
 * with ERR_NOT_FOUND, ... */
int notify_test(const struct notify_sender *s, const char *name,
    struct notify_answer *answer, struct err *err)
    __attribute__((__warn_unused_result__));

/* ---- what there is ---- */

struct notify_filter {
	int64_t below;		/* id; 0: from the newest */
	const char *target;	/* NULL: all; so is state */
	const char *state;
	int64_t limit;
};

/** notify_log(st, filter, err): Deliveries, newest first: id, target, event,
 * subject, at_ms, state, held, due_ms (null: not waiting), tries, message,
 * created_ms, first_ms, done_ms, status, detail. */
json_t *notify_log(struct store *st, const struct notify_filter *filter,
    struct err *err);

/** notify_prune(st, err): Drop what was done with long ago. */
int notify_prune(struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));

/* ---- detection ---- */

/** notify_detect(st, targets, raised, err): See what is so now, raise what is
 * new and wanted, and let be over what is.  0; -1. */
int notify_detect(struct store *st, const json_t *targets, int *raised,
    struct err *err) __attribute__((__warn_unused_result__));

/** notify_spool(st, conf, err): Put down what lies in the spool of this host,
 * for whoever detects; nothing if its folder cannot be read.  0, or -1. */
int notify_spool(struct store *st, const struct conf *conf, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !ADMIN_NOTIFY_OUTBOX_H_ */
