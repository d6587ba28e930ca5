// How long the lists of the admin routes take, on a ledger of so many rows, on
// SQLite and on MariaDB.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync }
  from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { startMariadb, stopAll } from './stand.mjs';

const DAYS = 100;

// While the ledger is made.
const POOL_TO_FILL = '2G';

// What is measured is the program and not its neighbours: it and its database
// server go before all else on the machine.
const FIRST = ['chrt', '-f', '10'];
const mayBeFirst = spawnSync(FIRST[0], [...FIRST.slice(1), 'true']).status === 0;

function run(file, args, env = {}) {
  const r = spawnSync(file, args, { encoding: 'utf8', maxBuffer: 1 << 26,
    env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  if (r.status !== 0)
    throw new Error(`${file} ${args.join(' ')}: status ${r.status}`);
  return r.stdout;
}

const urlOf = (home, server) => server === undefined ?
  `sqlite:${join(home, 'lists')}` : server.url('lists');

// Once in a folder that is kept.
function make(o, home, server) {
  const store = server === undefined ? 'SQLite' : 'MariaDB';
  const made = join(home, `${store}-${o.rows}`);
  if (existsSync(made))
    return;
  process.stderr.write(`${store}: making ${o.rows} requests\n`);
  run(join(o.build, 'tests/bench/ledger'),
    [urlOf(home, server), o.rows, DAYS].map(String),
    server === undefined ? {} : { LEASEHOLD_TEST_STORE: server.url('NAME') });
  writeFileSync(made, '');
}

function measure(o, home, name, server) {
  process.stderr.write(`${name}: asking for lists\n`);
  if (server !== undefined && mayBeFirst)
    run(FIRST[0], ['-a', '-p', ...FIRST.slice(1), String(server.pids()[0])]);
  const argv = [...mayBeFirst ? FIRST : [],
    join(o.build, 'tests/bench/lists'), urlOf(home, server),
    join(home, server === undefined ? 'key-SQLite' : 'key-MariaDB'),
    String(o.times), o.lists ? 'lists' : 'all', o.only];
  const lines = run(argv[0], argv.slice(1)).trim().split('\n');
  return { name, lines: lines.map(line => line.split('\t')) };
}

// A measured server has read its tables from the disk, or has not.
async function measureMariadb(o, home) {
  const server = await startMariadb(home, POOL_TO_FILL);
  const all = [];
  if (server === undefined)
    return all;
  make(o, home, server);
  server.stop();
  for (const pool of o.pools) {
    const pooled = await startMariadb(home, pool);
    all.push(measure(o, home, `MariaDB ${pool}`, pooled));
    pooled.stop();
  }
  return all;
}

const columns = ['p50 ms', 'p95 ms', 'longest', 'rows', 'more', 'their p95'];

// A line a list, with its figures on all stores.
function table(all) {
  const head = ['list', ...all.flatMap(a =>
    columns.map((c, i) => i === 0 ? `${a.name} ${c}` : c))];
  const lines = all[0].lines.map(([path], i) =>
    [`\`${path}\``, ...all.flatMap(a => a.lines[i].slice(1))]);
  return [head, head.map((_, i) => i === 0 ? '---' : '--:'), ...lines]
    .map(r => `| ${r.join(' | ')} |`).join('\n') + '\n';
}

const usage = `usage: tests/bench/run lists [options]
  --build DIR    where Leasehold and "make tests/bench/ledger
                 tests/bench/lists" were built (.)
  --rows N       of the ledger (200000)
  --times N      that each list is asked for (20)
  --store NAME   sqlite or mysql alone
  --pool SIZE    MariaDB's buffer pool; may be given more than once (128M, 1G)
  --lists        without reports, which want the ledger folded first: of
                 10,000,000 rows that takes an hour
  --only TEXT    lists in whose path this is
  --dir DIR      keep the databases there, and use those that are there
`;

async function main() {
  const { values } = parseArgs({ options: {
    build: { type: 'string', default: '.' },
    rows: { type: 'string', default: '200000' },
    times: { type: 'string', default: '20' },
    store: { type: 'string' },
    pool: { type: 'string', multiple: true, default: ['128M', '1G'] },
    lists: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    dir: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  } });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const o = { build: resolve(values.build), rows: Number(values.rows),
    times: Number(values.times), lists: values.lists, only: values.only,
    pools: values.pool };
  if (!mayBeFirst)
    process.stderr.write('without a real-time priority (chrt -f): times ' +
      'are also those of neighbours\n');
  if (values.dir !== undefined)
    mkdirSync(values.dir, { recursive: true });
  const home = values.dir !== undefined ? resolve(values.dir) :
    mkdtempSync(join(tmpdir(), 'leasehold-lists-'));
  try {
    const all = [];
    if (values.store !== 'mysql') {
      make(o, home);
      all.push(measure(o, home, 'SQLite'));
    }
    if (values.store !== 'sqlite')
      all.push(...await measureMariadb(o, home));
    process.stdout.write(table(all));
  } finally {
    await stopAll();
    if (values.dir === undefined)
      rmSync(home, { recursive: true, force: true });
  }
}

await main();
