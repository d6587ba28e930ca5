#ifndef ADMIN_NOTIFY_TARGETS_H_
#define ADMIN_NOTIFY_TARGETS_H_

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "notify_secrets.h"

struct err;
struct seal;
struct store;

/**
 * Targets of notifications.  Each change is one transaction.  As JSON: id,
 * name, kind ("webhook", "email"), address, events (an array of names), lang,
 * quiet ("22:00-07:00", or ""), zone, interval_ms, enabled, created_ms,
 * old_until_ms (until when the secret before signs as well, or null).  The
 * address of a webhook may hold what is secret in its path: unless ${whole}
 * only its scheme and host are shown, with "/..." behind them.
 */
struct notify_spec {
	const char *name;	/* NULL: unchanged; so are the others */
	const char *kind;	/* of a new one alone */
	const char *address;
	const char *events;	/* names by comma; a new one: all */
	const char *lang;
	const char *quiet;	/* "HH:MM-HH:MM", "": none */
	const char *zone;
	const char *secret;	/* of a webhook; "": a new one is made */
	int64_t overlap_ms;	/* the secret before a new one signs as well
				   for so long; -1: NOTIFY_OVERLAP_MS */
	int64_t interval_ms;	/* -1: unchanged */
	int enabled;		/* -1: unchanged */
};

#define NOTIFY_INTERVAL_MS	INT64_C(3600000)	/* of a new one */
#define NOTIFY_INTERVAL_MAX_MS	(INT64_C(30) * 86400000)
#define NOTIFY_OVERLAP_MS	INT64_C(86400000)
#define NOTIFY_OVERLAP_MAX_MS	(INT64_C(30) * 86400000)

/** notify_spec_init(spec): All unchanged. */
void notify_spec_init(struct notify_spec *spec);

/**
 * notify_targets_add(st, seal, spec, secret, err),
 * notify_targets_set(st, seal, name, spec, secret, err):
 * ${secret} is what the receiver needs to know, where it is new, and "" else;
 * the caller wipes it.  One that is switched off gives up what waits for it.
 * 0, or -1 with ERR_EXISTS, ERR_NOT_FOUND, ERR_INVAL.
 */
int notify_targets_add(struct store *st, const struct seal *seal,
    const struct notify_spec *spec, char secret[NOTIFY_SECRET_SIZE],
    struct err *err) __attribute__((__warn_unused_result__));
int notify_targets_set(struct store *st, const struct seal *seal,
    const char *name, const struct notify_spec *spec,
    char secret[NOTIFY_SECRET_SIZE], struct err *err)
    __attribute__((__warn_unused_result__));

/** notify_targets_remove(st, name, err): With all that it was told. */
int notify_targets_remove(struct store *st, const char *name,
    struct err *err) __attribute__((__warn_unused_result__));

/** notify_targets_list(st, on, whole, err): Array by name; ${on}: those that
 * are switched on.  _get: one of them.  _show: that, not whole. */
json_t *notify_targets_list(struct store *st, bool on, bool whole,
    struct err *err);
json_t *notify_targets_get(struct store *st, const char *name, bool whole,
    struct err *err);
json_t *notify_targets_show(struct store *st, const char *name,
    struct err *err);

/** notify_targets_quiet(target, from, to): The minutes of a row. */
void notify_targets_quiet(const json_t *target, int *from, int *to);

#endif /* !ADMIN_NOTIFY_TARGETS_H_ */
