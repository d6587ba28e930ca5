#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/grow.h"
#include "base/zone.h"
#include "ledger/window.h"
#include "store/spool.h"
#include "store/store.h"

#include "query.h"

#include "notify_outbox.h"

#define KEY_SIZE	192

/* Events in one transaction. */
#define RAISED_AT_ONCE	100

/* What a database that was away leaves is written within seconds. */
#define SPOOL_GRACE_MS	INT64_C(60000)

/* Something that is so now. */
struct sight {
	struct notify_news news;
	char key[KEY_SIZE], topic[KEY_SIZE];
	json_t *data;		/* NULL: nothing new, but not over yet */
};

struct sights {
	struct store *st;
	int64_t now_ms;
	struct sight *list;
	size_t n, cap;
	struct err *err;
};

static void
sights_fini(struct sights *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		json_decref(s->list[i].data);
	free(s->list);
}

/* Room for one more, in which data is put; NULL. */
static struct sight *
see(struct sights *s, enum notify_kind kind, json_t *data)
{
	struct sight *list;

	if ((list = grow_list(s->list, s->n, &s->cap, sizeof(*list))) == NULL) {
		err_set(s->err, ERR_NOMEM, "no memory for events");
		json_decref(data);
		return (NULL);
	}
	s->list = list;
	s->list[s->n] = (struct sight) {
		.news = { .kind = kind }, .data = data
	};
	return (&s->list[s->n++]);
}

static json_t *
text(const struct store_value *v)
{

	return (query_text(store_get_text(v), strlen(store_get_text(v))));
}

static json_t *
number(int64_t n)
{

	return (json_integer((json_int_t)n));
}

/* Without memory there is no event now; it is looked for again. */
static int
seen(const struct sights *s, const struct sight *one)
{

	if (one != NULL && one->data != NULL)
		return (0);
	err_set(s->err, ERR_NOMEM, "no memory for events");
	return (-1);
}

/* ---- accounts, groups ---- */

static int
see_parked(void *arg, const struct store_value *c, size_t ncols)
{
	struct sights *s = arg;
	struct sight *one;

	(void)ncols;
	one = see(s, NOTIFY_PARKED, json_pack(
	    "{s:o, s:o, s:o, s:o, s:o}", "subject", text(&c[1]), "family",
	    text(&c[2]), "reason", text(&c[3]), "since_ms",
	    number(store_get_int(&c[4])), "until_ms",
	    number(store_get_int(&c[5]))));
	if (seen(s, one))
		return (-1);
	(void)snprintf(one->key, KEY_SIZE, "parked:%lld:%.40s:%lld",
	    (long long)store_get_int(&c[0]), store_get_text(&c[2]),
	    (long long)store_get_int(&c[4]));
	(void)snprintf(one->topic, KEY_SIZE, "parked:%lld:%.40s:%.40s",
	    (long long)store_get_int(&c[0]), store_get_text(&c[2]),
	    store_get_text(&c[3]));
	return (0);
}

static int
see_group(void *arg, const struct store_value *c, size_t ncols)
{
	struct sights *s = arg;
	struct sight *one;

	(void)ncols;
	one = see(s, NOTIFY_GROUP, json_pack("{s:o, s:o, s:o, s:o}",
	    "subject", text(&c[1]), "accounts", number(store_get_int(&c[2])),
	    "enabled", number(store_get_int(&c[3])), "until_ms",
	    number(store_get_int(&c[4]))));
	if (seen(s, one))
		return (-1);
	(void)snprintf(one->key, KEY_SIZE, "group:%lld",
	    (long long)store_get_int(&c[0]));
	memcpy(one->topic, one->key, KEY_SIZE);
	return (0);
}

/* ---- budgets ---- */

/* Columns of notify_budgets and notify_rolling. */
struct budget {
	const struct store_value *cols;
	int64_t id, limit, spent, start_ms, ends_ms;
	bool lasts;		/* its window tells when it is over */
};

static int
see_threshold(struct sights *s, const struct budget *b,
    enum notify_kind kind, bool is, bool silent)
{
	json_t *data = NULL;
	struct sight *one;

	if (is)
		data = json_pack("{s:o, s:o, s:o, s:o, s:o}", "subject",
		    text(&b->cols[1]), "counts", text(&b->cols[2]), "limit",
		    number(b->limit), "spent", number(b->spent), "ends_ms",
		    number(b->ends_ms));
	if ((one = see(s, kind, data)) == NULL || (is && seen(s, one)))
		return (-1);
	one->news.hold_ms = b->lasts ? b->ends_ms : 0;
	one->news.silent = silent;
	(void)snprintf(one->key, KEY_SIZE, "budget:%lld:%lld:%lld:%s",
	    (long long)b->id, b->lasts ? (long long)b->start_ms : 0LL,
	    (long long)b->limit, kind == NOTIFY_BUDGET_80 ? "80" : "100");
	(void)snprintf(one->topic, KEY_SIZE, "budget:%lld:%s",
	    (long long)b->id, kind == NOTIFY_BUDGET_80 ? "80" : "100");
	return (0);
}

/*
 * One that is used up was at 80 % as well, of which nobody is told then.  Where
 * what is used falls again, as in rolling windows, it must fall by a tenth of
 * the limit until the threshold can be reached anew.
 */
static int
see_budget(struct sights *s, const struct budget *b)
{
	const int64_t tenth = b->limit / 10, limit = b->limit;
	const bool full = b->spent >= limit;

	if (b->spent >= limit - tenth &&
	    see_threshold(s, b, NOTIFY_BUDGET_100, full, false))
		return (-1);
	return (see_threshold(s, b, NOTIFY_BUDGET_80,
	    b->spent >= limit - limit / 5, full));
}

static int
rule_of(const struct store_value *c, struct window_rule *rule)
{

	*rule = (struct window_rule) {
		.period = window_period(store_get_text(&c[4])),
		.length_ms = store_get_int(&c[5]),
		.anchor_ms = store_get_int(&c[6]),
	};
	rule->zone = zone_new(store_get_text(&c[7]), NULL);
	return (rule->zone == NULL ? -1 : 0);
}

/* A window that is over tells nothing. */
static int
see_window(void *arg, const struct store_value *c, size_t ncols)
{
	struct sights *s = arg;
	struct budget b = {
		.cols = c, .id = store_get_int(&c[0]),
		.limit = store_get_int(&c[3]),
		.start_ms = store_get_int(&c[8]),
		.spent = store_get_int(&c[9]),
	};
	struct window_rule rule;
	struct window_span span;
	int rc = 0;

	(void)ncols;
	if (rule_of(c, &rule) == 0 &&
	    window_of(&rule, s->now_ms, &span) == 0 &&
	    span.start_ms == b.start_ms) {
		b.lasts = rule.period != WINDOW_TOTAL;
		b.ends_ms = b.lasts ? span.end_ms : 0;
		rc = see_budget(s, &b);
	}
	zone_free((struct zone *)(uintptr_t)rule.zone);
	return (rc);
}

/* Its sum is that of the buckets that count now; some of it leaves with the
 * oldest of them. */
static int
see_rolling(void *arg, const struct store_value *c, size_t ncols)
{
	struct sights *s = arg;
	struct budget b = {
		.cols = c, .id = store_get_int(&c[0]),
		.limit = store_get_int(&c[3]),
	};
	struct window_rule rule;
	struct window_span span, oldest;
	struct store_value v[3] = { store_int(b.id) };
	int64_t sum[3];
	int rc = 0;

	(void)ncols;
	if (rule_of(c, &rule) == 0 &&
	    window_of(&rule, s->now_ms, &span) == 0) {
		v[1] = store_int(span.first_ms);
		v[2] = store_int(span.start_ms);
		rc = store_one(s->st, STMT_BUDGET_SUM, v, 3, sum, 3, s->err) ==
		    1 ? 0 : -1;
		b.spent = rc == 0 ? sum[0] : 0;
		if (rc == 0 && window_of(&rule, sum[2], &oldest) == 0)
			b.ends_ms = oldest.leaves_ms;
		if (rc == 0 && b.spent >= b.limit - b.limit / 10 * 3)
			rc = see_budget(s, &b);
	}
	zone_free((struct zone *)(uintptr_t)rule.zone);
	return (rc);
}

/* ---- spool, backup ---- */

static int
see_spool(void *arg, const struct store_value *c, size_t ncols)
{
	struct sights *s = arg;
	struct sight *one;

	(void)ncols;
	if (store_get_int(&c[2]) == 0 &&
	    store_get_int(&c[3]) > s->now_ms - SPOOL_GRACE_MS)
		return (0);
	one = see(s, NOTIFY_SPOOL, json_pack("{s:o, s:o, s:o}", "subject",
	    text(&c[0]), "records", number(store_get_int(&c[1])), "refused",
	    number(store_get_int(&c[2]))));
	if (seen(s, one))
		return (-1);
	(void)snprintf(one->key, KEY_SIZE, "spool:%.128s",
	    store_get_text(&c[0]));
	memcpy(one->topic, one->key, KEY_SIZE);
	return (0);
}

/* Each run that failed, until one does not. */
static int
see_backup(void *arg, const struct store_value *c, size_t ncols)
{
	struct sights *s = arg;
	struct sight *one;

	(void)ncols;
	one = see(s, NOTIFY_BACKUP, json_pack("{s:s, s:o, s:o}", "subject",
	    "", "ended_ms", number(store_get_int(&c[0])), "detail",
	    text(&c[1])));
	if (seen(s, one))
		return (-1);
	(void)snprintf(one->key, KEY_SIZE, "backup:%lld",
	    (long long)store_get_int(&c[0]));
	(void)snprintf(one->topic, KEY_SIZE, "backup");
	return (0);
}

static void
host_name(const struct conf *conf, char host[128])
{

	(void)snprintf(host, 128, "%s", conf->host_name);
	if (host[0] == '\0')
		(void)gethostname(host, 127);
	host[127] = '\0';
}

static int
put_spool(struct store *st, const char *host, const struct spool_count *n,
    struct err *err)
{
	const struct store_value name = store_text(host);
	const struct store_value set[3] = {
		store_int(n->records), store_int(n->refused), name
	};
	const struct store_value add[4] = {
		name, set[0], set[1], store_int(store_now_ms(st))
	};
	int64_t was[2];
	int there;

	there = store_one(st, STMT_NOTIFY_SPOOL_GET, &name, 1, was, 2, err);
	if (there == -1)
		return (-1);
	if (n->records == 0 && n->refused == 0)
		return (store_exec(st, STMT_NOTIFY_SPOOL_DROP, &name, 1, 1,
		    NULL, err));
	if (there == 1)
		return (store_exec(st, STMT_NOTIFY_SPOOL_SET, set, 1, 3, NULL,
		    err));
	return (store_exec(st, STMT_NOTIFY_SPOOL_ADD, add, 1, 4, NULL, err));
}

/* As a rule there is nothing to put down.  A folder that cannot be read is for
 * the doctor to tell of. */
int
notify_spool(struct store *st, const struct conf *conf, struct err *err)
{
	struct spool_count n;
	struct store_value name;
	int64_t was[2] = { 0, 0 };
	char host[128];

	host_name(conf, host);
	name = store_text(host);
	if (spool_count(conf->spool_dir, &n, NULL))
		return (0);
	if (store_one(st, STMT_NOTIFY_SPOOL_GET, &name, 1, was, 2, err) == -1)
		return (-1);
	if (was[0] == n.records && was[1] == n.refused)
		return (0);
	if (store_begin(st, true, err))
		return (-1);
	return (store_end(st, put_spool(st, host, &n, err), err));
}

/* ---- old and new ---- */

static const struct {
	enum stmt_id id;
	store_row_cb *cb;
	size_t nows;		/* how often it takes the time */
} looks[] = {
	{ STMT_NOTIFY_PARKED, see_parked, 1 },
	{ STMT_NOTIFY_GROUPS, see_group, 2 },
	{ STMT_NOTIFY_BUDGETS, see_window, 1 },
	{ STMT_NOTIFY_ROLLING, see_rolling, 1 },
	{ STMT_NOTIFY_SPOOLS, see_spool, 0 },
	{ STMT_NOTIFY_BACKUP, see_backup, 0 },
};

static int
look(struct sights *s)
{
	const struct store_value now[2] = {
		store_int(s->now_ms), store_int(s->now_ms)
	};
	size_t i;

	for (i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		if (store_query(s->st, looks[i].id, now, looks[i].nows,
		    looks[i].cb, s, s->err) < 0)
			return (-1);
	}
	return (0);
}

static int
by_key(const void *a, const void *b)
{
	const struct sight *x = a, *y = b;

	return (strcmp(x->key, y->key));
}

/* Events that last, and which of the sights they are. */
struct known {
	struct sights *s;
	bool *is;		/* by sight: there is an event */
	struct store_value *over;	/* ids of those that are over */
	size_t nover, cap;
};

static int
take_open(void *arg, const struct store_value *c, size_t ncols)
{
	struct known *k = arg;
	struct sight want, *found = NULL;
	struct store_value *over;

	(void)ncols;
	(void)snprintf(want.key, KEY_SIZE, "%s", store_get_text(&c[1]));
	if (k->s->n > 0)
		found = bsearch(&want, k->s->list, k->s->n, sizeof(want),
		    by_key);
	if (found != NULL)
		k->is[found - k->s->list] = true;
	if (found != NULL || store_get_int(&c[2]) > k->s->now_ms)
		return (0);
	over = grow_list(k->over, k->nover, &k->cap, sizeof(*over));
	if (over == NULL) {
		err_set(k->s->err, ERR_NOMEM, "no memory for events");
		return (-1);
	}
	k->over = over;
	over[k->nover++] = store_int(store_get_int(&c[0]));
	return (0);
}

static int
end_those_over(struct sights *s, const struct known *k)
{

	if (k->nover == 0)
		return (0);
	if (store_begin(s->st, true, s->err))
		return (-1);
	return (store_end(s->st, store_exec(s->st, STMT_NOTIFY_EVENT_OVER,
	    k->over, k->nover, 1, NULL, s->err), s->err));
}

static bool
wanted(const json_t *targets, enum notify_kind kind)
{
	const json_t *target;
	size_t i;

	json_array_foreach(targets, i, target) {
		if (notify_wants(target, kind))
			return (true);
	}
	return (false);
}

/* Those of which somebody is told, or nobody, by ${silent}; so many at a time
 * that the lock is not held for long. */
static int
raise_new(struct sights *s, const struct known *k, const json_t *targets,
    bool silent, int *raised)
{
	const struct notify_news *news[RAISED_AT_ONCE];
	struct sight *one;
	size_t i, n = 0;

	for (i = 0; i < s->n; i++) {
		one = &s->list[i];
		if (k->is[i] || one->data == NULL || one->news.silent !=
		    silent || !wanted(targets, one->news.kind))
			continue;
		one->news.key = one->key;
		one->news.topic = one->topic;
		one->news.data = one->data;
		news[n++] = &one->news;
		if (n < RAISED_AT_ONCE)
			continue;
		if (notify_raise(s->st, news, n, targets, raised, s->err))
			return (-1);
		n = 0;
	}
	return (n == 0 ? 0 : notify_raise(s->st, news, n, targets, raised,
	    s->err));
}

int
notify_detect(struct store *st, const json_t *targets, int *raised,
    struct err *err)
{
	struct sights s = {
		.st = st, .now_ms = store_now_ms(st), .err = err
	};
	struct known k = { .s = &s };
	int rc = -1, silent = 0;

	*raised = 0;
	if (look(&s))
		goto done;
	if (s.n > 0)
		qsort(s.list, s.n, sizeof(*s.list), by_key);
	if ((k.is = calloc(s.n + 1, sizeof(*k.is))) == NULL)
		err_set(err, ERR_NOMEM, "no memory for events");
	else if (store_query(st, STMT_NOTIFY_OPEN, NULL, 0, take_open, &k,
	    err) >= 0 && end_those_over(&s, &k) == 0 &&
	    raise_new(&s, &k, targets, true, &silent) == 0)
		rc = raise_new(&s, &k, targets, false, raised);
done:
	free(k.is);
	free(k.over);
	sights_fini(&s);
	return (rc);
}
