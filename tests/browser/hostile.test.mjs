// Names, models, browsers and addresses that are markup, on every page: they
// are shown as what they are, and nothing of them runs.  The pages' policy is
// switched off, so that it does not hide a mistake.
// Store: any.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, message, request } from '../e2e/lib/http.mjs';
import { Person } from '../e2e/lib/people.mjs';
import { password, phone, Stand } from './lib/stand.mjs';

const img = '<img src=x onerror=pwn()>';
const script = '"\'><script>pwn()</script>';
const attribute = 'a" onmouseover="pwn()" x="';

let stand, site, page, ann;

before(async () => {
	stand = await Stand.start({ processes: 1 });
	({ site } = stand);
	ann = await Person.join(site, 'admin', 'ann');
	await fill();
});
after(() => stand?.stop());

async function make(path, body) {
	const answer = await ann.ask('POST', path, body);
	assert.equal(answer.status, 201, `${path}: ${answer.body}`);
	for (const secret of [answer.json.key, answer.json.token])
		if (secret)
			site.secrets.push(secret);
	return answer.json;
}

// One of each, three times over.
async function fill() {
	const hostile = [img, script, attribute];
	for (const name of hostile) {
		await make('/groups', { name });
		await make('/admin/users', { name });
		await make('/admin/accounts', { name, platform_type: 'claude',
			request_url: site.mock.url, credential: 'api_key',
			secret_key: 'sk-mock-x', group: name });
		await make('/aliases', { on: 'group', of: name, alias: name,
			model: 'claude-sonnet-4-5' });
		await make('/budgets', { name: `${name}b`, on: 'user', of: name,
			counts: 'money', limit: 1 });
		await make('/prices', { model: name, input_nusd_mtok: 1,
			output_nusd_mtok: 1 });
		await make('/auth/tokens', { name });
		const { key } = await make('/api-keys', { name, group: name });
		await call({ site, key }, message({ model: name }), { headers: {
			'user-agent': name, 'x-claude-code-session-id': name } });
		await call({ site, key }, message({ model: name, stream: true }));
	}
	site.secrets.push('sk-mock-x');
	const eve = new Person(site, { 'user-agent': img });
	eve.name = 'ann';
	await eve.signIn();

	// What was refused is in the audit log, too.
	await request(`${site.url}/api/v1/auth/login`,
		{ body: { name: img, password: script } });
}

async function open() {
	await stand.open({ bypassCSP: true });
	({ page } = stand);
	await page.addInitScript(() => {
		window.pwned = [];
		window.pwn = () => window.pwned.push(location.hash);
	});
}

// Nothing ran, and nothing became an element.
async function assertHarmless(where) {
	for (const frame of page.frames()) {
		const found = await frame.evaluate(() => ({
			ran: window.pwned,
			elements: [...document.querySelectorAll('img[src=x], ' +
				'script:not([src]), [onmouseover], [onerror]')]
				.map(e => e.outerHTML),
			links: [...document.querySelectorAll('a[href]')]
				.map(a => a.href).filter(h => /^(javascript|data):/i.test(h)),
		}));
		assert.deepEqual(found, { ran: [], elements: [], links: [] }, where);
	}
}

// The dashboard is told what goes on for as long as it is looked at.
async function settled() {
	await page.waitForLoadState('networkidle', { timeout: 1000 })
		.catch(() => {});
	await sleep(100);
}

// Shown, and over it every control that a mouse comes by.
async function look(hash) {
	await page.goto('about:blank');
	await page.goto(`${site.url}/admin/#${hash}`);
	await page.locator('main h1').first().waitFor();
	await settled();
	for (const some of await page.locator('main td, main a').all())
		await some.dispatchEvent('mouseover').catch(() => {});
	await assertHarmless(hash);
}

test('every page, and what each of its rows leads to', async () => {
	await open();
	await stand.signIn();
	const pages = await page.evaluate(() => [...document.querySelectorAll(
		'nav a[href^="#"], header a[href^="#"]')]
		.map(a => a.getAttribute('href').slice(1)));
	const names = [...new Set(pages)].filter(name =>
		name !== 'main' && !name.includes('?'));
	assert.ok(names.length > 8, names.join());
	const seen = new Set();
	for (const name of names) {
		await look(name);
		const text = await page.locator('main').innerText();
		for (const one of [img, script, attribute])
			if (text.includes(one))
				seen.add(name);
		const links = await page.evaluate(() => [...document
			.querySelectorAll('main a[href^="#"]')]
			.map(a => a.getAttribute('href').slice(1)));
		for (const link of [...new Set(links)].filter(
			l => l.includes('/')).slice(0, 6))
			await look(link);
	}
	for (const name of ['accounts', 'audit', 'groups', 'keys', 'requests',
		'users'])
		assert.ok(seen.has(name), `${name} shows none of it, of ${names}`);
	for (const by of ['key', 'model', 'account', 'group', 'user'])
		await look(`usage?by=${by}&from=24h`);
	await look('keys');
	await stand.shoot('hostile');
});

test('dialogs say what they are about', async () => {
	await open();
	await stand.signIn();
	for (const name of ['keys', 'groups', 'users', 'accounts', 'budgets',
		'aliases', 'prices']) {
		await look(name);
		const buttons = page.locator('main button:visible');
		const n = await buttons.count();
		for (let i = 0; i < Math.min(n, 8); i++) {
			await buttons.nth(i).click({ timeout: 2000 }).catch(() => {});
			await assertHarmless(`${name}, button ${i}`);
			await page.keyboard.press('Escape');
			if (await page.locator('dialog[open]').count() > 0)
				await look(name);
		}
	}
});

// What a button covers of the names in its row.
const covered = () => [...document.querySelectorAll('tbody tr')].filter(tr => {
	const name = tr.querySelector('strong')?.getBoundingClientRect();
	return name && [...tr.querySelectorAll('button')].some(b => {
		const at = b.getBoundingClientRect();
		return at.width > 0 && at.left < name.right &&
			at.right > name.left && at.top < name.bottom &&
			at.bottom > name.top;
	});
}).length;

test('names as long as they can be, on a phone', async () => {
	const name = 'W'.repeat(120);
	const group = await make('/groups', { name });
	await make('/aliases', { on: 'group', of: name, alias: name,
		model: name });
	site.secrets.push((await make('/notify/targets', { kind: 'webhook', name,
		address: `https://n.example/${name}`,
		events: ['budget.80'] })).secret);
	await stand.open(phone);
	({ page } = stand);
	await stand.signIn();
	for (const hash of [`groups/${group.id}`, 'notifications']) {
		await stand.go(hash);
		await page.locator('main:not([aria-busy]) tbody tr').first()
			.waitFor();
		await stand.fits(hash);
		assert.equal(await page.evaluate(covered), 0, hash);
	}
});

test('more keys than the route takes at once', async () => {
	for (let n = 0; n < 140; n += 70) {
		const { items } = await make('/api-keys/bulk', { keys: Array.from(
			{ length: 70 }, (_, i) => ({ name: `many-${n + i}` })) });
		site.secrets.push(...items.map(k => k.key));
	}
	await open();
	await stand.signIn();
	await stand.go('keys');
	await page.locator('main input[type=search]').fill('many-');
	await page.getByRole('button', { name: /^Show more/ }).click();
	await page.locator('[data-id=all]').check();
	await page.locator('.bulk').getByRole('button',
		{ name: 'Disable', exact: true }).click();
	await stand.dialog.getByRole('button',
		{ name: 'Disable', exact: true }).click();
	await page.locator('#said', { hasText: /./ }).waitFor();
	const { json } = await ann.ask('GET', '/api-keys?q=many-&limit=1000');
	assert.equal(json.total, 140);
	assert.deepEqual(json.items.filter(k => k.enabled).map(k => k.name), []);
});

test('what stands in the address', async () => {
	await open();
	const hashes = [`invitation=${img}`, img, `keys/${img}`,
		`keys/${encodeURIComponent(img)}`,
		`requests?key=${encodeURIComponent(img)}`,
		`audit?actor=${encodeURIComponent(script)}`,
		`usage?by=${encodeURIComponent(img)}`, 'constructor', '__proto__',
		'../../evil', 'https://evil.example/', 'javascript:pwn()', '%'];
	for (const signedIn of [false, true]) {
		if (signedIn)
			await stand.signIn();
		for (const hash of hashes) {
			await page.goto('about:blank');
			await page.goto(`${site.url}/admin/#${hash}`);
			await settled();
			await assertHarmless(hash);
			assert.ok(page.url().startsWith(`${site.url}/admin/`),
				page.url());
		}
	}
});

test('signing in leads nowhere else', async () => {
	await open();
	for (const more of ['?next=https://evil.example/',
		'?return=//evil.example', '#https://evil.example/']) {
		await page.goto('about:blank');
		await page.context().clearCookies();
		await page.goto(`${site.url}/admin/${more}`);
		await page.locator('[name=name]').fill('ann');
		await page.locator('[name=password]').fill(password);
		await page.locator('form button.primary').click();
		await page.locator('.who button').waitFor({ state: 'attached' });
		assert.equal(new URL(page.url()).origin, new URL(site.url).origin);
	}
});

test('no frame of another page holds them', async () => {
	const answer = await request(`${site.url}/admin/`, { method: 'GET' });
	assert.match(answer.headers['content-security-policy'],
		/default-src 'self'; frame-ancestors 'none'/);
	assert.equal(answer.headers['x-frame-options'], 'DENY');
	assert.equal(answer.headers['x-content-type-options'], 'nosniff');
	await stand.open();
	({ page } = stand);
	await page.goto(`${site.url}/health`);
	await page.setContent(`<iframe src="${site.url}/admin/"></iframe>`);
	await sleep(500);
	const [, frame] = page.frames();
	assert.ok(!await frame.locator('form').count(), frame.url());
	assert.ok(stand.complaints.some(c => /frame/i.test(c)),
		stand.complaints.join());
});
