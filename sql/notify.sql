-- Notifications, see admin/notify.h.

-- name: notify_target_add
-- name, kind, address, events, lang, quiet_from, quiet_to, zone, interval_ms,
-- enabled, created_ms
INSERT INTO notify_target (name, kind, address, events, lang, quiet_from,
    quiet_to, zone, interval_ms, enabled, created_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: notify_target_set
-- name, address, events, lang, quiet_from, quiet_to, zone, interval_ms,
-- enabled, id
UPDATE notify_target SET name = ?, address = ?, events = ?, lang = ?,
    quiet_from = ?, quiet_to = ?, zone = ?, interval_ms = ?, enabled = ?
WHERE id = ?;

-- name: notify_target_seal
-- secret, the old one, id
UPDATE notify_target SET secret = ?, old_secret = ? WHERE id = ?;

-- name: notify_target_renew
-- Before another secret is put: what becomes of the one that is there.  Until
-- when it signs as well, NULL: no more, twice; id.
UPDATE notify_target SET
    old_until_ms = CASE WHEN secret IS NULL THEN NULL ELSE ? END,
    old_secret = CASE WHEN ? IS NULL THEN NULL ELSE secret END
WHERE id = ?;

-- name: notify_target_secret
-- secret, id
UPDATE notify_target SET secret = ? WHERE id = ?;

-- name: notify_target_expire
-- now: old secrets that sign no more
UPDATE notify_target SET old_secret = NULL, old_until_ms = NULL
WHERE old_until_ms <= ?;

-- name: notify_target_list
-- now, name or '' twice, 1: those that are switched on alone
SELECT id, name, kind, address, events, lang, quiet_from, quiet_to, zone,
    interval_ms, enabled, created_ms,
    CASE WHEN old_until_ms > ? THEN old_until_ms END
FROM notify_target WHERE (? = '' OR name = ?) AND enabled >= ?
ORDER BY name;

-- name: notify_target_name
SELECT name FROM notify_target WHERE id = ?;

-- name: notify_target_secrets
-- id or 0, twice
SELECT id, secret, old_secret, old_until_ms FROM notify_target
WHERE secret IS NOT NULL AND (? = 0 OR id = ?) ORDER BY id;

-- name: notify_target_remove
DELETE FROM notify_target WHERE id = ?;

-- name: notify_target_forget
DELETE FROM notify_delivery WHERE target_id = ?;

-- name: notify_target_give_up
-- done_ms, detail, target_id: what waits
UPDATE notify_delivery SET state = 'failed', done_ms = ?, detail = ?
WHERE target_id = ? AND state = 'waiting';

-- name: notify_count
SELECT count(*) FROM notify_target;

-- What is to be told; none of these looks at the ledger.

-- name: notify_parked
-- now
SELECT c.account_id, a.name, c.family, c.reason, c.since_ms, c.until_ms
FROM cooldown c JOIN account a ON a.id = c.account_id
WHERE c.until_ms > ? AND a.enabled = 1 ORDER BY c.account_id, c.family;

-- name: notify_groups
-- Groups, and the pool as 0, whose accounts are all off or parked; how many
-- they have, how many of these are on, and when the first is back.
-- now twice
SELECT g.id, g.name, count(*), sum(a.enabled),
    min(CASE WHEN a.enabled = 1 THEN c.until_ms END)
FROM account_group g JOIN account a ON a.group_id = g.id
LEFT JOIN cooldown c ON c.account_id = a.id AND c.family = ''
GROUP BY g.id, g.name
HAVING sum(CASE WHEN a.enabled = 1 AND coalesce(c.until_ms, 0) <= ?
    THEN 1 ELSE 0 END) = 0
UNION ALL
SELECT 0, '', count(*), sum(a.enabled),
    min(CASE WHEN a.enabled = 1 THEN c.until_ms END)
FROM account a
LEFT JOIN cooldown c ON c.account_id = a.id AND c.family = ''
HAVING count(*) > 0 AND sum(CASE WHEN a.enabled = 1 AND
    coalesce(c.until_ms, 0) <= ? THEN 1 ELSE 0 END) = 0;

-- name: notify_budgets
-- Budgets of which some window that is about now has 70 % spent: whether it is
-- now is for the caller to find out.  A limit of 0 is meant.
-- now
SELECT b.id, b.name, b.kind, b.limit_value, b.period, b.length_ms, b.anchor_ms,
    b.zone, w.start_ms, w.spent
FROM budget b JOIN budget_window w ON w.budget_id = b.id
WHERE b.enabled = 1 AND b.limit_value > 0 AND b.period <> 'rolling'
    AND w.start_ms >= CASE b.period WHEN 'total' THEN 0 ELSE ? - CASE b.period
	WHEN 'fixed' THEN length_ms
	WHEN 'day' THEN 180000000
	WHEN 'week' THEN 698400000
	ELSE 2772000000 END END
    AND w.spent >= b.limit_value - b.limit_value / 10 * 3
ORDER BY b.id, w.start_ms;

-- name: notify_rolling
-- As notify_budgets; the sum is of all buckets that may count.
-- now
SELECT b.id, b.name, b.kind, b.limit_value, b.period, b.length_ms, b.anchor_ms,
    b.zone, max(w.start_ms), sum(w.spent)
FROM budget b JOIN budget_window w ON w.budget_id = b.id
WHERE b.enabled = 1 AND b.limit_value > 0 AND b.period = 'rolling'
    AND w.start_ms >= ? - b.length_ms - b.length_ms / 60 - 1000
GROUP BY b.id, b.name, b.kind, b.limit_value, b.period, b.length_ms,
    b.anchor_ms, b.zone
HAVING sum(w.spent) >= b.limit_value - b.limit_value / 10 * 3
ORDER BY b.id;

-- name: notify_backup
SELECT last_end_ms, detail FROM job WHERE name = 'backup' AND
    result = 'failed' AND last_end_ms IS NOT NULL;

-- name: notify_spools
SELECT host, records, refused, since_ms FROM notify_spool ORDER BY host;

-- name: notify_spool_get
SELECT records, refused FROM notify_spool WHERE host = ?;

-- name: notify_spool_add
-- host, records, refused, since_ms
INSERT INTO notify_spool (host, records, refused, since_ms)
VALUES (?, ?, ?, ?);

-- name: notify_spool_set
-- records, refused, host
UPDATE notify_spool SET records = ?, refused = ? WHERE host = ?;

-- name: notify_spool_drop
DELETE FROM notify_spool WHERE host = ?;

-- Events and deliveries.

-- name: notify_open
-- Those that last.
SELECT id, event_key, hold_ms FROM notify_event
WHERE event_key IS NOT NULL ORDER BY id;

-- name: notify_event_add
-- kind, topic, event_key, hold_ms, at_ms, data
INSERT INTO notify_event (kind, topic, event_key, hold_ms, at_ms, data)
VALUES (?, ?, ?, ?, ?, ?);

-- name: notify_event_over
UPDATE notify_event SET event_key = NULL WHERE id = ?;

-- name: notify_last
-- How often the target was told of such an event about the same.  The order of
-- the tables is meant: of an event there are few deliveries, of a target many.
-- target_id, created since, kind, topic
SELECT count(*) FROM notify_event e
CROSS JOIN notify_delivery d ON d.event_id = e.id
WHERE d.target_id = ? AND d.state <> 'skipped' AND d.created_ms > ?
    AND e.kind = ? AND e.topic = ?;

-- name: notify_delivery_add
-- event_id, target_id, state, held, due_ms, created_ms
INSERT INTO notify_delivery (event_id, target_id, state, held, due_ms,
    created_ms)
VALUES (?, ?, ?, ?, ?, ?);

-- name: notify_begun
-- A message that is due again.
-- target_id, now
SELECT message FROM notify_delivery
WHERE target_id = ? AND state = 'waiting' AND due_ms <= ?
    AND message IS NOT NULL
ORDER BY due_ms, id LIMIT 1;

-- name: notify_loose
-- What is due and in no message yet; target_id, now, how many.
SELECT id, held FROM notify_delivery
WHERE target_id = ? AND state = 'waiting' AND due_ms <= ? AND message IS NULL
ORDER BY id LIMIT ?;

-- name: notify_endless
-- What was begun too often; done_ms, detail, target_id, tries.
UPDATE notify_delivery SET state = 'failed', done_ms = ?, detail = ?
WHERE target_id = ? AND state = 'waiting' AND tries >= ?;

-- name: notify_bundle
-- message, id
UPDATE notify_delivery SET message = ? WHERE id = ? AND message IS NULL;

-- name: notify_postpone
-- due_ms, target_id, now: the target has a quiet time
UPDATE notify_delivery SET due_ms = ?, held = 1
WHERE target_id = ? AND state = 'waiting' AND due_ms <= ?;

-- name: notify_try
-- due_ms, now, message
UPDATE notify_delivery SET tries = tries + 1, due_ms = ?,
    first_ms = coalesce(first_ms, ?)
WHERE message = ? AND state = 'waiting';

-- name: notify_due
-- due_ms, message
UPDATE notify_delivery SET due_ms = ? WHERE message = ? AND state = 'waiting';

-- name: notify_message
SELECT e.kind, e.at_ms, e.data, d.tries, d.first_ms
FROM notify_delivery d JOIN notify_event e ON e.id = d.event_id
WHERE d.message = ? AND d.state = 'waiting' ORDER BY d.id;

-- name: notify_tell
-- What came of a try: state, done_ms, status, detail, message.
UPDATE notify_delivery SET state = ?, done_ms = ?, status = ?, detail = ?
WHERE message = ? AND state = 'waiting';

-- name: notify_log
-- Newest first: below id, target or '' twice, state or '' twice, how many.
SELECT d.id, t.name, e.kind, e.at_ms, e.data, d.state, d.held, d.due_ms,
    d.tries, d.message, d.created_ms, d.first_ms, d.done_ms, d.status, d.detail
FROM notify_delivery d JOIN notify_event e ON e.id = d.event_id
JOIN notify_target t ON t.id = d.target_id
WHERE d.id < ? AND (? = '' OR t.name = ?) AND (? = '' OR d.state = ?)
ORDER BY d.id DESC LIMIT ?;

-- name: notify_prune_deliveries
-- created before
DELETE FROM notify_delivery WHERE created_ms < ? AND state <> 'waiting';

-- name: notify_prune_events
-- at before
DELETE FROM notify_event WHERE at_ms < ? AND event_key IS NULL
    AND NOT EXISTS (SELECT 1 FROM notify_delivery d
	WHERE d.event_id = notify_event.id);
