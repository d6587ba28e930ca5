// A new master key under running responders: nobody notices.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, request, stream } from './lib/http.mjs';
import { Site } from './lib/site.mjs';

let site, team;

before(async () => {
	site = await Site.start();
	team = await site.team(2);
});
after(() => site?.stop());

async function masterKeys() {
	const file = (await site.leasehold(['config', 'show']))
		.match(/^master_key_file = (.*)$/m)[1];
	return (await readFile(file, 'utf8')).split('\n')
		.filter(line => line && !line.startsWith('#'));
}

test('requests go on while the master key changes', async () => {
	const [first] = await masterKeys();
	const statuses = [];
	let over = false;
	const client = async (send, more) => {
		while (!over)
			statuses.push((await send(team, more)).status);
	};
	const slow = stream(team, { model: 'mock-slow-20x100ms' });
	const clients = [client(call), client(call), client(call),
		client(stream, { model: 'mock-slow-3x20ms' })];
	for (let i = 0; i < 4; i++) {
		await sleep(400);
		const done = await site.json('rekey');
		assert.equal(done.resealed, 2);
	}
	await sleep(400);
	over = true;
	await Promise.all(clients);
	const last = await slow;
	assert.equal(last.status, 200);
	assert.match(last.body, /event: message_stop/);
	assert.ok(statuses.length > 20);
	assert.deepEqual(statuses.filter(s => s !== 200), []);
	const keys = await masterKeys();
	assert.equal(keys.length, 1);
	assert.notEqual(keys[0], first);
});

test('every responder goes by the new key', async () => {
	const renewed = (await site.logs()).map(([, text]) => text).join('')
		.match(/master_key_renewed/g);
	assert.ok(renewed.length >= 2);

	// What is sealed under the new key alone can be used ...
	const added = await site.team(1);
	const answers = await Promise.all(
		Array.from({ length: 10 }, () => call(added)));
	assert.deepEqual(answers.map(a => a.status), Array(10).fill(200));
	assert.equal((await site.mock.requests(added.accounts[0].secret)).length,
		10);

	// ... and what is signed with it is known.
	const doctor = await site.tryLeasehold(
		['--json', 'doctor', '--url', site.url, '--silence', '0']);
	assert.doesNotMatch(doctor.stdout, /does not know doctor's token/);
});

test('the admin responder goes on', async () => {
	const token = (await site.leasehold(
		['token', 'create', '--name', 'rekey'])).trim();
	site.secrets.push(token);
	const ask = () => request(`${site.url}/api/v1/status`, { method: 'GET',
		headers: { authorization: `Bearer ${token}` } });
	assert.equal((await ask()).status, 200);
	await site.leasehold(['rekey']);
	const answer = await ask();
	assert.equal(answer.status, 200);
	assert.deepEqual(JSON.parse(answer.body).responders.map(r => r.kind),
		['admin', 'relay', 'relay']);
});
