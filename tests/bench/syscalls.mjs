// System calls a request, counted by strace: what costs where the kernel is
// far away, as on many virtual servers.

import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export const canCount = () =>
  spawnSync('strace', ['-V'], { stdio: 'ignore' }).status === 0;

/** Count the calls of some processes while ${work} runs: by name. */
export async function countCalls(pids, work) {
  const child = spawn('strace', ['-c', '-f', '-qq', '-U', 'calls,name',
    ...pids.flatMap((pid) => ['-p', String(pid)])],
  { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (data) => { text += data; });
  const closed = new Promise((resolve) => child.once('close', resolve));
  await sleep(500);	// until it is attached to all
  const result = await work();
  child.kill('SIGINT');
  await closed;
  const calls = {};
  for (const [, n, name] of text.matchAll(/^\s*(\d+)\s+([a-z]\w*)$/gm))
    if (name !== 'total')
      calls[name] = Number(n);
  return { calls, result };
}
