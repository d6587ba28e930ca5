// The admin pages under a path of a site that has others.
// Store: any.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { password, Stand } from './lib/stand.mjs';

const mount = '/team/claude';
const pages = ['dashboard', 'requests', 'usage', 'accounts', 'groups', 'queue',
	'keys', 'users', 'budgets', 'prices', 'jobs', 'settings', 'audit', 'me'];

let stand;

before(async () => {
	stand = await Stand.start({ options: ['--mount', mount] });
	await stand.open();
});
after(() => stand?.stop());

test('what a browser is told to keep is of this path alone', async () => {
	const { page, site } = stand;
	const link = (await site.leasehold(
		['user', 'invite', '--role', 'admin'])).trim();
	assert.ok(link.startsWith(`${site.url}/admin/#invitation=`), link);
	assert.ok(site.url.endsWith(mount), site.url);
	await page.goto(link);
	await page.getByLabel('Name').fill('ann');
	await page.getByLabel('Password').fill(password);
	await stand.button('Begin').click();
	await stand.button('Sign out').waitFor({ state: 'attached' });
	const cookies = await stand.context.cookies(`${site.url}/api/v1/`);
	assert.deepEqual(cookies.map(c => c.path.replace(/\/$/, '')), [mount]);
	assert.deepEqual(await stand.context.cookies(new URL('/', site.url).href),
		[]);
});

test('each page asks below the path, and for nothing else', async () => {
	const { page, site } = stand;
	const asked = [];
	await site.account('first');
	page.on('request', r => asked.push(r.url()));
	page.on('response', r => r.status() >= 400 &&
		stand.complaints.push(`${r.status()} ${r.url()}`));
	await page.reload();
	for (const name of pages) {
		await stand.go(name);
		await page.locator('main h1').waitFor();
		await page.locator(`#header [href="#${name}"][aria-current]`)
			.waitFor();
	}
	assert.ok(asked.length > pages.length);
	assert.deepEqual(asked.filter(url => !url.startsWith(`${site.url}/`)),
		[]);
	assert.deepEqual(stand.complaints, []);
});

test('a new key comes with lines that name the path', async () => {
	const { page, site } = stand;
	await stand.go('keys');
	await stand.button('Add a key').click();
	await stand.dialog.getByLabel('Name', { exact: true }).fill('bob');
	await stand.dialog.getByRole('button', { name: 'Add' }).click();
	const lines = page.locator('dialog pre');
	await lines.waitFor();
	assert.ok((await lines.textContent())
		.includes(`ANTHROPIC_BASE_URL=${site.url}\n`));
	site.secrets.push((await lines.textContent())
		.match(/ANTHROPIC_AUTH_TOKEN=(\S+)/)[1]);
});
