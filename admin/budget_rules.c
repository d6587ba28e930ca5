#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/zone.h"
#include "ledger/window.h"
#include "store/store.h"

#include "change.h"
#include "check.h"
#include "groups.h"
#include "keys.h"
#include "query.h"
#include "users.h"

#include "budget_rules.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name;	/* as people say it */
	const char *column;	/* as the schema has it */
	int (*find)(struct store *, const char *, int64_t *, struct err *);
} scopes[] = {
	{ "key", "key", keys_find },
	{ "user", "person", users_find },
	{ "group", "group", groups_find },
};

static const char *const kinds[] = {
	"money", "tokens", "input_tokens", "output_tokens", "requests", NULL
};
static const char *const policies[] = { "elastic", "strict", NULL };

static int
check_word(const char *what, const char *word, const char *const *words,
    struct err *err)
{
	char list[128] = "";
	size_t i, n = 0;

	for (i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], word) == 0)
			return (0);
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s",
		    i == 0 ? "" : ", ", words[i]);
	}
	err_set(err, ERR_INVAL, "there is no %s \"%.40s\": take one of %s",
	    what, word, list);
	return (-1);
}

static int
check_limit(int64_t limit, struct err *err)
{

	if (limit >= 0 && limit <= BUDGET_LIMIT_MAX)
		return (0);
	err_set(err, ERR_INVAL, "a budget's limit is from 0 to %lld, of money "
	    "to $9000000000", (long long)BUDGET_LIMIT_MAX);
	return (-1);
}

/* ---- windows ---- */

static int
check_its_length(const struct budget_spec *s, enum window_period p,
    struct err *err)
{

	if (p != WINDOW_FIXED && p != WINDOW_ROLLING) {
		if (s->length_ms == 0)
			return (0);
		err_set(err, ERR_INVAL, "only fixed and rolling windows have "
		    "a length");
		return (-1);
	}
	if (s->length_ms >= WINDOW_MIN_LENGTH_MS &&
	    s->length_ms <= WINDOW_MAX_LENGTH_MS)
		return (0);
	err_set(err, ERR_INVAL, "a %s window needs a length, from 1m to 400d",
	    s->period);
	return (-1);
}

/* It must be there to be read, so that requests can be told their window. */
static int
check_its_zone(const struct budget_spec *s, enum window_period p,
    struct err *err)
{
	struct zone *z;

	if (s->zone == NULL)
		return (0);
	if (p != WINDOW_DAY && p != WINDOW_WEEK && p != WINDOW_MONTH) {
		err_set(err, ERR_INVAL, "only days, weeks and months have a "
		    "time zone");
		return (-1);
	}
	if ((z = check_zone(s->zone, err)) == NULL)
		return (-1);
	zone_free(z);
	return (0);
}

static int
check_window(const struct budget_spec *s, struct err *err)
{
	enum window_period p = WINDOW_TOTAL;

	if (s->period != NULL &&
	    (p = window_period(s->period)) == WINDOW_NPERIODS) {
		err_set(err, ERR_INVAL, "there is no period \"%.40s\": take "
		    "one of total, day, week, month, fixed, rolling",
		    s->period);
		return (-1);
	}
	if (s->anchor_ms != -1 && (p != WINDOW_FIXED ||
	    s->anchor_ms < ZONE_MIN_MS || s->anchor_ms > ZONE_MAX_MS)) {
		err_set(err, ERR_INVAL, "only fixed windows have a time when "
		    "one begins, and of the years 1 to 9999");
		return (-1);
	}
	if (check_its_length(s, p, err))
		return (-1);
	return (check_its_zone(s, p, err));
}

static int
check_spec(const struct budget_spec *s, struct err *err)
{

	if (s->scope == NULL || s->of == NULL || s->kind == NULL) {
		err_set(err, ERR_INVAL, "a budget is on a key, a user or a "
		    "group, and counts something");
		return (-1);
	}
	if (s->name != NULL && check_name("a budget", s->name, err))
		return (-1);
	if (check_word("kind of budget", s->kind, kinds, err) ||
	    check_limit(s->limit, err))
		return (-1);
	if (s->policy != NULL && check_word("policy", s->policy, policies,
	    err))
		return (-1);
	return (check_window(s, err));
}

/* ---- add ---- */

int
budget_rules_crowd(struct store *st, struct err *err)
{
	int64_t on;

	if (store_one(st, STMT_BUDGET_CROWD, NULL, 0, &on, 1, err) != 1)
		return (-1);
	if (on <= LIMIT_BUDGETS)
		return (0);
	err_set(err, ERR_INVAL, "%lld budgets would be switched on, and the "
	    "responders have room for %d of all keys, users and groups "
	    "together", (long long)on, LIMIT_BUDGETS);
	return (-1);
}

/* "k1-money-day", and "-2" from the second on.  1: it is taken; 0; -1. */
static int
try_name(struct store *st, const struct budget_spec *s, int64_t n,
    char name[BUDGET_NAME_SIZE], struct err *err)
{
	struct store_value param;
	int64_t taken;
	int len;

	len = snprintf(name, BUDGET_NAME_SIZE, "%s-%s-%s", s->of, s->kind,
	    s->period != NULL ? s->period : "total");
	if (n > 1)
		(void)snprintf(name + len, BUDGET_NAME_SIZE - (size_t)len,
		    "-%lld", (long long)n);
	param = store_text(name);
	if (store_one(st, STMT_BUDGET_NAMED, &param, 1, &taken, 1, err) != 1)
		return (-1);
	return (taken > 0);
}

/* One that is free, of few looks: the next number, as a rule. */
static int
make_name(struct store *st, const struct budget_spec *s,
    char name[BUDGET_NAME_SIZE], struct err *err)
{
	int64_t taken = 0, n = 1, mid;
	int rc;

	while ((rc = try_name(st, s, n, name, err)) == 1) {
		taken = n;
		n *= 2;
	}
	while (rc != -1 && n - taken > 1) {
		mid = taken + (n - taken) / 2;
		rc = try_name(st, s, mid, name, err);
		if (rc == 1)
			taken = mid;
		else
			n = mid;
	}
	return (rc == -1 || try_name(st, s, n, name, err) == -1 ? -1 : 0);
}

static int
add_row(struct store *st, const struct budget_spec *s, const char *scope,
    int64_t scope_id, const char *name, const char *models, struct err *err)
{
	const char *period = s->period != NULL ? s->period : "total";
	int64_t now_ms = store_now_ms(st);
	int64_t anchor = strcmp(period, "fixed") != 0 ? 0 :
	    s->anchor_ms == -1 ? now_ms : s->anchor_ms;
	const struct store_value row[] = {
		store_text(name),
		store_text(scope),
		store_int(scope_id),
		store_text(s->kind),
		store_text(period),
		store_int(s->length_ms),
		store_int(anchor),
		store_text(s->zone != NULL ? s->zone : "UTC"),
		store_text(models),
		store_text(s->policy != NULL ? s->policy : policies[0]),
		store_int(s->limit),
		store_int(!s->disabled),
		store_int(now_ms),
	};

	return (change_exec_named(st, STMT_BUDGET_ADD, row, NITEMS(row),
	    "a budget", name, err));
}

static int
add_inside(struct store *st, const struct budget_spec *s, const char *models,
    char name[BUDGET_NAME_SIZE], struct err *err)
{
	int64_t id;
	size_t i;

	for (i = 0; i < NITEMS(scopes); i++) {
		if (strcmp(scopes[i].name, s->scope) == 0)
			break;
	}
	if (i == NITEMS(scopes)) {
		err_set(err, ERR_INVAL, "a budget is on a key, a user or a "
		    "group");
		return (-1);
	}
	if (scopes[i].find(st, s->of, &id, err))
		return (-1);
	if (s->name != NULL)
		(void)snprintf(name, BUDGET_NAME_SIZE, "%s", s->name);
	else if (make_name(st, s, name, err))
		return (-1);
	if (add_row(st, s, scopes[i].column, id, name, models, err))
		return (-1);
	return (budget_rules_crowd(st, err));
}

int
budget_rules_add_in(struct store *st, const struct budget_spec *s,
    char name[BUDGET_NAME_SIZE], struct err *err)
{
	char *models;
	int rc;

	if (check_spec(s, err))
		return (-1);
	if (check_models(s->models != NULL ? s->models : "", &models, err))
		return (-1);
	rc = add_inside(st, s, models, name, err);
	free(models);
	return (rc);
}

int
budget_rules_add(struct store *st, const struct budget_spec *s,
    char name[BUDGET_NAME_SIZE], struct err *err)
{

	if (check_spec(s, err) || change_begin(st, err))
		return (-1);
	return (change_end(st, budget_rules_add_in(st, s, name, err), err));
}

/* ---- set ---- */

/* A budget's row as budget_set writes it; models are owned. */
struct row {
	int64_t id;
	char kind[16];
	char policy[16];
	char *models;
	int64_t limit;
	int64_t enabled;
};

static int
take_row(void *arg, const struct store_value *c, size_t n)
{
	struct row *r = arg;

	(void)n;
	r->id = store_get_int(&c[0]);
	(void)snprintf(r->kind, sizeof(r->kind), "%s", store_get_text(&c[1]));
	r->models = strdup(store_get_text(&c[2]));
	(void)snprintf(r->policy, sizeof(r->policy), "%s",
	    store_get_text(&c[3]));
	r->limit = store_get_int(&c[4]);
	r->enabled = store_get_int(&c[5]);
	return (1);
}

/* Read the row of a budget; the caller frees its models also after -1. */
static int
get_row(struct store *st, const char *name, struct row *r, struct err *err)
{
	const struct store_value param = query_name(name);
	int64_t n;

	*r = (struct row) { .id = 0 };
	n = store_query(st, STMT_BUDGET_ROW, &param, 1, take_row, r, err);
	if (n == 0)
		err_set(err, ERR_NOT_FOUND, "there is no budget \"%s\"", name);
	else if (n == 1 && r->models == NULL)
		err_set(err, ERR_NOMEM, "no memory for a budget");
	else if (n == 1)
		return (0);
	return (-1);
}

static int
write_row(struct store *st, const char *name, const struct row *r,
    struct err *err)
{
	const struct store_value row[] = {
		store_text(name),
		store_text(r->models),
		store_text(r->policy),
		store_int(r->limit),
		store_int(r->enabled),
		store_int(r->id),
	};

	return (change_exec_named(st, STMT_BUDGET_SET, row, NITEMS(row),
	    "a budget", name, err));
}

/* Put the wanted changes over ${r}. */
static int
apply(struct row *r, const char *name, const struct budget_change *c,
    struct err *err)
{
	char *models;

	if (c->kind != NULL && strcmp(c->kind, r->kind) != 0) {
		err_set(err, ERR_INVAL, "budget \"%s\" counts %s, which is for "
		    "its life: add another one", name, r->kind);
		return (-1);
	}
	if (c->kind != NULL)
		r->limit = c->limit;
	if (c->policy != NULL)
		(void)snprintf(r->policy, sizeof(r->policy), "%s", c->policy);
	if (c->enabled != -1)
		r->enabled = c->enabled;
	if (c->models == NULL)
		return (0);
	if (check_models(c->models, &models, err))
		return (-1);
	free(r->models);
	r->models = models;
	return (0);
}

static int
set_inside(struct store *st, const char *name, const struct budget_change *c,
    struct err *err)
{
	struct row r;
	int rc;

	if ((rc = get_row(st, name, &r, err)) == 0 &&
	    (rc = apply(&r, name, c, err)) == 0)
		rc = write_row(st, c->name != NULL ? c->name : name, &r, err);
	free(r.models);
	return (rc == 0 && c->enabled == 1 ? budget_rules_crowd(st, err) : rc);
}

static int
check_set(const struct budget_change *c, struct err *err)
{

	if (c->name != NULL && check_name("a budget", c->name, err))
		return (-1);
	if (c->kind != NULL && check_limit(c->limit, err))
		return (-1);
	return (c->policy == NULL ? 0 : check_word("policy", c->policy,
	    policies, err));
}

int
budget_rules_set_in(struct store *st, const char *name,
    const struct budget_change *c, struct err *err)
{

	return (check_set(c, err) ? -1 : set_inside(st, name, c, err));
}

int
budget_rules_set(struct store *st, const char *name,
    const struct budget_change *c, struct err *err)
{

	if (check_set(c, err) || change_begin(st, err))
		return (-1);
	return (change_end(st, set_inside(st, name, c, err), err));
}

/* ---- remove ---- */

static int
add_up(void *arg, const struct store_value *c, size_t n)
{
	int64_t *sum = arg;

	(void)n;
	*sum += store_get_int(&c[0]) > 0;
	return (0);
}

static int
remove_inside(struct store *st, const char *name, struct err *err)
{
	struct store_value id;
	struct row r;
	int64_t held = 0;
	int rc;

	rc = get_row(st, name, &r, err);
	free(r.models);
	if (rc != 0)
		return (-1);
	id = store_int(r.id);
	if (store_query(st, STMT_BUDGET_RESERVED, &id, 1, add_up, &held,
	    err) == -1)
		return (-1);
	if (held > 0) {
		err_set(err, ERR_EXISTS, "requests that are under way still "
		    "hold some of budget \"%s\": it is switched off now; "
		    "remove it when they are done", name);
		return (-1);
	}
	if (store_exec(st, STMT_BUDGET_DROP_WINDOWS, &id, 1, 1, NULL, err) ||
	    store_exec(st, STMT_KEY_RATE_FORGET, &id, 1, 1, NULL, err))
		return (-1);
	return (store_exec(st, STMT_BUDGET_DROP, &id, 1, 1, NULL, err));
}

int
budget_rules_remove(struct store *st, const char *name, struct err *err)
{
	const struct budget_change off = { .enabled = 0 };

	/* Once that is seen, no request reserves in it any more. */
	if (budget_rules_set(st, name, &off, err) || change_begin(st, err))
		return (-1);
	return (change_end(st, remove_inside(st, name, err), err));
}
