// What the pages of keys, accounts and the like are put together from.
import { accountState } from './account-state.js';
import { facts, field, h, place, table } from './dom.js';
import { button } from './form.js';
import { date, duration, number, t, time } from './text.js';

// A page's head: what it is, and what can be done there.
export const head = (title, ...buttons) => h('div', { class: 'head' },
	h('h1', null, title), h('div', { class: 'actions' }, buttons.flat()));

export const headTwo = (title, ...buttons) => h('div', { class: 'head' },
	h('h2', null, title), h('div', { class: 'actions' }, buttons.flat()));

export const back = (name, text) => h('p', { class: 'back' },
	h('a', { href: place(name) }, `‹ ${text}`));

// ---- small things ----

// Facts about one thing, some of which are long.
export function about(pairs) {
	const e = facts(pairs);
	e.classList.add('about');
	return e;
}

// A time of the viewer's, to the minute.
export const stamp = ms => ms === null || ms === undefined ? '' :
	h('time', { datetime: date(ms).toISOString() }, time(ms));

// Seconds that go down while anybody looks at them.
let ticking = null;

function tick() {
	const all = document.querySelectorAll('[data-ends]');
	for (const e of all)
		e.textContent = duration(Number(e.dataset.ends) - Date.now());
	if (all.length === 0) {
		clearInterval(ticking);
		ticking = null;
	}
}

export function countdown(ms) {
	ticking ??= setInterval(tick, 1000);
	return h('span', { class: 'countdown', 'data-ends': ms },
		duration(ms - Date.now()));
}

// How an account stands, for a cell of a table.
export const accountStands = account => accountState(account, countdown);

// ---- a menu ----

// What can be done with one thing, behind one button.
export function menu(label, items) {
	const shown = items.flat().filter(i => i);
	if (shown.length === 0)
		return '';
	const list = h('div', { class: 'popup', popover: 'auto' }, shown);
	const opener = button('⋯', () => {
		if (list.matches(':popover-open'))
			return;
		list.showPopover();
		const at = opener.getBoundingClientRect();
		const size = list.getBoundingClientRect();
		list.style.left = `${Math.max(8, at.right - size.width)}px`;
		list.style.top = `${at.bottom + size.height + 8 > innerHeight ?
			Math.max(8, at.top - size.height - 4) : at.bottom + 4}px`;
		list.querySelector('button, a')?.focus();
	}, 'more');
	opener.setAttribute('aria-label', label);
	opener.setAttribute('aria-haspopup', 'true');
	list.addEventListener('click', event => {
		if (event.target.closest('button, a'))
			list.hidePopover();
	});
	list.addEventListener('keydown', event => {
		const all = [...list.querySelectorAll('button, a')];
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (!step)
			return;
		event.preventDefault();
		all.at((all.indexOf(document.activeElement) + step) %
			all.length).focus();
	});
	return h('div', { class: 'opens' }, opener, list);
}

// ---- tables ----

const rowsAtOnce = 100;

function filterFields(view, { search, filters = [] }, again) {
	const set = name => event => {
		view[name] = event.target.value;
		again();
	};
	return h('div', { class: 'choices', role: 'search' },
		search && field(t('find'), 'text', { kind: 'search',
			value: view.text ?? '', oninput: set('text') }),
		filters.map(({ name, label, options }) => field(label, name,
			{ kind: 'select', value: view[name] ?? '', options:
				[['', t('any')], ...options], onchange: set(name) })));
}

function fitting(view, { rows, search, filters = [] }) {
	const words = (view.text ?? '').toLowerCase().split(/\s+/);
	return rows.filter(row => (!search || words.every(w => search(row)
		.toLowerCase().includes(w))) && filters.every(f =>
		!view[f.name] || f.fits(row, view[f.name])));
}

// What is done with those that are ticked.
function bulkBar(chosen, ids, select, tick) {
	const all = ids.length > 0 && ids.every(id => chosen.has(id));
	return h('div', { class: 'bulk', role: 'group', 'aria-label':
		t('selection') }, h('label', null, h('input', { type: 'checkbox',
		checked: all, 'data-id': 'all', onchange: event =>
			tick(event.target.checked, ids) }), chosen.size === 0 ?
		t('selectAll') : t('selected', number(chosen.size))),
	chosen.size > 0 && select.acts([...chosen]));
}

// The first column with a box before what it says.
const boxed = ([title, cell, style], { select, name }, chosen, tick) =>
	[title, row => !select.may(row) ? cell(row) : h('div',
		{ class: 'ticked' }, h('input', { type: 'checkbox',
			'aria-label': t('selectOne', name(row)), 'data-id': row.id,
			checked: chosen.has(row.id), onchange: event =>
				tick(event.target.checked, [row.id]) }), cell(row)), style];

function draw(into, view, list) {
	const again = () => draw(into, view, list);
	const focused = document.activeElement?.dataset?.id;
	const all = fitting(view, list);
	const shown = all.slice(0, view.most ?? rowsAtOnce);
	const chosen = view.chosen ??= new Set();
	const tick = (on, ids) => {
		ids.forEach(id => on ? chosen.add(id) : chosen.delete(id));
		again();
	};
	const [first, ...others] = list.columns;
	const select = list.select || null;
	into.replaceChildren(select ? bulkBar(chosen, shown.filter(select.may)
		.map(row => row.id), select, tick) : '',
	table(list.label, [select ? boxed(first, list, chosen, tick) : first,
		...others], shown, t('noneFits')),
	all.length > shown.length ? h('p', null, button(t('showMore',
		number(all.length - shown.length)), () => {
		view.most = shown.length + rowsAtOnce;
		again();
	})) : '');
	if (focused)
		into.querySelector(`[data-id="${focused}"]`)?.focus();
}

// A table of many rows: { label, columns, rows, none, search, filters,
// select, name }.  view keeps what was chosen while the page is drawn anew.
export function listing(view, list) {
	for (const id of view.chosen ?? [])
		if (!list.rows.some(row => row.id === id && list.select?.may(row)))
			view.chosen.delete(id);
	if (list.rows.length === 0)
		return list.none;
	const into = h('div');
	draw(into, view, list);
	return h('div', null, list.search || list.filters ? filterFields(view,
		list, () => draw(into, view, list)) : '', into);
}
