// A Galera cluster of three MariaDB servers on loopback, in one folder.
import { execFile, spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { querySite } from '../../e2e/lib/database.mjs';

const exec = promisify(execFile);
const user = userInfo().username;
// rsync, which copies a node's data, does not do so as root.
const serverUser = user === 'root' ? 'mysql' : user;
const env = { ...process.env,
	PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };

// Where Debian's galera-4 and others have it; undefined: it is not there.
const provider = ['/usr/lib/galera/libgalera_smm.so',
	'/usr/lib64/galera-4/libgalera_smm.so',
	'/usr/lib64/galera/libgalera_smm.so'].find(existsSync);

// Why there can be no cluster here, or false.
export async function missing() {
	if (provider === undefined)
		return 'no Galera (Debian: apt-get install galera-4)';
	try {
		await exec('mariadbd', ['--version'], { env });
	} catch {
		return 'no MariaDB (Debian: apt-get install mariadb-server)';
	}
	return false;
}

async function freePorts(n) {
	const servers = await Promise.all(Array.from({ length: n }, () =>
		new Promise((done, fail) => {
			const server = net.createServer();
			server.once('error', fail);
			server.listen(0, '127.0.0.1', () => done(server));
		})));
	const ports = servers.map(s => s.address().port);
	await Promise.all(servers.map(s => new Promise(done => s.close(done))));
	return ports;
}

// A server: rows of a query by sql(), as those of a site.
class Node {
	constructor(cluster, number, [port, group, ist]) {
		Object.assign(this, { cluster, number, port, group, ist,
			dir: join(cluster.dir, `node${number}`) });
		this.databaseDir = this.dir;
		this.socket = join(this.dir, 'run/mysql.sock');
	}

	get store() {
		return `mysql://leasehold@127.0.0.1:${this.port}/leasehold` +
			`?password_file=${this.cluster.password}`;
	}

	async install() {
		// A server that starts removes others' temporary files.
		await mkdir(join(this.dir, 'run'), { recursive: true });
		await mkdir(join(this.dir, 'tmp'));
		await exec('chown', ['-R', serverUser, this.dir]);
		await exec('mariadb-install-db', ['--no-defaults', '--skip-test-db',
			`--datadir=${this.dir}/data`, `--user=${serverUser}`,
			'--auth-root-authentication-method=socket',
			`--auth-root-socket-user=${user}`],
		{ env: { ...env, TMPDIR: join(this.dir, 'tmp') } });
	}

	#options(first) {
		const others = this.cluster.nodes.map(n => `127.0.0.1:${n.group}`);
		return ['--no-defaults', `--user=${serverUser}`,
			`--datadir=${this.dir}/data`, `--socket=${this.socket}`,
			`--tmpdir=${this.dir}/tmp`, `--port=${this.port}`, '--bind-address=127.0.0.1',
			'--innodb-buffer-pool-size=64M', '--innodb-log-file-size=32M',
			'--performance-schema=OFF', '--binlog-format=ROW',
			'--innodb-autoinc-lock-mode=2', '--wsrep-on=ON',
			`--wsrep-provider=${provider}`, '--wsrep-sst-method=rsync',
			`--wsrep-cluster-address=gcomm://${first ? '' : others}`,
			`--wsrep-node-name=node${this.number}`,
			'--wsrep-node-address=127.0.0.1',
			`--wsrep-provider-options=base_port=${this.group};` +
			`gmcast.listen_addr=tcp://127.0.0.1:${this.group};` +
			`ist.recv_addr=127.0.0.1:${this.ist};gcache.size=32M`,
			...first ? ['--wsrep-new-cluster'] : []];
	}

	// Where a node was that did not end well, as mariadbd-safe finds it.
	async #position() {
		const { stderr } = await exec('mariadbd',
			[...this.#options(false), '--wsrep-recover',
				'--wsrep-provider=none'], { env, maxBuffer: 1 << 26 });
		const found = stderr.match(/Recovered position:? (\S+:-?\d+)/);
		return found && !found[1].endsWith(':-1') ?
			[`--wsrep-start-position=${found[1].split(',')[0]}`] : [];
	}

	// Until it is in the cluster and has all that the others have.
	async start({ first = false } = {}) {
		const position = first ? [] : await this.#position();
		const log = openSync(join(this.dir, 'log'), 'a');
		this.child = spawn('mariadbd',
			[...this.#options(first), ...position],
			{ env, detached: true, stdio: ['ignore', log, log] });
		this.gone = new Promise(done => this.child.once('exit', done));
		for (let i = 0; i < 600; i++) {
			if (this.child.exitCode !== null)
				break;
			if (await this.status('local_state_comment') === 'Synced')
				return;
			await sleep(100);
		}
		throw new Error(`node ${this.number} does not come up: ` +
			`see ${this.dir}/log`);
	}

	sql(query) {
		return querySite(this, query);
	}

	// A status variable of Galera; undefined while it does not answer.
	async status(name) {
		try {
			const { stdout } = await exec('mariadb', ['--no-defaults',
				'--socket', this.socket, '--user', user, '--batch',
				'--skip-column-names', '--execute',
				`SHOW GLOBAL STATUS LIKE 'wsrep_${name}'`], { env });
			return stdout.trim().split('\t')[1];
		} catch {
			return undefined;
		}
	}

	async stop(signal = 'SIGTERM') {
		if (this.child === undefined || this.child.exitCode !== null ||
			this.child.signalCode !== null)
			return;
		process.kill(-this.child.pid, signal);
		await this.gone;
	}
}

export class Cluster {
	static async start() {
		const dir = await mkdtemp(join(tmpdir(), 'lhg-'));
		await chmod(dir, 0o711);
		const cluster = new Cluster(dir, await freePorts(9));
		await writeFile(cluster.password, 'of-the-tests\n', { mode: 0o600 });
		try {
			for (const node of cluster.nodes) {
				await node.install();
				await node.start({ first: node.number === 1 });
				if (node.number === 1)
					await cluster.#makeUser();
			}
		} catch (error) {
			await cluster.stop();
			throw error;
		}
		return cluster;
	}

	constructor(dir, ports) {
		this.dir = dir;
		this.password = join(dir, 'password');
		this.nodes = [1, 2, 3].map(n =>
			new Node(this, n, ports.slice(3 * n - 3, 3 * n)));
	}

	// The client names a database, which is not there yet for this.
	async #makeUser() {
		await exec('mariadb', ['--no-defaults', '--socket',
			this.nodes[0].socket, '--user', user, '--execute',
			`CREATE DATABASE leasehold CHARACTER SET utf8mb4
			COLLATE utf8mb4_bin;
			CREATE USER leasehold@localhost IDENTIFIED BY 'of-the-tests';
			CREATE USER leasehold@'127.0.0.1'
			IDENTIFIED BY 'of-the-tests';
			GRANT ALL ON leasehold.* TO leasehold@localhost;
			GRANT ALL ON leasehold.* TO leasehold@'127.0.0.1'`], { env });
	}

	// The last that runs goes last.
	async stop() {
		for (const node of [...this.nodes].reverse())
			await node.stop();
		if (!process.env.KEEP_SITES)
			await rm(this.dir, { recursive: true, force: true });
	}
}
