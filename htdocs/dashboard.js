// Whether all is well, at a glance; read anew while it is looked at.
import { get, health } from './api.js';
import { h, table } from './dom.js';
import { clock, money, number, seconds, t, time } from './text.js';

const refreshMs = 3000;

export function accountState(account) {
	if (!account.enabled)
		return h('span', { class: 'quiet' }, t('disabled'));
	if (account.cooldowns.length === 0)
		return h('span', { class: 'good' }, t('ready'));
	return h('div', { class: 'bad' }, account.cooldowns.map(c => h('div',
		null, c.state === 'open' ?
			t('parked', c.reason, c.family, time(c.until_ms)) :
			t('halfOpen', c.reason, c.family))));
}

function use(account) {
	const text = t('of', account.leases, account.concurrency);
	return h('span', null, h('meter', { max: account.concurrency,
		value: account.leases, 'aria-label': text }), ` ${text}`);
}

function facts(status, today, serves) {
	const total = today.total;
	return h('dl', null, [
		[t('health'), h('span', { class: serves ? 'good' : 'bad' },
			t(serves ? 'healthy' : 'unhealthy'))],
		[t('openRequests'), number(status.open_requests)],
		[t('waiting'), number(status.queue.waiting)],
		[t('requestsToday'), number(total.requests)],
		[t('errorsToday'), number(total.errors)],
		[t('costToday'), money(total.cost_nusd)],
		[t('version'), status.version],
		[t('asOf'), clock(status.now_ms)],
	].map(([name, value]) => h('div', null, h('dt', null, name),
		h('dd', null, value))));
}

function fill(main, status, today, serves) {
	main.replaceChildren(h('h1', null, t('dashboard')),
		facts(status, today, serves),
		h('h2', null, t('accounts')),
		table(t('accounts'), [
			[t('name'), a => a.name],
			[t('platform'), a => a.platform],
			[t('group'), a => a.group],
			[t('state'), accountState],
			[t('inUse'), use],
		], status.accounts, t('none')),
		h('h2', null, t('responders')),
		table(t('responders'), [
			[t('kind'), r => r.kind],
			[t('host'), r => r.host.split('/').pop()],
			[t('process'), r => r.pid],
			[t('started'), r => time(r.started_ms)],
			[t('lastBeat'), r => seconds(r.beat_age_ms), 'number'],
			[t('requests'), r => number(r.requests), 'number'],
			[t('state'), r => h('span', { class: r.draining ? 'quiet' :
				'good' }, t(r.draining ? 'draining' : 'serving'))],
		], status.responders, t('none')));
}

export async function dashboardPage({ main, fail, onLeave }) {
	const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
	const usage = `/usage?from=24h&zone=${encodeURIComponent(zone)}`;
	let timer, over = false;
	const refresh = async () => {
		clearTimeout(timer);
		try {
			if (!document.hidden) {
				const all = await Promise.all([get('/status'),
					get(usage), health()]);
				if (!over)
					fill(main, ...all);
			}
		} catch (error) {
			if (!over)
				fail(error);
		}
		if (!over)
			timer = setTimeout(refresh, refreshMs);
	};
	document.addEventListener('visibilitychange', refresh);
	onLeave(() => {
		over = true;
		clearTimeout(timer);
		document.removeEventListener('visibilitychange', refresh);
	});
	await refresh();
}
