// Accounts behind proxies: what is sent goes that way, and no other.
// Store: any.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call, stream } from './lib/http.mjs';
import { Proxy } from './lib/proxy.mjs';
import { Site } from './lib/site.mjs';

const password = 'p@ss:w/rd%41 of the proxy';
let site;

// As an environment would have it that leads everybody astray.
const environment = {
	http_proxy: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9',
	ALL_PROXY: 'socks5h://127.0.0.1:9', NO_PROXY: '*', no_proxy: '*',
};

before(async () => {
	Object.assign(process.env, environment);
	site = await Site.start({ set: { queue_timeout_s: '1s',
		connect_timeout_s: '2s' } });
	site.secrets.push(password);
});
after(() => site?.stop());

function setProxy(account, url, input = '') {
	return site.leasehold(['account', 'set', account.name, '--proxy', url],
		{ input });
}

async function behind(n, proxies, options) {
	const team = await site.team(n, options);
	for (const [i, [url, input]] of proxies.entries())
		await setProxy(team.accounts[i], url, input);
	await new Promise(done => setTimeout(done, 500));
	return team;
}

for (const [scheme, kind] of [['http'], ['socks5', 'address'],
	['socks5h', 'name']]) {
	describe(`through a proxy of ${scheme}`, () => {
		let proxy;

		before(async () => {
			proxy = await Proxy.start({ user: 'me', password });
		});
		after(() => proxy.stop());

		test('an answer and a stream come, with user and password',
			async () => {
				const team = await behind(1,
					[[proxy.url(scheme, 'me'), password + '\n']],
					{ baseUrl: `http://localhost:${site.mock.port}` });
				assert.equal((await call(team)).status, 200);
				const s = await stream(team);
				assert.equal(s.status, 200);
				assert.match(s.body, /message_stop/);
				assert.ok(proxy.asked.length >= 2);
				assert.ok(proxy.asked.every(a =>
					a.endsWith(`:${site.mock.port}`)), `${proxy.asked}`);
				assert.equal(proxy.kind, kind);
				assert.equal(proxy.refused, 0);
				assert.ok(proxy.heads.every(h => !/api-key|authoriz.*sk-mock/i
					.test(h)), 'the proxy saw the credential');
				const seen = await site.mock.requests(team.accounts[0].secret);
				assert.equal(seen.length, 2);
				assert.ok(seen.every(r => !/proxy-/i.test(r.head)));
			});

		test('a wrong password: the attempt fails and moves', async () => {
			const team = await behind(2,
				[[proxy.url(scheme, 'me'), 'wrong\n']]);
			const asked = proxy.asked.length;
			assert.equal((await call(team)).status, 200);
			assert.equal(proxy.asked.length, asked);
			assert.ok(proxy.refused > 0);
			assert.equal((await site.mock.requests(
				team.accounts[0].secret)).length, 0);
			const [row] = await site.ledger(team, { count: 1 });
			assert.equal(row.account, team.accounts[1].name);
			const [parked] = await site.cooldowns(team);
			assert.equal(parked.account, team.accounts[0].name);
			assert.equal(parked.reason, 'proxy');
		});

		test('account test goes that way, too', async () => {
			const team = await behind(1,
				[[proxy.url(scheme, 'me'), password + '\n']]);
			const asked = proxy.asked.length;
			const { good } = JSON.parse(await site.leasehold(['--json',
				'account', 'test', team.accounts[0].name]));
			assert.equal(good, true);
			assert.equal(proxy.asked.length, asked + 1);
		});
	});
}

describe('a proxy that is down', () => {
	test('never is gone around', async () => {
		for (const scheme of ['http', 'https', 'socks5', 'socks5h']) {
			const team = await behind(1, [[`${scheme}://127.0.0.1:9`]]);
			const a = await call(team);
			assert.equal(a.status, 503, scheme);
			assert.match(a.body, /last: proxy/);
			assert.equal((await site.mock.requests(
				team.accounts[0].secret)).length, 0);
			const tested = await site.tryLeasehold(['account', 'test',
				team.accounts[0].name]);
			assert.equal(tested.status, 1);
			assert.match(tested.stdout, /proxy/);
			assert.equal((await site.mock.requests(
				team.accounts[0].secret)).length, 0);
		}
	});

	test('another account serves, and a new proxy ends the rest', async () => {
		const team = await behind(2, [['socks5h://127.0.0.1:9']]);
		assert.equal((await call(team)).status, 200);
		assert.equal((await site.cooldowns(team)).length, 1);
		await setProxy(team.accounts[0], 'none');
		assert.equal((await site.cooldowns(team)).length, 0);
		await new Promise(done => setTimeout(done, 500));
		assert.equal((await call(team)).status, 200);
		assert.equal((await site.mock.requests(
			team.accounts[0].secret)).length, 1);
	});

	test('a refusal is not taken for an answer of the upstream', async () => {
		const proxy = await Proxy.start({ answer:
			'HTTP/1.1 429 Slow\r\nretry-after: 9999\r\n' +
			'content-length: 0\r\n\r\n' });
		const team = await behind(1, [[proxy.url('http')]]);
		assert.equal((await call(team)).status, 503);
		const [parked] = await site.cooldowns(team);
		assert.equal(parked.reason, 'proxy');
		assert.equal(parked.stated, 0);
		await proxy.stop();
	});
});

// libcurl would take the tunnel of one user for that of another, though the
// user may decide where the proxy goes out.
test('users of one proxy never share a connection', async () => {
	const proxy = await Proxy.start();
	const team = await behind(2, [[proxy.url('http', 'one'), 'x\n'],
		[proxy.url('http', 'two'), 'x\n']],
	{ priority: 10, groupOptions: ['--strategy', 'weighted'] });
	for (let i = 0; i < 6; i++)
		assert.equal((await call(team)).status, 200);
	const users = proxy.heads.map(h => Buffer.from(h.match(
		/^proxy-authorization: basic (.*)$/im)[1], 'base64').toString());
	for (const [i, user] of ['one:x', 'two:x'].entries())
		assert.equal(users.filter(u => u === user).length,
			(await site.mock.requests(team.accounts[i].secret)).length);
	assert.equal(users.length, 6);
	await proxy.stop();
});

test('the password is shown by nothing', async () => {
	const proxy = await Proxy.start({ user: 'me', password });
	const team = await behind(1, [[proxy.url('http', 'me'),
		password + '\n']]);
	const shown = await site.leasehold(['account', 'show',
		team.accounts[0].name]);
	assert.match(shown, new RegExp(`http://127.0.0.1:${proxy.port}`));
	assert.doesNotMatch(shown, /me@|p@ss|p%40ss/);
	const refused = await site.tryLeasehold(['account', 'set',
		team.accounts[0].name, '--proxy', 'http://me:sesame@h:1']);
	assert.equal(refused.status, 2);
	assert.doesNotMatch(refused.stderr, /sesame/);
	await proxy.stop();
});
