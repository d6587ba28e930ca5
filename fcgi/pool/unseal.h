#ifndef POOL_UNSEAL_H_
#define POOL_UNSEAL_H_

#include <sys/stat.h>

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"

struct seal;
struct store;

/**
 * The master keys that the store thread unseals with.  `leasehold rekey'
 * replaces the file while responders run (on other hosts somebody copies it
 * there, sooner or later), so it is read anew when it no longer opens what is
 * in the database; but a file that was read only when it has changed.
 */
struct unseal {
	char path[PATH_MAX];
	struct seal *seal;	/* with a reference */
	struct stat read;	/* the file that was last read */
	bool lacking;		/* something in the database stays shut */
	struct err why;		/* lacking: what to mend; or ERR_NONE */
};

/** unseal_init(u, path, seal): Begin with ${seal}, which was read from
 * ${path}; a reference is taken. */
void unseal_init(struct unseal *u, const char *path, struct seal *seal);
void unseal_fini(struct unseal *u);

/** unseal_renew(u): Read the file again.  True: ${u}->seal is new; false: it
 * is the file that was last read, or it cannot be read, see .why. */
bool unseal_renew(struct unseal *u);

/**
 * unseal_check(u, st, err):
 * Do the keys belong to the database?  If not, they are renewed; what is
 * then wrong still is in .lacking and .why.  0, or -1 when the database
 * cannot tell.
 */
int unseal_check(struct unseal *u, struct store *st, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !POOL_UNSEAL_H_ */
