// Sessions and their accounts, through two responders.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, message } from './lib/http.mjs';
import { Site } from './lib/site.mjs';

let site;

before(async () => { site = await Site.start({ processes: 2 }); });
after(() => site?.stop());

// Three accounts of one priority.
function team(options = {}) {
	return site.team(3, { priority: 10, concurrency: 40, ...options });
}

// How many requests each account was sent.
async function counts(made) {
	const all = await site.mock.requests(...made.accounts.map(a => a.secret));
	return made.accounts.map(
		a => all.filter(r => r.credential === a.secret).length);
}

const cached = text => [{ type: 'text', text,
	cache_control: { type: 'ephemeral' } }];

// Ways in which a client says which session it is; each gives the body and
// options of the n-th request of session ${id}.
const ways = {
	'a header': (id, n) => [message({ max_tokens: 100 + n }),
		{ headers: { 'x-claude-code-session-id': id } }],
	'metadata.user_id': (id, n) => [message({ max_tokens: 100 + n,
		metadata: { user_id: JSON.stringify(
			{ device_id: 'd', account_uuid: '', session_id: id }) } })],
	'the prefix of its conversation': (id, n) => [message({
		system: cached('You are of use.'),
		messages: [
			{ role: 'user', content: n === 0 ? cached(id) : id },
			...Array.from({ length: n }, (_, i) => [
				{ role: 'assistant', content: `answer ${i}` },
				{ role: 'user', content: i === n - 1 ?
					cached(`question ${i}`) : `question ${i}` },
			]).flat(),
		] })],
};

for (const [name, way] of Object.entries(ways)) {
	describe(`a session known by ${name}`, () => {
		test('it stays with its account', async () => {
			const made = await team(), id = randomUUID();
			for (let i = 0; i < 12; i++)
				assert.equal((await call(made, ...way(id, i))).status, 200);
			assert.deepEqual((await counts(made)).sort((a, b) => a - b),
				[0, 0, 12]);
		});

		test('new ones spread', async () => {
			const made = await team();
			for (let i = 0; i < 30; i++)
				assert.equal((await call(made,
					...way(randomUUID(), 0))).status, 200);
			for (const n of await counts(made))
				assert.ok(n >= 7 && n <= 13, `${await counts(made)}`);
		});
	});
}

describe('without a session', () => {
	test('requests go to all accounts', async () => {
		const made = await team();
		for (let i = 0; i < 12; i++)
			assert.equal((await call(made)).status, 200);
		for (const n of await counts(made))
			assert.ok(n >= 2 && n <= 6, `${await counts(made)}`);
	});
});

describe('a parked account', () => {
	test('is left by its sessions, and comes back for others', async () => {
		const made = await team(), id = randomUUID();
		const way = ways['a header'];
		for (let i = 0; i < 3; i++)
			await call(made, ...way(id, i));
		const home = (await counts(made)).indexOf(3);
		await site.mock.plan(made.accounts[home].secret, { status: 429,
			headers: [['retry-after', '5']], count: 1 }, {});
		for (let i = 3; i < 9; i++)
			assert.equal((await call(made, ...way(id, i))).status, 200);
		const why = async () => (await site.json('account', 'why-not',
			made.accounts[home].name, '--key', made.name,
			'--model', 'claude-x')).answer;
		assert.match(await why(), /is parked until .*rate_limited/);
		const after = await counts(made);
		assert.equal(after[home], 4);

		// The request that met the refusal tells how it went.
		const list = await site.json('requests', 'list', '--key', made.name);
		const { trace } = await site.json('requests', 'show',
			list.find(r => r.attempts === 2).id);
		assert.equal(trace[0].attempt, 1);
		assert.equal(trace[0].session, 'kept');
		assert.equal(trace[0].name, made.accounts[home].name);
		assert.ok(trace.some(e => e.attempt === 2 && e.why === 'picked' &&
			e.name !== made.accounts[home].name));
		assert.ok(trace.some(e => e.why === 'tried' && e.session === 'left'));
		const shown = await site.leasehold(['requests', 'show',
			list.find(r => r.attempts === 2).id]);
		assert.match(shown, /FOR TRY.*WHY.*ITS SESSION/);
		assert.deepEqual(after.toSorted((a, b) => a - b), [0, 4, 6]);

		// The session has moved for good; new ones find the account again.
		const late = Date.now() + 20000;
		while (!(await why()).endsWith('would serve it now'))
			assert.ok(Date.now() < late, await why());
		await sleep(500);
		await call(made, ...way(id, 9));
		const moved = after.indexOf(6);
		assert.equal((await counts(made))[moved], 7);
		for (let i = 0; i < 9; i++)
			await call(made, ...way(randomUUID(), 0));
		assert.ok((await counts(made))[home] > 4);
	});
});

describe('a busy account', () => {
	test('is waited for while it holds a large cache', async () => {
		const made = await team({ concurrency: 1 }), id = randomUUID();
		const big = (n) => [message({ max_tokens: 100 + n,
			messages: [{ role: 'user', content: 'x'.repeat(200000) }] }),
		{ headers: { 'x-claude-code-session-id': id } }];
		// What is cached is taken from the usage, which the mock does not
		// give; while the first runs it is guessed from the size.
		for (const { secret } of made.accounts)
			await site.mock.plan(secret, { head_delay_ms: 1000, count: 1 }, {});
		const both = await Promise.all([call(made, ...big(0)),
			sleep(300).then(() => call(made, ...big(1)))]);
		assert.ok(both.every(a => a.status === 200));
		assert.deepEqual((await counts(made)).sort((a, b) => a - b),
			[0, 0, 2]);
	});
});
