// What requests cost that wait for a slot: all slots are held, some hundreds of
// others wait, nothing happens, and the CPU time of the responders is taken;
// beside it that of the same pool when nobody waits.

import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { cpu, cpuBetween } from './proc.mjs';
import { startMariadb, startMock, startRelay, tell } from './stand.mjs';

const SLOTS = 4;

function ask(side, agent) {
  const client = request({ host: '127.0.0.1', port: side.port, agent,
    method: 'POST', path: '/v1/messages', headers: { 'x-api-key': side.key,
      'content-type': 'application/json' } });
  let answered = false;
  client.on('response', (answer) => { answered = true; answer.resume(); });
  client.on('error', () => {});
  client.end(JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 1000,
    stream: true, messages: [{ role: 'user', content: 'Hello' }] }));
  return { leave: () => client.destroy(), answered: () => answered };
}

async function until(what, fits) {
  for (let i = 0; i < 300; i++, await sleep(100))
    if (await fits())
      return;
  throw new Error(`waited in vain for ${what}`);
}

async function used(groups, seconds) {
  const before = groups.map(([, pids]) => cpu(pids));
  await sleep(seconds * 1000);
  return Object.fromEntries(groups.map(([name, pids], i) => {
    const { us, switches } = cpuBetween(before[i], cpu(pids));
    return [name, { percent: us / seconds / 1e4,
      switches: switches / seconds }];
  }));
}

async function measure(mock, side, { store, waiting, seconds }) {
  const groups = [['responders', side.responders()]];
  if (side.database !== undefined)
    groups.push(['database', side.database()]);
  const idle = await used(groups, seconds);
  await tell(mock, 'reset', {});
  await tell(mock, 'rules', { rules: [{ match: {},
    then: [{ end: 'silent', at: 'head', count: 0 }] }] });
  const agent = new Agent({ maxSockets: Infinity });
  const clients = [];
  const join = async (n, what, fits) => {
    for (let i = 0; i < n; i++)
      clients.push(ask(side, agent));
    await until(what, async () => fits(await side.status()));
  };
  await join(SLOTS, 'the slots to be held', (s) =>
    s.open_requests === SLOTS && s.queue.waiting === 0);
  await join(waiting, 'all to wait', (s) => s.queue.waiting === waiting);
  await sleep(2000);
  const busy = await used(groups, seconds);
  const lost = clients.filter((c) => c.answered()).length;
  clients.forEach((c) => c.leave());
  await until('all to be gone', async () =>
    (await side.status()).queue.waiting === 0);
  return { store, waiting, idle, busy, lost };
}

/** [{ store, waiting, idle: { responders, database }, busy, lost }] */
export async function waiting(dir, { build, responders, store, quick }) {
  const mock = await startMock(dir, build, { name: 'wait-mock' });
  const params = { build, responders, accounts: 1, slots: SLOTS,
    baseUrl: `http://127.0.0.1:${mock.port}`, synchronous: 'full',
    more: 'queue_timeout_s = 600\n' };
  const how = { waiting: 500, seconds: quick ? 3 : 10 };
  const found = [];
  if (store !== 'mysql') {
    process.stderr.write('500 wait: SQLite\n');
    found.push(await measure(mock, await startRelay(dir, 'wait', params),
      { ...how, store: 'SQLite' }));
  }
  const server = store === 'sqlite' ? undefined : await startMariadb(dir);
  if (server !== undefined) {
    process.stderr.write('500 wait: MariaDB\n');
    found.push(await measure(mock, await startRelay(dir, 'wait_mysql',
      { ...params, server }), { ...how, store: 'MariaDB' }));
  }
  return found;
}
