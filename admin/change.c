#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "store/store.h"

#include "audit.h"

#include "change.h"

#define TRIES	5

void
change_audit(struct store *st, struct audit *a)
{
	struct audit *was = store_attached(st);

	if (was != NULL) {
		json_decref(was->before);
		json_decref(was->after);
		was->before = was->after = NULL;
		was->shown = false;
	}
	store_attach(st, a);
}

void
change_show(struct store *st, json_t *before, json_t *after)
{
	struct audit *a = store_attached(st);

	if (a == NULL) {
		json_decref(before);
		json_decref(after);
		return;
	}
	json_decref(a->before);
	json_decref(a->after);
	a->before = before;
	a->after = after;
	a->shown = true;
}

int
change_note(struct store *st, struct err *err)
{
	struct audit *a = store_attached(st);
	int rc = 0;

	if (a != NULL)
		rc = audit_after(st, a, err);
	change_audit(st, NULL);
	return (rc);
}

int
change_begin(struct store *st, struct err *err)
{
	struct audit *a = store_attached(st);

	if (store_begin(st, true, err))
		return (-1);
	if (store_lock(st, STMT_LOCK_CONFIG, NULL, 0, err) == 0 &&
	    (a == NULL || audit_before(st, a, err) == 0))
		return (0);
	store_rollback(st);
	return (-1);
}

int
change_end(struct store *st, int rc, struct err *err)
{
	struct audit *a = store_attached(st);

	if (rc == 0)
		rc = store_exec(st, STMT_META_CONFIG_BUMP, NULL, 1, 0, NULL,
		    err);
	if (rc == 0 && a != NULL)
		rc = audit_after(st, a, err);
	change_audit(st, NULL);
	return (store_end(st, rc, err));
}

bool
change_again(const struct store *st, int n, const struct err *why)
{

	return (n < TRIES && why->code == ERR_STORE_BUSY && store_shared(st));
}

int
change_run(struct store *st, int (*inside)(struct store *st, void *arg,
    struct err *err), void *arg, struct err *err)
{
	struct audit *a = store_attached(st);
	struct err why;
	int n, rc;

	for (n = 1; ; n++) {
		why = (struct err) { .code = ERR_NONE };
		store_attach(st, a);
		if ((rc = change_begin(st, &why)) == 0)
			rc = change_end(st, inside(st, arg, &why), &why);
		if (rc == 0 || !change_again(st, n, &why))
			break;
	}
	if (rc != 0)
		err_set(err, why.code, "%s", why.text);
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
