// Random mixed traffic: streams and plain calls, some of which the client
// leaves, to upstreams that fail in every way.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, events, message } from '../../e2e/lib/http.mjs';

// Calls, after which there are as many new plans for each account.
const planned = 100;

// What an upstream does, and how often.
const plans = [
	[12, () => ({})],
	[12, d => ({ chunks: d.int(2, 30), chunk_delay_ms: d.int(0, 15),
		head_delay_ms: d.int(0, 40) })],
	[8, d => ({ chunks: d.int(20, 40), chunk_delay_ms: d.int(40, 80) })],
	[3, d => ({ input_tokens: d.int(1, 5000), cache_read: d.int(0, 9000),
		cache_5m: d.int(0, 4000), cache_1h: d.int(0, 1000) })],
	[2, d => ({ status: d.of([500, 503, 529]) })],
	[1, () => ({ status: 429, headers: [['retry-after', '1']] })],
	[1, () => ({ end: 'reset', at: 'head' })],
	[1, () => ({ end: 'fin', at: 'first' })],
	[2, d => ({ chunks: 12, end: d.of(['fin', 'reset', 'stop',
		'error_event']), at: d.of(['chunk', 'inside']),
	after: d.int(1, 10) })],
	[1, () => ({ status: 400 })],
];

function somePlan(dice) {
	let n = dice.int(1, plans.reduce((sum, [weight]) => sum + weight, 0));
	return plans.find(([weight]) => (n -= weight) <= 0)[1](dice);
}

export class Traffic {
	// teams: who calls, in turn, with names that begin in the same way;
	// clients: that call without a pause.  What the mock knew is forgotten.
	static async start(teams, dice, { clients, prefix }) {
		const traffic = new Traffic(teams, dice, prefix);
		await teams[0].site.mock.forget();
		await traffic.#plan();
		traffic.running = Array.from({ length: clients },
			() => traffic.#client());
		return traffic;
	}

	constructor(teams, dice, prefix) {
		Object.assign(this, { teams, dice, prefix, calls: [], over: false,
			agent: new http.Agent({ keepAlive: true }) });
	}

	// Enough for the next calls, wherever they go.
	async #plan() {
		for (const team of this.teams)
			for (const { secret } of team.accounts)
				await team.site.mock.plan(secret,
					...Array.from({ length: planned }, () =>
						({ ...somePlan(this.dice), count: 1 })));
	}

	async #client() {
		while (!this.over) {
			await this.#one();
			if (this.calls.length % planned === 0)
				await this.#plan();
			await sleep(this.dice.int(0, 30));
		}
	}

	// The call's name goes to the mock as a header.
	async #one() {
		const n = this.calls.length;
		const one = { name: `${this.prefix}${n}`, stream: this.dice.chance(0.6),
			leaves: this.dice.chance(0.2) };
		const leave = new AbortController();
		const timer = one.leaves &&
			setTimeout(() => leave.abort(), this.dice.int(0, 400));
		const team = this.teams[n % this.teams.length];
		this.calls.push(one);
		try {
			const answer = await call(team, message({
				stream: one.stream,
				max_tokens: this.dice.int(50, 2000),
				metadata: { user_id: JSON.stringify(
					{ session_id: one.name }) },
			}), {
				agent: this.agent, signal: leave.signal,
				headers: { 'x-client-request-id': one.name },
			});
			one.status = answer.status;
			one.good = answer.status === 200 && answer.ended === 'end' &&
				(!one.stream ||
				events(answer.body).at(-1).event === 'message_stop');
		} catch (error) {
			one.error = error.code ?? error.name;
		} finally {
			clearTimeout(timer);
		}
	}

	count(fits) {
		return this.calls.filter(fits).length;
	}

	// No more calls; those that run end.
	async stop() {
		this.over = true;
		await Promise.all(this.running);
		this.agent.destroy();
	}
}
