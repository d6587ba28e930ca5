// Bad input gets a clear error, and nothing is lost: what comes through the
// web server, and what comes to the responder's socket.
// Store: any.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Locker } from './lib/database.mjs';
import { BEGIN, begin, Fcgi, params, post, record, STDIN, PARAMS }
	from './lib/fcgi.mjs';
import { call, message, model, Raw, request } from './lib/http.mjs';
import { needs, server } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

const KiB = 1024;
const BODY_MAX = 512 * KiB, BODIES_MAX = 800 * KiB;
const MAIN = '/v1/messages';

let site, team, secret, pids;

before(async () => {
	site = await Site.start({ processes: 1, set: {
		body_max_bytes: BODY_MAX, bodies_max_bytes: BODIES_MAX,
		client_read_timeout_s: '1s', log_level: 'debug',
	} });
	team = await site.team(1);
	secret = team.accounts[0].secret;
	assert.equal((await call(team)).status, 200);
	await site.ledger(team, { count: 1 });
	pids = await site.responders();
});
after(() => site?.stop());

// All that a request could have left behind.
async function traces() {
	const [rows] = await site.sql(`SELECT
		(SELECT count(*) FROM ledger) AS ledger,
		(SELECT count(*) FROM attempt) AS attempts,
		(SELECT count(*) FROM ticket) AS tickets,
		(SELECT count(*) FROM slot WHERE responder_id IS NOT NULL) AS held,
		(SELECT count(*) FROM cooldown) AS cooldowns,
		(SELECT value FROM meta WHERE name = 'config_version') AS version`);
	return { ...rows, served: (await site.mock.requests(secret)).length };
}

// Do something that is refused, and see that it left nothing behind.
async function leavingNothing(work) {
	const was = await traces();
	await work();
	assert.deepEqual(await traces(), was);
	assert.deepEqual(await site.responders(), pids, 'nobody crashed');
}

function assertError(answer, status, type, words) {
	assert.ok(answer, 'an answer, not just an end');
	assert.equal(answer.status, status, answer.body);
	assert.match(answer.headers['content-type'], /^application\/json/);
	const json = JSON.parse(answer.body);
	assert.equal(json.type, 'error');
	if (type)
		assert.equal(json.error.type, type);
	assert.match(json.error.message, words ?? /./);
	assert.ok(answer.headers['request-id']);
	assert.equal(json.request_id, answer.headers['request-id']);
}

describe('the request line', () => {
	test('an unknown path is 404', () => leavingNothing(async () => {
		for (const path of ['/nope', '/v1', '/v1/messages/nope',
			'/v1/message', '/claude/nope', '/v1/models/a/b',
			'/v1/%6dessages', '//v1/messages']) {
			for (const key of [team.key, undefined])
				assertError(await request(site.url + path,
					{ key, body: message() }), 404, 'not_found_error');
		}
	}));

	test('a wrong method is 405 and says which would do',
		() => leavingNothing(async () => {
			for (const [method, path, allow] of [
				['GET', '/v1/messages', 'POST'],
				['DELETE', '/v1/messages', 'POST'],
				['PUT', '/v1/messages/count_tokens?beta=true', 'POST'],
				['POST', '/v1/models', 'GET, HEAD'],
				['PATCH', '/v1/models/x', 'GET, HEAD'],
				['POST', '/health', 'GET, HEAD'],
			]) {
				const answer = await request(site.url + path,
					{ method, key: team.key, body: '{}' });
				assertError(answer, 405);
				assert.equal(answer.headers.allow, allow);
			}
		}));
});

describe('the key', () => {
	test('none is 401, and clients are told not to try again',
		() => leavingNothing(async () => {
			const answer = await request(site.url + MAIN,
				{ body: message() });
			assertError(answer, 401, 'authentication_error', /x-api-key/);
			assert.equal(answer.headers['x-should-retry'], 'false');
		}));

	test('one that is not ours is 401', () => leavingNothing(async () => {
		for (const key of ['sk-lh-' + 'A'.repeat(43), 'x',
			team.key.slice(0, -1), team.key + 'x', 'k'.repeat(6000),
			'caf\u00e9', "' OR 1=1 --"]) {
			const answer = await request(site.url + MAIN,
				{ key, body: message() });
			assertError(answer, 401, 'authentication_error');
			assert.equal(answer.headers['x-should-retry'], 'false');
		}
	}));

	test('without a good one nothing waits for the writer',
		() => leavingNothing(async () => {
			const locker = await Locker.take(site);
			try {
				for (let i = 0; i < 6; i++) {
					const answer = await request(site.url + MAIN,
						{ key: `sk-guess-${i}`, body: message() });
					assertError(answer, 401);
				}
				assert.ok(locker.age() < 2000,
					`took ${locker.age()} ms under a held write lock`);
			} finally {
				await locker.release();
			}
		}));

	test('without a good one no body is taken in',
		{ skip: needs('early') }, () => leavingNothing(async () => {
			const raw = await Raw.open(site.port);
			const text = await refusal(raw, { 'x-api-key': 'sk-guess',
				'content-length': BODY_MAX }, /\r\n\r\n.*\}/s);
			assert.equal(raw.status(), 401, text);
			raw.close();
		}));

	test('guessing is slowed down, and known keys are not',
		async () => {
			const seen = new Set();
			for (let i = 0; i < 40 && !seen.has(429); i++) {
				const answer = await request(site.url + MAIN,
					{ key: `sk-guessing-${i}`, body: message() });
				seen.add(answer.status);
				if (answer.status === 429)
					assert.ok(answer.headers['retry-after'] >= 1);
			}
			assert.ok(seen.has(429), [...seen].join());
			assert.equal((await call(team)).status, 200);
			// What responders know of keys is read anew after changes.
			await site.leasehold(['account', 'set', team.accounts[0].name,
				'--weight', '99']);
			await sleep(400);
			assert.equal((await call(team)).status, 200);
			await site.ledger(team);
		});
});

// What comes for the head of a request before its body was sent; of that only
// as much as the web server wants before it passes an answer on.
async function refusal(raw, headers, pattern) {
	raw.send(head(headers));
	const more = server.unasked ? null :
		setInterval(() => raw.send(' '), 50);
	try {
		return await raw.until(pattern, 2000);
	} finally {
		clearInterval(more);
	}
}

function head(headers, path = MAIN) {
	return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n` +
		'content-type: application/json\r\n' +
		Object.entries(headers).map(([n, v]) => `${n}: ${v}\r\n`).join('') +
		'\r\n';
}

describe('the body\'s length', () => {
	const of = n => {
		const rest = JSON.stringify(message({ system: '' })).length;
		return JSON.stringify(message({ system: 'x'.repeat(n - rest) }));
	};

	test('up to the bound it is served', async () => {
		assert.equal(Buffer.byteLength(of(BODY_MAX)), BODY_MAX);
		assert.equal((await call(team, of(BODY_MAX))).status, 200);
		await site.ledger(team);
	});

	test('stated above the bound: 413 before a byte of it is sent',
		{ skip: needs('early') }, () => leavingNothing(async () => {
			for (const n of [BODY_MAX + 1, 1e12]) {
				const raw = await Raw.open(site.port);
				const text = await refusal(raw, { 'x-api-key': team.key,
					'content-length': n }, /body_max_bytes/);
				assert.equal(raw.status(), 413, text);
				assert.match(text, /request_too_large/);
				raw.close();
			}
		}));

	test('not stated, above the bound: 413 before its end',
		{ skip: needs('pieces') }, () => leavingNothing(async () => {
			const raw = await Raw.open(site.port);
			raw.send(head({ 'x-api-key': team.key,
				'transfer-encoding': 'chunked' }) + '1\r\n{\r\n');
			const chunk = ' '.repeat(16 * KiB - 1) + '\n';
			let sent = 0;
			while (!raw.status() && !raw.closed && sent < 64 << 20) {
				raw.send(chunk.length.toString(16) + `\r\n${chunk}\r\n`);
				sent += chunk.length;
				await sleep(1);
			}
			assert.equal(raw.status(), 413);
			assert.ok(sent < 4 << 20, `${sent} bytes were taken`);
			raw.close();
		}));

	test('what is sent along with a 413 does not break the answer',
		() => leavingNothing(async () => {
			for (let i = 0; i < 5; i++)
				assertError(await call(team, of(8 << 20), { agent: false }),
					413, 'request_too_large');
		}));

	test('nonsense is 400', () => leavingNothing(async () => {
		for (const n of ['abc', '-5', '1 2', '0x10', '']) {
			const raw = await Raw.open(site.port);
			raw.send(head({ 'x-api-key': team.key, 'content-length': n }) +
				'{}');
			await raw.until(/^HTTP.*\r\n\r\n/s);
			assert.equal(raw.status(), 400, `content-length: ${n}`);
			raw.close();
		}
	}));

	test('the client stops: 408, and others are served meanwhile',
		{ skip: needs('unasked') }, () => leavingNothing(async () => {
			const raws = [];
			for (let i = 0; i < 20; i++) {
				raws.push(await Raw.open(site.port));
				raws[i].send(head({ 'x-api-key': team.key,
					'content-length': 500 }) + '{"model": ');
			}
			const health = await request(`${site.url}/health`,
				{ method: 'GET' });
			assert.equal(health.status, 200);
			for (const raw of raws) {
				const text = await raw.until(/^HTTP.*\r\n\r\n.*\}/s, 4000);
				assert.equal(raw.status(), 408, text);
				raw.close();
			}
		}));

	test('the client is slow: served', { skip: needs('pieces') }, async () => {
		const raw = await Raw.open(site.port);
		const body = JSON.stringify(message());
		raw.send(head({ 'x-api-key': team.key,
			'content-length': body.length }));
		for (const byte of body.slice(0, 40)) {
			raw.send(byte);
			await sleep(40);
		}
		raw.send(body.slice(40));
		await raw.until(/\r\n\r\n.*\}/s);
		assert.equal(raw.status(), 200);
		raw.close();
		await site.ledger(team);
	});

	test('the client leaves within the body: nothing goes up',
		() => leavingNothing(async () => {
			for (const way of ['close', 'reset']) {
				const raw = await Raw.open(site.port);
				const body = JSON.stringify(message());
				raw.send(head({ 'x-api-key': team.key,
					'content-length': body.length }) + body.slice(0, -1));
				await sleep(50);
				raw[way]();
			}
			await sleep(300);
		}));

	test('all bodies together have a ceiling: 503 with retry-after',
		() => leavingNothing(async () => {
			const first = await Raw.open(site.port);
			first.send(head({ 'x-api-key': team.key,
				'content-length': 500 * KiB }) + '{"model": "x", "a": "');
			await sleep(100);
			// What is only stated takes no room from others.
			assertError(await call(team, '{' + ' '.repeat(400 * KiB),
				{ agent: false }), 400);
			first.send('x'.repeat(450 * KiB));
			await sleep(100);
			// nginx closes a connection whose body it did not read to the
			// end: each has its own.
			for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
				const second = await call(team, of(400 * KiB),
					{ headers, agent: false });
				assertError(second, 503, 'api_error');
				assert.ok(Number(second.headers['retry-after']) >= 1);
			}
			first.close();
			await sleep(100);
			// There is room again.
			assertError(await call(team, '{' + ' '.repeat(400 * KiB),
				{ agent: false }), 400);
		}));
});

describe('the body', () => {
	const raw = s => Buffer.from(s, 'latin1');
	const good = `"model":"${model}","max_tokens":5,"messages":[]`;
	const bad = [
		['nothing', '', /not valid JSON/],
		['blanks', ' \n ', /not valid JSON/],
		['a word', 'hello', /line 1, byte 1/],
		['an end too soon', `{${good}`, /not valid JSON/],
		['more behind it', `{${good}} x`, /line 1, byte 60/],
		['a comma too many', `{\n${good},\n}`, /line 3, byte 1/],
		['single quotes', '{\n  \'model\': 1}', /line 2, byte 3/],
		['a comment', `{${good}} // x`, /line 1/],
		['a bare control character', `{${good},"a":"x\ny"}`, /line 1/],
		['NaN', `{${good},"temperature":NaN}`, /line 1/],
		['a leading zero', `{${good},"a":01}`, /line 1/],
		['an array', `[{${good}}]`, /not a JSON object/],
		['a string', `"${model}"`, /not a JSON object/],
		['a number', '12', /not a JSON object/],
		['null', 'null', /not a JSON object/],
		['gzip', raw('\x1f\x8b\x08\0\0\0\0\0'), /line 1, byte 1/],
		['UTF-16', Buffer.from(`{${good}}`, 'utf16le'), /line 1, byte 2/],
		['NUL bytes', raw(`{${good}}\0\0`), /line 1/],
		['a NUL in a string', raw(`{${good},"a":"\0"}`), /line 1/],
		['no model', '{"max_tokens":5,"messages":[]}', /model is missing/],
		['no model at the top', '{"a":{"model":"x"}}', /model is missing/],
		['a null model', '{"model":null}', /model is not a string/],
		['an empty model', '{"model":""}', /model is empty/],
		['a list of models', '{"model":["x"]}', /model is not a string/],
		['two models', '{"model":"x","model":"y"}', /model is given twice/],
		['a model of 10 KB', `{"model":"${'m'.repeat(10240)}"}`,
			/model is too long/],
		['a line break in the model', '{"model":"x\\r\\ny: z"}',
			/model holds a control character/],
		['a NUL in the model', '{"model":"x\\u0000y"}',
			/model holds a control character/],
		['a model of broken UTF-8', raw('{"model":"x\xff\xfe"}'),
			/model is not valid UTF-8/],
		['a stream that is no flag', `{${good},"stream":"yes"}`,
			/stream is not a boolean/],
		...['-1', '1.5', '1e400', '99999999999999999999', '"5"', 'null',
			'1000000001', '-0.1', '1e-400'].map(n => [
			`max_tokens ${n}`, `{"model":"x","max_tokens":${n}}`,
			/max_tokens is not a whole number/]),
		['deep nesting', `{${good},"a":${'['.repeat(100000)}`, /deep/],
		['deep nesting of objects', `{${good},"a":${
			'{"a":'.repeat(50000)}`, /deep/],
	];

	for (const coding of ['gzip', 'br', 'zstd'])
		test(`with content-encoding ${coding}: 415`,
			() => leavingNothing(async () => assertError(await call(team,
				gzipSync(JSON.stringify(message())),
				{ headers: { 'content-encoding': coding } }),
			415, 'invalid_request_error', /uncompressed/)));

	for (const [name, body, words] of bad)
		test(`${name}: 400`, () => leavingNothing(async () =>
			assertError(await call(team, body), 400,
				'invalid_request_error', words)));

	test('odd, but JSON: passed on byte for byte', async () => {
		for (const body of [
			`{${good},"a":${'['.repeat(400)}${']'.repeat(400)}}`,
			`{${good},"temperature":1e999,"b":-0,"c":1E-400,` +
				`"d":${'9'.repeat(5000)}}`,
			`{${good},"system":"\\u0000\\ud800"}`,
			raw(`{${good},"system":"\xff\xfe\xc0\x80\xed\xa0\x80"}`),
			`\r\n\t {${good}}\n\n`,
			`{${good},"a":{"model":"other"}}`,
			`{"":0,"\\u006dax_tokens":5,"messages":[],"model":"${model}"}`,
		]) {
			const answer = await call(team, body);
			assert.equal(answer.status, 200, answer.body);
			const got = (await site.mock.requests(secret)).at(-1);
			assert.equal(got.body_bytes, Buffer.byteLength(body));
			assert.equal(got.model, model);
		}
		await site.ledger(team);
	});

	test('of a token count is looked at alike', () => leavingNothing(
		async () => assertError(await request(
			`${site.url}/v1/messages/count_tokens`,
			{ key: team.key, body: '[]' }), 400)));
});

describe('headers', () => {
	test('none is forged by what a path holds', async () => {
		const answer = await request(`${site.url}/v1/models/a%0d%0a` +
			'x-api-key:%20evil%0d%0a?b=%0d%0ax-evil:%201',
			{ method: 'GET', key: team.key });
		assert.equal(answer.headers['x-evil'], undefined);
		const got = (await site.mock.requests(secret)).at(-1);
		assert.match(got.path, /%0d%0a/);
		assert.ok(!/^x-evil|evil$/m.test(got.head), got.head);
		await site.ledger(team);
	});

	test('line breaks and NULs in them are refused',
		() => leavingNothing(async () => {
			for (const value of ['a\r\nx-evil: 1', 'a\nx-evil: 1', 'a\rb',
				'a\0b', 'a\x01b', 'a\x7fb'])
				assertError(await toResponder(message(),
					{ HTTP_X_ODD: value }), 400);
			for (const name of ['HTTP_X EVIL', 'HTTP_X:Y', 'HTTP_',
				'HTTP_X\r\nY', 'HTTP_\xc3\xa9'])
				assertError(await toResponder(message(),
					{ [name]: '1' }), 400);
			for (const target of ['/v1/messages\r\nx-evil: 1',
				'/v1/messages?a=\nb', '/v1/mess\0ages'])
				assertError(await toResponder(message(),
					{ REQUEST_URI: target }), 400);
		}));

	test('too many, or too large: 431', () => leavingNothing(async () => {
		const many = Object.fromEntries(Array.from({ length: 600 },
			(_, i) => [`HTTP_X_${i}`, '1']));
		assertError(await toResponder(message(), many), 431);
		const large = post(team.key);
		for (let i = 0; i < 10; i++)
			large.push(['HTTP_X_LARGE', 'x'.repeat(30000)]);
		assertError(await Fcgi.ask(socket(), begin(),
			...large.map(pair => params([pair])), record(PARAMS)), 431);
	}));
});

function socket() {
	return join(site.dir, 'run/relay.sock');
}

// As a web server sends it, but for what is to be wrong.
function toResponder(body, more = {}) {
	const text = JSON.stringify(body);
	return Fcgi.ask(socket(), begin(), params(post(team.key,
		{ CONTENT_LENGTH: text.length, ...more })), record(PARAMS),
	record(STDIN, text), record(STDIN));
}

describe('FastCGI records', () => {
	test('in order are served, with a length and without one',
		async () => {
			for (const CONTENT_LENGTH of [
				JSON.stringify(message()).length, undefined, '', '-1']) {
				const answer = await toResponder(message(),
					{ CONTENT_LENGTH });
				assert.equal(answer.status, 200, answer.body);
			}
			await site.ledger(team);
		});

	test('STDIN before the end of PARAMS is 400',
		() => leavingNothing(async () => {
			const text = JSON.stringify(message());
			assertError(await Fcgi.ask(socket(), begin(),
				params(post(team.key, { CONTENT_LENGTH: text.length })),
				record(STDIN, text), record(PARAMS), record(STDIN)), 400);
		}));

	test('a body short of its stated length is 400, one beyond it too',
		() => leavingNothing(async () => {
			const n = JSON.stringify(message()).length;
			for (const [length, words] of [[n + 1, /shorter/],
				[n - 1, /longer/]])
				assertError(await toResponder(message(),
					{ CONTENT_LENGTH: length }), 400, undefined, words);
		}));

	test('a length that is no number is 400',
		() => leavingNothing(async () => {
			for (const n of ['abc', '-2', '12x', '1e3', ' 12',
				'99999999999999999999'])
				assertError(await toResponder(message(),
					{ CONTENT_LENGTH: n }), 400);
		}));

	test('a body that never ends goes nowhere: 408',
		() => leavingNothing(async () => {
			const c = await Fcgi.open(socket());
			c.send(begin(), params(post(team.key)), record(PARAMS),
				record(STDIN, JSON.stringify(message())));
			assertError(await c.answer(4000), 408);
			c.close();
		}));

	test('a body whose connection ends goes nowhere',
		() => leavingNothing(async () => {
			const c = await Fcgi.open(socket());
			c.send(begin(), params(post(team.key)), record(PARAMS),
				record(STDIN, JSON.stringify(message())));
			c.socket.end();
			assert.equal(await c.answer(4000), null);
			c.close();
		}));

	test('PARAMS that stop: 408 or an end, and nothing is kept',
		() => leavingNothing(async () => {
			for (const part of [[], [begin()],
				[begin(), params(post(team.key)).subarray(0, 20)],
				[begin(), params(post(team.key))]]) {
				const c = await Fcgi.open(socket());
				if (part.length > 0)
					c.send(...part);
				else
					c.send(Buffer.from([1]));
				const answer = await c.answer(4000);
				if (answer)
					assertError(answer, 408);
				c.close();
			}
		}));

	test('nonsense ends the connection, and no other',
		() => leavingNothing(async () => {
			const other = await Fcgi.open(socket());
			other.send(begin({ keep: true }));
			for (const bytes of [Buffer.from('GET / HTTP/1.1\r\n\r\n'),
				Buffer.alloc(64, 0xff), record(BEGIN, 'x'),
				record(STDIN, '{}'), record(PARAMS, 'x'),
				record(BEGIN, begin().subarray(8), { version: 2 })]) {
				const c = await Fcgi.open(socket());
				c.send(bytes);
				assert.equal(await c.answer(4000), null);
				assert.ok(c.closed);
				c.close();
			}
			other.send(params(Object.entries({ REQUEST_METHOD: 'GET',
				REQUEST_URI: '/health' })), record(PARAMS), record(STDIN));
			assert.equal((await other.answer()).status, 200);
			other.close();
		}));

	test('requests follow each other on a kept connection, good after bad',
		async () => {
			const c = await Fcgi.open(socket());
			const text = JSON.stringify(message());
			for (const [body, length, status] of [['[]', 2, 400],
				[text, text.length, 200], [text, text.length + 9, 400],
				[text, text.length, 200]]) {
				c.send(begin({ keep: true }), params(post(team.key,
					{ CONTENT_LENGTH: length })), record(PARAMS),
				record(STDIN, body), record(STDIN));
				assert.equal((await c.answer()).status, status);
			}
			c.close();
			await site.ledger(team);
		});

	test('a request within a request is refused, the first one served',
		async () => {
			const c = await Fcgi.open(socket());
			const text = JSON.stringify(message());
			const second = begin();
			second[3] = 2;
			c.send(begin({ keep: true }), params(post(team.key)), second,
				record(PARAMS), record(STDIN, text), record(STDIN));
			// FCGI_CANT_MPX_CONN for the second.
			await c.answer();
			assert.equal((await c.answer()).status, 200);
			c.close();
			await site.ledger(team);
		});
});

test('after all that a call is served, and nothing is open', async () => {
	assert.equal((await call(team)).status, 200);
	await site.ledger(team);
	assert.deepEqual(await site.heldSlots(team), []);
	assert.deepEqual(await site.responders(), pids, 'nobody crashed');
	const served = (await site.mock.requests(secret)).length;
	const [{ n }] = await site.sql('SELECT count(*) AS n FROM attempt');
	assert.equal(n, served, 'one attempt for each that the upstream saw');
});
