// What is limited stays so with many at once: slots of accounts, a key's own
// concurrency, the queue, budgets.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, message } from './lib/http.mjs';
import { money } from './lib/load.mjs';
import { crowd, needs } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

let site;
const each = crowd(Infinity);

before(async () => { site = await Site.start({ processes: 2 }); });
after(async () => {
	each.agent.destroy();
	await site?.stop();
});

function many(n, one) {
	return Promise.all(Array.from({ length: n }, (_, i) => one(i)));
}

function tally(answers) {
	const count = {};
	for (const { status } of answers)
		count[status] = (count[status] ?? 0) + 1;
	return count;
}

async function highWater(team) {
	const all = await site.mock.counters();
	return team.accounts.map(a => all[a.secret]?.high_water ?? 0);
}

describe('slots', () => {
	test('200 at once over three accounts: each at its limit, never beyond',
		async () => {
			const team = await site.team(3, { concurrency: 6 });
			await site.leasehold(['account', 'set',
				team.accounts[1].name, '--concurrency', '1']);
			await site.leasehold(['account', 'set',
				team.accounts[2].name, '--concurrency', '9']);
			await sleep(400);
			for (const { secret } of team.accounts)
				await site.mock.plan(secret, { head_delay_ms: 60 });
			const answers = await many(200, i => call(team,
				message({ stream: i % 2 === 0 }), each));
			assert.deepEqual(tally(answers), { 200: 200 });
			assert.deepEqual(await highWater(team), [6, 1, 9]);
			const rows = await site.ledger(team, { count: 200 });
			assert.ok(rows.every(r => r.outcome === 'ok' &&
				r.attempts === 1), 'one attempt each');
			const sent = await site.mock.requests(
				...team.accounts.map(a => a.secret));
			assert.equal(sent.length, 200);
			for (const kind of ['input', 'output'])
				assert.equal(
					rows.reduce((n, r) => n + r[`${kind}_tokens`], 0),
					sent.reduce((n, r) => n + r.usage[kind], 0));
			assert.ok(rows.some(r => r.queue_ms > 0), 'some waited');
			assert.deepEqual(await site.heldSlots(team), []);
		});

	test('fewer slots, or more, count from the next call on', async () => {
		const team = await site.team(1, { concurrency: 8 });
		const [{ name, secret }] = team.accounts;
		await site.mock.plan(secret, { head_delay_ms: 50 });
		await site.leasehold(
			['account', 'set', name, '--concurrency', '2']);
		await sleep(400);
		await many(12, () => call(team));
		assert.deepEqual(await highWater(team), [2]);
		await site.leasehold(
			['account', 'set', name, '--concurrency', '5']);
		await sleep(400);
		const answers = await many(20, () => call(team));
		assert.deepEqual(tally(answers), { 200: 20 });
		assert.deepEqual(await highWater(team), [5]);
	});

	test('a key with 300 calls does not starve another\'s', async () => {
		const team = await site.team(1, { concurrency: 4 });
		await site.mock.plan(team.accounts[0].secret,
			{ head_delay_ms: 100 });
		const other = { site, name: `${team.name}-other`,
			key: await site.makeKey(`${team.name}-other`,
				'--group', team.name) };
		let left = 300;
		const all = many(300, async () => {
			const answer = await call(team, message(), each);
			left--;
			return answer;
		});
		// All of them wait, and none is on its way.
		while ((await site.json('status')).queue.waiting < left - 20)
			await sleep(50);
		// How many of the crowd were served before each.
		const before = [];
		for (let i = 0; i < 5; i++) {
			const from = left;
			assert.equal((await call(other, message(), each)).status, 200);
			before.push(from - left);
		}
		assert.ok(left > 50, `the crowd still waits: ${left}`);
		assert.ok(Math.max(...before) < 30, `${before}`);
		assert.deepEqual(tally(await all), { 200: 300 });
	});

	test('a key\'s own concurrency holds over all processes', async () => {
		const team = await site.team(2, { concurrency: 10,
			keyOptions: ['--concurrency', '3'] });
		for (const { secret } of team.accounts)
			await site.mock.plan(secret, { head_delay_ms: 40 });
		const most = [];
		const look = setInterval(async () => most.push(
			(await site.heldSlots(team)).length), 50);
		const answers = await many(40, () => call(team));
		clearInterval(look);
		assert.deepEqual(tally(answers), { 200: 40 });
		const [a, b] = await highWater(team);
		assert.ok(a <= 3 && b <= 3 && a + b >= 3, `${a}, ${b}`);
		assert.equal(Math.max(...most), 3);
	});
});

describe('the queue', () => {
	let own;

	before(async () => {
		own = await Site.start({ processes: 2,
			set: { queue_max: 3, queue_timeout_s: '1500ms' } });
	});
	after(() => own?.stop());

	function assertBusy(answer) {
		assert.equal(answer.status, 429, answer.body);
		assert.equal(JSON.parse(answer.body).error.type,
			'rate_limit_error');
		const seconds = Number(answer.headers['retry-after']);
		assert.ok(seconds >= 1 && seconds <= 60, `${seconds}`);
	}

	test('beyond its bound: 429 at once; past its time: 429 then',
		async () => {
			const team = await own.team(1, { concurrency: 1 });
			await own.mock.plan(team.accounts[0].secret,
				{ head_delay_ms: 4000, count: 1 }, {});
			const held = call(team);
			await own.mock.waitFor('the one that holds the slot',
				team.accounts[0].secret, () => true);
			const took = [];
			const answers = await many(13, async () => {
				const from = Date.now();
				const answer = await call(team);
				took.push(Date.now() - from);
				return answer;
			});
			answers.forEach(assertBusy);
			const waited = took.filter(ms => ms >= 1400);
			assert.equal(waited.length, 3, `${took}`);
			assert.ok(Math.max(...waited) < 3500, `${took}`);
			assert.ok(took.filter(ms => ms < 1400).every(ms => ms < 1000),
				`${took}`);
			assert.equal((await own.mock.requests(
				team.accounts[0].secret)).length, 1, 'nothing else went up');
			assert.equal((await held).status, 200);
			await own.ledger(team);
			assert.equal((await call(team)).status, 200);
			const [{ n }] = await own.sql(
				'SELECT count(*) AS n FROM ticket');
			assert.equal(n, 0);
		});

	test('a key that fills it does not keep the others out', async () => {
		const team = await own.team(1, { concurrency: 1 });
		const few = { site: own,
			key: await own.makeKey(`${team.name}-few`,
				'--group', team.name) };
		await own.mock.plan(team.accounts[0].secret,
			{ head_delay_ms: 3500, count: 1 }, {});
		const timed = async key => {
			const from = Date.now();
			const { status } = await call(key);
			return { status, ms: Date.now() - from };
		};
		const greedy = many(10, () => timed(team));
		await sleep(400);
		// A place of its own, though the queue is full.
		const patient = await timed(few);
		assert.equal(patient.status, 429);
		assert.ok(patient.ms >= 1400, `${patient.ms} ms`);
		assert.equal((await greedy).filter(a => a.status === 200).length,
			1);
		await own.ledger(team);
	});

	test('a client that leaves it makes room', { skip: needs('tells') },
		async () => {
		const team = await own.team(1, { concurrency: 1 });
		await own.mock.plan(team.accounts[0].secret,
			{ end: 'silent', at: 'head', count: 1 }, {});
		const aborts = [];
		const start = () => {
			const abort = new AbortController();
			aborts.push(abort);
			return call(team, message(), { signal: abort.signal })
				.catch(() => {});
		};
		const calls = [start()];
		await own.mock.waitFor('the one that holds the slot',
			team.accounts[0].secret, () => true);
		for (let i = 0; i < 3; i++)
			calls.push(start());
		await sleep(200);
		assertBusy(await call(team));
		aborts[1].abort();
		aborts[2].abort();
		await sleep(200);
		const late = call(team);
		await sleep(100);
		aborts[0].abort();
		assert.equal((await late).status, 200);
		assert.equal((await calls[3]).status, 200);
		await own.ledger(team);
	});
});

describe('a budget', () => {
	// claude-sonnet-4-5 on the shipped list: 3 and 15 dollars a million.
	const call1 = 100 * 3000 + 20 * 15000;

	test('is not overrun by 200 at once, and is spent to the last call',
		{ timeout: 60000 }, async () => {
			const limit = 50 * call1;
			const team = await site.team(2, { concurrency: 20,
				keyOptions: ['--budget', String(limit / 1e9)] });
			for (const { secret } of team.accounts)
				await site.mock.plan(secret, { chunks: 20,
					input_tokens: 100, head_delay_ms: 30 });
			let most = 0;
			const look = setInterval(async () => {
				const m = await money(team);
				most = Math.max(most, (m?.spent ?? 0) +
					(m?.reserved ?? 0));
			}, 50);
			const one = () => call(team, message({ max_tokens: 20 }));
			const answers = await many(200, one);
			const count = tally(answers);
			clearInterval(look);
			await site.ledger(team);
			// What others hold comes back: those are told to wait.
			for (const a of answers.filter(r => r.status !== 200)) {
				assert.ok([402, 429].includes(a.status), a.status);
				assert.equal(a.headers['retry-after'],
					a.status === 429 ? '5' : undefined);
			}
			assert.ok(count[200] <= 50, JSON.stringify(count));
			let m = await money(team);
			assert.equal(m.spent, count[200] * call1);
			assert.equal(m.spent, m.ledger);
			assert.equal(m.reserved, 0);
			assert.ok(most <= limit, `${most} of ${limit}`);

			// One by one until it is used up.
			let last;
			for (let i = 0; i < 60; i++)
				if ((last = await one()).status !== 200)
					break;
			assert.equal(last.status, 402);
			assert.equal(JSON.parse(last.body).error.type,
				'billing_error');
			assert.equal(last.headers['x-should-retry'], 'false');
			await site.ledger(team);
			m = await money(team);
			assert.ok(m.spent <= limit && m.spent > limit - 3 * call1,
				`${m.spent} of ${limit}`);
			const sent = await site.mock.requests(
				...team.accounts.map(a => a.secret));
			assert.equal(m.spent, sent.length * call1);
		});

	test('is for keys alone: others of the group call on', async () => {
		const team = await site.team(1,
			{ keyOptions: ['--budget', '0.000001'] });
		assert.equal((await call(team)).status, 402);
		const other = { site, key: await site.makeKey(
			`${team.name}-rich`, '--group', team.name) };
		assert.equal((await call(other)).status, 200);
		await site.leasehold(['key', 'set', team.name, '--budget', '5']);
		await sleep(400);
		assert.equal((await call(team)).status, 200);
	});

	test('counts what the upstream bills beyond the worst case', async () => {
		const team = await site.team(1, { keyOptions: ['--budget', '1'] });
		await site.mock.plan(team.accounts[0].secret,
			{ input_tokens: 5000 });
		assert.equal((await call(team, message({ max_tokens: 1 }))).status,
			200);
		const [row] = await site.ledger(team, { count: 1 });
		assert.equal(row.cost_nusd, 5000 * 3000 + 15000);
		assert.ok(row.cost_nusd > row.reserved_nusd);
		const m = await money(team);
		assert.equal(m.spent, row.cost_nusd);
		assert.equal(m.reserved, 0);
	});
});
