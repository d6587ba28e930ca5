// From the runs to medians, ratios, targets, and a page of Markdown.

import { admissionTable } from './admission.mjs';
import { scenarios } from './scenarios.mjs';

export function median(values) {
  const v = values.filter((x) => x !== undefined).sort((a, b) => a - b);
  if (v.length === 0)
    return undefined;
  const half = v.length >> 1;
  return v.length % 2 === 1 ? v[half] : (v[half - 1] + v[half]) / 2;
}

function quantile(values, q) {
  const v = [...values].sort((a, b) => a - b);
  return v[Math.min(v.length - 1, Math.floor(v.length * q))];
}

const fixed = (x, digits = 0) =>
  x === undefined || Number.isNaN(x) ? '–' : x.toFixed(digits);
const ms = (us) => (us === undefined ? '–' : fixed(us / 1000, 2));

const table = (head, rows, left = 2) => [head, head.map((_, i) => (i < left ? '---' :
  '--:')), ...rows].map((r) => `| ${r.join(' | ')} |`).join('\n') + '\n';

const sideNames = {
  floor: 'nginx alone', relay: 'Leasehold', normal: 'Leasehold, NORMAL',
  single: 'Leasehold, one responder', none: 'Leasehold, no budget',
  five: 'Leasehold, five budgets', mysql: 'Leasehold',
  thousand: 'Leasehold, 1,000 accounts',
  noneMysql: 'Leasehold, no budget', fiveMysql: 'Leasehold, five budgets',
  pair: 'Leasehold, two pools',
  floorTls: 'nginx alone', relayTls: 'Leasehold',
};

const stores = { floor: '–', floorTls: '–', mysql: 'MariaDB',
  noneMysql: 'MariaDB', fiveMysql: 'MariaDB', pair: 'MariaDB' };
const storeOf = (side) => stores[side] ?? 'SQLite';

// Medians over the rounds, by scenario and side.
function summarize(runs) {
  const sums = {};
  for (const { scenario, side } of runs) {
    const own = runs.filter((r) => r.scenario === scenario && r.side === side);
    const mid = (f) => median(own.map(f));
    const spread = own.map((r) => r.cpu.responders ?? r.cpu.nginx);
    sums[scenario] ??= {};
    sums[scenario][side] = {
      rps: mid((r) => r.rps), p50: mid((r) => r.p50_us),
      p99: mid((r) => r.p99_us), first: mid((r) => r.first_p50_us),
      first99: mid((r) => r.first_p99_us),
      cpu: Object.fromEntries(Object.keys(own[0].cpu).map((g) =>
        [g, mid((r) => r.cpu[g])])),
      switches: Object.fromEntries(Object.keys(own[0].switches).map((g) =>
        [g, mid((r) => r.switches[g])])),
      low: Math.min(...spread), high: Math.max(...spread),
      bad: own.reduce((n, r) => n + r.errors + r.bad_status, 0),
      lost: own.reduce((n, r) => n + r.lost_events, 0),
      open: own[0].open, connections: own[0].connections,
    };
  }
  return sums;
}

// KiB of a group's private memory for each open stream.
const perStream = (result, sum, side, group) =>
  (sum.open[group].privateKb - result.idle[side][group].privateKb) /
  sum.connections;

// Requests that the ledger of a side has not, or has not closed; and one more
// if what its key has spent is not the sum of the rows.
const astray = (l) => Math.abs(l.sent - l.usage.requests) + l.in_flight +
  Number((l.reserved_nusd ?? 0) !== 0) +
  Number((l.spent_nusd ?? l.usage.cost_nusd) !== l.usage.cost_nusd);

/** The targets, each with what was measured; those not measured are left out. */
function targets(result, sums) {
  const cpuRatio = (name, group) => (s) =>
    s[name].relay.cpu[group] / s[name].floor.cpu.nginx;
  const added = (name, side, what) => (s) =>
    (s[name][side][what] - s[name].floor[what]) / 1000;
  const responder = result.idle.relay?.responders;
  const rows = [
    ['responder CPU a small request, c=64, to the floor\'s proxy',
      cpuRatio('small-64', 'responders'), '≤', 2],
    ['nginx CPU of it, c=64, to the floor\'s proxy',
      cpuRatio('small-64', 'nginx'), '≤', 1.4],
    ['responder CPU of it with five budgets a key, to that without',
      (s) => s['small-64'].five.cpu.responders /
        s['small-64'].none.cpu.responders, '≤', 1.2],
    ['the same on MariaDB, with five budgets to none', (s) =>
      s['small-64'].fiveMysql.cpu.responders /
        s['small-64'].noneMysql.cpu.responders, '≤', 1.2],
    ['requests/s, small, c=64', (s) => s['small-64'].relay.rps, '≥', 3000],
    ['added p50 at c=1, ms (bound: 1 ms and one durable commit)',
      added('small-1', 'relay', 'p50'), '≤', 1 + result.durable_ms],
    ['the same with synchronous=NORMAL, ms',
      added('small-1', 'normal', 'p50'), '≤', 1],
    ['CPU of a 300 KB body: responders to the floor\'s proxy',
      cpuRatio('body-300k', 'responders'), '≤', 1],
    ['CPU of a 50-chunk stream: responders to the floor\'s proxy',
      cpuRatio('stream-50', 'responders'), '≤', 2],
    ['responder CPU of it with 1,000 accounts, to that with 3', (s) =>
      s['accounts-64'].thousand.cpu.responders /
      s['accounts-64'].relay.cpu.responders, '≤', 1.2],
    ['responder CPU on MariaDB to that on SQLite, small, c=64', (s) =>
      s['small-64'].mysql.cpu.responders / s['small-64'].relay.cpu.responders,
      '≤', 1.5],
    ['p99 of admission, two pools on MariaDB, 4 accounts, ms', () =>
      median(result.admission.filter((r) => r.side === 'MariaDB' &&
        r.atOnce === 16).map((r) => r.admit99)) / 1000, '≤', 10],
    ['events lost or streams failed, slow streams',
      (s) => s['slow-2000'].relay.lost + s['slow-2000'].relay.bad, '≤', 0],
    ['responder KiB a slow stream', (s) =>
      perStream(result, s['slow-2000'].relay, 'relay', 'responders'), '≤', 64],
    ['private MiB of an idle responder', () =>
      responder.privateKb / responder.processes / 1024, '≤', 12],
  ];
  const left = result.left.filter((p) => p.side === 'relay');
  rows.push(['a client leaves: ms until the upstream\'s connection is '
    + 'closed, p50 of the worst phase', () =>
    Math.max(...left.map((p) => quantile(p.ms, 0.5))), '≤', 10]);
  rows.push(['the same, at most', () =>
    Math.max(...left.flatMap((p) => p.ms)), '≤', 50]);
  for (const w of result.waited)
    rows.push([`CPU of the responders while ${w.waiting} wait, ${w.store}, `
      + '% of a core', () => w.busy.responders.percent, '≤', 5]);
  const failed = result.runs.reduce((n, r) => n + r.errors + r.bad_status +
    r.lost_events, 0);
  rows.push(['requests failed in all scenarios', () => failed, '≤', 0]);
  rows.push(['requests missing from the ledger, open, or charged wrongly',
    () => Object.values(result.ledgers).reduce((n, l) => n + astray(l), 0),
    '≤', 0]);
  const found = [];
  for (const [title, measure, sign, bound] of rows) {
    let value;
    try {
      value = measure(sums);
    } catch {
      continue;		// that scenario was not asked for
    }
    if (Number.isFinite(value))
      found.push({ title, value, sign, bound,
        met: sign === '≤' ? value <= bound : value >= bound });
  }
  return found;
}

function cpuTable(sums) {
  const rows = [];
  for (const { name, title } of scenarios)
    for (const [side, s] of Object.entries(sums[name] ?? {}))
      rows.push([s.open === undefined ? title : `${title} (${s.connections})`,
        sideNames[side], storeOf(side), fixed(s.rps), ms(s.p50), ms(s.p99),
        ms(s.first), fixed(s.cpu.nginx), fixed(s.cpu.responders),
        `${fixed(s.low)}–${fixed(s.high)}`, fixed(s.switches.responders, 1),
        fixed(s.cpu.database), fixed(s.cpu.mock), fixed(s.cpu.load),
        String(s.bad + s.lost)]);
  return table(['scenario', 'side', 'store', 'requests/s', 'p50 ms', 'p99 ms',
    'first byte ms', 'CPU µs nginx', 'CPU µs responders', 'range',
    'switches', 'CPU µs database', 'CPU µs mock', 'CPU µs load', 'failed'],
  rows, 3);
}

function ratioTable(sums) {
  const rows = [];
  for (const { name, title } of scenarios) {
    const of = sums[name] ?? {};
    const floor = of.floor ?? of.floorTls;
    for (const side of ['relay', 'single', 'normal', 'mysql', 'relayTls']) {
      const s = of[side];
      if (s === undefined || floor === undefined)
        continue;
      rows.push([title, sideNames[side], storeOf(side),
        fixed(s.cpu.responders / floor.cpu.nginx, 2),
        fixed(s.cpu.nginx / floor.cpu.nginx, 2), fixed(s.rps / floor.rps, 2),
        ms(s.p50 - floor.p50), ms(s.first - floor.first)]);
    }
  }
  return table(['scenario', 'side', 'store', 'responder CPU to floor',
    'nginx CPU to floor', 'requests/s to floor', 'added p50 ms',
    'added first byte ms'], rows, 3);
}

function callTable(calls) {
  const sides = Object.keys(calls ?? {});
  const sum = (side) => Object.values(calls[side]).reduce((a, b) => a + b, 0);
  const names = new Set(sides.flatMap((s) => Object.keys(calls[s])
    .filter((name) => calls[s][name] >= 0.05)));
  if (sides.length === 0)
    return '(strace is not there)\n';
  return table(['call', '', ...sides.map((s) => sideNames[s] +
    (s === 'mysql' ? ', MariaDB' : ''))], [
    ...[...names].sort().map((name) => [name, '', ...sides.map((s) =>
      fixed(calls[s][name] ?? 0, 2))]),
    ['all', '', ...sides.map((s) => `**${fixed(sum(s), 2)}**`)]]);
}

function memoryTable(result, sums) {
  const rows = [];
  for (const [side, groups] of Object.entries(result.idle))
    for (const group of ['nginx', 'responders']) {
      const idle = groups[group];
      if (idle === undefined)
        continue;
      const open = Object.values(sums).map((of) => of[side])
        .find((s) => s?.open !== undefined);
      rows.push([sideNames[side] + (side.endsWith('Tls') ? ', TLS' : '') +
        (storeOf(side) === 'MariaDB' ? ', MariaDB' : ''),
        group, String(idle.processes),
        fixed(idle.privateKb / idle.processes / 1024, 1),
        fixed(idle.pssKb / idle.processes / 1024, 1),
        fixed(result.after[side][group].privateKb / idle.processes / 1024, 1),
        ...(open === undefined ? ['–', '–'] : [String(open.connections),
          fixed(perStream(result, open, side, group), 1)])]);
    }
  return table(['side', 'processes of', 'number', 'private MiB each, idle',
    'PSS MiB each, idle', 'private MiB after all load', 'open streams', 'KiB a stream'], rows);
}

function leftTable(left) {
  return table(['phase', 'side', 'clients', 'p50 ms', 'p99 ms', 'max ms'],
    left.map(({ title, side, ms: all }) => [title, sideNames[side],
      String(all.length), ...[0.5, 0.99, 1].map((q) =>
        fixed(quantile(all, q), 2))]));
}

function waitedTable(waited) {
  return table(['store', 'of', 'idle, % of a core', 'while they wait',
    'switches/s idle', 'while they wait', 'answered meanwhile'],
  waited.flatMap((w) => Object.keys(w.busy).map((group) => [w.store, group,
    fixed(w.idle[group].percent, 2), fixed(w.busy[group].percent, 2),
    fixed(w.idle[group].switches, 0), fixed(w.busy[group].switches, 0),
    String(w.lost)])));
}

/** The page. */
export function report(result) {
  const sums = summarize(result.runs);
  const m = result.machine;
  const goals = targets(result, sums);
  return `## Benchmark of ${result.when.slice(0, 10)}

${m.cpu}, ${m.cores} cores, Linux ${m.kernel}; medians of ${result.rounds} \
rounds${result.quick ? ' (quick)' : ''}; mock, load generator and all else on \
the same machine.  A durable commit (16 KiB appended, fdatasync) takes \
${fixed(result.durable_ms, 2)} ms here.

### Targets

${table(['target', 'met', 'measured', 'bound'], goals.map((g) => [g.title,
    g.met ? 'yes' : '**no**', fixed(g.value, 2),
    `${g.sign} ${fixed(g.bound, 2)}`]))}
### A request

${cpuTable(sums)}
### Beside the floor

${ratioTable(sums)}
### Admission by itself

Two pools of two responders on one database, without web server and upstream:
from the hand-over to the store thread until the result is back.

${result.admission === undefined ? '(was not measured)\n' :
    admissionTable(result.admission)}
### System calls a request

Of nginx as a mere proxy, and of the responders, at c=64 (under strace, which
slows all down and so makes for smaller batches).

${callTable(result.calls)}
### Memory

${memoryTable(result, sums)}
### A client that leaves

From its closing, one client after the other, until the mock sees its
connection closed.

${leftTable(result.left)}
### Requests that wait

500 wait while all slots are held and nothing else happens.

${waitedTable(result.waited)}`;
}
