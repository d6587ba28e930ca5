// The web server in front of the pool, as LEASEHOLD_E2E_SERVER names it, and
// where the three differ.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

// What tests may expect of each, beyond what they have in common:
//	tells		at once that a client left; else only when the relay
//			writes to it, at the n-th ping
//	pings		that n, where the server does not tell
const servers = {
	nginx: { tells: true },
	apache: { tells: false, pings: 2 },
	caddy: { tells: false, pings: 4 },
};

export const name = process.env.LEASEHOLD_E2E_SERVER || 'nginx';
if (!(name in servers))
	throw new Error(`LEASEHOLD_E2E_SERVER=${name}: ` +
		Object.keys(servers).join(', '));
export const server = { name, ...servers[name] };

async function signal(site, what) {
	process.kill(Number(await readFile(
		join(site.dir, `run/${name}.pid`), 'utf8')), what);
}

// Take over what has changed in the site's etc/NAME.
const reloads = {
	nginx: (site) => signal(site, 'SIGHUP'),
	apache: (site) => signal(site, 'SIGUSR1'),
	caddy: (site) => run('caddy', ['reload', '--adapter', 'caddyfile',
		'--config', join(site.dir, 'etc/caddy/Caddyfile'), '--address',
		`unix/${join(site.dir, 'run/caddy-admin.sock')}`]),
};
export const reload = reloads[name];
