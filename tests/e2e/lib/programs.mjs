// The programs by themselves, without a web server, as they start with some
// settings: whether they do, and what they say.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { libexec, prefix, run } from './site.mjs';

// Root may write anywhere: not without these.
const meek = process.getuid() !== 0 ? [] :
	['setpriv', '--bounding-set', '-dac_override,-dac_read_search'];

export const responders = ['leasehold-relay.fcgi', 'leasehold-admin.fcgi'];

export class Programs {
	// A folder with settings in leasehold.conf, and a folder run.
	constructor(dir, { env } = {}) {
		Object.assign(this, { dir, env, conf: join(dir, 'leasehold.conf') });
	}

	// Exit status and standard error of a program.
	async start(name, args = ['key', 'list']) {
		if (responders.includes(name))
			return this.#spawned(name);
		const [program, ...rest] = [...meek, join(prefix, 'sbin', name),
			'--config', this.conf, ...args];
		return run(program, rest, { env: this.env });
	}

	// As spawn-fcgi starts it.  One that does not refuse is stopped after
	// two seconds, with status 0.
	async #spawned(name) {
		const path = join(this.dir, 'run', `${name}.sock`);
		await rm(path, { force: true });
		const [program, ...args] = [...meek, 'spawn-fcgi', '-n', '-s', path,
			'--', join(libexec, name), '--config', this.conf];
		const child = spawn(program, args, { env: { ...process.env,
			...this.env }, stdio: ['ignore', 'pipe', 'pipe'] });
		let stderr = '';
		child.stderr.on('data', d => { stderr += d; });
		const timer = setTimeout(() => child.kill('SIGTERM'), 2500);
		const status = await new Promise(done =>
			child.on('close', (code, signal) => done(code ?? signal)));
		clearTimeout(timer);
		return { status, stderr };
	}

	async starts(names = ['leasehold', ...responders], args) {
		await Promise.all(names.map(async name => {
			const r = await this.start(name, args);
			assert.equal(r.status, 0, `${name}: ${r.stderr}`);
		}));
	}

	// All of them refuse, in such words.
	async refuse(words, names = ['leasehold', ...responders], args) {
		await Promise.all(names.map(async name => {
			const r = await this.start(name, args);
			assert.notEqual(r.status, 0, `${name} started: ${r.stderr}`);
			for (const w of [].concat(words))
				assert.match(r.stderr, w, name);
		}));
	}
}
