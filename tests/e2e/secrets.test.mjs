// No secret and no prompt where it does not belong: logs, command lines,
// environments, the database, answers.
// Store: any.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { files, onMysql } from './lib/database.mjs';
import { call, message, request, stream } from './lib/http.mjs';
import { prefix, prompt, Site } from './lib/site.mjs';

const reply = 'reply-that-nobody-may-keep';
const guess = 'sk-lh-guessed-by-somebody-0123456789abcdefghi';

let site, team, token, master;
const answers = [];

before(async () => {
	site = await Site.start({ processes: 1, set: { log_level: 'debug',
		queue_timeout_s: '1s' } });
	team = await site.team(2);
	token = (await site.leasehold(
		['token', 'create', '--name', 't'])).trim();
	site.secrets.push(token);
	master = (await readFile(join(site.dir, 'etc/master.key'), 'utf8'))
		.match(/[0-9a-f]{64}/)[0];
	site.secrets.push(master);
	await traffic();
});
after(() => site?.stop());

// Calls of many kinds, good and bad, with upstreams that repeat what they were
// sent.
async function traffic() {
	const [a, b] = team.accounts;
	const echo = { error: { type: 'x', message:
		`invalid x-api-key ${a.secret}: ${prompt}` } };
	await site.mock.plan(a.secret,
		{ body: JSON.stringify({ content: [{ type: 'text', text: reply }] }),
			headers: [['content-type', 'application/json']] },
		{ chunks: 3 },
		{ status: 401, body: JSON.stringify({ type: 'error', ...echo }),
			headers: [['content-type', 'application/json']] });
	await site.mock.plan(b.secret, {}, { end: 'garbage', at: 'head' },
		{ raw: `HTTP/1.1 200 OK\r\nx-bad ${b.secret}\r\n\r\n${prompt}` });
	for (let i = 0; i < 5; i++)
		answers.push(await call(team), await stream(team));
	const ask = (path, options) => request(site.url + path,
		{ body: message(), ...options }).then(x => answers.push(x));
	await ask('/v1/messages', { key: guess });
	await ask(`/v1/messages?key=${guess}`);
	await ask(`/v1/messages?key=${team.key}`);
	await ask('/v1/messages', { headers: { 'x-goog-api-key': team.key } });
	await ask('/v1/messages',
		{ headers: { authorization: `Bearer ${team.key}` }, body: '{"' +
			prompt });
	await ask('/v1/messages', { key: team.key, body:
		`{"model":"${prompt}","stream":"${prompt}"}` });
	await ask(`/${guess}/v1/messages`, { method: 'GET' });
	await ask('/api/v1/status', { method: 'GET',
		headers: { authorization: `Bearer ${token}` } });
	await ask('/api/v1/status', { method: 'GET',
		headers: { authorization: `Bearer ${guess}` } });
	await site.leasehold(['account', 'test', a.name]).catch(() => {});
	await site.ledger(team);
}

// What must be nowhere but where it was given.
function assertClean(where, bytes, allowed = []) {
	const text = bytes.toString('latin1');
	for (const secret of [...site.secrets, guess, prompt, reply]) {
		if (allowed.includes(secret))
			continue;
		const at = text.indexOf(secret);
		assert.equal(at, -1, `${where} holds ${secret}: ` +
			text.slice(Math.max(0, at - 200), at + 20));
	}
}

test('not in a log, at the level that says most', async () => {
	// A path is logged as it came, and one holds the guess.
	for (const [name, text] of await site.logs())
		assertClean(name, Buffer.from(
			text.replaceAll(`/${guess}/v1/messages`, '')));
});

test('not in the database', { skip: onMysql && 'not to be read' }, async () => {
	for (const f of files) {
		if (existsSync(site.db + f))
			assertClean(`the database${f}`, await readFile(site.db + f));
	}
});

test('not on a command line or in an environment', async () => {
	await site.leasehold(['account', 'list']);
	const child = spawn(join(prefix, 'sbin/leasehold'), ['--config',
		site.conf, 'account', 'set', team.accounts[0].name, '--secret'],
	{ stdio: ['pipe', 'ignore', 'inherit'] });
	const secret = 'sk-new-secret-of-this-test';
	site.secrets.push(secret);
	child.stdin.write(secret);
	await sleep(100);
	const seen = [];
	for (const pid of (await readdir('/proc')).filter(n => /^\d+$/.test(n))) {
		for (const file of ['cmdline', 'environ']) {
			const text = await readFile(`/proc/${pid}/${file}`, 'latin1')
				.catch(() => '');
			if (text.includes(site.dir))
				seen.push(pid);
			// The tests themselves run with what they were given.
			if (Number(pid) !== process.pid)
				assertClean(`/proc/${pid}/${file}`, text);
		}
	}
	assert.ok(seen.includes(String(child.pid)));
	assert.ok(seen.length >= 5, 'the pool and nginx were seen');
	child.stdin.end('\n');
	const [code] = await once(child, 'exit');
	assert.equal(code, 0);
});

test('not in an answer, but what an upstream says to a client', () => {
	for (const answer of answers)
		assertClean('an answer', Buffer.from(JSON.stringify(
			answer.headers) + answer.body),
		[reply]);
});

test('not in what the command prints', async () => {
	for (const args of [['account', 'list'],
		['account', 'show', team.accounts[0].name], ['key', 'list'],
		['key', 'show', team.name], ['token', 'list'], ['requests'],
		['status'], ['config', 'show']]) {
		assertClean(args.join(' '), Buffer.from(
			await site.leasehold(args)));
		assertClean(args.join(' '), Buffer.from(
			await site.leasehold(['--json', ...args])));
	}
});

test('files that hold secrets are for their owner alone', async () => {
	for (const name of ['etc/master.key', 'etc/first.key'])
		assert.equal((await stat(join(site.dir, name))).mode & 0o077, 0,
			name);
	assert.equal((await stat(site.dir)).mode & 0o077, 0);
	if (!onMysql)
		assert.equal((await stat(site.db)).mode & 0o007, 0);
});
