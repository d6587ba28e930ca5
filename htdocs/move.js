// What is set up here as a file for another installation, and what others have
// taken over: an export, or another program's accounts.
import { ApiError, call } from './api.js';
import { oauthFields } from './account-forms.js';
import { badge, h, say } from './dom.js';
import { button, makeForm } from './form.js';
import { headTwo, listing } from './parts.js';
import { suggest } from './suggest.js';
import { number, t } from './text.js';

// ---- out ----

const secretField = (name, label, autocomplete, more) => ({ name, label,
	kind: 'password', autocomplete, exact: true, required: true, ...more });

// Keep what a route answered as a file of the reader's.
function save(doc, name) {
	const url = URL.createObjectURL(new Blob([JSON.stringify(doc, null, 2),
		'\n'], { type: 'application/json' }));
	h('a', { href: url, download: name }).click();
	setTimeout(() => URL.revokeObjectURL(url), 60000);
}

function exportPart() {
	const fields = [
		secretField('passphrase', t('passphrase'), 'new-password',
			{ minlength: 8, hint: t('passphraseHint') }),
		secretField('again', t('passphraseAgain'), 'new-password'),
		secretField('password', t('yourPassword'), 'current-password',
			{ hint: t('yourPasswordHint') })];
	const form = makeForm({ fields, isNew: true, label: t('exportNow'),
		send: async ({ again, ...said }) => {
			if (again !== said.passphrase)
				throw new ApiError(400, 40001, t('notTheSame'));
			const doc = await call('POST', '/export', said);
			save(doc, `leasehold-${new Date(doc.made_ms).toISOString()
				.slice(0, 10)}.json`);
			fields.forEach(f => f.element.value = '');
			say(t('exported'));
		} });
	return h('section', null, headTwo(t('export')), h('p',
		{ class: 'quiet' }, t('exportIntro')), h('div',
		{ class: 'card form' }, form));
}

// ---- in: what would be done ----

const tones = { added: 'good', updated: 'warn', skipped: 'quiet' };
const doneColumns = () => [
	[t('kind'), row => t(`thing_${row.what}`)],
	[t('name'), row => h('strong', null, row.name)],
	[t('result'), row => badge(t(`done_${row.done}`), tones[row.done])],
];

// So many are seen without looking for them.
const fewRows = 15;

const sum = done => Object.keys(tones).map(is => [is, done.filter(row =>
	row.done === is).length]).filter(([, n]) => n > 0).map(([is, n]) =>
	badge(`${t(`done_${is}`)}: ${number(n)}`, tones[is]));

const passed = texts => texts.length > 0 && h('div', { class: 'note' },
	h('p', null, t('leftOut')), h('ul', null, texts.map(text =>
		h('li', null, text))));

// What came of it, or would.
const told = (view, { done, passed_over: over, dry_run: dry, nothing }) => [
	h('p', null, h('strong', null, t(dry ? 'wouldDo' : 'tookOver')), ' ',
		done.length === 0 ? t('nothingThere') : sum(done).flatMap(e =>
			[e, ' '])),
	nothing && h('p', { class: 'note' }, nothing),
	passed(over), done.length > 0 && listing(view, { label: t('import'),
		columns: doneColumns(), rows: done, ...done.length > fewRows && {
			search: row => row.name, filters: [{ name: 'done',
				label: t('result'), options: Object.keys(tones).map(is =>
					[is, t(`done_${is}`)]),
				fits: (row, is) => row.done === is }] } })]
	.filter(Boolean);

// ---- in: what is asked ----

const kinds = ['', 'env', 'claude-relay-service', 'litellm'];

const existing = () => ({ name: 'existing', label: t('whatIsThere'),
	kind: 'select', options: ['refuse', 'skip', 'update'].map(is =>
		[is, t(`existing_${is}`)]), hint: t('whatIsThereHint') });

const ownFields = () => [
	secretField('passphrase', t('passphrase'), 'off',
		{ hint: t('passphraseOfIt') }),
	existing(),
	{ name: 'without_keys', label: t('withoutKeys'), kind: 'check',
		wide: true, hint: t('withoutKeysHint') }];

const orNone = f => ({ ...f, required: false, options: f.options &&
	[['', '–'], ...f.options] });

const foreignFields = () => [
	{ name: 'group', label: t('intoGroup'), maxlength: 64,
		hint: t('intoGroupHint') },
	existing(),
	{ name: 'base_url', label: t('requestUrl'), kind: 'url', wide: true,
		placeholder: 'https://api.anthropic.com',
		hint: t('baseUrlHint') },
	{ more: t('howSignedIn'), fields: [
		h('p', { class: 'quiet wide' }, t('howSignedInHint')),
		{ name: 'oauth_of', label: t('oauthOf'), wide: true,
			...suggest('/admin/accounts') },
		...oauthFields({}).map(orNone)] }];

// The form's elements that stay when another kind is chosen: { from, file,
// text }.
const sourceFields = (state, change) => [
	{ name: 'from', label: t('fileOf'), kind: 'select', value: state.from,
		always: true, options: kinds.map(k => [k, t(`file_${k || 'own'}`
			.replaceAll('-', '_'))]), onchange: change, wide: true },
	h('div', { class: 'field wide' }, h('label', { for: 'import-file' },
		t('reportFile')), state.file, h('p', { class: 'quiet' },
		t(`fileHint_${state.from || 'own'}`.replaceAll('-', '_')))),
	h('div', { class: 'field wide' }, h('label', { for: 'import-text' },
		t('orText')), state.text)];

async function wish(state, { from, ...said }) {
	said.file = state.file.files.length > 0 ?
		await state.file.files[0].text() : state.text.value;
	if (said.file.trim() === '')
		throw new ApiError(400, 40001, t('noReport'));
	return from ? { from, ...said } : said;
}

// First what it would do; what was shown is done when that is wanted.
function importForm(context, state, again) {
	const show = async said => {
		state.into.replaceChildren();
		const answer = await call('POST', '/import', { ...said,
			dry_run: true });
		const run = button(t('takeOver'), async () => {
			run.disabled = true;
			try {
				const made = await call('POST', '/import', said);
				state.text.value = state.file.value = '';
				state.into.replaceChildren(...told({}, made));
				say(t('done'));
			} catch (error) {
				run.disabled = false;
				context.fail(error);
			}
		}, 'primary');
		const some = answer.done.some(row => row.done !== 'skipped');
		state.into.replaceChildren(...told({}, answer), some ?
			h('p', { class: 'actions' }, button(t('cancel'), () =>
				state.into.replaceChildren()), run) : '');
		state.into.scrollIntoView({ block: 'nearest' });
	};
	const form = makeForm({ isNew: true, label: t('preview'), fields: [
		...sourceFields(state, event => {
			state.from = event.target.value;
			again();
		}), ...state.from ? foreignFields() : ownFields()],
	send: async said => show(await wish(state, said)) });
	// What is shown is of what was asked.
	form.addEventListener('input', () => state.into.replaceChildren());
	return form;
}

function importPart(context) {
	const state = { from: '', into: h('div', { 'aria-live': 'polite' }),
		file: h('input', { type: 'file', id: 'import-file' }),
		text: h('textarea', { id: 'import-text', rows: 4,
			spellcheck: 'false', autocomplete: 'off' }) };
	const card = h('div', { class: 'card form' });
	const draw = focus => {
		state.into.replaceChildren();
		card.replaceChildren(importForm(context, state,
			() => draw(true)));
		if (focus)
			card.querySelector('select').focus();
	};
	draw();
	return h('section', null, headTwo(t('import')), h('p',
		{ class: 'quiet' }, t('importHereIntro')), card, state.into);
}

export const moveParts = context => [exportPart(), importPart(context)];
