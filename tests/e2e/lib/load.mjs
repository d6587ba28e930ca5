// Clients that call without a pause, and what became of each call.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, events, message } from './http.mjs';
import { header } from './mock.mjs';

let loads = 0;

export class Load {
	// So many clients; every second call is a stream.  pause: milliseconds
	// between two calls of a client.
	static start(team, { clients = 8, pause = 0, more = {} } = {}) {
		const load = new Load(team, ++loads, pause, more);
		load.agent = new http.Agent({ keepAlive: true });
		load.running = Array.from({ length: clients },
			() => load.#client());
		return load;
	}

	constructor(team, number, pause, more) {
		Object.assign(this, { team, number, pause, more, calls: [],
			over: false });
	}

	async #client() {
		while (!this.over) {
			await this.#one();
			if (this.pause)
				await sleep(this.pause);
		}
	}

	// The call's name is in the ledger as its session, and at the mock as
	// a header.
	async #one() {
		const name = `call-${this.number}-${this.calls.length}`;
		const one = { name, stream: this.calls.length % 2 === 0,
			at: Date.now() };
		this.calls.push(one);
		try {
			const answer = await call(this.team, message({
				stream: one.stream,
				metadata: { user_id: JSON.stringify(
					{ session_id: name }) },
				...this.more,
			}), { agent: this.agent,
				headers: { 'x-client-request-id': name } });
			one.status = answer.status;
			one.body = answer.body;
			one.id = answer.headers['request-id'];
			one.good = answer.status === 200 && answer.ended === 'end' &&
				(!one.stream ||
				events(answer.body).at(-1).event === 'message_stop');
		} catch (error) {
			one.error = error.message;
		}
		one.ended = Date.now();
	}

	get good() {
		return this.calls.filter(c => c.good);
	}

	get bad() {
		return this.calls.filter(c => c.ended && !c.good);
	}

	// No more calls; those that run end.
	async stop() {
		this.over = true;
		await Promise.all(this.running);
		this.agent.destroy();
		return this;
	}
}

// Each call against the ledger and the mock: { rows, attempts, served } by
// name.
export async function accounts(load) {
	const { team } = load;
	const rows = await team.site.ledger(team);
	const attempts = await team.site.sql(`SELECT a.*, l.session
		FROM attempt a JOIN ledger l ON l.id = a.ledger_id
		JOIN api_key k ON k.id = l.key_id WHERE k.name = '${team.name}'`);
	const served = await team.site.mock.requests(
		...team.accounts.map(a => a.secret));
	const of = new Map(load.calls.map(c => [c.name,
		{ call: c, rows: [], attempts: [], served: [] }]));
	for (const row of rows)
		of.get(row.session)?.rows.push(row);
	for (const attempt of attempts)
		of.get(attempt.session)?.attempts.push(attempt);
	for (const request of served)
		of.get(header(request, 'x-client-request-id'))?.served.push(request);
	return [...of.values()];
}

// What the budget of a team's key holds, and what its ledger says.
export async function money(team) {
	const [row] = await team.site.sql(`SELECT w.spent, w.reserved,
		b.limit_value, (SELECT sum(l.cost_nusd) FROM ledger l
		WHERE l.key_id = k.id) AS ledger,
		(SELECT sum(l.state = 0) FROM ledger l WHERE l.key_id = k.id)
		AS open
		FROM api_key k JOIN budget b ON b.scope = 'key'
		AND b.scope_id = k.id
		JOIN budget_window w ON w.budget_id = b.id
		WHERE k.name = '${team.name}'`);
	return row;
}
