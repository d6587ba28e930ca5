// Parks of accounts, as responders write them.
export const like = team => `(SELECT id FROM account WHERE name LIKE
	'${team.name}-%')`;
export const named = account => `(SELECT id FROM account WHERE name =
	'${account.name}')`;

// ${account} was parked ${ago} ms ago, for ${ms}.
export function park(account, { reason, ms, soft = 0, ago = 0, family = '' }) {
	const now = Date.now() - ago;
	return `INSERT INTO cooldown (account_id, family, reason, since_ms,
		until_ms, stated, strikes, observed_ms, soft) SELECT id,
		'${family}', '${reason}', ${now}, ${now + ms}, 0, 1, ${now},
		${soft} FROM account WHERE name = '${account.name}';`;
}

export const wake = team =>
	`DELETE FROM cooldown WHERE account_id IN ${like(team)};`;
// What was changed behind their backs they see with their next batch.
export const tell = `UPDATE meta SET value = value + 1
	WHERE name = 'config_version';`;
