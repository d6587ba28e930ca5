// The official SDK, of both generations: 1.x sends its key as a bearer token,
// 0.x as x-api-key.
// Store: any.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Anthropic1 from '@anthropic-ai/sdk';
import Anthropic0 from '@anthropic-ai/sdk-0';
import { prompt, Site } from './lib/site.mjs';

const model = 'claude-sonnet-4-5';
const messages = [{ role: 'user', content: prompt }];
const tools = [{ name: 'shout', description: 'Shouts.', input_schema: {
	type: 'object', properties: { text: { type: 'string' } } } }];

let site;

before(async () => { site = await Site.start(); });
after(() => site?.stop());

for (const [name, Anthropic] of [['1.x', Anthropic1], ['0.x', Anthropic0]]) {
	describe(`SDK ${name}`, () => {
		let team, secret, client;

		before(async () => {
			team = await site.team(1);
			secret = team.accounts[0].secret;
			client = new Anthropic({ apiKey: team.key, baseURL: site.url });
		});

		test('create', async () => {
			const answer = await client.messages.create(
				{ model, max_tokens: 100, messages });
			assert.match(answer.content[0].text, /leased account\.$/);
			assert.equal(answer.usage.output_tokens, 20);
			assert.match(answer._request_id, /./);
		});

		test('create, streamed', async () => {
			const types = [];
			for await (const event of await client.messages.create(
				{ model, max_tokens: 100, messages, stream: true }))
				types.push(event.type);
			assert.equal(types[0], 'message_start');
			assert.equal(types.at(-1), 'message_stop');
		});

		test('the stream helper', async () => {
			const parts = [];
			const stream = client.messages.stream(
				{ model, max_tokens: 100, messages })
				.on('text', t => parts.push(t));
			const last = await stream.finalMessage();
			assert.equal(parts.length, 20);
			assert.equal(last.content[0].text, parts.join(''));
		});

		test('thinking and tool use, streamed and not', async () => {
			const own = await site.team(1);
			await site.mock.plan(own.accounts[0].secret,
				{ thinking: 3, chunks: 2, tool: 4 });
			const client = new Anthropic(
				{ apiKey: own.key, baseURL: site.url });
			const body = { model, max_tokens: 5000, messages, tools,
				thinking: { type: 'enabled', budget_tokens: 1024 } };
			const streamed = await client.messages.stream(body)
				.finalMessage();
			const plain = await client.messages.create(body);
			for (const answer of [streamed, plain]) {
				assert.equal(answer.stop_reason, 'tool_use');
				assert.deepEqual(answer.content.map(c => c.type),
					['thinking', 'text', 'tool_use']);
				assert.equal(answer.content[2].name, 'shout');
				assert.equal(typeof answer.content[2].input.text, 'string');
			}
			assert.deepEqual(streamed.content[2].input,
				plain.content[2].input);
			const next = await client.messages.create({ ...body, messages: [
				...messages, { role: 'assistant', content: plain.content },
				{ role: 'user', content: [{ type: 'tool_result',
					tool_use_id: plain.content[2].id, content: 'done' }] }] });
			assert.equal(next.type, 'message');
		});

		test('count_tokens, models', async () => {
			const count = await client.messages.countTokens(
				{ model, messages });
			assert.ok(count.input_tokens > 0);
			const ids = [];
			for await (const m of client.models.list({ limit: 20 }))
				ids.push(m.id);
			assert.ok(ids.includes('claude-opus-4-5'));
			const one = await client.models.retrieve('claude-opus-4-5');
			assert.equal(one.display_name, 'Claude Opus 4.5');
		});

		test('the request\'s own errors come through', async () => {
			for (const [status, type] of [[400, 'BadRequestError'],
				[404, 'NotFoundError'], [422, 'UnprocessableEntityError']]) {
				const own = await site.team(1);
				await site.mock.plan(own.accounts[0].secret, { status });
				const client = new Anthropic(
					{ apiKey: own.key, baseURL: site.url });
				await assert.rejects(client.messages.create(
					{ model, max_tokens: 9, messages }), error => {
					assert.equal(error.status, status);
					assert.equal(error.constructor.name, type);
					assert.match(error.requestID, /./);
					return true;
				});
			}
		});

		test('a wrong key is refused at once', async () => {
			const wrong = new Anthropic({ baseURL: site.url,
				apiKey: 'sk-lh-wrong' });
			const began = Date.now();
			await assert.rejects(wrong.messages.create(
				{ model, max_tokens: 9, messages }), error => {
				assert.equal(error.status, 401);
				assert.equal(error.constructor.name, 'AuthenticationError');
				return true;
			});
			assert.ok(Date.now() - began < 400, 'without retries');
		});

		test('an account that fails is not seen', async () => {
			for (const plan of [{ status: 401 }, { status: 529 },
				{ status: 429, headers: [['retry-after', '3600']] }]) {
				const own = await site.team(2);
				await site.mock.plan(own.accounts[0].secret, plan);
				const client = new Anthropic({ apiKey: own.key,
					baseURL: site.url, maxRetries: 0 });
				const answer = await client.messages.create(
					{ model, max_tokens: 100, messages });
				assert.equal(answer.type, 'message');
			}
		});

		test('a short shortage is healed by the SDK\'s own retry',
			async () => {
				const own = await site.team(1);
				await site.mock.plan(own.accounts[0].secret, { status: 429,
					headers: [['retry-after', '1']], count: 1 }, {});
				const client = new Anthropic(
					{ apiKey: own.key, baseURL: site.url });
				const answer = await client.messages.create(
					{ model, max_tokens: 100, messages });
				assert.equal(answer.type, 'message');
			});

		test('a broken stream throws', async () => {
			const own = await site.team(1);
			await site.mock.plan(own.accounts[0].secret,
				{ chunks: 9, end: 'fin', after: 3 });
			const client = new Anthropic(
				{ apiKey: own.key, baseURL: site.url });
			const seen = [];
			await assert.rejects(async () => {
				for await (const event of await client.messages.create(
					{ model, max_tokens: 100, messages, stream: true }))
					seen.push(event.type);
			}, error => error instanceof Anthropic.APIError);
			assert.equal(seen.filter(
				t => t === 'content_block_delta').length, 3);
		});

		test('abort closes the upstream', async () => {
			const own = await site.team(1);
			const { secret } = own.accounts[0];
			await site.mock.plan(secret,
				{ chunks: 500, chunk_delay_ms: 20 });
			const client = new Anthropic(
				{ apiKey: own.key, baseURL: site.url });
			const stream = client.messages.stream(
				{ model, max_tokens: 1000, messages });
			stream.on('text', () => stream.abort());
			await assert.rejects(stream.finalMessage());
			const request = await site.mock.waitFor('the close', secret,
				r => r.ended);
			assert.equal(request.ended, 'client_closed');
		});
	});
}
