// The ledger: who asked what, and what became of it.
import { get } from './api.js';
import { dialog, h, table } from './dom.js';
import { money, number, seconds, t, time } from './text.js';

async function showOne(context, id) {
	const r = await get(`/requests/${encodeURIComponent(id)}`);
	dialog(id, t('close'), h('pre', { tabindex: 0 },
		JSON.stringify(r, null, 2)));
}

export async function requestsPage(context, before) {
	const query = before ? `?before=${encodeURIComponent(before)}` : '';
	const { items, next } = await get(`/requests${query}`);
	context.main.replaceChildren(h('h1', null, t('requests')),
		table(t('requests'), [
			[t('when'), r => time(r.created_ms)],
			[t('key'), r => r.key],
			[t('account'), r => r.account],
			[t('model'), r => r.model],
			[t('outcome'), r => h('span', { class: r.outcome === 'ok' ?
				'good' : '' }, r.outcome ?? r.state)],
			[t('input'), r => number(r.input_tokens), 'number'],
			[t('output'), r => number(r.output_tokens), 'number'],
			[t('cost'), r => money(r.cost_nusd), 'number'],
			[t('firstByte'), r => seconds(r.first_byte_ms), 'number'],
			[t('total'), r => seconds(r.total_ms), 'number'],
			[t('acts'), r => h('button', { type: 'button', onclick: () =>
				showOne(context, r.id).catch(context.fail) },
			t('details'))],
		], items, t('noRequests')),
		next ? h('p', null, h('button', { type: 'button', onclick: () =>
			requestsPage(context, next).catch(context.fail) },
		t('older'))) : '');
}
