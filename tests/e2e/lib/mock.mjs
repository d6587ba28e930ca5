// The mock upstream (tests/mock): start it, tell it how to answer, ask what
// it was sent.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export class Mock {
	static async start(program, port = 0) {
		const child = spawn(program,
			['--control', '--journal', '40000',
				'--listen', `127.0.0.1:${port}`],
			{ stdio: ['ignore', 'pipe', 'inherit'] });
		await once(child, 'spawn');
		const [line] = await once(child.stdout, 'data');
		return new Mock(child, Number(String(line)));
	}

	constructor(child, port) {
		this.child = child;
		this.port = port;
		this.url = `http://127.0.0.1:${port}`;
	}

	async stop() {
		if (this.child.exitCode !== null)
			return this.child.exitCode;
		this.child.kill('SIGTERM');
		const [code] = await once(this.child, 'exit');
		return code;
	}

	async #call(path, body) {
		const answer = await fetch(`${this.url}/__mock/${path}`,
			body && { method: 'POST', body: JSON.stringify(body) });
		const json = await answer.json();
		if (!answer.ok)
			throw new Error(`mock: ${json.error}`);
		return json;
	}

	// For this credential: these plans in turn (see tests/mock/plan.h).
	plan(credential, ...then) {
		return this.planFor({ credential }, ...then);
	}

	// For what matches in all of credential, model and path.  The first rule
	// that fits counts.
	planFor(match, ...then) {
		return this.#call('rules', { rules: [{ match, then }] });
	}

	// All requests so far, and what was planned.
	forget() {
		return this.#call('reset', {});
	}

	keepBodies() {
		return this.#call('keep', { bodies: true });
	}

	// All batches end now.
	endBatches() {
		return this.#call('end', {});
	}

	// Batches and files: id, credential, file.
	async objects() {
		return (await this.#call('objects')).objects;
	}

	// Requests with one of these credentials; all without argument.
	async requests(...credentials) {
		const { requests } = await this.#call('log');
		return requests.filter(r => credentials.length === 0 ||
			credentials.includes(r.credential));
	}

	async counters() {
		return (await this.#call('log?since=999999999')).credentials;
	}

	// Wait until a request fits, and return it.
	async waitFor(what, credential, fits, ms = 5000) {
		const until = Date.now() + ms;
		for (;;) {
			const found = (await this.requests(credential)).find(fits);
			if (found)
				return found;
			if (Date.now() > until)
				throw new Error(`mock: waited in vain for ${what}`);
			await sleep(10);
		}
	}
}

// The header lines of a request as the mock received them, in order.
export function headerLines(request) {
	return request.head.split('\r\n').slice(1, -2).map(line => {
		const colon = line.indexOf(':');
		return [line.slice(0, colon).toLowerCase(),
			line.slice(colon + 1).trim()];
	});
}

export function header(request, name) {
	return headerLines(request).find(([n]) => n === name)?.[1];
}
