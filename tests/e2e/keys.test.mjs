// What a key may do, and which accounts serve, is what the command said last,
// from the next request on.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, message, model, request } from './lib/http.mjs';
import { Site } from './lib/site.mjs';

let site;

before(async () => { site = await Site.start({ processes: 2 }); });
after(() => site?.stop());

function many(n, one) {
	return Promise.all(Array.from({ length: n }, (_, i) => one(i)));
}

// Many wrong keys from one address, as a revoked one is, have keys from there
// that are not known yet wait: who may be refused calls from one of his own.
let addresses = 1;
function elsewhere() {
	return { agent: new Agent({ localAddress: `127.0.0.${++addresses}` }) };
}

async function served(team) {
	const all = await site.mock.counters();
	return team.accounts.map(a => all[a.secret]?.served ?? 0);
}

test('secrets do not get into core files', async () => {
	for (const pool of ['relay-pool', 'admin-pool']) {
		const pids = await site.responders(pool);
		assert.ok(pids.length > 0);
		for (const pid of pids)
			assert.match(await readFile(`/proc/${pid}/limits`, 'latin1'),
				/^Max core file size +0 +0 /m);
	}
});

describe('a key', () => {
	let team;

	before(async () => { team = await site.team(1); });

	async function assertRefused(status, type, more) {
		// Each responder may know it from before.
		const from = elsewhere();
		for (const answer of await many(8, () => call(team,
			message(more), from))) {
			assert.equal(answer.status, status, answer.body);
			assert.equal(JSON.parse(answer.body).error.type, type);
			assert.equal(answer.headers['x-should-retry'], 'false');
		}
	}

	const set = (...options) =>
		site.leasehold(['key', 'set', team.name, ...options]);

	test('may call what its list allows', async () => {
		assert.equal((await call(team)).status, 200);
		await set('--models', 'claude-haiku-*,claude-opus-4-5');
		await assertRefused(403, 'permission_error');
		for (const model of ['claude-haiku-4-5', 'claude-opus-4-5'])
			assert.equal((await call(team, message({ model }))).status, 200);
		for (const model of ['claude-opus-4-50', 'xclaude-haiku-4',
			'Claude-haiku-4-5'])
			await assertRefused(403, 'permission_error', { model });
		const counted = await request(
			`${site.url}/v1/messages/count_tokens`,
			{ key: team.key, body: message() });
		assert.equal(counted.status, 403);
		await set('--models', '');
		assert.equal((await call(team)).status, 200);
	});

	test('that is disabled is refused on the next request, and let in again',
		async () => {
			await set('--disable');
			await assertRefused(401, 'authentication_error');
			await set('--enable');
			assert.equal((await call(team)).status, 200);
		});

	test('that has expired is refused', async () => {
		await set('--expires', '2s');
		assert.equal((await call(team)).status, 200);
		await sleep(2100);
		await assertRefused(401, 'authentication_error');
		await set('--expires', 'never');
		assert.equal((await call(team)).status, 200);
	});

	test('bound to one account uses no other', async () => {
		const pair = await site.team(2);
		await site.leasehold(['key', 'set', pair.name, '--account',
			pair.accounts[1].name]);
		for (const answer of await many(10, () => call(pair)))
			assert.equal(answer.status, 200);
		assert.deepEqual(await served(pair), [0, 10]);
	});

	test('that is rotated works by both secrets during the overlap',
		async () => {
			const site = team.site;
			const two = await site.team(1);
			const old = { ...two };
			const rotate = async (...options) => {
				two.key = (await site.leasehold(['key', 'rotate',
					two.name, ...options])).trim();
				site.secrets.push(two.key);
			};
			const statuses = async team => {
				const from = elsewhere();
				return new Set((await many(8, () => call(team,
					message(), from))).map(a => a.status));
			};
			const only = status => new Set([status]);

			await rotate('--overlap', '4s');
			const until = Date.now() + 4100;
			assert.notEqual(two.key, old.key);
			assert.deepEqual(await statuses(old), only(200));
			assert.deepEqual(await statuses(two), only(200));
			assert.ok(Date.now() < until - 200, 'within the overlap');
			await site.ledger(two, { count: 16 });	// of the same key
			await sleep(until - Date.now());
			assert.deepEqual(await statuses(old), only(401));
			assert.deepEqual(await statuses(two), only(200));

			// Without overlap the old one is refused at once.
			const before = { ...two };
			await rotate();
			assert.deepEqual(await statuses(before), only(401));
			assert.deepEqual(await statuses(two), only(200));
		});

	test('that is revoked is refused on the next request, for good',
		async () => {
			const waiting = await site.team(1, { concurrency: 1 });
			await site.mock.plan(waiting.accounts[0].secret,
				{ head_delay_ms: 800, count: 1 }, {});
			const first = call(waiting);
			await site.mock.waitFor('the first',
				waiting.accounts[0].secret, () => true);
			const queued = call(waiting);
			await sleep(100);
			await site.leasehold(['key', 'revoke', waiting.name]);
			assert.equal((await call(waiting)).status, 401);
			assert.equal((await first).status, 200, 'what ran goes on');
			await queued;

			await site.leasehold(['key', 'revoke', team.name]);
			const was = await served(team);
			await assertRefused(401, 'authentication_error');
			assert.notEqual((await site.tryLeasehold(
				['key', 'set', team.name, '--enable'])).status, 0);
			await assertRefused(401, 'authentication_error');
			assert.deepEqual(await served(team), was);
		});
});

test('an account that is disabled gets no more calls', async () => {
	const team = await site.team(2);
	await site.leasehold(['account', 'disable', team.accounts[0].name]);
	for (const answer of await many(10, () => call(team)))
		assert.equal(answer.status, 200, answer.body);
	assert.deepEqual(await served(team), [0, 10]);
	await site.leasehold(['account', 'disable', team.accounts[1].name]);
	const none = await call(team);
	assert.equal(none.status, 503, none.body);
	assert.ok(none.headers['retry-after']);
	await site.leasehold(['account', 'enable', team.accounts[0].name]);
	assert.equal((await call(team)).status, 200);
});

test('account test asks the upstream, with the account\'s own secret',
	async () => {
		const team = await site.team(1);
		const [{ name, secret }] = team.accounts;
		for (const [more, path] of [[[], '/v1/models'],
			[['--model', model], '/v1/messages']]) {
			const said = await site.leasehold(
				['account', 'test', ...more, name]);
			assert.match(said, /status 200/);
			const asked = (await site.mock.requests(secret)).at(-1);
			assert.equal(asked.path.split('?')[0], path);
		}
		await site.mock.plan(secret, { status: 401 });
		await assert.rejects(site.leasehold(['account', 'test', name]));
		// It is no request of a client, and parks nobody.
		await site.ledger(team, { count: 0 });
		assert.deepEqual(await site.cooldowns(team), []);
	});
