// Acts that change something, alike on all pages.
import { say } from './dom.js';
import { ask, button } from './form.js';
import { t } from './text.js';

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
