// The ledger: who asked what, and what became of it; of one request how it got
// there.
import { ApiError, get } from './api.js';
import { empty, filters, h, place, short, table, turner } from './dom.js';
import { outcome, requestPage } from './request.js';
import { suggest } from './suggest.js';
import { compact, millis, moment, money, number, t, word } from './text.js';

const dayMs = 86400e3;

// What the outcome filter offers; more may stand in the ledger.
const outcomes = ['open', 'ok', 'client_error', 'client_gone', 'rate_limited',
	'overloaded', 'upstream_error', 'upstream_timeout', 'auth', 'credit',
	'connect', 'cut', 'silent', 'stalled', 'lost'];
const spans = { '1h': 3600e3, '24h': dayMs, '7d': 7 * dayMs,
	'30d': 30 * dayMs };

const fields = query => [
	{ name: 'key', label: t('key'), ...suggest('/api-keys') },
	{ name: 'user', label: t('user'), ...suggest('/admin/users') },
	{ name: 'account', label: t('account'),
		...suggest('/admin/accounts') },
	{ name: 'model', label: t('model'), placeholder: 'claude-sonnet-*' },
	{ name: 'outcome', label: t('outcome'), kind: 'select', options:
		[['', t('any')], ...outcomes.map(o => [o, word('outcome', o)])] },
	{ name: 'span', label: t('span'), kind: 'select', options:
		[['', t('any')], ...[...Object.keys(spans), 'dates'].map(s =>
			[s, t(`span_${s}`)])] },
	...query.get('span') === 'dates' ? ['from', 'to'].map(name => ({ name,
		label: t(`${name}Day`), kind: 'date' })) : [],
	{ name: 'status', label: t('statusIs'), kind: 'number', min: 100,
		max: 599, placeholder: '529' },
	{ name: 'cost', label: t('costsAtLeast'), kind: 'number', min: 0,
		step: 'any' },
];

const input = r => r.input_tokens === null ? null : r.input_tokens +
	r.cache_read_tokens + r.cache_write_5m_tokens + r.cache_write_1h_tokens;

const columns = [
	['when', r => h('a', { href: place('requests', [r.id]) },
		moment(r.created_ms))],
	['key', r => short(r.key)],
	['model', r => short(r.model)],
	['account', r => short(r.account), 'rare'],
	['outcome', r => h('span', { class: 'lines' }, outcome(r),
		r.attempts > 1 && h('small', { class: 'quiet' },
			t('tries', number(r.attempts))))],
	['input', r => compact(input(r)), 'number rare'],
	['output', r => compact(r.output_tokens), 'number rare'],
	['cost', r => money(r.cost_nusd), 'number'],
	['firstByte', r => millis(r.first_byte_ms), 'number rare'],
	['total', r => millis(r.total_ms), 'number'],
];

function found(context, { items, next }, asked) {
	if (items.length === 0)
		return [empty(asked ? t('noneFits') : t('noRequests')),
			next ? turner(context, next) : ''];
	return [table(t('requests'), columns.map(([name, ...rest]) =>
		[t(name), ...rest]), items), turner(context, next)];
}

// What is rare is looked for a part of the ledger at a time: on, until there
// is something, for some seconds.
async function search(asked) {
	const query = new URLSearchParams(asked);
	const until = Date.now() + 5000;
	for (;;) {
		const page = await get(`/requests?${query}`);
		if (page.items.length > 0 || !page.next || Date.now() > until)
			return page;
		query.set('before', page.next);
	}
}

// As GET /requests takes it.  The last day that is chosen counts as well.
function wish(query) {
	const asked = new URLSearchParams([...query].filter(([name]) =>
		!['span', 'from', 'to', 'cost'].includes(name)));
	const span = query.get('span');
	const midnight = name => query.get(name) ? new Date(
		`${query.get(name)}T00:00`) : null;
	const [from, to] = span === 'dates' ? ['from', 'to'].map(midnight) : [];
	to?.setDate(to.getDate() + 1);
	if (span in spans)
		asked.set('since_ms', Date.now() - spans[span]);
	if (from)
		asked.set('since_ms', Number(from));
	if (to)
		asked.set('until_ms', Number(to));
	if (query.get('cost'))
		asked.set('min_cost_nusd', Math.round(query.get('cost') * 1e9));
	return asked;
}

export async function requestsPage(context) {
	const { main, params, query } = context;
	if (params.length > 0)
		return requestPage(context, params[0]);
	const asked = wish(query);
	let list;
	try {
		list = found(context, await search(asked), asked.size > 0);
	} catch (error) {
		// A name that there is not.
		if (!(error instanceof ApiError) || ![400, 404].includes(error.status))
			throw error;
		list = empty(error.message);
	}
	main.replaceChildren(h('h1', null, t('requests')), filters(context,
		fields(query), query.size > 0 && h('a', { class: 'button',
			href: place('requests') }, t('all'))), ...[list].flat());
}
