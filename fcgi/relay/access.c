#include <string.h>

#include "base/conf.h"
#include "base/loop.h"
#include "http/access_line.h"
#include "http/peer.h"
#include "http/route.h"
#include "pool/rules.h"
#include "relay/call.h"
#include "relay/relay_int.h"

/* A client that left has no status; 499 is what nginx calls it. */
#define STATUS_GONE	499

static bool
records_address(const struct relay *r)
{

	return (strcmp(r->conf->record_address, "full") == 0);
}

void
access_plain(struct relay *r, const struct http_request *http,
    const struct access_plain *plain)
{
	char address[NET_ADDR_SIZE] = "";
	struct traceparent trace;
	struct access_line a;
	const char *agent = http_request_header(http, "user-agent");
	struct net_addr addr;

	if (r->access == NULL)
		return;
	access_line_init(&a, "relay");
	a.request_id = plain->request_id;
	a.method = http->method;
	a.route = r->route != NULL ? r->route->pattern : NULL;
	a.status = plain->status;
	a.bytes = plain->bytes;
	a.outcome = plain->outcome;
	a.agent = rules_kind(agent != NULL ? agent : "");
	if (records_address(r)) {
		http_peer(http, r->conf->trusted_proxies, &addr);
		net_addr_format(&addr, address);
		a.client = address[0] != '\0' ? address : http->remote_addr;
	}
	if (strcmp(r->conf->trace_context, "off") != 0) {
		traceparent_of(http, &trace);
		a.trace_id = trace.trace_id;
	}
	access_line_write(r->access, &a);
}

/* What settlement brought, of a call that came so far. */
static void
add_settled(struct access_line *a, const struct settle_op *op)
{
	const struct usage *u = &op->end.usage;

	a->status = op->status;
	a->bytes = op->answer_bytes;
	a->outcome = op->outcome;
	a->attempts = op->attempts;
	a->queue_ms = op->queue_ms;
	a->sent_as = op->model;
	a->cost_nusd = op->op.spooled ? -1 : op->cost_nusd;
	a->metered = op->end.mark != USAGE_NONE;
	a->input_tokens = u->input_tokens;
	a->output_tokens = u->output_tokens;
	a->cache_read_tokens = u->cache_read_tokens;
	a->cache_write_5m_tokens = u->cache_write_5m_tokens;
	a->cache_write_1h_tokens = u->cache_write_1h_tokens;
	if (op->lease.account != NULL) {
		a->account = op->lease.account->name;
		a->group = op->lease.account->group != NULL ?
		    op->lease.account->group->name : NULL;
	}
}

static void
add_key(struct access_line *a, const struct call *c)
{

	if (c->key == NULL)
		return;
	a->key = c->key->name;
	a->key_id = c->key->id;
}

void
access_call(const struct call *c)
{
	const struct relay *r = c->relay;
	const int64_t now_ms = loop_now_ms(r->loop);
	struct access_line a;

	if (r->access == NULL)
		return;
	access_line_init(&a, "relay");
	a.request_id = c->request_id;
	a.method = c->route->method;
	a.route = c->route->pattern;
	a.status = c->status != 0 ? c->status : STATUS_GONE;
	a.bytes = c->answer_bytes + c->own_bytes;
	a.request_bytes = (int64_t)c->body_len;
	a.duration_ms = now_ms - c->begun_ms;
	a.first_byte_ms = c->first_byte_ms == 0 ? -1 :
	    c->first_byte_ms - c->begun_ms;
	add_key(&a, c);
	a.model = c->peek.model;
	a.stream = c->peek.stream;
	a.outcome = c->outcome != NULL ? c->outcome : c->left;
	a.client = records_address(r) ? c->address : NULL;
	a.agent = rules_kind(c->caller.agent);
	a.trace_id = call_trace_id(c);
	if (c->state == CALL_SETTLE) {
		add_settled(&a, &c->op.settle);
		a.bytes += c->own_bytes;
		a.duration_ms = c->whole_ms - c->begun_ms +
		    c->op.settle.total_ms;
	}
	access_line_write(r->access, &a);
}
