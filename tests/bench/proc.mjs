// What /proc says of a process: CPU time to the nanosecond, wake-ups, memory.

import { readFileSync, readdirSync } from 'node:fs';

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** The children of a process, and theirs, to the last. */
export function descendants(pid) {
  const found = [];
  const tasks = listTasks(pid);
  for (const tid of tasks) {
    const ids = read(`/proc/${pid}/task/${tid}/children`).trim();
    for (const child of ids === '' ? [] : ids.split(' ').map(Number))
      found.push(child, ...descendants(child));
  }
  return found;
}

function listTasks(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/**
 * CPU time (user and system) and context switches of some processes since
 * they began, summed over their threads, and again by thread name.
 * schedstat counts nanoseconds; stat's ticks are 10 ms.
 */
export function cpu(pids) {
  const sum = { us: 0, userUs: 0, sysUs: 0, switches: 0, threads: {} };
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`);
    const field = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    sum.userUs += Number(field[11] ?? 0) * 10000;
    sum.sysUs += Number(field[12] ?? 0) * 10000;
    for (const tid of listTasks(pid)) {
      const base = `/proc/${pid}/task/${tid}`;
      const us = Number(read(`${base}/schedstat`).split(' ')[0]) / 1000;
      const status = read(`${base}/status`);
      const name = read(`${base}/comm`).trim();
      const switches = [...status.matchAll(/ctxt_switches:\s+(\d+)/g)]
        .reduce((n, m) => n + Number(m[1]), 0);
      sum.us += us;
      sum.switches += switches;
      sum.threads[name] ??= 0;
      sum.threads[name] += us;
    }
  }
  return sum;
}

/** What was used between two readings of cpu(). */
export function cpuBetween(a, b) {
  const threads = {};
  for (const name of Object.keys(b.threads))
    threads[name] = b.threads[name] - (a.threads[name] ?? 0);
  return {
    us: b.us - a.us,
    userUs: b.userUs - a.userUs,
    sysUs: b.sysUs - a.sysUs,
    switches: b.switches - a.switches,
    threads,
  };
}

/** Memory of some processes in KiB: private, proportional, resident. */
export function memory(pids) {
  const sum = { privateKb: 0, pssKb: 0, rssKb: 0 };
  for (const pid of pids) {
    const text = read(`/proc/${pid}/smaps_rollup`);
    const kb = (name) =>
      Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))?.[1] ?? 0);
    sum.privateKb += kb('Private_Clean') + kb('Private_Dirty');
    sum.pssKb += kb('Pss');
    sum.rssKb += kb('Rss');
  }
  return sum;
}
