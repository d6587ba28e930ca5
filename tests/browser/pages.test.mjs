// The admin pages in a real browser, from nothing to a streamed message.
// Store: any.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { prompt } from '../e2e/lib/site.mjs';
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

		// Nothing is set up: the first steps come by themselves.
		await heading('First steps').waitFor();
		await stand.shoot('wizard-empty');
		await stand.isAccessible();
		await button('Add an account').click();
		const dialog = page.getByRole('dialog');
		await dialog.getByLabel('Name').fill('first');
		await dialog.getByLabel('Base URL').fill(site.mock.url);
		await dialog.getByLabel('Secret').fill('sk-mock-first');
		site.secrets.push('sk-mock-first');
		await dialog.getByRole('button', { name: 'Add' }).click();
		await button('Test').click();
		await page.getByText(/^It serves: /).waitFor();

		await page.getByLabel('Name of the key')
			.fill('<img src=x onerror=1>');
		await button('Make a key').click();
		const key = await page.locator('code.secret').textContent();
		assert.match(key, /^sk-lh-[\w-]{43}$/);
		site.secrets.push(key);
		assert.match(await page.locator('.setup pre').textContent(),
			new RegExp(`ANTHROPIC_BASE_URL=${site.url}\n`));
		assert.equal(await page.locator('img[src=x]').count(), 0);
		await page.getByLabel('Message').fill(prompt);
		await button('Send').click();
		await page.getByText(/^It works: answered in \d+ ms/).waitFor();
		assert.ok((await page.getByLabel('Answer').textContent())
			.length > 0);
		await stand.shoot('wizard-done');
		await stand.isAccessible();
		await site.mock.plan('sk-mock-first', { status: 400 });
		await button('Send').click();
		await page.locator('.step [role=status].error').waitFor();
		await stand.shoot('wizard-wrong');
		await site.mock.forget();
		await page.getByRole('link', { name: 'To the dashboard' }).click();
		await heading('Dashboard').waitFor();
		assert.ok(!(await page.content()).includes(key));

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
		await button('Go on').click();
		const secret = await dialog.locator('code.secret').textContent();
		await dialog.getByLabel('Code of').fill(totp(secret, -1));
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
