#include <sys/socket.h>
#include <sys/un.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"

#include "pool/admit.h"
#include "pool/check.h"
#include "pool/halfopen.h"
#include "pool/models.h"
#include "pool/place.h"
#include "pool/runner.h"
#include "pool/settle.h"
#include "pool/tickets.h"

struct reading {
	struct runner *rn;
	struct want *wants;
	size_t n;
	struct err *err;
};

/* ---- grants ---- */

/* ledger, key, account, slot, fence, when granted */
static int
lapsed_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct reading *r = arg;
	struct lease l = {
		.slotted = true,
		.slot_n = store_get_int(&c[3]),
		.slot_fence = store_get_int(&c[4]),
	};
	struct account a = { .id = store_get_int(&c[2]) };

	(void)ncols;
	l.account = &a;
	runner_release(r->rn, &l, store_get_int(&c[0]), store_get_int(&c[1]));
	ROWS_PUT(&r->rn->rows[ROWS_TICKET_LAPSE], c[0], c[5]);
	return (halfopen_leave(r->rn, a.id, store_get_int(&c[0]), r->err) ?
	    -1 : 0);
}

int
tickets_lapse(struct runner *rn, struct err *err)
{
	struct reading r = { .rn = rn, .err = err };
	struct store_value before;

	before = store_int(rn->now_ms - rn->set.grant_timeout_ms);
	if (store_query(rn->st, STMT_TICKETS_LAPSED, &before, 1, lapsed_row,
	    &r, err) < 0 || runner_released(rn, err))
		return (-1);
	return (runner_exec(rn, ROWS_TICKET_LAPSE, err));
}

/* "probe" says what the account is probed for, if it is. */
static void
trace_grant(struct admit_op *op, int64_t account_id,
    const struct store_value *probed)
{
	const char *reason = probed->type == STORE_NULL ? "" :
	    store_get_text(probed);

	op->lease.probe = reason[0] != '\0';
	snprintf(op->trace, sizeof(op->trace), "[{\"account\":%" PRId64
	    ",\"why\":\"granted\"%s%.31s%s}]", account_id,
	    op->lease.probe ? ",\"probe\":\"" : "", reason,
	    op->lease.probe ? "\"" : "");
}

/* As aliases and lists of models were when it was granted. */
static bool
still_fits(const struct admit_op *op, const struct account *a)
{

	return (!admit_maps(op) ||
	    (account_serves_all(a, op->model, op->lease.names) &&
	    model_names_fit(op->lease.names, op->model, a)));
}

/* The slot is not for it any more: it waits on. */
static void
give_back(struct reading *r, const struct admit_op *op,
    const struct account *a, const struct store_value *c)
{
	struct lease l = {
		.slotted = true,
		.account = a,
		.slot_n = store_get_int(&c[2]),
		.slot_fence = store_get_int(&c[3]),
	};

	runner_release(r->rn, &l, op->ledger_id, op->key->id);
	ROWS_PUT(&r->rn->rows[ROWS_TICKET_LAPSE], c[0], c[5]);
}

/* ledger, account, slot, fence, reason of a park that it probes, when it was
 * granted */
static int
granted_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct reading *r = arg;
	struct runner *rn = r->rn;
	const struct account *a;
	struct admit_op *op;

	(void)ncols;
	op = waiting_find(&rn->waiting, store_get_int(&c[0]));
	a = snapshot_account(rn->snapshot, store_get_int(&c[1]));
	if (op == NULL || a == NULL)
		return (0);
	if (!still_fits(op, a)) {
		give_back(r, op, a, c);
		return (0);
	}
	admit_grant(rn, op, a, store_get_int(&c[2]), store_get_int(&c[3]));
	trace_grant(op, a->id, &c[4]);
	ROWS_PUT(&rn->rows[ROWS_LEDGER_ATTEMPT], store_int(op->attempt),
	    store_text(lease_sent_as(&op->lease, op->model)),
	    store_int(op->ledger_id));
	admit_ready(rn, op);
	return (0);
}

int
tickets_collect(struct runner *rn, struct err *err)
{
	struct reading r = { .rn = rn };
	struct store_value self = store_int(responder_self(&rn->self));

	if (rn->waiting.n == 0)
		return (0);
	if (store_query(rn->st, STMT_TICKETS_GRANTED, &self, 1, granted_row,
	    &r, err) < 0 || runner_released(rn, err))
		return (-1);
	return (runner_exec(rn, ROWS_TICKET_LAPSE, err));
}

int
tickets_expire(struct runner *rn, struct err *err)
{
	const struct crew *crew;
	struct admit_op *op;
	struct want w;
	size_t i;
	int rc;

	for (i = 0; i < rn->waiting.n; i++) {
		op = rn->waiting.list[i].op;
		if (rn->waiting.list[i].leaves ||
		    op->give_up_ms > rn->mono_ms ||
		    rn->nrefused == LIMIT_REFUSED)
			continue;
		if ((rc = check_want(rn, op, &w, err)) < 0)
			return (-1);
		if (rc == 1 && crews_full(rn, w.key, &crew, err) < 0)
			return (-1);
		if (rc == 1) {
			place_look(rn, &w);
			check_explain(rn, op, &w, ADMIT_QUEUE_TIMEOUT);
		}
		if (admit_dismiss(rn, op, op->verdict, "queue_timeout", err))
			return (-1);
	}
	return (0);
}

/* ---- those that wait ---- */

static void
parse_tried(const char *text, struct want *w)
{
	size_t n;

	w->ntried = 0;
	while (*text != '\0' && w->ntried < POOL_TRIED_MAX) {
		n = strcspn(text, ",");
		if (num_parse(text, n, 1, INT64_MAX,
		    &w->tried[w->ntried]) == 0)
			w->ntried++;
		text += n + (text[n] == ',');
	}
}

static int
foreign_want(struct runner *rn, struct want *w, struct err *err)
{

	w->key = keys_get(&rn->keys, rn->st, &rn->load, w->key_id, err);
	if (w->key == NULL)
		return (-1);
	return (key_verdict(w->key, "", rn->now_ms) == ADMIT_LEASED);
}

/* A request that was dropped in an outage left its ticket; its ledger row too,
 * unless it moved: then it is settled by whoever made it. */
static int
clear_dropped(struct runner *rn, const struct want *w, struct err *err)
{

	if (waiting_knows(&rn->waiting, w->ledger_id))
		return (0);
	ROWS_PUT(&rn->rows[ROWS_TICKET_DROP], store_int(w->ledger_id));
	if (w->ntried > 0 || rn->nrefused == LIMIT_REFUSED)
		return (0);
	return (settle_dropped(rn, w->ledger_id, w->key_id, err));
}

static int
own_want(struct runner *rn, struct want *w, struct err *err)
{
	struct admit_op *op;
	int rc;

	if ((op = waiting_find(&rn->waiting, w->ledger_id)) == NULL)
		return (clear_dropped(rn, w, err));
	rc = check_want(rn, op, w, err);
	if (rc == 0 && rn->nrefused < LIMIT_REFUSED &&
	    admit_dismiss(rn, op, op->verdict, "no_key", err))
		return (-1);
	return (rc);
}

/* ledger, responder, key, model, tried, home, until when it waits for that, the
 * one account that will do, names */
static int
waiting_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct reading *r = arg;
	struct want *w = &r->wants[r->n++];

	(void)ncols;
	*w = (struct want) {
		.ledger_id = store_get_int(&c[0]),
		.responder_id = store_get_int(&c[1]),
		.key_id = store_get_int(&c[2]),
		.needs_slot = true,
	};
	model_family(store_get_text(&c[3]), w->family);
	parse_tried(store_get_text(&c[4]), w);
	snprintf(w->model, sizeof(w->model), "%s", store_get_text(&c[3]));
	snprintf(w->names, sizeof(w->names), "%s", store_get_text(&c[8]));
	if (strcmp(w->names, MODEL_NAMES_ANY) == 0)
		w->model[0] = '\0';
	w->home = store_get_int(&c[5]);
	w->home_until_ms = store_get_int(&c[6]);
	w->patient = w->home_until_ms > r->rn->now_ms;
	w->only = store_get_int(&c[7]);
	return (0);
}

/* On a shared store, the keys of all in one go. */
static int
fetch_keys(struct runner *rn, const struct want *wants, size_t n,
    struct err *err)
{
	struct idlist ids;
	size_t i;
	int rc;

	if (!store_shared(rn->st))
		return (0);
	idlist_init(&ids, 1);
	for (i = 0; i < n; i++)
		idlist_put(&ids, wants[i].key_id, 0);
	rc = keys_fetch(&rn->keys, rn->st, &rn->load, &ids, err);
	idlist_fini(&ids);
	return (rc);
}

int
tickets_gather(struct runner *rn, struct want *wants, size_t max, size_t *n,
    struct err *err)
{
	struct reading r = { .rn = rn, .wants = wants };
	struct store_value limit = store_int((int64_t)max);
	size_t i;
	int rc;

	*n = 0;
	if (store_query(rn->st, STMT_TICKETS_WAITING, &limit, 1, waiting_row,
	    &r, err) < 0 || fetch_keys(rn, wants, r.n, err))
		return (-1);
	for (i = 0; i < r.n; i++) {
		rc = (wants[i].responder_id == responder_self(&rn->self) ?
		    own_want : foreign_want)(rn, &wants[i], err);
		if (rc < 0)
			return (-1);
		if (rc > 0)
			wants[(*n)++] = wants[i];
	}
	return (0);
}

void
tickets_add(struct runner *rn, struct want *w)
{
	const struct admit_op *op = w->op;
	int64_t bind_id = w->only != 0 ? w->only : w->key->bind_id;
	int64_t left_ms = op->give_up_ms - rn->mono_ms;
	size_t i, len = 0;

	w->tried_text[0] = '\0';
	for (i = 0; i < w->ntried; i++)
		len += (size_t)snprintf(w->tried_text + len,
		    sizeof(w->tried_text) - len, "%s%" PRId64,
		    i > 0 ? "," : "", w->tried[i]);
	ROWS_PUT(&rn->rows[ROWS_TICKET_ADD], store_int(w->ledger_id),
	    store_int(w->responder_id), store_int(w->key->id),
	    store_text(w->only != 0 ? "account" : w->key->bind_kind),
	    bind_id == 0 ? store_null() : store_int(bind_id),
	    store_text(op->model), store_text(w->tried_text),
	    store_int(rn->now_ms), store_int(rn->now_ms + left_ms),
	    store_int(w->home), store_int(w->patient ? w->home_until_ms : 0),
	    store_text(w->names));
}

/* ---- wake-ups ---- */

static int
wake_row(void *arg, const struct store_value *c, size_t ncols)
{
	struct wakes *wakes = arg;

	(void)ncols;
	snprintf(wakes->paths[wakes->n], sizeof(wakes->paths[0]), "%s",
	    store_get_text(&c[0]));
	return (1);
}

/* Each responder is woken once a batch; those on other hosts poll. */
static int
plan_wake(struct runner *rn, int64_t responder_id, struct err *err)
{
	struct wakes *wakes = &rn->wakes;
	struct store_value params[2];
	int64_t found;
	size_t i;

	for (i = 0; i < wakes->n; i++) {
		if (wakes->ids[i] == responder_id)
			return (0);
	}
	if (wakes->n == LIMIT_BATCH_OPS)
		return (0);
	params[0] = store_int(responder_id);
	params[1] = store_text(rn->self.host);
	found = store_query(rn->st, STMT_RESPONDER_WAKE, params, 2, wake_row,
	    wakes, err);
	if (found < 0)
		return (-1);
	if (found > 0)
		wakes->ids[wakes->n++] = responder_id;
	return (0);
}

int
tickets_grant(struct runner *rn, const struct want *w, struct err *err)
{

	ROWS_PUT(&rn->rows[ROWS_TICKET_GRANT], store_int(rn->now_ms),
	    store_int(w->account->id), store_int(w->slot_n),
	    store_int(w->slot_fence), store_int(w->ledger_id));
	return (plan_wake(rn, w->responder_id, err));
}

void
tickets_ended(struct runner *rn, bool committed)
{
	struct wakes *wakes = &rn->wakes;
	struct sockaddr_un sun;
	size_t i;

	for (i = 0; i < wakes->n && committed && rn->self.send_fd != -1;
	    i++) {
		memset(&sun, 0, sizeof(sun));
		sun.sun_family = AF_UNIX;
		memcpy(sun.sun_path, wakes->paths[i], sizeof(sun.sun_path) <
		    sizeof(wakes->paths[0]) ? sizeof(sun.sun_path) :
		    sizeof(wakes->paths[0]));
		/* Lost ones do no harm: whoever waits polls as well. */
		(void)sendto(rn->self.send_fd, "", 1, MSG_DONTWAIT,
		    (const struct sockaddr *)&sun, sizeof(sun));
	}
	wakes->n = 0;
}
