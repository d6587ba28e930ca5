// Acts that change something, alike on all pages.
import { ApiError } from './api.js';
import { dialog, h, say, values } from './dom.js';
import { ask, button } from './form.js';
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

// A button that does something; with a question, [what is asked, what will
// happen], it asks first.
export function act(context, label, run, { question, danger } = {}) {
	const e = button(label, async () => {
		if (question && !await ask(question, label))
			return;
		e.disabled = true;
		try {
			await run();
			say(t('done'));
		} catch (error) {
			context.fail(error);
		}
		e.disabled = false;
	}, danger ? 'danger' : null);
	return e;
}
