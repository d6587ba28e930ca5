// Random mixed traffic while responders, pool, database and disk fail at
// random; then the books are compared with what the upstream served.
//
//	FAULTS_COUNT	how many faults (12)
//	FAULTS_MINUTES	or for how long, instead
//	FAULTS_SEED	to have the same choices again; printed
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onMysql } from '../e2e/lib/database.mjs';
import { call } from '../e2e/lib/http.mjs';
import { run, Site } from '../e2e/lib/site.mjs';
import { until } from '../e2e/lib/hosts.mjs';
import { booksBalance, calm, LeaseWatch } from './lib/books.mjs';
import { Dice } from './lib/dice.mjs';
import { faults } from './lib/faults.mjs';
import { Traffic } from './lib/traffic.mjs';

const minutes = Number(process.env.FAULTS_MINUTES ?? 0);
const count = Number(process.env.FAULTS_COUNT ?? 12);
const seed = Number(process.env.FAULTS_SEED ?? Date.now() % 2 ** 32);
const dice = new Dice(seed);
const world = { dice, small: null, storeTimeoutMs: 1000, deadAfterMs: 2000 };
const made = new Map();		// faults, by name
const sums = new Map();		// of what was seen afterwards
const charged = new Map();	// to budgets, by their ids

// Faults between two looks at the books: so many calls can be looked at.
const perRound = 20;

// A file system that can be filled, where root may mount one.
async function smallDisk() {
	const mountable = await run('unshare', ['-m', 'true']);
	if (onMysql || mountable.status !== 0)
		return null;
	const dir = await mkdtemp(join(tmpdir(), 'lh-faults-'));
	execFileSync('mount', ['-t', 'tmpfs', '-o',
		`size=${96 + 16 * minutes}m`, 'tmpfs', dir]);
	return dir;
}

before(async () => {
	world.small = await smallDisk();
	world.site = await Site.start({ processes: 3,
		...world.small && { db: join(world.small, 'x.db') },
		set: { store_timeout_s: '1s', dead_after_s: '2s',
			queue_timeout_s: '5s', cooldown_error_s: '1s',
			reserve_slice_tokens: 64, disconnect_drain_s: 1,
			cooldown_overload_s: '1s', cooldown_max_s: '2s', drain_s: 5 } });
});
after(async () => {
	try {
		await world.site?.stop();
	} finally {
		if (world.small !== null) {
			execFileSync('umount', [world.small]);
			await rm(world.small, { recursive: true });
		}
	}
});

function* choices() {
	const possible = Object.entries(faults)
		.filter(([, f]) => f.fits?.(world) ?? true);
	const end = Date.now() + minutes * 60000;

	// Each kind once, then as the dice fall.
	for (let i = 0; minutes > 0 ? Date.now() < end : i < count; i++)
		yield i < possible.length ? possible[i] : dice.of(possible);
}

// The pool is whole again; what then happens comes from the next fault.
async function healed() {
	await until('a pool that has healed', async () =>
		(await fetch(`${world.site.url}/health`)
			.then(r => r.status, () => 0)) === 200, 20000);
}

// A team with budgets of all kinds, none of which is meant to bind; each counts
// in another way.
async function team(n) {
	const { site } = world;
	const made = await site.team(3, { concurrency: 4,
		keyOptions: ['--budget', '1000', ...n ? [] : ['--drain-s', '0']] });
	const user = `${made.name}-user`;
	const budgets = [
		['--key', made.name, '--tokens', '1000000000', '--period', 'day',
			'--zone', 'America/New_York'],
		['--key', made.name, '--requests', '10000000', '--period',
			'rolling', '--length', '5m'],
		['--user', user, '--output-tokens', '1000000000', '--period',
			'fixed', '--length', '1m', '--policy', 'strict'],
		['--group', made.name, '--money', '1000', '--period', 'month',
			'--models', 'claude-*'],
	];
	await site.leasehold(['user', 'add', user]);
	await site.leasehold(['key', 'set', made.name, '--user', user]);
	for (const options of budgets)
		await site.leasehold(['budget', 'add', ...options]);
	return made;
}

function countUp(map, name, by) {
	map.set(name, (map.get(name) ?? 0) + by);
}

const list = map => [...map].map(([name, n]) => `${name} ${n}`).join(', ');

async function survive([name, fault]) {
	await sleep(dice.int(200, 1200));
	await fault.make(world);
	countUp(made, name, 1);
	await healed();
}

// While there is traffic, which is over then; the next one.
async function someFaults(all, next, traffic) {
	try {
		for (let i = 0; i < perRound && !next.done; i++, next = all.next())
			await survive(next.value);
		await sleep(1000);
	} finally {
		await traffic.stop();
	}
	return next;
}

// All sums are those of the rows, and the rows say what was served.
async function look(traffic) {
	const verdict = await world.site.tryLeasehold(['ledger', 'verify']);
	assert.equal(verdict.status, 0, verdict.stdout + verdict.stderr);
	const numbers = await booksBalance(world.site, traffic,
		charged);
	for (const [name, n] of Object.entries(numbers))
		countUp(sums, name, n);
}

test(`faults, seed ${seed}`, { timeout: minutes * 60000 + count * 30000 +
	120000 }, async t => {
	const teams = [];
	for (let i = 0; i < 2; i++)
		teams.push(await team(i));
	world.teams = teams;
	const watch = LeaseWatch.start(world.site);
	const all = choices();
	try {
		for (let n = 0, next = all.next(); !next.done; n++) {
			const traffic = await Traffic.start(teams, dice,
				{ clients: 12, prefix: `call-${n}-` });
			next = await someFaults(all, next, traffic);
			await calm(world.site);
			await look(traffic);
		}
	} finally {
		await watch.stop();
		t.diagnostic(`survived: ${list(made)}`);
	}
	const { longest } = watch;

	t.diagnostic(list(sums));
	t.diagnostic(`a dead responder held a lease for ${longest} ms at most`);
	assert.ok(longest < 15000, `${longest} ms`);
	assert.ok(sums.get('exact') > sums.get('calls') / 10,
		'the traffic was real');
});

test('afterwards all is well', async () => {
	const team = await world.site.team(1);
	assert.equal((await call(team)).status, 200);
});
