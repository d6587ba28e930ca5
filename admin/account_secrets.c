#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "ledger/meta.h"
#include "store/store.h"

#include "account_secrets.h"

#define CONTEXT_SIZE	48

static const struct kind {
	const char *word;		/* in its context */
	enum stmt_id get, all, set;
	bool optional;
} kinds[] = {
	[ACCOUNT_SECRET] = { META_ACCOUNT_SECRET, STMT_ACCOUNT_SECRET,
	    STMT_ACCOUNT_SECRETS, STMT_ACCOUNT_SET_SECRET, false },
	[ACCOUNT_PROXY] = { META_ACCOUNT_PROXY, STMT_ACCOUNT_PROXY,
	    STMT_ACCOUNT_PROXIES, STMT_ACCOUNT_SET_PROXY, true },
	[ACCOUNT_REFRESH] = { META_ACCOUNT_REFRESH, STMT_OAUTH_REFRESH,
	    STMT_OAUTH_REFRESHES, STMT_OAUTH_SET_REFRESH, true },
};

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == ACCOUNT_SECRETS,
    "one row for each kind");

static void
make_context(char context[CONTEXT_SIZE], enum account_secret what, int64_t id)
{

	(void)snprintf(context, CONTEXT_SIZE, META_ACCOUNT_CONTEXT,
	    (long long)id, kinds[what].word);
}

int
account_secret_put(struct store *st, const struct seal *seal,
    enum account_secret what, int64_t id, const char *text, size_t len,
    struct err *err)
{
	struct store_value row[3];
	char context[CONTEXT_SIZE];
	unsigned char *box;
	size_t boxlen;
	int rc;

	make_context(context, what, id);
	if (seal_box(seal, context, text, len, &box, &boxlen, err))
		return (-1);
	row[0] = store_blob(box, boxlen);
	row[1] = store_int(store_now_ms(st));
	row[2] = store_int(id);
	rc = store_exec(st, kinds[what].set, row, 1, 3, NULL, err);
	free(box);
	return (rc);
}

int
account_secret_drop(struct store *st, enum account_secret what, int64_t id,
    struct err *err)
{
	const struct store_value row[3] = {
		store_null(), store_int(store_now_ms(st)), store_int(id)
	};

	return (store_exec(st, kinds[what].set, row, 1, 3, NULL, err));
}

/* Sealed secrets, copied out of their rows. */
struct sealed {
	int64_t id;
	unsigned char *box;
	size_t len;
};

struct sealed_list {
	struct sealed *v;
	size_t n;
	bool nomem;
};

static int
take_sealed(void *arg, const struct store_value *cols, size_t ncols)
{
	struct sealed_list *list = arg;
	const struct store_value *box = &cols[ncols - 1];
	struct sealed *v;

	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (v != NULL)
		list->v = v;
	if (v == NULL || (v[list->n].box = malloc(box->n + 1)) == NULL) {
		list->nomem = true;
		return (1);
	}
	if (box->n > 0)
		memcpy(v[list->n].box, box->p, box->n);
	v[list->n].len = box->n;
	v[list->n].id = ncols == 2 ? store_get_int(&cols[0]) : 0;
	list->n++;
	return (0);
}

static void
sealed_list_free(struct sealed_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->v[i].box);
	free(list->v);
}

static int
open_sealed(const struct seal *seal, enum account_secret what, int64_t id,
    const struct sealed *s, char **text, size_t *len, struct err *err)
{
	char context[CONTEXT_SIZE];

	make_context(context, what, id);
	return (seal_unbox(seal, context, s->box, s->len, text, len, err));
}

int
account_secret_get(struct store *st, const struct seal *seal,
    enum account_secret what, int64_t id, char **text, size_t *len,
    struct err *err)
{
	const struct store_value param = store_int(id);
	struct sealed_list list = { .n = 0 };
	int rc = -1;

	*text = NULL;
	if (store_query(st, kinds[what].get, &param, 1, take_sealed, &list,
	    err) == -1)
		rc = -1;
	else if (list.nomem)
		err_set(err, ERR_NOMEM, "no memory for a secret");
	else if (list.n > 0)
		rc = open_sealed(seal, what, id, &list.v[0], text, len, err);
	else if (kinds[what].optional)
		rc = 0;
	else
		err_set(err, ERR_NOT_FOUND, "cannot read the %s of account "
		    "%lld", kinds[what].word, (long long)id);
	sealed_list_free(&list);
	return (rc);
}

static int
reseal_one(struct store *st, const struct seal *seal,
    enum account_secret what, const struct sealed *s, struct err *err)
{
	char *text;
	size_t len;
	int rc;

	if (open_sealed(seal, what, s->id, s, &text, &len, err))
		return (-1);
	rc = account_secret_put(st, seal, what, s->id, text, len, err);
	seal_wipe_free(text, len);
	return (rc);
}

static int
reseal_all(struct store *st, const struct seal *seal,
    enum account_secret what, size_t *n, struct err *err)
{
	struct sealed_list list = { .n = 0 };
	size_t i;
	int rc = 0;

	if (store_query(st, kinds[what].all, NULL, 0, take_sealed, &list,
	    err) == -1)
		rc = -1;
	else if (list.nomem) {
		err_set(err, ERR_NOMEM, "no memory for the secrets");
		rc = -1;
	}
	for (i = 0; rc == 0 && i < list.n; i++)
		rc = reseal_one(st, seal, what, &list.v[i], err);
	*n = list.n;
	sealed_list_free(&list);
	return (rc);
}

int
account_secrets_reseal(struct store *st, const struct seal *seal, size_t *n,
    struct err *err)
{
	enum account_secret what;
	size_t others;

	if (reseal_all(st, seal, ACCOUNT_SECRET, n, err))
		return (-1);
	for (what = ACCOUNT_SECRET + 1; what < ACCOUNT_SECRETS; what++) {
		if (reseal_all(st, seal, what, &others, err))
			return (-1);
	}
	return (0);
}
