// Streams end while the database is away, and their responders are killed
// before it is back: every row is exact, and nothing is counted twice.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Locker } from './lib/database.mjs';
import { until } from './lib/hosts.mjs';
import { call, stream } from './lib/http.mjs';
import { money } from './lib/load.mjs';
import { Site } from './lib/site.mjs';

const streams = 8, chunks = 20;
let site, team;

before(async () => {
	site = await Site.start({ processes: 2, set: { store_timeout_s: '1s' } });
	team = await site.team(1, { concurrency: 20,
		keyOptions: ['--budget', '1000'] });
});
after(() => site?.stop());

async function spooled() {
	return (await site.json('status')).spool.records;
}

// All streams are over at the client's, and settled on disk alone.
async function endInOutage() {
	const { secret } = team.accounts[0];
	await site.mock.plan(secret, { chunks, chunk_delay_ms: 100 });
	const was = (await site.mock.requests(secret)).length;
	const running = Array.from({ length: streams }, () => stream(team));
	await until('streams', async () => (await site.mock.requests(secret))
		.slice(was).filter(r => r.deltas > 0).length === streams);
	const locker = await Locker.take(site);
	for (const answer of await Promise.all(running)) {
		assert.equal(answer.status, 200);
		assert.match(answer.body, /message_stop/);
	}
	await until('settlements on disk',
		async () => await spooled() === streams);
	return locker;
}

async function assertExact(n) {
	await until('an empty spool', async () => await spooled() === 0);
	const rows = await site.ledger(team, { count: n });
	for (const row of rows) {
		assert.ok([1, 3].includes(row.state), JSON.stringify(row));
		assert.equal(row.mark, 1);
		assert.equal(row.outcome, 'ok');
		assert.equal(row.output_tokens, chunks);
	}
	await until('free slots',
		async () => (await site.heldSlots(team)).length === 0);
	const { spent, reserved, ledger } = await money(team);
	assert.equal(reserved, 0);
	assert.equal(spent, ledger);
}

test('the database is back, and the same responders settle',
	{ timeout: 40000 }, async () => {
		const locker = await endInOutage();
		await locker.release();
		await assertExact(streams);
	});

test('killed before it is back: others settle for them',
	{ timeout: 40000 }, async () => {
		const locker = await endInOutage();
		for (const pid of await site.responders())
			process.kill(pid, 'SIGKILL');
		await sleep(300);
		await locker.release();
		await assertExact(2 * streams);
		assert.equal((await call(team)).status, 200);
	});

test('the dead leave no files', async () => {
	await until('two files', async () => (await readdir(
		join(site.dir, 'var/spool'))).length === 2);
});
