// A token endpoint that changes the refresh token each time, and does not
// forgive one that comes twice: from then on the whole family is void, as
// providers do it.  It tells apart what was shown again although its successor
// had been handed over, from what was shown again because nobody ever got the
// successor (killed, or cut off, after the change): the one window that no
// client can close.  kills are times at which a test killed a process, or
// { at, family } where it is known whose tokens that was renewing.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export class Tokens {
	static async start(options) {
		const tokens = new Tokens(options);
		tokens.server = http.createServer((q, a) => tokens.#serve(q, a));
		tokens.server.listen(0, '127.0.0.1');
		await once(tokens.server, 'listening');
		tokens.port = tokens.server.address().port;
		tokens.url = `http://127.0.0.1:${tokens.port}/token`;
		return tokens;
	}

	// lifetime: expires_in of what is handed out, in seconds.  mood: called
	// with each renewal, says what happens: { status, cut, before_ms,
	// after_ms, lose }.
	constructor({ lifetime = 3600, mood = () => ({}) } = {}) {
		Object.assign(this, { lifetime, mood, families: new Map(),
			codes: new Map(), shown: new Map(), asked: 0, renewed: 0,
			failed: 0, reused: 0, window: 0, questions: [],
			kills: [],
			reuses: [] });
	}

	async stop() {
		this.server.closeAllConnections();
		this.server.close();
		await once(this.server, 'close');
	}

	// A family's first pair, or that of a new sign-in, whose names are new.
	pair(family) {
		const n = this.families.get(family)?.n ?? 0;
		this.families.set(family, { n, void: false });
		return this.#next(family);
	}

	#next(family) {
		const f = this.families.get(family);
		f.n++;
		f.refresh = `rt-${family}-${f.n}-${randomBytes(6).toString('hex')}`;
		f.access = `at-${family}-${f.n}`;
		this.shown.set(f.refresh, { family, used: false, delivered: 0,
			again: 0 });
		return { access_token: f.access, refresh_token: f.refresh,
			token_type: 'bearer', expires_in: this.lifetime };
	}

	current(family) {
		return this.families.get(family).access;
	}

	// As the page of the provider would: the code that it leads to.
	authorize(address, family) {
		const q = new URL(address).searchParams;
		const code = `code-${randomBytes(6).toString('hex')}`;
		this.codes.set(code, { family, challenge: q.get('code_challenge'),
			client: q.get('client_id'), uri: q.get('redirect_uri') });
		return { code, state: q.get('state'), query: q };
	}

	// Who asked for its successor was killed as that was sent: just before,
	// which is not noticed at once, or before it can have been kept.  A kill
	// that is known to be of the family's excuses one, and takes longer.
	#killed({ delivered, family }) {
		const i = this.kills.findIndex(k => k.family === undefined ?
			Math.abs(k - delivered) < 300 : k.family === family &&
			!k.excused && Math.abs(k.at - delivered) < 2000);
		if (i >= 0 && this.kills[i].family !== undefined)
			this.kills[i].excused = true;
		return i >= 0;
	}

	async #serve(q, a) {
		let body = '';
		for await (const d of q)
			body += d;
		const json = q.headers['content-type'] === 'application/json';
		const given = json ? JSON.parse(body) :
			Object.fromEntries(new URLSearchParams(body));
		this.questions.push(given);
		if (given.grant_type === 'authorization_code')
			this.#exchange(given, a);
		else
			await this.#renew(given, a);
	}

	#say(a, status, json) {
		a.writeHead(status, { 'content-type': 'application/json' });
		a.end(JSON.stringify(json));
	}

	#exchange(given, a) {
		const c = this.codes.get(given.code);
		this.codes.delete(given.code);
		const challenge = createHash('sha256')
			.update(given.code_verifier ?? '').digest('base64url');
		if (!c || c.challenge !== challenge || c.client !== given.client_id ||
			c.uri !== given.redirect_uri)
			this.#say(a, 400, { error: 'invalid_grant' });
		else
			this.#say(a, 200, this.pair(c.family));
	}

	async #renew(given, a) {
		const token = this.shown.get(given.refresh_token);
		const family = token && this.families.get(token.family);
		const mood = this.mood(token?.family);
		this.asked++;
		await sleep(mood.before_ms ?? 0);
		if (a.destroyed || a.socket?.destroyed) {
			this.failed++;
			return;
		}
		if (mood.cut || mood.status) {
			this.failed++;
			if (mood.cut)
				a.destroy();
			else
				this.#say(a, mood.status, { error: 'server_error' });
			return;
		}
		if (!token || token.used || family.void) {
			if (token)
				token.again++;
			if (token?.used && token.delivered && !this.#killed(token))
				this.reused++, this.reuses.push({ family: token.family,
					delivered: token.delivered, again: Date.now() });
			else if (token?.used)
				this.window++;
			if (family)
				family.void = true;
			this.#say(a, 400, { error: 'invalid_grant' });
			return;
		}
		token.used = true;
		const old = family.access;
		const pair = this.#next(token.family);
		this.renewed++;
		await this.onRenewed?.(token.family, old, pair.access_token);
		await sleep(mood.after_ms ?? 0);
		if (mood.lose || a.destroyed || a.socket?.destroyed) {
			a.destroy();
			return;
		}
		token.delivered = Date.now();
		this.#say(a, 200, pair);
	}
}
