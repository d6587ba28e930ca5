-- Batches and files, which live in the account that made them; see
-- fcgi/pool/objects.h.

-- name: object_find
-- key, kind, upstream id
SELECT id, account_id, created_ms, coalesce(usage_ledger_id, 0), model,
    CASE WHEN gone_ms IS NULL THEN 0 ELSE 1 END
FROM object WHERE key_id = ? AND kind = ? AND upstream_id = ?;

-- name: object_newest
-- key, kind: the account of its newest
SELECT account_id FROM object WHERE key_id = ? AND kind = ?
ORDER BY id DESC LIMIT 1;

-- name: object_put @sqlite
-- kind, upstream id, account, key, ledger id, model, final, unheard, created,
-- seen.  One that is there is the same, or the newer.
INSERT INTO object (kind, upstream_id, account_id, key_id, ledger_id, model,
    final, unheard, created_ms, seen)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key_id, kind, upstream_id) DO UPDATE SET
    account_id = excluded.account_id, ledger_id = excluded.ledger_id,
    model = excluded.model, final = excluded.final,
    unheard = excluded.unheard, seen = excluded.seen, gone_ms = NULL;
-- name: object_put @mysql
INSERT INTO object (kind, upstream_id, account_id, key_id, ledger_id, model,
    final, unheard, created_ms, seen)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON DUPLICATE KEY UPDATE account_id = VALUES(account_id),
    ledger_id = VALUES(ledger_id), model = VALUES(model),
    final = VALUES(final), unheard = VALUES(unheard), seen = VALUES(seen),
    gone_ms = NULL;

-- name: object_drop
-- key, kind, upstream id
DELETE FROM object WHERE key_id = ? AND kind = ? AND upstream_id = ?;

-- name: object_seen
-- seen, final, key, kind, upstream id
UPDATE object SET seen = ?, final = ?, gone_ms = NULL
WHERE key_id = ? AND kind = ? AND upstream_id = ?;

-- name: object_gone
-- when, or NULL: it is there; key, kind, upstream id
UPDATE object SET gone_ms = ?
WHERE key_id = ? AND kind = ? AND upstream_id = ?;

-- name: object_count
-- The usage of a batch is counted once: ledger id, id
UPDATE object SET usage_ledger_id = ? WHERE id = ? AND usage_ledger_id IS NULL;

-- name: object_key
-- Is the key good?  id, now
SELECT id FROM api_key WHERE id = ? AND enabled = 1 AND revoked_ms IS NULL
    AND (expires_ms IS NULL OR expires_ms > ?);

-- name: objects_older
-- key, kind, below id, how many
SELECT id, upstream_id, account_id, final, seen
FROM object WHERE key_id = ? AND kind = ? AND id < ? AND gone_ms IS NULL
ORDER BY id DESC LIMIT ?;

-- name: objects_newer
-- key, kind, above id, how many
SELECT id, upstream_id, account_id, final, seen
FROM object WHERE key_id = ? AND kind = ? AND id > ? AND gone_ms IS NULL
ORDER BY id LIMIT ?;

-- name: objects_named
-- key, kind, upstream id
SELECT id, upstream_id, account_id, final, seen
FROM object WHERE key_id = ? AND kind = ? AND upstream_id = ?
    AND gone_ms IS NULL;

-- name: object_list
-- key or '' twice, account or '' twice, kind or '' twice, below id, limit
SELECT o.id, o.kind, o.upstream_id, k.name, a.name, o.model, o.final,
    o.unheard, o.created_ms, o.ledger_id, o.usage_ledger_id, o.gone_ms
FROM object o
LEFT JOIN api_key k ON k.id = o.key_id
LEFT JOIN account a ON a.id = o.account_id
WHERE (? = '' OR k.name = ?) AND (? = '' OR a.name = ?)
    AND (? = '' OR o.kind = ?) AND o.id < ?
ORDER BY o.id DESC LIMIT ?;

-- name: object_show
-- upstream id
SELECT o.id, o.kind, o.upstream_id, k.name, a.name, o.model, o.final,
    o.unheard, o.created_ms, o.ledger_id, o.usage_ledger_id, o.gone_ms, o.seen
FROM object o
LEFT JOIN api_key k ON k.id = o.key_id
LEFT JOIN account a ON a.id = o.account_id
WHERE o.upstream_id = ? ORDER BY o.id;

-- name: objects_lost
-- Requests that may have made something that nobody knows the id of: ledger id
-- from which on, limit
SELECT l.id, l.kind, l.created_ms, k.name, a.name, l.outcome, t.status
FROM ledger l
JOIN attempt t ON t.ledger_id = l.id
LEFT JOIN api_key k ON k.id = l.key_id
LEFT JOIN account a ON a.id = t.account_id
WHERE l.id >= ? AND l.kind IN ('batch_create', 'file_upload')
    AND l.state <> 0 AND l.outcome <> 'ok'
    AND (t.status IS NULL OR t.status < 300)
    AND coalesce(t.outcome, '') NOT IN
	('void', 'resolve', 'connect', 'proxy', 'tls')
    AND NOT EXISTS (SELECT 1 FROM object o WHERE o.ledger_id = l.id)
ORDER BY l.id DESC LIMIT ?;

-- name: object_forget
-- upstream id
DELETE FROM object WHERE upstream_id = ?;

-- name: objects_forget_account
-- account, created before
DELETE FROM object WHERE account_id = ? AND created_ms < ?;
