// What can be done to an account: adding, changing, testing, signing in.
import { call, callStream, get, list } from './api.js';
import { act } from './change.js';
import { h, place, say } from './dom.js';
import { button, feet, modal, openForm, toMs, toNumber } from './form.js';
import { secret } from './setup.js';
import { number, t, word } from './text.js';

const platforms = ['claude', 'claude_console'];
const credentials = ['api_key', 'bearer'];

// ---- fields ----

const groupField = (value, groups) => ({ name: 'group', label: t('group'),
	kind: 'select', value: value ?? '', options: [['', t('noGroup')],
		...groups.map(g => [g.name, g.name])] });

const weightFields = a => [
	{ name: 'priority', label: t('priority'), kind: 'number', min: 0,
		max: 1000, value: a.priority, to: toNumber, required: true,
		hint: t('priorityHint') },
	{ name: 'weight', label: t('weight'), kind: 'number', min: 1,
		max: 10000, value: a.weight, to: toNumber, required: true,
		hint: t('weightHint') },
	{ name: 'concurrency', label: t('concurrency'), kind: 'number', min: 1,
		max: 10000, value: a.concurrency, to: toNumber, required: true },
];

const secretField = hint => ({ name: 'secret_key', label: t('secretKey'),
	kind: 'password', autocomplete: 'off', hint, wide: true });

const rareFields = a => [
	{ name: 'models', label: t('models'), value: a.models,
		hint: t('accountModelsHint'), wide: true },
	{ name: 'proxy', label: t('proxy'), value: a.proxy,
		hint: t('proxyHint'), wide: true },
	{ name: 'proxy_password', label: t('proxyPassword'), kind: 'password',
		autocomplete: 'off', hint: t('secretHint') },
	{ name: 'auth_header', label: t('authHeader'), value: a.auth_header,
		hint: t('authHeaderHint') },
];

export const oauthFields = o => [
	{ name: 'authorize_url', label: t('authorizeUrl'), kind: 'url',
		value: o.authorize_url, required: true, wide: true },
	{ name: 'token_url', label: t('tokenUrl'), kind: 'url',
		value: o.token_url, required: true, wide: true },
	{ name: 'client_id', label: t('clientId'), value: o.client_id,
		required: true },
	{ name: 'redirect_uri', label: t('redirectUri'), value: o.redirect_uri,
		required: true },
	{ name: 'scopes', label: t('scopes'), value: o.scopes,
		hint: t('scopesHint') },
	{ name: 'token_format', label: t('tokenFormat'), kind: 'select',
		value: o.token_format || 'form', options: [['form', 'form'],
			['json', 'JSON']] },
];

const identity = a => [
	{ name: 'name', label: t('name'), value: a.name, required: true,
		maxlength: 64 },
	{ name: 'platform_type', label: t('platform'), kind: 'select',
		value: a.platform, options: platforms.map(p => [p,
			t(`platform_${p}`)]) },
	{ name: 'request_url', label: t('requestUrl'), kind: 'url',
		value: a.base_url, required: true, wide: true },
];

const enabledField = value => ({ name: 'enabled', label: t('accountServes'),
	kind: 'check', value, wide: true });

const fresh = { platform: 'claude', base_url: 'https://api.anthropic.com',
	priority: 50, weight: 100, concurrency: 10 };

// ---- adding and changing ----

// done(account): what comes after it, in place of the list anew.
export async function addAccount(context, done) {
	openForm({ title: t('addAccount'), isNew: true, label: t('add'),
		fields: [...identity(fresh),
			{ name: 'credential', label: t('credential'), kind: 'select',
				options: credentials.map(c => [c, t(`credential_${c}`)]) },
			groupField('', await list('/groups')),
			{ ...secretField(t('secretHint')), required: true },
			{ more: t('more'), fields: [...weightFields(fresh),
				...rareFields({}), enabledField(true)] }],
		send: async said => {
			const made = await call('POST', '/admin/accounts', said);
			await (done ?? context.again)(made);
		} });
}

async function editAccount(context, id) {
	const [a, groups] = await Promise.all([get(`/admin/accounts/${id}`),
		list('/groups')]);
	const enabled = enabledField(a.enabled);
	const all = () => [...identity(a), groupField(a.group, groups),
		...weightFields(a), enabled, ...a.oauth ? [{ more: 'OAuth',
			fields: oauthFields(a.oauth) }] : [
			{ name: 'credential', label: t('credential'), kind: 'select',
				value: a.credential, options: credentials.map(c =>
					[c, t(`credential_${c}`)]) },
			secretField(t('secretKeepHint'))],
		{ more: t('more'), fields: rareFields(a) }];
	openForm({ title: t('editOf', a.name), label: t('save'),
		fields: context.may('admin') ? all() : [...weightFields(a), enabled],
		send: async said => {
			await call('PATCH', `/admin/accounts/${id}`, said);
			await context.again();
		} });
}

// ---- signing in ----

// The address that the browser ended at, or "CODE#STATE".
function codeOf(text, state) {
	let code = text, is = state;
	if (/^https?:/.test(text)) {
		const query = new URL(text).searchParams;
		[code, is] = [query.get('code'), query.get('state')];
	} else if (text.includes('#')) {
		[code, is] = text.split('#');
	}
	return { code: code ?? '', state: is ?? '' };
}

// path: where the code goes to; begun: { url, state }.
function askForCode(begun, path, done) {
	openForm({ title: t('signInUpstream'), isNew: true, label: t('finish'),
		fields: [h('div', { class: 'wide' },
			h('p', null, t('openUrl')),
			h('p', null, h('a', { href: begun.url, target: '_blank',
				rel: 'noopener noreferrer', class: 'button primary' },
			t('openSignIn'))), secret(begun.url)),
		{ name: 'code', label: t('signInCode'), required: true, wide: true,
			autocomplete: 'off', hint: t('signInCodeHint') }],
		send: async ({ code }) => {
			const account = await call('POST', path, codeOf(code,
				begun.state));
			say(t('done'));
			await done(account);
		} });
}

export async function addOauth(context, done) {
	const groups = await list('/groups');
	openForm({ title: t('addOauth'), isNew: true, label: t('goOn'),
		intro: t('oauthIntro'), fields: [...identity(fresh),
			...oauthFields({}), groupField('', groups),
			{ name: 'later', label: t('signInLater'), kind: 'check',
				wide: true, hint: t('signInLaterHint') },
			{ more: t('more'), fields: [...weightFields(fresh),
				...rareFields({})] }],
		send: async ({ later, ...said }) => {
			if (later)
				return (done ?? context.again)(await call('POST',
					'/admin/accounts', { ...said, credential: 'oauth' }));
			const begun = await call('POST', '/admin/accounts/oauth/start',
				said);
			setTimeout(() => askForCode(begun,
				'/admin/accounts/oauth/finish', done ?? context.again));
		} });
}

async function signIn(context, a) {
	const path = `/admin/accounts/${a.id}/oauth`;
	const begun = await call('POST', `${path}/start`);
	askForCode(begun, `${path}/finish`, context.again);
}

// A pair that another program has, for an account that is signed in to.
const giveTokens = (context, a) => openForm({ title: t('giveTokensTo', a.name),
	intro: t('giveTokensIntro'), isNew: true, label: t('save'), fields: [
		...['access_token', 'refresh_token'].map(name => ({ name,
			label: t(`pair_${name}`), kind: 'password', autocomplete: 'off',
			required: true, wide: true, hint: t('secretHint') })),
		{ name: 'expires_at', label: t('pairEnds'), kind: 'datetime-local',
			to: toMs, hint: t('pairEndsHint') }],
	send: async said => {
		await call('POST', `/admin/accounts/${a.id}/oauth/import`, said);
		await context.again();
		say(t('done'));
	} });

// ---- a test that is watched ----

const step = ({ name, ms, text }) => h('li', null, h('strong', null,
	word('step', name)), h('span', { class: 'quiet' },
	` ${t('afterMs', number(ms))} `),
	text && h('span', null, text));

// Run it, and tell what comes into the element.
export async function runTest(id, model, into) {
	const steps = h('ol', { class: 'steps' });
	const said = h('pre', { class: 'said', hidden: true });
	const end = h('p', { role: 'status' }, t('testRuns'));
	into.replaceChildren(steps, said, end);
	let over = false;
	await callStream(`/admin/accounts/${id}/test`, model ? { model } : {},
		(name, data) => {
			if (name === 'step')
				steps.append(step(data));
			if (name === 'text') {
				said.hidden = false;
				said.append(data.text);
			}
			if (name !== 'done')
				return;
			over = true;
			end.className = data.ok ? 'good' : 'bad';
			end.textContent = data.ok ? t('testGood', number(data.ms)) :
				t('testBad', data.status || null, data.text ?? '');
		});
	if (!over) {
		end.className = 'bad';
		end.textContent = t('testCut');
	}
}

function testAccount(context, a) {
	const model = h('input', { id: 'test-model', list: 'test-models',
		placeholder: 'claude-haiku-4-5' });
	const into = h('div', { class: 'test', 'aria-live': 'polite' });
	const run = button(t('test'), async () => {
		run.disabled = true;
		try {
			await runTest(a.id, model.value.trim(), into);
		} catch (error) {
			into.replaceChildren(h('p', { class: 'error', role: 'alert' },
				error.message || t('unreachable')));
		}
		run.disabled = false;
	}, 'primary');
	const d = modal(t('testOf', a.name), [
		h('div', { class: 'field' }, h('label', { for: 'test-model' },
			t('model')), model, h('p', { class: 'quiet' },
			t('testModelHint'))), into,
		feet(button(t('close'), () => d.close()), run)]);
	model.focus();
}

// ---- the menu ----

export function accountActs(context, a) {
	const path = `/admin/accounts/${a.id}`;
	const { again } = context;
	const admin = context.may('admin');
	const set = change => () => call('PATCH', path, change).then(again);
	return [
		button(t('edit'), () => editAccount(context, a.id)
			.catch(context.fail)),
		button(t('testMenu'), () => testAccount(context, a)),
		a.cooldowns.length > 0 && act(context, t('wake'), () => call('POST',
			`${path}/wake`).then(again)),
		admin && a.oauth && button(t('signInMenu'), () => signIn(context, a)
			.catch(context.fail)),
		admin && a.oauth && button(t('giveTokens'),
			() => giveTokens(context, a)),
		a.oauth && act(context, t('refreshTokens'), () => call('POST',
			`${path}/refresh`).then(again)),
		a.enabled ? act(context, t('disable'), set({ enabled: false }),
			{ question: t('disableAccount', a.name) }) :
			act(context, t('enable'), set({ enabled: true })),
		admin && act(context, t('remove'), () => call('DELETE', path)
			.then(() => context.params.length > 0 ?
				location.hash = place('accounts') : again()),
		{ question: t('removeAccount', a.name), danger: true }),
	];
}
