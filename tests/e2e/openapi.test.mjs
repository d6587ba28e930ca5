// The OpenAPI document: well-formed, and what is answered is as it says, of
// every route that reads and of those that change something.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { call, message, request, stream } from './lib/http.mjs';
import { Description } from './lib/openapi.mjs';
import { Person, password } from './lib/people.mjs';
import { Site } from './lib/site.mjs';

let site, team, description, ann;
const seen = [];

before(async () => {
	site = await Site.start({ processes: 1 });
	ann = await Person.join(site, 'admin', 'ann');
	const answer = await new Person(site).ask('GET', '/openapi.json');
	assert.equal(answer.status, 200, answer.body);
	description = new Description(answer.json);
	team = await site.team(2, { concurrency: 2 });
});
after(() => site?.stop());

// Ask, and see whether the answer is as described; its JSON.
async function ask(method, path, body, { by = ann, status } = {}) {
	const answer = await by.ask(method, path, body);
	seen.push({ method, path, body, status: answer.status,
		answer: answer.json });
	assert.equal(answer.status, status ?? (answer.status === 201 ? 201 : 200),
		`${method} ${path}: ${answer.body}`);
	description.look(method, path, body, answer);
	return answer.json;
}

const get = (path, options) => ask('GET', path, undefined, options);
const remove = path => ask('DELETE', path);

// What was found since the last time, told.
function assertDescribed() {
	const mistakes = [...new Set(description.mistakes)];
	description.mistakes.length = 0;
	assert.deepEqual(mistakes, []);
}

test('the document is valid', async () => {
	const { valid, errors } = await new Validator().validate(
		structuredClone(description.document));
	assert.ok(valid, JSON.stringify(errors, undefined, 1));
	assert.equal(description.document.openapi.slice(0, 4), '3.1.');
	const { pathname } = new URL(site.url);
	assert.equal(description.document.servers[0].url,
		`${pathname.replace(/\/$/, '')}/api/v1`);
});

test('groups, users, budgets', async () => {
	const group = await ask('POST', '/groups', { name: 'g1',
		strategy: 'weighted', concurrency: 5 });
	await ask('PATCH', `/groups/${group.id}`, { name: 'g2' });
	await get('/groups?page=1&limit=10');
	await get(`/groups/${group.id}`);
	const user = await ask('POST', '/admin/users', { name: 'uma',
		concurrency: 3, role: 'user', enabled: true });
	await ask('PATCH', `/admin/users/${user.id}`, { concurrency: 4 });
	await ask('POST', '/api-keys', { name: 'uma-key', user: 'uma',
		group: 'g2' });
	const budgets = [
		{ on: 'user', of: 'uma', counts: 'money', limit: 5000000000,
			period: 'month', zone: 'Europe/Berlin', policy: 'strict' },
		{ on: 'key', of: 'uma-key', counts: 'tokens', limit: 1000,
			period: 'rolling', length_ms: 18000000, models: 'claude-*' },
		{ on: 'group', of: 'g2', counts: 'requests', limit: 1,
			name: 'few' },
	];
	for (const body of budgets)
		await ask('POST', '/budgets', body);
	const { items } = await get('/budgets');
	await get(`/budgets/${items[0].id}`);
	await ask('PATCH', `/budgets/${items[0].id}`, { enabled: false });
	await get('/admin/users');
	await get(`/admin/users/${user.id}`);
	await remove(`/budgets/${items[0].id}`);
	await ask('POST', '/admin/users', { name: 'uma' }, { status: 409 });
	await ask('POST', '/groups', { name: 1 }, { status: 400 });
	assertDescribed();
});

test('an export, and back', async () => {
	const passphrase = 'a passphrase for a file';
	const doc = await ask('POST', '/export', { passphrase, password });
	site.secrets.push(passphrase);
	await ask('POST', '/export', { passphrase, password: 'another one' },
		{ status: 403 });
	const { done } = await ask('POST', '/import', { passphrase,
		file: JSON.stringify(doc), existing: 'skip', dry_run: true });
	assert.ok(done.length > 0 && done.every(d => d.done === 'skipped'));
	await ask('POST', '/import', { from: 'env', group: 'g2', existing: 'skip',
		file: 'CLAUDE_API_KEY=sk-ant-api03-x' });
	await ask('POST', '/import', { file: 'x' }, { status: 400 });
	assertDescribed();
});

test('keys', async () => {
	const key = await ask('POST', '/api-keys', { name: 'k1', user: 'uma',
		models: 'claude-*', concurrency: 2, clients: 'claude-code, ua:x*',
		from: '10.0.0.0/8', rate: '10/1m', queue_class: 'low',
		budget_nusd: 1000000000, drain_s: 5, enabled: true,
		expires_ms: Date.now() + 86400000 });
	site.secrets.push(key.key);
	await ask('PATCH', `/api-keys/${key.id}`, { group: 'g2',
		expires_at: null });
	const rotated = await ask('POST', `/api-keys/${key.id}/rotate`,
		{ overlap_s: 60 });
	site.secrets.push(rotated.key);
	const bulk = await ask('POST', '/api-keys/bulk',
		{ keys: [{ name: 'b1' }, { name: 'b2', user: 'uma' }] });
	site.secrets.push(...bulk.items.map(k => k.key));
	await ask('PATCH', '/api-keys/bulk', { ids: bulk.items.map(k => k.id),
		set: { concurrency: 7 } });
	await get('/api-keys');
	await get(`/api-keys/${key.id}`);
	await remove(`/api-keys/${bulk.items[0].id}`);
	assertDescribed();
});

test('accounts', async () => {
	const account = await ask('POST', '/admin/accounts', { name: 'a1',
		platform_type: 'claude', request_url: site.mock.url,
		credential: 'api_key', secret_key: 'sk-mock-a1', group: 'g2',
		priority: 20, weight: 5, concurrency: 3, models: 'claude-*',
		proxy: 'http://u@127.0.0.1:9', proxy_password: 'secret-of-proxy' });
	site.secrets.push('sk-mock-a1', 'secret-of-proxy');
	const oauth = await ask('POST', '/admin/accounts', { name: 'a2',
		credential: 'oauth', platform_type: 'claude',
		request_url: site.mock.url, authorize_url: `${site.mock.url}/a`,
		token_url: `${site.mock.url}/t`, client_id: 'c', scopes: 's',
		redirect_uri: 'http://127.0.0.1/cb', token_format: 'json' });
	await ask('PATCH', `/admin/accounts/${account.id}`,
		{ enabled: false, proxy: '' });
	await get('/admin/accounts?platform_type=claude&page=1&limit=5');
	await get('/admin/accounts?group=g2&state=disabled&q=a');
	await get(`/admin/accounts/${account.id}`);
	await get(`/admin/accounts/${oauth.id}`);
	await get(`/admin/accounts/${account.id}/why-not?key=uma-key` +
		'&model=claude-sonnet-4-5');
	const { items } = await get('/admin/accounts');
	const first = items.find(a => a.name === team.accounts[0].name);
	await get(`/admin/accounts/${first.id}/why-not?key=${team.name}` +
		'&model=claude-sonnet-4-5&session=s');
	await ask('POST', `/admin/accounts/${account.id}/wake`);
	const begun = await ask('POST',
		`/admin/accounts/${oauth.id}/oauth/start`);
	await ask('POST', `/admin/accounts/${oauth.id}/oauth/finish`,
		{ state: `${begun.state}x`, code: 'c' }, { status: 404 });
	await ask('POST', `/admin/accounts/${oauth.id}/oauth/import`,
		{ access_token: 'at-mock-a2', refresh_token: 'rt-mock-a2' });
	site.secrets.push('at-mock-a2', 'rt-mock-a2');
	const added = await ask('POST', '/admin/accounts/oauth/start', {
		name: 'a3', platform_type: 'claude', request_url: site.mock.url,
		authorize_url: `${site.mock.url}/a`,
		token_url: `${site.mock.url}/t`, client_id: 'c',
		redirect_uri: 'http://127.0.0.1/cb' });
	await ask('POST', '/admin/accounts/oauth/finish',
		{ state: added.state, code: 'c' }, { status: 409 });
	const tried = await ann.ask('POST',
		`/admin/accounts/${first.id}/test`, { model: 'claude-sonnet-4-5' });
	description.asked.add('POST /admin/accounts/{id}/test');
	const events = [...tried.body.matchAll(/^event: (.*)\ndata: (.*)$/gm)]
		.map(([, name, data]) => ({ name, data: JSON.parse(data) }));
	assert.equal(events[0].name, 'step', tried.body);
	assert.ok(events.some(e => e.name === 'text'), tried.body);
	assert.equal(events.at(-1).name, 'done');
	assert.equal(events.at(-1).data.ok, true, tried.body);
	const kinds = description.document
		.paths['/admin/accounts/{id}/test'].post['x-events'];
	description.lookAt('the end of a test', kinds.done.$ref,
		events.at(-1).data);
	await remove(`/admin/accounts/${account.id}`);
	assertDescribed();
});

test('prices, aliases, objects', async () => {
	const price = await ask('POST', '/prices', { model: 'new-*',
		input_nusd_mtok: 3000000000, output_nusd_mtok: 15000000000,
		valid_from_ms: Date.now() + 86400000 });
	await get('/prices');
	await get('/doctor');
	await get('/admin/tokens');
	await ask('POST', '/admin/tokens', { name: 'all', read_only: true });
	await ask('POST', '/ledger/verify');
	await ask('POST', '/ledger/prune', { days: 30 });
	await ask('POST', '/ledger/prune', {}, { status: 400 });
	await ask('POST', '/reconcile', { tolerance: '0.5',
		report: 'usage_date_utc,model_version,' +
		'usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,' +
		'usage_input_tokens_cache_write_1h,' +
		'usage_input_tokens_cache_read,usage_output_tokens,' +
		'web_search_count\n2026-11-01,claude-x,10,0,0,0,5,0\n' });
	await get('/prices?all=1');
	await get(`/prices/${price.id}`);
	const next = await ask('PATCH', `/prices/${price.id}`,
		{ output_nusd_mtok: 16000000000,
			valid_from_ms: Date.now() + 2 * 86400000 });
	await remove(`/prices/${next.id}`);
	await ask('POST', '/prices/import', {});
	const alias = await ask('POST', '/aliases', { on: 'group', of: 'g2',
		alias: 'opus', model: 'claude-opus-4-5' });
	await get('/aliases');
	await get('/aliases?group=g2');
	await get(`/aliases/${alias.id}`);
	await ask('PATCH', `/aliases/${alias.id}`,
		{ model: 'claude-opus-4-1' });
	await remove(`/aliases/${alias.id}`);

	const made = await request(`${site.url}/v1/messages/batches`, {
		key: team.key, body: { requests: [{ custom_id: 'one',
			params: message() }] } });
	assert.equal(made.status, 200, made.body);
	const { items } = await get(`/objects?key=${team.name}&kind=batch` +
		'&limit=10');
	await get(`/objects/${items[0].id}`);
	await get('/objects/lost?limit=10');
	await ask('POST', '/objects/forget',
		{ account: team.accounts[1].name, before_ms: 1 });
	await remove(`/objects/${items[0].id}`);
	assertDescribed();
});

// Of good, bad and open requests, and one that waits.
async function use() {
	const [one] = team.accounts;
	await call(team);
	await call(team, message({ model: 'no-such-model' }));
	await site.mock.plan(one.secret, { status: 429,
		headers: { 'retry-after': '300' } });
	await call(team);
	return Array.from({ length: 4 }, () => stream(team,
		{ model: 'mock-slow-30x100ms' }));
}

test('what goes on, and what went', async () => {
	const running = await use();
	for (let i = 0; i < 50; i++, await sleep(50))
		if ((await ann.ask('GET', '/status')).json.queue.waiting > 0)
			break;
	await ask('POST', '/jobs/probe/run');
	await get('/jobs');
	const status = await get('/status');
	const queue = await get('/queue/status');
	const workers = await get('/workers');
	assert.ok(queue.requests?.length ?? queue.items?.length,
		JSON.stringify(queue));
	assert.ok(workers.leases.length > 0, JSON.stringify(workers));
	assert.ok(status.accounts.some(a => a.cooldowns.length > 0));
	const events = new AbortController();
	const told = await new Promise((done, fail) => {
		let text = '';
		ann.ask('GET', '/events', undefined, { signal: events.signal,
			onData: d => {
				text += d;
				if (/^data: .*\n\n/m.test(text))
					done(text);
			} }).catch(fail);
	});
	events.abort();
	description.asked.add('GET /events');
	const name = description.document.paths['/events'].get
		['x-events'].status.$ref;
	description.lookAt('the event status', name,
		JSON.parse(told.match(/^data: (.*)$/m)[1]));
	await Promise.all(running);
	const { items } = await get(`/requests?key=${team.name}&limit=3`);
	const { items: failed } = await get('/requests?outcome=ok&since_ms=1' +
		'&model=mock-*');
	await get(`/requests/${items[0].id}`);
	await get(`/requests/${failed[0].id}`);
	const all = (await get(`/requests?before=${items.at(-1).id}`)).items;
	for (const { id } of all)
		await get(`/requests/${id}`);
	await get('/usage');
	await get('/usage?by=key,user,account,group,model&per=hour&from=24h' +
		'&zone=Europe/Berlin');
	const csv = await ann.ask('GET', '/usage?format=csv&per=day');
	assert.match(csv.headers['content-type'], /^text\/csv/);
	assert.ok(description.document.paths['/usage'].get.responses[200]
		.content['text/csv']);
	const mine = await request(`${site.url}/api/v1/me/usage?zone=UTC`,
		{ method: 'GET', key: team.key });
	mine.json = JSON.parse(mine.body);
	seen.push({ method: 'GET', path: '/me/usage', answer: mine.json });
	description.look('GET', '/me/usage?zone=UTC', undefined, mine);
	await get('/settings');
	await get('/host');
	await ask('POST', '/reload');
	await get('/logs');
	await get('/logs?limit=5&verb=key.create&actor=ann&below=1000');
	await get('/status', { by: new Person(site), status: 401 });
	await get('/requests/nonsense', { status: 404 });
	assertDescribed();
});

test('oneself', async () => {
	await get('/auth/me');
	await get('/auth/sign-ins');
	const token = await ask('POST', '/auth/tokens', { name: 'mine',
		expires_ms: Date.now() + 3600000, read_only: true });
	site.secrets.push(token.token);
	const [listed] = await get('/auth/tokens');
	await remove(`/auth/tokens/${listed.id}`);
	const begun = await ask('POST', '/auth/second-factor', { password });
	assert.ok(begun.secret ?? begun.url ?? begun.uri,
		JSON.stringify(begun));
	await ask('PATCH', '/auth/second-factor', { code: '000000' },
		{ status: 400 });
	await ask('DELETE', '/auth/second-factor', { password });
	const invited = await ask('POST', '/admin/invitations',
		{ role: 'operator' });
	site.secrets.push(invited.invitation);
	const invitations = await get('/admin/invitations');
	await remove(`/admin/invitations/${(invitations.items ??
		invitations)[0].id}`);
	const bob = new Person(site);
	bob.name = 'bob';
	const open = await ann.ask('POST', '/admin/invitations',
		{ role: 'user' });
	const joined = await ask('POST', '/auth/register', {
		invitation: open.json.invitation, name: 'bob', password },
	{ by: bob });
	assert.equal(joined.name, 'bob');
	await bob.signIn();
	const again = await ask('POST', '/auth/login',
		{ name: 'bob', password }, { by: new Person(site) });
	assert.equal(again.name, 'bob');
	await ask('POST', '/auth/login', { name: 'bob', password: 'wrong' },
		{ by: new Person(site), status: 401 });
	await ask('PATCH', '/auth/me', { password,
		new_password: 'another long password' }, { by: bob });
	await ask('GET', '/admin/users', undefined, { by: bob, status: 403 });
	await ask('POST', '/auth/logout', undefined, { by: bob });
	assertDescribed();
});

test('notifications', async () => {
	const target = await ask('POST', '/notify/targets', { kind: 'webhook',
		name: 'hook', address: 'http://127.0.0.1:1/x', lang: 'zh',
		events: ['account.parked', 'budget.100'], quiet: '22:00-07:00' });
	assert.match(target.secret, /^whsec_/);
	await get('/notify/targets');
	const path = `/notify/targets/${target.id}`;
	assert.ok(!('secret' in await get(path)));
	const changed = await ask('PATCH', path, { name: 'bell', quiet: '',
		interval_ms: 0, enabled: false, secret: '' });
	assert.notEqual(changed.secret, target.secret);
	const told = await ask('POST', `${path}/test`);
	assert.deepEqual([told.taken, told.status], [false, 0]);
	await ask('POST', `${path}/test`);
	const { items, next } = await get('/notify/deliveries?limit=1');
	assert.equal(next, items[0].id);
	const rest = await get(`/notify/deliveries?before=${next}&target=bell`);
	assert.deepEqual(rest.items.map(d => d.state), ['waiting']);
	assert.equal(rest.next, null);
	await remove(path);
	const verbs = (await get('/logs?limit=1000')).items ??
		await get('/logs?limit=1000');
	assert.deepEqual(verbs.map(r => r.verb).filter(v =>
		v.startsWith('notify')), ['notify.remove', 'notify.test',
		'notify.test', 'notify.set', 'notify.add']);
	assert.ok(!JSON.stringify(verbs).includes('whsec_'));
});

test('every route that reads was asked', async () => {
	if (process.env.LEASEHOLD_ANSWERS)
		await writeFile(process.env.LEASEHOLD_ANSWERS,
			JSON.stringify(seen, undefined, '\t'));
	description.asked.add('GET /openapi.json');
	const reads = Object.entries(description.document.paths)
		.filter(([, item]) => item.get && !item.servers)
		.map(([path]) => `GET ${path}`);
	assert.deepEqual(reads.filter(r => !description.asked.has(r)), []);
});
