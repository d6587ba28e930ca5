// Breakers of accounts: who goes through, and what is shown of them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { write } from './lib/database.mjs';
import { call, message, request, stream } from './lib/http.mjs';
import { named, park, tell } from './lib/parks.mjs';
import { Site } from './lib/site.mjs';

let site;

before(async () => {
	site = await Site.start();
});
after(() => site?.stop());

describe('a breaker', () => {
	test('lets one of many through until that one is served', async () => {
		const team = await site.team(1);
		const [account] = team.accounts;
		await write(site, park(account, { reason: 'auth', ms: 60000,
			ago: 61000 }) + tell);
		await site.mock.plan(account.secret,
			{ head_delay_ms: 2500, count: 1 }, {});
		const answers = Array.from({ length: 8 }, () => stream(team));
		await site.mock.waitFor('the probe', account.secret, () => true);
		await sleep(300);
		assert.equal((await site.mock.requests(account.secret)).length, 1);

		assert.deepEqual((await Promise.all(answers)).map(a => a.status),
			Array(8).fill(200));
		const rows = await site.ledger(team, { count: 8 });
		const probes = rows.filter(r => r.trace.includes('"probe"'));
		assert.equal(probes.length, 1);
		const requests = await site.json('requests', 'list', '--key',
			team.name);
		const shown = await Promise.all(requests.map(r =>
			site.json('requests', 'show', r.id)));
		const probe = shown.filter(r => r.trace.some(e => e.probe === 'auth'));
		assert.equal(probe.length, 1);
		assert.match(await site.leasehold(['requests', 'show', probe[0].id]),
			/FOR TRY.*PROBES/);
		const [closed] = (await site.json('account', 'list')).filter(a =>
			a.name === account.name);
		assert.equal(closed.breaker, 'closed');
		assert.deepEqual(closed.cooldowns, []);
	});

	test('is shown, with who probes it', async () => {
		const team = await site.team(1);
		const [account] = team.accounts;
		const leave = new AbortController();
		await site.mock.plan(account.secret,
			{ chunks: 200, chunk_delay_ms: 200 });
		const slow = stream(team, {}, { signal: leave.signal })
			.catch(() => {});
		await site.mock.waitFor('the stream', account.secret, () => true);
		await write(site, park(account, { reason: 'auth', ms: 60000,
			ago: 61000 }) + `UPDATE cooldown SET probe_attempt = 1,
			probe_ms = ${Date.now()}, probe_id = (SELECT max(l.id)
			FROM ledger l JOIN api_key k ON k.id = l.key_id
			WHERE k.name = '${team.name}') WHERE account_id =
			${named(account)};${tell}`);
		const shown = await site.json('account', 'show', account.name);
		assert.equal(shown.breaker, 'half-open');
		assert.equal(shown.breaker_reason, 'auth');
		assert.equal(shown.parked_until_ms, null);
		assert.equal(shown.cooldowns[0].state, 'probing');
		const { accounts } = await site.json('status');
		assert.equal(accounts.find(a => a.name === account.name).breaker,
			'half-open');
		const why = await site.json('account', 'why-not', account.name,
			'--key', team.name, '--model', 'claude-sonnet-4-5');
		assert.match(why.answer, /half-open \(auth\), and another/);

		// What cannot wait is told so.
		const answer = await request(
			`${site.url}/v1/messages/count_tokens`,
			{ key: team.key, body: message() });
		assert.equal(answer.status, 429);
		assert.match(answer.body, /1 account failed and is being probed/);
		leave.abort();
		await slow;
	});

	test('closes at the first event of a stream, not at its end', async () => {
		const team = await site.team(1);
		const [account] = team.accounts;
		await write(site, park(account, { reason: 'overloaded', ms: 60000,
			soft: 1 }) + tell);
		await site.mock.plan(account.secret,
			{ chunks: 20, chunk_delay_ms: 200, count: 1 }, {});
		let over = false;
		const slow = stream(team).finally(() => { over = true; });
		await site.mock.waitFor('the probe', account.secret, () => true);
		assert.equal((await stream(team)).status, 200);
		assert.equal(over, false);
		assert.equal((await slow).status, 200);
	});

	test('opens for longer with each probe that fails', async () => {
		const team = await site.team(1);
		const [account] = team.accounts;
		const spans = [];
		await site.mock.plan(account.secret, { status: 401 });
		for (let i = 0; i < 3; i++) {
			assert.equal((await call(team)).status, 503);
			await site.ledger(team, { count: i + 1 });
			const [{ until_ms, observed_ms }] = await site.cooldowns(team);
			spans.push(until_ms - observed_ms);
			await write(site, `UPDATE cooldown SET until_ms = ${Date.now() - 1}
				WHERE account_id = ${named(account)};${tell}`);
		}
		assert.ok(spans[1] > spans[0] * 1.5 && spans[2] > spans[1] * 1.5,
			`${spans}`);
	});

	test('of a disabled account lets nobody through, and nothing enables it',
		async () => {
			const team = await site.team(1);
			const [account] = team.accounts;
			await site.leasehold(['account', 'disable', account.name]);
			await write(site, park(account, { reason: 'overloaded',
				ms: 60000, ago: 61000, soft: 1 }) + tell);
			const answer = await call(team);
			assert.equal(answer.status, 503);
			await sleep(500);
			assert.equal((await site.mock.requests(account.secret)).length,
				0);
			const shown = await site.json('account', 'show', account.name);
			assert.equal(shown.enabled, false);
		});
});
