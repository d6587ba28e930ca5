// What a field for a name proposes: asked for while somebody types, a few at a
// time, however many there are.
import { get } from './api.js';

const most = 20;
const pauseMs = 200;
let ids = 0;

// Properties for field(): path is the list whose names are proposed.
export function suggest(path) {
	let list = null, timer, last = null;
	const fill = async part => {
		if (part === last)
			return;
		last = part;
		try {
			const { items } = await get(`${path}?limit=${most}&q=` +
				encodeURIComponent(part));
			if (part === last)
				list.replaceChildren(...items.map(i => new Option(i.name)));
		} catch {
			last = null;		// it is typed without
		}
	};
	const ask = event => {
		const input = event.target;
		if (list === null) {
			list = document.createElement('datalist');
			list.id = `suggested-${++ids}`;
			input.after(list);
			input.setAttribute('list', list.id);
		}
		clearTimeout(timer);
		timer = setTimeout(fill, event.type === 'focus' ? 0 : pauseMs,
			input.value.trim());
	};
	return { autocomplete: 'off', onfocus: ask, oninput: ask };
}
