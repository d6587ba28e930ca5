// What charts show of a report of GET /usage.
import { compact, dollars, millis, money, number, t, tag } from './text.js';

// ---- periods ----

const steps = {
	hour: d => d.setUTCHours(d.getUTCHours() + 1),
	day: d => d.setUTCDate(d.getUTCDate() + 1),
	week: d => d.setUTCDate(d.getUTCDate() + 7),
	month: d => d.setUTCMonth(d.getUTCMonth() + 1),
	year: d => d.setUTCFullYear(d.getUTCFullYear() + 1),
};

// When the period began that a time lies in.  Times are those of a clock on
// the wall, written as if they were UTC.
function startOf(per, d) {
	d.setUTCMinutes(0, 0, 0);
	if (per !== 'hour')
		d.setUTCHours(0);
	if (per === 'week')
		d.setUTCDate(d.getUTCDate() - (d.getUTCDay() + 6) % 7);
	if (per === 'month' || per === 'year')
		d.setUTCDate(1);
	if (per === 'year')
		d.setUTCMonth(0);
	return d;
}

const onWall = text => new Date(`${text.slice(0, 19)}Z`);

const shortly = {
	hour: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
	day: { day: 'numeric', month: 'short' },
	week: { day: 'numeric', month: 'short' },
	month: { month: 'short', year: '2-digit' },
	year: { year: 'numeric' },
};
const fully = {
	hour: { ...shortly.hour, ...shortly.day, weekday: 'short' },
	day: { dateStyle: 'full' },
	week: { dateStyle: 'long' },
	month: { month: 'long', year: 'numeric' },
	year: shortly.year,
};

// Every period of a report of GET /usage, also those in which nothing was used:
// [{ label, name, rows }].  Where clocks are set back two hours are one.
export function periods({ from, to, per, rows }) {
	const short = new Intl.DateTimeFormat(tag(),
		{ timeZone: 'UTC', ...shortly[per] });
	const full = new Intl.DateTimeFormat(tag(),
		{ timeZone: 'UTC', ...fully[per] });
	const byStart = Map.groupBy(rows, r => +startOf(per, onWall(r.start)));
	const list = [];
	for (const d = startOf(per, onWall(from)); d < onWall(to); steps[per](d))
		list.push({ label: short.format(d), name: full.format(d),
			rows: byStart.get(+d) ?? [] });
	return list;
}

// ---- charts ----

const sum = (rows, name) => rows.reduce((n, r) => n + r[name], 0);

// One figure of each period; what is no sum has at most one row a period.
const of = (list, name) => list.map(p => sum(p.rows, name));
const each = (list, name) => list.map(p => p.rows[0]?.[name] ?? null);

const line = (name, tone, values, format) => ({ name, tone, values,
	total: format(values.reduce((a, b) => a + b, 0)) });

// Of a report that tells nobody apart: requests, tokens, cost, and how long a
// first byte took.
export function chartsOf(report) {
	const list = periods(report);
	const base = { labels: list.map(p => p.label),
		full: list.map(p => p.name) };
	const all = [
		{ ...base, title: t('requests'), kind: 'bars', format: compact,
			whole: true,
			series: [line(t('requests'), 'tone-1', of(list, 'requests'),
				number), line(t('errors'), 'tone-bad',
				of(list, 'errors'), number)] },
		{ ...base, title: t('tokens_all'), kind: 'stack', format: compact,
			whole: true, series: [['input_tokens', 'input'],
				['output_tokens', 'output'],
				['cache_read_tokens', 'cacheRead'],
				['cache_write_tokens', 'cacheWrite']].map(
				([name, text], i) => line(t(text), `tone-${i + 1}`,
					name === 'cache_write_tokens' ? list.map(p =>
						sum(p.rows, 'cache_write_5m_tokens') +
						sum(p.rows, 'cache_write_1h_tokens')) :
						of(list, name), compact)) },
		{ ...base, title: t('cost'), kind: 'bars', format: money,
			axis: dollars, usual: 1e9,
			series: [line(t('cost'), 'tone-2', of(list, 'cost_nusd'),
				money)] },
	];
	if ('ttfb_p50_ms' in report.total)
		all.push({ ...base, title: t('firstByte'), kind: 'lines',
			format: millis, usual: 1000, series: [['50', 'tone-1'], ['95', 'tone-3']]
				.map(([n, tone]) => ({ name: t(`p${n}`), tone,
					values: each(list, `ttfb_p${n}_ms`),
					total: millis(report.total[`ttfb_p${n}_ms`]) })) });
	return all;
}

// ---- by whom ----

const apart = 6;		// so many have a colour of their own

// What each key, model, ... used, stacked: those that used most, then the rest.
export function chartsBy(report, by) {
	const list = periods(report);
	const base = { labels: list.map(p => p.label),
		full: list.map(p => p.name), kind: 'stack' };
	return [['cost', 'cost_nusd', money], ['requests', 'requests', number]]
		.map(([title, name, format]) => {
			const sums = new Map();
			for (const r of report.rows)
				sums.set(r[by], (sums.get(r[by]) ?? 0) + r[name]);
			const all = [...sums].sort((a, b) => b[1] - a[1])
				.map(([who]) => who);
			const named = all.length > apart ? all.slice(0, apart - 1) : all;
			const series = named.map((who, i) => line(who ?? '–',
				`tone-${i + 1}`, list.map(p => sum(p.rows.filter(r =>
					r[by] === who), name)), format));
			if (named.length < all.length)
				series.push(line(t('others'), 'tone-6', list.map(p =>
					sum(p.rows.filter(r => !named.includes(r[by])),
						name)), format));
			return { ...base, title: t(title), format,
				whole: name === 'requests', axis: name === 'requests' ?
				compact : dollars, series };
		});
}
