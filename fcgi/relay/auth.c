#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "http/peer.h"
#include "pool/rules.h"
#include "relay/call.h"
#include "relay/relay_int.h"

static bool auth_next(struct call *c);
static void auth_looked_up(struct lookup_op *op, const struct err *err);

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

	throttle_failed(&c->relay->throttle, c->address,
	    loop_now_ms(c->relay->loop));
	return (auth_refuse(c, REFUSAL_KEY_UNKNOWN));
}

/* Who calls, judged once for all that goes by it. */
static void
auth_caller(struct call *c)
{
	const char *agent = http_request_header(c->http, "user-agent");

	http_peer(c->http, c->relay->conf->trusted_proxies, &c->caller.addr);
	net_addr_format(&c->caller.addr, c->address);
	if (!c->caller.addr.known)
		snprintf(c->address, sizeof(c->address), "%s",
		    c->http->remote_addr);
	snprintf(c->caller.agent, sizeof(c->caller.agent), "%s",
	    agent != NULL ? agent : "");
}

/* The rules of a key as it was remembered may be of yesterday: before they
 * turn somebody away it is read. */
static bool
auth_read(struct call *c)
{

	c->key_fresh = true;
	c->op.lookup.done = auth_looked_up;
	c->op.lookup.arg = c;
	pool_lookup(c->relay->pool, &c->op.lookup);
	if (!c->kind->has_body)
		return (false);
	fcgi_hold(c->req, true);
	return (true);
}

/* The key is known, but not for this client. */
static bool
auth_stranger(struct call *c, enum admit_verdict verdict)
{
	char reason[POOL_REASON_SIZE];
	struct key_info *key = c->key;

	if (!c->key_fresh) {
		c->key = NULL;
		key_info_unref(key);
		return (auth_read(c));
	}
	rules_explain(verdict, key->clients, &c->caller, reason,
	    sizeof(reason));
	close_refuse(c, refusal_of(verdict), reason);
	return (false);
}

/* The key is known: take the body in. */
static bool
auth_done(struct call *c, struct key_info *key)
{
	enum admit_verdict verdict;

	c->key = key;
	verdict = rules_verdict(key->clients, key->nets, &c->caller);
	if (verdict != ADMIT_LEASED)
		return (auth_stranger(c, verdict));
	c->state = CALL_BODY;
	if (!c->kind->has_body) {
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
	c->key_fresh = false;
	seal_hash(pepper, text, strlen(text), op->hash);
	if ((key = pool_key_cached(c->relay->pool, op->hash)) != NULL)
		return (auth_done(c, key));
	if (!pool_key_known(c->relay->pool, op->hash) &&
	    throttle_blocked(&c->relay->throttle, c->address,
	    loop_now_ms(c->relay->loop)))
		return (auth_refuse(c, REFUSAL_THROTTLED));
	return (auth_read(c));
}

bool
auth_start(struct call *c)
{

	c->state = CALL_KEY;
	auth_caller(c);
	c->nkeys = http_request_keys(c->http, c->keys);
	if (c->nkeys == 0)
		return (auth_refuse(c, REFUSAL_KEY_MISSING));
	return (auth_next(c));
}
