-- How accounts do, see fcgi/pool/health.h.

-- name: health_read
-- since when
SELECT account_id, first_byte_ms, first_byte_seen_ms, share_permille,
    share_reset_ms, share_window_ms, share_seen_ms
FROM account_health WHERE updated_ms >= ?;

-- name: health_list
-- For people: what is not known is NULL.
SELECT account_id, nullif(first_byte_ms, 0),
	CASE WHEN share_seen_ms > 0 THEN share_permille END,
	CASE WHEN share_seen_ms > 0 THEN share_reset_ms END,
	CASE WHEN share_seen_ms > 0 THEN share_window_ms END,
	nullif(share_seen_ms, 0)
FROM account_health;

-- name: health_put @sqlite
REPLACE INTO account_health (account_id, first_byte_ms, first_byte_seen_ms,
    share_permille, share_reset_ms, share_window_ms, share_seen_ms,
    updated_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);
-- name: health_put @mysql
INSERT INTO account_health (account_id, first_byte_ms, first_byte_seen_ms,
    share_permille, share_reset_ms, share_window_ms, share_seen_ms,
    updated_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON DUPLICATE KEY UPDATE first_byte_ms = VALUES(first_byte_ms),
    first_byte_seen_ms = VALUES(first_byte_seen_ms),
    share_permille = VALUES(share_permille),
    share_reset_ms = VALUES(share_reset_ms),
    share_window_ms = VALUES(share_window_ms),
    share_seen_ms = VALUES(share_seen_ms), updated_ms = VALUES(updated_ms);

-- name: account_remove_health
DELETE FROM account_health WHERE account_id = ?;
