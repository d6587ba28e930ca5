// Charts over time, drawn by uPlot, which is loaded with the first of them.
// Each has its figures as a table, too, which stands alone where the pages were
// built without uPlot.
import { h, table } from './dom.js';
import { t } from './text.js';

const height = 200;
let loaded;

// Resolves to uPlot; to null if it is not there.
function load() {
	loaded ??= new Promise(resolve => document.head.append(
		h('link', { rel: 'stylesheet', href: 'lib/uplot.css' }),
		h('script', { src: 'lib/uplot.js',
			onload: () => resolve(globalThis.uPlot),
			onerror: () => resolve(null) })));
	return loaded;
}

const colourOf = e => getComputedStyle(e).color;
const px = n => n * devicePixelRatio;

// ---- what uPlot is told ----

// Stacked, each stands on those before it.
function heaped(series) {
	let below;
	return series.map(({ values }) => below = values.map((v, i) =>
		(v ?? 0) + (below?.[i] ?? 0)));
}

// What is drawn later stands before it: the highest first.
const drawn = (kind, list) => kind === 'stack' ? [...list].reverse() : list;

const columns = ({ kind, labels, series }) => [labels.map((_, i) => i),
	...drawn(kind, kind === 'stack' ? heaped(series) :
		series.map(s => s.values))];

const bars = uPlot => uPlot.paths.bars({ size: [0.75, 60], align: 0 });

function seriesOf(uPlot, spec, key) {
	return drawn(spec.kind, spec.series).map(s => {
		const colour = colourOf(key.get(s));
		return spec.kind === 'lines' ? { stroke: colour, width: 2,
			spanGaps: false, points: { size: 4, fill: colour } } :
			{ stroke: colour, fill: colour, width: 0,
				paths: bars(uPlot), points: { show: false } };
	});
}

// The greatest value with a little room; of nothing but zeroes as far as such
// values usually go.
const yRange = spec => (u, min, max) => [0, max > 0 ? max * 1.08 :
	spec().usual ?? 1];

function axes(spec, box) {
	const style = getComputedStyle(box);
	const ink = style.color, line = style.borderTopColor;
	const font = `12px ${style.fontFamily}`;
	const grid = { stroke: line, width: 1 };
	return [
		{ stroke: ink, font, grid: { show: false }, ticks: grid, size: 30,
			splits: u => everyFew(spec().labels, u.bbox.width),
			values: (u, at) => at.map(i => spec().labels[i]) },
		{ stroke: ink, font, grid, ticks: { show: false }, size: 62,
			space: 40, incrs: spec().whole ? wholes : undefined, values: (u, at) => at.map(v =>
				(spec().axis ?? spec().format)(v)) },
	];
}

// Steps of what is counted.
const wholes = Array.from({ length: 12 }, (_, i) => [1, 2, 5].map(n =>
	n * 10 ** i)).flat();

// So many labels as stand beside one another.
function everyFew(labels, width) {
	const longest = Math.max(1, ...labels.map(s => s.length));
	const room = Math.max(1, Math.floor(width / px(longest * 7 + 24)));
	const step = Math.ceil(labels.length / room);
	return labels.map((_, i) => i).filter(i => i % step === 0);
}

// ---- what stands about it ----

function asTable({ title, full, series, format }) {
	const rows = full.map((name, i) => ({ name, i }));
	return table(title, [[t('when'), r => r.name], ...series.map(s =>
		[s.name, r => s.values[r.i] === null ? '' :
			format(s.values[r.i]), 'number'])], rows, t('none'));
}

// What belongs to which colour, and its value where the pointer is.
function legend(series) {
	const key = new Map(series.map(s => [s,
		h('i', { class: `swatch ${s.tone}` })]));
	const values = series.map(() => h('b', null));
	const when = h('span', { class: 'quiet' });
	const e = h('p', { class: 'legend' },
		series.map((s, i) => h('span', null, key.get(s), s.name, ' ',
			values[i])), when);
	return { e, key, show: (spec, i) => {
		when.textContent = i === null ? '' : spec.full[i];
		spec.series.forEach((s, n) => values[n].textContent =
			i === null ? s.total ?? '' : s.values[i] === null ? '–' :
				spec.format(s.values[i]));
	} };
}

// chart({ title, kind: 'bars', 'stack' or 'lines', labels: of the axis, full:
// of the points, series: [{ name, tone: its colour in style.css, values, total:
// what the legend says without a pointer }], format: value => text, axis: likewise there,
// whole: they are numbers of something, usual: how far the axis goes where all
// is 0 }): an
// element, whose .update(spec) shows others of the same series.
export function chart(first) {
	let spec = first, plot = null;
	const { e, key, show } = legend(spec.series);
	const canvas = h('div', { class: 'plot', 'aria-hidden': 'true' });
	const figures = h('details', null, h('summary', null, t('figures')));
	const box = h('figure', { class: 'card chart' },
		h('figcaption', null, spec.title), e, canvas, figures);
	const fillTable = () => figures.open &&
		figures.replaceChildren(figures.firstChild, asTable(spec));
	figures.addEventListener('toggle', fillTable);
	const draw = uPlot => {
		plot?.destroy();
		plot = new uPlot({ width: canvas.clientWidth, height,
			cursor: { y: false, drag: { x: false, y: false } },
			legend: { show: false }, padding: [8, 8, 0, 0],
			scales: { x: { time: false, range: (u, min, max) =>
				[min - 0.6, max + 0.6] }, y: { range:
				yRange(() => spec) } },
			series: [{}, ...seriesOf(uPlot, spec, key)],
			axes: axes(() => spec, box),
			hooks: { setCursor: [u => show(spec, u.cursor.idx ?? null)] },
		}, columns(spec), canvas);
	};
	box.update = next => {
		const same = JSON.stringify([next.full, next.series]) ===
			JSON.stringify([spec.full, spec.series]);
		spec = next.series.every((s, i) => s.name === spec.series[i].name) ?
			{ ...next, series: next.series.map((s, i) =>
				Object.assign(spec.series[i], s)) } : next;
		if (same)
			return;
		show(spec, null);
		fillTable();
		plot?.setData(columns(spec));
	};
	box.redraw = () => plot && load().then(draw);
	show(spec, null);
	begin(canvas, figures, draw, () => plot);
	return box;
}

// Draw it as soon as it has a width.
async function begin(canvas, figures, draw, plotted) {
	const uPlot = await load();
	if (uPlot === null) {
		canvas.remove();
		figures.open = true;
		return;
	}
	new ResizeObserver(() => {
		const width = canvas.clientWidth;
		if (width > 0 && plotted() === null)
			draw(uPlot);
		else if (width > 0 && plotted().width !== width)
			plotted().setSize({ width, height });
	}).observe(canvas);
}

// With another scheme of colours they are drawn anew.
const redraw = () => document.querySelectorAll('.chart').forEach(e =>
	e.redraw());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
addEventListener('scheme', redraw);
