#include <string.h>

#include "base/err.h"
#include "relay/call.h"
#include "relay/relay_int.h"

static bool auth_next(struct call *c);

/* The client's own fault, told so that clients do not try again for minutes
 * (WIRE.md section 7, rule 12). */
static bool
auth_refuse(struct call *c, const char *message)
{
	struct response_error e = {
		.status = 401,
		.type = "authentication_error",
		.message = message,
		.should_retry = 0
	};

	close_error(c, &e, "no_key");
	return (false);
}

/* None of the keys is one of ours: as far as we know, a guess. */
static bool
auth_unknown(struct call *c)
{

	throttle_failed(&c->relay->throttle, c->http->remote_addr,
	    loop_now_ms(c->relay->loop));
	return (auth_refuse(c, "The API key is not known here."));
}

static bool
auth_unavailable(struct call *c)
{
	struct response_error e = {
		.status = 503,
		.type = "api_error",
		.message = "The relay's database cannot be used at the moment.",
		.retry_after_s = 2,
		.should_retry = -1
	};

	close_error(c, &e, "store_down");
	return (false);
}

static bool
auth_throttled(struct call *c)
{
	struct response_error e = {
		.status = 429,
		.type = "rate_limit_error",
		.message = "Too many requests with a wrong key came from your "
		    "address; wait a moment.",
		.retry_after_s = THROTTLE_WINDOW_MS / 1000,
		.should_retry = -1
	};

	close_error(c, &e, "throttled");
	return (false);
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
		(void)auth_unavailable(c);
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
		return (auth_unavailable(c));
	text = c->keys[c->keys_tried++];
	memset(op, 0, sizeof(*op));
	seal_hash(pepper, text, strlen(text), op->hash);
	if ((key = pool_key_cached(c->relay->pool, op->hash)) != NULL)
		return (auth_done(c, key));
	if (!pool_key_known(c->relay->pool, op->hash) &&
	    throttle_blocked(&c->relay->throttle, c->http->remote_addr,
	    loop_now_ms(c->relay->loop)))
		return (auth_throttled(c));
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
		return (auth_refuse(c, "No API key came with the request: "
		    "send it as x-api-key or Authorization: Bearer."));
	return (auth_next(c));
}
