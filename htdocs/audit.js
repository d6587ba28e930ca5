// Who changed what, when and from where; what differs of before and after.
import { get } from './api.js';
import { dialog, empty, filters, h, place, table, turner } from './dom.js';
import { suggest } from './suggest.js';
import { moment, t, time } from './text.js';

const limit = 100;

// ---- one change ----

const text = value => typeof value === 'string' ? value :
	JSON.stringify(value);

// Each member of either, as [name, before, after].
function members(before, after) {
	const names = new Set([...Object.keys(before ?? {}),
		...Object.keys(after ?? {})]);
	return [...names].map(name => [name, before?.[name], after?.[name]]);
}

const differs = ([, before, after]) => text(before) !== text(after);

// Times, as people read them.
const isTime = (name, value) => name.endsWith('_ms') && value > 1e12;

const shown = (name, value, tag) => value === undefined ? '' :
	h(tag, null, isTime(name, value) ? time(value) : text(value));

function showOne(row) {
	const all = members(row.before, row.after);
	const rows = all.filter(differs);
	const same = all.length - rows.length;
	dialog(`${row.verb} ${row.object}`, t('close'),
		h('p', { class: 'quiet' }, time(row.at_ms), ' · ', row.actor || '–',
			row.address ? ` · ${row.address}` : ''),
		rows.length === 0 ? empty(t('nothingDiffers')) :
			table(t('changes'), [
				[t('name'), ([name]) => name],
				[t('before'), ([name, was]) => shown(name, was, 'del')],
				[t('after'), ([name, , is]) => shown(name, is, 'ins')],
			], rows),
		same > 0 && h('p', { class: 'quiet' }, t('unchanged', same)));
}

// ---- all ----

const fields = () => [
	{ name: 'verb', label: t('did'), placeholder: 'account.add' },
	{ name: 'object', label: t('object') },
	{ name: 'actor', label: t('who'), ...suggest('/admin/users') },
];

// Of what was made or removed, all differs.
const briefly = (row, names) => !row.before ? t('wasMade') :
	!row.after ? t('wasRemoved') : names.slice(0, 3).join(', ') +
		(names.length > 3 ? ` +${names.length - 3}` : '');

const summary = row => {
	const names = members(row.before, row.after).filter(differs)
		.map(([name]) => name);
	return names.length > 0 && h('button', { type: 'button', class: 'plain',
		onclick: () => showOne(row) }, briefly(row, names));
};

export async function auditPage(context) {
	const { main, query } = context;
	const rows = await get(`/logs?${new URLSearchParams([['limit', limit],
		...query])}`);
	main.replaceChildren(h('h1', null, t('audit')),
		filters(context, fields(), query.size > 0 && h('a',
			{ class: 'button', href: place('audit') }, t('all'))),
		table(t('audit'), [
			[t('when'), r => moment(r.at_ms)],
			[t('who'), r => h('span', { class: 'lines' }, r.actor,
				h('small', { class: 'quiet' },
					t(`actor_${r.actor_kind}`)))],
			[t('address'), r => r.address],
			[t('did'), r => h('code', null, r.verb)],
			[t('object'), r => r.object],
			[t('changes'), summary],
		], rows, t(query.size > 0 ? 'noneFits' : 'none')),
		turner(context, rows.length === limit ? rows.at(-1).id : null,
			'below'));
}
