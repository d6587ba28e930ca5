-- Sessions and their accounts, see fcgi/pool/affinity.h.

-- name: affinity_read @sqlite
-- A JSON array of ids, in order; now
SELECT id, account_id, since_ms, used_ms, cached_tokens, cache_ms, expires_ms
FROM affinity
WHERE id IN (SELECT value FROM json_each(?)) AND expires_ms > ?;
-- name: affinity_read @mysql
SELECT a.id, a.account_id, a.since_ms, a.used_ms, a.cached_tokens,
    a.cache_ms, a.expires_ms
FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) AS j
STRAIGHT_JOIN affinity a ON a.id = j.id
WHERE a.expires_ms > ?;

-- name: affinity_put @sqlite
-- The newest move wins; one that has run out counts no more.
INSERT INTO affinity (id, account_id, used_ms, cached_tokens, cache_ms,
    expires_ms, since_ms)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET account_id = excluded.account_id,
    used_ms = excluded.used_ms, cached_tokens = excluded.cached_tokens,
    cache_ms = excluded.cache_ms, expires_ms = excluded.expires_ms,
    since_ms = excluded.since_ms
WHERE excluded.since_ms >= affinity.since_ms;
-- name: affinity_put @mysql
-- since_ms last: the others go by it as it was.
INSERT INTO affinity (id, account_id, used_ms, cached_tokens, cache_ms,
    expires_ms, since_ms)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON DUPLICATE KEY UPDATE
    account_id = IF(VALUES(since_ms) >= since_ms, VALUES(account_id),
	account_id),
    used_ms = IF(VALUES(since_ms) >= since_ms, VALUES(used_ms), used_ms),
    cached_tokens = IF(VALUES(since_ms) >= since_ms, VALUES(cached_tokens),
	cached_tokens),
    cache_ms = IF(VALUES(since_ms) >= since_ms, VALUES(cache_ms), cache_ms),
    expires_ms = IF(VALUES(since_ms) >= since_ms, VALUES(expires_ms),
	expires_ms),
    since_ms = greatest(since_ms, VALUES(since_ms));

-- name: affinity_expired
-- now, how many
SELECT id FROM affinity WHERE expires_ms < ? ORDER BY expires_ms LIMIT ?;

-- name: affinity_drop
-- id, now
DELETE FROM affinity WHERE id = ? AND expires_ms < ?;
