// A whole Leasehold in a folder of its own: web server, pool, database, as
// "quickstart --dir" sets it up, with the mock as its upstream.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, readdir, rm } from
	'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onMysql, querySite } from './database.mjs';
import { Mock } from './mock.mjs';
import { server } from './server.mjs';

const here = dirname(fileURLToPath(import.meta.url));
export const source = resolve(here, '../../..');
export const quickstart = join(source, 'conf/quickstart');

// Where tests/run installed what is to be tested.
export const prefix = process.env.LEASEHOLD_PREFIX;
if (!prefix)
	throw new Error('LEASEHOLD_PREFIX is not set; use tests/run e2e');
export const libexec = join(prefix, 'libexec/leasehold');

// Run a program; its output, exit status and the time it took.
export function run(program, args, { input = '', env, ms = 60000 } = {}) {
	return new Promise(done => {
		const child = execFile(program, args, {
			env: { ...process.env, ...env },
			timeout: ms,
			maxBuffer: 1 << 26,
		}, (error, stdout, stderr) => done({
			status: error ? error.code ?? error.signal : 0,
			stdout, stderr,
		}));
		child.stdin.on('error', () => {});
		child.stdin.end(input);
	});
}

// A port that was free a moment ago.
export async function freePort() {
	const listener = createServer().listen(0, '127.0.0.1');
	await once(listener, 'listening');
	const { port } = listener.address();
	listener.close();
	await once(listener, 'close');
	return port;
}

async function runWell(program, args, options) {
	const r = await run(program, args, options);
	if (r.status !== 0)
		throw new Error(`${program} ${args.join(' ')}: status ` +
			`${r.status}\n${r.stdout}${r.stderr}`);
	return r.stdout;
}

// Quick enough for tests: a pool that beats often and gives up soon.  Jobs are
// run by those that look at them.
const settings = {
	job_probe: 'off', job_refresh: 'off', job_reap: 'off',
	job_rollup: 'off', job_backup: 'off', job_latency: 'off',
	job_notify: 'off',
	beat_interval_ms: '100ms',
	drain_s: 10,
	cooldown_error_s: 60,
	client_read_timeout_s: 5,
};

let names = 0;

export class Site {
	// db: a file for SQLite's database elsewhere; databaseDir: of the server
	// that options name, where it is another's.
	static async start({ processes = 2, set = {}, options = [], db,
		databaseDir } = {}) {
		const dir = await mkdtemp(join(tmpdir(), 'lh-'));
		const mock = await Mock.start(
			join(libexec, 'leasehold-demo-upstream'));
		const site = new Site(dir, mock, db);
		site.databaseDir = databaseDir ?? dir;
		const sets = Object.entries({ ...settings, ...set })
			.flatMap(([name, value]) => ['--set', `${name}=${value}`]);
		try {
			await site.quickstart('--prefix', prefix,
				'--server', server.name,
				'--processes', String(processes), ...sets,
				'--store', onMysql ? 'mysql' : `sqlite:${site.db}`,
				...options);
			await site.#readEnv();
		} catch (error) {
			await site.stop({ check: false });
			throw error;
		}
		return site;
	}

	// A second pool with a web server of its own, on the database and the
	// master key of another site, as another host would have it.
	static async beside(other, { processes = 2, set = {},
		name = 'other' } = {}) {
		const dir = await mkdtemp(join(tmpdir(), 'lh-'));
		const site = new Site(dir, other.mock);
		const sets = Object.entries({ ...settings, host_name: name, ...set })
			.flatMap(([key, value]) => ['--set', `${key}=${value}`]);
		const store = (await readFile(join(other.dir, 'etc/store'),
			'utf8')).trim();
		site.databaseDir = other.databaseDir;
		site.db = other.db;
		site.secrets = other.secrets;
		await mkdir(join(dir, 'etc'));
		await copyFile(join(other.dir, 'etc/master.key'),
			join(dir, 'etc/master.key'));
		await chmod(join(dir, 'etc/master.key'), 0o600);
		await site.quickstart('--prefix', prefix, '--processes',
			String(processes), '--server', server.name,
			'--store', store, ...sets);
		await site.#readEnv();
		return site;
	}

	constructor(dir, mock, db = join(dir, 'var/leasehold.db')) {
		this.dir = dir;
		this.databaseDir = dir;
		this.db = db;
		this.mock = mock;
		this.secrets = [];
		this.conf = join(dir, 'etc/leasehold.conf');
	}

	quickstart(...args) {
		return runWell(quickstart, ['--dir', this.dir, ...args]);
	}

	async #readEnv() {
		const env = await this.quickstart('--env');
		this.url = env.match(/^BASE_URL=(.*)$/m)[1];
		this.key = env.match(/^KEY=(.*)$/m)[1];
		this.port = Number(new URL(this.url).port);
		this.secrets.push(this.key);
	}

	// The leasehold command: its standard output.
	leasehold(args, options) {
		return runWell(join(prefix, 'sbin/leasehold'),
			['--config', this.conf, ...args], options);
	}

	// ... whatever comes of it.
	tryLeasehold(args, options) {
		return run(join(prefix, 'sbin/leasehold'),
			['--config', this.conf, ...args], options);
	}

	async json(...args) {
		return JSON.parse(await this.leasehold(['--json', ...args]));
	}

	sql(query) {
		return querySite(this, query);
	}

	async account(name, { group, baseUrl = this.mock.url, concurrency = 10,
		credential = 'api_key', priority = 50, weight = 100 } = {}) {
		const secret = `sk-mock-${name}`;
		this.secrets.push(secret);
		await this.leasehold(['account', 'add', '--name', name,
			'--platform', 'claude', '--base-url', baseUrl,
			'--credential', credential, '--priority', String(priority),
			'--concurrency', String(concurrency),
			'--weight', String(weight),
			...group ? ['--group', group] : []], { input: secret + '\n' });
		return { name, secret };
	}

	async makeKey(name, ...options) {
		const key = (await this.leasehold(
			['key', 'create', '--name', name, ...options])).trim();
		this.secrets.push(key);
		return key;
	}

	// A group of its own with so many accounts, in order of priority unless
	// they have one in common, and a key for it.
	async team(n, { keyOptions = [], groupOptions = [], weights = [],
		...options } = {}) {
		const name = `t${++names}`;
		const accounts = [];
		await this.leasehold(['group', 'add', name, ...groupOptions]);
		for (let i = 0; i < n; i++)
			accounts.push(await this.account(`${name}-account-${i}`,
				{ group: name, priority: 10 + i, weight: weights[i],
					...options }));
		const key = await this.makeKey(name, '--group', name,
			...keyOptions);
		const team = { name, key, accounts, site: this };
		await this.#seen(team);
		return team;
	}

	// Until every responder knows the new accounts: each reads the
	// database's news with its beat.
	async #seen() {
		await sleep(400);
	}

	// The ledger of a team's key, oldest first, once nothing is open.
	async ledger(team, { count, ms = 5000 } = {}) {
		const until = Date.now() + ms;
		for (;;) {
			const rows = await this.sql(`SELECT l.*,
				CAST(l.id AS TEXT) AS id, a.name AS account FROM ledger l
				JOIN api_key k ON k.id = l.key_id
				LEFT JOIN account a ON a.id = l.account_id
				WHERE k.name = '${team.name}' ORDER BY l.id`);
			const open = rows.filter(r => r.state === 0).length;
			if (open === 0 && (count === undefined || rows.length === count))
				return rows;
			if (Date.now() > until)
				throw new Error(`ledger of ${team.name}: ` +
					`${rows.length} rows, ${open} open`);
			await sleep(50);
		}
	}

	cooldowns(team) {
		return this.sql(`SELECT a.name AS account, c.* FROM cooldown c
			JOIN account a ON a.id = c.account_id
			WHERE a.name LIKE '${team.name}-%' ORDER BY a.name`);
	}

	heldSlots(team) {
		return this.sql(`SELECT s.* FROM slot s
			JOIN account a ON a.id = s.account_id
			WHERE a.name LIKE '${team.name}-%'
			AND s.responder_id IS NOT NULL`);
	}

	async pid(name) {
		return Number(await readFile(join(this.dir, 'run', name + '.pid'),
			'utf8'));
	}

	// As kill -9 of the whole group, or of a host as its others see it.
	async killGroup(name) {
		process.kill(-await this.pid(name), 'SIGKILL');
	}

	// Process ids of the relay responders.
	async responders(pool = 'relay-pool') {
		const { stdout } = await run('pgrep',
			['-P', String(await this.pid(pool))]);
		return stdout.trim().split('\n').filter(Boolean).map(Number);
	}

	async logs() {
		const folder = join(this.dir, 'log');
		const texts = [];
		for (const name of await readdir(folder))
			texts.push([name, await readFile(join(folder, name), 'latin1')]);
		return texts;
	}

	// Take it down.  What it left is looked at: no sanitizer's report, no
	// secret in any log.
	async stop({ check = true } = {}) {
		const complaints = [];
		if (existsSync(join(this.dir, 'etc/port')))
			await this.quickstart('--stop');
		const mock = await this.mock.stop();
		if (check) {
			if (mock !== 0)
				complaints.push(`the mock ended with ${mock}`);
			for (const [name, text] of await this.logs())
				complaints.push(...this.#complaints(name, text));
		}
		if (complaints.length === 0 && !process.env.KEEP_SITES)
			await rm(this.dir, { recursive: true, force: true });
		if (complaints.length > 0)
			throw new Error(`${this.dir}: ${complaints.join('\n')}`);
	}

	#complaints(name, text) {
		const list = [];
		const report = text.match(
			/.*(?:Sanitizer|runtime error:|SUMMARY:)[^]{0,3000}/);
		if (report)
			list.push(`${name}: ${report[0]}`);
		for (const secret of this.secrets)
			if (text.includes(secret))
				list.push(`${name} holds a secret`);
		if (text.includes(prompt))
			list.push(`${name} holds a prompt`);
		return list;
	}
}

// What tests say to the model; it must never be in a log.
export const prompt = 'xyzzy-prompt-of-the-tests';
