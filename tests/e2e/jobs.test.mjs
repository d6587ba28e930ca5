// Jobs: run by the admin responder when they are due, by the command, never by
// two; health probes of accounts; backups that hold.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freeze, onMysql, write } from './lib/database.mjs';
import { found } from './lib/hosts.mjs';
import { call, message } from './lib/http.mjs';
import { counted, parks } from './lib/metrics.mjs';
import { header } from './lib/mock.mjs';
import { Proxy } from './lib/proxy.mjs';
import { Site, prefix, run } from './lib/site.mjs';
import { Tokens } from './lib/tokens.mjs';

let site, tokens;

before(async () => {
	tokens = await Tokens.start();
	site = await Site.start({ set: { queue_timeout_s: '1s',
		job_prune: '@every 1s', job_lease_s: '2s',
		cooldown_error_s: '600s', cooldown_rate_s: '600s' } });
	await site.mock.keepBodies();
});
after(async () => {
	await site?.stop();
	await tokens.stop();
});

async function job(name) {
	return (await site.json('job', 'list')).find(j => j.name === name);
}

async function probed(name) {
	return (await site.json('account', 'show', name)).probe;
}

// What the probe of one account found.
async function probe(name) {
	const r = await site.json('job', 'run', 'probe');
	assert.equal(r.result, 'ok', r.detail);
	return probed(name);
}

test('the admin responder runs what is due, and status says so', async () => {
	const first = await found('two runs', async () => {
		const j = await job('prune');
		return j?.runs >= 2 && j.result === 'ok' && j;
	});
	assert.match(first.detail, /0 requests/);
	assert.ok(first.duration_ms >= 0 && first.last_end_ms > 0);
	const shown = await site.leasehold(['status']);
	assert.match(shown, /^prune +@every 1s +(idle|running) .* ok /m);
	assert.match(shown, /^probe +off /m);
	const { jobs } = await site.json('status');
	assert.equal(jobs.length, 9);
	assert.equal(jobs.find(j => j.name === 'probe').next_ms, null);
});

test('SIGHUP brings new schedules', async () => {
	await site.quickstart('--prefix', prefix, '--set', 'job_reap=@every 1s');
	await found('a run', async () => (await job('reap')).runs > 0);
	await site.quickstart('--prefix', prefix, '--set', 'job_reap=off');
	await sleep(500);
});

// A command that holds the lease of the job probe: its upstream is slow.
async function hold(name) {
	const child = spawn(join(prefix, 'sbin/leasehold'),
		['--config', site.conf, 'job', 'run', 'probe'], { stdio: 'ignore' });
	await found(name, async () => (await job('probe')).state === 'running');
	return child;
}

describe('one runner at a time', () => {
	let team;

	before(async () => {
		team = await site.team(1);
		await site.mock.plan(team.accounts[0].secret, { head_delay_ms: 8000 });
	});
	after(() => site.leasehold(['account', 'disable',
		team.accounts[0].name]));

	test('another is told who has it', async () => {
		const child = await hold('the lease');
		const r = await site.tryLeasehold(['job', 'run', 'probe']);
		assert.equal(r.status, 4, r.stderr);
		assert.match(r.stderr, new RegExp(`process ${child.pid}`));
		const gone = once(child, 'exit');
		child.kill('SIGKILL');
		await gone;
	});

	test('what a killed one left is taken over, and run once', async () => {
		const { runs } = await job('probe');
		await found('the lapse', async () =>
			(await job('probe')).state === 'lost');
		await site.leasehold(['account', 'disable', team.accounts[0].name]);
		await site.quickstart('--prefix', prefix, '--set',
			'job_probe=0 0 1 1 *');
		await found('the next', async () =>
			(await job('probe')).result === 'ok');
		assert.equal((await job('probe')).runs, runs + 1);
		await site.quickstart('--prefix', prefix, '--set', 'job_probe=off');
	});
});

describe('health probes', () => {
	test('ask for the list of models, and leave no trace', async () => {
		const team = await site.team(1);
		const [{ name, secret }] = team.accounts;
		const before = await site.sql('SELECT count(*) AS n FROM ledger');
		const p = await probe(name);
		assert.equal(p.result, 'ok', p.message);
		assert.ok(p.good_ms > 0);
		const [asked, ...more] = await site.mock.requests(secret);
		assert.equal(more.length, 0);
		assert.match(asked.head, /^GET \/v1\/models\?limit=1 /);
		assert.equal(header(asked, 'x-api-key'), secret);
		assert.deepEqual(await site.sql(
			'SELECT count(*) AS n FROM ledger'), before);
	});

	test('ask for a count of tokens where there is no list', async () => {
		const team = await site.team(1);
		const [{ name, secret }] = team.accounts;
		const paths = async () => (await site.mock.requests(secret))
			.map(r => `${r.method} ${r.path}`);
		const list = 'GET /v1/models?limit=1';
		const count = 'POST /v1/messages/count_tokens';
		await site.mock.planFor({ credential: secret, path: '/v1/models*' },
			{ status: 404, count: 1 }, { status: 405 });
		// Nothing is known that could be asked for.
		let p = await probe(name);
		assert.deepEqual([p.result, p.status], ['ok', 404]);
		assert.deepEqual(await paths(), [list]);
		// What it served last, then an alias, then its own list.
		assert.equal((await call(team, message({
			model: 'claude-sonnet-4-5' }))).status, 200);
		await found('the roll-up', async () => (await site.sql(
			`SELECT count(*) AS n FROM usage_hour WHERE account_id =
				(SELECT id FROM account WHERE name = '${name}')`))[0].n > 0);
		const asked = async () => JSON.parse(
			(await site.mock.requests(secret)).at(-1).body);
		for (const [args, model] of [
			[null, 'claude-sonnet-4-5'],
			[['alias', 'add', '--group', team.name, 'a*', 'of-the-group'],
				'of-the-group'],
			[['alias', 'add', '--account', name, 'b*', 'its-own'], 'its-own'],
			[['account', 'set', name, '--models', 'claude-*,x,y'], 'x']]) {
			if (args)
				await site.leasehold(args);
			p = await probe(name);
			assert.deepEqual([p.result, p.status], ['ok', 200]);
			assert.ok(p.good_ms > 0);
			assert.deepEqual((await paths()).slice(-2), [list, count]);
			const body = await asked();
			assert.equal(body.model, model);
			assert.equal('max_tokens' in body, false);
		}
		// What that answers counts.
		await site.mock.planFor({ credential: secret,
			path: '/v1/messages/count_tokens' },
		{ status: 429, count: 1 }, { status: 401 });
		assert.equal((await probe(name)).result, 'limited');
		const [c] = (await probe(name), await site.cooldowns(team));
		assert.equal(c.reason, 'auth');
		const tested = await site.tryLeasehold(['account', 'test', name]);
		assert.match(tested.stdout, /count_tokens: status 401/);
		await site.leasehold(['account', 'disable', name]);
	});

	test('end a park for a failure, not one for a limit', async () => {
		const [broken, limited] = [await site.team(1), await site.team(1)];
		const { name, secret } = broken.accounts[0];
		await site.mock.plan(secret, { status: 500 }, {});
		await site.mock.plan(limited.accounts[0].secret, { status: 429 }, {});
		assert.notEqual((await call(broken)).status, 200);
		assert.notEqual((await call(limited)).status, 200);
		const until_ms = async t => (await site.cooldowns(t))[0].until_ms;
		assert.ok(await until_ms(broken) > Date.now() + 300000);
		assert.ok(await until_ms(limited) > Date.now() + 300000);
		assert.equal((await probe(name)).result, 'ok');
		assert.ok(await until_ms(limited) > Date.now() + 300000);
		assert.ok(await until_ms(broken) <= Date.now() + 1000);
		const shown = await site.json('account', 'show', name);
		assert.equal(shown.cooldowns[0].breaker ?? shown.breaker,
			'half-open');
		await sleep(500);
		assert.equal((await call(broken)).status, 200);
		await found('the breaker to close', async () =>
			(await site.cooldowns(broken)).length === 0);
	});

	test('a refused credential parks, where it was good before', async () => {
		const team = await site.team(2);
		const [fresh, known] = team.accounts;
		const before = await parks(site, 'auth');
		await site.mock.plan(fresh.secret, { status: 401 });
		assert.equal((await probe(fresh.name)).result, 'credential');
		assert.equal((await site.cooldowns(team)).length, 0);
		assert.equal(await parks(site, 'auth'), before);
		assert.equal((await probed(known.name)).result, 'ok');
		await site.mock.plan(known.secret, { status: 401 });
		const p = await probe(known.name);
		assert.deepEqual([p.result, p.status], ['credential', 401]);
		const [c, ...more] = await site.cooldowns(team);
		assert.equal(more.length, 0);
		assert.deepEqual([c.account, c.reason], [known.name, 'auth']);
		assert.equal(await parks(site, 'auth'), before + 1);
		assert.match(await site.leasehold(['status']),
			new RegExp(`^${known.name} .* credential +401 `, 'm'));
		for (const a of team.accounts)
			await site.leasehold(['account', 'disable', a.name]);
	});

	test('go through the account\'s proxy, and nowhere else', async () => {
		const proxy = await Proxy.start();
		const team = await site.team(1);
		const [{ name, secret }] = team.accounts;
		await site.leasehold(['account', 'set', name, '--proxy',
			proxy.url('socks5h')]);
		assert.equal((await probe(name)).result, 'ok');
		assert.equal(proxy.asked.length, 1);
		await proxy.stop();
		const p = await probe(name);
		assert.deepEqual([p.result, p.status], ['unreachable', 0]);
		assert.match(p.message, /proxy/);
		assert.equal((await site.mock.requests(secret)).length, 1);
		await site.leasehold(['account', 'disable', name]);
	});

	test('an OAuth account is asked with its token, and a refused one renewed',
		async () => {
			const name = 'signed-in';
			await site.leasehold(['account', 'add', '--name', name,
				'--platform', 'claude', '--base-url', site.mock.url,
				'--credential', 'oauth', '--token-url', tokens.url,
				'--authorize-url', 'https://sign.example/in',
				'--client-id', 'c', '--redirect-uri',
				'http://localhost:1/back']);
			await site.json('job', 'run', 'probe');
			assert.equal(await probed(name), null);
			const pair = tokens.pair(name);
			site.secrets.push(pair.refresh_token);
			await site.leasehold(['account', 'import', name, '-'],
				{ input: JSON.stringify({ ...pair, expires_at:
					Math.floor(Date.now() / 1000) + 3600 }) });
			assert.equal((await probe(name)).result, 'ok');
			const [asked] = await site.mock.requests(`at-${name}-1`);
			assert.equal(header(asked, 'authorization'),
				`Bearer at-${name}-1`);
			await site.mock.plan(`at-${name}-1`, { status: 401 });
			assert.equal((await probe(name)).result, 'credential');
			await found('new tokens', () => tokens.renewed === 1);
			await found('a good probe', async () =>
				(await probe(name)).result === 'ok');
			assert.equal(tokens.reused, 0);
		});
});

const renewals = 'leasehold_oauth_refreshes_total{result="renewed"}';

async function overdue(name) {
	await write(site, `UPDATE account_oauth SET renew_ms = 1
		WHERE account_id = (SELECT id FROM account WHERE name = '${name}')`);
	await write(site, 'UPDATE meta SET value = value + 1 ' +
		'WHERE name = \'config_version\'');
}

test('the job refresh renews what relay responders left', async () => {
	const name = 'left';
	await site.leasehold(['account', 'add', '--name', name,
		'--platform', 'claude', '--base-url', site.mock.url,
		'--credential', 'oauth', '--token-url', tokens.url,
		'--authorize-url', 'https://sign.example/in',
		'--client-id', 'c', '--redirect-uri', 'http://localhost:1/back']);
	const pids = await site.responders();
	try {
		await freeze(site, ...pids);
		// Overdue for more than a minute: got two hours ago.
		const pair = tokens.pair(name);
		site.secrets.push(pair.refresh_token);
		await site.leasehold(['account', 'import', name, '-'],
			{ input: JSON.stringify({ ...pair, expires_at:
				Math.floor(Date.now() / 1000) + 1 }) });
		const renewed = tokens.renewed;
		const before = await counted(site, renewals);
		const soon = await site.json('job', 'run', 'refresh');
		assert.match(soon.detail, /^0 tokens/);
		await overdue(name);
		const r = await site.json('job', 'run', 'refresh');
		assert.equal(r.result, 'ok', r.detail);
		assert.match(r.detail, /^1 tokens/);
		assert.equal(tokens.renewed, renewed + 1);
		assert.equal(await counted(site, renewals), before + 1);
		// Refused, it has the account rest.
		const parked = await parks(site, 'sign_in');
		tokens.families.get(name).void = true;
		await overdue(name);
		const refused = await site.tryLeasehold(['job', 'run', 'refresh']);
		assert.match(refused.stdout + refused.stderr, /invalid_grant/);
		assert.equal(await parks(site, 'sign_in'), parked + 1);
	} finally {
		for (const pid of pids)
			process.kill(pid, 'SIGCONT');
	}
	await sleep(500);
	assert.equal(tokens.reused, 0);
});

test('a backup under load verifies', async () => {
	const team = await site.team(1, { concurrency: 50 });
	let over = false;
	const load = Array.from({ length: 6 }, async () => {
		while (!over)
			await call(team);
	});
	await sleep(500);
	const r = await site.json('job', 'run', 'backup');
	await sleep(300);
	over = true;
	await Promise.all(load);
	assert.equal(r.result, 'ok', r.detail);
	const dir = join(site.dir, 'var/backup');
	const [name, ...more] = await readdir(dir);
	assert.equal(more.length, 0);
	const path = join(dir, name);
	assert.equal((await stat(path)).mode & 0o777, 0o600);
	const { stdout } = await run('sqlite3', ['-readonly', path,
		'PRAGMA integrity_check; SELECT count(*) > 0 FROM ledger;']);
	assert.equal(stdout, 'ok\n1\n');
	const verified = await site.leasehold(['--json', 'ledger', 'verify'],
		{ env: { LEASEHOLD_STORE: `sqlite:${path}` } });
	assert.equal(JSON.parse(verified).differences, 0);
	assert.ok(JSON.parse(verified).rows > 0);
});

test('on a server the job of files is skipped', { skip: !onMysql },
	async () => {
		assert.equal((await site.json('job', 'run', 'checkpoint')).result,
			'skipped');
	});

test('doctor sees what is overdue, and what failed', async () => {
	const check = async () => JSON.parse((await site.tryLeasehold(['--json',
		'doctor', '--host-only'])).stdout).checks
		.find(c => c.name === 'jobs');
	assert.equal((await check()).verdict, 'ok');
	const failing = { LEASEHOLD_JOB_BACKUP: '@daily',
		LEASEHOLD_BACKUP_DIR: '/proc/nowhere' };
	if (!onMysql) {
		const r = await site.tryLeasehold(['job', 'run', 'backup'],
			{ env: failing });
		assert.equal(r.status, 1);
		const c = JSON.parse((await site.tryLeasehold(['--json', 'doctor',
			'--host-only'], { env: failing })).stdout).checks
			.find(x => x.name === 'jobs');
		assert.equal(c.verdict, 'warn');
		assert.match(c.remedy, /backup failed: .*\/proc\/nowhere/);
	}
	await write(site, 'UPDATE job SET since_ms = since_ms - 86400000 ' +
		'WHERE name = \'rollup\'');
	const late = JSON.parse((await site.tryLeasehold(['--json', 'doctor',
		'--host-only'], { env: { LEASEHOLD_JOB_ROLLUP: '@hourly' } }))
		.stdout).checks.find(x => x.name === 'jobs');
	assert.equal(late.verdict, 'warn');
	assert.match(late.seen, /1 overdue/);
	assert.match(late.remedy, /leasehold job run/);
});
