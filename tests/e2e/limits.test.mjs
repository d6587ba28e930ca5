// Limits under parallel load: never more in flight than allowed, nobody
// forgotten, nobody favoured.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { call, message, stream } from './lib/http.mjs';
import { Site } from './lib/site.mjs';

let site;
const agent = new http.Agent({ keepAlive: true, maxSockets: 400 });

before(async () => { site = await Site.start(); });
after(async () => {
	agent.destroy();
	await site?.stop();
});

function many(n, send) {
	return Promise.all(Array.from({ length: n }, (_, i) => send(i)));
}

async function highWater(team) {
	const counters = await site.mock.counters();
	return team.accounts.map(a => counters[a.secret]?.high_water ?? 0);
}

test('200 parallel requests over 3 accounts stay within their limits',
	async t => {
		const team = await site.team(3, { concurrency: 5, priority: 10 });
		for (const { secret } of team.accounts)
			await site.mock.plan(secret, { chunks: 4, head_delay_ms: 20,
				chunk_delay_ms: 10 });
		const answers = await many(200, i =>
			(i % 2 ? stream : call)(team, i % 2 ? {} : message(), { agent }));
		for (const answer of answers)
			assert.equal(answer.status, 200, answer.body);
		const high = await highWater(team);
		t.diagnostic(`in flight at most: ${high.join(', ')}`);
		assert.ok(Math.max(...high) <= 5, `${high}`);
		assert.ok(Math.min(...high) >= 4, 'all accounts were used');
		const rows = await site.ledger(team, { count: 200 });
		const sent = await site.mock.requests(
			...team.accounts.map(a => a.secret));
		assert.equal(sent.length, 200);
		assert.ok(rows.every(r => r.outcome === 'ok' && r.mark === 1));
		assert.equal(rows.reduce((n, r) => n + r.input_tokens, 0),
			sent.reduce((n, r) => n + r.usage.input, 0));
		assert.equal(rows.reduce((n, r) => n + r.output_tokens, 0), 800);
		assert.deepEqual(await site.heldSlots(team), []);
	});

test('a key has a limit of its own', async () => {
	const team = await site.team(1, { concurrency: 50,
		keyOptions: ['--concurrency', '3'] });
	await site.mock.plan(team.accounts[0].secret, { head_delay_ms: 30 });
	const answers = await many(30, () => call(team, message(), { agent }));
	assert.ok(answers.every(a => a.status === 200));
	assert.deepEqual(await highWater(team), [3]);
	await site.ledger(team, { count: 30 });
});

test('a key with many requests does not starve one with few', async () => {
	const team = await site.team(1, { concurrency: 2 });
	const name = `${team.name}-few`;
	const few = { ...team, name,
		key: await site.makeKey(name, '--group', team.name) };
	await site.mock.plan(team.accounts[0].secret, { head_delay_ms: 50 });
	const done = [];
	const greedy = many(60, async () => {
		await call(team, message(), { agent });
		done.push('many');
	});
	await new Promise(go => setTimeout(go, 300));
	await many(3, async () => {
		await call(few, message(), { agent });
		done.push('few');
	});
	const before = done.filter(w => w === 'many').length;
	assert.ok(before < 40, `${before} of the 60 went before`);
	await greedy;
	assert.deepEqual(await highWater(team), [2]);
});

test('the queue is bounded in length and in time', async () => {
	const small = await Site.start({ processes: 1,
		set: { queue_max: 4, queue_timeout_s: '1s' } });
	try {
		const team = await small.team(1, { concurrency: 1 });
		await small.mock.plan(team.accounts[0].secret,
			{ head_delay_ms: 3000 });
		const began = Date.now();
		const answers = await many(10, async () => {
			const answer = await call(team, message(), { agent });
			return { ...answer, ms: Date.now() - began };
		});
		const good = answers.filter(a => a.status === 200);
		const refused = answers.filter(a => a.status !== 200);
		assert.equal(good.length, 1);
		for (const answer of refused) {
			assert.ok([429, 503].includes(answer.status));
			const error = JSON.parse(answer.body);
			assert.equal(error.type, 'error');
			assert.notEqual(error.error.type, 'overloaded_error');
			const seconds = Number(answer.headers['retry-after']);
			assert.ok(seconds >= 1 && seconds <= 60);
		}
		assert.equal(refused.filter(a => a.ms < 900).length, 5,
			'those that found no place');
		assert.equal(refused.filter(a => a.ms >= 900 &&
			a.ms < 2500).length, 4, 'those that waited in vain');
		assert.deepEqual((await small.json('status')).queue.waiting, 0);
	} finally {
		await small.stop();
	}
});

test('a key that fills the queue does not keep the others out', async () => {
	const small = await Site.start({ processes: 2,
		set: { queue_max: 6, queue_timeout_s: '2s' } });
	try {
		const team = await small.team(1, { concurrency: 1 });
		const name = `${team.name}-few`;
		const few = { ...team, name, key: await small.makeKey(name,
			'--group', team.name) };
		await small.mock.plan(team.accounts[0].secret,
			{ head_delay_ms: 4000 });
		const timed = key => async () => {
			const began = Date.now();
			const { status } = await call(key, message(), { agent });
			return { status, ms: Date.now() - began };
		};
		const greedy = many(20, timed(team));
		await new Promise(go => setTimeout(go, 500));
		const patient = await many(4, timed(few));
		assert.equal(patient.filter(a => a.ms >= 1900).length, 3,
			'half of the places of the queue');
		assert.equal(patient.filter(a => a.status === 429).length, 4);
		assert.equal((await greedy).filter(a => a.status !== 200 &&
			a.ms < 1900).length, 13, 'beyond the queue');
	} finally {
		await small.stop();
	}
});

test('a budget in money is not overrun by parallel requests', async t => {
	// At the most a token a byte, written to the cache for an hour, and all
	// of max_tokens: 1.05 KB * $6 and 100 * $15 a million, 7.8 m$ each.
	const team = await site.team(2, { concurrency: 50,
		keyOptions: ['--budget', '0.02'] });
	for (const { secret } of team.accounts)
		await site.mock.plan(secret, { chunks: 100, head_delay_ms: 20 });
	const answers = await many(60, () => call(team,
		message({ max_tokens: 100, system: 'x'.repeat(900) }), { agent }));
	const good = answers.filter(a => a.status === 200).length;
	t.diagnostic(`${good} of 60 fit into the budget`);
	assert.ok(good >= 2 && good < 9, `${good}`);
	for (const answer of answers.filter(a => a.status !== 200)) {
		assert.ok([402, 403, 429].includes(answer.status),
			`${answer.status}`);
		assert.equal(JSON.parse(answer.body).type, 'error');
	}
	await site.ledger(team);
	const [key] = await site.sql(`SELECT w.spent, w.reserved
		FROM budget_window w JOIN budget b ON b.id = w.budget_id
		JOIN api_key k ON k.id = b.scope_id WHERE k.name = '${team.name}'`);
	assert.ok(key.spent <= 20000000, `${key.spent}`);
	assert.equal(key.reserved, 0);
	const rows = await site.ledger(team);
	assert.equal(rows.reduce((n, r) => n + (r.cost_nusd ?? 0), 0),
		key.spent);
});
