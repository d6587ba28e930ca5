// A client that leaves cancels the upstream at once, in every phase, and the
// ledger says what was used.  Where the web server does not tell of it, it is the
// pings of a silent stream that find it out.
// Store: any.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, message, stream } from './lib/http.mjs';
import { needs, server } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

const tries = 7;
const pingMs = 300;

let site;

before(async () => {
	site = await Site.start({ set: server.tells ? {} :
		{ ping_interval_s: `${pingMs}ms` } });
});
after(() => site?.stop());

function now() {
	return performance.timeOrigin + performance.now();
}

function median(list) {
	return list.toSorted((a, b) => a - b)[list.length >> 1];
}

// At once, and not when a ping or a time-out finds it: that takes seconds.  How
// many milliseconds it is on a machine that does nothing else is measured by
// the benchmark ("make bench BENCHFLAGS='--only leaving'").
function inTime(t, list, pings = 0) {
	t.diagnostic(`upstream closed after ${list.map(
		ms => ms.toFixed(1)).join(', ')} ms`);
	const more = pings * pingMs;
	assert.ok(median(list) < more + 100, `median ${median(list)} ms`);
	assert.ok(Math.max(...list) < more + 1000,
		`at most ${Math.max(...list)} ms`);
}

// Call, leave once the mock is in the wanted phase, and see when it noticed.
async function leave(team, send, more, plan, ready) {
	const { secret } = team.accounts[0];
	const last = (await site.mock.requests(secret)).at(-1)?.id ?? 0;
	const abort = new AbortController();
	if (plan)
		await site.mock.plan(secret, { ...plan, count: 1 });
	let seen = 0;
	const answer = send(team, more, { signal: abort.signal,
		onData: d => { seen += d.length; } }).catch(e => e);
	const fresh = r => r.id > last;
	await site.mock.waitFor('the phase', secret,
		r => fresh(r) && ready(r, seen));
	const left = now();
	abort.abort();
	await answer;
	const request = await site.mock.waitFor('the end', secret,
		r => fresh(r) && r.ended);
	assert.equal(request.ended, 'client_closed');
	return { ms: request.ended_ms - left, request };
}

// A listener whose backlog is full: further connections hang.
async function fullBacklog() {
	const child = spawn('python3', ['-c', `
import socket, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(0)
fill = [socket.socket() for _ in range(4)]
for c in fill:
    c.setblocking(False)
    c.connect_ex(s.getsockname())
print(s.getsockname()[1], flush=True)
time.sleep(60)`], { stdio: ['ignore', 'pipe', 'inherit'] });
	const [line] = await once(child.stdout, 'data');
	return { child, port: Number(String(line)) };
}

describe('a client leaves', () => {
	const phases = {
		'before the head of a stream': [stream, {},
			{ end: 'silent', at: 'head' }, () => true, 'head', 'tells'],
		'before the first byte of a stream': [stream, {},
			{ end: 'silent', at: 'first' }, r => r.head_ms, 'first',
			'tells'],
		'a running stream': [stream, {},
			{ chunks: 500, chunk_delay_ms: 20 },
			(r, seen) => seen > 1500, 'streaming'],
		'a stream that has fallen silent': [stream, {},
			{ chunks: 9, end: 'silent', after: 2 },
			(r, seen) => seen > 700, 'streaming'],
		'a plain call': [call, undefined,
			{ head_delay_ms: 20000 }, () => true, 'head', 'tells'],
		'a plain call within its body': [call, undefined,
			{ end: 'silent', at: 'chunk', chunks: 50 },
			r => r.first_ms, 'streaming', 'tells'],
	};
	for (const [name, [send, more, plan, ready, phase, need]] of
		Object.entries(phases)) {
		test(name, { skip: need && needs(need) }, async t => {
			const team = await site.team(1);
			const times = [];
			for (let i = 0; i < tries; i++) {
				const { ms, request } = await leave(team, send, more, plan,
					ready);
				assert.equal(request.phase, phase);
				times.push(ms);
			}
			inTime(t, times, plan.end === 'silent' ? server.pings : 0);
			const rows = await site.ledger(team, { count: tries });
			const sent = await site.mock.requests(team.accounts[0].secret);
			for (const [i, row] of rows.entries()) {
				assert.equal(row.outcome, 'client_gone');
				assert.equal(row.attempts, 1);
				if (phase !== 'streaming' || send !== stream)
					continue;
				assert.equal(row.mark, 2, 'partial');
				assert.equal(row.input_tokens, sent[i].usage.input);
				assert.ok(row.output_tokens >= 2);
				assert.ok(row.output_tokens <= sent[i].deltas * 4 + 10,
					`${row.output_tokens} for ${sent[i].deltas} deltas`);
				assert.ok(row.cost_nusd > 0);
			}
			assert.deepEqual(await site.heldSlots(team), []);
			assert.deepEqual(await site.cooldowns(team), []);
		});
	}

	test('while it waits for a slot', { skip: needs('tells') }, async t => {
		const team = await site.team(1, { concurrency: 1 });
		const { secret } = team.accounts[0];
		await site.mock.plan(secret, { head_delay_ms: 1500, count: 1 }, {});
		const first = call(team);
		await site.mock.waitFor('the first', secret, () => true);
		const abort = new AbortController();
		const second = call(team, message(), { signal: abort.signal })
			.catch(e => e);
		await sleep(300);
		assert.equal((await site.json('status')).queue.waiting, 1);
		const left = Date.now();
		abort.abort();
		await second;
		while ((await site.json('status')).queue.waiting > 0)
			assert.ok(Date.now() - left < 1000, 'it still waits');
		t.diagnostic(`out of the queue after ${Date.now() - left} ms`);
		assert.equal((await first).status, 200);
		assert.equal((await call(team)).status, 200);
		const rows = await site.ledger(team, { count: 3 });
		assert.equal(rows[1].outcome, 'client_gone');
		assert.equal(rows[1].attempts, 0);
		assert.equal((await site.mock.requests(secret)).length, 2);
	});

	test('while the upstream is being connected to',
		{ skip: needs('tells') }, async t => {
		const full = await fullBacklog();
		try {
			const team = await site.team(1,
				{ baseUrl: `http://127.0.0.1:${full.port}` });
			const abort = new AbortController();
			const answer = call(team, message(), { signal: abort.signal })
				.catch(e => e);
			await sleep(300);
			assert.equal((await site.heldSlots(team)).length, 1);
			const left = Date.now();
			abort.abort();
			await answer;
			const [row] = await site.ledger(team, { count: 1 });
			t.diagnostic(`settled after ${Date.now() - left} ms`);
			assert.ok(row.settled_ms - left < 500);
			assert.equal(row.outcome, 'client_gone');
			assert.equal(row.attempts, 1);
			assert.equal(row.output_tokens, 0);
			assert.deepEqual(await site.heldSlots(team), []);
		} finally {
			full.child.kill();
		}
	});

	test('during its upload: nothing goes upstream', async () => {
		const team = await site.team(1);
		const socket = net.connect(site.port, '127.0.0.1');
		socket.on('error', () => {});
		socket.write('POST /v1/messages HTTP/1.1\r\nhost: x\r\n' +
			`x-api-key: ${team.key}\r\ncontent-length: 1000\r\n\r\n{"mo`);
		await sleep(200);
		socket.destroy();
		await sleep(300);
		assert.deepEqual(await site.mock.requests(
			team.accounts[0].secret), []);
		assert.deepEqual(await site.heldSlots(team), []);
		assert.equal((await call(team)).status, 200);
	});
});
