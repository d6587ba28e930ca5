// What wants the rights of the host, and is done there: what each command is
// for, whether it is due, and its line as it is here; and the backups.
import { ApiError, call, get } from './api.js';
import { act } from './change.js';
import { badge, copyButton, empty, h, say, table } from './dom.js';
import { button } from './form.js';
import { headTwo, stamp } from './parts.js';
import { number, t, tag } from './text.js';

// Until all responders have heard, ms.
const hearing = 6000;

// ---- words ----

const quoted = text => /^[\w@%+=:,./-]+$/.test(text) ? text :
	`'${text.replaceAll("'", "'\\''")}'`;

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

function bytes(n) {
	const i = n < 1000 ? 0 : Math.min(Math.floor(Math.log10(n) / 3),
		units.length - 1);
	return new Intl.NumberFormat(tag(), { style: 'unit', unit: units[i],
		unitDisplay: 'short', maximumFractionDigits: 1 })
		.format(n / 1000 ** i);
}

// ---- settings that are not in force ----

const differences = rows => table(t('differs'), [
	[t('setting'), d => h('code', { class: 'plain' }, d.name)],
	[t('inForceNow'), d => h('code', null, d.in_force || '–')],
	[t('inTheFile'), d => h('code', null, d.value || '–')],
	[t('takesForce'), d => t(d.reloadable ? 'onReload' : 'onRestart')],
], rows);

async function reload(context, e) {
	e.disabled = true;
	try {
		const { told, elsewhere, missed } = await call('POST', '/reload');
		say([t('toldToReload', number(told)), elsewhere > 0 &&
			t('toldElsewhere', number(elsewhere)), missed > 0 &&
			t('notTold', number(missed))].filter(Boolean).join(' '),
		missed > 0);
		const over = setTimeout(context.again, hearing);
		context.onLeave(() => clearTimeout(over));
	} catch (error) {
		e.disabled = false;
		context.fail(error);
	}
}

function settingsPart(context, { differs, config }) {
	const e = button(t('reloadNow'), () => reload(context, e));
	return h('section', null, headTwo(t('settings'),
		context.may('admin') && e), h('p', { class: 'quiet' },
		t('hostSettings'), ' ', h('code', null, config)),
	differs === null ? '' : differs.length === 0 ? h('p', null,
		badge(t('allInForce'), 'good')) : differences(differs));
}

// ---- backups ----

function backupsPart(context, { backups, backup_dir: dir }) {
	const run = async () => {
		const job = await call('POST', '/jobs/backup/run');
		await context.again();
		if (job.last.result !== 'ok')
			throw new ApiError(409, 40901, job.last.text);
	};
	const none = dir === '' ? t('noBackupDir') : t('noBackups');
	return h('section', null, headTwo(t('backups'), dir !== '' &&
		act(context, t('backUpNow'), run)), h('p', { class: 'quiet' },
		t('backupsIntro'), ' ', dir !== '' && h('code', null, dir)),
	backups.length === 0 ? empty(none) : h('div', { class: 'backups' },
	table(t('backups'), [
		[t('when'), b => stamp(b.made_ms)],
		[t('file'), b => h('code', null, b.file)],
		[t('size'), b => bytes(b.bytes), 'number'],
	], backups)));
}

// ---- commands ----

const due = text => badge(text, 'warn');
const fine = text => badge(text, 'good');

function restartState({ differs, version }, workers) {
	const late = (differs ?? []).filter(d => !d.reloadable).length;
	const other = workers.filter(w => w.version !== version).length;
	return late + other === 0 ? fine(t('notDue')) : h('span',
		{ class: 'lines' }, late > 0 && due(t('settingsWait', number(late))),
		other > 0 && due(t('otherVersion', number(other))));
}

function reloadState({ differs }) {
	const late = (differs ?? []).filter(d => d.reloadable).length;
	return late > 0 ? due(t('settingsWait', number(late))) :
		fine(t('notDue'));
}

// [name, [words of the line], how it stands]
function commands(host, workers) {
	const last = host.backups[0];
	const folder = host.backup_dir || '/var/backups';
	const other = /^sqlite:/.test(host.store) ?
		'mysql://USER@HOST/DATABASE' : 'sqlite:/PATH/leasehold.db';
	return [
		['reload', ['reload'], reloadState(host)],
		['restart', ['restart'], restartState(host, workers)],
		['config_check', ['config', 'check']],
		['migrate', ['migrate'], host.schema === host.schema_wanted ?
			fine(t('schemaFits', number(host.schema))) :
			due(t('schemaIs', number(host.schema),
				number(host.schema_wanted)))],
		['backup', ['backup', `${folder}/leasehold.db`], last ? h('span',
			{ class: 'quiet' }, t('lastBackup'), ' ',
			stamp(last.made_ms)) : due(t('notYet'))],
		['restore', ['restore', last?.file ?? `${folder}/leasehold.db`]],
		['store_copy', ['store', 'copy', host.store, other]],
		['rekey', ['rekey']],
		['init', ['init'], fine(t('isSetUp'))],
		['doctor', ['doctor', ...host.public_url ? ['--url',
			host.public_url] : []]],
	];
}

const line = (host, words) => ['leasehold', ...host.default_config ? [] :
	['--config', host.config], ...words].map(quoted).join(' ');

const copied = text => h('div', { class: 'command' },
	h('code', { class: 'secret' }, text), copyButton(text, t('copy'),
		t('copied')));

const commandsPart = (host, workers) => h('section', null,
	headTwo(t('onHost')), h('p', { class: 'quiet' }, t('onHostIntro')),
	h('div', { class: 'commands' }, table(t('onHost'), [
		[t('command'), ([name]) => h('div', null, h('strong', null,
			name.replace('_', ' ')), h('div', { class: 'quiet small' },
			t(`host_${name}`, host.master_key_file)))],
		[t('state'), ([, , state]) => state ?? ''],
		[t('lineToRun'), ([, words]) => copied(line(host, words))],
	], commands(host, workers))));

export async function hostParts(context) {
	const [host, { items }] = await Promise.all([get('/host'),
		get('/workers')]);
	return [settingsPart(context, host), backupsPart(context, host),
		commandsPart(host, items)];
}
