// Who is told when something happens, by webhook or e-mail; and what they were
// told.
import { call, get, list } from './api.js';
import { act } from './change.js';
import { badge, empty, filters, h, say, short, table, turner } from './dom.js';
import { button, openForm } from './form.js';
import { head, headTwo, menu, stamp } from './parts.js';
import { secret } from './setup.js';
import { duration, t, zone } from './text.js';
import { keepThis } from './tokens.js';

const kinds = ['webhook', 'email'];
const events = ['account.parked', 'budget.80', 'budget.100', 'group.empty',
	'spool.filled', 'backup.failed'];
const states = { waiting: 'warn', sent: 'good', failed: 'bad',
	skipped: 'quiet' };
const intervals = [0, 600, 3600, 21600, 86400];
const overlaps = [0, 3600, 86400, 604800];

// Names of events have dots.
const event = name => t(`event_${name.replace('.', '_')}`);

// ---- the dialog ----

const interval = s => s === 0 ? t('eachTime') : duration(s * 1000);

const ownSecret = () => ({ name: 'secret', label: t('ownSecret'),
	kind: 'password', autocomplete: 'off', placeholder: 'whsec_…', wide: true,
	hint: t('ownSecretHint') });

function fields(was) {
	const seconds = was ? was.interval_ms / 1000 : 3600;
	return [
		...was ? [] : [{ name: 'kind', label: t('kind'), kind: 'select',
			options: kinds.map(k => [k, t(`notify_${k}`)]) }],
		{ name: 'name', label: t('name'), value: was?.name, required: true,
			maxlength: 64, wide: Boolean(was) },
		{ name: 'address', label: t('notifyAddress'), value: was?.address,
			required: true, wide: true, hint: t('notifyAddressHint') },
		h('fieldset', { class: 'wide' }, h('legend', null, t('tellOf')),
			events.map(name => h('div', { class: 'field check' },
				h('input', { type: 'checkbox', id: `of-${name}`, value: name,
					class: 'event', checked: !was ||
						was.events.includes(name) }),
				h('label', { for: `of-${name}` }, event(name))))),
		{ name: 'lang', label: t('textsIn'), kind: 'select',
			value: was?.lang ?? document.documentElement.lang.slice(0, 2),
			always: true, options: [['en', 'English'], ['zh', '中文']] },
		{ name: 'interval_ms', label: t('sameAgain'), kind: 'select',
			value: String(seconds), always: true, to: v => v * 1000,
			options: [...new Set([...intervals, seconds])].sort((a, b) =>
				a - b).map(s => [String(s), interval(s)]),
			hint: t('sameAgainHint') },
		{ name: 'quiet', label: t('quietTime'), value: was?.quiet,
			placeholder: '22:00-07:00', hint: t('quietTimeHint'),
			pattern: '[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]' },
		{ name: 'zone', label: t('zone'), value: was?.zone ?? zone(),
			always: true, list: Intl.supportedValuesOf('timeZone') },
		...was ? [] : [ownSecret()],
	];
}

// A secret that was made is shown this once.
const tellSecret = made => made.secret && keepThis(t('newSecret'),
	h('p', null, t('shownOnce')), secret(made.secret),
	h('p', { class: 'quiet' }, t('secretUse')));

function edit(context, was) {
	const d = openForm({ title: was ? t('editOf', was.name) : t('addTarget'),
		isNew: !was, label: t(was ? 'save' : 'add'),
		intro: was ? null : t('targetIntro'), fields: fields(was),
		send: async said => {
			said.events = [...d.querySelectorAll('.event:checked')]
				.map(e => e.value);
			const made = await call(was ? 'PATCH' : 'POST',
				`/notify/targets${was ? `/${was.id}` : ''}`, said);
			await context.again();
			tellSecret(made);
		} });
}

// The receiver needs time to learn another one.
function renew(context, target) {
	const [title, intro] = t('newSecretFor', target.name);
	openForm({ title, intro, label: t('makeSecret'), fields: [
		{ name: 'overlap_ms', label: t('oldSigns'), kind: 'select',
			value: '86400', always: true, to: v => v * 1000, wide: true,
			options: overlaps.map(s => [String(s), s === 0 ?
				t('notAtAll') : duration(s * 1000)]),
			hint: t('oldSignsHint') }, ownSecret()],
	send: async said => {
		const made = await call('PATCH', `/notify/targets/${target.id}`,
			{ secret: '', ...said });
		await context.again();
		tellSecret(made);
	} });
}

// ---- what is shown ----

// What came of it is said, whether or not it was taken.
function tester(context, target) {
	const e = button(t('sendTest'), async () => {
		e.disabled = true;
		try {
			const { taken, detail } = await call('POST',
				`/notify/targets/${target.id}/test`);
			await context.again();
			say(taken ? t('testTaken', target.name) :
				t('testNotTaken', detail), !taken);
		} catch (error) {
			context.fail(error);
		}
		e.disabled = false;
	});
	return e;
}

const acts = (context, target) => {
	const path = `/notify/targets/${target.id}`;
	const change = body => call('PATCH', path, body).then(context.again);
	return h('div', { class: 'actions' }, tester(context, target),
		context.may('admin') && menu(t('actsOn', target.name), [
			button(t('edit'), () => edit(context, target)),
			target.enabled ? act(context, t('disable'), () => change(
				{ enabled: false }), { question:
				t('disableTarget', target.name) }) :
				act(context, t('enable'), () => change({ enabled: true })),
			target.kind === 'webhook' && button(t('makeSecret'),
				() => renew(context, target)),
			act(context, t('remove'), () => call('DELETE', path)
				.then(context.again), { question:
				t('removeTarget', target.name), danger: true }),
		]));
};

const columns = context => [
	[t('name'), n => h('div', null, h('strong', null, n.name),
		h('div', { class: 'quiet small' }, t(`notify_${n.kind}`), ' · ',
			n.address), n.old_until_ms !== null &&
			h('div', { class: 'quiet small' }, t('oldSignsUntil'), ' ',
				stamp(n.old_until_ms)))],
	[t('tellOf'), n => n.events.map(event).join(', ')],
	[t('quietTime'), n => n.quiet && h('div', null, n.quiet,
		h('div', { class: 'quiet small' }, n.zone))],
	[t('state'), n => n.enabled ? badge(t('inForce'), 'good') :
		badge(t('disabled'), 'quiet')],
	[t('acts'), n => acts(context, n), 'last'],
];

const told = d => h('div', null, badge(t(`told_${d.state}`),
	states[d.state]), d.tries > 1 && h('div', { class: 'quiet small' },
	t('triesN', d.tries)), d.due_ms !== null && (d.held || d.tries > 0) &&
	h('div', { class: 'quiet small' }, t('nextTry'), ' ',
		stamp(d.due_ms)), d.detail &&
	h('div', { class: 'small' }, d.detail));

const deliveryColumns = () => [
	[t('when'), d => stamp(d.at_ms)],
	[t('eventName'), d => event(d.event)],
	[t('eventAbout'), d => short(d.subject || '–')],
	[t('notifyTarget'), d => short(d.target)],
	[t('state'), told],
];

const asked = targets => [
	{ name: 'target', label: t('notifyTarget'), kind: 'select', options:
		[['', t('any')], ...targets.map(n => [n.name, n.name])] },
	{ name: 'state', label: t('state'), kind: 'select', options:
		[['', t('any')], ...Object.keys(states).map(s =>
			[s, t(`told_${s}`)])] },
];

async function deliveries(context, targets) {
	const query = new URLSearchParams({ limit: 50 });
	for (const name of ['target', 'state', 'before'])
		if (context.query.get(name))
			query.set(name, context.query.get(name));
	const { items, next } = await get(`/notify/deliveries?${query}`);
	return h('section', null, headTwo(t('deliveries')),
		filters(context, asked(targets)), items.length > 0 ?
			table(t('deliveries'), deliveryColumns(), items) :
			empty(query.size > 1 ? t('noneFits') : t('nothingTold')),
		turner(context, next));
}

export async function notificationsPage(context) {
	const targets = await list('/notify/targets');
	const adder = () => context.may('admin') && button(t('addTarget'),
		() => edit(context), 'primary');
	const log = await deliveries(context, targets);
	context.main.replaceChildren(head(t('notifications'), adder()),
		h('p', { class: 'quiet' }, t('notifyIntro')),
		targets.length > 0 ? table(t('notifications'), columns(context),
			targets) : empty(t('noTargets'), adder()), log);
}
