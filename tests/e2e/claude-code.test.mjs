// Claude Code itself, headless, with nothing but a base URL and a key.
// Store: any.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { header } from './lib/mock.mjs';
import { prompt, run, Site } from './lib/site.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const claude = join(here, 'node_modules/@anthropic-ai',
	`claude-code-linux-${process.arch}`, 'claude');
const skip = existsSync(claude) ? false : `no ${claude}`;

let site;

async function ask(team, env = {}, ...args) {
	const home = join(site.dir, `home-${team.name}`);
	await mkdir(home, { recursive: true });
	return run(claude, ['-p', prompt, ...args], {
		ms: 90000,
		env: {
			HOME: home,
			ANTHROPIC_BASE_URL: site.url,
			ANTHROPIC_AUTH_TOKEN: team.key,
			CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
			DISABLE_AUTOUPDATER: '1',
			...env,
		},
	});
}

describe('Claude Code', { skip }, () => {
	before(async () => { site = await Site.start(); });
	after(() => site?.stop());

	test('answers through the relay', async () => {
		const team = await site.team(2);
		const answer = await ask(team);
		assert.equal(answer.status, 0, answer.stdout + answer.stderr);
		assert.match(answer.stdout, /a leased account\.$/m);
		const sent = (await site.mock.requests(team.accounts[0].secret))
			.find(r => r.path.startsWith('/v1/messages?'));
		assert.equal(sent.path, '/v1/messages?beta=true');
		assert.match(header(sent, 'user-agent'), /^claude-cli\//);
		assert.match(header(sent, 'anthropic-beta'), /claude-code-/);
		assert.match(header(sent, 'x-claude-code-session-id'), /^[0-9a-f-]+$/);
		const rows = await site.ledger(team);
		assert.ok(rows.every(r => r.outcome === 'ok'));
		assert.ok(rows.some(r => r.session ===
			header(sent, 'x-claude-code-session-id')));
	});

	test('works with ANTHROPIC_API_KEY and under /claude', async () => {
		const team = await site.team(1);
		const answer = await ask(team, { ANTHROPIC_AUTH_TOKEN: '',
			ANTHROPIC_API_KEY: team.key,
			ANTHROPIC_BASE_URL: `${site.url}/claude` });
		assert.equal(answer.status, 0, answer.stdout + answer.stderr);
		assert.match(answer.stdout, /a leased account\.$/m);
	});

	test('does not notice an account that fails', async () => {
		const team = await site.team(2);
		await site.mock.plan(team.accounts[0].secret, { status: 401 });
		const answer = await ask(team);
		assert.equal(answer.status, 0, answer.stdout + answer.stderr);
		assert.match(answer.stdout, /a leased account\.$/m);
	});

	test('tells a wrong key at once', async () => {
		const began = Date.now();
		const answer = await ask({ name: 'wrong', key: 'sk-lh-wrong' });
		assert.notEqual(answer.status, 0);
		assert.match(answer.stdout + answer.stderr, /401|API key/);
		assert.ok(Date.now() - began < 30000,
			`${Date.now() - began} ms`);
	});

	test('goes on when a stream breaks', async () => {
		const team = await site.team(1);
		await site.mock.plan(team.accounts[0].secret,
			{ chunks: 9, end: 'reset', after: 3, count: 1 }, {});
		const answer = await ask(team);
		assert.equal(answer.status, 0, answer.stdout + answer.stderr);
		assert.match(answer.stdout, /Hello from the demo/);
	});
});
