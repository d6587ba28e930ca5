// For owners of keys: what a key may use and has used.  The key is pasted, and
// kept in memory alone.
import { amount, windowOf } from './budgets.js';
import { chart } from './charts.js';
import { chartsOf } from './figures.js';
import { bar, empty, h, place, table } from './dom.js';
import { button, makeForm } from './form.js';
import { about, countdown, head, stamp } from './parts.js';
import { compact, duration, money, number, t, tokens, zone } from './text.js';

const days = 30;
let key = null;

async function fetchUsage() {
	let answer;
	try {
		answer = await fetch('../api/v1/me/usage?' + new URLSearchParams(
			{ zone: zone() }), { cache: 'no-store', credentials: 'omit',
			headers: { 'x-api-key': key } });
	} catch {
		throw new Error(t('unreachable'));
	}
	const said = await answer.json().catch(() => ({}));
	if (!answer.ok)
		throw new Error(answer.status === 401 ? t('keyNotKnown') :
			said.error || t('unreachable'));
	return said;
}

// ---- asking for the key ----

function askForKey(context, wrong) {
	const form = makeForm({ isNew: true, label: t('showUsage'), fields: [
		{ name: 'key', label: t('yourKey'), kind: 'password', required: true,
			autocomplete: 'off', spellcheck: 'false', wide: true,
			hint: t('yourKeyHint') }],
	send: async said => {
		({ key } = said);
		await myUsagePage(context);
	} });
	form.querySelector('.error').textContent = wrong ?? '';
	context.main.replaceChildren(h('div', { class: 'narrow' },
		h('h1', null, t('myUsage')),
		h('p', { class: 'quiet' }, t('myUsageIntro')), form,
		context.me ? '' : h('p', null, h('a', { href: place('sign-in') },
			t('signInInstead')))));
	form.querySelector('input').focus();
}

// ---- what is shown ----

function used(l) {
	const limit = amount(l.counts, l.limit);
	if (l.used === null)
		return h('span', { class: 'quiet' }, t('sharedLimit', limit));
	const done = l.counts === 'money' ? money(l.used) : number(l.used);
	return bar(l.used + (l.reserved ?? 0), l.limit, t('of', done, limit));
}

const limitColumns = zoneName => [
	[t('counts'), l => h('div', null, t(`counts_${l.counts}`), l.models &&
		h('div', { class: 'quiet small' }, l.models))],
	[t('used'), used],
	[t('window'), l => windowOf({ ...l, zone: zoneName })],
	[t('renews'), l => l.resets_ms ? h('div', null, countdown(l.resets_ms),
		h('div', { class: 'quiet small' }, stamp(l.resets_ms))) : ''],
	[t('of_whom'), l => t(`limit_of_${l.on}`)],
];

const sums = (title, of) => h('div', { class: 'card' }, h('h2', null, title),
	about([[t('requests'), number(of.requests)],
		[t('tokens_all'), compact(tokens(of))],
		[t('errors'), number(of.errors)], [t('cost'), money(of.cost_nusd)]]));

const modelColumns = () => [
	[t('model'), m => m.model],
	[t('requests'), m => number(m.requests), 'number'],
	[t('input'), m => number(m.input_tokens), 'number'],
	[t('output'), m => number(m.output_tokens), 'number'],
	[t('cacheRead'), m => number(m.cache_read_tokens), 'number'],
	[t('cost'), m => money(m.cost_nusd), 'number'],
];

const onWall = d => `${d.getFullYear()}-` +
	`${String(d.getMonth() + 1).padStart(2, '0')}-` +
	`${String(d.getDate()).padStart(2, '0')}T00:00:00`;

// As GET /usage would tell it.
function report({ rows }) {
	const from = new Date(), to = new Date();
	from.setDate(from.getDate() - days + 1);
	to.setDate(to.getDate() + 1);
	return { from: onWall(from), to: onWall(to), per: 'day', rows,
		total: {} };
}

function aboutKey(k) {
	return about([[t('key'), h('code', null, `${k.visible}…`)],
		[t('models'), k.models?.replaceAll(',', ', ') || t('any')],
		[t('inFlight'), k.concurrency > 0 ? bar(k.in_flight, k.concurrency,
			t('of', number(k.in_flight), number(k.concurrency))) :
			number(k.in_flight)],
		[t('rate'), k.rate ? t('rateIs', number(k.rate),
			duration(k.rate_ms)) : t('noLimit')],
		[t('expires'), k.expires_ms ? stamp(k.expires_ms) : t('never')]]);
}

function forget(context) {
	key = null;
	askForKey(context);
}

function fill(context, { key: k, zone: zoneName, limits, usage, models }) {
	context.title(k.name);
	context.main.replaceChildren(head(k.name,
		button(t('refresh'), () => myUsagePage(context)),
		button(t('forgetKey'), () => forget(context))), aboutKey(k),
	h('h2', null, t('limits')), limits.length === 0 ? empty(t('noLimits')) :
		table(t('limits'), limitColumns(zoneName), limits),
	h('div', { class: 'pair' }, sums(t('today'), usage.today),
		sums(t('thisMonth'), usage.month)),
	h('h2', null, t('lastDays', days)), usage.rows.length === 0 ?
		empty(t('noUsage')) : h('div', { class: 'charts' },
			chartsOf(report(usage)).map(chart)),
	h('h2', null, t('byModel')), models.length === 0 ? empty(t('noUsage')) :
		table(t('byModel'), modelColumns(), models));
}

export async function myUsagePage(context) {
	if (key === null)
		return askForKey(context);
	try {
		fill(context, await fetchUsage());
	} catch (error) {
		key = null;
		askForKey(context, error.message);
	}
}
