#ifndef ADMIN_RESTORE_STORE_H_
#define ADMIN_RESTORE_STORE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit.h"
#include "backup_store.h"

struct conf;
struct err;

/** Puts a backup in the place of the store, of either kind. */
struct restore_order {
	const struct conf *conf;	/* the store, and the master key */
	const char *path;		/* of the backup */
	bool force;			/* whatever is lost by it */
	struct actor actor;		/* for the audit log */
	backup_progress *progress;	/* may be NULL */
	void *arg;
};

struct restore_made {
	int64_t schema_before, schema;
	int64_t rows;			/* of the ledger */
	int64_t differences;		/* as in the backup */
	size_t secrets;			/* accounts whose secrets it opened */
	bool kept;			/* the SQLite database that was there
					   is PATH.before-restore */
};

/**
 * restore_store(o, made, err):
 * A copy of the backup is brought to this version's schema, its secrets are
 * opened with the present master key, its sums made anew, and its epoch
 * raised, so that what waits in spools from before is void.  Then it takes the
 * place of the store: a file by one rename, see store/swap.h; the rows of a
 * server in one transaction.  Whatever breaks off leaves the store as it was.
 *
 * Without .force it is refused (ERR_EXISTS) while responders run on the
 * store, where the store has requests from after the backup or is another
 * installation, and where it cannot be read.  ERR_SCHEMA: the backup is
 * another program's, or a newer one's.  ERR_CRYPTO: another master key.
 */
int restore_store(const struct restore_order *o, struct restore_made *made,
    struct err *err) __attribute__((__warn_unused_result__));

#endif /* !ADMIN_RESTORE_STORE_H_ */
