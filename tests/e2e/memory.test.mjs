// Nothing in a responder grows with the length of a stream, be its client
// quick or slow.
// Store: any.
import assert from 'node:assert/strict';
import http from 'node:http';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { message } from './lib/http.mjs';
import { Site } from './lib/site.mjs';

const mib = 1 << 20;
const chunk = 8000, chunks = 10000;

// AddressSanitizer keeps what was freed, up to this; it is to be full long
// before the first look at the memory.
process.env.ASAN_OPTIONS = [process.env.ASAN_OPTIONS, 'quarantine_size_mb=1',
	'thread_local_quarantine_size_kb=64'].filter(Boolean).join(':');

let site, team, pid;

before(async () => {
	site = await Site.start({ processes: 1 });
	team = await site.team(1);
	[pid] = await site.responders();
	await site.mock.plan(team.accounts[0].secret,
		{ chunks, chunk_bytes: chunk });
	await started();
});
after(() => site?.stop());

// Private memory of the responder, in bytes.
async function memory() {
	const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
	return [...text.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)]
		.reduce((n, [, kb]) => n + Number(kb) * 1024, 0);
}

// Each of its threads took what it needs at first, however late it ran.
async function started() {
	const until = Date.now() + 30000;
	let before, now = await memory();
	do {
		assert.ok(Date.now() < until, 'it settles');
		before = now;
		await sleep(1500);
		now = await memory();
	} while (Math.abs(now - before) > 16384);
}

// An answer whose body is read as we say.
function open() {
	const body = JSON.stringify(message({ stream: true,
		max_tokens: 2 * chunks }));
	return new Promise((done, fail) => {
		const req = http.request(`${site.url}/v1/messages`, {
			method: 'POST', headers: { 'x-api-key': team.key,
				'content-type': 'application/json',
				'content-length': Buffer.byteLength(body) },
		}, done);
		req.on('error', fail);
		req.end(body);
	});
}

// Reads at least so many bytes more, or all that is left; the last of them.
async function read(res, bytes = Infinity) {
	let n = 0, last = '';
	for await (const data of res.iterator({ destroyOnReturn: false })) {
		n += data.length;
		last = (last + data).slice(-1000);
		if (n >= bytes)
			break;
	}
	return { n, last };
}

async function sent() {
	const [request] = (await site.mock.requests(team.accounts[0].secret))
		.slice(-1);
	return request.bytes;
}

test('80 MB, read as they come', async t => {
	const res = await open();
	const looks = [];
	let total = 0, part;
	do {
		part = await read(res, 8 * mib);
		total += part.n;
		looks.push(await memory());
	} while (part.n >= 8 * mib);
	assert.ok(total > chunk * chunks, `${total} bytes`);
	assert.match(part.last, /event: message_stop/);
	t.diagnostic(`MiB after each 8 MiB: ${looks.map(
		n => (n / mib).toFixed(2)).join(' ')}`);
	assert.ok(Math.max(...looks) - looks[0] < mib, 'less than 1 MiB more');
});

test('80 MB to a client that stops reading for a while', async t => {
	const res = await open();
	await read(res, 8 * mib);
	const running = await memory();

	// What lies between fills up, then the upstream is not read any more.
	let before, stalled = await sent();
	do {
		before = stalled;
		await sleep(500);
		stalled = await sent();
	} while (stalled !== before);
	assert.ok(stalled < chunk * chunks / 2, `${stalled} bytes were sent`);
	const paused = await memory();
	t.diagnostic(`${(running / mib).toFixed(2)} MiB, paused ${
		(paused / mib).toFixed(2)}, after ${(stalled / mib).toFixed(1)
	} MiB of the upstream's`);
	assert.ok(paused - running < mib, 'less than 1 MiB more');

	const { last } = await read(res);
	assert.match(last, /event: message_stop/);
	assert.ok(await memory() - running < mib, 'nor at the end');
});
