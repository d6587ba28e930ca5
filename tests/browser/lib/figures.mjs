// Usage as a month of work leaves it, put into the sums of a site's SQLite.
import assert from 'node:assert/strict';
import { run } from '../../e2e/lib/site.mjs';

const hourMs = 3600e3, dayMs = 24 * hourMs;

// The same in each run.
let seed = 7;
const dice = sides => {
	seed = (seed * 48271) % 2147483647;
	return seed % sides;
};

// Busy by day, quiet at night and on Sundays.
function load(ms) {
	const d = new Date(ms);
	const day = Math.sin(Math.max(0, d.getUTCHours() - 5) / 19 * Math.PI);
	return (d.getUTCDay() === 0 ? 20 : 80) * day + 5;
}

// One hour of one key with one model, whose columns are those of usage_hour.
function row(startMs, keyId, accountId, model, price) {
	const n = Math.round(load(startMs) * (0.7 + dice(60) / 100) / keyId);
	const each = [900 + dice(600), 500 + dice(300), 21000 + dice(9000),
		1500 + dice(900)].map(tokens => n * tokens);
	const [input, output, read, write] = each;
	return { start_ms: startMs, key_id: keyId, account_id: accountId,
		group_id: 0, person_id: 0, model, requests: n,
		errors: Math.floor(n * dice(6) / 100), unpriced: 0,
		cost_nusd: price * (input + 5 * output + Math.floor(read / 10) +
			write),
		input_tokens: input, output_tokens: output,
		cache_read_tokens: read, cache_write_5m_tokens: write,
		cache_write_1h_tokens: 0, web_searches: 0, queue_ms: n * 30,
		first_byte_ms: n * 900, total_ms: n * 8000, marked_exact: n,
		marked_partial: 0, marked_estimated: 0, overruns: 0,
		overrun_nusd: 0, first_500ms: Math.floor(n / 5),
		first_1s: Math.floor(n / 2), first_2s: Math.floor(n / 5),
		first_5s: n - 2 * Math.floor(n / 5) - Math.floor(n / 2),
		first_15s: 0, first_later: 0 };
}

// Keys and accounts are those that the site has.
export async function fillUsage(site, days = 40) {
	const now = Date.now() - Date.now() % hourMs;
	const keys = await site.sql('SELECT id FROM api_key ORDER BY id LIMIT 4');
	const accounts = await site.sql('SELECT id FROM account ORDER BY id');
	const models = [['claude-sonnet-4-5', 3000], ['claude-opus-4-5', 5000],
		['claude-haiku-4-5', 1000]];
	const rows = [];
	for (let ms = now - days * dayMs; ms < now; ms += hourMs)
		keys.forEach(({ id }, i) => rows.push(row(ms, id,
			accounts[i % accounts.length].id, ...models[i % 3])));
	const names = Object.keys(rows[0]);
	const same = ['key_id', 'account_id', 'group_id', 'person_id', 'model'];
	const sums = names.filter(n => n !== 'start_ms' && !same.includes(n));
	const value = v => typeof v === 'string' ? `'${v}'` : v;
	const done = await run('sqlite3', ['-bail', '-cmd', '.timeout 5000',
		site.db], { input: `BEGIN;
		INSERT INTO usage_hour (${names}) VALUES ${rows.map(r =>
			`(${names.map(n => value(r[n]))})`)};
		INSERT INTO usage_day (start_ms, ${same}, ${sums})
		SELECT start_ms - start_ms % ${dayMs}, ${same},
			${sums.map(n => `sum(${n})`)}
		FROM usage_hour GROUP BY start_ms - start_ms % ${dayMs}, ${same}
		ON CONFLICT DO NOTHING;
		COMMIT;` });
	assert.equal(done.status, 0, done.stderr);
}
