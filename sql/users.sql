-- Users (table person), who own keys.

-- name: user_add
-- name, concurrency, created_ms
INSERT INTO person (name, concurrency, created_ms) VALUES (?, ?, ?);

-- name: user_set
-- name, id
UPDATE person SET name = ? WHERE id = ?;

-- name: user_set_concurrency
-- concurrency, id
UPDATE person SET concurrency = ? WHERE id = ?;

-- name: user_remove
DELETE FROM person WHERE id = ?;

-- name: user_id_by_name
SELECT id FROM person WHERE name = ?;

-- name: user_list
-- By name; one of a name, or a page of all.
-- part of the name in small letters or '' twice, rows, rows before them, name
-- or NULL
SELECT p.id, p.name, p.concurrency,
	(SELECT count(*) FROM api_key k WHERE k.person_id = p.id
	    AND k.revoked_ms IS NULL),
	(SELECT count(*) FROM budget b WHERE b.scope = 'person'
	    AND b.scope_id = p.id),
	coalesce(f.n, 0),
	p.created_ms, p.role, p.enabled,
	CASE WHEN p.password IS NULL THEN 0 ELSE 1 END, p.totp_on
FROM (SELECT id FROM (SELECT id FROM person
	WHERE ? = '' OR instr(lower(name), ?) > 0
	ORDER BY name LIMIT ? OFFSET ?) AS part
    UNION ALL SELECT id FROM person WHERE name = ?) AS page
JOIN person p ON p.id = page.id
LEFT JOIN (SELECT k.person_id, count(*) AS n FROM
    (SELECT key_id FROM ledger WHERE state = 0) AS l
    JOIN api_key k ON k.id = +l.key_id
    GROUP BY k.person_id) AS f ON f.person_id = p.id
ORDER BY p.name;

-- name: user_count
-- part of the name in small letters or '' twice
SELECT count(*) FROM person WHERE ? = '' OR instr(lower(name), ?) > 0;

-- name: user_keys
-- The first thousand.
-- name
SELECT k.name, k.visible, k.enabled, k.expires_ms, k.revoked_ms
FROM api_key k JOIN person p ON p.id = k.person_id
WHERE p.name = ? ORDER BY k.name LIMIT 1000;

-- name: user_uses
-- Keys of a user (revoked ones do not count) and budgets set on it.
-- id twice
SELECT (SELECT count(*) FROM api_key WHERE person_id = ?
	    AND revoked_ms IS NULL),
	(SELECT count(*) FROM budget WHERE scope = 'person' AND scope_id = ?);

-- name: user_leave_keys
-- id
UPDATE api_key SET person_id = NULL WHERE person_id = ?;
