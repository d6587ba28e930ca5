// The upstream accounts.
import { call, list } from './api.js';
import { field, h, table } from './dom.js';
import { act, formDialog } from './change.js';
import { accountState } from './dashboard.js';
import { number, t } from './text.js';

const credentials = [['api_key', 'API key'], ['bearer', 'Bearer']];

function addAccount(context) {
	formDialog(t('addAccount'), [
		field(t('name'), 'name', { required: true }),
		field(t('platform'), 'platform_type',
			{ value: 'claude', required: true }),
		field(t('requestUrl'), 'request_url', { kind: 'url',
			value: 'https://api.anthropic.com', required: true }),
		field(t('credential'), 'credential',
			{ kind: 'select', options: credentials }),
		field(t('secretKey'), 'secret_key', { kind: 'password',
			autocomplete: 'off', required: true, hint: t('secretHint') }),
		field(t('group'), 'group', { hint: t('mayBeEmpty') }),
		field(t('concurrency'), 'concurrency', { kind: 'number', min: 1,
			max: 10000, value: 10 }),
	], t('add'), async v => {
		v.concurrency = Number(v.concurrency);
		await call('POST', '/admin/accounts', v);
		await accountsPage(context);
	});
}

function acts(context, a) {
	const path = `/admin/accounts/${a.id}`;
	const again = () => accountsPage(context);
	const set = change => () => call('PATCH', path, change).then(again);
	return h('div', { class: 'acts' },
		a.enabled ? act(context, t('disable'), set({ enabled: false }),
			{ question: t('disableAccount', a.name) }) :
			act(context, t('enable'), set({ enabled: true })),
		a.cooldowns.length > 0 && act(context, t('wake'),
			() => call('POST', `${path}/wake`).then(again)),
		context.may('admin') && act(context, t('remove'),
			() => call('DELETE', path).then(again),
			{ question: t('removeAccount', a.name), danger: true }));
}

export async function accountsPage(context) {
	const accounts = await list('/admin/accounts');
	context.main.replaceChildren(h('h1', null, t('accounts')),
		context.may('admin') && h('p', { class: 'actions' }, h('button',
			{ type: 'button', class: 'primary',
				onclick: () => addAccount(context) }, t('addAccount'))) ||
			'',
		table(t('accounts'), [
			[t('name'), a => a.name],
			[t('platform'), a => a.platform],
			[t('group'), a => a.group],
			[t('priority'), a => number(a.priority), 'number'],
			[t('weight'), a => number(a.weight), 'number'],
			[t('concurrency'), a => number(a.concurrency), 'number'],
			[t('state'), accountState],
			[t('acts'), a => acts(context, a)],
		], accounts, t('noAccounts')));
}
