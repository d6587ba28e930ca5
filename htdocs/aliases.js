// Other names that models have at the accounts of a group, or at one account.
import { call, list } from './api.js';
import { act } from './change.js';
import { empty, h, table } from './dom.js';
import { button, openForm } from './form.js';
import { headTwo, menu } from './parts.js';
import { t } from './text.js';

const modelField = value => ({ name: 'model', label: t('aliasModel'), value,
	required: true, hint: t('aliasModelHint'), placeholder:
		'claude-sonnet-4-5' });

const add = (on, of, again) => openForm({ title: t('addAlias'), isNew: true,
	intro: t('aliasIntro'), label: t('add'), fields: [
		{ name: 'alias', label: t('aliasFor'), required: true,
			hint: t('aliasForHint'), placeholder: 'gpt-4*' },
		modelField('')],
	send: async said => {
		await call('POST', '/aliases', { on, of, ...said });
		await again();
	} });

const edit = (a, again) => openForm({ title: t('editOf', a.alias),
	label: t('save'), fields: [{ ...modelField(a.model), wide: true }],
	send: async said => {
		await call('PATCH', `/aliases/${a.id}`, said);
		await again();
	} });

const acts = (context, a) => context.may('admin') && menu(
	t('actsOn', a.alias), [
		button(t('edit'), () => edit(a, context.again)),
		act(context, t('remove'), () => call('DELETE', `/aliases/${a.id}`)
			.then(context.again),
		{ question: t('removeAlias', a.alias), danger: true }),
	]);

// The aliases of a group or account, with what can be done to them.
export async function aliasSection(context, on, of) {
	const aliases = await list(`/aliases?${on}=${encodeURIComponent(of)}`);
	return h('section', null, headTwo(t('aliases'), context.may('admin') &&
		button(t('addAlias'), () => add(on, of, context.again))),
	aliases.length === 0 ? empty(t('noAliases')) : table(t('aliases'), [
		[t('aliasFor'), a => h('code', { class: 'name' }, a.alias)],
		[t('aliasModel'), a => h('code', { class: 'name' }, a.model)],
		[t('acts'), a => acts(context, a), 'last'],
	], aliases));
}
