-- Budgets, as the command and the admin routes set and show them.

-- name: budget_add
-- name, scope, scope_id, kind, period, length_ms, anchor_ms, zone, models,
-- policy, limit_value, enabled, created_ms
INSERT INTO budget (name, scope, scope_id, kind, period, length_ms, anchor_ms,
	zone, models, policy, limit_value, enabled, created_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: budget_row
-- What budget_set changes, and what that depends on.
SELECT id, kind, models, policy, limit_value, enabled FROM budget
WHERE name = ?;

-- name: budget_set
-- name, models, policy, limit_value, enabled, id
UPDATE budget SET name = ?, models = ?, policy = ?, limit_value = ?,
	enabled = ?
WHERE id = ?;

-- name: budget_named
SELECT count(*) FROM budget WHERE name = ?;

-- name: budget_reserved @sqlite
SELECT reserved FROM budget_window WHERE budget_id = ? AND reserved > 0;
-- name: budget_reserved @mysql
-- All are locked, so that none is reserved in until the budget is gone.
SELECT reserved FROM budget_window WHERE budget_id = ? FOR UPDATE;

-- name: budget_drop_windows
DELETE FROM budget_window WHERE budget_id = ?;

-- name: budget_drop
DELETE FROM budget WHERE id = ?;

-- name: budget_crowd
-- Those that are switched on.
SELECT count(*) FROM budget WHERE enabled = 1;

-- name: budget_list
-- name, scope, of which: each or '' twice
SELECT b.id, b.name, b.scope, coalesce(k.name, p.name, g.name), b.kind,
	b.limit_value, b.period, b.length_ms, b.anchor_ms, b.zone, b.models,
	b.policy, b.enabled, b.created_ms
FROM budget b
LEFT JOIN api_key k ON b.scope = 'key' AND k.id = b.scope_id
LEFT JOIN person p ON b.scope = 'person' AND p.id = b.scope_id
LEFT JOIN account_group g ON b.scope = 'group' AND g.id = b.scope_id
WHERE (? = '' OR b.name = ?) AND (? = '' OR b.scope = ?)
	AND (? = '' OR coalesce(k.name, p.name, g.name) = ?)
ORDER BY b.name;

-- name: budget_page
-- By name; rows, rows before them
SELECT b.id, b.name, b.scope, coalesce(k.name, p.name, g.name), b.kind,
	b.limit_value, b.period, b.length_ms, b.anchor_ms, b.zone, b.models,
	b.policy, b.enabled, b.created_ms
FROM (SELECT id FROM budget ORDER BY name LIMIT ? OFFSET ?) AS part
JOIN budget b ON b.id = part.id
LEFT JOIN api_key k ON b.scope = 'key' AND k.id = b.scope_id
LEFT JOIN person p ON b.scope = 'person' AND p.id = b.scope_id
LEFT JOIN account_group g ON b.scope = 'group' AND g.id = b.scope_id
ORDER BY b.name;

-- name: budget_count
SELECT count(*) FROM budget;

-- name: budget_list_key
-- Those that requests with a key count against, its own first.
-- key
SELECT b.id, b.name, b.scope, coalesce(p.name, g.name, k.name), b.kind,
	b.limit_value, b.period, b.length_ms, b.anchor_ms, b.zone, b.models,
	b.policy, b.enabled, b.created_ms
FROM api_key k
JOIN budget b ON b.scope_id = CASE b.scope WHEN 'key' THEN k.id
	WHEN 'person' THEN k.person_id
	WHEN 'group' THEN CASE k.bind_kind WHEN 'group' THEN k.bind_id END END
LEFT JOIN person p ON b.scope = 'person' AND p.id = b.scope_id
LEFT JOIN account_group g ON b.scope = 'group' AND g.id = b.scope_id
WHERE k.name = ?
ORDER BY CASE b.scope WHEN 'key' THEN 0 WHEN 'person' THEN 1 ELSE 2 END,
	b.name;

-- name: budget_sum
-- What is in a window: spent, reserved, and the oldest row that has any.
-- budget, first start, last start
SELECT coalesce(sum(spent), 0), coalesce(sum(reserved), 0),
	coalesce(min(CASE WHEN spent > 0 OR reserved > 0 THEN start_ms END), 0)
FROM budget_window WHERE budget_id = ? AND start_ms >= ? AND start_ms <= ?;
