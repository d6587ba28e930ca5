// Every kind of failure, of a stream and of a plain call, at the first, the
// middle and the last account: what the client gets, what is written down, what
// is parked, and that nothing stays reserved.  Then breakers: who goes through.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { write } from './lib/database.mjs';
import { call, events, message, stream, text } from './lib/http.mjs';
import { like, named, park, tell, wake } from './lib/parks.mjs';
import { freePort, Site } from './lib/site.mjs';

const places = ['first', 'middle', 'last'];
const [none, exact, partial, estimated] = [0, 1, 2, 3];

const soon = s => new Date(Date.now() + s * 1000).toISOString();
const html = [['content-type', 'text/html']];

// How an account fails: by what it answers (.plan, see tests/mock/plan.h) or
// where it is said to be (.at).  .outcome and .mark are those of the attempt.
//	hard	parked until its time is over
//	soft	parked, but probed where nothing else is left
//	passed	not the account's fault: the client gets it as it is
//	kept	nobody is parked, and the call is not sent again
const kinds = {
	'401': { plan: { status: 401 }, outcome: 'auth', park: 'hard',
		pointless: true },
	'403': { plan: { status: 403 }, outcome: 'auth', park: 'hard',
		pointless: true },
	'402': { plan: { status: 402 }, outcome: 'credit', park: 'hard',
		pointless: true },
	'429 with retry-after': { plan: { status: 429,
		headers: [['retry-after', '33']] }, outcome: 'rate_limited',
	park: 'hard', status: 429, seconds: [30, 34] },
	'429 with retry-after of hours': { plan: { status: 429,
		headers: [['retry-after', '7200']] }, outcome: 'rate_limited',
	park: 'hard', status: 429, seconds: [3500, 3600], pointless: true },
	'429 with a limit used up': { plan: () => ({ status: 429, headers: [
		['anthropic-ratelimit-requests-remaining', '0'],
		['anthropic-ratelimit-requests-reset', soon(400)]] }),
	outcome: 'rate_limited', park: 'hard', status: 429,
	seconds: [200, 400], pointless: true },
	'429 for a family of models': { plan: () => ({ status: 429, headers: [
		['anthropic-ratelimit-unified-status', 'rejected'],
		['anthropic-ratelimit-unified-reset',
			String(Math.round(Date.now() / 1000) + 400)],
		['anthropic-ratelimit-unified-representative-claim',
			'seven_day_sonnet']] }), outcome: 'rate_limited',
	park: 'hard', status: 429, seconds: [200, 400], pointless: true,
	family: 'sonnet' },
	'429 without headers': { plan: { status: 429 },
		outcome: 'rate_limited', park: 'hard', status: 429,
		seconds: [35, 44] },
	'500': { plan: { status: 500 }, outcome: 'upstream_error',
		park: 'soft' },
	'502 in HTML': { plan: { status: 502, headers: html,
		body: '<html>Bad gateway</html>' }, outcome: 'upstream_error',
	park: 'soft' },
	'503': { plan: { status: 503 }, outcome: 'overloaded', park: 'soft' },
	'529': { plan: { status: 529 }, outcome: 'overloaded', park: 'soft' },
	'529 with retry-after': { plan: { status: 529,
		headers: [['retry-after', '7']] }, outcome: 'overloaded',
	park: 'soft', seconds: [5, 7] },
	'a connection refused': { at: 'closed', outcome: 'connect',
		park: 'soft' },
	'no TLS': { at: 'tls', outcome: 'tls', park: 'soft' },
	'a reset before the first byte': { plan: { end: 'reset', at: 'head' },
		outcome: 'send', park: 'soft', mark: estimated },
	'a reset after the head': { plan: { end: 'reset', at: 'first' },
		outcome: 'cut', park: 'soft', mark: estimated },
	'garbage': { plan: { raw: '\u0000\u00ff not HTTP\r\n\r\n' },
		outcome: 'garbage', park: 'soft', mark: estimated },
	'silence, of a stream': { plan: { end: 'silent', at: 'head' },
		outcome: 'silent', park: 'soft', mark: estimated,
		only: 'stream' },
	'silence, of a plain call': { plan: { end: 'silent', at: 'head' },
		outcome: 'silent', park: 'kept', mark: estimated,
		only: 'plain', status: 504 },
	'a break after the first byte, of a stream': {
		plan: { chunks: 9, after: 3, end: 'reset' }, park: 'kept',
		outcome: 'upstream_cut', mark: partial, only: 'stream',
		status: 200 },
	'a break after the first byte, of a plain call': {
		plan: { chunks: 9, after: 3, end: 'reset' }, park: 'soft',
		outcome: 'cut', mark: estimated, only: 'plain' },
	...Object.fromEntries([400, 404, 413, 422].map(status => [status, {
		plan: { status, body: `{"type":"error","error":{"type":"x",` +
			`"message":"own words"},"n":${status}}` },
		outcome: 'client_error', park: 'passed', status,
	}])),
};

let site, closed, garbler, lanes;

// One that is spoken to in TLS, and answers in what is none.
async function garble() {
	const server = net.createServer(socket => {
		socket.on('error', () => {});
		socket.once('data', () => socket.end('no TLS is spoken here'));
	}).listen(0, '127.0.0.1');
	await new Promise(done => server.once('listening', done));
	return server;
}

before(async () => {
	site = await Site.start({ set: { first_byte_timeout_s: '1s',
		idle_timeout_s: '1s', plain_timeout_s: '2s',
		queue_timeout_s: '1s', cooldown_rate_s: '40s',
		affinity_ttl_s: '0' } });
	closed = await freePort();
	garbler = await garble();
	lanes = {};
	await Promise.all(places.map(async place => {
		lanes[place] = await site.team(3, {
			keyOptions: ['--budget', '1000'] });
	}));
	await plan();
});
after(async () => {
	garbler?.close();
	await site?.stop();
});

const cases = Object.entries(kinds).flatMap(([name, kind], i) =>
	['stream', 'plain'].filter(how => (kind.only ?? how) === how).map(how =>
		({ name, ...kind, how, model: `claude-sonnet-4-5-${i}-${how}` })));

// Each case has a model of its own, by which the mock tells them apart.
async function plan() {
	for (const { plan, model } of cases.filter(c => c.plan))
		for (const place of places)
			await site.mock.planFor({ model, credential:
				failing(place).secret },
			typeof plan === 'function' ? plan() : plan);
}

const failing = place => lanes[place].accounts[places.indexOf(place)];
function prepare(place, at) {
	const team = lanes[place];
	const url = { closed: `http://127.0.0.1:${closed}`,
		tls: `https://127.0.0.1:${garbler.address().port}` }[at] ?? site.mock.url;
	return write(site, wake(team) +
		team.accounts.slice(0, places.indexOf(place)).map(account =>
			park(account, { reason: 'rate_limited', ms: 3600000 })).join('') +
		`UPDATE account SET base_url = '${url}' WHERE id =
			${named(failing(place))};${tell}`);
}

const send = (team, how, model) => (how === 'stream' ? stream : call)(team,
	how === 'stream' ? { model } : message({ model }));

// The ledger row of the one request with this model, its attempts by number,
// what is parked, and what is reserved, once it is closed.
async function books(team, model) {
	const until = Date.now() + 5000;
	let rows;
	do {
		await sleep(20);
		rows = await site.sql(`SELECT CAST(l.id AS TEXT) AS id, l.state,
			l.outcome, l.status, l.attempts, l.mark, l.cost_nusd, l.trace,
			t.n, t.outcome AS tried, t.mark AS tried_mark, a.name AS account,
			(SELECT sum(reserved) FROM budget_window w
			JOIN budget b ON b.id = w.budget_id WHERE b.scope = 'key'
			AND b.scope_id = l.key_id) AS reserved,
			(SELECT sum(spent) FROM budget_window w
			JOIN budget b ON b.id = w.budget_id WHERE b.scope = 'key'
			AND b.scope_id = l.key_id) AS spent,
			(SELECT sum(cost_nusd) FROM ledger WHERE key_id = l.key_id)
			AS cost, (SELECT count(*) FROM slot s WHERE s.account_id IN
			${like(team)} AND s.responder_id IS NOT NULL) AS held
			FROM ledger l JOIN attempt t ON t.ledger_id = l.id
			JOIN account a ON a.id = t.account_id
			JOIN api_key k ON k.id = l.key_id
			WHERE k.name = '${team.name}' AND l.model = '${model}'
			ORDER BY l.id, t.n`);
	} while ((rows.length === 0 || rows[0].state === 0) &&
		Date.now() < until);
	assert.ok(rows.length > 0, `no row of ${model}`);
	assert.ok(rows.every(r => r.id === rows[0].id && r.state === 1));
	const cooldowns = await site.sql(`SELECT a.name AS account, c.*
		FROM cooldown c JOIN account a ON a.id = c.account_id
		WHERE a.id IN ${like(team)}`);
	return { row: rows[0], attempts: rows, cooldowns };
}

// Which accounts are asked in turn.
function route(c, place) {
	const at = places.indexOf(place);
	const moves = c.park === 'hard' || c.park === 'soft';
	return lanes[place].accounts.slice(at, moves ? at + 2 : at + 1);
}

function checkAnswer(c, place, answer) {
	const served = place !== 'last' && (c.park === 'hard' ||
		c.park === 'soft');
	if (served || c.status === 200) {
		assert.equal(answer.status, 200, answer.body);
		assert.equal(answer.ended, 'end');
		if (c.how === 'stream')
			assert.equal(events(answer.body).at(-1).event, served ?
				'message_stop' : 'error');
		if (c.how === 'stream' && !served)
			assert.equal(text(answer), 'Hello from the');
		return;
	}
	assert.equal(answer.status, c.status ?? 503, answer.body);
	if (c.park === 'passed') {
		assert.equal(answer.body, c.plan.body);
		return;
	}
	const { type, error } = JSON.parse(answer.body);
	assert.equal(type, 'error');
	assert.doesNotMatch(error.type, /authentication|permission|overloaded/);
	assert.ok(answer.headers['request-id']);
	if (c.park === 'kept')
		return;
	assert.match(error.message, /parked.* until \d{4}-\d\d-\d\dT[\d:]{8}Z \(/);
	const seconds = Number(answer.headers['retry-after']);
	// Ten seconds of a clock that may be a moment ahead of the relay's loop.
	const [least, most] = c.seconds ?? (c.park === 'soft' ? [1, 11] :
		[1, 3600]);
	assert.ok(seconds >= least && seconds <= most, `${seconds} s`);
	assert.equal(answer.headers['x-should-retry'], c.pointless ? 'false' :
		undefined);
}

function checkBooks(c, place, answer, { row, attempts, cooldowns }) {
	const asked = route(c, place);
	const served = asked.length === 2;
	assert.equal(row.status, answer.status);
	assert.equal(row.outcome, served ? 'ok' : c.outcome);
	assert.equal(row.mark, served ? exact : c.mark ?? none);

	// Where a kept connection broke, a new one is tried once.
	const tries = attempts.filter((t, i) => c.outcome !== 'send' ||
		t.account !== attempts[i + 1]?.account);
	assert.equal(row.attempts, attempts.length);
	assert.deepEqual(tries.map(t => t.account), asked.map(a => a.name));
	assert.equal(tries[0].tried, c.outcome);
	assert.equal(tries[0].tried_mark, c.mark ?? none);
	if (served)
		assert.equal(tries[1].tried_mark, exact);

	// Nothing stays reserved, and what was spent is what rows cost.
	assert.equal(row.reserved, 0);
	assert.equal(row.spent, row.cost);
	assert.equal(row.held, 0);

	const own = cooldowns.filter(p => p.account === failing(place).name);
	assert.equal(cooldowns.length - own.length, places.indexOf(place));
	assert.equal(own.length, c.park === 'hard' || c.park === 'soft' ? 1 : 0);
	if (own.length === 0)
		return;
	assert.equal(own[0].reason, c.outcome);
	assert.equal(own[0].soft, c.park === 'soft' ? 1 : 0);
	assert.equal(own[0].family, c.family ?? '');
	assert.ok(own[0].until_ms > Date.now() - 1000);
}

// Its upstream is well again: a last account that is parked softly is probed
// before its time, by one that is parked hard nobody goes.
async function checkAgain(c, team) {
	await prepareAgain(c);
	const model = `${c.model}-again`;
	const answer = await send(team, c.how, model);
	if (c.park === 'hard') {
		// The others' limits are what time heals.
		assert.equal(answer.status, 429);
		assert.match(JSON.parse(answer.body).error.message,
			/^3 accounts in group \S+ are parked, the first until/);
		return;
	}
	assert.equal(answer.status, 200, answer.body);
	const { row, cooldowns } = await books(team, model);
	const [picked] = JSON.parse(row.trace);
	assert.equal(picked.probe, c.park === 'soft' ? c.outcome : undefined);
	assert.equal(cooldowns.length, 2);
}

const prepareAgain = c => c.at === undefined ? undefined :
	write(site, `UPDATE account SET base_url = '${site.mock.url}'
		WHERE id = ${named(failing('last'))};${tell}`);

describe('every failure', { concurrency: true }, () => {
	for (const place of places)
		describe(`of the ${place} account`, { concurrency: 1 }, () => {
			for (const c of cases)
				test(`${c.name}, ${c.how}`, async () => {
					const team = lanes[place];
					await prepare(place, c.at);
					const answer = await send(team, c.how, c.model);
					checkAnswer(c, place, answer);
					checkBooks(c, place, answer, await books(team, c.model));
					if (place === 'last')
						await checkAgain(c, team);
				});
		});
});
