// What the three web servers cost and notice, in turn, in front of one pool:
// the table of README.md.  Each has what conf/ ships for it, without access logs.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync }
  from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { cpu, cpuBetween, descendants } from './proc.mjs';
import { answers, freePort, makeHost, missing, start, startMock, startPool,
  stopAll, tell } from './stand.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const PING_MS = 1000;
const MB = 1 << 20;
const now = () => performance.timeOrigin + performance.now();

const usage = `usage: tests/bench/run servers [options]
  --build DIR      where Leasehold was built (.)
  --rounds N       how often each is measured (3)
  --responders N   relay responders (2)
  --silence S      seconds that an upstream is silent (75)
  --quick          one round, few requests, a silence of 3 s
`;

// ---- the servers ----

const asUser = process.getuid() === 0 ? ['setpriv', '--reuid=www-data',
  '--regid=www-data', '--clear-groups', '--inh-caps=+dac_override',
  '--ambient-caps=+dac_override'] : [];
const kinds = {
  nginx: { main: 'nginx.conf', run: (file, dir) => ['nginx', '-e',
    join(dir, 'error.log'), '-g', 'daemon off;', '-c', file] },
  apache: { main: 'apache.conf', run: (file) => [...asUser,
    '/usr/sbin/apache2', '-DFOREGROUND', '-f', file] },
  caddy: { main: 'Caddyfile', run: (file, dir) => ['/usr/bin/env',
    `XDG_DATA_HOME=${dir}`, `XDG_CONFIG_HOME=${dir}`, 'caddy', 'run',
    '--adapter', 'caddyfile', '--config', file] },
};

// One of them, on a port; ${edit} changes what it is shipped with.
async function startServer(dir, kind, host, { name = kind,
  edit = (text) => text } = {}) {
  const port = await freePort();
  const home = join(dir, name);
  mkdirSync(join(home, kind), { recursive: true });
  const fills = { mount: '', listen: `127.0.0.1:${port}`, port,
    server_name: 'localhost', relay_socket: host.socket,
    admin_socket: join(host.home, 'admin.sock'), htdocs: home,
    conf_dir: home, run_dir: home, log_dir: home, keepalive_s: 5,
    apache_modules: '/usr/lib/apache2/modules',
    user_line: process.getuid() === 0 ? 'user root;' : '' };
  const from = join(here, '../../conf', kind);
  for (const file of readdirSync(from).filter((f) => f.endsWith('.in')))
    writeFileSync(join(home, kind, file.slice(0, -3)),
      edit(readFileSync(join(from, file), 'utf8')
        .replace(/@(\w+)@/g, (word, known) => fills[known] ?? word)
        .replace(/^\s*(?:access_log|CustomLog) .*$/gm, '')));
  const child = start(dir, name, kinds[kind].run(
    join(home, kind, kinds[kind].main), home));
  await answers({ port, host: '127.0.0.1' }, name);
  return { name: kind, port, key: host.key,
    pids: () => [child.pid, ...descendants(child.pid)] };
}

// ---- what is measured ----

function load(build, side, options) {
  const argv = ['--port', side.port, '--key', side.key ?? 'none', ...options];
  return new Promise((done, fail) => {
    const child = spawn(join(build, 'tests/bench/load'), argv.map(String),
      { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (data) => { out += data; });
    child.once('close', () => {
      try {
        done(JSON.parse(out));
      } catch {
        fail(new Error(`${side.name}: the load generator gave up`));
      }
    });
  });
}

async function plan(mock, how) {
  await tell(mock, 'reset', {});
  await tell(mock, 'rules', { rules: [{ match: {},
    then: [{ ...how, count: 0 }] }] });
}

// A request; what came of it, and when.
function ask(side, { stream = false, pad = 0, onData = () => {} } = {}) {
  const begun = now();
  const client = request({ host: '127.0.0.1', port: side.port, agent: false,
    method: 'POST', path: '/v1/messages', headers: {
      'x-api-key': side.key ?? 'none', 'content-type': 'application/json' } });
  const over = new Promise((done) => {
    const end = (status, whole) => done({ status, whole, ms: now() - begun });
    client.on('error', () => end(0, false));
    client.on('response', (answer) => {
      answer.on('data', onData);
      answer.on('end', () => end(answer.statusCode, true));
      answer.on('error', () => end(answer.statusCode, false));
    });
  });
  client.end(JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 10000,
    stream, messages: [{ role: 'user', content: 'Hello'.padEnd(pad, 'x') }] }));
  return { over, leave: () => client.destroy() };
}

async function journal(mock, what, fits, ms) {
  for (const begun = now(); now() - begun < ms; await sleep(2)) {
    const { requests } = await (await fetch(
      `http://127.0.0.1:${mock.port}/__mock/log`)).json();
    if (requests[0] !== undefined && fits(requests[0]))
      return requests[0];
  }
  return undefined;
}

// Milliseconds until the upstream's connection is closed, or undefined: it was
// not, while the upstream was silent.
async function leaving(mock, side, { stream, how, ready, patience }) {
  await plan(mock, how);
  let seen = 0;
  const { leave } = ask(side, { stream, onData: (d) => { seen += d.length; } });
  await journal(mock, 'the phase', (r) => ready(r, seen), 10000);
  const left = now();
  leave();
  const found = await journal(mock, 'its end', (r) => r.ended, patience);
  return found?.ended === 'client_closed' ? found.ended_ms - left : undefined;
}

const leavings = {
  running: { stream: true, how: { chunks: 5000, chunk_delay_ms: 20 },
    ready: (r, seen) => seen > 1500, patience: 10000 },
  silent: { stream: true,
    how: { end: 'silent', at: 'chunk', chunks: 9, after: 2 },
    ready: (r, seen) => seen > 700, patience: 6 * PING_MS },
  plain: { stream: false, how: { head_delay_ms: 4000 }, ready: () => true,
    patience: 3500 },
};

async function largest(mock, side, sizes) {
  let passed = 0;
  await plan(mock, {});
  for (const size of sizes) {
    if ((await ask(side, { pad: size * MB }).over).status !== 200)
      break;
    passed = size;
  }
  return passed;
}

// ---- the run ----

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

async function measureRound(o, mock, sides, found) {
  const n = o.quick ? 200 : 1000;
  for (const side of sides) {
    process.stderr.write(`${side.name} `);
    const of = found[side.name] ??= { first: [], rps: [], us: [],
      running: [], silent: [], plain: [] };
    await plan(mock, { chunks: 3 });
    of.first.push((await load(o.build, side, ['--requests', n,
      '--connections', 1, '--stream', '--events', 3])).first_p50_us / 1000);
    await plan(mock, { chunks: 20 });
    const before = side.pids && cpu(side.pids());
    const many = await load(o.build, side, ['--requests', 8 * n,
      '--connections', 32]);
    of.rps.push(many.rps);
    if (before)
      of.us.push(cpuBetween(before, cpu(side.pids())).us / (8 * n));
    for (const [name, how] of Object.entries(leavings))
      of[name].push(await leaving(mock, side, how));
  }
  process.stderr.write('\n');
}

async function measure(o, dir) {
  const mock = await startMock(dir, o.build, { journal: 16 });
  const host = makeHost(dir, 'host', { build: o.build,
    baseUrl: `http://127.0.0.1:${mock.port}`, accounts: 3, slots: 1000,
    more: `ping_interval_s = ${PING_MS}ms\nbody_max_bytes = 256M\n` +
      'bodies_max_bytes = 1G\n' });
  await startPool(dir, 'pool', o, host);
  const found = {}, limits = {};
  const sides = [{ name: 'direct', port: mock.port }];
  for (const kind of Object.keys(kinds))
    sides.push(await startServer(dir, kind, host));
  for (let i = 0; i < o.rounds; i++)
    await measureRound(o, mock, sides, found);
  for (const side of sides.slice(1)) {
    const { name } = side;
    limits[name] = { body: await largest(mock, side,
      [2, 8, 32]) };
  }
  await plan(mock, { head_delay_ms: o.silence * 1000 });
  await Promise.all(sides.slice(1).map(async (side) => {
    limits[side.name].silence = await ask(side).over;
  }));
  // What the server does when it is over, with 2 seconds in place of an hour.
  const edit = (text) => text.replace(/\b(1h|3600)\b/g,
    (hour) => hour === '1h' ? '2s' : '2');
  const short = [];
  for (const kind of Object.keys(kinds))
    short.push(await startServer(dir, kind, host,
      { name: `short-${kind}`, edit }));
  await plan(mock, { head_delay_ms: 5000 });
  await Promise.all(short.map(async (side) => {
    limits[side.name].over = await ask(side).over;
  }));
  return { found, limits };
}

function report(o, { found, limits }) {
  const names = Object.keys(kinds);
  const of = (name, what) => median(found[name][what]);
  const spread = (list) => list.includes(undefined) ? 'not before the answer' :
    `${median(list).toFixed(1)} (${Math.max(...list).toFixed(0)})`;
  const rows = [
    ['first byte of a stream, ms (upstream directly: ' +
      `${of('direct', 'first').toFixed(2)})`,
    (n) => of(n, 'first').toFixed(2)],
    ['... added to the upstream\'s', (n) =>
      (of(n, 'first') - of('direct', 'first')).toFixed(2)],
    ['requests/s, small, 32 at once (directly: ' +
      `${of('direct', 'rps').toFixed(0)})`, (n) => of(n, 'rps').toFixed(0)],
    ['... to nginx', (n) => (of(n, 'rps') / of('nginx', 'rps')).toFixed(2)],
    ['CPU µs a request in the web server', (n) => of(n, 'us').toFixed(0)],
    ['a client leaves a running stream: ms until the upstream is cut, ' +
      'median (longest)', (n) => spread(found[n].running)],
    [`... a silent stream, pinged each ${PING_MS} ms`,
      (n) => spread(found[n].silent)],
    ['... a call that is no stream', (n) => spread(found[n].plain)],
    ['largest body that was tried and passed, MB', (n) => limits[n].body],
    [`an upstream silent for ${o.silence} s: status, s`, (n) =>
      `${limits[n].silence.status}, ` +
      `${(limits[n].silence.ms / 1000).toFixed(1)}`],
    ['silent for 5 s where 2 s stand in place of an hour: status, s', (n) =>
      `${limits[n].over.status}, ${(limits[n].over.ms / 1000).toFixed(1)}`],
  ];
  return [['', ...names], ['---', ...names.map(() => '--:')],
    ...rows.map(([title, cell]) => [title, ...names.map(cell)])]
    .map((r) => `| ${r.join(' | ')} |`).join('\n');
}

async function main() {
  const { values } = parseArgs({ options: {
    build: { type: 'string', default: '.' },
    rounds: { type: 'string', default: '3' },
    responders: { type: 'string', default: '2' },
    silence: { type: 'string', default: '75' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const o = { build: resolve(values.build), quick: values.quick,
    rounds: values.quick ? 1 : Number(values.rounds),
    responders: Number(values.responders),
    silence: values.quick ? 3 : Number(values.silence) };
  const lacking = missing(o.build);
  if (lacking.length > 0)
    throw new Error(`not built in ${o.build}: ${lacking.join(', ')}`);
  for (const program of ['nginx', '/usr/sbin/apache2', 'caddy'])
    if (spawnSync('/bin/sh', ['-c', `command -v ${program}`]).status !== 0)
      throw new Error(`${program} is not installed`);
  const dir = mkdtempSync(join(tmpdir(), 'leasehold-servers-'));
  try {
    process.stdout.write(report(o, await measure(o, dir)) + '\n');
  } finally {
    await stopAll();
    rmSync(dir, { recursive: true, force: true });
  }
}

await main();
