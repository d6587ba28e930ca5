// The pages where things are managed: each form with good and bad input, each
// page in each look, and what is destroyed is asked about first.
// Store: any.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { write } from '../e2e/lib/database.mjs';
import { stream } from '../e2e/lib/http.mjs';
import { park } from '../e2e/lib/parks.mjs';
import { Tokens } from '../e2e/lib/tokens.mjs';
import { password, phone, Stand } from './lib/stand.mjs';

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
	await site.leasehold(['group', 'add', 'team', '--strategy',
		'round_robin']);
	await site.account('first');
	await site.account(long, { group: 'team' });
	await site.account('plain', { group: 'team' });
	await site.leasehold(['account', 'set', '--name', hostile, 'plain']);
	await site.leasehold(['account', 'disable', long]);
	await site.leasehold(['alias', 'add', '--group', 'team', 'gpt-4*',
		'claude-sonnet-4-5']);
	await write(site, park({ name: 'first' }, { reason: 'rate_limited',
		family: 'claude-opus', ms: 3723000 }) + park({ name: hostile },
		{ reason: 'upstream_error', ms: 1000, ago: 60000 }));
	await stream({ key: site.key, site });
	await site.makeKey('uma-laptop', '--user', 'uma', '--rate', '60/1m',
		'--models', 'claude-sonnet-*,claude-haiku-*', '--concurrency', '4');
	await site.makeKey(hostile, '--group', 'team');
	await site.makeKey(long, '--budget', '2.5', '--expires', '90d');
	await write(site, `INSERT INTO object (kind, upstream_id, account_id,
		key_id, ledger_id, model, final, unheard, created_ms, seen)
		SELECT 'batch', 'msgbatch_01shown', 1, 1, id, 'claude-haiku-4-5', 0, 1,
		created_ms, '{"processing_status": "in_progress"}' FROM ledger;
		INSERT INTO object (kind, upstream_id, account_id,
		key_id, ledger_id, model, final, unheard, created_ms, seen, gone_ms)
		SELECT 'file', 'file_${long}', 2, 3, id, '', 1, 0, created_ms,
		'{}', created_ms FROM ledger;`);
	await site.leasehold(['notify', 'add', 'phone', '--email',
		'ops@example.org', '--quiet', '22:00-07:00', '--lang', 'zh']);
	await site.tryLeasehold(['notify', 'test', 'phone']);
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
	const pages = { groups: 'Groups', 'groups/1': 'team',
		budgets: 'Budgets', keys: 'Keys', 'keys/2': 'uma-laptop',
		users: 'Users', 'users/3': 'uma', accounts: 'Accounts',
		'accounts/1': 'first', 'accounts/1?tab=history': 'first',
		'accounts/1?tab=why': 'first', prices: 'Prices', jobs: 'Jobs',
		notifications: 'Notifications',
		settings: 'Settings', maintenance: 'Maintenance', me: 'My sign-in',
		objects: 'Batches and files',
		'objects?tab=lost': 'Batches and files',
		'objects/msgbatch_01shown': 'msgbatch_01shown',
		wizard: 'First steps',
		'my-usage': 'My usage' };

	test('is readable in each look', () => stand.lookAt(pages, 'ann'));

	test('and each dialog fits a phone', async () => {
		await stand.open(phone);
		({ page } = stand);
		await stand.signIn();
		for (const [name, opener] of [['keys', 'Add a key'],
			['keys', 'Add many'], ['budgets', 'Add a budget'],
			['accounts', 'Add an account'], ['accounts', 'Sign in to one'],
			['prices', 'Add a price'], ['me', 'Add a token'],
			['maintenance', 'Add a token'], ['objects', 'Forget …'],
			['users', 'Invite somebody'],
			['notifications', 'Add a target']]) {
			await stand.go(name);
			await button(opener).first().click();
			const more = dialog().locator('summary');
			if (await more.count() > 0)
				await more.first().click();
			await stand.fits(opener);
			assert.ok(await dialog().evaluate(e =>
				e.scrollWidth <= e.clientWidth), opener);
			await stand.shoot(`phone-${opener.replaceAll(' ', '-')}`);
			await press('Cancel');
			await gone();
		}
	});

	test('offers operators no change that they may not make', async () => {
		await stand.signIn('olga');
		for (const name of Object.keys(pages).filter(n => n !== 'me' &&
			n !== 'wizard')) {
			await stand.go(name);
			await page.locator('main:not([aria-busy]) h1').waitFor();
			assert.equal(await page.getByRole('button', {
				name: /^(Add|Forget|Invite|Import|Remove|Revoke|Rotate)/ }).count(),
			0, name);
			if (name !== 'accounts')
				assert.equal(await page.getByRole('button', {
					name: /^Actions on/ }).count(), 0, name);
		}
		assert.deepEqual(stand.complaints, []);
	});

	test('says what is not there, or not theirs', async () => {
		await stand.signIn('uma');
		for (const name of ['keys/999999', 'keys/1', 'keys/x']) {
			await stand.go(name);
			await page.getByRole('alert').getByText('no such').waitFor();
		}
		await stand.shoot('keys-not-there');
		await stand.isAccessible();
		await stand.go('users/1');	// not for users at all
		await page.locator('main:not([aria-busy]) h1').waitFor();
		assert.equal(await page.getByText('ann', { exact: true }).count(), 0);
	});

	test('says in Chinese what kind of mistake it is', async () => {
		await stand.open({ locale: 'zh-CN' });
		({ page } = stand);
		await stand.signIn();
		await stand.go('keys/999999');
		await page.getByRole('alert').getByText(/^找不到。 .*no such/).waitFor();
		await stand.go('groups');
		await button('添加分组').click();
		await dialog().locator('[name=name]').fill('team');
		await dialog().locator('form button.primary').click();
		await alert().getByText(/^与现有内容冲突。 .*team/).waitFor();
		await stand.shoot('zh-mistake');
		await stand.isAccessible();
	});

	test('says what a web server means that answers itself', async () => {
		await stand.signIn();
		for (const [status, text] of [[502, 'The relay does not answer.'],
			[504, 'The relay does not answer.'],
			[413, 'more than the web server takes']]) {
			await page.route('**/api/v1/groups?*', route => route.fulfill({
				status, contentType: 'text/html', body: '<h1>no</h1>' }));
			await stand.go('groups');
			await page.getByRole('alert').getByText(text).waitFor();
			await page.unroute('**/api/v1/groups?*');
			await stand.go('jobs');
			await stand.heading('Jobs').waitFor();
		}
		stand.complaints.length = 0;	// the browser's own, of 50x
	});

	test('loses nothing of a form when its reader is signed out', async () => {
		await stand.signIn('olga');
		await stand.open();
		({ page } = stand);
		await stand.signIn();
		await stand.go('groups');
		await button('Add a group').click();
		await fill('Name', 'begun-before');
		await write(site, `DELETE FROM sign_in WHERE person_id = (SELECT id
			FROM person WHERE name = 'ann')`);
		await press('Add');
		await alert().getByText('You are signed out.').waitFor();
		await stand.shoot('form-signed-out');
		await stand.isAccessible();
		const [other] = await Promise.all([page.waitForEvent('popup'),
			alert().getByRole('link', { name: 'Sign in' }).click()]);
		await other.locator('[name=name]').fill('ann');
		await other.locator('[name=password]').fill(password);
		await other.locator('form button.primary').click();
		await other.getByRole('heading', { name: 'Dashboard' }).waitFor();
		await other.close();
		await press('Add');
		await gone();
		await row('begun-before').waitFor();
		await site.leasehold(['group', 'remove', 'begun-before']);
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

describe('fields for names', () => {
	test('propose those that there are, a few at a time', async () => {
		await stand.signIn('olga');
		const proposed = async (place, label, typed) => {
			await stand.go(place);
			const input = page.getByLabel(label, { exact: true });
			await input.click();
			await input.pressSequentially(typed);
			await page.waitForFunction(part => {
				const all = [...document.activeElement.list?.options ?? []];
				return all.length > 0 && all.length <= 20 &&
					all.every(option => option.value.includes(part));
			}, typed);
		};
		await proposed('requests', 'Key', 'laptop');
		await proposed('requests', 'User', 'uma');
		await proposed('requests', 'Account', 'firs');
		await proposed('audit', 'Who', 'olg');
		await proposed('objects', 'Key', 'laptop');
		await stand.isAccessible();
		assert.deepEqual(stand.complaints, []);
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

describe('many keys', () => {
	test('are made at once, or none', async () => {
		await stand.signIn();
		await stand.go('keys');
		await button('Add many').click();
		await fill('Names', 'bulk-a\n\nbulk-b\numa-laptop\n');
		await pick('Goes to', 'group:team');
		await fill('Budget in all, US$', '1');
		await press('Add');
		await alert().getByText('uma-laptop').waitFor();
		await fill('Names', 'bulk-a\n\nbulk-b\n bulk-c \n');
		await stand.shoot('keys-add-many');
		await stand.isAccessible();
		await press('Add');
		await stand.heading('The new keys').waitFor();
		const text = await dialog().locator('pre').first().textContent();
		const made = text.split('\n').map(l => l.split('\t'));
		assert.deepEqual(made.map(([name]) => name),
			['bulk-a', 'bulk-b', 'bulk-c']);
		made.forEach(([, key]) => site.secrets.push(key));
		await stand.shoot('keys-new-many');
		await stand.isAccessible();
		await press('Close');
		await row('bulk-c').getByText('$0.00 of $1.00').waitFor();
	});

	test('are changed at once, and asked about', async () => {
		await stand.signIn();
		await stand.go('keys');
		await page.getByLabel('Find').fill('bulk-');
		await page.getByLabel('Select bulk-a').check();
		await page.getByText('1 selected').waitFor();
		await page.getByLabel('1 selected').click();
		await page.getByText('3 selected').waitFor();
		await stand.shoot('keys-selected');
		await stand.isAccessible();
		await asked('Disable 3 keys?', 'Disable', () =>
			button('Disable').click());
		await page.locator('td .badge').getByText('disabled').nth(2)
			.waitFor();
		await button('Enable').click();
		await page.locator('td .badge').getByText('ready').nth(2).waitFor();
		await button('Bind to …').click();
		await pick('Goes to', 'account:first');
		await press('Save');
		await row('bulk-b').getByText('Account first').waitFor();
		await asked('Revoke 3 keys?', 'Revoke', () =>
			button('Revoke').click());
		await page.locator('td .badge').getByText('revoked').nth(2)
			.waitFor();
		assert.equal(await button('Enable').count(), 0);
		assert.deepEqual(stand.complaints, []);
	});

	test('one is rotated by whom it belongs to', async () => {
		await stand.signIn('uma');
		await stand.go('keys');
		await choose('uma-laptop', 'Rotate …');
		await pick('The old one works', '3600');
		await stand.shoot('key-rotate');
		await stand.isAccessible();
		await press('Rotate');
		const key = await dialog().locator('code.secret').textContent();
		assert.match(key, /^sk-lh-[\w-]{43}$/);
		site.secrets.push(key);
		await press('Close');
		await row('uma-laptop').getByText(/old key works for .*59 min/)
			.waitFor();
		assert.equal((await stream({ key, site })).status, 200);
	});

	test('a limit is taken away', async () => {
		await stand.signIn();
		await stand.go('keys/2');
		await button('Edit').click();
		await fill('Request rate', '');
		await fill('Budget in all, US$', '3');
		await press('Save');
		await gone();
		await row('uma-laptop-money').or(row('$3.00')).first().waitFor();
		await button('Edit').click();
		await fill('Budget in all, US$', '');
		await press('Save');
		await gone();
		await page.getByText('$3.00').waitFor({ state: 'detached' });
	});
});

describe('accounts', () => {
	test('are added, changed, disabled and removed', async () => {
		await stand.signIn();
		await stand.go('accounts');
		await button('Add an account').click();
		await fill('Name', 'second');
		await fill('Base URL', 'http://example.org');
		await fill('Secret', 'sk-mock-second');
		site.secrets.push('sk-mock-second');
		await stand.shoot('account-add');
		await stand.isAccessible();
		await press('Add');
		await alert().getByText('https').waitFor();
		await fill('Base URL', site.mock.url);
		await dialog().getByText('More …').click();
		await fill('Weight', '7');
		await stand.shoot('account-add-more');
		await press('Add');
		await gone();
		await row('second').getByText('ready').waitFor();

		await choose('second', 'Edit');
		assert.equal(await dialog().getByLabel('Secret').inputValue(), '');
		await pick('Group', 'team');
		await fill('Requests at once', '3');
		await press('Save');
		await gone();
		await row('second').getByText('0 of 3').waitFor();
		await row('second').getByRole('cell', { name: 'team' }).waitFor();
		await asked(/^Disable account/, 'Disable',
			() => choose('second', 'Disable'));
		await row('second').getByText('disabled').waitFor();
		await choose('second', 'Enable');
		await row('second').getByText('ready').waitFor();
		await asked(/^Remove account/, 'Remove',
			() => choose('second', 'Remove'));
		await row('second').waitFor({ state: 'detached' });
		assert.deepEqual(stand.complaints, []);
	});

	test('operators weigh and switch them alone', async () => {
		await stand.signIn('olga');
		await stand.go('accounts');
		await choose('first', 'Edit');
		assert.equal(await dialog().getByLabel('Secret').count(), 0);
		await fill('Weight', '0');
		await press('Save');
		assert.ok(await dialog().isVisible());
		await fill('Weight', '42');
		await press('Save');
		await gone();
		await row('first').getByRole('cell',
			{ name: '42', exact: true }).waitFor();
	});

	test('are found by state, group and text', async () => {
		await stand.signIn();
		await stand.go('accounts');
		for (const [label, value, rows] of [['State', 'resting', 1],
			['State', 'disabled', 1], ['State', '', 3],
			['Group', 'team', 2], ['Group', '-', 1], ['Group', '', 3],
			['Platform', 'claude', 3]]) {
			await page.getByLabel(label).selectOption(value);
			assert.equal(await page.getByRole('row').count(), rows + 1,
				`${label} ${value}`);
		}
		await page.getByLabel('Find').fill('xyz');
		await page.getByText('Nothing fits').waitFor();
		await page.getByLabel('Find').fill('not-one-more');
		await row(long).waitFor();
	});

	test('a rest is counted down, and ended', async () => {
		await stand.signIn('olga');
		await stand.go('accounts/1');
		const left = page.getByRole('region', { name: 'What is against it' })
			.locator('.countdown');
		await left.getByText(/^(1 h|\d+ min)/).waitFor();
		const was = await page.locator('.countdown').first().textContent();
		assert.ok(was);
		await button('End its rest').click();
		await page.getByText('Nothing: it serves.').waitFor();
	});

	test('why one would not serve is told', async () => {
		await stand.signIn();
		await stand.go('accounts/2?tab=why');
		await page.getByLabel('Key', { exact: true }).selectOption('uma-laptop');
		await page.getByLabel('Model', { exact: true })
			.fill('claude-sonnet-4-5');
		await button('Ask').click();
		await page.getByText('It would not serve').waitFor();
		await page.getByRole('region', { name: /^Accounts that/ }).waitFor();
		await stand.shoot('account-why');
		await stand.isAccessible();
		await page.getByLabel('Key', { exact: true }).selectOption(hostile);
		await page.getByLabel('Session').fill('a session that is not known');
		await button('Ask').click();
		await row(long).getByText('disabled').waitFor();
	});

	test('one is tested while one looks on', async () => {
		await stand.signIn('olga');
		await stand.go('accounts/1');
		await button('Test …').click();
		await press('Test');
		await dialog().getByText(/^It serves: /).waitFor();
		await fill('Model', 'claude-haiku-4-5');
		await press('Test');
		await dialog().locator('.said').waitFor();
		await dialog().getByText(/^It serves: /).waitFor();
		await stand.shoot('account-test');
		await stand.isAccessible();
		await site.mock.plan('sk-mock-first', { status: 401 });
		await press('Test');
		await dialog().getByText(/^It does not serve \(401\)/).waitFor();
		await stand.shoot('account-test-bad');
		await site.mock.forget();
		assert.ok(stand.complaints.length === 0, stand.complaints);
	});

	test('one that is signed in to comes in two steps', async () => {
		const tokens = await Tokens.start();
		try {
			await stand.signIn();
			await stand.go('accounts');
			await button('Sign in to one').click();
			await fill('Name', 'signed');
			await fill('Base URL', site.mock.url);
			await fill('Where people sign in', 'https://sign.example/in');
			await fill('Where tokens are got', tokens.url);
			await fill('Client id', 'the client');
			await fill('Where the sign-in leads to',
				'http://localhost:1/back');
			await stand.shoot('account-oauth');
			await stand.isAccessible();
			await press('Go on');
			const link = dialog().getByRole('link', { name:
				'Open the sign-in' });
			const url = new URL(await link.getAttribute('href'));
			assert.equal(url.host, 'sign.example');
			assert.match(await link.getAttribute('rel'), /noopener/);
			await stand.shoot('account-oauth-code');
			await stand.isAccessible();
			const state = url.searchParams.get('state');
			await fill('What came of it', 'http://localhost:1/back?' +
				`code=${tokens.authorize(url.href, 'signed').code}&state=${state}`);
			await press('Finish');
			await gone();
			await page.getByRole('link', { name: 'signed', exact: true })
				.click();
			await page.getByText('OAuth').waitFor();
			await button('Renew its tokens').waitFor();
			await stand.shoot('account-signed-in');
			await button('Give it tokens …').click();
			await fill('Access token', 'sk-ant-oat-of-a-form');
			await stand.shoot('account-tokens');
			await stand.isAccessible();
			await press('Save');		// the browser asks for the other
			assert.ok(await dialog().getByLabel('Refresh token').evaluate(
				e => !e.validity.valid));
			await fill('Refresh token', 'sk-ant-ort-of-a-form');
			await press('Save');
			await gone();
			assert.ok(!(await page.content()).includes('of-a-form'));
			await button('Sign in …').click();
			await fill('What came of it', 'wrong#not-the-state');
			await press('Finish');
			await alert().getByText(/./).waitFor();
			await press('Cancel');

			// One that nobody signs in to as yet.
			await stand.go('accounts');
			await button('Sign in to one').click();
			await fill('Name', 'to come');
			await fill('Base URL', site.mock.url);
			await fill('Where people sign in', 'https://sign.example/in');
			await fill('Where tokens are got', tokens.url);
			await fill('Client id', 'the client');
			await fill('Where the sign-in leads to',
				'http://localhost:1/back');
			await dialog().getByLabel('Sign in later').check();
			await press('Go on');
			await gone();
			await page.getByRole('link', { name: 'to come', exact: true })
				.waitFor();
		} finally {
			await tokens.stop();
		}
	});

	test('aliases are added, changed and removed', async () => {
		await stand.signIn();
		await stand.go('groups/1');
		await button('Add an alias').click();
		await fill('Model asked for', 'gpt-4*');
		await fill('Goes upstream as', 'claude-opus-4-5');
		await press('Add');
		await alert().getByText('gpt-4').waitFor();
		await fill('Model asked for', 'o1-*');
		await stand.isAccessible();
		await press('Add');
		await row('o1-*').waitFor();
		await choose('o1-*', 'Edit');
		await fill('Goes upstream as', 'claude-haiku-4-5');
		await press('Save');
		await row('o1-*').getByText('claude-haiku-4-5').waitFor();
		await asked(/^Remove alias/, 'Remove', () => choose('o1-*',
			'Remove'));
		await row('o1-*').waitFor({ state: 'detached' });
	});
});

describe('prices', () => {
	test('are added, changed and removed', async () => {
		await stand.signIn();
		await stand.go('prices');
		await button('Add a price').click();
		await fill('Model', 'new-model-*');
		await fill('Input', '3');
		await fill('Output', '-1');
		await press('Add');
		assert.ok(await dialog().isVisible());
		await fill('Output', '15');
		await dialog().getByText('More …').click();
		await fill('Batches', '50');
		await stand.shoot('price-add');
		await stand.isAccessible();
		await press('Add');
		await row('new-model-*').getByText('$15.00').waitFor();
		await row('new-model-*').getByText('Batches 50%').waitFor();
		await row('new-model-*').getByText('$3.75').waitFor();

		await choose('new-model-*', 'Edit');
		await fill('Input', '4');
		await press('Save');
		await row('new-model-*').getByText('$4.00').waitFor();
		await asked(/^Remove the price/, 'Remove',
			() => choose('new-model-*', 'Remove'));
		await row('new-model-*').getByText('$4.00').waitFor({ state:
			'detached' });
	});

	test('are imported from a file', async () => {
		await stand.signIn();
		await stand.go('prices');
		await button('Import').click();
		const file = text => dialog().getByLabel('File').setInputFiles({
			name: 'prices.json', mimeType: 'application/json',
			buffer: Buffer.from(text) });
		await pick('Platform', 'claude_console');
		await file('{');
		await press('Import');
		await alert().getByText('not JSON').waitFor();
		await file('[]');
		await press('Import');
		await alert().getByText('file').waitFor();
		await file(JSON.stringify({ 'claude-imported-1': {
			litellm_provider: 'anthropic', mode: 'chat',
			input_cost_per_token: 1e-6, output_cost_per_token: 5e-6 } }));
		await stand.shoot('price-import');
		await stand.isAccessible();
		await press('Import');
		await page.getByRole('status').getByText('1 prices are new').waitFor();
		await row('claude-imported-1').getByText('$5.00').waitFor();
		await row('claude-imported-1').getByText('claude_console').waitFor();
	});
});

const usageHead = 'usage_date_utc,model_version,usage_input_tokens_no_cache,' +
	'usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,' +
	'usage_input_tokens_cache_read,usage_output_tokens,web_search_count\n';

describe('maintenance', () => {
	const region = name => page.getByRole('region', { name, exact: true });

	test('the doctor looks, and says what to do', async () => {
		await stand.signIn('olga');
		await stand.go('maintenance');
		await button('Check now').click();
		const checks = region('Doctor');
		await checks.getByRole('row', { name: /^Database / })
			.getByText('well', { exact: true }).waitFor();
		assert.ok(await checks.getByRole('row').count() > 10);
		await stand.shoot('doctor');
		await stand.isAccessible();
		// What a host that ails is told.
		const said = { code: 'of-tomorrow', values: [], remedies: [] };
		await page.route('**/api/v1/doctor', route => route.fulfill({
			json: { ok: false, failed: 1, warnings: 1, checks: [
				{ ...said, name: 'config', title: 'settings', verdict: 'ok',
					seen: hostile, remedy: null },
				{ ...said, name: 'of-tomorrow', title: 'x', verdict: 'warn',
					seen: long, remedy: null },
				{ ...said, name: 'disk', title: 'x', verdict: 'fail',
					seen: 'no room', remedy: `Make room:\n    rm ${long} ` +
						`${long}\n` }] } }));
		await button('Check now').click();
		await page.getByText('Failed: 1, warnings: 1').waitFor();
		assert.match(await checks.getByRole('row').nth(1).textContent(),
			/no room.*rm a-name/s);
		await row('of-tomorrow').getByText('warning').waitFor();
		await stand.shoot('doctor-ails');
		await stand.isAccessible();
		await page.setViewportSize(phone.viewport);
		await stand.fits('doctor on a phone');
		await stand.shoot('phone-doctor-ails');
		assert.deepEqual(stand.complaints, []);
		await page.unroute('**/api/v1/doctor');
		await page.route('**/api/v1/doctor', route => route.fulfill({
			status: 429, json: { code: 42901, error: 'as many as can' } }));
		await button('Check now').click();
		await page.getByRole('status').getByText('as many as can').waitFor();
		assert.ok(await button('Check now').isEnabled());
	});

	test('the doctor speaks Chinese', async () => {
		await stand.open({ locale: 'zh-CN' });
		({ page } = stand);
		await stand.signIn('olga');
		await stand.go('maintenance');
		await button('立即检查').click();
		const checks = region('体检');
		await checks.getByRole('row', { name: /^写入数据库 / }).getByText(
			/^写入一次用时 \d+ 毫秒/).waitFor();
		await stand.shoot('doctor-zh');
		// Whatever it found of this host: each sentence is known.
		const { checks: found } = await (await page.request.get(
			`${site.url}/api/v1/doctor`)).json();
		for (const check of found)
			assert.ok(!(await checks.textContent()).includes(check.seen) ||
				/^\S+$/.test(check.seen), check.seen);
		assert.deepEqual(stand.complaints, []);
	});

	test('sums are verified, and those that differ shown', async () => {
		await stand.signIn('olga');
		await stand.go('maintenance');
		await button('Verify').click();
		await page.getByText('All sums are those of the rows').waitFor();
		await write(site, `UPDATE usage_day SET requests = requests + 7
			WHERE requests > 0`);
		await button('Verify').click();
		await page.getByText(/^Sums that differ: [1-9]/).waitFor();
		await region('Differences').getByRole('row').filter({ hasText:
			'requests' }).first().waitFor();
		await stand.shoot('verify-differs');
		await stand.isAccessible();
		await write(site, `UPDATE usage_day SET requests = requests - 7
			WHERE requests > 7`);
		await button('Verify').click();
		await page.getByText('All sums are those of the rows').waitFor();
	});

	test('a report of the provider is compared', async () => {
		await stand.signIn('olga');
		await stand.go('maintenance');
		const error = page.locator('form [role=alert]');
		const area = page.getByLabel('Or its text');
		await button('Compare').click();
		await error.getByText('Choose a file').waitFor();
		await area.fill('a,b\n1,2\n');
		await button('Compare').click();
		await error.getByText('names no column').or(error.getByText(
			'usage_date_utc')).first().waitFor();
		await area.fill(`${usageHead}2026-11-01,claude-x,10,0,0,0,5,0\n`);
		await page.getByText('More …').click();
		await page.getByLabel('Tolerance').fill('much');
		await button('Compare').click();
		await error.getByText('tolerance').waitFor();
		assert.equal(await page.getByLabel('Tolerance').getAttribute(
			'aria-invalid'), 'true');
		await stand.shoot('reconcile-wrong');
		await page.getByLabel('Tolerance').fill('0.5');
		await button('Compare').click();
		await page.getByText('Days and models that are off: 1').waitFor();
		assert.equal(await page.getByLabel('Tolerance').getAttribute(
			'aria-invalid'), null);
		const first = region('The provider’s report').getByRole('row')
			.filter({ hasText: '2026-11-01' });
		await first.getByText('off', { exact: true }).waitFor();
		await first.getByText('15 tokens').first().waitFor();
		await stand.shoot('reconcile-off');
		await stand.isAccessible();

		// The same as a file, of an account that has nothing.
		await area.fill('');
		await page.getByLabel('File').setInputFiles({ name: 'usage.csv',
			mimeType: 'text/csv', buffer: Buffer.from(
				`${usageHead}2026-11-01,claude-x,0,0,0,0,0,0\n`) });
		await page.getByLabel('Account', { exact: true })
			.selectOption('first');
		await button('Compare').click();
		await page.getByText('The ledger has what the report').waitFor();
		await page.setViewportSize(phone.viewport);
		await stand.fits('reconcile on a phone');
		await stand.shoot('phone-reconcile');
		assert.deepEqual(stand.complaints, []);
	});

	test('old requests are deleted, after it was asked', async () => {
		await write(site, `INSERT INTO ledger (id, state, fence,
			responder_id, created_ms, key_id, kind, model, stream,
			reserved_nusd, body_bytes) VALUES (77, 1, 1, 1, 77, 1,
			'messages', 'm', 0, 0, 1)`);
		await stand.signIn();
		await stand.go('maintenance');
		const days = page.getByLabel('Older than, days');
		await days.fill('0');
		await button('Delete').click();	// the browser knows
		assert.ok(await days.evaluate(e => !e.validity.valid));
		await days.fill('30');
		await button('Delete').click();
		await dialog().getByRole('heading', { name:
			'Delete requests older than 30 days?' }).waitFor();
		await stand.shoot('prune');
		await stand.isAccessible();
		await press('Cancel');
		await gone();
		await button('Delete').click();
		await press('Delete');
		await page.getByText('Requests deleted: 1').waitFor();
		assert.deepEqual(stand.complaints, []);
	});

	test('tokens of the installation are made and revoked', async () => {
		await stand.signIn();
		await stand.go('maintenance');
		await button('Add a token').click();
		await fill('Name', 'robot');
		await pick('May', 'all');
		await press('Add');
		const token = await dialog().locator('code.secret').textContent();
		site.secrets.push(token);
		await stand.shoot('installation-token');
		await stand.isAccessible();
		await press('Close');
		await row('robot').getByText('installation').waitFor();
		const ask = () => fetch(`${site.url}/api/v1/admin/tokens`,
			{ headers: { authorization: `Bearer ${token}` } });
		assert.equal((await ask()).status, 200);
		await button('Add a token').click();
		await fill('Name', 'robot');
		await press('Add');
		await alert().getByText('robot').waitFor();	// there is one
		await press('Cancel');
		await asked(/^Revoke token/, 'Revoke', () => row('robot')
			.getByRole('button', { name: 'Revoke' }).click());
		await row('robot').waitFor({ state: 'detached' });
		assert.equal((await ask()).status, 401);
		assert.ok(!(await page.content()).includes(token));

		await stand.open();
		({ page } = stand);
		await stand.signIn('olga');
		await stand.go('maintenance');
		await button('Check now').waitFor();
		assert.equal(await page.getByText('Tokens of the installation')
			.count(), 0);
	});
});

describe('batches and files', () => {
	let team, batch;

	const batches = async (of = team) => {
		const answer = await fetch(`${site.url}/v1/messages/batches`, {
			method: 'POST', headers: { 'x-api-key': of.key,
				'anthropic-version': '2023-06-01',
				'content-type': 'application/json' },
			body: JSON.stringify({ requests: [{ custom_id: 'one', params: {
				model: 'claude-haiku-4-5', max_tokens: 5, messages:
				[{ role: 'user', content: 'x' }] } }] }) });
		return { status: answer.status, ...await answer.json() };
	};

	// So many files, named NAME_0 and so on, beside a batch.
	const files = (n, name, id) => write(site, Array.from({ length: n },
		(_, i) => `INSERT INTO object (kind, upstream_id, account_id, key_id,
		ledger_id, model, final, unheard, created_ms, seen) SELECT 'file',
		'${name}_${i}', account_id, key_id, ledger_id, model, 1, 0,
		created_ms, seen FROM object WHERE upstream_id = '${id}';`)
		.join('\n'));

	before(async () => {
		team = await site.team(1);
		batch = await batches();
		assert.equal(batch.status, 200);
	});

	test('are found by kind, key and account', async () => {
		await stand.signIn('olga');
		await stand.go('objects');
		await row(batch.id).getByText('under way').waitFor();
		await row(batch.id).getByText('claude-haiku-4-5').waitFor();
		await row('msgbatch_01shown').getByText('was not told').waitFor();
		await page.getByLabel('Kind').selectOption('file');
		await row(batch.id).waitFor({ state: 'detached' });
		await row(`file_${long}`).getByText('gone upstream').waitFor();
		await page.getByLabel('Kind').selectOption('');
		await page.getByLabel('Key', { exact: true }).fill(team.name);
		await page.keyboard.press('Enter');
		await row(`file_${long}`).waitFor({ state: 'detached' });
		assert.equal(await page.getByRole('row').count(), 2);
		await page.getByLabel('Account', { exact: true }).fill('nobody');
		await page.keyboard.press('Enter');
		await page.getByText('Nothing fits').waitFor();
		await stand.isAccessible();
		await stand.shoot('objects-none-fits');
		assert.deepEqual(stand.complaints, []);
	});

	test('one is told about, with what made it', async () => {
		await stand.signIn('olga');
		await stand.go('objects');
		await page.getByRole('link', { name: batch.id }).click();
		await stand.heading(batch.id).waitFor();
		await page.locator('pre').getByText('"in_progress"').waitFor();
		await stand.shoot('object');
		await stand.isAccessible();
		const [made] = await site.ledger(team, { count: 1 });
		assert.equal(made.kind, 'batch_create');
		await page.locator('dd a').click();
		await page.getByText('batch_create').or(page.getByText(team.name))
			.first().waitFor();
		await stand.go('objects/no-such');
		await page.getByRole('alert').getByText('no object').waitFor();
	});

	test('there are more than a page has', async () => {
		await files(60, 'file', batch.id);
		await stand.signIn();
		await stand.go('objects');
		await row(/^file_59/).waitFor();
		assert.equal(await page.getByRole('row').count(), 51);
		await button('Older').click();
		await row('msgbatch_01shown').waitFor();
		await row(/^file_0/).waitFor();
		assert.ok(await button('Older').isDisabled());
		await stand.shoot('objects-older');
		await button('Newest').click();
		await row(/^file_59/).waitFor();
	});

	test('those that may be lost are told', async () => {
		await site.mock.plan(team.accounts[0].secret,
			{ end: 'fin', at: 'head' }, {});
		assert.equal((await batches()).status, 502);
		await site.ledger(team, { count: 2 });
		await stand.signIn('olga');
		await stand.go('objects');
		await page.getByRole('link', { name: 'Perhaps lost' }).click();
		const line = row(team.accounts[0].name);
		await line.getByText('batch', { exact: true }).waitFor();
		await page.getByLabel('Time').selectOption('24h');
		await line.waitFor();
		await stand.shoot('objects-lost');
		await stand.isAccessible();
		await page.setViewportSize(phone.viewport);
		await stand.fits('lost on a phone');
		await stand.shoot('phone-objects-lost');
		await line.getByRole('link').click();
		await stand.page.getByText(team.accounts[0].name).first().waitFor();
		assert.deepEqual(stand.complaints, []);
	});

	test('one is forgotten, and all of an account', async () => {
		const own = await site.team(1);
		const { id } = await batches(own);
		const left = async () => (await site.json('object', 'list', '--key',
			own.name)).map(o => o.id).sort();
		await files(4, 'own', id);
		await stand.signIn();
		await stand.go(`objects?kind=batch&key=${own.name}`);
		await asked(`Forget ${id}?`, 'Forget', () => choose(id, 'Forget'));
		await row(id).waitFor({ state: 'detached' });
		assert.deepEqual(await left(), ['own_0', 'own_1', 'own_2', 'own_3']);
		await stand.go('objects/own_2');
		await asked('Forget own_2?', 'Forget',
			() => button('Forget').click());
		await stand.heading('Batches and files').waitFor();
		await button('Forget …').click();
		await press('Forget');		// the browser's own word on it
		assert.ok(await dialog().isVisible());
		await pick('Account', own.accounts[0].name);
		await fill('Made before', '2020-01-01T00:00');
		await stand.shoot('objects-forget');
		await stand.isAccessible();
		await press('Forget');
		await page.getByRole('status').getByText('Forgotten: 0').waitFor();
		await button('Forget …').click();
		await pick('Account', own.accounts[0].name);
		await press('Forget');
		await page.getByRole('status').getByText('Forgotten: 3').waitFor();
		assert.deepEqual(await left(), []);
		assert.deepEqual(stand.complaints, []);
	});
});

describe('the system', () => {
	test('a job is run now', async () => {
		await stand.signIn('olga');
		await stand.go('jobs');
		await row('reap').getByRole('button', { name: 'Run now' }).click();
		await row('reap').getByText('good').waitFor();
		await row('reap').getByText('took').waitFor();
	});

	test('settings and jobs are told in Chinese', async () => {
		await stand.open({ locale: 'zh-CN' });
		({ page } = stand);
		await stand.signIn('olga');
		await stand.go('settings');
		await row('beat_interval_ms').getByText('心跳').waitFor();
		await page.getByLabel('查找').fill('心跳');
		await row('dead_after_s').waitFor();
		await stand.go('jobs');
		await row('prune').getByText('删除旧数据').waitFor();
	});

	test('a target is added, tested, changed and removed', async () => {
		const got = [];
		let status = 204;
		const hook = createServer((req, res) => {
			req.resume();
			got.push(req.headers['webhook-signature']);
			res.writeHead(status).end();
		});
		hook.listen(0, '127.0.0.1').unref();
		await once(hook, 'listening');
		const url = `http://127.0.0.1:${hook.address().port}/in/t0ken`;
		await stand.signIn();
		await stand.go('notifications');
		await button('Add a target').click();
		await fill('Name', 'bell');
		await fill('Address', 'http://example.org/');
		await dialog().getByLabel('Budget at 80 %').uncheck();
		await fill('Quiet time', '23:00-06:30');
		await pick('The same again after', '600');
		await stand.isAccessible();
		await press('Add');
		await alert().filter({ hasText: 'http' }).waitFor();
		await fill('Address', url);
		await press('Add');
		await dialog().getByText(/whsec_\w/).waitFor();
		await press('Close');
		await gone();
		await row('bell').getByText('23:00-06:30').waitFor();

		// With a secret of one's own nothing is shown.
		const own = `whsec_${Buffer.from('o'.repeat(24)).toString('base64')}`;
		await button('Add a target').click();
		await fill('Name', 'own');
		await fill('Address', url);
		await fill('Secret of one’s own', 'nonsense');
		await press('Add');
		await alert().getByText('secret').waitFor();
		await fill('Secret of one’s own', own);
		await press('Add');
		await gone();
		await choose('own', 'Remove');
		await press('Remove');
		await row('own').waitFor({ state: 'detached' });
		assert.equal(await row('bell').getByText('Budget at 80').count(), 0);
		await row('bell').getByRole('button', { name: 'Send a test' })
			.first().click();
		await page.getByText('“bell” took the test.').waitFor();
		assert.match(got[0], /^v1,/);
		status = 500;
		await row('bell').getByRole('button', { name: 'Send a test' })
			.first().click();
		await page.getByText('The test was not taken: HTTP 500').waitFor();
		await page.getByLabel('State').selectOption('waiting');
		await row('HTTP 500').getByText('waiting').waitFor();
		await stand.go('notifications');
		await choose('bell', 'Edit');
		await fill('Name', hostile);
		await press('Save');
		await gone();
		await choose(hostile, 'New secret');
		await dialog().getByRole('heading',
			{ name: `Make a new secret for “${hostile}”?` }).waitFor();
		await pick('The old secret signs as well for', '3600');
		await stand.isAccessible();
		await press('New secret');
		await dialog().getByText(/whsec_\w/).waitFor();
		await press('Close');
		await page.locator('dialog').waitFor({ state: 'detached' });
		await row(hostile).getByText('Old secret signs until').waitFor();
		status = 204;
		await row(hostile).getByRole('button', { name: 'Send a test' })
			.first().click();
		await page.getByText(`“${hostile}” took the test.`).waitFor();
		assert.match(got.at(-1), /^v1,\S+ v1,\S+$/);
		await asked(`Disable “${hostile}”?`, 'Disable', () =>
			choose(hostile, 'Disable'));
		await row(hostile).getByText('disabled').first().waitFor();
		await asked(`Remove “${hostile}”?`, 'Remove', () =>
			choose(hostile, 'Remove'));
		await row(hostile).first().waitFor({ state: 'detached' });
		hook.close();
	});

	test('operators test targets, and see no more of them', async () => {
		await site.leasehold(['notify', 'add', 'shut', '--webhook',
			'http://127.0.0.1:1/s3cret']);
		await stand.signIn('olga');
		await stand.go('notifications');
		await row('shut').getByText('http://127.0.0.1:1/...').waitFor();
		assert.equal(await button('Add a target').count(), 0);
		assert.equal(await page.getByText('s3cret').count(), 0);
		await row('shut').getByRole('button', { name: 'Send a test' })
			.first().click();
		await page.getByText('The test was not taken:').waitFor();
	});

	test('settings are found, and those that are set', async () => {
		await stand.signIn('olga');
		await stand.go('settings');
		await row('beat_interval_ms').getByText('100', { exact: true }).waitFor();
		await page.getByLabel('Find').fill('beat_interval');
		assert.equal(await page.locator('tbody tr').count(), 1);
		await page.getByLabel('Find').fill('no such setting');
		await page.getByText('Nothing fits').waitFor();
		await page.getByLabel('Find').fill('');
		const all = await page.locator('tbody tr').count();
		await page.getByLabel('Only those that are set').check();
		assert.ok(await page.locator('tbody tr').count() < all);
		await page.getByLabel('Only those that are set').uncheck();
	});
});

describe('own sign-in', () => {
	test('the second factor comes as a QR code', async () => {
		await stand.signIn('uma');
		await stand.go('me');
		await button('Turn a second factor on').click();
		await fill('Password', 'not the password');
		await press('Go on');
		await alert().getByText(/./).waitFor();
		await fill('Password', password);
		await press('Go on');
		const code = dialog().getByRole('img', { name: /^QR code/ });
		await code.waitFor();
		assert.ok(await code.evaluate(e =>
			e.querySelector('path').getAttribute('d').length > 1000));
		await stand.shoot('factor');
		await stand.isAccessible();
		await fill('Code of the second factor', '000000');
		await press('Turn on');
		await alert().getByText(/./).waitFor();
		await press('Cancel');
	});

	test('tokens have scopes and an end', async () => {
		await stand.signIn('uma');
		await stand.go('me');
		await button('Add a token').click();
		await fill('Name', hostile);
		await pick('Expires', 'own');
		await press('Add');		// the browser asks when
		assert.ok(await dialog().isVisible());
		await pick('Expires', '30');
		await stand.shoot('token-add');
		await stand.isAccessible();
		await press('Add');
		const token = await dialog().locator('code.secret').textContent();
		site.secrets.push(token);
		await stand.isAccessible();
		await press('Close');
		await row(hostile).getByText('read', { exact: true }).waitFor();
		const ask = (method, path, body) => fetch(`${site.url}/api/v1${path}`,
			{ method, body, headers: { authorization: `Bearer ${token}`,
				...body ? { 'content-type': 'application/json' } : {} } });
		assert.equal((await ask('GET', '/auth/me')).status, 200);
		assert.equal((await ask('POST', '/api-keys/2/rotate', '{}')).status,
			403);
		await asked(/^Revoke token/, 'Revoke', () => row(hostile)
			.getByRole('button', { name: 'Revoke' }).click());
		await page.getByText('You have no tokens.').waitFor();
		assert.equal((await ask('GET', '/auth/me')).status, 401);
	});

	test('other sign-ins end, and a new password', async () => {
		await stand.person('pat', 'user');
		await stand.signIn('pat');
		await stand.go('me');
		await asked('Sign out everywhere else?', 'Sign out elsewhere',
			() => button('Sign out elsewhere').click());
		await button('Sign out elsewhere').waitFor({ state: 'detached' });
		await button('Change the password').click();
		await fill('Password so far', password);
		await fill('New password', 'pat');
		await press('Change the password');
		assert.ok(await dialog().isVisible());
		await fill('New password', 'pat has another one');
		await stand.shoot('password');
		await stand.isAccessible();
		await press('Change the password');
		await gone();
	});
});

describe('my usage', () => {
	test('is shown to whoever has the key, without a sign-in', async () => {
		await page.goto(`${site.url}/admin/`);
		await page.getByRole('link', { name: /^You have a key/ }).click();
		assert.doesNotMatch(await page.locator('body').innerText(),
			/null|undefined/);
		await page.getByLabel('Your key').fill('sk-lh-no-such-key');
		await button('Show').click();
		await page.getByRole('alert').getByText('is not known').waitFor();
		await stand.shoot('my-usage-wrong');
		const key = await site.makeKey('owned', '--budget', '2', '--rate',
			'60/1m', '--models', 'claude-*');
		await stream({ key, site });
		await site.ledger({ name: 'owned' }, { count: 1 });
		await page.getByLabel('Your key').fill(key);
		await button('Show').click();
		await stand.heading('owned').waitFor();
		await row('money').getByText(/^\$0\.00\d* of \$2\.00$/).waitFor();
		await page.getByRole('region', { name: 'By model' })
			.getByText('claude-sonnet-4-5').waitFor();
		await page.locator('.chart').first().waitFor();
		await stand.isAccessible();
		await stand.shoot('my-usage');
		await page.setViewportSize({ width: 390, height: 844 });
		await stand.fits('my usage');
		await stand.shoot('my-usage-phone');
		assert.ok(!(await page.content()).includes(key));
		assert.deepEqual(await page.evaluate(() =>
			[Object.values(localStorage).join(' ').includes('sk-lh'),
				sessionStorage.length, document.cookie]), [false, 0, '']);
		await button('Forget the key').click();
		await page.getByLabel('Your key').waitFor();
		await page.reload();
		await page.getByLabel('Your key').waitFor();
		assert.deepEqual(stand.complaints, []);
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
		const open = page.getByRole('region', { name: 'Open invitations' })
			.getByRole('row').filter({ hasText: 'operator' });
		await asked('Take the invitation back?', 'Take back', () =>
			open.getByRole('button', { name: 'Take back' }).click());
		await open.waitFor({ state: 'detached' });
		await stand.open();
		({ page } = stand);
		await page.goto(link);
		await page.getByLabel('Name').fill('late');
		await page.getByLabel('Password').fill(password);
		await button('Begin').click();
		await page.getByRole('alert').getByText('not good').waitFor();
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
