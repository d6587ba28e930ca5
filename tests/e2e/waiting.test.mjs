// Who waits for a slot: in which order, what is said of it, and that whoever
// leaves makes room at once.  With two responders, as the whole pool.
import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { Agent } from 'node:http';
import { after, before, test } from 'node:test';
import { until } from './lib/hosts.mjs';
import { call, message, request } from './lib/http.mjs';
import { server } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

let site, token;

before(async () => {
	site = await Site.start({ processes: 2 });
	token = (await site.leasehold(
		['token', 'create', '--name', 'waiting'])).trim();
	site.secrets.push(token);
});
after(() => site?.stop());

async function queue() {
	const answer = await request(`${site.url}/api/v1/queue/status`,
		{ method: 'GET', headers: { authorization: `Bearer ${token}` } });
	assert.equal(answer.status, 200, answer.body);
	return JSON.parse(answer.body);
}

test('within a key, who came first is served first', async () => {
	const team = await site.team(1, { concurrency: 1 });
	const { secret } = team.accounts[0];
	await site.mock.keepBodies();
	await site.mock.plan(secret, { head_delay_ms: 5000, count: 1 },
		{ head_delay_ms: 30 });
	const calls = [];
	// A connection each, or one responder may get them all.
	const agent = new Agent({ keepAlive: false });
	for (let i = 0; i < 14; i++) {
		calls.push(call(team, message({ max_tokens: 100 + i }), { agent }));
		if (i === 0)
			await site.mock.waitFor('the first', secret, () => true);
		else
			await until(`${i} to wait`, async () =>
				(await queue()).waiting === i);
	}
	for (const { status } of await Promise.all(calls))
		assert.equal(status, 200);
	const served = (await site.mock.requests(secret))
		.map(r => JSON.parse(r.body).max_tokens - 100);
	assert.deepEqual(served, Array.from({ length: 14 }, (_, i) => i));
	const rows = await site.ledger(team, { count: 14 });
	assert.ok(rows.slice(1).every(r => r.queue_ms > 0));
});

test('a key with 500 calls cannot starve another\'s one', async () => {
	const team = await site.team(1, { concurrency: 2 });
	const other = { site, name: `${team.name}-other`,
		key: await site.makeKey(`${team.name}-other`,
			'--group', team.name) };
	await site.mock.plan(team.accounts[0].secret, { head_delay_ms: 500 });
	const agent = new Agent({ maxSockets: Infinity });
	const leave = new AbortController();
	setMaxListeners(0, leave.signal);
	const crowd = Array.from({ length: 500 }, () => call(team, message(),
		{ agent, signal: leave.signal }).catch(() => null));
	await until('the crowd', async () => (await queue()).waiting >= 400);
	const from = Date.now();
	const one = call(other);
	let place;
	await until('the one', async () => {
		place = (await queue()).requests.find(r => r.key === other.name);
		return place !== undefined || Date.now() - from > 3000;
	});
	// It may have been served before anybody looked.
	if (place !== undefined) {
		assert.ok(place.position <= 2, `${place.position}`);
		// It may be long while the pool has served hardly any.
		assert.ok(place.expected_ms === null ||
			place.expected_ms <= place.position * 60000,
		`${place.expected_ms} ms`);
	}
	assert.equal((await one).status, 200);
	const ms = Date.now() - from;
	const left = (await queue()).waiting;
	assert.ok(left > 250, `the crowd still waits: ${left}`);
	assert.ok(ms < 10000, `${ms} ms`);

	// All leave: their places are free, and who comes now is served.  Where
	// that is not told, all are served.
	if (server.tells)
		leave.abort();
	else
		await site.leasehold(['account', 'set', team.accounts[0].name,
			'--concurrency', '100']);
	const answers = await Promise.all(crowd);
	await until('nobody to wait', async () =>
		(await queue()).waiting === 0);
	assert.equal((await call(team)).status, 200);
	await site.ledger(other, { count: 1 });
	const rows = await site.ledger(team);
	if (server.tells)
		assert.ok(rows.filter(r => r.outcome === 'client_gone')
			.length > 250);
	else
		assert.ok(answers.every(a => a?.status === 200));
	assert.deepEqual(await site.heldSlots(team), []);
});
