// The pages that take what is set up elsewhere, and over from elsewhere, and
// that tell what is done on the host.
// Store: any.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import { stream } from '../e2e/lib/http.mjs';
import { password, phone, Stand } from './lib/stand.mjs';

const hostile = '<img src=x onerror=alert(1)>';
const passphrase = ' a passphrase with blanks ';

let stand, site, page;
const button = name => stand.button(name);
const row = name => page.getByRole('row').filter({ hasText: name });
const label = name => page.getByLabel(name, { exact: true });
const alert = () => page.locator('form [role=alert]:not(:empty)');

before(async () => {
	stand = await Stand.start();
	({ site } = stand);
	await stand.person('ann', 'admin');
	await stand.person('olga', 'operator');
	await site.leasehold(['group', 'add', 'team']);
	await site.account('first', { group: 'team' });
	await site.account('second');
	await site.makeKey('laptop', '--group', 'team', '--budget', '2.5');
	site.secrets.push(passphrase);
});
after(() => stand?.stop());
beforeEach(async () => {
	await stand.open();
	({ page } = stand);
});

describe('each part', () => {
	const pages = { 'maintenance?tab=move': 'Maintenance',
		'maintenance?tab=host': 'Maintenance' };

	test('is readable in each look', () => stand.lookAt(pages, 'ann'));

	test('is not for operators where it has secrets', async () => {
		await stand.signIn('olga');
		await stand.go('maintenance?tab=move');
		await button('Check now').waitFor();
		assert.equal(await button('Export and save').count(), 0);
		assert.equal(await page.getByRole('link', { name: 'Export and import' })
			.count(), 0);
	});
});

describe('an export', () => {
	// What the form says, sent.
	const send = async (first, again, own) => {
		await page.locator('[name=passphrase]').first().fill(first);
		await page.locator('[name=again]').fill(again);
		await page.locator('[name=password]').fill(own);
		await button('Export and save').click();
	};
	let file;

	test('is refused without the password, or with two passphrases', async () => {
		await stand.signIn();
		await stand.go('maintenance?tab=move');
		await send(passphrase, `${passphrase}.`, password);
		await alert().getByText('not the same').waitFor();
		await send(passphrase, passphrase, 'another one');
		await alert().getByText('the password is not right').waitFor();
		await stand.shoot('export-wrong');
		await stand.isAccessible();
		// The browser knows how long one is, and so does the route.
		await send('short', 'short', password);
		assert.ok(await page.locator('[name=passphrase]').first()
			.evaluate(e => !e.validity.valid));
		assert.deepEqual(stand.complaints, []);
	});

	test('is saved as a file', async () => {
		await stand.signIn();
		await stand.go('maintenance?tab=move');
		const saved = page.waitForEvent('download');
		await send(passphrase, passphrase, password);
		const download = await saved;
		assert.match(download.suggestedFilename(),
			/^leasehold-\d{4}-\d\d-\d\d\.json$/);
		file = await readFile(await download.path());
		const doc = JSON.parse(file);
		assert.equal(doc.format, 'leasehold-export');
		assert.equal(doc.accounts[0].name, 'first');
		for (const secret of site.secrets)
			assert.ok(!file.includes(secret));
		await page.getByRole('status').getByText('The file is saved')
			.waitFor();
		assert.equal(await page.locator('[name=password]').inputValue(), '');
		assert.deepEqual(stand.complaints, []);
	});

	test('comes back, after a look at what that would do', async () => {
		await site.leasehold(['account', 'remove', 'second']);
		await stand.signIn();
		await stand.go('maintenance?tab=move');
		const given = page.locator('[name=passphrase]').last();
		await button('Preview').click();	// the browser asks for one
		assert.ok(await given.evaluate(e => !e.validity.valid));
		await given.fill('another passphrase');
		await button('Preview').click();
		await alert().getByText('Choose a file').waitFor();
		await label('File').setInputFiles({ name: 'leasehold.json',
			mimeType: 'application/json', buffer: file });
		await button('Preview').click();
		await alert().getByText('passphrase is another one').waitFor();
		await given.fill(passphrase);
		await button('Preview').click();
		await alert().getByText('there already').waitFor();
		await stand.shoot('import-wrong');
		assert.equal(await button('Take over').count(), 0);

		await label('What is there already').selectOption('skip');
		await button('Preview').click();
		await page.getByText('This would be done:').waitFor();
		await row('second').getByText('added').waitFor();
		await page.getByRole('row', { name: 'Account first left as it is' })
			.waitFor();
		await stand.shoot('import-preview');
		await stand.isAccessible();
		await page.setViewportSize(phone.viewport);
		await stand.fits('a preview on a phone');
		await stand.shoot('phone-import-preview');
		// What is asked anew is looked at anew.
		await label('Without keys').check();
		assert.equal(await button('Take over').count(), 0);
		await label('Without keys').uncheck();
		await button('Preview').click();
		await button('Take over').click();
		await page.getByText('This was done:').waitFor();
		await row('second').getByText('added').waitFor();
		await stand.shoot('import-done');
		await stand.isAccessible();
		assert.equal(await button('Take over').count(), 0);
		assert.ok(!(await page.content()).includes(passphrase));
		assert.deepEqual(stand.complaints, []);
		await site.leasehold(['account', 'show', 'second']);
	});
});

describe('another program’s accounts', () => {
	test('are taken over from a text', async () => {
		await stand.signIn();
		await stand.go('maintenance?tab=move');
		await label('What it is').selectOption('env');
		assert.equal(await page.locator('[name=passphrase]').count(), 1);
		await label('Or its text').fill('CLAUDE_API_KEY="sk-ant');
		await button('Preview').click();
		await alert().waitFor();
		await label('Or its text').fill(
			'CLAUDE_API_KEY=sk-ant-api03-of-a-page\n');
		await label('Base URL').fill(site.mock.url);
		await label('Into the group').fill('team');
		await button('Preview').click();
		await row('claude').getByText('added').waitFor();
		await stand.shoot('import-env');
		await button('Take over').click();
		await page.getByText('This was done:').waitFor();
		site.secrets.push('sk-ant-api03-of-a-page');
		assert.ok(!(await page.content()).includes('of-a-page'));
		await stand.go('accounts');
		await page.getByRole('link', { name: 'claude', exact: true })
			.waitFor();
		await site.leasehold(['account', 'disable', 'first']);
		const answer = await stream({ key: site.key, site });
		await site.leasehold(['account', 'enable', 'first']);
		assert.equal(answer.status, 200);
		assert.deepEqual(stand.complaints, []);
	});

	test('are looked for, and that there are none is said', async () => {
		await stand.signIn();
		await stand.go('maintenance?tab=move');
		await label('What it is').selectOption('env');
		await label('Or its text').fill('CLAUDE_API_KEY=\nHOME=/\n');
		await button('Preview').click();
		await page.getByText('looked for CLAUDE_API_KEY').waitFor();
		await page.getByText('CLAUDE_API_KEY: it is empty').waitFor();
		assert.equal(await button('Take over').count(), 0);
		await stand.shoot('import-nothing');
		await stand.isAccessible();
		assert.deepEqual(stand.complaints, []);
	});

	test('are told as text, whatever they are called', async () => {
		await stand.signIn();
		await stand.go('maintenance?tab=move');
		await label('What it is').selectOption('claude-relay-service');
		await label('Or its text').fill('{}');
		await button('Preview').click();
		await alert().waitFor();
		await page.route('**/api/v1/import', route => route.fulfill({ json: {
			dry_run: true, done: [{ what: 'account', name: hostile,
				done: 'added' }], passed_over: [`${hostile}: no key`] } }));
		await button('Preview').click();
		await row(hostile).waitFor();
		await page.getByText(`${hostile}: no key`).waitFor();
		await stand.shoot('import-hostile');
		await stand.isAccessible();
		await page.setViewportSize(phone.viewport);
		await stand.fits('a hostile import on a phone');
		await page.unroute('**/api/v1/import');
		await page.route('**/api/v1/import', route => route.fulfill({ json: {
			dry_run: true, done: [], passed_over: [] } }));
		await button('Preview').click();
		await page.getByText('there is nothing in it').waitFor();
		assert.equal(await button('Take over').count(), 0);
		assert.deepEqual(stand.complaints, []);
	});
});

describe('on the host', () => {
	const region = name => page.getByRole('region', { name, exact: true });
	let conf;

	// The config file as it was, and these.
	async function configure(set) {
		conf ??= await readFile(site.conf, 'utf8');
		const names = Object.keys(set).join('|');
		await writeFile(site.conf, conf.replace(new RegExp(
			`^(${names}) *=.*\n`, 'gm'), '') + Object.entries(set).map(
			([name, value]) => `\n${name} = ${value}\n`).join(''));
	}
	after(() => conf && writeFile(site.conf, conf));


	test('settings that wait are shown, and taken over', async () => {
		await stand.signIn();
		await stand.go('maintenance?tab=host');
		await page.getByText('What the file says is in force').waitFor();
		await configure({ cooldown_rate_s: '77s', admin_threads: 3 });
		await page.reload();
		const wait = region('Settings that are not in force');
		await wait.getByRole('row', { name: /^cooldown_rate_s .*77/ })
			.getByText('by a reload').waitFor();
		await row('admin_threads').getByText('by a restart').waitFor();
		await stand.shoot('host-settings');
		await stand.isAccessible();
		await button('Reload').click();
		await page.getByRole('status').getByText(/Responders told: [2-9]/)
			.waitFor();
		await row('cooldown_rate_s').waitFor({ state: 'detached' });
		await row('admin_threads').waitFor();
		await page.getByRole('row', { name: /^restart / })
			.getByText('Settings that wait: 1').waitFor();
		assert.deepEqual(stand.complaints, []);
	});

	test('settings that are not good are told', async () => {
		await configure({ cooldown_rate_s: 'soon' });
		await stand.signIn();
		await stand.go('maintenance?tab=host');
		await page.locator('main [role=alert]').getByText('cooldown_rate_s')
			.waitFor();
		await configure({ cooldown_rate_s: '77s' });
		await button('Try again').click();
		await button('Reload').waitFor();
		await configure({ cooldown_rate_s: 'soon' });
		await button('Reload').click();
		await page.getByRole('status').getByText('cooldown_rate_s').waitFor();
		assert.ok(await button('Reload').isEnabled());
		await configure({ cooldown_rate_s: '77s' });
	});

	test('backups are made and listed', async () => {
		await stand.signIn('olga');
		await stand.go('maintenance?tab=host');
		assert.equal(await button('Reload').count(), 0);
		await page.getByText('There is none yet.').waitFor();
		await button('Back up now').click();
		const made = region('Backups').getByRole('row').nth(1);
		await made.getByText(/leasehold-\d{8}T\d{6}Z\.db$/).waitFor();
		await made.getByText(/\d [kM]B$/).waitFor();
		await stand.shoot('host');
		await stand.isAccessible();
		await page.setViewportSize(phone.viewport);
		await stand.fits('the host on a phone');
		await stand.shoot('phone-host');
		assert.deepEqual(stand.complaints, []);
	});

	test('lines are copied as they are to be run here', async () => {
		await stand.open({ permissions: ['clipboard-read',
			'clipboard-write'] });
		({ page } = stand);
		await stand.signIn('olga');
		await stand.go('maintenance?tab=host');
		const line = async name => {
			await page.getByRole('row', { name: new RegExp(`^${name} `) })
				.getByRole('button', { name: 'Copy' }).click();
			await page.getByRole('status').getByText('Copied').waitFor();
			return page.evaluate(() => navigator.clipboard.readText());
		};
		const check = await line('config check');
		assert.match(check, /^leasehold --config \/\S+ config check$/);
		await site.leasehold(check.split(' ').slice(3));
		assert.match(await line('restore'),
			/ restore \/\S+\/leasehold-\d{8}T\d{6}Z\.db$/);
		assert.match(await line('store copy'), / store copy \S+ \S+$/);
		await page.getByRole('row', { name: /^migrate / }).getByText(
			/^not due: schema \d+$/).waitFor();
		assert.deepEqual(stand.complaints, []);
	});
});
