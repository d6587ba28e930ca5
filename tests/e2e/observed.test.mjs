// What those who run a pool among other programs want of it: settings from the
// environment, traces, an access log.
// Store: any.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rename, rm, stat, symlink, truncate,
	writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onMysql } from './lib/database.mjs';
import { call, request, stream } from './lib/http.mjs';
import { header } from './lib/mock.mjs';
import { prompt, Site } from './lib/site.mjs';

let site, team, folder, accessLog;

// What the pool's processes have in their environment.
const environment = {
	LEASEHOLD_RECORD_ADDRESS: 'none',
	LEASEHOLD_ATTEMPTS_MAX: '2',
};

before(async () => {
	folder = await mkdtemp(join(tmpdir(), 'lh-'));
	accessLog = join(folder, 'access.log');
	environment.LEASEHOLD_ACCESS_LOG = `file:${accessLog}`;
	Object.assign(process.env, environment);
	site = await Site.start({ processes: 1 });
	for (const name of Object.keys(environment))
		delete process.env[name];
	await appendFile(site.conf, 'record_address = full\n');
	team = await site.team(3);
});
after(async () => {
	await site?.stop();
	await rm(folder, { recursive: true });
});

async function reload() {
	for (const pid of await site.responders())
		process.kill(pid, 'SIGHUP');
	await sleep(200);
}

describe('the environment', () => {
	test('wins over the file, also when that is read again', async () => {
		for (let n = 1; n <= 2; n++) {
			assert.equal((await call(team)).status, 200);
			const rows = await site.ledger(team, { count: n });
			assert.equal(rows.at(-1).address, '');
			await appendFile(site.conf, `# ${n}\n`);
			await reload();
		}
	});

	test('of settings that the file does not name, too', async () => {
		for (const { secret } of team.accounts)
			await site.mock.plan(secret, { status: 500 });
		const { status } = await call(team);
		assert.ok(status >= 500, status);
		const rows = await site.ledger(team, { count: 3 });
		assert.equal(rows.at(-1).attempts, 2);
	});

	test('is told by config show and by name', async () => {
		const shown = await site.leasehold(['config', 'show'],
			{ env: environment });
		assert.match(shown, new RegExp('# from environment variable ' +
			'LEASEHOLD_RECORD_ADDRESS\nrecord_address = none\n'));
		const bad = await site.tryLeasehold(['config', 'check'],
			{ env: { LEASEHOLD_ATTEMPTS_MAX: 'some' } });
		assert.notEqual(bad.status, 0);
		assert.match(bad.stderr, /LEASEHOLD_ATTEMPTS_MAX: .*1 to 16/);
	});
});

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const given = `00-${trace}-00f067aa0ba902b7-01`;

const log = () => readFile(join(site.dir, 'log/leasehold.log'), 'utf8');

async function setting(name, value) {
	const text = await readFile(site.conf, 'utf8');
	await writeFile(site.conf, text.replace(
		new RegExp(`^${name} *=.*\\n`, 'm'), '') + `${name} = ${value}\n`);
	await reload();
}

describe('a trace', () => {
	let own;
	before(async () => { own = await site.team(2); });

	const sent = async () => (await site.mock.requests(
		...own.accounts.map(a => a.secret))).map(r =>
		[header(r, 'traceparent'), header(r, 'tracestate')]);

	test('goes on upstream, attempt by attempt, and is in the log',
		async () => {
			await site.mock.plan(own.accounts[0].secret, { status: 529 });
			const { status, headers } = await call(own, undefined, {
				headers: { traceparent: given,
					tracestate: 'vendor=a, other=b' } });
			assert.equal(status, 200);
			const both = await sent();
			assert.equal(both.length, 2);
			for (const [parent, state] of both) {
				assert.match(parent,
					new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
				assert.notEqual(parent, given);
				assert.equal(state, 'vendor=a, other=b');
			}
			assert.notEqual(both[0][0], both[1][0]);
			const [row] = await site.ledger(own, { count: 1 });
			assert.equal(JSON.parse(row.trace)[0].trace_id, trace);
			await sleep(100);
			const lines = (await log()).split('\n').filter(l => l.includes(
				headers['x-leasehold-request-id']));
			for (const event of ['attempt_failed', 'request'])
				assert.ok(lines.some(l => l.includes(
					`relay ${event} trace=${trace}`)), lines.join('\n'));
			const shown = await site.leasehold(['requests', 'show',
				headers['x-leasehold-request-id']]);
			assert.match(shown, new RegExp(`^trace id +${trace}$`, 'm'));
		});

	test('that is none is dropped, with its state', async () => {
		const before = (await sent()).length;
		await call(own, undefined, { headers: {
			traceparent: given.toUpperCase(), tracestate: 'vendor=a' } });
		assert.deepEqual((await sent()).slice(before),
			[[undefined, undefined]]);
	});

	test('is begun, or left alone, if so set', async () => {
		const before = (await sent()).length;
		await setting('trace_context', 'make');
		await call(own);
		await setting('trace_context', 'off');
		await call(own, undefined, { headers: { traceparent: given } });
		await setting('trace_context', 'pass');
		const [[made], [none]] = (await sent()).slice(before);
		assert.match(made, /^00-[0-9a-f]{32}-[0-9a-f]{16}-02$/);
		assert.equal(none, undefined);
	});
});

describe('the access log', () => {
	let own;
	before(async () => { own = await site.team(1); });

	async function lines(path = accessLog) {
		await sleep(150);
		return (await readFile(path, 'utf8')).split('\n').slice(0, -1)
			.map(line => JSON.parse(line));
	}

	const of = (list, answer) => list.filter(l => l.request_id ===
		answer.headers['x-leasehold-request-id']);

	// As logrotate tells a pool under multiwatch.
	async function reopen() {
		for (const pool of ['relay-pool', 'admin-pool'])
			process.kill(await site.pid(pool), 'SIGUSR2');
		await sleep(200);
	}

	test('has one line for each request, of either responder', async () => {
		const answer = await stream(own, {}, { headers: {
			'user-agent': 'claude-cli/2.1.0 (external, cli)',
			traceparent: given } });
		await request(`${site.url}/v1/nothing/private?x=1`,
			{ method: 'GET', key: own.key });
		const admin = await request(`${site.url}/api/v1/status?x=private`,
			{ method: 'GET', headers: { traceparent: given } });
		const [row] = await site.ledger(own, { count: 1 });
		const all = await lines();
		const [line, ...more] = of(all, answer);
		assert.deepEqual(more, []);
		const { time, request_id, duration_ms, first_byte_ms, queue_ms,
			...rest } = line;
		assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60000);
		assert.ok(duration_ms >= first_byte_ms && first_byte_ms >= 0);
		assert.ok(request_id && queue_ms >= 0);
		assert.deepEqual(rest, {
			responder: 'relay', method: 'POST', route: '/v1/messages',
			status: 200, stream: true, bytes: answer.bytes.length,
			request_bytes: row.body_bytes, key: own.name,
			key_id: row.key_id, group: own.name,
			account: own.accounts[0].name, model: row.model,
			sent_as: row.model, input_tokens: row.input_tokens,
			output_tokens: row.output_tokens,
			cache_read_tokens: row.cache_read_tokens,
			cache_write_5m_tokens: row.cache_write_5m_tokens,
			cache_write_1h_tokens: row.cache_write_1h_tokens,
			cost_nusd: row.cost_nusd, outcome: 'ok', attempts: 1,
			agent: 'claude-code', trace_id: trace,
		});
		const lost = all.filter(l => l.status === 404).at(-1);
		assert.equal(lost.route, undefined);
		const asked = all.filter(l => l.responder === 'admin').at(-1);
		assert.equal(asked.status, admin.status);
		assert.equal(asked.route, '/api/v1/status');
		assert.equal(asked.bytes, admin.bytes.length);
		assert.equal(asked.trace_id, trace);
		const text = await readFile(accessLog, 'utf8');
		for (const secret of [...site.secrets, prompt, 'private'])
			assert.ok(!text.includes(secret));
	});

	test('is opened anew after a rename, no line is lost', async () => {
		const before = await call(own);
		await sleep(100);
		await rename(accessLog, `${accessLog}.1`);
		const between = await call(own);
		await sleep(100);
		await reopen();
		const after = await call(own);
		const old = await lines(`${accessLog}.1`);
		assert.equal(of(old, before).length, 1);
		assert.equal(of(old, between).length, 1);
		assert.equal(of(await lines(), after).length, 1);
	});

	test('on a full disk holds up nobody, and says what is gone',
		async () => {
			await rename(accessLog, `${accessLog}.1`);
			await symlink('/dev/full', accessLog);
			await reopen();
			for (let i = 0; i < 5; i++)
				assert.equal((await call(own)).status, 200);
			await sleep(100);
			await rm(accessLog);
			await reopen();
			await call(own);
			const all = await lines();
			assert.ok(all.some(l => l.event === 'lost' && l.lines >= 5),
				JSON.stringify(all));
		});

	test('that may not grow further holds up nobody either', async () => {
		const most = 64 << 20;
		const logs = [accessLog, join(site.dir, 'log/leasehold.log')];
		const pids = async () => [...await site.responders(),
			...await site.responders('admin-pool')];
		const limit = async bytes => {
			for (const pid of await pids())
				execFileSync('prlimit', ['--pid', pid, `--fsize=${bytes}:`]);
		};
		const before = await pids();
		for (const log of logs) {
			await rename(log, `${log}.1`);
			await writeFile(log, '');
			await truncate(log, most);
		}
		await limit(most);
		await reopen();
		for (let i = 0; i < 5; i++) {
			assert.equal((await call(own)).status, 200);
			const { status } = await request(
				`${site.url}/api/v1/status`, { method: 'GET' });
			assert.equal(status, 401);
		}
		await sleep(300);
		for (const log of logs) {
			assert.equal((await stat(log)).size, most);
			await rm(log);
		}
		await reopen();
		await call(own);
		const all = await lines();
		assert.ok(all.some(l => l.event === 'lost' && l.lines >= 5),
			JSON.stringify(all));
		await limit('unlimited');
		assert.deepEqual(await pids(), before);
	});

	// Threads that write logs take no signals; those that answer do.
	test('nor does a database file that may not', { skip: onMysql &&
		'a server has a disk of its own' }, async () => {
		const pids = [...await site.responders(),
			...await site.responders('admin-pool')];
		const limit = bytes => pids.forEach(pid => execFileSync('prlimit',
			['--pid', pid, `--fsize=${bytes}:`]));
		const login = async () => (await request(
			`${site.url}/api/v1/auth/login`,
			{ body: { name: 'nobody', password: 'not the password' } })).status;
		assert.equal(await login(), 401);
		limit(1);
		assert.equal(await login(), 503);
		assert.equal((await call(own)).status, 503);
		limit('unlimited');
		assert.equal(await login(), 401);
		assert.deepEqual([...await site.responders(),
			...await site.responders('admin-pool')], pids);
	});
});
