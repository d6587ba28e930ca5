#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "notify_secrets.h"

#define CONTEXT_SIZE	48

static void
make_context(char context[CONTEXT_SIZE], int64_t id)
{

	(void)snprintf(context, CONTEXT_SIZE, "notify:%lld:secret",
	    (long long)id);
}

int
notify_secret_put(struct store *st, const struct seal *seal, int64_t id,
    const char *secret, struct err *err)
{
	struct store_value row[2];
	char context[CONTEXT_SIZE];
	unsigned char *box;
	size_t n;
	int rc;

	make_context(context, id);
	if (seal_box(seal, context, secret, strlen(secret), &box, &n, err))
		return (-1);
	row[0] = store_blob(box, n);
	row[1] = store_int(id);
	rc = store_exec(st, STMT_NOTIFY_TARGET_SEAL, row, 1, 2, NULL, err);
	free(box);
	return (rc);
}

/* Secrets on their way out of their rows, in clear. */
struct opened {
	const struct seal *seal;
	struct err *err;
	size_t n;
	struct {
		int64_t id;
		char secret[NOTIFY_SECRET_SIZE];
	} list[NOTIFY_TARGETS_MAX];
};

static int
open_secret(void *arg, const struct store_value *c, size_t ncols)
{
	struct opened *o = arg;
	char context[CONTEXT_SIZE], *text;
	size_t n;

	if (o->n == NOTIFY_TARGETS_MAX)
		return (1);
	o->list[o->n].id = store_get_int(&c[0]);
	make_context(context, o->list[o->n].id);
	if (seal_unbox(o->seal, context, c[ncols - 1].p, c[ncols - 1].n,
	    &text, &n, o->err))
		return (-1);
	(void)snprintf(o->list[o->n].secret, NOTIFY_SECRET_SIZE, "%s", text);
	seal_wipe_free(text, n);
	o->n++;
	return (0);
}

static int
open_secrets(struct store *st, const struct seal *seal, int64_t id,
    struct opened *o, struct err *err)
{
	const struct store_value v[2] = { store_int(id), store_int(id) };

	memset(o, 0, sizeof(*o));
	o->seal = seal;
	o->err = err;
	return (store_query(st, STMT_NOTIFY_TARGET_SECRETS, v, 2,
	    open_secret, o, err) < 0 ? -1 : 0);
}

int
notify_secret_get(struct store *st, const struct seal *seal,
    int64_t id, char secret[NOTIFY_SECRET_SIZE], struct err *err)
{
	struct opened o;
	int rc = open_secrets(st, seal, id, &o, err);

	if (rc == 0 && o.n == 0) {
		err_set(err, ERR_NOT_FOUND, "the target has no secret");
		rc = -1;
	}
	if (rc == 0)
		memcpy(secret, o.list[0].secret, NOTIFY_SECRET_SIZE);
	seal_wipe(&o, sizeof(o));
	return (rc);
}

int
notify_secrets_reseal(struct store *st, const struct seal *seal,
    struct err *err)
{
	struct opened o;
	size_t i;
	int rc = open_secrets(st, seal, 0, &o, err);

	for (i = 0; i < o.n && rc == 0; i++)
		rc = notify_secret_put(st, seal, o.list[i].id, o.list[i].secret,
		    err);
	seal_wipe(&o, sizeof(o));
	return (rc);
}
