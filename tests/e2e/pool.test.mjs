// The pool under load: a responder killed, the whole of it replaced.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, events, message, request, stream } from './lib/http.mjs';
import { Site } from './lib/site.mjs';

let site;

before(async () => { site = await Site.start({ processes: 2 }); });
after(() => site?.stop());

// Clients that call again and again until stop() is called; their answers,
// and errors where there was no answer.
function load(team, n, send) {
	const agent = new http.Agent({ keepAlive: true });
	const answers = [], errors = [];
	let over = false;
	const clients = Array.from({ length: n }, async (_, i) => {
		while (!over) {
			try {
				answers.push(await send(i, { agent }));
			} catch (error) {
				errors.push(error);
				await sleep(20);
			}
		}
	});
	return {
		answers, errors,
		async stop() {
			over = true;
			await Promise.all(clients);
			agent.destroy();
		},
	};
}

function whole(answer) {
	return answer.status === 200 && answer.ended === 'end' &&
		(!answer.headers['content-type'].startsWith('text/event-stream') ||
		events(answer.body).at(-1)?.event === 'message_stop');
}

// The relay responder that serves most just now.
async function busiest() {
	const { responders } = await site.json('status');
	return responders.filter(r => r.kind === 'relay')
		.reduce((a, b) => a.requests >= b.requests ? a : b).pid;
}

test('kill -9 of a responder: nothing is lost, leases heal', async t => {
	const team = await site.team(2, { concurrency: 40 });
	for (const { secret } of team.accounts)
		await site.mock.plan(secret, { chunks: 10, chunk_delay_ms: 20 });
	const { secret } = team.accounts[0];
	const clients = load(team, 24, (i, options) => i % 3 ?
		stream(team, {}, options) : call(team, message(), options));
	await site.mock.waitFor('some load', secret, r => r.id && r.ended);
	await sleep(700);
	const victim = await busiest();
	process.kill(victim, 'SIGKILL');
	const killed = Date.now();
	await sleep(1500);
	await clients.stop();
	const broken = clients.answers.filter(a => !whole(a)).length +
		clients.errors.length;
	t.diagnostic(`${clients.answers.length} answers, ${broken} broken`);
	assert.ok(broken > 0, 'the kill hit something');
	assert.ok(broken <= 24, 'only what the victim served is broken');

	while ((await site.heldSlots(team)).length > 0)
		assert.ok(Date.now() - killed < 15000, 'leases are still held');
	t.diagnostic(`leases were free ${Date.now() - killed} ms after`);

	// Every request that the upstream saw is one attempt of one row.
	const rows = await site.ledger(team, { ms: 15000 });
	const attempts = await site.sql(`SELECT t.* FROM attempt t
		JOIN ledger l ON l.id = t.ledger_id
		JOIN api_key k ON k.id = l.key_id WHERE k.name = '${team.name}'`);
	const sent = await site.mock.requests(
		...team.accounts.map(a => a.secret));
	const closed = rows.filter(r => r.state !== 4);
	assert.ok(sent.length <= attempts.length,
		`${sent.length} served, ${attempts.length} attempts`);
	assert.ok(attempts.length - sent.length <= 24);
	const known = new Set(attempts.map(a => a.upstream_id).filter(Boolean));
	const settled = closed.filter(r => r.state === 1);
	for (const r of sent.filter(r => r.ended === 'complete' &&
		r.ended_ms < killed - 500))
		assert.ok(known.has(
			`req_mock_${r.id.toString(16).padStart(8, '0')}`),
		`request ${r.id} is not in the ledger`);
	const exact = settled.filter(r => r.mark === 1);
	assert.ok(exact.every(r => r.output_tokens === 10));
	const reaped = closed.filter(r => r.state === 2);
	t.diagnostic(`${exact.length} exact, ${reaped.length} reaped`);
	assert.ok(reaped.every(r => r.mark === 3));
	assert.equal(closed.length, settled.length + reaped.length);

	// Another responder has come in its place.
	await sleep(500);
	assert.equal((await site.responders()).length, 2);
	assert.equal((await call(team)).status, 200);
});

test('the pool is replaced under load: no request fails', async t => {
	const team = await site.team(2, { concurrency: 100 });
	for (const { secret } of team.accounts)
		await site.mock.plan(secret, { chunks: 6, chunk_delay_ms: 25 });
	const before = new Set(await site.responders());
	const clients = load(team, 24, (i, options) =>
		i % 4 === 0 ? call(team, message(), options) :
		i % 4 === 1 ? request(`${site.url}/health`,
			{ method: 'GET', ...options }) :
		stream(team, {}, options));
	for (let i = 0; i < 3; i++) {
		await sleep(800);
		await site.quickstart('--restart');
	}
	await sleep(800);
	await clients.stop();
	t.diagnostic(`${clients.answers.length} answers`);
	assert.deepEqual(clients.errors, []);
	const bad = clients.answers.filter(a => !whole(a));
	assert.equal(bad.length, 0, `${bad.length} failed, the first with ` +
		`${bad[0]?.status} ${bad[0]?.body}`);
	assert.ok(clients.answers.length > 200);
	const rows = await site.ledger(team);
	assert.ok(rows.every(r => r.outcome === 'ok' && r.state === 1));
	const after = await site.responders();
	assert.ok(after.every(pid => !before.has(pid)));
});

test('a draining pool lets a long stream finish', async () => {
	const team = await site.team(1);
	await site.mock.plan(team.accounts[0].secret,
		{ chunks: 40, chunk_delay_ms: 100 });
	const long = stream(team);
	await site.mock.waitFor('the stream', team.accounts[0].secret,
		r => r.first_ms);
	await site.quickstart('--restart');
	assert.ok(whole(await long));
	const [row] = await site.ledger(team, { count: 1 });
	assert.equal(row.output_tokens, 40);
	assert.equal(row.mark, 1);
});

test('SIGHUP takes over what may change, without a restart', async () => {
	const team = await site.team(1);
	const pids = await site.responders();
	const old = await readFile(site.conf, 'utf8');
	await writeFile(site.conf, old + 'body_max_bytes = 2k\n');
	for (const pid of pids)
		process.kill(pid, 'SIGHUP');
	await sleep(500);
	const answer = await call(team, message({ system: 'x'.repeat(3000) }));
	assert.equal(answer.status, 413);
	await writeFile(site.conf, old + 'body_max_bytes = nonsense\n');
	for (const pid of pids)
		process.kill(pid, 'SIGHUP');
	await sleep(500);
	assert.equal((await call(team)).status, 200, 'a bad file changes nothing');
	await writeFile(site.conf, old);
	for (const pid of pids)
		process.kill(pid, 'SIGHUP');
	await sleep(500);
	assert.equal((await call(team,
		message({ system: 'x'.repeat(3000) }))).status, 200);
	assert.deepEqual(await site.responders(), pids);
});
