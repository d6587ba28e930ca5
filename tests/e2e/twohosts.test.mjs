// Two pools, each with its own web server, lease from one database: limits
// hold over both, and whatever is killed - a pool, the database, both - the
// ledger is what the upstream served.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onMysql, vanish } from './lib/database.mjs';
import { booksBalance, health, openRows, until } from './lib/hosts.mjs';
import { call, message, stream } from './lib/http.mjs';
import { Load } from './lib/load.mjs';
import { crowd } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

// Longer than a batch is tried while somebody keeps a row locked.
const set = { dead_after_s: '8s' };

let one, two, team, other;
const many = crowd(400);

describe('two pools on one database', { skip: !onMysql }, () => {
	before(async () => {
		one = await Site.start({ set });
		two = await Site.beside(one, { set });
		team = await one.team(4, { concurrency: 10, priority: 10,
			keyOptions: ['--budget', '1000'] });
		other = { ...team, site: two };
		await sleep(300);
	});
	after(async () => {
		many.agent.destroy();
		await two?.stop();
		await one?.stop();
	});

	test('what one makes the other knows', async () => {
		const list = await two.json('account', 'list');
		assert.equal(list.length, 4);
		const { responders } = await two.json('status');
		assert.equal(responders.filter(r => r.kind === 'relay').length, 4);
		assert.equal((await call(other)).status, 200);
	});

	test('the server keeps no more statements than are used', async () => {
		const [{ Value: kept }] = await one.sql(
			"SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'");
		assert.ok(Number(kept) < 1000, kept);
	});

	test('400 parallel requests over 4 accounts stay within their limits',
		async t => {
			for (const { secret } of team.accounts)
				await one.mock.plan(secret, { chunks: 4,
					head_delay_ms: 20, chunk_delay_ms: 10 });
			const answers = await Promise.all(Array.from({ length: 400 },
				(_, i) => (i % 4 < 2 ? stream : call)(i % 2 ? other : team,
					i % 4 < 2 ? {} : message(), many)));
			for (const answer of answers)
				assert.equal(answer.status, 200, answer.body);
			const counters = await one.mock.counters();
			const high = team.accounts.map(a => counters[a.secret].high_water);
			t.diagnostic(`in flight at most: ${high.join(', ')}`);
			assert.ok(Math.max(...high) <= 10, `${high}`);
			assert.ok(Math.min(...high) >= 7, 'all accounts were used');
			const rows = await one.ledger(team, { count: 401 });
			const sent = await one.mock.requests(
				...team.accounts.map(a => a.secret));
			assert.equal(sent.length, 401);
			assert.equal(rows.reduce((n, r) => n + r.output_tokens, 0),
				sent.reduce((n, r) => n + r.usage.output, 0));
			assert.equal(new Set(rows.map(r => r.responder_id)).size, 4,
				'all responders took part');
			assert.deepEqual(await one.heldSlots(team), []);
		});

	test('kill -9 of one whole pool: the other reaps it',
		{ timeout: 60000 }, async t => {
			const loads = [Load.start(team, { clients: 8 }),
				Load.start(other, { clients: 8 })];
			await sleep(1500);
			await two.killGroup('relay-pool');
			const from = Date.now();
			await loads[1].stop();
			await until('the dead to be gone', async () => {
				const [{ n }] = await one.sql(`SELECT count(*) AS n
					FROM responder WHERE kind = 'relay'`);
				return n === 2;
			}, 20000);
			t.diagnostic(`reaped after ${Date.now() - from} ms`);
			await loads[0].stop();
			await until('leases to heal', async () => await openRows(one) === 0,
				15000);
			assert.ok(loads[0].good.length > 50);
			assert.deepEqual(loads[0].bad, [], 'one was not hurt');
			await booksBalance(loads, { limit: 10 });
			await two.quickstart();
			await until('health', async () => await health(two) === 200, 5000);
		});

	test('kill -9 of the database under load: it heals without a restart',
		{ timeout: 90000 }, async t => {
			const loads = [Load.start(team, { clients: 6, pause: 20 }),
				Load.start(other, { clients: 6, pause: 20 })];
			await sleep(1000);
			// These run through the outage.
			for (const { secret } of team.accounts)
				await one.mock.plan(secret, { chunks: 20,
					chunk_delay_ms: 100 });
			const through = [stream(team), stream(other)];
			await sleep(500);
			await one.killGroup('mysql');
			const from = Date.now();
			await until('503', async () => await health(one) === 503 &&
				await health(two) === 503, 5000);
			const refused = await call(team);
			assert.equal(refused.status, 503);
			assert.ok(Number(refused.headers['retry-after']) > 0);
			for (const answer of await Promise.all(through)) {
				assert.equal(answer.status, 200);
				assert.match(answer.body, /message_stop/);
			}
			await sleep(1500);
			await one.quickstart();
			await until('health', async () => await health(one) === 200 &&
				await health(two) === 200, 15000);
			t.diagnostic(`away for ${Date.now() - from} ms`);
			for (const { secret } of team.accounts)
				await one.mock.plan(secret, {});
			await sleep(1000);
			for (const load of loads)
				await load.stop();
			await until('settlements', async () => await openRows(one) === 0, 15000);
			for (const load of loads)
				assert.ok(load.bad.every(c => c.status === 503),
					JSON.stringify(load.bad.find(c => c.status !== 503)));
			await booksBalance(loads, { limit: 10 });
		});

	test('kill -9 of the database and a pool at once',
		{ timeout: 90000 }, async () => {
			const loads = [Load.start(team, { clients: 6, pause: 20 }),
				Load.start(other, { clients: 6, pause: 20 })];
			await sleep(1000);
			await Promise.all([one.killGroup('mysql'),
				two.killGroup('relay-pool')]);
			await loads[1].stop();
			await sleep(1000);
			await one.quickstart();
			await two.quickstart();
			await until('health', async () => await health(one) === 200 &&
				await health(two) === 200, 15000);
			await sleep(1000);
			await loads[0].stop();
			await until('leases to heal', async () => await openRows(one) === 0,
				20000);
			await booksBalance(loads, { limit: 10 });
		});

	test('a host that vanishes in a transaction: its locks go, nobody dies',
		{ timeout: 90000 }, async t => {
			const ids = () => one.sql(`SELECT id FROM responder
				WHERE kind = 'relay' ORDER BY id`);
			const before = await ids();
			const gone = await vanish(one,
				'SELECT * FROM budget_window FOR UPDATE');
			const from = Date.now();
			const load = Load.start(team, { clients: 4, pause: 50 });
			t.after(() => { load.over = true; gone.kill(); });
			const free = { ...other, key: await two.makeKey('free',
				'--group', team.name) };
			await sleep(10000);
			// Who does not need those rows is served meanwhile.
			assert.equal((await call(free)).status, 200);
			assert.deepEqual(await ids(), before, 'all beat on');
			await until('a good call', async () =>
				(await call(other)).status === 200, 30000);
			t.diagnostic(`held up for ${Date.now() - from} ms`);
			assert.ok(Date.now() - from < 22000);
			await load.stop();
			gone.kill();
			assert.ok(load.bad.length > 0, 'it was felt');
			assert.ok(load.bad.every(c => c.status === 503),
				JSON.stringify(load.bad.find(c => c.status !== 503)));
			const slowest = Math.max(...load.calls.map(c =>
				c.ended - c.at));
			t.diagnostic(`longest call: ${slowest} ms`);
			await until('settlements', async () => await openRows(one) === 0, 15000);
			await booksBalance([load], { limit: 10 });
		});

	test('a server that is not there at start is waited for',
		{ timeout: 60000 }, async () => {
			await two.quickstart('--stop');
			await one.killGroup('mysql');
			// quickstart itself needs the database for its first key.
			await assert.rejects(two.quickstart());
			await one.quickstart();
			await two.quickstart();
			assert.equal(await health(two), 200);
			assert.equal((await call(other)).status, 200);
		});
});
