// How well the output of a stream that was cut is estimated (see
// fcgi/relay/meter.h): bytes a token, and estimate : tokens, by kind of text.
// Anthropic publishes one tokenizer, that of an older generation of models; it
// is fetched by npm as tests/e2e/package.json pins it.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const { countTokens } = createRequire(join(top, 'tests/e2e/'))(
	'@anthropic-ai/tokenizer');

const file = name => () => readFileSync(join(top, name), 'utf8');

const texts = {
	'English prose (README.md)': file('README.md'),
	'German prose': () => 'Jede Anfrage belegt einen Platz auf einem der ' +
		'Konten, bevor auch nur ein Byte nach außen geht. Geht etwas schief, ' +
		'so wird der Platz nach wenigen Sekunden wieder frei, und die ' +
		'Buchhaltung stimmt trotzdem. Wer mehr Rechner hat, richtet sie auf ' +
		'dieselbe Datenbank.',
	'Chinese prose': () => '每个请求在发送到上游之前，都会在同一个数据库事务中获得' +
		'一个账户的租约，并在所有相关预算上进行预留。请求结束时，两者在另一个事务中' +
		'归还。因此，请求可能尚未结算，但绝不会丢失，也绝不会被重复计算。',
	'Japanese prose': () => '各リクエストは、上流に送信される前に、一つのデータベース' +
		'トランザクションの中でアカウントのリースと予算の予約を取得します。',
	'C (fcgi/relay/pass.c)': file('fcgi/relay/pass.c'),
	'JavaScript (tests/e2e/failover.test.mjs)':
		file('tests/e2e/failover.test.mjs'),
	'SQL (sql/sqlite/0001-init.sql)': file('sql/sqlite/0001-init.sql'),
	'JSON (conf/prices.json)': file('conf/prices.json'),
	'digits': () => Array.from({ length: 2000 }, (_, i) => i + 1000)
		.join('\n'),
	'hexadecimal': () => randomBytes(10000).toString('hex'),
	'base64': () => randomBytes(10000).toString('base64'),
};

console.log('| text | bytes a token | estimate : tokens |');
console.log('| --- | --: | --: |');
for (const [name, read] of Object.entries(texts)) {
	const text = read();
	const bytes = Buffer.byteLength(text), tokens = countTokens(text);
	console.log(`| ${name} | ${(bytes / tokens).toFixed(2)} | ` +
		`${(Math.ceil(bytes * 2 / 5) / tokens).toFixed(2)} |`);
}
