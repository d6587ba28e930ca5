// The admin pages in a real browser, from nothing to a streamed message.
// Store: any.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { stream } from '../e2e/lib/http.mjs';
import { password, Stand } from './lib/stand.mjs';

let stand, site, page;
const button = name => stand.button(name);
const heading = name => stand.heading(name);

// The code of an app at this moment, RFC 6238.
function totp(base32, step) {
	const bits = [...base32].map(c => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
		.indexOf(c).toString(2).padStart(5, '0')).join('');
	const key = Buffer.from(bits.match(/.{8}/g).map(b => parseInt(b, 2)));
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + step));
	const mac = createHmac('sha1', key).update(counter).digest();
	const at = mac[19] & 15;
	return String((mac.readUInt32BE(at) & 0x7fffffff) % 1000000)
		.padStart(6, '0');
}

before(async () => {
	stand = await Stand.start();
	({ site } = stand);
});
after(() => stand?.stop());
beforeEach(async () => {
	await stand.open();
	({ page } = stand);
});

describe('from nothing', () => {
	test('an invitation, an account, a key, a message', async () => {
		const link = (await site.leasehold(
			['user', 'invite', '--role', 'admin'])).trim();
		assert.ok(link.startsWith(`${site.url}/admin/#invitation=`), link);
		await page.goto(link);
		await heading('Welcome').waitFor();
		await stand.shoot('welcome');
		await stand.isAccessible();
		await page.getByLabel('Name').fill('ann');
		await page.getByLabel('Password').fill(password);
		await button('Begin').click();
		await heading('Dashboard').waitFor();

		await page.getByRole('link', { name: 'Accounts' }).click();
		await page.getByText('There is no account yet').waitFor();
		await stand.shoot('accounts-empty');
		await button('Add an account').first().click();
		const dialog = page.getByRole('dialog');
		await dialog.getByLabel('Name').fill('first');
		await dialog.getByLabel('Base URL').fill(site.mock.url);
		await dialog.getByLabel('Secret').fill('sk-mock-first');
		site.secrets.push('sk-mock-first');
		await stand.shoot('account-add');
		await dialog.getByRole('button', { name: 'Add' }).click();
		await page.getByRole('cell', { name: 'first' }).waitFor();

		await page.getByRole('link', { name: 'Keys' }).click();
		await button('Add a key').click();
		await dialog.getByLabel('Name').fill('<img src=x onerror=1>');
		await dialog.getByLabel('Budget in all').fill('2.5');
		await dialog.getByRole('button', { name: 'Add' }).click();
		const key = await dialog.locator('code.secret').textContent();
		assert.match(key, /^sk-lh-[\w-]{43}$/);
		site.secrets.push(key);
		assert.match(await dialog.locator('pre').textContent(),
			new RegExp(`ANTHROPIC_BASE_URL=${site.url}\n`));
		await stand.shoot('key-new');
		await dialog.getByRole('button', { name: 'Close' }).click();
		await page.getByRole('cell', { name: '$0.00 of $2.50' }).waitFor();
		assert.equal(await page.locator('img[src=x]').count(), 0);

		const answer = await stream({ key, site });
		assert.equal(answer.status, 200);
		await page.getByRole('link', { name: 'Requests' }).click();
		await page.getByRole('cell', { name: 'ok' }).first().waitFor();
		await page.getByRole('main').getByRole('link').first().click();
		await heading('How it went').waitFor();
		await page.getByText('Attempt 1 on first').waitFor();
		await stand.shoot('request');
		assert.deepEqual(stand.complaints, []);
	});
});

describe('each page', () => {
	const pages = { dashboard: 'Dashboard', accounts: 'Accounts',
		keys: 'Keys', users: 'Users', requests: 'Requests', usage: 'Usage',
		audit: 'Audit log', me: 'My sign-in' };

	test('is accessible and fits, in each look', async () => {
		await stand.lookAt(pages);
	});

	test('speaks Chinese', async () => {
		await stand.open({ locale: 'zh-CN' });
		({ page } = stand);
		await page.goto(`${site.url}/admin/`);
		await page.getByLabel('名称').fill('ann');
		await page.getByLabel('密码').fill(password);
		await button('登录').click();
		await heading('概览').waitFor();
		for (const name of Object.keys(pages)) {
			await stand.go(name);
			await page.locator('h1').waitFor();
			await stand.shoot(`${name}-zh`);
			assert.match(await page.locator('h1').textContent(),
				/[\u4e00-\u9fff]/);
		}
		assert.equal(await page.evaluate(() =>
			document.documentElement.lang), 'zh-Hans');
		await page.getByLabel('语言').selectOption('en');
		await heading('My sign-in').waitFor();
	});
});

describe('signing in', () => {
	test('a wrong password is said, and counted', async () => {
		await page.goto(`${site.url}/admin/`);
		await page.getByLabel('Name').fill('ann');
		await page.getByLabel('Password').fill('not the password');
		await button('Sign in').click();
		await page.getByRole('alert').getByText('not right').waitFor();
		await stand.isAccessible();
		await stand.shoot('sign-in-wrong');
	});

	test('by keyboard alone', async () => {
		await page.goto(`${site.url}/admin/`);
		await heading('Sign in').waitFor();
		await page.keyboard.type('ann');
		await page.keyboard.press('Tab');
		await page.keyboard.type(password);
		await page.keyboard.press('Enter');
		await heading('Dashboard').waitFor();
		await button('Sign out').focus();
		await page.keyboard.press('Enter');
		await heading('Sign in').waitFor();
		await page.reload();
		await heading('Sign in').waitFor();
	});

	test('with a second factor', async () => {
		await stand.signIn();
		await stand.go('me');
		await button('Turn a second factor on').click();
		const dialog = page.getByRole('dialog');
		await dialog.getByLabel('Password').fill(password);
		await button('Turn on').click();
		const secret = await dialog.locator('code.secret').textContent();
		await dialog.getByLabel('Code').fill(totp(secret, -1));
		await button('Turn on').click();
		await dialog.getByText('Each stands in').waitFor();
		await stand.shoot('recovery-codes');
		await dialog.getByRole('button', { name: 'Close' }).click();
		await button('Sign out').first().click();

		await page.getByLabel('Name').fill('ann');
		await page.getByLabel('Password').fill(password);
		await button('Sign in').click();
		await page.getByLabel('Code').fill(totp(secret, 0));
		await stand.shoot('sign-in-code');
		await button('Sign in').click();
		await heading('My sign-in').waitFor();
		await button('Turn the second factor off').click();
		await dialog.getByLabel('Password').fill(password);
		await button('Turn off').click();
		await button('Turn a second factor on').waitFor();
	});

	test('what is destroyed is asked about first', async () => {
		await stand.signIn();
		await stand.go('keys');
		await page.getByRole('button', { name: /^Actions on/ }).first()
			.click();
		await page.locator('.popup:popover-open').getByRole('button',
			{ name: 'Revoke' }).click();
		const dialog = page.getByRole('dialog');
		await dialog.getByRole('heading', { name: /^Revoke key/ }).waitFor();
		await stand.shoot('revoke');
		await dialog.getByRole('button', { name: 'Cancel' }).click();
		await dialog.waitFor({ state: 'detached' });
		assert.equal(await page.locator('.badge.bad').count(), 0);
	});
});
