// Groups of accounts, and the other names that models have there.
import { aliasSection } from './aliases.js';
import { call, get, list } from './api.js';
import { addBudget, budgetColumns } from './budgets.js';
import { act } from './change.js';
import { bar, empty, h, place, table } from './dom.js';
import { button, openForm, toNumber } from './form.js';
import { about, accountStands, back, head, headTwo, listing, menu, stamp }
	from './parts.js';
import { number, t } from './text.js';

const strategies = ['weighted', 'least_connections', 'round_robin',
	'response_time'];
const view = {};

// What a strategy does, said beside the field that chooses it.
function strategyFields(value) {
	const words = h('p', { class: 'wide note', 'aria-live': 'polite' },
		t(`does_${value}`));
	return [{ name: 'strategy', label: t('strategy'), kind: 'select', value,
		options: strategies.map(s => [s, t(`strategy_${s}`)]),
		onchange: event => words.textContent =
			t(`does_${event.target.value}`) }, words];
}

const fields = g => [
	{ name: 'name', label: t('name'), value: g.name, required: true,
		maxlength: 64, wide: true },
	...strategyFields(g.strategy),
	{ name: 'concurrency', label: t('concurrency'), kind: 'number', min: 0,
		max: 100000, value: g.concurrency, to: toNumber,
		hint: t('zeroNoLimit') },
];

const add = context => openForm({ title: t('addGroup'), isNew: true,
	intro: t('groupIntro'), label: t('add'),
	fields: fields({ strategy: 'weighted', concurrency: 0 }),
	send: async said => {
		await call('POST', '/groups', said);
		await context.again();
	} });

const edit = (context, g) => openForm({ title: t('editOf', g.name),
	label: t('save'), fields: fields(g), send: async said => {
		await call('PATCH', `/groups/${g.id}`, said);
		await context.again();
	} });

function acts(context, g) {
	if (!context.may('admin'))
		return [];
	return [
		button(t('edit'), () => edit(context, g)),
		act(context, t('remove'), () => call('DELETE', `/groups/${g.id}`)
			.then(() => context.params.length > 0 ?
				location.hash = place('groups') : context.again()),
		{ question: t('removeGroup', g.name), danger: true }),
	];
}

const columns = context => [
	[t('name'), g => h('a', { href: place('groups', [g.id]) }, g.name)],
	[t('strategy'), g => t(`strategy_${g.strategy}`)],
	[t('concurrency'), g => limit(g), 'number'],
	[t('accounts'), g => number(g.accounts), 'number'],
	[t('keys'), g => number(g.keys), 'number'],
	[t('budgets'), g => number(g.budgets), 'number'],
	[t('aliases'), g => number(g.aliases), 'number'],
	[t('acts'), g => menu(t('actsOn', g.name), acts(context, g)), 'last'],
];

const limit = g => g.concurrency === 0 ? t('noLimit') :
	number(g.concurrency);

async function budgetsOf(context, g) {
	const { again } = context;
	const budgets = (await list('/budgets')).filter(b => b.on === 'group' &&
		b.of === g.name);
	return h('section', null, headTwo(t('budgets'), context.may('admin') &&
		button(t('addBudget'), () => addBudget(again,
			{ on: 'group', of: g.name }).catch(context.fail))),
	budgets.length === 0 ? empty(t('noBudgetsOnGroup')) :
		table(t('budgets'), budgetColumns(context, again), budgets));
}

async function accountsOf(g) {
	const accounts = (await list('/admin/accounts')).filter(a =>
		a.group === g.name);
	return h('section', null, h('h2', null, t('accounts')),
		accounts.length === 0 ? empty(t('noAccountsInGroup')) :
			table(t('accounts'), [
				[t('name'), a => h('a', { href: place('accounts', [a.id]) },
					a.name)],
				[t('priority'), a => number(a.priority), 'number'],
				[t('weight'), a => number(a.weight), 'number'],
				[t('inUse'), a => bar(a.leases, a.concurrency, t('of',
					number(a.leases), number(a.concurrency)))],
				[t('state'), accountStands],
			], accounts));
}

async function onePage(context, id) {
	const g = await get(`/groups/${encodeURIComponent(id)}`);
	const parts = await Promise.all([accountsOf(g), aliasSection(context,
		'group', g.name), budgetsOf(context, g)]);
	context.title(g.name);
	context.main.replaceChildren(back('groups', t('groups')),
		head(g.name, acts(context, g)), about([
			[t('strategy'), t(`strategy_${g.strategy}`)],
			[t('concurrency'), limit(g)], [t('keys'), number(g.keys)],
			[t('created'), stamp(g.created_ms)]]),
		h('p', { class: 'quiet' }, t(`does_${g.strategy}`)), ...parts);
}

export async function groupsPage(context) {
	if (context.params.length > 0)
		return onePage(context, context.params[0]);
	const groups = await list('/groups');
	const adder = () => context.may('admin') && button(t('addGroup'),
		() => add(context), 'primary');
	context.main.replaceChildren(head(t('groups'), adder()),
		h('p', { class: 'quiet' }, t('groupIntro')),
		listing(view, { label: t('groups'), columns: columns(context),
			rows: groups, search: groups.length > 10 && (g => g.name),
			name: g => g.name, none: empty(t('noGroups'), adder()) }));
}
