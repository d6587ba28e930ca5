// The status page: what `leasehold status` tells, read anew every few seconds
// while the page is looked at.
import { strings } from './strings.js';

const refreshMs = 3000;
const element = id => document.getElementById(id);

let texts = strings.en;
let timer;

// ---- language ----

function firstLanguage() {
	const stored = localStorage.getItem('language');
	if (stored in strings)
		return stored;
	return navigator.language.startsWith('zh') ? 'zh' : 'en';
}

function setLanguage(language) {
	texts = strings[language];
	document.documentElement.lang = language === 'zh' ? 'zh-Hans' : 'en';
	for (const e of document.querySelectorAll('[data-text]'))
		e.textContent = texts[e.dataset.text];
	element('language').value = language;
}

// ---- building ----

function make(tag, text, className) {
	const e = document.createElement(tag);
	e.textContent = text;
	if (className)
		e.className = className;
	return e;
}

function fillTable(table, columns, rows, cells) {
	const head = make('tr', '');
	head.append(...columns.map(name => {
		const th = make('th', texts[name]);
		th.scope = 'col';
		return th;
	}));
	const body = rows.map(row => {
		const tr = make('tr', '');
		tr.append(...cells(row));
		return tr;
	});
	if (rows.length === 0) {
		const td = make('td', texts.none, 'quiet');
		td.colSpan = columns.length;
		body.push(make('tr', ''));
		body[0].append(td);
	}
	table.replaceChildren(head, ...body);
}

function localTime(ms) {
	return new Date(ms).toLocaleString(document.documentElement.lang);
}

// ---- what is shown ----

function accountState(account) {
	if (!account.enabled)
		return make('td', texts.disabled, 'quiet');
	if (account.cooldowns.length === 0)
		return make('td', texts.ready, 'good');
	const td = make('td', '', 'bad');
	td.append(...account.cooldowns.map(c => make('div', c.state === 'open' ?
		texts.parked(c.reason, c.family, localTime(c.until_ms)) :
		texts.halfOpen(c.reason, c.family))));
	return td;
}

function accountUse(account) {
	const td = make('td', '');
	const meter = document.createElement('meter');
	meter.max = account.concurrency;
	meter.value = account.leases;
	const text = texts.of(account.leases, account.concurrency);
	meter.setAttribute('aria-label', text);
	td.append(meter, ` ${text}`);
	return td;
}

function showFacts(status) {
	const facts = [
		['openRequests', status.open_requests],
		['waiting', status.queue.waiting],
		['version', status.version],
		['asOf', new Date(status.now_ms)
			.toLocaleTimeString(document.documentElement.lang)],
	];
	element('facts').replaceChildren(...facts.map(([name, value]) => {
		const div = make('div', '');
		div.append(make('dt', texts[name]), make('dd', value));
		return div;
	}));
}

function show(status) {
	showFacts(status);
	fillTable(element('accounts'),
		['name', 'platform', 'group', 'state', 'inUse'], status.accounts,
		a => [make('td', a.name), make('td', a.platform),
			make('td', a.group ?? ''), accountState(a), accountUse(a)]);
	fillTable(element('responders'),
		['kind', 'process', 'started', 'lastBeat', 'requests', 'state'],
		status.responders,
		r => [make('td', r.kind), make('td', r.pid),
			make('td', localTime(r.started_ms)),
			make('td', texts.ago((r.beat_age_ms / 1000).toFixed(1))),
			make('td', r.requests),
			make('td', r.draining ? texts.draining : texts.serving,
				r.draining ? 'quiet' : 'good')]);
	element('sign-in').hidden = true;
	element('status').hidden = false;
}

function askForToken(message) {
	clearTimeout(timer);
	element('status').hidden = true;
	element('sign-in').hidden = false;
	element('sign-in-error').textContent = message;
	element('token').focus();
}

function showHealth(ok, message) {
	element('health').textContent = message;
	element('health').className = ok ? 'good' : 'bad';
}

// ---- asking the relay ----

async function readHealth() {
	try {
		const answer = await fetch('../health', { cache: 'no-store' });
		showHealth(answer.ok, answer.ok ? texts.healthy : texts.unhealthy);
	} catch {
		showHealth(false, texts.unreachable);
	}
}

async function readStatus(token) {
	const answer = await fetch('../api/v1/status', {
		cache: 'no-store',
		headers: { authorization: `Bearer ${token}` },
	});
	if (answer.status === 401) {
		sessionStorage.removeItem('token');
		askForToken(texts.wrongToken);
	} else if (answer.ok) {
		show(await answer.json());
	} else {
		showHealth(false, texts.storeDown);
	}
}

async function refresh() {
	clearTimeout(timer);
	const token = sessionStorage.getItem('token');
	if (!document.hidden) {
		await readHealth();
		if (token)
			await readStatus(token).catch(
				() => showHealth(false, texts.unreachable));
	}
	if (sessionStorage.getItem('token'))
		timer = setTimeout(refresh, refreshMs);
}

// ---- start ----

element('language').addEventListener('change', event => {
	localStorage.setItem('language', event.target.value);
	setLanguage(event.target.value);
	refresh();
});
element('sign-in').addEventListener('submit', event => {
	event.preventDefault();
	sessionStorage.setItem('token', element('token').value.trim());
	element('token').value = '';
	refresh();
});
element('sign-out').addEventListener('click', () => {
	sessionStorage.removeItem('token');
	askForToken('');
});
document.addEventListener('visibilitychange', refresh);

setLanguage(firstLanguage());
if (!sessionStorage.getItem('token'))
	askForToken('');
refresh();
