// A new pool in the old one's place, the end of a pool, and new settings,
// all under load.
// Store: any.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { alive } from './lib/hosts.mjs';
import { call, events, message, request, stream } from './lib/http.mjs';
import { Load, accounts } from './lib/load.mjs';
import { Site } from './lib/site.mjs';

let site, team;

before(async () => {
	site = await Site.start({ processes: 2, set: { drain_s: '4s' } });
	team = await site.team(2, { concurrency: 50 });
	for (const { secret } of team.accounts)
		await site.mock.plan(secret, { chunks: 10, chunk_delay_ms: 20 });
});
after(() => site?.stop());

async function gone(pids, ms) {
	const from = Date.now();
	while (pids.some(alive)) {
		assert.ok(Date.now() - from < ms,
			`${pids.filter(alive)} still run after ${ms} ms`);
		await sleep(20);
	}
	return Date.now() - from;
}

async function exactlyOnce(load) {
	for (const { call, rows, served } of await accounts(load)) {
		const what = JSON.stringify({ call, rows, served });
		assert.equal(rows.length, 1, what);
		assert.equal(rows[0].outcome, 'ok', what);
		assert.equal(served.length, 1, what);
	}
}

describe('a new pool', () => {
	test('takes over under load without a failed request',
		{ timeout: 60000 }, async () => {
			const load = Load.start(team, { clients: 10 });
			await sleep(300);
			for (let i = 0; i < 3; i++) {
				const before = await site.responders();
				const admin = await site.pid('admin-pool');
				await site.quickstart('--restart');
				const now = await site.responders();
				assert.equal(now.length, 2);
				assert.ok(!now.some(pid => before.includes(pid)));
				assert.notEqual(await site.pid('admin-pool'), admin);
				await sleep(400);
			}
			await load.stop();
			assert.deepEqual(load.bad, []);
			assert.ok(load.good.length > 50, `${load.good.length} calls`);
			await exactlyOnce(load);
		});

	test('the old one finishes its streams and exits', async () => {
		const old = await site.responders();
		const long = Array.from({ length: 8 }, () =>
			stream(team, { model: 'mock-slow-20x100ms' }));
		await site.mock.waitFor('streams', team.accounts[0].secret,
			r => r.model === 'mock-slow-20x100ms' && r.deltas > 0);
		await sleep(200);
		await site.quickstart('--restart');
		for (const answer of await Promise.all(long))
			assert.equal(events(answer.body).at(-1).event, 'message_stop');
		await gone(old, 9000);
		await site.ledger(team);
	});

	test('that cannot start changes nothing', { timeout: 60000 }, async () => {
		const before = await site.responders();
		const good = await readFile(site.conf, 'utf8');
		await writeFile(site.conf, good +
			`access_log = file:${site.dir}/none/access.log\n`);
		const load = Load.start(team, { clients: 4 });
		const restart = await site.tryLeasehold(['restart']);
		await load.stop();
		await writeFile(site.conf, good);
		assert.equal(restart.status, 1);
		assert.match(restart.stderr, /cannot open log file .*access\.log/);
		assert.match(restart.stderr, /new relay responders do not come up/);
		assert.deepEqual(await site.responders(), before);
		assert.deepEqual(load.bad, []);
		assert.ok(load.good.length > 50, `${load.good.length} calls`);
	});

	test('takes over also where multiwatch was killed', async () => {
		const orphans = await site.responders();
		process.kill(await site.pid('relay-pool'), 'SIGKILL');
		await site.quickstart('--restart');
		await gone(orphans, 9000);
		assert.equal((await site.responders()).length, 2);
		assert.equal((await call(team)).status, 200);
	});

	test('and leaves nothing behind', async () => {
		// The new ones may not have been entered yet.
		const late = Date.now() + 5000;
		let rows;
		do {
			rows = await site.sql(
				'SELECT * FROM responder WHERE kind = \'relay\'');
		} while (rows.length < 2 && Date.now() < late);
		assert.equal(rows.length, 2);
		const status = await site.json('status');
		assert.equal(status.responders.filter(
			r => r.kind === 'relay').length, 2);
	});
});

describe('SIGTERM', () => {
	test('of an idle one: it exits, and its row goes', async () => {
		const [pid] = await site.responders();
		process.kill(pid, 'SIGTERM');
		await gone([pid], 5000);
		await sleep(300);
		const rows = await site.sql(
			`SELECT * FROM responder WHERE pid = ${pid}`);
		assert.deepEqual(rows, []);
		// multiwatch has started another.
		assert.equal((await site.responders()).length, 2);
	});

	test('when drain_s is over, streams end in an error event and are settled',
		async () => {
			const own = await site.team(1);
			await site.mock.plan(own.accounts[0].secret,
				{ end: 'silent', at: 'chunk', after: 2 });
			const streams = [stream(own), stream(own), call(own)];
			await site.mock.waitFor('the third',
				own.accounts[0].secret, r => !r.stream);
			const old = await site.responders();
			const from = Date.now();
			await site.quickstart('--restart');
			const answers = await Promise.all(streams);
			const took = Date.now() - from;
			assert.ok(took > 3500 && took < 7000, `${took} ms`);
			for (const answer of answers.slice(0, 2)) {
				const last = events(answer.body).at(-1);
				assert.equal(last.event, 'error', answer.body);
				assert.equal(last.data.error.type, 'api_error');
				assert.match(last.data.error.message, /stopped/);
			}
			assert.equal(answers[2].status, 503);
			assert.ok(answers[2].headers['retry-after']);
			await gone(old, 4000);
			const rows = await site.ledger(own, { count: 3 });
			for (const row of rows) {
				assert.equal(row.state, 1, 'settled, not reaped');
				assert.equal(row.outcome, 'stopped');
			}
			// What streamed has input as stated; of the plain call nothing
			// is known.
			assert.deepEqual(rows.map(r => r.mark).sort(), [2, 2, 3]);
			assert.deepEqual(await site.heldSlots(own), []);
		});
});

describe('SIGHUP', () => {
	async function reload() {
		for (const pid of await site.responders())
			process.kill(pid, 'SIGHUP');
		await sleep(200);
	}

	const log = () => readFile(join(site.dir, 'log/leasehold.log'), 'utf8');

	async function set(name, value) {
		const text = await readFile(site.conf, 'utf8');
		await writeFile(site.conf, text.replace(
			new RegExp(`^${name} *=.*\\n`, 'm'), '') + `${name} = ${value}\n`);
	}

	test('takes a setting over while a stream runs', async () => {
		const running = stream(team, { model: 'mock-slow-10x100ms' });
		await sleep(200);
		await set('body_max_bytes', '4K');
		await reload();
		assert.equal((await call(team, message(
			{ system: 'x'.repeat(5000) }))).status, 413);
		const answer = await running;
		assert.equal(events(answer.body).at(-1).event, 'message_stop');
		await set('body_max_bytes', '32M');
		await reload();
		assert.equal((await call(team, message(
			{ system: 'x'.repeat(5000) }))).status, 200);
	});

	test('keeps what it has when the file is wrong', async () => {
		await set('queue_max', 'many');
		await reload();
		assert.equal((await call(team)).status, 200);
		assert.match(await log(),
			/reload_failed.*leasehold\.conf: line \d+: queue_max/);
		await set('queue_max', '1000');
	});

	test('opens the log anew after a rename, no line is lost', async () => {
		const path = join(site.dir, 'log/leasehold.log');
		const load = Load.start(team, { clients: 4 });
		await sleep(300);
		await rename(path, path + '.1');
		await sleep(300);
		assert.ok(!existsSync(path));
		await reload();
		await sleep(300);
		await load.stop();
		assert.deepEqual(load.bad, []);
		await site.ledger(team);
		await sleep(100);
		const texts = await readFile(path + '.1', 'utf8') + await log();
		assert.ok(existsSync(path));
		for (const { name } of load.calls) {
			const [row] = await site.sql(
				`SELECT id FROM ledger WHERE session = '${name}'`);
			assert.ok(row, name);
		}
		const lines = texts.split('\n').filter(l => / relay request /.test(l));
		assert.ok(lines.length >= load.calls.length,
			`${lines.length} lines of ${load.calls.length} calls`);
		assert.match(await log(), / relay request /);
	});

	test('to multiwatch is SIGUSR2, which reaches all', async () => {
		await set('log_level', 'warn');
		process.kill(await site.pid('relay-pool'), 'SIGUSR2');
		await sleep(300);
		const before = (await log()).length;
		for (let i = 0; i < 10; i++)
			assert.equal((await call(team)).status, 200);
		await sleep(100);
		assert.equal((await log()).slice(before), '');
	});
});

test('after all that nothing is open', async () => {
	await site.ledger(team);
	assert.deepEqual(await site.heldSlots(team), []);
	const health = await request(`${site.url}/health`, { method: 'GET' });
	assert.equal(health.status, 200);
});
