// The web server in front of the pool, as LEASEHOLD_E2E_SERVER names it: where
// the three differ, and how its settings are changed.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

// What tests may expect of each, beyond what all have in common:
//	tells		closes towards the responder as soon as a client left;
//			else only when it cannot pass on what the relay writes
//	pings		... at which ping that is, of a silent stream
//	early		passes an answer on before a client has sent its body,
//	unasked		... also while the client sends nothing more
//	pieces		passes a body on as it comes, not in pieces of 64 KB
//	keeps		connections of clients, also while all its threads are
//			busy; else it closes even one that just gets a request
//	down		the status that it answers with while there is no pool
const servers = {
	nginx: { tells: true, pings: 0, early: true, unasked: true,
		pieces: true, keeps: true, down: 502 },
	apache: { tells: false, pings: 2, early: true, unasked: false,
		pieces: true, keeps: false, down: 503 },
	caddy: { tells: false, pings: 4, early: false, unasked: false,
		pieces: false, keeps: true, down: 502 },
};

const reasons = {
	tells: 'does not tell of a client that left while nothing is written',
	early: 'passes no answer on while a body is still to come',
	unasked: 'passes no answer on until more of a body has come',
	pieces: 'gathers a body into pieces of 64 KB',
};

const name = process.env.LEASEHOLD_E2E_SERVER || 'nginx';
if (!(name in servers))
	throw new Error(`LEASEHOLD_E2E_SERVER=${name}: ` +
		Object.keys(servers).join(', '));
export const server = { name, ...servers[name] };

// The option "skip" of a test that needs this of a server.
export function needs(what) {
	return server[what] ? false : `${name} ${reasons[what]}`;
}

// The options of requests of many clients at once, on so many connections.  An
// agent with a bound keeps them whatever it was told; the header says it.
export function crowd(maxSockets) {
	return { agent: new Agent({ keepAlive: true, maxSockets }),
		headers: server.keeps ? {} : { connection: 'close' } };
}

// ---- its settings ----

async function signal(site, what) {
	process.kill(await site.pid(name), what);
}

// Let it take over what has changed in the site's folder etc/NAME.
const reloads = {
	nginx: (site) => signal(site, 'SIGHUP'),
	apache: (site) => signal(site, 'SIGUSR1'),
	caddy: (site) => run('caddy', ['reload', '--adapter', 'caddyfile',
		'--config', join(site.dir, 'etc/caddy/Caddyfile'), '--address',
		`unix/${join(site.dir, 'run/caddy-admin.sock')}`]),
};

// Replace in files of its settings: [file, from, to]; each must be there.
export async function change(site, ...edits) {
	for (const [file, from, to] of edits) {
		const path = join(site.dir, 'etc', name, file);
		const text = await readFile(path, 'utf8');
		const changed = text.replace(from, to);
		if (changed === text)
			throw new Error(`${path} has no ${from}: ${text}`);
		await writeFile(path, changed);
	}
	await reloads[name](site);
}

// Let it believe the X-Forwarded-For of a proxy on this host.  Caddy alone asks
// for that; the others pass on what they get.
export async function trustProxies(site) {
	const trust = [/flush_interval -1\n/,
		'$&trusted_proxies 127.0.0.1/32\n'];
	if (name === 'caddy')
		await change(site, ['mount.caddy', ...trust],
			['admin.caddy', ...trust]);
}

// Take administration out of the site, and give it an address of its own, as
// the comments of the site's file say.
export async function ownAddress(site, port) {
	const out = [/^\s*(?:include|Include|import) .*\/admin\..*$/m, ''];
	const edits = {
		nginx: [['mount.conf', ...out], ['site.conf',
			/# server \{\n#\tlisten 127\.0\.0\.1:8081([^]*)# \}/,
			(_, rest) => `server {\n\tlisten 127.0.0.1:${port}` +
				`${rest.replace(/^#/gm, '')}}`]],
		apache: [['mount.conf', ...out], ['site.conf',
			/# Listen 127\.0\.0\.1:8081[^]*/, text => text
				.replaceAll('8081', String(port))
				.replace(/^# ?/gm, '')]],
		caddy: [['mount.caddy', ...out], ['site.caddy',
			/# http:\/\/:8081[^]*/, text => text
				.replaceAll('8081', String(port))
				.replace(/^# ?/gm, '')]],
	};
	await change(site, ...edits[name]);
}

// Lead the relay's paths to a TCP port.
export async function toPort(site, port) {
	const edits = {
		nginx: ['upstream.conf', /server unix:\S+\/relay\.sock;/,
			`server 127.0.0.1:${port};`],
		apache: ['mount.conf', /unix:\S+\/relay\.sock\|fcgi:\/\/[\w-]+/,
			`fcgi://127.0.0.1:${port}`],
		caddy: ['mount.caddy', /unix\/\S+\/relay\.sock/,
			`127.0.0.1:${port}`],
	};
	await change(site, edits[name]);
}

// A connection to the pool for each request.
export async function noKeepalive(site) {
	const edits = {
		nginx: [['mount.conf', /fastcgi_keep_conn on;/,
			'fastcgi_keep_conn off;'],
		['upstream.conf', /keepalive 64;[^}]*/, '']],
		apache: [['mount.conf', /enablereuse=on smax=0 ttl=\d+/,
			'enablereuse=off']],
		caddy: [],
	};
	await change(site, ...edits[name]);
}
