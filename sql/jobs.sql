-- Periodic work and its row lease, see admin/job_row.h.

-- name: job_add @sqlite
-- name, since_ms; a row that is there stays as it is
INSERT INTO job (name, since_ms) VALUES (?, ?) ON CONFLICT DO NOTHING;
-- name: job_add @mysql
INSERT IGNORE INTO job (name, since_ms) VALUES (?, ?);

-- name: lock_job @mysql only
SELECT name FROM job WHERE name = ? FOR UPDATE;

-- name: job_get
SELECT since_ms, lease_fence, lease_until_ms, coalesce(lease_by, '')
FROM job WHERE name = ?;

-- name: job_take
-- lease_by, lease_fence, lease_until_ms, since_ms, last_start_ms, name
UPDATE job SET lease_by = ?, lease_fence = ?, lease_until_ms = ?,
    since_ms = ?, last_start_ms = ?, runs = runs + 1
WHERE name = ?;

-- name: job_keep
-- lease_until_ms, name, lease_fence
UPDATE job SET lease_until_ms = ?
WHERE name = ? AND lease_fence = ? AND lease_by IS NOT NULL;

-- name: job_end
-- since_ms, schedule, next_ms, last_end_ms, duration_ms, result, detail,
-- good_ms (NULL: as it was), name, lease_fence
UPDATE job SET lease_by = NULL, lease_until_ms = 0, since_ms = ?,
    schedule = ?, next_ms = ?, last_end_ms = ?, duration_ms = ?, result = ?,
    detail = ?, good_ms = coalesce(?, good_ms)
WHERE name = ? AND lease_fence = ?;

-- name: job_plan
-- schedule, next_ms, since_ms, name
UPDATE job SET schedule = ?, next_ms = ?, since_ms = ? WHERE name = ?;

-- name: job_list
-- now_ms: is it lost?
SELECT name, schedule, next_ms, since_ms, lease_by, lease_until_ms, runs,
    last_start_ms, last_end_ms, duration_ms, result, detail, good_ms,
    CASE WHEN lease_by IS NULL THEN 'idle' WHEN lease_until_ms > ?
	THEN 'running' ELSE 'lost' END
FROM job ORDER BY name;

-- Health probes of accounts, see admin/job_probe.c.

-- name: probe_accounts
SELECT a.id, a.name, CASE WHEN o.account_id IS NULL THEN 0 ELSE 1 END,
    coalesce(o.signed_in, 1), coalesce(o.expires_ms, 0),
    coalesce(o.rotation, 0), coalesce(p.good_ms, 0)
FROM account a
LEFT JOIN account_oauth o ON o.account_id = a.id
LEFT JOIN account_probe p ON p.account_id = a.id
WHERE a.enabled = 1 ORDER BY a.id;

-- name: probe_serves
-- account_id: names and wildcards by comma
SELECT models FROM account WHERE id = ?;

-- name: probe_aliases
-- account_id twice: where its aliases lead, its own first
SELECT target FROM model_alias
WHERE (scope = 'account' AND scope_id = ?) OR (scope = 'group' AND
    scope_id = (SELECT group_id FROM account WHERE id = ?))
ORDER BY scope, pattern;

-- name: probe_used
-- account_id, since when: what it served, the newest hour first
SELECT model FROM usage_hour
WHERE account_id = ? AND start_ms >= ? AND model <> '' AND requests > errors
ORDER BY start_ms DESC;

-- name: probe_put
-- account_id, probed_ms, result, status, latency_ms, detail, good_ms
REPLACE INTO account_probe (account_id, probed_ms, result, status,
    latency_ms, detail, good_ms)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: probe_lift
-- A park that nobody stated ends where what it is for is refuted: the breaker
-- is half-open then, so that one request finds out for certain, and the strikes
-- stay, so that a failure that comes back is parked for longer.
-- now_ms, account_id, now_ms, observed up to then
UPDATE cooldown SET until_ms = ?
WHERE account_id = ? AND family = '' AND stated = 0 AND until_ms > ?
    AND observed_ms <= ? AND reason NOT IN ('rate_limited', 'overloaded',
	'credit', 'refresh', 'sign_in');

-- name: probe_renew
-- The access token is refused: it is renewed at once.
-- now_ms, account_id, rotation, now_ms
UPDATE account_oauth SET renew_ms = ?
WHERE account_id = ? AND rotation = ? AND signed_in = 1
    AND (renew_ms = 0 OR renew_ms > ?);

-- name: probe_list
-- name of the account, or '' twice
SELECT a.name, p.probed_ms, p.result, p.status, p.latency_ms, p.detail,
    p.good_ms
FROM account_probe p JOIN account a ON a.id = p.account_id
WHERE ? = '' OR a.name = ?
ORDER BY a.name;

-- name: account_remove_probe
DELETE FROM account_probe WHERE account_id = ?;
