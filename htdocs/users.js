// People: their roles and limits, and the invitations by which they sign in.
import { call, get, list } from './api.js';
import { addBudget, budgetColumns } from './budgets.js';
import { act } from './change.js';
import { badge, bar, empty, h, place, table } from './dom.js';
import { button, feet, modal, openForm, toNumber } from './form.js';
import { about, back, countdown, head, headTwo, listing, menu, stamp }
	from './parts.js';
import { secret } from './setup.js';
import { number, t } from './text.js';

const roles = ['user', 'operator', 'admin'];
const view = {};

// ---- what is made and changed ----

// What a role may do, said beside the field that chooses it.
function roleFields(value) {
	const words = h('p', { class: 'wide note', 'aria-live': 'polite' },
		t(`roleMay_${value}`));
	return [{ name: 'role', label: t('role'), kind: 'select', value, options:
		roles.map(r => [r, t(`role_${r}`)]), onchange: event =>
		words.textContent = t(`roleMay_${event.target.value}`) }, words];
}

const concurrencyField = value => ({ name: 'concurrency',
	label: t('concurrency'), kind: 'number', min: 0, max: 100000, value,
	to: toNumber, hint: t('concurrencyOfUser') });

const nameField = value => ({ name: 'name', label: t('name'), value,
	required: true, maxlength: 64, wide: true });

const addUser = again => openForm({ title: t('addUser'), isNew: true,
	intro: t('addUserIntro'), label: t('add'),
	fields: [nameField(''), concurrencyField(0)],
	send: async said => {
		await call('POST', '/admin/users', said);
		await again();
	} });

const editUser = (u, again) => openForm({ title: t('editOf', u.name),
	label: t('save'), fields: [nameField(u.name), ...roleFields(u.role),
		concurrencyField(u.concurrency), { name: 'enabled', kind: 'check',
			label: t('maySignIn'), value: u.enabled,
			hint: t('maySignInHint'), wide: true }],
	send: async said => {
		await call('PATCH', `/admin/users/${u.id}`, said);
		await again();
	} });

function showInvitation(invitation) {
	const link = `${location.href.split('#')[0]}#invitation=${invitation}`;
	const d = modal(t('invitation'), [h('p', null, t('invitationHint')),
		secret(link),
		feet(button(t('close'), () => d.close(), 'primary'))],
	{ keep: true });
}

const invite = (user, again) => openForm({ isNew: true, label: t('invite'),
	title: user ? t('inviteOf', user.name) : t('inviteNew'),
	intro: user ? t('inviteUser', user.name) : t('inviteIntro'),
	fields: roleFields(user?.role ?? 'user'), send: async said => {
		const made = await call('POST', '/admin/invitations',
			user ? { ...said, user: user.name } : said);
		await again();
		showInvitation(made.invitation);
	} });

function acts(context, u, again) {
	const path = `/admin/users/${u.id}`;
	if (!context.may('admin'))
		return [];
	return [
		button(t('edit'), () => editUser(u, again)),
		button(t('inviteMenu'), () => invite(u, again)),
		act(context, t(u.enabled ? 'disable' : 'enable'),
			() => call('PATCH', path, { enabled: !u.enabled }).then(again),
			{ question: u.enabled && t('disableUser', u.name) }),
		act(context, t('remove'), () => call('DELETE', path).then(() =>
			context.params.length > 0 ? location.hash = place('users') :
				again()), { question: t('removeUser', u.name), danger: true }),
	];
}

// ---- what is shown ----

const signsIn = u => !u.enabled ? badge(t('disabled'), 'quiet') : u.signs_in ?
	badge(t('yes'), 'good') : badge(t('notYet'), 'quiet');

const running = u => u.concurrency > 0 ? bar(u.in_flight, u.concurrency,
	t('of', number(u.in_flight), number(u.concurrency))) :
	number(u.in_flight);

const columns = (context, again) => [
	[t('name'), u => h('a', { href: place('users', [u.id]) }, u.name)],
	[t('role'), u => t(`role_${u.role}`)],
	[t('signsIn'), signsIn],
	[t('secondFactor'), u => u.second_factor ? badge(t('yes'), 'good') :
		h('span', { class: 'quiet' }, t('no'))],
	[t('keys'), u => number(u.keys), 'number'],
	[t('budgets'), u => number(u.budgets), 'number'],
	[t('inFlight'), running, 'number'],
	[t('created'), u => stamp(u.created_ms)],
	[t('acts'), u => menu(t('actsOn', u.name), acts(context, u, again)),
		'last'],
];

const filters = () => [
	{ name: 'role', label: t('role'), options: roles.map(r =>
		[r, t(`role_${r}`)]), fits: (u, r) => u.role === r },
	{ name: 'state', label: t('signsIn'), options: [['yes', t('yes')],
		['notYet', t('notYet')], ['disabled', t('disabled')]],
	fits: (u, s) => s === (!u.enabled ? 'disabled' : u.signs_in ? 'yes' :
		'notYet') },
];

async function invitations(context, again) {
	if (!context.may('admin'))
		return '';
	const answer = await get('/admin/invitations');
	const open = answer.items ?? answer;
	return h('section', null, h('h2', null, t('invitations')),
		open.length === 0 ? h('p', { class: 'quiet' },
			t('noInvitations')) : table(t('invitations'), [
			[t('for'), i => i.user ?? t('somebodyNew')],
			[t('role'), i => t(`role_${i.role}`)],
			[t('invitedBy'), i => i.invited_by],
			[t('created'), i => stamp(i.created_ms)],
			[t('goodFor'), i => countdown(i.expires_ms)],
			[t('acts'), i => act(context, t('takeBack'), () =>
				call('DELETE', `/admin/invitations/${i.id}`).then(again),
			{ question: t('takeBackInvitation'), danger: true }), 'last'],
		], open));
}

const keyState = k => k.revoked_ms !== null ? badge(t('revoked'), 'bad') :
	k.enabled ? badge(t('ready'), 'good') : badge(t('disabled'), 'quiet');

async function onePage(context, id) {
	const u = await get(`/admin/users/${encodeURIComponent(id)}`);
	context.title(u.name);
	const { again } = context;
	const may = context.may('admin');
	context.main.replaceChildren(
		back('users', t('users')),
		head(u.name, acts(context, u, again)),
		about([
			[t('role'), t(`role_${u.role}`)], [t('signsIn'), signsIn(u)],
			[t('secondFactor'), t(u.second_factor ? 'yes' : 'no')],
			[t('inFlight'), running(u)],
			[t('created'), stamp(u.created_ms)]]),
		headTwo(t('budgets'), may && button(t('addBudget'), () => addBudget(again,
				{ on: 'user', of: u.name }).catch(context.fail))),
		u.budgets.length === 0 ? empty(t('noBudgetsOnUser')) :
			table(t('budgets'), budgetColumns(context, again), u.budgets),
		h('h2', null, t('keys')),
		u.keys.length === 0 ? empty(t('noKeysOfUser')) : table(t('keys'), [
			[t('name'), k => k.name],
			[t('key'), k => h('code', null, `${k.visible}…`)],
			[t('expires'), k => stamp(k.expires_ms)],
			[t('state'), keyState],
		], u.keys));
}

export async function usersPage(context) {
	if (context.params.length > 0)
		return onePage(context, context.params[0]);
	const { again } = context;
	const [users, invited] = await Promise.all([list('/admin/users'),
		invitations(context, again)]);
	const may = context.may('admin');
	context.main.replaceChildren(head(t('users'),
		may && button(t('addUser'), () => addUser(again)),
		may && button(t('inviteNew'), () => invite(null, again),
			'primary')),
	listing(view, { label: t('users'), columns: columns(context, again),
		rows: users, search: u => u.name, filters: filters(),
		name: u => u.name, none: empty(t('noUsers')) }), invited);
}
