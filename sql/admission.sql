-- What admission, moves and settlement read and write.  Each runs once a
-- batch, or once for a whole set of rows.
--
-- SQLite lets one transaction write at a time, so that what it reads stays as
-- it is.  On MySQL several are at work at once, READ COMMITTED: what is read
-- and then built upon is locked first, in this order, or the change is guarded
-- by what was read.
--
--	what is built upon		how it stays
--	queue: tickets, turns		gate 'queue', as long as anybody waits
--	ledger row, what it holds	ledger_holds, by id; reap_lock_ledger
--	ledger row, its fence		guarded by both; ledger_state locks
--	key's requests in flight	lock_keys, then keys_in_flight; after
--					them lock_users, lock_groups
--	budget windows			windows_read (window_read), by id;
--					rolling: a row at -1 first, the gate
--	free slots			SKIP LOCKED, then waiting for the locked
--	slot held			guarded by its fence
--	granted tickets			locked as they are read
--	another's open requests		reap_lock: its beat, then its ledger
--	cooldown			lock_account, then cooldown_get
--	right to probe an account	lock_account, then probe_held
--	node number			gate 'nodes'
--	settings, slots of accounts	gate 'config' (the command); responders
--					see a change as before or after it
--	config_version			raised in place
--
-- What is only added to comes at the end, in one order: budget windows, sums of
-- keys, then of hours and days, each by its primary key.  Old rows are deleted
-- last of all, under gate 'prune'; those that somebody corrects are skipped.
--
-- A deadlock that is left (a park, a reaping, budget windows of deleted rows)
-- costs one more run of the batch.

-- name: batch_state
-- The version of the configuration, and how many wait.
SELECT value + 0, (SELECT count(*) FROM ticket)
FROM meta WHERE name = 'config_version';

-- name: key_by_hash
SELECT k.id, k.name, k.visible, k.bind_kind, k.bind_id, k.concurrency,
    k.models, k.enabled, k.expires_ms, m.value + 0, coalesce(k.drain_ms, -1),
    k.clients, k.nets
FROM api_key k, meta m
WHERE k.hash = ? AND k.revoked_ms IS NULL AND m.name = 'config_version';

-- name: key_by_old_hash
-- A secret that the key had before; as key_by_hash, and until when it works.
SELECT k.id, k.name, k.visible, k.bind_kind, k.bind_id, k.concurrency,
    k.models, k.enabled, k.expires_ms, m.value + 0, coalesce(k.drain_ms, -1),
    k.clients, k.nets, s.until_ms
FROM key_secret s JOIN api_key k ON k.id = s.key_id, meta m
WHERE s.hash = ? AND k.revoked_ms IS NULL AND m.name = 'config_version';

-- name: key_check
-- The count is of requests in flight, where that is bounded.
SELECT enabled, revoked_ms, expires_ms, bind_kind, bind_id, person_id,
    concurrency, models, turn, coalesce((SELECT p.concurrency FROM person p
    WHERE p.id = api_key.person_id), 0), queue_class, clients, nets,
    CASE WHEN concurrency > 0 THEN
    (SELECT count(*) FROM slot WHERE slot.key_id = api_key.id
    AND slot.responder_id IS NOT NULL) ELSE 0 END
FROM api_key WHERE id = ?;

-- name: keys_read @mysql only
-- As key_check, for a JSON array of keys in order; without the count.
SELECT k.id, k.enabled, k.revoked_ms, k.expires_ms, k.bind_kind, k.bind_id,
    k.person_id, k.concurrency, k.models, k.turn, coalesce(p.concurrency, 0),
    k.queue_class, k.clients, k.nets
FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) AS j
STRAIGHT_JOIN api_key k ON k.id = j.id
LEFT JOIN person p ON p.id = k.person_id;

-- name: lock_users @mysql only
-- Those whose keys' requests in flight are bounded, as lock_keys.
SELECT p.id FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) AS j
STRAIGHT_JOIN person p ON p.id = j.id FOR UPDATE;

-- name: lock_groups @mysql only
SELECT g.id FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) AS j
STRAIGHT_JOIN account_group g ON g.id = j.id FOR UPDATE;

-- name: crew_of_user @sqlite
-- Requests in flight of the keys of a user; crew_of_group: bound to a group.
SELECT count(*) FROM api_key k CROSS JOIN slot s ON s.key_id = k.id
WHERE k.person_id = ? AND s.responder_id IS NOT NULL;
-- name: crew_of_user @mysql
SELECT count(*) FROM api_key k STRAIGHT_JOIN slot s ON s.key_id = k.id
WHERE k.person_id = ? AND s.responder_id IS NOT NULL;

-- name: crew_of_group @sqlite
SELECT count(*) FROM api_key k CROSS JOIN slot s ON s.key_id = k.id
WHERE k.bind_id = ? AND k.bind_kind = 'group' AND s.responder_id IS NOT NULL;
-- name: crew_of_group @mysql
SELECT count(*) FROM api_key k STRAIGHT_JOIN slot s ON s.key_id = k.id
WHERE k.bind_id = ? AND k.bind_kind = 'group' AND s.responder_id IS NOT NULL;

-- name: lock_keys @mysql only
-- Those whose requests in flight are bounded: a JSON array of keys in order.
SELECT k.id FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) AS j
STRAIGHT_JOIN api_key k ON k.id = j.id FOR UPDATE;

-- name: keys_in_flight @mysql only
-- A statement of its own, as what it counts must be read after the lock.
SELECT s.key_id, count(*)
FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) AS j
STRAIGHT_JOIN slot s ON s.key_id = j.id GROUP BY s.key_id;

-- name: key_turn
-- turn, id
UPDATE api_key SET turn = ? WHERE id = ?;

-- name: slots_in_use
SELECT key_id, account_id, count(*) FROM slot
WHERE responder_id IS NOT NULL GROUP BY key_id, account_id;

-- name: slots_free @sqlite
-- account, slots looked at already, its concurrency, how many
SELECT n, fence FROM slot
WHERE account_id = ? AND n > ? AND n <= ? AND responder_id IS NULL
ORDER BY n LIMIT ?;
-- name: slots_free @mysql
SELECT n, fence FROM slot
WHERE account_id = ? AND n > ? AND n <= ? AND responder_id IS NULL
ORDER BY n LIMIT ? FOR UPDATE SKIP LOCKED;

-- name: slots_free_wait @mysql only
-- As slots_free, but waits for those that others have locked: nobody knows
-- yet whether they will be free.
SELECT n, fence FROM slot
WHERE account_id = ? AND n > ? AND n <= ? AND responder_id IS NULL
ORDER BY n LIMIT ? FOR UPDATE;

-- name: slot_take
-- responder, ledger, key, now, account, n, fence as it was
UPDATE slot SET responder_id = ?, ledger_id = ?, key_id = ?, leased_ms = ?,
    fence = fence + 1
WHERE account_id = ? AND n = ? AND fence = ? AND responder_id IS NULL;

-- name: slot_release
-- account, n, fence, ledger, key
UPDATE slot SET responder_id = NULL, ledger_id = NULL, key_id = NULL,
    leased_ms = NULL
WHERE account_id = ? AND n = ? AND fence = ? AND ledger_id = ? AND key_id = ?;

-- name: ledger_open
INSERT INTO ledger (id, state, fence, responder_id, created_ms, key_id, kind,
    model, stream, reserved_nusd, body_bytes, session, person_id, flags,
    holds, address, sent_as)
VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: ledger_attempt
-- fence, name that goes upstream; id
UPDATE ledger SET fence = ?, sent_as = ? WHERE id = ? AND state = 0;

-- name: ledger_close
-- The last three: id, the state and the fence that it must have.
UPDATE ledger SET state = ?, account_id = ?, mark = ?, outcome = ?,
    status = ?, attempts = ?, input_tokens = ?, output_tokens = ?,
    cache_read_tokens = ?, cache_write_5m_tokens = ?,
    cache_write_1h_tokens = ?, cost_nusd = ?, price_id = ?, queue_ms = ?,
    first_byte_ms = ?, total_ms = ?, answer_bytes = ?, settled_ms = ?,
    trace = ?, group_id = ?, disconnect = ?, overrun_nusd = ?,
    flags = flags | ?, holds = ?, web_searches = ?
WHERE id = ? AND state = ? AND fence = ?;

-- name: ledger_holds @sqlite
-- What requests hold of budgets, and where they are counted; a JSON array of
-- ids, in order.
SELECT id, state, fence, reserved_nusd, body_bytes, extensions, holds,
    person_id, account_id, group_id, cost_nusd, model, key_id, sent_as
FROM ledger WHERE id IN (SELECT value FROM json_each(?));
-- name: ledger_holds @mysql
SELECT l.id, l.state, l.fence, l.reserved_nusd, l.body_bytes, l.extensions,
    l.holds, l.person_id, l.account_id, l.group_id, l.cost_nusd, l.model,
    l.key_id, l.sent_as
FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) AS j
STRAIGHT_JOIN ledger l ON l.id = j.id FOR UPDATE;

-- name: ledger_extend
-- holds, reserved, number of the extension, cost (of a reaped row); id, state,
-- fence
UPDATE ledger SET holds = ?, reserved_nusd = ?, extensions = ?, cost_nusd = ?
WHERE id = ? AND state = ? AND fence = ?;

-- name: ledger_state @sqlite
SELECT state, fence, coalesce(cost_nusd, 0) FROM ledger WHERE id = ?;
-- name: ledger_state @mysql
SELECT state, fence, coalesce(cost_nusd, 0) FROM ledger WHERE id = ?
FOR UPDATE;

-- name: key_usage_add
-- What a batch closed; the last time twice.
UPDATE key_usage SET requests = requests + ?, cost_nusd = cost_nusd + ?,
    input_tokens = input_tokens + ?, output_tokens = output_tokens + ?,
    cache_read_tokens = cache_read_tokens + ?,
    cache_write_tokens = cache_write_tokens + ?,
    last_ms = CASE WHEN last_ms < ? THEN ? ELSE last_ms END
WHERE key_id = ?;

-- name: key_usage_open @sqlite
INSERT INTO key_usage (requests, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, last_ms, key_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);
-- name: key_usage_open @mysql
-- Somebody else may have been faster.
INSERT INTO key_usage (requests, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, last_ms, key_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON DUPLICATE KEY UPDATE requests = requests + VALUES(requests),
    cost_nusd = cost_nusd + VALUES(cost_nusd),
    input_tokens = input_tokens + VALUES(input_tokens),
    output_tokens = output_tokens + VALUES(output_tokens),
    cache_read_tokens = cache_read_tokens + VALUES(cache_read_tokens),
    cache_write_tokens = cache_write_tokens + VALUES(cache_write_tokens),
    last_ms = greatest(last_ms, VALUES(last_ms));

-- name: attempt_open
INSERT INTO attempt (ledger_id, n, account_id, started_ms, model)
VALUES (?, ?, ?, ?, ?);

-- name: attempt_close
UPDATE attempt SET ended_ms = ?, outcome = ?, status = ?, upstream_id = ?,
    mark = ?, input_tokens = ?, output_tokens = ?, cost_nusd = ?
WHERE ledger_id = ? AND n = ? AND (outcome IS NULL OR outcome = 'lost');

-- name: attempts_before
-- ledger, n: what attempts before the n-th have cost; the sums leave out those
-- that are marked estimated (3), which are counted.
SELECT coalesce(sum(CASE WHEN mark = 3 THEN 0 ELSE input_tokens END), 0),
    coalesce(sum(CASE WHEN mark = 3 THEN 0 ELSE output_tokens END), 0),
    coalesce(sum(CASE WHEN mark = 3 THEN 0 ELSE cost_nusd END), 0),
    coalesce(sum(mark = 3), 0), coalesce(max(mark), 0),
    coalesce(max(account_id), 0)
FROM attempt WHERE ledger_id = ? AND n < ?;

-- name: attempt_models
-- ledger, n: names of earlier ones that may have been billed; '': as it was
-- asked for.
SELECT DISTINCT model FROM attempt WHERE ledger_id = ? AND n < ? AND mark <> 0;

-- name: window_read @sqlite
SELECT spent, reserved FROM budget_window
WHERE budget_id = ? AND start_ms = ?;
-- name: window_read @mysql
SELECT spent, reserved FROM budget_window
WHERE budget_id = ? AND start_ms = ? FOR UPDATE;

-- name: window_buckets
-- budget, first and last start: of a rolling one.
SELECT start_ms, spent, reserved FROM budget_window
WHERE budget_id = ? AND start_ms >= ? AND start_ms <= ?;

-- name: windows_read @mysql only
-- A JSON array of [budget, start] in order.
SELECT w.budget_id, w.start_ms, w.spent, w.reserved
FROM JSON_TABLE(?, '$[*]' COLUMNS (b BIGINT PATH '$[0]',
    s BIGINT PATH '$[1]')) AS j
STRAIGHT_JOIN budget_window w ON w.budget_id = j.b AND w.start_ms = j.s
FOR UPDATE;

-- name: window_open @mysql only
-- Make sure that there is one, and lock it; two may find at once that there
-- is none.  Not where the budget was removed.
INSERT INTO budget_window (budget_id, start_ms)
SELECT w.b, w.s FROM (SELECT ? AS b, ? AS s) AS w
WHERE EXISTS (SELECT 1 FROM budget WHERE budget.id = w.b)
ON DUPLICATE KEY UPDATE start_ms = VALUES(start_ms);

-- name: window_write
UPDATE budget_window SET spent = ?, reserved = ?
WHERE budget_id = ? AND start_ms = ?;

-- name: window_add
-- A late correction may be of a budget that was removed.
INSERT INTO budget_window (spent, reserved, budget_id, start_ms)
SELECT w.spent, w.reserved, w.b, w.s
FROM (SELECT ? AS spent, ? AS reserved, ? AS b, ? AS s) AS w
WHERE EXISTS (SELECT 1 FROM budget WHERE budget.id = w.b);

-- name: lock_nodes @mysql only
SELECT name FROM gate WHERE name = 'nodes' FOR UPDATE;

-- name: responder_nodes
SELECT node FROM responder ORDER BY node;

-- name: responder_add
INSERT INTO responder (kind, node, host, pid, lock_path, wake_path, version,
    started_ms, beat, beat_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: responder_there
SELECT node FROM responder WHERE id = ?;

-- name: responder_beat
UPDATE responder SET beat = ?, beat_ms = ?, requests = ?, draining = ?
WHERE id = ?;

-- name: responder_remove
DELETE FROM responder WHERE id = ?;

-- name: ticket_add
INSERT INTO ticket (ledger_id, responder_id, key_id, bind_kind, bind_id,
    model, tried, enqueued_ms, expires_ms, home_id, home_until_ms, names)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: ticket_grant
-- now, account, slot, its fence, ledger
UPDATE ticket SET granted_ms = ?, account_id = ?, slot_n = ?, slot_fence = ?
WHERE ledger_id = ? AND granted_ms IS NULL;

-- name: ticket_drop
DELETE FROM ticket WHERE ledger_id = ?;

-- name: lock_account @mysql only
SELECT id FROM account WHERE id = ? FOR UPDATE;

-- name: cooldown_get
SELECT since_ms, until_ms, observed_ms, strikes, stated, soft
FROM cooldown WHERE account_id = ? AND family = ?;

-- name: cooldown_put @sqlite
-- Who probes the account goes on with it.
INSERT INTO cooldown (account_id, family, reason, detail, since_ms, until_ms,
    stated, strikes, cause_id, observed_ms, soft)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (account_id, family) DO UPDATE SET reason = excluded.reason,
    detail = excluded.detail, since_ms = excluded.since_ms,
    until_ms = excluded.until_ms, stated = excluded.stated,
    strikes = excluded.strikes, cause_id = excluded.cause_id,
    observed_ms = excluded.observed_ms, soft = excluded.soft;
-- name: cooldown_put @mysql
INSERT INTO cooldown (account_id, family, reason, detail, since_ms, until_ms,
    stated, strikes, cause_id, observed_ms, soft)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON DUPLICATE KEY UPDATE reason = VALUES(reason), detail = VALUES(detail),
    since_ms = VALUES(since_ms), until_ms = VALUES(until_ms),
    stated = VALUES(stated), strikes = VALUES(strikes),
    cause_id = VALUES(cause_id), observed_ms = VALUES(observed_ms),
    soft = VALUES(soft);

-- name: cooldown_undo
-- Only if it is still the park of that request.
DELETE FROM cooldown WHERE account_id = ? AND family = ? AND cause_id = ?;

-- name: cooldown_clear
-- account, family; now, and what is later than now can be; who probes it
DELETE FROM cooldown
WHERE account_id = ? AND family IN ('', ?)
    AND (until_ms <= ? OR observed_ms > ? OR probe_id = ?);

-- name: probe_held
-- Does a request have the right to probe?  See fcgi/pool/halfopen.h.
-- account, family, later than now can be
SELECT count(*) FROM cooldown c JOIN ledger l ON l.id = c.probe_id
WHERE c.account_id = ? AND c.family IN ('', ?) AND l.state = 0
    AND l.fence <= c.probe_attempt AND c.probe_ms <= ?;

-- name: probe_take
-- ledger twice, now, account, family
UPDATE cooldown SET probe_id = ?, probe_attempt = 1 + coalesce((SELECT l.fence
    FROM ledger l WHERE l.id = ?), 0), probe_ms = ?
WHERE account_id = ? AND family IN ('', ?);

-- name: probe_leave
-- account, ledger
UPDATE cooldown SET probe_id = NULL WHERE account_id = ? AND probe_id = ?;

-- name: ticket_lapse
-- ledger, when it was granted
UPDATE ticket SET granted_ms = NULL, account_id = NULL, slot_n = NULL,
    slot_fence = NULL
WHERE ledger_id = ? AND granted_ms = ?;

-- name: lock_queue @mysql only
SELECT name FROM gate WHERE name = 'queue' FOR UPDATE;

-- name: tickets_lapsed @sqlite
SELECT ledger_id, key_id, account_id, slot_n, slot_fence, granted_ms
FROM ticket WHERE granted_ms < ?;
-- name: tickets_lapsed @mysql
SELECT ledger_id, key_id, account_id, slot_n, slot_fence, granted_ms
FROM ticket WHERE granted_ms < ? FOR UPDATE;

-- name: tickets_granted @sqlite
-- The last but one: what it probes the account for, if it does.
SELECT ledger_id, account_id, slot_n, slot_fence,
    (SELECT max(c.reason) FROM cooldown c
    WHERE c.account_id = ticket.account_id AND c.probe_id = ledger_id),
    granted_ms
FROM ticket WHERE responder_id = ? AND granted_ms IS NOT NULL;
-- name: tickets_granted @mysql
SELECT ledger_id, account_id, slot_n, slot_fence,
    (SELECT max(c.reason) FROM cooldown c FORCE INDEX (PRIMARY)
    WHERE c.account_id = ticket.account_id AND c.probe_id = ledger_id),
    granted_ms
FROM ticket WHERE responder_id = ? AND granted_ms IS NOT NULL FOR UPDATE;

-- name: tickets_waiting
-- By class; each key's oldest first, then each key's second, and so on.
SELECT q.ledger_id, q.responder_id, q.key_id, q.model, q.tried, q.home_id,
    q.home_until_ms, CASE q.bind_kind WHEN 'account' THEN q.bind_id ELSE 0 END,
    q.names
FROM (SELECT ledger_id, responder_id, key_id, model, tried, home_id,
    home_until_ms, bind_kind, bind_id, names,
    row_number() OVER (PARTITION BY key_id ORDER BY ledger_id) AS place
    FROM ticket WHERE granted_ms IS NULL) AS q
LEFT JOIN api_key k ON k.id = q.key_id
ORDER BY coalesce(k.queue_class, 1), q.place, q.ledger_id LIMIT ?;

-- name: tickets_by_key
SELECT key_id, count(*) FROM ticket GROUP BY key_id;

-- name: responder_wake
SELECT wake_path FROM responder WHERE id = ? AND host = ?;

-- name: responders
-- With those that have rows, but none here: they may register anew.
SELECT id, host, lock_path, wake_path, beat FROM responder
UNION ALL
SELECT DISTINCT responder_id, '', '', '', -1 FROM ledger
WHERE state = 0 AND responder_id NOT IN (SELECT id FROM responder)
UNION ALL
SELECT DISTINCT responder_id, '', '', '', -1 FROM slot
WHERE responder_id IS NOT NULL
    AND responder_id NOT IN (SELECT id FROM responder)
    AND responder_id NOT IN (SELECT responder_id FROM ledger WHERE state = 0);

-- name: reap_lock @mysql only
-- Its beat, which it can raise no more.
SELECT beat FROM responder WHERE id = ? FOR UPDATE;

-- name: reap_lock_ledger @mysql only
SELECT id FROM ledger WHERE state = 0 AND responder_id = ? FOR UPDATE;

-- name: reap_holds
-- What its open requests hold of budgets, and whether they went upstream.
SELECT fence, holds FROM ledger
WHERE responder_id = ? AND state = 0 AND holds <> '';

-- name: reap_rows
-- What becomes of its open requests, as reap_ledger will have it.
SELECT l.id, l.key_id, l.person_id,
    CASE WHEN l.sent_as = '' THEN l.model ELSE l.sent_as END, l.fence,
    l.reserved_nusd,
    t.account_id, a.group_id
FROM ledger l
LEFT JOIN attempt t ON t.ledger_id = l.id AND t.n = l.fence
LEFT JOIN account a ON a.id = t.account_id
WHERE l.responder_id = ? AND l.state = 0;

-- name: reap_attempts @sqlite
UPDATE attempt SET ended_ms = ?, outcome = 'lost', mark = 3
WHERE outcome IS NULL AND ledger_id IN
    (SELECT id FROM ledger WHERE responder_id = ? AND state = 0);
-- name: reap_attempts @mysql
UPDATE ledger l STRAIGHT_JOIN attempt t ON t.ledger_id = l.id
SET t.ended_ms = ?, t.outcome = 'lost', t.mark = 3
WHERE t.outcome IS NULL AND l.responder_id = ? AND l.state = 0;

-- name: reap_ledger
UPDATE ledger SET state = 2, outcome = 'lost', attempts = fence,
    mark = CASE WHEN fence > 0 THEN 3 ELSE 0 END,
    cost_nusd = CASE WHEN fence > 0 THEN reserved_nusd ELSE 0 END,
    holds = CASE WHEN fence > 0 THEN holds ELSE '' END,
    account_id = (SELECT account_id FROM attempt
    WHERE attempt.ledger_id = ledger.id AND attempt.n = ledger.fence),
    group_id = coalesce((SELECT group_id FROM account
    WHERE account.id = (SELECT account_id FROM attempt
    WHERE attempt.ledger_id = ledger.id AND attempt.n = ledger.fence)), 0),
    settled_ms = ?
WHERE responder_id = ? AND state = 0;

-- name: reap_slots
UPDATE slot SET responder_id = NULL, ledger_id = NULL, key_id = NULL,
    leased_ms = NULL
WHERE responder_id = ?;

-- name: reap_tickets
DELETE FROM ticket WHERE responder_id = ?;

-- name: adopt_ledger
-- new id, old id
UPDATE ledger SET responder_id = ? WHERE responder_id = ? AND state = 0;

-- name: adopt_slots
UPDATE slot SET responder_id = ? WHERE responder_id = ?;

-- name: adopt_tickets
UPDATE ticket SET responder_id = ? WHERE responder_id = ?;

-- name: ledger_void
-- An admission whose outcome is unknown: either this row is there and it can
-- never be, or it was.
-- id, responder, now, key
INSERT INTO ledger (id, state, fence, responder_id, created_ms, key_id, kind,
    model, stream, reserved_nusd, body_bytes)
VALUES (?, 4, 0, ?, ?, ?, '', '', 0, 0, 0);

-- name: slot_release_of
-- Whatever slot a request holds; reads all slots, for rare repairs.
UPDATE slot SET responder_id = NULL, ledger_id = NULL, key_id = NULL,
    leased_ms = NULL
WHERE ledger_id = ?;

-- name: attempts_void
-- now, ledger: tries that were written down but never made.
UPDATE attempt SET ended_ms = ?, outcome = 'void', mark = 0
WHERE ledger_id = ? AND outcome IS NULL;
