// How an account stands: it serves, rests until then, or is switched off.  The
// dashboard needs it first, so it stands on little.
import { badge, h } from './dom.js';
import { t, word } from './text.js';

// One word for filters; the greatest trouble counts.
export function standing(account) {
	if (!account.enabled)
		return 'disabled';
	const states = account.cooldowns.map(c => c.state);
	return states.includes('open') ? 'resting' : states.length > 0 ?
		'trying' : 'ready';
}

export const cooldownReason = c => word('outcome', c.reason) +
	(c.family ? ` (${c.family})` : '');

// countdown(ms): an element with the time that is left.
export function accountState({ enabled, cooldowns }, countdown) {
	if (!enabled)
		return badge(t('disabled'));
	if (cooldowns.length === 0)
		return badge(t('ready'), 'good');
	return h('div', { class: 'lines' }, cooldowns.map(c => h('div', null,
		badge(t(`breaker_${c.state}`), c.state === 'open' ? 'bad' : 'warn'),
		' ', cooldownReason(c), c.state === 'open' &&
			[' · ', h('b', null, countdown(c.until_ms))])));
}
