-- What `leasehold ledger verify' reads.

-- name: verify_next
-- ms twice, id: the next hour that has sums, the next ledger row; NULL: none.
SELECT (SELECT min(start_ms) FROM usage_hour WHERE start_ms >= ?),
    (SELECT min(start_ms) FROM usage_day WHERE start_ms >= ?),
    (SELECT min(id) FROM ledger WHERE id >= ?);

-- name: verify_rows
-- ids from the first up to and without the second, how many
SELECT id, state, key_id, account_id, group_id, person_id,
    CASE WHEN sent_as = '' THEN model ELSE sent_as END, outcome,
    mark, input_tokens, output_tokens, cache_read_tokens,
    cache_write_5m_tokens, cache_write_1h_tokens, web_searches, cost_nusd,
    overrun_nusd, queue_ms, total_ms, first_byte_ms, attempts, flags, holds
FROM ledger WHERE id >= ? AND id < ? ORDER BY id LIMIT ?;

-- name: verify_rows_of @sqlite
-- What they hold; a JSON array of ids.
SELECT id, state, holds FROM ledger
WHERE id IN (SELECT value FROM json_each(?));
-- name: verify_rows_of @mysql
SELECT l.id, l.state, l.holds
FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) AS j
STRAIGHT_JOIN ledger l ON l.id = j.id;

-- name: verify_attempts
-- ids from the first up to the second
SELECT ledger_id, outcome, mark, input_tokens, output_tokens, cost_nusd
FROM attempt WHERE ledger_id >= ? AND ledger_id <= ? ORDER BY ledger_id, n;

-- name: verify_budgets
-- now: windows that start before the time are old, and may be gone (as
-- prune_windows_old has it).
SELECT id, name, CASE period WHEN 'total' THEN -1 ELSE ? - CASE period
	WHEN 'rolling' THEN length_ms + length_ms / 60 + 172800000
	WHEN 'fixed' THEN length_ms + 3456000000
	WHEN 'day' THEN 3628800000
	WHEN 'week' THEN 4147200000
	ELSE 6220800000 END END
FROM budget ORDER BY id;

-- name: verify_windows
SELECT budget_id, start_ms, spent, reserved, kept FROM budget_window
ORDER BY budget_id, start_ms;

-- name: verify_keys
SELECT key_id FROM key_usage UNION SELECT id FROM api_key ORDER BY 1;

-- name: verify_key
-- key, key: 0 and what is stored, 1 and what it should be
SELECT 0, sum(requests), sum(cost_nusd), sum(input_tokens),
    sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens)
FROM key_usage WHERE key_id = ?
UNION ALL
SELECT 1, sum(requests), sum(cost_nusd), sum(input_tokens),
    sum(output_tokens), sum(cache_read_tokens),
    sum(cache_write_5m_tokens + cache_write_1h_tokens)
FROM usage_day WHERE key_id = ?;

-- name: verify_rows_since
-- What they hold; from that id on.
SELECT id, state, holds FROM ledger WHERE id >= ? AND holds <> '' ORDER BY id;
