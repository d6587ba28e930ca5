// quickstart in folders: what it prints, changes, keeps and takes away.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat, writeFile }
	from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { call, request, text } from './lib/http.mjs';
import { prefix, quickstart, run, Site, source }
	from './lib/site.mjs';

const program = join(prefix, 'sbin/leasehold');

describe('quickstart --dir', () => {
	let dir, out;

	// As it says to, on the demo's upstream.
	const streams = async () => {
		const command = out.stdout.match(/^ {2}curl -N[^]*?\}'$/m)[0];
		const answer = await run('sh', ['-c', command]);
		assert.equal(answer.status, 0, answer.stderr);
		assert.match(text({ body: answer.stdout }), /leased account\.$/);
	};

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
		for (const [, file] of out.stdout.matchAll(
			/^ {2}(?:nginx|Apache|Caddy) +(\S+)/gm))
			assert.match(await readFile(file, 'utf8'), /^# Leasehold/);
		await streams();
	});

	test('--env is read by a shell', async () => {
		const shell = await run('sh', ['-c', `eval "$("$0" --dir "$1" ` +
			'--env)" && leasehold --json account list && ' +
			'curl -fsS "$BASE_URL/health" && echo "$KEY"',
		quickstart, dir]);
		assert.equal(shell.status, 0, shell.stderr);
		assert.match(shell.stdout, /"demo"[^]*ok[^]*\nsk-lh-/);
	});

	test('a value that cannot be is refused, and not remembered', async () => {
		for (const bad of [['--prefix', '/nonexistent'], ['--port', '70000'],
			['--port', '0'], ['--port', 'x'], ['--mount', 'x/'],
			['--processes', 'x'], ['--store', 'x'], ['--server', 'x'],
			['--frob']]) {
			const r = await run(quickstart, ['--dir', dir, ...bad]);
			assert.equal(r.status, 2, bad.join(' '));
			assert.match(r.stderr, new RegExp(`^quickstart: .*${bad[0]}`));
		}
		const env = await run(quickstart, ['--dir', dir, '--env']);
		assert.ok(env.stdout.includes(prefix));
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
		// As long as nobody took one up, there is an invitation each time.
		const invitation = /#invitation=[\w-]{43}\n/;
		assert.match(out.stdout, invitation);
		assert.equal(again.stdout.replace(invitation, ''),
			out.stdout.replace(invitation, ''));
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

	test('what somebody has set in its settings\' place stays', async () => {
		const file = join(dir, 'etc/leasehold.conf');
		const named = {
			public_url: 'https://your.site/claude',
			backup_dir: join(dir, 'elsewhere'),
			log: `file:${join(dir, 'log/else.log')}`,
		};
		const held = async () => {
			const conf = await readFile(file, 'utf8');
			return Object.fromEntries(Object.keys(named).map((name) =>
				[name, conf.match(new RegExp(`^${name} = (.*)$`, 'm'))[1]]));
		};
		const first = await held();
		assert.match(first.public_url, /^http:\/\/127\.0\.0\.1:/);
		assert.equal(first.backup_dir, join(dir, 'var/backup'));
		assert.equal(first.log, `file:${join(dir, 'log/leasehold.log')}`);
		const set = Object.entries(named).flatMap(([name, value]) =>
			['--set', `${name}=${value}`]);
		for (const more of [set, [], ['--restart']]) {
			const again = await run(quickstart, ['--dir', dir, ...more]);
			assert.equal(again.status, 0, again.stderr);
			assert.deepEqual(await held(), named);
		}
	});

	test('secrets are for their owner alone', async () => {
		for (const name of ['master.key', 'first.key'])
			assert.equal((await stat(join(dir, 'etc', name))).mode & 0o777,
				0o600, name);
		assert.equal((await stat(dir)).mode & 0o777, 0o700);
	});

	test('a pid file that names another process harms nobody', async () => {
		assert.equal((await run(quickstart,
			['--dir', dir, '--stop'])).status, 0);
		const other = spawn('sleep', ['600'], { detached: true });
		try {
			const stale = () => Promise.all(['relay-pool', 'admin-pool',
				'nginx', 'demo'].map((name) => writeFile(
				join(dir, 'run', `${name}.pid`), `${other.pid}\n`)));
			await stale();
			assert.equal((await run(quickstart,
				['--dir', dir, '--stop'])).status, 0);
			await stale();
			const again = await run(quickstart, ['--dir', dir]);
			assert.equal(again.status, 0, again.stderr);
			assert.equal(other.exitCode ?? other.signalCode, null);
		} finally {
			other.kill('SIGKILL');
		}
	});

	test('stops, starts again, and goes away', async () => {
		const url = out.stdout.match(/serves (http\S+)/)[1];
		assert.equal((await run(quickstart,
			['--dir', dir, '--stop'])).status, 0);
		await assert.rejects(request(`${url}/health`, { method: 'GET' }));
		const left = await run('pgrep', ['-f', dir]);
		assert.equal(left.stdout, '');
		for (const verb of ['reload', 'restart']) {
			const none = await run(program, ['--config',
				join(dir, 'etc/leasehold.conf'), verb]);
			assert.equal(none.status, 3, verb);
			assert.match(none.stderr, /no pool runs/);
		}
		assert.equal((await run(quickstart, ['--dir', dir])).status, 0);
		assert.equal((await request(`${url}/health`,
			{ method: 'GET' })).status, 200);
		await streams();
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
