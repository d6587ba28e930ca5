// The complete example of a site that conf/ has for the web server: TLS, pages of
// its own, and Leasehold under a path; run as it is written, but for its ports.
// Store: any.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { events, message, request } from './lib/http.mjs';
import { Person } from './lib/people.mjs';
import { server } from './lib/server.mjs';
import { freePort, run, Site, source } from './lib/site.mjs';

const modules = '/usr/lib/apache2/modules';
let site, team, dir, plain, tls, ca, child;

// The example in a whole configuration, which listens on the two ports, and the
// command that runs it.  Caddy needs no wrapping, and reads text up to the first
// block as its own.
const wrapped = {
	nginx: text => ['nginx', ['-c', join(dir, 'conf'), '-e',
		join(dir, 'error.log'), '-g', 'daemon off;'],
	`${process.getuid() === 0 ? 'user root;' : ''} pid ${dir}/pid;
events { }
http {
	include /etc/nginx/mime.types;
	access_log off;
	fastcgi_temp_path ${dir}/fastcgi;
	client_body_temp_path ${dir}/body;
	${text.replace(/listen 80;/, `listen 127.0.0.1:${plain};`)
		.replace(/listen 443 /, `listen 127.0.0.1:${tls} `)}
}`],
	apache: async text => {
		const whole = (await readFile(join(site.dir,
			'etc/apache/apache.conf'), 'utf8'))
			.replace(/^PidFile.*/m, `PidFile "${dir}/pid"`)
			.replace(/^Include .*/m, '');
		const extra = ['ssl', 'socache_shmcb', 'reqtimeout'].map(m =>
			`LoadModule ${m}_module ${modules}/mod_${m}.so\n`).join('');
		const lines = [plain, tls].map(p =>
			`Listen 127.0.0.1:${p}\n`).join('');
		const args = ['-f', join(dir, 'conf'), '-DFOREGROUND'];
		const root = process.getuid() === 0 ? ['setpriv',
			'--reuid=www-data', '--regid=www-data', '--clear-groups',
			'--inh-caps=+dac_override',
			'--ambient-caps=+dac_override'] : [];
		const [program, ...rest] = [...root, '/usr/sbin/apache2', ...args];
		return [program, rest, whole + extra + lines + text
			.replace('*:80>', `*:${plain}>`)
			.replace('*:443>', `*:${tls}>`)];
	},
	caddy: text => ['caddy', ['run', '--adapter', 'caddyfile',
		'--config', join(dir, 'conf')],
	text.replace('{', `{
		admin off
		default_bind 127.0.0.1
		http_port ${plain}
		https_port ${tls}
		skip_install_trust`)],
};

async function fill(file) {
	const values = {
		mount: '/claude', server_name: 'localhost',
		conf_dir: join(site.dir, 'etc'), log_dir: dir, site_root: dir,
		tls_cert: join(dir, 'tls.crt'), tls_key: join(dir, 'tls.key'),
	};
	const { stdout } = await run('sh', [join(source, 'conf/fill'),
		...Object.entries(values).map(([n, v]) => `${n}=${v}`)],
	{ input: await readFile(file, 'utf8') });
	return stdout;
}

const url = path => `https://localhost:${tls}${path}`;
const ask = (path, options = {}) => request(url(path),
	{ method: 'GET', ca, agent: false, ...options });

async function up() {
	for (let i = 0; i < 200; i++) {
		if (child.exitCode !== null)
			assert.fail(await readFile(join(dir, 'err'), 'utf8'));
		const answer = await ask('/claude/health').catch(() => null);
		if (answer?.status === 200)
			return;
		await sleep(50);
	}
	assert.fail('it does not come up');
}

before(async () => {
	site = await Site.start({ processes: 1,
		options: ['--mount', '/claude'] });
	team = await site.team(1);
	dir = join(site.dir, 'example');
	await mkdir(dir);
	await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
		'ec_paramgen_curve:P-256', '-nodes', '-keyout',
		join(dir, 'tls.key'), '-out', join(dir, 'tls.crt'), '-days', '2',
		'-subj', '/CN=localhost', '-addext',
		'subjectAltName=DNS:localhost']);
	ca = await readFile(join(dir, 'tls.crt'));
	await writeFile(join(dir, 'index.html'), '<p>a page of the site</p>\n');
	[plain, tls] = [await freePort(), await freePort()];
	const from = join(source, 'conf', server.name);
	const example = (await readdir(from)).find(f => /^example\./.test(f));
	const [program, args, text] = await wrapped[server.name](
		await fill(join(from, example)));
	await writeFile(join(dir, 'conf'), text);
	child = spawn('sh', ['-c', 'exec "$@" >>"$0/err" 2>&1', dir, program,
		...args], { env: { ...process.env, HOME: dir,
		XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir } });
	await up();
});
after(async () => {
	if (child?.exitCode === null) {
		child.kill('SIGTERM');
		await once(child, 'exit');
	}
	await site?.stop();
});

test('its own pages, and what comes without TLS is led to it', async () => {
	const page = await ask('/');
	assert.equal(page.status, 200);
	assert.match(page.body, /a page of the site/);
	assert.match(page.headers['strict-transport-security'], /max-age=\d{7}/);
	const led = await request(`http://localhost:${plain}/claude/admin/`,
		{ method: 'GET' });
	assert.ok([301, 308].includes(led.status), `${led.status}`);
	assert.match(led.headers.location, /^https:\/\/localhost.*\/claude\/admin\//);
	assert.equal((await ask('/nope')).status, 404);
});

test('a stream comes event by event, also to who would take gzip', async () => {
	const times = [];
	await site.mock.plan(team.accounts[0].secret,
		{ chunks: 10, chunk_delay_ms: 60 });
	const answer = await ask('/claude/v1/messages', {
		method: 'POST', body: message({ stream: true }),
		headers: { authorization: `Bearer ${team.key}`,
			'accept-encoding': 'gzip, br' },
		onData: () => times.push(Date.now()) });
	assert.equal(answer.status, 200, answer.body);
	assert.equal(events(answer.body).at(-1).event, 'message_stop');
	assert.ok(times.at(-1) - times[0] > 400, `${times}`);
	assert.ok(times.length >= 6, `${times.length} pieces`);
});

test('a large body goes up as it is', async () => {
	const body = message({ system: 'x'.repeat(20 << 20) });
	const answer = await ask('/claude/v1/messages',
		{ method: 'POST', key: team.key, body });
	assert.equal(answer.status, 200, answer.body);
	const got = (await site.mock.requests(team.accounts[0].secret)).at(-1);
	assert.equal(got.body_bytes, JSON.stringify(body).length);
});

test('paths go up as they are', async () => {
	for (const id of ['a%2Fb', 'a%20b', 'x:y']) {
		await ask(`/claude/v1/models/${id}?a=%2F&b=x+y`,
			{ key: team.key });
		const got = (await site.mock.requests(
			team.accounts[0].secret)).at(-1);
		assert.equal(got.path, `/v1/models/${id}?a=%2F&b=x+y`);
	}
});

test('administration: its routes, its pages, their headers', async () => {
	const led = await ask('/claude/admin');
	assert.ok([301, 302, 308].includes(led.status));
	assert.match(led.headers.location, /\/claude\/admin\/$/);
	for (const path of ['', 'app.js', 'style.css']) {
		const page = await ask(`/claude/admin/${path}`);
		assert.equal(page.status, 200, path);
		const { headers } = page;
		assert.match(headers['content-security-policy'], /default-src 'self'/);
		assert.equal(headers['x-content-type-options'], 'nosniff');
		assert.equal(headers['x-frame-options'], 'DENY');
		assert.equal(headers['referrer-policy'], 'no-referrer');
	}
	const person = await Person.join(site, 'operator', 'olga');
	const { headers } = await ask('/claude/api/v1/status',
		{ headers: { cookie: person.cookie } });
	assert.match(headers['cache-control'], /no-store/);
	assert.equal((await ask('/claude/api/v1/status')).status, 401);
	assert.equal((await ask('/claude/api/v1/models')).status, 401);
});

test('an address that a client forges is not believed', async () => {
	const only = await site.makeKey('only', '--group', team.name,
		'--from', '203.0.113.9');
	const answer = await ask('/claude/v1/messages', { method: 'POST',
		key: only, body: message(),
		headers: { 'x-forwarded-for': '203.0.113.9' } });
	assert.equal(answer.status, 403, answer.body);
});

// Some clients send their key in the query; the pool is away for a moment, as
// that is when servers write the most.
test('no log of it has a key', async () => {
	const path = `/claude/v1/messages?key=${team.key}`;
	assert.equal((await ask(path, { method: 'POST',
		body: message() })).status, 200);
	const pool = await site.pid('relay-pool');
	process.kill(-pool, 'SIGSTOP');
	const late = ask('/claude/v1/models', { key: team.key,
		signal: AbortSignal.timeout(300) }).catch(() => {});
	await late;
	process.kill(-pool, 'SIGCONT');
	await sleep(300);
	const texts = await site.logs();
	for (const name of await readdir(dir))
		if (/log$|^err$/.test(name))
			texts.push([name, await readFile(join(dir, name), 'utf8')]);
	assert.ok(texts.some(([name, t]) => name === 'access.log' &&
		t.includes('/claude/v1/messages')), 'requests are logged');
	for (const [name, t] of texts)
		assert.ok(!t.includes(team.key), name);
});
