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

/* NULL where it is "". */
static int
box(const struct seal *seal, int64_t id, const char *secret,
    struct store_value *v, unsigned char **kept, struct err *err)
{
	char context[CONTEXT_SIZE];
	size_t n;

	*kept = NULL;
	*v = store_null();
	if (secret[0] == '\0')
		return (0);
	make_context(context, id);
	if (seal_box(seal, context, secret, strlen(secret), kept, &n, err))
		return (-1);
	*v = store_blob(*kept, n);
	return (0);
}

static int
renew(struct store *st, int64_t id, int64_t overlap_ms, struct err *err)
{
	struct store_value v[3] = {
		store_null(), store_null(), store_int(id)
	};

	if (overlap_ms > 0)
		v[0] = v[1] = store_int(store_now_ms(st) + overlap_ms);
	return (store_exec(st, STMT_NOTIFY_TARGET_RENEW, v, 1, 3, NULL, err));
}

int
notify_secret_put(struct store *st, const struct seal *seal, int64_t id,
    const char *secret, int64_t overlap_ms, struct err *err)
{
	struct store_value row[2];
	unsigned char *kept;
	int rc;

	row[1] = store_int(id);
	if (renew(st, id, overlap_ms, err) || box(seal, id, secret, &row[0],
	    &kept, err))
		return (-1);
	rc = store_exec(st, STMT_NOTIFY_TARGET_SECRET, row, 1, 2, NULL, err);
	free(kept);
	return (rc);
}

/* Secrets on their way out of their rows, in clear. */
struct opened {
	const struct seal *seal;
	struct err *err;
	int64_t now_ms;
	size_t n;
	struct {
		int64_t id;
		struct notify_secrets secrets;
	} list[NOTIFY_TARGETS_MAX];
};

static int
open_secret(struct opened *o, int64_t id, const struct store_value *v,
    char secret[NOTIFY_SECRET_SIZE])
{
	char context[CONTEXT_SIZE], *text;
	size_t n;

	make_context(context, id);
	if (seal_unbox(o->seal, context, v->p, v->n, &text, &n, o->err))
		return (-1);
	(void)snprintf(secret, NOTIFY_SECRET_SIZE, "%s", text);
	seal_wipe_free(text, n);
	return (0);
}

static int
open_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct opened *o = arg;
	const int64_t id = store_get_int(&c[0]);
	struct notify_secrets *s;

	(void)ncols;
	if (o->n == NOTIFY_TARGETS_MAX)
		return (1);
	o->list[o->n].id = id;
	s = &o->list[o->n++].secrets;
	if (open_secret(o, id, &c[1], s->now))
		return (-1);
	if (c[2].type == STORE_NULL || store_get_int(&c[3]) <= o->now_ms)
		return (0);
	return (open_secret(o, id, &c[2], s->old));
}

static int
open_secrets(struct store *st, const struct seal *seal, int64_t id,
    struct opened *o, struct err *err)
{
	const struct store_value v[2] = { store_int(id), store_int(id) };

	memset(o, 0, sizeof(*o));
	o->seal = seal;
	o->err = err;
	o->now_ms = store_now_ms(st);
	return (store_query(st, STMT_NOTIFY_TARGET_SECRETS, v, 2, open_row, o,
	    err) < 0 ? -1 : 0);
}

int
notify_secrets_get(struct store *st, const struct seal *seal, int64_t id,
    struct notify_secrets *secrets, struct err *err)
{
	struct opened o;
	int rc = open_secrets(st, seal, id, &o, err);

	if (rc == 0 && o.n == 0) {
		err_set(err, ERR_NOT_FOUND, "the target has no secret");
		rc = -1;
	}
	if (rc == 0)
		*secrets = o.list[0].secrets;
	seal_wipe(&o, sizeof(o));
	return (rc);
}

int
notify_secrets_expire(struct store *st, struct err *err)
{
	const struct store_value now = store_int(store_now_ms(st));

	if (store_begin(st, true, err))
		return (-1);
	return (store_end(st, store_exec(st, STMT_NOTIFY_TARGET_EXPIRE, &now,
	    1, 1, NULL, err), err));
}

static int
reseal(struct store *st, const struct seal *seal, int64_t id,
    const struct notify_secrets *s, struct err *err)
{
	struct store_value row[3] = { [2] = store_int(id) };
	unsigned char *now, *old = NULL;
	int rc = -1;

	if (box(seal, id, s->now, &row[0], &now, err) == 0 &&
	    box(seal, id, s->old, &row[1], &old, err) == 0)
		rc = store_exec(st, STMT_NOTIFY_TARGET_SEAL, row, 1, 3, NULL,
		    err);
	free(old);
	free(now);
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
		rc = reseal(st, seal, o.list[i].id, &o.list[i].secrets, err);
	seal_wipe(&o, sizeof(o));
	return (rc);
}
