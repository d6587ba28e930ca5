// Whether all is well, at a glance; live while it is looked at.
import { accountState } from './account-state.js';
import { get, health } from './api.js';
import { chart } from './charts.js';
import { bar, empty, facts, h, morph, place, short, table, tabs } from
	'./dom.js';
import { every, live } from './live.js';
import { chartsOf } from './figures.js';
import { compact, duration, millis, money, number, percent, t, tokens, zone }
	from './text.js';

const spans = { '24h': 'hour', '7d': 'day', '30d': 'day' };
const accountsShown = 25;
const topShown = 5;
const refreshSeconds = 60;

// ---- accounts ----

const countdown = ms => h('span', { 'data-until': ms },
	duration(ms - Date.now()));

function shareLeft(a) {
	if (typeof a.share_permille !== 'number')
		return '';
	const whole = a.share_reset_ms <= Date.now();
	const left = whole ? 1 : a.share_permille / 1000;
	return h('span', { class: 'lines' }, h('span', { class: 'bar' },
		h('meter', { value: left, max: 1, low: 0.1, high: 0.25, optimum: 1,
			'aria-label': t('shareLeft') }), percent(left)),
	!whole && h('span', { class: 'quiet' }, t('wholeAgain'), ' ',
		countdown(a.share_reset_ms)));
}

// What needs a look stands first, then what is busiest.
const rank = a => [a.cooldowns.some(c => c.state === 'open') ? 0 :
	a.cooldowns.length > 0 ? 1 : a.enabled ? 2 : 3, -a.leases];
const byNeed = (a, b) => {
	const [x, y] = [rank(a), rank(b)];
	return x[0] - y[0] || x[1] - y[1] || a.name.localeCompare(b.name);
};

function accountsPart({ accounts }) {
	if (accounts.length === 0)
		return h('div', null, h('h2', null, t('accounts')),
			empty(t('noAccounts'), h('a', { class: 'button primary',
				href: place('accounts') }, t('addAccount'))));
	const shown = [...accounts].sort(byNeed).slice(0, accountsShown);
	return h('div', null, h('h2', null, t('accounts')),
		table(t('accounts'), [
			[t('name'), a => h('a', { href: place('accounts', [a.id]) },
				short(a.name))],
			[t('group'), a => short(a.group)],
			[t('state'), a => accountState(a, countdown)],
			[t('inUse'), a => bar(a.leases, a.concurrency,
				t('of', number(a.leases), number(a.concurrency)))],
			[t('shareLeft'), shareLeft],
			[t('firstByte'), a => millis(a.first_byte_ms || null),
				'number'],
		], shown, ''),
		shown.length < accounts.length && h('p', null, h('a',
			{ href: place('accounts') }, t('allOf',
				number(accounts.length)))));
}

// ---- figures ----

function waits({ queue, now_ms: now }) {
	if (queue.waiting === 0)
		return number(0);
	return h('span', { class: 'warn' }, number(queue.waiting),
		queue.oldest_ms ? h('small', null, ' ', t('longest',
			duration(now - queue.oldest_ms))) : '');
}

const errorsOf = total => h('span', { class: total.errors > 0 ? 'bad' : '' },
	number(total.errors), total.errors > 0 && h('small', null, ' ',
		percent(total.errors / total.requests)));

// Of what models read, how much came from the cache.
const cached = total => total.cache_hit_share === null ||
	total.cache_hit_share === undefined ? '–' :
	percent(total.cache_hit_share / 1000);

function tiles({ status, totals, serves }) {
	return facts([
		[t('health'), h('span', { class: serves ? 'good' : 'bad' },
			t(serves ? 'healthy' : 'unhealthy'))],
		[t('openRequests'), number(status.open_requests)],
		[t('waiting'), waits(status)],
		[t('requestsToday'), number(totals.requests)],
		[t('errorsToday'), errorsOf(totals)],
		[t('tokensToday'), compact(tokens(totals))],
		[t('costToday'), money(totals.cost_nusd)],
		[t('cacheToday'), cached(totals)],
	], 'eight');
}

function top(name, report) {
	const most = Math.max(1, ...report.rows.map(r => r.cost_nusd));
	const rows = [...report.rows].sort((a, b) => b.cost_nusd - a.cost_nusd ||
		b.requests - a.requests).slice(0, topShown);
	return h('section', null, h('h2', null, t(`top_${name}`)),
		table(t(`top_${name}`), [
			[t(name), r => short(r[name] ?? '–')],
			[t('requests'), r => compact(r.requests), 'number'],
			[t('tokens_all'), r => compact(tokens(r)), 'number'],
			[t('cost'), r => h('span', { class: 'lines' },
				money(r.cost_nusd), h('meter', { value: r.cost_nusd,
					max: most, 'aria-label': t('cost') }))],
		], rows, t('noUsage')));
}

// ---- the page ----

const fields = ['requests', 'errors', 'cost_nusd', 'input_tokens',
	'output_tokens', 'cache_read_tokens', 'cache_write_5m_tokens',
	'cache_write_1h_tokens', 'cache_hit_share', 'ttfb_p50_ms', 'ttfb_p95_ms'];

async function reports(span) {
	const z = encodeURIComponent(zone());
	const use = rest => get(`/usage?zone=${z}&fields=${fields}&${rest}`);
	const [day, over, key, model, serves] = await Promise.all([
		use('from=24h&per=hour'),
		span === '24h' ? null : use(`from=${span}&per=${spans[span]}`),
		use(`from=${span}&by=key`), use(`from=${span}&by=model`), health()]);
	return { totals: day.total, over: over ?? day, key, model, serves };
}

// What live() tells may leave out what changes seldom.
function merge(status, news) {
	const before = new Map(status.accounts.map(a => [a.id, a]));
	return { ...status, ...news, queue: { ...status.queue, ...news.queue },
		accounts: news.accounts?.map(a => ({ ...before.get(a.id), ...a })) ??
			status.accounts };
}

const tick = main => main.querySelectorAll('[data-until]').forEach(e =>
	e.textContent = duration(e.dataset.until - Date.now()));

function build(main, span, state) {
	const parts = { tiles: tiles(state), accounts: accountsPart(state.status),
		charts: chartsOf(state.over).map(chart),
		tops: h('div', { class: 'two' }, top('key', state.key),
			top('model', state.model)) };
	main.replaceChildren(h('h1', null, t('dashboard')), parts.tiles,
		tabs(t('span'), Object.keys(spans).map(s => [place('dashboard', [],
			{ span: s === '24h' ? '' : s }), t(`span_${s}`)]),
		place('dashboard', [], { span: span === '24h' ? '' : span })),
		h('div', { class: 'charts' }, parts.charts), parts.accounts,
		parts.tops);
	return parts;
}

export async function dashboardPage({ main, query, fail, onLeave }) {
	const span = query.get('span') in spans ? query.get('span') : '24h';
	const [status, figures] = await Promise.all([get('/status'),
		reports(span)]);
	const state = { status, ...figures };
	const parts = build(main, span, state);
	const show = () => {
		morph(parts.tiles, tiles(state));
		morph(parts.accounts, accountsPart(state.status));
	};
	onLeave(live({ lost: fail, told: news => {
		state.status = merge(state.status, news);
		state.totals = { ...state.totals, ...news.totals };
		show();
	} }));
	onLeave(every(1, () => tick(main)));
	onLeave(every(refreshSeconds, async () => {
		try {
			const [now, next] = await Promise.all([get('/status'),
				reports(span)]);
			Object.assign(state, next, { status: now });
			show();
			morph(parts.tops.firstChild, top('key', state.key));
			morph(parts.tops.lastChild, top('model', state.model));
			chartsOf(state.over).forEach((spec, i) =>
				parts.charts[i]?.update(spec));
		} catch (error) {
			fail(error);
		}
	}));
}
