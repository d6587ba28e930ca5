#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/seal.h"
#include "ledger/meta.h"

#include "pool/unseal.h"

void
unseal_init(struct unseal *u, const char *path, struct seal *seal)
{

	*u = (struct unseal) { .seal = seal_ref(seal) };
	(void)snprintf(u->path, sizeof(u->path), "%s", path);
}

void
unseal_fini(struct unseal *u)
{

	seal_free(u->seal);
	u->seal = NULL;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{

	return (a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size && a->st_uid == b->st_uid &&
	    a->st_mode == b->st_mode &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec);
}

bool
unseal_renew(struct unseal *u)
{
	struct err err = { .code = ERR_NONE };
	struct seal *seal;
	struct stat now;

	/* One that is missing is not the same twice. */
	if (stat(u->path, &now) == -1)
		memset(&now, 0, sizeof(now));
	else if (same_file(&now, &u->read))
		return (false);
	if ((seal = seal_open(u->path, &err)) == NULL) {
		u->why = err;
		return (false);
	}
	u->read = now;
	seal_free(u->seal);
	u->seal = seal;
	return (true);
}

int
unseal_check(struct unseal *u, struct store *st, struct err *err)
{
	struct err why;

	do {
		why = (struct err) { .code = ERR_NONE };
		u->lacking = meta_check_seal(st, u->seal, &why) != 0;
		if (why.code != ERR_NONE && why.code != ERR_CRYPTO) {
			err_set(err, why.code, "%s", why.text);
			return (-1);
		}
		u->why = why;
	} while (u->lacking && unseal_renew(u));
	return (0);
}
