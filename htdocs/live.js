// The pool's counters while they are looked at: told by the relay where it has
// /events, else asked for every few seconds.  Nothing runs while the page is
// hidden.
import { get } from './api.js';

const pollMs = 5000;

// live({ told, lost }): told(status) now and whenever something changed, with
// what there is of GET /status; lost(error) when asking fails.  Returns what
// ends it.
export function live({ told, lost }) {
	let source = null, timer = null, over = false;

	const poll = async () => {
		try {
			const status = await get('/status');
			if (!over)
				told(status);
		} catch (error) {
			if (!over)
				lost(error);
		}
		if (!over && !document.hidden && source === null)
			timer = setTimeout(poll, pollMs);
	};
	const listen = () => {
		source = new EventSource('../api/v1/events');
		source.addEventListener('status', e => told(JSON.parse(e.data)));
		source.addEventListener('end', () => {
			rest();
			poll();		// which says that nobody is signed in
		});
		source.addEventListener('error', () => {
			if (source?.readyState !== EventSource.CLOSED)
				return;		// it tries again by itself
			source = null;
			poll();
		});
	};
	const rest = () => {
		source?.close();
		source = null;
		clearTimeout(timer);
	};
	const look = () => {
		rest();
		if (!document.hidden && !over)
			listen();
	};
	document.addEventListener('visibilitychange', look);
	look();
	return () => {
		over = true;
		rest();
		document.removeEventListener('visibilitychange', look);
	};
}

// every(seconds, run): while the page is seen, and at once when it is seen
// again.  Returns what ends it.
export function every(seconds, run) {
	let timer = null;
	const look = event => {
		clearInterval(timer);
		timer = document.hidden ? null : setInterval(run, seconds * 1000);
		if (event && !document.hidden)
			run();
	};
	document.addEventListener('visibilitychange', look);
	look();
	return () => {
		clearInterval(timer);
		document.removeEventListener('visibilitychange', look);
	};
}
