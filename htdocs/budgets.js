// Budgets: what keys, users and groups may use, and what of it is used.
import { call, list } from './api.js';
import { act } from './change.js';
import { badge, bar, empty, h } from './dom.js';
import { button, openForm, toMs, toNusd } from './form.js';
import { countdown, head, listing, menu, stamp } from './parts.js';
import { duration, money, number, t, zone } from './text.js';

const kinds = ['money', 'tokens', 'input_tokens', 'output_tokens',
	'requests'];
const periods = ['total', 'day', 'week', 'month', 'fixed', 'rolling'];
const scopes = ['key', 'user', 'group'];
const view = {};

// A number in the unit that a budget counts.
export const amount = (counts, n) => counts === 'money' ? money(n) :
	t(`unit_${counts}`, number(n));

// "in any 5 h", "each day (Europe/Berlin)"
export function windowOf(b) {
	if (b.period === 'fixed' || b.period === 'rolling')
		return t(`window_${b.period}`, duration(b.length_ms));
	return t(`window_${b.period}`) + (b.zone && b.period !== 'total' ?
		` (${b.zone})` : '');
}

function budgetBar(b) {
	if (b.spent === null)
		return h('span', { class: 'quiet' }, t('sharedLimit',
			amount(b.counts, b.limit)));
	const text = t('of', b.counts === 'money' ? money(b.spent) :
		number(b.spent), amount(b.counts, b.limit));
	return h('div', null, bar(b.spent + b.reserved, b.limit, text),
		b.reserved > 0 && h('p', { class: 'quiet small' },
			t('reserved', amount(b.counts, b.reserved))));
}

const renewal = b => b.renews_ms === null || !b.renews_ms ? '' :
	h('div', null, countdown(b.renews_ms), h('div',
		{ class: 'quiet small' }, stamp(b.renews_ms)));

// ---- what is made and changed ----

const limitField = (value, money) => ({ name: 'limit', label: t('limitOf'),
	kind: 'number', min: 0, step: money ? '0.000001' : 1, value,
	required: true, hint: t('limitHint') });

const modelsField = value => ({ name: 'models', label: t('models'), value,
	hint: t('modelsHint'), wide: true });

const policyField = value => ({ name: 'policy', label: t('policy'),
	kind: 'select', value, hint: t('policyHint'), options:
	['elastic', 'strict'].map(p => [p, t(`policy_${p}`)]) });

// Fields that depend on others are shown where they mean something.
function depend(form) {
	const get = name => form.elements.namedItem(name);
	const shown = (name, on) => get(name).closest('.field').hidden = !on;
	const period = get('period').value;
	const long = period === 'fixed' || period === 'rolling';
	shown('length', long);
	shown('unit', long);
	get('length').required = long;
	shown('anchor_ms', period === 'fixed');
	shown('zone', ['day', 'week', 'month'].includes(period));
	get('limit').step = get('counts').value === 'money' ? '0.000001' : '1';
	get('of').setAttribute('list', `names-of-${get('on').value}`);
}

const units = [['60000', 'minutes'], ['3600000', 'hours'],
	['86400000', 'days']];

const newFields = preset => [
	{ name: 'on', label: t('budgetOn'), kind: 'select', value: preset.on,
		options: scopes.map(s => [s, t(s)]) },
	{ name: 'of', label: t('itsName'), required: true, value: preset.of,
		always: true },
	{ name: 'counts', label: t('counts'), kind: 'select', options:
		kinds.map(k => [k, t(`counts_${k}`)]) },
	limitField('', true),
	{ name: 'period', label: t('period'), kind: 'select', value: 'month',
		options: periods.map(p => [p, t(`period_${p}`)]) },
	{ name: 'zone', label: t('zone'), value: zone(), list:
		Intl.supportedValuesOf('timeZone') },
	{ name: 'length', label: t('length'), kind: 'number', min: 1,
		max: 100000 },
	{ name: 'unit', label: t('lengthUnit'), kind: 'select',
		value: '3600000', options: units.map(([v, u]) => [v, t(u)]) },
	{ name: 'anchor_ms', label: t('anchor'), kind: 'datetime-local',
		value: '', hint: t('anchorHint') },
	{ more: t('more'), fields: [
		{ name: 'name', label: t('name'), hint: t('budgetNameHint') },
		policyField('elastic'), modelsField('')] },
];

// As the route takes it: what the period has no use for is left out.
function asBody({ length, unit, anchor_ms: anchor, zone: z, limit, ...v }) {
	if (v.period === 'fixed' || v.period === 'rolling')
		v.length_ms = Number(length) * Number(unit);
	if (v.period === 'fixed' && anchor)
		v.anchor_ms = toMs(anchor);
	if (['day', 'week', 'month'].includes(v.period))
		v.zone = z;
	v.limit = v.counts === 'money' ? toNusd(limit) : Number(limit);
	return v;
}

const names = async scope => h('datalist', { id: `names-of-${scope}` },
	(await list({ key: '/api-keys', user: '/admin/users', group: '/groups' }[
		scope])).filter(i => !i.revoked_ms).map(i => h('option',
		{ value: i.name })));

// preset: { on, of }, where it is known what the budget is for.
export async function addBudget(again, preset = { on: 'key', of: '' }) {
	const lists = await Promise.all(scopes.map(names));
	const d = openForm({ title: t('addBudget'), isNew: true, label: t('add'),
		fields: [...newFields(preset), ...lists], send: async said => {
			await call('POST', '/budgets', asBody(said));
			await again();
		} });
	const form = d.querySelector('form');
	form.addEventListener('change', () => depend(form));
	depend(form);
}

function editBudget(b, again) {
	const shown = b.counts === 'money' ? b.limit / 1e9 : b.limit;
	const intro = `${t(b.on)} ${b.of} · ${t(`counts_${b.counts}`)} · ` +
		windowOf(b);
	openForm({ title: t('editOf', b.name), intro, label: t('save'), fields: [
		{ name: 'name', label: t('name'), value: b.name, required: true,
			wide: true },
		limitField(shown, b.counts === 'money'), policyField(b.policy),
		modelsField(b.models),
	], send: async ({ limit, ...said }) => {
		if (limit !== undefined) {
			said.counts = b.counts;
			said.limit = b.counts === 'money' ? toNusd(limit) :
				Number(limit);
		}
		await call('PATCH', `/budgets/${b.id}`, said);
		await again();
	} });
}

function budgetActs(context, b, again) {
	const path = `/budgets/${b.id}`;
	return context.may('admin') && menu(t('actsOn', b.name), [
		button(t('edit'), () => editBudget(b, again)),
		b.enabled ? act(context, t('disable'), () => call('PATCH', path,
			{ enabled: false }).then(again),
		{ question: t('disableBudget', b.name) }) :
			act(context, t('enable'), () => call('PATCH', path,
				{ enabled: true }).then(again)),
		act(context, t('remove'), () => call('DELETE', path).then(again),
			{ question: t('removeBudget', b.name), danger: true }),
	]);
}

export const budgetColumns = (context, again) => [
	[t('name'), b => h('div', null, h('strong', null, b.name),
		b.models && h('div', { class: 'quiet small' }, b.models))],
	[t('budgetOn'), b => `${t(b.on)} ${b.of}`],
	[t('used'), budgetBar],
	[t('window'), windowOf],
	[t('renews'), renewal],
	[t('state'), b => h('div', null, !b.enabled ?
		badge(t('disabled'), 'quiet') : b.left === 0 ?
			badge(t('usedUp'), 'bad') : badge(t('inForce'), 'good'),
	b.policy === 'strict' && h('div', { class: 'quiet small' },
		t('policyStrict')))],
	[t('acts'), b => budgetActs(context, b, again), 'last'],
];

export async function budgetsPage(context) {
	const budgets = await list('/budgets');
	const { again } = context;
	const adder = () => context.may('admin') && button(t('addBudget'),
		() => addBudget(again).catch(context.fail), 'primary');
	context.main.replaceChildren(head(t('budgets'), adder()),
		h('p', { class: 'quiet' }, t('budgetIntro')),
		listing(view, { label: t('budgets'), rows: budgets,
			columns: budgetColumns(context, again),
			search: b => `${b.name} ${b.of} ${b.models}`, filters: [
				{ name: 'on', label: t('budgetOn'), options: scopes.map(s =>
					[s, t(s)]), fits: (b, on) => b.on === on },
				{ name: 'counts', label: t('counts'), options: kinds.map(k =>
					[k, t(`counts_${k}`)]), fits: (b, c) =>
					b.counts === c }],
			name: b => b.name, none: empty(t('noBudgets'), adder()) }));
}
