#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/seal.h"
#include "ledger/meta.h"

#include "pool/cooldown.h"
#include "pool/refresh.h"
#include "pool/runner.h"

#define BACK_OFF_FIRST_MS	1000
#define BACK_OFF_MAX_MS		(5 * 60 * 1000)

int64_t
refresh_back_off_ms(int64_t tries)
{
	int64_t ms = BACK_OFF_FIRST_MS;

	while (--tries > 0 && ms < BACK_OFF_MAX_MS)
		ms *= 2;
	return (ms < BACK_OFF_MAX_MS ? ms : BACK_OFF_MAX_MS);
}

/* ---- parks ---- */

#define PARK_SIGN_IN	"sign_in"
#define PARK_FAILED	"refresh"

static struct park
sign_in(const struct runner *rn, int64_t for_ms, const char *why)
{
	struct park park = {
		.reason = PARK_SIGN_IN,
		.stated = true,
		.until_ms = rn->now_ms + for_ms,
	};

	(void)snprintf(park.detail, sizeof(park.detail), "needs sign-in%s%s",
	    why[0] != '\0' ? ": " : "", why);
	return (park);
}

static int
park_sign_in(struct runner *rn, int64_t account_id, const char *why,
    struct err *err)
{
	const struct park park = sign_in(rn, REFRESH_SIGN_IN_MS, why);

	return (cooldown_put(rn, 0, account_id, &park, err));
}

/* Whoever found out that it needs one knows why: what they said stays. */
static int
park_again(struct runner *rn, int64_t account_id, struct err *err)
{
	const struct park park = sign_in(rn, REFRESH_SIGN_IN_MS / 2, "");

	return (cooldown_extend(rn, 0, account_id, &park, err));
}

static int
park_failed(struct runner *rn, int64_t account_id, int64_t until_ms,
    const char *why, struct err *err)
{
	struct park park = {
		.reason = PARK_FAILED,
		.stated = true,
		.until_ms = until_ms,
	};

	(void)snprintf(park.detail, sizeof(park.detail), "no new token%s%s",
	    why[0] != '\0' ? ": " : "", why);
	return (cooldown_extend(rn, 0, account_id, &park, err));
}

/* ---- take ---- */

struct row {
	bool there;
	unsigned char *box;		/* NULL: none */
	size_t boxlen;
	bool signed_in, expired;
	int64_t rotation, sent_ms, retry_ms, tries, lease_by, lease_fence;
};

static int
take_row(void *arg, const struct store_value *c, size_t n)
{
	struct row *r = arg;

	(void)n;
	r->there = true;
	if (c[0].type != STORE_NULL && c[0].n > 0 &&
	    (r->box = malloc(c[0].n)) != NULL) {
		memcpy(r->box, c[0].p, c[0].n);
		r->boxlen = c[0].n;
	}
	r->signed_in = store_get_int(&c[1]) != 0;
	r->rotation = store_get_int(&c[2]);
	r->sent_ms = store_get_int(&c[3]);
	r->retry_ms = store_get_int(&c[4]);
	r->tries = store_get_int(&c[5]);
	r->lease_by = store_get_int(&c[6]);
	r->lease_fence = store_get_int(&c[7]);
	r->expired = store_get_int(&c[8]) != 0;
	return (1);
}

static int
read_row(struct runner *rn, int64_t account_id, struct row *r,
    struct err *err)
{
	const struct store_value v[3] = {
		store_int(rn->now_ms), store_int(rn->now_ms),
		store_int(account_id)
	};

	*r = (struct row) { .there = false };
	if (store_lock(rn->st, STMT_LOCK_OAUTH, &v[2], 1, err))
		return (-1);
	return (store_query(rn->st, STMT_OAUTH_LEASE_STATE, v, 3, take_row, r,
	    err) < 0 ? -1 : 0);
}

static enum refresh_taken
judge(const struct runner *rn, const struct refresh_take_op *op,
    const struct row *r)
{

	if (!r->there)
		return (REFRESH_GONE);
	if (r->rotation > op->rotation)
		return (REFRESH_NEWER);
	if (!r->signed_in || r->box == NULL)
		return (REFRESH_SIGN_IN);
	if (r->lease_by != 0 && r->lease_by != rn->self.id)
		return (REFRESH_BUSY);
	return (r->retry_ms > rn->now_ms ? REFRESH_LATER : REFRESH_TAKEN);
}

static int
unseal(struct runner *rn, struct refresh_take_op *op, const struct row *r,
    struct err *err)
{
	char context[64];

	(void)snprintf(context, sizeof(context), META_ACCOUNT_CONTEXT,
	    (long long)op->account_id, META_ACCOUNT_REFRESH);
	return (seal_unbox(rn->unseal.seal, context, r->box, r->boxlen,
	    &op->token, &op->token_len, err));
}

static int
lease(struct runner *rn, struct refresh_take_op *op, const struct row *r,
    struct err *err)
{
	const struct store_value v[5] = {
		store_int(rn->self.id), store_int(r->lease_fence + 1),
		store_int(rn->now_ms + REFRESH_LEASE_MS),
		store_int(rn->now_ms), store_int(op->account_id)
	};

	op->fence = r->lease_fence + 1;
	op->tries = r->tries;
	op->interrupted = r->sent_ms != 0;
	return (store_exec(rn->st, STMT_OAUTH_LEASE, v, 1, 5, NULL, err));
}

static void
drop_token(struct refresh_take_op *op)
{

	if (op->token != NULL)
		seal_wipe_free(op->token, op->token_len);
	op->token = NULL;
}

/* A token of another master key is this operation's own failure. */
static int
take_token(struct runner *rn, struct refresh_take_op *op,
    const struct row *r, struct err *err)
{

	if (unseal(rn, op, r, &op->op.err))
		return (0);
	return (lease(rn, op, r, err));
}

static int
take_one(struct runner *rn, struct refresh_take_op *op, struct err *err)
{
	struct row r;
	int rc = 0;

	drop_token(op);			/* of a try before */
	if (read_row(rn, op->account_id, &r, err))
		return (-1);
	op->taken = judge(rn, op, &r);
	op->retry_ms = r.retry_ms;
	if (op->taken == REFRESH_TAKEN)
		rc = take_token(rn, op, &r, err);
	else if (op->taken == REFRESH_SIGN_IN)
		rc = park_again(rn, op->account_id, err);
	else if (op->taken == REFRESH_LATER && (op->needed || r.expired))
		rc = park_failed(rn, op->account_id, r.retry_ms, "", err);
	free(r.box);
	return (rc);
}

/* ---- end ---- */

static int
box(struct runner *rn, int64_t id, const char *word, const char *text,
    unsigned char **out, size_t *len, struct err *err)
{
	char context[64];

	(void)snprintf(context, sizeof(context), META_ACCOUNT_CONTEXT,
	    (long long)id, word);
	return (seal_box(rn->unseal.seal, context, text, strlen(text), out,
	    len, err));
}

/* The old refresh token, where the provider gave no new one. */
static int
keep_refresh(struct runner *rn, int64_t id, unsigned char **out, size_t *len,
    struct err *err)
{
	struct row r;

	if (read_row(rn, id, &r, err))
		return (-1);
	*out = r.box;
	*len = r.boxlen;
	return (0);
}

static int
put_pair(struct runner *rn, const struct refresh_end_op *op,
    const struct store_value *refresh, int64_t *changes, struct err *err)
{
	int64_t lifetime = op->tokens.lifetime_ms;
	const struct store_value v[7] = {
		*refresh,
		store_int(lifetime == 0 ? 0 : rn->now_ms + lifetime),
		store_int(oauth_renew_ms(rn->now_ms, lifetime,
		    rn->set.refresh_ahead_ms)),
		store_int(rn->now_ms), store_int(rn->now_ms),
		store_int(op->account_id), store_int(op->rotation)
	};

	return (store_exec(rn->st, STMT_OAUTH_RENEWED, v, 1, 7, changes,
	    err));
}

static int
put_access(struct runner *rn, const struct refresh_end_op *op,
    struct err *err)
{
	struct store_value v[3];
	unsigned char *p;
	size_t n;
	int rc;

	if (box(rn, op->account_id, META_ACCOUNT_SECRET, op->tokens.access,
	    &p, &n, err))
		return (-1);
	v[0] = store_blob(p, n);
	v[1] = store_int(rn->now_ms);
	v[2] = store_int(op->account_id);
	rc = store_exec(rn->st, STMT_ACCOUNT_SET_SECRET, v, 1, 3, NULL, err);
	free(p);
	if (rc)
		return (-1);
	rn->parks_changed = true;
	return (store_exec(rn->st, STMT_OAUTH_WAKE, &v[2], 1, 1, NULL, err));
}

static int
end_renewed(struct runner *rn, struct refresh_end_op *op, struct err *err)
{
	struct store_value refresh, id = store_int(op->account_id);
	unsigned char *p = NULL;
	int64_t changes = 0;
	size_t n = 0;
	int rc;

	if (store_lock(rn->st, STMT_LOCK_OAUTH, &id, 1, err) ||
	    (op->tokens.refresh != NULL ?
	    box(rn, op->account_id, META_ACCOUNT_REFRESH, op->tokens.refresh,
	    &p, &n, err) : keep_refresh(rn, op->account_id, &p, &n, err)))
		return (-1);
	refresh = store_blob(p, n);
	rc = put_pair(rn, op, &refresh, &changes, err);
	free(p);
	if (rc)
		return (-1);
	op->superseded = changes == 0;
	return (op->superseded ? 0 : put_access(rn, op, err));
}

static int
end_failed(struct runner *rn, struct refresh_end_op *op, struct err *err)
{
	int64_t retry_ms = rn->now_ms + refresh_back_off_ms(op->tries + 1);
	const struct store_value v[6] = {
		store_int(op->unclear ? rn->now_ms : 0),
		store_int(op->tries + 1), store_int(retry_ms),
		store_int(op->account_id), store_int(op->rotation),
		store_int(op->fence)
	};
	int64_t changes = 0;

	if (store_exec(rn->st, STMT_OAUTH_FAILED, v, 1, 6, &changes, err))
		return (-1);
	op->superseded = changes == 0;
	if (op->superseded || !op->needed)
		return (0);
	op->parked = PARK_FAILED;
	return (park_failed(rn, op->account_id, retry_ms, op->why, err));
}

static int
end_refused(struct runner *rn, struct refresh_end_op *op, struct err *err)
{
	const struct store_value v[3] = {
		store_int(op->account_id), store_int(op->rotation),
		store_int(op->fence)
	};
	int64_t changes = 0;

	if (store_exec(rn->st, STMT_OAUTH_REFUSED, v, 1, 3, &changes, err))
		return (-1);
	op->superseded = changes == 0;
	if (op->superseded)
		return (0);
	op->parked = PARK_SIGN_IN;
	return (park_sign_in(rn, op->account_id, op->why, err));
}

static int (*const ends[])(struct runner *, struct refresh_end_op *,
    struct err *) = {
	[REFRESH_RENEWED] = end_renewed,
	[REFRESH_FAILED] = end_failed,
	[REFRESH_REFUSED] = end_refused,
};

int
refresh_run(struct runner *rn, struct err *err)
{
	const struct op_list *takes = &rn->lists[OP_REFRESH_TAKE];
	const struct op_list *l = &rn->lists[OP_REFRESH_END];
	struct refresh_end_op *op;
	size_t i;

	for (i = 0; i < l->n; i++) {
		op = (struct refresh_end_op *)(void *)l->ops[i];
		op->parked = NULL;	/* of a try before */
		if (ends[op->end](rn, op, err))
			return (-1);
	}
	for (i = 0; i < takes->n; i++) {
		if (take_one(rn, (struct refresh_take_op *)(void *)
		    takes->ops[i], err))
			return (-1);
	}
	return (0);
}
