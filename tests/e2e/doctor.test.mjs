// `leasehold doctor' finds each of ten misconfigurations that are planted in
// the shipped snippets of a web server, or on the host behind it, and says
// what to change in that server's own words; and finds none where there is
// none.  LEASEHOLD_E2E_SERVER names the server.
// Store: any.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as ask } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { write } from './lib/database.mjs';
import { call } from './lib/http.mjs';
import { caddyBuffers, Plant } from './lib/plant.mjs';
import { libexec, run, Site } from './lib/site.mjs';

const buffers = await caddyBuffers();
const server = process.env.LEASEHOLD_E2E_SERVER || 'nginx';

const put = (before, more) => text => text.replace(before, `${before}\n${more}`);
const swap = (before, then) => text => text.replace(before, then);
const all = (before, then) => text => text.replaceAll(before, then);

// The place of another proxy in front, that speaks HTTP/1.0.
const front = {
	nginx: p => `location /m/ {
		proxy_pass http://127.0.0.1:${p.port};
		proxy_set_header Host good.localhost;
		proxy_http_version 1.0; proxy_buffering off;
		client_max_body_size 0; proxy_read_timeout 1h; }`,
	apache: p => `SetEnv force-proxy-request-1.0 1
		SetEnv proxy-nokeepalive 1
		ProxyPass "/m/" "http://127.0.0.1:${p.port}/m/" flushpackets=on`,
};

// What is planted: [check, verdict, words of the remedy] that are found then.
// A fifth is a check that fails with it, for the same cause.  A text in place of
// a row: why it cannot occur there.
const faults = {
	'buffering on': {
		// On kept connections nginx 1.22 holds nothing back even so.
		nginx: [text => text.replace('fastcgi_buffering off;',
			'fastcgi_buffering on; ' +
				'fastcgi_ignore_headers X-Accel-Buffering;')
			.replace('fastcgi_keep_conn on', 'fastcgi_keep_conn off'),
		'stream', 'fail', 'fastcgi_buffering off;'],
		apache: [swap(/flushpackets=on( timeout=3600 retry=0 \\\n\tenablereuse)/,
			'flushpackets=off$1'), 'stream', 'fail', 'flushpackets=on'],
		caddy: [text => text.replace(
			/(stream at once\.\n\t\t)flush_interval -1/, `$1${buffers}`),
		'stream', 'fail',
		'without buffer_responses'],
	},
	'short time-out': {
		nginx: [swap('fastcgi_read_timeout 1h', 'fastcgi_read_timeout 1s'),
			'silence', 'fail', 'fastcgi_read_timeout 1h;'],
		apache: [swap(/timeout=3600( retry=0 \\\n\tenablereuse)/,
			'timeout=1$1'), 'silence', 'fail', 'timeout=3600'],
		caddy: [all('transport fastcgi\n',
			'transport fastcgi {\nread_timeout 1s\n}\n'), 'silence', 'fail', 'read_timeout', 'stream'],
	},
	'Authorization dropped': {
		nginx: [put('fastcgi_keep_conn on;',
			'fastcgi_param HTTP_AUTHORIZATION "";'),
		'authorization', 'fail', 'fastcgi_param HTTP_AUTHORIZATION'],
		apache: [all('CGIPassAuth On', 'CGIPassAuth Off'), 'authorization', 'fail', 'CGIPassAuth On'],
		caddy: [all('flush_interval -1',
			'flush_interval -1\nheader_up -Authorization'),
		'authorization', 'fail', 'header_up -Authorization'],
	},
	'small body limit': {
		nginx: [swap('client_max_body_size 0', 'client_max_body_size 1m'),
			'body', 'fail', 'client_max_body_size 0;'],
		apache: 'its LimitRequestBody does not hold for what a proxy takes ' +
			'(2.4.71)',
		caddy: [put('handle /m/* {', 'request_body {\nmax_size 1MB\n}'),
			'body', 'fail', 'max_size'],
	},
	'wrong socket mode': {
		socket: 'closed.sock',
		nginx: [swap('fastcgi_pass leasehold_relay',
			'fastcgi_pass unix:@closed@'), 'reach', 'fail',
		'Permission denied'],
		apache: [null, 'reach', 'fail', 'Permission denied'],
		caddy: [null, 'reach', 'fail', 'permission denied'],
	},
	'wrong prefix': {
		mount: '/wrong',
		nginx: [null, 'reach', 'fail', 'mount = /wrong'],
		apache: [null, 'reach', 'fail', 'mount = /wrong'],
		caddy: [null, 'reach', 'fail', 'mount = /wrong'],
	},
	'http/1.0 upstream closing': {
		text: front[server],
		nginx: [null, 'protocol', 'warn', 'proxy_http_version 1.1;'],
		apache: [null, 'protocol', 'warn', 'force-proxy-request-1.0'],
		caddy: 'its reverse_proxy knows HTTP/1.1 and newer alone',
	},
	'full disk': {
		nginx: [text => text.replace('fastcgi_request_buffering off',
			'fastcgi_request_buffering on').replace(
			'client_body_buffer_size 128k',
			'client_body_buffer_size 8k; client_body_temp_path ' +
				`${small}/nginx`), 'body', 'fail', 'client_body_temp_path'],
		apache: 'it hands bodies on as they come; the disk of the host is ' +
			'below',
		caddy: 'it hands bodies on as they come; the disk of the host is ' +
			'below',
	},
};

const named = fault => fault.replaceAll(/[^a-z]+/gi, '-').toLowerCase();

// A file system without room.
const rooted = (await run('unshare', ['-m', 'true'])).status === 0;
let site, plant, small, closed;

before(async () => {
	site = await Site.start({ processes: 1, options: ['--mount', '/m'],
		set: { body_max_bytes: '2M' } });
	small = await mkdtemp(join(tmpdir(), 'lh-small-'));
	if (rooted)
		await run('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=1777',
			'tmpfs', small]);
	await mkdir(join(small, 'db'));
	await openClosed();
	const sites = { good: {} };
	for (const [fault, f] of Object.entries(faults)) {
		if (!Array.isArray(f[server]) || fault === 'full disk' && !rooted)
			continue;
		sites[named(fault)] = { mount: f.mount, text: f.text,
			change: f[server][0],
			socket: f.socket && join(site.dir, 'run', f.socket) };
	}
	plant = await Plant.start(server, site, sites);
});
after(async () => {
	await plant?.stop();
	closed?.kill('SIGTERM');
	await site?.stop();
	if (rooted)
		await run('umount', [small]);
	await rm(small, { recursive: true, force: true });
});

// A pool beside the other whose socket nobody may open.
async function openClosed() {
	const path = join(site.dir, 'run/closed.sock');
	closed = spawn('spawn-fcgi', ['-n', '-s', path, '--',
		join(libexec, 'leasehold-relay.fcgi'), '--config', site.conf],
	{ stdio: 'ignore' });
	for (let n = 0; n < 100; n++) {
		if (await chmod(path, 0).then(() => true, () => false))
			return;
		await sleep(50);
	}
	throw new Error('no closed.sock');
}

// What doctor finds, by the names of its checks, and its exit status.
async function doctor(url, { env, silence = 0 } = {}) {
	const r = await site.tryLeasehold(['--json', 'doctor', '--url', url,
		'--silence', String(silence)], { env });
	assert.notEqual(r.stdout, '', `${r.status} ${r.stderr}`);
	const { checks } = JSON.parse(r.stdout);
	return { status: r.status, ...Object.fromEntries(checks.map(c =>
		[c.name, c])) };
}

function finds(found, check, verdict, words) {
	assert.equal(found[check].verdict, verdict,
		JSON.stringify(found[check]));
	assert.ok(found[check].remedy.includes(words), found[check].remedy);
}

const webChecks = ['reach', 'web_clock', 'admin_route', 'probes', 'mount',
	'protocol', 'x_api_key', 'authorization', 'stream', 'compression', 'body',
	'silence'];

describe(server, { concurrency: 3 }, () => {
	test('as it is shipped, nothing is found', async () => {
		const found = await doctor(plant.url('good'), { silence: 2 });
		for (const name of webChecks)
			assert.equal(found[name].verdict, 'ok',
				JSON.stringify(found[name]));
		assert.match(found.reach.seen, new RegExp(server, 'i'));
	});

	for (const [fault, f] of Object.entries(faults)) {
		const row = f[server];
		const skip = typeof row === 'string' ? row :
			fault === 'full disk' && !rooted &&
				'no small file system without root';
		test(fault, { skip }, async () => {
			const [, check, verdict, words, also] = row;
			const found = await doctor(plant.url(named(fault), f.mount), {
				silence: check === 'silence' ? 3 : 0,
				env: f.socket && { LEASEHOLD_RELAY_SOCKET:
					join(site.dir, 'run', f.socket) } });
			finds(found, check, verdict, words);
			if (also)
				finds(found, also, verdict, words);
			assert.equal(found.status, verdict === 'fail' ? 1 : 0,
				JSON.stringify(Object.values(found).filter(c =>
					c.verdict === 'fail')));
			// That alone.
			for (const name of webChecks)
				if (![check, also].includes(name) &&
					found[name].verdict !== 'skip')
					assert.equal(found[name].verdict, 'ok',
						JSON.stringify(found[name]));
		});
	}
});

// What is wrong on the host is wrong behind any web server.
describe(`the host behind ${server}`, () => {
	test('wrong prefix: a path that the web server does not know',
		async () => {
			const found = await doctor(plant.url('good', '/elsewhere'));
			finds(found, 'reach', 'fail', '/elsewhere/');
		});

	test('clock off: what is in the database is from the future',
		async () => {
			const team = await site.team(1);
			assert.equal((await call(team)).status, 200);
			const [row] = await site.ledger(team, { count: 1 });
			const set = ms => write(site, `UPDATE ledger SET created_ms = ${ms}
				WHERE id = ${row.id}`);
			await set(row.created_ms + 3600000);
			const found = await doctor(plant.url('good'));
			await set(row.created_ms);
			finds(found, 'clock', 'warn', 'timedatectl');
		});

	test('clock off: of the web server', async () => {
		const late = createServer((req, res) => {
			const up = ask({ port: plant.port, path: req.url, method: req.method,
				headers: { ...req.headers, host: 'good.localhost' } },
			answer => {
				res.writeHead(answer.statusCode, { ...answer.headers,
					date: new Date(Date.now() - 3600000).toUTCString() });
				answer.pipe(res);
			});
			req.pipe(up);
		});
		await new Promise(done => late.listen(0, '127.0.0.1', done));
		const found = await doctor(
			`http://127.0.0.1:${late.address().port}/m`);
		late.closeAllConnections();
		await new Promise(done => late.close(done));
		finds(found, 'web_clock', 'warn', 'set-ntp');
	});

	test('full disk: of the database', {
		skip: !rooted && 'no small file system without root',
	}, async () => {
		const env = { LEASEHOLD_STORE: `sqlite:${small}/db/x.db` };
		assert.equal((await site.tryLeasehold(['init'], { env })).status, 0);
		const found = await doctor(plant.url('good'), { env });
		finds(found, 'disk', 'fail', 'Make room');
		assert.match(found.disk.seen, /0 MiB/);
	});

	test('full disk: of the spool', {
		skip: !rooted && 'no small file system without root',
	}, async () => {
		const found = await doctor(plant.url('good'), { env: {
			LEASEHOLD_SPOOL_DIR: small } });
		finds(found, 'disk', 'fail', 'spool_dir');
	});

	test('stale schema', async () => {
		const path = join(site.dir, 'stale.db');
		const env = { LEASEHOLD_STORE: `sqlite:${path}` };
		const made = await site.tryLeasehold(['init'], { env });
		assert.equal(made.status, 0, made.stderr);
		const cut = await run('sqlite3', [path, 'DELETE FROM migration ' +
			'WHERE number = (SELECT max(number) FROM migration)']);
		assert.equal(cut.status, 0, cut.stderr);
		const found = await doctor(plant.url('good'), { env });
		assert.equal(found.database.verdict, 'fail');
		assert.match(`${found.database.seen} ${found.database.remedy}`,
			/leasehold migrate/);
	});
});
