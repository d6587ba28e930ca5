// Who waits, what is leased, and the processes that serve.
import { get } from './api.js';
import { badge, empty, facts, h, morph, place, table } from './dom.js';
import { every } from './live.js';
import { duration, number, seconds, t, time } from './text.js';

const refreshSeconds = 3;

const request = id => h('a', { href: place('requests', [id]) },
	h('code', null, id));

const waiting = queue => queue.requests.length === 0 ?
	empty(t('nobodyWaits')) : table(t('waiting'), [
		[t('position'), r => number(r.position)],
		[t('request'), r => request(r.id)],
		[t('key'), r => r.key],
		[t('model'), r => r.model],
		[t('class'), r => r.class],
		[t('waitsSince'), r => duration(r.waited_ms), 'number'],
		[t('expected'), r => r.expected_ms === null ? '–' :
			duration(r.expected_ms), 'number'],
	], queue.requests);

const leases = (list, now) => list.length === 0 ? empty(t('nothingLeased')) :
	table(t('leases'), [
		[t('account'), l => l.account],
		[t('request'), l => l.request ? request(l.request) : ''],
		[t('key'), l => l.key],
		[t('model'), l => l.model],
		[t('waitsSince'), l => duration(now - l.leased_ms), 'number'],
	], list);

const workers = items => table(t('responders'), [
	[t('kind'), r => t(`responder_${r.kind}`)],
	[t('host'), r => r.host.split('/').pop()],
	[t('process'), r => r.pid],
	[t('version'), r => r.version],
	[t('started'), r => time(r.started_ms)],
	[t('lastBeat'), r => seconds(r.beat_age_ms), 'number'],
	[t('requests'), r => number(r.requests), 'number'],
	[t('leases'), r => number(r.leases), 'number'],
	[t('state'), r => badge(t(r.draining ? 'draining' : 'serving'),
		r.draining ? 'warn' : 'good')],
], items, t('none'));

const content = (queue, pool) => h('div', null,
	facts([[t('waiting'), number(queue.waiting)],
		[t('leases'), number(pool.leases.length)],
		[t('servedLastMinute'), number(queue.served_last_minute)],
		[t('responders'), number(pool.items.length)]]),
	h('h2', null, t('waiting')), waiting(queue),
	h('h2', null, t('leases')), leases(pool.leases, pool.now_ms),
	h('h2', null, t('responders')), workers(pool.items));

export async function queuePage({ main, fail, onLeave }) {
	const read = async () => content(...await Promise.all([
		get('/queue/status'), get('/workers')]));
	const live = await read();
	main.replaceChildren(h('h1', null, t('queue')), live);
	onLeave(every(refreshSeconds, () => read().then(next =>
		morph(live, next)).catch(fail)));
}
