// GET /metrics: what all responders counted, whichever answers, also after some
// were killed.
// Store: both; it reads leases, accounts and cooldowns.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, request, stream } from './lib/http.mjs';
import { Person } from './lib/people.mjs';
import { trustProxies } from './lib/server.mjs';
import { Site, source } from './lib/site.mjs';

let site, team, settings;

before(async () => {
	site = await Site.start({ processes: 3, set: { admin_processes: 2 } });
	team = await site.team(2);
	settings = await readFile(site.conf, 'utf8');
});
after(() => site?.stop());

function get(headers = {}, method = 'GET') {
	return request(`${site.url}/metrics`, { method, headers });
}

async function text() {
	const answer = await get();
	assert.equal(answer.status, 200, answer.body);
	return answer.body;
}

// Every sample by its name with labels.
function samples(body) {
	const all = new Map();
	for (const line of body.split('\n')) {
		if (line === '' || line.startsWith('#'))
			continue;
		const at = line.lastIndexOf(' ');
		assert.ok(!all.has(line.slice(0, at)), `twice: ${line}`);
		all.set(line.slice(0, at), Number(line.slice(at + 1)));
	}
	return all;
}

// The sum of a metric's samples, of those that have these labels.
function sum(all, name, labels = {}) {
	let total = 0;
	for (const [key, value] of all) {
		if (key !== name && !key.startsWith(`${name}{`))
			continue;
		if (Object.entries(labels).every(([label, word]) =>
			key.includes(`${label}="${word}"`)))
			total += value;
	}
	return total;
}

async function now(name, labels) {
	return sum(samples(await text()), name, labels);
}

const messages = { route: 'messages', status: 200, platform: 'claude' };

// A request is counted when it is settled, which its client need not wait for.
async function becomes(want, name, labels) {
	let is;
	for (let i = 0; i < 100; i++) {
		is = await now(name, labels);
		if (is >= want)
			break;
		await sleep(50);
	}
	assert.equal(is, want, `${name} ${JSON.stringify(labels)}`);
}

async function send(n, how = call) {
	const answers = await Promise.all(Array.from({ length: n }, () =>
		how(team)));
	for (const answer of answers)
		assert.equal(answer.status, 200, answer.body);
}

let sent = 0;

test('sums are exact, whichever process answers', async () => {
	await send(20);
	await send(20, stream);
	sent = 40;
	await becomes(sent, 'leasehold_requests_total', messages);
	const tokens = (await site.ledger(team)).reduce((t, row) => ({
		input: t.input + row.input_tokens + row.cache_read_tokens +
			row.cache_write_5m_tokens + row.cache_write_1h_tokens,
		output: t.output + row.output_tokens,
	}), { input: 0, output: 0 });
	for (let i = 0; i < 12; i++) {
		const all = samples(await text());
		assert.equal(sum(all, 'leasehold_requests_total', messages), sent);
		assert.equal(sum(all, 'leasehold_attempts_total',
			{ outcome: 'ok' }), sent);
		assert.equal(sum(all, 'gen_ai_server_request_duration_seconds_count',
			{ error_type: '' }), sent);
		assert.equal(sum(all,
			'gen_ai_server_time_to_first_token_seconds_count'), 20);
		assert.equal(sum(all, 'leasehold_queue_wait_seconds_count'), sent);
		assert.equal(sum(all, 'gen_ai_client_token_usage_sum',
			{ gen_ai_token_type: 'input' }), tokens.input);
		assert.equal(sum(all, 'gen_ai_client_token_usage_sum',
			{ gen_ai_token_type: 'output' }), tokens.output);
		assert.equal(sum(all, 'leasehold_processes', { kind: 'relay' }), 3);
		assert.equal(sum(all, 'leasehold_processes', { kind: 'admin' }), 2);
	}
});

test('what the pool is like now', async () => {
	await sleep(2500);		// what was read before is old
	const all = samples(await text());
	assert.equal(sum(all, 'leasehold_database_up'), 1);
	assert.equal(sum(all, 'leasehold_leases_held'), 0);
	assert.equal(sum(all, 'leasehold_lease_slots'), 20);
	assert.equal(sum(all, 'leasehold_accounts', { state: 'enabled' }), 2);
	assert.equal(sum(all, 'leasehold_queue_requests'), 0);
	assert.equal(sum(all, 'leasehold_spool_records'), 0);
	assert.equal(sum(all, 'leasehold_metrics_dropped_total'), 0);
	assert.ok(sum(all, 'leasehold_store_commit_seconds_count') > 0);
	assert.ok(sum(all, 'leasehold_store_batch_operations_sum') >= 80);
	assert.ok(sum(all, 'leasehold_process_open_connections') >= 0);
	for (const [key, value] of all) {
		if (key.startsWith('leasehold_process_resident_memory_bytes'))
			assert.ok(value > 1e6, `${key} ${value}`);
		if (key.startsWith('leasehold_process_start_time_seconds'))
			assert.ok(Math.abs(Date.now() / 1000 - value) < 600, key);
	}
});

test('failures, failovers, parks and refusals', async () => {
	const other = await site.team(2);
	const poor = await site.team(1, { keyOptions: ['--budget', '0.000001'] });
	await site.mock.plan(other.accounts[0].secret, { status: 529 });
	const before = samples(await text());
	assert.equal((await call(other)).status, 200);
	assert.equal((await call(poor)).status, 402);
	assert.equal((await request(`${site.url}/v1/none`)).status, 404);
	assert.equal((await request(`${site.url}/v1/messages`,
		{ body: {} })).status, 401);
	assert.equal((await request(`${site.url}/health`,
		{ method: 'GET' })).status, 200);
	await becomes(++sent, 'leasehold_requests_total', messages);
	await sleep(2500);
	const all = samples(await text());
	const more = (name, labels) => sum(all, name, labels) -
		sum(before, name, labels);
	for (const [name, labels] of [
		['leasehold_requests_total', { route: 'messages', status: 401,
			platform: 'none', model_family: 'none' }],
		['leasehold_requests_total', { route: 'messages', status: 402,
			platform: 'none', model_family: 'sonnet' }],
		['leasehold_requests_total', { route: 'other', status: 404 }],
		['leasehold_requests_total', { route: 'health', status: 200 }],
		['leasehold_attempts_total', { outcome: 'overloaded' }],
		['leasehold_attempts_total', { outcome: 'ok' }],
		['leasehold_failovers_total', { cause: 'overloaded' }],
		['leasehold_account_parks_total', { reason: 'overloaded' }],
		['leasehold_budget_refusals_total', { reason: 'used_up' }],
		['leasehold_refusals_total', { reason: 'budget' }],
		['leasehold_refusals_total', { reason: 'no_route' }],
		['leasehold_refusals_total', { reason: 'no_key' }],
		['leasehold_cooldowns', { reason: 'overloaded' }],
	])
		assert.equal(more(name, labels), 1,
			`${name} ${JSON.stringify(labels)}`);
	assert.equal(more('leasehold_requests_total', {}), 5);
});

// Every counter of one body is at least as large in the next.
function neverLess(a, b) {
	for (const [key, value] of a) {
		if (/_(total|bucket|sum|count)(\{|$)/.test(key))
			assert.ok((b.get(key) ?? 0) >= value,
				`${key}: ${value}, then ${b.get(key)}`);
	}
}

test('kill -9 of responders takes nothing away', async () => {
	let last = samples(await text());
	const free = sum(last, 'leasehold_metrics_slots_free');
	assert.ok(free > 0);
	for (let i = 0; i < 4; i++) {
		const pids = await site.responders();
		process.kill(pids[i % pids.length], 'SIGKILL');
		const next = samples(await text());
		neverLess(last, next);
		last = next;
		await sleep(300);
	}
	const admins = await site.responders('admin-pool');
	process.kill(admins[0], 'SIGKILL');
	await sleep(500);
	const next = samples(await text());
	neverLess(last, next);
	await becomes(sent, 'leasehold_requests_total', messages);
	await send(10);
	sent += 10;
	await becomes(sent, 'leasehold_requests_total', messages);
	// Who was killed keeps no slot.
	await becomes(free, 'leasehold_metrics_slots_free');
	assert.equal(await now('leasehold_processes', { kind: 'relay' }), 3);
	assert.equal(await now('leasehold_processes', { kind: 'admin' }), 2);
});

test('nor do a reload and a restart', async () => {
	const before = samples(await text());
	for (const pool of ['relay-pool', 'admin-pool'])
		process.kill(await site.pid(pool), 'SIGUSR2');
	await sleep(300);
	neverLess(before, samples(await text()));
	await site.quickstart('--restart');
	neverLess(before, samples(await text()));
	await send(5);
	sent += 5;
	await becomes(sent, 'leasehold_requests_total', messages);
});

test('promtool finds nothing amiss', async t => {
	if (spawnSync('promtool', ['--version']).error) {
		t.skip('promtool is not installed');
		return;
	}
	const { status, stdout, stderr } = spawnSync('promtool',
		['check', 'metrics'], { input: await text(), encoding: 'utf8' });
	assert.equal(status, 0, stdout + stderr);
	assert.equal(stdout + stderr, '');
});

test('each metric of dashboard and alerts is there', async () => {
	const known = new Set([...(await text()).matchAll(/^# TYPE (\S+)/gm)]
		.map(m => m[1]));
	const labels = /^gen_ai_(operation_name|provider_name|request_model|token_type)$/;
	for (const file of ['dashboard.json', 'alerts.yml']) {
		const names = (await readFile(join(source, 'conf/monitoring', file),
			'utf8')).match(/\b(leasehold|gen_ai)_[a-z_]*[a-z]\b/g);
		assert.ok(names.length > 10);
		for (const name of names.filter(n => !labels.test(n)))
			assert.ok(known.has(name) ||
				known.has(name.replace(/_(bucket|sum|count)$/, '')), name);
	}
});

test('HEAD and other methods', async () => {
	const head = await get({}, 'HEAD');
	assert.equal(head.status, 200);
	assert.match(head.headers['content-type'], /^text\/plain; version=0\.0\.4/);
	assert.equal(head.body, '');
	assert.equal((await get({}, 'POST')).status, 405);
});

test('from elsewhere not without a token', async () => {
	const operator = await Person.withToken(site, 'scraper');
	const bearer = operator.headers;

	// A proxy that nobody named stands before it.
	const hidden = { 'x-forwarded-for': '203.0.113.9' };
	assert.equal((await get(hidden)).status, 401);
	assert.equal((await get({ ...hidden,
		authorization: 'Bearer lh-adm-wrong' })).status, 401);
	assert.equal((await get({ ...hidden, ...bearer })).status, 200);

	// One that says it is this host is no better.
	assert.equal((await get({ 'x-forwarded-for': '127.0.0.1' })).status, 401);

	await trustProxies(site);
	await writeFile(site.conf, `${settings}metrics_from = 192.0.2.0/24\n` +
		'trusted_proxies = 127.0.0.1\n');
	process.kill(await site.pid('admin-pool'), 'SIGUSR2');
	for (let i = 0; i < 100 && (await get()).status === 200; i++)
		await sleep(50);
	assert.equal((await get()).status, 401);
	assert.equal((await get(hidden)).status, 401);
	assert.equal((await get({ 'x-forwarded-for': '192.0.2.7' })).status, 200);
	assert.equal((await get({ ...hidden, ...bearer })).status, 200);
});
