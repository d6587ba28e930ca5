// What those who run a pool among other programs want of it: settings from the
// environment, traces.
// Store: any.
import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './lib/http.mjs';
import { header } from './lib/mock.mjs';
import { Site } from './lib/site.mjs';

let site, team;

// What the pool's processes have in their environment.
const environment = {
	LEASEHOLD_RECORD_ADDRESS: 'none',
	LEASEHOLD_ATTEMPTS_MAX: '2',
};

before(async () => {
	Object.assign(process.env, environment);
	site = await Site.start({ processes: 1 });
	for (const name of Object.keys(environment))
		delete process.env[name];
	await appendFile(site.conf, 'record_address = full\n');
	team = await site.team(3);
});
after(() => site?.stop());

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
