// How soon the dashboard is of use where the ledger has a million rows: from
// going to the page, signed in but with nothing kept, until its counters stand
// and its charts are drawn.
//
//	LEASEHOLD_PREFIX=... node tests/bench/pages.mjs LEDGER [ROWS [DAYS]]
//
// LEDGER is the program tests/bench/ledger, as `make tests/bench/ledger' makes
// it.
import { execFileSync } from 'node:child_process';
import { loadavg, tmpdir } from 'node:os';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { Stand } from '../browser/lib/stand.mjs';

const BOUND_MS = 1000, TIMES = 7;

const pages = {
  dashboard: '.chart canvas', requests: 'tbody tr',
  'usage?by=none': '.chart canvas', audit: 'tbody tr',
};

async function time(stand, place, ready) {
  const all = [];
  for (let i = 0; i < TIMES; i++) {
    const page = await stand.context.newPage();
    const begun = performance.now();
    await page.goto(`${stand.site.url}/admin/#${place}`);
    await page.locator(ready).first().waitFor();
    all.push(performance.now() - begun);
    await page.close();
  }
  return all.sort((a, b) => a - b)[Math.floor(TIMES / 2)];
}

async function main([ledger, rows = '1000000', days = '100']) {
  const home = mkdtempSync(join(tmpdir(), 'lh-pages-'));
  const db = join(home, 'ledger.db');
  let stand, failed = false;
  try {
    execFileSync(ledger, [`sqlite:${db}`, rows, days],
      { stdio: ['ignore', 'inherit', 'inherit'] });
    stand = await Stand.start({ db });
    await stand.person('ann', 'admin');
    await stand.open();
    await stand.signIn();
    console.log(`${rows} rows; load ${loadavg()[0].toFixed(1)}`);
    console.log('| page | ms, median | bound |\n| --- | --: | --: |');
    for (const [place, ready] of Object.entries(pages)) {
      const ms = await time(stand, place, ready);
      const bound = place === 'dashboard' ? BOUND_MS : '';
      console.log(`| ${place} | ${ms.toFixed(0)} | ${bound} |`);
      failed ||= bound !== '' && ms > bound;
    }
  } finally {
    await stand?.stop();
    rmSync(home, { recursive: true, force: true });
  }
  return failed ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
