// The first run: an account, a key, the lines for a client, and a message that
// comes back through all of it.
import { addAccount, addOauth, runTest } from './account-forms.js';
import { call, events, list } from './api.js';
import { h, place } from './dom.js';
import { button, makeForm } from './form.js';
import { accountStands, head } from './parts.js';
import { demoModel, endpoint, secret, setupLines } from './setup.js';
import { t } from './text.js';

// The key that was made here, while the page lives; nowhere else.
let made = null;

const step = (n, title, done, ...children) => h('li', { class: 'card step' +
	(done ? ' done' : '') }, h('h2', null, h('span', { class: 'nth',
	'aria-hidden': 'true' }, done ? '✓' : n), title), ...children);

// ---- an account ----

function testOf(account) {
	const into = h('div', { class: 'test', 'aria-live': 'polite' });
	const run = button(t('test'), async () => {
		run.disabled = true;
		await runTest(account.id, '', into).catch(error =>
			into.replaceChildren(h('p', { class: 'error', role: 'alert' },
				error.message || t('unreachable'))));
		run.disabled = false;
	});
	return h('div', { class: 'first' }, h('strong', null, account.name),
		accountStands(account), run, into);
}

const accountStep = (context, accounts) => step(1, t('firstAccount'),
	accounts.length > 0, h('p', { class: 'quiet' }, t('firstAccountIntro')),
	accounts.slice(0, 3).map(testOf), h('p', { class: 'actions' },
		button(t('addAccount'), () => addAccount(context, context.again)
			.catch(context.fail), accounts.length === 0 ? 'primary' : null),
		button(t('addOauth'), () => addOauth(context, context.again)
			.catch(context.fail))));

// ---- a key ----

const keyForm = context => makeForm({ isNew: true, label: t('makeKey'),
	fields: [{ name: 'name', label: t('keyName'), required: true,
		value: context.me.name, maxlength: 64 }],
	send: async said => {
		made = await call('POST', '/api-keys', said);
		await context.again();
	} });

const keyStep = (context, keys) => step(2, t('firstKey'), made !== null,
	h('p', { class: 'quiet' }, keys.length > 0 && made === null ?
		t('firstKeyMore', keys[0].name) : t('firstKeyIntro')),
	made === null ? keyForm(context) : [h('p', null, t('shownOnce')),
		secret(made.key)]);

// ---- the lines, and a message ----

const linesStep = () => step(3, t('firstLines'), false,
	h('p', { class: 'quiet' }, t('firstLinesIntro')),
	setupLines(made?.key ?? t('theKey')));

// What a stream says, as it comes.
async function ask(key, { model, text }, into) {
	const answer = await fetch(`${endpoint()}/v1/messages`, {
		method: 'POST', credentials: 'omit', cache: 'no-store', headers: {
			'content-type': 'application/json', 'x-api-key': key,
			'anthropic-version': '2023-06-01' },
		body: JSON.stringify({ model, max_tokens: 200, stream: true,
			messages: [{ role: 'user', content: text }] }) });
	if (!answer.ok) {
		const said = await answer.json().catch(() => ({}));
		throw new Error(said.error?.message ?? `HTTP ${answer.status}`);
	}
	await events(answer, (name, data) => {
		if (name === 'content_block_delta')
			into.append(data.delta.text ?? '');
		if (name === 'error')
			throw new Error(data.error?.message);
	});
}

function talk(key, said, into, told) {
	const began = performance.now();
	into.hidden = false;
	into.replaceChildren();
	told.className = 'quiet';
	told.textContent = t('testRuns');
	return ask(key, said, into).then(() => {
		told.className = 'good';
		told.textContent = t('firstWorks',
			Math.round(performance.now() - began));
	}, error => {
		into.hidden = into.textContent === '';
		told.className = 'error';
		told.textContent = error.message || t('unreachable');
	});
}

function testStep() {
	const into = h('pre', { class: 'said', hidden: true, tabindex: 0,
		'aria-live': 'polite', 'aria-label': t('answer') });
	const told = h('p', { role: 'status' });
	const own = made ? [] : [{ name: 'key', label: t('key'), required: true,
		kind: 'password', autocomplete: 'off', wide: true,
		hint: t('firstPasteHint') }];
	return step(4, t('firstTest'), false,
		h('p', { class: 'quiet' }, t('firstTestIntro')),
		makeForm({ isNew: true, label: t('send'), fields: [...own,
			{ name: 'model', label: t('model'), value: demoModel,
				required: true },
			{ name: 'text', label: t('message'), required: true,
				value: t('firstMessage') }],
		send: said => talk(made?.key ?? said.key, said, into, told) }),
		told, into);
}

export async function wizardPage(context) {
	const [accounts, keys] = await Promise.all([list('/admin/accounts'),
		list('/api-keys')]);
	context.main.replaceChildren(head(t('wizard'), h('a', { class: 'button',
		href: place('dashboard') }, t('toDashboard'))),
	h('p', { class: 'quiet' }, t('wizardIntro')),
	h('ol', { class: 'wizard' }, accountStep(context, accounts),
		keyStep(context, keys), linesStep(), testStep()));
}
