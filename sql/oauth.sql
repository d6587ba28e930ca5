-- OAuth accounts: as the command sets them up, and as responders renew their
-- tokens (see fcgi/pool/refresh.h).

-- name: oauth_add
-- account_id, updated_ms, authorize_url, token_url, client_id, scopes,
-- redirect_uri, token_format
INSERT INTO account_oauth (account_id, updated_ms, authorize_url, token_url,
    client_id, scopes, redirect_uri, token_format)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: oauth_set
-- authorize_url, token_url, client_id, scopes, redirect_uri, token_format,
-- updated_ms, account_id
UPDATE account_oauth SET authorize_url = ?, token_url = ?, client_id = ?,
    scopes = ?, redirect_uri = ?, token_format = ?, updated_ms = ?
WHERE account_id = ?;

-- name: oauth_remove
DELETE FROM account_oauth WHERE account_id = ?;

-- name: oauth_refresh
SELECT refresh FROM account_oauth
WHERE account_id = ? AND refresh IS NOT NULL;

-- name: oauth_refreshes
SELECT account_id, refresh FROM account_oauth
WHERE refresh IS NOT NULL ORDER BY account_id;

-- name: oauth_set_refresh
-- refresh, updated_ms, account_id
UPDATE account_oauth SET refresh = ?, updated_ms = ? WHERE account_id = ?;

-- name: oauth_signed_in
-- A new pair from a sign-in or a file, whatever was before: a renewal under way
-- finds another rotation.
-- expires_ms, renew_ms, renewed_ms, account_id
UPDATE account_oauth SET signed_in = 1, rotation = rotation + 1,
    expires_ms = ?, renew_ms = ?, renewed_ms = ?, lease_by = NULL,
    sent_ms = 0, tries = 0, retry_ms = 0
WHERE account_id = ?;

-- name: lock_oauth @mysql only
SELECT account_id FROM account_oauth WHERE account_id = ? FOR UPDATE;

-- name: oauth_lease_state
-- now_ms twice (is the lease over?), account_id.  The lease of a responder that
-- is gone is over, too.
SELECT refresh, signed_in, rotation, sent_ms, retry_ms, tries,
    CASE WHEN lease_by IS NULL OR lease_until_ms <= ? OR NOT EXISTS
	(SELECT 1 FROM responder r WHERE r.id = lease_by) THEN 0
	ELSE lease_by END,
    lease_fence, CASE WHEN expires_ms > 0 AND expires_ms <= ? THEN 1 ELSE 0 END
FROM account_oauth WHERE account_id = ?;

-- name: oauth_lease
-- lease_by, lease_fence, lease_until_ms, sent_ms, account_id
UPDATE account_oauth SET lease_by = ?, lease_fence = ?, lease_until_ms = ?,
    sent_ms = ?
WHERE account_id = ?;

-- name: oauth_renewed
-- The new pair, if the refresh token that it was got for is still the one that
-- stands here.
-- refresh, expires_ms, renew_ms, now_ms twice, account_id, rotation
UPDATE account_oauth SET refresh = ?, expires_ms = ?, renew_ms = ?,
    renewed_ms = ?, updated_ms = ?, signed_in = 1, rotation = rotation + 1,
    lease_by = NULL, sent_ms = 0, tries = 0, retry_ms = 0
WHERE account_id = ? AND rotation = ?;

-- name: oauth_failed
-- sent_ms, tries, retry_ms, account_id, rotation, lease_fence
UPDATE account_oauth SET lease_by = NULL, sent_ms = ?, tries = ?,
    retry_ms = ?
WHERE account_id = ? AND rotation = ? AND lease_fence = ?;

-- name: oauth_refused
-- account_id, rotation, lease_fence
UPDATE account_oauth SET lease_by = NULL, signed_in = 0, sent_ms = 0,
    tries = 0, retry_ms = 0
WHERE account_id = ? AND rotation = ? AND lease_fence = ?;

-- name: oauth_wake
-- What a new pair of tokens heals.
DELETE FROM cooldown WHERE account_id = ? AND family = ''
    AND reason IN ('auth', 'refresh', 'sign_in');

-- name: snapshot_oauth
SELECT account_id, token_url, client_id, token_format, signed_in, rotation,
    expires_ms, renew_ms
FROM account_oauth ORDER BY account_id;

-- name: oauth_list
SELECT account_id, authorize_url, token_url, client_id, scopes, redirect_uri,
    token_format, signed_in, expires_ms, renewed_ms
FROM account_oauth ORDER BY account_id;

-- Sign-ins that were begun, see admin/account_start.h.

-- name: oauth_start_add
-- hash, actor, account_id, sealed, created_ms, expires_ms
INSERT INTO oauth_start (hash, actor, account_id, sealed, created_ms,
    expires_ms) VALUES (?, ?, ?, ?, ?, ?);

-- name: oauth_start_count
-- actor
SELECT count(*) FROM oauth_start WHERE actor = ?;

-- name: oauth_start_find
-- hash, actor, account_id (0: none), now_ms
SELECT sealed FROM oauth_start
WHERE hash = ? AND actor = ? AND coalesce(account_id, 0) = ?
    AND expires_ms > ?;

-- name: oauth_start_remove
-- hash
DELETE FROM oauth_start WHERE hash = ?;

-- name: oauth_start_prune
-- now_ms
DELETE FROM oauth_start WHERE expires_ms <= ?;

-- name: oauth_start_clear
-- What is sealed under another key: those begin anew.
DELETE FROM oauth_start;

-- name: account_remove_starts
DELETE FROM oauth_start WHERE account_id = ?;
