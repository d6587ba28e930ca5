// OAuth accounts: signing in, and renewing tokens of which each is good for
// one renewal, from several responders, while things fail.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './lib/http.mjs';
import { parks } from './lib/metrics.mjs';
import { give, oauthTeam, tokenRow } from './lib/oauth.mjs';
import { Proxy } from './lib/proxy.mjs';
import { Site, prefix } from './lib/site.mjs';
import { Tokens } from './lib/tokens.mjs';

// More of it: so many responders on each host, for so long.
const processes = Number(process.env.OAUTH_PROCESSES ?? 4);
const storm_ms = Number(process.env.OAUTH_SECONDS ?? 20) * 1000;

let site;

before(async () => {
	site = await Site.start({ processes, set: { queue_timeout_s: '1s',
		attempt_budget_s: '30s' } });
});
after(() => site?.stop());

const team = (...args) => oauthTeam(site, ...args);
const row = account => tokenRow(site, account);

// The command waits for the code, as it does for a person.
async function login(account, codeFor) {
	const child = spawn(join(prefix, 'sbin/leasehold'), ['--config',
		site.conf, 'account', 'login', account]);
	let said = '';
	child.stderr.on('data', d => { said += d; });
	child.stdout.on('data', d => {
		const address = String(d).match(/https:\S+/)?.[0];
		if (address)
			child.stdin.end(codeFor(address) + '\n');
	});
	const [status] = await once(child, 'close');
	return { status, said };
}

// Neither endpoints nor client ids of ours: all are the operator's.
describe('what is not configured', () => {
	const settings = { '--authorize-url': 'https://sign.example/in',
		'--token-url': 'https://sign.example/token',
		'--client-id': 'c', '--redirect-uri': 'http://localhost:1/back' };
	const said = /needs --authorize-url, --token-url, --client-id and --redirect-uri/;
	const base = name => ['account', 'add', '--name', name, '--platform',
		'claude', '--base-url', site.mock.url, '--credential'];

	for (const missing of Object.keys(settings))
		test(`has no default: ${missing}`, async () => {
			const rest = Object.entries(settings).filter(
				([name]) => name !== missing).flat();
			const added = await site.tryLeasehold(
				[...base('unset'), 'oauth', ...rest]);
			assert.equal(added.status, 2);
			assert.match(added.stderr, said);
			// Nor by and by.
			const name = `key${missing}`;
			await site.leasehold([...base(name), 'api_key'],
				{ input: 'sk-mock-unset' });
			const changed = await site.tryLeasehold(['account', 'set', name,
				'--credential', 'oauth', ...rest]);
			assert.equal(changed.status, 2);
			assert.match(changed.stderr, said);
			for (const act of [['login', name], ['import', name, '-']]) {
				const r = await site.tryLeasehold(['account', ...act],
					{ input: '{"access_token":"a","refresh_token":"r"}' });
				assert.equal(r.status, 2, r.stderr);
				assert.match(r.stderr, /its credential is not oauth/);
			}
			await site.leasehold(['account', 'remove', name]);
			// Nor when it is taken away again.
			await site.leasehold([...base(`set${missing}`), 'oauth',
				...Object.entries(settings).flat()]);
			const emptied = await site.tryLeasehold(['account', 'set',
				`set${missing}`, missing, '']);
			assert.equal(emptied.status, 2);
			await site.leasehold(['account', 'remove', `set${missing}`]);
		});

	test('is in none of the programs', async () => {
		for (const program of ['sbin/leasehold',
			'libexec/leasehold/leasehold-relay.fcgi',
			'libexec/leasehold/leasehold-admin.fcgi']) {
			const text = await readFile(join(prefix, program), 'latin1');
			assert.doesNotMatch(text,
				/https:\/\/[a-z0-9.-]+\/[!-~]*(oauth\/(token|authorize)|v1\/oauth)/);
			assert.doesNotMatch(text,
				/\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b/);
		}
	});
});

describe('signing in', () => {
	let tokens;

	before(async () => { tokens = await Tokens.start(); });
	after(() => tokens.stop());

	for (const format of ['form', 'json'])
		test(`by code, asking in ${format}`, async () => {
			const made = await team(tokens, 1, { signedIn: false,
				options: ['--token-format', format] });
			const [account] = made.accounts;
			const parked = await call(made);
			assert.ok(parked.status === 503 || parked.status === 429);
			assert.match(parked.body, /sign_in/);
			let seen;
			const r = await login(account, address => {
				seen = tokens.authorize(address, account);
				return `http://localhost:1/back?code=${seen.code}&state=` +
					encodeURIComponent(seen.state);
			});
			assert.equal(r.status, 0, r.said);
			assert.equal(seen.query.get('x'), '1');
			assert.equal(seen.query.get('response_type'), 'code');
			assert.equal(seen.query.get('client_id'), 'the client');
			assert.equal(seen.query.get('scope'), 'a:b c:d');
			assert.equal(seen.query.get('code_challenge_method'), 'S256');
			await sleep(500);
			assert.equal((await call(made)).status, 200);
			const [request] = await site.mock.requests(`at-${account}-1`);
			assert.match(request.head,
				new RegExp(`authorization: Bearer at-${account}-1`, 'i'));
			assert.doesNotMatch(request.head, /x-api-key/i);
		});

	test('a code with another state is refused', async () => {
		const made = await team(tokens, 1, { signedIn: false });
		const [account] = made.accounts;
		const asked = tokens.questions.length;
		for (const wrong of [c => `${c.code}#${'x'.repeat(43)}`,
			c => c.code, c => `?code=${c.code}`, c => `#${c.state}`]) {
			const r = await login(account,
				address => wrong(tokens.authorize(address, account)));
			assert.equal(r.status, 2, r.said);
		}
		assert.equal(tokens.questions.length, asked);
		const good = await login(account, address => {
			const c = tokens.authorize(address, account);
			return `${c.code}#${c.state}`;
		});
		assert.equal(good.status, 0, good.said);
	});
});

describe('renewing', () => {
	test('many calls that are refused at once make one renewal', async () => {
		const tokens = await Tokens.start({ mood: () => ({ after_ms: 300 }) });
		const made = await team(tokens);
		await site.mock.plan(tokens.current(made.accounts[0]),
			{ status: 401 });
		const answers = await Promise.all(
			Array.from({ length: 50 }, () => call(made)));
		assert.deepEqual(answers.filter(a => a.status !== 200)
			.map(a => a.body), []);
		assert.equal(tokens.asked, 1);
		assert.equal(tokens.reused, 0);
		assert.equal((await site.cooldowns(made)).length, 0);
		await tokens.stop();
	});

	test('ahead of the end, though nobody calls', async () => {
		const tokens = await Tokens.start({ lifetime: 4 });
		const made = await team(tokens);
		await sleep(5000);
		assert.ok(tokens.renewed >= 1, `${tokens.renewed}`);
		assert.equal(tokens.renewed, tokens.asked);
		assert.equal(tokens.reused + tokens.window, 0);
		await site.leasehold(['account', 'disable', made.accounts[0]]);
		await tokens.stop();
	});

	test('through the account\'s proxy', async () => {
		const proxy = await Proxy.start();
		const tokens = await Tokens.start();
		const made = await team(tokens);
		await site.leasehold(['account', 'set', made.accounts[0],
			'--proxy', proxy.url('socks5')]);
		await site.mock.plan(tokens.current(made.accounts[0]),
			{ status: 401 });
		await sleep(500);
		assert.equal((await call(made)).status, 200);
		assert.ok(proxy.asked.includes(`127.0.0.1:${tokens.port}`));
		await proxy.stop();
		await tokens.stop();
	});

	test('a refused token needs a sign-in, and gets one', async () => {
		const tokens = await Tokens.start();
		const made = await team(tokens);
		const [account] = made.accounts;
		const before = await parks(site, 'sign_in');
		tokens.families.get(account).void = true;
		await site.mock.plan(tokens.current(account), { status: 401 });
		assert.equal((await call(made)).status, 503);
		assert.equal(await parks(site, 'sign_in'), before + 1);
		const [parked] = await site.cooldowns(made);
		assert.equal(parked.reason, 'sign_in');
		assert.match(parked.detail, /needs sign-in.*invalid_grant/);
		assert.equal((await row(account)).signed_in, 0);
		assert.equal(tokens.asked, 1);

		// Waking it does not help, and asks nobody.
		await site.leasehold(['account', 'wake', account]);
		await sleep(500);
		assert.equal((await call(made)).status, 503);
		assert.equal(tokens.asked, 1);
		assert.equal((await site.cooldowns(made))[0].reason, 'sign_in');
		assert.equal(await parks(site, 'sign_in'), before + 1);
		await give(site, account, tokens);
		await site.mock.plan(tokens.current(account), {});
		await sleep(500);
		assert.equal((await call(made)).status, 200);
		await tokens.stop();
	});

	test('an endpoint that is down costs no tokens', async () => {
		let up = false;
		const tokens = await Tokens.start({ mood: () =>
			up ? {} : { cut: true } });
		const made = await team(tokens);
		const [account] = made.accounts;
		const before = await parks(site, 'refresh');
		await site.mock.plan(tokens.current(account), { status: 401 });
		assert.equal((await call(made)).status, 503);
		const [parked] = await site.cooldowns(made);
		assert.equal(parked.reason, 'refresh');
		assert.equal(await parks(site, 'refresh'), before + 1);
		assert.ok(parked.until_ms - Date.now() < 10000);
		assert.equal((await row(account)).signed_in, 1);
		up = true;
		await sleep(Math.max(0, parked.until_ms - Date.now()) + 600);
		assert.equal((await call(made)).status, 200);
		assert.equal(tokens.reused + tokens.window, 0);
		assert.equal((await site.cooldowns(made)).length, 0);
		await tokens.stop();
	});
});

// Each round ends one token early; three of four renewals go well.
test('none is used twice, whatever fails, by two hosts', async () => {
	let n = 0;
	const moods = [{}, { status: 503 }, { after_ms: 50 }, { cut: true },
		{ before_ms: 50 }, {}, { status: 429 }, { before_ms: 20 }];
	const tokens = await Tokens.start({ lifetime: 2,
		mood: () => moods[n++ % moods.length] });
	tokens.onRenewed = (_, old) => site.mock.plan(old, { status: 401 });
	const other = await Site.beside(site, { processes });
	const made = await team(tokens, 4);
	let bad = 0, all = 0;
	const until = Date.now() + storm_ms;
	const worker = async at => {
		while (Date.now() < until) {
			const a = await call({ ...made, site: at });
			all++;
			bad += a.status !== 200;
			await sleep(20);
		}
	};
	await Promise.all([site, other].flatMap(at =>
		Array.from({ length: 6 }, () => worker(at))));
	for (const account of made.accounts)
		await site.leasehold(['account', 'disable', account]);
	console.log(`# ${tokens.renewed} renewals, ${tokens.failed} failed, ` +
		`${bad} of ${all} calls`);
	assert.ok(tokens.renewed >= 20, `${tokens.renewed} renewals`);
	assert.equal(tokens.reused, 0);
	assert.equal(tokens.window, 0);
	for (const account of made.accounts)
		assert.equal((await row(account)).signed_in, 1);
	assert.ok(bad * 20 < all, `${bad} of ${all} calls failed`);
	await other.quickstart('--stop');
	await tokens.stop();
});

// Whoever renews is killed, again and again, at any point of it: what is lost
// is lost in the window that nobody can close, and tried once.
test('kill -9 of whoever renews, again and again', async () => {
	let n = 0;
	const tokens = await Tokens.start({ lifetime: 2, mood: () =>
		[{ before_ms: 150 }, {}, { after_ms: 40 }, {}][n++ % 4] });
	tokens.onRenewed = (_, old) => site.mock.plan(old, { status: 401 });
	const made = await team(tokens, 6);
	let done = false;
	const calls = Promise.all(Array.from({ length: 6 }, async () => {
		while (!done) {
			await call(made).catch(() => {});
			await sleep(30);
		}
	}));
	for (const until = Date.now() + storm_ms; Date.now() < until;) {
		const [held] = await site.sql(`SELECT r.pid FROM account_oauth o
			JOIN responder r ON r.id = o.lease_by`);
		if (!held) {
			await sleep(5);
			continue;
		}
		await sleep(Math.random() * 150);
		try {
			process.kill(held.pid, 'SIGKILL');
		} catch {
			continue;
		}
		tokens.kills.push(Date.now());
		await sleep(1000);
	}
	await sleep(3000);
	done = true;
	await calls;
	console.log(`# ${tokens.renewed} renewals, ${tokens.kills.length} kills, ` +
		`${tokens.window} lost`);
	assert.ok(tokens.kills.length >= 5, `${tokens.kills.length} kills`);
	assert.deepEqual(tokens.reuses, [], `killed at ${tokens.kills}`);
	assert.ok(tokens.window <= tokens.kills.length);
	let lost = 0;
	for (const account of made.accounts) {
		await site.leasehold(['account', 'disable', account]);
		if ((await row(account)).signed_in === 1)
			continue;
		lost++;
		assert.ok(tokens.families.get(account).void, account);
	}
	// Who is killed while it is tried once more has it tried again.
	assert.ok(lost <= tokens.window, `${lost} of ${tokens.window}`);
	await tokens.stop();
});

// Killed with the renewal under way.
for (const [when, mood, lost] of [
	['before the provider changed the token', { before_ms: 1500 }, false],
	['after it did, before we had it', { after_ms: 1500 }, true],
])
	test(`kill -9 ${when}`, async () => {
		let first = true;
		const tokens = await Tokens.start({ mood: () => {
			const m = first ? mood : {};
			first = false;
			return m;
		} });
		const made = await team(tokens);
		const [account] = made.accounts;
		await site.mock.plan(tokens.current(account), { status: 401 });
		tokens.onRenewed = async (_, old) =>
			site.mock.plan(old, { status: 401 });
		const broken = call(made).catch(() => {});
		while (tokens.asked === 0)
			await sleep(10);
		await sleep(lost ? 200 : 20);
		const { lease_by } = await row(account);
		const [{ pid }] = await site.sql(
			`SELECT pid FROM responder WHERE id = ${lease_by}`);
		process.kill(pid, 'SIGKILL');
		await broken;
		await sleep(2500);
		const answer = await call(made);
		assert.equal(tokens.reused, 0);
		if (!lost) {
			assert.equal(answer.status, 200, answer.body);
			assert.equal(tokens.renewed, 1);
			assert.equal(tokens.window, 0);
		} else {
			assert.equal(tokens.window, 1);
			assert.equal(answer.status, 503);
			const [parked] = await site.cooldowns(made);
			assert.equal(parked.reason, 'sign_in');
			assert.match(parked.detail, /broken off/);

			// It is tried once, and not again.
			const { asked } = tokens;
			await call(made);
			await sleep(1500);
			assert.equal(tokens.asked, asked);
		}
		await tokens.stop();
	});
