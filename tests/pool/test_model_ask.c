#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "pool/model_ask.h"
#include "pool/models.h"
#include "pool/object_ask.h"
#include "pool/rig.h"

/* Bodies that name more models than one: batches, fallbacks. */

/* ---- names ---- */

static void
what_else_a_body_names_goes_along(void **state)
{
	static char list[] = "m*,up";
	struct alias alias = { .pattern = (char[]){ "m2" },
		.target = (char[]){ "up" } };
	struct account a = { .platform = "claude", .aliases = &alias,
		.naliases = 1 };
	struct model_ask also = { .n = 2, .names = { "m2", "m/3" } };
	char text[MODEL_NAMES_SIZE] = "", many[MODEL_NAMES_SIZE] = "";
	struct model_ask most = { .n = MODEL_ASK_MAX };
	size_t i;

	(void)state;
	assert_int_equal(model_names_also(text, NULL), 0);
	assert_string_equal(text, "");
	assert_int_equal(model_names_also(text, &also), 0);
	assert_string_equal(text, "+m2\n+m/3");
	assert_true(account_serves_all(&a, "m1", text));
	a.models = list;
	assert_true(account_serves_all(&a, "m1", text));
	assert_false(account_serves_all(&a, "x", text));
	list[0] = 'x';	/* "x*,up" */
	assert_false(account_serves_all(&a, "x", text));
	list[0] = 'm';

	assert_int_equal(model_names_add(text, "claude", "m1"), 0);
	model_names_plain(text, "m1");
	assert_true(model_names_have(text, "m1", "claude", "m1"));
	assert_false(model_names_have(text, "m1", "claude", "m2"));
	assert_false(model_names_are_any(text));
	assert_false(model_names_fit(text, "m1", &a));
	assert_int_equal(model_names_add(text, "claude", "up"), 0);
	assert_int_equal(model_names_add(text, "claude", "m/3"), 0);
	assert_true(model_names_fit(text, "m1", &a));
	assert_true(model_names_fit(text, "", &a));
	alias.target[0] = 'x';
	assert_false(model_names_fit(text, "m1", &a));
	assert_true(model_names_match(text, "m1", "up"));
	assert_false(model_names_match(text, "m1", "m2"));

	strcpy(text, "");
	assert_int_equal(model_names_also(text, &also), 0);
	assert_int_equal(model_names_any(text), 0);
	assert_string_equal(text, "+m2\n+m/3\n*");
	assert_true(model_names_are_any(text));
	assert_true(model_names_fit(text, "whatever", &a));
	assert_true(model_names_match(text, "m1", "m1"));

	/* What is not named only an account serves that serves anything. */
	strcpy(text, "");
	also.unnamed = true;
	assert_int_equal(model_names_also(text, &also), 0);
	assert_string_equal(text, "+m2\n+m/3\n+");
	assert_false(account_serves_all(&a, "m1", text));
	a.models = NULL;
	assert_true(account_serves_all(&a, "m1", text));

	/* The longest do not fit all. */
	for (i = 0; i < most.n; i++) {
		memset(most.names[i], 'a' + (int)i, LIMIT_NAME_BYTES - 1);
		most.names[i][LIMIT_NAME_BYTES - 1] = '\0';
	}
	assert_int_equal(model_names_also(many, &most), -1);
	assert_true(strlen(many) < sizeof(many));
	strcpy(many, "");
	most.n = 2;
	assert_int_equal(model_names_also(many, &most), 0);
	most.names[1][0] = 'x';
	assert_true(account_serves_all(&a, "m", many));
	assert_int_equal(strlen(many), 2 * LIMIT_NAME_BYTES + 1);
}

/* ---- admission ---- */

static struct admit_op *
ask_also(struct proc *p, struct key_info *key, const char *model,
    const struct model_ask *also, struct object_ask *batch)
{
	struct admit_op *op = admit_make(p, key);

	snprintf(op->model, sizeof(op->model), "%s", model);
	op->also = also;
	if (batch != NULL) {
		*batch = (struct object_ask) { .makes = OBJECT_BATCH,
			.names = OBJECT_FILE, .items = 2 };
		op->objects = batch;
		op->needs_slot = false;
	}
	proc_run1(p, &op->op);
	return (op);
}

/* Of a batch as of fallbacks: account 2 alone serves both. */
static void
an_account_is_fit_if_it_serves_all_that_a_body_names(void **state)
{
	static const struct model_ask also = {
		.n = 2, .names = { "cheap", "dear" }
	}, unnamed = { .n = 1, .unnamed = true, .names = { "cheap" } };
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct object_ask batch, *b;
	struct admit_op *op;
	struct proc *p;
	int i;

	rig_change(r, "UPDATE price SET batch_percent = 50");
	rig_change(r, "UPDATE account SET models = 'cheap', priority = id "
	    "WHERE id = 1");
	rig_change(r, "UPDATE account SET priority = 9 WHERE id = 2");
	p = proc_new(r);
	for (i = 0; i < 2; i++) {
		b = i == 0 ? NULL : &batch;
		rig_change(r, "UPDATE account SET models = '' WHERE id = 2");
		op = ask_also(p, key, i == 0 ? "cheap" : "", &also, b);
		assert_int_equal(op->verdict, ADMIT_LEASED);
		assert_int_equal(op->lease.account->id, 2);
		finish(p, op);
		op = ask_also(p, key, i == 0 ? "cheap" : "", &unnamed, b);
		assert_int_equal(op->verdict, ADMIT_LEASED);
		assert_int_equal(op->lease.account->id, 2);
		finish(p, op);

		/* By the name that each has there. */
		rig_alias(r, "account", 1, "dear", "cheap");
		op = ask_also(p, key, i == 0 ? "cheap" : "", &also, b);
		assert_int_equal(op->lease.account->id, 1);
		finish(p, op);
		rig_change(r, "DELETE FROM model_alias");

		rig_change(r, "UPDATE account SET models = 'dear' "
		    "WHERE id = 2");
		op = ask_also(p, key, i == 0 ? "cheap" : "", &also, b);
		assert_int_equal(op->verdict, ADMIT_UNSERVED);
		assert_string_equal(op->reason, i == 0 ? "no account in the "
		    "pool serves all of cheap, cheap, dear" : "no account in "
		    "the pool serves all of cheap, dear");
		assert_false(op->opened);
		drop(op);
	}
	proc_free(p);
}

/* Of a batch every model has a price where it goes. */
static void
a_batch_goes_where_all_its_models_have_a_price(void **state)
{
	static const struct model_ask also = {
		.n = 2, .names = { "cheap", "dear" }
	};
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct object_ask batch;
	struct admit_op *op;
	struct proc *p;

	rig_change(r, "UPDATE price SET batch_percent = 50");
	rig_change(r, "UPDATE account SET priority = id");
	rig_alias(r, "account", 1, "dear", "nameless");
	p = proc_new(r);
	p->shared.settings.unpriced = UNPRICED_REFUSE;
	op = ask_also(p, key, "", &also, &batch);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_int_equal(op->lease.account->id, 2);
	finish(p, op);
	rig_alias(r, "account", 2, "dear", "nameless");
	op = ask_also(p, key, "", &also, &batch);
	assert_int_equal(op->verdict, ADMIT_UNPRICED);
	assert_string_equal(op->reason, "batches of model nameless have no "
	    "price here");
	drop(op);
	proc_free(p);
}

static void
a_key_is_held_to_its_list_in_all_that_a_body_names(void **state)
{
	static const struct {
		struct model_ask also;
		enum admit_verdict verdict;
		const char *reason;
	} cases[] = {
		{ { .n = 1, .names = { "cheap" } }, ADMIT_LEASED, "" },
		{ { .n = 2, .names = { "cheap", "dear" } }, ADMIT_MODEL,
		    "the key may not use model dear" },
		{ { .n = 1, .unnamed = true, .names = { "cheap" } },
		    ADMIT_FEATURE, "the key may use some models only, and "
		    "fallbacks may lead to others" },
		{ { .n = 1, .more = true, .names = { "cheap" } },
		    ADMIT_APART, "a request names at most 8 models here" },
	};
	struct rig *r = *state;
	struct key_info *key = rig_two_models(r);
	struct object_ask batch;
	struct admit_op *op;
	struct proc *p;
	size_t i;

	rig_change(r, "UPDATE price SET batch_percent = 50");
	rig_change(r, "UPDATE api_key SET models = 'cheap'");
	p = proc_new(r);
	for (i = 0; i < 2 * NITEMS(cases); i++) {
		op = ask_also(p, key, "cheap", &cases[i / 2].also,
		    i % 2 == 0 ? NULL : &batch);
		assert_int_equal(op->verdict, cases[i / 2].verdict);
		assert_string_equal(op->reason, cases[i / 2].reason);
		if (op->verdict == ADMIT_LEASED)
			finish(p, op);
		else
			drop(op);
	}
	proc_free(p);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_else_a_body_names_goes_along),
		T(an_account_is_fit_if_it_serves_all_that_a_body_names),
		T(a_batch_goes_where_all_its_models_have_a_price),
		T(a_key_is_held_to_its_list_in_all_that_a_body_names),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
