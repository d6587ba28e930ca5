// What goes away under load: a host, the database, both, and a responder that
// stops in the middle of a transaction.  With the times that are shipped.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { booksBalance, health, longestGap, openRows, relays, spooled, until }
	from '../e2e/lib/hosts.mjs';
import { call, message, stream } from '../e2e/lib/http.mjs';
import { Load } from '../e2e/lib/load.mjs';
import { Site } from '../e2e/lib/site.mjs';

const long = process.env.LEASEHOLD_LONG === '1';

let one, two;
const started = [];

before(async () => {
	one = await Site.start();
	two = await Site.beside(one);
});
after(async () => {
	await two?.stop();
	await one?.stop();
});

// A team of its own, as the clients of both hosts see it.
async function both(plan, concurrency = 10) {
	const team = await one.team(4, { concurrency, priority: 10,
		keyOptions: ['--budget', '1000'] });
	for (const { secret } of team.accounts)
		await one.mock.plan(secret, plan);
	await sleep(300);
	return [team, { ...team, site: two }];
}

function start(teams, options) {
	const loads = teams.map(team => Load.start(team, options));
	started.push(...loads);
	return loads;
}

// A test that failed leaves the next ones in peace.
afterEach(async () => {
	for (const pid of await two.responders())
		process.kill(pid, 'SIGCONT');
	await Promise.all(started.splice(0).map(load => load.stop()));
});

async function settled() {
	await until('leases to heal', async () => await openRows(one) === 0,
		25000);
}

async function healthy(ms = 15000) {
	return until('health', async () => await health(one) === 200 &&
		await health(two) === 200, ms);
}

async function pids() {
	return [...await one.responders(), ...await two.responders()];
}

function refusedRightly(load) {
	for (const { status, body } of load.bad)
		assert.equal(status, 503, body);
}

async function refused(team) {
	const from = Date.now();
	const answer = await call(team);
	assert.equal(answer.status, 503, answer.body);
	assert.equal(JSON.parse(answer.body).type, 'error');
	const seconds = Number(answer.headers['retry-after']);
	assert.ok(seconds >= 1 && seconds <= 60, `${seconds}`);
	assert.ok(Date.now() - from < 6000);
	const state = await fetch(`${team.site.url}/health`);
	assert.equal(state.status, 503);
	assert.ok(Number(state.headers.get('retry-after')) >= 1);
}

test('a host that vanishes is reaped within 15 s; the other goes on',
	{ timeout: 90000 }, async t => {
		const teams = await both({ chunks: 5, chunk_delay_ms: 20 });
		const loads = start(teams, { clients: 8, pause: 10 });
		await sleep(1500);
		const from = Date.now();
		await two.killGroup('relay-pool');
		loads[1].stop();
		await until('the dead to be gone',
			async () => await relays(one) === 2, 25000);
		const ms = Date.now() - from;
		t.diagnostic(`reaped after ${ms} ms`);
		assert.ok(ms >= 14000 && ms < 17000, `${ms}`);
		await Promise.all(loads.map(load => load.stop()));
		await settled();
		assert.ok(loads[0].good.length > 100);
		assert.deepEqual(loads[0].bad, [], 'the other was not hurt');
		assert.ok(longestGap(loads[0], from, from + ms) < 2000);
		await booksBalance(loads, { limit: 10 });
		const rows = await one.ledger(teams[0]);
		const reaped = rows.filter(r => r.state === 2);
		assert.ok(reaped.length > 0, 'it left something behind');
		assert.ok(reaped.every(r => r.mark === (r.attempts > 0 ? 3 : 0)));
		await two.quickstart();
		await healthy();
	});

test('the database is killed for 10 s: streams end well, it heals',
	{ timeout: 120000 }, async t => {
		const teams = await both({ chunks: 30, chunk_delay_ms: 100 });
		const before = await pids();
		const loads = start(teams, { clients: 4, pause: 100 });
		await sleep(1000);
		const through = teams.map(team => stream(team));
		await sleep(300);
		await one.killGroup('mysql');
		await until('503', async () => await health(one) === 503 &&
			await health(two) === 503, 6000);
		for (const team of teams)
			await refused(team);
		for (const answer of await Promise.all(through)) {
			assert.equal(answer.status, 200);
			assert.match(answer.body, /message_stop/);
		}
		for (const site of [one, two])
			await until('settlements on disk',
				async () => await spooled(site) > 0, 5000);
		await sleep(6000);
		await one.quickstart();
		const ms = await healthy();
		t.diagnostic(`healthy ${ms} ms after the server`);
		assert.ok(ms < 5000, `${ms}`);
		await sleep(1500);
		await Promise.all(loads.map(load => load.stop()));
		await settled();
		assert.equal(await spooled(one) + await spooled(two), 0);
		loads.forEach(refusedRightly);
		await booksBalance(loads, { limit: 10 });
		assert.deepEqual(await pids(), before, 'no responder ended');
		// What had been answered in full is known in full.
		const rows = await one.ledger(teams[0]);
		const unsure = rows.filter(r => r.outcome === 'ok' && r.mark !== 1);
		assert.deepEqual(unsure, []);
	});

test('the database and a whole host at once',
	{ timeout: 120000 }, async () => {
		const teams = await both({ chunks: 5, chunk_delay_ms: 20 });
		const loads = start(teams, { clients: 8, pause: 20 });
		await sleep(1000);
		await Promise.all([one.killGroup('mysql'),
			two.killGroup('relay-pool')]);
		loads[1].stop();
		await sleep(5000);
		await one.quickstart();
		await until('health', async () => await health(one) === 200, 15000);
		// Silence during the outage does not count: 15 s from now.
		await until('the dead to be gone',
			async () => await relays(one) === 2, 25000);
		await Promise.all(loads.map(load => load.stop()));
		await settled();
		refusedRightly(loads[0]);
		await booksBalance(loads, { limit: 10 });
		await two.quickstart();
		await healthy();
	});

test('responders that start without a database wait for it',
	{ timeout: 60000 }, async () => {
		const teams = await both({});
		await one.killGroup('mysql');
		for (const pid of await pids())
			process.kill(pid, 'SIGKILL');
		await until('new ones', async () => await health(one) === 503 &&
			await health(two) === 503, 10000);
		const born = await pids();
		for (const team of teams)
			await refused(team);
		await one.quickstart();
		await healthy();
		for (const team of teams)
			assert.equal((await call(team)).status, 200);
		assert.deepEqual(await pids(), born, 'the same ones serve');
		await settled();
		await until('the dead to be gone',
			async () => await relays(one) === 4, 25000);
	});

// Stop the second host's responders in turn, until one is caught inside a
// transaction, which the server then sees idle.
async function stopInside() {
	for (let i = 0; i < 100; i++) {
		const pid = (await two.responders())[i % 2];
		process.kill(pid, 'SIGSTOP');
		await sleep(60);
		const [{ n }] = await one.sql(`SELECT count(*) AS n
			FROM information_schema.innodb_trx t
			JOIN information_schema.processlist p
			ON p.id = t.trx_mysql_thread_id
			WHERE p.command = 'Sleep' AND p.time_ms > 50
			AND t.trx_rows_locked > 0`);
		if (n > 0)
			return pid;
		process.kill(pid, 'SIGCONT');
		await sleep(150 + i % 7 * 15);
	}
	throw new Error('no responder could be stopped inside a transaction');
}

for (let i = 0; i < (long ? 4 : 1); i++)
	test(`a responder stops inside a transaction (${i + 1})`,
		{ timeout: 150000 }, async t => {
			// One that comes back late is one too many on its slots.
			const teams = await both({ chunks: 2 }, 100);
			const loads = start(teams, { clients: 12, pause: 60 });
			await sleep(700);
			const pid = await stopInside();
			const from = Date.now();
			// Time-outs: the server gives it up after 5 s; waits for
			// locks take 2 s, and a batch is tried for 4.  After 15 s
			// it is reaped.
			await sleep(20000);
			const to = Date.now();
			const gap = longestGap(loads[0], from, to);
			t.diagnostic(`held the other host up for ${gap} ms`);
			assert.equal(await relays(one), 3, 'it was reaped');
			process.kill(pid, 'SIGCONT');
			await sleep(1000);
			await Promise.all(loads.map(load => load.stop()));
			assert.ok(gap < 5000 + 2000 + 4000, `${gap}`);
			refusedRightly(loads[0]);
			await settled();
			await booksBalance(loads);
			await until('all four', async () => await relays(one) === 4,
				5000);
		});

test('and all are whole again', async () => {
	const teams = await both({});
	const answers = await Promise.all(Array.from({ length: 40 },
		(_, i) => call(teams[i % 2], message())));
	assert.ok(answers.every(a => a.status === 200));
	await one.ledger(teams[0], { count: 40 });
	assert.equal(await openRows(one), 0);
	assert.deepEqual(await one.cooldowns(teams[0]), []);
});
