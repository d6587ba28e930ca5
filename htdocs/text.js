// The reader's language, and numbers and times as it writes them.
import { strings as first } from './strings-first.js';

let strings = first, all = null;

// Resolves when all texts are there, not only those that are needed first.
export const loadTexts = () => all ??= import('./strings.js').then(rest =>
	strings = Object.fromEntries(Object.keys(first).map(name =>
		[name, { ...first[name], ...rest.strings[name] }])));

function firstLanguage() {
	const stored = localStorage.getItem('language');
	if (stored in strings)
		return stored;
	return navigator.language.startsWith('zh') ? 'zh' : 'en';
}

let language = firstLanguage();

export const languages = { en: 'English', zh: '简体中文' };
export const currentLanguage = () => language;
export const tag = () => language === 'zh' ? 'zh-Hans' : 'en';

export function setLanguage(name) {
	language = name;
	localStorage.setItem('language', name);
}

// t('of', 1, 2): a text of strings.js or strings-first.js, which must have it.
export function t(name, ...args) {
	const text = strings[language][name];
	if (text === undefined)
		throw new Error(`no text "${name}"`);
	return typeof text === 'function' ? text(...args) : text;
}

// A word of the relay's in the reader's language, or as it is.
export const word = (kind, name) => strings[language][`${kind}_${name}`] ?? name;

// What a route says, which is English: before it its kind in the reader's
// language, where that is another.
export const told = (code, text) => [strings[language][`code_${code}`], text]
	.filter(s => s).join(' ');

export const number = n => n === null || n === undefined ? '' :
	new Intl.NumberFormat(tag()).format(n);

export const money = nusd => nusd === null || nusd === undefined ? '' :
	new Intl.NumberFormat(tag(), { style: 'currency', currency: 'USD',
		currencyDisplay: 'narrowSymbol',
		minimumFractionDigits: 2, maximumFractionDigits:
		Math.abs(nusd) < 1e7 ? 6 : 2 }).format(nusd / 1e9);

// Days that no calendar of a browser has stand for its last one.
export const date = ms => new Date(Math.min(ms, 864e13));

export const time = ms => ms === null || ms === undefined ? '' :
	date(ms).toLocaleString(tag(), { dateStyle: 'medium',
		timeStyle: 'short' });

// To the second, and without the year where it is this one.
export const moment = ms => new Date(ms).toLocaleString(tag(), {
	month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit',
	second: '2-digit', hourCycle: 'h23', year: new Date(ms).getFullYear() ===
		new Date().getFullYear() ? undefined : 'numeric' });

export const clock = ms => new Date(ms).toLocaleTimeString(tag());

export const seconds = ms => ms === null || ms === undefined ? '' :
	t('seconds', new Intl.NumberFormat(tag(),
		{ maximumFractionDigits: 1 }).format(ms / 1000));

// 1,234,567 as 1.2M.
export const compact = n => n === null || n === undefined ? '' :
	new Intl.NumberFormat(tag(), { notation: 'compact',
		maximumFractionDigits: 1 }).format(n);

// On an axis.
export const dollars = nusd => new Intl.NumberFormat(tag(), { style: 'currency',
	currency: 'USD', currencyDisplay: 'narrowSymbol', notation: 'compact',
	minimumFractionDigits: 0, maximumSignificantDigits: 3 })
	.format(nusd / 1e9);

export const percent = part => part === null || part === undefined ? '' :
	new Intl.NumberFormat(tag(), { style: 'percent',
		maximumFractionDigits: part < 0.1 ? 1 : 0 }).format(part);

export const millis = ms => ms === null || ms === undefined ? '' :
	ms < 1000 ? unit(Math.round(ms), 'millisecond') : seconds(ms);

const unit = (n, name) => new Intl.NumberFormat(tag(), { style: 'unit',
	unit: name, unitDisplay: 'short' }).format(n);

// How long it takes, in its two greatest units.
export function duration(ms) {
	const s = Math.max(0, Math.round(ms / 1000));
	const parts = [['day', 86400, Infinity], ['hour', 3600, 24],
		['minute', 60, 60], ['second', 1, 60]].map(([name, size, of]) =>
		[Math.floor(s / size) % (of === Infinity ? 1e9 : of), name]);
	const first = Math.max(0, parts.findIndex(([n]) => n > 0));
	return (s === 0 ? [[0, 'second']] : parts.slice(first, first + 2))
		.filter(([n], i) => n > 0 || i === 0)
		.map(([n, name]) => unit(n, name)).join(' ');
}

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

// All that a model read and wrote.
export const tokens = r => r.input_tokens + r.output_tokens +
	r.cache_read_tokens + r.cache_write_5m_tokens + r.cache_write_1h_tokens;
