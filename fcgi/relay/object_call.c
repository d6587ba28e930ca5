#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "http/route.h"
#include "ledger/flags.h"
#include "pool/snapshot.h"
#include "relay/batch_peek.h"
#include "relay/call.h"
#include "relay/object_answer.h"
#include "relay/relay_int.h"

/*
 * Calls about what lives upstream: batches and files.  What an upstream made
 * is noted before the client learns of it: else the client could not find it
 * again.
 */

/* ---- before admission ---- */

int
object_begin(struct call *c, const struct route_match *m)
{
	const struct call_kind *k = c->kind;

	if (k->makes == OBJECT_BATCH || k->results)
		c->flags |= LEDGER_FLAG_BATCH;
	if (k->makes == OBJECT_BATCH &&
	    (c->batch_scan = batch_scan_new()) == NULL)
		return (-1);
	if (k->makes == OBJECT_NONE && k->about == OBJECT_NONE)
		return (0);
	if ((c->objects = calloc(1, sizeof(*c->objects))) == NULL) {
		object_fini(c);
		return (-1);
	}
	c->objects->makes = k->makes;
	c->objects->names = k->about != OBJECT_NONE ? k->about : OBJECT_FILE;
	c->objects->follows = k->about != OBJECT_NONE;
	if (k->about != OBJECT_NONE)
		object_ask_id(c->objects, m->params[0].p, m->params[0].n);
	return (0);
}

void
object_fini(struct call *c)
{

	batch_scan_free(c->batch_scan);
	tally_free(c->tally);
	free(c->objects);
	free(c->keep);
	c->batch_scan = NULL;
	c->tally = NULL;
	c->objects = NULL;
	c->keep = NULL;
}

/* Files in a model call. */
static int
take_files(struct call *c, struct err *err)
{
	const struct object_ask *ask = peek_objects(c->scan);

	if (ask == NULL)
		return (0);
	if ((c->objects = malloc(sizeof(*c->objects))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a request");
		return (-1);
	}
	*c->objects = *ask;
	return (0);
}

int
object_whole(struct call *c, struct err *err)
{
	int rc;

	if (c->scan != NULL)
		return (take_files(c, err));
	if (c->batch_scan == NULL)
		return (0);
	rc = batch_scan_end(c->batch_scan, c->objects, &c->models, err);
	batch_scan_free(c->batch_scan);
	c->batch_scan = NULL;
	if (rc == 0 && c->models.ask.n == 1 && !c->models.ask.more)
		memcpy(c->peek.model, c->models.ask.names[0],
		    sizeof(c->peek.model));
	return (rc);
}

/* ---- what it has cost ---- */

int
object_head(struct call *c, int status)
{
	const struct tally_params params = {
		.prices = &c->lease.snapshot->prices,
		.platform = c->lease.account->platform,
		.at_ms = c->objects == NULL ? 0 : c->objects->created_ms,
		.use_default = strcmp(c->relay->conf->unpriced,
		    "default") == 0,
	};

	if (!c->kind->results || status != 200 || c->objects->counted ||
	    strcmp(c->req == NULL ? "GET" : c->http->method, "GET") != 0)
		return (0);
	return ((c->tally = tally_new(&params)) == NULL ? -1 : 0);
}

void
object_usage(struct call *c, struct attempt_end *end)
{
	const struct tally_result *r = tally_end(c->tally);

	end->mark = r->unread > 0 ? USAGE_PARTIAL : USAGE_EXACT;
	end->usage = r->usage;
	end->priced = true;
	end->nusd = r->nusd;
	if (r->unpriced > 0)
		c->flags |= LEDGER_FLAG_UNPRICED;
}

/* ---- what it made ---- */

static void
log_object(const struct call *c, const char *event, const struct err *why)
{
	struct log_line l;

	log_begin(&l, c->relay->log, LOG_LEVEL_ERROR, c->request_id, "relay",
	    event);
	log_str(&l, "kind", object_kind_name(c->keep->kind));
	log_str(&l, "id", c->keep->upstream_id);
	log_str(&l, "key", c->key->name);
	log_str(&l, "account", c->lease.account->name);
	if (why->code != ERR_NONE)
		log_err(&l, why);
	log_end(&l);
}

static void
go_on(struct call *c)
{

	if (c->req == NULL)
		close_end(c, c->left);
	else
		pass_answer(c, "ok");
}

/* It is there, but nobody can be told: the row is written as soon as that can
 * be done, and says so; the log does now. */
static void
keep_unheard(struct call *c, const struct err *why)
{

	log_object(c, c->keep->upstream_id[0] == '\0' ? "object_unnamed" :
	    "object_unheard", why);
	if (c->keep->upstream_id[0] != '\0')
		(void)pool_object_keep(c->relay->pool, c->keep);
	if (c->req == NULL)
		close_end(c, c->left);
	else
		close_refuse(c, REFUSAL_UNHEARD, NULL);
}

/* What was removed upstream is gone, whatever its row. */
static void
kept(struct object_op *op, const struct err *err)
{
	struct call *c = op->arg;

	if (err->code != ERR_NONE && c->kind->makes != OBJECT_NONE)
		keep_unheard(c, err);
	else
		go_on(c);
}

static void
fill_put(struct call *c, const struct object_answer *a)
{
	struct object_op *op = c->keep;

	memcpy(op->upstream_id, a->id, sizeof(op->upstream_id));
	memcpy(op->model, c->peek.model, sizeof(op->model));
	op->account_id = c->lease.account->id;
	op->ledger_id = c->id;
	op->final = a->final;
	op->unheard = c->req == NULL;
	object_answer_seen(buf_head(&c->held), buf_len(&c->held), a,
	    op->seen);
}

/* Where the client is to find the results. */
static void
rewrite(struct call *c, const struct object_answer *a)
{
	struct buf b;

	if (!a->has_url)
		return;
	buf_init(&b, LIMIT_PLAIN_BODY_BYTES);
	if (object_answer_put(&b, buf_head(&c->held), buf_len(&c->held), a,
	    c->relay->conf->public_url) != 0) {
		c->broken = true;
		buf_fini(&b);
		return;
	}
	buf_fini(&c->held);
	c->held = b;
}

/* Begin to keep: 0, or -1 without memory. */
static int
keep_begin(struct call *c)
{

	c->keep = calloc(1, sizeof(*c->keep));
	if (c->keep == NULL)
		return (-1);
	c->keep->kind = c->kind->makes != OBJECT_NONE ? c->kind->makes :
	    c->kind->about;
	c->keep->key_id = c->key->id;
	c->keep->done = kept;
	c->keep->arg = c;
	return (0);
}

/* Without memory: what was removed is, but what was made is lost. */
static void
keep_nothing(struct call *c)
{

	if (c->kind->deletes || c->req == NULL)
		go_on(c);
	else
		close_refuse(c, REFUSAL_UNHEARD, NULL);
}

static void
keep_drop(struct call *c)
{

	memcpy(c->keep->upstream_id, c->objects->ids[0],
	    sizeof(c->keep->upstream_id));
	pool_object_drop(c->relay->pool, c->keep);
}

static void
keep_put(struct call *c, const struct object_answer *a)
{
	const struct err none = { .code = ERR_NONE };

	fill_put(c, a);
	rewrite(c, a);
	if (a->id[0] == '\0')
		keep_unheard(c, &none);
	else
		pool_object_put(c->relay->pool, c->keep);
}

bool
object_keep(struct call *c)
{
	const struct call_kind *k = c->kind;
	bool makes = k->makes != OBJECT_NONE;
	struct object_answer a = { .has_url = false };

	if (makes || (k->about == OBJECT_BATCH && !k->deletes && !k->results))
		(void)object_answer_read(buf_head(&c->held),
		    buf_len(&c->held), makes ? k->makes : k->about, &a);
	if (!makes && !k->deletes) {
		rewrite(c, &a);
		return (false);
	}
	pass_stop(c);
	c->state = CALL_KEEP;
	if (keep_begin(c) != 0)
		keep_nothing(c);
	else if (k->deletes)
		keep_drop(c);
	else
		keep_put(c, &a);
	return (true);
}

static void
gone_noted(struct object_op *op, const struct err *err)
{

	(void)err;
	free(op);
}

/* What a batch or file contains may be missing by itself. */
void
object_answered(struct call *c)
{
	bool good = c->upstream_status >= 200 && c->upstream_status < 300;
	bool gone = c->upstream_status == 404 && strcmp(meter_result(
	    c->meter)->error_type, "not_found_error") == 0;
	struct object_op *op;

	if (c->objects == NULL || !c->objects->follows || c->kind->lasting ||
	    !(c->objects->gone ? good && !c->kind->deletes : gone) ||
	    (op = calloc(1, sizeof(*op))) == NULL)
		return;
	op->kind = c->kind->about;
	op->key_id = c->key->id;
	memcpy(op->upstream_id, c->objects->ids[0], sizeof(op->upstream_id));
	op->gone = gone;
	op->done = gone_noted;
	pool_object_gone(c->relay->pool, op);
}

bool
object_waits(const struct call *c)
{

	if (c->transfer == NULL || c->transfer_over)
		return (false);
	if (c->tally != NULL)
		return (true);
	return (c->kind->once && transfer_body_sent(c->transfer));
}
