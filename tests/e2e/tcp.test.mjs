// A pool on a TCP port, as the manual says to start it, in the place of the
// one on a Unix socket.
// Store: any.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { events, stream } from './lib/http.mjs';
import { health, until } from './lib/hosts.mjs';
import { Load, accounts } from './lib/load.mjs';
import { noKeepalive, server, toPort } from './lib/server.mjs';
import { freePort, libexec, run, Site } from './lib/site.mjs';

let site, team, port, pool;

function spawnFcgi() {
	return ['spawn-fcgi', ['-a', '127.0.0.1', '-p', String(port), '-n', '--',
		'/usr/bin/multiwatch', '-f', '2', '-r', '2000000000', '--',
		join(libexec, 'leasehold-relay.fcgi'), '--config', site.conf]];
}

// quickstart --stop finds it by its pid file, like its own.
async function startPool() {
	const log = openSync(join(site.dir, 'log/relay-pool.err'), 'a');
	pool = spawn(...spawnFcgi(), { detached: true,
		stdio: ['ignore', log, log] });
	await once(pool, 'spawn');
	await writeFile(join(site.dir, 'run/relay-pool.pid'), `${pool.pid}\n`);
	await until('the pool', async () => await health(site) === 200, 10000);
}

async function stopPool() {
	const gone = once(pool, 'exit');
	pool.kill('SIGTERM');
	await gone;
}

async function edit(path, from, to) {
	const text = await readFile(path, 'utf8');
	assert.match(text, from);
	await writeFile(path, text.replace(from, to));
}

before(async () => {
	site = await Site.start({ processes: 2, set: { drain_s: '4s' } });
	team = await site.team(1, { concurrency: 50 });
	await site.mock.plan(team.accounts[0].secret,
		{ chunks: 10, chunk_delay_ms: 20 });
	port = await freePort();
	await edit(site.conf, /^relay_socket = .*$/m,
		`relay_socket = 127.0.0.1:${port}`);
	const unix = await site.pid('relay-pool');
	await toPort(site, port);
	process.kill(unix, 'SIGTERM');
	await until('the end of the other pool',
		async () => (await site.responders()).length === 0, 10000);
	await startPool();
});
after(() => site?.stop());

async function responder(pid) {
	return (await site.responders()).includes(pid);
}

test('a stream comes event by event', async () => {
	const seen = [];
	const answer = await stream(team, {},
		{ onData: d => seen.push(d.length) });
	assert.equal(answer.status, 200);
	assert.equal(events(answer.body).at(-1).event, 'message_stop');
	assert.ok(seen.length >= 4, `${seen.length} pieces`);
});

test('doctor finds nothing wrong with it', async () => {
	const { stdout } = await site.tryLeasehold(
		['--json', 'doctor', '--silence', '0']);
	const findings = JSON.parse(stdout).checks;
	const socket = findings.find(f => f.name === 'relay_socket');
	assert.equal(socket.verdict, 'ok', JSON.stringify(socket));
	assert.match(socket.seen, new RegExp(`127\\.0\\.0\\.1:${port} takes`));
	assert.deepEqual(findings.filter(f => f.verdict === 'fail'), []);
});

test('a second pool cannot have the port', async () => {
	const { status, stderr } = await run(...spawnFcgi());
	assert.notEqual(status, 0);
	assert.match(stderr, /bind failed: Address already in use/);
});

// With a connection for each request, who goes on accepting is never done.
test('its responders are replaced one by one, without a failed request',
	{ timeout: 60000 }, async () => {
		await noKeepalive(site);
		await sleep(500);
		const before = await site.responders();
		const load = Load.start(team, { clients: 20 });
		await sleep(300);
		for (const pid of before) {
			process.kill(pid, 'SIGTERM');
			await until(`the end of ${pid}`,
				async () => !await responder(pid), 12000);
			await until('another', async () =>
				(await site.responders()).length === 2, 5000);
		}
		await sleep(500);
		await load.stop();
		assert.deepEqual(load.bad, []);
		assert.ok(load.good.length > 50, `${load.good.length} calls`);
		for (const { call, rows, served } of await accounts(load)) {
			const what = JSON.stringify({ call, rows, served });
			assert.equal(rows.length, 1, what);
			assert.equal(rows[0].outcome, 'ok', what);
			assert.equal(served.length, 1, what);
		}
	});

test('leasehold restart replaces them, too, and stops at one that cannot start',
	{ timeout: 60000 }, async () => {
		const before = await site.responders();
		await site.leasehold(['restart']);
		const now = await site.responders();
		assert.equal(now.length, 2);
		assert.ok(!now.some(pid => before.includes(pid)));
		const good = await readFile(site.conf, 'utf8');
		await writeFile(site.conf, good +
			`access_log = file:${site.dir}/none/access.log\n`);
		const { status, stderr } = await site.tryLeasehold(['restart']);
		await writeFile(site.conf, good);
		assert.equal(status, 1);
		assert.match(stderr, /cannot open log file .*access\.log/);
		assert.equal((await stream(team)).status, 200);
		const left = await site.responders();
		assert.equal(now.filter(pid => left.includes(pid)).length, 1);
		await site.leasehold(['restart']);
	});

test('drained, it finishes its streams, and leaves the port to the next',
	async () => {
		const long = stream(team, { model: 'mock-slow-20x100ms' });
		await site.mock.waitFor('the stream', team.accounts[0].secret,
			r => r.model === 'mock-slow-20x100ms' && r.deltas > 0);
		await stopPool();
		assert.equal(events((await long).body).at(-1).event,
			'message_stop');
		assert.equal(await health(site), server.down);
		await startPool();
		assert.equal((await stream(team)).status, 200);
	});
