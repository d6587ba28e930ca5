// What tokens of models cost, for the ledger and for budgets in money.
import { call, list } from './api.js';
import { act } from './change.js';
import { badge, empty, field, h, say } from './dom.js';
import { button, feet, localTime, modal, openForm, toMs, toNumber, toNusd }
	from './form.js';
import { head, listing, menu, stamp } from './parts.js';
import { money, number, percent, t } from './text.js';

const platforms = ['claude', 'claude_console'];
const view = {};

const dollars = nusd => nusd === null || nusd === undefined ? '' :
	nusd / 1e9;

// ---- what is made and changed ----

const tokenFields = [
	['input_nusd_mtok', 'input'], ['output_nusd_mtok', 'output'],
	['cache_read_nusd_mtok', 'cacheReading'],
	['cache_write_5m_nusd_mtok', 'cacheWrite5m'],
	['cache_write_1h_nusd_mtok', 'cacheWrite1h'],
];

const wayFields = [
	['batch_percent', 'batchPercent'], ['fast_percent', 'fastPercent'],
	['priority_percent', 'priorityPercent'],
	['geo_us_percent', 'usPercent'],
];

const costs = p => tokenFields.map(([name, label]) => ({ name, kind: 'number',
	label: t(label), value: dollars(p[name]), min: 0, step: 'any',
	required: /^(input|output)/.test(name), to: toNusd,
	hint: /^cache/.test(name) && !p.id ? t('emptyByInput') : t('perMillion') }));

const rare = p => [
	{ name: 'context_tokens', label: t('contextTokens'), kind: 'number',
		min: 0, value: p.context_tokens || '', to: toNumber },
	...wayFields.map(([name, label]) => ({ name, label: t(label),
		kind: 'number', min: 0, max: 10000, value: p[name] || '',
		to: toNumber, hint: t('percentHint') })),
	{ name: 'web_search_nusd', label: t('webSearch'), kind: 'number', min: 0,
		step: 'any', value: p.web_search_nusd ? p.web_search_nusd / 1e6 : '',
		to: text => Math.round(Number(text) * 1e6),
		hint: t('perThousand') },
	{ name: 'valid_from_ms', label: t('validFrom'), kind: 'datetime-local',
		value: '', to: toMs, hint: t('emptyNow') },
	{ name: 'valid_until_ms', label: t('validUntil'),
		kind: 'datetime-local', value: localTime(p.valid_until_ms), to: toMs,
		hint: t('emptyForEver') },
];

const add = context => openForm({ title: t('addPrice'), isNew: true,
	label: t('add'), fields: [
		{ name: 'model', label: t('model'), required: true,
			placeholder: 'claude-sonnet-*', hint: t('priceModelHint') },
		{ name: 'platform', label: t('platform'), kind: 'select',
			options: platforms.map(p => [p, p]) },
		...costs({}), { name: 'above_tokens', label: t('aboveTokens'),
			kind: 'number', min: 0, value: '', to: toNumber,
			hint: t('aboveHint') }, { more: t('more'), fields: rare({}) }],
	send: async said => {
		await call('POST', '/prices', said);
		await context.again();
	} });

const edit = (context, p) => openForm({ title: t('editOf', p.model),
	intro: t('editPriceIntro'), label: t('save'), fields: [...costs(p),
		{ more: t('more'), fields: rare(p) }],
	send: async said => {
		await call('PATCH', `/prices/${p.id}`, said);
		await context.again();
	} });

// ---- a file of prices ----

async function send(context, { file, platform }, d, error) {
	const body = { platform };
	try {
		if (file)
			body.file = JSON.parse(await file.text());
	} catch {
		error.textContent = t('noJson');
		return;
	}
	try {
		const { added, unchanged, skipped } = await call('POST',
			'/prices/import', body);
		d.close();
		await context.again();
		say(t('imported', number(added), number(unchanged),
			number(skipped)));
	} catch (failure) {
		error.textContent = failure.message || t('unreachable');
	}
}

function importFile(context) {
	const error = h('p', { class: 'error', role: 'alert' });
	const input = h('input', { type: 'file', id: 'price-file',
		accept: '.json,application/json' });
	const platform = field(t('platform'), 'platform', { kind: 'select',
		value: platforms[0], options: platforms.map(p => [p,
			t(`platform_${p}`)]) });
	const d = modal(t('importPrices'), [h('p', { class: 'quiet' },
		t('importIntro')), h('div', { class: 'field' },
		h('label', { for: 'price-file' }, t('priceFile')), input,
		h('p', { class: 'quiet' }, t('priceFileHint'))), platform, error, feet(
		button(t('cancel'), () => d.close()),
		button(t('import'), () => send(context, { file: input.files[0], platform:
			platform.querySelector('select').value }, d, error),
			'primary'))]);
}

// ---- what is shown ----

// Of several that are valid the newest counts; the route knows which.
const stateOf = p => p.counts ? 'inForce' : p.valid_from_ms > Date.now() ?
	'toCome' : 'over';
const styles = { inForce: 'good', toCome: 'warn', over: 'quiet' };

const ways = p => wayFields.filter(([name]) => p[name]).map(([name, label]) =>
	`${t(label)} ${percent(p[name] / 100)}`).join(', ');

const acts = (context, p) => context.may('admin') && stateOf(p) !== 'over' &&
	menu(t('actsOn', p.model), [
		button(t('edit'), () => edit(context, p)),
		act(context, t('remove'), () => call('DELETE', `/prices/${p.id}`)
			.then(context.again),
		{ question: t('removePrice', p.model), danger: true }),
	]);

const span = p => h('div', { class: 'quiet small' },
	p.valid_from_ms > 0 && h('div', null, t('since'), ' ',
		stamp(p.valid_from_ms)),
	p.valid_until_ms > 0 && h('div', null, t('until'), ' ',
		stamp(p.valid_until_ms)));

const columns = context => [
	[t('model'), p => h('div', null, h('strong', null, p.model),
		h('div', { class: 'quiet small' }, p.platform, p.above_tokens > 0 &&
			` · ${t('aboveIs', number(p.above_tokens))}`)), 'name'],
	...tokenFields.map(([name, label]) => [t(label), p => money(p[name]),
		'number']),
	[t('state'), p => h('div', null, badge(t(stateOf(p)),
		styles[stateOf(p)]), span(p), h('div', { class: 'quiet small' },
		ways(p)))],
	context.may('admin') && [t('acts'), p => acts(context, p), 'last'],
].filter(Boolean);

export async function pricesPage(context) {
	const [prices, now] = await Promise.all([list('/prices?all=1'),
		list('/prices')]);
	const counting = new Set(now.map(p => p.id));
	prices.forEach(p => p.counts = counting.has(p.id));
	const may = context.may('admin');
	const buttons = () => [may && button(t('import'),
		() => importFile(context)), may && button(t('addPrice'),
		() => add(context), 'primary')];
	view.state ??= 'inForce';
	context.main.replaceChildren(head(t('prices'), ...buttons()),
		h('p', { class: 'quiet' }, t('pricesIntro')),
		listing(view, { label: t('prices'), rows: prices,
			columns: columns(context), search: p => p.model,
			filters: [
				{ name: 'state', label: t('state'), options: ['inForce',
					'toCome', 'over'].map(s => [s, t(s)]),
				fits: (p, s) => stateOf(p) === s },
				{ name: 'platform', label: t('platform'), options:
					platforms.map(p => [p, p]), fits: (p, is) =>
					p.platform === is }],
			name: p => p.model, none: empty(t('noPrices'),
				...buttons()) }));
}
