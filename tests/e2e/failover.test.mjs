// What fails before the first byte moves to another account, and parks the one
// that failed; what breaks later ends in a well-formed error.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call, events, stream, text } from './lib/http.mjs';
import { freePort, Site } from './lib/site.mjs';

let site;

before(async () => {
	site = await Site.start({ set: { first_byte_timeout_s: '1s',
		idle_timeout_s: '1s', plain_timeout_s: '2s',
		queue_timeout_s: '1s' } });
});
after(() => site?.stop());

// A port at which nobody listens.
function soon(s) {
	return new Date(Date.now() + s * 1000).toISOString();
}

// name: [how the first account fails, outcome of its attempt, reason of its
// park, seconds until which it is parked if the upstream said so]
const failures = {
	'401': [{ status: 401 }, 'auth'],
	'403': [{ status: 403 }, 'auth'],
	'402, credit used up': [{ status: 402 }, 'credit'],
	'429 with retry-after': [{ status: 429,
		headers: [['retry-after', '77']] }, 'rate_limited', 77],
	'429 with the reset of a limit': [() => ({ status: 429, headers: [
		['anthropic-ratelimit-requests-remaining', '0'],
		['anthropic-ratelimit-requests-reset', soon(300)]] }),
	'rate_limited', 300],
	'429 with unified headers': [() => ({ status: 429, headers: [
		['anthropic-ratelimit-unified-status', 'rejected'],
		['anthropic-ratelimit-unified-reset',
			String(Math.round(Date.now() / 1000) + 900)],
		['anthropic-ratelimit-unified-representative-claim',
			'five_hour']] }), 'rate_limited', 900],
	'429 without headers': [{ status: 429 }, 'rate_limited'],
	'500': [{ status: 500 }, 'upstream_error'],
	'502 in HTML': [{ status: 502, body: '<html>Bad gateway</html>',
		headers: [['content-type', 'text/html']] }, 'upstream_error'],
	'503': [{ status: 503 }, 'overloaded'],
	'529': [{ status: 529 }, 'overloaded'],
	'a connection refused': ['refused', 'connect'],
	'a reset before the head': [{ end: 'reset', at: 'head' }, 'send'],
	'an end before the head': [{ end: 'fin', at: 'head' }, 'send'],
	'a reset after the head': [{ end: 'reset', at: 'first' }, 'cut'],
	'garbage': [{ raw: '\u0000\u00ff not HTTP\r\n\r\n' }, 'garbage'],
	'a header that would inject another': [{ raw: 'HTTP/1.1 200 OK\r\n' +
		'x-a: b\u0001c\rx-evil: 1\r\ncontent-length: 2\r\n\r\n{}' },
	'garbage'],
	'a head without end': [{ raw: 'HTTP/1.1 200 OK\r\n' +
		`x: ${'y'.repeat(1000)}\r\n`.repeat(100) }, 'garbage'],
	'a line longer than libcurl takes': [{ raw: 'HTTP/1.1 200 OK\r\n' +
		`x: ${'y'.repeat(150000)}\r\n\r\n` }, 'garbage'],
};

async function failing(plan) {
	if (plan !== 'refused') {
		const team = await site.team(2);
		await site.mock.plan(team.accounts[0].secret,
			typeof plan === 'function' ? plan() : plan);
		return team;
	}
	const team = await site.team(1, {
		baseUrl: `http://127.0.0.1:${await freePort()}` });
	const name = `${team.name}-account-1`;
	team.accounts.push(await site.account(name,
		{ group: team.name, priority: 11 }));
	await new Promise(done => setTimeout(done, 400));
	return team;
}

function attempts(id) {
	return site.sql(`SELECT t.*, a.name AS account FROM attempt t
		JOIN account a ON a.id = t.account_id
		WHERE ledger_id = ${id} ORDER BY n`);
}

for (const [kind, send] of [['a stream', stream], ['a plain call', call]]) {
	describe(`${kind} moves on`, () => {
		for (const [name, [plan, outcome, seconds]] of
			Object.entries(failures)) {
			test(`after ${name}`, async () => {
				const team = await failing(plan);
				const answer = await send(team);
				assert.equal(answer.status, 200, answer.body);
				if (send === stream)
					assert.match(text(answer), /leased account\.$/);
				const [row] = await site.ledger(team, { count: 1 });
				assert.equal(row.outcome, 'ok');
				assert.equal(row.account, team.accounts[1].name);
				// Where a kept connection broke, a new one is tried once.
				const all = await attempts(row.id);
				assert.equal(all.length, row.attempts);
				assert.ok(all.length === 2 || (all.length === 3 &&
					outcome === 'send'), `${all.length} attempts`);
				const [first, second] = all.slice(-2);
				assert.equal(first.account, team.accounts[0].name);
				assert.equal(first.outcome, outcome);
				assert.equal(second.outcome, 'ok');
				const parked = await site.cooldowns(team);
				assert.equal(parked.length, 1);
				assert.equal(parked[0].account, team.accounts[0].name);
				if (seconds) {
					assert.equal(parked[0].stated, 1);
					const ms = parked[0].until_ms - Date.now();
					assert.ok(Math.abs(ms - seconds * 1000) < 5000,
						`parked for ${ms} ms`);
				}

				// The next call does not try it again.
				assert.equal((await send(team)).status, 200);
				const rows = await site.ledger(team, { count: 2 });
				assert.equal(rows[1].attempts, 1);
			});
		}
	});
}

test('moves on though all that was kept breaks', async () => {
	const team = await site.team(2);
	const [{ secret }] = team.accounts;
	await site.mock.plan(secret, { head_delay_ms: 300 });
	const warm = await Promise.all(Array.from({ length: 24 },
		() => call(team)));
	assert.ok(warm.every(answer => answer.status === 200));
	await site.mock.forget();
	await site.mock.plan(secret, { end: 'reset', at: 'head' });
	const answer = await stream(team);
	assert.equal(answer.status, 200, answer.body);
	const { id } = (await site.ledger(team, { count: 25 })).at(-1);
	assert.deepEqual((await attempts(id)).map(t => t.outcome),
		['send', 'send', 'ok']);
});

describe('an upstream that says nothing', () => {
	test('moves a stream', async () => {
		const team = await failing({ end: 'silent', at: 'head' });
		const answer = await stream(team);
		assert.equal(answer.status, 200, answer.body);
		const [row] = await site.ledger(team, { count: 1 });
		assert.equal(row.attempts, 2);
		const [first] = await attempts(row.id);
		assert.equal(first.outcome, 'silent');
		assert.equal(first.mark, 3, 'it may have been billed');
	});

	test('never moves a plain call', async () => {
		const team = await failing({ end: 'silent', at: 'head' });
		const answer = await call(team);
		assert.equal(answer.status, 504);
		assert.equal(JSON.parse(answer.body).type, 'error');
		const [row] = await site.ledger(team, { count: 1 });
		assert.equal(row.attempts, 1);
		assert.equal(row.mark, 3);
	});
});

describe('what the request is to blame for', () => {
	for (const status of [400, 404, 413, 422]) {
		test(`${status} goes to the client as it is`, async () => {
			const team = await site.team(2);
			const body = `{"type":"error","error":{"type":"x","message":` +
				`"own words"},"n":${status}}`;
			await site.mock.plan(team.accounts[0].secret, { status, body });
			const answer = await call(team);
			assert.equal(answer.status, status);
			assert.equal(answer.body, body);
			assert.deepEqual(await site.cooldowns(team), []);
			const [row] = await site.ledger(team, { count: 1 });
			assert.equal(row.attempts, 1);
			assert.equal(row.status, status);
		});
	}

	for (const plan of [{ status: 500 }, { status: 529 }, { status: 401 },
		{ status: 403 }, { status: 429 }, { end: 'reset', at: 'head' }]) {
		const what = plan.status ?? plan.end;
		test(`${what} everywhere parks one account at most`, async () => {
			const team = await site.team(4);
			for (const { secret } of team.accounts)
				await site.mock.plan(secret, plan);
			const answer = await stream(team);
			assert.ok([429, 502, 503].includes(answer.status),
				`${answer.status}`);
			const { error } = JSON.parse(answer.body);
			assert.ok(!/authentication|permission/.test(error.type));
			const parked = await site.cooldowns(team);
			assert.ok(parked.length <= 1, `${parked.length} are parked`);
			const [row] = await site.ledger(team, { count: 1 });
			assert.equal(row.attempts, 4);
		});
	}
});

describe('no account is left', () => {
	test('says when one will be', async () => {
		const team = await site.team(1);
		await site.mock.plan(team.accounts[0].secret,
			{ status: 429, headers: [['retry-after', '33'],
				['anthropic-ratelimit-requests-remaining', '0'],
				['anthropic-ratelimit-requests-reset', soon(33)]] });
		for (let i = 0; i < 2; i++) {
			const answer = await call(team);
			assert.ok([429, 503].includes(answer.status));
			const seconds = Number(answer.headers['retry-after']);
			assert.ok(seconds > 25 && seconds <= 34, `${seconds} s`);
			assert.ok(!answer.body.includes('overloaded_error'));
			assert.ok(answer.headers['request-id']);
		}
		assert.equal((await site.mock.requests(
			team.accounts[0].secret)).length, 1);
	});

	test('tells clients of a long wait not to sleep it out', async () => {
		const team = await site.team(1);
		await site.mock.plan(team.accounts[0].secret,
			{ status: 429, headers: [['retry-after', '7200']] });
		const answer = await call(team);
		assert.ok([429, 503].includes(answer.status));
		const seconds = Number(answer.headers['retry-after']);
		assert.ok(seconds <= 60 ||
			answer.headers['x-should-retry'] === 'false',
		`retry-after ${seconds}`);
	});
});

describe('a stream that breaks', () => {
	const breaks = {
		'by FIN': { end: 'fin' },
		'by RST': { end: 'reset' },
		'within an event': { end: 'fin', at: 'inside' },
		'by garbage': { end: 'garbage' },
		'by silence': { end: 'silent' },
		'by a clean end without message_stop': { end: 'stop' },
	};
	for (const [name, plan] of Object.entries(breaks)) {
		test(`${name} ends with an error event`, async () => {
			const team = await site.team(2);
			await site.mock.plan(team.accounts[0].secret,
				{ chunks: 9, after: 3, ...plan });
			const answer = await stream(team);
			assert.equal(answer.status, 200);
			assert.equal(answer.ended, 'end');
			const list = events(answer.body);
			const last = list.at(-1);
			assert.equal(last.event, 'error');
			assert.equal(last.data.type, 'error');
			assert.ok(last.data.error.message);
			assert.equal(text(answer), 'Hello from the');
			assert.ok(!list.some(e => e.event === 'message_stop'));
			const sent = (await site.mock.requests(
				team.accounts[0].secret))[0];
			const [row] = await site.ledger(team, { count: 1 });
			assert.equal(row.attempts, 1);
			assert.notEqual(row.outcome, 'ok');
			assert.equal(row.mark, 2);
			assert.equal(row.input_tokens, sent.usage.input);
			assert.ok(row.output_tokens >= 3);
		});
	}

	test('by the upstream\'s own error event keeps that', async () => {
		const team = await site.team(2);
		await site.mock.plan(team.accounts[0].secret, { chunks: 9, after: 3,
			end: 'error_event',
			error: { type: 'overloaded_error', message: 'so busy' } });
		const answer = await stream(team);
		const errors = events(answer.body).filter(e => e.event === 'error');
		assert.equal(errors.length, 1);
		assert.equal(errors[0].data.error.message, 'so busy');
		const [row] = await site.ledger(team, { count: 1 });
		assert.equal(row.mark, 2);
	});
});

test('a silent stream is kept alive by pings between events', async () => {
	const quiet = await Site.start({ processes: 1,
		set: { ping_interval_s: '200ms' } });
	try {
		const team = await quiet.team(1);
		await quiet.mock.plan(team.accounts[0].secret,
			{ chunks: 3, chunk_delay_ms: 900 });
		const answer = await stream(team);
		const list = events(answer.body);
		assert.equal(list.at(-1).event, 'message_stop');
		assert.ok(list.filter(e => e.event === 'ping').length >= 8,
			answer.body);
		assert.equal(text(answer), 'Hello from the');
	} finally {
		await quiet.stop();
	}
});
