#ifndef ADMIN_IMPORT_H_
#define ADMIN_IMPORT_H_

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct seal;
struct store;

/**
 * Things to take over from elsewhere, as one JSON object:
 *
 *	"groups":   [{"name", "strategy", "concurrency", "shared"}]
 *	"accounts": [{"name", "platform", "base_url", "credential", "secret",
 *	    "group", "priority", "weight", "concurrency", "enabled", "models",
 *	    "auth_header", "proxy", "proxy_password", "oauth": {...},
 *	    "tokens": {"access_token", "refresh_token", "expires_at"}}]
 *	"aliases":  [{"account" or "group", "pattern", "target"}]
 *
 * in which secrets are in clear and what is not there is as `account add'
 * leaves it.  A "shared" group may be there already, whatever the policy.
 * What makes one of a foreign file is in import_from.h.
 */

/* A file is no longer than this, and names no more things of a kind: some five
 * times what 10000 keys and users are.  Through a route it is shorter: it is
 * part of a body, see SERVICE_BODY_BYTES. */
#define IMPORT_FILE_BYTES	(64 * 1024 * 1024)
#define IMPORT_ROUTE_BYTES	(8 * 1024 * 1024)
#define IMPORT_ROWS_MAX		100000

/** What becomes of a thing whose name is taken. */
enum import_policy {
	IMPORT_REFUSE,		/* nothing is taken over */
	IMPORT_SKIP,		/* it stays, with its aliases, as it is */
	IMPORT_UPDATE		/* it gets what the object has */
};

struct import_order {
	enum import_policy policy;
	bool dry_run;		/* all of it, and then taken back */
	int64_t ahead_ms;	/* see oauth_renew_ms */
};

/**
 * import_apply(st, seal, things, order, done, err):
 * Take over all of it or nothing, in one transaction that also writes an audit
 * row for each thing, if the change has an audit (see change_audit).  *${done}
 * is what was done, or would be: an array of {"what", "name", "done": "added",
 * "updated" or "skipped"}, which the caller gives up.  0, or -1: ERR_EXISTS:
 * a name is taken; ERR_INVAL, ERR_NOT_FOUND, ... with the thing's name.
 */
int import_apply(struct store *st, const struct seal *seal,
    const json_t *things, const struct import_order *order, json_t **done,
    struct err *err) __attribute__((__warn_unused_result__));

/** import_wipe(j): Overwrite all texts in it, and give it up; NULL is
 * allowed. */
void import_wipe(json_t *j);

#endif /* !ADMIN_IMPORT_H_ */
