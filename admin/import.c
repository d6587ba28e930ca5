#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "audit.h"
#include "change.h"
#include "check.h"
#include "import_rows.h"

#include "import.h"

#define VERB_SIZE	64

/* One run of the transaction. */
struct import {
	const struct seal *seal;
	const json_t *things;
	const struct import_order *order;
	json_t *done;		/* so far */
	json_t *skipped;	/* accounts and groups, as "account/NAME" */
};

void
import_wipe(json_t *j)
{
	const char *key, *s;
	json_t *v;
	size_t i;

	if (json_is_string(j)) {
		s = json_string_value(j);
		seal_wipe((void *)(uintptr_t)s, json_string_length(j));
	}
	json_array_foreach(j, i, v)
		import_wipe(json_incref(v));
	json_object_foreach(j, key, v)
		import_wipe(json_incref(v));
	json_decref(j);
}

/* What went wrong, behind the name of what it went wrong with. */
static int
fail_named(const char *what, const char *name, const struct err *why,
    struct err *err)
{

	err_set(err, why->code, "%s \"%.60s\": %s", what,
	    check_control(name) == 0 ? name : "?", why->text);
	return (-1);
}

static int
note(struct import *im, const char *what, const char *name, const char *done,
    struct err *err)
{

	if (json_array_append_new(im->done, json_pack("{s:s, s:s, s:s}",
	    "what", what, "name", name, "done", done)) == 0)
		return (0);
	err_set(err, ERR_NOMEM, "no memory for an import");
	return (-1);
}

static json_t *
place_of(const char *what, const char *name)
{

	return (json_sprintf("%s/%s", what, name));
}

static int
remember_skipped(struct import *im, const char *what, const char *name,
    struct err *err)
{
	json_t *place = place_of(what, name);
	int rc = -1;

	if (place != NULL)
		rc = json_object_set_new(im->skipped,
		    json_string_value(place), json_true());
	json_decref(place);
	if (rc != 0)
		err_set(err, ERR_NOMEM, "no memory for an import");
	return (rc);
}

/* Does it belong to an account or group that stays as it is? */
static bool
is_of_skipped(const struct import *im, const struct import_kind *k,
    const json_t *row)
{
	static const char *const owners[] = { "account", "group" };
	const char *name;
	json_t *place;
	bool found = false;
	size_t i;

	if (strcmp(k->what, "alias") != 0)
		return (false);
	for (i = 0; i < 2; i++) {
		name = json_string_value(json_object_get(row, owners[i]));
		if (name == NULL || (place = place_of(owners[i], name)) ==
		    NULL)
			continue;
		if (json_object_get(im->skipped, json_string_value(place)) !=
		    NULL)
			found = true;
		json_decref(place);
	}
	return (found);
}

/* Put it, with its row in the audit log. */
static int
put_row(struct store *st, const struct import *im, const struct import_kind *k,
    const json_t *row, const char *name, bool there, struct err *err)
{
	const struct audit *whose = store_attached(st);
	char verb[VERB_SIZE];
	struct audit a;
	int rc;

	if (whose == NULL)
		return (k->put(st, im->seal, row, there, im->order->ahead_ms,
		    err));
	(void)snprintf(verb, sizeof(verb), "%s.import", k->what);
	a = (struct audit) {
		.actor = whose->actor, .verb = verb, .object = name,
		.view = audit_view_of(k->what)
	};
	rc = audit_before(st, &a, err);
	if (rc == 0)
		rc = k->put(st, im->seal, row, there, im->order->ahead_ms,
		    err);
	if (rc == 0)
		rc = audit_after(st, &a, err);
	json_decref(a.before);
	return (rc);
}

static int
take_row(struct store *st, struct import *im, const struct import_kind *k,
    const json_t *row, const char *name, struct err *err)
{
	const bool shared = json_is_true(json_object_get(row, "shared"));
	int there;

	if (is_of_skipped(im, k, row))
		return (note(im, k->what, name, "skipped", err));
	if ((there = k->find(st, row, err)) == -1)
		return (-1);
	if (there && shared)
		return (0);
	if (there && im->order->policy == IMPORT_REFUSE) {
		err_set(err, ERR_EXISTS, "it is there already: skip leaves "
		    "what is there as it is, update changes it");
		return (-1);
	}
	if (there && im->order->policy == IMPORT_SKIP)
		return (remember_skipped(im, k->what, name, err) ||
		    note(im, k->what, name, "skipped", err) ? -1 : 0);
	if (put_row(st, im, k, row, name, there == 1, err))
		return (-1);
	return (note(im, k->what, name, there ? "updated" : "added", err));
}

static int
take_list(struct store *st, struct import *im, const struct import_kind *k,
    struct err *err)
{
	const json_t *list = json_object_get(im->things, k->list), *row;
	struct err why;
	const char *name;
	size_t i;

	if (list == NULL)
		return (0);
	if (!json_is_array(list) || json_array_size(list) > IMPORT_ROWS_MAX) {
		err_set(err, ERR_INVAL, "\"%s\" must be an array of at most "
		    "%d", k->list, IMPORT_ROWS_MAX);
		return (-1);
	}
	json_array_foreach(list, i, row) {
		name = json_string_value(json_object_get(row, k->key));
		if (name == NULL) {
			err_set(err, ERR_INVAL, "%s %zu has no \"%s\"",
			    k->what, i + 1, k->key);
			return (-1);
		}
		why = (struct err) { .code = ERR_NONE };
		if (take_row(st, im, k, row, name, &why))
			return (fail_named(k->what, name, &why, err));
	}
	return (0);
}

/* May be run again: begins anew. */
static int
take_all(struct store *st, void *arg, struct err *err)
{
	struct import *im = arg;
	size_t i;

	(void)json_array_clear(im->done);
	(void)json_object_clear(im->skipped);
	if (import_pepper(st, im->seal, im->things, err))
		return (-1);
	for (i = 0; import_kinds[i] != NULL; i++) {
		if (take_list(st, im, import_kinds[i], err))
			return (-1);
	}
	if (!im->order->dry_run)
		return (0);
	err_set(err, ERR_CANCELLED, "a dry run");
	return (-1);
}

int
import_apply(struct store *st, const struct seal *seal, const json_t *things,
    const struct import_order *order, json_t **done, struct err *err)
{
	struct import im = {
		.seal = seal, .things = things, .order = order,
		.done = json_array(), .skipped = json_object()
	};
	struct err why = { .code = ERR_NONE };
	int rc = -1;

	*done = NULL;
	if (im.done == NULL || im.skipped == NULL)
		err_set(&why, ERR_NOMEM, "no memory for an import");
	else if ((rc = change_run(st, take_all, &im, &why)) == -1 &&
	    order->dry_run && why.code == ERR_CANCELLED)
		rc = 0;
	if (rc == 0)
		*done = json_incref(im.done);
	else
		err_set(err, why.code, "%s", why.text);
	json_decref(im.done);
	json_decref(im.skipped);
	return (rc);
}
