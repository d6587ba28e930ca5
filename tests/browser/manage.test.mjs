// The pages where things are managed: each form with good and bad input, each
// page in each look, and what is destroyed is asked about first.
// Store: any.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Stand } from './lib/stand.mjs';

// Names are anybody's: none is markup, and none breaks a page.
const hostile = '<img src=x onerror=alert(1)>';
const long = 'a-name-of-the-length-that-a-name-may-have-and-not-one-more-00000';

let stand, site, page;
const { button, dialog } = {
	button: name => stand.button(name),
	dialog: () => stand.dialog,
};

// What a menu of acts offers for a thing.
async function choose(name, act) {
	await page.getByRole('button', { name: `Actions on ${name}`,
		exact: true }).click();
	await page.locator('.popup:popover-open').getByRole('button',
		{ name: act, exact: true }).click();
}

const fill = (label, text) => dialog().getByLabel(label, { exact: true })
	.fill(text);
const pick = (label, value) => dialog().getByLabel(label, { exact: true })
	.selectOption(value);
const press = name => dialog().getByRole('button', { name, exact: true })
	.click();
const gone = () => page.locator('dialog').waitFor({ state: 'detached' });
const row = name => page.getByRole('row').filter({ hasText: name });
const alert = () => dialog().getByRole('alert');

// Something is asked before it is done: first no, then yes.
async function asked(heading, act, begin) {
	await begin();
	await dialog().getByRole('heading', { name: heading }).waitFor();
	await stand.isAccessible();
	await press('Cancel');
	await gone();
	await begin();
	await press(act);
	await gone();
}

before(async () => {
	stand = await Stand.start();
	({ site } = stand);
	await stand.person('ann', 'admin');
	await stand.person('olga', 'operator');
	await stand.person('uma', 'user');
	await site.account('first', {});
	await site.leasehold(['group', 'add', 'team', '--strategy',
		'round_robin']);
	await site.makeKey('uma-laptop', '--user', 'uma', '--rate', '60/1m',
		'--models', 'claude-sonnet-*,claude-haiku-*', '--concurrency', '4');
	await site.makeKey(hostile, '--group', 'team');
	await site.makeKey(long, '--budget', '2.5', '--expires', '90d');
	await site.leasehold(['budget', 'add', '--user', 'uma', '--tokens',
		'2000000', '--period', 'day', '--zone', 'Europe/Berlin']);
	await site.leasehold(['budget', 'add', '--group', 'team', '--money',
		'1000', '--period', 'rolling', '--length', '5h', '--policy',
		'strict']);
});
after(() => stand?.stop());
beforeEach(async () => {
	await stand.open();
	({ page } = stand);
});

describe('each page', () => {
	const pages = { groups: 'Groups', budgets: 'Budgets', keys: 'Keys',
		'keys/2': 'uma-laptop', users: 'Users', 'users/3': 'uma' };

	test('is readable in each look', () => stand.lookAt(pages, 'ann'));

	test('offers operators no change that they may not make', async () => {
		await stand.signIn('olga');
		for (const name of Object.keys(pages)) {
			await stand.go(name);
			await page.locator('main:not([aria-busy]) h1').waitFor();
			assert.equal(await page.getByRole('button', {
				name: /^(Add|Invite|Actions on)/ }).count(), 0, name);
		}
		assert.deepEqual(stand.complaints, []);
	});

	test('shows users their own keys alone', async () => {
		await stand.signIn('uma');
		await stand.go('keys');
		await row('uma-laptop').waitFor();
		assert.equal(await page.getByRole('row').count(), 2);
		assert.equal(await page.getByRole('link', { name: 'Budgets' })
			.count(), 0);
	});
});

describe('groups', () => {
	test('are added, changed and removed', async () => {
		await stand.signIn();
		await stand.go('groups');
		await button('Add a group').click();
		await fill('Name', 'team');
		await pick('Strategy', 'response_time');
		await dialog().getByText('expected to begin').waitFor();
		await stand.shoot('group-add');
		await stand.isAccessible();
		await press('Add');
		await alert().getByText('team').waitFor();	// there is one
		await fill('Name', hostile);
		await fill('Requests at once', '-1');
		await press('Add');		// the browser's own word on it
		assert.ok(await dialog().isVisible());
		await fill('Requests at once', '7');
		await press('Add');
		await gone();
		await row(hostile).getByText('Response time').waitFor();

		await choose(hostile, 'Edit');
		assert.equal(await dialog().getByLabel('Name').inputValue(),
			hostile);
		await fill('Name', 'other');
		await pick('Strategy', 'weighted');
		await press('Save');
		await row('other').getByText('Weighted').waitFor();
		await row('other').getByRole('cell', { name: '7', exact: true })
			.waitFor();
		await asked(/^Remove group “other”/, 'Remove',
			() => choose('other', 'Remove'));
		await row('other').waitFor({ state: 'detached' });
		assert.deepEqual(stand.complaints, []);
	});

	test('one in use stays, and why is said', async () => {
		await stand.signIn();
		await stand.go('groups');
		await choose('team', 'Remove');
		await press('Remove');
		await page.getByRole('status').getByText('is in use').waitFor();
		await row('team').waitFor();
	});
});

describe('budgets', () => {
	test('are added, changed, disabled and removed', async () => {
		await stand.signIn();
		await stand.go('budgets');
		await button('Add a budget').click();
		await pick('On', 'user');
		await fill('Its name', 'nobody');
		await fill('Limit', '12.50');
		await press('Add');
		await alert().getByText('there is no user "nobody"').waitFor();
		await fill('Its name', 'uma');
		await pick('Period', 'rolling');
		await fill('Length', '5');
		await dialog().getByText('More …').click();
		await fill('Name', 'five-hours');
		await pick('Policy', 'strict');
		await fill('Models', 'claude-opus*');
		await stand.shoot('budget-add');
		await stand.isAccessible();
		await press('Add');
		await gone();
		await row('five-hours').getByText('$0.00 of $12.50').waitFor();
		await row('five-hours').getByText('in any 5 h').waitFor();

		await choose('five-hours', 'Edit');
		await fill('Limit', '20');
		await press('Save');
		await row('five-hours').getByText('$0.00 of $20.00').waitFor();
		await asked(/^Disable budget/, 'Disable',
			() => choose('five-hours', 'Disable'));
		await row('five-hours').getByText('disabled').waitFor();
		await choose('five-hours', 'Enable');
		await row('five-hours').getByText('in force').waitFor();
		await asked(/^Remove budget/, 'Remove',
			() => choose('five-hours', 'Remove'));
		await row('five-hours').waitFor({ state: 'detached' });
		assert.deepEqual(stand.complaints, []);
	});

	test('each period asks for what it needs', async () => {
		await stand.signIn();
		await stand.go('budgets');
		await button('Add a budget').click();
		for (const [period, shown] of Object.entries({ total: [],
			day: ['Time zone'], week: ['Time zone'], month: ['Time zone'],
			fixed: ['Length', 'Unit', 'A window begins at'],
			rolling: ['Length', 'Unit'] })) {
			await pick('Period', period);
			for (const label of ['Time zone', 'Length', 'Unit',
				'A window begins at'])
				assert.equal(await dialog().getByLabel(label,
					{ exact: true }).isVisible(), shown.includes(label),
				`${period}: ${label}`);
		}
	});

	test('are found by their kind and name', async () => {
		await stand.signIn();
		await stand.go('budgets');
		await page.getByLabel('Counts').selectOption('tokens');
		await row('uma-tokens-day').waitFor();
		assert.equal(await page.getByRole('row').count(), 2);
		await page.getByLabel('Find').fill('no such');
		await page.getByText('Nothing fits').waitFor();
		await stand.shoot('budgets-none-fits');
	});
});

describe('keys', () => {
	test('a new one is shown once, with lines for clients', async () => {
		await stand.signIn();
		await stand.go('keys');
		await button('Add a key').click();
		await fill('Name', 'fresh');
		await pick('Goes to', 'group:team');
		await pick('User', 'uma');
		await fill('Budget in all, US$', '5');
		await fill('Request rate', '60/1m');
		await stand.shoot('key-add');
		await stand.isAccessible();
		await dialog().getByText('More …').click();
		await fill('From addresses', 'not an address');
		await press('Add');
		await alert().getByText('not an address').waitFor();
		await stand.shoot('key-add-wrong');
		await fill('From addresses', '127.0.0.0/8');
		await press('Add');
		const key = await dialog().locator('code.secret').textContent();
		assert.match(key, /^sk-lh-[\w-]{43}$/);
		site.secrets.push(key);
		await stand.shoot('key-new');
		await stand.isAccessible();
		await page.keyboard.press('Escape');
		assert.ok(await dialog().isVisible(), 'it is not lost by mistake');
		for (const client of ['Claude Code', 'PowerShell', 'Python',
			'JavaScript', 'curl']) {
			await dialog().getByText(client, { exact: true }).click();
			const lines = await dialog().locator('pre').textContent();
			assert.ok(lines.includes(site.url) && lines.includes(key), lines);
		}
		await stand.shoot('key-new-curl');
		await press('Close');
		await gone();
		const left = await page.content();
		assert.ok(!left.includes(key), left.slice(left.indexOf(key) - 300,
			left.indexOf(key) + 100));
		await row('fresh').getByText('$0.00 of $5.00').waitFor();
		await row('fresh').getByText('60 requests in any 1 min').waitFor();
		assert.deepEqual(stand.complaints, []);
	});

	test('are copied to the clipboard', async () => {
		await stand.open({ permissions: ['clipboard-read',
			'clipboard-write'] });
		({ page } = stand);
		await stand.signIn();
		await stand.go('keys');
		await button('Add a key').click();
		await fill('Name', 'copied');
		await press('Add');
		const key = await dialog().locator('code.secret').textContent();
		site.secrets.push(key);
		await dialog().getByRole('button', { name: 'Copy' }).first().click();
		await dialog().getByText('Copied.').waitFor();
		assert.equal(await page.evaluate(() =>
			navigator.clipboard.readText()), key);
	});

	test('are changed, disabled and revoked', async () => {
		await stand.signIn();
		await stand.go('keys');
		await choose(long, 'Edit');
		await fill('Budget in all, US$', '7.5');
		await fill('Requests at once', '3');
		await stand.shoot('key-edit');
		await press('Save');
		await row(long).getByText('$0.00 of $7.50').waitFor();
		await row(long).getByText('Running 0 of 3').waitFor();
		await asked(/^Disable key/, 'Disable', () => choose(long, 'Disable'));
		await row(long).getByText('disabled').waitFor();
		await choose(long, 'Enable');
		await row(long).getByText('ready').waitFor();
		await choose(long, 'Revoke');
		await stand.shoot('key-revoke');
		await press('Cancel');
		await asked(/^Revoke key/, 'Revoke', () => choose(long, 'Revoke'));
		await row(long).getByText('revoked').waitFor();
		await page.getByLabel('State').selectOption('revoked');
		assert.equal(await page.getByRole('row').count(), 2);
	});

	test('a hostile name is a name', async () => {
		await stand.signIn();
		await stand.go('keys');
		await page.getByRole('link', { name: hostile }).click();
		await stand.heading(hostile).waitFor();
		assert.equal(await page.locator('img[src=x]').count(), 0);
		await button('Revoke').click();
		await dialog().getByRole('heading', { name: hostile }).waitFor();
		assert.equal(await page.locator('img[src=x]').count(), 0);
	});

	test('one is made by keyboard alone', async () => {
		await stand.signIn();
		await stand.go('keys');
		await button('Add a key').focus();
		await page.keyboard.press('Enter');
		await dialog().waitFor();
		await page.keyboard.type('typed');
		await page.keyboard.press('Enter');
		await dialog().locator('code.secret').waitFor();
		site.secrets.push(await dialog().locator('code.secret')
			.textContent());
		for (let i = 0; i < 20 && await page.evaluate(() =>
			document.activeElement.textContent) !== 'Close'; i++)
			await page.keyboard.press('Tab');
		await page.keyboard.press('Enter');
		await gone();
		await row('typed').waitFor();
		await page.getByRole('button', { name: 'Actions on typed' }).focus();
		await page.keyboard.press('Enter');
		await page.keyboard.press('ArrowUp');
		await page.keyboard.press('Enter');
		await dialog().getByRole('heading', { name: /^Revoke key/ })
			.waitFor();
		await page.keyboard.press('Escape');
		await gone();
	});
});

describe('users', () => {
	test('are added, changed and removed', async () => {
		await stand.signIn();
		await stand.go('users');
		await button('Add without a sign-in').click();
		await fill('Name', 'uma');
		await press('Add');
		await alert().getByText('uma').waitFor();
		await fill('Name', hostile);
		await fill('Requests at once', '5');
		await press('Add');
		await gone();
		await row(hostile).getByText('0 of 5').waitFor();
		await choose(hostile, 'Edit');
		await fill('Name', 'zoe');
		await pick('Role', 'operator');
		await dialog().getByLabel('May sign in').uncheck();
		await stand.shoot('user-edit');
		await stand.isAccessible();
		await press('Save');
		await row('zoe').getByText('operator').waitFor();
		await row('zoe').getByText('disabled').waitFor();
		await choose('zoe', 'Enable');
		await row('zoe').getByText('not yet').waitFor();
		await asked(/^Disable “zoe”/, 'Disable', () => choose('zoe',
			'Disable'));
		await asked(/^Remove “zoe”/, 'Remove', () => choose('zoe', 'Remove'));
		await row('zoe').waitFor({ state: 'detached' });
	});

	test('one gets a budget', async () => {
		await stand.signIn();
		await stand.go('users/3');
		await button('Add a budget').click();
		assert.equal(await dialog().getByLabel('Its name').inputValue(),
			'uma');
		await fill('Limit', '3');
		await press('Add');
		await gone();
		await row('uma-money-month').getByText('$0.00 of $3.00').waitFor();
	});

	test('are invited, and the invitation is listed', async () => {
		await stand.signIn();
		await stand.go('users');
		await button('Invite somebody').click();
		await pick('Role', 'operator');
		await press('Invite');
		const link = await dialog().locator('code.secret').textContent();
		assert.ok(link.startsWith(`${site.url}/admin/#invitation=`), link);
		await stand.shoot('invitation');
		await stand.isAccessible();
		await press('Close');
		await page.getByRole('region', { name: 'Open invitations' })
			.getByRole('row').filter({ hasText: 'operator' }).waitFor();
	});

	test('the last administrator stays one, and why is said', async () => {
		await stand.signIn();
		await stand.go('users');
		await choose('ann', 'Edit');
		await pick('Role', 'user');
		await press('Save');
		await alert().getByText('last administrator').waitFor();
	});
});
