// Forms and acts that change something, alike on all pages.
import { ApiError } from './api.js';
import { confirm, dialog, h, say, values } from './dom.js';
import { t } from './text.js';

// A dialog with a form; send(values) rejects with what is wrong with them.
export function formDialog(title, fields, button, send) {
	const error = h('p', { class: 'error', role: 'alert' });
	const form = h('form', { onsubmit: async event => {
		event.preventDefault();
		try {
			await send(values(form));
			d.close();
		} catch (failure) {
			if (!(failure instanceof ApiError))
				throw failure;
			error.textContent = failure.message || t('unreachable');
		}
	} }, fields, error, h('p', { class: 'actions' },
		h('button', { class: 'primary' }, button)));
	const d = dialog(title, t('cancel'), form);
	form.querySelector('input, select')?.focus();
}

// A button that does something; with a question it asks first.
export function act(context, label, run, { question, danger } = {}) {
	return h('button', { type: 'button', class: danger ? 'danger' : null,
		onclick: async () => {
			if (question && !await confirm(question, label, t('cancel')))
				return;
			try {
				await run();
				say(t('done'));
			} catch (error) {
				context.fail(error);
			}
		} }, label);
}
