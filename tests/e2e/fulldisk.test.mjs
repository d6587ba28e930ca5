// The database's disk fills up under streams (SQLite): each is settled on disk
// alone, in the space that was allocated when its responder started, wherever
// the spool lies; once there is room each is counted once, in full.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, rm, stat } from
	'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onMysql } from './lib/database.mjs';
import { openRows, spooled, until } from './lib/hosts.mjs';
import { call, request, stream } from './lib/http.mjs';
import { money } from './lib/load.mjs';
import { run, Site } from './lib/site.mjs';

const streams = 6, chunks = 40;
const skip = onMysql ? 'a server has a disk of its own' :
	(await run('unshare', ['-m', 'true'])).status !== 0 &&
	'no small file system without root';

// A file system of its own that fills up when told to.
class Disk {
	static async make(size) {
		const disk = new Disk();
		disk.dir = await mkdtemp(join(tmpdir(), 'lh-full-'));
		execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs',
			disk.dir]);
		return disk;
	}

	// Also what is freed meanwhile, until clear().
	fill() {
		this.full = true;
		this.filling = (async () => {
			for (let n = 1 << 20; this.full;)
				await appendFile(join(this.dir, 'filler'),
					Buffer.alloc(n)).catch(() =>
					n > 4096 ? n /= 4 : sleep(20));
		})();
	}

	async clear() {
		this.full = false;
		await this.filling;
		await rm(join(this.dir, 'filler'), { force: true });
	}

	async remove() {
		await this.clear();
		execFileSync('umount', [this.dir]);
		await rm(this.dir, { recursive: true });
	}
}

async function refused(site, team) {
	const answers = [await call(team), await request(`${site.url}/health`,
		{ method: 'GET' })];
	return answers.every(a => a.status === 503 &&
		Number(a.headers['retry-after']) >= 1);
}

async function fillUnderStreams(site, disk) {
	const team = await site.team(1, { concurrency: 20,
		keyOptions: ['--budget', '1000'] });
	const { secret } = team.accounts[0];
	const before = await site.responders();
	await site.mock.plan(secret, { chunks, chunk_delay_ms: 100 });
	const running = Array.from({ length: streams }, () => stream(team));
	await until('streams', async () => (await site.mock.requests(secret))
		.filter(r => r.deltas > 0).length === streams, 8000);

	disk.fill();
	// Short calls fill what room is left in the pages of the database.
	await until('503', async () => (await Promise.all(Array.from(
		{ length: 8 }, () => refused(site, team)))).every(Boolean), 20000);
	for (const answer of await Promise.all(running)) {
		assert.equal(answer.status, 200);
		assert.match(answer.body, /message_stop/);
	}
	await until('settlements on disk', async () => await spooled(site) >= streams,
		5000);

	await disk.clear();
	await until('health', async () => (await request(`${site.url}/health`,
		{ method: 'GET' })).status === 200, 8000);
	await until('settlements', async () => await openRows(site) === 0 &&
		await spooled(site) === 0, 8000);
	assert.deepEqual(await site.responders(), before, 'no responder ended');
	await booksBalance(site, team, secret);
	assert.equal((await call(team)).status, 200);
}

async function booksBalance(site, team, secret) {
	const rows = await site.ledger(team);
	const served = await site.mock.requests(secret);
	assert.equal(rows.filter(r => r.attempts > 0).length, served.length);
	for (const row of rows.filter(r => r.attempts > 0)) {
		assert.equal(row.state, 1, JSON.stringify(row));
		assert.equal(row.mark, 1);
		assert.equal(row.outcome, 'ok');
		assert.equal(row.output_tokens, chunks);
	}
	const { spent, reserved, ledger } = await money(team);
	assert.equal(reserved, 0);
	assert.equal(spent, ledger);
	assert.deepEqual(await site.heldSlots(team), []);
	const [{ integrity_check: ok }] = await site.sql('PRAGMA integrity_check');
	assert.equal(ok, 'ok');
}

// A backup must not be what fills the disk up.
test('a backup for which there is no room is not begun', { skip },
	async () => {
		const disk = await Disk.make('256k');
		const backup_dir = join(disk.dir, 'backup');
		let site;
		try {
			site = await Site.start({ set: { backup_dir } });
			await mkdir(backup_dir);
			const old = 'leasehold-20200101T000000Z.db';
			await appendFile(join(backup_dir, old), 'old');
			const r = await site.tryLeasehold(['job', 'run', 'backup']);
			assert.equal(r.status, 1);
			const [, room, wanted] = r.stderr.concat(r.stdout).match(
				/has room for (\d+) bytes; a backup may take (\d+)/);
			const { size } = await stat(site.db);
			const file = join(disk.dir, 'mine.db');
			const mine = await site.tryLeasehold(['backup', file]);
			assert.equal(mine.status, 1);
			assert.match(mine.stderr, /has room for/);
			assert.deepEqual(await readdir(disk.dir), ['backup']);
			assert.ok(Number(room) <= 256 << 10);
			assert.equal(Number(wanted), size + Math.floor(size / 4));
			assert.deepEqual(await readdir(backup_dir), [old]);
			const job = (await site.json('job', 'list')).find(
				j => j.name === 'backup');
			assert.equal(job.result, 'failed');
			assert.match(job.detail, /has room for/);
		} finally {
			await site?.stop();
			await disk.remove();
		}
	});

for (const [where, size, set] of [
	['on another file system', '24m', () => ({})],
	['on the same one', '32m',
		disk => ({ spool_dir: join(disk.dir, 'spool') })],
])
	test(`full under streams, the spool ${where}`,
		{ skip, timeout: 90000 }, async () => {
			const disk = await Disk.make(size);
			let site;
			try {
				site = await Site.start({ db: join(disk.dir, 'x.db'),
					set: { store_timeout_s: '1s', ...set(disk) } });
				site.spoolDir = set(disk).spool_dir;
				await fillUnderStreams(site, disk);
			} finally {
				await disk.clear();
				await site?.stop();
				await disk.remove();
			}
		});
