#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/num.h"
#include "ledger/price.h"
#include "ledger/window.h"

#include "member.h"
#include "query.h"

#include "budget_notes.h"

#define NOTE_SIZE	1024
#define AMOUNT_SIZE	64
#define HOUR_MS		INT64_C(3600000)

/* What a note is made of; the first failure sticks. */
struct notes {
	json_t *out;		/* NULL: failed */
	const char *key_models;
	const json_t *budgets;
	const json_t *prices;
	int64_t slice_tokens;
};

static bool
counts(const json_t *b, const char *kind)
{

	return (strcmp(text_of(b, "counts"), kind) == 0);
}

static bool
is_on(const json_t *b)
{

	return (json_is_true(json_object_get(b, "enabled")));
}

static void note(struct notes *n, const char *fmt, ...)
    __attribute__((__format__(__printf__, 2, 3)));

static void
note(struct notes *n, const char *fmt, ...)
{
	char line[NOTE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* A text that was cut may end within a character. */
	if (n->out != NULL && json_array_append_new(n->out,
	    query_text(line, strlen(line))) == -1) {
		json_decref(n->out);
		n->out = NULL;
	}
}

/* "$5.00", "20000 input tokens", "3 requests" */
static const char *
amount(const json_t *b, int64_t value, char out[AMOUNT_SIZE])
{
	static const struct {
		const char *kind, *unit;
	} units[] = {
		{ "tokens", "tokens" }, { "input_tokens", "input tokens" },
		{ "output_tokens", "output tokens" },
		{ "requests", "requests" },
	};
	char money[NUM_NUSD_SIZE];
	size_t i;

	num_format_nusd(value, money);
	(void)snprintf(out, AMOUNT_SIZE, "$%s", money);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (counts(b, units[i].kind))
			(void)snprintf(out, AMOUNT_SIZE, "%lld %s",
			    (long long)value, units[i].unit);
	}
	return (out);
}

/* " to models opus*", or nothing */
static const char *
of_models(const json_t *b, char out[AMOUNT_SIZE + LIMIT_NAME_BYTES])
{
	const char *models = text_of(b, "models");

	out[0] = '\0';
	if (models[0] != '\0')
		(void)snprintf(out, AMOUNT_SIZE + LIMIT_NAME_BYTES,
		    " for %.150s", models);
	return (out);
}

/* ---- what is wrong with one alone ---- */

/* It never lets anything through; true if that was said. */
static bool
note_closed(struct notes *n, const json_t *b)
{
	char models[AMOUNT_SIZE + LIMIT_NAME_BYTES];
	const char *renews = text_of(b, "renews");

	if (int_of(b, "limit") == 0) {
		note(n, "Budget \"%s\" has a limit of 0: every request%s is "
		    "refused until the limit is raised.", text_of(b, "name"),
		    of_models(b, models));
		return (true);
	}
	if (json_is_null(json_object_get(b, "spent"))) {
		note(n, "Budget \"%s\" goes by the time zone \"%s\", which "
		    "this machine does not know: where a responder does not "
		    "know it either, every request%s is refused.",
		    text_of(b, "name"), text_of(b, "zone"),
		    of_models(b, models));
		return (true);
	}
	if (int_of(b, "left") == 0 && int_of(b, "reserved") == 0) {
		if (renews[0] != '\0')
			note(n, "Budget \"%s\" is used up: requests%s are "
			    "refused until %s.", text_of(b, "name"),
			    of_models(b, models), renews);
		else
			note(n, "Budget \"%s\" is used up, and never renews: "
			    "requests%s are refused until the limit is "
			    "raised.", text_of(b, "name"),
			    of_models(b, models));
		return (true);
	}
	return (false);
}

static bool
note_excluded(struct notes *n, const json_t *b)
{

	if (budget_models_meet(text_of(b, "models"), n->key_models))
		return (false);
	note(n, "Budget \"%s\" counts only %.150s, which this key may not ask "
	    "for (it may ask for %.150s): it never counts anything.",
	    text_of(b, "name"), text_of(b, "models"), n->key_models);
	return (true);
}

/* ---- one usual request ---- */

/* A model that the price is for, whatever its stars stand for. */
static void
example_of(const json_t *price, char out[LIMIT_NAME_BYTES])
{
	const char *p = text_of(price, "model");
	size_t n = 0;

	for (; *p != '\0' && n < LIMIT_NAME_BYTES - 1; p++) {
		if (*p != '*')
			out[n++] = *p;
	}
	out[n] = '\0';
}

/* What a usual request reserves, in tokens. */
struct usual {
	int64_t input, output;
};

static struct usual
usual_of(const struct notes *n, const json_t *b)
{

	if (strcmp(text_of(b, "policy"), "strict") == 0)
		return ((struct usual) { BUDGET_USUAL_BYTES,
		    BUDGET_USUAL_OUTPUT });
	return ((struct usual) { BUDGET_USUAL_BYTES / 3, n->slice_tokens });
}

static int64_t
cost_of(int64_t tokens, int64_t nusd_mtok)
{

	return (num_mul_sat(tokens, nusd_mtok) / 1000000);
}

/* What that may cost at a price; -1: no such request counts. */
static int64_t
usual_cost(const struct notes *n, const json_t *b, const json_t *price,
    const struct usual *u)
{
	int64_t dearest = int_of(price, "input_nusd_mtok");
	int64_t write = int_of(price, "cache_write_1h_nusd_mtok");
	int64_t context = int_of(price, "context_tokens");
	char model[LIMIT_NAME_BYTES];

	example_of(price, model);
	if (int_of(price, "above_tokens") > 0 ||
	    !budget_models_meet(text_of(b, "models"), model) ||
	    !budget_models_meet(n->key_models, model))
		return (-1);
	if (write > dearest)
		dearest = write;
	return (num_add_sat(
	    cost_of(context > 0 && context < u->input ? context : u->input,
	    dearest),
	    cost_of(u->output, int_of(price, "output_nusd_mtok"))));
}

/* The cheapest model of which a usual request does not fit in. */
static void
note_small_money(struct notes *n, const json_t *b, const struct usual *u)
{
	int64_t cost, least = INT64_MAX, limit = int_of(b, "limit");
	char model[LIMIT_NAME_BYTES] = "", of[AMOUNT_SIZE], is[AMOUNT_SIZE];
	bool any = false, priced = false;
	const json_t *price;
	size_t i;

	json_array_foreach(n->prices, i, price) {
		cost = usual_cost(n, b, price, u);
		priced |= cost >= 0;
		any |= cost >= 0 && cost <= limit;
		if (cost > limit && cost < least) {
			least = cost;
			example_of(price, model);
		}
	}
	if (!priced)
		note(n, "Budget \"%s\" counts money, but no model that it "
		    "counts for this key has a price: such requests are "
		    "refused.", text_of(b, "name"));
	if (least == INT64_MAX)
		return;
	note(n, "Budget \"%s\" of %s is smaller than the %s that one usual "
	    "request to %s reserves (%lld tokens of input, %lld of output): "
	    "%s.", text_of(b, "name"), amount(b, limit, is),
	    amount(b, least, of), model[0] != '\0' ? model : "any model",
	    (long long)u->input, (long long)u->output,
	    any ? "such requests are refused, and those to dearer models" :
	    "such requests are refused, and no model is cheaper");
}

/* Is it smaller than what one request reserves? */
static void
note_small(struct notes *n, const json_t *b)
{
	const struct usual u = usual_of(n, b);
	char of[AMOUNT_SIZE], is[AMOUNT_SIZE];
	int64_t need = 0;

	if (counts(b, "money")) {
		note_small_money(n, b, &u);
		return;
	}
	if (counts(b, "tokens") || counts(b, "input_tokens"))
		need += u.input;
	if (counts(b, "tokens") || counts(b, "output_tokens"))
		need += u.output;
	if (need <= int_of(b, "limit"))
		return;
	note(n, "Budget \"%s\" of %s is smaller than the %s that one usual "
	    "request reserves: such requests are refused.", text_of(b, "name"),
	    amount(b, int_of(b, "limit"), is), amount(b, need, of));
}

/* ---- one that another makes idle ---- */

/* How long a window of it can be at the most; -1: without end. */
static int64_t
longest(const json_t *b)
{
	static const int64_t hours[] = { [WINDOW_DAY] = 24,
		[WINDOW_WEEK] = 7 * 24, [WINDOW_MONTH] = 31 * 24 };
	enum window_period p = window_period(text_of(b, "period"));

	if (p >= WINDOW_NPERIODS || p == WINDOW_TOTAL)
		return (-1);
	if (p == WINDOW_FIXED || p == WINDOW_ROLLING)
		return (int_of(b, "length_ms"));
	/* Clocks may go back within it. */
	return ((hours[p] + 3) * HOUR_MS);
}

static bool
same(const json_t *a, const json_t *b, const char *key)
{

	return (json_equal(json_object_get(a, key), json_object_get(b, key)));
}

/* Is whatever lies in the window of ${a} in that of ${b} as well, always? */
static bool
window_covers(const json_t *b, const json_t *a)
{
	enum window_period p = window_period(text_of(b, "period"));
	enum window_period q = window_period(text_of(a, "period"));
	bool parts = (p == WINDOW_WEEK || p == WINDOW_MONTH) &&
	    q == WINDOW_DAY;

	if (p == WINDOW_TOTAL)
		return (true);
	if (q == WINDOW_TOTAL || p >= WINDOW_NPERIODS ||
	    q >= WINDOW_NPERIODS)
		return (false);
	if (p == WINDOW_ROLLING)
		return (longest(a) <= int_of(b, "length_ms"));
	if (p == WINDOW_FIXED)
		return (q == WINDOW_FIXED && same(a, b, "length_ms") &&
		    same(a, b, "anchor_ms"));
	return ((p == q || parts) && same(a, b, "zone"));
}

/* Does ${b} count whatever ${a} does of this key's requests? */
static bool
counts_all(const struct notes *n, const json_t *b, const json_t *a)
{

	if (!same(a, b, "counts") && !(counts(b, "tokens") &&
	    (counts(a, "input_tokens") || counts(a, "output_tokens"))))
		return (false);
	/* All that one key uses counts for its user and its group. */
	if (strcmp(text_of(a, "on"), "key") != 0 &&
	    (!same(a, b, "on") || !same(a, b, "of")))
		return (false);
	return (budget_models_cover(text_of(b, "models"),
	    text_of(a, "models")) ||
	    budget_models_cover(text_of(b, "models"), n->key_models));
}

/* Is ${b} used up before ${a} is, always? */
static bool
is_tighter(const struct notes *n, const json_t *b, const json_t *a)
{
	bool total = strcmp(text_of(a, "period"), "total") == 0;

	if (a == b || !is_on(b) || !counts_all(n, b, a) ||
	    !window_covers(b, a) || int_of(b, "limit") > int_of(a, "limit"))
		return (false);
	/* What is strict may refuse what fits into an elastic one. */
	if (strcmp(text_of(a, "policy"), "strict") == 0 &&
	    strcmp(text_of(b, "policy"), "strict") != 0)
		return (false);
	return (!total || int_of(b, "left") <= int_of(a, "left"));
}

static void
note_idle(struct notes *n, const json_t *a)
{
	char la[AMOUNT_SIZE], lb[AMOUNT_SIZE];
	const json_t *b;
	size_t i;

	json_array_foreach(n->budgets, i, b) {
		if (!is_tighter(n, b, a))
			continue;
		/* Of two that say the same, the older one is the one. */
		if (is_tighter(n, a, b) && int_of(a, "id") < int_of(b, "id"))
			continue;
		note(n, "Budget \"%s\" (%s, %s) never refuses a request of "
		    "this key: \"%s\" (%s, %s) is used up first.",
		    text_of(a, "name"), amount(a, int_of(a, "limit"), la),
		    text_of(a, "period"), text_of(b, "name"),
		    amount(b, int_of(b, "limit"), lb), text_of(b, "period"));
		return;
	}
}

/* ---- all of them ---- */

static void
note_one(struct notes *n, const json_t *b)
{

	if (!is_on(b) || note_excluded(n, b))
		return;
	if (!note_closed(n, b))
		note_small(n, b);
	note_idle(n, b);
}

json_t *
budget_notes(const char *key_models, const json_t *budgets,
    const json_t *prices, int64_t slice_tokens)
{
	struct notes n = {
		.out = json_array(),
		.key_models = key_models,
		.budgets = budgets,
		.prices = prices,
		.slice_tokens = slice_tokens,
	};
	const json_t *b;
	size_t i;

	json_array_foreach(budgets, i, b)
		note_one(&n, b);
	return (n.out);
}
