// What calls cost: by how the upstream says that it served them, with prices
// that change under way, and what a key with a budget in money may not ask.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, message } from './lib/http.mjs';
import { Site } from './lib/site.mjs';

const model = 'claude-opus-5-5';	// $4 and $20, fast 2 times, us 1.1

let site;

before(async () => { site = await Site.start({ processes: 1 }); });
after(() => site?.stop());

// An upstream that states just this usage.
function states(team, usage) {
	return site.mock.plan(team.accounts[0].secret, {
		count: 0,
		body: JSON.stringify({
			id: 'msg_1', type: 'message', role: 'assistant', model,
			content: [{ type: 'text', text: 'Hello' }],
			stop_reason: 'end_turn', usage,
		}),
	});
}

function statesInStream(team, start, end) {
	const event = (type, data) =>
		`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
	const body = event('message_start', { message: { model, usage: start } }) +
		event('content_block_delta',
			{ delta: { type: 'text_delta', text: 'Hello' } }) +
		event('message_delta', { delta: {}, usage: end }) +
		event('message_stop', {});
	return site.mock.plan(team.accounts[0].secret, {
		count: 0,
		raw: 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n' +
			`content-length: ${body.length}\r\n\r\n${body}`,
	});
}

async function lastRow(team, count) {
	return (await site.ledger(team, { count })).at(-1);
}

// Settings that a running pool reads again.
async function set(name, value) {
	const text = await readFile(site.conf, 'utf8');
	await writeFile(site.conf, text.split('\n')
		.filter(line => !line.startsWith(`${name} `) &&
			!line.startsWith(`${name}=`)).join('\n') +
		`\n${name} = ${value}\n`);
	for (const pid of await site.responders())
		process.kill(pid, 'SIGHUP');
	await sleep(500);
}

describe('usage', () => {
	const plain = { input_tokens: 1000, output_tokens: 100 };
	const cases = [
		['in the plain way', plain, 6000000],
		['in fast mode', { ...plain, speed: 'fast' }, 12000000],
		['in the US', { ...plain, inference_geo: 'us' }, 6600000],
		['in fast mode, in the US, by priority', { ...plain,
			speed: 'fast', inference_geo: 'us',
			service_tier: 'priority' }, 13200000],
		['with searches', { ...plain,
			server_tool_use: { web_search_requests: 3 } }, 36000000],
		['with a cache', { ...plain, cache_read_input_tokens: 1000,
			cache_creation_input_tokens: 3000,
			cache_creation: { ephemeral_5m_input_tokens: 1000,
				ephemeral_1h_input_tokens: 2000 } },
		6000000 + 200000 + 5000000 + 16000000],
		['with compaction', { ...plain, iterations: [
			{ type: 'compaction', input_tokens: 500, output_tokens: 50 },
			{ type: 'message', ...plain }] }, 9000000],
		['in a way that is not known', { ...plain, speed: 'warp' }, null],
	];

	for (const [what, usage, nusd] of cases)
		test(`${what} has its price, streamed and not`, async () => {
			const team = await site.team(1);
			await states(team, usage);
			const body = message({ model, max_tokens: 5000 });
			assert.equal((await call(team, body)).status, 200);
			const row = await lastRow(team, 1);
			assert.equal(row.cost_nusd, nusd);
			assert.equal(row.mark, 1);
			assert.equal(row.flags, nusd === null ? 8 : 0);
			const streamed = await site.team(1);
			const { output_tokens, iterations, ...start } = usage;
			await statesInStream(streamed, { ...start, output_tokens: 1 },
				{ output_tokens, iterations });
			assert.equal((await call(streamed,
				{ ...body, stream: true })).status, 200);
			assert.equal((await lastRow(streamed, 1)).cost_nusd, nusd);
		});

	test('that cannot be true is marked and bounded', async () => {
		const team = await site.team(1);
		await states(team, { input_tokens: 10, output_tokens: 5000000 });
		assert.equal((await call(team, message({ model }))).status, 200);
		const row = await lastRow(team, 1);
		assert.equal(row.output_tokens, 1000);
		assert.equal(row.cost_nusd, 10 * 4000 + 1000 * 20000);
		assert.equal(row.flags, 2 | 4);
		const [shown] = await site.json('requests', '--key', team.name);
		assert.deepEqual(shown.flags, ['implausible', 'bounded']);
	});
});

test('a new price goes for new requests alone', async () => {
	const team = await site.team(1);
	await states(team, { input_tokens: 1000, output_tokens: 100 });
	await call(team, message({ model: 'claude-sonnet-5-5' }));
	const before = await lastRow(team, 1);
	assert.equal(before.cost_nusd, 3000000);
	await site.leasehold(['price', 'set', '--input', '20', '--output',
		'100', 'claude-sonnet-5-5*']);
	await sleep(500);
	await call(team, message({ model: 'claude-sonnet-5-5' }));
	const rows = await site.ledger(team, { count: 2 });
	assert.deepEqual(rows[0], before);
	assert.equal(rows[1].cost_nusd, 30000000);
});

describe('a key with a budget in money', () => {
	let team, free;

	before(async () => {
		team = await site.team(1, { keyOptions: ['--budget', '100'] });
		free = await site.team(1);
	});

	const search = more => ({ tools: [{ type: 'web_search_20260209',
		name: 'web_search', ...more }] });
	const refused = [
		['web search without max_uses', search(), 'web search'],
		['code execution', { tools: [{ type: 'code_execution_20250825',
			name: 'code_execution' }] }, 'code execution'],
		['the advisor tool', { tools: [{ type: 'advisor_20260301',
			name: 'advisor' }] }, 'advisor'],
		['a tool of a new kind', { tools: [{ type: 'oracle_20270101',
			name: 'oracle' }] }, 'oracle_20270101'],
		['fallbacks', { fallbacks: [{ model: 'claude-opus-5' }] },
			'fallbacks'],
		['a speed that is not known', { speed: 'warp' }, 'speed'],
		['a place that is not known', { inference_geo: 'moon' },
			'inference_geo'],
		['a tier that is not known', { service_tier: 'flex' },
			'service_tier'],
	];

	for (const [what, more, named] of refused)
		test(`is refused ${what}, others are not`, async () => {
			const answer = await call(team, message({ model, ...more }));
			assert.equal(answer.status, 403, answer.body);
			const { error } = JSON.parse(answer.body);
			assert.equal(error.type, 'permission_error');
			assert.match(error.message, new RegExp(named));
			assert.equal(answer.headers['x-should-retry'], 'false');
			assert.equal((await call(free,
				message({ model, ...more }))).status, 200);
		});

	test('may search, with a bound', async () => {
		const answer = await call(team,
			message({ model, ...search({ max_uses: 3 }) }));
		assert.equal(answer.status, 200, answer.body);
		const row = (await site.ledger(team)).at(-1);
		// The whole context at the dearest price of input, which is that
		// of an hour in the cache in the US; and three searches.
		assert.equal(row.reserved_nusd, 1000000 * 8800 + 1000 * 22000 +
			3 * 10000000);
	});

	test('reserves all of the context for input by URL', async () => {
		const answer = await call(team, { model, max_tokens: 1,
			inference_geo: 'global', messages: [{ role: 'user', content: [
				{ type: 'image', source: { type: 'url',
					url: 'https://example.org/a.png' } }] }] });
		assert.equal(answer.status, 200, answer.body);
		const row = (await site.ledger(team)).at(-1);
		assert.equal(row.reserved_nusd, 1000000 * 8000 + 20000);
	});
});

describe('a model without a price', () => {
	const unknown = message({ model: 'claude-opus-99' });
	let team, capped;

	before(async () => {
		team = await site.team(1);
		capped = await site.team(1, { keyOptions: ['--budget', '100'] });
		await states(team, { input_tokens: 1000, output_tokens: 100 });
	});

	async function assertRefused(who) {
		const answer = await call(who, unknown);
		assert.equal(answer.status, 403);
		assert.match(JSON.parse(answer.body).error.message,
			/claude-opus-99 has no price/);
	}

	test('may be called, and is marked', async () => {
		assert.equal((await call(team, unknown)).status, 200);
		const row = await lastRow(team, 1);
		assert.equal(row.cost_nusd, null);
		assert.equal(row.flags, 8);
		await assertRefused(capped);
	});

	test('is refused by that policy', async () => {
		await set('unpriced', 'refuse');
		await assertRefused(team);
		await assertRefused(capped);
	});

	test('has the default price by that policy, once there is one',
		async () => {
			await set('unpriced', 'default');
			await assertRefused(team);
			await site.leasehold(['price', 'set', '--input', '50',
				'--output', '100', '*']);
			await sleep(500);
			for (const who of [team, capped])
				assert.equal((await call(who, unknown)).status, 200);
			const row = await lastRow(team, 2);
			assert.equal(row.cost_nusd, 1000 * 50000 + 100 * 100000);
			assert.equal(row.flags, 16);
		});
});
