// kill -9 of responders under load: the ledger is what the upstream served,
// what they held is free soon, and the pool is whole again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRows, until } from './lib/hosts.mjs';
import { call, stream } from './lib/http.mjs';
import { accounts, Load, money } from './lib/load.mjs';
import { Site } from './lib/site.mjs';

let site, team;

before(async () => {
	site = await Site.start({ processes: 2 });
	team = await site.team(3, { concurrency: 4,
		keyOptions: ['--budget', '1000'] });
	for (const { secret } of team.accounts)
		await site.mock.plan(secret, { chunks: 10, chunk_delay_ms: 15 });
});
after(() => site?.stop());

test('under load, plain and streams: nothing missing, nothing twice',
	{ timeout: 60000 }, async () => {
		const load = Load.start(team, { clients: 16 });
		for (let i = 0; i < 10; i++) {
			await sleep(500);
			const pids = await site.responders();
			process.kill(pids[i % pids.length], 'SIGKILL');
		}
		await sleep(300);
		await load.stop();
		const healed = await until('leases to heal',
			async () => await openRows(site) === 0, 15000);

		assert.ok(load.good.length > 100, `${load.good.length} were served`);
		assert.ok(load.bad.length > 0, 'some were hit');
		const reaped = [];
		for (const { call, rows, attempts, served } of
			await accounts(load)) {
			const what = JSON.stringify({ call, rows, attempts, served });
			assert.ok(rows.length <= 1, `one row a call: ${what}`);
			assert.ok(served.length <= attempts.length,
				`an attempt for all that was served: ${what}`);
			for (const row of rows) {
				assert.ok([1, 2, 3].includes(row.state), what);
				assert.equal(row.attempts, attempts.length, what);
				if (row.state === 2)
					reaped.push(row);
			}
			if (call.good)
				assert.equal(rows.length, 1, what);
			// Whose settlement was written has the very costs.
			if (call.good && rows[0].state === 1) {
				assert.equal(rows[0].outcome, 'ok', what);
				assert.equal(rows[0].output_tokens, 10, what);
				assert.equal(attempts.filter(a => a.outcome === 'ok')
					.length, 1, what);
			}
			const ids = attempts.map(a => a.upstream_id).filter(Boolean);
			assert.equal(new Set(ids).size, ids.length, what);
		}
		assert.ok(reaped.length > 0, 'some rows were reaped');
		for (const row of reaped) {
			assert.equal(row.mark, row.attempts > 0 ? 3 : 0);
			assert.equal(row.cost_nusd, row.attempts > 0 ?
				row.reserved_nusd : 0);
		}
		assert.ok(healed < 15000);
	});

test('budgets are the sum of the rows, and nothing is reserved',
	async () => {
		const { spent, reserved, ledger, open } = await money(team);
		assert.equal(open, 0);
		assert.equal(reserved, 0);
		assert.equal(spent, ledger);
	});

test('no account was blamed', async () => {
	assert.deepEqual(await site.cooldowns(team), []);
});

test('all responders at once: the leases of streams are free in seconds',
	async () => {
		const own = await site.team(1, { concurrency: 2 });
		await site.mock.plan(own.accounts[0].secret,
			{ end: 'silent', at: 'chunk', after: 3, count: 2 }, {});
		const cut = [stream(own), stream(own)];
		await site.mock.waitFor('streams', own.accounts[0].secret,
			r => r.deltas === 3);
		assert.equal((await site.heldSlots(own)).length, 2);
		for (const pid of await site.responders())
			process.kill(pid, 'SIGKILL');
		await Promise.all(cut);
		const ms = await until('free slots', async () =>
			(await site.heldSlots(own)).length === 0, 15000);
		assert.ok(ms < 5000, `${ms} ms on one host`);
		// Both slots serve again.
		const answers = await Promise.all([call(own), call(own)]);
		assert.deepEqual(answers.map(a => a.status), [200, 200]);
		const rows = await site.ledger(own, { count: 4 });
		assert.deepEqual(rows.map(r => r.state), [2, 2, 1, 1]);
	});

test('killed however often, it is started again', { timeout: 60000 },
	async () => {
		const killed = new Set();
		await until('120 kills', async () => {
			// Who was killed may still be listed for a moment.
			const there = await site.responders();
			for (const pid of there.filter(p => !killed.has(p))) {
				killed.add(pid);
				process.kill(pid, 'SIGKILL');
			}
			return killed.size >= 120;
		}, 50000);
		await until('a whole pool', async () =>
			(await site.responders()).length === 2, 5000);
	});

test('a pool that has healed makes no errors', async () => {
	await until('health', async () =>
		(await fetch(`${site.url}/health`)).status === 200, 5000);
	const load = Load.start(team, { clients: 8 });
	await sleep(1500);
	await load.stop();
	assert.ok(load.good.length > 20);
	assert.deepEqual(load.bad, []);
	// The last of them are settled a moment after their answer.
	await until('reservations to be given back', async () =>
		(await money(team)).reserved === 0, 5000);
	const { spent, ledger } = await money(team);
	assert.equal(spent, ledger);
	// None of the dead has left a row or a file behind.
	await until('the dead to be gone', async () => {
		const [{ n }] = await site.sql(`SELECT count(*) AS n
			FROM responder WHERE kind = 'relay'`);
		return n === 2;
	}, 5000);
});
