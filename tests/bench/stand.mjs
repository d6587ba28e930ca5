// The test stand: mock upstream, TLS in front of it, nginx as a mere proxy
// (the floor), and nginx with responders.  All on loopback, in one folder,
// stopped by process id.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { descendants } from './proc.mjs';

const started = [];
const atEnd = [];
const conf = (name) => join(dirname(fileURLToPath(import.meta.url)),
  '../../conf', name);

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const s = createServer();
    s.once('error', reject);
    s.listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

/** Until something listens at ${where}. */
export async function answers(where, name) {
  for (let i = 0; i < 100; i++) {
    const ok = await new Promise((resolve) => {
      const c = createConnection(where, () => { c.end(); resolve(true); });
      c.on('error', () => resolve(false));
    });
    if (ok)
      return;
    await sleep(50);
  }
  throw new Error(`${name} does not come up`);
}

/** Start in the foreground, with room for thousands of descriptors; what it
 * says goes to a file in the stand's folder. */
export function start(dir, name, argv, env = {}) {
  const log = join(dir, `${name}.err`);
  const child = spawn('/bin/sh', ['-c',
    'ulimit -n "$(ulimit -Hn)"; log=$1; shift; exec "$@" >>"$log" 2>&1',
    'sh', log, ...argv], { stdio: 'ignore', env: { ...process.env, ...env } });
  child.closed = new Promise((resolve) => child.once('exit', resolve));
  started.push(child);
  return child;
}

/** Stop all that was started, last first, each with its children. */
export async function stopAll() {
  for (const child of started.splice(0).reverse()) {
    const pids = descendants(child.pid);
    child.kill('SIGTERM');
    const gone = await Promise.race([child.closed.then(() => true),
      sleep(4000).then(() => false)]);
    if (!gone)
      child.kill('SIGKILL');
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It went with its parent.
      }
    }
  }
  for (const end of atEnd.splice(0))
    end();
}

/** Tell the mock what to do: "reset", "rules". */
export async function tell(mock, what, body) {
  const r = await fetch(`http://127.0.0.1:${mock.port}/__mock/${what}`,
    { method: 'POST', body: JSON.stringify(body) });
  if (!r.ok)
    throw new Error(`the mock refuses ${what}: ${await r.text()}`);
}

export async function startMock(dir, build, { name = 'mock',
  journal = 0 } = {}) {
  const port = await freePort();
  const child = start(dir, name, [join(build, 'tests/mock/mock-upstream'),
    '--listen', `127.0.0.1:${port}`, '--control', '--journal',
    String(journal)]);
  await answers({ port, host: '127.0.0.1' }, 'the mock upstream');
  return { port, pids: () => [child.pid] };
}

// What both kinds of nginx share.  Workers keep the user, as the stand's
// folder is closed to others.
function nginxHead(dir, name) {
  return `
daemon off;
${process.getuid() === 0 ? 'user root;' : ''}
worker_processes 2;
worker_rlimit_nofile 65536;
pid ${dir}/${name}.pid;
error_log ${dir}/${name}.log warn;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_requests 1000000;
  client_max_body_size 0;
  client_body_temp_path ${dir}/${name}-body;
  proxy_temp_path ${dir}/${name}-proxy;
  fastcgi_temp_path ${dir}/${name}-fcgi;
  uwsgi_temp_path ${dir}/${name}-uwsgi;
  scgi_temp_path ${dir}/${name}-scgi;
`;
}

async function startNginx(dir, name, port, http) {
  const conf = join(dir, `${name}.conf`);
  writeFileSync(conf, `${nginxHead(dir, name)}${http}}\n`);
  const child = start(dir, name, ['nginx', '-p', dir, '-c', conf, '-e',
    join(dir, `${name}.log`)]);
  await answers({ port, host: '127.0.0.1' }, name);
  return { port, pids: () => [child.pid, ...descendants(child.pid)] };
}

/** nginx that only proxies to ${upstream}: the floor. */
export async function startFloor(dir, name, upstream, tls = false) {
  const port = await freePort();
  const ca = join(dir, 'tls.crt');
  return startNginx(dir, name, port, `
  upstream mock {
    server 127.0.0.1:${upstream};
    keepalive 4096; keepalive_requests 1000000; keepalive_timeout 60s;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass ${tls ? 'https' : 'http'}://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
      client_body_buffer_size 128k;
      proxy_read_timeout 1h;
      ${tls ? `proxy_ssl_trusted_certificate ${ca}; proxy_ssl_verify on;
      proxy_ssl_name localhost; proxy_ssl_session_reuse on;` : ''}
    }
  }
`);
}

/** TLS in front of the mock, for what both sides pay for it. */
export async function startTls(dir, upstream) {
  const port = await freePort();
  const r = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(dir, 'tls.key'),
    '-out', join(dir, 'tls.crt'), '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']);
  if (r.status !== 0)
    throw new Error('openssl cannot make a certificate');
  return startNginx(dir, 'tls', port, `
  upstream mock {
    server 127.0.0.1:${upstream};
    keepalive 4096; keepalive_requests 1000000; keepalive_timeout 60s;
  }
  server {
    listen 127.0.0.1:${port} ssl backlog=4096;
    ssl_certificate ${dir}/tls.crt;
    ssl_certificate_key ${dir}/tls.key;
    keepalive_timeout 1h;
    location / {
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 1h;
    }
  }
`);
}

/** A MariaDB server of the stand's own, as durable as SQLite with FULL, with a
 * buffer pool of ${pool}; undefined: there is none here. */
export async function startMariadb(dir, pool = '128M') {
  const home = join(dir, 'mariadb');
  const script = join(dirname(fileURLToPath(import.meta.url)),
    '../mariadb.sh');
  const r = spawnSync(script, ['start', home,
    '--innodb-flush-log-at-trx-commit=1',
    `--innodb-buffer-pool-size=${pool}`],
  { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  if (r.status === 77)
    return undefined;
  if (r.status !== 0)
    throw new Error(`MariaDB does not start: ${r.stderr}`);
  const pid = Number(readFileSync(join(home, 'pid'), 'utf8'));
  const stop = () => spawnSync(script, ['stop', home]);
  atEnd.push(stop);
  return { pids: () => [pid], socket: `${home}/sock`, stop, url: (database) =>
    `mysql://root@localhost/${database}?socket=${home}/sock` };
}

// A part of the configuration as it is shipped, but without access logs,
// which the floor does not write either.
function snippet(name, home, socket) {
  const fills = { mount: '', relay_socket: socket, log_dir: home,
    admin_socket: join(home, 'admin.sock'), htdocs: home,
    keepalive_s: 30 };
  return readFileSync(conf(join('nginx', name)), 'utf8')
    .replace(/@(\w+)@/g, (_, word) => fills[word])
    .replace(/^\s*(?:access_log|include .*admin\.conf).*$/gm, '');
}

function command(build, settings, args, input = '') {
  const r = spawnSync(join(build, 'leasehold'), args, {
    input, encoding: 'utf8', env: { ...process.env, LEASEHOLD_CONFIG: settings },
  });
  if (r.status !== 0)
    throw new Error(`leasehold ${args.join(' ')}: ${r.stderr}`);
  return r.stdout;
}

// Five budgets, of all sorts of windows.
const manyBudgets = [
  ['--money', '1000000'],
  ['--money', '100000', '--period', 'month', '--zone', 'Europe/Berlin'],
  ['--money', '10000', '--period', 'day', '--policy', 'strict'],
  ['--money', '5000', '--period', 'rolling', '--length', '5h'],
  ['--requests', '100000000', '--period', 'day', '--models', 'claude-*'],
];

function fillDatabase(build, settings, baseUrl, { accounts = 3,
  slots = 1000, budgets = 1 }) {
  command(build, settings, ['init', '--prices', conf('prices.json')]);
  for (let i = 0; i < accounts; i++)
    command(build, settings, ['account', 'add', '--name', `account-${i}`,
      '--platform', 'claude', '--base-url', baseUrl, '--credential', 'api_key',
      '--concurrency', String(slots)], 'sk-ant-bench\n');
  const one = budgets === 1 ? ['--budget', '1000000'] : [];
  const { key } = JSON.parse(command(build, settings, ['key', 'create',
    '--json', '--name', 'bench', ...one]));
  for (const args of manyBudgets.slice(0, budgets === 1 ? 0 : budgets))
    command(build, settings, ['budget', 'add', '--key', 'bench', ...args]);
  return key;
}

/**
 * A host's folder with its settings and, unless it is ${beside} another such,
 * the database: keys, accounts, slots, budgets and prices, all of what a
 * request is checked against.  With ${server} the database is on that.
 */
export function makeHost(dir, name, params) {
  const { build, baseUrl, server, beside } = params;
  const home = join(dir, name);
  const settings = join(home, 'leasehold.conf');
  const socket = join(home, 'relay.sock');
  mkdirSync(home, { mode: 0o700 });
  const store = beside?.store ?? server?.url(name) ??
    `sqlite:${home}/leasehold.db`;
  writeFileSync(settings, `store = ${store}
master_key_file = ${(beside ?? { home }).home}/master.key
run_dir = ${home}
host_name = ${name}
relay_socket = ${socket}
log = file:${home}/relay.log
sqlite_synchronous = ${params.synchronous ?? 'full'}
${params.more ?? ''}${params.ca ? `ca_file = ${params.ca}\n` : ''}`);
  const key = beside?.key ?? fillDatabase(build, settings, baseUrl, params);
  return { home, settings, socket, store, key };
}

/** ${responders} responders on such a host. */
export async function startPool(dir, name, { build, responders },
  { socket, settings }) {
  const pool = start(dir, name, ['spawn-fcgi', '-n', '-b', '4096',
    '-s', socket, '--', '/usr/bin/env', 'multiwatch', '-f', String(responders), '--',
    join(build, 'leasehold-relay.fcgi'), '--config', settings]);
  await answers({ path: socket }, 'the pool');
  return pool;
}

/** nginx and ${responders} responders on such a host. */
export async function startRelay(dir, name, params) {
  const { build, server } = params;
  const port = await freePort();
  const host = makeHost(dir, name, params);
  const { home, settings, socket, store, key } = host;
  const pool = await startPool(dir, `${name}-pool`, params, host);
  const nginx = await startNginx(dir, `${name}-nginx`, port, `
  ${snippet('upstream.conf.in', home, socket)}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    ${snippet('mount.conf.in', home, socket)}
  }
`);
  return { port, key, home, store, nginx: nginx.pids, database: server?.pids,
    responders: () => descendants(pool.pid),
    ledger: () => JSON.parse(command(build, settings, ['key', 'show', 'bench',
      '--json'])),
    status: () => JSON.parse(command(build, settings, ['status', '--json'])) };
}

/** Where what is to be measured stands, or what is missing of it. */
export function missing(build) {
  return ['tests/bench/load', 'tests/bench/admission',
    'tests/mock/mock-upstream', 'leasehold', 'leasehold-relay.fcgi'].filter((f) => !existsSync(join(build, f)));
}
