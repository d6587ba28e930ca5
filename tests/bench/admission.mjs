// Admission by itself: pools as relay responders have them, but without web
// server, clients and upstream, lease from the same accounts.  On SQLite and
// on MariaDB in turn, several rounds.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { cpu, cpuBetween } from './proc.mjs';
import { makeHost, missing, startMariadb, stopAll } from './stand.mjs';

const usage = `usage: tests/bench/run admission [options]
  --build DIR    where Leasehold was built (.)
  --rounds N     how often each is measured (3)
  --requests N   of each process (1000)
  --at-once A,B  requests under way in all, at each of these (16,64,256)
  --hold MS      between admission and settlement (50)
  --json FILE    all figures
`;

const { values } = parseArgs({ options: {
  build: { type: 'string', default: '.' },
  rounds: { type: 'string', default: '3' },
  requests: { type: 'string', default: '1000' },
  'at-once': { type: 'string', default: '16,64,256' },
  hold: { type: 'string', default: '50' },
  json: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} });

// Two pools of two responders, as in the scenario of two pools.
const POOLS = 2, RESPONDERS = 2, ACCOUNTS = 4;

const build = resolve(values.build);

// One process: what it prints.
function admission(settings, key, connections) {
  const argv = ['--config', settings, '--key', key, '--connections',
    connections, '--requests', values.requests, '--hold', values.hold];
  return new Promise((done, fail) => {
    const child = spawn(join(build, 'tests/bench/admission'),
      argv.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (data) => { out += data; });
    child.once('error', fail);
    child.once('close', (code) => code === 0 ? done(JSON.parse(out)) :
      fail(new Error(`tests/bench/admission ended with ${code}`)));
  });
}

const percentile = (sorted, p) =>
  sorted[Math.floor((sorted.length - 1) * p / 100)];
const median = (v) => percentile([...v].sort((a, b) => a - b), 50);
const sum = (list, name) => list.reduce((n, r) => n + r[name], 0);

// What the server has counted so far.
function counted(server) {
  if (server === undefined)
    return undefined;
  const names = ['Questions', 'Com_commit', 'Innodb_row_lock_waits',
    'Innodb_row_lock_time', 'Innodb_deadlocks'];
  const r = spawnSync('mariadb', ['--no-defaults', '-S', server.socket, '-u',
    'root', '-BNe', 'SHOW GLOBAL STATUS WHERE Variable_name IN ' +
    `('${names.join("','")}')`], { encoding: 'utf8' });
  return Object.fromEntries(r.stdout.trim().split('\n').map((line) => {
    const [name, value] = line.split('\t');
    return [name.toLowerCase(), Number(value)];
  }));
}

async function measure(stand, side, atOnce) {
  const { hosts, server } = stand[side];
  const before = counted(server), cpuBefore = server && cpu(server.pids());
  const all = await Promise.all(hosts.flatMap((host) =>
    Array.from({ length: RESPONDERS }, () => admission(host.settings,
      host.key, atOnce / POOLS / RESPONDERS))));
  const after = counted(server);
  const requests = sum(all, 'requests');
  const times = (name) => all.flatMap((r) => r[`${name}_us`])
    .sort((a, b) => a - b);
  const admit = times('admission'), settle = times('settlement');
  const per = (name) => server &&
    (after[name] - before[name]) / (after.com_commit - before.com_commit);
  return { side, atOnce, load: loadavg()[0],
    rps: all.reduce((n, r) => n + r.requests / r.seconds, 0),
    admit50: percentile(admit, 50), admit99: percentile(admit, 99),
    settle50: percentile(settle, 50), settle99: percentile(settle, 99),
    perBatch: sum(all, 'ops') / sum(all, 'batches'),
    retries: sum(all, 'retries'),
    statements: per('questions'), waits: per('innodb_row_lock_waits'),
    waitMs: server && (after.innodb_row_lock_time -
      before.innodb_row_lock_time) / Math.max(1,
      after.innodb_row_lock_waits - before.innodb_row_lock_waits),
    deadlocks: server && after.innodb_deadlocks - before.innodb_deadlocks,
    databaseUs: server && cpuBetween(cpuBefore, cpu(server.pids())).us /
      requests };
}

function makeStand(dir, server) {
  const stand = {};
  for (const [side, on] of [['SQLite', undefined], ['MariaDB', server]]) {
    if (side === 'MariaDB' && on === undefined)
      continue;
    const params = { build, baseUrl: 'http://127.0.0.1:9', server: on,
      accounts: ACCOUNTS, slots: 100 };
    const first = makeHost(dir, `${side.toLowerCase()}1`, params);
    const hosts = [first];
    while (hosts.length < POOLS)
      hosts.push(makeHost(dir, `${side.toLowerCase()}${hosts.length + 1}`,
        { ...params, beside: first }));
    stand[side] = { hosts, server: on };
  }
  return stand;
}

const ms = (us) => us === undefined ? '–' : (us / 1000).toFixed(2);
const num = (x, digits = 1) => x === undefined ? '–' : x.toFixed(digits);

function report(runs) {
  const rows = [];
  for (const { side, atOnce } of runs.filter((r) => r.round === 0)) {
    const own = runs.filter((r) => r.side === side && r.atOnce === atOnce);
    const mid = (name) => own[0][name] === undefined ? undefined :
      median(own.map((r) => r[name]));
    const range = own.map((r) => r.admit99);
    rows.push([side, atOnce, num(mid('rps'), 0), ms(mid('admit50')),
      ms(mid('admit99')), `${ms(Math.min(...range))}–${ms(Math.max(...range))}`,
      ms(mid('settle50')), ms(mid('settle99')), num(mid('perBatch')),
      num(mid('statements')), num(mid('waits'), 2), num(mid('waitMs')),
      num(mid('deadlocks'), 0), num(mid('retries'), 0),
      num(mid('databaseUs'), 0), num(mid('load'))]);
  }
  return [['store', 'at once', 'requests/s', 'admission p50 ms', 'p99 ms',
    'range of p99', 'settlement p50 ms', 'p99 ms', 'operations a batch',
    'statements a commit', 'waits a commit', 'ms a wait', 'deadlocks',
    'batches run again', 'database CPU µs a request', 'load'],
  Array(16).fill('--:'), ...rows].map((r) => `| ${r.join(' | ')} |`)
    .join('\n') + '\n';
}

async function main() {
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const absent = missing(build);
  if (absent.length > 0)
    throw new Error(`not in ${build}: ${absent.join(', ')} (make first)`);
  const dir = mkdtempSync(join(tmpdir(), 'leasehold-bench-'));
  try {
    const stand = makeStand(dir, await startMariadb(dir));
    const runs = [];
    for (let round = 0; round < Number(values.rounds); round++)
      for (const atOnce of values['at-once'].split(',').map(Number))
        for (const side of Object.keys(stand)) {
          process.stderr.write(`round ${round + 1}: ${atOnce} ${side}\n`);
          runs.push({ round, ...await measure(stand, side, atOnce) });
        }
    if (values.json !== undefined)
      writeFileSync(values.json, `${JSON.stringify(runs, null, 1)}\n`);
    process.stdout.write(report(runs));
  } finally {
    await stopAll();
    rmSync(dir, { recursive: true, force: true });
  }
}

main().catch((e) => {
  process.stderr.write(`admission: ${e.message}\n`);
  process.exitCode = 1;
});
