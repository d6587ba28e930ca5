// Bad input gets a clear error of the right shape, and nothing goes upstream.
import assert from 'node:assert/strict';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, message, model, Raw, request, stream } from './lib/http.mjs';
import { Site } from './lib/site.mjs';

let site, team, secret;

before(async () => {
	site = await Site.start({ set: { body_max_bytes: '1M',
		client_read_timeout_s: '1s' } });
	team = await site.team(1);
	secret = team.accounts[0].secret;
});
after(() => site?.stop());

async function served() {
	return (await site.mock.requests(secret)).length;
}

// An Anthropic-shaped error with a request-id.
function isError(answer, status, type, text) {
	assert.equal(answer.status, status, answer.body);
	assert.match(answer.headers['content-type'], /^application\/json/);
	const json = JSON.parse(answer.body);
	assert.equal(json.type, 'error');
	assert.equal(json.error.type, type);
	assert.ok(json.error.message);
	assert.equal(json.request_id, answer.headers['request-id']);
	if (text)
		assert.match(json.error.message, text);
}

describe('the front line', () => {
	test('an unknown route', async () => {
		for (const path of ['/v1/nothing', '/v2/messages', '/nope',
			'/v1/messages/', '/v1//messages'])
			isError(await request(site.url + path,
				{ key: team.key, body: message() }), 404, 'not_found_error');
	});

	test('a wrong method, with what is allowed', async () => {
		for (const [method, path, allow] of [
			['GET', '/v1/messages', 'POST'],
			['DELETE', '/v1/messages/count_tokens', 'POST'],
			['POST', '/v1/models', 'GET'],
		]) {
			const answer = await request(site.url + path,
				{ method, key: team.key });
			isError(answer, 405, 'invalid_request_error');
			assert.match(answer.headers.allow, new RegExp(allow));
		}
	});

	test('no key, a bad key, a key of odd characters', async () => {
		for (const key of [undefined, 'sk-lh-bad', 'x'.repeat(5000),
			'caf\u00e9'])
			isError(await request(`${site.url}/v1/messages`,
				{ key, body: message() }), 401, 'authentication_error');
		const answer = await request(`${site.url}/v1/messages`,
			{ body: message() });
		assert.equal(answer.headers['x-should-retry'], 'false');
	});

	test('a key that was revoked, disabled, or has expired', async () => {
		const own = await site.team(1);
		assert.equal((await call(own)).status, 200);
		await site.leasehold(['key', 'revoke', own.name]);
		isError(await call(own), 401, 'authentication_error');
	});

	test('a model that the key may not use', async () => {
		const own = await site.team(1,
			{ keyOptions: ['--models', 'claude-haiku-*,claude-opus-4-5'] });
		isError(await call(own), 403, 'permission_error', /model/);
		for (const good of ['claude-haiku-4-5', 'claude-opus-4-5'])
			assert.equal((await call(own, message({ model: good }))).status,
				200);
	});

	test('a body that is too large, said and unsaid', async () => {
		const body = JSON.stringify(message({ system: 'x'.repeat(2 << 20) }));
		isError(await call(team, body), 413, 'request_too_large');
		const raw = await Raw.open(site.port);
		raw.send('POST /v1/messages HTTP/1.1\r\nhost: x\r\n' +
			`x-api-key: ${team.key}\r\ncontent-length: 999999999\r\n\r\n`);
		assert.match(await raw.until(/request_too_large/), / 413 /);
		raw.close();
		const chunked = await Raw.open(site.port);
		chunked.send('POST /v1/messages HTTP/1.1\r\nhost: x\r\n' +
			`x-api-key: ${team.key}\r\ntransfer-encoding: chunked\r\n\r\n`);
		for (let i = 0; i < 24; i++)
			chunked.send(`10000\r\n${'x'.repeat(65536)}\r\n`);
		chunked.send('0\r\n\r\n');
		// It is no JSON either, which may be seen first.
		assert.match(await chunked.until(/"error"/), / 4(13|00) /);
		chunked.close();
	});
});

describe('a body', () => {
	const deep = '['.repeat(2000) + ']'.repeat(2000);
	const bad = {
		'empty': ['', /JSON|empty/],
		'no JSON': ['hello', /line 1, byte 1/],
		'cut short': ['{"model":"x","messages":[', /line 1/],
		'followed by more': ['{"model":"x"} x', /line 1, byte 15/],
		'an array': ['[]', /object/],
		'a string': ['"model"', /object/],
		'a bad second line': ['{"model":"x",\n"a":tru}', /line 2, byte 8/],
		'no model': ['{"max_tokens":1}', /model/],
		'a model that is no string': ['{"model":7}', /model/],
		'an empty model': ['{"model":""}', /model/],
		'a model too long': [`{"model":"${'m'.repeat(5000)}"}`, /model/],
		'two models': [`{"model":"x","model":"${model}"}`, /twice/],
		'nesting too deep': [`{"model":"x","a":${deep}}`, /deep|nest/],
		'a NUL byte': ['{"model":"x\u0000"}', /line 1/],
		'a control character in a string': ['{"model":"a\nb"}', /line 1/],
	};
	for (const [name, [body, text]] of Object.entries(bad)) {
		test(name, async () => {
			const before = await served();
			isError(await call(team, body), 400, 'invalid_request_error',
				text);
			assert.equal(await served(), before);
		});
	}

	const odd = {
		'broken UTF-8 in a string': Buffer.concat([
			Buffer.from(`{"model":"${model}","system":"`),
			Buffer.from([0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80]),
			Buffer.from('","messages":[]}')]),
		'an absurd number':
			`{"model":"${model}","temperature":1e99999,"messages":[]}`,
		'a number of many digits':
			`{"model":"${model}","n":${'9'.repeat(5000)},"messages":[]}`,
		'lone surrogates':
			`{"model":"${model}","system":"\\ud800\\udc00\\ud800"}`,
		'fields that nobody knows':
			`{"model":"${model}","zzz":{"a":[1,{}]},"messages":7}`,
		'another member twice':
			`{"model":"${model}","system":"a","system":"b"}`,
	};
	for (const [name, body] of Object.entries(odd)) {
		test(`${name}: not ours to judge`, async () => {
			const before = await served();
			const answer = await call(team, body);
			assert.equal(answer.status, 200, answer.body);
			assert.equal(await served(), before + 1);
			const got = (await site.mock.requests(secret)).at(-1);
			assert.equal(got.body_bytes, Buffer.byteLength(body));
		});
	}

	test('an absurd max_tokens', async () => {
		for (const n of ['-1', '1e400', '99999999999999999999', '"many"',
			'0.5', 'null', '{}']) {
			const answer = await call(team,
				`{"model":"${model}","max_tokens":${n},"messages":[]}`);
			assert.ok([200, 400].includes(answer.status),
				`${n}: ${answer.status}`);
		}
		assert.equal((await call(team)).status, 200);
	});
});

describe('the wire', () => {
	test('a header that would inject another is not passed on', async () => {
		const own = await site.team(1);
		await site.mock.plan(own.accounts[0].secret, {
			raw: 'HTTP/1.1 200 OK\r\nx-a: b\u0000c\r\nx-b: d\re\r\n' +
				'content-length: 2\r\n\r\n{}' });
		const answer = await call(own);
		assert.ok(answer.status >= 500, `${answer.status}`);
		for (const value of ['a\u0001b', 'a\u007fb']) {
			const raw = await Raw.open(site.port);
			const body = JSON.stringify(message());
			raw.send('POST /v1/messages HTTP/1.1\r\nhost: x\r\n' +
				`x-api-key: ${team.key}\r\nx-odd: ${value}\r\n` +
				`content-length: ${body.length}\r\nconnection: close` +
				`\r\n\r\n${body}`);
			await raw.until(/no such text/);
			assert.ok([200, 400].includes(raw.status()), `${raw.status()}`);
			if (raw.status() === 200) {
				const got = (await site.mock.requests(secret)).at(-1);
				assert.ok(!got.head.includes(value));
			}
		}
	});

	test('line breaks in path and query stay encoded', async () => {
		const answer = await request(
			`${site.url}/v1/messages?a=%0d%0ax-evil:%201&b=%00`,
			{ key: team.key, body: message() });
		assert.equal(answer.status, 200, answer.body);
		const got = (await site.mock.requests(secret)).at(-1);
		assert.equal(got.path, '/v1/messages?a=%0d%0ax-evil:%201&b=%00');
	});

	test('a client that stops in its upload', async () => {
		const before = await served();
		const raw = await Raw.open(site.port);
		raw.send('POST /v1/messages HTTP/1.1\r\nhost: x\r\n' +
			`x-api-key: ${team.key}\r\ncontent-length: 1000\r\n\r\n{"mo`);
		const text = await raw.until(/no such text|HTTP\/1.1 \d+[^]*}/, 15000);
		if (text)
			assert.match(text, / 4\d\d /);
		assert.equal(await served(), before);
		raw.close();
	});

	test('a client that sends slowly, but does send', async () => {
		const body = JSON.stringify(message());
		const raw = await Raw.open(site.port);
		raw.send('POST /v1/messages HTTP/1.1\r\nhost: x\r\n' +
			`x-api-key: ${team.key}\r\ncontent-length: ${body.length}` +
			'\r\n\r\n');
		for (let i = 0; i < body.length; i += 20) {
			raw.send(body.slice(i, i + 20));
			await sleep(300);
		}
		assert.match(await raw.until(/end_turn/), / 200 /);
		raw.close();
	});

	test('two requests in one breath', async () => {
		const body = JSON.stringify(message());
		const one = 'POST /v1/messages HTTP/1.1\r\nhost: x\r\n' +
			`x-api-key: ${team.key}\r\ncontent-length: ${body.length}` +
			`\r\n\r\n${body}`;
		const raw = await Raw.open(site.port);
		raw.send(one + one);
		await raw.until(/end_turn[^]*end_turn/);
		raw.close();
	});
});

// FastCGI as no web server sends it, straight to the responder's socket.
describe('records', () => {
	const type = { BEGIN: 1, ABORT: 2, PARAMS: 4, STDIN: 5 };

	function record(kind, content, { id = 1, version = 1, length } = {}) {
		const body = Buffer.from(content);
		const head = Buffer.from([version, kind, id >> 8, id & 255, 0, 0, 0, 0]);
		head.writeUInt16BE(length ?? body.length, 4);
		return Buffer.concat([head, body]);
	}

	function pair(name, value) {
		const long = n => [0x80 | n >>> 24, n >>> 16 & 255, n >>> 8 & 255,
			n & 255];
		return Buffer.concat([
			Buffer.from([...long(Buffer.byteLength(name)),
				...long(Buffer.byteLength(value))]),
			Buffer.from(name), Buffer.from(value)]);
	}

	function begin(keep = 0) {
		return record(type.BEGIN, [0, 1, keep, 0, 0, 0, 0, 0]);
	}

	function params(body, more = {}) {
		return Buffer.concat(Object.entries({
			REQUEST_METHOD: 'POST', REQUEST_URI: '/v1/messages',
			HTTP_X_API_KEY: team.key, REMOTE_ADDR: '127.0.0.1',
			CONTENT_TYPE: 'application/json',
			CONTENT_LENGTH: String(body.length), ...more,
		}).map(([n, v]) => pair(n, v)));
	}

	// Send records; what comes back until the responder closes.
	function talk(...records) {
		return new Promise(done => {
			const socket = net.connect(join(site.dir, 'run/relay.sock'));
			const parts = [];
			socket.on('data', d => parts.push(d));
			socket.on('error', () => {});
			socket.on('close', () =>
				done(Buffer.concat(parts).toString('latin1')));
			setTimeout(() => socket.destroy(), 4000).unref();
			socket.write(Buffer.concat(records));
		});
	}

	const body = () => Buffer.from(JSON.stringify(message()));

	test('as they should be', async () => {
		const b = body();
		const text = await talk(begin(), record(type.PARAMS, params(b)),
			record(type.PARAMS, ''), record(type.STDIN, b),
			record(type.STDIN, ''));
		assert.match(text, /Status: 200[^]*end_turn/);
	});

	test('without CONTENT_LENGTH, with none, and with -1', async () => {
		const b = body();
		for (const length of ['', '-1']) {
			const text = await talk(begin(),
				record(type.PARAMS, params(b, { CONTENT_LENGTH: length })),
				record(type.PARAMS, ''), record(type.STDIN, b),
				record(type.STDIN, ''));
			assert.match(text, /Status: 200[^]*end_turn/);
		}
	});

	const broken = {
		'STDIN before the end of PARAMS': b => [begin(),
			record(type.PARAMS, params(b)), record(type.STDIN, b),
			record(type.PARAMS, ''), record(type.STDIN, '')],
		'a body shorter than stated': b => [begin(),
			record(type.PARAMS, params(b,
				{ CONTENT_LENGTH: String(b.length + 10) })),
			record(type.PARAMS, ''), record(type.STDIN, b),
			record(type.STDIN, '')],
		'a body longer than stated': b => [begin(),
			record(type.PARAMS, params(b,
				{ CONTENT_LENGTH: String(b.length - 10) })),
			record(type.PARAMS, ''), record(type.STDIN, b),
			record(type.STDIN, '')],
		'a body without end': b => [begin(),
			record(type.PARAMS, params(b)), record(type.PARAMS, ''),
			record(type.STDIN, b)],
		'a wrong version': b => [begin(),
			record(type.PARAMS, params(b), { version: 9 }),
			record(type.PARAMS, ''), record(type.STDIN, b),
			record(type.STDIN, '')],
		'a pair longer than its record': b => [begin(),
			record(type.PARAMS, Buffer.concat([params(b),
				Buffer.from([0x80, 255, 255, 255, 4])])),
			record(type.PARAMS, ''), record(type.STDIN, b),
			record(type.STDIN, '')],
		'no BEGIN': b => [record(type.PARAMS, params(b)),
			record(type.PARAMS, ''), record(type.STDIN, b),
			record(type.STDIN, '')],
		'an abort': b => [begin(), record(type.PARAMS, params(b)),
			record(type.PARAMS, ''), record(type.STDIN, b.subarray(0, 5)),
			record(type.ABORT, '')],
		'noise': () => [Buffer.from('GET / HTTP/1.1\r\n\r\n'.repeat(50))],
	};
	for (const [name, make] of Object.entries(broken)) {
		test(`${name}: nothing goes upstream`, async () => {
			const before = await served();
			const text = await talk(...make(body()));
			assert.doesNotMatch(text, /Status: 200/);
			assert.equal(await served(), before);
			await site.ledger(team);
			assert.deepEqual(await site.heldSlots(team), []);
			assert.equal((await call(team)).status, 200);
		});
	}
});

test('a stream goes on while others misbehave', async () => {
	const own = await site.team(1);
	await site.mock.plan(own.accounts[0].secret,
		{ chunks: 20, chunk_delay_ms: 50 });
	const good = stream(own);
	for (let i = 0; i < 20; i++) {
		const raw = await Raw.open(site.port);
		raw.send('POST /v1/messages HTTP/1.1\r\nhost: x\r\n' +
			`x-api-key: ${team.key}\r\ncontent-length: 100\r\n\r\n{`);
		raw.reset();
	}
	assert.match((await good).body, /message_stop/);
});
