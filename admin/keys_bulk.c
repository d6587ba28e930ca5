#include "base/err.h"
#include "store/store.h"

#include "change.h"

#include "keys_bulk.h"

static int
do_one(struct store *st, const struct seal_pepper *pepper,
    struct keys_bulk *one, struct err *err)
{

	if (audit_before(st, &one->audit, err))
		return (-1);
	if (pepper != NULL && keys_create_in(st, pepper, &one->change,
	    one->key, err))
		return (-1);
	if (pepper == NULL && keys_set_in(st, one->name, &one->change, err))
		return (-1);
	return (audit_after(st, &one->audit, err));
}

/* What is wrong with one of them is wrong with all: say with which. */
static int
do_all(struct store *st, const struct seal_pepper *pepper,
    struct keys_bulk *list, size_t n, struct err *err)
{
	struct err e = { .code = ERR_NONE };
	size_t i;

	for (i = 0; i < n; i++) {
		if (do_one(st, pepper, &list[i], &e) == 0)
			continue;
		err_set(err, e.code, "key %zu of %zu: %.180s", i + 1, n,
		    e.text);
		return (-1);
	}
	return (0);
}

static int
change_all(struct store *st, const struct seal_pepper *pepper,
    struct keys_bulk *list, size_t n, struct err *err)
{
	size_t i;
	int rc;

	if (change_begin(st, err))
		return (-1);
	rc = change_end(st, do_all(st, pepper, list, n, err), err);
	for (i = 0; i < n; i++) {
		json_decref(list[i].audit.before);
		list[i].audit.before = NULL;
	}
	return (rc);
}

int
keys_bulk_create(struct store *st, const struct seal_pepper *pepper,
    struct keys_bulk *list, size_t n, struct err *err)
{

	return (change_all(st, pepper, list, n, err));
}

int
keys_bulk_set(struct store *st, struct keys_bulk *list, size_t n,
    struct err *err)
{

	return (change_all(st, NULL, list, n, err));
}
