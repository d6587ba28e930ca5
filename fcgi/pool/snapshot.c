#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bisect.h"
#include "base/err.h"
#include "base/grow.h"
#include "base/limits.h"
#include "base/seal.h"
#include "base/zone.h"
#include "ledger/meta.h"
#include "store/store.h"

#include "pool/models.h"
#include "pool/snapshot.h"

/* What is kept in memory of each table, at the most. */
#define ACCOUNTS_MAX	10000
#define GROUPS_MAX	10000
#define PRICES_MAX	20000
#define COOLDOWNS_MAX	256	/* of one account */
#define ALIASES_MAX	1000	/* of one account or group */

struct loader {
	struct snapshot *s;
	const struct seal *seal;
	struct err *err;
	size_t cap;		/* of the array being filled */
};

/* Room for one more element in an array of ${n}; NULL: none. */
static void *
extend(void *array, size_t n, size_t *cap, size_t size, size_t max,
    struct err *err)
{
	void *p = n < max ? grow_list(array, n, cap, size) : NULL;

	if (p == NULL)
		err_set(err, ERR_NOMEM, "no memory for the configuration");
	return (p);
}

static void
copy_text(char *out, size_t size, const struct store_value *v)
{

	snprintf(out, size, "%s", store_get_text(v));
}

/* 1; 0: of another master key, or damaged; or -1. */
static int
unseal_one(struct loader *l, const char *what, int64_t id,
    const struct store_value *v, char **out, size_t *len)
{
	struct err err = { .code = ERR_NONE };
	char context[64];

	snprintf(context, sizeof(context), META_ACCOUNT_CONTEXT,
	    (long long)id, what);
	if (seal_unbox(l->seal, context, v->p, v->n, out, len, &err) == 0)
		return (1);
	*out = NULL;
	if (err.code == ERR_CRYPTO)
		return (0);
	err_set(l->err, err.code, "%s", err.text);
	return (-1);
}

static void
drop_secrets(struct account *a)
{

	if (a->secret != NULL)
		seal_wipe_free(a->secret, a->secret_len);
	if (a->proxy != NULL)
		seal_wipe_free(a->proxy, a->proxy_len);
	a->secret = a->proxy = NULL;
}

/* What cannot be unsealed keeps its account from serving (also its proxy, or
 * it would go without); anything else keeps the snapshot from being made. */
static int
unseal(struct loader *l, struct account *a, const struct store_value *secret,
    const struct store_value *proxy)
{
	int rc;

	rc = unseal_one(l, META_ACCOUNT_SECRET, a->id, secret, &a->secret,
	    &a->secret_len);
	if (rc == 1 && proxy->type != STORE_NULL)
		rc = unseal_one(l, META_ACCOUNT_PROXY, a->id, proxy,
		    &a->proxy, &a->proxy_len);
	if (rc == 0) {
		drop_secrets(a);
		l->s->nshut++;
	}
	return (rc < 0 ? -1 : 0);
}

/* 0, or -1 without memory; "" is NULL. */
static int
take_text(struct loader *l, const struct store_value *v, char **out)
{

	if (*store_get_text(v) == '\0' ||
	    (*out = strdup(store_get_text(v))) != NULL)
		return (0);
	err_set(l->err, ERR_NOMEM, "no memory for the configuration");
	return (-1);
}

static int
account_row(void *arg, const struct store_value *c, size_t n)
{
	struct loader *l = arg;
	struct snapshot *s = l->s;
	struct account *a;

	(void)n;
	a = extend(s->accounts, s->naccounts, &l->cap, sizeof(*a),
	    ACCOUNTS_MAX, l->err);
	if (a == NULL)
		return (-1);
	s->accounts = a;
	a += s->naccounts++;
	*a = (struct account) { .id = store_get_int(&c[0]) };
	copy_text(a->name, sizeof(a->name), &c[1]);
	copy_text(a->platform, sizeof(a->platform), &c[2]);
	a->base_url = strdup(store_get_text(&c[3]));
	a->credential = strcmp(store_get_text(&c[4]), "bearer") == 0 ?
	    CREDENTIAL_BEARER : CREDENTIAL_API_KEY;
	a->group_id = store_get_int(&c[6]);
	a->priority = (int)store_get_int(&c[7]);
	a->weight = (int)store_get_int(&c[8]);
	a->concurrency = (int)store_get_int(&c[9]);
	a->enabled = store_get_int(&c[10]) != 0;
	copy_text(a->auth_header, sizeof(a->auth_header), &c[13]);
	if (a->base_url == NULL) {
		err_set(l->err, ERR_NOMEM, "no memory for the configuration");
		return (-1);
	}
	if (take_text(l, &c[12], &a->models))
		return (-1);
	if (a->models != NULL || strcmp(a->platform, "claude") != 0)
		s->names_models = true;
	return (unseal(l, a, &c[5], &c[11]));
}

static struct account *
account_of(struct loader *l, int64_t id)
{

	return ((struct account *)(uintptr_t)snapshot_account(l->s, id));
}

/* account_id, token_url, client_id, token_format, signed_in, rotation,
 * expires_ms, renew_ms */
static int
oauth_row(void *arg, const struct store_value *c, size_t n)
{
	struct loader *l = arg;
	struct account *a = account_of(l, store_get_int(&c[0]));
	struct oauth *o;

	(void)n;
	if (a == NULL)
		return (0);
	if ((o = a->oauth = calloc(1, sizeof(*o))) == NULL ||
	    (o->token_url = strdup(store_get_text(&c[1]))) == NULL ||
	    (o->client_id = strdup(store_get_text(&c[2]))) == NULL) {
		err_set(l->err, ERR_NOMEM, "no memory for the configuration");
		return (-1);
	}
	o->json = strcmp(store_get_text(&c[3]), "json") == 0;
	o->signed_in = store_get_int(&c[4]) != 0;
	o->rotation = store_get_int(&c[5]);
	o->expires_ms = store_get_int(&c[6]);
	o->renew_ms = store_get_int(&c[7]);
	return (0);
}

static void
oauth_free(struct oauth *o)
{

	if (o == NULL)
		return;
	free(o->token_url);
	free(o->client_id);
	free(o);
}

static int
cooldown_row(void *arg, const struct store_value *c, size_t n)
{
	struct loader *l = arg;
	struct account *a;
	struct cooldown *cd;

	(void)n;
	a = account_of(l, store_get_int(&c[0]));
	if (a == NULL || a->ncooldowns >= COOLDOWNS_MAX)
		return (0);
	cd = realloc(a->cooldowns, (a->ncooldowns + 1) * sizeof(*cd));
	if (cd == NULL) {
		err_set(l->err, ERR_NOMEM, "no memory for the configuration");
		return (-1);
	}
	a->cooldowns = cd;
	cd += a->ncooldowns++;
	*cd = (struct cooldown) {
		.since_ms = store_get_int(&c[3]),
		.until_ms = store_get_int(&c[4]),
		.cause_id = store_get_int(&c[5]),
		.observed_ms = store_get_int(&c[6]),
		.strikes = (int)store_get_int(&c[7]),
		.stated = store_get_int(&c[8]) != 0,
		.soft = store_get_int(&c[9]) != 0,
	};
	copy_text(cd->family, sizeof(cd->family), &c[1]);
	copy_text(cd->reason, sizeof(cd->reason), &c[2]);
	return (0);
}

static int
group_row(void *arg, const struct store_value *c, size_t n)
{
	struct loader *l = arg;
	struct snapshot *s = l->s;
	struct group *g;

	(void)n;
	g = extend(s->groups, s->ngroups, &l->cap, sizeof(*g), GROUPS_MAX,
	    l->err);
	if (g == NULL)
		return (-1);
	s->groups = g;
	g += s->ngroups++;
	*g = (struct group) {
		.id = store_get_int(&c[0]),
		.concurrency = store_get_int(&c[3]),
	};
	copy_text(g->name, sizeof(g->name), &c[1]);
	copy_text(g->strategy, sizeof(g->strategy), &c[2]);
	return (0);
}

static int
add_alias(struct loader *l, const struct store_value *c, struct alias **list,
    size_t *n)
{
	struct alias *more;

	if (*n >= ALIASES_MAX || (more = realloc(*list, (*n + 1) *
	    sizeof(*more))) == NULL) {
		err_set(l->err, ERR_NOMEM, "no memory for the configuration");
		return (-1);
	}
	*list = more;
	more += (*n)++;
	*more = (struct alias) { .pattern = NULL };
	l->s->names_models = true;
	return (take_text(l, &c[0], &more->pattern) ||
	    take_text(l, &c[1], &more->target) ? -1 : 0);
}

/* scope, scope_id, pattern, target */
static int
alias_row(void *arg, const struct store_value *c, size_t n)
{
	struct loader *l = arg;
	int64_t id = store_get_int(&c[1]);
	struct account *a;
	struct group *g;

	(void)n;
	if (strcmp(store_get_text(&c[0]), "group") == 0) {
		g = (struct group *)(uintptr_t)snapshot_group(l->s, id);
		return (g == NULL ? 0 : add_alias(l, c + 2, &g->aliases,
		    &g->naliases));
	}
	a = account_of(l, id);
	return (a == NULL ? 0 : add_alias(l, c + 2, &a->aliases,
	    &a->naliases));
}

/* Once they all are in their place. */
static void
link_groups(struct snapshot *s)
{
	struct account *a;
	struct group *g;

	for (g = s->groups; g < s->groups + s->ngroups; g++)
		alias_sort(g->aliases, g->naliases);
	for (a = s->accounts; a < s->accounts + s->naccounts; a++) {
		alias_sort(a->aliases, a->naliases);
		a->group = snapshot_group(s, a->group_id);
	}
}

static void
aliases_free(struct alias *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(list[i].pattern);
		free(list[i].target);
	}
	free(list);
}

static const char *const kinds[] = {
	[BUDGET_MONEY] = "money",
	[BUDGET_TOKENS] = "tokens",
	[BUDGET_INPUT] = "input_tokens",
	[BUDGET_OUTPUT] = "output_tokens",
	[BUDGET_REQUESTS] = "requests",
};

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == BUDGET_KINDS,
    "one name a kind");

const char *
budget_kind_name(enum budget_kind kind)
{

	return (kinds[kind]);
}

/* The schema has no other kinds than these. */
static enum budget_kind
kind_of(const char *name)
{
	size_t i;

	for (i = 0; i < BUDGET_KINDS - 1; i++) {
		if (strcmp(kinds[i], name) == 0)
			break;
	}
	return ((enum budget_kind)i);
}

/*
 * The zone of that name, made if there is none yet.  Without it (this machine
 * does not have it) the budget's window cannot be told, and it refuses all.
 */
static int
zone_of(struct loader *l, const char *name, const struct zone **out)
{
	struct snapshot *s = l->s;
	struct err why = { .code = ERR_NONE };
	struct zone **zones;
	size_t i;

	for (i = 0; i < s->nzones; i++) {
		*out = s->zones[i];
		if (strcmp(zone_name(s->zones[i]), name) == 0)
			return (0);
	}
	*out = NULL;
	zones = realloc(s->zones, (s->nzones + 1) * sizeof(*zones));
	if (zones == NULL) {
		err_set(l->err, ERR_NOMEM, "no memory for the configuration");
		return (-1);
	}
	s->zones = zones;
	*out = zones[s->nzones] = zone_new(name, &why);
	if (*out != NULL)
		s->nzones++;
	else if (why.code == ERR_NOMEM) {
		err_set(l->err, why.code, "%s", why.text);
		return (-1);
	}
	return (0);
}

/* period, length_ms, anchor_ms, zone */
static int
take_window(struct loader *l, const struct store_value *c,
    struct window_rule *w)
{

	w->period = window_period(store_get_text(&c[0]));
	w->length_ms = store_get_int(&c[1]);
	w->anchor_ms = store_get_int(&c[2]);
	if (w->period != WINDOW_DAY && w->period != WINDOW_WEEK &&
	    w->period != WINDOW_MONTH)
		return (0);
	return (zone_of(l, store_get_text(&c[3]), &w->zone));
}

/* id, name, scope, scope_id, kind, models, policy, limit, and what take_window
 * takes */
static int
budget_row(void *arg, const struct store_value *c, size_t n)
{
	struct loader *l = arg;
	struct snapshot *s = l->s;
	struct budget_rule *b;

	(void)n;
	b = extend(s->budgets, s->nbudgets, &l->cap, sizeof(*b),
	    LIMIT_BUDGETS, l->err);
	if (b == NULL)
		return (-1);
	s->budgets = b;
	b += s->nbudgets++;
	*b = (struct budget_rule) {
		.id = store_get_int(&c[0]),
		.scope_id = store_get_int(&c[3]),
		.kind = kind_of(store_get_text(&c[4])),
		.strict = strcmp(store_get_text(&c[6]), "strict") == 0,
		.limit = store_get_int(&c[7]),
	};
	if (b->kind != BUDGET_MONEY && b->kind != BUDGET_REQUESTS)
		s->counts_tokens = true;
	copy_text(b->name, sizeof(b->name), &c[1]);
	copy_text(b->scope, sizeof(b->scope), &c[2]);
	if (take_window(l, c + 8, &b->window))
		return (-1);
	return (take_text(l, &c[5], &b->models));
}

static int
by_budget_id(const void *a, const void *b)
{
	const struct budget_rule *x = *(const struct budget_rule *const *)a;
	const struct budget_rule *y = *(const struct budget_rule *const *)b;

	return (x->id < y->id ? -1 : x->id > y->id);
}

/* Once they all are in their place. */
static int
index_budgets(struct snapshot *s, struct err *err)
{
	size_t i;

	if (s->nbudgets == 0)
		return (0);
	s->budgets_by_id = calloc(s->nbudgets, sizeof(*s->budgets_by_id));
	if (s->budgets_by_id == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the configuration");
		return (-1);
	}
	for (i = 0; i < s->nbudgets; i++)
		s->budgets_by_id[i] = &s->budgets[i];
	qsort(s->budgets_by_id, s->nbudgets, sizeof(*s->budgets_by_id),
	    by_budget_id);
	return (0);
}

static int
by_likeness(const void *a, const void *b)
{
	const struct account *x = *(const struct account *const *)a;
	const struct account *y = *(const struct account *const *)b;
	int rc = account_likeness_cmp(x, y);

	return (rc != 0 ? rc : x->id < y->id ? -1 : x->id > y->id);
}

static int
by_example_id(const void *a, const void *b)
{
	const struct account *x = *(const struct account *const *)a;
	const struct account *y = *(const struct account *const *)b;

	return (x->id < y->id ? -1 : x->id > y->id);
}

/* Number the likenesses of ${list}, and keep an example of each. */
static size_t
pick_examples(struct account **list, size_t n)
{
	const struct account *last = NULL;
	bool has_example = false;
	int likeness = 0;
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		if (last == NULL || account_likeness_cmp(last, list[i]) != 0) {
			likeness++;
			has_example = false;
		}
		last = list[i];
		list[i]->likeness = likeness;
		if (has_example || !last->enabled || last->secret == NULL)
			continue;
		has_example = true;
		list[kept++] = list[i];
	}
	return (kept);
}

/* Once they are linked to their groups. */
static int
index_likenesses(struct snapshot *s, struct err *err)
{
	struct account **list;
	size_t i;

	if (s->naccounts == 0)
		return (0);
	if ((list = calloc(s->naccounts, sizeof(*list))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the configuration");
		return (-1);
	}
	for (i = 0; i < s->naccounts; i++)
		list[i] = &s->accounts[i];
	qsort(list, s->naccounts, sizeof(*list), by_likeness);
	s->nexamples = pick_examples(list, s->naccounts);
	s->examples = list;
	qsort(s->examples, s->nexamples, sizeof(*s->examples),
	    by_example_id);
	return (0);
}

static int
price_row(void *arg, const struct store_value *c, size_t n)
{
	struct loader *l = arg;
	struct price_list *list = &l->s->prices;
	struct price *p;

	(void)n;
	p = extend(list->rows, list->n, &l->cap, sizeof(*p), PRICES_MAX,
	    l->err);
	if (p == NULL)
		return (-1);
	list->rows = p;
	p += list->n++;
	*p = (struct price) {
		.id = store_get_int(&c[0]),
		.above_tokens = store_get_int(&c[3]),
		.valid_from_ms = store_get_int(&c[4]),
		.input_nusd_mtok = store_get_int(&c[5]),
		.output_nusd_mtok = store_get_int(&c[6]),
		.cache_read_nusd_mtok = store_get_int(&c[7]),
		.cache_write_5m_nusd_mtok = store_get_int(&c[8]),
		.cache_write_1h_nusd_mtok = store_get_int(&c[9]),
		.context_tokens = store_get_int(&c[10]),
		.valid_until_ms = store_get_int(&c[11]),
		.batch_percent = store_get_int(&c[12]),
		.fast_percent = store_get_int(&c[13]),
		.priority_percent = store_get_int(&c[14]),
		.geo_us_percent = store_get_int(&c[15]),
		.web_search_nusd = store_get_int(&c[16]),
	};
	copy_text(p->platform, sizeof(p->platform), &c[1]);
	copy_text(p->pattern, sizeof(p->pattern), &c[2]);
	return (0);
}

/* What hangs on accounts comes after them. */
static const struct {
	enum stmt_id stmt;
	store_row_cb *row;
} tables[] = {
	{ STMT_SNAPSHOT_ACCOUNTS, account_row },
	{ STMT_SNAPSHOT_OAUTH, oauth_row },
	{ STMT_SNAPSHOT_COOLDOWNS, cooldown_row },
	{ STMT_SNAPSHOT_GROUPS, group_row },
	{ STMT_SNAPSHOT_ALIASES, alias_row },
	{ STMT_SNAPSHOT_BUDGETS, budget_row },
	{ STMT_SNAPSHOT_PRICES, price_row },
};

struct snapshot *
snapshot_load(struct store *st, const struct seal *seal, struct err *err)
{
	struct loader l = { .seal = seal, .err = err };
	size_t i;

	if ((l.s = calloc(1, sizeof(*l.s))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for the configuration");
		goto err0;
	}
	l.s->refs = 1;
	if (meta_config_version(st, &l.s->version, err))
		goto err1;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		l.cap = 0;
		if (store_query(st, tables[i].stmt, NULL, 0, tables[i].row, &l,
		    err) < 0)
			goto err1;
	}
	if (index_budgets(l.s, err))
		goto err1;
	link_groups(l.s);
	if (index_likenesses(l.s, err))
		goto err1;
	return (l.s);

err1:
	snapshot_unref(l.s);
err0:
	return (NULL);
}

struct snapshot *
snapshot_ref(struct snapshot *s)
{

	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return (s);
}

void
snapshot_unref(struct snapshot *s)
{
	struct account *a;
	size_t i;

	if (s == NULL || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (i = 0; i < s->naccounts; i++) {
		a = &s->accounts[i];
		drop_secrets(a);
		oauth_free(a->oauth);
		free(a->base_url);
		free(a->cooldowns);
		free(a->models);
		aliases_free(a->aliases, a->naliases);
	}
	free(s->accounts);
	free(s->examples);
	for (i = 0; i < s->nbudgets; i++)
		free(s->budgets[i].models);
	for (i = 0; i < s->ngroups; i++)
		aliases_free(s->groups[i].aliases, s->groups[i].naliases);
	free(s->groups);
	free(s->budgets);
	free(s->budgets_by_id);
	for (i = 0; i < s->nzones; i++)
		zone_free(s->zones[i]);
	free(s->zones);
	free(s->prices.rows);
	free(s);
}

static int
by_account_id(const void *key, const void *elem)
{
	int64_t id = *(const int64_t *)key;
	const struct account *a = elem;

	return (id < a->id ? -1 : id > a->id);
}

const struct account *
snapshot_account(const struct snapshot *s, int64_t id)
{

	if (s->naccounts == 0)
		return (NULL);
	return (bsearch(&id, s->accounts, s->naccounts, sizeof(*s->accounts),
	    by_account_id));
}

static int
by_group_id(const void *key, const void *elem)
{
	int64_t id = *(const int64_t *)key;
	const struct group *g = elem;

	return (id < g->id ? -1 : id > g->id);
}

const struct group *
snapshot_group(const struct snapshot *s, int64_t id)
{

	if (s->ngroups == 0)
		return (NULL);
	return (bsearch(&id, s->groups, s->ngroups, sizeof(*s->groups),
	    by_group_id));
}

const struct budget_rule *
snapshot_budget(const struct snapshot *s, int64_t id)
{
	size_t at = bisect_id_at(s->budgets_by_id, s->nbudgets, id);

	return (at < s->nbudgets && s->budgets_by_id[at]->id == id ?
	    s->budgets_by_id[at] : NULL);
}

/*
 * Families of Claude models, as the names of the models carry them
 * (docs.anthropic.com/en/docs/about-claude/models).
 */
static const char *const families[] = { "opus", "sonnet", "haiku" };

void
model_family(const char *model, char out[POOL_FAMILY_SIZE])
{
	size_t i, n;

	if (strncmp(model, "claude", 6) == 0) {
		for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
			if (strstr(model, families[i]) == NULL)
				continue;
			snprintf(out, POOL_FAMILY_SIZE, "%s", families[i]);
			return;
		}
	}
	for (n = 0; model[n] != '\0' && n < POOL_FAMILY_SIZE - 1; n++) {
		if (isdigit((unsigned char)model[n]))
			break;
	}
	while (n > 0 && model[n - 1] == '-')
		n--;
	memcpy(out, model, n);
	out[n] = '\0';
}
