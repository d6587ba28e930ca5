// The upstream accounts: how they stand, and what can be changed of them.
import { standing } from './account-state.js';
import { accountPage } from './account.js';
import { accountActs, addAccount, addOauth } from './account-forms.js';
import { list } from './api.js';
import { bar, empty, h, place } from './dom.js';
import { button } from './form.js';
import { accountStands, head, listing, menu } from './parts.js';
import { number, t } from './text.js';

const states = ['ready', 'trying', 'resting', 'disabled'];
const view = {};

const columns = context => [
	[t('name'), a => h('div', null, h('a',
		{ href: place('accounts', [a.id]) }, a.name), h('div',
		{ class: 'quiet small' }, `${a.platform} · ${a.base_url}`))],
	[t('group'), a => a.group],
	[t('priority'), a => number(a.priority), 'number'],
	[t('weight'), a => number(a.weight), 'number'],
	[t('inUse'), a => bar(a.leases, a.concurrency, t('of',
		number(a.leases), number(a.concurrency)))],
	[t('state'), accountStands],
	[t('acts'), a => menu(t('actsOn', a.name), accountActs(context, a)),
		'last'],
];

const named = (accounts, name) => [...new Set(accounts.map(a => a[name])
	.filter(v => v))].sort().map(v => [v, v]);

const filters = accounts => [
	{ name: 'platform', label: t('platform'),
		options: named(accounts, 'platform'),
		fits: (a, p) => a.platform === p },
	{ name: 'group', label: t('group'), options: [['-', t('noGroup')],
		...named(accounts, 'group')], fits: (a, g) =>
		(a.group ?? '-') === g },
	{ name: 'state', label: t('state'), options: states.map(s =>
		[s, t(`account_${s}`)]), fits: (a, s) => standing(a) === s },
];

export async function accountsPage(context) {
	if (context.params.length > 0)
		return accountPage(context, context.params[0]);
	const accounts = await list('/admin/accounts');
	const may = context.may('admin');
	const buttons = () => [
		may && button(t('addOauth'), () => addOauth(context)
			.catch(context.fail)),
		may && button(t('addAccount'), () => addAccount(context)
			.catch(context.fail), 'primary')];
	context.main.replaceChildren(head(t('accounts'), ...buttons()),
		listing(view, { label: t('accounts'), columns: columns(context),
			rows: accounts, filters: filters(accounts), search: a =>
				`${a.name} ${a.base_url} ${a.models ?? ''} ${a.group ?? ''}`,
			name: a => a.name, none: empty(t('noAccounts'),
				...buttons()) }));
}
