// A site and a browser that looks at its admin pages.
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Site } from '../../e2e/lib/site.mjs';

const axe = await readFile(createRequire(import.meta.url)
	.resolve('axe-core'), 'utf8');
const shots = process.env.LEASEHOLD_SHOTS;
export const password = 'correct horse battery';
export const phone = { viewport: { width: 390, height: 844 } };

// How each page is looked at in each of them.
export const looks = {
	light: {},
	dark: { colorScheme: 'dark' },
	phone,
	zh: { locale: 'zh-CN' },
};

// .site, .browser; .page and .complaints of the browser's window, which open()
// makes anew.
export class Stand {
	// options: of Site.start.
	static async start(options) {
		const stand = new Stand();
		stand.site = await Site.start(options);
		stand.browser = await chromium.launch({
			executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
			args: ['--no-sandbox'] });
		return stand;
	}

	async stop() {
		await this.browser?.close();
		await this.site?.stop();
	}

	// options: of a browser's context.  What the page says on its console
	// goes into .complaints, but for answers that tests ask for.
	async open(options = {}) {
		await this.context?.close();
		this.context = await this.browser.newContext({ locale: 'en-US',
			...options });
		this.page = await this.context.newPage();
		this.page.setDefaultTimeout(15000);
		this.complaints = [];
		this.page.on('console', m => {
			if (m.type() === 'error' && !/status of 40\d/.test(m.text()))
				this.complaints.push(m.text());
		});
		this.page.on('pageerror', e => this.complaints.push(String(e)));
	}

	// A person who signs in with the password of the tests.
	async person(name, role) {
		const link = (await this.site.leasehold(['user', 'invite',
			'--role', role])).trim();
		const answer = await fetch(`${this.site.url}/api/v1/auth/register`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ name, password,
				invitation: link.split('=')[1] }) });
		assert.equal(answer.status, 201, await answer.text());
	}

	async signIn(name = 'ann') {
		const { page } = this;
		await page.goto(`${this.site.url}/admin/`);
		await page.locator('[name=name]').fill(name);
		await page.locator('[name=password]').fill(password);
		await page.locator('form button.primary').click();
		await page.locator('.who button').waitFor({ state: 'attached' });
	}

	go(name) {
		return this.page.goto(`${this.site.url}/admin/#${name}`);
	}

	button(name) {
		return this.page.getByRole('button', { name, exact: true });
	}

	heading(name) {
		return this.page.getByRole('heading', { name, exact: true });
	}

	get dialog() {
		return this.page.getByRole('dialog');
	}

	// A screenshot, where somebody wants to look at it.
	async shoot(name) {
		if (!shots)
			return;
		await mkdir(shots, { recursive: true });
		await this.page.screenshot({ path: join(shots, `${name}.png`),
			fullPage: true });
	}

	// What accessibility's rules complain of: nothing.
	async isAccessible() {
		// The pages' policy allows no script inline.
		await this.page.evaluate(axe);
		const { violations } = await this.page.evaluate(() =>
			globalThis.axe.run());
		assert.deepEqual(violations.map(v => `${v.id}: ` +
			v.nodes.map(n => n.html).join(' ')), []);
	}

	// Nothing is wider than the window.
	async fits(name) {
		const widest = await this.page.evaluate(() =>
			[...document.querySelectorAll('body *')].filter(e =>
				e.getBoundingClientRect().right > innerWidth + 1 &&
				!e.closest('.scroll, pre, .skip'))
				.map(e => `${e.tagName} ${e.className}`));
		const overflows = await this.page.evaluate(() =>
			document.documentElement.scrollWidth > innerWidth);
		assert.ok(!overflows, `${name}: ${widest.join(', ')}`);
	}

	// Each page in each look: accessible, within the window, without a word on
	// the console, in the reader's language.  pages: { place: title };
	// ready(place): waits for what comes later.
	async lookAt(pages, who, ready = () => {}) {
		for (const [look, options] of Object.entries(looks)) {
			await this.open(options);
			await this.signIn(who);
			for (const [place, title] of Object.entries(pages)) {
				await this.go(place);
				await this.page.locator('main:not([aria-busy]) h1')
					.waitFor();
				if (look !== 'zh')
					await this.heading(title).first().waitFor();
				await ready(place);
				await this.shoot(`${place.replace(/\W+/g, '-')}-${look}`);
				if (look !== 'zh')
					await this.isAccessible();
				await this.fits(`${place}, ${look}`);
			}
			assert.deepEqual(this.complaints, []);
		}
	}
}
