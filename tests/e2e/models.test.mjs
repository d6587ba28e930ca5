// Other names for models, lists of what accounts serve, and accounts at other
// hosts that speak the same API: what goes upstream, byte for byte, and what
// the books say of it.
// Store: any.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import { call, message, request } from './lib/http.mjs';
import { headerLines } from './lib/mock.mjs';
import { prompt, Site } from './lib/site.mjs';

const opus = 'claude-opus-4-1', haiku = 'claude-haiku-4-5';

let site;

before(async () => {
	site = await Site.start({ processes: 2 });
	await site.mock.keepBodies();
});
after(() => site?.stop());

// Responders know of it with their next beat.
async function change(...commands) {
	for (const args of commands)
		await site.leasehold(args);
	await sleep(400);
}

function alias(of, pattern, target) {
	return ['alias', 'add', ...of, pattern, target];
}

// What the mock was sent by a team, newest last.
async function sent(team) {
	return site.mock.requests(...team.accounts.map(a => a.secret));
}

async function newest(team) {
	return (await sent(team)).at(-1);
}

describe('a model under another name', () => {
	let team, first, second;

	before(async () => {
		team = await site.team(2);
		[first, second] = team.accounts;
		await change(alias(['--group', team.name], 'best*', opus),
			alias(['--account', first.name], opus, 'vendor "A"/opus'),
			['price', 'set', 'vendor*', '--input', '7', '--output', '35']);
	});

	// Blanks, escapes, numbers and order are the client's.
	const front = '{ "max_tokens" : 1e2,\n\t"mod\\u0065l" :  ';
	const back = ' ,"messages":[{"role":"user","content":' +
		`${JSON.stringify(prompt)}}],"x":[1.0,{},9007199254740993]}\r\n`;

	test('is all that changes of the body', async () => {
		const answer = await call(team, `${front}"b\\u0065st-1"${back}`);
		assert.equal(answer.status, 200);
		const got = await newest(team);
		assert.equal(got.credential, first.secret);
		assert.equal(got.body, `${front}"vendor \\"A\\"/opus"${back}`);
		assert.equal(Object.fromEntries(headerLines(got))['content-length'],
			String(Buffer.byteLength(got.body)));
	});

	test('is made anew from what the client asked, where it moves',
		async () => {
			await site.mock.plan(first.secret,
				{ status: 429, headers: { 'retry-after': '2' }, count: 1 }, {});
			const answer = await call(team, `${front}"b\\u0065st-2"${back}`);
			assert.equal(answer.status, 200);
			const [one, two] = (await sent(team)).slice(-2);
			assert.equal(one.body, `${front}"vendor \\"A\\"/opus"${back}`);
			assert.equal(two.credential, second.secret);
			assert.equal(two.body, `${front}"${opus}"${back}`);
			const row = (await site.ledger(team)).at(-1);
			assert.equal(row.model, 'best-2');
			assert.equal(row.sent_as, opus);
			const shown = await site.json('requests', 'show',
				answer.headers['x-leasehold-request-id']);
			assert.deepEqual(shown.tries.map(a => a.model),
				['vendor "A"/opus', opus]);
			await change(['account', 'wake', first.name]);
		});

	test('counts tokens, too', async () => {
		const answer = await request(`${site.url}/v1/messages/count_tokens`, {
			key: team.key, body: message({ model: 'best' }) });
		assert.equal(answer.status, 200);
		assert.equal(JSON.parse((await newest(team)).body).model,
			'vendor "A"/opus');
	});

	test('goes back to the one that was not asked for', async () => {
		const body = JSON.stringify(message({ model: haiku }));
		assert.equal((await call(team, body)).status, 200);
		assert.equal((await newest(team)).body, body);
		assert.equal((await site.ledger(team)).at(-1).sent_as, '');
	});

	test('named twice is refused', async () => {
		const answer = await call(team,
			'{"model":"best","model":"x","max_tokens":1,"messages":[]}');
		assert.equal(answer.status, 400);
		assert.match(answer.body, /model is given twice/);
	});

	test('serves the SDK, and the answer is the upstream\'s', async () => {
		const made = await site.team(1);
		await change(alias(['--group', made.name], '*', 'vendor/any'));
		await site.mock.plan(made.accounts[0].secret, { count: 0,
			body: JSON.stringify({
				id: 'msg_1', type: 'message', role: 'assistant',
				model: 'what the upstream says', stop_reason: 'end_turn',
				content: [{ type: 'text', text: 'Hello' }],
				usage: { input_tokens: 1000, output_tokens: 100 },
			}) });
		const client = new Anthropic({ apiKey: made.key, baseURL: site.url });
		const answer = await client.messages.create({ model: 'best',
			max_tokens: 100,
			messages: [{ role: 'user', content: prompt }] });
		assert.equal(answer.model, 'what the upstream says');
		assert.equal(JSON.parse((await newest(made)).body).model,
			'vendor/any');
		const row = (await site.ledger(made, { count: 1 })).at(-1);
		assert.equal(row.sent_as, 'vendor/any');
		assert.equal(row.cost_nusd, 1000 * 7000 + 100 * 35000);
	});

	test('is what the key\'s own list does not judge by', async () => {
		await change(['key', 'set', team.name, '--models', 'best*']);
		assert.equal((await call(team, message({ model: 'best' }))).status,
			200);
		assert.equal((await call(team, message({ model: opus }))).status, 403);
		await change(['key', 'set', team.name, '--models', '']);
	});

	test('is what each request of a batch asks for', async () => {
		const batch = (a, b, c) => '{"requests":[ {"custom_id":"1","params":' +
			`{"model":${a},"max_tokens":5,"messages":[],"x":{"model":"y"}}},\n` +
			`{"params":{"fallbacks":[{"model":${b}}],"model":${c},` +
			'"max_tokens":5,"messages":[]},"custom_id":"2"}]}';
		for (const [account, other, name] of [
			[first, second, '"vendor \\"A\\"/opus"'],
			[second, first, JSON.stringify(opus)]]) {
			await change(['account', 'disable', other.name]);
			const answer = await request(`${site.url}/v1/messages/batches`, {
				key: team.key, body: batch('"best-1"', '"b\\u0065st-2"',
					JSON.stringify(haiku)) });
			assert.equal(answer.status, 200, answer.body);
			const got = await newest(team);
			assert.equal(got.credential, account.secret);
			assert.equal(got.body, batch(name, name, JSON.stringify(haiku)));
			await change(['account', 'enable', other.name]);
		}
	});

	test('is what a call\'s fallbacks ask for', async () => {
		const answer = await call(team, message({ model: haiku,
			fallbacks: [{ model: 'best-3' }] }));
		assert.equal(answer.status, 200, answer.body);
		const got = await newest(team);
		assert.deepEqual(JSON.parse(got.body), message({ model: haiku,
			fallbacks: [{ model: got.credential === first.secret ?
				'vendor "A"/opus' : opus }] }));
	});

	test('stands in list and show', async () => {
		const list = await site.json('alias', 'list', '--group', team.name);
		assert.deepEqual(list.map(a => [a.pattern, a.target]),
			[['best*', opus]]);
		const shown = await site.json('account', 'show', first.name);
		assert.deepEqual(shown.aliases.map(a => a.target),
			['vendor "A"/opus']);
	});
});

describe('what accounts serve', () => {
	let team, first, second;

	before(async () => {
		team = await site.team(2);
		[first, second] = team.accounts;
		await change(
			['account', 'set', first.name, '--models', 'claude-haiku-*'],
			['account', 'set', second.name, '--models',
				'claude-sonnet-*,claude-haiku-*']);
	});

	test('others are passed over, and the trace says so', async () => {
		const answer = await call(team);
		assert.equal(answer.status, 200);
		assert.equal((await newest(team)).credential, second.secret);
		const shown = await site.json('requests', 'show',
			answer.headers['x-leasehold-request-id']);
		assert.equal(shown.trace.find(t => t.name === first.name).why,
			'model');
		const why = await site.leasehold(['account', 'why-not', first.name,
			'--key', team.name, '--model', 'claude-sonnet-4-5']);
		assert.match(why, /does not serve model claude-sonnet-4-5/);
	});

	test('what none serves is answered 404, at once', async () => {
		const before = (await sent(team)).length;
		for (const path of ['messages', 'messages/count_tokens']) {
			const answer = await request(`${site.url}/v1/${path}`, {
				key: team.key, body: message({ model: opus }) });
			assert.equal(answer.status, 404);
			assert.equal(answer.headers['x-should-retry'], 'false');
			assert.equal(answer.headers['retry-after'], undefined);
			const { error } = JSON.parse(answer.body);
			assert.equal(error.type, 'not_found_error');
			assert.match(error.message,
			/no account in group t\d+ serves model claude-opus-4-1/);
		}
		assert.equal((await sent(team)).length, before);
	});

	test('a batch goes where all that is in it is served', async () => {
		const make = (...models) => request(
			`${site.url}/v1/messages/batches`, { key: team.key, body: {
				requests: models.map((model, i) => ({ custom_id: `${i}`,
					params: message({ model }) })) } });
		for (let i = 0; i < 4; i++) {
			const answer = await make(haiku, 'claude-sonnet-4-5', haiku);
			assert.equal(answer.status, 200, answer.body);
			assert.equal((await newest(team)).credential, second.secret);
		}
		const none = await make(haiku, opus);
		assert.equal(none.status, 404);
		assert.match(JSON.parse(none.body).error.message, new RegExp('no ' +
			`account in group t\\d+ serves all of ${haiku}, ${opus}`));
		const other = await call(team, message({ model: haiku,
			fallbacks: [{ model: 'claude-sonnet-4-5' }] }));
		assert.equal(other.status, 200, other.body);
		assert.equal((await newest(team)).credential, second.secret);
	});

	test('a move stays among those that serve it', async () => {
		await site.mock.plan(second.secret, { status: 529, count: 1 }, {});
		const answer = await call(team);
		assert.notEqual(answer.status, 200);
		assert.notEqual((await newest(team)).credential, first.secret);
		await change(['account', 'wake', second.name]);
	});
});

describe('other hosts, beside the usual ones', () => {
	let team, console;

	before(async () => {
		team = await site.team(1, { concurrency: 5 });
		team.accounts.push(await site.account(`${team.name}-bearer`,
			{ group: team.name, credential: 'bearer', priority: 20 }));
		console = { name: `${team.name}-console`, secret: 'sk-mock-console' };
		site.secrets.push(console.secret);
		await site.leasehold(['account', 'add', '--name', console.name,
			'--platform', 'claude_console', '--base-url',
			`${site.mock.url}/some/path/`, '--credential', 'api_key',
			'--auth-header', 'X-Tenant-Key', '--group', team.name,
			'--priority', '30'], { input: `${console.secret}\n` });
		await change(['price', 'set', 'claude-*', '--platform',
			'claude_console', '--input', '1', '--output', '2']);
	});

	test('the key goes in its own header, the client\'s does not', async () => {
		for (const { secret } of team.accounts)
			await site.mock.plan(secret, { status: 429,
				headers: { 'retry-after': '3' }, count: 1 }, {});
		const answer = await call(team, message(), { headers: {
			'x-tenant-key': 'theirs', 'anthropic-beta': 'b-1,oauth-2025-04-20',
		} });
		assert.equal(answer.status, 200);
		const got = (await site.mock.requests()).at(-1);
		const lines = headerLines(got);
		assert.match(got.path, /^\/some\/path\/v1\/messages/);
		assert.deepEqual(lines.filter(([n]) => n === 'x-tenant-key'),
			[['x-tenant-key', console.secret]]);
		assert.equal(lines.filter(([n]) =>
			['x-api-key', 'authorization'].includes(n)).length, 0);
		assert.equal(Object.fromEntries(lines)['anthropic-beta'], 'b-1');
		const row = (await site.ledger(team)).at(-1);
		assert.equal(row.account, console.name);
		assert.equal(row.attempts, 3);
		assert.ok(row.cost_nusd > 0);
	});

	test('its limits and errors are read in the same way', async () => {
		await site.mock.planFor({ path: '/some/path/*' }, { status: 429,
			headers: { 'retry-after': '1' }, count: 1 }, {});
		await change(...team.accounts.map(a =>
			['account', 'disable', a.name]));
		const answer = await call(team);
		assert.equal(answer.status, 429);
		const shown = await site.json('account', 'show', console.name);
		assert.equal(shown.cooldowns[0].reason, 'rate_limited');
		await change(['account', 'wake', console.name],
			...team.accounts.map(a => ['account', 'enable', a.name]));
	});

	test('account test reaches it', async () => {
		const answer = await site.json('account', 'test', console.name);
		assert.equal(answer.good, true);
		const got = (await site.mock.requests()).at(-1);
		assert.equal(Object.fromEntries(headerLines(got))['x-tenant-key'],
			console.secret);
	});

	test('a header that means something else is refused', async () => {
		for (const name of ['host', 'authorization', 'a\r\nb', 'content-length',
			'x-forwarded-for']) {
			const { status } = await site.tryLeasehold(['account', 'set',
				console.name, '--auth-header', name]);
			assert.equal(status, 2, name);
		}
	});
});

test('a strict budget holds, whatever a model is called', async () => {
	const team = await site.team(2, { concurrency: 40 });
	const [first, second] = team.accounts;
	await change(alias(['--account', second.name], 'small', opus),
		alias(['--account', first.name], 'small', haiku),
		['budget', 'add', '--key', team.name, '--name', `${team.name}-b`,
			'--money', '0.4', '--policy', 'strict']);
	for (const { secret } of team.accounts)
		await site.mock.plan(secret, { status: 529, count: 3 },
			{ head_delay_ms: 200 });
	let most = 0, over = false;
	const watch = (async () => {
		while (!over) {
			const { spent, reserved } = await site.json('budget', 'show',
				`${team.name}-b`);
			most = Math.max(most, spent + reserved);
			await sleep(50);
		}
	})();
	const answers = await Promise.all(Array.from({ length: 30 }, () =>
		call(team, message({ model: 'small' }))));
	over = true;
	await watch;
	const { spent, reserved, limit } = await site.json('budget', 'show',
		`${team.name}-b`);
	assert.ok(answers.some(a => a.status === 200));
	assert.ok(most <= limit && spent + reserved <= limit,
		`${most} of ${limit}`);
	assert.ok(spent > 0);
	assert.equal(reserved, 0);
});
