#include "base/err.h"
#include "store/driver.h"

/* SQLite and MySQL have the same numbers: a migration that only one of them
 * needs is an empty one for the other. */
int64_t
store_schema_wanted(void)
{
	int64_t n = 0;

	while (stmt_migrations[STMT_DIALECT_SQLITE][n].name != NULL)
		n++;
	return (n);
}

int
store_schema_version(struct store *st, int64_t *version, struct err *err)
{
	int64_t n = 0;

	*version = 0;
	if (store_one(st, STMT_MIGRATION_TABLE, NULL, 0, &n, 1, err) == -1)
		return (-1);
	if (n == 0)
		return (0);
	if (store_one(st, STMT_MIGRATION_NEWEST, NULL, 0, version, 1,
	    err) == -1)
		return (-1);
	return (0);
}

static void
newer(int64_t version, struct err *err)
{

	err_set(err, ERR_SCHEMA, "the database has schema %jd and was made by "
	    "a newer Leasehold (this one knows %jd); install the newer one, "
	    "or restore a backup", (intmax_t)version,
	    (intmax_t)store_schema_wanted());
}

int
store_schema_check(struct store *st, struct err *err)
{
	int64_t version, wanted = store_schema_wanted();

	if (store_schema_version(st, &version, err) == -1)
		return (-1);
	if (version == wanted)
		return (0);
	if (version > wanted)
		newer(version, err);
	else if (version == 0)
		err_set(err, ERR_SCHEMA, "the database has no tables yet; "
		    "run: leasehold migrate");
	else
		err_set(err, ERR_SCHEMA, "the database has schema %jd, this "
		    "Leasehold needs %jd; run: leasehold migrate",
		    (intmax_t)version, (intmax_t)wanted);
	return (-1);
}

/* Run migration ${number} inside of the open transaction. */
static int
run_migration(struct store *st, int64_t number, struct err *err)
{
	const struct stmt_migration *m =
	    &stmt_migrations[st->driver->dialect][number - 1];
	struct store_value row[] = {
		store_int(number),
		store_text(m->name),
		store_int(store_now_ms(st)),
	};
	struct err why = { 0 };

	if (st->driver->script(st, m->sql, &why) == -1) {
		err_set(err, why.code, "migration %04jd-%s: %s",
		    (intmax_t)number, m->name, why.text);
		return (-1);
	}
	return (store_exec(st, STMT_MIGRATION_ADD, row, 1, 3, NULL, err));
}

/*
 * One step: what is missing is looked up under the write lock, so that two
 * that run at once take turns.  1: one ran; 0: none is missing; -1: error.
 */
static int
step(struct store *st, int64_t wanted, int64_t *before, struct err *err)
{

	if (store_begin(st, true, err) == -1)
		return (-1);
	if (store_schema_version(st, before, err) == -1)
		goto err0;
	if (*before > store_schema_wanted()) {
		newer(*before, err);
		goto err0;
	}
	if (*before >= wanted) {
		store_rollback(st);
		return (0);
	}
	if (run_migration(st, *before + 1, err) == -1)
		goto err0;
	return (store_commit(st, err) == -1 ? -1 : 1);

err0:
	store_rollback(st);
	return (-1);
}

/* Where a change of the schema commits by itself, no transaction keeps others
 * out. */
int
store_migrate_lock(struct store *st, struct err *err)
{
	int64_t ours = 0;

	if (!store_shared(st))
		return (0);
	if (store_one(st, STMT_LOCK_MIGRATIONS, NULL, 0, &ours, 1, err) == -1)
		return (-1);
	if (ours == 1)
		return (0);
	err_set(err, ERR_STORE_BUSY, "somebody else has been migrating the "
	    "database for a minute");
	return (-1);
}

void
store_migrate_unlock(struct store *st)
{

	(void)!store_lock(st, STMT_UNLOCK_MIGRATIONS, NULL, 0, NULL);
}

int
store_migrate_to(struct store *st, int64_t version, int64_t *from,
    int64_t *to, struct err *err)
{
	int64_t before;
	int rc;

	if (store_migrate_lock(st, err))
		return (-1);
	rc = step(st, version, from, err);
	*to = *from;
	while (rc == 1) {
		(*to)++;
		rc = step(st, version, &before, err);
		if (rc != -1)
			*to = before;	/* another's may be among them */
	}
	store_migrate_unlock(st);
	return (rc);
}

int
store_migrate(struct store *st, int64_t *from, int64_t *to, struct err *err)
{

	return (store_migrate_to(st, store_schema_wanted(), from, to, err));
}
