// Who listens to GET /api/v1/events: through nginx, many at once, and what ends
// it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Raw, call, events, stream } from './lib/http.mjs';
import { Person } from './lib/people.mjs';
import { server } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

let site, team, token;
const crowd = [];	// one may listen twenty times

before(async () => {
	site = await Site.start({ processes: 1,
		set: { admin_processes: 1, admin_threads: 2 } });
	team = await site.team(1, { concurrency: 3 });
	token = await Person.withToken(site, 'listener');
	for (let i = 0; i < 10; i++)
		crowd.push(await Person.withToken(site, `crowd-${i}`));
});
after(() => site?.stop());

// A listener: what was told so far, and when that came.
class Listener {
	static all = [];

	constructor(person) {
		this.text = '';
		this.left = new AbortController();
		this.changed = () => {};
		this.answer = person.ask('GET', '/events', undefined, {
			signal: this.left.signal,
			onData: (data, answer) => {
				this.head = answer;
				this.text += data;
				this.changed();
			},
		}).then(answer => { this.over = answer; this.changed(); },
			error => { this.over = { error }; this.changed(); });
		Listener.all.push(this);
	}

	get states() {
		const whole = this.text.slice(0, this.text.lastIndexOf('\n\n') + 2);
		return events(whole.replace(/^(?::|retry).*\n\n/gm, ''))
			.filter(e => e.event === 'status').map(e => e.data);
	}

	async until(good, what, ms = 10000) {
		const late = Date.now() + ms;
		while (!good(this)) {
			assert.ok(Date.now() < late && !(this.over && !this.text),
				`${what} did not come, but ${this.text} ` +
				`${JSON.stringify(this.over)}`);
			await Promise.race([sleep(100), new Promise(done => {
				this.changed = done;
			})]);
		}
		return this;
	}

	state(good = () => true, what = 'a state') {
		return this.until(l => good(l.states.at(-1) ?? {}) &&
			l.states.length > 0, what);
	}

	leave() {
		this.left.abort();
		return this.answer;
	}
}

// Where the web server does not tell that they left, a new pool knows nothing of
// them.
async function leaveAll() {
	await Promise.all(Listener.all.map(l => l.leave()));
	Listener.all.length = 0;
	if (!server.tells)
		await site.quickstart('--restart');
}

const mine = state => state.accounts?.find(
	a => a.name === team.accounts[0].name);

describe('a listener', () => {
	test('is told the state, and each change', async () => {
		const l = await new Listener(token).state();
		assert.equal(l.head.status, 200);
		assert.equal(l.head.headers['content-type'], 'text/event-stream');
		assert.match(l.head.headers['cache-control'], /no-store/);
		assert.equal(mine(l.states[0]).leases, 0);
		assert.equal(mine(l.states[0]).state, 'closed');
		const { requests } = l.states[0].totals;

		const running = stream(team, { model: 'mock-slow-40x100ms' });
		await l.state(s => s.open_requests === 1 && mine(s).leases === 1,
			'an open request');
		assert.equal((await running).status, 200);
		await l.state(s => s.open_requests === 0 && mine(s).leases === 0 &&
			s.totals.requests === requests + 1, 'its end');
		assert.ok(l.states.at(-1).totals.tokens > 0);
		await site.leasehold(['account', 'disable',
			team.accounts[0].name]);
		await l.state(s => mine(s).state === 'disabled', 'a new state');
		await site.leasehold(['account', 'enable',
			team.accounts[0].name]);
		await leaveAll();
	});

	test('is told nothing while nothing changes, but pinged', async () => {
		const l = await new Listener(token).state();
		await sleep(2500);
		const { length } = l.states;
		await l.until(() => /^: ping$/m.test(l.text), 'a ping', 20000);
		assert.equal(l.states.length, length);
		await leaveAll();
	});

	test('has to be an operator, and signed in', async () => {
		const user = await Person.join(site, 'user', 'uwe');
		assert.equal((await user.ask('GET', '/events')).json.code, 40301);
		assert.equal((await new Person(site).ask('GET', '/events'))
			.json.code, 40101);
		const head = await token.ask('HEAD', '/events');
		assert.equal(head.status, 200);
	});
});

describe('it ends', () => {
	test('when the listener signs out', async () => {
		const olga = await Person.join(site, 'operator', 'olga');
		const l = await new Listener(olga).state();
		const other = await new Listener(token).state();
		assert.equal((await olga.ask('POST', '/auth/logout')).status, 200);
		await l.until(() => l.over, 'its end');
		assert.match(l.text, /^event: end$/m);
		assert.equal(l.over.ended, 'end');
		assert.equal(other.over, undefined);
		await leaveAll();
	});

	test('when the listener is disabled', async () => {
		const olaf = await Person.join(site, 'operator', 'olaf');
		const l = await new Listener(olaf).state();
		const { items } = (await token.ask('GET', '/admin/users')).json;
		const { id } = items.find(p => p.name === 'olaf');
		assert.equal((await token.ask('PATCH', `/admin/users/${id}`,
			{ enabled: false })).status, 200);
		await l.until(() => l.over, 'its end');
		assert.match(l.text, /^event: end$/m);
		await leaveAll();
	});
});

describe('many listen', () => {
	test('100 at once, and other routes answer', async () => {
		const list = Array.from({ length: 100 },
			(_, i) => new Listener(crowd[i % 10]));
		await Promise.all(list.map(l => l.state()));
		const from = Date.now();
		for (let i = 0; i < 20; i++)
			assert.equal((await token.ask('GET', '/status')).status, 200);
		assert.ok(Date.now() - from < 5000, `${Date.now() - from} ms`);
		assert.equal((await call(team)).status, 200);
		const { requests } = list[0].states[0].totals;
		await Promise.all(list.map(l => l.state(
			s => s.totals.requests > requests, 'the request')));
		await leaveAll();
	});

	test('no more than 200 in a responder', async () => {
		const list = Array.from({ length: 200 },
			(_, i) => new Listener(crowd[i % 10]));
		await Promise.all(list.map(l => l.state()));
		const answer = await token.ask('GET', '/events');
		assert.equal(answer.json.code, 42901);
		assert.ok(Number(answer.headers['retry-after']) > 0);
		await leaveAll();
	});

	// Where it is not told that they left, what is written next finds it out.
	test('places are free as soon as they left', async () => {
		const stays = await new Listener(token).state();
		const many = () => Promise.all(Array.from({ length: 199 },
			(_, i) => new Listener(crowd[i % 10]).state()));
		await Promise.all((await many()).map(l => l.leave()));
		for (let i = 1; i <= server.pings; i++) {
			await site.leasehold(['account', 'set',
				team.accounts[0].name, '--concurrency', String(10 + i)]);
			await stays.state(s => mine(s).concurrency === 10 + i,
				'a change');
		}
		await sleep(500);
		await many();
		await leaveAll();
	});

	test('of whom one reads nothing', async () => {
		const deaf = await Raw.open(site.port);
		deaf.socket.pause();
		deaf.send(`GET ${new URL(site.url).pathname.replace(/\/$/, '')}` +
			'/api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: ' +
			`${token.headers.authorization}\r\n\r\n`);
		const l = await new Listener(token).state();
		for (let i = 1; i <= 3; i++) {
			await site.leasehold(['account', 'set',
				team.accounts[0].name, '--concurrency', String(3 + i)]);
			await l.state(s => mine(s).concurrency === 3 + i, 'a change');
			assert.equal((await token.ask('GET', '/status')).status, 200);
		}
		deaf.close();
		await leaveAll();
	});
});

test('a new pool ends them, and they come again', async () => {
	const list = Array.from({ length: 20 }, () => new Listener(token));
	await Promise.all(list.map(l => l.state()));
	const from = Date.now();
	await site.quickstart('--restart');
	await Promise.all(list.map(l => l.until(() => l.over, 'its end')));
	assert.ok(Date.now() - from < 9000, `${Date.now() - from} ms`);
	for (const l of list) {
		assert.equal(l.over.ended, 'end');
		assert.doesNotMatch(l.text, /^event: end$/m);
	}
	await new Listener(token).state();
	await leaveAll();
});
