#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "http/query.h"
#include "pool/breaker.h"
#include "pool/snapshot.h"
#include "relay/call.h"
#include "relay/lister.h"
#include "relay/object_answer.h"
#include "relay/platform.h"
#include "relay/relay_int.h"

#define LISTER_LIMIT	20	/* the API's default */
#define PAGE_PREFIX	"page_"

/* One object that is asked for. */
struct fetch {
	struct lister *lister;
	struct transfer *transfer;	/* NULL: unused */
	size_t row;
	int status;
	bool over;			/* of the answer, too much */
	struct buf body;
};

struct lister {
	struct call *call;
	struct object_list_op op;
	bool reading;
	struct object_ask only;
	size_t next;			/* row to look at */
	int64_t asked, fresh;
	struct fetch fetches[LISTER_FETCHES];
	struct loop_timer deadline;
	struct loop_task task;		/* go on, outside of callbacks */
};

/* ---- the end ---- */

static void
fetch_end(struct fetch *f)
{

	transfer_cancel(f->transfer);
	f->transfer = NULL;
	buf_fini(&f->body);
}

static void
lister_free(struct lister *l)
{
	size_t i;

	for (i = 0; i < LISTER_FETCHES; i++) {
		if (l->fetches[i].transfer != NULL)
			fetch_end(&l->fetches[i]);
	}
	loop_timer_cancel(&l->deadline);
	loop_task_cancel(&l->task);
	object_list_wipe(&l->op);
	l->call->lister = NULL;
	free(l);
}

void
lister_leave(struct call *c)
{

	/* What is being read comes back, and finds nobody. */
	if (c->lister->reading)
		return;
	lister_free(c->lister);
	call_free(c);
}

/* ---- the answer ---- */

static int
put_row(const struct lister *l, const struct object_row *row, struct buf *b)
{
	const char *origin = l->call->relay->conf->public_url;
	struct object_answer a;
	size_t n = strlen(row->seen);

	if (!object_answer_read(row->seen, n, l->op.kind, &a))
		return (buf_printf(b, "{\"id\":\"%s\"}", row->upstream_id));
	return (object_answer_put(b, row->seen, n, &a, origin));
}

static int
put_id(struct buf *b, const char *name, const char *prefix, const char *id)
{

	if (id == NULL)
		return (buf_printf(b, ",\"%s\":null", name));
	return (buf_printf(b, ",\"%s\":\"%s%s\"", name, prefix, id));
}

static int
put_body(const struct lister *l, struct buf *b)
{
	const struct object_list_op *op = &l->op;
	bool older = op->more && op->before[0] == '\0';
	const char *first = op->n == 0 ? NULL : op->rows[0].upstream_id;
	const char *last = op->n == 0 ? NULL :
	    op->rows[op->n - 1].upstream_id;
	size_t i;

	if (buf_puts(b, "{\"data\":[") != 0)
		return (-1);
	for (i = 0; i < op->n; i++) {
		if ((i > 0 && buf_puts(b, ",") != 0) ||
		    put_row(l, &op->rows[i], b) != 0)
			return (-1);
	}
	if (buf_printf(b, "],\"has_more\":%s", op->more ? "true" :
	    "false") != 0 || put_id(b, "first_id", "", first) != 0 ||
	    put_id(b, "last_id", "", last) != 0 ||
	    put_id(b, "next_page", PAGE_PREFIX, older ? last : NULL) != 0)
		return (-1);
	return (buf_puts(b, "}"));
}

static int
put_head(const struct call *c, size_t length, struct buf *b)
{
	int rc = 0;

	rc |= response_begin(b, 200);
	rc |= response_header(b, "content-type", "application/json");
	rc |= response_header(b, "cache-control", "no-store");
	rc |= response_header(b, "request-id", c->request_id);
	rc |= response_header(b, "x-leasehold-request-id", c->request_id);
	rc |= response_header_int(b, "content-length", (int64_t)length);
	rc |= response_end(b);
	return (rc);
}

static void
log_list(const struct lister *l)
{
	const struct call *c = l->call;
	struct log_line line;

	log_begin(&line, c->relay->log, LOG_LEVEL_INFO, c->request_id,
	    "relay", "listed");
	log_str(&line, "kind", c->kind->name);
	log_str(&line, "key", c->key->name);
	log_int(&line, "objects", (int64_t)l->op.n);
	log_int(&line, "asked", l->asked);
	log_int(&line, "fresh", l->fresh);
	log_end(&line);
}

static void
answer(struct lister *l)
{
	struct call *c = l->call;
	struct buf head, body;
	bool bodiless = strcmp(c->http->method, "HEAD") == 0;

	log_list(l);
	buf_init(&head, LIMIT_UPSTREAM_HEAD_BYTES);
	buf_init(&body, LIMIT_PLAIN_BODY_BYTES);
	if (put_body(l, &body) != 0 ||
	    put_head(c, buf_len(&body), &head) != 0 ||
	    fcgi_write(c->req, buf_head(&head), buf_len(&head)) < 0 ||
	    (!bodiless && fcgi_write(c->req, buf_head(&body),
	    buf_len(&body)) < 0))
		fcgi_reset(c->req);
	else
		fcgi_finish(c->req);
	c->req = NULL;
	c->http = NULL;
	c->status = 200;
	c->answer_bytes = (int64_t)buf_len(&body);
	c->outcome = "ok";
	buf_fini(&head);
	buf_fini(&body);
	lister_free(l);
	call_free(c);
}

/* ---- what may have changed ---- */

static void go_on(struct loop_task *t);

static void
wake(struct lister *l)
{

	loop_task_add(l->call->relay->loop, &l->task, go_on, l);
}

static void
seen_done(struct object_op *op, const struct err *err)
{

	(void)err;
	free(op);
}

/* For the next list: a batch that ended needs not be asked for again. */
static void
note_seen(const struct lister *l, const struct object_row *row,
    const struct object_answer *a, const struct buf *body)
{
	struct object_op *op;

	if (!a->final || (op = calloc(1, sizeof(*op))) == NULL)
		return;
	op->kind = l->op.kind;
	memcpy(op->upstream_id, row->upstream_id, sizeof(op->upstream_id));
	op->key_id = l->call->key->id;
	op->final = true;
	object_answer_seen(buf_head(body), buf_len(body), a, op->seen);
	op->done = seen_done;
	pool_object_seen(l->call->relay->pool, op);
}

static void
take_fetched(struct fetch *f)
{
	struct lister *l = f->lister;
	struct object_row *row = &l->op.rows[f->row];
	struct object_answer a;
	char *text;

	if (f->status != 200 || f->over || !object_answer_read(
	    buf_head(&f->body), buf_len(&f->body), l->op.kind, &a) ||
	    strcmp(a.id, row->upstream_id) != 0)
		return;
	text = strndup((const char *)buf_head(&f->body), buf_len(&f->body));
	if (text == NULL)
		return;
	free(row->seen);
	row->seen = text;
	l->fresh++;
	note_seen(l, row, &a, &f->body);
}

static void
on_head(void *arg, int status, const struct transfer_header *h, size_t nh)
{
	struct fetch *f = arg;

	(void)h;
	(void)nh;
	f->status = status;
}

static bool
on_body(void *arg, const unsigned char *p, size_t n)
{
	struct fetch *f = arg;

	f->over |= buf_append(&f->body, p, n) != 0;
	return (true);
}

static void
on_done(void *arg, enum transfer_result result, const struct err *why)
{
	struct fetch *f = arg;

	(void)why;
	if (result == TRANSFER_OK)
		take_fetched(f);
	transfer_free(f->transfer);
	f->transfer = NULL;
	buf_fini(&f->body);
	wake(f->lister);
}

static const struct transfer_events fetch_events = {
	.head = on_head,
	.body = on_body,
	.done = on_done
};

/* Ask for one; what cannot be asked is shown as it was. */
static void
fetch_start(struct lister *l, struct fetch *f, size_t row)
{
	struct call *c = l->call;
	struct snapshot *s = pool_snapshot(c->relay->pool);
	const struct account *a = s == NULL ? NULL :
	    snapshot_account(s, l->op.rows[row].account_id);
	struct transfer_params p = { .method = "GET", .resend = true,
		.events = &fetch_events, .arg = f };
	struct http_request http = *c->http;
	const struct platform *pf;
	struct outgoing out;
	char path[64 + OBJECT_ID_SIZE];

	if (a == NULL || !a->enabled || a->secret == NULL ||
	    breaker_of(a, "", loop_wall_ms(c->relay->loop), NULL) !=
	    BREAKER_CLOSED ||
	    (pf = platform_find(a->platform)) == NULL)
		return;
	snprintf(path, sizeof(path), "/v1/messages/batches/%s",
	    l->op.rows[row].upstream_id);
	http.query = NULL;
	*f = (struct fetch) { .lister = l, .row = row };
	buf_init(&f->body, OBJECT_SEEN_SIZE - 1);
	outgoing_init(&out);
	out.trace = &c->trace_context;
	if (pf->request(&http, path, a, &out, NULL) == 0) {
		p.url = out.url;
		p.proxy = a->proxy;
		p.headers = out.headers;
		p.nheaders = out.nheaders;
		p.connect_timeout_ms = c->relay->conf->connect_timeout_ms;
		p.first_byte_timeout_ms = LISTER_MS;
		f->transfer = transfer_start(c->relay->upstream, &p, NULL);
	}
	outgoing_fini(&out);
	if (f->transfer != NULL)
		l->asked++;
	else
		buf_fini(&f->body);
}

static struct fetch *
unused(struct lister *l)
{
	size_t i;

	for (i = 0; i < LISTER_FETCHES; i++) {
		if (l->fetches[i].transfer == NULL)
			return (&l->fetches[i]);
	}
	return (NULL);
}

static bool
busy(const struct lister *l)
{
	size_t i;

	for (i = 0; i < LISTER_FETCHES; i++) {
		if (l->fetches[i].transfer != NULL)
			return (true);
	}
	return (false);
}

static void
go_on(struct loop_task *t)
{
	struct lister *l = t->arg;
	struct fetch *f;

	for (; l->next < l->op.n && (f = unused(l)) != NULL; l->next++) {
		if (!l->op.rows[l->next].final)
			fetch_start(l, f, l->next);
	}
	if (!busy(l))
		answer(l);
}

static void
time_is_over(struct loop_timer *t)
{

	answer(t->arg);
}

/* ---- the rows ---- */

static void
refuse(struct lister *l, enum refusal why)
{
	struct call *c = l->call;

	lister_free(l);
	close_refuse(c, why, NULL);
}

static void
listed(struct object_list_op *op, const struct err *err)
{
	struct lister *l = op->arg;
	struct call *c = l->call;

	l->reading = false;
	if (c->req == NULL)
		lister_leave(c);
	else if (err->code != ERR_NONE)
		refuse(l, REFUSAL_STORE_DOWN);
	else if (!op->allowed)
		refuse(l, REFUSAL_KEY_REVOKED);
	else if (loop_timer_set(c->relay->loop, &l->deadline,
	    loop_now_ms(c->relay->loop) + LISTER_MS, time_is_over, l) != 0)
		refuse(l, REFUSAL_STORE_DOWN);
	else
		wake(l);
}

/* ---- the query ---- */

static bool
is_name(const char *name, const char *a, const char *b)
{

	return (strcmp(name, a) == 0 || (b != NULL && strcmp(name, b) == 0));
}

static void
take_id(char out[OBJECT_ID_SIZE], const char *value)
{

	if (object_id_fits(value, strlen(value)))
		memcpy(out, value, strlen(value) + 1);
	else
		snprintf(out, OBJECT_ID_SIZE, "-");	/* nobody's */
}

/* What is wrong with a parameter; NULL: nothing. */
static const char *
take_param(struct lister *l, const char *name, const char *value)
{
	struct object_list_op *op = &l->op;
	int64_t n;

	if (is_name(name, "limit", NULL)) {
		if (num_parse(value, strlen(value), 1, 1000, &n) != 0)
			return ("limit is not a number from 1 to 1000");
		op->limit = n > OBJECT_PAGE_MAX ? OBJECT_PAGE_MAX : (size_t)n;
	} else if (is_name(name, "after_id", NULL)) {
		take_id(op->after, value);
	} else if (is_name(name, "before_id", NULL)) {
		take_id(op->before, value);
	} else if (is_name(name, "page", NULL)) {
		if (strncmp(value, PAGE_PREFIX, strlen(PAGE_PREFIX)) != 0)
			return ("page is none that was answered here");
		take_id(op->after, value + strlen(PAGE_PREFIX));
	} else if (is_name(name, "ids", "ids[]")) {
		object_ask_id(&l->only, value, strlen(value));
		if (l->only.more)
			return ("ids are too many");
		op->only = &l->only;
		op->limit = OBJECT_PAGE_MAX;
	}
	return (NULL);
}

static const char *
take_query(struct lister *l, const char *query)
{
	char name[32], value[OBJECT_ID_SIZE + 16];
	const char *why = NULL;

	while (why == NULL && query_next(&query, name, sizeof(name), value,
	    sizeof(value)))
		why = take_param(l, name, value);
	if (why == NULL && l->op.after[0] != '\0' && l->op.before[0] != '\0')
		why = "only one of after_id and before_id may be given";
	return (why);
}

void
lister_start(struct call *c)
{
	struct lister *l;
	const char *why;

	if ((l = calloc(1, sizeof(*l))) == NULL) {
		close_refuse(c, REFUSAL_BODIES_FULL, NULL);
		return;
	}
	l->call = c;
	l->op.key = c->key;
	l->op.kind = c->kind->lists;
	l->op.limit = LISTER_LIMIT;
	c->lister = l;
	if ((why = take_query(l, c->http->query)) != NULL) {
		lister_free(l);
		close_refuse(c, REFUSAL_BAD_REQUEST, why);
		return;
	}
	c->state = CALL_LIST;
	l->op.done = listed;
	l->op.arg = l;
	l->reading = true;
	pool_object_list(c->relay->pool, &l->op);
}
