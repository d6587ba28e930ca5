// Groups of accounts, and the other names that models have there.
import { call, list } from './api.js';
import { act } from './change.js';
import { empty, h } from './dom.js';
import { button, openForm, toNumber } from './form.js';
import { head, listing, menu } from './parts.js';
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

const acts = (context, g) => context.may('admin') && menu(
	t('actsOn', g.name), [
		button(t('edit'), () => edit(context, g)),
		act(context, t('remove'), () => call('DELETE', `/groups/${g.id}`)
			.then(context.again),
		{ question: t('removeGroup', g.name), danger: true }),
	]);

const columns = context => [
	[t('name'), g => h('strong', null, g.name)],
	[t('strategy'), g => t(`strategy_${g.strategy}`)],
	[t('concurrency'), g => g.concurrency === 0 ? t('noLimit') :
		number(g.concurrency), 'number'],
	[t('accounts'), g => number(g.accounts), 'number'],
	[t('keys'), g => number(g.keys), 'number'],
	[t('budgets'), g => number(g.budgets), 'number'],
	[t('aliases'), g => number(g.aliases), 'number'],
	[t('acts'), g => acts(context, g), 'last'],
];

export async function groupsPage(context) {
	const groups = await list('/groups');
	const adder = () => context.may('admin') && button(t('addGroup'),
		() => add(context), 'primary');
	context.main.replaceChildren(head(t('groups'), adder()),
		h('p', { class: 'quiet' }, t('groupIntro')),
		listing(view, { label: t('groups'), columns: columns(context),
			rows: groups, search: groups.length > 10 && (g => g.name),
			name: g => g.name, none: empty(t('noGroups'), adder()) }));
}
