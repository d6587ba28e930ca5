// What two hosts share: slots, a key's own limit, money, the queue, and the
// clock, which is the database's.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { health, openRows, until } from '../e2e/lib/hosts.mjs';
import { call, message, stream } from '../e2e/lib/http.mjs';
import { Site } from '../e2e/lib/site.mjs';

let one, two;
const agent = new http.Agent({ keepAlive: true, maxSockets: 400 });

before(async () => {
	one = await Site.start();
	two = await Site.beside(one);
});
after(async () => {
	agent.destroy();
	await two?.stop();
	await one?.stop();
});

// A team, and the same as the other host's clients see it.
async function both(n, options) {
	const team = await one.team(n, options);
	await sleep(300);
	return [team, { ...team, site: two }];
}

function many(n, send) {
	return Promise.all(Array.from({ length: n }, (_, i) => send(i)));
}

async function highWater(team) {
	const counters = await one.mock.counters();
	return team.accounts.map(a => counters[a.secret]?.high_water ?? 0);
}

test('they are two hosts', async () => {
	const rows = await one.sql('SELECT host, kind FROM responder');
	assert.equal(new Set(rows.map(r => r.host)).size, 2);
	assert.equal(rows.filter(r => r.host.endsWith('/other') &&
		r.kind === 'relay').length, 2);
});

test('a limit below the crowd: everyone gets through, none too many',
	async () => {
		const teams = await both(4, { concurrency: 3, priority: 10 });
		for (const { secret } of teams[0].accounts)
			await one.mock.plan(secret, { chunks: 2, head_delay_ms: 10 });
		const answers = await many(400, i =>
			(i % 4 < 2 ? stream : call)(teams[i % 2],
				i % 4 < 2 ? {} : message(), { agent }));
		for (const answer of answers)
			assert.equal(answer.status, 200, answer.body);
		const high = await highWater(teams[0]);
		assert.ok(high.every(n => n === 3), `${high}`);
		const rows = await one.ledger(teams[0], { count: 400 });
		assert.ok(rows.every(r => r.outcome === 'ok' && r.mark === 1));
		assert.equal((await one.mock.requests(
			...teams[0].accounts.map(a => a.secret))).length, 400);
		assert.equal(await openRows(one), 0);
	});

test('a key has its limit over both', async () => {
	const teams = await both(1, { concurrency: 50,
		keyOptions: ['--concurrency', '3'] });
	await one.mock.plan(teams[0].accounts[0].secret, { head_delay_ms: 30 });
	const answers = await many(60, i =>
		call(teams[i % 2], message(), { agent }));
	assert.ok(answers.every(a => a.status === 200));
	assert.deepEqual(await highWater(teams[0]), [3]);
	await one.ledger(teams[0], { count: 60 });
});

test('a budget in money is not overrun by both at once', async t => {
	// 7.8 m$ each at the most, see limits.test.mjs.
	const teams = await both(2, { concurrency: 50,
		keyOptions: ['--budget', '0.02'] });
	for (const { secret } of teams[0].accounts)
		await one.mock.plan(secret, { chunks: 100, head_delay_ms: 20 });
	const answers = await many(80, i => call(teams[i % 2],
		message({ max_tokens: 100, system: 'x'.repeat(900) }), { agent }));
	const good = answers.filter(a => a.status === 200).length;
	t.diagnostic(`${good} of 80 fit into the budget`);
	assert.ok(good >= 2 && good < 9, `${good}`);
	const rows = await one.ledger(teams[0]);
	const [window] = await one.sql(`SELECT w.spent, w.reserved
		FROM budget_window w JOIN budget b ON b.id = w.budget_id
		JOIN api_key k ON k.id = b.scope_id
		WHERE k.name = '${teams[0].name}'`);
	assert.ok(window.spent <= 20000000, `${window.spent}`);
	assert.equal(window.reserved, 0);
	assert.equal(rows.reduce((n, r) => n + (r.cost_nusd ?? 0), 0),
		window.spent);
});

test('who waits on one host is granted what the other frees', async t => {
	const teams = await both(1, { concurrency: 1 });
	const { secret } = teams[0].accounts[0];
	const slow = { chunks: 20, chunk_delay_ms: 60 };
	await one.mock.plan(secret, slow, {}, slow, {});
	for (const [holds, waits] of [[0, 1], [1, 0]]) {
		const held = stream(teams[holds]).then(a => [a, Date.now()]);
		await until('the lease', async () =>
			(await one.heldSlots(teams[0])).length === 1, 5000);
		const waited = call(teams[waits]).then(a => [a, Date.now()]);
		await until('the ticket', async () => {
			const [{ n }] = await one.sql(
				'SELECT count(*) AS n FROM ticket');
			return n === 1;
		}, 1000);
		const [[first, firstAt], [second, secondAt]] =
			[await held, await waited];
		assert.equal(first.status, 200);
		assert.equal(second.status, 200);
		t.diagnostic(`${secondAt - firstAt} ms after the other's end`);
		assert.ok(secondAt >= firstAt - 50 && secondAt - firstAt < 1000,
			`${secondAt - firstAt} ms`);
	}
	assert.deepEqual(await highWater(teams[0]), [1]);
});

test('one host\'s crowd does not starve the other\'s', async () => {
	const teams = await both(1, { concurrency: 2 });
	const few = { ...teams[1], key: await one.makeKey(
		`${teams[0].name}-few`, '--group', teams[0].name) };
	await one.mock.plan(teams[0].accounts[0].secret, { head_delay_ms: 50 });
	let done = 0;
	const greedy = many(60, async () => {
		await call(teams[0], message(), { agent });
		done++;
	});
	await sleep(300);
	await many(3, () => call(few, message(), { agent }));
	assert.ok(done < 40, `${done} of the 60 went before`);
	await greedy;
	assert.deepEqual(await highWater(teams[0]), [2]);
});

// The last test: what it leaves is a day ahead.
test('the clock is the database\'s', async () => {
	const [team, other] = await both(1);
	const day = 86400;
	const renew = async () => {
		for (const pid of await two.responders())
			process.kill(pid, 'SIGKILL');
		await sleep(500);
		await until('health', async () => await health(two) === 200, 10000);
	};
	assert.equal((await call(team)).status, 200);
	await one.sql(`SET GLOBAL init_connect =
		'SET timestamp = ${Math.floor(Date.now() / 1000) + day}'`);
	await renew();
	assert.equal((await call(other)).status, 200);
	await one.sql('SET GLOBAL init_connect = \'\'');
	await renew();
	const rows = await one.ledger(team, { count: 2 });
	const ahead = rows.map(r => (r.created_ms - Date.now()) / 1000);
	assert.ok(Math.abs(ahead[0]) < 60, `${ahead}`);
	assert.ok(Math.abs(ahead[1] - day) < 60, `${ahead}`);
});
