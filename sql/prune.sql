-- Retention: what goes when the ledger is cut, see fcgi/pool/prune.h.

-- name: prune_state
SELECT coalesce(max(CASE WHEN name = 'ledger_cut_ms' THEN value + 0 END), 0),
    coalesce(max(CASE WHEN name = 'ledger_pruned' THEN value + 0 END), 0)
FROM meta WHERE name IN ('ledger_cut_ms', 'ledger_pruned');

-- name: prune_clock
SELECT coalesce(max(CASE WHEN name = 'prune_seen_ms' THEN value + 0 END), 0),
    coalesce(max(CASE WHEN name = 'prune_held' THEN value + 0 END), 0)
FROM meta WHERE name IN ('prune_seen_ms', 'prune_held');

-- name: prune_gate @mysql only
-- No row: another is at it.
SELECT name FROM gate WHERE name = 'prune' FOR UPDATE SKIP LOCKED;

-- name: prune_rows @sqlite
-- id of the cut, how many
SELECT id, holds FROM ledger WHERE id < ? AND state <> 0 ORDER BY id LIMIT ?;
-- name: prune_rows @mysql
-- One that is locked is corrected at this moment.
SELECT id, holds FROM ledger WHERE id < ? AND state <> 0 ORDER BY id LIMIT ?
FOR UPDATE SKIP LOCKED;

-- name: prune_keep
-- amount, budget, start
UPDATE budget_window SET kept = kept + ? WHERE budget_id = ? AND start_ms = ?;

-- name: prune_attempts
DELETE FROM attempt WHERE ledger_id = ?;

-- name: prune_ledger
DELETE FROM ledger WHERE id = ?;

-- name: prune_windows_old
-- now, how many; of rolling budgets a bucket is a sixtieth of the length, and
-- goes 2 days after it counts no more; others 40 days after their end.  As
-- verify_budgets has it.
SELECT w.budget_id, w.start_ms
FROM budget b JOIN budget_window w ON w.budget_id = b.id
WHERE b.period <> 'total' AND w.reserved = 0 AND w.start_ms >= 0
    AND w.start_ms < ? - CASE b.period
	WHEN 'rolling' THEN length_ms + length_ms / 60 + 172800000
	WHEN 'fixed' THEN length_ms + 3456000000
	WHEN 'day' THEN 3628800000
	WHEN 'week' THEN 4147200000
	ELSE 6220800000 END
ORDER BY w.budget_id, w.start_ms LIMIT ?;

-- name: prune_window
DELETE FROM budget_window
WHERE budget_id = ? AND start_ms = ? AND reserved = 0;

-- name: prune_objects_old
-- Batches created before, how many
SELECT id FROM object WHERE kind = 'batch' AND created_ms < ?
ORDER BY created_ms LIMIT ?;

-- name: prune_objects_gone
-- gone before, how many
SELECT id FROM object WHERE gone_ms < ? ORDER BY gone_ms LIMIT ?;

-- name: prune_object
DELETE FROM object WHERE id = ?;
