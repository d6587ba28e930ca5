-- Accounts, groups and slots, as the command and the admin responder change
-- them.  Responders see changes through meta.config_version.

-- name: lock_config @mysql only
-- One change of accounts, groups, keys or prices at a time.
SELECT name FROM gate WHERE name = 'config' FOR UPDATE;

-- name: group_add
-- name, strategy, concurrency, created_ms
INSERT INTO account_group (name, strategy, concurrency, created_ms)
VALUES (?, ?, ?, ?);

-- name: group_set_strategy
-- strategy, id
UPDATE account_group SET strategy = ? WHERE id = ?;

-- name: group_set_concurrency
-- concurrency, id
UPDATE account_group SET concurrency = ? WHERE id = ?;

-- name: group_set_name
-- name, id
UPDATE account_group SET name = ? WHERE id = ?;

-- name: group_remove
DELETE FROM account_group WHERE id = ?;

-- name: group_id_by_name
SELECT id FROM account_group WHERE name = ?;

-- name: group_list
-- name or '' twice
SELECT g.id, g.name, g.strategy, g.concurrency,
	(SELECT count(*) FROM account a WHERE a.group_id = g.id),
	(SELECT count(*) FROM api_key k WHERE k.bind_kind = 'group'
	    AND k.bind_id = g.id AND k.revoked_ms IS NULL),
	(SELECT count(*) FROM budget b WHERE b.scope = 'group'
	    AND b.scope_id = g.id),
	(SELECT count(*) FROM model_alias m WHERE m.scope = 'group'
	    AND m.scope_id = g.id),
	g.created_ms
FROM account_group g
WHERE ? = '' OR g.name = ?
ORDER BY g.name;

-- name: group_uses
-- Accounts in a group, keys bound to it (revoked ones do not count), budgets
-- set on it.
-- id three times
SELECT (SELECT count(*) FROM account WHERE group_id = ?),
	(SELECT count(*) FROM api_key WHERE bind_kind = 'group'
	    AND bind_id = ? AND revoked_ms IS NULL),
	(SELECT count(*) FROM budget WHERE scope = 'group' AND scope_id = ?);

-- name: account_add
-- The secret is put in by account_set_secret, once the id is known that it is
-- bound to; both in one transaction.
-- name, platform, base_url, credential, secret, group_id, priority, weight,
-- concurrency, enabled, created_ms, updated_ms
INSERT INTO account (name, platform, base_url, credential, secret, group_id,
	priority, weight, concurrency, enabled, created_ms, updated_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: account_set
-- name, platform, base_url, credential, group_id, priority, weight,
-- concurrency, enabled, updated_ms, id
UPDATE account SET name = ?, platform = ?, base_url = ?, credential = ?,
	group_id = ?, priority = ?, weight = ?, concurrency = ?, enabled = ?,
	updated_ms = ?
WHERE id = ?;

-- name: account_set_models
-- models, auth_header, id
UPDATE account SET models = ?, auth_header = ? WHERE id = ?;

-- name: account_set_secret
-- secret, updated_ms, id
UPDATE account SET secret = ?, updated_ms = ? WHERE id = ?;

-- name: account_set_proxy
-- proxy, updated_ms, id
UPDATE account SET proxy = ?, updated_ms = ? WHERE id = ?;

-- name: account_show_proxy
-- proxy_shown, id
UPDATE account SET proxy_shown = ? WHERE id = ?;

-- name: account_row
-- What account_set changes.
SELECT id, platform, base_url, credential, group_id, priority, weight,
	concurrency, enabled, models, auth_header
FROM account WHERE name = ?;

-- name: account_name
SELECT name FROM account WHERE id = ?;

-- name: account_secret
SELECT secret FROM account WHERE id = ?;

-- name: account_secrets
-- All of them, for a new master key.
SELECT id, secret FROM account ORDER BY id;

-- name: account_proxy
SELECT proxy FROM account WHERE id = ? AND proxy IS NOT NULL;

-- name: account_proxies
SELECT id, proxy FROM account WHERE proxy IS NOT NULL ORDER BY id;

-- name: account_users
-- Requests under way on an account, keys bound to it, objects that it holds.
-- id three times
SELECT (SELECT count(*) FROM slot WHERE account_id = ?
	    AND responder_id IS NOT NULL),
	(SELECT count(*) FROM api_key WHERE bind_kind = 'account'
	    AND bind_id = ? AND revoked_ms IS NULL),
	(SELECT count(*) FROM object WHERE account_id = ?);

-- name: account_remove_slots
DELETE FROM slot WHERE account_id = ?;

-- name: account_remove_cooldowns
DELETE FROM cooldown WHERE account_id = ?;

-- name: account_remove
DELETE FROM account WHERE id = ?;

-- name: account_list
-- name or '' twice
SELECT a.id, a.name, a.platform, a.base_url,
	CASE WHEN EXISTS (SELECT 1 FROM account_oauth o
	    WHERE o.account_id = a.id) THEN 'oauth' ELSE a.credential END,
	g.name,
	a.priority, a.weight, a.concurrency, a.enabled,
	(SELECT count(*) FROM slot s WHERE s.account_id = a.id
	    AND s.responder_id IS NOT NULL),
	a.proxy_shown, a.models, a.auth_header, a.created_ms, a.updated_ms,
	a.group_id
FROM account a
LEFT JOIN account_group g ON g.id = a.group_id
WHERE ? = '' OR a.name = ?
ORDER BY a.name;

-- name: account_page
-- Some of those that fit, by name; the last column is how many fit.  What the
-- cooldown of a whole account comes to is as breaker_one has it, see
-- fcgi/pool/breaker.h: 0 closed, 1 half-open, 2 open.
-- platform or '' twice, group (0: of none) or -1 twice, enabled or -1 twice,
-- part of the name or the address in small letters or '' thrice, breaker or
-- -1, now_ms, now_ms with BREAKER_SLACK_MS, breaker, rows, rows before them
SELECT a.id, a.name, a.platform, a.base_url,
	CASE WHEN EXISTS (SELECT 1 FROM account_oauth o
	    WHERE o.account_id = a.id) THEN 'oauth' ELSE a.credential END,
	g.name,
	a.priority, a.weight, a.concurrency, a.enabled,
	(SELECT count(*) FROM slot s WHERE s.account_id = a.id
	    AND s.responder_id IS NOT NULL),
	a.proxy_shown, a.models, a.auth_header, a.created_ms, a.updated_ms,
	a.group_id,
	part.fit
FROM (SELECT f.id, count(*) OVER () AS fit FROM account f
    WHERE (? = '' OR f.platform = ?)
    AND (? = -1 OR coalesce(f.group_id, 0) = ?)
    AND (? = -1 OR f.enabled = ?)
    AND (? = '' OR instr(lower(f.name), ?) > 0
	OR instr(lower(f.base_url), ?) > 0)
    AND (? = -1 OR coalesce((SELECT CASE
	WHEN c.until_ms > ? AND c.observed_ms <= ? THEN 2
	WHEN c.stated = 1 AND c.reason = 'rate_limited' THEN 0 ELSE 1 END
	FROM cooldown c WHERE c.account_id = f.id AND c.family = ''), 0) = ?)
    ORDER BY f.name LIMIT ? OFFSET ?) AS part
JOIN account a ON a.id = part.id
LEFT JOIN account_group g ON g.id = a.group_id
ORDER BY a.name;

-- name: cooldown_list
-- By account, of those from one name to another; the last is the request that
-- probes it.
-- names
SELECT a.name, c.family, c.reason, c.detail, c.since_ms, c.until_ms,
	c.stated, c.strikes, c.cause_id, c.observed_ms, c.soft, l.id
FROM cooldown c
JOIN account a ON a.id = c.account_id
LEFT JOIN ledger l ON l.id = c.probe_id AND l.state = 0
    AND l.fence <= c.probe_attempt
WHERE a.name >= ? AND a.name <= ?
ORDER BY a.name, c.family;

-- name: accounts_probed
-- Accounts that a request probes, see fcgi/pool/halfopen.h.
-- family, since when it may be
SELECT c.account_id
FROM cooldown c JOIN ledger l ON l.id = c.probe_id
WHERE c.family IN ('', ?) AND l.state = 0 AND l.fence <= c.probe_attempt
    AND c.probe_ms > ?;

-- name: cooldown_lift
-- Those that are over as well: their strikes are forgotten.
-- account_id
DELETE FROM cooldown WHERE account_id = ?;

-- name: slot_add @sqlite
-- account_id, n; a slot that is there stays as it is
INSERT INTO slot (account_id, n) VALUES (?, ?) ON CONFLICT DO NOTHING;
-- name: slot_add @mysql
INSERT IGNORE INTO slot (account_id, n) VALUES (?, ?);

-- name: lock_slots @mysql only
-- Nobody leases one of an account that is about to go.
SELECT n FROM slot WHERE account_id = ? FOR UPDATE;

-- name: slot_trim
-- Slots above the limit go when they are free; held ones finish their
-- request, are never leased again, and go with the next change.
-- account_id, concurrency
DELETE FROM slot WHERE account_id = ? AND n > ? AND responder_id IS NULL;
