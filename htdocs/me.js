// What one's own: password, second factor, browsers, tokens for scripts.
import { call, get } from './api.js';
import { copyButton, dialog, field, h, say, table } from './dom.js';
import { act, formDialog } from './change.js';
import { t, time } from './text.js';

const secret = (name, label, autocomplete = 'current-password') =>
	field(label, name, { kind: 'password', autocomplete, required: true });

const changePassword = () => formDialog(t('changePassword'), [
	secret('password', t('oldPassword')),
	secret('new_password', t('newPassword'), 'new-password'),
], t('changePassword'), async v => {
	await call('PATCH', '/auth/me', v);
	say(t('done'));
});

function showCodes(codes) {
	dialog(t('recoveryCodes'), t('close'), h('p', null, t('recoveryHint')),
		h('pre', { tabindex: 0 }, codes.join('\n')),
		h('p', null, copyButton(codes.join('\n'), t('copy'), t('copied'))));
}

const confirmFactor = (context, begun) => formDialog(t('secondFactor'), [
	h('p', null, t('scanHint')),
	h('p', null, h('a', { href: begun.url }, t('openInApp'))),
	h('p', null, h('code', { class: 'secret' }, begun.secret)),
	field(t('code'), 'code', { autocomplete: 'one-time-code',
		inputmode: 'numeric', required: true, pattern: '[0-9]{6}' }),
], t('turnOn'), async v => {
	const { recovery_codes: codes } = await call('PATCH',
		'/auth/second-factor', v);
	await mePage(context);
	showCodes(codes);
});

const beginFactor = context => formDialog(t('secondFactor'),
	[secret('password', t('password'))], t('turnOn'), async v => {
		const begun = await call('POST', '/auth/second-factor', v);
		confirmFactor(context, begun);
	});

const dropFactor = context => formDialog(t('secondFactor'),
	[secret('password', t('password'))], t('turnOff'), async v => {
		await call('DELETE', '/auth/second-factor', v);
		await mePage(context);
	});

const addToken = context => formDialog(t('addToken'), [
	field(t('name'), 'name', { required: true }),
	field(t('mayDo'), 'scope', { kind: 'select', options:
		[['read', t('mayRead')], ['all', t('mayAll')]] }),
], t('add'), async v => {
	const made = await call('POST', '/auth/tokens',
		{ name: v.name, read_only: v.scope === 'read' });
	await mePage(context);
	dialog(t('newToken'), t('close'), h('p', null, t('shownOnce')),
		h('p', null, h('code', { class: 'secret' }, made.token), ' ',
			copyButton(made.token, t('copy'), t('copied'))));
});

const button = (label, run) => h('button',
	{ type: 'button', onclick: run }, label);

export async function mePage(context) {
	const [me, signIns, tokens] = await Promise.all([get('/auth/me'),
		get('/auth/sign-ins'), get('/auth/tokens')]);
	const again = () => mePage(context);
	context.main.replaceChildren(h('h1', null, t('me')),
		h('p', null, t('youAre', me.name, t(`role_${me.role}`))),
		h('p', { class: 'actions' }, button(t('changePassword'),
			changePassword),
		me.second_factor ? button(t('turnOffFactor'),
			() => dropFactor(context)) :
			button(t('turnOnFactor'), () => beginFactor(context))),
		me.second_factor ? h('p', { class: 'quiet' },
			t('codesLeft', me.recovery_codes)) : '',
		h('h2', null, t('signIns')),
		table(t('signIns'), [
			[t('browser'), s => s.agent],
			[t('address'), s => s.address],
			[t('since'), s => time(s.created_ms)],
			[t('seen'), s => time(s.seen_ms)],
			[t('acts'), s => s.current ? t('thisOne') :
				act(context, t('signOut'), () => call('DELETE',
					`/auth/sign-ins/${s.id}`).then(again))],
		], signIns, t('none')),
		h('h2', null, t('tokens')),
		h('p', { class: 'actions' }, button(t('addToken'),
			() => addToken(context))),
		table(t('tokens'), [
			[t('name'), k => k.name],
			[t('token'), k => h('code', null, `${k.visible}…`)],
			[t('mayDo'), k => t(k.scope === 'read' ? 'mayRead' :
				'mayAll')],
			[t('created'), k => time(k.created_ms)],
			[t('acts'), k => act(context, t('revoke'), () => call('DELETE',
				`/auth/tokens/${k.id}`).then(again),
			{ question: t('revokeToken', k.name), danger: true })],
		], tokens, t('none')));
}
