// Asking the admin routes.  The path of the page is "MOUNT/admin/", whatever
// the mount is.
import { t, told } from './text.js';

const base = '../api/v1';

let csrf = '';

export class ApiError extends Error {
	constructor(status, code, message, retryAfter) {
		super(message);
		this.status = status;
		this.code = code;
		this.retryAfter = retryAfter;
	}
}

// What whoever is signed in has to bring along for changes; '': nobody is.
export function setCsrf(value) {
	csrf = value ?? '';
}

const ask = (method, path, body) => fetch(base + path, { method,
	headers: { ...body === undefined ? {} :
		{ 'content-type': 'application/json' },
	...csrf ? { 'x-csrf-token': csrf } : {} },
	body: body === undefined ? undefined : JSON.stringify(body),
	cache: 'no-store', credentials: 'same-origin' });

// What the web server means where no route has answered.
const bare = status => status === 413 ? t('tooLarge') :
	[502, 503, 504].includes(status) ? t('unreachable') : '';

// What an answer that is none says.
async function wrong(answer) {
	const said = await answer.json().catch(() => ({}));
	return new ApiError(answer.status, said.code ?? 0,
		told(said.code, said.error) || bare(answer.status),
		answer.headers.get('retry-after'));
}

// Resolves to the answer's body; rejects with an ApiError, whose status is 0
// if there was no answer.
export async function call(method, path, body) {
	let answer, said;
	try {
		answer = await ask(method, path, body);
	} catch {
		throw new ApiError(0, 0, '');
	}
	if (!answer.ok)
		throw await wrong(answer);
	try {
		said = await answer.json();
	} catch {
		throw new ApiError(answer.status, 0, '');
	}
	if (said.csrf)
		setCsrf(said.csrf);
	return said;
}

// The events of an answer that goes on, as they come: each(name, data).
export async function events(answer, each) {
	const reader = answer.body.pipeThrough(new TextDecoderStream())
		.getReader();
	for (let rest = '';;) {
		const { value, done } = await reader.read();
		if (done)
			return;
		const parts = (rest + value).split(/\r?\n\r?\n/);
		rest = parts.pop();
		for (const part of parts) {
			const field = name => part.split(/\r?\n/).filter(l =>
				l.startsWith(`${name}:`)).map(l =>
				l.slice(name.length + 1).trimStart()).join('\n');
			if (field('data'))
				each(field('event'), JSON.parse(field('data')));
		}
	}
}

// ... of a route that is called; it rejects as call does.
export async function callStream(path, body, each) {
	let answer;
	try {
		answer = await ask('POST', path, body);
	} catch {
		throw new ApiError(0, 0, '');
	}
	if (!answer.ok)
		throw await wrong(answer);
	await events(answer, each);
}

export const get = path => call('GET', path);

// All pages of a list.
export async function list(path) {
	const items = [];
	for (let page = 1; ; page++) {
		const mark = path.includes('?') ? '&' : '?';
		const answer = await get(
			`${path}${mark}page=${page}&limit=1000`);
		items.push(...answer.items);
		if (items.length >= answer.total || answer.items.length === 0)
			return items;
	}
}

// Does the relay serve?  true, false, or null without an answer.
export async function health() {
	try {
		return (await fetch('../health', { cache: 'no-store' })).ok;
	} catch {
		return null;
	}
}
