// Keys of clients, what they may use and have used; a new one is shown once.
import { call, get, list } from './api.js';
import { addBudget, amount, budgetColumns } from './budgets.js';
import { act } from './change.js';
import { badge, bar, empty, h, place, table } from './dom.js';
import { button, feet, localTime, modal, openForm, toMs, toNumber, toNusd }
	from './form.js';
import { about, back, countdown, head, headTwo, listing, menu, stamp }
	from './parts.js';
import { lines, setupLines, showKey } from './setup.js';
import { duration, money, number, t } from './text.js';

const classes = ['high', 'normal', 'low'];
const clientKinds = ['claude-code', 'anthropic-sdk-typescript',
	'anthropic-sdk-python', 'anthropic-sdk-go', 'openai-sdk-typescript',
	'openai-sdk-python', 'codex', 'gemini-cli', 'google-genai', 'curl'];
const view = {};

// ---- what is made and changed ----

// "60/1m", as the route takes it.
function rateText(k) {
	if (k.rate === null || k.rate === undefined)
		return '';
	const [unit, ms] = [['d', 86400000], ['h', 3600000], ['m', 60000],
		['s', 1000], ['ms', 1]].find(([, n]) => k.rate_ms % n === 0);
	return `${k.rate}/${k.rate_ms / ms}${unit}`;
}

const bindValue = k => k.bind === 'pool' || !k.bind ? '' :
	`${k.bind}:${k.bound_to}`;

// "group:NAME" or "account:NAME"; neither: the whole pool.
function asBody({ bind, ...said }) {
	if (bind !== undefined) {
		const [, kind, name] = bind.match(/^(\w+):(.*)$/) ?? [];
		said[kind ?? 'group'] = name ?? null;
	}
	return said;
}

const bindField = (k, { groups, accounts }) => ({ name: 'bind',
	label: t('boundTo'), kind: 'select', value: bindValue(k), options: [
		['', t('wholePoolShort')],
		...groups.map(g => [`group:${g.name}`, `${t('group')} ${g.name}`]),
		...accounts.map(a => [`account:${a.name}`,
			`${t('account')} ${a.name}`])] });

const userField = (k, { users }) => ({ name: 'user', label: t('user'),
	kind: 'select', value: k.user ?? '', options: [['', t('nobodys')],
		...users.map(u => [u.name, u.name])] });

const limitFields = k => [
	{ name: 'budget_nusd', label: t('budgetTotal'), kind: 'number', min: 0,
		step: '0.01', value: k.budget_nusd === null ||
		k.budget_nusd === undefined ? '' : k.budget_nusd / 1e9,
		to: text => text === '' ? null : toNusd(text),
		hint: t('emptyNoLimit') },
	{ name: 'rate', label: t('rate'), value: rateText(k), hint: t('rateHint'),
		pattern: '[0-9]+/[0-9]+(ms|[smhd])', to: text => text || 'none' },
	{ name: 'expires_ms', label: t('expires'), kind: 'datetime-local',
		value: localTime(k.expires_ms), to: toMs, hint: t('emptyNever') },
	{ name: 'concurrency', label: t('concurrency'), kind: 'number', min: 0,
		max: 100000, value: k.concurrency, to: toNumber,
		hint: t('zeroNoLimit') },
];

const rareFields = k => [
	{ name: 'models', label: t('models'), value: k.models,
		hint: t('modelsHint'), wide: true },
	{ name: 'clients', label: t('clients'), value: k.clients,
		hint: t('clientsHint', clientKinds.join(', ')), wide: true },
	{ name: 'from', label: t('networks'), value: k.from,
		hint: t('networksHint'), wide: true },
	{ name: 'queue_class', label: t('queueClass'), kind: 'select',
		value: k.queue_class ?? 'normal', hint: t('queueClassHint'),
		options: classes.map(c => [c, t(`class_${c}`)]) },
	{ name: 'drain_s', label: t('drain'), kind: 'number', min: 0, max: 3600,
		value: k.drain_ms === null || k.drain_ms === undefined ? '' :
			k.drain_ms / 1000, hint: t('drainHint'),
		to: text => text === '' ? null : Number(text) },
];

const fields = (k, lists) => [
	{ name: 'name', label: t('name'), value: k.name, required: true,
		maxlength: 64, wide: true },
	bindField(k, lists), userField(k, lists), ...limitFields(k),
	{ more: t('more'), fields: rareFields(k) },
];

async function choices() {
	const [groups, accounts, users] = await Promise.all([list('/groups'),
		list('/admin/accounts'), list('/admin/users')]);
	return { groups, accounts, users };
}

const addKey = async context => openForm({ title: t('addKey'), isNew: true,
	label: t('add'), fields: fields({ concurrency: 0 }, await choices()),
	send: async said => {
		const key = await call('POST', '/api-keys', asBody(said));
		await context.again();
		showKey(key.key);
	} });

const editKey = async (k, again) => openForm({ title: t('editOf', k.name),
	label: t('save'), fields: fields(k, await choices()),
	send: async said => {
		await call('PATCH', `/api-keys/${k.id}`, asBody(said));
		await again();
	} });

// ---- rotation, and many at once ----

const overlaps = [[0, 'overlapNone'], [3600, 'overlapHour'],
	[86400, 'overlapDay'], [604800, 'overlapWeek'],
	[2592000, 'overlapMonth']];

const rotate = (k, again) => openForm({ title: t('rotateOf', k.name),
	intro: t('rotateIntro'), isNew: true, label: t('rotate'), fields: [
		{ name: 'overlap_s', label: t('overlap'), kind: 'select', value: 86400,
			options: overlaps.map(([s, text]) => [s, t(text)]),
			to: Number, wide: true }],
	send: async said => {
		const made = await call('POST', `/api-keys/${k.id}/rotate`, said);
		await again();
		showKey(made.key, said.overlap_s === 0 ? t('rotatedAtOnce') :
			t('rotated'));
	} });

function showKeys(made) {
	const text = made.map(k => `${k.name}\t${k.key}`).join('\n');
	const d = modal(t('newKeys'), [h('p', null, t('shownOnceAll')),
		lines(text, t('copyAll')), setupLines(t('theKey')),
		feet(button(t('close'), () => d.close(), 'primary'))],
	{ keep: true });
}

const namesOf = text => text.split('\n').map(s => s.trim()).filter(s => s);

async function addKeys(context) {
	const [, ...common] = fields({ concurrency: 0 }, await choices());
	openForm({ title: t('addKeys'), intro: t('addKeysIntro'), isNew: true,
		label: t('add'), fields: [{ name: 'names', label: t('names'),
			kind: 'area', required: true, wide: true,
			hint: t('namesHint') }, ...common],
		send: async ({ names, ...said }) => {
			const { items } = await call('POST', '/api-keys/bulk', { keys:
				namesOf(names).map(name => ({ ...asBody(said), name })) });
			await context.again();
			showKeys(items);
		} });
}

// The route takes so many at once.
const keysAtOnce = 100;

async function setMany(ids, set) {
	for (let i = 0; i < ids.length; i += keysAtOnce)
		await call('PATCH', '/api-keys/bulk',
			{ ids: ids.slice(i, i + keysAtOnce), set });
}

async function bindMany(ids, again) {
	const lists = await choices();
	openForm({ title: t('bindMany', number(ids.length)), label: t('save'),
		isNew: true, fields: [{ ...bindField({}, lists), wide: true,
			always: true }], send: async said => {
			await setMany(ids, asBody(said));
			await again();
		} });
}

async function revokeMany(ids) {
	for (const id of ids)
		await call('DELETE', `/api-keys/${id}`);
}

function bulkActs(context, ids, again) {
	const n = number(ids.length);
	const set = change => setMany(ids, change).finally(again);
	return [
		act(context, t('enable'), () => set({ enabled: true })),
		act(context, t('disable'), () => set({ enabled: false }),
			{ question: t('disableKeys', n) }),
		button(t('bindTo'), () => bindMany(ids, again)
			.catch(context.fail)),
		act(context, t('revoke'), () => revokeMany(ids).finally(again),
			{ question: t('revokeKeys', n), danger: true }),
	];
}

// ---- what is shown ----

function budgetOf(k) {
	return k.budget_nusd !== null && bar((k.spent_nusd ?? 0) +
		(k.reserved_nusd ?? 0), k.budget_nusd, t('moneyOf',
		money(k.spent_nusd ?? 0), money(k.budget_nusd)));
}

function limits(k) {
	const all = [budgetOf(k),
		k.concurrency > 0 ? bar(k.in_flight, k.concurrency,
			`${t('inFlight')} ${t('of', number(k.in_flight),
				number(k.concurrency))}`) : k.in_flight > 0 && h('div',
			{ class: 'small' }, `${t('inFlight')} ${number(k.in_flight)}`),
		k.rate !== null && h('div', { class: 'quiet small' },
			t('rateIs', number(k.rate), duration(k.rate_ms))),
		k.models && h('div', { class: 'quiet small' },
			k.models.replaceAll(',', ', '))].filter(e => e);
	return all.length > 0 ? h('div', { class: 'bars' }, all) : '';
}

const isOver = k => k.expires_ms !== null && k.expires_ms <= Date.now();

const stateOf = k => k.revoked_ms !== null ? 'revoked' : isOver(k) ?
	'expired' : k.enabled ? 'ready' : 'disabled';

const styles = { revoked: 'bad', expired: 'bad', ready: 'good',
	disabled: 'quiet' };

const state = k => h('div', null, badge(t(stateOf(k)), styles[stateOf(k)]),
	k.old_until_ms > Date.now() && h('div', { class: 'quiet small' },
		t('oldUntil'), ' ', countdown(k.old_until_ms)));

const boundTo = k => k.bind === 'pool' ? t('wholePoolShort') :
	`${t(k.bind)} ${k.bound_to}`;

function acts(context, k, again) {
	const path = `/api-keys/${k.id}`;
	if (k.revoked_ms !== null)
		return [];
	if (!context.may('admin'))
		return k.user === context.me.name ? [button(t('rotateMenu'),
			() => rotate(k, again))] : [];
	return [
		button(t('edit'), () => editKey(k, again).catch(context.fail)),
		button(t('rotateMenu'), () => rotate(k, again)),
		k.enabled ? act(context, t('disable'), () => call('PATCH', path,
			{ enabled: false }).then(again),
		{ question: t('disableKey', k.name) }) :
			act(context, t('enable'), () => call('PATCH', path,
				{ enabled: true }).then(again)),
		act(context, t('revoke'), () => call('DELETE', path).then(again),
			{ question: t('revokeKey', k.name), danger: true }),
	];
}

const columns = (context, again) => [
	[t('name'), k => h('div', null, h('a', { href: place('keys', [k.id]) },
		k.name), h('div', null, h('code', null, `${k.visible}…`)))],
	[t('user'), k => k.user],
	[t('boundTo'), boundTo],
	[t('limits'), limits],
	[t('expires'), k => stamp(k.expires_ms)],
	[t('state'), state],
	[t('acts'), k => menu(t('actsOn', k.name), acts(context, k, again)),
		'last'],
];

const states = ['ready', 'disabled', 'expired', 'revoked'];

const filters = keys => [
	{ name: 'state', label: t('state'), options: states.map(s => [s, t(s)]),
		fits: (k, s) => stateOf(k) === s },
	{ name: 'bind', label: t('boundTo'), options: [...new Set(keys.map(
		bindValue))].sort().map(v => [v || 'pool', v ? v.replace(':', ' ') :
		t('wholePoolShort')]), fits: (k, v) =>
		(bindValue(k) || 'pool') === v },
	{ name: 'user', label: t('user'), options: [...new Set(keys.map(k =>
		k.user).filter(u => u))].sort().map(u => [u, u]),
	fits: (k, u) => k.user === u },
];

async function onePage(context, id) {
	const k = await get(`/api-keys/${encodeURIComponent(id)}`);
	context.title(k.name);
	const { again } = context;
	const done = context.may('admin') && k.revoked_ms === null;
	context.main.replaceChildren(
		back('keys', t('keys')),
		head(k.name, acts(context, k, again)),
		about([
			[t('state'), state(k)],
			[t('key'), h('code', null, `${k.visible}…`)],
			[t('user'), k.user ?? '–'], [t('boundTo'), boundTo(k)],
			[t('models'), k.models || t('any')],
			[t('expires'), k.expires_ms === null ? t('never') :
				h('span', null, stamp(k.expires_ms), ' (',
					countdown(k.expires_ms), ')')],
			[t('requests'), number(k.usage.requests)],
			[t('cost'), money(k.usage.cost_nusd)],
			[t('input'), amount('tokens', k.usage.input_tokens)],
			[t('output'), amount('tokens', k.usage.output_tokens)],
			[t('lastUsed'), stamp(k.usage.last_ms) || t('notYet')],
			[t('created'), stamp(k.created_ms)],
			[t('clients'), k.clients || t('any')],
			[t('networks'), k.from || t('any')]]),
		headTwo(t('budgets'), done &&
			button(t('addBudget'), () => addBudget(again,
				{ on: 'key', of: k.name }).catch(context.fail))),
		k.budgets.length === 0 ? empty(t('noBudgetsOnKey')) :
			table(t('budgets'), budgetColumns(context, again), k.budgets));
}

export async function keysPage(context) {
	if (context.params.length > 0)
		return onePage(context, context.params[0]);
	const keys = await list('/api-keys');
	const { again } = context;
	const may = context.may('admin');
	const adder = () => may && button(t('addKey'),
		() => addKey(context).catch(context.fail), 'primary');
	context.main.replaceChildren(head(t('keys'), may && button(t('addKeys'),
		() => addKeys(context).catch(context.fail)), adder()),
	listing(view, { label: t('keys'), columns: columns(context, again),
		rows: keys, name: k => k.name, filters: filters(keys),
		search: k => `${k.name} ${k.visible} ${k.user ?? ''} ` +
			`${k.bound_to ?? ''} ${k.models}`,
		select: may && { may: k => k.revoked_ms === null,
			acts: ids => bulkActs(context, ids, again) },
		none: empty(t('noKeys'), adder()) }));
}
