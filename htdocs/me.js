// What is one's own: password, second factor, sign-ins, tokens for scripts.
import { call, get } from './api.js';
import { act } from './change.js';
import { badge, empty, h, table } from './dom.js';
import { button, openForm } from './form.js';
import { about, head, headTwo, stamp } from './parts.js';
import { qrCode } from './qr.js';
import { lines, secret } from './setup.js';
import { number, t } from './text.js';
import { addToken, keepThis, tokenColumns } from './tokens.js';

const password = (name, label, autocomplete = 'current-password', more) =>
	({ name, label, kind: 'password', autocomplete, required: true, wide: true,
		...more });

// ---- password and second factor ----

const changePassword = context => openForm({ title: t('changePassword'),
	isNew: true, intro: t('changePasswordIntro'), label: t('changePassword'),
	fields: [password('password', t('oldPassword')),
		password('new_password', t('newPassword'), 'new-password',
			{ minlength: 10, hint: t('passwordHint') })],
	send: async said => {
		await call('PATCH', '/auth/me', said);
		await context.again();
	} });

const showCodes = codes => keepThis(t('recoveryCodes'),
	h('p', null, t('recoveryHint')), lines(codes.join('\n')));

async function confirmFactor(context, begun) {
	const code = await qrCode(begun.url, t('qrCode'));
	openForm({ title: t('secondFactor'), isNew: true, label: t('turnOn'),
		intro: t(code ? 'scanHint' : 'typeHint'), fields: [h('div',
			{ class: 'wide factor' }, code ?? '', h('div', null,
				h('p', null, t('orType')), secret(begun.secret),
				h('p', null, h('a', { href: begun.url },
					t('openInApp'))))),
		{ name: 'code', label: t('code'), autocomplete: 'one-time-code',
			inputmode: 'numeric', required: true, pattern: '[0-9]{6}',
			wide: true, hint: t('sixDigits') }],
		send: async said => {
			const { recovery_codes: codes } = await call('PATCH',
				'/auth/second-factor', said);
			await context.again();
			showCodes(codes);
		} });
}

const beginFactor = context => openForm({ title: t('turnOnFactor'),
	isNew: true, intro: t('factorIntro'), label: t('goOn'),
	fields: [password('password', t('password'))], send: async said => {
		const begun = await call('POST', '/auth/second-factor', said);
		setTimeout(() => confirmFactor(context, begun));
	} });

const dropFactor = context => openForm({ title: t('turnOffFactor'),
	isNew: true, intro: t('dropFactorIntro'), label: t('turnOff'),
	style: 'danger', fields: [password('password', t('password'))],
	send: async said => {
		await call('DELETE', '/auth/second-factor', said);
		await context.again();
	} });

// ---- what is shown ----

// The program and the system, of all that a browser says it is.
function agent(text) {
	const program = text.match(/(Firefox|Edg|OPR|Chrome|Safari)\/([\d]+)/);
	const system = text.match(/Windows|Mac OS X|Android|iPhone|iPad|Linux/);
	return h('span', { title: text }, program ?
		`${{ Edg: 'Edge', OPR: 'Opera' }[program[1]] ?? program[1]} ` +
		`${program[2]}${system ? ` · ${system[0]}` : ''}` : text || '–');
}

const signInColumns = context => [
	[t('browser'), s => agent(s.agent)],
	[t('address'), s => s.address],
	[t('since'), s => stamp(s.created_ms)],
	[t('seen'), s => stamp(s.seen_ms)],
	[t('expires'), s => stamp(s.expires_ms)],
	[t('acts'), s => s.current ? badge(t('thisOne'), 'good') : act(context,
		t('signOut'), () => call('DELETE', `/auth/sign-ins/${s.id}`)
			.then(context.again), { question: t('endSignIn') }), 'last'],
];

const endOthers = (context, others) => act(context, t('signOutOthers'),
	async () => {
		for (const s of others)
			await call('DELETE', `/auth/sign-ins/${s.id}`);
		await context.again();
	}, { question: t('endOthers') });

export async function mePage(context) {
	const [me, signIns, tokens] = await Promise.all([get('/auth/me'),
		get('/auth/sign-ins'), get('/auth/tokens')]);
	const others = signIns.filter(s => !s.current);
	context.main.replaceChildren(head(t('me'), button(t('changePassword'),
		() => changePassword(context)), me.second_factor ?
		button(t('turnOffFactor'), () => dropFactor(context)) :
		button(t('turnOnFactor'), () => beginFactor(context))),
	about([[t('name'), me.name], [t('role'), t(`role_${me.role}`)],
		[t('secondFactor'), me.second_factor ? h('div', null,
			badge(t('yes'), 'good'), h('div', { class: 'small quiet' },
				t('codesLeft', number(me.recovery_codes)))) :
			badge(t('no'), 'warn')],
		[t('created'), stamp(me.created_ms)]]),
	headTwo(t('signIns'), others.length > 0 && endOthers(context, others)),
	table(t('signIns'), signInColumns(context), signIns, t('none')),
	headTwo(t('tokens'), button(t('addToken'), () => addToken(context,
		{ path: '/auth/tokens', intro: t('tokenIntro'),
			all: t('mayAll') }))),
	tokens.length === 0 ? empty(t('noTokens')) : table(t('tokens'),
		tokenColumns(context, { path: '/auth/tokens',
			all: () => t('mayAll') }), tokens));
}
