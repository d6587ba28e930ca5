// The pages that tell how the pool does: dashboard, queue, requests, usage,
// audit log.
// Store: any.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stream } from '../e2e/lib/http.mjs';
import { fillUsage } from './lib/figures.mjs';
import { Stand } from './lib/stand.mjs';

const longName = 'a-team-with-a-rather-long-name-that-goes-on-and-on-and-on';
let stand, site, page, team;
const button = name => stand.button(name);
const heading = name => stand.heading(name);
const charts = () => page.locator('.chart canvas');

// A request that the first account refuses and the second serves.
async function moveOne() {
	await site.mock.forget();
	await site.mock.plan(team.accounts[0].secret, { status: 429,
		headers: [['retry-after', '3000']] });
	const answer = await stream(team);
	assert.equal(answer.status, 200);
}

before(async () => {
	stand = await Stand.start();
	({ site } = stand);
	await stand.person('ann', 'admin');
	await stand.person('ulf', 'user');
	team = await site.team(3);
	for (const { secret } of team.accounts)
		await site.mock.plan(secret, { headers: [
			['anthropic-ratelimit-unified-5h-utilization', '0.62'],
			['anthropic-ratelimit-unified-5h-reset',
				String(Math.round(Date.now() / 1000) + 7200)],
			['anthropic-ratelimit-unified-5h-status', 'allowed']] });
	await site.makeKey(longName, '--group', team.name);
	await site.makeKey('night-batch', '--group', team.name);
	for (let i = 0; i < 55; i++)
		assert.equal((await stream(team)).status, 200);
	await moveOne();
	await fillUsage(site);
});
after(() => stand?.stop());
beforeEach(async () => {
	await stand.open();
	({ page } = stand);
});

describe('each page', () => {
	const pages = { dashboard: 'Dashboard', 'dashboard?span=30d': 'Dashboard',
		queue: 'Queue', requests: 'Requests', usage: 'Usage',
		'usage?per=month&span=365d&by=none': 'Usage',
		'requests?key=nobody': 'Requests', audit: 'Audit log' };

	test('is accessible and fits, in each look', async () => {
		await stand.lookAt(pages, 'ann', async place => {
			if (/^(dashboard|usage)/.test(place))
				await stand.page.locator('.chart canvas').first().waitFor();
		});
	});
});
