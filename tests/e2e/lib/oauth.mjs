// What the tests of OAuth accounts share.
import { setTimeout as sleep } from 'node:timers/promises';

let names = 0;

// A group with n OAuth accounts, signed in to unless told otherwise, whose
// families are their names, and a key for it.
export async function oauthTeam(site, tokens, n = 1, { signedIn = true,
	priority = i => 10 + i, options = [] } = {}) {
	const name = `o${++names}`;
	const made = { name, site, accounts: [] };
	await site.leasehold(['group', 'add', name]);
	for (let i = 0; i < n; i++) {
		const account = `${name}-account-${i}`;
		await site.leasehold(['account', 'add', '--name', account,
			'--platform', 'claude', '--base-url', site.mock.url,
			'--credential', 'oauth', '--concurrency', '60',
			'--priority', String(priority(i)), '--group', name,
			'--authorize-url', 'https://sign.example/in?x=1',
			'--token-url', tokens.url, '--client-id', 'the client',
			'--scopes', 'a:b c:d', '--redirect-uri',
			'http://localhost:1/back', ...options]);
		if (signedIn)
			await give(site, account, tokens);
		made.accounts.push(account);
	}
	made.key = await site.makeKey(name, '--group', name);
	await sleep(500);
	return made;
}

// As a sign-in elsewhere would.
export async function give(site, account, tokens) {
	const pair = tokens.pair(account);
	site.secrets.push(pair.refresh_token);
	await site.leasehold(['account', 'import', account, '-'], {
		input: JSON.stringify({ ...pair,
			expires_at: Math.floor(Date.now() / 1000) + tokens.lifetime }) });
}

export async function tokenRow(site, account) {
	const [r] = await site.sql(`SELECT o.* FROM account_oauth o
		JOIN account a ON a.id = o.account_id WHERE a.name = '${account}'`);
	return r;
}
