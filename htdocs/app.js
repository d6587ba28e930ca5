// The shell of the pages: who is signed in, which page is shown, in which
// language.  The page is named behind '#', as in "#accounts/7?tab=history";
// nothing is loaded anew, and each page's module when it is first shown.
import { ApiError, call, get, setCsrf } from './api.js';
import { h, icon, place, say } from './dom.js';
import { currentLanguage, languages, loadTexts, setLanguage, t, tag } from
	'./text.js';

const roles = ['none', 'user', 'operator', 'admin'];

// In the order of the menu.  NAME.js exports NAMEPage (of "my-usage",
// myUsagePage), which strings-first.js gives a title; .role: who may see it at
// least, "none": whoever; .aside: it is not in the menu.
const sections = [
	{ name: 'overview', pages: [
		{ name: 'dashboard', role: 'operator' },
		{ name: 'requests', role: 'operator' },
		{ name: 'usage', role: 'user' },
	] },
	{ name: 'pool', pages: [
		{ name: 'accounts', role: 'operator' },
		{ name: 'groups', role: 'operator' },
		{ name: 'queue', role: 'operator' },
		{ name: 'objects', role: 'operator' },
	] },
	{ name: 'people', pages: [
		{ name: 'keys', role: 'user' },
		{ name: 'users', role: 'operator' },
		{ name: 'budgets', role: 'operator' },
		{ name: 'prices', role: 'user' },
	] },
	{ name: 'system', pages: [
		{ name: 'jobs', role: 'operator' },
		{ name: 'notifications', role: 'operator' },
		{ name: 'settings', role: 'operator' },
		{ name: 'maintenance', role: 'operator' },
		{ name: 'audit', role: 'operator' },
		{ name: 'me', role: 'user' },
		{ name: 'wizard', role: 'admin', aside: true },
		{ name: 'my-usage', role: 'none', aside: true },
	] },
];
const pages = sections.flatMap(s => s.pages);

let me = null;
let leave = [];			// what ends what the shown page began
let shown = { name: null, box: null, leaf: null };
const main = document.getElementById('main');

const camel = name => name.replace(/-(\w)/g, (_, c) => c.toUpperCase());
const title = p => t(camel(p.name));
const may = role => roles.indexOf(me?.role ?? 'none') >= roles.indexOf(role);

// These make do with what is loaded first; all others have all texts, and the
// style of forms and details.
const light = ['sign-in', 'dashboard'];
let rest = null;

const loadRest = () => rest ??= Promise.all([loadTexts(),
	new Promise((resolve, reject) => document.head.append(h('link',
		{ rel: 'stylesheet', href: 'manage.css', onload: resolve,
			onerror: reject })))]);

// What the page "sign-in" or one of the table does: show(context).
async function load(name) {
	const [module] = await Promise.all([import(`./${name}.js`),
		light.includes(name) || loadRest()]);
	return module[`${camel(name)}Page`];
}

// What stands behind '#': page, what of it, and how it is looked at.
function here() {
	const [path, query] = location.hash.slice(1).split('?');
	let [name, ...params] = path.split('/');
	try {
		params = params.map(decodeURIComponent);
	} catch {
		params = [];		// somebody's own invention
	}
	return { name, params, query: new URLSearchParams(query) };
}

// ---- the frame ----

const menu = (label, name, options, value, choose) => h('select',
	{ 'aria-label': label, name, onchange: e => choose(e.target.value) },
	Object.entries(options).map(([v, text]) => h('option',
		{ value: v, selected: v === value }, text)));

const languageMenu = () => menu(t('language'), 'language', languages,
	currentLanguage(), name => {
		setLanguage(name);
		shown.name = null;
		frame();
		show();
	});

function setScheme(name) {
	if (name === 'auto')
		localStorage.removeItem('scheme');
	else
		localStorage.setItem('scheme', name);
	if (name === 'auto')
		delete document.documentElement.dataset.scheme;
	else
		document.documentElement.dataset.scheme = name;
	dispatchEvent(new Event('scheme'));
}

const schemeMenu = () => menu(t('scheme'), 'scheme',
	{ auto: t('scheme_auto'), light: t('scheme_light'),
		dark: t('scheme_dark') },
	localStorage.getItem('scheme') ?? 'auto', setScheme);

function section({ name, pages: all }) {
	const some = all.filter(p => !p.aside && may(p.role));
	return some.length > 0 && h('div', null,
		h('p', { id: `menu-${name}` }, t(name)),
		h('ul', { 'aria-labelledby': `menu-${name}` },
			some.map(p => h('li', null, h('a', { href: place(p.name) },
				icon(p.name), title(p))))));
}

function openMenu(open) {
	const header = document.getElementById('header');
	header.classList.toggle('open', open);
	header.querySelector('.menu')?.setAttribute('aria-expanded', open);
}

// The menu, anew when somebody else is signed in or another language wanted.
function frame() {
	const header = document.getElementById('header');
	const open = () => header.classList.contains('open');
	document.documentElement.lang = tag();
	document.body.classList.toggle('out', me === null);
	header.replaceChildren(
		h('a', { href: '#main', class: 'skip', onclick: event => {
			event.preventDefault();
			main.focus();
		} }, t('skip')),
		h('p', { class: 'brand' }, h('img', { src: 'icon.svg', alt: '',
			width: 24, height: 24 }), 'Leasehold'),
		me && h('button', { type: 'button', class: 'menu',
			'aria-expanded': 'false', 'aria-controls': 'nav',
			onclick: () => openMenu(!open()) }, icon('menu'),
		t('menu')) || '',
		me && h('nav', { id: 'nav', 'aria-label': t('menu') },
			sections.map(section).filter(Boolean)) || '',
		h('div', { class: 'who' }, me && h('p', { class: 'quiet' }, me.name,
			' · ', t(`role_${me.role}`)), schemeMenu(), languageMenu(),
		me && h('button', { type: 'button', onclick: signOut },
			t('signOut'))));
}

function markCurrent(name) {
	for (const a of document.querySelectorAll('#nav a')) {
		if (a.getAttribute('href') === place(name))
			a.setAttribute('aria-current', 'page');
		else
			a.removeAttribute('aria-current');
	}
}

// ---- what goes wrong ----

// What went wrong, in words.
const words = error => error.status === 0 ? t('unreachable') :
	error.code === 50301 ? t('storeDown') : error.message || t('failed');

// Whoever is not signed in any more signs in.
function signedOut(error) {
	if (error.code !== 40101 || me === null)
		return false;
	setMe(null);
	return true;
}

function fail(error) {
	if (!(error instanceof ApiError))
		throw error;
	signedOut(error);
	say(words(error), true);
}

const failure = (page, error) => [h('h1', null, page ? title(page) : ''),
	h('div', { class: 'empty', role: 'alert' },
		h('p', { class: 'bad' }, words(error)),
		h('p', { class: 'actions' }, h('button', { type: 'button',
			onclick: () => show() }, t('again'))))];

// ---- coming and going ----

function setMe(who) {
	me = who;
	if (who === null)
		setCsrf('');
	shown.name = null;
	frame();
	show();
}

// Not said to be done unless it is.
const signOut = () => call('POST', '/auth/logout').then(() => setMe(null),
	fail);

// An administrator who finds nothing set up begins with that.
async function firstRun(who) {
	if (who?.role !== 'admin' || location.hash.length > 1)
		return;
	const lists = await Promise.all(['/admin/accounts', '/api-keys'].map(
		path => get(`${path}?limit=1`))).catch(() => []);
	if (lists.some(l => l.total === 0))
		history.replaceState(null, '', place('wizard'));
}

async function signedIn(who) {
	if (/^#(invitation=|sign-in)/.test(location.hash))
		history.replaceState(null, '', '#');
	await firstRun(who);
	setMe(who);
}

// Another view of the same page: what is given changes, '' is dropped.
function choose(changes) {
	const { name, params, query } = here();
	const now = { ...Object.fromEntries(query), ...changes };
	const hash = place(name || shown.name, params, now);
	if (hash !== location.hash)
		location.hash = hash;
	else
		show();
}

// What a page is given.  box: the element that it fills, which stays its own
// when another page is shown in the meantime.
const contextOf = (box, at) => ({ main: box, me, may, fail, choose,
	again: show, params: at.params, query: at.query,
	title: text => document.title = `${text} – Leasehold`,
	onLeave: f => box === shown.box ? leave.push(f) : f() });

function leaveAll() {
	leave.forEach(f => f());
	leave = [];
	document.querySelectorAll('dialog[open]').forEach(d => d.close());
	openMenu(false);
	say('');
}

// Of the same page what is there stays until the new is, and the reader's place
// with it, unless leaves were turned.
function begin(name, box, leaf) {
	const same = name === shown.name, turned = leaf !== shown.leaf;
	const first = shown.box === null;
	leaveAll();
	shown = { name, box, leaf };
	main.setAttribute('aria-busy', 'true');
	if (same)
		return () => {
			const field = document.activeElement?.name;
			main.replaceChildren(box);
			if (field)
				box.querySelector(`[name="${CSS.escape(field)}"]`)
					?.focus();
			if (turned)
				scrollTo(0, 0);
		};
	main.replaceChildren(box, h('p', { class: 'loading' }, t('loading')));
	scrollTo(0, 0);
	if (!first)
		main.focus({ preventScroll: true });
	return () => box.nextElementSibling?.remove();
}

async function show() {
	const at = here();
	const page = pages.find(p => p.name === at.name && may(p.role)) ??
		(me ? pages.find(p => !p.aside && may(p.role)) : null);
	if (page?.name !== at.name)
		at.params = [];
	const box = h('div', { class: 'page' });
	const end = begin([page?.name ?? 'sign-in', ...at.params].join('/'), box,
		['page', 'before', 'below'].map(n => at.query.get(n)).join());
	document.title = page ? `${title(page)} – Leasehold` : 'Leasehold';
	markCurrent(page?.name);
	const context = contextOf(box, at);
	try {
		const run = await load(page?.name ?? 'sign-in');
		await (page ? run(context) : run(context, signedIn));
	} catch (error) {
		if (box !== shown.box || signedOut(error))
			return;
		box.replaceChildren(...failure(page, error));
		if (!(error instanceof ApiError))
			reportError(error);
	} finally {
		if (box === shown.box) {
			main.removeAttribute('aria-busy');
			end();
		}
	}
}

if (localStorage.getItem('scheme'))
	setScheme(localStorage.getItem('scheme'));
addEventListener('hashchange', show);
addEventListener('keydown', e => e.key === 'Escape' && openMenu(false));
try {
	me = await get('/auth/me');
	await firstRun(me);
} catch (error) {
	if (error.code !== 40101)
		say(words(error), true);
}
frame();
show();
