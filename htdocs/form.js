// Forms told as lists of fields, and the dialogs that they stand in.
import { ApiError, get } from './api.js';
import { h } from './dom.js';
import { t } from './text.js';

let ids = 0;

// A dialog with what is in it; keep: Escape does not close it, as what it
// shows is not shown again.
export function modal(title, children, { keep } = {}) {
	const id = `dialog-${++ids}`;
	const d = h('dialog', { 'aria-labelledby': id,
		closedby: keep ? 'none' : null },
		h('h2', { id }, title), children);
	if (keep)
		d.addEventListener('keydown', event => event.key === 'Escape' &&
			event.preventDefault());
	d.addEventListener('close', () => {
		d.remove();
		if (document.activeElement === document.body)
			document.getElementById('main').focus();
	});
	document.body.append(d);
	d.showModal();
	return d;
}

export const button = (label, run, style) => h('button',
	{ type: 'button', class: style, onclick: run }, label);

// What a dialog ends with: what goes on stands last.
export const feet = (...buttons) => h('p', { class: 'actions feet' },
	buttons);

// Ask before what cannot be undone; resolves to true or false.
export function ask([question, what], yes) {
	return new Promise(resolve => {
		let answer = false;
		const d = modal(question, [h('p', null, what), feet(
			button(t('cancel'), () => d.close()),
			button(yes, () => {
				answer = true;
				d.close();
			}, 'danger'))]);
		d.addEventListener('close', () => resolve(answer));
	});
}

// ---- fields ----
// A field: { name, label, kind, value, hint, options, list, to, wide, ... }.
// kind: an input's type, "select" with options [[value, text]], "area" or
// "check"; list: what may be proposed; to: what is sent for a text; exact:
// blanks at its ends count; all else are attributes.  { more, fields } are those that few need; an element
// stands as it is.

function input({ name, kind = 'text', value, options, list, to, exact,
	...props },
	id) {
	const text = value === null || value === undefined ? '' : String(value);
	const common = { id, name, ...props };
	if (kind === 'select')
		return h('select', common, options.map(([v, label]) => h('option',
			{ value: v, selected: String(v) === text }, label)));
	if (kind === 'area')
		return h('textarea', { rows: 4, spellcheck: 'false', ...common },
			text);
	if (kind === 'check')
		return h('input', { ...common, type: 'checkbox',
			checked: value === true });
	return h('input', { ...common, type: kind, value: text,
		list: list ? `${id}-list` : null });
}

function show(f) {
	if (f instanceof Node)
		return f;
	if (f.fields)
		return h('details', { class: 'wide', open: f.open },
			h('summary', null, f.more),
			h('div', { class: 'fields' }, f.fields.map(show)));
	const id = `f${++ids}`;
	const { label, hint, wide, ...props } = f;
	const e = input({ ...props, 'aria-describedby':
		hint ? `${id}-hint` : null }, id);
	f.element = e;
	const words = h('label', { for: id }, label);
	return h('div', { class: `field ${f.kind === 'check' ? 'check ' : ''}` +
		(wide ? 'wide' : '') }, f.kind === 'check' ? [e, words] :
		[words, e], f.list && h('datalist', { id: `${id}-list` },
		f.list.map(value => h('option', { value }))),
	hint && h('p', { id: `${id}-hint`, class: 'quiet' }, hint));
}

const flat = fields => fields.flatMap(f => f instanceof Node ? [] :
	f.fields ? flat(f.fields) : [f]);

const valueOf = f => f.kind === 'check' ? f.element.checked :
	f.exact ? f.element.value : f.element.value.trim();

// What the fields say, by name: of a new thing all that is filled in, else
// what is another than it was.
function read(fields, isNew) {
	const said = {};
	for (const f of flat(fields)) {
		const now = valueOf(f);
		const was = f.kind === 'check' ? f.value === true :
			String(f.value ?? '');
		if (f.always || (isNew ? now !== '' : now !== was))
			said[f.name] = f.to ? f.to(now) : now;
	}
	return said;
}

// Routes name the member that is wrong between quotes.
function pointAt(fields, message) {
	const name = message.match(/"(\w+)"/)?.[1];
	const f = flat(fields).find(g => g.name === name);
	for (const g of flat(fields))
		g.element.removeAttribute('aria-invalid');
	if (!f)
		return;
	f.element.setAttribute('aria-invalid', 'true');
	f.element.closest('details')?.setAttribute('open', '');
	f.element.focus();
}

// A form that sends what its fields say; it rejects with what is wrong with
// them.
export function makeForm({ fields, label, isNew, send, cancel, style }) {
	const error = h('p', { class: 'error', role: 'alert' });
	const submit = h('button', { class: style ?? 'primary' }, label);
	let out = false;
	const form = h('form', { onsubmit: async event => {
		event.preventDefault();
		submit.disabled = true;
		error.textContent = '';
		pointAt(fields, '');
		try {
			// Signed in again elsewhere, with another token for changes.
			if (out)
				await get('/auth/me');
			await send(read(fields, isNew));
			out = false;
		} catch (failure) {
			if (!(failure instanceof ApiError))
				throw failure;
			out = failure.code === 40101;
			pointAt(fields, failure.message);
			error.replaceChildren(...out ? [t('signedOut'), ' ', h('a',
				{ href: './', target: '_blank' }, t('signIn'))] :
				[failure.message || t('unreachable')]);
		} finally {
			submit.disabled = false;
		}
	} }, h('div', { class: 'fields' }, fields.map(show)), error,
	feet(cancel ? button(t('cancel'), cancel) : null, submit));
	return form;
}

// ... in a dialog, which closes when it was sent.
export function openForm({ title, intro, send, ...rest }) {
	const form = makeForm({ ...rest, cancel: () => d.close(),
		send: async said => {
			await send(said);
			d.close();
		} });
	const d = modal(title, [intro && h('p', { class: 'quiet' }, intro),
		form]);
	form.querySelector('input, select, textarea')?.focus();
	return d;
}

// ---- what fields say ----

export const toNumber = text => text === '' ? 0 : Number(text);
export const toNusd = text => Math.round(Number(text) * 1e9);

// A time of the viewer's zone, as datetime-local has it, and back.
export function localTime(ms) {
	if (!ms)
		return '';
	const d = new Date(ms - new Date(ms).getTimezoneOffset() * 60000);
	return d.toISOString().slice(0, 16);
}

export const toMs = text => text === '' ? 0 : new Date(text).getTime();
