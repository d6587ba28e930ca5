// Building what is seen.  Text goes in as text, never as markup.

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

// label says what it is; columns: [[title, row => content, class]], where
// content is text or an element.
export function table(label, columns, rows, none) {
	const head = h('tr', null, columns.map(([title, , style]) =>
		h('th', { scope: 'col', class: style }, title)));
	const body = rows.length > 0 ? rows.map(row => h('tr', null,
		columns.map(([, cell, style]) =>
			h('td', { class: style }, cell(row) ?? '')))) :
		[h('tr', null, h('td', { class: 'quiet',
			colspan: columns.length }, none))];
	return h('div', { class: 'scroll', tabindex: 0, role: 'region',
		'aria-label': label },
		h('table', null, h('thead', null, head),
			h('tbody', null, body)));
}

// A labelled field of a form.  kind: an input's type, or "select" with
// options [[value, text]].
let fields = 0;
export function field(label, name, { kind = 'text', options, hint, value,
	...props } = {}) {
	const id = `field-${++fields}`;
	const described = hint ? `${id}-hint` : null;
	const input = kind === 'select' ?
		h('select', { id, name, 'aria-describedby': described, ...props },
			options.map(([v, text]) => h('option',
				{ value: v, selected: v === value }, text))) :
		h('input', { id, name, type: kind, value,
			'aria-describedby': described, ...props });
	return h('div', { class: 'field' },
		h('label', { for: id }, label), input,
		hint ? h('p', { id: described, class: 'quiet' }, hint) : null);
}

// What a form holds, without what was left empty.
export function values(form) {
	return Object.fromEntries([...new FormData(form)].filter(
		([, value]) => value !== ''));
}

// A dialog, which Escape and the button close.
export function dialog(title, closeText, ...children) {
	const close = h('button', { type: 'button',
		onclick: () => d.close() }, closeText);
	const d = h('dialog', { 'aria-label': title }, h('h2', null, title),
		...children, h('p', { class: 'actions' }, close));
	d.addEventListener('close', () => d.remove());
	document.body.append(d);
	d.showModal();
	return d;
}

// Ask before what cannot be undone; resolves to true or false.
export function confirm(question, yes, no) {
	return new Promise(resolve => {
		let answer = false;
		const d = dialog(question, no, h('p', { class: 'actions' },
			h('button', { type: 'button', class: 'danger', onclick: () => {
				answer = true;
				d.close();
			} }, yes)));
		d.addEventListener('close', () => resolve(answer));
	});
}

// A short word to the reader, also for those who hear the page.
export function say(text, bad) {
	const e = document.getElementById('said');
	e.textContent = text;
	e.className = bad ? 'bad' : 'good';
}

export function copyButton(text, label, done) {
	return h('button', { type: 'button', onclick: async () => {
		await navigator.clipboard.writeText(text);
		say(done);
	} }, label);
}
