// Building what is seen.  Text goes in as text, never as markup.
import { number, t } from './text.js';

// h('td', { class: 'number' }, 'a', child, ...): properties that begin with
// "on" are listeners, "true" sets an attribute without a value, null and false
// leave it out.
export function h(tag, props, ...children) {
	const e = document.createElement(tag);
	for (const [name, value] of Object.entries(props ?? {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (name.startsWith('on'))
			e.addEventListener(name.slice(2), value);
		else
			e.setAttribute(name, value === true ? '' : value);
	}
	e.append(...children.flat().filter(c => c !== null &&
		c !== undefined && c !== false));
	return e;
}

// "#accounts/7?tab=history": a page, what of it, and how it is looked at.
export function place(name, params = [], query = {}) {
	const search = new URLSearchParams(Object.entries(query)
		.filter(([, v]) => v !== '' && v !== null && v !== undefined));
	return `#${[name, ...params.map(encodeURIComponent)].join('/')}` +
		(search.size > 0 ? `?${search}` : '');
}

// A picture of icons.svg, for the eye alone.
export function icon(name) {
	const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
	const use = document.createElementNS(svg.namespaceURI, 'use');
	use.setAttribute('href', `icons.svg#${name}`);
	svg.setAttribute('class', 'icon');
	svg.setAttribute('aria-hidden', 'true');
	svg.append(use);
	return svg;
}

// ---- what is told ----

// label says what it is; columns: [[title, row => content, class]], where
// content is text or an element.  none: what to say of no rows.  On a phone
// each row is a card with the first column as its head, and the roles say what
// the elements were.
export function table(label, columns, rows, none) {
	if (rows.length === 0)
		return empty(none);
	const head = h('tr', { role: 'row' }, columns.map(([title, , style]) =>
		h('th', { scope: 'col', role: 'columnheader', class: style },
			title)));
	const body = rows.map(row => h('tr', { role: 'row' },
		columns.map(([title, cell, style]) => h('td', { role: 'cell',
			class: style, 'data-label': title }, cell(row) ?? ''))));
	return h('div', { class: 'scroll', tabindex: 0, role: 'region',
		'aria-label': label }, h('table', { role: 'table' },
		h('thead', { role: 'rowgroup' }, head),
		h('tbody', { role: 'rowgroup' }, body)));
}

// Where there is nothing: why, and what to do about it.
export const empty = (text, ...acts) => h('div', { class: 'empty' },
	h('p', null, text), acts.length > 0 && h('p', { class: 'actions' }, acts));

// facts([[name, text or element]]): names and values side by side.
export const facts = (pairs, style) => h('dl', { class: style },
	pairs.map(([name, value]) => h('div', null, h('dt', null, name),
		h('dd', null, value))));

// A name, cut short where it is long.
export const short = text => text === null || text === undefined ? '' :
	h('span', { class: 'short', title: text }, text);

// tone: good, bad, warn or quiet.
export const badge = (text, tone = 'quiet') =>
	h('span', { class: `badge ${tone}` }, text);

// How much of max is used, as a bar and in words.
export const bar = (value, max, text) => h('span', { class: 'bar' },
	h('meter', { value: Math.min(value, max || 1), max: max || 1,
		low: 0.75 * (max || 1), high: 0.9 * (max || 1), optimum: 0,
		'aria-label': text }), h('span', null, text));

// Make the element on the page look like another, touching only what differs;
// listeners stay those of the first.
export function morph(live, wanted) {
	if (live.nodeType !== wanted.nodeType || live.nodeName !== wanted.nodeName) {
		live.replaceWith(wanted);
		return;
	}
	if (live.nodeType === Node.TEXT_NODE) {
		if (live.data !== wanted.data)
			live.data = wanted.data;
		return;
	}
	for (const { name } of [...live.attributes])
		if (!wanted.hasAttribute(name))
			live.removeAttribute(name);
	for (const { name, value } of wanted.attributes)
		if (live.getAttribute(name) !== value)
			live.setAttribute(name, value);
	const [were, are] = [[...live.childNodes], [...wanted.childNodes]];
	are.forEach((node, i) => were[i] ? morph(were[i], node) :
		live.append(node));
	were.slice(are.length).forEach(node => node.remove());
}

// ---- getting about ----

// tabs(label, [[hash, text]], hash of the current one)
export const tabs = (label, links, current) => h('nav', { class: 'tabs',
	'aria-label': label }, links.map(([href, text]) => h('a', { href,
	'aria-current': href === current ? 'page' : null }, text)));

// Fields above a list, whose values stand in the page's address.  fields:
// [{ name, label, ... as field() takes }].  What is typed counts at Enter or
// when the field is left.
export function filters(context, fields, ...more) {
	const turn = { page: '', before: '', below: '' };
	const e = h('form', { class: 'choices', role: 'search',
		onsubmit: event => event.preventDefault(),
		onchange: event => context.choose({ ...turn,
			[event.target.name]: event.target.value.trim() }) },
	fields.map(({ name, label, value, ...rest }) => field(label, name,
		{ ...rest, value: context.query.get(name) ?? value ?? '' })),
	more);
	return e;
}

const turning = (...parts) => h('nav', { class: 'pager',
	'aria-label': t('pager') }, parts);
const turnTo = (context, change, text, disabled) => h('button',
	{ type: 'button', disabled, onclick: () => context.choose(change) }, text);

// Below a list of {"items", "page", "limit", "total"}: which part of it is
// seen, and the way to the others.
export function pager(context, { page, limit, total, items }) {
	if (total <= items.length)
		return '';
	const from = (page - 1) * limit;
	return turning(turnTo(context, { page: page > 2 ? page - 1 : '' },
		t('previous'), page === 1),
	h('span', null, t('part', number(from + 1),
		number(from + items.length), number(total))),
	turnTo(context, { page: page + 1 }, t('next'),
		from + limit >= total));
}

// ... of {"items", "next"}, which pages by key; name: the parameter's.
export function turner(context, next, name = 'before') {
	const at = context.query.get(name);
	return at || next ? turning(
		turnTo(context, { [name]: '' }, t('newest'), !at),
		turnTo(context, { [name]: next }, t('older'), !next)) : '';
}

// ---- forms ----

// A labelled field of a form.  kind: an input's type, "textarea", or "select"
// with options [[value, text]].
let fields = 0;
export function field(label, name, { kind = 'text', options, hint, value,
	...props } = {}) {
	const id = `field-${++fields}`;
	const described = hint ? `${id}-hint` : null;
	const all = { id, name, 'aria-describedby': described, ...props };
	const input = kind === 'select' ?
		h('select', all, options.map(([v, text]) => h('option',
			{ value: v, selected: v === value }, text))) :
		kind === 'textarea' ? h('textarea', all, value) :
			h('input', { ...all, type: kind, value });
	return h('div', { class: kind === 'checkbox' ? 'field check' : 'field' },
		h('label', { for: id }, label), input,
		hint ? h('p', { id: described, class: 'quiet' }, hint) : null);
}

// What a form holds, without what was left empty.
export function values(form) {
	return Object.fromEntries([...new FormData(form)].filter(
		([, value]) => value !== ''));
}

// A dialog, which Escape and the button close; that stands beside those of
// the last child.
export function dialog(title, closeText, ...children) {
	const close = h('button', { type: 'button',
		onclick: () => d.close() }, closeText);
	const d = h('dialog', { 'aria-label': title }, h('h2', null, title),
		...children);
	const acts = d.querySelector(':scope > .actions:last-child, ' +
		':scope > form:last-child > .actions:last-child');
	if (acts !== null)
		acts.append(close);
	else
		d.append(h('p', { class: 'actions' }, close));
	d.addEventListener('close', () => {
		document.body.append(document.getElementById('said'));
		d.remove();
	});
	document.body.append(d);
	d.showModal();
	return d;
}

// A short word to the reader, also for those who hear the page; what went well
// is not said for ever.
let silence;
export function say(text, bad) {
	const e = document.getElementById('said');
	clearTimeout(silence);
	(document.querySelector('dialog[open]') ?? document.body).append(e);
	e.textContent = text;
	e.className = bad ? 'bad' : 'good';
	if (text && !bad)
		silence = setTimeout(() => e.textContent = '', 5000);
}

export function copyButton(text, label, done) {
	return h('button', { type: 'button', onclick: async () => {
		await navigator.clipboard.writeText(text);
		say(done);
	} }, icon('copy'), label);
}
