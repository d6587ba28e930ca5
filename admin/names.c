#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/grow.h"
#include "store/store.h"

#include "query.h"

#include "names.h"

static const enum stmt_id statements[] = {
	[NAMES_OF_KEYS] = STMT_NAMES_OF_KEYS,
	[NAMES_OF_PEOPLE] = STMT_NAMES_OF_PEOPLE,
	[NAMES_OF_ACCOUNTS] = STMT_NAMES_OF_ACCOUNTS,
	[NAMES_OF_GROUPS] = STMT_NAMES_OF_GROUPS,
};
_Static_assert(sizeof(statements) / sizeof(statements[0]) == NAMES_OF_COUNT,
    "one statement for each kind");

struct name {
	int64_t id;
	char *text;
};

struct names {
	size_t n, cap;
	struct name *list;	/* by id */
	struct err *err;	/* while it is read */
};

/* id, name; by id */
static int
take_name(void *arg, const struct store_value *c, size_t ncols)
{
	struct names *n = arg;
	struct name *list;

	(void)ncols;
	if ((list = grow_list(n->list, n->n, &n->cap, sizeof(*list))) == NULL)
		goto err0;
	n->list = list;
	list += n->n;
	*list = (struct name) { store_get_int(&c[0]),
		strdup(store_get_text(&c[1])) };
	if (list->text == NULL)
		goto err0;
	n->n++;
	return (0);

err0:
	err_set(n->err, ERR_NOMEM, "no memory for names");
	return (-1);
}

struct names *
names_read(struct store *st, enum names_of of, struct err *err)
{
	struct names *n;

	if ((n = calloc(1, sizeof(*n))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for names");
		return (NULL);
	}
	n->err = err;
	if (store_query(st, statements[of], NULL, 0, take_name, n, err) < 0) {
		names_free(n);
		return (NULL);
	}
	n->err = NULL;
	return (n);
}

void
names_free(struct names *n)
{
	size_t i;

	if (n == NULL)
		return;
	for (i = 0; i < n->n; i++)
		free(n->list[i].text);
	free(n->list);
	free(n);
}

int
names_find(const struct names *n, const char *name, int64_t *id)
{
	size_t i;

	for (i = 0; i < n->n; i++) {
		if (strcmp(n->list[i].text, name) == 0) {
			*id = n->list[i].id;
			return (0);
		}
	}
	return (-1);
}

static int
by_id(const void *key, const void *elem)
{
	int64_t id = *(const int64_t *)key;
	const struct name *n = elem;

	return (id < n->id ? -1 : id > n->id);
}

json_t *
names_json(const struct names *n, int64_t id)
{
	const struct name *found;

	if (id == 0)
		return (json_null());
	found = n->n == 0 ? NULL : bsearch(&id, n->list, n->n,
	    sizeof(*n->list), by_id);
	if (found == NULL)
		return (json_sprintf("#%lld", (long long)id));
	return (query_text(found->text, strlen(found->text)));
}
