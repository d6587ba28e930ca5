// What those who run a pool among other programs want of it: settings from the
// environment.
// Store: any.
import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './lib/http.mjs';
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
