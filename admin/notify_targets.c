#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mail.h"
#include "base/num.h"
#include "base/zone.h"
#include "store/store.h"

#include "change.h"
#include "check.h"
#include "member.h"
#include "notify.h"
#include "notify_secrets.h"
#include "query.h"

#include "notify_targets.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define ADDRESS_MAX	1000

static const struct field fields[] = {
	{ .name = "id", .kind = FIELD_INT },
	{ .name = "name", .kind = FIELD_TEXT },
	{ .name = "kind", .kind = FIELD_TEXT },
	{ .name = "address", .kind = FIELD_TEXT },
	{ .name = "events", .kind = FIELD_TEXT },
	{ .name = "lang", .kind = FIELD_TEXT },
	{ .name = "quiet_from", .kind = FIELD_INT },
	{ .name = "quiet_to", .kind = FIELD_INT },
	{ .name = "zone", .kind = FIELD_TEXT },
	{ .name = "interval_ms", .kind = FIELD_INT },
	{ .name = "enabled", .kind = FIELD_BOOL },
	{ .name = "created_ms", .kind = FIELD_INT },
	{ .name = "old_until_ms", .kind = FIELD_INT },
};

/* A row as it is, or is to be; texts are borrowed. */
struct row {
	int64_t id;
	const char *name, *kind, *address, *lang, *zone;
	char events[NOTIFY_EVENTS_SIZE];
	int from, to;			/* quiet time, in minutes */
	int64_t interval_ms;
	int enabled;
};

void
notify_spec_init(struct notify_spec *spec)
{

	*spec = (struct notify_spec) {
		.overlap_ms = -1, .interval_ms = -1, .enabled = -1
	};
}

/* ---- rows as JSON ---- */

static json_t *
split_events(const char *events)
{
	json_t *list = json_array();
	size_t n;

	while (*events != '\0') {
		n = strcspn(events, ",");
		(void)json_array_append_new(list, json_stringn(events, n));
		events += n + (events[n] == ',');
	}
	return (list);
}

/* "https://host/...": its end may be what the receiver knows us by. */
static json_t *
origin(const char *url)
{
	const char *host = strstr(url, "://");
	size_t n;

	if (host == NULL)
		return (json_string(url));
	n = (size_t)(host - url) + 3;
	n += strcspn(host + 3, "/?");
	return (json_sprintf("%.*s/...", (int)n, url));
}

static int
present(json_t *row, bool whole)
{
	const int from = (int)int_of(row, "quiet_from");
	const int to = (int)int_of(row, "quiet_to");
	char quiet[32] = "";
	int rc;

	if (from != to)
		(void)snprintf(quiet, sizeof(quiet), "%02d:%02d-%02d:%02d",
		    from / 60, from % 60, to / 60, to % 60);
	rc = json_object_set_new(row, "events", split_events(text_of(row,
	    "events")));
	rc |= json_object_set_new(row, "quiet", json_string(quiet));
	rc |= json_object_del(row, "quiet_from");
	rc |= json_object_del(row, "quiet_to");
	if (!whole && strcmp(text_of(row, "kind"), "webhook") == 0)
		rc |= json_object_set_new(row, "address", origin(text_of(row,
		    "address")));
	return (rc);
}

static json_t *
read_rows(struct store *st, const char *name, bool on, struct err *err)
{
	const struct store_value v[4] = {
		store_int(store_now_ms(st)), store_text(name),
		store_text(name), store_int(on)
	};

	return (query_rows(st, STMT_NOTIFY_TARGET_LIST, v, 4, fields,
	    NITEMS(fields), err));
}

static json_t *
list(struct store *st, const char *name, bool on, bool whole,
    struct err *err)
{
	json_t *rows, *row;
	size_t i;

	if ((rows = read_rows(st, name, on, err)) == NULL)
		return (NULL);
	json_array_foreach(rows, i, row) {
		if (present(row, whole) != 0) {
			err_set(err, ERR_NOMEM, "no memory for an answer");
			json_decref(rows);
			return (NULL);
		}
	}
	return (rows);
}

/* Takes ${rows} over; no name would be all of them. */
static json_t *
only(json_t *rows, const char *name, struct err *err)
{
	json_t *row = name[0] == '\0' ? NULL :
	    json_incref(json_array_get(rows, 0));

	if (rows != NULL && row == NULL)
		err_set(err, ERR_NOT_FOUND, "there is no target \"%.100s\"",
		    name);
	json_decref(rows);
	return (row);
}

json_t *
notify_targets_list(struct store *st, bool on, bool whole, struct err *err)
{

	return (list(st, "", on, whole, err));
}

json_t *
notify_targets_get(struct store *st, const char *name, bool whole,
    struct err *err)
{

	return (only(list(st, name, false, whole, err), name, err));
}

json_t *
notify_targets_show(struct store *st, const char *name, struct err *err)
{

	return (notify_targets_get(st, name, false, err));
}

/* ---- what may be set ---- */

static int
check_address(const char *kind, const char *s, struct err *err)
{

	if (strlen(s) > ADDRESS_MAX) {
		err_set(err, ERR_INVAL, "an address has %d bytes at the most",
		    ADDRESS_MAX);
		return (-1);
	}
	if (strcmp(kind, "webhook") == 0)
		return (check_endpoint("webhook", s, true, err));
	if (mail_address_ok(s))
		return (0);
	err_set(err, ERR_INVAL, "\"%.100s\" is no mail address as NAME@HOST",
	    s);
	return (-1);
}

/* Each once, in the order of the table. */
static int
read_events(const char *s, char out[NOTIFY_EVENTS_SIZE], struct err *err)
{
	bool wanted[NOTIFY_CHOICES] = { false };
	char name[NOTIFY_EVENTS_SIZE];
	enum notify_kind k;
	size_t n, len = 0;

	while (*s != '\0') {
		n = strcspn(s, ",");
		(void)snprintf(name, sizeof(name), "%.*s", (int)n, s);
		if ((k = notify_kind_of(name)) >= NOTIFY_CHOICES) {
			err_set(err, ERR_INVAL, "there is no event "
			    "\"%.40s\"", name);
			return (-1);
		}
		wanted[k] = true;
		s += n + (s[n] == ',');
	}
	for (k = 0; k < NOTIFY_CHOICES; k++) {
		if (wanted[k])
			len += (size_t)snprintf(out + len,
			    NOTIFY_EVENTS_SIZE - len, "%s%s", len > 0 ? "," :
			    "", notify_kind_name(k));
	}
	if (len > 0)
		return (0);
	err_set(err, ERR_INVAL, "a target needs an event");
	return (-1);
}

/* "HH:MM": minutes; -1. */
static int
read_minutes(const char *s)
{
	int64_t hour, minute;

	if (s[2] != ':' || num_parse(s, 2, 0, 23, &hour) ||
	    num_parse(s + 3, 2, 0, 59, &minute))
		return (-1);
	return ((int)(hour * 60 + minute));
}

static int
read_quiet(const char *s, struct row *r, struct err *err)
{

	r->from = r->to = 0;
	if (s[0] == '\0')
		return (0);
	if (strlen(s) == 11 && s[5] == '-') {
		r->from = read_minutes(s);
		r->to = read_minutes(s + 6);
		if (r->from >= 0 && r->to >= 0 && r->from != r->to)
			return (0);
	}
	err_set(err, ERR_INVAL, "a quiet time is HH:MM-HH:MM, as "
	    "22:00-07:00, or empty");
	return (-1);
}

static int
check_lang(const char *lang, struct err *err)
{

	if (strcmp(lang, "en") == 0 || strcmp(lang, "zh") == 0)
		return (0);
	err_set(err, ERR_INVAL, "the language must be en or zh");
	return (-1);
}

static int
check_known_zone(const char *name, struct err *err)
{
	struct zone *z = check_zone(name, err);

	zone_free(z);
	return (z == NULL ? -1 : 0);
}

/* What ${s} says is put over ${r}. */
static int
overlay(const struct notify_spec *s, struct row *r, struct err *err)
{

	if ((s->name != NULL && check_name("a target", s->name, err)) ||
	    (s->address != NULL && check_address(r->kind, s->address, err)) ||
	    (s->events != NULL && read_events(s->events, r->events, err)) ||
	    (s->lang != NULL && check_lang(s->lang, err)) ||
	    (s->zone != NULL && check_known_zone(s->zone, err)) ||
	    (s->quiet != NULL && read_quiet(s->quiet, r, err)))
		return (-1);
	r->name = s->name != NULL ? s->name : r->name;
	r->address = s->address != NULL ? s->address : r->address;
	r->lang = s->lang != NULL ? s->lang : r->lang;
	r->zone = s->zone != NULL ? s->zone : r->zone;
	r->interval_ms = s->interval_ms >= 0 ? s->interval_ms :
	    r->interval_ms;
	r->enabled = s->enabled >= 0 ? s->enabled : r->enabled;
	if (s->secret == NULL && s->overlap_ms < 0)
		return (0);
	if (s->secret == NULL) {
		err_set(err, ERR_INVAL, "an overlap is for a new secret");
		return (-1);
	}
	if (strcmp(r->kind, "webhook") != 0) {
		err_set(err, ERR_INVAL, "only webhooks have a secret");
		return (-1);
	}
	if (s->secret[0] == '\0' || notify_secret_ok(s->secret))
		return (0);
	err_set(err, ERR_INVAL, "a secret is whsec_ and base64 of 24 to 64 "
	    "bytes");
	return (-1);
}

/* ---- changes ---- */

/* The one that was given, or a new one. */
static int
choose_secret(struct store *st, const struct seal *seal, int64_t id,
    const struct notify_spec *spec, char secret[NOTIFY_SECRET_SIZE],
    struct err *err)
{

	if (spec->secret != NULL && spec->secret[0] != '\0')
		(void)snprintf(secret, NOTIFY_SECRET_SIZE, "%s",
		    spec->secret);
	else
		notify_secret_new(secret);
	return (notify_secret_put(st, seal, id, secret, spec->overlap_ms >= 0 ?
	    spec->overlap_ms : NOTIFY_OVERLAP_MS, err));
}

static int
need_room(struct store *st, struct err *err)
{
	int64_t n;

	if (store_one(st, STMT_NOTIFY_COUNT, NULL, 0, &n, 1, err) != 1)
		return (-1);
	if (n < NOTIFY_TARGETS_MAX)
		return (0);
	err_set(err, ERR_INVAL, "there are %d targets already, which is as "
	    "many as may be", NOTIFY_TARGETS_MAX);
	return (-1);
}

static int
add_inside(struct store *st, const struct seal *seal, const struct row *r,
    const struct notify_spec *spec, char secret[NOTIFY_SECRET_SIZE],
    struct err *err)
{
	const struct store_value row[] = {
		store_text(r->name), store_text(r->kind),
		store_text(r->address), store_text(r->events),
		store_text(r->lang), store_int(r->from), store_int(r->to),
		store_text(r->zone), store_int(r->interval_ms),
		store_int(r->enabled), store_int(store_now_ms(st))
	};

	if (need_room(st, err) || change_exec_named(st,
	    STMT_NOTIFY_TARGET_ADD, row, NITEMS(row), "a target", r->name,
	    err))
		return (-1);
	if (strcmp(r->kind, "webhook") != 0)
		return (0);
	return (choose_secret(st, seal, store_insert_id(st), spec, secret,
	    err));
}

int
notify_targets_add(struct store *st, const struct seal *seal,
    const struct notify_spec *spec, char secret[NOTIFY_SECRET_SIZE],
    struct err *err)
{
	struct row r = {
		.kind = spec->kind, .lang = "en", .zone = "UTC",
		.events = "account.parked,budget.80,budget.100,group.empty,"
		    "spool.filled,backup.failed",
		.interval_ms = NOTIFY_INTERVAL_MS, .enabled = 1
	};

	secret[0] = '\0';
	if (spec->name == NULL || spec->address == NULL ||
	    spec->kind == NULL || (strcmp(spec->kind, "webhook") != 0 &&
	    strcmp(spec->kind, "email") != 0)) {
		err_set(err, ERR_INVAL, "a target needs a name, an address "
		    "and a kind, webhook or email");
		return (-1);
	}
	if (overlay(spec, &r, err) || change_begin(st, err))
		return (-1);
	return (change_end(st, add_inside(st, seal, &r, spec, secret, err),
	    err));
}

static int
give_up(struct store *st, int64_t id, struct err *err)
{
	const struct store_value v[3] = {
		store_int(store_now_ms(st)),
		store_text("the target was switched off"), store_int(id)
	};

	return (store_exec(st, STMT_NOTIFY_TARGET_GIVE_UP, v, 1, 3, NULL,
	    err));
}

static int
put_row(struct store *st, const struct row *r, struct err *err)
{
	const struct store_value row[] = {
		store_text(r->name), store_text(r->address),
		store_text(r->events), store_text(r->lang),
		store_int(r->from), store_int(r->to), store_text(r->zone),
		store_int(r->interval_ms), store_int(r->enabled),
		store_int(r->id)
	};

	if (change_exec_named(st, STMT_NOTIFY_TARGET_SET, row, NITEMS(row),
	    "a target", r->name, err))
		return (-1);
	return (r->enabled ? 0 : give_up(st, r->id, err));
}

static int
set_inside(struct store *st, const struct seal *seal, const char *name,
    const struct notify_spec *spec, char secret[NOTIFY_SECRET_SIZE],
    struct err *err)
{
	json_t *was = only(read_rows(st, name, false, err), name, err);
	struct row r = {
		.id = int_of(was, "id"),
		.name = text_of(was, "name"), .kind = text_of(was, "kind"),
		.address = text_of(was, "address"),
		.lang = text_of(was, "lang"), .zone = text_of(was, "zone"),
		.from = (int)int_of(was, "quiet_from"),
		.to = (int)int_of(was, "quiet_to"),
		.interval_ms = int_of(was, "interval_ms"),
		.enabled = json_is_true(json_object_get(was, "enabled")),
	};
	int rc = -1;

	if (was == NULL)
		return (-1);
	(void)snprintf(r.events, sizeof(r.events), "%s", text_of(was,
	    "events"));
	if (overlay(spec, &r, err) == 0)
		rc = put_row(st, &r, err);
	if (rc == 0 && spec->secret != NULL)
		rc = choose_secret(st, seal, r.id, spec, secret, err);
	json_decref(was);
	return (rc);
}

int
notify_targets_set(struct store *st, const struct seal *seal,
    const char *name, const struct notify_spec *spec,
    char secret[NOTIFY_SECRET_SIZE], struct err *err)
{

	secret[0] = '\0';
	if (change_begin(st, err))
		return (-1);
	return (change_end(st, set_inside(st, seal, name, spec, secret, err),
	    err));
}

static int
remove_inside(struct store *st, const char *name, struct err *err)
{
	json_t *was = only(read_rows(st, name, false, err), name, err);
	const struct store_value id = store_int(json_integer_value(
	    json_object_get(was, "id")));

	if (was == NULL)
		return (-1);
	json_decref(was);
	if (store_exec(st, STMT_NOTIFY_TARGET_FORGET, &id, 1, 1, NULL, err))
		return (-1);
	return (store_exec(st, STMT_NOTIFY_TARGET_REMOVE, &id, 1, 1, NULL,
	    err));
}

int
notify_targets_remove(struct store *st, const char *name, struct err *err)
{

	if (change_begin(st, err))
		return (-1);
	return (change_end(st, remove_inside(st, name, err), err));
}

void
notify_targets_quiet(const json_t *target, int *from, int *to)
{
	const char *s = text_of(target, "quiet");

	*from = s[0] == '\0' ? 0 : read_minutes(s);
	*to = s[0] == '\0' ? 0 : read_minutes(s + 6);
}
