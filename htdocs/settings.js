// The settings as they are in force; they stand in the config file.
import { get } from './api.js';
import { badge, h, table } from './dom.js';
import { head } from './parts.js';
import { strings } from './strings-settings.js';
import { currentLanguage, t, word } from './text.js';

const view = { text: '' };

const help = s => strings[currentLanguage()]?.[s.name] ?? s.help;

const value = s => s.value === null ? h('span', { class: 'quiet' },
	t('secretValue')) : s.value === '' ? h('span', { class: 'quiet' }, '–') :
	h('code', { class: s.set ? 'own' : null }, s.value);

const columns = () => [
	[t('setting'), s => h('div', null, h('code', { class: 'plain' },
		s.name), h('div', { class: 'quiet small' }, help(s)))],
	[t('value'), s => h('div', null, value(s), s.set && h('div',
		{ class: 'quiet small' }, t('defaultIs', s.default || '–')))],
	[t('setIn'), s => s.source === 'default' ? h('span', { class: 'quiet' },
		t('source_default')) : [badge(t(`source_${s.source}`), 'good'),
		s.source === 'environment' && h('div', { class: 'quiet small' },
			h('code', { class: 'plain' }, s.variable))]],
	[t('takesForce'), s => t(s.reloadable ? 'onReload' : 'onRestart')],
];

const fits = s => view.text.toLowerCase().split(/\s+/).every(w =>
	`${s.name} ${help(s)} ${s.value}`.toLowerCase().includes(w)) &&
	(!view.set || s.set);

const titleOf = section => section ? word('section', section) :
	t('general');

function sections(items) {
	const some = items.filter(fits);
	const names = [...new Set(some.map(s => s.section))];
	return names.length === 0 ? [h('p', { class: 'quiet' },
		t('noneFits'))] : names.flatMap(name => [
		h('h2', null, titleOf(name)), table(titleOf(name), columns(),
			some.filter(s => s.section === name))]);
}

export async function settingsPage(context) {
	const { items, file } = await get('/settings');
	const into = h('div', { class: 'settings' });
	const draw = () => into.replaceChildren(...sections(items));
	draw();
	context.main.replaceChildren(head(t('settings')),
		h('p', { class: 'quiet' }, t('settingsIntro'), ' ',
			h('code', null, file)),
		h('div', { class: 'choices', role: 'search' },
			h('div', { class: 'field' }, h('label', { for: 'find' },
				t('find')), h('input', { id: 'find', type: 'search',
				value: view.text, oninput: event => {
					view.text = event.target.value;
					draw();
				} })),
			h('div', { class: 'field check' }, h('input', { id: 'set',
				type: 'checkbox', checked: view.set, onchange: event => {
					view.set = event.target.checked;
					draw();
				} }), h('label', { for: 'set' }, t('onlySet')))), into);
}
