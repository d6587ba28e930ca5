// Batches and files live in the account that made them: who finds them, where
// requests about them go, and what they count for.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic, { toFile } from '@anthropic-ai/sdk';
import Anthropic0, { toFile as toFile0 } from '@anthropic-ai/sdk-0';
import { Locker, write } from './lib/database.mjs';
import { needs, server } from './lib/server.mjs';
import { prompt, Site } from './lib/site.mjs';

const model = 'claude-haiku-4-5';
const betas = ['files-api-2025-04-14'];
// AddressSanitizer keeps what was freed, up to this.
process.env.ASAN_OPTIONS = [process.env.ASAN_OPTIONS, 'quarantine_size_mb=1',
	'thread_local_quarantine_size_kb=64'].filter(Boolean).join(':');

let site;

before(async () => { site = await Site.start(); });
after(() => site?.stop());

const clientOf = (key, options) => new Anthropic(
	{ apiKey: key, baseURL: site.url, maxRetries: 0, ...options });

const item = (custom_id, more = {}) => ({ custom_id, params: { model,
	max_tokens: 50, messages: [{ role: 'user', content: prompt }],
	...more } });

// Who was asked since then, by account.
async function asked(team, path) {
	const found = [];
	for (const a of team.accounts)
		for (const r of await site.mock.requests(a.secret))
			if (r.path.startsWith(path))
				found.push(`${a.name} ${r.method} ${r.path}`);
	return found;
}

const withFile = (...ids) => ({ model, max_tokens: 50, messages: [{
	role: 'user', content: ids.map(file_id =>
		({ type: 'document', source: { type: 'file', file_id } })) }] });

async function refused(promise, status, type, message) {
	const error = await promise.then(
		() => assert.fail('it was not refused'), e => e);
	assert.equal(error.status, status, error.message);
	assert.equal(error.error?.error?.type, type);
	if (message)
		assert.match(error.error.error.message, message);
	return error;
}

// A key of the same accounts.
async function neighbour(team) {
	const name = `${team.name}-neighbour`;
	const key = await site.makeKey(name, '--group', team.name);
	return { ...team, name, key };
}

async function upload(client, text = 'text', name = 'a.txt') {
	return client.files.upload(
		{ file: await toFile(Buffer.from(text), name,
			{ type: 'text/plain' }) });
}

describe('batches, with the SDK', () => {
	test('made, asked for, listed, read, deleted', async () => {
		const team = await site.team(3);
		const client = clientOf(team.key);
		const batch = await client.messages.batches.create(
			{ requests: [item('one'), item('two'), item('bad')] });
		assert.match(batch.id, /^msgbatch_mock_/);
		assert.equal(batch.processing_status, 'in_progress');
		assert.equal(batch.results_url, null);
		assert.equal((await client.messages.batches.retrieve(batch.id)).id,
			batch.id);
		assert.equal((await client.messages.batches.list()).data[0]
			.processing_status, 'in_progress');
		await site.mock.endBatches();
		const [listed] = (await client.messages.batches.list()).data;
		assert.equal(listed.processing_status, 'ended');
		assert.equal(listed.results_url,
			`${site.url}/v1/messages/batches/${batch.id}/results`);
		const ended = await client.messages.batches.retrieve(batch.id);
		assert.deepEqual(ended.request_counts, { processing: 0,
			succeeded: 2, errored: 1, canceled: 0, expired: 0 });
		const results = [];
		for await (const r of await client.messages.batches.results(batch.id))
			results.push(`${r.custom_id} ${r.result.type}`);
		assert.deepEqual(results, ['one succeeded', 'two succeeded',
			'bad errored']);
		const gone = await client.messages.batches.delete(batch.id);
		assert.equal(gone.type, 'message_batch_deleted');
		await refused(client.messages.batches.retrieve(batch.id), 404,
			'not_found_error');
		assert.deepEqual((await client.messages.batches.list()).data, []);

		// All of it in one account, though others are there.
		const where = (await asked(team, '/v1/messages/batches'))
			.map(s => s.split(' ')[0]);
		assert.equal(new Set(where).size, 1);

		// The first reading has the usage, at half the price (0.5 and 2.5
		// dollars a million for what is 1 and 5 otherwise).
		const rows = await site.ledger(team);
		const made = rows.filter(r => r.kind === 'batch_create');
		assert.equal(made.length, 1);
		assert.equal(made[0].model, model);
		assert.equal(made[0].flags, 32);
		assert.equal(made[0].cost_nusd, 0);
		const read = rows.filter(r => r.kind === 'batch_results');
		assert.equal(read.length, 1);
		assert.equal(read[0].input_tokens, 30);
		assert.equal(read[0].output_tokens, 40);
		assert.equal(read[0].cost_nusd, 30 * 500 + 40 * 2500);
		assert.equal(read[0].flags, 32);
		assert.equal(read[0].mark, 1);
		assert.equal(rows.filter(r => r.attempts !== 1).length, 0);
	});

	test('results read twice, and by two at once, count once', async () => {
		const team = await site.team(1);
		const client = clientOf(team.key);
		const { id } = await client.messages.batches.create(
			{ requests: [item('one')] });
		await site.mock.endBatches();
		const read = async () => {
			for await (const r of await client.messages.batches.results(id))
				assert.equal(r.result.message.usage.output_tokens, 20);
		};
		await Promise.all([read(), read(), read()]);
		await read();
		const rows = (await site.ledger(team))
			.filter(r => r.kind === 'batch_results');
		assert.equal(rows.length, 4);
		assert.deepEqual(rows.map(r => r.output_tokens).sort(), [0, 0, 0, 20]);
		const [o] = await site.json('object', 'show', id);
		assert.equal(o.usage_request,
			(await site.json('requests', 'list', '--key', team.name))
				.find(r => r.output_tokens === 20).id);
		await site.leasehold(['ledger', 'verify']);
	});

	test('cancelled', async () => {
		const team = await site.team(2);
		const client = clientOf(team.key);
		const { id } = await client.messages.batches.create(
			{ requests: [item('one')] });
		assert.equal((await client.messages.batches.cancel(id))
			.processing_status, 'canceling');
		await site.mock.endBatches();
		for await (const r of await client.messages.batches.results(id))
			assert.equal(r.result.type, 'canceled');
	});

	test('pages, both ways', async () => {
		const team = await site.team(2);
		const client = clientOf(team.key);
		const made = [];
		for (let i = 0; i < 5; i++)
			made.unshift((await client.messages.batches.create(
				{ requests: [item('one')] })).id);
		const seen = [];
		for await (const b of client.messages.batches.list({ limit: 2 }))
			seen.push(b.id);
		assert.deepEqual(seen, made);
		const page = await client.messages.batches.list(
			{ limit: 2, before_id: made[4] });
		assert.deepEqual(page.data.map(b => b.id), [made[2], made[3]]);
		assert.equal(page.has_more, true);
		await refused(client.messages.batches.list({ limit: 0 }), 400,
			'invalid_request_error', /limit/);
	});
});

for (const [name, make] of [
	['1.x', key => {
		const c = clientOf(key);
		return { files: c.files, file: toFile };
	}],
	['0.x', key => ({ file: toFile0, files: new Anthropic0({ apiKey: key,
		baseURL: site.url, maxRetries: 0 }).beta.files })],
])
	test(`files, with SDK ${name}`, async () => {
		const team = await site.team(2);
		const { files, file } = make(team.key);
		const made = [];
		for (const text of ['first', 'second', 'third'])
			made.unshift(await files.upload({ file: await file(
				Buffer.from(text), `${text}.txt`, { type: 'text/plain' }) }));
		assert.equal(made[0].filename, 'third.txt');
		assert.equal(made[0].size_bytes, 5);
		const get = files.retrieveMetadata ?? files.retrieve;
		assert.deepEqual((await get.call(files, made[1].id)).filename,
			'second.txt');
		const seen = [];
		for await (const f of files.list({ limit: 2 }))
			seen.push(f.id);
		assert.deepEqual(seen, made.map(f => f.id));
		const content = await files.download(made[2].id);
		assert.equal(await content.text(), 'first');
		assert.equal((await files.delete(made[2].id)).id, made[2].id);
		await refused(get.call(files, made[2].id), 404, 'not_found_error');
		const [r] = (await site.mock.requests())
			.filter(r => r.path.startsWith('/v1/files') &&
				r.method === 'POST').slice(-1);
		assert.match(r.head, /content-type: multipart\/form-data; boundary=/i);

		// All in one account, so that they can be used together.
		assert.equal(new Set((await site.json('object', 'list', '--key',
			team.name)).map(o => o.account)).size, 1);
		const rows = await site.ledger(team);
		assert.equal(rows.filter(r => r.cost_nusd !== 0).length, 0);
		assert.equal(rows.filter(r => r.kind === 'file_upload').length, 3);
	});

test('the beta header passes through', async () => {
	const team = await site.team(1);
	await clientOf(team.key).files.upload(
		{ file: await toFile(Buffer.from('x'), 'x') },
		{ headers: { 'anthropic-beta': betas[0] } });
	const [r] = await site.mock.requests(team.accounts[0].secret);
	assert.match(r.head, /^anthropic-beta: files-api-2025-04-14$/mi);
});

test('a key finds nothing of its neighbour', async () => {
	const team = await site.team(1), other = await neighbour(team);
	const mine = clientOf(team.key), theirs = clientOf(other.key);
	const file = await upload(mine);
	const batch = await mine.messages.batches.create(
		{ requests: [item('one')] });
	await site.mock.endBatches();
	const before = (await site.mock.requests()).length;
	const tries = {
		file: id => theirs.files.retrieveMetadata(id),
		content: id => theirs.files.download(id),
		deleteFile: id => theirs.files.delete(id),
		call: id => theirs.messages.create(withFile(id)),
		count: id => theirs.messages.countTokens(
			{ ...withFile(id), max_tokens: undefined }),
		batch: id => theirs.messages.batches.retrieve(id),
		results: id => theirs.get(`/v1/messages/batches/${id}/results`),
		cancel: id => theirs.messages.batches.cancel(id),
		deleteBatch: id => theirs.messages.batches.delete(id),
		inBatch: id => theirs.messages.batches.create(
			{ requests: [item('one', withFile(id))] }),
	};
	for (const [name, attempt] of Object.entries(tries)) {
		const id = /atch$|results|cancel/.test(name) && name !== 'inBatch' ?
			batch.id : file.id;
		const nobodys = id.replace(/.$/, 'z');
		const [a, b] = await Promise.all([id, nobodys].map(i =>
			refused(attempt(i), 404, 'not_found_error')));
		assert.equal(a.error.error.message.replace(id, ''),
			b.error.error.message.replace(nobodys, ''), name);
		for (const h of ['content-type', 'x-should-retry'])
			assert.equal(a.headers.get(h), b.headers.get(h));
	}
	assert.deepEqual((await theirs.files.list()).data, []);
	assert.deepEqual((await theirs.messages.batches.list()).data, []);
	assert.deepEqual((await theirs.messages.batches.list(
		{ after_id: batch.id })).data, []);

	// Nothing of it went upstream, and nothing was changed.
	assert.equal((await site.mock.requests()).length, before);
	assert.equal((await mine.files.list()).data.length, 1);
	assert.equal((await mine.messages.batches.retrieve(batch.id))
		.processing_status, 'ended');
});

describe('files in calls', () => {
	test('lead to the account that holds them', async () => {
		const team = await site.team(3);
		const client = clientOf(team.key);
		const file = await upload(client);
		const [held] = await site.json('object', 'show', file.id);
		for (let i = 0; i < 6; i++)
			await client.messages.create(withFile(file.id));
		const stream = await client.messages.stream(withFile(file.id))
			.finalMessage();
		assert.equal(stream.type, 'message');
		await client.messages.batches.create(
			{ requests: [item('one', withFile(file.id))] });
		const where = (await asked(team, '/v1/messages'))
			.map(s => s.split(' ')[0]);
		assert.equal(where.length, 8);
		assert.deepEqual([...new Set(where)], [held.account]);
	});

	test('of two accounts are refused', async () => {
		const team = await site.team(2, { priority: 10 });
		const client = clientOf(team.key);
		const one = await upload(client);
		const { account } = (await site.json('object', 'show', one.id))[0];
		await site.leasehold(['account', 'disable', account]);
		await sleep(400);
		const two = await upload(client);
		await site.leasehold(['account', 'enable', account]);
		await sleep(400);
		await refused(client.messages.create(withFile(one.id, two.id)), 400,
			'invalid_request_error', /different upstream accounts/);
		await client.messages.create(withFile(one.id));
		await client.messages.create(withFile(two.id));
	});

	test('what a tool of the upstream made may be said again', async () => {
		const team = await site.team(1);
		await clientOf(team.key).messages.create({ model, max_tokens: 9,
			messages: [{ role: 'user', content: 'x' }, { role: 'assistant',
				content: [{ type: 'bash_code_execution_tool_result',
					tool_use_id: 't', content: {
						type: 'bash_code_execution_result', content: [{
							type: 'bash_code_execution_output',
							file_id: 'file_of_a_tool' }] } }] },
			{ role: 'user', content: 'y' }] }).catch(e =>
			// The mock knows no such file; the relay let it pass.
			assert.match(e.error.error.message, /model: not found/));
		assert.equal((await asked(team, '/v1/messages')).length, 1);
	});
});

// A team with a file, and the account that holds it.
async function withUpload() {
	const team = await site.team(3);
	const client = clientOf(team.key);
	const file = await upload(client);
	const [{ account }] = await site.json('object', 'show', file.id);
	const { secret } = team.accounts.find(a => a.name === account);
	return { team, client, file, account, secret };
}

describe('the account cannot serve', () => {
	test('a follow-up that fails goes nowhere else', async () => {
		const { team, client, file, account, secret } = await withUpload();
		await site.mock.plan(secret, { status: 500 }, { status: 529 },
			{ status: 429 }, {});
		for (const answer of [503, 503, 429]) {
			const error = await client.files.retrieveMetadata(file.id)
				.then(() => assert.fail(), e => e);
			assert.equal(error.status, answer);
			await site.leasehold(['account', 'wake', account]);
			await sleep(400);
		}
		assert.equal((await client.files.retrieveMetadata(file.id)).id,
			file.id);
		const where = (await asked(team, '/v1/files/'))
			.map(s => s.split(' ')[0]);
		assert.deepEqual([...new Set(where)], [account]);
	});

	test('parked: an error that says so, and when it ends', async () => {
		const { client, file, account, secret } = await withUpload();
		await site.mock.plan(secret, { status: 429,
			headers: [['retry-after', '90']] }, {});
		await client.messages.create(withFile(file.id)).catch(() => {});
		await sleep(400);
		const error = await refused(client.files.retrieveMetadata(file.id),
			429, 'rate_limit_error', /parked/);
		const seconds = Number(error.headers.get('retry-after'));
		assert.ok(seconds > 80 && seconds <= 90, `${seconds} s`);
		assert.equal(error.headers.get('x-should-retry'), 'false');
		await refused(client.messages.create(withFile(file.id)), 429,
			'rate_limit_error', /parked/);
		await site.leasehold(['account', 'wake', account]);
		await sleep(400);
		assert.equal((await client.files.retrieveMetadata(file.id)).id,
			file.id);
	});

	test('disabled: likewise; it cannot be removed', async () => {
		const { client, file, account } = await withUpload();
		await site.leasehold(['account', 'disable', account]);
		await sleep(400);
		await refused(client.files.retrieveMetadata(file.id), 503,
			'api_error', /switched off here, and no other knows it/);
		const { data } = await client.files.list();
		assert.deepEqual(data.map(f => f.id), [file.id]);
		const r = await site.tryLeasehold(['account', 'remove', account]);
		assert.equal(r.status, 4);
		assert.match(r.stderr, /holds 1 batches and files/);
		await site.leasehold(['object', 'forget', '--account', account]);
		await site.leasehold(['account', 'remove', account]);
		await sleep(400);
		await refused(client.files.retrieveMetadata(file.id), 404,
			'not_found_error');
	});

	test('busy: it is asked all the same', async () => {
		const own = await site.team(1, { concurrency: 1 });
		const c = clientOf(own.key);
		const f = await upload(c);
		await site.mock.plan(own.accounts[0].secret,
			{ head_delay_ms: 1500 }, {});
		const slow = c.messages.create({ model, max_tokens: 5,
			messages: [{ role: 'user', content: 'x' }] });
		await site.mock.waitFor('the slow one', own.accounts[0].secret,
			r => r.path === '/v1/messages');
		const t0 = Date.now();
		await c.files.retrieveMetadata(f.id);
		assert.ok(Date.now() - t0 < 1000);
		await slow;
	});
});

describe('keys with rules', () => {
	test('money or tokens: no batches', async () => {
		for (const limit of [['--money', '5'], ['--tokens', '5000']]) {
			const team = await site.team(1);
			await site.leasehold(['budget', 'add', '--key', team.name,
				...limit]);
			await sleep(400);
			const client = clientOf(team.key);
			await refused(client.messages.batches.create(
				{ requests: [item('one')] }), 403, 'permission_error',
			/batch may cost cannot be told beforehand/);
			assert.match((await upload(client)).id, /^file_/);
			assert.deepEqual(await asked(team, '/v1/messages'), []);
		}
	});

	test('requests: a batch counts for all that is in it', async () => {
		const team = await site.team(1);
		await site.leasehold(['budget', 'add', '--key', team.name,
			'--requests', '5']);
		await sleep(400);
		const client = clientOf(team.key);
		await client.messages.batches.create(
			{ requests: [item('1'), item('2'), item('3')] });
		await upload(client);
		// Until it is settled it might be given back: 429.
		await site.ledger(team, { count: 2 });
		await refused(client.messages.batches.create(
			{ requests: [item('1'), item('2')] }), 402, 'billing_error');
		await upload(client);
		await site.ledger(team);
		await refused(upload(client), 402, 'billing_error');
	});

	test('requests: what is about a batch or file counts for one', async () => {
		const team = await site.team(1, { keyOptions: ['--rate', '7/1h'] });
		await sleep(400);
		const client = clientOf(team.key);
		const { id } = await client.messages.batches.create(
			{ requests: [item('1'), item('2')] });
		const file = await upload(client);
		await client.messages.batches.retrieve(id);
		await client.messages.batches.cancel(id);
		for await (const f of client.files.list())
			assert.equal(f.id, file.id);
		await client.files.retrieveMetadata(file.id);
		await client.files.delete(file.id);
		for (const again of [() => client.messages.batches.retrieve(id),
			() => upload(client)]) {
			const error = await refused(again(), 429, 'rate_limit_error',
				/-rate/);
			assert.ok(Number(error.headers.get('retry-after')) > 0);
		}
		const counted = async () => (await site.sql(`SELECT
			sum(w.spent) AS spent, sum(w.reserved) AS reserved
			FROM budget_window w JOIN budget b ON b.id = w.budget_id
			WHERE b.name = '${team.name}-rate'`)).map(
			w => [Number(w.spent), Number(w.reserved)])[0];
		for (let i = 0; i < 50 && (await counted())[1] > 0; i++)
			await sleep(100);
		assert.deepEqual(await counted(), [7, 0]);
	});

	test('models: each of a batch', async () => {
		const team = await site.team(1,
			{ keyOptions: ['--models', 'claude-haiku-*'] });
		const client = clientOf(team.key);
		await client.messages.batches.create({ requests: [item('1')] });
		await refused(client.messages.batches.create({ requests: [item('1'),
			item('2', { model: 'claude-opus-4-5' })] }), 403,
		'permission_error', /may not use model claude-opus-4-5/);
		await refused(client.messages.batches.create({ requests: [
			item('1', { fallbacks: [{ model: 'claude-opus-4-5' }] })] }),
		403, 'permission_error', /may not use model claude-opus-4-5/);
		await refused(client.messages.batches.create({ requests: [
			item('1', { fallbacks: [{ effort: 'low' }] })] }),
		403, 'permission_error', /fallbacks may lead to others/);
		await client.messages.batches.create({ requests: [
			item('1', { fallbacks: [{ model: 'claude-haiku-9' }] })] });
		await refused(client.messages.batches.create(
			{ requests: [{ custom_id: 'x', params: {} }] }), 400,
		'invalid_request_error', /requests.0.params.model/);
	});
});

describe('rows', () => {
	test('go when the upstream has the object no more', async () => {
		const team = await site.team(1);
		const client = clientOf(team.key);
		const [kept, lost, back] = [await upload(client),
			await upload(client), await upload(client)];
		const [{ secret }] = team.accounts;
		const batch = await client.messages.batches.create(
			{ requests: [item('1')] });
		// Deleted by other means; one only seemed to be.
		await new Anthropic({ apiKey: secret, baseURL: site.mock.url,
			maxRetries: 0 }).files.delete(lost.id);
		await write(site, `UPDATE object SET gone_ms = 1
			WHERE upstream_id = '${back.id}'`);
		await client.files.retrieveMetadata(back.id);
		await refused(client.files.retrieveMetadata(lost.id), 404,
			'not_found_error');
		const ids = async () => (await client.files.list()).data
			.map(f => f.id);
		const until = async (what, fits) => {
			for (let i = 0; i < 100 && !await fits(); i++)
				await sleep(100);
			assert.ok(await fits(), what);
		};
		await until('the lists know', async () => {
			const now = await ids();
			return now.includes(back.id) && !now.includes(lost.id);
		});
		assert.deepEqual((await ids()).sort(), [kept.id, back.id].sort());
		const [row] = await site.json('object', 'show', lost.id);
		assert.ok(row.gone_ms > Date.now() - 60000);
		// A day later the row goes, and that of a batch by its age.
		const rows = async () => (await site.json('object', 'list', '--key',
			team.name)).map(o => o.id);
		await site.leasehold(['job', 'run', 'prune']);
		assert.ok((await rows()).includes(lost.id));
		const day = 24 * 3600 * 1000;
		await write(site, `UPDATE object SET gone_ms = gone_ms - ${day}
			WHERE upstream_id = '${lost.id}'`);
		await write(site, `UPDATE object SET created_ms = created_ms - ${29 * day}
			WHERE upstream_id IN ('${batch.id}', '${kept.id}')`);
		assert.match(await site.leasehold(['job', 'run', 'prune']),
			/ 2 batches and files, /);
		assert.deepEqual((await rows()).sort(), [kept.id, back.id].sort());
		await refused(client.messages.batches.retrieve(batch.id), 404,
			'not_found_error', /Message batch not found/);
		assert.equal((await client.files.retrieveMetadata(kept.id)).id,
			kept.id);
	});
});

describe('what goes wrong', () => {
	test('a batch that may have been made is not made again', async () => {
		const team = await site.team(3);
		for (const a of team.accounts)
			await site.mock.plan(a.secret, { end: 'fin', at: 'head' }, {});
		const error = await refused(clientOf(team.key, { maxRetries: 2 })
			.messages.batches.create({ requests: [item('one')] }), 502,
		'api_error', /may have done what was asked for/);
		assert.equal(error.headers.get('x-should-retry'), 'false');
		assert.equal((await asked(team, '/v1/messages')).length, 1);
	});

	test('the database does not take the row: 5xx, and it is kept',
		async () => {
			const team = await site.team(1);
			const client = clientOf(team.key, { maxRetries: 2 });
			await site.mock.plan(team.accounts[0].secret,
				{ head_delay_ms: 1000 }, {});
			const call = client.messages.batches.create(
				{ requests: [item('one')] }).then(() => assert.fail(), e => e);
			await site.mock.waitFor('the batch', team.accounts[0].secret,
				r => r.path === '/v1/messages/batches');
			const lock = await Locker.take(site);
			const error = await call;
			await lock.release();
			assert.equal(error.status, 503);
			assert.equal(error.headers.get('x-should-retry'), 'false');
			assert.equal((await asked(team, '/v1/messages')).length, 1);
			for (let i = 0; ; i++) {
				const rows = await site.json('object', 'list', '--key',
					team.name);
				if (rows.length === 1) {
					assert.equal(rows[0].unheard, true);
					break;
				}
				assert.ok(i < 100, 'the row did not come');
				await sleep(100);
			}
			const [row] = await site.ledger(team);
			assert.equal(row.outcome, 'unheard');
			assert.equal((await client.messages.batches.list()).data.length,
				1);
			const logs = (await site.logs()).map(([, t]) => t).join('');
			assert.match(logs, /object_unheard .*kind=batch/);
		});

	test('a relay that is killed before the row is there', async () => {
		const own = await Site.start({ processes: 1 });
		try {
			const team = await own.team(1);
			const client = new Anthropic({ apiKey: team.key,
				baseURL: own.url, maxRetries: 0 });
			await own.mock.plan(team.accounts[0].secret,
				{ first_delay_ms: 3000 }, {});
			const call = client.messages.batches.create(
				{ requests: [item('one')] }).then(() => 'made', e => e.status);
			await own.mock.waitFor('the batch', team.accounts[0].secret,
				r => r.path === '/v1/messages/batches');
			for (const pid of await own.responders())
				process.kill(pid, 'SIGKILL');
			assert.equal(await call, server.down);
			assert.equal((await own.mock.objects()).length, 1);
			const [row] = await own.ledger(team, { count: 1, ms: 20000 });
			assert.equal(row.kind, 'batch_create');
			assert.equal(row.outcome, 'lost');
			assert.deepEqual(await own.json('object', 'list'), []);
			const lost = await own.json('object', 'lost');
			assert.equal(lost.length, 1);
			assert.equal(lost[0].account, team.accounts[0].name);
			assert.equal(lost[0].key, team.name);
		} finally {
			await own.stop();
		}
	});

	test('the client leaves in its upload', async () => {
		const team = await site.team(1);
		await new Promise((done, failed) => {
			const req = httpRequest(`${site.url}/v1/files`, { method: 'POST',
				headers: { 'x-api-key': team.key, 'content-type':
					'multipart/form-data; boundary=b',
				'content-length': 5_000_000 } });
			req.on('error', () => done());
			req.on('response', () => failed(new Error('answered')));
			req.write(Buffer.alloc(1_000_000));
			setTimeout(() => req.destroy(), 200);
		});
		await sleep(300);
		assert.deepEqual(await asked(team, '/v1/files'), []);
		assert.match((await upload(clientOf(team.key))).id, /^file_/);
	});

	test('the client leaves before it is told what was made',
		{ skip: needs('tells') }, async () => {
		const team = await site.team(1);
		await site.mock.plan(team.accounts[0].secret,
			{ head_delay_ms: 700 }, {});
		const stop = new AbortController();
		const call = clientOf(team.key).messages.batches.create(
			{ requests: [item('one')] }, { signal: stop.signal })
			.catch(() => {});
		await site.mock.waitFor('the batch', team.accounts[0].secret,
			r => r.path === '/v1/messages/batches');
		stop.abort();
		await call;
		const [row] = await site.ledger(team, { count: 1 });
		assert.equal(row.disconnect, 'drained');
		const [o] = await site.json('object', 'list', '--key', team.name);
		assert.equal(o.unheard, true);
	});

	test('the client leaves in the results: they count', async () => {
		const team = await site.team(1);
		const client = clientOf(team.key);
		const { id } = await client.messages.batches.create({ requests: [
			item('big-4000000'), item('big-4000000'), item('last')] });
		await site.mock.endBatches();
		await new Promise((done, failed) => {
			const req = httpRequest(
				`${site.url}/v1/messages/batches/${id}/results`,
				{ headers: { 'x-api-key': team.key } });
			req.on('response', res => res.once('data', () => {
				req.destroy();
				done();
			}));
			req.on('error', () => done());
			req.end();
			setTimeout(() => failed(new Error('no answer')), 10000).unref();
		});
		const rows = await site.ledger(team, { count: 2, ms: 20000 });
		assert.equal(rows[1].disconnect, 'drained');
		assert.equal(rows[1].output_tokens, 60);
		assert.equal(rows[1].mark, 1);
	});
});

// Peak memory of the responders, in MB.
async function peak() {
	let most = 0;
	for (const pid of await site.responders()) {
		const status = await readFile(`/proc/${pid}/status`, 'utf8');
		most = Math.max(most, Number(status.match(/VmHWM:\s+(\d+)/)[1]));
	}
	return most / 1024;
}

test('20 MB go up, and come down; beyond the bound is 413', async () => {
	const team = await site.team(2);
	const client = clientOf(team.key);
	const bytes = Buffer.alloc(20 << 20, 'abcdefg');
	const file = await client.files.upload(
		{ file: await toFile(bytes, 'large.bin') });
	assert.equal(file.size_bytes, bytes.length);
	const back = Buffer.from(await (await client.files.download(file.id))
		.arrayBuffer());
	assert.ok(bytes.equals(back));
	const r = await fetch(`${site.url}/v1/files`, { method: 'POST',
		headers: { 'x-api-key': team.key }, body: Buffer.alloc(65 << 20) });
	assert.equal(r.status, 413);
	assert.match((await r.json()).error.message, /upload_max_bytes/);
});

test('large results stream through bounded memory', async () => {
	const team = await site.team(1);
	const client = clientOf(team.key);
	const { id } = await client.messages.batches.create({ requests:
		Array.from({ length: 40 }, () => item('big-1500000')) });
	await site.mock.endBatches();
	const before = await peak();
	const r = await fetch(`${site.url}/v1/messages/batches/${id}/results`,
		{ headers: { 'x-api-key': team.key } });
	let n = 0;
	for await (const chunk of r.body) {
		n += chunk.length;
		if (n % 7 === 0)
			await sleep(1);
	}
	assert.ok(n > 60e6);
	const after = await peak();
	assert.ok(after - before < 30, `${before} MB before, ${after} after`);
	const rows = await site.ledger(team, { count: 2 });
	assert.equal(rows[1].output_tokens, 800);
});
