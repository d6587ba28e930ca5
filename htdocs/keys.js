// Keys of clients; a new one is shown once.
import { call, list } from './api.js';
import { copyButton, dialog, field, h, table } from './dom.js';
import { act, formDialog } from './change.js';
import { money, number, t, time } from './text.js';

const endpoint = () => new URL('..', location.href.split('#')[0]).href
	.replace(/\/$/, '');

function showKey(key) {
	const lines = `export ANTHROPIC_BASE_URL=${endpoint()}\n` +
		`export ANTHROPIC_AUTH_TOKEN=${key}`;
	dialog(t('newKey'), t('close'), h('p', null, t('shownOnce')),
		h('p', null, h('code', { class: 'secret' }, key), ' ',
			copyButton(key, t('copy'), t('copied'))),
		h('p', null, t('forClaudeCode')),
		h('pre', { tabindex: 0 }, lines),
		h('p', null, copyButton(lines, t('copy'), t('copied'))));
}

async function addKey(context) {
	const [groups, users] = await Promise.all([list('/groups'),
		list('/admin/users')]);
	const options = items => [['', '–'],
		...items.map(i => [i.name, i.name])];
	formDialog(t('addKey'), [
		field(t('name'), 'name', { required: true }),
		field(t('user'), 'user', { kind: 'select',
			options: options(users) }),
		field(t('group'), 'group', { kind: 'select',
			options: options(groups), hint: t('wholePool') }),
		field(t('models'), 'models', { hint: t('modelsHint') }),
		field(t('budgetTotal'), 'budget', { kind: 'number', min: 0,
			step: 0.01, hint: t('mayBeEmpty') }),
		field(t('rate'), 'rate', { hint: t('rateHint'),
			pattern: '[0-9]+/.+' }),
	], t('add'), async ({ budget, ...v }) => {
		if (budget)
			v.budget_nusd = Math.round(Number(budget) * 1e9);
		const key = await call('POST', '/api-keys', v);
		await keysPage(context);
		showKey(key.key);
	});
}

function limit(k) {
	if (k.budget_nusd === null)
		return '';
	const text = t('moneyOf', money(k.spent_nusd), money(k.budget_nusd));
	return h('span', null, h('meter', { max: k.budget_nusd || 1,
		value: k.spent_nusd ?? 0, 'aria-label': text }), ` ${text}`);
}

function state(k) {
	if (k.revoked_ms !== null)
		return h('span', { class: 'bad' }, t('revoked'));
	if (!k.enabled)
		return h('span', { class: 'quiet' }, t('disabled'));
	return h('span', { class: 'good' }, t('ready'));
}

function acts(context, k) {
	const path = `/api-keys/${k.id}`;
	const again = () => keysPage(context);
	if (!context.may('admin') || k.revoked_ms !== null)
		return '';
	return h('div', { class: 'acts' },
		act(context, t(k.enabled ? 'disable' : 'enable'), () => call('PATCH',
			path, { enabled: !k.enabled }).then(again)),
		act(context, t('revoke'), () => call('DELETE', path).then(again),
			{ question: t('revokeKey', k.name), danger: true }));
}

export async function keysPage(context) {
	const keys = await list('/api-keys');
	context.main.replaceChildren(h('h1', null, t('keys')),
		context.may('admin') && h('p', { class: 'actions' }, h('button',
			{ type: 'button', class: 'primary',
				onclick: () => addKey(context).catch(context.fail) },
			t('addKey'))) || '',
		table(t('keys'), [
			[t('name'), k => k.name],
			[t('key'), k => h('code', null, `${k.visible}…`)],
			[t('user'), k => k.user],
			[t('boundTo'), k => k.bound_to ?? t('wholePoolShort')],
			[t('limit'), limit],
			[t('inFlight'), k => number(k.in_flight), 'number'],
			[t('expires'), k => time(k.expires_ms)],
			[t('state'), state],
			[t('acts'), k => acts(context, k)],
		], keys, t('noKeys')));
}
