// A proxy on loopback that speaks HTTP (CONNECT alone) and SOCKS 5, with or
// without user and password, and notes what it was asked for.
import { once } from 'node:events';
import net from 'node:net';

export class Proxy {
	// user, password: wanted of all who come.  answer: what it says to CONNECT
	// instead of leading on.
	static async start({ user, password, answer } = {}) {
		const proxy = new Proxy({ user, password, answer });
		proxy.server = net.createServer(s => proxy.#serve(s));
		proxy.server.listen(0, '127.0.0.1');
		await once(proxy.server, 'listening');
		proxy.port = proxy.server.address().port;
		return proxy;
	}

	constructor(wants) {
		Object.assign(this, wants, { asked: [], heads: [], refused: 0,
			open: new Set() });
	}

	url(scheme, user = '') {
		return `${scheme}://${user && user + '@'}127.0.0.1:${this.port}`;
	}

	async stop() {
		for (const s of this.open)
			s.destroy();
		this.server.close();
		await once(this.server, 'close');
	}

	#track(s) {
		this.open.add(s);
		s.on('error', () => {});
		s.on('close', () => this.open.delete(s));
	}

	async #serve(s) {
		this.#track(s);
		const first = await read(s, 1);
		if (!first)
			return;
		if (first[0] === 5)
			await this.#socks(s).catch(() => s.destroy());
		else
			await this.#connect(s, first).catch(() => s.destroy());
	}

	#lead(s, host, port, good, bad) {
		this.asked.push(`${host}:${port}`);
		const to = net.connect(port, host);
		this.#track(to);
		to.on('connect', () => {
			s.write(good);
			s.pipe(to);
			to.pipe(s);
		});
		to.on('error', () => s.end(bad));
		to.on('close', () => s.destroy());
		s.on('close', () => to.destroy());
	}

	async #connect(s, first) {
		let head = first.toString();
		while (!head.endsWith('\r\n\r\n'))
			head += (await read(s, 1)).toString();
		this.heads.push(head);
		const given = head.match(/^proxy-authorization: basic (.*)$/im)?.[1];
		const [, host, port] = head.match(/^CONNECT (\S+):(\d+) HTTP/) ?? [];
		if (this.user !== undefined && Buffer.from(given ?? '', 'base64')
			.toString() !== `${this.user}:${this.password}`) {
			this.refused++;
			s.end('HTTP/1.1 407 No\r\nproxy-authenticate: Basic realm="x"' +
				'\r\ncontent-length: 0\r\n\r\n');
		} else if (this.answer || !host) {
			s.end(this.answer ?? 'HTTP/1.1 405 No\r\n\r\n');
		} else {
			this.#lead(s, host, Number(port),
				'HTTP/1.1 200 Go\r\nx-of-the-proxy: yes\r\n\r\n',
				'HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n');
		}
	}

	// RFC 1928, RFC 1929
	async #socks(s) {
		const methods = await read(s, (await read(s, 1))[0]);
		const wanted = this.user === undefined ? 0 : 2;
		if (!methods.includes(wanted)) {
			this.refused++;
			s.end(Buffer.from([5, 255]));
			return;
		}
		s.write(Buffer.from([5, wanted]));
		if (wanted === 2) {
			await read(s, 1);
			const user = (await read(s, (await read(s, 1))[0])).toString();
			const word = (await read(s, (await read(s, 1))[0])).toString();
			const good = user === this.user && word === this.password;
			s.write(Buffer.from([1, good ? 0 : 1]));
			if (!good) {
				this.refused++;
				s.end();
				return;
			}
		}
		const [, , , kind] = await read(s, 4);
		const host = kind === 1 ? [...await read(s, 4)].join('.') :
			(await read(s, (await read(s, 1))[0])).toString();
		const port = (await read(s, 2)).readUInt16BE();
		const reply = code => Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
		this.kind = kind === 1 ? 'address' : 'name';
		this.#lead(s, host, port, reply(0), reply(5));
	}
}

// So many bytes; null if it ends before.
async function read(s, n) {
	if (n === 0)
		return Buffer.alloc(0);
	for (;;) {
		const got = s.read(n);
		if (got?.length === n)
			return got;
		if (got || s.readableEnded || s.destroyed)
			throw new Error('it ended early');
		await Promise.race([once(s, 'readable'), once(s, 'end'),
			once(s, 'close')]);
	}
}
