// One request: what it took, and how it went, as a list that also stands on an
// axis of time.
import { get } from './api.js';
import { badge, facts, h, place, table } from './dom.js';
import { millis, money, number, t, time, word } from './text.js';

// What became of a request or of an attempt.
export const outcome = r => {
	const name = r.outcome ?? r.state;
	return badge(word('outcome', name), name === 'ok' ? 'good' :
		['open', 'client_gone', 'void'].includes(name) ? 'quiet' : 'bad');
};

const svg = (tag, props) => {
	const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
	for (const [name, value] of Object.entries(props))
		e.setAttribute(name, value);
	return e;
};

// From and to on an axis of so many ms; a moment is a mark.
function track({ from, to, tone }, whole) {
	const at = ms => 1000 * Math.min(1, Math.max(0, ms / whole));
	const e = svg('svg', { class: 'track', viewBox: '0 0 1000 10',
		preserveAspectRatio: 'none', 'aria-hidden': 'true' });
	e.append(svg('rect', { class: tone, y: 0, height: 10,
		x: Math.min(at(from), 996),
		width: Math.max(4, at(to ?? from) - at(from)) }));
	return e;
}

// ---- the steps ----

// The trace, cut where each choice begins: the first of a choice says which
// attempt it led to, or how long it waited.
function choices(trace) {
	const list = [];
	for (const e of trace ?? []) {
		if (list.length === 0 || 'attempt' in e || 'waited_ms' in e)
			list.push({ attempt: e.attempt, waited: e.waited_ms ?? 0,
				seen: [] });
		list.at(-1).seen.push(e);
	}
	return list;
}

const nameOf = e => e.name ?? t('accountGone', e.account);

const isTaken = e => e.why === 'picked' || e.why === 'granted';

// "parked: rate_limited"
function why(e) {
	const [first, rest] = e.why.split(': ');
	return word('why', first) + (rest ? `: ${word('outcome', rest)}` : '') +
		(first === 'busy' ? ` (${t('inUseNow', number(e.in_use))})` : '') +
		(e.session ? `, ${t(`session_${e.session}`)}` : '');
}

const passedOver = seen => seen.length > 0 && h('ul', null, seen.map(e =>
	h('li', null, e.cut ? t('traceCut') : e.more ? t('moreAccounts',
		number(e.more)) : [h('b', null, nameOf(e)), ' ', why(e)])));

function choiceStep(choice, at) {
	const taken = choice.seen.find(isTaken);
	const others = choice.seen.filter(e => e !== taken);
	return { from: at, title: taken ? t('chose', nameOf(taken)) :
		t('choseNone'), more: [taken?.probe && h('p', null,
		t('asProbe', word('outcome', taken.probe))),
	taken?.session && h('p', null, t(`session_${taken.session}`)),
	others.length > 0 && h('p', null, t('passedOver')),
	passedOver(others)] };
}

const waitStep = (choice, at) => ({ from: at - choice.waited, to: at,
	tone: 'waits', title: t('waited', millis(choice.waited)) });

function tryStep(a, begun, isLast, now) {
	const ended = a.ended_ms ?? now;
	return { from: a.started_ms - begun, to: ended - begun,
		tone: a.outcome === 'ok' ? 'went-well' : a.outcome === null ?
			'goes-on' : 'went-wrong',
		title: t('attemptOn', a.attempt, a.account ?? '–'),
		more: [h('p', null, a.outcome === null ? t('goesOn') :
			[outcome(a), a.status ? ` HTTP ${a.status}` : '', ' · ',
				millis(ended - a.started_ms),
				!isLast ? ` · ${t('movedOn')}` : '']),
		a.upstream_id && h('p', { class: 'quiet' }, t('upstreamId'), ' ',
			h('code', null, a.upstream_id))] };
}

function steps(r, now) {
	const begun = r.created_ms;
	const list = [{ from: 0, title: t('cameIn', r.key ?? '–'), more: [
		h('p', { class: 'quiet' }, [r.address && t('fromAddress', r.address),
			t('bytes', number(r.body_bytes))].filter(Boolean)
			.join(' · '))] }];
	// An attempt stands behind the choice that led to it, also where both
	// fall into one millisecond with those that follow.
	const tries = new Set(r.tries);
	const put = a => tries.delete(a) &&
		list.push(tryStep(a, begun, a === r.tries.at(-1), now));
	for (const choice of choices(r.trace)) {
		const attempt = r.tries.find(a => a.attempt === choice.attempt);
		const at = (attempt?.started_ms ?? r.settled_ms ?? now) - begun;
		if (choice.waited > 0)
			list.push(waitStep(choice, at));
		list.push(choiceStep(choice, at));
		put(attempt);
	}
	r.tries.forEach(put);
	if (r.first_byte_ms !== null)
		list.push({ from: r.first_byte_ms, title: t('firstByteCame') });
	if (r.disconnect)
		list.push({ from: r.total_ms ?? 0,
			title: word('disconnect', r.disconnect) });
	if (r.total_ms !== null)
		list.push({ from: 0, to: r.total_ms, tone: 'whole',
			title: t('answered', r.status ?? '–'), last: true });
	if (r.settled_ms !== null)
		list.push({ from: r.settled_ms - begun, last: true,
			title: t(`settled_${r.state}`), more: [r.cost_nusd !== null &&
				h('p', null, money(r.cost_nusd))] });
	return list;
}

// In time, those that come at once as they were put; the whole stands last.
const inTime = list => list.map((s, i) => [s, i]).sort(([a, i], [b, j]) =>
	(a.last ? 1 : 0) - (b.last ? 1 : 0) || (a.last ? 0 : a.from - b.from) ||
	i - j).map(([s]) => s);

function timeline(r) {
	const now = Date.now(), list = inTime(steps(r, now));
	const whole = Math.max(1, r.total_ms ?? 0, ...list.map(s =>
		s.last ? 0 : s.to ?? s.from));
	return h('ol', { class: 'timeline card' }, list.map(s => h('li', null,
		h('span', { class: 'at' }, s.last && s.to !== undefined ?
			millis(s.to) : `+${millis(Math.max(0, s.from))}`),
		h('div', { class: 'step' }, h('strong', null, s.title),
			s.more ?? ''),
		track(s, whole))));
}

// ---- the rest ----

const kinds = ['input_tokens', 'output_tokens', 'cache_read_tokens',
	'cache_write_5m_tokens', 'cache_write_1h_tokens'];

const used = r => table(t('tokens_all'), [
	[t('kind'), ([name]) => t(name)],
	[t('tokens_all'), ([, n]) => number(n), 'number'],
], kinds.map(name => [name, r[name] ?? 0]));

const head = r => facts([
	[t('outcome'), outcome(r)],
	[t('model'), r.sent_as && r.sent_as !== r.model ?
		t('sentAs', r.model, r.sent_as) : r.model],
	[t('key'), r.key ?? '–'],
	[t('account'), r.account ?? '–'],
	[t('cost'), r.cost_nusd === null ? '–' : money(r.cost_nusd)],
	[t('firstByte'), millis(r.first_byte_ms) || '–'],
	[t('total'), millis(r.total_ms) || '–'],
], 'eight');

const details = r => h('dl', { class: 'pairs card' }, [
	[t('kind'), [r.kind, r.stream ? t('streamed') : ''].filter(Boolean)
		.join(', ')],
	[t('mark'), word('mark', r.mark ?? 'none')],
	[t('reservedAll'), money(r.reserved_nusd)],
	[t('overrun'), r.overrun_nusd ? money(r.overrun_nusd) : ''],
	[t('notes'), (r.flags ?? []).map(f => word('flag', f)).join(', ')],
	[t('session'), r.session && h('code', null, r.session)],
	[t('traceId'), r.trace?.[0]?.trace_id &&
		h('code', null, r.trace[0].trace_id)],
	[t('answerBytes'), r.answer_bytes === null ? '' :
		t('bytes', number(r.answer_bytes))],
	[t('responder'), r.responder],
].filter(([, value]) => value).map(([name, value]) => h('div', null,
	h('dt', null, name), h('dd', null, value))));

export async function requestPage({ main, title }, id) {
	const r = await get(`/requests/${encodeURIComponent(id)}`);
	title(t('requestOf', time(r.created_ms)));
	main.replaceChildren(
		h('p', { class: 'back' }, h('a', { href: place('requests') },
			`‹ ${t('requests')}`)),
		h('h1', null, t('requestOf', time(r.created_ms))),
		h('p', { class: 'quiet' }, h('code', null, id)), head(r),
		h('h2', null, t('howItWent')), timeline(r),
		h('div', { class: 'two' },
			h('section', null, h('h2', null, t('tokens_all')), used(r)),
			h('section', null, h('h2', null, t('details')), details(r))));
}
