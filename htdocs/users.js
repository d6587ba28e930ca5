// People: their roles, and the invitations by which they sign in.
import { call, list } from './api.js';
import { copyButton, dialog, field, h, table } from './dom.js';
import { act, formDialog } from './change.js';
import { number, t, time } from './text.js';

const roles = () => ['user', 'operator', 'admin'].map(r =>
	[r, t(`role_${r}`)]);

function showInvitation(invitation) {
	const link = `${location.href.split('#')[0]}#invitation=${invitation}`;
	dialog(t('invitation'), t('close'), h('p', null, t('invitationHint')),
		h('p', null, h('code', { class: 'secret' }, link)),
		h('p', null, copyButton(link, t('copy'), t('copied'))));
}

const invite = (context, user) => formDialog(t('invite'), [
	user && h('p', null, t('inviteUser', user.name)),
	field(t('role'), 'role', { kind: 'select', options: roles(),
		value: user?.role ?? 'user' }),
], t('invite'), async v => {
	const made = await call('POST', '/admin/invitations',
		user ? { ...v, user: user.name } : v);
	showInvitation(made.invitation);
});

function acts(context, u) {
	const path = `/admin/users/${u.id}`;
	const again = () => usersPage(context);
	if (!context.may('admin'))
		return '';
	return h('div', { class: 'acts' },
		h('button', { type: 'button', onclick: () => invite(context, u) },
			t('invite')),
		act(context, t(u.enabled ? 'disable' : 'enable'),
			() => call('PATCH', path, { enabled: !u.enabled }).then(again),
			{ question: u.enabled && t('disableUser', u.name) }),
		act(context, t('remove'), () => call('DELETE', path).then(again),
			{ question: t('removeUser', u.name), danger: true }));
}

export async function usersPage(context) {
	const users = await list('/admin/users');
	context.main.replaceChildren(h('h1', null, t('users')),
		context.may('admin') && h('p', { class: 'actions' }, h('button',
			{ type: 'button', class: 'primary',
				onclick: () => invite(context, null) }, t('inviteNew'))) ||
			'',
		table(t('users'), [
			[t('name'), u => u.name],
			[t('role'), u => t(`role_${u.role}`)],
			[t('signsIn'), u => t(!u.enabled ? 'disabled' :
				u.signs_in ? 'yes' : 'notYet')],
			[t('secondFactor'), u => t(u.second_factor ? 'yes' : 'no')],
			[t('keys'), u => number(u.keys), 'number'],
			[t('inFlight'), u => number(u.in_flight), 'number'],
			[t('created'), u => time(u.created_ms)],
			[t('acts'), u => acts(context, u)],
		], users, t('none')));
}
