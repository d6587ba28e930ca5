#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "store/store.h"

#include "change.h"

int
change_begin(struct store *st, struct err *err)
{

	if (store_begin(st, true, err))
		return (-1);
	if (store_lock(st, STMT_LOCK_CONFIG, NULL, 0, err) == 0)
		return (0);
	store_rollback(st);
	return (-1);
}

int
change_end(struct store *st, int rc, struct err *err)
{

	if (rc == 0)
		rc = store_exec(st, STMT_META_CONFIG_BUMP, NULL, 1, 0, NULL,
		    err);
	if (rc == 0)
		return (store_commit(st, err));
	store_rollback(st);
	return (rc);
}

int
change_exec_named(struct store *st, enum stmt_id id,
    const struct store_value *row, size_t nparams, const char *what,
    const char *name, struct err *err)
{
	struct err e = { .code = ERR_NONE };

	if (store_exec(st, id, row, 1, nparams, NULL, &e) == 0)
		return (0);
	if (e.code == ERR_EXISTS)
		err_set(err, ERR_EXISTS, "there is %s \"%s\" already", what,
		    name);
	else
		err_set(err, e.code, "%s", e.text);
	return (-1);
}
