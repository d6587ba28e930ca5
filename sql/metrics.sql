-- What GET /metrics asks of the whole pool.

-- name: metrics_pool
-- Slots that are leased, slots of enabled accounts, accounts enabled, not.
SELECT (SELECT count(*) FROM slot WHERE responder_id IS NOT NULL),
	coalesce(sum(CASE WHEN enabled = 1 THEN concurrency ELSE 0 END), 0),
	coalesce(sum(enabled), 0), coalesce(sum(1 - enabled), 0)
FROM account;

-- name: metrics_cooldowns
-- By reason; now
SELECT reason, count(*) FROM cooldown WHERE until_ms > ? GROUP BY reason;
