#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/seal.h"
#include "store/store.h"

#include "notify.h"
#include "notify_outbox.h"
#include "notify_targets.h"

#include "api.h"

#define DELIVERIES	50
#define DELIVERIES_MAX	1000

/* ---- targets ---- */

/* Operators see where a webhook goes, not what it is known by there. */
static bool
sees_all(const struct api_call *c)
{

	return (c->who.role == ROLE_ADMIN);
}

json_t *
api_notify_targets(struct api_call *c, struct err *err)
{

	return (api_page(c, notify_targets_list(c->store, false, sees_all(c),
	    err), err));
}

/* The target of the path. */
static int
find(struct api_call *c, char name[LIMIT_NAME_BYTES], struct err *err)
{

	return (api_name(c, STMT_NOTIFY_TARGET_NAME, name, err));
}

json_t *
api_notify_target(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];

	return (find(c, name, err) ? NULL : notify_targets_get(c->store,
	    name, sees_all(c), err));
}

/* An array of names, as the list by comma that rows have. */
static int
read_events(struct api_call *c, char out[NOTIFY_EVENTS_SIZE],
    const char **events, struct err *err)
{
	const json_t *list = json_object_get(c->body, "events"), *one;
	const char *name;
	size_t i, len = 0;

	if (list == NULL)
		return (0);
	out[0] = '\0';
	if (!json_is_array(list) || json_array_size(list) > NOTIFY_CHOICES)
		goto err0;
	json_array_foreach(list, i, one) {
		name = json_string_value(one);
		if (name == NULL || strchr(name, ',') != NULL ||
		    notify_kind_of(name) >= NOTIFY_CHOICES)
			goto err0;
		len += (size_t)snprintf(out + len, NOTIFY_EVENTS_SIZE - len,
		    "%s%s", len > 0 ? "," : "", name);
	}
	*events = out;
	return (0);

err0:
	err_set(err, ERR_INVAL, "\"events\" must be an array of names of "
	    "events");
	return (-1);
}

#define TARGET_MEMBERS							\
	"name", "address", "events", "lang", "quiet", "zone",		\
	"interval_ms", "enabled", "secret", NULL

static int
read_target(struct api_call *c, struct notify_spec *s,
    char events[NOTIFY_EVENTS_SIZE], struct err *err)
{

	if (api_text(c, "name", &s->name, err) ||
	    api_text(c, "address", &s->address, err) ||
	    read_events(c, events, &s->events, err) ||
	    api_text(c, "lang", &s->lang, err) ||
	    api_text(c, "quiet", &s->quiet, err) ||
	    api_text(c, "zone", &s->zone, err) ||
	    api_int(c, "interval_ms", 0, NOTIFY_INTERVAL_MAX_MS,
	    &s->interval_ms, err) ||
	    api_flag(c, "enabled", &s->enabled, err) ||
	    api_text(c, "secret", &s->secret, err))
		return (-1);
	return (0);
}

/* As it is now, with the secret where that is one that we have made. */
static json_t *
answer(struct api_call *c, const char *name, const char *given,
    char secret[NOTIFY_SECRET_SIZE], struct err *err)
{
	json_t *row = notify_targets_get(c->store, name, true, err);

	if (row != NULL && secret[0] != '\0' && (given == NULL ||
	    given[0] == '\0') && json_object_set_new(row, "secret",
	    json_string(secret))) {
		err_set(err, ERR_NOMEM, "no memory for an answer");
		json_decref(row);
		row = NULL;
	}
	seal_wipe(secret, NOTIFY_SECRET_SIZE);
	return (row);
}

json_t *
api_add_notify_target(struct api_call *c, struct err *err)
{
	static const char *const members[] = { "kind", TARGET_MEMBERS };
	char secret[NOTIFY_SECRET_SIZE], events[NOTIFY_EVENTS_SIZE];
	struct notify_spec s;
	struct audit a;

	notify_spec_init(&s);
	if (api_members(c, members, err) ||
	    api_need_text(c, "kind", &s.kind, err) ||
	    api_need_text(c, "name", &s.name, err) ||
	    api_need_text(c, "address", &s.address, err) ||
	    read_target(c, &s, events, err))
		return (NULL);
	api_audit(c, &a, "notify.add", s.name, NULL);
	if (notify_targets_add(c->store, c->seal, &s, secret, err))
		return (NULL);
	c->status = 201;
	return (answer(c, s.name, s.secret, secret, err));
}

json_t *
api_set_notify_target(struct api_call *c, struct err *err)
{
	static const char *const members[] = { "overlap_ms", TARGET_MEMBERS };
	char secret[NOTIFY_SECRET_SIZE], events[NOTIFY_EVENTS_SIZE];
	char name[LIMIT_NAME_BYTES];
	struct notify_spec s;
	struct audit a;

	notify_spec_init(&s);
	if (api_members(c, members, err) || find(c, name, err) ||
	    read_target(c, &s, events, err) || api_int(c, "overlap_ms", 0,
	    NOTIFY_OVERLAP_MAX_MS, &s.overlap_ms, err))
		return (NULL);
	api_audit(c, &a, "notify.set", name, s.name);
	if (notify_targets_set(c->store, c->seal, name, &s, secret, err))
		return (NULL);
	return (answer(c, s.name != NULL ? s.name : name, s.secret, secret,
	    err));
}

json_t *
api_remove_notify_target(struct api_call *c, struct err *err)
{
	char name[LIMIT_NAME_BYTES];
	struct audit a;

	if (find(c, name, err))
		return (NULL);
	api_audit(c, &a, "notify.remove", name, NULL);
	return (notify_targets_remove(c->store, name, err) ? NULL :
	    api_done(c));
}

json_t *
api_test_notify_target(struct api_call *c, struct err *err)
{
	struct notify_sender s = {
		.st = c->store, .seal = c->seal,
		.stops = c->settings->over, .arg = c->settings->over_arg
	};
	char name[LIMIT_NAME_BYTES];
	struct notify_answer told;
	struct conf *conf;
	struct audit a;
	int rc = -1;

	if (find(c, name, err) || api_begin_long(c))
		return (NULL);
	if ((conf = api_conf(c)) != NULL) {
		s.conf = conf;
		api_audit(c, &a, "notify.test", name, NULL);
		rc = notify_test(&s, name, &told, err);
		conf_free(conf);
	}
	api_end_long(c);
	return (rc ? NULL : json_pack("{s:b, s:i, s:s}", "taken", told.taken,
	    "status", told.status, "detail", told.detail));
}

/* ---- deliveries ---- */

static bool
is_state(const char *s)
{
	static const char *const states[] = {
		"waiting", "sent", "failed", "skipped"
	};
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i], s) == 0)
			return (true);
	}
	return (false);
}

json_t *
api_notify_deliveries(struct api_call *c, struct err *err)
{
	struct notify_filter f = { .limit = DELIVERIES };
	char target[LIMIT_NAME_BYTES], state[16];
	json_t *items, *last, *next;

	if (api_query_int(c, "before", 1, INT64_MAX, &f.below, err) ||
	    api_query_int(c, "limit", 1, DELIVERIES_MAX, &f.limit, err))
		return (NULL);
	f.target = api_query(c, "target", target, sizeof(target));
	f.state = api_query(c, "state", state, sizeof(state));
	if (f.state != NULL && f.state[0] != '\0' && !is_state(f.state))
		return (api_refuse(c, 400, "there is no such state"));
	if ((items = notify_log(c->store, &f, err)) == NULL)
		return (NULL);
	last = json_array_get(items, json_array_size(items) - 1);
	next = (int64_t)json_array_size(items) < f.limit ? json_null() :
	    json_incref(json_object_get(last, "id"));
	return (json_pack("{s:o, s:o}", "items", items, "next", next));
}
