// Who changed what, when and from where.
import { get } from './api.js';
import { dialog, h, table } from './dom.js';
import { t, time } from './text.js';

const showOne = row => dialog(`${row.verb} ${row.object}`, t('close'),
	h('h3', null, t('before')),
	h('pre', { tabindex: 0 }, JSON.stringify(row.before, null, 2)),
	h('h3', null, t('after')),
	h('pre', { tabindex: 0 }, JSON.stringify(row.after, null, 2)));

export async function auditPage(context, below) {
	const rows = await get(`/logs?limit=100${below ? `&below=${below}` : ''}`);
	context.main.replaceChildren(h('h1', null, t('audit')),
		table(t('audit'), [
			[t('when'), r => time(r.at_ms)],
			[t('who'), r => r.actor],
			[t('as'), r => t(`actor_${r.actor_kind}`)],
			[t('address'), r => r.address],
			[t('did'), r => r.verb],
			[t('object'), r => r.object],
			[t('acts'), r => r.before || r.after ? h('button',
				{ type: 'button', onclick: () => showOne(r) },
				t('details')) : ''],
		], rows, t('none')),
		rows.length === 100 ? h('p', null, h('button', { type: 'button',
			onclick: () => auditPage(context, rows.at(-1).id)
				.catch(context.fail) }, t('older'))) : '');
}
