// What must be true once the dust has settled.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { alive, openRows, until } from '../../e2e/lib/hosts.mjs';
import { header } from '../../e2e/lib/mock.mjs';

// Looks all the time whether the dead hold leases: longest time, in ms, for
// which a responder that was dead still held one.
export class LeaseWatch {
	static start(site) {
		const watch = new LeaseWatch();
		watch.running = watch.#watch(site);
		return watch;
	}

	longest = 0;
	over = false;
	#since = new Map();

	async #watch(site) {
		while (!this.over) {
			// A database that is away or locked holds up the reaper too.
			const rows = await site.sql(`SELECT r.id, r.pid,
				count(*) AS n FROM slot s
				JOIN responder r ON r.id = s.responder_id
				GROUP BY r.id, r.pid`).catch(() => null);
			if (rows === null)
				this.#since.clear();
			else
				this.#look(rows.filter(r => !alive(r.pid)));
			await sleep(250);
		}
	}

	#look(dead) {
		const ids = new Set(dead.map(r => r.id));
		for (const id of this.#since.keys())
			if (!ids.has(id))
				this.#since.delete(id);
		for (const id of ids) {
			if (!this.#since.has(id))
				this.#since.set(id, Date.now());
			this.longest = Math.max(this.longest,
				Date.now() - this.#since.get(id));
		}
	}

	async stop() {
		this.over = true;
		await this.running;
		return this.longest;
	}
}

// Until nothing is open, held, waiting or on disk to be settled.
export async function calm(site) {
	await until('all to be settled', async () =>
		await openRows(site).catch(() => 1) === 0, 30000);
	await until('empty spools', async () =>
		(await site.json('status')).spool.records === 0, 30000);
}

// Rows, attempts and what the mock served, by the name of the call.
async function gather(site, { calls, prefix }) {
	const by = new Map(calls.map(c => [c.name,
		{ call: c, rows: [], attempts: [], served: [] }]));
	for (const row of await site.sql(`SELECT l.*, CAST(l.id AS TEXT) AS id
		FROM ledger l WHERE l.session LIKE '${prefix}%'`))
		by.get(row.session).rows.push(row);
	for (const attempt of await site.sql(`SELECT a.*, l.session FROM attempt a
		JOIN ledger l ON l.id = a.ledger_id
		WHERE l.session LIKE '${prefix}%'`))
		by.get(attempt.session).attempts.push(attempt);
	for (const served of await site.mock.requests()) {
		const name = header(served, 'x-client-request-id');
		by.get(name)?.served.push(served);
	}
	return [...by.values()];
}

function checkExact({ rows: [row], attempts, served }, what) {
	const last = attempts.find(a => a.n === row.attempts);
	const seen = served.find(s => upstreamId(s) === last.upstream_id);
	assert.ok(seen, `an exact row was served: ${what}`);
	assert.equal(row.output_tokens, seen.usage.output, what);
	assert.equal(row.input_tokens, seen.usage.input, what);
	assert.equal(row.cache_read_tokens, seen.usage.cache_read, what);
}

// How the mock names its answers.
function upstreamId(served) {
	return `req_mock_${served.id.toString(16).padStart(8, '0')}`;
}

function checkCall(one) {
	const { call, rows, attempts, served } = one;
	const what = JSON.stringify(one);

	assert.ok(rows.length <= 1, `one row a call: ${what}`);
	if (served.length > 0)
		assert.equal(rows.length, 1, `served, so it is there: ${what}`);
	assert.ok(served.length <= attempts.length,
		`an attempt for all that was served: ${what}`);
	if (rows.length === 0) {
		assert.ok(!call.good, `answered, so it is there: ${what}`);
		return;
	}
	const [row] = rows;
	assert.ok([1, 2, 3, 4].includes(row.state), `closed: ${what}`);
	if (row.state !== 4)
		assert.equal(row.attempts,
			attempts.filter(a => a.outcome !== 'void').length, what);
	if (call.good && row.state !== 2)
		assert.equal(row.mark, 1, `whole, so exact: ${what}`);
	if (row.mark === 1)
		checkExact(one, what);
}

// What each budget was charged for, by what the rows say: of usage that is
// known just that, and what was held where it is not.
function charges({ rows: [row], attempts }, sums) {
	const what = JSON.stringify(row);
	const input = row.input_tokens + row.cache_read_tokens +
		row.cache_write_5m_tokens + row.cache_write_1h_tokens;
	const used = [row.cost_nusd, input + row.output_tokens, input,
		row.output_tokens, Number(row.attempts > 0)];
	const known = row.mark !== 3 && attempts.every(a => a.mark !== 3);

	for (const [budget, , kind, amount] of JSON.parse(row.holds || '[]')) {
		if (known)
			assert.equal(amount, used[kind], `kind ${kind}: ${what}`);
		sums.set(budget, (sums.get(budget) ?? 0) + amount);
	}
}

// Of all traffic so far; reserved is nothing.
async function checkBudgets(site, charged) {
	for (const w of await site.sql(`SELECT b.id, sum(w.spent) AS spent,
		sum(w.reserved) AS reserved FROM budget b JOIN budget_window w
		ON w.budget_id = b.id GROUP BY b.id`)) {
		assert.equal(w.reserved, 0, `reserved on budget ${w.id}`);
		assert.equal(w.spent, charged.get(w.id) ?? 0,
			`spent on budget ${w.id}`);
	}
}

// Every call of this traffic has one row, exact rows say what the mock sent, no
// reservation is left, and every budget is the sum of its rows; charged: a Map
// of what budgets were charged for earlier traffic.  Returns numbers to print.
export async function booksBalance(site, traffic, charged) {
	const all = await gather(site, traffic);
	const rows = all.flatMap(one => one.rows);

	all.forEach(checkCall);
	all.filter(one => one.rows.length > 0)
		.forEach(one => charges(one, charged));
	await checkBudgets(site, charged);
	return {
		calls: traffic.calls.length,
		good: traffic.count(c => c.good),
		served: all.reduce((n, one) => n + one.served.length, 0),
		rows: rows.length,
		exact: rows.filter(r => r.mark === 1).length,
		partial: rows.filter(r => r.mark === 2).length,
		estimated: rows.filter(r => r.mark === 3).length,
		reaped: rows.filter(r => r.state === 2).length,
		corrected: rows.filter(r => r.state === 3).length,
	};
}
