// Admission by itself: pools as relay responders have them, but without web
// server, clients and upstream, lease from the same accounts.  On SQLite and
// on MariaDB in turn, several rounds.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { cpu, cpuBetween } from './proc.mjs';
import { makeHost, missing, startMariadb, stopAll } from './stand.mjs';

// Two pools of two responders, as in the scenario of two pools.
const POOLS = 2, RESPONDERS = 2, ACCOUNTS = 4;

// One process: what it prints.
function responder(o, host, connections) {
  const argv = ['--config', host.settings, '--key', host.key,
    '--connections', connections, '--requests', o.requests,
    '--hold', o.hold];
  return new Promise((done, fail) => {
    const child = spawn(join(o.build, 'tests/bench/admission'),
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

async function measure(o, { side, hosts, server }, atOnce) {
  const before = counted(server), cpuBefore = server && cpu(server.pids());
  const all = await Promise.all(hosts.flatMap((host) =>
    Array.from({ length: RESPONDERS }, () =>
      responder(o, host, atOnce / POOLS / RESPONDERS))));
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

function makeSide(o, dir, side, server) {
  const params = { build: o.build, baseUrl: 'http://127.0.0.1:9', server,
    accounts: ACCOUNTS, slots: 100 };
  const name = `admission_${side.toLowerCase()}`;
  const hosts = [makeHost(dir, `${name}1`, params)];
  while (hosts.length < POOLS)
    hosts.push(makeHost(dir, `${name}${hosts.length + 1}`,
      { ...params, beside: hosts[0] }));
  return { side, hosts, server };
}

/**
 * Measure in the stand's folder, on SQLite and, where there is a ${server}, on
 * MariaDB: a figure for each round, side, and number of requests at once.
 */
export async function measureAdmission(o, dir, server) {
  const sides = [makeSide(o, dir, 'SQLite')];
  if (server !== undefined)
    sides.push(makeSide(o, dir, 'MariaDB', server));
  const runs = [];
  for (let round = 0; round < o.rounds; round++)
    for (const atOnce of o.atOnce)
      for (const side of sides) {
        process.stderr.write(`round ${round + 1}: admission, ${atOnce} at ` +
          `once, ${side.side}\n`);
        runs.push({ round, ...await measure(o, side, atOnce) });
      }
  return runs;
}

const ms = (us) => us === undefined ? '–' : (us / 1000).toFixed(2);
const num = (x, digits = 1) => x === undefined ? '–' : x.toFixed(digits);

/** The figures as a table of Markdown. */
export function admissionTable(runs) {
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

const usage = `usage: tests/bench/run admission [options]
  --build DIR    where Leasehold was built (.)
  --rounds N     how often each is measured (3)
  --requests N   of each process (1000)
  --at-once A,B  requests under way in all, at each of these (16,64,256)
  --hold MS      between admission and settlement (50)
  --json FILE    all figures
`;

async function main() {
  const { values } = parseArgs({ options: {
    build: { type: 'string', default: '.' },
    rounds: { type: 'string', default: '3' },
    requests: { type: 'string', default: '1000' },
    'at-once': { type: 'string', default: '16,64,256' },
    hold: { type: 'string', default: '50' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  } });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const o = { build: resolve(values.build), rounds: Number(values.rounds),
    requests: Number(values.requests), hold: Number(values.hold),
    atOnce: values['at-once'].split(',').map(Number) };
  const absent = missing(o.build);
  if (absent.length > 0)
    throw new Error(`not in ${o.build}: ${absent.join(', ')} (make first)`);
  const dir = mkdtempSync(join(tmpdir(), 'leasehold-bench-'));
  try {
    const runs = await measureAdmission(o, dir, await startMariadb(dir));
    if (values.json !== undefined)
      writeFileSync(values.json, `${JSON.stringify(runs, null, 1)}\n`);
    process.stdout.write(admissionTable(runs));
  } finally {
    await stopAll();
    rmSync(dir, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  main().catch((e) => {
    process.stderr.write(`admission: ${e.message}\n`);
    process.exitCode = 1;
  });
