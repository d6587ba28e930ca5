// A Galera cluster of which one node takes the writes: it is lost under load,
// once for good, as far as an operator is concerned, and once for a while.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { booksBalance, health, openRows, relays, until }
	from '../e2e/lib/hosts.mjs';
import { call, stream } from '../e2e/lib/http.mjs';
import { Load } from '../e2e/lib/load.mjs';
import { Site } from '../e2e/lib/site.mjs';
import { Cluster, missing } from './lib/cluster.mjs';

const skip = await missing();
let cluster, one, two, team, other;

async function healthy(ms = 20000) {
	return until('health', async () => await health(one) === 200 &&
		await health(two) === 200, ms);
}

async function settled() {
	await until('leases to heal', async () => await openRows(one) === 0,
		30000);
}

function startLoads() {
	return [team, other].map(t => Load.start(t, { clients: 6, pause: 20 }));
}

async function stopLoads(loads) {
	await Promise.all(loads.map(load => load.stop()));
	await settled();
	for (const load of loads)
		assert.ok(load.good.length > 20, `${load.good.length} served`);
	await booksBalance(loads, { limit: 10 });
}

// What each node that runs has of the books.
async function sameEverywhere(nodes) {
	const all = () => Promise.all(nodes.map(node => node.sql(`SELECT
		(SELECT count(*) FROM ledger) AS n,
		(SELECT CAST(sum(cost_nusd) AS TEXT) FROM ledger) AS cost,
		(SELECT count(*) FROM attempt) AS attempts,
		(SELECT CAST(sum(spent) AS TEXT) FROM budget_window) AS spent`)));
	await until('the nodes to agree', async () =>
		new Set((await all()).map(r => JSON.stringify(r))).size === 1, 5000);
}

describe('one node of a cluster takes the writes', { skip }, () => {
	before(async () => {
		cluster = await Cluster.start();
		one = await Site.start({ databaseDir: cluster.nodes[0].dir,
			options: ['--store', cluster.nodes[0].store] });
		two = await Site.beside(one);
		team = await one.team(4, { concurrency: 10, priority: 10,
			keyOptions: ['--budget', '1000'] });
		other = { ...team, site: two };
		for (const { secret } of team.accounts)
			await one.mock.plan(secret, { chunks: 4, chunk_delay_ms: 20 });
	});
	after(async () => {
		await two?.stop();
		await one?.stop();
		await cluster?.stop();
	});

	test('three nodes, and the same books on each', async () => {
		assert.equal(await cluster.nodes[0].status('cluster_size'), '3');
		const loads = startLoads();
		await sleep(2000);
		await stopLoads(loads);
		for (const load of loads)
			assert.deepEqual(load.bad, []);
		await sameEverywhere(cluster.nodes);
	});

	test('it is lost under load, and the operator names another',
		{ timeout: 120000 }, async t => {
			const loads = startLoads();
			await sleep(1000);
			await cluster.nodes[0].stop('SIGKILL');
			const from = Date.now();
			await until('503', async () => await health(one) === 503 &&
				await health(two) === 503, 6000);
			assert.equal((await call(team)).status, 503);
			for (const site of [one, two]) {
				site.databaseDir = cluster.nodes[1].dir;
				await site.quickstart('--store', cluster.nodes[1].store);
			}
			await healthy();
			t.diagnostic(`away for ${Date.now() - from} ms`);
			await sleep(1500);
			// Of the old pools, if they could not settle.
			await until('the dead to be gone',
				async () => await relays(one) === 4, 40000);
			await stopLoads(loads);
			await sameEverywhere(cluster.nodes.slice(1));
		});

	test('it comes back, and has the books of the others',
		{ timeout: 90000 }, async () => {
			await cluster.nodes[0].start();
			assert.equal(await cluster.nodes[1].status('cluster_size'), '3');
			await sameEverywhere(cluster.nodes);
		});

	test('it is lost for a while: streams end well, and all heals by itself',
		{ timeout: 120000 }, async t => {
			const [, node] = cluster.nodes;
			const pids = async () => [...await one.responders(),
				...await two.responders()];
			const before = await pids();
			const loads = startLoads();
			await sleep(1000);
			const slow = await one.team(1);
			await one.mock.plan(slow.accounts[0].secret,
				{ chunks: 30, chunk_delay_ms: 100 });
			await sleep(300);
			const through = [stream(slow), stream({ ...slow, site: two })];
			await sleep(500);
			await node.stop('SIGKILL');
			await until('503', async () => await health(one) === 503 &&
				await health(two) === 503, 6000);
			for (const answer of await Promise.all(through)) {
				assert.equal(answer.status, 200);
				assert.match(answer.body, /message_stop/);
			}
			await node.start();
			t.diagnostic(`healthy ${await healthy()} ms after the node`);
			await sleep(1500);
			await stopLoads(loads);
			assert.deepEqual(await pids(), before, 'no responder ended');
			await sameEverywhere(cluster.nodes);
		});

	test('a node without the others refuses, and nothing is written there',
		{ timeout: 120000 }, async () => {
			const [first, second, third] = cluster.nodes;
			const count = async () => (await second.sql(
				'SELECT count(*) AS n FROM ledger'))[0].n;
			const before = await count();
			await Promise.all([first.stop('SIGKILL'),
				third.stop('SIGKILL')]);
			await until('503', async () => await health(one) === 503 &&
				await health(two) === 503, 30000);
			assert.equal((await call(team)).status, 503);
			await until('the node to know', async () =>
				await second.status('cluster_status') === 'non-Primary',
			30000);
			// The operator says that this one is the cluster now.
			await second.sql('SET GLOBAL wsrep_provider_options = ' +
				'\'pc.bootstrap=YES\'');
			await healthy();
			assert.equal((await call(team)).status, 200);
			await settled();
			assert.equal(await count(), before + 1);
			await first.start();
			await third.start();
			await sameEverywhere(cluster.nodes);
		});
});
