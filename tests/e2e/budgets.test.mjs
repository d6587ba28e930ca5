// Budgets of every kind, on keys, users and groups, and set with the command
// while requests run.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onMysql, vanish } from './lib/database.mjs';
import { until } from './lib/hosts.mjs';
import { call, events, message, stream } from './lib/http.mjs';
import { Site } from './lib/site.mjs';

let site;

before(async () => { site = await Site.start(); });
after(() => site?.stop());

const budget = (...args) => site.leasehold(['budget', ...args]);
const show = name => site.json('budget', 'show', name);

// Responders read a change with their next batch, at the latest in a beat.
async function change(...args) {
	await budget(...args);
	await sleep(300);
}

// Settled: nothing is reserved any more.
async function settled(name) {
	for (let i = 0; i < 100; i++) {
		const b = await show(name);
		if (b.reserved === 0)
			return b;
		await sleep(50);
	}
	throw new Error(`something of ${name} stays reserved`);
}

describe('a budget', () => {
	test('of requests a day is used up after so many, until midnight there',
		async () => {
			const team = await site.team(1);
			await change('add', '--key', team.name, '--requests', '2',
				'--period', 'day', '--zone', 'Asia/Kathmandu',
				'--name', 'two');
			assert.equal((await call(team)).status, 200);
			assert.equal((await call(team)).status, 200);
			const refused = await call(team);
			assert.equal(refused.status, 429, refused.body);
			assert.ok(Number(refused.headers['retry-after']) > 0);
			const b = await settled('two');
			assert.equal(b.spent, 2);
			assert.equal(b.left, 0);
			assert.match(b.renews, /T00:00:00\+05:45$/);
			assert.ok(b.renews_ms > Date.now() &&
				b.renews_ms <= Date.now() + 86400000);
			const { notes } = await site.json('key', 'show', team.name);
			assert.ok(notes.some(n => n.includes('"two" is used up')));
		});

	test('of a user holds for all keys of the user, and for no other',
		async () => {
			const team = await site.team(1);
			const name = `user-of-${team.name}`;
			await site.leasehold(['user', 'add', name]);
			const others = [];
			for (const n of ['b', 'c'])
				others.push({ ...team, name: team.name + n,
					key: await site.makeKey(team.name + n, '--group',
						team.name, ...n === 'b' ? ['--user', name] : []) });
			await site.leasehold(['key', 'set', team.name, '--user', name]);
			await change('add', '--user', name, '--requests', '2',
				'--period', 'rolling', '--length', '5h');
			assert.equal((await call(team)).status, 200);
			assert.equal((await call(others[0])).status, 200);
			assert.equal((await call(team)).status, 429);
			assert.equal((await call(others[0])).status, 429);
			assert.equal((await call(others[1])).status, 200);
			const b = await settled(`${name}-requests-rolling`);
			assert.equal(b.spent, 2);
			assert.ok(b.renews_ms >= Date.now() + 4.9 * 3600000);
		});

	test('of a group counts the tokens of its keys', async () => {
		const team = await site.team(1);
		await site.mock.plan(team.accounts[0].secret,
			{ count: 0, input_tokens: 100, chunks: 20 });
		const names = ['tokens', 'input_tokens', 'output_tokens'];
		for (const kind of names)
			await budget('add', '--group', team.name,
				`--${kind.replace('_', '-')}`, '1000000', '--name',
				`${team.name}-${kind}`);
		await sleep(300);
		assert.equal((await call(team)).status, 200);
		assert.equal((await stream(team)).status, 200);
		const [row] = await site.ledger(team, { count: 2 });
		for (const kind of names) {
			const b = await settled(`${team.name}-${kind}`);
			const one = { tokens: row.input_tokens + row.output_tokens,
				input_tokens: row.input_tokens,
				output_tokens: row.output_tokens }[kind];
			assert.equal(b.spent, 2 * one, kind);
		}
	});

	test('of a model leaves the others alone', async () => {
		const team = await site.team(1);
		await change('add', '--key', team.name, '--money', '0',
			'--models', 'claude-opus*');
		const opus = message({ model: 'claude-opus-4-5' });
		assert.equal((await call(team, opus)).status, 402);
		assert.equal((await call(team)).status, 200);
	});
});

describe('a budget that is changed under way', () => {
	let team;

	// A stream of two seconds, once it has begun.
	async function begin() {
		let begun;
		const first = new Promise(done => { begun = done; });
		const whole = stream(team, { max_tokens: 1000 },
			{ onData: () => begun() });
		await first;
		return { whole };
	}

	const ends = answer => events(answer.body).at(-1).event;

	before(async () => {
		team = await site.team(1);
		await site.mock.plan(team.accounts[0].secret, { chunks: 20,
			chunk_delay_ms: 100, input_tokens: 100, count: 0 });
		await change('add', '--key', team.name, '--tokens', '100000',
			'--name', 'moving', '--policy', 'strict');
	});

	test('is lowered: what runs ends well, what comes is refused',
		async () => {
			const { whole } = await begin();
			assert.ok((await show('moving')).reserved > 1000);
			await change('set', 'moving', '--tokens', '50');
			const refused = await call(team);
			assert.ok([402, 429].includes(refused.status), refused.body);
			const answer = await whole;
			assert.equal(ends(answer), 'message_stop');
			const b = await settled('moving');
			assert.ok(b.spent > 100);
			assert.equal(b.left, 0);
			assert.equal((await call(team)).status, 402);
			await change('set', 'moving', '--tokens', '100000');
			assert.equal((await call(team)).status, 200);
		});

	test('cannot be removed while it is held, but is switched off',
		async () => {
			const { whole } = await begin();
			const r = await site.tryLeasehold(['budget', 'remove',
				'moving']);
			assert.equal(r.status, 4, r.stderr);
			assert.match(r.stderr, /switched off now/);
			await whole;
			const b = await settled('moving');
			assert.equal(b.enabled, false);
			await budget('remove', 'moving');
			const { budgets } = await site.json('key', 'show', team.name);
			assert.deepEqual(budgets, []);
			await sleep(300);
			assert.equal((await call(team)).status, 200);
		});
});

test('sixty budgets hold for one key, and each counts', { timeout: 120000 },
	async () => {
		const team = await site.team(1, { concurrency: 20 });
		const user = `user-of-${team.name}`;
		await site.mock.plan(team.accounts[0].secret,
			{ count: 0, chunks: 5, input_tokens: 100 });
		await site.leasehold(['user', 'add', user]);
		await site.leasehold(['key', 'set', team.name, '--user', user]);
		const on = [['key', team.name], ['user', user], ['group', team.name]];
		const kinds = ['money', 'tokens', 'input-tokens', 'output-tokens',
			'requests'];
		const add = i => budget('add', `--${on[i % 3][0]}`, on[i % 3][1],
			`--${kinds[i % 5]}`, String(1000000 - i), '--name', `sixty-${i}`,
			'--period', i % 2 ? 'day' : 'total');
		for (let i = 0; i < 60; i += 10)
			await Promise.all(Array.from({ length: 10 }, (_, k) => add(i + k)));
		await sleep(300);
		const answers = await Promise.all(Array.from({ length: 10 },
			(_, i) => (i % 2 ? call : stream)(team)));
		for (const a of answers) {
			assert.equal(a.status, 200, a.body);
			assert.equal(a.headers['x-leasehold-budget-requests-limit'],
				String(1000000 - 59));
		}
		const all = async () => (await site.json('budget', 'list'))
			.filter(b => b.name.startsWith('sixty-'));
		const rows = await site.ledger(team, { count: 10 });
		const sum = name => rows.reduce((n, row) => n + row[name], 0);
		const spent = { money: sum('cost_nusd'), requests: 10,
			input_tokens: sum('input_tokens'),
			output_tokens: sum('output_tokens'),
			tokens: sum('input_tokens') + sum('output_tokens') };
		assert.equal(spent.input_tokens, 1000);
		const list = await all();
		assert.equal(list.length, 60);
		for (const b of list) {
			assert.equal(b.spent, spent[b.counts], b.name);
			assert.equal(b.reserved, 0, b.name);
		}

		// One of them refuses, and none keeps anything of it.
		await change('set', 'sixty-44', '--requests', '10');
		const refused = await call(team);
		assert.ok([402, 429].includes(refused.status), refused.body);
		assert.match(refused.body, /budget sixty-44,/);
		for (const b of await all())
			assert.equal(b.spent, spent[b.counts], b.name);
		const verified = await site.tryLeasehold(['ledger', 'verify']);
		assert.equal(verified.status, 0, verified.stdout + verified.stderr);
	});

test('the books balance whatever is set while 400 requests run',
	{ timeout: 120000 }, async () => {
		const team = await site.team(2, { concurrency: 20 });
		for (const { secret } of team.accounts)
			await site.mock.plan(secret,
				{ count: 0, head_delay_ms: 20, input_tokens: 100 });
		for (const [kind, n] of [['requests', '300'],
			['tokens', '10000000'], ['money', '50']])
			await budget('add', '--key', team.name, `--${kind}`, n,
				'--name', `busy-${kind}`, '--period', 'month',
				'--zone', 'America/New_York');
		let left = 400;
		const worker = async () => {
			while (left-- > 0) {
				const a = await (left % 2 ? call : stream)(team);
				assert.ok([200, 402, 429].includes(a.status), a.body);
			}
		};
		const work = Promise.all(Array.from({ length: 16 }, worker));
		for (let i = 0; left > 0; i++) {
			const on = i % 2 === 0;
			await budget('set', 'busy-requests', '--requests',
				on ? '1' : '100000');
			await budget('set', 'busy-tokens', on ? '--disable' :
				'--enable');
			await budget('set', 'busy-money', '--policy',
				on ? 'strict' : 'elastic');
		}
		await work;
		const rows = await site.ledger(team);
		const b = await settled('busy-requests');
		assert.equal(b.spent, rows.filter(r => r.state !== 4).length);
		await settled('busy-tokens');
		await settled('busy-money');
		const verified = await site.tryLeasehold(['ledger', 'verify']);
		assert.equal(verified.status, 0, verified.stdout + verified.stderr);
	});

// Whatever changes something: a command, one that reads a secret, a route.
describe('a change that meets another in a deadlock is made again',
	{ skip: !onMysql && 'SQLite lets one write at a time' }, () => {
		let name, token;

		before(async () => {
			({ name } = await site.team(1));
			token = (await site.leasehold(
				['token', 'create', '--name', 'deadlock'])).trim();
			site.secrets.push(token);
		});

		const deadlocks = async () => Number((await site.sql(
			`SELECT variable_value AS n FROM information_schema.global_status
			WHERE variable_name = 'Innodb_deadlocks'`))[0].n);
		const command = (args, input) => async () => {
			const { status, stderr } = await site.tryLeasehold(args,
				{ input });
			assert.equal(status, 0, stderr);
		};
		const route = (method, path, body, wanted) => async () => {
			const answer = await fetch(`${site.url}/api/v1${path}`, { method,
				headers: { authorization: `Bearer ${token}`,
					'content-type': 'application/json' },
				body: JSON.stringify(body) });
			assert.equal(answer.status, wanted, await answer.text());
		};
		// What the other wants last, and what has come of it.
		const cases = [
			['key set', () => command(['key', 'set', name, '--concurrency',
				'5']), 'UPDATE api_key SET turn = turn + 1',
			async () => (await site.json('key', 'show', name))
				.concurrency === 5],
			['key create', () => command(['key', 'create', '--name', 'dl']),
				'UPDATE api_key SET turn = turn + 1',
				() => site.json('key', 'show', 'dl')],
			['account add, with its secret', () => command(['account', 'add',
				'--name', 'dl', '--platform', 'claude', '--base-url',
				site.mock.url, '--credential', 'api_key'], 'sk-mock-deadlock'),
			'UPDATE account SET weight = weight + 1',
			async () => {
				await site.leasehold(['account', 'test', 'dl']);
				return (await site.mock.requests('sk-mock-deadlock'))
					.length === 1;
			}],
			['price set', () => command(['price', 'set', 'dl-*', '--input',
				'1', '--output', '2']),
			'UPDATE price SET input_nusd_mtok = input_nusd_mtok + 1',
			async () => (await site.json('price', 'list')).some(
				p => p.model === 'dl-*')],
			['POST /groups', () => route('POST', '/groups',
				{ name: 'dl' }, 201),
			'UPDATE account_group SET concurrency = concurrency + 1',
			async () => (await site.json('group', 'list')).some(
				g => g.name === 'dl')],
		];

		for (const [what, make, wants, done] of cases)
			test(what, async t => {
				// It has changed more, so that ours is the one that is ended.
				const other = await vanish(site, `UPDATE job SET runs = runs + 1;
					UPDATE ledger SET flags = flags | 64; UPDATE attempt
					SET model = concat(model, ' '); UPDATE usage_hour
					SET errors = errors + 1; UPDATE meta
					SET value = value + 1 WHERE name = 'config_version'`);
				t.after(() => other.kill());
				const before = await deadlocks();
				const change = make()();
				await until('a change that waits', async () =>
					(await site.sql(`SELECT count(*) AS n
						FROM information_schema.processlist WHERE info
						LIKE 'UPDATE meta%' AND time_ms > 200`))[0].n > 0);
				other.stdin.end(`${wants}; ROLLBACK;\n`);
				await change;
				assert.ok(await done());
				assert.ok(await deadlocks() > before);
			});
	});
