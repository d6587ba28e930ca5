// The routes for Claude, byte for byte: what the client sends is what the
// upstream gets, and the other way round.
// Store: any.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { call, events, message, model, request, stream, text }
	from './lib/http.mjs';
import { header, headerLines } from './lib/mock.mjs';
import { Site } from './lib/site.mjs';

let site, team, secret;

before(async () => {
	site = await Site.start();
	team = await site.team(1);
	secret = team.accounts[0].secret;
});
after(() => site?.stop());

async function last() {
	return (await site.mock.requests(secret)).at(-1);
}

describe('a call', () => {
	test('is answered whole', async () => {
		const answer = await call(team);
		assert.equal(answer.status, 200);
		const json = JSON.parse(answer.body);
		assert.equal(json.type, 'message');
		assert.equal(json.stop_reason, 'end_turn');
		assert.equal(json.usage.output_tokens, 20);
	});

	test('is streamed event by event, as the upstream sends it', async () => {
		const times = [];
		const answer = await stream(team, { model: 'mock-slow-5x100ms' },
			{ onData: () => times.push(Date.now()) });
		assert.equal(answer.status, 200);
		assert.match(answer.headers['content-type'], /^text\/event-stream/);
		const list = events(answer.body);
		assert.equal(list[0].event, 'message_start');
		assert.equal(list.at(-1).event, 'message_stop');
		assert.equal(text(answer), 'Hello from the demo upstream');
		assert.ok(times.length >= 5, `${times.length} pieces`);
		assert.ok(times.at(-1) - times[0] > 350, 'not held back');
	});

	test('leaves one exact row in the ledger', async () => {
		const own = await site.team(1);
		await site.mock.plan(own.accounts[0].secret,
			{ chunks: 7, cache_read: 11, cache_5m: 5, cache_1h: 3 });
		await stream(own);
		const sent = (await site.mock.requests(own.accounts[0].secret))[0];
		const [row] = await site.ledger(own, { count: 1 });
		assert.equal(row.outcome, 'ok');
		assert.equal(row.status, 200);
		assert.equal(row.attempts, 1);
		assert.equal(row.mark, 1);
		assert.equal(row.input_tokens, sent.usage.input);
		assert.equal(row.output_tokens, 7);
		assert.equal(row.cache_read_tokens, 11);
		assert.equal(row.cache_write_5m_tokens, 5);
		assert.equal(row.cache_write_1h_tokens, 3);
		assert.equal(row.body_bytes, sent.body_bytes);
		// claude-sonnet-4-5 on the shipped list: 3, 15, 0.30, 3.75, 6.
		assert.equal(row.cost_nusd, sent.usage.input * 3000 + 7 * 15000 +
			11 * 300 + 5 * 3750 + 3 * 6000);
		assert.deepEqual(await site.heldSlots(own), []);
	});
});

describe('what goes up', () => {
	test('is the body, byte for byte', async () => {
		const bodies = [
			`{"model" : "${model}",\n\t"max_tokens":10,"x":{},"y":[],` +
			'"f":1.0e2,"big":12345678901234567890,"messages":[]}\n',
			`{"messages":[{"role":"user","content":"\u00e9\u4e2d\u{1f600}` +
			`\\ud83d\\u00e9\\/"}],"model":"${model}","max_tokens":10}`,
			JSON.stringify(message({ system: 'x'.repeat(3 << 20) })),
		];
		for (const body of bodies) {
			const answer = await call(team, body);
			assert.equal(answer.status, 200, answer.body);
			const got = await last();
			assert.equal(got.body_bytes, Buffer.byteLength(body));
			assert.equal(got.body_sha256,
				createHash('sha256').update(body).digest('hex'));
		}
	});

	test('is the body of a chunked upload', async () => {
		const body = JSON.stringify(message());
		const answer = await call(team, body, 
			{ headers: { 'transfer-encoding': 'chunked' } });
		assert.equal(answer.status, 200);
		assert.equal((await last()).body_bytes, body.length);
	});

	test('are path and query', async () => {
		for (const [asked, sent] of [
			['/v1/messages?beta=true', '/v1/messages?beta=true'],
			['/v1/messages?a=%2F&b=x+y&&c', '/v1/messages?a=%2F&b=x+y&&c'],
			['/claude/v1/messages?beta=true', '/v1/messages?beta=true'],
			['/api/v1/messages', '/v1/messages'],
		]) {
			const answer = await request(site.url + asked,
				{ key: team.key, body: message() });
			assert.equal(answer.status, 200, `${asked}: ${answer.body}`);
			assert.equal((await last()).path, sent);
		}
	});

	test('are the client\'s own headers, and no others', async () => {
		const own = {
			'anthropic-version': '2023-06-01',
			'anthropic-beta': 'b-2025-01-01,a-2024-01-01,zzz',
			'user-agent': 'claude-cli/2.1.328 (external, sdk-cli)',
			'x-app': 'cli',
			'x-stainless-lang': 'js',
			'x-claude-code-session-id': 'a8d9b52c-0d6d-4c0f-9c5e-2f6f6a',
			'x-client-request-id': 'abc',
			'accept': 'application/json',
			'x-odd': 'a,  b;c="d"',
		};
		await call(team, message(), { headers: {
			...own,
			'cookie': 'c=1',
			'traceparent': 'malformed',
			'x-forwarded-for': '10.0.0.1',
			'x-real-ip': '10.0.0.1',
			'forwarded': 'for=10.0.0.1',
			'via': '1.1 somewhere',
			'referer': 'http://example.org/',
			'origin': 'http://example.org',
			'cf-ray': '1',
			'proxy-authorization': 'Basic eDp5',
			'te': 'trailers',
			'accept-encoding': 'gzip, br',
		} });
		const got = headerLines(await last());
		const names = new Map(got);
		assert.equal(names.size, got.length, 'no header comes twice');
		for (const [name, value] of Object.entries(own))
			assert.equal(names.get(name), value, name);
		const others = got.map(([name]) => name)
			.filter(name => !(name in own)).sort();
		assert.deepEqual(others, ['accept-encoding', 'content-length',
			'content-type', 'host', 'x-api-key']);
		assert.equal(names.get('accept-encoding'), 'identity');
		assert.equal(names.get('host'), `127.0.0.1:${site.mock.port}`);
	});

	test('is the account\'s credential in place of the key', async () => {
		const bearer = await site.team(1, { credential: 'bearer' });
		for (const headers of [
			{ 'x-api-key': bearer.key },
			{ 'authorization': `Bearer ${bearer.key}` },
			{ 'x-api-key': 'sk-something-else',
				'authorization': `Bearer ${bearer.key}` },
		]) {
			const answer = await request(`${site.url}/v1/messages`,
				{ headers, body: message() });
			assert.equal(answer.status, 200, answer.body);
			const got = (await site.mock.requests(
				bearer.accounts[0].secret)).at(-1);
			assert.equal(header(got, 'authorization'),
				`Bearer ${bearer.accounts[0].secret}`);
			assert.equal(header(got, 'x-api-key'), undefined);
			assert.ok(!got.head.includes(bearer.key));
		}
	});
});

describe('what comes back', () => {
	test('is the upstream\'s status, headers and body', async () => {
		const own = await site.team(1);
		const body = '{"type":"error","error":{"type":"invalid_request_error",' +
			'"message":"caf\u00e9: no"} }\n';
		await site.mock.plan(own.accounts[0].secret, { status: 422, body,
			headers: [['x-should-retry', 'false'], ['x-odd', 'a,  b'],
				['content-type', 'application/json; charset=utf-8'],
				['set-cookie', 'a=1'], ['server', 'cloudflare'],
				['cf-ray', '1'], ['via', '1.1 x']] });
		const answer = await call(own);
		assert.equal(answer.status, 422);
		assert.equal(answer.body, Buffer.from(body, 'latin1').toString());
		assert.equal(answer.headers['x-should-retry'], 'false');
		assert.equal(answer.headers['x-odd'], 'a,  b');
		assert.equal(answer.headers['content-type'],
			'application/json; charset=utf-8');
		assert.ok(answer.headers['request-id']);
		for (const name of ['set-cookie', 'cf-ray', 'via',
			'anthropic-organization-id'])
			assert.equal(answer.headers[name], undefined, name);
	});

	test('is a stream in any framing', async () => {
		const own = await site.team(1);
		const sse = ': hi\r\n\r\nevent: message_start\r\ndata: {"type":' +
			'"message_start",\r\ndata: "message":{"usage":' +
			'{"input_tokens":5,"output_tokens":1}}}\r\n\r\n' +
			'event: unheard_of\r\ndata: {}\r\n\r\n' +
			'event: message_delta\r\ndata: {"type":"message_delta",' +
			'"usage":{"output_tokens":9}}\r\n\r\n' +
			'event: message_stop\r\ndata: {"type":"message_stop"}\r\n\r\n';
		await site.mock.plan(own.accounts[0].secret, { body: sse,
			headers: [['content-type', 'text/event-stream']],
			write_bytes: 1 });
		const answer = await stream(own);
		assert.equal(answer.body, sse);
		const [row] = await site.ledger(own, { count: 1 });
		assert.equal(row.input_tokens, 5);
		assert.equal(row.output_tokens, 9);
		assert.equal(row.mark, 1);
	});

	test('is large, to a client that reads slowly', async () => {
		const own = await site.team(1);
		await site.mock.plan(own.accounts[0].secret,
			{ chunks: 3000, chunk_bytes: 2000 });
		const answer = await stream(own, { max_tokens: 5000 });
		assert.equal(events(answer.body).at(-1).event, 'message_stop');
		assert.equal(text(answer).length, 3000 * 2000);
		const [row] = await site.ledger(own, { count: 1 });
		assert.equal(row.output_tokens, 3000);
	});
});

describe('the other routes', () => {
	test('count_tokens needs no slot', async () => {
		const own = await site.team(1, { concurrency: 1 });
		await site.mock.plan(own.accounts[0].secret,
			{ end: 'silent', at: 'head', count: 1 }, {});
		const abort = new AbortController();
		const hanging = call(own, message(), { signal: abort.signal })
			.catch(() => {});
		await site.mock.waitFor('the hanging call', own.accounts[0].secret,
			() => true);
		const counts = await Promise.all(Array.from({ length: 25 }, () =>
			request(`${site.url}/v1/messages/count_tokens?beta=true`,
				{ key: own.key, body: message() })));
		for (const answer of counts) {
			assert.equal(answer.status, 200, answer.body);
			assert.ok(JSON.parse(answer.body).input_tokens > 0);
		}
		abort.abort();
		await hanging;
	});

	test('models: the list, with its query, and one', async () => {
		const list = await request(
			`${site.url}/v1/models?limit=5&lifecycle%5B%5D=active`,
			{ method: 'GET', key: team.key });
		assert.equal(list.status, 200);
		assert.ok(JSON.parse(list.body).data.length > 0);
		assert.equal((await last()).path,
			'/v1/models?limit=5&lifecycle%5B%5D=active');
		const one = await request(`${site.url}/v1/models/claude-opus-4-5`,
			{ method: 'GET', key: team.key });
		assert.equal(JSON.parse(one.body).id, 'claude-opus-4-5');
		const none = await request(`${site.url}/v1/models/nope`,
			{ method: 'GET', key: team.key });
		assert.equal(none.status, 404);
	});

	test('HEAD / and /api/hello need no key', async () => {
		for (const path of ['/', '/api/hello']) {
			const answer = await request(site.url + path, { method: 'HEAD' });
			assert.ok(answer.status < 400, `${path}: ${answer.status}`);
		}
	});

	test('health says that all is well, and no more', async () => {
		const answer = await request(`${site.url}/health`,
			{ method: 'GET' });
		assert.equal(answer.status, 200);
		assert.ok(!answer.body.includes(site.dir));
	});

	test('the admin responder wants its token', async () => {
		const url = `${site.url}/api/v1/status`;
		assert.equal((await request(url, { method: 'GET' })).status, 401);
		const token = (await site.leasehold(
			['token', 'create', '--name', 'e2e'])).trim();
		site.secrets.push(token);
		const answer = await request(url, { method: 'GET',
			headers: { authorization: `Bearer ${token}` } });
		assert.equal(answer.status, 200, answer.body);
		assert.equal(JSON.parse(answer.body).responders.filter(
			r => r.kind === 'relay').length, 2);
	});
});

describe('a mount', () => {
	test('serves under its prefix alone', async () => {
		const mounted = await Site.start(
			{ processes: 1, options: ['--mount', '/some/path'] });
		try {
			assert.match(mounted.url, /\/some\/path$/);
			const own = await mounted.team(1);
			assert.equal((await call(own)).status, 200);
			const beta = await request(
				`${mounted.url}/claude/v1/messages?beta=true`,
				{ key: own.key, body: message() });
			assert.equal(beta.status, 200);
			const outside = await request(
				new URL('/v1/messages', mounted.url),
				{ key: own.key, body: message() });
			assert.equal(outside.status, 404);
		} finally {
			await mounted.stop();
		}
	});
});
