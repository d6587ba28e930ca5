// Signing in, and taking an invitation up.
import { call } from './api.js';
import { field, h, place, values } from './dom.js';
import { t } from './text.js';

const invitation = () => location.hash.match(/^#invitation=([\w-]+)$/)?.[1];

function form(context, title, hint, fields, button, send, done) {
	const error = h('p', { class: 'error', role: 'alert' });
	const submit = h('button', { class: 'primary' }, button);
	const e = h('form', { class: 'narrow', onsubmit: async event => {
		event.preventDefault();
		submit.disabled = true;
		error.textContent = '';
		try {
			done(await send(values(e)));
		} catch (failure) {
			if (failure.code === 40102)
				askForCode(e, submit);
			error.textContent = failure.message || t('unreachable');
		}
		submit.disabled = false;
	} }, h('h1', null, title), h('p', { class: 'quiet' }, hint), fields,
		error, submit);
	context.main.replaceChildren(e);
	e.querySelector('input').focus();
}

// The field for the second factor comes when it is asked for.
function askForCode(e, submit) {
	if (e.elements.code)
		return;
	submit.before(field(t('code'), 'code', { autocomplete: 'one-time-code',
		inputmode: 'numeric', hint: t('codeHint'), required: true }));
	e.elements.code.focus();
}

const password = (autocomplete, hint) => field(t('password'), 'password',
	{ kind: 'password', autocomplete, hint, required: true,
		minlength: autocomplete === 'new-password' ? 10 : null });

export function signInPage(context, signedIn) {
	const invited = invitation();
	if (invited)
		form(context, t('welcome'), t('welcomeHint'),
			[field(t('name'), 'name', { autocomplete: 'username' }),
				password('new-password', t('passwordHint'))],
			t('begin'), v => call('POST', '/auth/register',
				{ ...v, invitation: invited }), signedIn);
	else
		form(context, t('signIn'), t('signInHint'),
			[field(t('name'), 'name', { autocomplete: 'username',
				required: true }), password('current-password')],
			t('signIn'), v => call('POST', '/auth/login', v), signedIn);
	context.main.append(h('p', { class: 'beside' }, h('a',
		{ href: place('my-usage') }, t('ownersHere'))));
}
