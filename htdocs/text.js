// The reader's language, and numbers and times as it writes them.
import { strings } from './strings.js';

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

// t('of', 1, 2): a text of strings.js, which must have it.
export function t(name, ...args) {
	const text = strings[language][name];
	if (text === undefined)
		throw new Error(`no text "${name}"`);
	return typeof text === 'function' ? text(...args) : text;
}

export const number = n => n === null || n === undefined ? '' :
	new Intl.NumberFormat(tag()).format(n);

export const money = nusd => nusd === null || nusd === undefined ? '' :
	new Intl.NumberFormat(tag(), { style: 'currency', currency: 'USD',
		minimumFractionDigits: 2, maximumFractionDigits:
		Math.abs(nusd) < 1e7 ? 6 : 2 }).format(nusd / 1e9);

export const time = ms => ms === null || ms === undefined ? '' :
	new Date(ms).toLocaleString(tag(), { dateStyle: 'medium',
		timeStyle: 'short' });

export const clock = ms => new Date(ms).toLocaleTimeString(tag());

export const seconds = ms => ms === null || ms === undefined ? '' :
	t('seconds', new Intl.NumberFormat(tag(),
		{ maximumFractionDigits: 1 }).format(ms / 1000));
