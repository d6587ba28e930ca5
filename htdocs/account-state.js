// How an account stands: it serves, rests until then, or is switched off.
import { badge, h } from './dom.js';
import { countdown, stamp } from './parts.js';
import { t, word } from './text.js';

// One word for filters; the greatest trouble counts.
export function standing(account) {
	if (!account.enabled)
		return 'disabled';
	const states = account.cooldowns.map(c => c.state);
	return states.includes('open') ? 'resting' : states.length > 0 ?
		'trying' : 'ready';
}

const styles = { ready: 'good', trying: 'warn', resting: 'bad',
	disabled: 'quiet' };

export const cooldownReason = c => word('outcome', c.reason) +
	(c.family ? ` · ${c.family}` : '');

export function accountState(account) {
	const state = standing(account);
	return h('div', null, badge(t(`account_${state}`), styles[state]),
		account.cooldowns.map(c => h('div', { class: 'small' },
			cooldownReason(c), c.state === 'open' && [' · ',
				countdown(c.until_ms)])).flat());
}

// What is against an account, for its own page.
export const cooldownColumns = () => [
	[t('reason'), c => h('div', null, h('strong', null, cooldownReason(c)),
		c.detail && h('div', { class: 'quiet small' }, c.detail))],
	[t('state'), c => badge(t(`cooldown_${c.state.replace('-', '_')}`),
		c.state === 'open' ? 'bad' : 'warn')],
	[t('over'), c => c.state === 'open' ? countdown(c.until_ms) : ''],
	[t('until'), c => h('div', null, stamp(c.until_ms), h('div',
		{ class: 'quiet small' }, t(c.stated ? 'statedUpstream' :
			'ownEstimate')))],
	[t('since'), c => stamp(c.since_ms)],
	[t('strikes'), c => c.strikes, 'number'],
];
