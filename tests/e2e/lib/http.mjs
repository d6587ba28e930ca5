// HTTP as the tests need it: exact bytes, exact times, ends of all kinds.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { prompt } from './site.mjs';

export const model = 'claude-sonnet-4-5';

export function message(more = {}) {
	return {
		model, max_tokens: 1000,
		messages: [{ role: 'user', content: prompt }], ...more,
	};
}

// Send a request; the answer with its whole body, however it ended:
//	{ status, headers, body, ended: 'end' | 'cut', error }
export function request(url, { method = 'POST', key, headers = {}, body,
	agent, signal, socketPath, ca, onData } = {}) {
	const payload = body === undefined || typeof body === 'string' ||
		Buffer.isBuffer(body) ? body : JSON.stringify(body);
	return new Promise((done, fail) => {
		const { request: ask } = String(url).startsWith('https:') ?
			https : http;
		const req = ask(url, {
			method, agent, signal, socketPath, ca,
			headers: {
				...key && { 'x-api-key': key },
				...payload !== undefined && {
					'content-type': 'application/json',
					...!headers['transfer-encoding'] && {
						'content-length': Buffer.byteLength(payload) },
				},
				...headers,
			},
		}, res => {
			const parts = [];
			const answer = { status: res.statusCode, headers: res.headers };
			const finish = (ended, error) => done({ ...answer, ended, error,
				bytes: Buffer.concat(parts),
				body: Buffer.concat(parts).toString() });
			res.on('data', d => { parts.push(d); onData?.(d, answer); });
			res.on('end', () => finish('end'));
			res.on('error', error => finish('cut', error));
		});
		req.on('error', fail);
		req.end(payload);
	});
}

// A call of a team's key to /v1/messages.
export function call(team, body = message(), options = {}) {
	return request(`${team.site.url}/v1/messages`,
		{ key: team.key, body, ...options });
}

export function stream(team, more = {}, options = {}) {
	return call(team, message({ stream: true, ...more }), options);
}

// The events of a stream: [{ event, data }].
export function events(text) {
	return text.split(/\r?\n\r?\n/).filter(Boolean).map(block => {
		const out = {};
		for (const line of block.split(/\r?\n/)) {
			const at = line.indexOf(':');
			out[line.slice(0, at)] = line.slice(at + 1).trim();
		}
		if (out.data)
			out.data = JSON.parse(out.data);
		return out;
	});
}

export function text(answer) {
	return events(answer.body)
		.filter(e => e.data?.delta?.type === 'text_delta')
		.map(e => e.data.delta.text).join('');
}

// A connection of which every byte is ours.
export class Raw {
	static open(port) {
		const socket = net.connect(port, '127.0.0.1');
		return new Promise((done, fail) => {
			socket.once('connect', () => done(new Raw(socket)));
			socket.once('error', fail);
		});
	}

	constructor(socket) {
		this.socket = socket;
		this.bytes = Buffer.alloc(0);
		this.closed = false;
		this.changed = () => {};
		socket.on('data', d => {
			this.bytes = Buffer.concat([this.bytes, d]);
			this.changed();
		});
		socket.on('error', () => {});
		socket.on('close', () => { this.closed = true; this.changed(); });
	}

	send(bytes) {
		this.socket.write(bytes);
	}

	// Wait until the text received fits, or the connection is closed.
	async until(pattern, ms = 10000) {
		const late = AbortSignal.timeout(ms);
		for (;;) {
			const text = this.bytes.toString('latin1');
			if (pattern.test(text) || this.closed)
				return text;
			await new Promise((done, fail) => {
				this.changed = done;
				late.addEventListener('abort', () => fail(new Error(
					`waited in vain for ${pattern} in ${text}`)));
			});
		}
	}

	status() {
		return Number(this.bytes.toString('latin1').match(
			/^HTTP\/1\.1 (\d+)/)?.[1]);
	}

	// FIN, or RST.
	close() {
		this.socket.destroy();
	}

	reset() {
		this.socket.resetAndDestroy();
	}
}
