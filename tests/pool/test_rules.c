#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/rig.h"
#include "pool/rules.h"

/* ---- pure ---- */

static void
clients_are_told_by_what_they_call_themselves(void **state)
{
	static const struct {
		const char *agent, *kind;
	} cases[] = {
		{ "claude-cli/2.1.328 (external, sdk-cli)", "claude-code" },
		{ "claude-code/2.1.328", "claude-code" },
		{ "Anthropic/JS 1.10.0", "anthropic-sdk-typescript" },
		{ "Anthropic/Python 0.75.0", "anthropic-sdk-python" },
		{ "AsyncAnthropic/Python 0.75.0", "anthropic-sdk-python" },
		{ "Anthropic/Go 1.19.0", "anthropic-sdk-go" },
		{ "OpenAI/JS 7.55.0", "openai-sdk-typescript" },
		{ "AsyncOpenAI/Python 2.8.0", "openai-sdk-python" },
		{ "codex_cli_rs/0.169.0 (Debian 12)", "codex" },
		{ "GeminiCLI/0.61.0 (linux; x64)", "gemini-cli" },
		{ "google-genai-sdk/3.1.0 gl-node/v20", "google-genai" },
		{ "curl/8.5.0", "curl" },
		{ "python-requests/2.32", "unknown" },
		{ "curlish/1", "unknown" },
		{ "my claude-cli/1", "unknown" },
		{ "", "unknown" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(rules_kind(cases[i].agent),
		    cases[i].kind);
}

static void
a_list_of_clients_lets_in_its_own(void **state)
{
	static const struct {
		const char *list, *agent;
		bool in;
	} cases[] = {
		{ NULL, "whatever", true }, { "", "", true },
		{ "curl", "curl/8.5.0", true },
		{ "curl", "claude-cli/2.1", false },
		{ "claude-code, curl", "curl/8.5.0", true },
		{ "claude-code", "", false },
		{ "ua:our-tool/*", "our-tool/2.0 (x; y, z)", true },
		{ "ua:our-tool/*", "Our-Tool/2", true },
		{ "ua:our-tool/*", "not our-tool/2", false },
		{ "ua:*tool*2*", "our tool v12", true },
		{ "ua:*tool*2*", "our tool v1", false },
		{ "ua:exact", "exact", true },
		{ "ua:exact", "exactly", false },
		{ "ua:*", "", true },
		{ "curl,ua:a*b*c", "aXbYbZc", true },
		{ "curl,ua:a*b*c", "aXbYbZ", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (rules_client(cases[i].list, cases[i].agent) !=
		    cases[i].in)
			fail_msg("%s, %s", cases[i].list, cases[i].agent);
	}
}

static void
what_is_no_list_of_clients_is_refused(void **state)
{
	static const char *const good[] = { "", "curl", "curl,claude-code",
	    " curl , ua:x y/* ", "ua:*" };
	static const char *const bad[] = { "crul", "curl,", ",curl", "ua:",
	    "curl claude-code", "*", "Curl" };
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(rules_check(good[i], NULL), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&err);
		if (rules_check(bad[i], &err) != -1)
			fail_msg("%s", bad[i]);
		assert_int_equal(err.code, ERR_INVAL);
		assert_non_null(strstr(err.text, "ua:PATTERN"));
		assert_non_null(strstr(err.text, "google-genai curl"));
	}
}

/* ---- in the admission transaction ---- */

static struct admit_op *
admit_as(struct proc *p, struct key_info *key, const char *address,
    const char *agent)
{
	struct admit_op *op = admit_make(p, key);

	assert_int_equal(net_addr_parse(address, strlen(address),
	    &op->caller.addr), *address == '\0' ? -1 : 0);
	snprintf(op->caller.agent, sizeof(op->caller.agent), "%s", agent);
	snprintf(op->address, sizeof(op->address), "%s", address);
	proc_run1(p, &op->op);
	assert_true(proc_posted(p, &op->op));
	return (op);
}

/* The key was looked up before, by another process: what it may was changed
 * since, and holds from this admission on. */
static void
admission_goes_by_the_rules_of_now(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct proc *p;

	rig_account(r, "a1", 0, 4);
	key = rig_key(r, "k1", "pool", 0, 0);
	p = proc_new(r);
	op = admit_as(p, key, "192.0.2.7", "curl/8");
	assert_int_equal(op->verdict, ADMIT_LEASED);
	assert_string_equal(rig_text(r, "SELECT address FROM ledger"),
	    "192.0.2.7");
	finish(p, op);

	rig_sql(r, "UPDATE api_key SET nets = '10.0.0.0/8,2001:db8::/32'");
	op = admit_as(p, key, "192.0.2.7", "curl/8");
	assert_int_equal(op->verdict, ADMIT_ADDRESS);
	assert_false(op->opened);
	assert_non_null(strstr(op->reason, "192.0.2.7"));
	drop(op);
	op = admit_as(p, key, "", "curl/8");
	assert_int_equal(op->verdict, ADMIT_ADDRESS);
	assert_non_null(strstr(op->reason, "cannot be told"));
	drop(op);
	op = admit_as(p, key, "2001:db8::1", "curl/8");
	assert_int_equal(op->verdict, ADMIT_LEASED);
	finish(p, op);

	rig_sql(r, "UPDATE api_key SET nets = '', clients = 'claude-code'");
	op = admit_as(p, key, "192.0.2.7", "curl/8");
	assert_int_equal(op->verdict, ADMIT_CLIENT);
	assert_non_null(strstr(op->reason, "claude-code"));
	assert_non_null(strstr(op->reason, "of kind curl"));
	assert_non_null(strstr(op->reason, "curl/8"));
	drop(op);
	op = admit_as(p, key, "192.0.2.7", "claude-cli/2.1.3 (external)");
	assert_int_equal(op->verdict, ADMIT_LEASED);
	finish(p, op);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger"), 3);
	assert_int_equal(slots_held(r), 0);
	proc_free(p);
}

/* The secret was looked up under an older configuration: whether it is still
 * the key's, or was and goes on to work, is asked again. */
static void
admission_knows_old_secrets(void **state)
{
	static const struct {
		const char *sql;
		enum admit_verdict verdict;
	} steps[] = {
		{ "UPDATE key_secret SET visible = 'w'", ADMIT_LEASED },
		{ "UPDATE key_secret SET until_ms = 1000", ADMIT_NO_KEY },
		{ "UPDATE key_secret SET until_ms = 9000000000000",
		    ADMIT_LEASED },
		{ "UPDATE api_key SET revoked_ms = 1", ADMIT_NO_KEY },
	};
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct proc *p;
	size_t i;

	rig_account(r, "a1", 0, 4);
	key = rig_key(r, "k1", "pool", 0, 0);
	rig_sql(r, "INSERT INTO key_secret SELECT hash, id, 'v', "
	    "9000000000000 FROM api_key");
	rig_sql(r, "UPDATE api_key SET hash = x'01'");
	p = proc_new(r);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		rig_sql(r, steps[i].sql);
		op = admit_now(p, key);
		assert_int_equal(op->verdict, steps[i].verdict);
		if (op->verdict == ADMIT_LEASED) {
			finish(p, op);
			continue;
		}
		assert_false(op->opened);
		drop(op);
	}
	proc_free(p);
}

/* ---- the rate, a budget of requests in a rolling window ---- */

#define RATE	5

static int64_t
add_rate(struct rig *r, int64_t key_id, int64_t limit, const char *window_ms)
{
	char sql[400];

	snprintf(sql, sizeof(sql), "INSERT INTO budget (id, name, scope, "
	    "scope_id, kind, period, length_ms, limit_value, created_ms) "
	    "VALUES (9, 'k1-rate', 'key', %lld, 'requests', 'rolling', %s, "
	    "%lld, 0)", (long long)key_id, window_ms, (long long)limit);
	rig_change(r, sql);
	return (9);
}

/* What was counted so far lies so much longer ago. */
static void
time_passes(struct rig *r, int64_t ms)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "UPDATE budget_window SET start_ms = "
	    "start_ms - %lld WHERE start_ms > 0", (long long)ms);
	rig_sql(r, sql);
}

/* Two processes by turns: no more than the rate go in any window, refused
 * ones leave no row, and the client is told when to come again. */
static void
a_rate_holds_over_all_processes(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct proc *p[2];
	int64_t begun;
	size_t i, in = 0;

	rig_account(r, "a1", 0, 100);
	key = rig_key(r, "k1", "pool", 0, 0);
	(void)add_rate(r, key->id, RATE, "60000");
	p[0] = proc_new(r);
	p[1] = proc_new(r);
	begun = store_now_ms(r->st);
	for (i = 0; i < 4 * RATE; i++) {
		op = admit_now(p[i % 2], key);
		if (op->verdict == ADMIT_LEASED) {
			in++;
			/* Whether it is over or runs, it counts. */
			if (in % 2 == 0)
				drop(op);
			else
				finish(p[i % 2], op);
			continue;
		}
		assert_int_equal(op->verdict, ADMIT_BUDGET_RENEWS);
		assert_non_null(strstr(op->reason, "5 requests in any 1 min"));
		assert_in_range(op->retry_ms - begun, 59000, 65000);
		drop(op);
	}
	assert_int_equal(in, RATE);
	assert_int_equal(rig_int(r, "SELECT count(*) FROM ledger"), RATE);

	/* It slides: after its window they are let in again. */
	time_passes(r, 59000);
	op = admit_now(p[0], key);
	assert_int_equal(op->verdict, ADMIT_BUDGET_RENEWS);
	drop(op);
	time_passes(r, 3000);
	for (i = 0, in = 0; i < 2 * RATE; i++) {
		op = admit_now(p[i % 2], key);
		if (op->verdict == ADMIT_LEASED) {
			in++;
			finish(p[i % 2], op);
		} else
			drop(op);
	}
	assert_int_equal(in, RATE);
	proc_free(p[0]);
	proc_free(p[1]);
}

/* The window was an hour and is a minute now: what was counted by the hour's
 * buckets stays counted, by its time. */
static void
a_rates_window_may_change(void **state)
{
	struct rig *r = *state;
	struct key_info *key;
	struct admit_op *op;
	struct proc *p;
	int i;

	rig_account(r, "a1", 0, 100);
	key = rig_key(r, "k1", "pool", 0, 0);
	(void)add_rate(r, key->id, RATE, "60000");
	p = proc_new(r);
	for (i = 0; i < RATE; i++)
		finish(p, admit_now(p, key));
	rig_change(r, "UPDATE budget SET length_ms = 3600000");
	time_passes(r, 3500000);
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_BUDGET_RENEWS);
	drop(op);
	rig_change(r, "UPDATE budget SET length_ms = 60000");
	op = admit_now(p, key);
	assert_int_equal(op->verdict, ADMIT_LEASED);
	finish(p, op);
	proc_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    clients_are_told_by_what_they_call_themselves),
		cmocka_unit_test(a_list_of_clients_lets_in_its_own),
		cmocka_unit_test(what_is_no_list_of_clients_is_refused),
		cmocka_unit_test_setup_teardown(
		    admission_goes_by_the_rules_of_now, rig_setup,
		    rig_teardown),
		cmocka_unit_test_setup_teardown(admission_knows_old_secrets,
		    rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    a_rate_holds_over_all_processes, rig_setup,
		    rig_teardown),
		cmocka_unit_test_setup_teardown(a_rates_window_may_change,
		    rig_setup, rig_teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
