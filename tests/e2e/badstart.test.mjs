// What is set up wrongly is refused at the start, and the message says what
// to mend: settings, master key, schema, folders.
// Store: any.
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile }
	from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { Programs, responders } from './lib/programs.mjs';
import { prefix, run } from './lib/site.mjs';

let dir, programs, conf, key, keyText;

before(async () => {
	dir = await mkdtemp(join(tmpdir(), 'lh-'));
	programs = new Programs(dir);
	({ conf } = programs);
	key = join(dir, 'master.key');
	await mkdir(join(dir, 'var'));
	await mkdir(join(dir, 'run'));
	await settings();
	const r = await run(join(prefix, 'sbin/leasehold'),
		['--config', conf, 'init']);
	assert.equal(r.status, 0, r.stderr);
	keyText = await readFile(key);
});
// Each test breaks one thing.
afterEach(async () => {
	await settings();
	await writeFile(key, keyText, { mode: 0o600 });
	await chmod(key, 0o600);
	for (const name of ['var', 'run'])
		await chmod(join(dir, name), 0o755);
});
after(() => rm(dir, { recursive: true, force: true }));

// Write the settings file: what works, and more lines.
function settings(more = {}, lines = '') {
	const all = {
		store: `sqlite:${dir}/var/leasehold.db`, master_key_file: key,
		run_dir: `${dir}/run`, relay_socket: `${dir}/run/relay.sock`,
		admin_socket: `${dir}/run/admin.sock`, log: 'stderr', ...more,
	};
	return writeFile(conf, Object.entries(all)
		.map(([name, value]) => `${name} = ${value}\n`).join('') + lines);
}

async function sql(text) {
	const r = await run('sqlite3', [join(dir, 'var/leasehold.db'), text]);
	assert.equal(r.status, 0, r.stderr);
}

const refused = (words, names, args) => programs.refuse(words, names, args);

test('what is set up well starts', () => programs.starts());

describe('settings', () => {
	for (const [name, lines, words, everywhere] of [
		['an unknown one', 'colour = red\n',
			[/leasehold\.conf: line 7:/, /colour/], true],
		['a misspelt one', 'drian_s = 5\n',
			[/leasehold\.conf: line 7:/, /drian_s/, /drain_s/]],
		['a number out of range', '\n# x\nstreams_max = 0\n',
			[/leasehold\.conf: line 9:/, /streams_max/, /1.*65536/],
			true],
		['no number', 'queue_max = many\n',
			[/leasehold\.conf: line 7:/, /queue_max/, /0.*100000/]],
		['a wrong unit', 'beat_interval_ms = 5 parsecs\n',
			[/leasehold\.conf: line 7:/, /beat_interval_ms/]],
		['a word that is no choice', 'log_level = loud\n',
			[/leasehold\.conf: line 7:/, /log_level/,
				/error.*warn.*info.*debug/]],
		['a mount with a slash at its end', 'mount = /x/\n',
			[/leasehold\.conf: line 7:/, /mount/]],
		['a relative path', 'ca_file = x.pem\n',
			[/leasehold\.conf: line 7:/, /ca_file/]],
		['a line that is none', 'what is this\n',
			[/leasehold\.conf: line 7:/]],
		['one given twice', 'queue_max = 5\nqueue_max = 6\n',
			[/leasehold\.conf: line 8:/, /queue_max/]],
		['NUL bytes', 'queue_max = 5\0\n', [/leasehold\.conf: line 7:/]],
	])
		test(`${name}: file, line, setting, what is allowed`, async () => {
			await settings({}, lines);
			await refused(words, ['leasehold'], ['config', 'check']);
			if (everywhere)
				await refused(words);
		});

	test('no file at all', async () => {
		await rm(conf);
		await refused(/leasehold\.conf/);
	});
});

describe('the master key', () => {
	const needing = () => ['key', 'create', '--name', 'x'];

	test('is missing', async () => {
		await rm(key);
		await refused(/master\.key/, responders);
		await refused(/master\.key/, ['leasehold'], needing());
	});

	test('can be read by others', async () => {
		await chmod(key, 0o644);
		await refused(/chmod 600/, responders);
		await refused(/chmod 600/, ['leasehold'], needing());
	});

	test('is nonsense, or another one', async () => {
		await writeFile(key, 'hello\n');
		await refused(/master\.key.*line 1/, responders);
		await writeFile(key, `kx ${'0'.repeat(64)}\n`);
		await refused(/does not belong to this database.*master_key_file/,
			responders);
		await refused(/does not belong to this database/, ['leasehold'],
			needing());
	});
});

describe('the database', () => {
	test('is of a newer schema', async () => {
		await sql('INSERT INTO migration VALUES (999, \'later\', 0)');
		await refused(/schema 999.*newer.*install the newer one/);
		await sql('DELETE FROM migration WHERE number = 999');
	});

	test('is of an older one', async () => {
		await sql(`CREATE TABLE newest AS SELECT * FROM migration
			ORDER BY number DESC LIMIT 1;
			DELETE FROM migration WHERE number =
				(SELECT number FROM newest)`);
		await refused(/run: leasehold migrate/);
		await sql(`INSERT INTO migration SELECT * FROM newest;
			DROP TABLE newest`);
	});

	test('is nothing that can be', async () => {
		await settings({ store: 'oracle:/x' });
		await refused(/oracle.*sqlite:/s);
	});

	test('lies in a folder that cannot be written', async () => {
		await chmod(join(dir, 'var'), 0o555);
		await refused(/folder .*\/var must be writable for user id/);
	});
});

test('run_dir cannot be written', async () => {
	await settings({ run_dir: join(dir, 'shut') });
	await mkdir(join(dir, 'shut'), { mode: 0o555 });
	await refused(/\/shut.*run_dir.*writable/, ['leasehold-relay.fcgi']);
});
