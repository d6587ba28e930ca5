// Other users of a site's database.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

// Holds the write lock of the database, as a process that stopped inside a
// transaction would.
export class Locker {
	static async take(site) {
		const child = spawn('sqlite3', ['-batch', '-cmd', '.timeout 5000',
			join(site.dir, 'var/leasehold.db')],
		{ stdio: ['pipe', 'pipe', 'inherit'] });
		child.stdin.write('BEGIN IMMEDIATE; SELECT \'locked\';\n');
		const [line] = await once(child.stdout, 'data');
		if (!String(line).startsWith('locked'))
			throw new Error(`cannot lock the database: ${line}`);
		return new Locker(child);
	}

	constructor(child) {
		this.child = child;
		this.since = Date.now();
	}

	// Milliseconds that it is held.
	age() {
		return Date.now() - this.since;
	}

	async release() {
		const gone = once(this.child, 'exit');
		this.child.stdin.end('ROLLBACK;\n');
		await gone;
	}
}
