// Batches and files that clients have upstream: which account holds them, and
// whose they are; and requests that may have made one that nobody knows.
import { call, get, list } from './api.js';
import { act } from './change.js';
import { badge, empty, filters, h, place, say, short, table, tabs, turner }
	from './dom.js';
import { button, localTime, openForm, toMs } from './form.js';
import { about, back, head, headTwo, menu, stamp } from './parts.js';
import { outcome } from './request.js';
import { suggest } from './suggest.js';
import { number, t, word } from './text.js';

const limit = 50;
const lostLimit = 200;
const kinds = ['batch', 'file'];
const spans = { '24h': 86400e3, '7d': 7 * 86400e3, '30d': 30 * 86400e3 };

// ---- what is forgotten ----

const forget = (context, o, then) => act(context, t('forget'), () =>
	call('DELETE', `/objects/${encodeURIComponent(o.id)}`).then(then),
{ question: t('forgetObject', o.id), danger: true });

const forgetMany = async context => openForm({ title: t('forgetMany'),
	intro: t('forgetIntro'), isNew: true, label: t('forget'), style: 'danger',
	fields: [
		{ name: 'account', label: t('account'), kind: 'select', value:
			context.query.get('account') ?? '', required: true, options:
			[['', t('choose')], ...(await list('/admin/accounts'))
				.map(a => [a.name, a.name])] },
		{ name: 'before_ms', label: t('madeBefore'), kind: 'datetime-local',
			max: localTime(Date.now()), to: toMs, hint: t('emptyAll') }],
	send: async said => {
		const { forgotten } = await call('POST', '/objects/forget', said);
		await context.again();
		say(t('forgot', number(forgotten)));
	} });

// ---- what is shown ----

function state(o) {
	const [text, tone] = o.gone_ms !== null ? ['goneThere', 'bad'] :
		o.kind === 'file' ? ['isThere', 'good'] :
			o.final ? ['ended', 'good'] : ['notEnded', 'warn'];
	return h('span', { class: 'lines' }, badge(t(text), tone),
		o.unheard && badge(t('unheard'), 'warn'));
}

const request = id => id ? h('a', { href: place('requests', [id]) }, id) :
	'–';

const columns = context => [
	[t('idThere'), o => h('div', null, h('a', { href: place('objects',
		[o.id]) }, h('code', null, o.id)), h('div', { class: 'quiet small' },
		[t(`object_${o.kind}`), o.model].filter(Boolean).join(' · '))),
	'name'],
	[t('key'), o => short(o.key ?? '–')],
	[t('account'), o => short(o.account ?? '–')],
	[t('state'), state],
	[t('created'), o => stamp(o.created_ms)],
	...context.may('admin') ? [[t('acts'), o => menu(t('actsOn', o.id),
		[forget(context, o, context.again)]), 'last']] : [],
];

const fields = () => [
	{ name: 'kind', label: t('kind'), kind: 'select', options:
		[['', t('any')], ...kinds.map(k => [k, t(`object_${k}`)])] },
	{ name: 'key', label: t('key'), ...suggest('/api-keys') },
	{ name: 'account', label: t('account'), ...suggest('/admin/accounts') },
];

async function known(context) {
	const { query } = context;
	const asked = new URLSearchParams({ limit });
	for (const name of ['kind', 'key', 'account', 'before'])
		if (query.get(name))
			asked.set(name, query.get(name));
	const { items, next } = await get(`/objects?${asked}`);
	return [filters(context, fields()), items.length > 0 ? h('div',
		{ class: 'objects' }, table(t('objects'), columns(context), items)) :
		empty(asked.size > 1 ? t('noneFits') : t('noObjects')),
	turner(context, next)];
}

const lostColumns = () => [
	[t('when'), o => h('a', { href: place('requests', [o.request]) },
		stamp(o.created_ms))],
	[t('kind'), o => word('made', o.kind)],
	[t('key'), o => short(o.key ?? '–')],
	[t('account'), o => short(o.account ?? '–')],
	[t('outcome'), o => h('span', { class: 'lines' }, outcome(o),
		o.status && h('small', { class: 'quiet' }, `HTTP ${o.status}`))],
];

async function lost(context) {
	const span = spans[context.query.get('span')] ?? spans['30d'];
	const { items } = await get(`/objects/lost?limit=${lostLimit}` +
		`&since_ms=${Date.now() - span}`);
	return [h('p', { class: 'quiet' }, t('lostIntro')), filters(context, [
		{ name: 'span', label: t('span'), kind: 'select', value: '30d',
			options: Object.keys(spans).map(s => [s, t(`span_${s}`)]) }]),
	items.length === 0 ? empty(t('noLost')) : table(t('lostObjects'),
		lostColumns(), items),
	items.length === lostLimit ? h('p', { class: 'quiet' },
		t('newestOnly', number(lostLimit))) : ''];
}

const one = o => [about([
	[t('kind'), t(`object_${o.kind}`)], [t('state'), state(o)],
	[t('key'), o.key ?? '–'], [t('account'), o.account ?? '–'],
	[t('model'), o.model || '–'], [t('created'), stamp(o.created_ms)],
	[t('madeBy'), request(o.made_by)],
	o.kind === 'batch' && [t('usageIn'), request(o.usage_request)],
	o.gone_ms !== null && [t('goneSince'), stamp(o.gone_ms)]]
	.filter(Boolean)),
headTwo(t('lastSeen')), h('pre', { tabindex: 0 },
	JSON.stringify(o.seen, null, 2))];

// One id may be of several keys.
async function onePage(context, id) {
	const { items } = await get(`/objects/${encodeURIComponent(id)}`);
	context.title(id);
	context.main.replaceChildren(back('objects', t('objects')), head(id,
		context.may('admin') && forget(context, items[0],
			() => location.hash = place('objects'))),
	...items.flatMap(one));
}

export async function objectsPage(context) {
	const { main, params, query } = context;
	if (params.length > 0)
		return onePage(context, params[0]);
	const tab = query.get('tab') === 'lost' ? { tab: 'lost' } : {};
	const shown = await (tab.tab ? lost : known)(context);
	main.replaceChildren(head(t('objects'), context.may('admin') &&
		button(t('forgetMenu'), () => forgetMany(context)
			.catch(context.fail))), tabs(t('objects'), [
		[place('objects'), t('knownObjects')],
		[place('objects', [], { tab: 'lost' }), t('lostObjects')]],
	place('objects', [], tab)), ...shown);
}
