// What the tests of several hosts, and of a database that goes away, share.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { accounts, money } from './load.mjs';

// What ${give} gives, once that is something.
export async function found(what, give, ms = 15000) {
	for (const end = Date.now() + ms; ; await sleep(50)) {
		const it = await give();
		if (it)
			return it;
		if (Date.now() > end)
			throw new Error(`waited in vain for ${what}`);
	}
}

// Milliseconds until it fits.
export async function until(what, fits, ms = 10000) {
	const from = Date.now();
	await found(what, fits, ms);
	return Date.now() - from;
}

export function alive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

// What is held, waits, or is not settled, in a whole database.
export async function openRows(site) {
	const [row] = await site.sql(`SELECT
		(SELECT count(*) FROM slot WHERE responder_id IS NOT NULL) +
		(SELECT count(*) FROM ticket) +
		(SELECT count(*) FROM ledger WHERE state = 0) AS n`);
	return row.n;
}

export function health(site) {
	return fetch(`${site.url}/health`).then(r => r.status, () => 0);
}

// Records of one file that are pending, as fcgi/store/spool.h draws it.
function pending(file) {
	let n = 0;
	for (let at = 512; at + 32 <= file.length &&
		file.readUInt32LE(at) === 0x4c53504c;
		at += 32 + Math.ceil(file.readUInt32LE(at + 8) / 8) * 8)
		n += file.readUInt32LE(at + 4) === 0;
	return n;
}

// Settlements that a site keeps in its spool; asks no database.
export async function spooled(site) {
	const dir = site.spoolDir ?? join(site.dir, 'var/spool');
	const files = await Promise.all((await readdir(dir)).map(name =>
		readFile(join(dir, name)).catch(() => Buffer.alloc(0))));
	return files.reduce((n, file) => n + pending(file), 0);
}

// How many relay responders the database knows.
export async function relays(site) {
	const [{ n }] = await site.sql(
		'SELECT count(*) AS n FROM responder WHERE kind = \'relay\'');
	return n;
}

function oneCall({ call, rows, attempts, served }) {
	const what = JSON.stringify({ call, rows, attempts, served });
	assert.ok(rows.length <= 1, `one row a call: ${what}`);
	assert.ok(served.length <= attempts.length,
		`an attempt for all that was served: ${what}`);
	if (served.length > 0)
		assert.equal(rows.length, 1, `what was served is there: ${what}`);
	if (!call.good)
		return;
	assert.equal(rows.length, 1, what);
	if (rows[0].state !== 1)
		return;
	assert.equal(rows[0].outcome, 'ok', what);
	assert.equal(attempts.filter(a => a.outcome === 'ok').length, 1, what);
	assert.equal(rows[0].output_tokens, served.at(-1).usage.output, what);
}

// Each call of a team's loads has one row, and as many attempts as the mock
// served; its budget and all other sums are those of the rows; limits were kept
// to.
export async function booksBalance(loads, { limit } = {}) {
	const [{ team }] = loads;
	for (const load of loads)
		(await accounts(load)).forEach(oneCall);
	const { spent, reserved, ledger, open } = await money(team);
	assert.equal(open, 0);
	assert.equal(reserved, 0);
	assert.equal(spent, ledger);
	const { differences, shown } = await team.site.json('ledger', 'verify');
	assert.equal(differences, 0, JSON.stringify(shown));
	const counters = await team.site.mock.counters();
	for (const { secret } of limit === undefined ? [] : team.accounts)
		assert.ok(counters[secret].high_water <= limit, 'slots hold');
}

// Longest time in ms without a good call, between two moments.
export function longestGap(load, from, to) {
	const ends = load.good.map(c => c.ended)
		.filter(at => at > from && at < to).sort((a, b) => a - b);
	return [...ends, to].reduce(({ last, gap }, at) =>
		({ last: at, gap: Math.max(gap, at - last) }),
	{ last: from, gap: 0 }).gap;
}
