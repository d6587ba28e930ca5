// The texts of the pages: each that is asked for is there, in both languages,
// and none is there for nothing.
// Store: any.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { source } from '../e2e/lib/site.mjs';

const folder = join(source, 'htdocs');
let texts, code;

const both = (first, rest) => Object.fromEntries(['en', 'zh'].map(name =>
	[name, { ...first[name], ...rest[name] }]));

before(async () => {
	const [first, rest] = await Promise.all(
		['strings-first.js', 'strings.js'].map(name =>
			import(join(folder, name))));
	texts = both(first.strings, rest.strings);
	const files = (await readdir(folder)).filter(name =>
		name.endsWith('.js') && !name.startsWith('strings'));
	code = (await Promise.all(files.map(name =>
		readFile(join(folder, name), 'utf8')))).join('\n');
});

test('each text is there in both languages, of one kind', () => {
	assert.deepEqual(Object.keys(texts.zh).sort(),
		Object.keys(texts.en).sort());
	for (const [name, text] of Object.entries(texts.en)) {
		assert.equal(typeof texts.zh[name], typeof text, name);
		if (typeof text === 'function')
			assert.equal(texts.zh[name].length, text.length, name);
		if (Array.isArray(text))
			assert.equal(texts.zh[name].length, text.length, name);
	}
});

test('Chinese is Chinese', () => {
	const same = Object.entries(texts.en).filter(([name, text]) =>
		typeof text === 'string' && texts.zh[name] === text)
		.map(([name]) => name);
	for (const name of same)
		assert.ok(texts.en[name].length <= 8, `${name} is not translated`);
});

test('each text that is asked for is there', () => {
	const asked = [...code.matchAll(/\bt\('(\w+)'/g)].map(([, name]) => name);
	assert.ok(asked.length > 300);
	assert.deepEqual(asked.filter(name => !(name in texts.en)), []);
});

test('no text is there for nothing', () => {
	// Those with a '_' are put together, and what ends as `${name}Day` does.
	const ends = [...code.matchAll(/\}([A-Z]\w*)`/g)].map(([, end]) => end);
	assert.deepEqual(Object.keys(texts.en).filter(name =>
		!name.includes('_') && !ends.some(end => name.endsWith(end)) && !new RegExp(`['\`.]${name}\\b|\\b${name}:`)
			.test(code)), []);
});

// What the doctor says of host and pool, by the code that its sources give it:
// how many values stand in it.
async function doctorCodes() {
	const sources = await Promise.all(['', '_host', '_pool', '_jobs', '_mail',
		'_time']
		.map(name => readFile(join(source, `admin/doctor${name}.c`), 'utf8')));
	const said = sources.join('\n').replaceAll(/(?<!\\)"\s+"/g, '');
	return new Map([
		...[...said.matchAll(/finding_(?:set|remedy)\(f,[^"]*?"(\w+)",\s*"((?:[^"\\]|\\.)*)"/g)]
			.map(([, code, form]) => [code,
				form.match(/%[^%]/g)?.length ?? 0]),
		...[...said.matchAll(/\{ DOCTOR_\w+, "(\w+)"/g)]
			.map(([, code]) => [code, 0])]);
}

test('what the doctor says is there in Chinese', async () => {
	const { strings } = await import(join(folder, 'strings-doctor.js'));
	const codes = await doctorCodes();
	// Those of the web server's clock are for the command alone.
	for (const code of ['no_date', 'web_clock_skewed', 'web_clock_good',
		'keep_web_time'])
		assert.ok(codes.delete(code), code);
	assert.ok(codes.size > 60, `${codes.size}`);
	assert.deepEqual(Object.keys(strings.zh).sort(), [...codes.keys()].sort());
	for (const [code, text] of Object.entries(strings.zh))
		if (typeof text === 'function')
			assert.ok(text.length <= codes.get(code), code);
		else if (code !== 'run_init')
			assert.match(text, /[\u4e00-\u9fff]/, code);
});

test('what settings and jobs are for is there in Chinese', async () => {
	const { strings, jobs } = await import(join(folder,
		'strings-settings.js'));
	for (const [file, told] of [['fcgi/base/conf_table.c', strings.zh],
		['admin/jobs.c', jobs.zh]]) {
		const text = await readFile(join(source, file), 'utf8');
		const [table] = text.split('static const struct field');
		const names = [...table.matchAll(/\.name = "(\w+)"/g)]
			.map(([, name]) => name);
		// Of new ones a few are told in English.
		assert.ok(names.filter(name => name in told).length >=
			0.8 * names.length, file);
		assert.deepEqual(Object.keys(told).filter(name =>
			!names.includes(name)), []);
		for (const [name, words] of Object.entries(told))
			assert.match(words, /[\u4e00-\u9fff]/, name);
	}
});
