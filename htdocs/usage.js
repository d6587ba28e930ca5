// What was used, and what it cost.
import { get } from './api.js';
import { field, h, table } from './dom.js';
import { money, number, t } from './text.js';

const spans = ['24h', '7d', '30d', '365d'];
const kinds = ['model', 'key', 'user', 'account', 'group'];
const pers = ['total', 'hour', 'day', 'week', 'month'];

const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

const columns = by => [
	[t('from'), r => r.start?.slice(0, 16).replace('T', ' ') ?? ''],
	[t(by), r => r[by] ?? '–'],
	[t('requests'), r => number(r.requests), 'number'],
	[t('errors'), r => number(r.errors), 'number'],
	[t('input'), r => number(r.input_tokens), 'number'],
	[t('output'), r => number(r.output_tokens), 'number'],
	[t('cacheRead'), r => number(r.cache_read_tokens), 'number'],
	[t('cost'), r => money(r.cost_nusd), 'number'],
];

export async function usagePage(context, { by = 'model', from = '30d',
	per = 'total' } = {}) {
	const query = new URLSearchParams({ by, from, per, zone: zone() });
	const report = await get(`/usage?${query}`);
	const choose = change => usagePage(context, { by, from, per, ...change })
		.catch(context.fail);
	const choice = (label, name, names, value, text) => field(label, name,
		{ kind: 'select', value, options: names.map(n => [n, text(n)]),
			onchange: e => choose({ [name]: e.target.value }) });
	context.main.replaceChildren(h('h1', null, t('usage')),
		h('div', { class: 'choices' },
			choice(t('span'), 'from', spans, from, n => t(`span_${n}`)),
			choice(t('by'), 'by', kinds, by, n => t(n)),
			choice(t('per'), 'per', pers, per, n => t(`per_${n}`)),
			h('a', { href: `../api/v1/usage?${query}&format=csv`,
				download: 'usage.csv' }, t('csv'))),
		table(t('usage'), columns(by), report.rows, t('noUsage')),
		h('p', null, t('inAll', number(report.total.requests),
			money(report.total.cost_nusd))));
}
