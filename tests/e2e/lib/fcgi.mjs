// FastCGI records, straight to a responder's socket: what no web server would
// send, and what only some would.
import net from 'node:net';

export const BEGIN = 1, ABORT = 2, END = 3, PARAMS = 4, STDIN = 5,
	STDOUT = 6;

export function record(type, content = '', { id = 1, version = 1 } = {}) {
	const body = Buffer.from(content);
	const head = Buffer.alloc(8);
	head[0] = version;
	head[1] = type;
	head.writeUInt16BE(id, 2);
	head.writeUInt16BE(body.length, 4);
	return Buffer.concat([head, body]);
}

export function begin({ keep = false, role = 1 } = {}) {
	return record(BEGIN, Buffer.from([0, role, keep ? 1 : 0, 0, 0, 0, 0, 0]));
}

function length(n) {
	if (n < 128)
		return Buffer.from([n]);
	const long = Buffer.alloc(4);
	long.writeUInt32BE((n | 0x80000000) >>> 0);
	return long;
}

// One PARAMS record of [name, value] pairs; bytes are latin1.
export function params(pairs) {
	return record(PARAMS, Buffer.concat(pairs.flatMap(([name, value]) => {
		const n = Buffer.from(name, 'latin1');
		const v = Buffer.from(String(value), 'latin1');
		return [length(n.length), length(v.length), n, v];
	})));
}

// What a web server says of POST /v1/messages.
export function post(key, more = {}) {
	return Object.entries({
		REQUEST_METHOD: 'POST', REQUEST_URI: '/v1/messages',
		SERVER_PROTOCOL: 'HTTP/1.1', REMOTE_ADDR: '127.0.0.1',
		CONTENT_TYPE: 'application/json', HTTP_X_API_KEY: key, ...more,
	}).filter(([, value]) => value !== undefined);
}

// A connection to a responder.
export class Fcgi {
	static open(path) {
		const socket = net.connect({ path, allowHalfOpen: true });
		return new Promise((done, fail) => {
			socket.once('connect', () => done(new Fcgi(socket)));
			socket.once('error', fail);
		});
	}

	// Send all of it, and what comes back until the end.
	static async ask(path, ...records) {
		const c = await Fcgi.open(path);
		c.send(...records);
		return c.answer();
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
		const over = () => { this.closed = true; this.changed(); };
		socket.on('error', over);
		socket.on('end', over);
		socket.on('close', over);
	}

	send(...records) {
		this.socket.write(Buffer.concat(records));
	}

	close() {
		this.socket.destroy();
	}

	// The next request's { status, headers, body }, once END_REQUEST came;
	// null when the connection was closed without one.
	async answer(ms = 10000) {
		const late = Date.now() + ms;
		for (;;) {
			const found = this.#parse();
			if (found || this.closed)
				return found;
			await new Promise((done, fail) => {
				const timer = setTimeout(() => fail(new Error(
					'no END_REQUEST came')), late - Date.now());
				this.changed = () => { clearTimeout(timer); done(); };
			});
		}
	}

	#parse() {
		const out = [];
		let at = 0;
		while (this.bytes.length - at >= 8) {
			const type = this.bytes[at + 1];
			const n = this.bytes.readUInt16BE(at + 4);
			const next = at + 8 + n + this.bytes[at + 6];
			if (this.bytes.length < next)
				return null;
			if (type === STDOUT)
				out.push(this.bytes.subarray(at + 8, at + 8 + n));
			at = next;
			if (type === END) {
				this.bytes = this.bytes.subarray(at);
				return response(Buffer.concat(out).toString());
			}
		}
		return null;
	}
}

function response(text) {
	const split = text.indexOf('\r\n\r\n');
	const headers = Object.fromEntries(text.slice(0, split).split('\r\n')
		.map(line => line.split(': '))
		.map(([name, value]) => [name.toLowerCase(), value]));
	return { status: Number(headers.status?.slice(0, 3)), headers,
		body: text.slice(split + 4) };
}
