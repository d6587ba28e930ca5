// What a key may do is what the command said last, from the next request on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { call, message } from './lib/http.mjs';
import { Site } from './lib/site.mjs';

let site;

before(async () => { site = await Site.start(); });
after(() => site?.stop());

function refused(answer, status, type, text) {
	assert.equal(answer.status, status, answer.body);
	const { error } = JSON.parse(answer.body);
	assert.equal(error.type, type);
	assert.match(error.message, text);
}

test('a revoked key is refused on the next request', async () => {
	const team = await site.team(1);
	assert.equal((await call(team)).status, 200);
	await site.leasehold(['key', 'revoke', team.name]);
	refused(await call(team), 401, 'authentication_error', /key/);
});

test('so is one that has expired', async () => {
	const team = await site.team(1);
	assert.equal((await call(team)).status, 200);
	await site.leasehold(['key', 'set', '--expires', '1s', team.name]);
	await new Promise(done => setTimeout(done, 1500));
	refused(await call(team), 401, 'authentication_error', /expired/);
});

test('a key may use the models of its list alone', async () => {
	const team = await site.team(1,
		{ keyOptions: ['--models', 'claude-haiku-*,claude-opus-4-5'] });
	refused(await call(team), 403, 'permission_error', /model/);
	for (const model of ['claude-haiku-4-5', 'claude-opus-4-5'])
		assert.equal((await call(team, message({ model }))).status, 200);
	await site.leasehold(['key', 'set', '--models', 'claude-*', team.name]);
	assert.equal((await call(team)).status, 200);
});

test('a key bound to one account uses no other', async () => {
	const team = await site.team(2);
	const [first, second] = team.accounts;
	const name = `${team.name}-bound`;
	const bound = { ...team, name,
		key: await site.makeKey(name, '--account', second.name) };
	for (let i = 0; i < 3; i++)
		assert.equal((await call(bound)).status, 200);
	assert.equal((await site.mock.requests(first.secret)).length, 0);
	assert.equal((await site.mock.requests(second.secret)).length, 3);
});

test('a disabled account is left alone until it is enabled', async () => {
	const team = await site.team(1);
	await site.leasehold(['account', 'disable', team.accounts[0].name]);
	await new Promise(done => setTimeout(done, 400));
	const answer = await call(team);
	assert.ok([429, 503].includes(answer.status), `${answer.status}`);
	await site.leasehold(['account', 'enable', team.accounts[0].name]);
	await new Promise(done => setTimeout(done, 400));
	assert.equal((await call(team)).status, 200);
});
