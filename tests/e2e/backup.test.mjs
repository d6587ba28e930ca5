// Backups while the pool is at work: restored in another place they hold every
// request that had ended, and their sums are right; what is killed leaves
// things as they were.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from
	'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onMysql } from './lib/database.mjs';
import { call } from './lib/http.mjs';
import { Load } from './lib/load.mjs';
import { Site, prefix, run } from './lib/site.mjs';

let site, team, dir;

before(async () => {
	dir = await mkdtemp(join(tmpdir(), 'lh-backup-'));
	site = await Site.start();
	team = await site.team(2, { concurrency: 20,
		keyOptions: ['--budget', '50'] });
});
after(async () => {
	await site?.stop();
	await rm(dir, { recursive: true });
});

// Another place, with the master key of the site: the command on a store that
// is not there yet, of the given kind.
function elsewhere(name) {
	const env = { LEASEHOLD_STORE: `sqlite:${join(dir, name)}` };
	const command = args => run(join(prefix, 'sbin/leasehold'),
		['--config', site.conf, '--json', ...args], { env });
	return { db: join(dir, name), command };
}

async function sqlite(db, query) {
	const { stdout, stderr } = await run('sqlite3', ['-json', '-readonly', db,
		query]);
	assert.equal(stderr, '');
	return stdout === '' ? [] : JSON.parse(stdout);
}

async function restored(file, name) {
	const place = elsewhere(name);
	const r = await place.command(['restore', file]);
	assert.equal(r.status, 0, r.stderr);
	const made = JSON.parse(r.stdout);
	assert.equal(made.differences, 0);
	assert.equal(made.secrets, 2);
	const verified = await place.command(['ledger', 'verify']);
	assert.equal(verified.status, 0, verified.stdout);
	return { ...place, made };
}

test('each request that had ended is in it, under load', async () => {
	const load = Load.start(team, { clients: 6 });
	try {
		for (let n = 0; n < 3; n++) {
			await sleep(700);
			const begun = Date.now();
			const file = join(dir, `load-${n}.db`);
			const made = await site.json('backup', file);
			assert.equal(made.differences, 0);
			assert.equal((await stat(file)).mode & 0o777, 0o600);
			assert.equal(made.bytes, (await stat(file)).size);
			const place = await restored(file, `place-${n}.db`);
			const rows = await sqlite(place.db,
				'SELECT session, state FROM ledger');
			const closed = new Set(rows.filter(r => r.state !== 0)
				.map(r => r.session));
			// A client may see the end before the settlement is written.
			const ended = load.calls.filter(c => c.ended < begun - 300);
			assert.ok(ended.length > 10, `${ended.length} calls`);
			for (const c of ended)
				assert.ok(closed.has(c.name), `${c.name} is missing`);
			const [{ spent, reserved }] = await sqlite(place.db,
				'SELECT spent, reserved FROM budget_window');
			const [{ cost }] = await sqlite(place.db,
				'SELECT sum(cost_nusd) AS cost FROM ledger');
			assert.equal(spent, cost);
			assert.equal(reserved > 0, rows.some(r => r.state === 0));
		}
	} finally {
		await load.stop();
	}
	assert.deepEqual(load.bad.map(c => c.error ?? c.body), []);
	assert.deepEqual((await readdir(dir)).filter(f => /\.part/.test(f)), []);
});

test('the books balance in the place that it came from', async () => {
	assert.equal((await site.json('ledger', 'verify')).differences, 0);
});

test('it is refused where something would be lost', async () => {
	const file = join(dir, 'refused.db');
	await site.leasehold(['backup', file]);
	const again = await site.tryLeasehold(['backup', file]);
	assert.equal(again.status, 4);
	assert.match(again.stderr, /is there already/);
	const r = await site.tryLeasehold(['restore', file]);
	assert.equal(r.status, 4);
	assert.match(r.stderr, /responders run on the store.*--force/);
	const place = await restored(file, 'other.db');
	await writeFile(join(dir, 'wrong.key'), `k1 ${'ab'.repeat(32)}\n`,
		{ mode: 0o600 });
	const wrong = await run(join(prefix, 'sbin/leasehold'), ['--config',
		site.conf, 'restore', file], { env: {
		LEASEHOLD_STORE: `sqlite:${place.db}`,
		LEASEHOLD_MASTER_KEY_FILE: join(dir, 'wrong.key') } });
	assert.equal(wrong.status, 6, wrong.stderr);
	assert.match(wrong.stderr, /master key/);
});

// What is killed at any time, again and again.
async function killed(args, env, ms) {
	const child = spawn(join(prefix, 'sbin/leasehold'),
		['--config', site.conf, ...args],
		{ env: { ...process.env, ...env }, stdio: 'ignore' });
	const exit = once(child, 'exit');
	const timer = setTimeout(() => child.kill('SIGKILL'), ms);
	const [status] = await exit;
	clearTimeout(timer);
	return status === null;
}

test('kill -9 leaves what was there', async () => {
	const file = join(dir, 'killed.db');
	await site.leasehold(['backup', file]);
	const old = await readFile(file);
	let kills = 0;
	for (let ms = 5; ms < 400; ms += 40) {
		const was = await killed(['backup', '--force', file], {}, ms);
		kills += was;
		if (was)
			assert.deepEqual(await sqlite(file, 'PRAGMA integrity_check'),
				[{ integrity_check: 'ok' }]);
	}
	assert.ok(kills > 0);
	await writeFile(file, old);
	const place = await restored(file, 'killed-place.db');
	const env = { LEASEHOLD_STORE: `sqlite:${place.db}` };
	for (let ms = 5; ms < 400; ms += 40) {
		await killed(['restore', file], env, ms);
		const r = await place.command(['ledger', 'verify']);
		assert.equal(r.status, 0, r.stdout + r.stderr);
		assert.equal(JSON.parse(r.stdout).rows, place.made.rows);
	}
	await site.leasehold(['backup', '--force', file]);
	assert.deepEqual((await readdir(dir)).filter(f =>
		/^killed\.db\.part/.test(f)), []);
});

// The pool goes on with what was restored under it, as an operator may have to.
test('restored over the store, it serves', async () => {
	const file = join(dir, 'back.db');
	await site.leasehold(['backup', file]);
	await site.leasehold(['group', 'add', 'after-the-backup']);
	const r = await site.tryLeasehold(['--json', 'restore', '--force', file]);
	assert.equal(r.status, 0, r.stderr);
	assert.equal(JSON.parse(r.stdout).kept, !onMysql);
	const groups = (await site.json('group', 'list')).map(g => g.name);
	assert.ok(!groups.includes('after-the-backup'));
	for (const end = Date.now() + 20000; ; await sleep(200)) {
		const answer = await call(team);
		if (answer.status === 200)
			break;
		assert.ok(Date.now() < end, `${answer.status}: ${answer.body}`);
	}
	assert.equal((await site.json('ledger', 'verify')).differences, 0);
});
