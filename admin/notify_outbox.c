#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "base/zone.h"
#include "store/store.h"

#include "change.h"
#include "member.h"
#include "notify_targets.h"
#include "query.h"

#include "notify_outbox.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* More than so many go in one message. */
#define CROWD		10
#define ID_BYTES	16
#define BASE64		sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(sizeof("msg_") - 1 + sodium_base64_ENCODED_LEN(ID_BYTES,
    BASE64) <= NOTIFY_MESSAGE_SIZE, "an id fits");

/* ---- events ---- */

static int
add_event(struct store *st, const struct notify_news *news, int64_t now_ms,
    int64_t *id, struct err *err)
{
	char *data = json_dumps(news->data, JSON_COMPACT);
	const struct store_value row[] = {
		store_text(notify_kind_name(news->kind)),
		store_text(news->topic), store_text(news->key),
		store_int(news->hold_ms), store_int(now_ms), store_text(data)
	};
	int rc = -1;

	if (data == NULL)
		err_set(err, ERR_NOMEM, "no memory for an event");
	else
		rc = store_exec(st, STMT_NOTIFY_EVENT_ADD, row, 1,
		    NITEMS(row), NULL, err);
	*id = rc == 0 ? store_insert_id(st) : 0;
	free(data);
	return (rc);
}

/* Was the target told of the same not long ago?  1, 0, -1. */
static int
too_soon(struct store *st, const struct notify_news *news,
    const json_t *target, int64_t now_ms, struct err *err)
{
	const struct store_value v[4] = {
		store_int(int_of(target, "id")),
		store_int(now_ms - int_of(target, "interval_ms")),
		store_text(notify_kind_name(news->kind)),
		store_text(news->topic)
	};
	int64_t n = 0;

	if (store_one(st, STMT_NOTIFY_LAST, v, 4, &n, 1, err) < 0)
		return (-1);
	return (n > 0 ? 1 : 0);
}

/* When its quiet time ends; 0: it has none now.  A zone that this machine does
 * not know any more is UTC. */
static int64_t
quiet_until(const json_t *target, int64_t now_ms)
{
	struct zone *z = zone_new(text_of(target, "zone"), NULL);
	int64_t until_ms = 0;
	int from, to;

	if (z == NULL)
		z = zone_new("UTC", NULL);
	notify_targets_quiet(target, &from, &to);
	if (z != NULL)
		until_ms = notify_quiet_ms(z, from, to, now_ms);
	zone_free(z);
	return (until_ms);
}

/* Events on their way to the targets. */
struct raising {
	struct store *st;
	const json_t *targets;
	int64_t now_ms;
	int64_t quiet_ms[NOTIFY_TARGETS_MAX];	/* of quiet_until */
	struct err *err;
};

static void
raising_init(struct raising *r, struct store *st, const json_t *targets,
    struct err *err)
{
	json_t *target;
	size_t i;

	*r = (struct raising) {
		.st = st, .targets = targets, .now_ms = store_now_ms(st),
		.err = err
	};
	json_array_foreach(targets, i, target) {
		if (i < NOTIFY_TARGETS_MAX)
			r->quiet_ms[i] = quiet_until(target, r->now_ms);
	}
}

static int
add_delivery(const struct raising *r, const struct notify_news *news,
    int64_t event_id, size_t i)
{
	const json_t *target = json_array_get(r->targets, i);
	const int64_t until_ms = r->quiet_ms[i], now_ms = r->now_ms;
	struct store *st = r->st;
	struct err *err = r->err;
	int skip = too_soon(st, news, target, now_ms, err);
	const struct store_value row[] = {
		store_int(event_id), store_int(int_of(target, "id")),
		store_text(skip == 1 ? "skipped" : "waiting"),
		store_int(until_ms > 0), store_int(until_ms > 0 ? until_ms :
		now_ms), store_int(now_ms)
	};

	if (skip == -1)
		return (-1);
	return (store_exec(st, STMT_NOTIFY_DELIVERY_ADD, row, 1, NITEMS(row),
	    NULL, err));
}

static int
raise_inside(const struct raising *r, const struct notify_news *news)
{
	json_t *target;
	int64_t id;
	size_t i;

	if (add_event(r->st, news, r->now_ms, &id, r->err))
		return (-1);
	json_array_foreach(r->targets, i, target) {
		if (i < NOTIFY_TARGETS_MAX && !news->silent &&
		    notify_wants(target, news->kind) &&
		    add_delivery(r, news, id, i))
			return (-1);
	}
	return (0);
}

/* In one transaction.  1; 0: one of them is there already, and none is made;
 * -1.  A target that was removed meanwhile is as one that has it already. */
static int
raise_all(struct store *st, const struct notify_news *const *news, size_t n,
    const json_t *targets, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	struct raising r;
	size_t i;

	raising_init(&r, st, targets, &why);
	if (store_begin(st, true, err))
		return (-1);
	for (i = 0; i < n && why.code == ERR_NONE; i++)
		(void)raise_inside(&r, news[i]);
	if (why.code == ERR_NONE)
		return (store_commit(st, err) == 0 ? 1 : -1);
	store_rollback(st);
	if (why.code == ERR_EXISTS)
		return (0);
	err_set(err, why.code, "%s", why.text);
	return (-1);
}

int
notify_raise(struct store *st, const struct notify_news *const *news, size_t n,
    const json_t *targets, int *raised, struct err *err)
{
	int rc = raise_all(st, news, n, targets, err);
	size_t i;

	if (rc == 1)
		*raised += (int)n;
	if (rc != 0 || n == 1)
		return (rc < 0 ? -1 : 0);
	/* Whoever else looks is ahead with some: each for itself. */
	for (i = 0; i < n; i++) {
		if ((rc = raise_all(st, news + i, 1, targets, err)) < 0)
			return (-1);
		*raised += rc;
	}
	return (0);
}

/* ---- messages ---- */

static int
begin_inside(struct store *st, enum stmt_id id, const struct store_value *v,
    size_t n, struct err *err)
{

	if (store_begin(st, true, err))
		return (-1);
	return (store_end(st, store_exec(st, id, v, 1, n, NULL, err), err));
}

int
notify_hold(struct store *st, int64_t target_id, int64_t until_ms,
    struct err *err)
{
	const struct store_value v[3] = {
		store_int(until_ms), store_int(target_id),
		store_int(store_now_ms(st))
	};

	return (begin_inside(st, STMT_NOTIFY_POSTPONE, v, 3, err));
}

static void
new_message_id(char id[NOTIFY_MESSAGE_SIZE])
{
	unsigned char bytes[ID_BYTES];

	seal_random(bytes, sizeof(bytes));
	memcpy(id, "msg_", 4);
	(void)sodium_bin2base64(id + 4, NOTIFY_MESSAGE_SIZE - 4, bytes,
	    sizeof(bytes), BASE64);
}

/* What is due and in no message yet. */
struct loose {
	int64_t ids[NOTIFY_EVENTS_MAX];
	bool held[NOTIFY_EVENTS_MAX];
	size_t n;
};

static int
take_loose(void *arg, const struct store_value *c, size_t ncols)
{
	struct loose *l = arg;

	(void)ncols;
	l->ids[l->n] = store_get_int(&c[0]);
	l->held[l->n++] = store_get_int(&c[1]) != 0;
	return (0);
}

/* Which of them go with the first: those that were collected as well, or all
 * where they are many. */
static size_t
pick(const struct loose *l, struct store_value *rows, const char *message)
{
	const bool many = l->n > CROWD;
	size_t i, n = 0;

	for (i = 0; i < l->n; i++) {
		if (i > 0 && !many && !(l->held[0] && l->held[i]))
			continue;
		rows[2 * n] = store_text(message);
		rows[2 * n++ + 1] = store_int(l->ids[i]);
	}
	return (n);
}

static int
take_message(void *arg, const struct store_value *c, size_t ncols)
{
	char *id = arg;

	(void)ncols;
	(void)snprintf(id, NOTIFY_MESSAGE_SIZE, "%s", store_get_text(&c[0]));
	return (1);
}

/* One that was begun, or a new one: 1; 0: nothing is due; -1. */
static int
find_message(struct store *st, int64_t target_id, int64_t now_ms,
    char id[NOTIFY_MESSAGE_SIZE], struct err *err)
{
	const struct store_value v[3] = {
		store_int(target_id), store_int(now_ms),
		store_int(NOTIFY_EVENTS_MAX)
	};
	struct store_value rows[2 * NOTIFY_EVENTS_MAX];
	struct loose l = { .n = 0 };
	int64_t found;
	size_t n;

	found = store_query(st, STMT_NOTIFY_BEGUN, v, 2, take_message, id,
	    err);
	if (found != 0)
		return (found > 0 ? 1 : -1);
	if (store_query(st, STMT_NOTIFY_LOOSE, v, 3, take_loose, &l, err) < 0)
		return (-1);
	if (l.n == 0)
		return (0);
	new_message_id(id);
	n = pick(&l, rows, id);
	return (store_exec(st, STMT_NOTIFY_BUNDLE, rows, n, 2, NULL, err) ==
	    0 ? 1 : -1);
}

static int
take_event(void *arg, const struct store_value *c, size_t ncols)
{
	struct notify_message *m = arg;
	json_t *data = json_loadb(c[2].p, c[2].n, 0, NULL);

	(void)ncols;
	m->tries = store_get_int(&c[3]);
	m->first_ms = store_get_int(&c[4]);
	return (json_array_append_new(m->events, json_pack(
	    "{s:s, s:I, s:o}", "kind", store_get_text(&c[0]), "at_ms",
	    (json_int_t)store_get_int(&c[1]), "data", data != NULL ? data :
	    json_object())));
}

static int
read_message(struct store *st, struct notify_message *m, struct err *err)
{
	const struct store_value id = store_text(m->id);

	if ((m->events = json_array()) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for a message");
		return (-1);
	}
	return (store_query(st, STMT_NOTIFY_MESSAGE, &id, 1, take_event, m,
	    err) < 0 ? -1 : 0);
}

/* It is put down before it is made, with when it is to be made again. */
static int
begin_try(struct store *st, struct notify_message *m, int64_t now_ms,
    struct err *err)
{
	struct store_value v[3] = {
		store_int(now_ms), store_int(now_ms), store_text(m->id)
	};

	if (store_exec(st, STMT_NOTIFY_TRY, v, 1, 3, NULL, err) ||
	    read_message(st, m, err))
		return (-1);
	v[0] = store_int(now_ms + notify_pause_ms(m->tries));
	v[1] = v[2];
	return (store_exec(st, STMT_NOTIFY_DUE, v, 1, 2, NULL, err));
}

static int
end_endless(struct store *st, int64_t target_id, int64_t now_ms,
    struct err *err)
{
	const struct store_value v[4] = {
		store_int(now_ms), store_text("nothing came of any try"),
		store_int(target_id), store_int(NOTIFY_TRIES_MAX)
	};

	return (store_exec(st, STMT_NOTIFY_ENDLESS, v, 1, 4, NULL, err));
}

static int
next_inside(struct store *st, int64_t target_id, struct notify_message *m,
    struct err *err)
{
	int64_t now_ms = store_now_ms(st);
	int rc;

	if (end_endless(st, target_id, now_ms, err))
		return (-1);
	rc = find_message(st, target_id, now_ms, m->id, err);
	if (rc == 1 && begin_try(st, m, now_ms, err))
		rc = -1;
	return (rc);
}

int
notify_next(struct store *st, int64_t target_id, struct notify_message *m,
    struct err *err)
{
	int rc;

	*m = (struct notify_message) { .events = NULL };
	if (store_begin(st, true, err))
		return (-1);
	rc = next_inside(st, target_id, m, err);
	if (store_end(st, rc < 0 ? -1 : 0, err))
		rc = -1;
	if (rc != 1)
		notify_message_fini(m);
	return (rc);
}

void
notify_message_fini(struct notify_message *m)
{

	json_decref(m->events);
	m->events = NULL;
}

int
notify_told(struct store *st, const struct notify_message *m,
    const struct notify_answer *a, struct err *err)
{
	int64_t now_ms = store_now_ms(st);
	bool failed = a->gone || now_ms + notify_pause_ms(m->tries) -
	    m->first_ms > NOTIFY_GIVE_UP_MS;
	json_t *detail = query_text(a->detail, strlen(a->detail));
	const struct store_value v[] = {
		store_text(a->taken ? "sent" : failed ? "failed" :
		"waiting"), a->taken || failed ? store_int(now_ms) :
		store_null(), store_int(a->status),
		store_text(detail != NULL ? json_string_value(detail) : ""),
		store_text(m->id)
	};
	int rc = begin_inside(st, STMT_NOTIFY_TELL, v, NITEMS(v), err);

	json_decref(detail);
	return (rc);
}

/* ---- sending ---- */

int
notify_send(const struct notify_sender *s, const json_t *target,
    const struct notify_message *m, struct notify_answer *answer,
    struct err *err)
{
	struct zone *z = zone_new(text_of(target, "zone"), NULL);
	const struct notify_letter letter = {
		.id = m->id, .lang = text_of(target, "lang"),
		.zone = z != NULL ? z : (z = zone_new("UTC", NULL)),
		.events = m->events, .now_ms = store_now_ms(s->st),
		.stops = s->stops, .arg = s->arg,
	};
	struct notify_secrets secrets;
	int rc = -1;

	if (z == NULL)
		err_set(err, ERR_NOMEM, "no memory for a time zone");
	else if (strcmp(text_of(target, "kind"), "email") == 0)
		rc = notify_mail_send(s->conf, text_of(target, "address"),
		    &letter, answer, err);
	else if (notify_secrets_get(s->st, s->seal, int_of(target, "id"),
	    &secrets, err) == 0) {
		rc = notify_hook_send(s->conf, text_of(target, "address"),
		    &secrets, &letter, answer, err);
		seal_wipe(&secrets, sizeof(secrets));
	}
	zone_free(z);
	return (rc);
}

/* As if it were due, and just being tried. */
static int
add_test(struct store *st, const json_t *target, struct notify_message *m,
    struct err *err)
{
	json_t *data = json_pack("{s:s}", "subject", text_of(target, "name"));
	const struct notify_news news = {
		.kind = NOTIFY_TEST, .topic = "test", .data = data
	};
	int64_t now_ms = store_now_ms(st), id = 0;
	struct store_value v[6];
	int rc = -1;

	new_message_id(m->id);
	if (data == NULL)
		err_set(err, ERR_NOMEM, "no memory for a message");
	else
		rc = add_event(st, &news, now_ms, &id, err);
	json_decref(data);
	v[0] = store_int(id);
	v[1] = store_int(int_of(target, "id"));
	v[2] = store_text("waiting");
	v[3] = store_int(0);
	v[4] = v[5] = store_int(now_ms);
	if (rc != 0 || store_exec(st, STMT_NOTIFY_DELIVERY_ADD, v, 1, 6, NULL,
	    err))
		return (-1);
	v[1] = store_int(store_insert_id(st));
	v[0] = store_text(m->id);
	if (store_exec(st, STMT_NOTIFY_BUNDLE, v, 1, 2, NULL, err) ||
	    begin_try(st, m, now_ms, err))
		return (-1);
	return (change_note(st, err));
}

int
notify_test(const struct notify_sender *s, const char *name,
    struct notify_answer *answer, struct err *err)
{
	struct notify_message m = { .events = NULL };
	json_t *target;
	int rc = -1;

	if ((target = notify_targets_get(s->st, name, true, err)) == NULL)
		return (-1);
	if (store_begin(s->st, true, err) == 0 && store_end(s->st,
	    add_test(s->st, target, &m, err), err) == 0 &&
	    notify_send(s, target, &m, answer, err) == 0)
		rc = notify_told(s->st, &m, answer, err);
	notify_message_fini(&m);
	json_decref(target);
	return (rc);
}

/* ---- what there is ---- */

static const struct field log_fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "target", .kind = FIELD_TEXT },
	{ .name = "event", .kind = FIELD_TEXT },
	{ .name = "at_ms", .kind = FIELD_INT },
	{ .name = "data", .kind = FIELD_JSON },
	{ .name = "state", .kind = FIELD_TEXT },
	{ .name = "held", .kind = FIELD_BOOL },
	{ .name = "due_ms", .kind = FIELD_INT },
	{ .name = "tries", .kind = FIELD_INT },
	{ .name = "message", .kind = FIELD_TEXT },
	{ .name = "created_ms", .kind = FIELD_INT },
	{ .name = "first_ms", .kind = FIELD_INT },
	{ .name = "done_ms", .kind = FIELD_INT },
	{ .name = "status", .kind = FIELD_INT },
	{ .name = "detail", .kind = FIELD_TEXT },
};

static int
present(json_t *row)
{
	const json_t *data = json_object_get(row, "data");
	int rc;

	rc = json_object_set_new(row, "subject", json_string(text_of(data,
	    "subject")));
	if (strcmp(text_of(row, "state"), "waiting") != 0)
		rc |= json_object_set_new(row, "due_ms", json_null());
	return (rc);
}

json_t *
notify_log(struct store *st, const struct notify_filter *f, struct err *err)
{
	const char *target = f->target != NULL ? f->target : "";
	const char *state = f->state != NULL ? f->state : "";
	const struct store_value v[] = {
		store_int(f->below > 0 ? f->below : INT64_MAX),
		store_text(target), store_text(target), store_text(state),
		store_text(state), store_int(f->limit)
	};
	json_t *rows, *row;
	size_t i;

	rows = query_rows(st, STMT_NOTIFY_LOG, v, NITEMS(v), log_fields,
	    NITEMS(log_fields), err);
	json_array_foreach(rows, i, row) {
		if (present(row) != 0) {
			err_set(err, ERR_NOMEM, "no memory for an answer");
			json_decref(rows);
			return (NULL);
		}
	}
	return (rows);
}

int
notify_prune(struct store *st, struct err *err)
{
	const struct store_value before = store_int(store_now_ms(st) -
	    NOTIFY_KEEP_MS);

	if (notify_secrets_expire(st, err) || begin_inside(st,
	    STMT_NOTIFY_PRUNE_DELIVERIES, &before, 1, err))
		return (-1);
	return (begin_inside(st, STMT_NOTIFY_PRUNE_EVENTS, &before, 1, err));
}
