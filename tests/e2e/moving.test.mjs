// Store: any.
// What is set up moves to another installation: with a database and a master
// key of its own it serves the same clients from the same accounts.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from
	'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { call } from './lib/http.mjs';
import { Site } from './lib/site.mjs';

const passphrase = 'long enough to be one';
let site, team, dir, file, words;

before(async () => {
	dir = await mkdtemp(join(tmpdir(), 'lh-moving-'));
	file = join(dir, 'export.json');
	words = join(dir, 'passphrase');
	site = await Site.start();
	team = await site.team(2, { keyOptions: ['--budget', '50'] });
	await writeFile(words, `${passphrase}\n`, { mode: 0o600 });
});
after(async () => {
	await site?.stop();
	await rm(dir, { recursive: true });
});

test('an export holds no secret in clear', async () => {
	await site.leasehold(['export', '--passphrase-file', words, file]);
	assert.equal((await stat(file)).mode & 0o777, 0o600);
	const text = await readFile(file, 'utf8');
	for (const secret of [team.key, passphrase,
		...team.accounts.map(a => a.secret)])
		assert.ok(!text.includes(secret));
});

test('what it is imported into serves the same keys', async () => {
	const before = await readFile(site.conf, 'utf8');
	const changed = Object.entries({
		store: `sqlite:${join(dir, 'other.db')}`,
		master_key_file: join(dir, 'other.key'),
		spool_dir: join(dir, 'spool'),
	}).reduce((text, [name, value]) => text.replace(
		new RegExp(`^${name} *=.*\\n`, 'm'), '') + `${name} = ${value}\n`,
	before);
	await mkdir(join(dir, 'spool'));
	await writeFile(site.conf, changed);
	try {
		await site.leasehold(['init']);
		const wrong = await site.tryLeasehold(['import',
			'--passphrase-file', site.conf, file]);
		assert.notEqual(wrong.status, 0);
		await site.leasehold(['import', '--passphrase-file', words, file]);
		await site.leasehold(['restart']);
		// What comes by a connection that was kept the old pool may serve
		// yet, and writes it down where it always did.
		let request;
		for (let n = 0; n < 10 && request === undefined; n++) {
			const answer = await call(team);
			assert.equal(answer.status, 200, answer.body);
			[request] = await site.json('requests');
		}
		assert.equal(request.key, team.name);
		assert.equal(request.account, team.accounts[0].name);
		const verified = await site.json('ledger', 'verify');
		assert.equal(verified.rows, 1);
		assert.equal(verified.differences, 0);
	} finally {
		await writeFile(site.conf, before);
		await site.leasehold(['restart']);
	}
});
