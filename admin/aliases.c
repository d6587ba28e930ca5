#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ledger/price.h"
#include "store/store.h"

#include "accounts.h"
#include "change.h"
#include "check.h"
#include "groups.h"
#include "member.h"
#include "query.h"

#include "aliases.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct field fields[] = {
	{ .name = "scope", .kind = FIELD_TEXT },
	{ .name = "of", .kind = FIELD_TEXT },
	{ .name = "pattern", .kind = FIELD_TEXT },
	{ .name = "target", .kind = FIELD_TEXT },
	{ .name = "created_ms", .kind = FIELD_INT },
	{ .name = "of_id", .kind = FIELD_INT },
};

/* What to do in the transaction, once the group or account is found. */
struct task {
	int (*run)(struct store *st, const struct task *t, struct err *err);
	const char *scope;
	int64_t id;
	const char *pattern, *target;
};

static int
find_scope(struct store *st, const struct alias_of *of, struct task *t,
    struct err *err)
{

	if ((of->group == NULL) == (of->account == NULL)) {
		err_set(err, ERR_INVAL, "say whose alias it is: --group NAME "
		    "or --account NAME");
		return (-1);
	}
	t->scope = of->group != NULL ? "group" : "account";
	if (of->id != 0) {
		t->id = of->id;
		return (0);
	}
	return (of->group != NULL ? groups_find(st, of->group, &t->id, err) :
	    accounts_find(st, of->account, &t->id, err));
}

static int
change(struct store *st, const struct alias_of *of, struct task *t,
    struct err *err)
{
	int rc;

	if (change_begin(st, err))
		return (-1);
	rc = find_scope(st, of, t, err);
	return (change_end(st, rc == 0 ? t->run(st, t, err) : -1, err));
}

static int
check_names(const char *pattern, const char *target, struct err *err)
{

	if (check_name("a model", pattern, err) ||
	    check_name("a model", target, err))
		return (-1);
	if (strchr(target, '*') == NULL)
		return (0);
	err_set(err, ERR_INVAL, "an alias leads to the name of a model, in "
	    "which '*' has no meaning");
	return (-1);
}

/* How many there are, and of these with the pattern. */
static int
count(struct store *st, const struct task *t, int64_t n[2], struct err *err)
{
	const struct store_value v[] = { store_text(t->pattern),
		store_text(t->scope), store_int(t->id) };

	return (store_one(st, STMT_ALIAS_COUNT, v, NITEMS(v), n, 2, err) == 1 ?
	    0 : -1);
}

static int
add_inside(struct store *st, const struct task *t, struct err *err)
{
	const struct store_value row[] = { store_text(t->scope),
		store_int(t->id), store_text(t->pattern),
		store_text(t->target), store_int(store_now_ms(st)) };
	int64_t n[2];

	if (count(st, t, n, err))
		return (-1);
	if (n[1] > 0) {
		err_set(err, ERR_EXISTS, "\"%s\" has a target already: alias "
		    "set changes it", t->pattern);
		return (-1);
	}
	if (n[0] >= ALIASES_MAX) {
		err_set(err, ERR_INVAL, "there are %d aliases already, which "
		    "is as many as may be", ALIASES_MAX);
		return (-1);
	}
	return (store_exec(st, STMT_ALIAS_ADD, row, 1, NITEMS(row), NULL,
	    err));
}

static int
need_one(struct store *st, const struct task *t, struct err *err)
{
	int64_t n[2];

	if (count(st, t, n, err))
		return (-1);
	if (n[1] > 0)
		return (0);
	err_set(err, ERR_NOT_FOUND, "there is no alias \"%s\"", t->pattern);
	return (-1);
}

static int
set_inside(struct store *st, const struct task *t, struct err *err)
{
	const struct store_value row[] = { store_text(t->target),
		store_text(t->scope), store_int(t->id),
		store_text(t->pattern) };

	if (need_one(st, t, err))
		return (-1);
	return (store_exec(st, STMT_ALIAS_SET, row, 1, NITEMS(row), NULL,
	    err));
}

static int
remove_inside(struct store *st, const struct task *t, struct err *err)
{
	const struct store_value row[] = { store_text(t->scope),
		store_int(t->id), store_text(t->pattern) };

	if (need_one(st, t, err))
		return (-1);
	return (store_exec(st, STMT_ALIAS_REMOVE, row, 1, NITEMS(row), NULL,
	    err));
}

int
aliases_add(struct store *st, const struct alias_of *of, const char *pattern,
    const char *target, struct err *err)
{
	struct task t = { .run = add_inside, .pattern = pattern,
		.target = target };

	return (check_names(pattern, target, err) ? -1 :
	    change(st, of, &t, err));
}

int
aliases_set(struct store *st, const struct alias_of *of, const char *pattern,
    const char *target, struct err *err)
{
	struct task t = { .run = set_inside, .pattern = pattern,
		.target = target };

	return (check_names(pattern, target, err) ? -1 :
	    change(st, of, &t, err));
}

int
aliases_remove(struct store *st, const struct alias_of *of,
    const char *pattern, struct err *err)
{
	struct task t = { .run = remove_inside, .pattern = pattern };

	return (change(st, of, &t, err));
}

int
aliases_there(struct store *st, const struct alias_of *of,
    const char *pattern, struct err *err)
{
	struct task t = { .pattern = pattern };
	int64_t n[2];

	if (find_scope(st, of, &t, err) || count(st, &t, n, err))
		return (-1);
	return (n[1] > 0 ? 1 : 0);
}

int
aliases_put_in(struct store *st, const struct alias_of *of,
    const char *pattern, const char *target, struct err *err)
{
	struct task t = { .pattern = pattern, .target = target };
	int there;

	if (check_names(pattern, target, err) || find_scope(st, of, &t, err))
		return (-1);
	if ((there = aliases_there(st, of, pattern, err)) == -1)
		return (-1);
	return (there ? set_inside(st, &t, err) : add_inside(st, &t, err));
}

/* ---- the list ---- */

/* Groups before accounts, each by name; then as alias_sort has it. */
static int
row_cmp(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	int sx, sy, c;

	if ((c = strcmp(text_of(y, "scope"), text_of(x, "scope"))) != 0 ||
	    (c = strcmp(text_of(x, "of"), text_of(y, "of"))) != 0)
		return (c);
	sx = price_specificity(text_of(x, "pattern"));
	sy = price_specificity(text_of(y, "pattern"));
	if (sx != sy)
		return (sx > sy ? -1 : 1);
	return (strcmp(text_of(x, "pattern"), text_of(y, "pattern")));
}

/* Takes ${rows} over. */
static json_t *
sorted(json_t *rows, struct err *err)
{
	size_t i, n = json_array_size(rows);
	json_t **list = calloc(n + 1, sizeof(*list));
	json_t *out = json_array();

	for (i = 0; i < n && list != NULL; i++)
		list[i] = json_array_get(rows, i);
	if (list != NULL)
		qsort(list, n, sizeof(*list), row_cmp);
	for (i = 0; i < n && list != NULL; i++)
		(void)json_array_append(out, list[i]);
	if (list == NULL || json_array_size(out) != n) {
		err_set(err, ERR_NOMEM, "no memory for an answer");
		json_decref(out);
		out = NULL;
	}
	free(list);
	json_decref(rows);
	return (out);
}

json_t *
aliases_list(struct store *st, const struct alias_of *of, struct err *err)
{
	const char *scope = of->group != NULL ? "group" :
	    of->account != NULL ? "account" : "";
	const char *name = of->group != NULL ? of->group :
	    of->account != NULL ? of->account : "";
	const struct store_value params[] = {
		store_text(scope), store_text(scope),
		store_text(name), store_text(name),
	};
	json_t *rows;

	rows = query_rows(st, STMT_ALIAS_LIST, params, NITEMS(params), fields,
	    NITEMS(fields), err);
	return (rows == NULL ? NULL : sorted(rows, err));
}
