// A web server with many sites, NAME.localhost each: the shipped snippets as
// they are, or with one thing changed for the worse.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, run, source } from './site.mjs';

const sbin = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
const isRoot = process.getuid() === 0;
const www = Number(isRoot && execFileSync('id', ['-u', 'www-data']));

// Not as root, who may open any socket.
const meek = isRoot ? ['setpriv', '--reuid=www-data', '--regid=www-data',
	'--clear-groups', '--inh-caps=-all', '--bounding-set=-all'] : [];

const modules = '/usr/lib/apache2/modules';

// main: the config of the whole, sites of it; site: of one, by its snippet.
const servers = {
	nginx: {
		program: 'nginx', files: ['mount.conf', 'admin.conf'],
		args: conf => ['-e', 'stderr', '-c', conf, '-g', 'daemon off;'],
		main: (p, sites) => `
pid ${p.dir}/pid; worker_processes 1;
events { worker_connections 256; }
http {
	access_log off;
	${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name =>
		`${name}_temp_path ${p.dir}/${name};`).join(' ')}
	${p.fill('upstream.conf')}
	${sites}
}`,
		site: (p, name, text) => `server { listen 127.0.0.1:${p.port};
	server_name ${name}.localhost;\n${text}\n}`,
	},
	apache: {
		program: 'apache2', files: ['mount.conf', 'admin.conf'],
		args: conf => ['-f', conf, '-D', 'FOREGROUND'],
		main: (p, sites) => `
ServerRoot ${p.dir}
DefaultRuntimeDir ${p.dir}
PidFile ${p.dir}/pid
Mutex file:${p.dir} default
ErrorLog ${p.dir}/log
ServerName localhost
${['mpm_event', 'authz_core', 'authz_host', 'alias', 'deflate', 'dir',
		'env', 'filter', 'headers', 'mime', 'proxy', 'proxy_fcgi',
		'proxy_http'].map(name =>
		`LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
TypesConfig /dev/null
Listen 127.0.0.1:${p.port}
${sites}`,
		site: (p, name, text) => `<VirtualHost 127.0.0.1:${p.port}>
ServerName ${name}.localhost\n${text}\n</VirtualHost>`,
	},
	caddy: {
		program: 'caddy', files: ['mount.caddy', 'admin.caddy'],
		args: conf => ['run', '--adapter', 'caddyfile', '--config', conf],
		main: (p, sites) => `{
	admin off
	auto_https off
	default_bind 127.0.0.1
	grace_period 1s
}
${sites}`,
		site: (p, name, text) =>
			`http://${name}.localhost:${p.port} {\n${text}\nrespond 404\n}`,
	},
};

export class Plant {
	// Sites by their names: { mount, socket, change(text), text }.
	static async start(server, site, sites) {
		const plant = new Plant();
		Object.assign(plant, servers[server], { server, site,
			dir: join(site.dir, 'plant') });
		await mkdir(plant.dir);
		await plant.#letIn();
		for (const name of ['mount', 'admin', 'upstream']) {
			const file = servers[server].files[0].replace('mount', name);
			const path = join(source, 'conf', server, `${file}.in`);
			if (existsSync(path))
				plant[name] = await readFile(path, 'utf8');
		}
		for (let tries = 1; ; tries++) {
			plant.port = await freePort();
			await plant.#write(sites);
			if (await plant.#run())
				return plant;
			if (tries === 3)
				throw new Error(`${server}: ${plant.said}`);
		}
	}

	// The web server is another user: let it to the pool's sockets.
	async #letIn() {
		for (const name of ['', 'run'])
			await chmod(join(this.site.dir, name), 0o755);
		for (const name of ['relay', 'admin'])
			await chmod(join(this.site.dir, `run/${name}.sock`), 0o666);
		if (isRoot)
			await chown(this.dir, www, www);
	}

	fill(file, { mount = '/m', socket } = {}) {
		const run = join(this.site.dir, 'run');
		const values = { mount, relay_socket: socket ?? `${run}/relay.sock`,
			admin_socket: `${run}/admin.sock`, htdocs: source + '/htdocs',
			log_dir: this.dir, keepalive_s: 5 };
		return this[file.split('.')[0]].replaceAll(
			/^\s*(?:include|Include|import) @conf_dir@.*$/mg,
			() => this.fill('admin', { mount }))
			.replaceAll(/@(\w+)@/g, (all, name) => values[name] ?? all);
	}

	async #write(sites) {
		const texts = Object.entries(sites).map(([name, s]) => {
			const good = s.text?.(this) ?? this.fill('mount', s);
			const text = (s.change?.(good, this) ?? good)
				.replaceAll('@closed@', s.socket);
			if (s.change && text === good)
				throw new Error(`${this.server}: ${name} changes nothing`);
			return servers[this.server].site(this, name, text);
		});
		this.conf = join(this.dir, 'conf');
		await writeFile(this.conf,
			servers[this.server].main(this, texts.join('\n')));
	}

	async #run() {
		const [program, ...args] = [...meek, this.program,
			...this.args(this.conf)];
		this.said = '';
		this.process = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'],
			env: { ...sbin, XDG_DATA_HOME: this.dir,
				XDG_CONFIG_HOME: this.dir, HOME: this.dir } });
		for (const stream of [this.process.stdout, this.process.stderr])
			stream.on('data', d => { this.said += d; });
		this.ended = new Promise(done => this.process.on('close', done));
		for (let n = 0; n < 200; n++) {
			if (this.process.exitCode !== null)
				return false;
			if (await this.#listens())
				return true;
			await sleep(50);
		}
		await this.stop();
		return false;
	}

	#listens() {
		return new Promise(done => {
			const socket = connect(this.port, '127.0.0.1');
			socket.on('connect', () => { socket.destroy(); done(true); });
			socket.on('error', () => done(false));
		});
	}

	async stop() {
		this.process.kill('SIGTERM');
		const late = setTimeout(() => this.process.kill('SIGKILL'), 5000);
		await this.ended;
		clearTimeout(late);
	}

	url(name, path = '/m') {
		return `http://${name}.localhost:${this.port}${path}`;
	}
}

export const caddyBuffers = async () => (await run('caddy', ['version']))
	.stdout.startsWith('2.6') ? 'buffer_responses' :
	'response_buffers unlimited';
