// Tokens for scripts: one's own, and those of the installation.
import { call } from './api.js';
import { act } from './change.js';
import { badge, h } from './dom.js';
import { button, feet, localTime, modal, openForm, toMs } from './form.js';
import { stamp } from './parts.js';
import { secret } from './setup.js';
import { t } from './text.js';

// What is shown this once, in a dialog that nothing closes by mistake.
export function keepThis(title, ...children) {
	const d = modal(title, [...children, feet(button(t('close'),
		() => d.close(), 'primary'))], { keep: true });
}

const lives = [['', 'never'], ['7', 'days7'], ['30', 'days30'],
	['90', 'days90'], ['365', 'days365'], ['own', 'untilDate']];

const endOf = ({ life, until }) => life === 'own' ? toMs(until) :
	Date.now() + Number(life) * 86400000;

// path: of the route that makes it; intro: whose it will be; all: what it may
// do that is not for reading alone.
export function addToken(context, { path, intro, all }) {
	const d = openForm({ title: t('addToken'), isNew: true, label: t('add'),
		intro, fields: [
			{ name: 'name', label: t('name'), required: true, maxlength: 64,
				wide: true },
			{ name: 'scope', label: t('mayDo'), kind: 'select', wide: true,
				options: [['read', t('mayRead')], ['all', all]] },
			{ name: 'life', label: t('expires'), kind: 'select', value: '90',
				options: lives.map(([n, text]) => [n, t(text)]) },
			{ name: 'until', label: t('until'), kind: 'datetime-local',
				min: localTime(Date.now()) }],
		send: async said => {
			const made = await call('POST', path, {
				name: said.name, read_only: said.scope === 'read',
				...said.life ? { expires_ms: endOf(said) } : {} });
			await context.again();
			keepThis(t('newToken'), h('p', null, t('shownOnce')),
				secret(made.token), h('p', { class: 'quiet' },
					t('tokenUse')));
		} });
	const { life, until } = d.querySelector('form').elements;
	const show = () => {
		until.required = life.value === 'own';
		until.closest('.field').hidden = !until.required;
	};
	life.addEventListener('change', show);
	show();
}

// all(token): what one may do that is not for reading alone; more: columns
// after the name.
export const tokenColumns = (context, { path, all, more = [] }) => [
	[t('name'), k => h('div', null, h('strong', null, k.name),
		h('div', null, h('code', null, `${k.visible}…`)))],
	...more,
	[t('mayDo'), k => k.scope === 'read' ? badge(t('mayRead')) :
		badge(all(k), 'warn')],
	[t('created'), k => stamp(k.created_ms)],
	[t('expires'), k => k.expires_ms && k.expires_ms < Date.now() ?
		badge(t('expired'), 'bad') : stamp(k.expires_ms) || t('never')],
	[t('acts'), k => act(context, t('revoke'), () => call('DELETE',
		`${path}/${k.id}`).then(context.again),
	{ question: t('revokeToken', k.name), danger: true }), 'last'],
];
