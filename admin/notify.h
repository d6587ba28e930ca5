#ifndef ADMIN_NOTIFY_H_
#define ADMIN_NOTIFY_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;

/**
 * Notifications: targets (notify_targets.h) are told of events by webhook
 * or e-mail (notify_send.h).
 *
 *	what is so now --notify_detect--> event, once while it lasts
 *	event --notify_raise--> a delivery for each target that wants it
 *	deliveries --notify_next--> a message, which is tried until it is
 *	    taken, or NOTIFY_GIVE_UP_MS after its first try
 *
 *	waiting --+--> sent
 *	          +--> failed		given up, or the target switched off
 *	skipped			too soon after the last of the same
 *
 * A try is written down before it is made: who is killed in the middle of one
 * leaves it to be made again, so that a message comes at least once.
 */
enum notify_kind {
	NOTIFY_PARKED,
	NOTIFY_BUDGET_80,
	NOTIFY_BUDGET_100,
	NOTIFY_GROUP,
	NOTIFY_SPOOL,
	NOTIFY_BACKUP,
	NOTIFY_TEST,		/* whether or not it is chosen */
	NOTIFY_KINDS
};

/* Those that a target can choose. */
#define NOTIFY_CHOICES		NOTIFY_TEST

/* All names by comma fit, with a NUL. */
#define NOTIFY_EVENTS_SIZE	128

/** notify_kind_name(kind): "account.parked", ...; static.  notify_kind_of:
 * NOTIFY_KINDS if there is none of that name. */
const char *notify_kind_name(enum notify_kind kind);
enum notify_kind notify_kind_of(const char *name);

/** notify_wants(target, kind): Is it among the "events" of a row of
 * notify_targets_list? */
bool notify_wants(const json_t *target, enum notify_kind kind);

/* ---- times ---- */

/* The n-th failure is followed by a pause of 5 s * 2^(n-1), at most an hour;
 * a message is given up after a day of that. */
#define NOTIFY_PAUSE_MS		INT64_C(5000)
#define NOTIFY_PAUSE_MAX_MS	INT64_C(3600000)
#define NOTIFY_GIVE_UP_MS	INT64_C(86400000)

/* That is some 35 tries: one of which so many were begun, and none came to an
 * end, ends its senders. */
#define NOTIFY_TRIES_MAX	50

/* What is done with is kept so long. */
#define NOTIFY_KEEP_MS		(INT64_C(30) * 86400000)

/** notify_pause_ms(tries): After so many, from 1. */
int64_t notify_pause_ms(int64_t tries);

/**
 * notify_quiet_ms(zone, from, to, at_ms):
 * Hours of the day in ${zone}, in minutes after midnight, from ${from} to
 * ${to}, which may be on the next day; the same: none.  When the ones end that
 * ${at_ms} lies in; 0: it lies in none.  Where clocks change they begin and end
 * at the first instant at which clocks show that time or later.
 */
int64_t notify_quiet_ms(const struct zone *zone, int from, int to,
    int64_t at_ms);

/* ---- words ---- */

/** notify_subject(kind, lang, data): What happened in one line, of "en" or
 * "zh"; malloc'd, NULL without memory.  ${data} as notify_detect makes it. */
char *notify_subject(enum notify_kind kind, const char *lang,
    const json_t *data);

/** notify_text(kind, lang, data, zone): The same in a few lines, with what
 * follows from it; times in ${zone}. */
char *notify_text(enum notify_kind kind, const char *lang,
    const json_t *data, const struct zone *zone);

/** notify_digest(lang, n): "12 notifications". */
char *notify_digest(const char *lang, size_t n);

#endif /* !ADMIN_NOTIFY_H_ */
