// What the admin responders do by themselves: when, and what came of it.
import { call, list } from './api.js';
import { act } from './change.js';
import { badge, h, table } from './dom.js';
import { countdown, head, stamp } from './parts.js';
import { jobs as summaries } from './strings-settings.js';
import { currentLanguage, duration, t, time } from './text.js';

const summary = j => summaries[currentLanguage()]?.[j.name] ?? j.summary;

function state(j) {
	if (j.running_since_ms)
		return badge(t('jobRuns'), 'warn');
	return !j.last ? badge(t(j.enabled ? 'notYet' : 'off'), 'quiet') : j.last.result === 'ok' ?
		badge(t('jobOk'), 'good') : badge(j.last.result, 'bad');
}

const last = j => j.last && h('div', null, stamp(j.last.started_ms),
	h('span', { class: 'quiet' }, ` · ${t('took',
		duration(j.last.duration_ms))}`),
	h('div', { class: j.last.result === 'ok' ? 'quiet small' : 'bad small' },
		j.last.text));

const next = j => !j.enabled || !j.next_ms ? '' : h('div', null,
	countdown(j.next_ms), h('div', { class: 'quiet small' },
		time(j.next_ms)));

export async function jobsPage(context) {
	const jobs = await list('/jobs');
	const run = j => call('POST', `/jobs/${encodeURIComponent(j.name)}/run`)
		.finally(context.again);
	context.main.replaceChildren(head(t('jobs')),
		h('p', { class: 'quiet' }, t('jobsIntro')), table(t('jobs'), [
			[t('name'), j => h('div', null, h('strong', null, j.name),
				h('div', { class: 'quiet small' }, summary(j)))],
			[t('schedule'), j => h('code', null, j.schedule ?? '–')],
			[t('state'), state],
			[t('nextRun'), next],
			[t('lastRun'), last],
			[t('acts'), j => act(context, t('runNow'), () => run(j))],
		], jobs, t('none')));
}
