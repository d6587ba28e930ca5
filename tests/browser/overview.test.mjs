// The pages that tell how the pool does: dashboard, queue, requests, usage,
// audit log.
// Store: any.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stream } from '../e2e/lib/http.mjs';
import { fillUsage } from './lib/figures.mjs';
import { looks, Stand } from './lib/stand.mjs';

const longName = 'a-team-with-a-rather-long-name-that-goes-on-and-on-and-on';
let stand, site, page, team;
const button = name => stand.button(name);
const heading = name => stand.heading(name);

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

describe('the dashboard', () => {
	const tile = name => page.locator('dl div').filter({ has: page.getByText(
		name, { exact: true }) }).locator('dd');
	// What a browser was busy with, in seconds since it began.
	const busy = async client => (await client.send('Performance.getMetrics'))
		.metrics.find(m => m.name === 'TaskDuration').value;

	test('says why an account rests, and for how long', async () => {
		await stand.signIn();
		const row = page.getByRole('row', { name: team.accounts[0].name });
		await row.getByText('resting').waitFor();
		await row.getByText('rate limited').waitFor();
		const rest = row.locator('b [data-until]');
		const before = await rest.textContent();
		assert.match(before, /^4\d min \d+ sec$|^50 min/);
		await page.waitForFunction(([e, was]) => e.textContent !== was,
			[await rest.elementHandle(), before]);
	});

	test('shows what is left upstream', async () => {
		await stand.signIn();
		await page.getByRole('row', { name: team.accounts[1].name })
			.or(page.getByRole('row', { name: team.accounts[0].name }))
			.getByText('38%').first().waitFor();
	});

	test('counts what begins and ends while it is looked at', async () => {
		await stand.signIn();
		await page.locator('.chart canvas').first().waitFor();
		assert.equal(await tile('Open requests').textContent(), '0');
		const before = await tile('Requests, 24 h').textContent();
		await site.mock.forget();
		const slow = stream(team, { model: 'mock-slow-50x100ms' });
		await tile('Open requests').getByText('1', { exact: true }).waitFor();
		await slow;
		await tile('Open requests').getByText('0', { exact: true }).waitFor();
		await page.waitForFunction(was => ![...document.querySelectorAll(
			'dd')].some(e => e.textContent === was), before);
	});

	test('asks every few seconds where nothing is told', async () => {
		await page.route('**/api/v1/events', route =>
			route.fulfill({ status: 404, body: '{}' }));
		await stand.signIn();
		await page.locator('.chart canvas').first().waitFor();
		await page.waitForResponse(/status/);
		await page.waitForResponse(/status/);
		assert.deepEqual(stand.complaints, []);
	});

	test('costs an idle browser next to nothing', async t => {
		await stand.signIn();
		await page.locator('.chart canvas').first().waitFor();
		const client = await stand.context.newCDPSession(page);
		await client.send('Performance.enable');
		await sleep(2000);
		const seconds = 10, before = await busy(client);
		await sleep(seconds * 1000);
		const share = (await busy(client) - before) / seconds;
		t.diagnostic(`idle: ${(100 * share).toFixed(2)} % of a processor`);
		assert.ok(share < 0.02, `${100 * share} %`);
	});

	test('touches nothing that did not change', async () => {
		await stand.signIn();
		await page.locator('.chart canvas').first().waitFor();
		await sleep(1000);
		await page.evaluate(() => {
			globalThis.touched = [];
			new MutationObserver(list => list.forEach(m => {
				const e = m.target.parentElement?.closest('[data-until]') ??
					m.target.closest?.('[data-until]');
				if (!e)
					globalThis.touched.push(m.target.outerHTML ??
						m.target.data);
			})).observe(document.body, { subtree: true, childList: true,
				attributes: true, characterData: true });
		});
		await sleep(5000);
		assert.deepEqual(await page.evaluate(() => globalThis.touched), []);
	});

	test('and the first page stay under 150 KB', async t => {
		let bytes = 0;
		const all = [];
		page.on('response', r => all.push(r.body().then(b => {
			bytes += b.length;
		}, () => {})));
		await stand.signIn();
		await page.locator('.chart canvas').nth(3).waitFor();
		await sleep(500);
		await Promise.race([Promise.all(all), sleep(2000)]);
		t.diagnostic(`first page: ${bytes} bytes, ${all.length} answers`);
		assert.ok(bytes > 60000 && bytes < 150000, String(bytes));
	});

	test('has tables where there is no library for charts', async () => {
		await page.route('**/lib/uplot.js', route =>
			route.fulfill({ status: 404, body: '' }));
		await stand.signIn();
		await page.locator('.chart table').nth(3).waitFor();
		assert.equal(await page.locator('.chart canvas').count(), 0);
		await page.locator('.chart').first().getByRole('columnheader',
			{ name: 'Errors' }).waitFor();
		await stand.isAccessible();
		await stand.shoot('dashboard-tables');
	});

	test('says what failed, and tries again', async () => {
		await stand.signIn();
		await page.locator('.chart canvas').first().waitFor();
		await page.route('**/api/v1/usage?*', route =>
			route.fulfill({ status: 503, contentType: 'application/json',
				body: '{"error":"x","code":50301}' }));
		await page.reload();
		await page.getByRole('alert').getByText('The database').waitFor();
		await stand.isAccessible();
		await stand.shoot('dashboard-failed');
		await page.unroute('**/api/v1/usage?*');
		await button('Try again').click();
		await page.locator('.chart canvas').first().waitFor();
	});

	test('draws charts anew for another scheme', async () => {
		await stand.signIn();
		await page.locator('.chart canvas').first().waitFor();
		const light = await page.locator('.chart canvas').first()
			.evaluate(e => e.toDataURL());
		await page.getByLabel('Colours').selectOption('dark');
		await page.waitForFunction(was => document.querySelector(
			'.chart canvas').toDataURL() !== was, light);
		assert.equal(await page.evaluate(() => getComputedStyle(
			document.body).colorScheme), 'dark');
		await page.reload();
		await page.locator('html[data-scheme=dark]').waitFor();
	});
});

describe('the menu', () => {
	test('opens and closes on a phone', async () => {
		await stand.open({ viewport: { width: 390, height: 844 } });
		({ page } = stand);
		await stand.signIn();
		await heading('Dashboard').waitFor();
		const link = page.getByRole('link', { name: 'Usage' });
		assert.equal(await link.isVisible(), false);
		await button('Pages').click();
		await stand.shoot('menu-phone');
		await stand.isAccessible();
		await page.keyboard.press('Escape');
		assert.equal(await link.isVisible(), false);
		await button('Pages').click();
		await link.click();
		await heading('Usage').waitFor();
		assert.equal(await link.isVisible(), false);
	});

	test('shows users their own alone', async () => {
		await stand.signIn('ulf');
		await heading('Usage').waitFor();
		const seen = await page.locator('#nav a').allTextContents();
		for (const name of ['Usage', 'Keys', 'My sign-in'])
			assert.ok(seen.includes(name), name);
		for (const name of ['Dashboard', 'Requests', 'Accounts', 'Users',
			'Audit log'])
			assert.ok(!seen.includes(name), name);
		await stand.go('requests');
		await heading('Usage').waitFor();
		assert.deepEqual(stand.complaints, []);
	});
});

describe('requests', () => {
	const rows = () => page.locator('tbody tr');

	test('are found by what they are, page by page', async () => {
		await stand.signIn();
		await stand.go('requests');
		await rows().first().waitFor();
		assert.equal(await rows().count(), 50);
		await button('Older').click();
		await page.waitForURL(/before=req_lh_/);
		await button('Newest').and(page.locator(':enabled')).waitFor();
		assert.ok(await rows().count() >= 7);
		await page.getByLabel('Key').fill(longName);
		await page.keyboard.press('Enter');
		await page.getByText('Nothing fits').waitFor();
		assert.match(page.url(), /requests\?key=a-team/);
		await page.getByLabel('Key').fill('nobody');
		await page.keyboard.press('Enter');
		await page.getByText('there is no key').waitFor();
		await page.getByRole('link', { name: 'Show all' }).click();
		await rows().first().waitFor();
		await page.getByLabel('Outcome').selectOption('open');
		await page.getByText('Nothing fits').waitFor();
		await page.getByLabel('Outcome').selectOption('ok');
		await page.getByLabel('User').fill('ann');
		await page.keyboard.press('Enter');
		await page.getByText('Nothing fits').waitFor();
		await page.reload();
		await page.getByText('Nothing fits').waitFor();
		assert.equal(await page.getByLabel('User').inputValue(), 'ann');
	});

	test('are found by status, cost and day', async () => {
		const nothing = page.getByText('Nothing fits');
		const ask = async (label, text) => {
			await page.getByLabel(label).first()
				.fill(text);
			await page.keyboard.press('Enter');
		};
		await stand.signIn();
		await stand.go('requests?key=' + team.name);
		await rows().first().waitFor();
		await ask('Status', '529');
		await nothing.waitFor();
		await ask('Status', '200');
		await rows().first().waitFor();
		await ask('Cost from', '1000');
		await nothing.waitFor();
		assert.match(page.url(), /status=200.*cost=1000/);
		await ask('Cost from', '0.000001');
		await rows().first().waitFor();
		await page.getByLabel('Time').selectOption('dates');
		const day = ms => new Date(Date.now() + ms).toISOString()
			.slice(0, 10);
		await ask(/^From$/, day(2 * 86400e3));
		await nothing.waitFor();
		await ask(/^From$/, day(-86400e3));
		await rows().first().waitFor();
		await ask(/^To$/, day(-3 * 86400e3));
		await nothing.waitFor();
		await ask(/^To$/, day(86400e3));
		await rows().first().waitFor();
		await stand.shoot('requests-filters');
		await stand.isAccessible();
		await page.setViewportSize({ width: 390, height: 844 });
		await stand.fits('filters on a phone');
		assert.deepEqual(stand.complaints, []);
	});

	test('tell how they went', async () => {
		const [{ id }] = (await (await site.json('requests', 'list',
			'--limit', '100')).filter(r => r.attempts > 1));
		await stand.signIn();
		await stand.go(`requests/${id}`);
		await heading('How it went').waitFor();
		const steps = await page.locator('.timeline strong')
			.allTextContents();
		const [first, second] = team.accounts.map(a => a.name);
		assert.deepEqual(steps.slice(0, 3), [`Came in with key ${team.name}`,
			`Chose ${first}`, `Attempt 1 on ${first}`]);
		assert.match(steps.join('|'), new RegExp(
			`Chose t1-account-[12]\\|Attempt 2 on t1-account-[12].*Settled`));
		assert.ok(second);
		await page.locator('.timeline').getByText('rate limited').first()
			.waitFor();
		await page.getByText('moved to another account').waitFor();
		await page.getByText('tried already').waitFor();
		for (const [look, options] of Object.entries(looks)) {
			await stand.open(options);
			({ page } = stand);
			await stand.signIn();
			await stand.go(`requests/${id}`);
			await page.locator('.timeline').waitFor();
			await stand.shoot(`request-${look}`);
			await stand.isAccessible();
			await stand.fits(look);
		}
	});

	test('that are not there are said so', async () => {
		await stand.signIn();
		await stand.go('requests/req_lh_0000000000000');
		await page.getByRole('alert').getByText('there is no').waitFor();
		await stand.shoot('request-none');
	});
});

describe('usage', () => {
	test('is told by anything, and as CSV', async () => {
		await stand.signIn();
		await stand.go('usage');
		await page.locator('.chart canvas').nth(1).waitFor();
		await page.getByLabel('By', { exact: true }).focus();
		await page.getByLabel('By', { exact: true }).selectOption('key');
		await page.getByRole('columnheader', { name: 'Key' }).first()
			.waitFor();
		await page.getByRole('cell', { name: longName }).first().waitFor();
		assert.equal(await page.evaluate(() =>
			document.activeElement.name), 'by');
		await page.getByLabel('Per').selectOption('year');
		await page.getByLabel('Time', { exact: true }).selectOption('dates');
		await page.getByLabel('From').fill('2025-01-01');
		await page.keyboard.press('Enter');
		await page.getByRole('cell', { name: String(new Date()
			.getUTCFullYear()) }).first().waitFor();
		await page.getByLabel('Time zone').selectOption('Asia/Shanghai');
		await page.waitForURL(/zone=Asia/);
		const [csv] = await Promise.all([page.waitForEvent('download'),
			page.getByRole('link', { name: 'As CSV' }).click()]);
		const lines = (await readFile(await csv.path(), 'utf8')).split('\n');
		assert.match(lines[0], /key.*requests.*cost/);
		assert.ok(lines.some(l => l.includes(longName)));
		assert.deepEqual(stand.complaints, []);
	});

	test('is told of one key alone, and by two things at once', async () => {
		await stand.signIn();
		await stand.go('usage?per=total');
		await page.getByRole('cell').first().waitFor();
		await page.getByLabel('Key', { exact: true }).fill(team.name);
		await page.keyboard.press('Enter');
		await page.waitForURL(/key=/);
		await page.getByLabel('And by').selectOption('account');
		await page.getByRole('columnheader', { name: 'Account' }).waitFor();
		await page.getByRole('cell', { name: team.accounts[1].name }).first()
			.waitFor();
		assert.equal(await page.getByRole('cell', { name: longName })
			.count(), 0);
		await stand.shoot('usage-of-key');
		await stand.isAccessible();
		await page.getByLabel('Key', { exact: true }).fill('nobody');
		await page.keyboard.press('Enter');
		await page.locator('.empty').getByText('nobody').waitFor();
		await page.getByRole('link', { name: 'Show all' }).click();
		await page.getByRole('cell').first().waitFor();
		assert.deepEqual(stand.complaints, []);
	});

	test('of a bad time is refused where it is asked for', async () => {
		await stand.signIn();
		await stand.go('usage?span=dates&from=2026-02-31');
		await page.getByLabel('From').waitFor();
		await page.locator('.empty').waitFor();
		await stand.go('usage?span=dates&from=2999-01-01&to=2999-01-02');
		await page.locator('.empty').waitFor();
	});
});

describe('the audit log', () => {
	test('shows what differs', async () => {
		await site.leasehold(['account', 'set', team.accounts[2].name,
			'--weight', '7']);
		await stand.signIn();
		await stand.go('audit');
		await page.getByLabel('Did').fill('account.set');
		await page.keyboard.press('Enter');
		await page.waitForURL(/verb=account.set/);
		const row = page.locator('tbody tr');
		await page.waitForFunction(() =>
			document.querySelectorAll('tbody tr').length === 1);
		await row.getByRole('button').click();
		const change = stand.dialog.getByRole('row', { name: 'weight' });
		assert.equal(await change.locator('del').textContent(), '100');
		assert.equal(await change.locator('ins').textContent(), '7');
		await stand.isAccessible();
		await stand.shoot('audit-change');
	});

	test('goes back page by page', async () => {
		await stand.signIn();
		await page.evaluate(async () => {
			const { call, list } = await import('./api.js');
			const [{ id }] = await list('/admin/accounts');
			for (let weight = 1; weight <= 100; weight++)
				await call('PATCH', `/admin/accounts/${id}`, { weight });
		});
		await stand.go('audit');
		await button('Older').click();
		await page.waitForURL(/below=/);
		await page.getByText('user.register').first().waitFor();
	});
});

describe('texts', () => {
	const read = name => readFile(new URL(`../../htdocs/${name}`,
		import.meta.url), 'utf8');
	// The names before a colon, without what strings and comments say.
	const names = source => [...source.replace(
		/\/\/.*|'((?:[^'\\]|\\.)*)'(\s*:)?|`[^`]*`/g,
		(all, text, colon) => colon ? `${text}:` : '')
		.matchAll(/(?<=[\s,{])([A-Za-z_][\w-]*):/g)].map(m => m[1]);

	test('are there in each language, once', async () => {
		const all = { en: [], zh: [] };
		for (const file of ['strings-first.js', 'strings.js']) {
			const { strings } = await import(`../../htdocs/${file}`);
			const [en, zh] = (await read(file)).split('\n\tzh: {');
			assert.deepEqual(names(en).slice(1).sort(),
				Object.keys(strings.en).sort());
			all.en.push(...names(en).slice(1));
			all.zh.push(...names(zh));
		}
		assert.ok(all.en.length > 500);
		assert.deepEqual(all.zh.sort(), all.en.sort());
		assert.deepEqual(all.en.filter((n, i) =>
			all.en.indexOf(n) !== i), []);
	});

	test('that are needed first are there first', async () => {
		const { strings } = await import('../../htdocs/strings-first.js');
		const pages = [...(await read('app.js')).matchAll(
			/\{ name: '([\w-]+)', role/g)].map(m => m[1].replace(/-(\w)/g,
			(_, c) => c.toUpperCase()));
		assert.ok(pages.length > 8);
		const texts = [];
		for (const file of ['app', 'dom', 'sign-in', 'dashboard', 'charts',
			'figures', 'text', 'account-state'])
			texts.push(...[...(await read(`${file}.js`)).matchAll(
				/\bt\('([\w-]+)'/g)].map(m => m[1]));
		assert.deepEqual([...pages, ...texts].filter(n =>
			!(n in strings.en)), []);
	});
});
