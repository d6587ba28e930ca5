// A site's database, past what is tested: SQLite, or with LEASEHOLD_E2E_STORE
// = mysql the MariaDB server of its own that quickstart makes.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export const onMysql = process.env.LEASEHOLD_E2E_STORE === 'mysql';

const exec = promisify(execFile);

function client(site) {
	return ['--no-defaults', '--socket', join(site.databaseDir, 'run/mysql.sock'),
		'--user', userInfo().username, '--default-character-set=utf8mb4',
		'--init-command=SET SESSION sql_mode = \'PIPES_AS_CONCAT\'',
		'leasehold'];
}

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'' };

// Integers come as numbers, as from SQLite, unless they are too large for one.
function value(attributes, text) {
	if (/xsi:nil="true"/.test(attributes))
		return null;
	const plain = text.replace(/&(\w+);/g, (_, name) => entities[name]);
	const number = Number(plain);
	return /^-?\d+$/.test(plain) && Number.isSafeInteger(number) ?
		number : plain;
}

function rows(xml) {
	return [...xml.matchAll(/<row>(.*?)<\/row>/gs)].map(([, row]) =>
		Object.fromEntries([...row.matchAll(
			/<field name="([^"]*)"([^>]*?)(?:\/>|>(.*?)<\/field>)/gs)].map(
			([, name, attributes, text = '']) =>
				[name, value(attributes, text)])));
}

// The rows of a query that both kinds of database understand.
export async function querySite(site, query) {
	if (onMysql) {
		const { stdout } = await exec('mariadb', [...client(site), '--xml',
			'--execute', query.replaceAll(' AS TEXT)', ' AS CHAR)')],
		{ maxBuffer: 1 << 26 });
		return rows(stdout);
	}
	const { stdout } = await exec('sqlite3', ['-json', '-readonly',
		'-cmd', '.timeout 5000', site.db, query],
	{ maxBuffer: 1 << 26 });
	return stdout ? JSON.parse(stdout) : [];
}

const lockers = onMysql ? {
	program: 'mariadb',
	args: site => [...client(site), '--batch', '--skip-column-names',
		'--unbuffered'],
	take: 'FLUSH TABLES WITH READ LOCK; SELECT \'locked\';\n',
	release: 'UNLOCK TABLES;\n',
} : {
	program: 'sqlite3',
	args: site => ['-batch', '-cmd', '.timeout 5000',
		site.db],
	take: 'BEGIN IMMEDIATE; SELECT \'locked\';\n',
	release: 'ROLLBACK;\n',
};

// MariaDB: a session that locks rows, says no more, and is ended by the server
// after 15 s, as one of a host that vanished is.
export async function vanish(site, locking) {
	const child = spawn('mariadb', [...client(site), '--batch',
		'--skip-column-names', '--unbuffered'],
	{ stdio: ['pipe', 'pipe', 'ignore'] });
	child.stdin.write(`SET SESSION wait_timeout = 15; BEGIN; ${locking};
		SELECT 'locked';\n`);
	for await (const data of child.stdout)
		if (String(data).includes('locked'))
			return child;
	throw new Error('cannot lock rows');
}

// Holds up all that write, as a process that stopped inside a transaction
// would.
export class Locker {
	static async take(site) {
		const child = spawn(lockers.program, lockers.args(site),
			{ stdio: ['pipe', 'pipe', 'inherit'] });
		child.stdin.write(lockers.take);
		const [line] = await once(child.stdout, 'data');
		if (!String(line).startsWith('locked'))
			throw new Error(`cannot lock the database: ${line}`);
		return new Locker(child);
	}

	constructor(child) {
		this.child = child;
		this.since = Date.now();
	}

	// Milliseconds that it is held.
	age() {
		return Date.now() - this.since;
	}

	async release() {
		const gone = once(this.child, 'exit');
		this.child.stdin.end(lockers.release);
		await gone;
	}
}

// Whether a process has locked a file of SQLite's in order to write.
async function writes(site, pid) {
	for (const fd of await readdir(`/proc/${pid}/fd`)) {
		const name = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
		if (name.startsWith(site.db) && /^lock:.* WRITE /m.test(
			await readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8')))
			return true;
	}
	return false;
}

// Stops processes, none of them while it keeps others from writing.
export async function freeze(site, ...pids) {
	for (const pid of pids)
		for (let tries = 0; ; tries++) {
			process.kill(pid, 'SIGSTOP');
			await sleep(5);
			if (!await writes(site, pid))
				break;
			process.kill(pid, 'SIGCONT');
			if (tries === 100)
				throw new Error(`process ${pid} always writes`);
			await sleep(7);
		}
}

// What SQLite keeps beside a database, and we.
export const files = ['', '-wal', '-shm', '.lock'];

// Run statements as another program would: on MariaDB all or none, and again
// where they were chosen to end a deadlock.
export async function write(site, sql) {
	const [program, args] = onMysql ?
		['mariadb', [...client(site), '--execute',
			`BEGIN; ${sql.replace(/;$/, '')}; COMMIT`]] :
		['sqlite3', ['-batch', '-bail', '-cmd', '.timeout 5000', site.db, sql]];
	for (let tries = 0; ; tries++) {
		try {
			await exec(program, args);
			return;
		} catch (error) {
			if (tries === 20 || !/^ERROR 1213 /m.test(error.stderr))
				throw error;
		}
	}
}
