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

int
account_secret_put(struct store *st, const struct seal *seal, int64_t id,
    const char *secret, size_t len, struct err *err)
{
	struct store_value row[3];
	char context[CONTEXT_SIZE];
	unsigned char *box;
	size_t boxlen;
	int rc;

	(void)snprintf(context, sizeof(context), META_ACCOUNT_CONTEXT,
	    (long long)id);
	if (seal_box(seal, context, secret, len, &box, &boxlen, err))
		return (-1);
	row[0] = store_blob(box, boxlen);
	row[1] = store_int(store_now_ms(st));
	row[2] = store_int(id);
	rc = store_exec(st, STMT_ACCOUNT_SET_SECRET, row, 1, 3, NULL, err);
	free(box);
	return (rc);
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
open_sealed(const struct seal *seal, int64_t id, const struct sealed *s,
    char **secret, size_t *len, struct err *err)
{
	char context[CONTEXT_SIZE];

	(void)snprintf(context, sizeof(context), META_ACCOUNT_CONTEXT,
	    (long long)id);
	return (seal_unbox(seal, context, s->box, s->len, secret, len, err));
}

int
account_secret_get(struct store *st, const struct seal *seal, int64_t id,
    char **secret, size_t *len, struct err *err)
{
	const struct store_value param = store_int(id);
	struct sealed_list list = { .n = 0 };
	int rc = -1;

	if (store_query(st, STMT_ACCOUNT_SECRET, &param, 1, take_sealed,
	    &list, err) == -1)
		return (-1);
	if (list.n == 0)
		err_set(err, list.nomem ? ERR_NOMEM : ERR_NOT_FOUND,
		    "cannot read the secret of account %lld", (long long)id);
	else
		rc = open_sealed(seal, id, &list.v[0], secret, len, err);
	sealed_list_free(&list);
	return (rc);
}

int
account_secrets_reseal(struct store *st, const struct seal *seal, size_t *n,
    struct err *err)
{
	struct sealed_list list = { .n = 0 };
	char *secret;
	size_t i, len;
	int rc = 0;

	if (store_query(st, STMT_ACCOUNT_SECRETS, NULL, 0, take_sealed, &list,
	    err) == -1)
		rc = -1;
	else if (list.nomem) {
		err_set(err, ERR_NOMEM, "no memory for the secrets");
		rc = -1;
	}
	for (i = 0; rc == 0 && i < list.n; i++) {
		if ((rc = open_sealed(seal, list.v[i].id, &list.v[i], &secret,
		    &len, err)) != 0)
			break;
		rc = account_secret_put(st, seal, list.v[i].id, secret, len,
		    err);
		seal_wipe_free(secret, len);
	}
	*n = list.n;
	sealed_list_free(&list);
	return (rc);
}
