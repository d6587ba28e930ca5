// Fifty responders on two hosts, with a token endpoint that fails at random
// and forgives no refresh token that comes twice: a hundred times tokens end
// early, and every fourth time whoever renews them is killed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onMysql } from '../e2e/lib/database.mjs';
import { until } from '../e2e/lib/hosts.mjs';
import { call } from '../e2e/lib/http.mjs';
import { give, oauthTeam, tokenRow } from '../e2e/lib/oauth.mjs';
import { Site, run } from '../e2e/lib/site.mjs';
import { Tokens } from '../e2e/lib/tokens.mjs';

const processes = Number(process.env.OAUTH_PROCESSES ?? 25);
const expiries = Number(process.env.OAUTH_EXPIRIES ?? 100);
const accounts = 5, clients = 6;

// The same each time, as far as the order of events is.
let seed = Number(process.env.OAUTH_SEED ?? 1);
function chance() {
	seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
	return seed / 2 ** 32;
}

// Set while somebody is to be killed: there is time for it, before the
// provider changes the token or after.
let slow = false;

function mood() {
	if (slow)
		return chance() < 0.5 ? { before_ms: 500 } : { after_ms: 500 };
	const n = chance(), ms = Math.floor(chance() * 300);
	return n < 0.15 ? { status: 503 } : n < 0.22 ? { status: 429 } :
		n < 0.32 ? { cut: true } : n < 0.55 ? { before_ms: ms } :
		n < 0.8 ? { after_ms: ms } : {};
}

const set = { beat_interval_ms: '1s', queue_timeout_s: '5s',
	attempt_budget_s: '30s', affinity_ttl_s: 0, cooldown_auth_s: '2s',
	cooldown_error_s: '1s' };
let one, two;

before(async () => {
	one = await Site.start({ processes, set });
	if (onMysql)
		await one.sql(`SET GLOBAL max_connections = 1000,
			GLOBAL max_prepared_stmt_count = 1000000`);
	two = await Site.beside(one, { processes, set });
}, { timeout: 120000 });
after(async () => {
	await two?.quickstart('--stop');
	await one?.stop();
});

// Beside the responders.
async function write(query) {
	if (onMysql)
		return one.sql(query);
	const r = await run('sqlite3', ['-cmd', '.timeout 10000', one.db, query]);
	assert.equal(r.status, 0, r.stderr);
}

// Its tokens end: the upstream refuses them, or their time is over, which
// every responder sees at once.
async function expire(account, tokens, nth) {
	await one.mock.plan(tokens.current(account), { status: 401 });
	if (nth % 2 === 0)
		return;
	await write(`UPDATE account_oauth SET expires_ms = 1, renew_ms = 1
		WHERE account_id = (SELECT id FROM account
			WHERE name = '${account}')`);
	await write(`UPDATE meta SET value = value + 1
		WHERE name = 'config_version'`);
}

// Kill -9 of whoever renews, at any point of it.
async function killRenewer(account, tokens, rotation) {
	for (;;) {
		const [held] = await one.sql(`SELECT r.pid, o.rotation
			FROM account_oauth o JOIN account a ON a.id = o.account_id
			LEFT JOIN responder r ON r.id = o.lease_by
			WHERE a.name = '${account}'`);
		if (held.rotation > rotation)
			return false;
		if (held.pid)
			break;
	}
	await sleep(chance() * 400);
	const { lease_by } = await tokenRow(one, account);
	const [r] = lease_by === null ? [] : await one.sql(
		`SELECT pid FROM responder WHERE id = ${lease_by}`);
	if (!r)
		return false;
	try {
		process.kill(r.pid, 'SIGKILL');
	} catch {
		return false;
	}
	tokens.kills.push({ at: Date.now(), family: account });
	return true;
}

test('none is used twice, none is lost', { timeout: 1800000 }, async t => {
	const tokens = await Tokens.start({ mood });
	tokens.onRenewed = (_, old) => one.mock.plan(old, { status: 401 });
	const made = await oauthTeam(one, tokens, accounts,
		{ priority: () => 10 });
	const sum = { calls: 0, failed: 0, lost: 0 };
	let done = false;
	const traffic = Promise.all([one, two].flatMap(site =>
		Array.from({ length: clients }, async () => {
			while (!done) {
				const a = await call({ ...made, site })
					.catch(() => ({ status: 0 }));
				sum.calls++;
				sum.failed += a.status !== 200;
				await sleep(50);
			}
		})));
	const endOne = async i => {
		const account = made.accounts[i % accounts];
		const { rotation } = await tokenRow(one, account);
		slow = i % 4 === 3;
		await expire(account, tokens, i);
		const killed = slow &&
			await killRenewer(account, tokens, rotation);
		slow = false;
		let row;
		await until(`new tokens of ${account} (${i})`, async () => {
			row = await tokenRow(one, account);
			return row.rotation > rotation || row.signed_in === 0;
		}, 120000);
		if (row.signed_in === 1)
			return;

		// Lost: in the one window, and known to be.
		assert.ok(killed, `${account} was lost without a kill (${i})`);
		assert.ok(tokens.families.get(account).void, account);
		const [parked] = (await one.cooldowns(made))
			.filter(c => c.account === account);
		assert.equal(parked.reason, 'sign_in');
		assert.match(parked.detail, /needs sign-in.*broken off/);
		sum.lost++;
		await give(one, account, tokens);
	};
	try {
		for (let i = 0; i < expiries; i++)
			await endOne(i);
	} finally {
		done = true;
		await traffic;
		await tokens.stop();
	}
	for (const account of made.accounts)
		await one.leasehold(['account', 'disable', account]);
	t.diagnostic(`${tokens.asked} asked, ${tokens.renewed} renewals, ` +
		`${tokens.failed} failed, ${tokens.kills.length} kills, ` +
		`${sum.lost} lost, ${sum.failed} of ${sum.calls} calls failed`);
	assert.deepEqual(tokens.reuses, []);
	assert.equal(tokens.window, sum.lost);
	assert.ok(tokens.kills.length >= expiries / 10,
		`${tokens.kills.length} kills`);
	assert.ok(sum.lost < tokens.kills.length);

	// The old token was tried once more, and not again.
	for (const token of tokens.shown.values())
		assert.ok(token.again <= 1, `${token.family}: ${token.again}`);
	assert.ok(sum.failed * 10 < sum.calls);
});
