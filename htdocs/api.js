// Asking the admin routes.  The path of the page is "MOUNT/admin/", whatever
// the mount is.
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

// Resolves to the answer's body; rejects with an ApiError, whose status is 0
// if there was no answer.
export async function call(method, path, body) {
	const headers = {};
	if (body !== undefined)
		headers['content-type'] = 'application/json';
	if (csrf)
		headers['x-csrf-token'] = csrf;
	let answer, said;
	try {
		answer = await fetch(base + path, { method, headers,
			body: body === undefined ? undefined : JSON.stringify(body),
			cache: 'no-store', credentials: 'same-origin' });
		said = await answer.json();
	} catch {
		throw new ApiError(answer?.status ?? 0, 0, '');
	}
	if (!answer.ok)
		throw new ApiError(answer.status, said.code, said.error,
			answer.headers.get('retry-after'));
	if (said.csrf)
		setCsrf(said.csrf);
	return said;
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
