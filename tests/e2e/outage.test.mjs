// The database is away for a while, or a responder is: new calls are told to
// come back, what runs goes on, all is settled once, and nobody is restarted.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { files, freeze, Locker, onMysql, write } from './lib/database.mjs';
import { until } from './lib/hosts.mjs';
import { call, events, request, stream } from './lib/http.mjs';
import { accounts, Load, money } from './lib/load.mjs';
import { run, Site } from './lib/site.mjs';

let site, team, pids;

before(async () => {
	site = await Site.start({ processes: 2, set: { store_timeout_s: '1s',
		dead_after_s: '1s', queue_timeout_s: '3s' } });
	team = await site.team(2, { concurrency: 20,
		keyOptions: ['--budget', '1000'] });
	pids = await site.responders();
	await slowly(site);
});
after(() => site?.stop());

async function health(of = site) {
	const answer = await request(`${of.url}/health`, { method: 'GET' });
	if (answer.status === 503)
		assert.ok(answer.headers['retry-after']);
	return answer.status;
}

// At once, so that each responder gets some.
async function allAre(status, of = site) {
	const all = await Promise.all(Array.from({ length: 20 },
		() => health(of)));
	return all.every(s => s === status);
}

// Each responder says that it is alive.
async function whole(of = site) {
	const rows = await of.sql(
		'SELECT beat_ms FROM responder WHERE kind = \'relay\'');
	return rows.length === 2 && rows.every(r =>
		Date.now() - r.beat_ms < 1000) && allAre(200, of);
}

// A stream that has begun; its answer comes later.
async function running(of = team) {
	const secrets = of.accounts.map(a => a.secret);
	const was = (await of.site.mock.requests(...secrets)).length;
	let over = false;
	const answer = stream(of, { model: slow }).finally(() => {
		over = true;
	});
	await until('a stream', async () => over || (await of.site.mock
		.requests(...secrets)).slice(was).some(r => r.deltas > 0));
	return { answer };
}

const slow = 'claude-haiku-4-5';

function slowly(of) {
	return of.mock.planFor({ model: slow },
		{ chunks: 40, chunk_delay_ms: 100 });
}

function assertWhole(answer) {
	assert.equal(answer.status, 200);
	assert.equal(events(answer.body).at(-1).event, 'message_stop');
}

function assertAway(answer) {
	assert.equal(answer.status, 503, answer.body);
	assert.equal(JSON.parse(answer.body).error.type, 'api_error');
	assert.ok(Number(answer.headers['retry-after']) >= 1);
}

// Since: what the mock had served before.
async function assertNothingLost(of = team) {
	await until('all to be settled', async () => (await of.site.sql(
		'SELECT 1 FROM ledger WHERE state = 0')).length === 0);
	const served = await of.site.mock.requests(
		...of.accounts.map(a => a.secret));
	const rows = await of.site.ledger(of);
	assert.equal(rows.filter(r => r.attempts > 0).length, served.length);
	const { spent, reserved, ledger } = await money(of);
	assert.equal(reserved, 0);
	assert.equal(spent, ledger);
	const held = await of.site.heldSlots(of);
	assert.deepEqual(held, []);
}

async function metrics() {
	const { status, body } = await request(`${site.url}/metrics`,
		{ method: 'GET' });
	assert.equal(status, 200);
	return Object.fromEntries(body.split('\n').filter(line => /^\w/.test(line))
		.map(line => line.match(/^(.*) (\S+)$/).slice(1))
		.map(([name, value]) => [name, Number(value)]));
}

// With no database: what was counted is told, and nothing of what only the
// database knows.
async function assertCounted(before) {
	let now;
	await until('no database', async () =>
		(now = await metrics()).leasehold_database_up === 0, 5000);
	for (const name of ['leasehold_leases_held',
		'leasehold_queue_requests{state="waiting"}',
		'leasehold_accounts{state="enabled"}']) {
		assert.ok(name in before, name);
		assert.ok(!(name in now), name);
	}
	for (const [name, value] of Object.entries(before))
		if (/_(total|bucket|sum|count)(\{|$)/.test(name))
			assert.ok(now[name] >= value, name);
	assert.equal(now['leasehold_processes{kind="relay"}'], 2);
	const refused = n => Object.entries(n).filter(([name]) =>
		/requests_total.*status="503"/.test(name))
		.reduce((sum, [, value]) => sum + value, 0);
	assert.ok(refused(now) > refused(before));
}

describe('another program holds the write lock', () => {
	test('for a moment: calls wait', async () => {
		const locker = await Locker.take(site);
		const answer = call(team);
		await sleep(300);
		await locker.release();
		assert.equal((await answer).status, 200);
	});

	test('for longer than store_timeout: 503, and all heals', async () => {
		const { answer: stream } = await running();
		const locker = await Locker.take(site);
		try {
			const from = Date.now();
			assertAway(await call(team));
			const took = Date.now() - from;
			assert.ok(took < 3000, `took ${took} ms`);
			await until('503 of all', () => allAre(503));
			for (const answer of await Promise.all(
				Array.from({ length: 20 }, () => call(team))))
				assertAway(answer);
			assertWhole(await stream);
		} finally {
			await locker.release();
		}
		const took = await until('health', () => whole(), 5000);
		assert.ok(took < 5000);
		assert.equal((await call(team)).status, 200);
		await assertNothingLost();
		const rows = await site.ledger(team);
		assert.ok(rows.every(r => r.state === 1));
		assert.deepEqual(await site.responders(), pids);
	});
});

describe('the file', { skip: onMysql && 'there is none' }, () => {
	const move = (from, to) => Promise.all(files.map(f =>
		rename(from + f, to + f).catch(() => {})));
	const away = () => move(site.db, `${site.db}.away`);
	const back = () => move(`${site.db}.away`, site.db);

	test('is away for a while', async () => {
		const { answer: stream } = await running();
		const before = await metrics();
		assert.equal(before.leasehold_database_up, 1);
		await away();
		await until('503 of all', () => allAre(503));
		await assertCounted(before);
		assertAway(await call(team));
		assertWhole(await stream);
		await back();
		await until('health', () => whole(), 5000);
		assert.equal((await call(team)).status, 200);
		await until('the pool', async () =>
			(await metrics()).leasehold_database_up === 1, 10000);
		await assertNothingLost();
		assert.deepEqual(await site.responders(), pids);
	});

	test('is another one: a copy, as a restore leaves it', async () => {
		const { answer: stream } = await running();
		const copy = `${site.db}.copy`;
		await write(site, `VACUUM INTO '${copy}'`);
		for (const f of files)
			await rm(site.db + f, { force: true });
		await rename(copy, site.db);
		await sleep(1500);
		await until('health', () => whole(), 5000);
		assertWhole(await stream);
		assert.equal((await call(team)).status, 200);
		await assertNothingLost();
		assert.deepEqual(await site.responders(), pids);
		const [{ integrity_check: ok }] =
			await site.sql('PRAGMA integrity_check');
		assert.equal(ok, 'ok');
	});

	test('is away when a responder starts', async () => {
		await away();
		for (const pid of await site.responders())
			process.kill(pid, 'SIGKILL');
		await until('new ones', async () => (await site.responders())
			.filter(pid => !pids.includes(pid)).length === 2);
		await until('503 of all', () => allAre(503).catch(() => false));
		assertAway(await call(team));
		await back();
		await until('health', () => whole(), 5000);
		pids = await site.responders();
		assert.equal((await call(team)).status, 200);
		await assertNothingLost();
	});
});

// Needs root, for a file system of its own.
const mountable = await run('unshare', ['-m', 'true']);

test('the disk is full', { skip: (onMysql || mountable.status !== 0) &&
	'no small file system for it' }, async () => {
	const dir = await mkdtemp(join(tmpdir(), 'lh-full-'));
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', dir]);
	let own;
	try {
		own = await Site.start({ processes: 2, db: join(dir, 'x.db') });
		await fill(own, dir);
	} finally {
		await own?.stop();
		execFileSync('umount', [dir]);
		await rm(dir, { recursive: true });
	}
});

async function fill(own, dir) {
	const team = await own.team(1, { keyOptions: ['--budget', '1000'] });
	const before = await own.responders();
	await slowly(own);
	assert.equal((await call(team)).status, 200);
	const { answer: stream } = await running(team);

	// Also what is freed meanwhile.
	let full = true;
	const filling = (async () => {
		for (let n = 1 << 20; full;) {
			await appendFile(join(dir, 'filler'), Buffer.alloc(n)).catch(
				() => n > 4096 ? n /= 4 : sleep(20));
		}
	})();
	let away = 0;
	await until('calls that find no room', async () => {
		const answer = await call(team);
		if (answer.status !== 200) {
			assertAway(answer);
			away++;
		}
		return away >= 10;
	}, 15000);
	assertWhole(await stream);
	full = false;
	await filling;
	await rm(join(dir, 'filler'));
	await until('health', () => whole(own), 8000);
	const load = Load.start(team, { clients: 4 });
	await sleep(500);
	await load.stop();
	assert.deepEqual(load.bad, []);
	await assertNothingLost(team);
	assert.deepEqual(await own.responders(), before);
	const [{ integrity_check: ok }] = await own.sql('PRAGMA integrity_check');
	assert.equal(ok, 'ok');
}

describe('a responder is frozen', () => {
	test('on this host: its leases stay, and it goes on', async () => {
		const answer = await frozen();
		await sleep(2000);
		assert.equal((await site.heldSlots(answer.team)).length, 1);
		process.kill(answer.pid, 'SIGCONT');
		assertWhole(await answer.stream);
		const [row] = await site.ledger(answer.team, { count: 1 });
		assert.equal(row.state, 1);
		await assertNothingLost(answer.team);
	});

	test('on another host: reaped, and corrected when it comes back',
		async () => {
			const { team, pid, stream } = await frozen();
			// Nobody here can see its lock file then.
			await write(site, `UPDATE responder SET host = 'elsewhere'
				WHERE pid = ${pid}`);
			const took = await until('the reaper', async () => (await
			site.ledger(team, { count: 1, ms: 100 }).catch(() => []))
				.some(r => r.state === 2), 15000);
			assert.ok(took >= 500, `dead after ${took} ms`);
			const [reaped] = await site.ledger(team);
			assert.equal(reaped.outcome, 'lost');
			assert.equal(reaped.cost_nusd, reaped.reserved_nusd);
			assert.deepEqual(await site.heldSlots(team), []);
			assert.equal((await money(team)).spent, reaped.cost_nusd);

			// Its slot serves another meanwhile.
			const second = await retried(team);
			assert.equal(second.status, 200);
			process.kill(pid, 'SIGCONT');
			assertWhole(await stream);
			await until('the correction', async () => (await
			site.ledger(team, { count: 2 }))[0].state === 3);
			const [row] = await site.ledger(team, { count: 2 });
			assert.equal(row.id, reaped.id);
			assert.equal(row.outcome, 'ok');
			assert.equal(row.mark, 1);
			assert.equal(row.output_tokens, 40);
			assert.ok(row.cost_nusd < reaped.cost_nusd);
			await assertNothingLost(team);
			// It has registered anew, and serves.
			const rows = await site.sql(
				`SELECT * FROM responder WHERE pid = ${pid}`);
			assert.equal(rows.length, 1);
			assert.notEqual(rows[0].host, 'elsewhere');
			const load = Load.start(team, { clients: 4 });
			await sleep(500);
			await load.stop();
			assert.deepEqual(load.bad, []);
			await assertNothingLost(team);
		});

	// A team with a stream, whose responder is stopped.
	async function frozen() {
		const team = await site.team(1, { concurrency: 1,
			keyOptions: ['--budget', '1000'] });
		const { answer: stream } = await running(team);
		const [{ pid }] = await site.sql(`SELECT r.pid FROM ledger l
			JOIN responder r ON r.id = l.responder_id
			JOIN api_key k ON k.id = l.key_id
			WHERE k.name = '${team.name}'`);
		await freeze(site, pid);
		return { team, pid, stream };
	}

	// nginx may hand a call to the frozen one; then another is made.
	async function retried(team) {
		for (;;) {
			const answer = await call(team, undefined,
				{ signal: AbortSignal.timeout(2000), agent: false })
				.catch(() => null);
			if (answer)
				return answer;
		}
	}
});

test('after all that a load is served, and all is counted once',
	async () => {
		const load = Load.start(team, { clients: 8 });
		await sleep(800);
		await load.stop();
		assert.deepEqual(load.bad, []);
		for (const { call, rows, served } of await accounts(load)) {
			assert.equal(rows.length, 1, call.name);
			assert.equal(served.length, 1, call.name);
		}
		await assertNothingLost();
	});
