// The benchmark: nginx as a mere proxy to the mock upstream (the floor), and
// nginx with responders in between, in turn, several rounds, on one machine.

import { spawn } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync,
  writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { measureAdmission } from './admission.mjs';
import { leaving } from './leaving.mjs';
import { cpu, cpuBetween, memory } from './proc.mjs';
import { median, report } from './report.mjs';
import { scenarios } from './scenarios.mjs';
import { canCount, countCalls } from './syscalls.mjs';
import { missing, startFloor, startMariadb, startMock, startRelay, startTls,
  stopAll, tell } from './stand.mjs';
import { waiting } from './waiting.mjs';

const usage = `usage: tests/bench/run [options]
  --build DIR      where Leasehold was built (.)
  --dir DIR        where databases and sockets go (a new one under $TMPDIR)
  --rounds N       how often each is measured (5)
  --responders N   relay responders (2)
  --only A,B       these scenarios alone (and "leaving": clients that leave,
                   "waiting": requests that wait for a slot)
  --sides A,B      these alone of floor, relay, normal, single, none, five,
                   thousand, mysql, noneMysql, fiveMysql, pair, floorTls, relayTls
  --store NAME     sqlite: nothing on MariaDB; mysql: what is measured on
                   MariaDB, and SQLite beside it
  --quick          one round of few requests: about a minute
  --json FILE      all figures, also those of each round
  --list           the scenarios
`;

function options() {
  const { values } = parseArgs({ options: {
    build: { type: 'string', default: '.' },
    dir: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    responders: { type: 'string', default: '2' },
    only: { type: 'string' },
    sides: { type: 'string' },
    store: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } });
  const names = (text) => text?.split(',');
  if (![undefined, 'sqlite', 'mysql'].includes(values.store))
    throw new Error(`--store ${values.store}: sqlite or mysql`);
  return { ...values, build: resolve(values.build), only: names(values.only), sides: names(values.sides),
    rounds: values.quick ? 1 : Number(values.rounds),
    responders: Number(values.responders) };
}

// Milliseconds that an append of a few pages takes to be on the disk: what
// a commit of SQLite with synchronous=FULL waits for.
function durableMs(dir) {
  const fd = openSync(join(dir, 'durable'), 'w');
  const pages = Buffer.alloc(4 * 4120);
  const took = [];
  for (let i = 0; i < 200; i++) {
    const begun = process.hrtime.bigint();
    writeSync(fd, pages);
    fdatasyncSync(fd);
    took.push(Number(process.hrtime.bigint() - begun) / 1e6);
  }
  closeSync(fd);
  return median(took);
}

// Longer than the load generator's own bound.
const LOAD_MS = 150000;

// Two pools at once: the slower one's times, and the sum of what was done.
async function loadPair(build, side, opts) {
  const both = await Promise.all([side, side.peer].map((each) =>
    load(build, { ...each, peer: undefined }, opts)));
  const merged = { ...both[0] };
  side.sent = (side.sent ?? 0) + 2 * Number(opts.requests);
  for (const name of Object.keys(merged))
    merged[name] = /^(p|first_)/.test(name) ?
      Math.max(...both.map((r) => r[name])) :
      both.reduce((n, r) => n + r[name], 0);
  return merged;
}

// Run the load generator, and keep count of what the side was sent; ${opened} is called once every stream is open.
function load(build, side, opts, opened) {
  if (side.peer !== undefined)
    return loadPair(build, side, opts);
  side.sent = (side.sent ?? 0) + Number(opts.requests);
  const argv = ['--port', side.port, '--key', side.key ?? 'none'];
  for (const [name, value] of Object.entries(opts))
    argv.push(...(value === true ? [`--${name}`] : [`--${name}`, value]));
  return new Promise((resolve, reject) => {
    const child = spawn(join(build, 'tests/bench/load'), argv.map(String),
      { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (data) => {
      out += data;
      if (out.startsWith('open\n')) {
        out = out.slice(5);
        opened?.();
      }
    });
    const timer = setTimeout(() => child.kill('SIGABRT'), LOAD_MS);
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      try {
        resolve(JSON.parse(out));
      } catch {
        reject(new Error('the load generator gave up'));
      }
    });
  });
}

async function setPlan(mock, plan) {
  await tell(mock, 'reset', {});
  await tell(mock, 'rules', {
    rules: [{ match: {}, then: [{ ...plan, count: 0 }] }] });
}

function groupsOf(side, stand) {
  const groups = { nginx: side.nginx ?? side.pids, mock: stand.mock.pids };
  if (side.responders !== undefined)
    groups.responders = side.responders;
  if (side.tls)
    groups.tls = stand.tls.pids;
  if (side.database !== undefined)
    groups.database = side.database;
  return Object.entries(groups).map(([name, pids]) => [name, pids()]);
}

const each = (groups, f) =>
  Object.fromEntries(groups.map(([name, pids]) => [name, f(pids, name)]));

// One scenario on one side, once.
async function measure(o, stand, scenario, side) {
  const opts = { ...scenario.load, ...(o.quick ? scenario.quick : {}) };
  if (scenario.expect !== undefined)
    Object.assign(opts, { stream: true, events: scenario.expect });
  if (scenario.announce)
    opts.announce = true;
  else
    await load(o.build, side, { ...opts, requests: opts.connections,
      ramp: 0 });
  const groups = groupsOf(side, stand);
  const before = each(groups, cpu);
  let open;
  const r = await load(o.build, side, opts, () => {
    open = each(groups, memory);
  });
  await sleep(150);	// what settles after the answer counts too
  const used = each(groups, (pids, name) => cpuBetween(before[name], cpu(pids)));
  return { ...r, open, connections: opts.connections,
    cpu: { ...each(groups, (_, name) => used[name].us / r.requests),
      load: r.cpu_us / r.requests },
    switches: each(groups, (_, name) => used[name].switches / r.requests),
    threads: used.responders?.threads,
    responders: groups.find(([name]) => name === 'responders')?.[1].length };
}

// Start what the scenarios need; sides that never appear are not started.
async function makeStand(o, dir, wanted) {
  const relay = { build: o.build, responders: o.responders };
  const stand = { mock: await startMock(dir, o.build), sides: {} };
  const plainUrl = `http://127.0.0.1:${stand.mock.port}`;
  if (wanted.has('floorTls') || wanted.has('relayTls'))
    stand.tls = await startTls(dir, stand.mock.port);
  const tlsUrl = `https://127.0.0.1:${stand.tls?.port}`;
  const server = [...wanted].some(onMariadb) ? await startMariadb(dir) :
    undefined;
  if (wanted.has('pair'))
    stand.server = server;
  const makers = {
    floor: () => startFloor(dir, 'floor', stand.mock.port),
    relay: () => startRelay(dir, 'relay', { ...relay, baseUrl: plainUrl,
      synchronous: 'full' }),
    single: () => startRelay(dir, 'single', { ...relay, responders: 1,
      baseUrl: plainUrl, synchronous: 'full' }),
    normal: () => startRelay(dir, 'normal', { ...relay, baseUrl: plainUrl,
      synchronous: 'normal' }),
    thousand: () => startRelay(dir, 'thousand', { ...relay,
      baseUrl: plainUrl, synchronous: 'full', accounts: 1000, slots: 10 }),
    none: () => startRelay(dir, 'none', { ...relay, baseUrl: plainUrl,
      synchronous: 'full', budgets: 0 }),
    five: () => startRelay(dir, 'five', { ...relay, baseUrl: plainUrl,
      synchronous: 'full', budgets: 5 }),
    mysql: () => startRelay(dir, 'mysql', { ...relay, baseUrl: plainUrl,
      server }),
    noneMysql: () => startRelay(dir, 'none_mysql', { ...relay,
      baseUrl: plainUrl, server, budgets: 0 }),
    fiveMysql: () => startRelay(dir, 'five_mysql', { ...relay,
      baseUrl: plainUrl, server, budgets: 5 }),
    pair: async () => {
      const pair = { ...relay, baseUrl: plainUrl, server, accounts: 4,
        slots: 10 };
      const first = await startRelay(dir, 'pair', pair);
      const peer = await startRelay(dir, 'peer', { ...pair, beside: first });
      return { ...first, peer,
        nginx: () => [...first.nginx(), ...peer.nginx()],
        responders: () => [...first.responders(), ...peer.responders()] };
    },
    floorTls: async () => ({ tls: true,
      ...await startFloor(dir, 'floor-tls', stand.tls.port, true) }),
    relayTls: async () => ({ tls: true,
      ...await startRelay(dir, 'relay-tls', { ...relay, baseUrl: tlsUrl,
        synchronous: 'full', ca: join(dir, 'tls.crt') }) }),
  };
  for (const [name, make] of Object.entries(makers))
    if (wanted.has(name) && (server !== undefined || !onMariadb(name)))
      stand.sides[name] = await make();
  if (server === undefined && [...wanted].some(onMariadb))
    process.stderr.write('there is no MariaDB here\n');
  return stand;
}

const onMariadb = (side) => ['mysql', 'noneMysql', 'fiveMysql', 'pair']
  .includes(side);

function plan(o) {
  return scenarios
    .filter((s) => o.only === undefined || o.only.includes(s.name))
    .filter((s) => o.store !== 'mysql' || s.sides.some(onMariadb))
    .map((s) => ({ ...s, sides: s.sides.filter((side) =>
      (o.sides === undefined || o.sides.includes(side)) &&
      (o.store !== 'sqlite' || !onMariadb(side)) &&
      (o.store !== 'mysql' || onMariadb(side) ||
        ['floor', 'relay'].includes(side))) }))
    .filter((s) => s.sides.length > 0);
}

const wantsLeaving = (o) => o.store !== 'mysql' && o.sides === undefined &&
  (o.only === undefined || o.only.includes('leaving'));

const wantsWaiting = (o) => o.sides === undefined &&
  (o.only === undefined || o.only.includes('waiting'));

const idleMemory = (stand) =>
  Object.fromEntries(Object.entries(stand.sides).map(([name, side]) =>
    [name, each(groupsOf(side, stand), (pids) => ({ ...memory(pids),
      processes: pids.length }))]));

// System calls a request, of nginx alone and of the responders.
async function syscalls(o, stand) {
  const opts = { connections: 64, requests: o.quick ? 2000 : 6000 };
  const found = {};
  if (!canCount())
    return undefined;
  await setPlan(stand.mock, { chunks: 20 });
  for (const [name, side] of Object.entries(stand.sides)) {
    if (!['floor', 'relay', 'single', 'mysql'].includes(name))
      continue;
    process.stderr.write(`system calls: ${name}\n`);
    await load(o.build, side, { ...opts, requests: 64 });
    const { calls, result } = await countCalls((side.responders ??
      side.pids)(), () => load(o.build, side, opts));
    found[name] = Object.fromEntries(Object.entries(calls).map(([call, n]) =>
      [call, n / result.requests]));
  }
  return found;
}

async function run(o, dir) {
  const todo = plan(o);
  const stand = await makeStand(o, dir, new Set(todo.flatMap((s) => s.sides)));
  await sleep(2000);	// snapshots, beats: what an idle responder does
  const idle = idleMemory(stand);
  const runs = [];
  const durable = [];
  for (let round = 0; round < o.rounds; round++) {
    durable.push(durableMs(dir));
    for (const scenario of todo) {
      if (round > 0 && scenario.once)
        continue;
      await setPlan(stand.mock, scenario.plan);
      for (const side of scenario.sides.filter((s) => stand.sides[s])) {
        process.stderr.write(`round ${round + 1}: ${scenario.name} ${side}\n`);
        runs.push({ scenario: scenario.name, side, round,
          ...await measure(o, stand, scenario, stand.sides[side]) });
      }
    }
  }
  const admission = stand.server === undefined ? undefined :
    await measureAdmission({ build: o.build, rounds: o.rounds, hold: 50,
      requests: o.quick ? 300 : 1000, atOnce: [16, 64] }, dir, stand.server);
  const calls = await syscalls(o, stand);
  const after = idleMemory(stand);
  const left = wantsLeaving(o) ? await leaving(dir, { build: o.build,
    responders: o.responders, tries: o.quick ? 15 : 100 }) : [];
  const waited = wantsWaiting(o) ? await waiting(dir, { build: o.build,
    responders: o.responders, store: o.store, quick: o.quick }) : [];
  await sleep(500);
  const ledgers = Object.fromEntries(Object.entries(stand.sides)
    .filter(([, side]) => side.ledger !== undefined)
    .map(([name, side]) => [name, { sent: side.sent, ...side.ledger() }]));
  return { idle, after, runs, admission, calls, ledgers, left,
    waited, durable_ms: median(durable) };
}

function machine() {
  const info = readFileSync('/proc/cpuinfo', 'utf8');
  return { cpu: info.match(/model name\s*:\s*(.*)/)?.[1] ?? 'unknown',
    cores: info.match(/^processor/gm).length,
    kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim() };
}

async function main() {
  const o = options();
  if (o.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (o.list) {
    for (const s of scenarios)
      process.stdout.write(`${s.name.padEnd(14)} ${s.title}\n`);
    process.stdout.write(`${'leaving'.padEnd(14)} clients that leave\n`);
    process.stdout.write(`${'waiting'.padEnd(14)} requests that wait\n`);
    return 0;
  }
  const absent = missing(o.build);
  if (absent.length > 0)
    throw new Error(`not in ${o.build}: ${absent.join(', ')} (make first)`);
  const dir = o.dir ?? mkdtempSync(join(tmpdir(), 'leasehold-bench-'));
  try {
    const result = { when: new Date().toISOString(), machine: machine(),
      rounds: o.rounds, quick: o.quick, ...await run(o, dir) };
    if (o.json !== undefined)
      writeFileSync(o.json, `${JSON.stringify(result, null, 1)}\n`);
    process.stdout.write(report(result));
  } finally {
    await stopAll();
    if (o.dir === undefined)
      rmSync(dir, { recursive: true, force: true });
  }
  return 0;
}

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    await stopAll();
    process.exit(130);
  });

main().then((code) => {
  process.exitCode = code;
}, async (e) => {
  await stopAll();
  process.stderr.write(`bench: ${e.message}\n`);
  process.exitCode = 1;
});
