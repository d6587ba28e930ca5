#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "fakes.h"

/* The pool below a call: see fakes.h. */

/* Stands for the snapshot that leases keep alive. */
static struct snapshot snapshot;

bool
pool_ready(const struct pool *p)
{

	(void)p;
	return (fakes.ready);
}

int64_t
pool_next_id(struct pool *p)
{

	(void)p;
	return (fakes.pepper ? ++fakes.ids : 0);
}

const struct seal_pepper *
pool_pepper(const struct pool *p)
{
	static const struct seal_pepper pepper = { { 1 } };

	(void)p;
	return (fakes.pepper ? &pepper : NULL);
}

const struct seal *
pool_seal(struct pool *p)
{

	(void)p;
	return (NULL);
}

static struct key_info *
hand_out_key(void)
{

	fakes.key.refs++;
	return (&fakes.key);
}

void
key_info_unref(struct key_info *k)
{

	if (k == NULL)
		return;
	assert_ptr_equal(k, &fakes.key);
	assert_true(k->refs > 0);
	k->refs--;
}

struct key_info *
pool_key_cached(struct pool *p, const unsigned char hash[SEAL_HASH_BYTES])
{

	(void)p;
	(void)hash;
	return (fakes.key_cached ? hand_out_key() : NULL);
}

bool
pool_key_known(const struct pool *p, const unsigned char hash[SEAL_HASH_BYTES])
{

	(void)p;
	(void)hash;
	return (fakes.key_known);
}

void
pool_lookup(struct pool *p, struct lookup_op *op)
{

	(void)p;
	assert_null(fakes.lookup);
	fakes.lookup = op;
	fakes.nlookups++;
}

void
fake_looked_up(bool known, enum err_code code)
{
	struct lookup_op *op = fakes.lookup;
	struct err err = { .code = code };

	assert_non_null(op);
	fakes.lookup = NULL;
	op->key = known && code == ERR_NONE ? hand_out_key() : NULL;
	op->done(op, &err);
}

void
lease_drop(struct lease *l)
{

	if (l->snapshot != NULL) {
		assert_ptr_equal(l->snapshot, &snapshot);
		assert_true(fakes.leases > 0);
		fakes.leases--;
	}
	l->snapshot = NULL;
	l->account = NULL;
	l->held = false;
}

void
lease_follow(struct lease *l, struct snapshot *s, const struct account *a)
{

	assert_ptr_equal(s, &snapshot);
	assert_int_equal(l->account->id, a->id);
	l->account = a;
}

struct snapshot *
pool_snapshot(struct pool *p)
{

	(void)p;
	snapshot.accounts = fakes.accounts;
	snapshot.naccounts = FAKE_ACCOUNTS;
	return (&snapshot);
}

const struct account *
snapshot_account(const struct snapshot *s, int64_t id)
{

	assert_ptr_equal(s, &snapshot);
	return (fakes.newest[id - 1].id == 0 ? &fakes.accounts[id - 1] :
	    &fakes.newest[id - 1]);
}

void
pool_prove(struct pool *p, int64_t ledger_id, const struct lease *lease,
    const char *model)
{

	(void)p;
	assert_int_equal(ledger_id, fakes.ids);
	assert_true(lease->probe);
	assert_string_not_equal(model, "");
	fakes.nproved++;
}

void
pool_refresh_take(struct pool *p, struct refresh_take_op *op)
{

	(void)p;
	assert_null(fakes.take);
	fakes.take = op;
	fakes.taken = *op;
	fakes.ntakes++;
}

void
fake_taken(enum refresh_taken taken, enum err_code code)
{
	struct refresh_take_op *op = fakes.take;
	struct err err = { .code = code };

	assert_non_null(op);
	fakes.take = NULL;
	op->taken = taken;
	op->fence = 5;
	if (code == ERR_NONE && taken == REFRESH_TAKEN) {
		op->token = strdup("refresh & 1");
		op->token_len = strlen(op->token);
	}
	op->done(op, &err);
}

void
pool_refresh_end(struct pool *p, struct refresh_end_op *op)
{

	(void)p;
	assert_null(fakes.end);
	fakes.end = op;
	fakes.nends++;
}

void
fake_renewed(enum err_code code)
{
	struct refresh_end_op *op = fakes.end;
	struct err err = { .code = code };

	assert_non_null(op);
	fakes.end = NULL;
	if (code == ERR_NONE && op->end == REFRESH_RENEWED)
		fake_newer(op->account_id, op->tokens.lifetime_ms);
	op->done(op, &err);
}

void
fake_oauth(int64_t id, int64_t lifetime_ms)
{
	static char token_url[] = "https://token.example/t";
	static char client_id[] = "client";
	static struct oauth oauth[FAKE_ACCOUNTS];
	struct account *a = &fakes.accounts[id - 1];

	oauth[id - 1] = (struct oauth) {
		.token_url = token_url,
		.client_id = client_id,
		.signed_in = true,
		.rotation = 1,
		.expires_ms = lifetime_ms == 0 ? 0 :
		    loop_wall_ms(fakes.loop) + lifetime_ms,
	};
	a->credential = CREDENTIAL_BEARER;
	a->oauth = &oauth[id - 1];
}

void
fake_newer(int64_t id, int64_t lifetime_ms)
{
	static char secret[] = "secret-new";
	static struct oauth oauth[FAKE_ACCOUNTS];
	struct account *a = &fakes.newest[id - 1];

	oauth[id - 1] = *fakes.accounts[id - 1].oauth;
	oauth[id - 1].rotation++;
	oauth[id - 1].expires_ms = loop_wall_ms(fakes.loop) + lifetime_ms;
	*a = fakes.accounts[id - 1];
	a->secret = secret;
	a->secret_len = strlen(secret);
	a->oauth = &oauth[id - 1];
}

/* ---- objects ---- */

void
pool_object_put(struct pool *p, struct object_op *op)
{

	(void)p;
	assert_null(fakes.put);
	fakes.put = op;
	fakes.nputs++;
}

void
fake_put(enum err_code code)
{
	struct object_op *op = fakes.put;
	struct err err = { .code = code };

	assert_non_null(op);
	fakes.put = NULL;
	op->done(op, &err);
}

void
pool_object_drop(struct pool *p, struct object_op *op)
{

	(void)p;
	assert_null(fakes.drop);
	fakes.drop = op;
	fakes.ndrops++;
}

void
fake_dropped(enum err_code code)
{
	struct object_op *op = fakes.drop;
	struct err err = { .code = code };

	assert_non_null(op);
	fakes.drop = NULL;
	op->done(op, &err);
}

void
pool_object_seen(struct pool *p, struct object_op *op)
{
	const struct err none = { .code = ERR_NONE };

	(void)p;
	fakes.seen = *op;
	fakes.nseen++;
	op->done(op, &none);
}

void
pool_object_gone(struct pool *p, struct object_op *op)
{
	const struct err none = { .code = ERR_NONE };

	(void)p;
	fakes.gone = *op;
	fakes.ngone++;
	op->done(op, &none);
}

bool
pool_object_keep(struct pool *p, const struct object_op *op)
{

	(void)p;
	fakes.kept = *op;
	fakes.nkept++;
	return (true);
}

void
pool_object_list(struct pool *p, struct object_list_op *op)
{

	(void)p;
	assert_null(fakes.list);
	fakes.list = op;
	fakes.nlists++;
}

void
object_list_wipe(struct object_list_op *op)
{

	while (op->n > 0)
		free(op->rows[--op->n].seen);
}

void
fake_listed(const char *const *rows, size_t n, enum err_code code)
{
	struct object_list_op *op = fakes.list;
	struct err err = { .code = code };
	struct object_row *row;
	size_t i;

	assert_non_null(op);
	fakes.list = NULL;
	op->allowed = true;
	for (i = 0; i < n; i += 2) {
		row = &op->rows[op->n++];
		row->id = (int64_t)(n - i);
		row->account_id = 1;
		row->final = rows[i][0] != '!';
		snprintf(row->upstream_id, sizeof(row->upstream_id), "%s",
		    rows[i] + !row->final);
		row->seen = strdup(rows[i + 1]);
	}
	op->done(op, &err);
}

const char *
account_model(const struct account *a, const char *asked)
{

	(void)a;
	return (fakes.others_as != NULL ? fakes.others_as : asked);
}

static void
lease_out(struct admit_op *op, int attempt)
{
	struct lease *l = &op->lease;

	assert_true(attempt <= FAKE_ACCOUNTS);
	l->held = l->slotted = true;
	l->snapshot = &snapshot;
	l->account = fakes.same ? snapshot_account(&snapshot, 1) :
	    &fakes.accounts[attempt - 1];
	l->attempt = attempt;
	l->probe = fakes.probe;
	snprintf(l->model, sizeof(l->model), "%s", fakes.sent_as != NULL ?
	    fakes.sent_as : op->model);
	fakes.leases++;
	fakes.nleases++;
}

void
pool_admit(struct pool *p, struct admit_op *op)
{

	(void)p;
	assert_null(fakes.admit);
	assert_non_null(op->key);
	fakes.admit = op;
	fakes.admitted = *op;
	fakes.nadmits++;
}

void
fake_admitted(enum admit_verdict verdict, enum err_code code)
{
	struct admit_op *op = fakes.admit;
	struct err err = { .code = code };

	assert_non_null(op);
	fakes.admit = NULL;
	op->verdict = verdict;
	op->queue_ms = 20;
	op->reserved_nusd = 5000;
	op->coverage = fakes.coverage;
	memcpy(op->left, fakes.left, sizeof(op->left));
	snprintf(op->trace, sizeof(op->trace), "[{\"account\":1}]");
	if (verdict == ADMIT_LEASED && code == ERR_NONE)
		lease_out(op, 1);
	op->done(op, &err);
}

void
pool_admit_cancel(struct pool *p, struct admit_op *op)
{

	(void)p;
	assert_true(op == fakes.admit || (fakes.move != NULL &&
	    op == &fakes.move->admit));
	fakes.ncancels++;
}

void
pool_move(struct pool *p, struct move_op *op)
{

	(void)p;
	assert_null(fakes.move);
	assert_true(op->lease.held);
	fakes.move = op;
	fakes.moved = *op;
	fakes.nmoves++;
}

/* As the pool does: the new lease takes over from the old one, which stays as
 * it was. */
void
fake_moved(enum admit_verdict verdict, enum err_code code)
{
	struct move_op *op = fakes.move;
	struct err err = { .code = code };

	assert_non_null(op);
	fakes.move = NULL;
	op->admit.verdict = verdict;
	op->admit.queue_ms = 30;
	snprintf(op->admit.trace, sizeof(op->admit.trace), "[{\"account\":2}]");
	if (verdict == ADMIT_LEASED && code == ERR_NONE)
		lease_out(&op->admit, op->lease.attempt + 1);
	op->admit.done(&op->admit, &err);
}

const char *
budget_kind_name(enum budget_kind kind)
{
	static const char *const names[] = { "money", "tokens",
	    "input_tokens", "output_tokens", "requests" };

	return (names[kind]);
}

void
pool_extend(struct pool *p, struct extend_op *op)
{

	(void)p;
	assert_null(fakes.extend);
	fakes.extend = op;
	fakes.extended = *op;
	fakes.nextends++;
}

void
fake_extended(bool granted, enum err_code code, int64_t output_tokens)
{
	struct extend_op *op = fakes.extend;
	struct err err = { .code = code };

	assert_non_null(op);
	fakes.extend = NULL;
	op->granted = granted;
	op->coverage = (struct coverage) { 1000, output_tokens };
	op->reserved_nusd = 9000;
	snprintf(op->reason, sizeof(op->reason), "the budget is used up");
	op->done(op, &err);
}

void
pool_settle(struct pool *p, struct settle_op *op)
{

	(void)p;
	assert_null(fakes.settle);
	fakes.settle = op;
	fakes.settled = *op;
	fakes.nsettles++;
}

void
fake_settled(enum err_code code)
{
	struct settle_op *op = fakes.settle;
	struct err err = { .code = code };

	assert_non_null(op);
	fakes.settle = NULL;
	op->cost_nusd = 123;
	op->done(op, &err);
}
