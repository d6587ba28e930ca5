// What to do with a key: it is shown once, with the lines that clients need.
import { h } from './dom.js';
import { button, feet, modal } from './form.js';
import { t } from './text.js';

// Where clients find the relay: what stands above the pages.
export const endpoint = () => new URL('..', location.href.split('#')[0]).href
	.replace(/\/$/, '');

export const demoModel = 'claude-sonnet-4-5';

// Without TLS browsers keep the clipboard to themselves; then the text is
// marked, for the reader to copy.
async function copy(text, marked) {
	try {
		await navigator.clipboard.writeText(text);
		return t('copied');
	} catch {
		getSelection().selectAllChildren(marked);
		return t('copyByHand');
	}
}

function copier(text, marked, label = t('copy')) {
	const told = h('span', { role: 'status', class: 'good small' });
	return h('span', { class: 'copier' }, button(label, async () => {
		told.textContent = await copy(text, marked);
		setTimeout(() => told.textContent = '', 4000);
	}), told);
}

// A text to be kept, and the button that copies it.
export function secret(text) {
	const shown = h('code', { class: 'secret' }, text);
	return h('div', { class: 'keep' }, shown, copier(text, shown));
}

export function lines(text, label) {
	const shown = h('pre', { tabindex: 0 }, text);
	return h('div', { class: 'snippet' }, shown, copier(text, shown, label));
}

const clients = [
	['Claude Code', (url, key) => `export ANTHROPIC_BASE_URL=${url}
export ANTHROPIC_AUTH_TOKEN=${key}
claude`],
	['PowerShell', (url, key) => `$env:ANTHROPIC_BASE_URL = '${url}'
$env:ANTHROPIC_AUTH_TOKEN = '${key}'
claude`],
	['Python', (url, key) => `from anthropic import Anthropic

client = Anthropic(base_url='${url}',
                   auth_token='${key}')
message = client.messages.create(
    model='${demoModel}', max_tokens=200,
    messages=[{'role': 'user', 'content': 'Hello'}])
print(message.content[0].text)`],
	['JavaScript', (url, key) => `import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({ baseURL: '${url}',
  authToken: '${key}' });
const message = await client.messages.create({
  model: '${demoModel}', max_tokens: 200,
  messages: [{ role: 'user', content: 'Hello' }] });
console.log(message.content[0].text);`],
	['curl', (url, key) => `curl -N ${url}/v1/messages \\
    -H 'x-api-key: ${key}' \\
    -H 'anthropic-version: 2023-06-01' \\
    -H 'content-type: application/json' \\
    -d '{"model": "${demoModel}", "max_tokens": 200, "stream": true,
         "messages": [{"role": "user", "content": "Hello"}]}'`],
];

let groups = 0;

// The lines for each client, one of them shown.
export function setupLines(key) {
	const name = `client-${++groups}`;
	const place = h('div');
	const show = i => place.replaceChildren(lines(clients[i][1](endpoint(),
		key)));
	const choice = h('fieldset', { class: 'segments' },
		h('legend', null, t('setUp')), clients.map(([client], i) => h('label',
			null, h('input', { type: 'radio', name, checked: i === 0,
				onchange: () => show(i) }), h('span', null, client))));
	show(0);
	return h('div', { class: 'setup' }, choice, place);
}

// A key that is there anew; resolves when the reader has closed it.
export function showKey(key, intro) {
	const d = modal(t('newKey'), [h('p', null, intro ?? t('shownOnce')),
		secret(key), setupLines(key),
		feet(button(t('close'), () => d.close(), 'primary'))],
	{ keep: true });
}
