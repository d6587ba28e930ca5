// Budgets under load: what parallel requests and long streams may spend, what
// they are told, and what the ledger says of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Locker, write } from './lib/database.mjs';
import { call, events, message, stream } from './lib/http.mjs';
import { crowd } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

// $3 for a million tokens of input, $15 of output; a slice is 64 tokens.
const slice = 64;
let site;
const many = crowd(250);

before(async () => {
	site = await Site.start({ processes: 2,
		set: { reserve_slice_tokens: slice,
			queue_timeout_s: '60s' } });
});
after(async () => {
	many.agent.destroy();
	await site?.stop();
});

async function withBudget(options, { n = 1, concurrency = 200 } = {}) {
	const team = await site.team(n, { concurrency });
	await site.leasehold(['budget', 'add', '--key', team.name,
		'--name', `${team.name}-b`, ...options]);
	await sleep(400);
	return team;
}

async function budget(team) {
	return site.json('budget', 'show', `${team.name}-b`);
}

async function balanced(team) {
	const rows = await site.ledger(team);
	const { spent, reserved } = await budget(team);
	assert.equal(reserved, 0);
	const { differences, shown } = await site.json('ledger', 'verify');
	assert.equal(differences, 0, JSON.stringify(shown));
	return { rows, spent };
}

test('strict: 1,000 parallel requests against $5 spend no more', {
	timeout: 180000 }, async t => {
	const team = await withBudget(['--money', '5', '--policy', 'strict']);
	// Each may cost up to $0.15 and a bit, and costs a third of that.
	await site.mock.plan(team.accounts[0].secret,
		{ chunks: 3000, head_delay_ms: 30 });
	const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) =>
		call(team, message({ max_tokens: 10000, stream: i % 4 === 0 }),
			many)));
	const [fit, later, never] = [200, 429, 402].map(status =>
		answers.filter(a => a.status === status).length);
	t.diagnostic(`${fit} of 1000 fit, ${later} were told to come back, ` +
		`${never} that there is no more`);
	const { rows, spent } = await balanced(team);
	assert.ok(fit > 30, 'some fit');
	assert.equal(fit + later + never, 1000);
	assert.ok(spent <= 5e9, `${spent}`);
	assert.equal(spent, rows.reduce((sum, r) => sum + (r.cost_nusd ?? 0), 0));
	assert.ok(spent > 1e9, 'nor much less');
	assert.ok(rows.every(r => r.flags === 0));
});

test('elastic: long streams end when the money does, one slice over each',
	{ timeout: 120000 }, async t => {
		const n = 100, limit = 0.2;
		const team = await withBudget(['--money', String(limit)]);
		await site.mock.plan(team.accounts[0].secret,
			{ chunks: 2000, chunk_delay_ms: 2 });
		const answers = await Promise.all(Array.from({ length: n }, () =>
			stream(team, { max_tokens: 60000 }, many)));
		const { rows, spent } = await balanced(team);
		const cut = rows.filter(r => r.outcome === 'budget_cut');
		t.diagnostic(`${cut.length} streams were cut; $${spent / 1e9} ` +
			`of $${limit}, with ${Math.max(...rows.map(r => r.extensions))} ` +
			'extensions at most');
		assert.ok(cut.length >= n / 2, `${cut.length}`);
		assert.ok(cut.every(r => r.mark === 2));
		// Money for one slice of each open stream; and never much less.
		const over = n * slice * 15000;
		assert.ok(spent <= limit * 1e9 + over, `${spent}`);
		assert.ok(spent > limit * 1e9 / 2, `${spent}`);
		for (const a of answers) {
			if (a.status !== 200)
				continue;
			const last = events(a.body).at(-1);
			assert.ok(a.ended === 'end' && (last.event === 'message_stop' ||
				last.event === 'error'));
			if (last.event === 'error') {
				assert.equal(last.data.error.type, 'billing_error');
				assert.match(last.data.error.message,
					new RegExp(`${team.name}-b`));
			}
		}
		// What the upstream had sent by then was not much more.
		const served = await site.mock.requests(team.accounts[0].secret);
		assert.ok(served.some(r => r.deltas < 2000));
	});

test('a stream extends what it holds, and the rest is given back',
	async () => {
		const team = await withBudget(['--output-tokens', '100000']);
		await site.mock.plan(team.accounts[0].secret,
			{ chunks: 400, chunk_delay_ms: 4 });
		const answer = stream(team, { max_tokens: 60000 });
		let most = 0;
		for (;;) {
			const [row] = await site.sql(`SELECT l.state, l.extensions
				FROM ledger l JOIN api_key k ON k.id = l.key_id
				WHERE k.name = '${team.name}'`);
			if (row?.state === 1)
				break;
			most = Math.max(most, (await budget(team)).reserved);
		}
		assert.match((await answer).body, /message_stop/);
		const { rows: [row], spent } = await balanced(team);
		assert.ok(most > 2 * slice && most < 60000, `${most}`);
		assert.ok(row.extensions >= 3, `${row.extensions}`);
		assert.equal(row.flags, 0);
		assert.equal(spent, row.output_tokens);
		assert.equal(row.output_tokens, 400);
	});

test('the database is locked: the stream goes on, and is settled right',
	async () => {
		const team = await withBudget(['--output-tokens', '100000']);
		await site.mock.plan(team.accounts[0].secret,
			{ chunks: 300, chunk_delay_ms: 10 });
		const answer = stream(team, { max_tokens: 60000 });
		await site.mock.waitFor('a stream', team.accounts[0].secret,
			r => r.deltas > 5);
		const locker = await Locker.take(site);
		const whole = await answer;
		await locker.release();
		assert.equal(events(whole.body).at(-1).event, 'message_stop');
		const { rows: [row], spent } = await balanced(team);
		assert.equal(row.output_tokens, 300);
		assert.equal(spent, 300);
		assert.equal(row.mark, 1);
	});

test('answers say what is left; a refusal names the budget and its renewal',
	async () => {
		const team = await withBudget(['--requests', '2',
			'--period', 'day', '--zone', 'Asia/Kathmandu']);
		const first = await call(team);
		assert.equal(first.status, 200);
		assert.equal(first.headers['x-leasehold-budget-requests-limit'], '2');
		assert.equal(
			first.headers['x-leasehold-budget-requests-remaining'], '1');
		const renews = Date.parse(
			first.headers['x-leasehold-budget-requests-reset']);
		// Midnight there, 5:45 ahead of UTC.
		assert.equal(renews % 86400000, (24 - 5.75) * 3600000);
		assert.ok(renews > Date.now() && renews <= Date.now() + 86400000);
		assert.equal((await call(team)).status, 200);
		const refused = await call(team);
		assert.equal(refused.status, 429);
		const { error } = JSON.parse(refused.body);
		assert.equal(error.type, 'rate_limit_error');
		assert.match(error.message, new RegExp(`${team.name}-b`));
		assert.match(error.message, /day/);
		assert.equal(
			refused.headers['x-leasehold-budget-requests-remaining'], '0');
		assert.equal(refused.headers['x-leasehold-budget-requests-reset'],
			first.headers['x-leasehold-budget-requests-reset']);
		const wait = Number(refused.headers['retry-after']);
		assert.ok(Math.abs(wait - (renews - Date.now()) / 1000) < 60,
			`${wait}`);
		assert.equal(refused.headers['x-should-retry'],
			wait > 60 ? 'false' : undefined);
		const rows = await site.ledger(team);
		assert.equal(rows.length, 2);
	});

test('users, groups and models have budgets of their own', async () => {
	const team = await site.team(1);
	await site.leasehold(['user', 'add', `${team.name}-u`]);
	await site.leasehold(['key', 'set', team.name,
		'--user', `${team.name}-u`]);
	await site.leasehold(['budget', 'add', '--user', `${team.name}-u`,
		'--requests', '3']);
	await site.leasehold(['budget', 'add', '--group', team.name,
		'--requests', '1', '--models', 'claude-opus-*',
		'--name', `${team.name}-opus`]);
	await sleep(400);
	const opus = message({ model: 'claude-opus-4-1' });
	assert.equal((await call(team, opus)).status, 200);
	// Until it is settled it might be given back: 429.
	await site.ledger(team, { count: 1 });
	const refused = await call(team, opus);
	assert.equal(refused.status, 402);
	assert.match(refused.body, new RegExp(`${team.name}-opus`));
	assert.equal((await call(team)).status, 200);
	assert.equal((await call(team)).status, 200);
	await site.ledger(team, { count: 3 });
	assert.equal((await call(team)).status, 402);
	assert.equal((await site.ledger(team)).length, 3);
});

test('a rolling window forgets', { timeout: 60000 }, async () => {
	const team = await withBudget(['--requests', '1', '--period', 'rolling',
		'--length', '1m']);
	assert.equal((await call(team)).status, 200);
	const refused = await call(team);
	assert.equal(refused.status, 429);
	const wait = Number(refused.headers['retry-after']);
	assert.ok(wait >= 55 && wait <= 65, `${wait}`);
	// As if that had been a minute ago.
	await write(site, `UPDATE budget_window SET start_ms = start_ms - 62000
		WHERE budget_id = (SELECT id FROM budget
		WHERE name = '${team.name}-b') AND start_ms > 0`);
	assert.equal((await call(team)).status, 200);
});
