// Notifications: signed webhooks, at least once, to a receiver that fails at
// times; e-mail by a sendmail that keeps what it is given.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { write } from './lib/database.mjs';
import { found } from './lib/hosts.mjs';
import { call } from './lib/http.mjs';
import { park } from './lib/parks.mjs';
import { Site } from './lib/site.mjs';

// Takes what it is sent, or answers with what is planned first: a status, with
// headers; "hold", until it is let go.
class Receiver {
	static async start() {
		const r = new Receiver();
		r.server = createServer((req, res) => r.#take(req, res));
		r.server.listen(0, '127.0.0.1');
		await once(r.server, 'listening');
		r.url = `http://127.0.0.1:${r.server.address().port}/in?token=t0ken`;
		return r;
	}

	clear() {
		this.got = [];
		this.plan = [];
	}

	async #take(req, res) {
		const parts = [];
		for await (const part of req)
			parts.push(part);
		const body = Buffer.concat(parts).toString();
		const next = this.plan.shift() ?? 204;
		this.got.push({ path: req.url, method: req.method,
			headers: req.headers, body, json: JSON.parse(body) });
		if (next === 'hold')
			return this.held = res;
		const [status, headers] = [next].flat();
		res.writeHead(status, headers).end();
	}

	stop() {
		this.server.closeAllConnections();
		this.server.close();
	}
}

let site, hook, dir, secret;

const came = n => found(`${n} messages`, () => hook.got.length >= n);
const log = (...options) => site.json('notify', 'log', ...options);

// As receivers of Standard Webhooks do: one signature that fits is enough.
function verify(message, key, n = 1) {
	const { 'webhook-id': id, 'webhook-timestamp': at,
		'webhook-signature': signature } = message.headers;
	const mac = createHmac('sha256', Buffer.from(key.slice(6), 'base64'))
		.update(`${id}.${at}.${message.body}`).digest('base64');
	const all = signature.split(' ');
	assert.equal(all.length, n);
	assert.ok(all.includes(`v1,${mac}`));
	assert.ok(Math.abs(Date.now() / 1000 - Number(at)) < 60);
	assert.match(id, /^msg_[\w-]{22}$/);
}

before(async () => {
	dir = await mkdtemp(join(tmpdir(), 'lh-post-'));
	const sendmail = join(dir, 'sendmail');
	await writeFile(sendmail, `#!/bin/sh
		n=$(ls '${dir}' | wc -l)
		printf '%s\\n' "$@" >'${dir}/'$n.args
		cat >'${dir}/'$n.mail
		test ! -e '${dir}/fails'\n`);
	await chmod(sendmail, 0o755);
	hook = await Receiver.start();
	hook.clear();
	site = await Site.start({ set: { job_notify: '@every 1s',
		job_lease_s: '2s', sendmail, mail_from: 'pool@example.org' } });
	({ secret } = await site.json('notify', 'add', 'hook',
		'--webhook', hook.url, '--events', 'account.parked,budget.100'));
	site.secrets.push(secret.slice(6), 't0ken');
});
after(async () => {
	await site?.stop();
	hook.stop();
	await rm(dir, { recursive: true, force: true });
});
afterEach(() => hook.clear());

async function parkOne(reason = 'auth') {
	const team = await site.team(1);
	await write(site, park(team.accounts[0], { reason, ms: 600000 }));
	return team.accounts[0].name;
}

describe('a webhook', () => {
	test('is told once of a park, and can verify it', async () => {
		const name = await parkOne();
		await came(1);
		await sleep(3000);
		assert.equal(hook.got.length, 1);
		const [m] = hook.got;
		verify(m, secret);
		assert.deepEqual([m.method, m.path], ['POST', '/in?token=t0ken']);
		assert.equal(m.headers['content-type'], 'application/json');
		assert.equal(m.json.type, 'account.parked');
		assert.equal(m.json.data.subject, name);
		assert.equal(m.json.data.reason, 'auth');
		assert.ok(m.json.data.until_ms > Date.now());
		assert.match(m.json.data.title, /credential is refused/);
		assert.ok(Math.abs(Date.parse(m.json.timestamp) - Date.now()) < 60000);
	});

	test('that fails gets the same message again', async () => {
		hook.plan = [500, [302, { location: hook.url }], 503];
		const name = await parkOne();
		for (let tries = 1; tries <= 3; tries++) {
			await came(tries);
			await found('the pause', async () => (await log('--target',
				'hook'))[0].detail.startsWith('HTTP'));
			await sleep(1500);
			assert.equal(hook.got.length, tries);
			const [d] = await log();
			assert.deepEqual([d.state, d.tries], ['waiting', tries]);
			assert.ok(d.due_ms > d.created_ms + 4000);
			await write(site, `UPDATE notify_delivery SET due_ms = 0
				WHERE id = ${d.id}`);
		}
		await came(4);
		await found('its end', async () => (await log())[0].state === 'sent');
		assert.equal(new Set(hook.got.map(m => m.headers['webhook-id'])).size,
			1);
		assert.equal(new Set(hook.got.map(m => m.body)).size, 1);
		assert.equal(hook.got[0].json.data.subject, name);
		hook.got.forEach(m => verify(m, secret));
	});

	test('that is gone is given up', async () => {
		hook.plan = [410];
		await parkOne();
		await came(1);
		const d = await found('its end', async () =>
			(await log('--state', 'failed'))[0]);
		assert.deepEqual([d.detail, d.status, d.tries], ['HTTP 410', 410, 1]);
	});

	test('whose sender is killed gets it from the next', async () => {
		hook.plan = ['hold'];
		await parkOne();
		await came(1);
		assert.equal((await log())[0].tries, 1);
		await site.killGroup('admin-pool');
		await write(site, `UPDATE notify_delivery SET due_ms = 0
			WHERE state = 'waiting'`);
		await sleep(2500);
		await site.leasehold(['job', 'run', 'notify']);
		await came(2);
		const [first, second] = hook.got;
		assert.equal(second.headers['webhook-id'],
			first.headers['webhook-id']);
		assert.equal(second.body, first.body);
		verify(second, secret);
		await found('its end', async () => (await log())[0].state === 'sent');
		assert.equal(hook.got.length, 2);
		await site.quickstart('--stop');
		await site.quickstart();
	});

	test('is tested, also after the master key was changed', async () => {
		await site.leasehold(['rekey']);
		const r = await site.json('notify', 'test', 'hook');
		assert.deepEqual([r.taken, r.status], [true, 204]);
		assert.equal(hook.got[0].json.type, 'test');
		verify(hook.got[0], secret);
		hook.plan = [500];
		const bad = await site.tryLeasehold(['notify', 'test', 'hook']);
		assert.equal(bad.status, 1);
		assert.match(bad.stdout, /HTTP 500/);
		const other = await site.json('notify', 'set', 'hook',
			'--new-secret');
		assert.notEqual(other.secret, secret);
		site.secrets.push(other.secret.slice(6));
		hook.clear();
		await site.leasehold(['notify', 'test', 'hook']);
		verify(hook.got.at(-1), secret, 2);
		verify(hook.got.at(-1), other.secret, 2);
		await site.leasehold(['rekey']);
		await site.leasehold(['notify', 'test', 'hook']);
		verify(hook.got.at(-1), secret, 2);
		({ secret } = await site.json('notify', 'set', 'hook',
			'--new-secret', '--overlap', '0'));
		site.secrets.push(secret.slice(6));
		await site.leasehold(['notify', 'test', 'hook']);
		verify(hook.got.at(-1), secret);
	});

	test('with a quiet time gets one digest after it', async () => {
		const minute = new Date().getUTCHours() * 60 +
			new Date().getUTCMinutes();
		const at = m => [m / 60 | 0, m % 60].map(n =>
			String(n).padStart(2, '0')).join(':');
		await found('an empty log', async () =>
			(await log('--state', 'waiting')).length === 0);
		hook.clear();
		await site.leasehold(['notify', 'set', 'hook', '--quiet',
			`${at((minute + 1430) % 1440)}-${at((minute + 30) % 1440)}`]);
		const names = [await parkOne(), await parkOne(), await parkOne()];
		await found('what is held', async () =>
			(await log('--state', 'waiting')).length === 3);
		await sleep(2500);
		assert.equal(hook.got.length, 0);
		await site.leasehold(['notify', 'set', 'hook', '--quiet', 'none']);
		await write(site, `UPDATE notify_delivery SET due_ms = 0
			WHERE state = 'waiting'`);
		await came(1);
		const [m] = hook.got;
		verify(m, secret);
		assert.equal(m.json.type, 'digest');
		assert.deepEqual(m.json.data.events.map(e => e.data.subject), names);
		await sleep(2000);
		assert.equal(hook.got.length, 1);
	});
});

describe('e-mail', () => {
	// The header, its subject and the text of the n-th.
	async function mail(n) {
		const text = await readFile(join(dir, `${n}.mail`), 'utf8');
		const [header, body] = text.split('\n\n');
		return { header, body: Buffer.from(body, 'base64').toString(),
			subject: [...header.matchAll(/=\?UTF-8\?B\?(.*?)\?=/g)]
				.map(([, part]) => Buffer.from(part, 'base64').toString())
				.join(''),
			args: await readFile(join(dir, `${n}.args`), 'utf8') };
	}

	test('goes to sendmail, whatever the names are', async () => {
		const hostile = '账号 "$(touch x)"; Bcc: a@b';
		await site.leasehold(['notify', 'set', 'hook', '--off']);
		await site.leasehold(['notify', 'add', 'mail', '--email',
			"o'ps+$HOME@example.org", '--lang', 'zh', '--zone',
			'Asia/Shanghai', '--events', 'account.parked']);
		const team = await site.team(1);
		await site.leasehold(['account', 'set', team.accounts[0].name,
			'--name', hostile]);
		await write(site, park({ name: hostile }, { reason: 'credit',
			ms: 600000 }));
		await found('the mail', async () => (await log('--state', 'sent'))
			.find(d => d.target === 'mail' && d.subject === hostile));
		const numbers = (await readdir(dir)).filter(f => f.endsWith('.mail'))
			.map(f => parseInt(f, 10));
		const m = (await Promise.all(numbers.map(mail)))
			.find(one => one.subject.includes(hostile));
		assert.equal(m.args, "-i\n--\no'ps+$HOME@example.org\n");
		assert.equal(m.subject, `账号“${hostile}”已冷却：余额不足`);
		assert.match(m.header, /^From: pool@example\.org\nTo: o'ps/);
		assert.doesNotMatch(m.header, /Bcc/);
		assert.match(m.body, /\+08:00/);
		assert.ok(m.body.includes(hostile));
	});

	test('that fails is tried again', async () => {
		await writeFile(join(dir, 'fails'), '');
		const r = await site.tryLeasehold(['notify', 'test', 'mail']);
		assert.equal(r.status, 1);
		assert.match(r.stdout, /sendmail ended with status 1/);
		await rm(join(dir, 'fails'));
		await write(site, `UPDATE notify_delivery SET due_ms = 0
			WHERE state = 'waiting'`);
		await found('its end', async () => (await log('--target', 'mail'))
			.every(d => d.state === 'sent'));
		assert.equal((await log('--target', 'mail'))[0].tries, 2);
	});
});

// Staged one after the other; each is told to both.
test('each event comes by webhook and by e-mail', async () => {
	const both = ['--events', 'account.parked,budget.80,budget.100,' +
		'group.empty,spool.filled,backup.failed', '--interval', '0'];
	await site.tryLeasehold(['notify', 'set', 'mail', '--off']);
	await found('an empty log', async () =>
		(await log('--state', 'waiting')).length === 0);
	hook.clear();
	await site.leasehold(['notify', 'set', 'hook', '--on', ...both]);
	await site.leasehold(['notify', 'add', 'post', '--email',
		'post@example.org', ...both]);
	const [{ id: before }] = await log('--limit', '1');
	const told = async (event, about) => {
		const all = [];
		for (const target of ['hook', 'post'])
			all.push(await found(`${event} by ${target}`, async () =>
				(await log('--target', target, '--state', 'sent',
					'--limit', '100')).find(d => d.event === event &&
					d.id > before && d.subject === (about ??
					d.subject))));
		const [{ subject }] = all;
		assert.equal(all[1].subject, subject);
		const m = hook.got.flatMap(({ json }) => json.data.events ?? [json])
			.find(e => e.type === event && e.data.subject === subject);
		assert.ok(m, event);
		const mails = await Promise.all((await readdir(dir))
			.filter(f => f.endsWith('.mail'))
			.map(f => readFile(join(dir, f), 'utf8')));
		assert.ok(mails.some(text => text.includes('To: post@') &&
			Buffer.from(text.split('\n\n')[1], 'base64').toString()
				.includes(m.data.title)), m.data.title);
	};

	const team = await site.team(1, { keyOptions: ['--budget', '1000'] });
	assert.equal((await call(team)).status, 200);
	const newest = '(SELECT max(id) AS id FROM budget)';
	const [{ spent }] = await found('its cost', async () => {
		const rows = await site.sql('SELECT spent FROM budget_window ' +
			`WHERE spent > 0 AND budget_id = ${newest}`);
		return rows.length === 1 && rows;
	});
	const [{ id }] = await site.sql(newest.slice(1, -1));
	const limit = n => write(site,
		`UPDATE budget SET limit_value = ${n} WHERE id = ${id}`);
	await limit(Math.ceil(spent / 0.9));
	await told('budget.80');
	await limit(spent);
	await told('budget.100');

	await write(site, park(team.accounts[0], { reason: 'credit',
		ms: 600000 }));
	await told('account.parked', team.accounts[0].name);
	await told('group.empty', team.name);

	await writeFile(join(site.dir, 'var/spool/x.spool.refused'), '');
	await told('spool.filled');

	const folder = join(site.dir, 'var/backup');
	await rm(folder, { recursive: true, force: true });
	await writeFile(folder, '');
	assert.equal((await site.tryLeasehold(['job', 'run', 'backup'])).status,
		1);
	await told('backup.failed');
});
