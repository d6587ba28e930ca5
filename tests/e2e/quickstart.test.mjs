// quickstart in folders, and what a start refuses, with the remedy.
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile }
	from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { call, request, text } from './lib/http.mjs';
import { libexec, prefix, quickstart, run, Site, source }
	from './lib/site.mjs';

const program = join(prefix, 'sbin/leasehold');

describe('quickstart --dir', () => {
	let dir, out;

	before(async () => {
		dir = await mkdtemp(join(tmpdir(), 'lh-q-'));
		out = await run(quickstart, ['--dir', dir, '--prefix', prefix,
			'--demo', '--processes', '1']);
	});
	after(async () => {
		if (existsSync(dir))
			await run(quickstart, ['--dir', dir, '--remove', '--yes']);
	});

	test('says what to do next, and it works as printed', async () => {
		assert.equal(out.status, 0, out.stderr);
		assert.match(out.stdout, /export ANTHROPIC_BASE_URL=http/);
		assert.match(out.stdout, /export ANTHROPIC_AUTH_TOKEN=sk-lh-/);
		const command = out.stdout.match(/^ {2}curl -N[^]*?\}'$/m)[0];
		const answer = await run('sh', ['-c', command]);
		assert.equal(answer.status, 0, answer.stderr);
		assert.match(text({ body: answer.stdout }), /leased account\.$/);
	});

	test('--env is read by a shell', async () => {
		const shell = await run('sh', ['-c', `eval "$("$0" --dir "$1" ` +
			'--env)" && leasehold --json account list && ' +
			'curl -fsS "$BASE_URL/health" && echo "$KEY"',
		quickstart, dir]);
		assert.equal(shell.status, 0, shell.stderr);
		assert.match(shell.stdout, /"demo"[^]*ok[^]*\nsk-lh-/);
	});

	test('run twice changes nothing', async () => {
		const marks = async () => {
			const all = [];
			for (const sub of ['etc', 'etc/nginx', 'run'])
				for (const name of await readdir(join(dir, sub))) {
					const s = await stat(join(dir, sub, name));
					if (s.isFile())
						all.push(`${sub}/${name} ${s.mtimeMs}`);
				}
			return all.sort();
		};
		const before = await marks();
		const again = await run(quickstart, ['--dir', dir]);
		assert.equal(again.status, 0, again.stderr);
		assert.equal(again.stdout, out.stdout);
		assert.deepEqual(await marks(), before);
	});

	test('a changed setting is taken over', async () => {
		const pid = await readFile(join(dir, 'run/relay-pool.pid'), 'utf8');
		const set = await run(quickstart, ['--dir', dir,
			'--set', 'queue_max=7']);
		assert.equal(set.status, 0, set.stderr);
		const shown = await run(program, ['--config',
			join(dir, 'etc/leasehold.conf'), 'config', 'show']);
		assert.match(shown.stdout, /^queue_max = 7$/m);
		assert.notEqual(await readFile(join(dir, 'run/relay-pool.pid'),
			'utf8'), pid);
	});

	test('secrets are for their owner alone', async () => {
		for (const name of ['master.key', 'first.key'])
			assert.equal((await stat(join(dir, 'etc', name))).mode & 0o777,
				0o600, name);
		assert.equal((await stat(dir)).mode & 0o777, 0o700);
	});

	test('stops, starts again, and goes away', async () => {
		const url = out.stdout.match(/serves (http\S+)/)[1];
		assert.equal((await run(quickstart,
			['--dir', dir, '--stop'])).status, 0);
		await assert.rejects(request(`${url}/health`, { method: 'GET' }));
		const left = await run('pgrep', ['-f', dir]);
		assert.equal(left.stdout, '');
		assert.equal((await run(quickstart, ['--dir', dir])).status, 0);
		assert.equal((await request(`${url}/health`,
			{ method: 'GET' })).status, 200);
		const kept = await run(quickstart, ['--dir', dir, '--remove']);
		assert.notEqual(kept.status, 0);
		assert.ok(existsSync(join(dir, 'var/leasehold.db')),
			'data is not removed without a yes');
		assert.equal((await run(quickstart,
			['--dir', dir, '--remove', '--yes'])).status, 0);
		assert.ok(!existsSync(dir));
	});

	test('wrong usage names the option', async () => {
		for (const [args, message] of [
			[['--nope'], /unknown option --nope/],
			[['--dir'], /--dir needs a value/],
			[['--dir', '--env'], /--dir needs a value/],
			[['--dir', '/tmp/x', '--port', 'x'], /--port x/],
			[['--dir', '/tmp/x', '--mount', 'x'], /--mount x/],
			[['--dir', '/tmp/x', '--set', 'x'], /--set x/],
			[['--dir', '/tmp/x', '--store', 'y'], /--store y/],
		]) {
			const r = await run(quickstart, args);
			assert.equal(r.status, 2);
			assert.match(r.stderr, message);
		}
		assert.equal((await run(quickstart, ['--help'])).status, 0);
	});
});

test('two stand side by side', async () => {
	const sites = [await Site.start({ processes: 1 }),
		await Site.start({ processes: 1 })];
	try {
		const teams = [await sites[0].team(1), await sites[1].team(1)];
		assert.equal((await call(teams[0])).status, 200);
		assert.equal((await call(teams[1])).status, 200);
		const crossed = await call({ ...teams[0], site: sites[1] });
		assert.equal(crossed.status, 401);
	} finally {
		await sites[0].stop();
		await sites[1].stop();
	}
});

test('leasehold.conf names every setting with its default', async () => {
	const file = await readFile(join(source, 'conf/leasehold.conf.in'),
		'utf8');
	const empty = join(tmpdir(), `lh-empty-${process.pid}.conf`);
	await writeFile(empty, '');
	const shown = await run(program, ['--config', empty, 'config', 'show']);
	await rm(empty);
	assert.equal(shown.status, 0, shown.stderr);
	for (const line of shown.stdout.trim().split('\n')) {
		const [name, value] = line.split(' = ');
		const found = file.match(new RegExp(`^#${name} =(.*)$`, 'm'));
		assert.ok(found, `${name} is missing`);
		if (!found[1].includes('@'))
			assert.equal(found[1].trim(), value ?? '', name);
	}
});

describe('a start is refused', () => {
	let dir, conf;

	before(async () => {
		dir = await mkdtemp(join(tmpdir(), 'lh-r-'));
		conf = join(dir, 'leasehold.conf');
		await good();
		assert.equal((await start('init')).status, 0);
	});
	after(() => rm(dir, { recursive: true, force: true }));

	function good(...more) {
		return writeFile(conf, [
			`store = sqlite:${dir}/leasehold.db`,
			`master_key_file = ${dir}/master.key`,
			`run_dir = ${dir}`, ...more, ''].join('\n'));
	}

	function start(...args) {
		return run(program, ['--config', conf, ...args]);
	}

	// The relay responder on a socket of its own; it must not stay.
	async function responder() {
		const r = await run('timeout', ['10', 'spawn-fcgi', '-s',
			join(dir, 'x.sock'), '-n', '--',
			join(libexec, 'leasehold-relay.fcgi'), '--config', conf]);
		assert.notEqual(r.status, 0);
		assert.notEqual(r.status, 124, 'it runs');
		return r.stderr;
	}

	const bad = {
		'an unknown setting': ['queue_mux = 3',
			/leasehold\.conf: line 4: .*queue_mux.*queue_max/],
		'a number out of range': ['queue_max = 100000000',
			/line 4: queue_max.*100000/],
		'a word that is none of those allowed': ['log_level = loud',
			/line 4: log_level.*error, warn, info, debug/],
		'a relative path': ['relay_socket = x.sock', /line 4: relay_socket/],
		'a setting twice': ['store = sqlite:/x', /line 4: store.*line 1/],
		'a line without =': ['hello', /line 4/],
	};
	for (const [name, [line, message]] of Object.entries(bad)) {
		test(`by ${name}`, async () => {
			await good(line);
			const check = await start('config', 'check');
			assert.notEqual(check.status, 0);
			assert.match(check.stderr, message);
			assert.match(await responder(), message);
			await good();
		});
	}

	test('by a master key that others may read', async () => {
		await chmod(join(dir, 'master.key'), 0o644);
		assert.match(await responder(), /mode 0644.*chmod 600 .*master\.key/);
		await chmod(join(dir, 'master.key'), 0o600);
	});

	test('by another master key than the database\'s', async () => {
		const path = join(dir, 'master.key');
		const own = await readFile(path, 'utf8');
		await rm(path);
		const missing = await responder();
		assert.match(missing, /master\.key/);
		const other = await mkdtemp(join(tmpdir(), 'lh-o-'));
		const file = join(other, 'c');
		await writeFile(file, `store = sqlite:${other}/db\n` +
			`master_key_file = ${other}/master.key\nrun_dir = ${other}\n`);
		await run(program, ['--config', file, 'init']);
		await writeFile(path, await readFile(join(other, 'master.key')),
			{ mode: 0o600 });
		await rm(other, { recursive: true });
		const wrong = await responder();
		assert.match(wrong, /master key/);
		await writeFile(path, own, { mode: 0o600 });
	});

	test('by a newer schema', async () => {
		const db = join(dir, 'leasehold.db');
		await run('sqlite3', [db, "INSERT INTO migration VALUES" +
			"(999, 'from the future', 0)"]);
		assert.match(await responder(), /schema.*newer|newer.*schema/);
		await run('sqlite3', [db, 'DELETE FROM migration ' +
			'WHERE number = 999']);
	});

	test('by a folder that is not there', async () => {
		const text = await readFile(conf, 'utf8');
		await writeFile(conf, text.replace(/run_dir = .*/,
			`run_dir = ${dir}/none`));
		assert.match(await responder(), /none/);
		await good();
	});

	test('without a socket from spawn-fcgi', async () => {
		const r = await run(join(libexec, 'leasehold-relay.fcgi'),
			['--config', conf]);
		assert.notEqual(r.status, 0);
		assert.match(r.stderr, /spawn-fcgi/);
	});

	test('not by a database that is missing: it is named and awaited',
		async () => {
			const text = await readFile(conf, 'utf8');
			await writeFile(conf, text.replace('leasehold.db', 'none.db'));
			const r = await run('timeout', ['2', 'spawn-fcgi', '-s',
				join(dir, 'y.sock'), '-n', '--',
				join(libexec, 'leasehold-relay.fcgi'), '--config', conf]);
			assert.equal(r.status, 124);
			assert.match(r.stderr, /no database .*none\.db; run: leasehold init/);
			await good();
		});
});
