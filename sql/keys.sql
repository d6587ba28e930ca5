-- Client keys with their money budget, and admin tokens.

-- name: key_add
-- name, visible, hash, bind_kind, bind_id, concurrency, models, person_id,
-- enabled, expires_ms, created_ms
INSERT INTO api_key (name, visible, hash, bind_kind, bind_id, concurrency,
	models, person_id, enabled, expires_ms, created_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: key_set
-- name, bind_kind, bind_id, concurrency, models, person_id, enabled,
-- expires_ms, id
UPDATE api_key SET name = ?, bind_kind = ?, bind_id = ?, concurrency = ?,
	models = ?, person_id = ?, enabled = ?, expires_ms = ?
WHERE id = ?;

-- name: key_drain_set
-- drain_ms or NULL, id
UPDATE api_key SET drain_ms = ? WHERE id = ?;

-- name: key_class_set
-- queue_class, id
UPDATE api_key SET queue_class = ? WHERE id = ?;

-- name: key_clients_set
-- clients, id
UPDATE api_key SET clients = ? WHERE id = ?;

-- name: key_nets_set
-- nets, id
UPDATE api_key SET nets = ? WHERE id = ?;

-- name: key_rate
-- The budget that is a key's rate: id, window, limit.
SELECT b.id, b.length_ms, b.limit_value
FROM api_key k JOIN budget b ON b.id = k.rate_id WHERE k.id = ?;

-- name: key_rate_add @sqlite
-- Named after the key, or, where that name is taken, after key and its id.
-- length_ms, limit_value, created_ms, key
INSERT INTO budget (name, scope, scope_id, kind, period, length_ms,
	limit_value, created_ms)
SELECT CASE WHEN EXISTS (SELECT 1 FROM budget b
	WHERE b.name = k.name || '-rate')
	THEN k.name || '-rate-' || k.id ELSE k.name || '-rate' END,
	'key', k.id, 'requests', 'rolling', ?, ?, ?
FROM api_key k WHERE k.id = ?;
-- name: key_rate_add @mysql
INSERT INTO budget (name, scope, scope_id, kind, period, length_ms,
	limit_value, created_ms)
SELECT CASE WHEN EXISTS (SELECT 1 FROM budget b
	WHERE b.name = concat(k.name, '-rate'))
	THEN concat(k.name, '-rate-', k.id) ELSE concat(k.name, '-rate') END,
	'key', k.id, 'requests', 'rolling', ?, ?, ?
FROM api_key k WHERE k.id = ?;

-- name: key_rate_is
-- budget, key
UPDATE api_key SET rate_id = ? WHERE id = ?;

-- name: key_rate_set
-- length_ms, limit_value, enabled, budget
UPDATE budget SET length_ms = ?, limit_value = ?, enabled = ? WHERE id = ?;

-- name: key_rate_forget
-- budget: it goes
UPDATE api_key SET rate_id = NULL WHERE rate_id = ?;

-- name: key_revoke
-- revoked_ms, id
UPDATE api_key SET revoked_ms = ?, enabled = 0
WHERE id = ? AND revoked_ms IS NULL;

-- name: key_row
-- What key_set changes.
SELECT id, bind_kind, bind_id, concurrency, models, enabled, expires_ms,
	revoked_ms, person_id
FROM api_key WHERE name = ?;

-- name: key_list
-- By name; one of a name, or a page of those of a user, or of all.  The `+'
-- keeps SQLite from the ledger's index by key: those that are open are few.
-- now_ms, person or 0 twice, part of the name in small letters or '' twice,
-- rows, rows before them, name or NULL
SELECT k.id, k.name, k.visible, p.name, k.bind_kind,
	coalesce(g.name, a.name),
	k.concurrency, k.models, k.enabled, k.expires_ms, k.created_ms,
	k.revoked_ms, b.limit_value,
	CASE WHEN b.id IS NOT NULL THEN coalesce(w.spent, 0) END,
	CASE WHEN b.id IS NOT NULL THEN coalesce(w.reserved, 0) END,
	coalesce(f.n, 0),
	k.drain_ms, k.queue_class, k.clients, k.nets, r.limit_value,
	r.length_ms, k.person_id,
	CASE WHEN k.bind_kind = 'group' THEN k.bind_id END,
	CASE WHEN k.bind_kind = 'account' THEN k.bind_id END,
	(SELECT max(s.until_ms) FROM key_secret s
	    WHERE s.key_id = k.id AND s.until_ms > ?)
FROM (SELECT id FROM (SELECT id FROM api_key
	WHERE (? = 0 OR person_id = ?) AND (? = '' OR instr(lower(name), ?) > 0)
	ORDER BY name LIMIT ? OFFSET ?) AS part
    UNION ALL SELECT id FROM api_key WHERE name = ?) AS page
JOIN api_key k ON k.id = page.id
LEFT JOIN (SELECT key_id, count(*) AS n FROM ledger WHERE state = 0
    GROUP BY +key_id) AS f ON f.key_id = k.id
LEFT JOIN budget r ON r.id = k.rate_id AND r.enabled = 1
LEFT JOIN person p ON p.id = k.person_id
LEFT JOIN account_group g ON k.bind_kind = 'group' AND g.id = k.bind_id
LEFT JOIN account a ON k.bind_kind = 'account' AND a.id = k.bind_id
LEFT JOIN budget b ON b.enabled = 1 AND b.id = (SELECT min(id) FROM budget
	WHERE scope = 'key' AND scope_id = k.id AND kind = 'money'
	AND period = 'total' AND models = '')
LEFT JOIN budget_window w ON w.budget_id = b.id AND w.start_ms = 0
ORDER BY k.name;

-- name: key_count
-- person or 0 twice, part of the name in small letters or '' twice
SELECT count(*) FROM api_key
WHERE (? = 0 OR person_id = ?) AND (? = '' OR instr(lower(name), ?) > 0);

-- name: key_secret_count
-- now_ms, key: those before the present one that still work
SELECT count(*) FROM key_secret WHERE until_ms > ? AND key_id = ?;

-- name: key_secret_cut
-- until_ms, key, until_ms: none works for longer
UPDATE key_secret SET until_ms = ? WHERE key_id = ? AND until_ms > ?;

-- name: key_secret_keep
-- until_ms, key: the present one
INSERT INTO key_secret (hash, key_id, visible, until_ms)
SELECT k.hash, k.id, k.visible, t.until_ms
FROM api_key k, (SELECT ? AS until_ms) AS t WHERE k.id = ?;

-- name: key_secret_prune
-- now_ms
DELETE FROM key_secret WHERE until_ms <= ?;

-- name: key_secret_set
-- visible, hash, key
UPDATE api_key SET visible = ?, hash = ? WHERE id = ?;

-- name: key_usage
-- What a key has used so far; open requests are counted, too, and found by
-- the index of those (`+').
-- key_id twice
SELECT sum(requests), coalesce(sum(cost_nusd), 0),
	coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0),
	coalesce(sum(cache_read_tokens), 0),
	coalesce(sum(cache_write_tokens), 0), max(last_ms)
FROM (SELECT requests, cost_nusd, input_tokens, output_tokens,
		cache_read_tokens, cache_write_tokens, last_ms
	FROM key_usage WHERE key_id = ?
	UNION ALL
	SELECT count(*), 0, 0, 0, 0, 0, max(created_ms)
	FROM ledger WHERE +key_id = ? AND state = 0) AS parts;

-- name: key_budget
-- The money budget of a key that `key' itself sets, the oldest one in total and
-- of all models, also when it is switched off.
SELECT id FROM budget
WHERE scope = 'key' AND scope_id = ? AND kind = 'money' AND period = 'total'
	AND models = ''
ORDER BY id LIMIT 1;

-- name: key_budget_add @sqlite
-- Named after the key, or, where that name is taken, after key and its id.
-- limit_value, created_ms, key
INSERT INTO budget (name, scope, scope_id, kind, period, limit_value,
	created_ms)
SELECT CASE WHEN EXISTS (SELECT 1 FROM budget b WHERE b.name = k.name)
	THEN k.name || '-' || k.id ELSE k.name END,
	'key', k.id, 'money', 'total', ?, ?
FROM api_key k WHERE k.id = ?;
-- name: key_budget_add @mysql
INSERT INTO budget (name, scope, scope_id, kind, period, limit_value,
	created_ms)
SELECT CASE WHEN EXISTS (SELECT 1 FROM budget b WHERE b.name = k.name)
	THEN concat(k.name, '-', k.id) ELSE k.name END,
	'key', k.id, 'money', 'total', ?, ?
FROM api_key k WHERE k.id = ?;

-- name: budget_window_open
-- budget_id, start_ms
INSERT INTO budget_window (budget_id, start_ms) VALUES (?, ?);

-- name: key_budget_set
-- limit_value, enabled, id
UPDATE budget SET limit_value = ?, enabled = ? WHERE id = ?;

-- name: token_add
-- name, visible, hash, created_ms, expires_ms, person_id, scope
INSERT INTO admin_token (name, visible, hash, created_ms, expires_ms,
    person_id, scope) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: token_list
-- person_id, or 0 for all, twice
SELECT t.id, t.name, t.visible, t.created_ms, t.expires_ms, p.name, t.scope
FROM admin_token t LEFT JOIN person p ON p.id = t.person_id
WHERE ? = 0 OR t.person_id = ?
ORDER BY t.name;

-- name: token_remove
DELETE FROM admin_token WHERE name = ?;

-- name: token_remove_own
-- id, person_id
DELETE FROM admin_token WHERE id = ? AND person_id = ?;

-- name: token_remove_person
DELETE FROM admin_token WHERE person_id = ?;

-- name: token_count
-- person_id
SELECT count(*) FROM admin_token WHERE person_id = ?;

-- name: token_ends
-- When, or 0: never.
-- id
SELECT COALESCE(expires_ms, 0) FROM admin_token WHERE id = ?;

-- name: token_find
-- If it has not expired.  A person's is good as long as the person may sign in.
-- hash, now_ms
SELECT t.id, t.name, t.scope, COALESCE(p.id, 0), p.role, p.name
FROM admin_token t LEFT JOIN person p ON p.id = t.person_id
WHERE t.hash = ? AND (t.expires_ms IS NULL OR t.expires_ms > ?)
    AND (t.person_id IS NULL OR p.enabled = 1);

-- name: token_still
-- As what one may act who brought it.
-- id, person_id or 0, now_ms
SELECT COALESCE(p.role, 'admin')
FROM admin_token t LEFT JOIN person p ON p.id = t.person_id
WHERE t.id = ? AND COALESCE(t.person_id, 0) = ?
    AND (t.expires_ms IS NULL OR t.expires_ms > ?)
    AND (t.person_id IS NULL OR p.enabled = 1);

-- name: key_hash
-- id
SELECT hash FROM api_key WHERE id = ?;

-- name: key_rates
-- The budgets that are keys' rates.
SELECT rate_id FROM api_key WHERE rate_id IS NOT NULL;

-- name: pepper_uses
-- How much is kept that was hashed with the key of the hashes, and lasts.
SELECT (SELECT count(*) FROM api_key) + (SELECT count(*) FROM admin_token)
	+ (SELECT count(*) FROM invitation)
	+ (SELECT count(*) FROM recovery_code);
