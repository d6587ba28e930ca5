// What is looked after now and then: is the host well, are the sums those of
// the rows, does the provider's report say the same, and all tokens.
import { ApiError, call, get, list } from './api.js';
import { badge, empty, h, place, say, table, tabs } from './dom.js';
import { ask, button, makeForm } from './form.js';
import { about, head, headTwo, listing, stamp } from './parts.js';
import { strings as doctorTexts } from './strings-doctor.js';
import { currentLanguage, money, number, t, tokens, word } from './text.js';
import { addToken, tokenColumns } from './tokens.js';

// What was found last, while the page is drawn anew.
const found = {};

// A part of the page that is asked for by its button, and tells what it found
// below that.
function part(context, { title, intro, label, ask, tell }) {
	const into = h('div', { 'aria-live': 'polite' });
	const show = () => into.replaceChildren(...found[title] ?
		[tell(found[title])].flat() : []);
	const run = button(t(label), async () => {
		run.disabled = true;
		into.replaceChildren(h('p', { class: 'quiet' }, t('underWay')));
		try {
			found[title] = await ask();
		} catch (error) {
			context.fail(error);
		} finally {
			run.disabled = false;
			show();
		}
	});
	show();
	return h('section', null, headTwo(t(title), run),
		h('p', { class: 'quiet' }, t(intro)), into);
}

// ---- the doctor ----

const verdicts = { fail: 'bad', warn: 'warn', ok: 'good', skip: 'quiet' };
const worst = Object.keys(verdicts);

// A sentence of the doctor's in the reader's language, where that has it.
function told({ code, values }) {
	const text = doctorTexts[currentLanguage()]?.[code];
	return typeof text === 'function' ? text(...values) : text;
}

// What to do: all of it in one language.
function remedy(check) {
	const lines = check.remedies.map(told);
	return lines.length === 0 || lines.includes(undefined) ? check.remedy :
		lines.join('\n');
}

const checkColumns = () => [
	[t('check'), c => h('strong', null, word('check', c.name))],
	[t('result'), c => badge(t(`verdict_${c.verdict}`), verdicts[c.verdict])],
	[t('seen_there'), c => h('div', { class: 'finding' }, told(c) ??
		c.seen, c.remedy && h('pre', { tabindex: 0, 'aria-label':
		t('remedy') }, remedy(c).trimEnd()))],
];

const doctor = context => part(context, { title: 'doctor',
	intro: 'doctorIntro', label: 'checkNow',
	ask: async () => ({ ...await get('/doctor'), at: Date.now() }),
	tell: ({ ok, failed, warnings, checks, at }) => [h('p', null,
		badge(ok ? warnings === 0 ? t('allWell') : t('warned',
			number(warnings)) : t('ails', number(failed), number(warnings)),
		ok ? warnings === 0 ? 'good' : 'warn' : 'bad'), ' ',
		h('span', { class: 'quiet' }, stamp(at))),
	table(t('doctor'), checkColumns(), checks.toSorted((a, b) =>
		worst.indexOf(a.verdict) - worst.indexOf(b.verdict)))] });

// ---- the ledger's sums ----

const differenceColumns = () => [
	[t('inTable'), d => h('code', null, d.table)],
	[t('where'), d => d.where],
	[t('sum'), d => h('code', null, d.sum)],
	[t('stored'), d => number(d.stored), 'number'],
	[t('shouldBe'), d => number(d.expected), 'number'],
];

const verify = context => part(context, { title: 'verify',
	intro: 'verifyIntro', label: 'verifyNow',
	ask: () => call('POST', '/ledger/verify'),
	tell: v => [h('p', null, v.differences === 0 ?
		badge(t('sumsFit'), 'good') : badge(t('sumsDiffer',
			number(v.differences)), 'bad')),
	about([[t('requests'), number(v.rows)],
		[t('attempts'), number(v.attempts)],
		[t('hourSums'), number(v.hours)], [t('daySums'), number(v.days)],
		[t('keys'), number(v.keys)],
		[t('budgetWindows'), number(v.windows)],
		v.cut_ms !== null && [t('rowsSince'), stamp(v.cut_ms)]]
		.filter(Boolean)),
	v.shown.length > 0 && table(t('differences'), differenceColumns(),
		v.shown), v.differences > v.shown.length && h('p',
		{ class: 'quiet' }, t('firstOf', number(v.shown.length),
			number(v.differences)))].filter(Boolean) });

// ---- old requests ----

// What came of it stays while the page is drawn anew.
const pruned = r => h('p', null, badge(r.held ? t('pruneHeld') : t('pruned',
	number(r.rows)), r.held ? 'warn' : 'good'));

function prune() {
	const into = h('div', { 'aria-live': 'polite' }, found.prune ?
		pruned(found.prune) : null);
	const form = makeForm({ isNew: true, label: t('pruneNow'),
		style: 'danger', fields: [{ name: 'days', label: t('olderThan'),
			kind: 'number', min: 1, max: 36500, required: true,
			to: Number, hint: t('olderThanHint') }],
		send: async said => {
			if (!await ask(t('pruneAsk', number(said.days)), t('pruneNow')))
				return;
			into.replaceChildren(h('p', { class: 'quiet' },
				t('underWay')));
			try {
				found.prune = await call('POST', '/ledger/prune', said);
				into.replaceChildren(pruned(found.prune));
			} catch (error) {
				into.replaceChildren();
				throw error;
			}
		} });
	return h('section', null, headTwo(t('prune')), h('p',
		{ class: 'quiet' }, t('pruneIntro')), h('div',
		{ class: 'card form' }, form), into);
}

// ---- the provider's report ----

const day = text => Date.parse(`${text}T00:00:00Z`);

// What one of the three sums is, in tokens and money.
const sums = (s, { tokens: has, cost }) => h('div', null, has &&
	h('div', null, t('unit_tokens', number(tokens(s)))),
cost && h('div', null, money(s.cost_nusd)));

const notes = ({ ledger: l }) => h('div', { class: 'small' },
	h('div', null, t('requestsN', number(l.requests))),
	l.estimated > 0 && h('div', null, t('estimatedN', number(l.estimated))),
	l.unpriced > 0 && h('div', { class: 'warn' }, t('unpricedN',
		number(l.unpriced))));

const gapColumns = r => [
	[t('day'), row => row.day ?? h('strong', null, t('total'))],
	[t('model'), row => row.model],
	[t('result'), row => badge(t(row.off ? 'isOff' : 'fits'),
		row.off ? 'bad' : 'good')],
	[t('provider'), row => sums(row.provider, r), 'number'],
	[t('inLedger'), row => sums(row.ledger, r), 'number'],
	[t('gap'), row => sums(row.gap, r), 'number'],
	[t('notes'), notes],
];

// What was ticked in the list of the last report.
const rows = {};

const compared = r => [h('p', null, r.off === 0 ? badge(t('reportFits'), 'good') :
	badge(t('reportOff', number(r.off)), 'bad')),
r.incomplete && h('p', { class: 'warn' }, t('reportCut')),
listing(rows, { label: t('reconcile'), columns: gapColumns(r),
	rows: [r.total, ...r.rows], none: '', filters: [{ name: 'off',
		label: t('result'), options: [['off', t('isOff')]],
		fits: row => row.off }] })].filter(Boolean);

const reportField = file => h('div', { class: 'field wide' },
	h('label', { for: 'report-file' }, t('reportFile')), file,
	h('p', { class: 'quiet' }, t('reportFileHint')));

const reportFields = (file, accounts, groups) => [
	reportField(file),
	{ name: 'report', label: t('orText'), kind: 'area', wide: true },
	{ name: 'from_ms', label: t('from'), kind: 'date', to: day,
		hint: t('emptyReport') },
	{ name: 'to_ms', label: t('upTo'), kind: 'date', to: day,
		hint: t('upToHint') },
	{ more: t('more'), fields: [
		{ name: 'tolerance', label: t('tolerance'), inputmode: 'decimal',
			placeholder: '1', hint: t('toleranceHint') },
		{ name: 'account', label: t('account'), kind: 'select', options:
			[['', t('all_of_them')], ...accounts] },
		{ name: 'group', label: t('group'), kind: 'select', options:
			[['', t('all_of_them')], ...groups] }] },
];

async function reconcile(context) {
	const [accounts, groups] = await Promise.all(['/admin/accounts',
		'/groups'].map(async path => (await list(path)).map(i =>
		[i.name, i.name])));
	const file = h('input', { type: 'file', id: 'report-file',
		accept: '.csv,.json,text/csv,application/json' });
	const into = h('div', { 'aria-live': 'polite' },
		found.reconcile ? compared(found.reconcile) : null);
	const form = makeForm({ fields: reportFields(file, accounts, groups),
		isNew: true, label: t('compare'), send: async said => {
			if (file.files.length > 0)
				said.report = await file.files[0].text();
			if (!said.report)
				throw new ApiError(400, 40001, t('noReport'));
			into.replaceChildren();
			found.reconcile = await call('POST', '/reconcile', said);
			into.replaceChildren(...compared(found.reconcile));
			say(t('done'));
		} });
	return h('section', null, headTwo(t('reconcile')), h('p',
		{ class: 'quiet' }, t('reconcileIntro')), h('div',
		{ class: 'card form' }, form), into);
}

// ---- tokens ----

const path = '/admin/tokens';

const whose = k => k.user ?? badge(t('installation'));

async function installationTokens(context) {
	const all = await list(path);
	return h('section', null, headTwo(t('tokensHere'),
		button(t('addToken'), () => addToken(context, { path,
			intro: t('tokensHereIntro'), all: t('mayEverything') }))),
	h('p', { class: 'quiet' }, t('tokensHereHint')), all.length === 0 ?
		empty(t('noTokensHere')) : table(t('tokensHere'), tokenColumns(
			context, { path, more: [[t('whose'), whose]], all: k =>
				t(k.user ? 'mayAsUser' : 'mayEverything') }), all));
}

// ---- the page ----

async function checks(context) {
	const [report, tokensPart] = await Promise.all([reconcile(context),
		context.may('admin') && installationTokens(context)]);
	return [doctor(context), verify(context), report,
		context.may('admin') ? prune() : '', tokensPart || ''];
}

// What each tab shows, which is loaded when it is looked at.
const parts = {
	'': { title: 'checks', role: 'operator', show: checks },
	move: { title: 'exportImport', role: 'admin', show: async context =>
		(await import('./move.js')).moveParts(context) },
	host: { title: 'onHost', role: 'operator', show: async context =>
		(await import('./host.js')).hostParts(context) },
};

export async function maintenancePage(context) {
	const at = tab => place('maintenance', [], { tab });
	const own = Object.keys(parts).filter(tab =>
		context.may(parts[tab].role));
	const tab = own.find(name => name === context.query.get('tab')) ?? '';
	const shown = await parts[tab].show(context);
	context.main.replaceChildren(head(t('maintenance')), own.length > 1 ?
		tabs(t('maintenance'), own.map(name => [at(name),
			t(parts[name].title)]), at(tab)) : '', ...shown);
}
