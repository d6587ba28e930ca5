// A client leaves in the middle of its answer: what becomes of the upstream is
// the key's or the installation's choice, and the row says which it was.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { call, message, stream } from './lib/http.mjs';
import { needs } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

const chunks = 30;
let site;

before(async () => {
	site = await Site.start({ processes: 1 });
});
after(() => site?.stop());

// The row of a call whose client left once some of its answer was there, and
// what the mock then sent.
async function leave(team, send = stream) {
	const { secret } = team.accounts[0];
	const away = new AbortController();
	await site.mock.plan(secret, { chunks, chunk_delay_ms: 20, head_delay_ms: 400 });
	const n = (await site.ledger(team)).length;
	const answer = send(team, away.signal).catch(() => {});
	const begun = await site.mock.waitFor('an answer', secret,
		r => r.phase !== 'ended' && (r.deltas > 3 || !r.stream));
	away.abort();
	await answer;
	const rows = await site.ledger(team, { count: n + 1 });
	const served = (await site.mock.requests(secret))
		.find(r => r.id === begun.id);
	return { row: rows.at(-1), served };
}

function streams(team, signal) {
	return stream(team, {}, { signal });
}

test('cut, unless somebody has it otherwise', async () => {
	const team = await site.team(1);
	const { row, served } = await leave(team, streams);
	assert.equal(row.disconnect, 'cut');
	assert.equal(row.outcome, 'client_gone');
	assert.equal(row.mark, 2);
	assert.ok(served.deltas < chunks, `${served.deltas}`);
});

test('drained, for a key that has it so: usage is exact', async () => {
	const team = await site.team(1, { keyOptions: ['--drain-s', '10'] });
	const { row, served } = await leave(team, streams);
	assert.equal(row.disconnect, 'drained');
	assert.equal(row.outcome, 'client_gone');
	assert.equal(row.mark, 1);
	assert.equal(served.deltas, chunks);
	assert.equal(row.output_tokens, served.usage.output);
	assert.equal(row.input_tokens, served.usage.input);
});

test('a plain call likewise', { skip: needs('tells') }, async () => {
	const team = await site.team(1, { keyOptions: ['--drain-s', '10'] });
	const { row, served } = await leave(team, (t, signal) =>
		call(t, message(), { signal }));
	assert.equal(row.disconnect, 'drained');
	assert.equal(row.mark, 1);
	assert.equal(row.output_tokens, served.usage.output);
});

test('a key\'s own choice can be changed, and taken back', async () => {
	const team = await site.team(1, { keyOptions: ['--drain-s', '1'] });
	await site.leasehold(['key', 'set', team.name, '--drain-s', '0']);
	assert.equal((await site.json('key', 'show', team.name)).drain_ms, 0);
	assert.equal((await leave(team, streams)).row.disconnect, 'cut');
	await site.leasehold(['key', 'set', team.name, '--drain-s', 'default']);
	assert.equal((await site.json('key', 'show', team.name)).drain_ms, null);
});
