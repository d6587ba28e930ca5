// Which account is leased, by a group's strategy, as the upstream sees it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, stream } from './lib/http.mjs';
import { server } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

let site;

before(async () => { site = await Site.start({ processes: 2 }); });
after(() => site?.stop());

// Three accounts of one priority.
function team(strategy, weights, where = site) {
	return where.team(3, { priority: 10, weights, concurrency: 40,
		groupOptions: ['--strategy', strategy] });
}

// How many requests each account was sent at once, when all are slow.
async function spread(made, n) {
	for (const { secret } of made.accounts)
		await site.mock.plan(secret, { head_delay_ms: 1500 });
	const answers = await Promise.all(
		Array.from({ length: n }, () => call(made)));
	assert.ok(answers.every(a => a.status === 200));
	const all = await site.mock.counters();
	return made.accounts.map(a => all[a.secret]?.high_water ?? 0);
}

// Two responders choose, and neither knows of all that the other has just
// leased.
function near(got, wanted) {
	const what = `${got}; wanted ${wanted}`;
	assert.equal(got.reduce((a, b) => a + b), 30, what);
	for (const [i, n] of got.entries())
		assert.ok(Math.abs(n - wanted[i]) <= 3, what);
}

describe('thirty slow requests at once', () => {
	test('least_connections: as many on each', async () => {
		const made = await team('least_connections');
		near(await spread(made, 30), [10, 10, 10]);
	});

	test('round_robin: each in its turn, whatever its weight', async () => {
		const made = await team('round_robin', [100, 200, 700]);
		near(await spread(made, 30), [10, 10, 10]);
	});

	test('weighted: by weight', async () => {
		const made = await team('weighted', [100, 200, 700]);
		near(await spread(made, 30), [3, 6, 21]);
	});
});

// Ended by its client; where that is not told, it is waited for.
const hangsMs = server.tells ? 60000 : 15000;

// A call hangs on the first account, and the others have none open: how many
// of twelve more, one after the other, each account gets.
async function besideHanging(made) {
	const [hangs, ...others] = made.accounts;
	await made.site.mock.plan(hangs.secret,
		{ head_delay_ms: hangsMs, count: 1 }, {});
	for (const { secret } of others)
		await made.site.mock.plan(secret, { head_delay_ms: 700, count: 1 }, {});
	const abort = new AbortController();
	let answered = 0;
	const first = Array.from({ length: 3 }, () =>
		call(made, undefined, { signal: abort.signal })
			.then(() => answered++, () => {}));
	const all = () => made.site.mock.requests(...made.accounts.map(a => a.secret));
	while (answered < 2 || (await made.site.heldSlots(made)).length > 1)
		await sleep(20);
	const before = (await all()).length;
	for (let i = 0; i < 12; i++)
		assert.equal((await call(made)).status, 200);
	const more = (await all()).slice(before);
	assert.equal(answered, 2, 'it still hangs');
	if (server.tells)
		abort.abort();
	await Promise.all(first);
	await made.site.ledger(made, { count: 15 });
	return made.accounts.map(a =>
		more.filter(r => r.credential === a.secret).length);
}

// One responder, which knows all that is leased: with two it would depend on
// the web server which of them is asked.
describe('one after the other, while a call hangs on one account', () => {
	let own;

	before(async () => { own = await Site.start({ processes: 1 }); });
	after(() => own?.stop());

	test('least_connections: none goes there', async () => {
		assert.deepEqual(await besideHanging(
			await team('least_connections', [], own)), [0, 6, 6]);
	});

	test('weighted: it goes on getting some', async () => {
		const [hangs, a, b] = await besideHanging(
			await team('weighted', [], own));
		assert.ok(hangs > 1 && hangs <= a && hangs <= b,
			`${hangs}, ${a}, ${b}`);
	});
});

// Two of three begin their streams late: how many of eighteen streams, one
// after the other, each gets once that is known.
describe('one after the other, of which one begins sooner', () => {
	test('response_time: it gets most', async () => {
		const made = await team('response_time');
		for (const [i, { secret }] of made.accounts.entries())
			await site.mock.plan(secret,
				{ head_delay_ms: i === 1 ? 0 : 600 });
		for (let i = 0; i < 24; i++)
			assert.equal((await stream(made)).status, 200);
		const requests = await site.mock.requests(
			...made.accounts.map(a => a.secret));
		const [a, b, c] = made.accounts.map(
			x => requests.filter(r => r.credential === x.secret).length);
		assert.ok(b >= 16 && a <= 4 && c <= 4, `${a}, ${b}, ${c}`);
	});
});

describe('what the upstream says is left', () => {
	test('an account that is nearly spent goes last', async () => {
		const made = await team('least_connections');
		const reset = String(Math.floor(Date.now() / 1000) + 3600);
		await site.mock.plan(made.accounts[0].secret, { headers: [
			['anthropic-ratelimit-unified-5h-utilization', '0.99'],
			['anthropic-ratelimit-unified-5h-reset', reset]] });
		for (let i = 0; i < 24; i++)
			assert.equal((await call(made)).status, 200);
		const requests = await site.mock.requests(
			...made.accounts.map(a => a.secret));
		const spent = requests.filter(
			r => r.credential === made.accounts[0].secret).length;
		// Two responders, each of which may learn it for itself.
		assert.ok(spent >= 1 && spent <= 2, `${spent}`);
	});
});
