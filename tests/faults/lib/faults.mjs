// What goes wrong.  Each entry makes one fault and comes back when it is over;
// `fits' says where it can be made.
import assert from 'node:assert/strict';
import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Locker, onMysql, write } from '../../e2e/lib/database.mjs';

async function anyResponder({ site, dice }) {
	for (;;) {
		const pids = await site.responders().catch(() => []);
		if (pids.length > 0)
			return dice.of(pids);
		await sleep(50);
	}
}

function signal(pid, name) {
	try {
		process.kill(pid, name);
		return true;
	} catch (error) {
		if (error.code === 'ESRCH')
			return false;
		throw error;
	}
}

// Stopped for long enough to be given up by hosts that cannot see its lock
// file, which is what it looks like here; then it goes on, as if nothing were.
async function freeze(world) {
	const pid = await anyResponder(world);
	if (!signal(pid, 'SIGSTOP'))
		return;
	try {
		// It may have stopped inside a transaction: nobody can write then.
		await write(world.site, `UPDATE responder SET host = 'elsewhere'
			WHERE pid = ${pid}`).catch(() => {});
		await sleep(world.deadAfterMs + world.dice.int(500, 2500));
	} finally {
		signal(pid, 'SIGCONT');
	}
}

async function lock(world, ms) {
	const locker = await Locker.take(world.site).catch(() => null);
	await sleep(ms);
	await locker?.release();
}

// Whatever becomes free meanwhile is taken, too.
async function fillDisk({ small, dice }) {
	const file = join(small, 'filler');
	const until = Date.now() + dice.int(300, 2500);
	for (let n = 1 << 20; Date.now() < until;)
		await appendFile(file, Buffer.alloc(n)).catch(
			() => n > 4096 ? n /= 4 : sleep(20));
	await rm(file, { force: true });
}

// Somebody who changes a key's user and budgets under way, and back again.
async function change({ site, dice, teams }) {
	const { name } = dice.of(teams);
	const tokens = `${name}-tokens-day`;
	const steps = [
		['key', 'set', name, '--user', `${dice.of(teams).name}-user`],
		['key', 'set', name, '--user', ''],
		['budget', 'set', `${name}-money-month`, '--policy', 'strict'],
		['budget', 'set', `${name}-requests-rolling`, '--disable'],
		['budget', 'set', tokens, '--tokens', '1'],
		['budget', 'remove', tokens],
		['budget', 'add', '--key', name, '--tokens', '1000000000',
			'--period', 'week', '--name', tokens],
		['budget', 'set', tokens, '--tokens', '1000000000', '--enable'],
		['budget', 'set', `${name}-requests-rolling`, '--enable'],
		['budget', 'set', `${name}-money-month`, '--policy', 'elastic'],
		['key', 'set', name, '--user', `${name}-user`],
	];
	for (const step of steps) {
		// It may be held yet, and so be there still.
		const { status, stderr } = await site.tryLeasehold(step);
		assert.ok(status === 0 || status === 4, `${step}: ${stderr}`);
		await sleep(dice.int(0, 150));
	}
}

export const faults = {
	'kill one responder': {
		make: async world => signal(await anyResponder(world), 'SIGKILL'),
	},
	'kill all responders': {
		make: async ({ site }) => {
			for (const pid of await site.responders())
				signal(pid, 'SIGKILL');
		},
	},
	'kill pool and supervisor': {
		make: async ({ site }) => {
			await site.killGroup('relay-pool');
			await sleep(300);
			await site.quickstart('--restart');
		},
	},
	'restart': {
		make: ({ site }) => site.quickstart('--restart'),
	},
	'freeze a responder': { make: freeze },
	'database locked for a moment': {
		make: world => lock(world, world.dice.int(100, 900)),
	},
	'database locked for longer than store_timeout': {
		make: world => lock(world, world.storeTimeoutMs +
			world.dice.int(500, 1500)),
	},
	'kill the database': {
		fits: () => onMysql,
		make: async ({ site, dice }) => {
			await site.killGroup('mysql');
			await sleep(dice.int(200, 3000));
			await site.quickstart();
		},
	},
	'a change of mind': { make: change },
	'disk full': {
		fits: ({ small }) => small !== null,
		make: fillDisk,
	},
};
