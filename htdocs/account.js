// One account: what is against it, what it served, who changed it.
import { cooldownReason } from './account-state.js';
import { accountActs } from './account-forms.js';
import { aliasSection } from './aliases.js';
import { get, list } from './api.js';
import { chart } from './charts.js';
import { bar, badge, empty, h, place, table, tabs } from './dom.js';
import { chartsOf } from './figures.js';
import { makeForm } from './form.js';
import { about, accountStands, back, countdown, head, stamp } from
	'./parts.js';
import { demoModel } from './setup.js';
import { number, seconds, t, word, zone } from './text.js';

// ---- as it stands ----

const oauthFacts = o => o ? [
	[t('signedIn'), badge(t(o.signed_in ? 'yes' : 'no'), o.signed_in ?
		'good' : 'bad')],
	[t('tokenEnds'), o.expires_ms ? countdown(o.expires_ms) : '–'],
	[t('tokenRenewed'), stamp(o.renewed_ms) || t('notYet')],
] : [];

function probeFact(probe) {
	if (!probe)
		return t('notYet');
	const good = probe.result === 'ok';
	return h('div', null, badge(good ? t('probeGood', seconds(
		probe.latency_ms)) : word('outcome', probe.result), good ? 'good' :
		'bad'), h('div', { class: 'quiet small' }, stamp(probe.probed_ms)),
	!good && h('div', { class: 'small' }, probe.message));
}

// What is against it.
const cooldownColumns = () => [
	[t('reason'), c => h('div', null, h('strong', null, cooldownReason(c)),
		c.detail && h('div', { class: 'quiet small' }, c.detail))],
	[t('state'), c => badge(t(`breaker_${c.state}`),
		c.state === 'open' ? 'bad' : 'warn')],
	[t('over'), c => c.state === 'open' ? countdown(c.until_ms) : ''],
	[t('until'), c => h('div', null, stamp(c.until_ms), h('div',
		{ class: 'quiet small' }, t(c.stated ? 'statedUpstream' :
			'ownEstimate')))],
	[t('since'), c => stamp(c.since_ms)],
	[t('strikes'), c => c.strikes, 'number'],
];

async function standingTab(context, a) {
	const aliases = await aliasSection(context, 'account', a.name);
	return [about([
		[t('state'), accountStands(a)],
		[t('inUse'), bar(a.leases, a.concurrency, t('of', number(a.leases),
			number(a.concurrency)))],
		[t('lastProbe'), probeFact(a.probe)],
		...oauthFacts(a.oauth),
		[t('group'), a.group ?? '–'],
		[t('platform'), a.platform], [t('requestUrl'), a.base_url],
		[t('credential'), a.oauth ? 'OAuth' : t(`credential_${a.credential}`)],
		[t('priority'), number(a.priority)], [t('weight'), number(a.weight)],
		[t('models'), a.models?.replaceAll(',', ', ') || t('any')],
		[t('proxy'), a.proxy || '–'],
		[t('created'), stamp(a.created_ms)]]),
	h('h2', null, t('against')),
	a.cooldowns.length === 0 ? empty(t('nothingAgainst')) :
		table(t('against'), cooldownColumns(), a.cooldowns), aliases];
}

// ---- what it did ----

const failureColumns = () => [
	[t('when'), r => stamp(r.created_ms)],
	[t('key'), r => r.key],
	[t('model'), r => r.model],
	[t('outcome'), r => badge(word('outcome', r.outcome), 'bad')],
	[t('total'), r => seconds(r.total_ms), 'number'],
	[t('acts'), r => h('a', { href: place('requests', [r.id]) },
		t('details'))],
];

const auditColumns = () => [
	[t('when'), r => stamp(r.at_ms)],
	[t('who'), r => r.actor],
	[t('did'), r => h('code', null, r.verb)],
	[t('changed'), r => changed(r)],
];

// The members that are others now, in few words.
function changed({ before, after }) {
	const short = v => v === undefined || v === null ? '–' :
		typeof v === 'object' ? '…' : String(v);
	return h('div', null, Object.keys({ ...before, ...after }).filter(k =>
		JSON.stringify(before?.[k]) !== JSON.stringify(after?.[k]) &&
		!/^(id|.*_ms)$/.test(k)).slice(0, 6).map(k => h('div',
		{ class: 'small' }, h('span', { class: 'quiet' }, `${k}: `),
		before ? `${short(before[k])} → ${short(after?.[k])}` :
			short(after?.[k]))));
}

async function historyTab(context, a) {
	const of = encodeURIComponent(a.name);
	const per = context.query.get('per') === 'day' ? 'day' : 'hour';
	const [report, requests, logs] = await Promise.all([
		get(`/usage?account=${of}&per=${per}&from=${per === 'day' ?
			'30d' : '24h'}&zone=${encodeURIComponent(zone())}`),
		get(`/requests?account=${of}&limit=200`),
		get(`/logs?object=${of}&limit=50`)]);
	const bad = requests.items.filter(r => r.outcome && r.outcome !== 'ok')
		.slice(0, 20);
	const own = (logs.items ?? logs).filter(r => /^a(ccount|lias)\./.test(
		r.verb));
	const link = (to, text) => h('a', { href: place('accounts', [a.id],
		{ tab: 'history', per: to }), 'aria-current': per === to ? 'true' :
		null }, text);
	return [h('div', { class: 'head' }, h('h2', null, t('usage')),
		h('div', { class: 'actions choice' }, link('hour', t('perHour')),
			link('day', t('perDay')))),
	report.rows.length === 0 ? empty(t('noUsage')) : h('div',
		{ class: 'charts' }, chartsOf(report).map(chart)),
	h('h2', null, t('lastFailures')), bad.length === 0 ?
		empty(t('noFailures', number(requests.items.length))) :
		table(t('lastFailures'), failureColumns(), bad),
	h('h2', null, t('changes')), own.length === 0 ? empty(t('noChanges')) :
		table(t('changes'), auditColumns(), own)];
}

// ---- why not ----

function whyAnswer(answer) {
	const good = answer.picked;
	return [h('p', { role: 'status' }, badge(t(good ? 'wouldServe' :
		answer.fit ? 'wouldNotNow' : 'wouldNot'), good ? 'good' :
		answer.fit ? 'warn' : 'bad')),
	...answer.reasons.map(r => h('p', null, r)),
	answer.considered?.length > 0 && h('div', null,
		h('h2', null, t('considered')), table(t('considered'), [
			[t('account'), c => c.account],
			[t('sentUnder'), c => h('code', null, c.sent_as)],
			[t('state'), c => badge(word('stands', c.why), c.why === 'fit' ?
				'good' : 'quiet')],
			[t('priority'), c => number(c.priority), 'number'],
			[t('inUse'), c => bar(c.in_use, c.concurrency, t('of',
				number(c.in_use), number(c.concurrency)))],
			[t('firstByte'), c => seconds(c.first_byte_ms), 'number'],
		], answer.considered))].filter(e => e);
}

async function whyTab(context, a) {
	const keys = (await list('/api-keys')).filter(k => k.revoked_ms === null);
	const into = h('div');
	if (keys.length === 0)
		return [empty(t('noKeys'))];
	return [h('p', { class: 'quiet' }, t('whyIntro')), h('div',
		{ class: 'card form' }, makeForm({ isNew: true, label: t('ask'),
			fields: [
				{ name: 'key', label: t('key'), kind: 'select', options:
					keys.map(k => [k.name, k.name]) },
				{ name: 'model', label: t('model'), required: true,
					value: demoModel },
				{ name: 'session', label: t('session'), wide: true,
					hint: t('sessionHint') }],
			send: async said => into.replaceChildren(...whyAnswer(await get(
				`/admin/accounts/${a.id}/why-not?` +
				new URLSearchParams(said)))) })), into];
}

// ---- the page ----

const views = { standing: standingTab, history: historyTab, why: whyTab };

export async function accountPage(context, id) {
	const a = await get(`/admin/accounts/${encodeURIComponent(id)}`);
	const chosen = context.query.get('tab');
	const tab = chosen in views ? chosen : 'standing';
	context.title(a.name);
	const at = name => place('accounts', [id],
		{ tab: name === 'standing' ? '' : name });
	const parts = await views[tab](context, a);
	context.main.replaceChildren(back('accounts', t('accounts')),
		head(a.name, accountActs(context, a)),
		tabs(a.name, Object.keys(views).map(name => [at(name),
			t(`tab_${name}`)]), at(tab)), ...parts);
}
