// MariaDB: what is wrong with the account there, or lacking, is refused at the
// start of every program, with what to do about it; a server that is not there
// yet is waited for.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { onMysql } from './lib/database.mjs';
import { Programs, responders } from './lib/programs.mjs';
import { run, source } from './lib/site.mjs';

const password = 'of-these-tests';
let dir, programs, server;

async function mariadb(action) {
	const r = await run(join(source, 'tests/mariadb.sh'), [action, server]);
	assert.equal(r.status, 0, r.stderr);
}

async function sql(text) {
	const r = await run('mariadb', ['--no-defaults', '-S',
		join(server, 'sock'), '-u', 'root', '-e', text]);
	assert.equal(r.status, 0, r.stderr);
}

async function settings({ user = 'leasehold', database = 'leasehold',
	secret = password } = {}) {
	await writeFile(join(dir, 'password'), `${secret}\n`, { mode: 0o600 });
	await writeFile(programs.conf, `
store = mysql://${user}@localhost/${database}?socket=${server}/sock&\
password_file=${dir}/password
master_key_file = ${dir}/master.key
run_dir = ${dir}/run
spool_dir = ${dir}/spool
relay_socket = ${dir}/run/relay.sock
admin_socket = ${dir}/run/admin.sock
log = stderr
`);
}

function grantAll() {
	return sql(`GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP,
		INDEX, REFERENCES ON leasehold.* TO leasehold@localhost`);
}

describe('a server', { skip: !onMysql }, () => {
	before(async () => {
		dir = await mkdtemp(join(tmpdir(), 'lh-'));
		server = join(dir, 'server');
		programs = new Programs(dir);
		await mkdir(join(dir, 'run'));
		await mariadb('start');
		await sql(`CREATE USER leasehold@localhost
			IDENTIFIED BY '${password}'`);
		await grantAll();
		await settings();
	});
	after(async () => {
		await mariadb('stop');
		await rm(dir, { recursive: true, force: true });
	});

	test('has all that it takes', async () => {
		await programs.starts(['leasehold'], ['init']);
		await programs.starts();
	});

	test('knows another password, or nobody of that name', async () => {
		await settings({ secret: 'another' });
		await programs.refuse([/password/, /user leasehold/]);
		await settings({ user: 'nobody' });
		await programs.refuse([/password/, /user nobody/]);
		await settings();
	});

	test('gives rights that are too narrow: what to grant', async () => {
		await sql('REVOKE ALL ON leasehold.* FROM leasehold@localhost');
		await sql('GRANT SELECT ON leasehold.* TO leasehold@localhost');
		await programs.refuse(
			/GRANT SELECT, INSERT, UPDATE, DELETE .*ON leasehold\.\*/,
			responders);
		await programs.refuse(/GRANT SELECT, INSERT, UPDATE, DELETE/,
			['leasehold'], ['key', 'create', '--name', 'x']);
		// As it says.
		await sql(`GRANT SELECT, INSERT, UPDATE, DELETE ON leasehold.*
			TO leasehold@localhost`);
		await programs.starts();
		await programs.starts(['leasehold'],
			['key', 'create', '--name', 'x']);
	});

	test('says nothing of passwords, whatever it is asked', async () => {
		for (const name of ['leasehold', ...responders]) {
			const { stderr } = await programs.start(name);
			assert.ok(!stderr.includes(password), name);
		}
	});

	test('is not there: responders wait, the command says so', async () => {
		await mariadb('stop');
		await programs.starts(responders);
		await programs.refuse(/server\/sock/, ['leasehold']);
		await mariadb('start');
		await programs.starts();
	});

	test('has no such database: init makes it, if it may', async () => {
		await sql('DROP DATABASE leasehold');
		await programs.refuse(/leasehold init/);
		await programs.refuse(/\(for init and migrate also .*CREATE.*\) ON /,
			['leasehold'], ['init']);
		await grantAll();
		await programs.starts(['leasehold'], ['init']);
		await programs.starts();
	});
});
