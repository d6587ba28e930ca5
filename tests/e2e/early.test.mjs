// Streams that are opened before there is an answer (early_ping_s).  What is
// installed has to be built with a shorter least time, as tests/run does.
// Store: any.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { call, events, message, stream, text } from './lib/http.mjs';
import { server } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

let site, short;

before(async () => {
	site = await Site.start({ processes: 2,
		set: { ping_interval_s: '300ms', queue_timeout_s: '4s' } });
	const said = await site.tryLeasehold(['config', 'check'],
		{ env: { LEASEHOLD_EARLY_PING_S: '700ms' } });
	short = said.status === 0;
	if (!short)
		return;
	await site.stop();
	site = await Site.start({ processes: 2, set: { early_ping_s: '700ms',
		ping_interval_s: '300ms', queue_timeout_s: '4s' } });
});
after(() => site?.stop());

// A team, whose first account's one slot is taken for so long; then it answers
// as planned.
async function busy(ms, n = 1, ...then) {
	const team = await site.team(n, { concurrency: 1 });
	const [{ secret }] = team.accounts;
	await site.mock.plan(secret, { head_delay_ms: ms, count: 1 }, ...then,
		{});
	const first = call(team);
	await site.mock.waitFor('the one that holds the slot', secret,
		() => true);
	return { team, first };
}

// When the head came, and the bytes as they came, since the call began.
function watched(team, more) {
	const from = Date.now(), seen = [];
	return stream(team, more, { onData: d =>
		seen.push({ ms: Date.now() - from, text: d.toString() }) })
		.then(answer => ({ ...answer, seen }));
}

test('less than 200 s is refused, as it is shipped', async t => {
	if (short)
		return t.skip('built for tests');
	const said = await site.tryLeasehold(['config', 'check'],
		{ env: { LEASEHOLD_EARLY_PING_S: '199' } });
	assert.notEqual(said.status, 0);
	assert.match(said.stderr, /early_ping_s.*0, or 200s to 1h/);
});

test('a stream that waits is opened, pinged, and then served', async t => {
	if (!short)
		return t.skip('not built for it');
	const { team, first } = await busy(2500);
	const answer = await watched(team);
	assert.equal(answer.status, 200);
	assert.match(answer.headers['content-type'], /^text\/event-stream/);
	const [head] = answer.seen;
	assert.ok(head.ms >= 650 && head.ms < 1600, `${head.ms} ms`);
	assert.match(head.text, /^event: ping\n/);
	const names = events(answer.body).map(e => e.event);
	const begun = names.indexOf('message_start');
	assert.ok(begun >= 3, `${names}`);
	assert.ok(names.slice(0, begun).every(n => n === 'ping'));
	assert.equal(names.at(-1), 'message_stop');
	assert.ok(text(answer).length > 0);
	assert.equal((await first).status, 200);
	const rows = await site.ledger(team, { count: 2 });
	assert.deepEqual(rows.map(r => [r.outcome, r.status]),
		[['ok', 200], ['ok', 200]]);
	assert.ok(rows[1].queue_ms >= 650);
});

test('plain calls wait for their status', async t => {
	if (!short)
		return t.skip('not built for it');
	const { team, first } = await busy(1800);
	const answer = await call(team, message());
	assert.equal(answer.status, 200);
	assert.equal(JSON.parse(answer.body).type, 'message');
	await first;
});

test('who waits in vain is told so by an event', async t => {
	if (!short)
		return t.skip('not built for it');
	const { team, first } = await busy(6000);
	const answer = await watched(team);
	assert.equal(answer.status, 200);
	const all = events(answer.body), last = all.at(-1);
	assert.ok(all.length > 4);
	assert.equal(last.event, 'error');
	assert.equal(last.data.error.type, 'rate_limit_error');
	assert.equal((await first).status, 200);
});

test('its pings do not end failover', async t => {
	if (!short)
		return t.skip('not built for it');
	const { team, first } = await busy(1500, 2, { status: 529, count: 1 });
	const other = team.accounts[1];
	await site.mock.plan(other.secret,
		{ head_delay_ms: 3000, count: 1 }, {});
	const second = call(team);
	await site.mock.waitFor('the other slot', other.secret, () => true);
	// Both are busy; that which is free first fails, and then it waits for
	// the other.
	const answer = await watched(team);
	assert.equal(answer.status, 200);
	assert.match(answer.seen[0].text, /^event: ping\n/);
	const names = events(answer.body).map(e => e.event);
	assert.equal(names.at(-1), 'message_stop', answer.body);
	assert.equal(names.filter(n => n === 'message_start').length, 1);
	await Promise.all([first, second]);
	const rows = await site.ledger(team, { count: 3 });
	assert.ok(rows.every(r => r.outcome === 'ok'));
	assert.equal(rows[2].attempts, 2);
});

test('a client that leaves it frees its place', async t => {
	if (!short)
		return t.skip('not built for it');
	const { team, first } = await busy(3500);
	const abort = new AbortController();
	const gone = stream(team, {}, { signal: abort.signal,
		onData: () => abort.abort() }).catch(e => e);
	await gone;
	const from = Date.now();
	while ((await site.sql('SELECT ledger_id FROM ticket')).length > 0)
		assert.ok(Date.now() - from < 1000 + 300 * server.pings,
			'it still has its place');
	assert.equal((await first).status, 200);
	const rows = await site.ledger(team, { count: 2 });
	assert.equal(rows[1].outcome, 'client_gone');
});
