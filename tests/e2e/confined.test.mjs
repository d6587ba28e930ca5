// Administration that is open to some addresses alone, has one of its own, or
// is on another host.
// Store: any.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { globalAgent } from 'node:http';
import { after, before, test } from 'node:test';
import { until } from './lib/hosts.mjs';
import { call, request } from './lib/http.mjs';
import { Person } from './lib/people.mjs';
import { ownAddress, trustProxies } from './lib/server.mjs';
import { freePort, Site } from './lib/site.mjs';

let site, team, token, settings;

before(async () => {
	site = await Site.start({ processes: 1, set: { admin_processes: 1,
		trusted_proxies: '127.0.0.1' } });
	team = await site.team(1);
	await trustProxies(site);
	token = await Person.withToken(site, 'script');
	settings = await readFile(site.conf, 'utf8');
});
after(() => site?.stop());

// SIGHUP, as multiwatch passes SIGUSR2 on.
async function set(more) {
	await writeFile(site.conf, settings + more);
	for (const pool of ['relay-pool', 'admin-pool'])
		process.kill(await site.pid(pool), 'SIGUSR2');
}

const status = (from) => token.ask('GET', '/status', undefined,
	{ headers: { 'x-forwarded-for': from } });

test('open to all without a word', async () => {
	assert.equal((await status('203.0.113.9')).status, 200);
	assert.equal((await call(team)).status, 200);
});

test('admin_from: from there alone', async () => {
	await set('admin_from = 192.168.7.0/24\n');
	await until('the setting', async () =>
		(await status('203.0.113.9')).status === 403);
	const answer = await status('203.0.113.9');
	assert.equal(answer.json.code, 40301);
	assert.match(answer.json.error, /not open to this address/);
	assert.equal((await status('192.168.7.9')).status, 200);

	// Signing in is administration, too; asked before any password.
	const signIn = await token.ask('POST', '/auth/login',
		{ name: 'nobody', password: 'none' },
		{ headers: { 'x-forwarded-for': '203.0.113.9' } });
	assert.equal(signIn.json.code, 40301);

	// Model calls, and what a client's key opens, are for all.
	assert.equal((await call(team)).status, 200);
	const mine = await request(`${site.url}/api/v1/me/usage`,
		{ method: 'GET', key: team.key });
	assert.notEqual(mine.status, 403);

	// Doctor is not among them, and says so.
	const { stdout } = await site.tryLeasehold(
		['--json', 'doctor', '--silence', '0']);
	const finding = JSON.parse(stdout).checks
		.find(f => f.name === 'admin_route');
	assert.equal(finding.verdict, 'ok', JSON.stringify(finding));
	assert.match(finding.seen, /admin_from/);
});

test('the audit log has the client behind a proxy', async () => {
	await set('');
	await until('the setting', async () =>
		(await status('203.0.113.9')).status === 200);
	const made = await token.ask('POST', '/groups', { name: 'far' },
		{ headers: { 'x-forwarded-for': '203.0.113.9' } });
	assert.equal(made.status, 201);
	const logs = (await token.ask('GET', '/logs?verb=group.add')).json;
	assert.equal((logs.items ?? logs)[0].address, '203.0.113.9');
});

test('routes = relay: administration is elsewhere', async () => {
	await set('routes = relay\n');
	await until('the setting', async () =>
		(await status('10.0.0.1')).status === 404);
	assert.equal((await status('10.0.0.1')).json.code, 40401);
	assert.equal((await call(team)).status, 200);
});

test('routes = admin: model calls are elsewhere', async () => {
	await set('routes = admin\n');
	await until('the setting', async () =>
		(await call(team)).status === 404);
	const answer = await call(team);
	assert.equal(JSON.parse(answer.body).error.type, 'not_found_error');
	assert.equal((await status('10.0.0.1')).status, 200);
	assert.equal((await request(`${site.url}/health`,
		{ method: 'GET' })).status, 200);
	await set('');
	await until('the setting', async () =>
		(await call(team)).status === 200);
});

test('an address of its own', async () => {
	const port = await freePort();
	await ownAddress(site, port);
	// The old one's workers close what is kept to them meanwhile.
	await until('the new web server', async () =>
		(await status('10.0.0.1').catch(() => null))?.status === 404);
	globalAgent.destroy();
	assert.equal((await call(team)).status, 200);
	const own = `http://127.0.0.1:${port}`;
	const inside = await request(`${own}/api/v1/status`, {
		method: 'GET', headers: token.headers });
	assert.equal(inside.status, 200);
	const outside = await request(`${site.url}/admin/`,
		{ method: 'GET' });
	assert.equal(outside.status, 404);
	for (const [path, is] of [['/admin/', 200], ['/v1/models', 404]]) {
		const page = await request(own + path, { method: 'GET' });
		assert.equal(page.status, is, path);
	}
});
