// Who asks the admin routes: somebody who signed in, as a browser keeps it, or
// a script with a token.
import { request } from './http.mjs';

export const password = 'correct horse battery';

export class Person {
	constructor(site, headers = {}) {
		this.site = site;
		this.headers = headers;
	}

	// One who takes up an invitation.
	static async join(site, role, name) {
		const link = await site.leasehold(
			['user', 'invite', '--role', role]);
		const person = new Person(site);
		person.name = name;
		const answer = await person.ask('POST', '/auth/register', {
			invitation: link.trim().split('#invitation=')[1],
			name, password });
		person.#keep(answer);
		return person;
	}

	static async withToken(site, name) {
		const token = (await site.leasehold(
			['token', 'create', '--name', name])).trim();
		site.secrets.push(token);
		return new Person(site, { authorization: `Bearer ${token}` });
	}

	async signIn() {
		const { name } = this;
		this.#keep(await this.ask('POST', '/auth/login',
			{ name, password }));
	}

	#keep(answer) {
		if (!answer.headers['set-cookie'])
			throw new Error(`no sign-in: ${answer.status} ${answer.body}`);
		this.cookie = answer.headers['set-cookie'][0].split(';')[0];
		this.csrf = answer.json.csrf;
		this.site.secrets.push(this.cookie.split('=')[1]);
	}

	// The answer of a route under /api/v1, with its JSON.
	async ask(method, path, body, options = {}) {
		const answer = await request(`${this.site.url}/api/v1${path}`, {
			method, body, ...options,
			headers: {
				...this.headers,
				...this.cookie && { cookie: this.cookie },
				...this.csrf && { 'x-csrf-token': this.csrf },
				...options.headers,
			},
		});
		try {
			answer.json = JSON.parse(answer.body);
		} catch {
			answer.json = undefined;
		}
		return answer;
	}
}
