// The shell of the pages: who is signed in, which page is shown, in which
// language.  The page is named behind '#'; nothing is loaded anew.
import { ApiError, call, get, setCsrf } from './api.js';
import { h, say } from './dom.js';
import { currentLanguage, languages, setLanguage, t, tag } from './text.js';
import { accountsPage } from './accounts.js';
import { auditPage } from './audit.js';
import { dashboardPage } from './dashboard.js';
import { keysPage } from './keys.js';
import { mePage } from './me.js';
import { requestsPage } from './requests.js';
import { signInPage } from './sign-in.js';
import { usagePage } from './usage.js';
import { usersPage } from './users.js';

const roles = ['user', 'operator', 'admin'];

// In the order of the menu; who may see each at least.
const pages = [
	{ name: 'dashboard', role: 'operator', show: dashboardPage },
	{ name: 'accounts', role: 'operator', show: accountsPage },
	{ name: 'keys', role: 'user', show: keysPage },
	{ name: 'users', role: 'operator', show: usersPage },
	{ name: 'requests', role: 'operator', show: requestsPage },
	{ name: 'usage', role: 'user', show: usagePage },
	{ name: 'audit', role: 'operator', show: auditPage },
	{ name: 'me', role: 'user', show: mePage },
];

let me = null;
let leave = () => {};		// ends what the page that is shown began

const may = role => me !== null &&
	roles.indexOf(me.role) >= roles.indexOf(role);

function languageMenu() {
	return h('select', { 'aria-label': t('language'), onchange: event => {
		setLanguage(event.target.value);
		show();
	} }, Object.entries(languages).map(([name, text]) => h('option',
		{ value: name, selected: name === currentLanguage() }, text)));
}

function showHeader(current) {
	const links = pages.filter(p => may(p.role)).map(p => h('a',
		{ href: `#${p.name}`,
			'aria-current': p.name === current ? 'page' : null },
		t(p.name)));
	document.getElementById('header').replaceChildren(
		h('a', { href: '#main', class: 'skip', onclick: event => {
			event.preventDefault();
			document.getElementById('main').focus();
		} }, t('skip')),
		h('strong', null, 'Leasehold'),
		h('nav', { 'aria-label': t('menu') }, links),
		h('div', { class: 'who' }, languageMenu(), me && h('button',
			{ type: 'button', onclick: signOut }, t('signOut'))));
}

// What went wrong, in words.  Whoever is not signed in any more signs in.
function fail(error) {
	if (!(error instanceof ApiError))
		throw error;
	if (error.code === 40101 && me !== null) {
		me = null;
		show();
	}
	say(error.status === 0 ? t('unreachable') :
		error.status === 503 ? t('storeDown') : error.message, true);
}

async function signOut() {
	await call('POST', '/auth/logout').catch(fail);
	me = null;
	setCsrf('');
	show();
}

function signedIn(who) {
	me = who;
	if (location.hash.startsWith('#invitation='))
		history.replaceState(null, '', '#');
	show();
}

async function show() {
	const name = location.hash.slice(1).split(/[/?=]/)[0];
	const page = pages.find(p => p.name === name && may(p.role)) ??
		pages.find(p => may(p.role));
	leave();
	leave = () => {};
	document.documentElement.lang = tag();
	document.title = page ? `${t(page.name)} – Leasehold` : 'Leasehold';
	say('');
	showHeader(page?.name);
	const main = document.getElementById('main');
	const context = { main, me, may, fail, onLeave: f => leave = f };
	main.replaceChildren();
	try {
		await (page ? page.show(context) : signInPage(context, signedIn));
	} catch (error) {
		fail(error);
	}
}

window.addEventListener('hashchange', show);
try {
	me = await get('/auth/me');
} catch (error) {
	if (error.code !== 40101)
		fail(error);
}
show();
