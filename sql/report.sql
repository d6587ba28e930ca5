-- What `status' and `requests' show.

-- name: database_version @sqlite
SELECT 'SQLite ' || sqlite_version();

-- name: database_version @mysql
SELECT concat(CASE WHEN version() LIKE '%MariaDB%' THEN 'MariaDB '
	ELSE 'MySQL ' END, version());

-- name: responder_list
SELECT id, kind, node, host, pid, version, started_ms, beat_ms, requests,
	draining
FROM responder ORDER BY kind, id;

-- name: lease_list
-- Slots that are leased, the longest first; how many
SELECT s.responder_id, a.name, s.n, s.ledger_id, k.name, l.model,
	l.sent_as, s.leased_ms
FROM slot s
JOIN account a ON a.id = s.account_id
LEFT JOIN api_key k ON k.id = s.key_id
LEFT JOIN ledger l ON l.id = s.ledger_id
WHERE s.responder_id IS NOT NULL
ORDER BY s.leased_ms, s.account_id, s.n LIMIT ?;

-- name: lease_counts
SELECT responder_id, count(*) FROM slot WHERE responder_id IS NOT NULL
GROUP BY responder_id;

-- name: queue_state
-- Waiting, granted but not taken up, and since when the first one waits.
SELECT coalesce(sum(granted_ms IS NULL), 0),
	coalesce(sum(granted_ms IS NOT NULL), 0),
	min(CASE WHEN granted_ms IS NULL THEN enqueued_ms END)
FROM ticket;

-- name: queue_waiting
SELECT count(*) FROM ticket WHERE granted_ms IS NULL;

-- name: queue_served
-- By account, with its group; id from which on, since when
SELECT coalesce(account_id, 0), group_id, count(*) FROM ledger
WHERE id >= ? AND settled_ms >= ? AND attempts > 0
GROUP BY account_id, group_id;

-- name: queue_list
-- In the order in which tickets_waiting has them; how many
SELECT q.ledger_id, k.name, q.model, q.enqueued_ms, q.expires_ms,
    coalesce(k.queue_class, 1), q.bind_kind, coalesce(q.bind_id, 0) FROM
    (SELECT ledger_id, key_id, model, enqueued_ms, expires_ms, bind_kind,
    bind_id,
    row_number() OVER (PARTITION BY key_id ORDER BY ledger_id) AS place
    FROM ticket WHERE granted_ms IS NULL) AS q
LEFT JOIN api_key k ON k.id = q.key_id
ORDER BY coalesce(k.queue_class, 1), q.place, q.ledger_id LIMIT ?;

-- name: ledger_open_count
SELECT count(*) FROM ledger WHERE state = 0;

-- name: request_list @sqlite
-- Newest first; a JSON array of ids.
SELECT l.id, l.state, l.created_ms, k.name, a.name, l.kind, l.model,
	l.stream, l.outcome, l.status, l.mark, l.attempts, l.input_tokens,
	l.output_tokens, l.cache_read_tokens, l.cache_write_5m_tokens,
	l.cache_write_1h_tokens, l.cost_nusd, l.queue_ms, l.first_byte_ms,
	l.total_ms, l.flags
FROM json_each(?) j
CROSS JOIN ledger l ON l.id = j.value
LEFT JOIN api_key k ON k.id = l.key_id
LEFT JOIN account a ON a.id = l.account_id
ORDER BY l.id DESC;
-- name: request_list @mysql
SELECT l.id, l.state, l.created_ms, k.name, a.name, l.kind, l.model,
	l.stream, l.outcome, l.status, l.mark, l.attempts, l.input_tokens,
	l.output_tokens, l.cache_read_tokens, l.cache_write_5m_tokens,
	l.cache_write_1h_tokens, l.cost_nusd, l.queue_ms, l.first_byte_ms,
	l.total_ms, l.flags
FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) AS j
STRAIGHT_JOIN ledger l ON l.id = j.id
LEFT JOIN api_key k ON k.id = l.key_id
LEFT JOIN account a ON a.id = l.account_id
ORDER BY l.id DESC;

-- How requests are found: rows are looked at newest first and a few at a time,
-- see admin/requests_find.h.

-- name: request_edge
-- The last of the next rows, and how many there are.
-- below id, from id, rows
SELECT coalesce(min(id), 0), count(*) FROM
    (SELECT id FROM ledger WHERE id < ? AND id >= ? ORDER BY id DESC LIMIT ?)
    AS part;

-- name: request_edge_of_key @sqlite
-- key, below id, from id, rows
SELECT coalesce(min(id), 0), count(*) FROM
    (SELECT id FROM ledger INDEXED BY ledger_by_key
    WHERE key_id = ? AND id < ? AND id >= ? ORDER BY id DESC LIMIT ?)
    AS part;
-- name: request_edge_of_key @mysql
SELECT coalesce(min(id), 0), count(*) FROM
    (SELECT id FROM ledger FORCE INDEX (ledger_by_key)
    WHERE key_id = ? AND id < ? AND id >= ? ORDER BY id DESC LIMIT ?)
    AS part;

-- name: request_newest
-- below id, from id
SELECT coalesce(max(id), 0) FROM ledger WHERE id < ? AND id >= ?;

-- name: request_newest_of_key @sqlite
-- key, below id, from id
SELECT coalesce(max(id), 0) FROM ledger INDEXED BY ledger_by_key
WHERE key_id = ? AND id < ? AND id >= ?;
-- name: request_newest_of_key @mysql
SELECT coalesce(max(id), 0) FROM ledger FORCE INDEX (ledger_by_key)
WHERE key_id = ? AND id < ? AND id >= ?;

-- name: request_find
-- Of these rows those that are asked for.
-- below id, from id; person, account, or 0, twice each; model (LIKE, '!'
-- escapes) twice; outcome or '' twice; status and cost or 0, twice each; rows
SELECT l.id FROM ledger l
WHERE l.id < ? AND l.id >= ? AND l.state <> 4
	AND (? = 0 OR l.person_id = ?) AND (? = 0 OR l.account_id = ?)
	AND (l.model LIKE ? ESCAPE '!' OR l.sent_as LIKE ? ESCAPE '!')
	AND (? = '' OR l.outcome = ?) AND (? = 0 OR l.status = ?)
	AND (? = 0 OR l.cost_nusd >= ?)
ORDER BY l.id DESC LIMIT ?;

-- name: request_find_of_key @sqlite
-- key, and as request_find
SELECT l.id FROM ledger l INDEXED BY ledger_by_key
WHERE l.key_id = ? AND l.id < ? AND l.id >= ? AND l.state <> 4
	AND (? = 0 OR l.person_id = ?) AND (? = 0 OR l.account_id = ?)
	AND (l.model LIKE ? ESCAPE '!' OR l.sent_as LIKE ? ESCAPE '!')
	AND (? = '' OR l.outcome = ?) AND (? = 0 OR l.status = ?)
	AND (? = 0 OR l.cost_nusd >= ?)
ORDER BY l.id DESC LIMIT ?;
-- name: request_find_of_key @mysql
SELECT l.id FROM ledger l FORCE INDEX (ledger_by_key)
WHERE l.key_id = ? AND l.id < ? AND l.id >= ? AND l.state <> 4
	AND (? = 0 OR l.person_id = ?) AND (? = 0 OR l.account_id = ?)
	AND (l.model LIKE ? ESCAPE '!' OR l.sent_as LIKE ? ESCAPE '!')
	AND (? = '' OR l.outcome = ?) AND (? = 0 OR l.status = ?)
	AND (? = 0 OR l.cost_nusd >= ?)
ORDER BY l.id DESC LIMIT ?;

-- name: request_find_open @sqlite
-- key or 0 twice, and as request_find
SELECT l.id FROM ledger l INDEXED BY ledger_open
WHERE l.state = 0 AND (? = 0 OR l.key_id = ?) AND l.id < ? AND l.id >= ?
	AND (? = 0 OR l.person_id = ?) AND (? = 0 OR l.account_id = ?)
	AND (l.model LIKE ? ESCAPE '!' OR l.sent_as LIKE ? ESCAPE '!')
	AND (? = '' OR l.outcome = ?) AND (? = 0 OR l.status = ?)
	AND (? = 0 OR l.cost_nusd >= ?)
ORDER BY l.id DESC LIMIT ?;
-- name: request_find_open @mysql
SELECT l.id FROM ledger l FORCE INDEX (ledger_open)
WHERE l.state = 0 AND (? = 0 OR l.key_id = ?) AND l.id < ? AND l.id >= ?
	AND (? = 0 OR l.person_id = ?) AND (? = 0 OR l.account_id = ?)
	AND (l.model LIKE ? ESCAPE '!' OR l.sent_as LIKE ? ESCAPE '!')
	AND (? = '' OR l.outcome = ?) AND (? = 0 OR l.status = ?)
	AND (? = 0 OR l.cost_nusd >= ?)
ORDER BY l.id DESC LIMIT ?;

-- name: request_keys_of
-- Keys by which a user may have made requests; rows.
-- user twice, rows
SELECT key_id FROM (SELECT DISTINCT key_id FROM usage_day WHERE person_id = ?
    UNION SELECT id FROM api_key WHERE person_id = ?) AS keys_of
ORDER BY key_id LIMIT ?;

-- name: usage_{hour,day}_has
-- Is there anything in it?
-- start_ms; account or 0, twice; 1: errors alone; cost at least
SELECT count(*) FROM (SELECT 1 AS one FROM usage_{hour,day}
    WHERE start_ms = ? AND (? = 0 OR account_id = ?)
    AND errors >= ? AND cost_nusd >= ? LIMIT 1) AS seen;

-- name: usage_{hour,day}_has_of_person
-- person, and as usage_day_has
SELECT count(*) FROM (SELECT 1 AS one FROM usage_{hour,day}
    WHERE person_id = ? AND start_ms = ? AND (? = 0 OR account_id = ?)
    AND errors >= ? AND cost_nusd >= ? LIMIT 1) AS seen;

-- name: usage_day_has_of_key
-- key, and as usage_day_has
SELECT count(*) FROM (SELECT 1 AS one FROM usage_day
    WHERE key_id = ? AND start_ms = ? AND (? = 0 OR account_id = ?)
    AND errors >= ? AND cost_nusd >= ? LIMIT 1) AS seen;

-- name: key_id_by_name
SELECT id FROM api_key WHERE name = ?;

-- name: request_show
SELECT l.id, l.state, l.created_ms, k.name, a.name, l.kind, l.model,
	l.stream, l.outcome, l.status, l.mark, l.attempts, l.input_tokens,
	l.output_tokens, l.cache_read_tokens, l.cache_write_5m_tokens,
	l.cache_write_1h_tokens, l.cost_nusd, l.queue_ms, l.first_byte_ms,
	l.total_ms, l.flags, l.responder_id, l.reserved_nusd,
	l.overrun_nusd, l.price_id, l.disconnect, l.body_bytes,
	l.answer_bytes, l.session, l.settled_ms, l.address, l.trace,
	l.sent_as
FROM ledger l
LEFT JOIN api_key k ON k.id = l.key_id
LEFT JOIN account a ON a.id = l.account_id
WHERE l.id = ?;

-- name: request_attempts
SELECT t.n, a.name, t.started_ms, t.ended_ms, t.outcome, t.status,
	t.upstream_id, t.mark, t.input_tokens, t.output_tokens, t.cost_nusd,
	t.model
FROM attempt t
LEFT JOIN account a ON a.id = t.account_id
WHERE t.ledger_id = ?
ORDER BY t.n;
