// How long the lists of the admin routes take, on a ledger of so many rows, on
// SQLite and on MariaDB.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { startMariadb, stopAll } from './stand.mjs';

const DAYS = 100;

function run(file, args, env = {}) {
  const r = spawnSync(file, args, { encoding: 'utf8', maxBuffer: 1 << 26,
    env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  if (r.status !== 0)
    throw new Error(`${file} ${args.join(' ')}: status ${r.status}`);
  return r.stdout;
}

function measure(o, home, server) {
  const url = server === undefined ? `sqlite:${join(home, 'lists')}` :
    server.url('lists');
  const store = server === undefined ? 'SQLite' : 'MariaDB';
  process.stderr.write(`${store}: making ${o.rows} requests\n`);
  run(join(o.build, 'tests/bench/ledger'), [url, o.rows, DAYS].map(String),
    server === undefined ? {} : { LEASEHOLD_TEST_STORE: server.url('NAME') });
  return run(join(o.build, 'tests/bench/lists'),
    [url, join(home, `key-${store}`), String(o.times),
      ...o.lists ? ['lists'] : []])
    .trim().split('\n').map(line => {
      const [path, p50, p95, max, rows, more] = line.split('\t');
      return [store, path, p50, p95, max, rows, more];
    });
}

const usage = `usage: tests/bench/run lists [options]
  --build DIR    where Leasehold and "make tests/bench/ledger
                 tests/bench/lists" were built (.)
  --rows N       of the ledger (200000)
  --times N      that each list is asked for (20)
  --store NAME   sqlite or mysql alone
  --lists        without reports, which want the ledger folded first: of
                 10,000,000 rows that takes an hour
`;

async function main() {
  const { values } = parseArgs({ options: {
    build: { type: 'string', default: '.' },
    rows: { type: 'string', default: '200000' },
    times: { type: 'string', default: '20' },
    store: { type: 'string' },
    lists: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const o = { build: resolve(values.build), rows: Number(values.rows),
    times: Number(values.times), lists: values.lists };
  const home = mkdtempSync(join(tmpdir(), 'leasehold-lists-'));
  try {
    const lines = values.store === 'mysql' ? [] : measure(o, home);
    const server = values.store === 'sqlite' ? undefined :
      await startMariadb(home);
    if (server !== undefined)
      lines.push(...measure(o, home, server));
    process.stdout.write([['store', 'list', 'p50 ms', 'p95 ms', 'longest',
      'rows', 'more pages until the first row'],
    ['---', '---', '--:', '--:', '--:', '--:', '--:'], ...lines]
      .map(r => `| ${r.join(' | ')} |`).join('\n') + '\n');
  } finally {
    await stopAll();
    rmSync(home, { recursive: true, force: true });
  }
}

await main();
