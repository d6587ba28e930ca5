// Clients that leave: how long until the upstream's connection is closed, in
// each phase of an answer, one client after the other, through nginx as a mere
// proxy and through Leasehold in turn.

import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { startFloor, startMock, startRelay } from './stand.mjs';

const silent = (at, more = {}) => ({ end: 'silent', at, ...more });

// stream:  what is asked for
// plan:    how the mock answers (tests/mock/plan.h)
// ready:   from when on the client may leave, by the mock's journal and the
//          bytes that have come
const phases = [
  { title: 'stream, before its head', stream: true, plan: silent('head'),
    ready: () => true },
  { title: 'stream, before its first byte', stream: true,
    plan: silent('first'), ready: (r) => r.head_ms },
  { title: 'stream that runs', stream: true,
    plan: { chunks: 5000, chunk_delay_ms: 20 },
    ready: (r, seen) => seen > 1500 },
  { title: 'stream that fell silent', stream: true,
    plan: silent('chunk', { chunks: 9, after: 2 }),
    ready: (r, seen) => seen > 700 },
  { title: 'plain, before its head', stream: false, plan: silent('head'),
    ready: () => true },
  { title: 'plain, within its body', stream: false,
    plan: silent('chunk', { chunks: 50 }), ready: (r) => r.first_ms },
];

const LATE_MS = 10000;
const now = () => performance.timeOrigin + performance.now();

async function control(mock, what, body) {
  const r = await fetch(`http://127.0.0.1:${mock.port}/__mock/${what}`,
    body && { method: 'POST', body: JSON.stringify(body) });
  return r.json();
}

// The journal's only request, once it fits.
async function served(mock, what, fits) {
  for (const begun = now(); now() - begun < LATE_MS; await sleep(5)) {
    const [found] = (await control(mock, 'log')).requests;
    if (found !== undefined && fits(found))
      return found;
  }
  throw new Error(`waited in vain for ${what}`);
}

async function leaveOnce(mock, side, phase) {
  await control(mock, 'reset', {});
  await control(mock, 'rules',
    { rules: [{ match: {}, then: [{ ...phase.plan, count: 0 }] }] });
  let seen = 0;
  const client = request({ host: '127.0.0.1', port: side.port, agent: false,
    method: 'POST', path: '/v1/messages', headers: {
      'x-api-key': side.key ?? 'none', 'content-type': 'application/json' } });
  client.on('error', () => {});
  client.on('response', (answer) => {
    answer.on('error', () => {});
    answer.on('data', (data) => { seen += data.length; });
  });
  client.end(JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 10000,
    stream: phase.stream, messages: [{ role: 'user', content: 'Hello' }] }));
  await served(mock, phase.title, (r) => phase.ready(r, seen));
  const left = now();
  client.destroy();
  const { ended, ended_ms: at } = await served(mock, 'the end',
    (r) => r.ended);
  if (ended !== 'client_closed')
    throw new Error(`${phase.title}: ${ended}`);
  return at - left;
}

/** Milliseconds of each try, by phase and side: [{ title, side, ms: [...] }]. */
export async function leaving(dir, { build, responders, tries }) {
  const mock = await startMock(dir, build, { name: 'left-mock',
    journal: 16 });
  const sides = {
    floor: await startFloor(dir, 'left-floor', mock.port),
    relay: await startRelay(dir, 'left', { build, responders,
      baseUrl: `http://127.0.0.1:${mock.port}`, synchronous: 'full' }),
  };
  const found = [];
  for (const phase of phases) {
    const both = Object.keys(sides).map((side) =>
      ({ title: phase.title, side, ms: [] }));
    process.stderr.write(`a client leaves: ${phase.title}\n`);
    for (let i = 0; i < tries; i++)
      for (const { side, ms } of both)
        ms.push(await leaveOnce(mock, sides[side], phase));
    found.push(...both);
  }
  return found;
}
