#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/store.h"

#include "query.h"

#include "audit.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const char *const kinds[] = {
	[ACTOR_NOBODY] = "nobody",
	[ACTOR_PERSON] = "person",
	[ACTOR_TOKEN] = "token",
	[ACTOR_SHELL] = "shell",
	[ACTOR_MACHINE] = "machine",
};
_Static_assert(NITEMS(kinds) == ACTOR_KINDS, "one word each");

static const struct field fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "at_ms", .kind = FIELD_INT },
	{ .name = "actor_kind", .kind = FIELD_TEXT },
	{ .name = "actor", .kind = FIELD_TEXT },
	{ .name = "address", .kind = FIELD_TEXT },
	{ .name = "verb", .kind = FIELD_TEXT },
	{ .name = "object", .kind = FIELD_TEXT },
	{ .name = "before", .kind = FIELD_JSON },
	{ .name = "after", .kind = FIELD_JSON },
};

/* NULL for NULL, and without memory, which is an error. */
static char *
dump(const json_t *j, struct err *err)
{
	char *text;

	if (j == NULL)
		return (NULL);
	if ((text = json_dumps(j, JSON_COMPACT)) == NULL)
		err_set(err, ERR_NOMEM, "no memory for the audit log");
	return (text);
}

int
audit_add(struct store *st, const struct actor *actor, const char *verb,
    const char *object, const json_t *before, const json_t *after,
    struct err *err)
{
	struct err e = { .code = ERR_NONE };
	char *texts[2];
	int rc = -1;

	texts[0] = dump(before, &e);
	texts[1] = dump(after, &e);
	if (e.code == ERR_NONE) {
		const struct store_value row[] = {
			store_int(store_now_ms(st)),
			store_text(kinds[actor->kind]),
			store_text(actor->name),
			store_text(actor->address),
			store_text(verb),
			store_text(object),
			store_text(texts[0]),
			store_text(texts[1]),
		};

		rc = store_exec(st, STMT_AUDIT_ADD, row, 1, NITEMS(row), NULL,
		    err);
	} else {
		err_set(err, e.code, "%s", e.text);
	}
	free(texts[0]);
	free(texts[1]);
	return (rc);
}

/* What is not there is shown as nothing. */
static int
look(struct store *st, const struct audit *a, const char *name, json_t **seen,
    struct err *err)
{
	struct err e = { .code = ERR_NONE };

	*seen = NULL;
	if (a->view == NULL || name[0] == '\0')
		return (0);
	if ((*seen = a->view(st, name, &e)) != NULL ||
	    e.code == ERR_NOT_FOUND)
		return (0);
	err_set(err, e.code, "%s", e.text);
	return (-1);
}

static int
take_name(void *arg, const struct store_value *cols, size_t ncols)
{
	const char *name = store_get_text(&cols[0]);

	(void)ncols;
	if (strlen(name) < LIMIT_NAME_BYTES)
		strcpy(arg, name);
	return (1);
}

/* Since it was looked up it may have got another name, and another thing its
 * name. */
static int
check_named(struct store *st, const struct audit_named *n, struct err *err)
{
	const struct store_value id = store_int(n->id);
	char name[LIMIT_NAME_BYTES] = "";

	if (store_query(st, n->stmt, &id, 1, take_name, name, err) == -1)
		return (-1);
	if (strcmp(name, n->name) == 0)
		return (0);
	if (name[0] == '\0')
		err_set(err, ERR_NOT_FOUND, "there is no such id any more");
	else
		err_set(err, ERR_EXISTS, "\"%s\" got another name meanwhile",
		    n->name);
	return (-1);
}

int
audit_before(struct store *st, struct audit *a, struct err *err)
{
	size_t i;

	for (i = 0; i < a->nnamed; i++) {
		if (check_named(st, &a->named[i], err))
			return (-1);
	}
	return (look(st, a, a->object, &a->before, err));
}

int
audit_after(struct store *st, struct audit *a, struct err *err)
{
	const char *name = a->renamed != NULL ? a->renamed : a->object;
	json_t *after = json_incref(a->after);
	int rc;

	if (!a->shown && look(st, a, name, &after, err))
		return (-1);
	rc = audit_add(st, &a->actor, a->verb, name, a->before, after, err);
	json_decref(after);
	return (rc);
}

/* A statement for each set of filters, so that each goes by an index of its
 * own; their parameters are in the order of the bits. */
enum {
	BY_ACTOR = 1,
	BY_VERB = 2,
	BY_OBJECT = 4,
	BY_ALL = 7
};

static const enum stmt_id pages[BY_ALL + 1] = {
	[0] = STMT_AUDIT_PAGE,
	[BY_ACTOR] = STMT_AUDIT_PAGE_ACTOR,
	[BY_VERB] = STMT_AUDIT_PAGE_VERB,
	[BY_OBJECT] = STMT_AUDIT_PAGE_OBJECT,
	[BY_ACTOR | BY_VERB] = STMT_AUDIT_PAGE_ACTOR_VERB,
	[BY_ACTOR | BY_OBJECT] = STMT_AUDIT_PAGE_ACTOR_OBJECT,
	[BY_VERB | BY_OBJECT] = STMT_AUDIT_PAGE_VERB_OBJECT,
	[BY_ALL] = STMT_AUDIT_PAGE_ALL,
};

json_t *
audit_list(struct store *st, const struct audit_filter *filter,
    struct err *err)
{
	const char *const texts[] = {
		filter->actor, filter->verb, filter->object
	};
	struct store_value params[NITEMS(texts) + 2];
	unsigned int by = 0;
	size_t i, n = 0;

	for (i = 0; i < NITEMS(texts); i++) {
		if (texts[i] == NULL || texts[i][0] == '\0')
			continue;
		by |= 1U << i;
		params[n++] = store_text(texts[i]);
	}
	params[n++] = store_int(filter->below > 0 ? filter->below :
	    INT64_MAX);
	params[n++] = store_int(filter->limit);
	return (query_rows(st, pages[by], params, n, fields, NITEMS(fields),
	    err));
}

static int
prune_inside(struct store *st, int64_t before_ms, int64_t *rows,
    struct err *err)
{
	const struct store_value asked[2] = {
		store_int(AUDIT_PRUNE_MAX), store_int(before_ms)
	};
	struct store_value old[2] = { store_int(0), store_int(before_ms) };
	int64_t found[2] = { 0, 0 };

	if (store_one(st, STMT_AUDIT_OLD, asked, 2, found, 2, err) < 0)
		return (-1);
	*rows = found[0];
	old[0] = store_int(found[1]);
	return (found[0] == 0 ? 0 :
	    store_exec(st, STMT_AUDIT_PRUNE, old, 1, 2, NULL, err));
}

int
audit_prune(struct store *st, int64_t before_ms, int64_t *rows,
    struct err *err)
{

	*rows = 0;
	if (store_begin(st, true, err))
		return (-1);
	return (store_end(st, prune_inside(st, before_ms, rows, err), err));
}
