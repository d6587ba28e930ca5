// Reports and `leasehold ledger verify' on a ledger as months of work leave
// it, on SQLite and on MariaDB: times of the whole command.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync }
  from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { startMariadb, stopAll } from './stand.mjs';

// What is asked, of the sums of a year and of the rows of 100 days.
const YEAR = 365, DAYS = 100;
const reports = [
  ['a user\'s month by model', ['--user', 'user-7', '--by', 'model']],
  ['the same, in Europe/Berlin', ['--user', 'user-7', '--by', 'model',
    '--zone', 'Europe/Berlin']],
  ['a key\'s month by day', ['--key', 'key-7', '--per', 'day']],
  ['everybody\'s month by model', ['--by', 'model']],
];

// ledger verify of a million rows, and a report of one user's.
const VERIFY_MS = 60000, REPORT_MS = 100;

// The month before last, whole.
function month() {
  const at = (back) => {
    const d = new Date();
    return new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() - back, 1))
      .toISOString().slice(0, 7);
  };
  return ['--from', at(2), '--to', at(1)];
}

function run(file, args, env = {}) {
  const begun = process.hrtime.bigint();
  const r = spawnSync(file, args, { encoding: 'utf8',
    env: { ...process.env, ...env }, maxBuffer: 1 << 26 });
  const ms = Number(process.hrtime.bigint() - begun) / 1e6;
  if (r.status !== 0)
    throw new Error(`${file} ${args.join(' ')}: ${r.stdout}${r.stderr}`);
  return ms;
}

// A database that is made with so many rows, or sums of so many alone.
function make(o, home, name, server, rows, days, sums) {
  const url = server === undefined ? `sqlite:${join(home, name)}` :
    server.url(name);
  const conf = join(home, `${name}.conf`);
  const env = server === undefined ? {} :
    { LEASEHOLD_TEST_STORE: server.url('NAME') };
  process.stderr.write(`${server ? 'MariaDB' : 'SQLite'}: making ` +
    `${sums ? 'the sums of ' : ''}${rows} requests\n`);
  run(join(o.build, 'tests/bench/ledger'), [url, rows, days,
    ...sums ? ['sums'] : []].map(String), env);
  writeFileSync(conf, [`store = ${url}`, `master_key_file = ${home}/key`,
    `run_dir = ${home}`, `spool_dir = ${home}`, ''].join('\n'));
  return conf;
}

// The median of several times, in ms.
function time(o, conf, args, times) {
  const all = Array.from({ length: times }, () => run(join(o.build,
    'leasehold'), ['--config', conf, ...args]));
  return all.sort((a, b) => a - b)[Math.floor(times / 2)];
}

function measure(o, home, server) {
  const store = server === undefined ? 'SQLite' : 'MariaDB';
  const lines = [];
  const year = make(o, home, 'year', server, o.sums, YEAR, true);
  reports.forEach(([what, args], i) => {
    const ms = time(o, year, ['usage', ...month(), ...args], 5);
    lines.push({ store, what: `${what}, of ${o.sums} requests in a year`, ms,
      bound: i < 3 ? REPORT_MS : undefined });
  });
  const rows = make(o, home, 'rows', server, o.rows, DAYS, false);
  lines.push({ store, what: `ledger verify, ${o.rows} rows`,
    ms: time(o, rows, ['ledger', 'verify'], 1),
    bound: VERIFY_MS * Math.max(1, o.rows / 1000000) });
  return lines;
}

function table(lines) {
  const took = (ms) => ms < 1000 ? `${ms.toFixed(0)} ms` :
    `${(ms / 1000).toFixed(1)} s`;
  return [['what', 'store', 'time', 'bound', 'met'],
    ['---', '---', '--:', '--:', '---'],
    ...lines.map((l) => [l.what, l.store, took(l.ms),
      l.bound === undefined ? '–' : took(l.bound),
      l.bound === undefined ? '–' : l.ms <= l.bound ? 'yes' : '**no**'])]
    .map((r) => `| ${r.join(' | ')} |`).join('\n') + '\n';
}

const usage = `usage: tests/bench/run ledger [options]
  --build DIR    where Leasehold and "make tests/bench/ledger" were built (.)
  --rows N       of the ledger that is verified (1000000)
  --sums N       requests in the sums that reports read (10000000)
  --store NAME   sqlite or mysql alone
  --json FILE    all figures
`;

async function main() {
  const { values } = parseArgs({ options: {
    build: { type: 'string', default: '.' },
    rows: { type: 'string', default: '1000000' },
    sums: { type: 'string', default: '10000000' },
    store: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  } });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const o = { build: resolve(values.build), rows: Number(values.rows),
    sums: Number(values.sums) };
  for (const f of ['leasehold', 'tests/bench/ledger'])
    if (!existsSync(join(o.build, f)))
      throw new Error(`not in ${o.build}: ${f} (make ${f} first)`);
  const dir = mkdtempSync(join(tmpdir(), 'leasehold-bench-'));
  const lines = [];
  try {
    for (const store of ['sqlite', 'mysql']) {
      if (values.store !== undefined && values.store !== store)
        continue;
      const server = store === 'mysql' ? await startMariadb(dir) : undefined;
      if (store === 'mysql' && server === undefined)
        continue;
      mkdirSync(join(dir, store));
      lines.push(...measure(o, join(dir, store), server));
    }
    if (values.json !== undefined)
      writeFileSync(values.json, `${JSON.stringify({ load: loadavg(),
        lines }, null, 1)}\n`);
    process.stdout.write(table(lines));
  } finally {
    await stopAll();
    rmSync(dir, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  main().catch((e) => {
    process.stderr.write(`ledger: ${e.message}\n`);
    process.exitCode = 1;
  });
