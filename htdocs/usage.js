// What was used, and what it cost: by whom, per what time, and as CSV.
import { ApiError, get } from './api.js';
import { chart } from './charts.js';
import { empty, facts, filters, h, place, short, table } from './dom.js';
import { chartsBy, chartsOf } from './figures.js';
import { suggest } from './suggest.js';
import { compact, millis, money, number, percent, t, tokens, zone } from
	'./text.js';

const spans = ['24h', '7d', '30d', '365d'];
const kinds = ['model', 'key', 'user', 'account', 'group'];
const pers = ['total', 'hour', 'day', 'week', 'month', 'year'];
const rowsShown = 500;

// ---- what is asked ----

const pad = n => String(n).padStart(2, '0');
const day = d => `${d.getFullYear()}-${pad(d.getMonth() + 1)}-` +
	pad(d.getDate());

// As GET /usage takes it.  The last day that is chosen counts as well.
function range(query) {
	const span = query.get('span') ?? '30d', today = new Date();
	if (span === 'month')
		return { from: day(today).slice(0, 7) };
	if (span === 'year')
		return { from: day(today).slice(0, 4) };
	if (span !== 'dates')
		return { from: spans.includes(span) ? span : '30d' };
	const to = new Date(`${query.get('to') || day(today)}T12:00`);
	to.setDate(to.getDate() + 1);
	return { from: query.get('from') || `${day(today).slice(0, 7)}-01`,
		to: day(to) };
}

function asked(query) {
	const by = [...new Set([query.get('by') ?? 'model',
		query.get('also') ?? 'none'])].filter(n => n !== 'none');
	const of = kinds.filter(n => query.get(n)).map(n => [n, query.get(n)]);
	return new URLSearchParams({ per: query.get('per') ?? 'day',
		zone: query.get('zone') || zone(), ...range(query),
		...by.length === 0 ? {} : { by }, ...Object.fromEntries(of) });
}

function zones() {
	const own = zone();
	return [own, ...own === 'UTC' ? [] : ['UTC'],
		...Intl.supportedValuesOf('timeZone').filter(z => z !== own &&
			z !== 'UTC')].map(z => [z === own ? '' : z, z]);
}

const choice = (label, name, values, value, text) => ({ label, name, value,
	kind: 'select', options: values.map(v => [v, text(v)]) });

// What is counted alone; users see what is their own.
const ofFields = context => [
	{ name: 'key', label: t('key'), ...suggest('/api-keys') },
	{ name: 'model', label: t('model'), placeholder: 'claude-sonnet-*' },
	...context.may('operator') ? [
		{ name: 'user', label: t('user'), ...suggest('/admin/users') },
		{ name: 'account', label: t('account'),
			...suggest('/admin/accounts') },
		{ name: 'group', label: t('group'), ...suggest('/groups') }] : [],
];

const fields = (context, query) => [
	choice(t('span'), 'span', [...spans, 'month', 'year', 'dates'], '30d',
		n => t(`span_${n}`)),
	...query.get('span') === 'dates' ? ['from', 'to'].map(name => ({ name,
		label: t(`${name}Day`), kind: 'date' })) : [],
	choice(t('by'), 'by', ['none', ...kinds], 'model',
		n => n === 'none' ? t('by_none') : t(n)),
	choice(t('andBy'), 'also', ['none', ...kinds], 'none',
		n => n === 'none' ? t('by_none') : t(n)),
	choice(t('per'), 'per', pers, 'day', n => t(`per_${n}`)),
	{ label: t('zone'), name: 'zone', kind: 'select', options: zones() },
	...ofFields(context),
];

// ---- what is told ----

const share = r => typeof r.cache_hit_share === 'number' ?
	percent(r.cache_hit_share / 1000) : '';

const columns = (by, per, total) => [
	per !== 'total' && [t('from'), r => r.start.slice(0, per === 'hour' ? 16 :
		per === 'month' ? 7 : per === 'year' ? 4 : 10).replace('T', ' '), 'when'],
	...by.map(n => [t(n), r => short(r[n] ?? '–')]),
	[t('requests'), r => number(r.requests), 'number'],
	[t('errors'), r => number(r.errors), 'number'],
	[t('input'), r => number(r.input_tokens), 'number'],
	[t('output'), r => number(r.output_tokens), 'number'],
	[t('cacheRead'), r => number(r.cache_read_tokens), 'number'],
	[t('cacheWrite'), r => number(r.cache_write_5m_tokens +
		r.cache_write_1h_tokens), 'number'],
	'cache_hit_share' in total && [t('cacheShare'), share, 'number'],
	...['ttfb', 'duration'].flatMap(kind => ['p50', 'p95'].map(p =>
		`${kind}_${p}_ms` in total && [`${t(kind)} ${t(p)}`, r =>
			millis(r[`${kind}_${p}_ms`]), 'number'])),
	[t('cost'), r => money(r.cost_nusd), 'number'],
].filter(Boolean);

const totals = total => facts([
	[t('requests'), number(total.requests)],
	[t('errors'), number(total.errors)],
	[t('tokens_all'), compact(tokens(total))],
	[t('cost'), money(total.cost_nusd)],
	'cache_hit_share' in total && [t('cacheShare'), share(total) || '–'],
	'ttfb_p50_ms' in total && [t('firstByteP50'),
		millis(total.ttfb_p50_ms) || '–'],
].filter(Boolean));

function found(report, by, per) {
	if (report.rows.length === 0)
		return [empty(t('noUsage'))];
	const drawn = per === 'total' || by.length > 1 ? [] :
		by.length === 0 ? chartsOf(report) : chartsBy(report, by[0]);
	const rows = report.rows.slice(0, rowsShown);
	return [totals(report.total),
		drawn.length > 0 && h('div', { class: 'charts' }, drawn.map(chart)),
		table(t('usage'), columns(by, per, report.total), rows),
		rows.length < report.rows.length && h('p', { class: 'quiet' },
			t('moreInCsv', number(rows.length),
				number(report.rows.length)))].filter(Boolean);
}

export async function usagePage(context) {
	const { main, query } = context;
	const q = asked(query);
	let list;
	try {
		list = found(await get(`/usage?${q}`), q.get('by')?.split(',') ?? [],
			q.get('per'));
	} catch (error) {
		// A time or a name that there is not, or too many times.
		if (!(error instanceof ApiError) || ![400, 404].includes(error.status))
			throw error;
		list = [empty(error.message)];
	}
	main.replaceChildren(h('div', { class: 'head' }, h('h1', null, t('usage')),
		h('a', { class: 'button', href: `../api/v1/usage?${q}&format=csv`,
			download: 'usage.csv' }, t('csv'))),
	filters(context, fields(context, query), query.size > 0 && h('a',
		{ class: 'button', href: place('usage') }, t('all'))), ...list);
}
