// Who may use a key, from where, and how often: through a real nginx, with the
// addresses that it passes on.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, message, request } from './lib/http.mjs';
import { trustProxies } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

let site;

before(async () => {
	site = await Site.start({ processes: 2,
		set: { trusted_proxies: '127.0.0.1/32,198.51.100.0/24' } });
	await trustProxies(site);
});
after(() => site?.stop());

const many = (n, one) =>
	Promise.all(Array.from({ length: n }, (_, i) => one(i)));

const as = (agent, forwarded) => ({ headers: {
	...agent && { 'user-agent': agent },
	...forwarded && { 'x-forwarded-for': forwarded },
} });

function assertRefused(answer, words) {
	assert.equal(answer.status, 403, answer.body);
	assert.equal(answer.headers['x-should-retry'], 'false');
	const { error } = JSON.parse(answer.body);
	assert.equal(error.type, 'permission_error');
	assert.match(error.message, words);
}

describe('kinds of clients', () => {
	test('are told by what they call themselves', async () => {
		const team = await site.team(1,
			{ keyOptions: ['--clients', 'claude-code,ua:our-tool/*'] });
		const agents = {
			'claude-cli/2.1.328 (external, cli)': 200,
			'our-tool/7': 200, 'curl/8.5.0': 403, 'x-our-tool/7': 403,
			'Anthropic/JS 1.10.0': 403,
		};
		for (const [agent, status] of Object.entries(agents))
			assert.equal((await call(team, message(), as(agent)))
				.status, status, agent);
		assertRefused(await call(team, message(), as('curl/8.5.0')),
			/claude-code,ua:our-tool.*of kind curl.*"curl\/8\.5\.0"/);
		assertRefused(await call(team), /of kind unknown/);
		for (const path of ['messages/count_tokens', 'models'])
			assertRefused(await request(`${site.url}/v1/${path}`,
				path === 'models' ? { key: team.key, method: 'GET' } :
					{ key: team.key, body: message() }), /of kind/);
		await site.ledger(team, { count: 2 });
	});

	test('a change holds at once, for every responder', async () => {
		const team = await site.team(1);
		const set = (...o) => site.leasehold(['key', 'set', team.name, ...o]);
		for (let i = 0; i < 3; i++) {
			await set('--clients', 'claude-code');
			for (const a of await many(8, () => call(team)))
				assertRefused(a, /of kind unknown/);
			await set('--clients', '');
			for (const a of await many(8, () => call(team)))
				assert.equal(a.status, 200, a.body);
		}
	});
});

describe('addresses', () => {
	test('are those that trusted proxies name, and stand in the ledger',
		async () => {
			const team = await site.team(1, { keyOptions: ['--from',
				'203.0.113.0/24,2001:db8:5::/48,127.0.0.1'] });
			const from = forwarded =>
				call(team, message(), as('curl/8', forwarded));
			const good = [
				[undefined, '127.0.0.1'],
				['203.0.113.9', '203.0.113.9'],
				['203.0.113.9:4711', '203.0.113.9'],
				['::ffff:203.0.113.9', '203.0.113.9'],
				['2001:DB8:5::1', '2001:db8:5::1'],
				['[2001:db8:5::2]:80', '2001:db8:5::2'],
				['9.9.9.9, 203.0.113.8, 198.51.100.3', '203.0.113.8'],
				['garbage, 203.0.113.7', '203.0.113.7'],
			];
			for (const [header] of good)
				assert.equal((await from(header)).status, 200, header);
			const bad = {
				'9.9.9.9': /from address 9\.9\.9\.9/,
				'203.0.113.9, 9.9.9.9': /9\.9\.9\.9/,
				'203.0.113.9, 9.9.9.9, 198.51.100.3': /9\.9\.9\.9/,
				'2001:db8:6::1': /2001:db8:6::1/,
				'203.0.113.9, garbage': /cannot be told/,
				'203.0.113.9,': /cannot be told/,
				'unknown': /cannot be told/,
			};
			for (const [header, words] of Object.entries(bad))
				assertRefused(await from(header), words);
			// nginx passes each line on by itself, others join them.
			const two = await request(`${site.url}/v1/messages`, {
				key: team.key, body: message(), headers:
					{ 'x-forwarded-for': ['203.0.113.1', '9.9.9.9'] } });
			assertRefused(two, /9\.9\.9\.9/);
			const rows = await site.ledger(team, { count: good.length });
			assert.deepEqual(rows.map(r => r.address),
				good.map(([, address]) => address));
			const { headers } = await from('203.0.113.44');
			const shown = await site.json('requests', 'show',
				headers['x-leasehold-request-id']);
			assert.equal(shown.address, '203.0.113.44');
		});

	test('nobody is believed who is not trusted', async () => {
		const team = await site.team(1,
			{ keyOptions: ['--from', '203.0.113.0/24'] });
		const before = await readFile(site.conf, 'utf8');
		const ask = () => call(team, message(),
			as('curl/8', '203.0.113.9'));
		const reload = async text => {
			await writeFile(site.conf, text);
			for (const pid of await site.responders())
				process.kill(pid, 'SIGHUP');
			await sleep(500);
		};
		assert.equal((await ask()).status, 200);
		await reload(before.replace(/^trusted_proxies *=.*$/m,
			'trusted_proxies = 198.51.100.0/24'));
		for (const a of await many(6, ask))
			assertRefused(a, /from address 127\.0\.0\.1/);
		await reload(before.replace(/^trusted_proxies *=.*$/m, '$&\n' +
			'record_address = none'));
		assert.equal((await ask()).status, 200);
		const rows = await site.ledger(team, { count: 2 });
		assert.deepEqual(rows.map(r => r.address), ['203.0.113.9', '']);
		await reload(before);
	});
});

describe('a rate', () => {
	test('holds over all responders; those beyond it leave no row',
		async () => {
			const team = await site.team(1,
				{ keyOptions: ['--rate', '7/1m'], concurrency: 50 });
			const answers = await many(40, () => call(team));
			const good = answers.filter(a => a.status === 200);
			assert.equal(good.length, 7);
			for (const a of answers.filter(r => r.status !== 200)) {
				assert.equal(a.status, 429, a.body);
				const { error } = JSON.parse(a.body);
				assert.equal(error.type, 'rate_limit_error');
				assert.match(error.message, /7 requests in any 1 min/);
				assert.equal(a.headers['x-should-retry'], undefined);
				const s = Number(a.headers['retry-after']);
				assert.ok(s > 50 && s <= 60, `${s}`);
			}
			const rows = await site.ledger(team, { count: 7 });
			assert.ok(rows.every(r => r.outcome === 'ok'));
			// What needs no slot is none of it.
			for (let i = 0; i < 3; i++)
				assert.equal((await request(
					`${site.url}/v1/messages/count_tokens`,
					{ key: team.key, body: message() })).status, 200);
			const shown = await site.json('key', 'show', team.name);
			assert.equal(shown.rate, 7);
			assert.equal(shown.rate_ms, 60000);

			// More from the next request on, and then no limit.
			const set = rate => site.leasehold(
				['key', 'set', team.name, '--rate', rate]);
			await set('9/1m');
			const more = await many(6, () => call(team));
			assert.equal(more.filter(a => a.status === 200).length, 2);
			await set('none');
			for (const a of await many(6, () => call(team)))
				assert.equal(a.status, 200);
		});
});
