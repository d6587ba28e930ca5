#include <string.h>

#include "base/err.h"
#include "relay/call.h"
#include "relay/relay_int.h"

static bool auth_next(struct call *c);

static bool
auth_refuse(struct call *c, enum refusal why)
{

	close_refuse(c, why, NULL);
	return (false);
}

/* None of the keys is one of ours: as far as we know, a guess. */
static bool
auth_unknown(struct call *c)
{

	throttle_failed(&c->relay->throttle, c->http->remote_addr,
	    loop_now_ms(c->relay->loop));
	return (auth_refuse(c, REFUSAL_KEY_UNKNOWN));
}

/* The key is known: take the body in. */
static bool
auth_done(struct call *c, struct key_info *key)
{

	c->key = key;
	c->state = CALL_BODY;
	if (!c->kind->has_model) {
		call_whole(c);
		return (false);
	}
	fcgi_hold(c->req, false);
	return (true);
}

static void
auth_looked_up(struct lookup_op *op, const struct err *err)
{
	struct call *c = op->arg;
	struct key_info *key = op->key;

	if (c->req == NULL) {
		key_info_unref(key);
		call_free(c);
	} else if (err->code != ERR_NONE) {
		(void)auth_refuse(c, REFUSAL_STORE_DOWN);
	} else if (key != NULL) {
		(void)auth_done(c, key);
	} else {
		(void)auth_next(c);
	}
}

/* Try the next of the keys that came with the request: clients may send two,
 * of which one is ours (WIRE.md section 3).  True if a body is wanted. */
static bool
auth_next(struct call *c)
{
	const struct seal_pepper *pepper = pool_pepper(c->relay->pool);
	struct lookup_op *op = &c->op.lookup;
	struct key_info *key;
	const char *text;

	if (c->keys_tried == c->nkeys)
		return (auth_unknown(c));
	if (pepper == NULL)
		return (auth_refuse(c, REFUSAL_STORE_DOWN));
	text = c->keys[c->keys_tried++];
	memset(op, 0, sizeof(*op));
	seal_hash(pepper, text, strlen(text), op->hash);
	if ((key = pool_key_cached(c->relay->pool, op->hash)) != NULL)
		return (auth_done(c, key));
	if (!pool_key_known(c->relay->pool, op->hash) &&
	    throttle_blocked(&c->relay->throttle, c->http->remote_addr,
	    loop_now_ms(c->relay->loop)))
		return (auth_refuse(c, REFUSAL_THROTTLED));
	op->done = auth_looked_up;
	op->arg = c;
	pool_lookup(c->relay->pool, op);
	if (!c->kind->has_model)
		return (false);
	fcgi_hold(c->req, true);
	return (true);
}

bool
auth_start(struct call *c)
{

	c->state = CALL_KEY;
	c->nkeys = http_request_keys(c->http, c->keys);
	if (c->nkeys == 0)
		return (auth_refuse(c, REFUSAL_KEY_MISSING));
	return (auth_next(c));
}
