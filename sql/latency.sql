-- How long requests took, folded from the ledger, see admin/latency_fold.h.

-- name: lock_latency @mysql only
SELECT name FROM gate WHERE name = 'prune' FOR UPDATE;

-- name: latency_mark @sqlite
-- The last row of the ledger that was folded.
SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'latency_mark';
-- name: latency_mark @mysql
SELECT CAST(value AS SIGNED) FROM meta WHERE name = 'latency_mark';

-- name: ledger_first_open @sqlite
-- By the index of open rows, which are few: it would go through the ledger.
SELECT coalesce(min(id), 9223372036854775807) FROM ledger
INDEXED BY ledger_open WHERE state = 0;
-- name: ledger_first_open @mysql
SELECT coalesce(min(id), 9223372036854775807) FROM ledger
FORCE INDEX (ledger_open) WHERE state = 0;

-- name: latency_rows
-- after this id, below that one, rows
SELECT id, key_id, coalesce(account_id, 0), group_id, person_id,
    CASE sent_as WHEN '' THEN model ELSE sent_as END, first_byte_ms, total_ms
FROM ledger WHERE id > ? AND id < ? ORDER BY id LIMIT ?;

-- name: latency_{hour,day}_get
SELECT first_byte, whole FROM latency_{hour,day}
WHERE start_ms = ? AND key_id = ? AND account_id = ? AND group_id = ?
    AND person_id = ? AND model = ?;

-- name: latency_{hour,day}_put
REPLACE INTO latency_{hour,day} (start_ms, key_id, account_id, group_id,
    person_id, model, first_byte, whole) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: latency_{hour,day}_read
-- from, to
SELECT start_ms, key_id, account_id, group_id, person_id, model, first_byte,
    whole
FROM latency_{hour,day} WHERE start_ms >= ? AND start_ms < ?;

-- name: latency_{hour,day}_of_key
-- key, from, to
SELECT start_ms, key_id, account_id, group_id, person_id, model, first_byte,
    whole
FROM latency_{hour,day} WHERE key_id = ? AND start_ms >= ? AND start_ms < ?;

-- name: latency_{hour,day}_of_person
-- person, from, to
SELECT start_ms, key_id, account_id, group_id, person_id, model, first_byte,
    whole
FROM latency_{hour,day}
WHERE person_id = ? AND start_ms >= ? AND start_ms < ?;
