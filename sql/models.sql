-- What models are called upstream.

-- name: alias_add
-- scope, scope_id, pattern, target, created_ms
INSERT INTO model_alias (scope, scope_id, pattern, target, created_ms)
VALUES (?, ?, ?, ?, ?);

-- name: alias_set
-- target, scope, scope_id, pattern
UPDATE model_alias SET target = ?
WHERE scope = ? AND scope_id = ? AND pattern = ?;

-- name: alias_count
-- pattern, scope, scope_id: how many there are, and of that pattern
SELECT count(*), coalesce(sum(pattern = ?), 0) FROM model_alias
WHERE scope = ? AND scope_id = ?;

-- name: alias_remove
-- scope, scope_id, pattern
DELETE FROM model_alias WHERE scope = ? AND scope_id = ? AND pattern = ?;

-- name: account_remove_aliases
DELETE FROM model_alias WHERE scope = 'account' AND scope_id = ?;

-- name: group_remove_aliases
DELETE FROM model_alias WHERE scope = 'group' AND scope_id = ?;

-- name: alias_list
-- scope or '' twice, name or '' twice
SELECT m.scope, coalesce(g.name, a.name), m.pattern, m.target, m.created_ms,
    m.scope_id
FROM model_alias m
LEFT JOIN account_group g ON g.id = m.scope_id AND m.scope = 'group'
LEFT JOIN account a ON a.id = m.scope_id AND m.scope = 'account'
WHERE (? = '' OR m.scope = ?) AND (? = '' OR coalesce(g.name, a.name) = ?);
