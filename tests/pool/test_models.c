#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/choose.h"
#include "pool/models.h"
#include "pool/rig.h"

/* ---- names ---- */

static struct alias *
list(struct alias *of, const char *const (*pairs)[2], size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		of[i] = (struct alias) {
			.pattern = (char *)(uintptr_t)pairs[i][0],
			.target = (char *)(uintptr_t)pairs[i][1],
		};
	alias_sort(of, n);
	return (of);
}

static const char *const of_group[][2] = {
	{ "*", "rest" }, { "claude-*", "any-claude" },
	{ "claude-opus-*", "opus" }, { "claude-*-4-5", "four-five" },
	{ "*-opus-*", "an-opus" }, { "best", "claude-opus-9" },
	{ "a*c", "second" }, { "*ac", "first" },
};
static const char *const of_account[][2] = {
	{ "opus", "own-opus" }, { "claude-opus-9", "own-best" },
	{ "own-best", "never" }, { "sonnet", "not-asked-so" },
};

static const struct {
	const char *asked, *group_alone, *account_alone, *both;
} names[] = {
	{ "", "", "", "" },
	{ "claude-opus-4-1", "opus", "claude-opus-4-1", "own-opus" },
	/* More characters that are no '*' go first ... */
	{ "claude-sonnet-4-5", "four-five", "claude-sonnet-4-5",
	    "four-five" },
	{ "claude-opus-4-5", "opus", "claude-opus-4-5", "own-opus" },
	{ "claude-haiku", "any-claude", "claude-haiku", "any-claude" },
	{ "my-opus-1", "an-opus", "my-opus-1", "an-opus" },
	/* ... then the first in the order of bytes. */
	{ "aac", "first", "aac", "first" },
	{ "abc", "second", "abc", "second" },
	/* Each level once: no chains within one, none back. */
	{ "best", "claude-opus-9", "best", "own-best" },
	{ "claude-opus-9", "opus", "own-best", "own-opus" },
	{ "opus", "rest", "own-opus", "rest" },
	{ "sonnet", "rest", "not-asked-so", "rest" },
	{ "Claude-opus-4-1", "an-opus", "Claude-opus-4-1", "an-opus" },
};

static void
the_most_specific_alias_counts_the_groups_first(void **state)
{
	struct alias a[NITEMS(of_account)], g[NITEMS(of_group)];
	struct group group = { .aliases = list(g, of_group, NITEMS(of_group)),
		.naliases = NITEMS(of_group) };
	struct account one = { .group = &group }, two = {
		.aliases = list(a, of_account, NITEMS(of_account)),
		.naliases = NITEMS(of_account) }, both = two;
	struct account none = { .id = 1 };
	size_t i;

	(void)state;
	both.group = &group;
	for (i = 0; i < NITEMS(names); i++) {
		assert_string_equal(account_model(&one, names[i].asked),
		    names[i].group_alone);
		assert_string_equal(account_model(&two, names[i].asked),
		    names[i].account_alone);
		assert_string_equal(account_model(&both, names[i].asked),
		    names[i].both);
		assert_ptr_equal(account_model(&none, names[i].asked),
		    names[i].asked);
	}
}

static void
an_account_serves_what_is_on_its_list(void **state)
{
	struct account a = { .platform = "claude" };

	(void)state;
	assert_true(account_serves(&a, "anything"));
	a.models = (char *)(uintptr_t)"claude-haiku-*,x";
	assert_true(account_serves(&a, "claude-haiku-4"));
	assert_true(account_serves(&a, "x"));
	assert_false(account_serves(&a, "claude-opus-4"));
	assert_true(account_serves(&a, ""));
	assert_true(account_speaks(&a, "claude"));
	assert_false(account_speaks(&a, "openai"));
	strcpy(a.platform, "claude_console");
	assert_true(account_speaks(&a, "claude"));
	assert_true(account_speaks(&a, "claude_console"));
	assert_false(account_speaks(&a, "openai"));
	strcpy(a.platform, "claude_consoles");
	assert_false(account_speaks(&a, "claude"));
}

static void
the_names_that_were_reserved_for(void **state)
{
	char text[MODEL_NAMES_SIZE] = "", name[128];
	int n;

	(void)state;
	assert_true(model_names_have("", "m", "claude", "m"));
	assert_false(model_names_have("", "m", "claude_console", "m"));
	assert_false(model_names_have("", "m", "claude", "m2"));
	assert_true(model_names_have("*", "m", "any", "thing"));

	assert_int_equal(model_names_add(text, "claude", "m"), 0);
	assert_true(model_names_have(text, "", "claude", "m"));
	model_names_plain(text, "other");
	assert_string_equal(text, "claude/m");
	model_names_plain(text, "m");
	assert_string_equal(text, "");

	assert_int_equal(model_names_add(text, "claude", "a/b"), 0);
	assert_int_equal(model_names_add(text, "claude_console", "c,d"), 0);
	assert_string_equal(text, "claude/a/b\nclaude_console/c,d");
	model_names_plain(text, "a/b");
	assert_true(model_names_have(text, "m", "claude", "a/b"));
	assert_true(model_names_have(text, "m", "claude_console", "c,d"));
	assert_false(model_names_have(text, "m", "claude", "c,d"));
	assert_false(model_names_have(text, "m", "claude", "a"));
	assert_false(model_names_have(text, "m", "claude", "m"));
	assert_true(model_names_match(text, "m", "x,a/*"));
	assert_false(model_names_match(text, "m", "m"));
	assert_true(model_names_match("", "m", "m"));

	/* What does not fit is none of them, and cuts none. */
	memset(name, 'x', 127);
	name[127] = '\0';
	for (n = 0; model_names_add(text, "claude", name) == 0; n++)
		name[0]++;
	assert_int_equal(n, 3);
	assert_false(model_names_have(text, "m", "claude", name));
	name[0]--;
	assert_true(model_names_have(text, "m", "claude", name));
}

/* ---- the choice ---- */

#define NOW	INT64_C(1795159758123)

static const char *
why(const struct choose_params *p, const struct candidate *c)
{
	struct choice out;

	choose(p, false, &out);
	return (choose_why(c));
}

static void
the_choice_goes_by_the_name_at_each_account(void **state)
{
	static const char *const opus[][2] = { { "m", "claude-opus-4" } };
	struct cooldown cd = { .family = "opus",
		.reason = "rate_limited", .stated = true, .since_ms = NOW - 1,
		.observed_ms = NOW - 1, .until_ms = NOW + 1000 };
	struct account accounts[3];
	struct candidate c[3] = { { .account = NULL } };
	struct choose_params p = { .candidates = c, .n = 3,
		.bind_kind = "pool", .platform = "claude", .family = "m",
		.model = "m", .names = MODEL_NAMES_ANY, .now_ms = NOW };
	struct alias a[1];
	struct choice out;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		accounts[i] = (struct account) { .id = (int64_t)i + 1,
			.platform = "claude",
			.secret = (char *)(uintptr_t)"s", .weight = 1,
			.concurrency = 1, .enabled = true };
		c[i].account = &accounts[i];
	}
	accounts[0].aliases = list(a, opus, 1);
	accounts[0].naliases = 1;
	accounts[0].cooldowns = accounts[1].cooldowns = &cd;
	accounts[0].ncooldowns = accounts[1].ncooldowns = 1;
	accounts[2].models = (char *)(uintptr_t)"claude-*";

	/* The first is parked for what the model is called there alone, the
	 * last does not serve it. */
	choose(&p, true, &out);
	assert_int_equal(out.result, CHOICE_PICKED);
	assert_int_equal(out.index, 1);
	assert_string_equal(why(&p, &c[0]), "parked");
	assert_string_equal(why(&p, &c[2]), "model");
	assert_int_equal(out.unserved, 1);
	assert_non_null(strstr(out.trace, "{\"account\":3,\"in_use\":0,"
	    "\"why\":\"model\"}"));
	assert_non_null(strstr(out.trace, "parked: rate_limited"));

	p.names = "claude/claude-opus-4";
	assert_string_equal(why(&p, &c[0]), "parked");
	assert_string_equal(why(&p, &c[1]), "unreserved");
	choose(&p, false, &out);
	assert_int_equal(out.result, CHOICE_PARKED);
	p.names = "";
	assert_string_equal(why(&p, &c[0]), "unreserved");
	assert_string_equal(why(&p, &c[1]), "fit");
	strcpy(accounts[1].platform, "claude_console");
	assert_string_equal(why(&p, &c[1]), "unreserved");
	p.names = "claude_console/m";
	assert_string_equal(why(&p, &c[1]), "fit");
	p.model = NULL;
	assert_string_equal(why(&p, &c[2]), "fit");
}

/* ---- admission ---- */

static void
budget(struct rig *r, const char *name, const char *models,
    const char *policy, int64_t limit)
{
	char sql[512];

	snprintf(sql, sizeof(sql), "INSERT INTO budget (name, scope, scope_id, "
	    "kind, limit_value, created_ms, models, policy) VALUES ('%s', "
	    "'key', 1, 'money', %lld, 0, '%s', '%s')", name, (long long)limit,
	    models, policy);
	rig_change(r, sql);
}

static int64_t
sum(struct rig *r, const char *column, int64_t budget_id)
{
	char sql[160];

	snprintf(sql, sizeof(sql), "SELECT coalesce(sum(%s), 0) FROM "
	    "budget_window WHERE budget_id = %lld", column,
	    (long long)budget_id);
	return (rig_int(r, sql));
}

static struct admit_op *
ask(struct proc *p, struct key_info *key, const char *model)
{
	struct admit_op *op = admit_make(p, key);

	snprintf(op->model, sizeof(op->model), "%s", model);
	proc_run1(p, &op->op);
	return (op);
}

static struct move_op *
move_on(struct proc *p, struct admit_op *op)
{
	struct move_op *m = move_make(p, op, "error");

	m->park.wanted = false;
	proc_run1(p, &m->admit.op);
	return (m);
}

static void
move_end(struct proc *p, struct move_op *m)
{
	struct settle_op *s = settle_make(p, &m->admit);

	proc_run1(p, &s->op);
	lease_drop(&s->lease);
	lease_drop(&m->lease);
	free(s);
	free(m);
}

static void
what_goes_upstream_is_priced_and_written_down(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct admit_op *op;
	struct proc *p;

	rig_sql(r, "UPDATE account SET enabled = 0 WHERE id = 2");
	rig_alias(r, "account", 1, "be*", "dear");
	p = proc_new(r);
	op = ask(p, key, "best");
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_string_equal(op->lease.model, "dear");
	assert_string_equal(op->lease.names, "claude/dear");
	assert_int_equal(op->reserved_nusd, 20000);
	assert_string_equal(rig_text(r, "SELECT model FROM ledger"), "best");
	assert_string_equal(rig_text(r, "SELECT sent_as FROM ledger"),
	    "dear");
	assert_string_equal(rig_text(r, "SELECT model FROM attempt"), "dear");
	finish(p, op);
	assert_int_equal(rig_int(r, "SELECT cost_nusd FROM ledger"), 300);
	assert_string_equal(rig_text(r, "SELECT model FROM usage_hour"),
	    "dear");

	/* What has no other name is written as it ever was. */
	op = ask(p, key, "cheap");
	assert_string_equal(op->lease.model, "cheap");
	assert_string_equal(op->lease.names, "");
	assert_int_equal(op->reserved_nusd, 2000);
	finish(p, op);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger l JOIN "
	    "attempt t ON t.ledger_id = l.id WHERE sent_as = '' AND "
	    "t.model = '' AND l.model = 'cheap'"), 1);
	proc_free(p);
}

static void
a_keys_models_are_those_asked_for(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct admit_op *op;
	struct proc *p;

	rig_alias(r, "account", 1, "best", "dear");
	rig_alias(r, "account", 2, "best", "dear");
	rig_change(r, "UPDATE api_key SET models = 'best'");
	p = proc_new(r);
	op = ask(p, key, "best");
	assert_int_equal(op->verdict, ADMIT_LEASED);
	finish(p, op);
	op = ask(p, key, "dear");
	assert_int_equal(op->verdict, ADMIT_MODEL);
	drop(op);
	proc_free(p);
}

static void
nobody_serves_it(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct admit_op *op;
	struct proc *p;

	rig_change(r, "UPDATE account SET models = 'cheap'");
	rig_alias(r, "account", 2, "small", "cheap");
	p = proc_new(r);
	op = ask(p, key, "dear");
	assert_int_equal(op->verdict, ADMIT_UNSERVED);
	assert_string_equal(op->reason,
	    "no account in the pool serves model dear");
	drop(op);
	op = ask(p, key, "small");
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_int_equal(op->lease.account->id, 2);
	finish(p, op);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger"), 1);

	/* A call that reserves nothing is told the same. */
	op = admit_make(p, key);
	op->billed = op->needs_slot = false;
	snprintf(op->model, sizeof(op->model), "dear");
	proc_run1(p, &op->op);
	assert_int_equal(op->verdict, ADMIT_UNSERVED);
	drop(op);
	proc_free(p);
}

static void
an_unpriced_name_keeps_a_request_from_its_account_alone(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct admit_op *op;
	struct proc *p;

	budget(r, "b", "", "strict", 1000000);
	rig_alias(r, "account", 1, "cheap", "nameless");
	p = proc_new(r);
	op = ask(p, key, "cheap");
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_int_equal(op->lease.account->id, 2);
	finish(p, op);
	rig_change(r, "UPDATE account SET enabled = 0 WHERE id = 2");
	op = ask(p, key, "cheap");
	assert_int_equal(op->verdict, ADMIT_UNPRICED);
	assert_string_equal(op->reason, "model nameless has no price here");
	drop(op);
	proc_free(p);
}

static void
the_dearest_name_is_reserved_for(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct admit_op *op;
	struct move_op *m;
	struct proc *p;

	rig_alias(r, "account", 2, "cheap", "dear");
	rig_sql(r, "UPDATE account SET priority = 1 WHERE id = 1");
	budget(r, "b", "", "strict", 30000);
	p = proc_new(r);
	op = ask(p, key, "cheap");
	assert_int_equal(op->lease.account->id, 1);
	assert_string_equal(op->lease.model, "cheap");
	assert_int_equal(sum(r, "reserved", 1), 20000);
	m = move_on(p, op);
	assert_int_equal(m->admit.verdict, ADMIT_LEASED);
	assert_string_equal(m->admit.lease.model, "dear");
	assert_string_equal(rig_text(r, "SELECT sent_as FROM ledger"),
	    "dear");
	free(op);
	move_end(p, m);
	assert_int_equal(sum(r, "spent", 1), 300);
	assert_int_equal(sum(r, "reserved", 1), 0);
	proc_free(p);
}

/* The accounts are alike but for the group, whose alias it is. */
static void
the_names_of_all_groups_are_reserved_for(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	int64_t group = rig_group(r, "g", "weighted");
	struct admit_op *op;
	struct move_op *m;
	struct proc *p;
	char sql[96];

	snprintf(sql, sizeof(sql), "UPDATE account SET group_id = %lld "
	    "WHERE id = 2", (long long)group);
	rig_change(r, sql);
	rig_alias(r, "group", group, "cheap", "dear");
	rig_change(r, "UPDATE account SET priority = id");
	budget(r, "b", "", "strict", 30000);
	p = proc_new(r);
	op = ask(p, key, "cheap");
	assert_int_equal(op->lease.account->id, 1);
	assert_int_equal(sum(r, "reserved", 1), 20000);
	m = move_on(p, op);
	assert_int_equal(m->admit.verdict, ADMIT_LEASED);
	assert_string_equal(m->admit.lease.model, "dear");
	free(op);
	move_end(p, m);
	proc_free(p);
}

static void
a_name_that_was_not_reserved_for_is_passed_over(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct admit_op *op;
	struct move_op *m;
	struct proc *p;

	budget(r, "b", "", "strict", 2000);
	rig_change(r, "UPDATE account SET concurrency = 1, priority = id");
	p = proc_new(r);
	op = ask(p, key, "cheap");
	assert_int_equal(op->lease.account->id, 1);
	rig_alias(r, "account", 2, "cheap", "dear");
	m = move_on(p, op);
	assert_int_equal(m->admit.verdict, ADMIT_NO_ACCOUNT);
	assert_non_null(strstr(m->admit.trace, "unreserved"));
	free(op);
	lease_drop(&m->lease);
	lease_drop(&m->admit.lease);
	free(m);
	proc_free(p);
}

/* The account is granted by one process, and its alias changes before the
 * other takes the grant up. */
static void
a_grant_under_another_name_is_given_back(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct admit_op *first, *other, *op;
	struct proc *p[2];

	rig_change(r, "UPDATE account SET concurrency = 1, priority = id");
	rig_alias(r, "account", 1, "cheap", "dear");
	rig_alias(r, "account", 2, "cheap", "dear");
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	first = ask(p[0], key, "cheap");
	other = ask(p[0], key, "cheap");
	op = ask(p[1], key, "cheap");
	assert_false(proc_posted(p[1], &op->op));
	assert_string_equal(rig_text(r, "SELECT names FROM ticket"),
	    "claude/dear");
	finish(p[0], first);
	assert_int_equal(rig_int(r, "SELECT account_id FROM ticket"), 1);
	assert_int_equal(slots_held(r), 2);
	rig_alias(r, "account", 1, "cheap", "cheap");
	proc_poll(p[1]);
	assert_false(proc_posted(p[1], &op->op));
	assert_int_equal(slots_held(r), 1);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ticket WHERE "
	    "granted_ms IS NULL"), 1);
	proc_poll(p[0]);
	assert_int_equal(slots_held(r), 1);

	/* As it reserved for it, it goes there again. */
	rig_alias(r, "account", 1, "cheap", "dear");
	proc_poll(p[0]);
	proc_poll(p[1]);
	assert_true(proc_posted(p[1], &op->op));
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_string_equal(op->lease.model, "dear");
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger WHERE "
	    "state = 0 AND sent_as = 'dear'"), 2);
	finish(p[1], op);
	finish(p[0], other);
	rig_balance(r, "at the end");
	proc_free(p[0]);
	proc_free(p[1]);
}

static void
budgets_by_model_go_by_the_name_upstream(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct admit_op *op;
	struct move_op *m;
	struct proc *p;

	rig_alias(r, "account", 2, "cheap", "dear");
	rig_change(r, "UPDATE account SET priority = id");
	budget(r, "dear alone", "dear", "strict", 50000);
	budget(r, "cheap alone", "cheap", "strict", 50000);
	budget(r, "all", "", "strict", 50000);
	p = proc_new(r);

	/* Either may be: both hold; the one that it was sent as is charged. */
	op = ask(p, key, "cheap");
	assert_string_equal(op->lease.model, "cheap");
	assert_int_equal(sum(r, "reserved", 1), 20000);
	assert_int_equal(sum(r, "reserved", 2), 20000);
	finish(p, op);
	assert_int_equal(sum(r, "spent", 1), 0);
	assert_int_equal(sum(r, "spent", 2), 30);
	assert_int_equal(sum(r, "spent", 3), 30);
	assert_int_equal(rig_int(r, "SELECT sum(reserved) FROM budget_window"),
	    0);

	/* It moved, and what it moved from cost nothing. */
	op = ask(p, key, "cheap");
	m = move_on(p, op);
	free(op);
	move_end(p, m);
	assert_int_equal(sum(r, "spent", 1), 300);
	assert_int_equal(sum(r, "spent", 2), 30);
	assert_int_equal(sum(r, "spent", 3), 330);

	/* It may have cost something: then both are charged all of it. */
	op = ask(p, key, "cheap");
	m = move_make(p, op, "error");
	m->park.wanted = false;
	m->end.mark = USAGE_PARTIAL;
	m->end.usage.output_tokens = 5;
	proc_run1(p, &m->admit.op);
	free(op);
	move_end(p, m);
	assert_int_equal(sum(r, "spent", 1), 605);
	assert_int_equal(sum(r, "spent", 2), 335);
	assert_int_equal(sum(r, "spent", 3), 635);
	rig_balance(r, "at the end");
	proc_free(p);
}

static void
a_lost_request_is_charged_wherever_it_held(void **state)
{
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct admit_op *op;
	struct proc *p[2];

	rig_alias(r, "account", 2, "cheap", "dear");
	rig_change(r, "UPDATE account SET priority = id");
	budget(r, "dear alone", "dear", "strict", 50000);
	budget(r, "all", "", "strict", 50000);
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	op = ask(p[0], key, "cheap");
	proc_die(p[0]);
	proc_beat(p[1]);
	proc_beat(p[1]);
	assert_int_equal(sum(r, "spent", 1), 20000);
	assert_int_equal(sum(r, "spent", 2), 20000);
	assert_string_equal(rig_text(r, "SELECT model FROM usage_hour"),
	    "cheap");
	drop(op);
	proc_free(p[1]);
}

/* ---- the property ---- */

#define ROUNDS	400
#define OPEN	12

static unsigned
next_random(unsigned *x)
{

	*x = *x * 1103515245u + 12345u;
	return (*x >> 16);
}

/* All that was reserved for, under the name that it was sent as. */
static void
settle_at_worst(struct proc *p, struct admit_op *op)
{
	struct settle_op *s = settle_make(p, op);

	s->end.usage.input_tokens = 1000;
	s->end.usage.output_tokens = 1000;
	s->max_tokens = 1000;
	proc_run1(p, &s->op);
	lease_drop(&s->lease);
	free(s);
}

static void
check_books(struct rig *r, int round)
{
	char note[32];

	snprintf(note, sizeof(note), "round %d", round);
	rig_balance(r, note);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM budget_window w "
	    "JOIN budget b ON b.id = w.budget_id "
	    "WHERE w.spent + w.reserved > b.limit_value"), 0);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger "
	    "WHERE flags <> 0"), 0);
}

/*
 * Requests come, move and end, each at the most that it may cost, while
 * aliases lead now to a cheap and now to a dear model: no strict budget is
 * overrun, no row is.
 */
static void
strict_budgets_hold_whatever_aliases_do(void **state)
{
	static const char *const targets[] = { "cheap", "dear", "middle" };
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct admit_op *open[OPEN] = { NULL }, **op;
	unsigned x = 7, what;
	struct move_op *m;
	struct proc *p;
	int i, moved = 0, settled = 0;

	rig_price(r, "middle", 3000000);
	rig_account(r, "a3", 0, 10);
	budget(r, "all", "", "strict", 900000);
	budget(r, "of dear", "dear", "strict", 300000);
	p = proc_new(r);
	for (i = 0; i < ROUNDS; i++) {
		what = next_random(&x) % 8;
		op = &open[next_random(&x) % OPEN];
		if (what == 0)
			rig_alias(r, "account",
			    1 + (int64_t)(next_random(&x) % 3),
			    "cheap", targets[next_random(&x) % 3]);
		else if (*op == NULL) {
			*op = ask(p, key, "cheap");
			if ((*op)->verdict != ADMIT_LEASED) {
				assert_true((*op)->verdict == ADMIT_BUDGET ||
				    (*op)->verdict == ADMIT_BUDGET_HELD);
				drop(*op);
				*op = NULL;
			}
		} else if (what < 4) {
			m = move_on(p, *op);
			if (m->admit.verdict == ADMIT_LEASED) {
				moved++;
				**op = m->admit;
				memset(&m->admit.lease, 0,
				    sizeof(m->admit.lease));
				lease_drop(&m->lease);
				free(m);
				continue;
			}
			/* None is left: it ends without having cost. */
			struct settle_op end = { .op.kind = OP_SETTLE,
				.ledger_id = (*op)->ledger_id,
				.key_id = key->id, .first_byte_ms = -1,
				.attempts = m->lease.attempt };

			snprintf(end.outcome, sizeof(end.outcome), "error");
			proc_run1(p, &end.op);
			lease_drop(&m->lease);
			free(m);
			free(*op);
			*op = NULL;
		} else {
			settle_at_worst(p, *op);
			settled++;
			free(*op);
			*op = NULL;
		}
		if (i % 20 == 0)
			check_books(r, i);
	}
	for (op = open; op < open + OPEN; op++) {
		if (*op != NULL)
			settle_at_worst(p, *op);
		free(*op);
	}
	check_books(r, ROUNDS);
	assert_true(moved > 20 && settled > 20);
	assert_true(rig_int(r, "SELECT count(DISTINCT sent_as) FROM ledger "
	    "WHERE cost_nusd > 0") >= 3);
	proc_free(p);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_most_specific_alias_counts_the_groups_first),
		cmocka_unit_test(an_account_serves_what_is_on_its_list),
		cmocka_unit_test(the_names_that_were_reserved_for),
		cmocka_unit_test(the_choice_goes_by_the_name_at_each_account),
		T(what_goes_upstream_is_priced_and_written_down),
		T(a_keys_models_are_those_asked_for),
		T(nobody_serves_it),
		T(an_unpriced_name_keeps_a_request_from_its_account_alone),
		T(the_dearest_name_is_reserved_for),
		T(the_names_of_all_groups_are_reserved_for),
		T(a_name_that_was_not_reserved_for_is_passed_over),
		T(a_grant_under_another_name_is_given_back),
		T(budgets_by_model_go_by_the_name_upstream),
		T(a_lost_request_is_charged_wherever_it_held),
		T(strict_budgets_hold_whatever_aliases_do),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
