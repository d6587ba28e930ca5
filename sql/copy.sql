-- What `leasehold store copy' moves, table by table, in an order in which what
-- is referred to is there.  The columns are those of the schema, in its order;
-- which migrations have run is not copied, and neither is the row that probes
-- for room.  Browsers sign in again, open invitations are void, and sign-ins
-- to accounts that were begun as well.

-- name: copy_running
-- How many responders have said since then that they are alive.
SELECT count(*) FROM responder WHERE beat_ms > ?;

-- name: copy_ledger_page
-- after id, rows: the last id of the next page; NULL if there is none
SELECT max(id) FROM
    (SELECT id FROM ledger WHERE id > ? ORDER BY id LIMIT ?) AS page;

-- Ids that were given out, also to rows that are gone: a table's last is given
-- to a row of the copy, which then is removed.

-- name: copy_last_ids @sqlite
SELECT name, seq FROM sqlite_sequence;
-- name: copy_last_ids @mysql
SELECT table_name, auto_increment - 1 FROM information_schema.tables
WHERE table_schema = database() AND auto_increment > 1;

-- name: copy_take_account_group
INSERT INTO account_group (id, name, created_ms) VALUES (?, '', 0);

-- name: copy_drop_account_group
DELETE FROM account_group WHERE id = ?;

-- name: copy_take_person
INSERT INTO person (id, name, created_ms) VALUES (?, '', 0);

-- name: copy_drop_person
DELETE FROM person WHERE id = ?;

-- name: copy_take_account
INSERT INTO account (id, name, platform, base_url, credential, secret,
    created_ms, updated_ms) VALUES (?, '', '', '', 'api_key', '', 0, 0);

-- name: copy_drop_account
DELETE FROM account WHERE id = ?;

-- name: copy_take_api_key
INSERT INTO api_key (id, name, visible, hash, created_ms)
VALUES (?, '', '', '', 0);

-- name: copy_drop_api_key
DELETE FROM api_key WHERE id = ?;

-- name: copy_take_budget
INSERT INTO budget (id, name, scope, scope_id, kind, limit_value, created_ms)
VALUES (?, 'id', 'key', 0, 'money', 0, 0);

-- name: copy_drop_budget
DELETE FROM budget WHERE id = ?;

-- name: copy_take_price
INSERT INTO price (id, platform, pattern, valid_from_ms, input_nusd_mtok,
    output_nusd_mtok, cache_read_nusd_mtok, cache_write_5m_nusd_mtok,
    cache_write_1h_nusd_mtok, source)
VALUES (?, '', '', 0, 0, 0, 0, 0, 0, '');

-- name: copy_drop_price
DELETE FROM price WHERE id = ?;

-- name: copy_take_admin_token
INSERT INTO admin_token (id, name, visible, hash, created_ms)
VALUES (?, '', '', '', 0);

-- name: copy_drop_admin_token
DELETE FROM admin_token WHERE id = ?;

-- name: copy_take_object
INSERT INTO object (id, kind, upstream_id, account_id, key_id, ledger_id,
    final, unheard, created_ms, seen)
VALUES (?, 'file', 'id', 0, 0, 0, 0, 0, 0, '');

-- name: copy_drop_object
DELETE FROM object WHERE id = ?;

-- name: copy_take_notify_target
INSERT INTO notify_target (id, name, kind, address, events, interval_ms,
    created_ms)
VALUES (?, 'id', 'email', '', '', 0, 0);

-- name: copy_drop_notify_target
DELETE FROM notify_target WHERE id = ?;

-- name: copy_take_notify_event
INSERT INTO notify_event (id, kind, topic, at_ms, data)
VALUES (?, '', '', 0, '');

-- name: copy_drop_notify_event
DELETE FROM notify_event WHERE id = ?;

-- name: copy_take_audit
INSERT INTO audit (id, at_ms, actor_kind, actor, address, verb, object)
VALUES (?, 0, 'nobody', '', '', '', '');

-- name: copy_drop_audit
DELETE FROM audit WHERE id = ?;

-- name: copy_take_responder
INSERT INTO responder (id, kind, node, host, pid, lock_path, wake_path,
    version, started_ms, beat, beat_ms)
VALUES (?, 'relay', -1, '', 0, '', '', '', 0, 0, 0);

-- name: copy_drop_responder
DELETE FROM responder WHERE id = ?;

-- name: copy_read_account_group
SELECT id, name, strategy, created_ms, concurrency
FROM account_group ORDER BY id;

-- name: copy_put_account_group
INSERT INTO account_group (id, name, strategy, created_ms, concurrency)
VALUES (?, ?, ?, ?, ?);

-- name: copy_read_person
SELECT id, name, created_ms, concurrency, role, enabled, password, totp,
    totp_on, totp_step
FROM person ORDER BY id;

-- name: copy_put_person
INSERT INTO person (id, name, created_ms, concurrency, role, enabled,
    password, totp, totp_on, totp_step)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_recovery_code
SELECT person_id, hash FROM recovery_code ORDER BY person_id, hash;

-- name: copy_put_recovery_code
INSERT INTO recovery_code (person_id, hash) VALUES (?, ?);

-- name: copy_read_account
SELECT id, name, platform, base_url, credential, secret, group_id,
    priority, weight, concurrency, enabled, created_ms, updated_ms, proxy,
    proxy_shown, models, auth_header
FROM account ORDER BY id;

-- name: copy_put_account
INSERT INTO account (id, name, platform, base_url, credential, secret,
    group_id, priority, weight, concurrency, enabled, created_ms,
    updated_ms, proxy, proxy_shown, models, auth_header)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_model_alias
SELECT scope, scope_id, pattern, target, created_ms
FROM model_alias ORDER BY scope, scope_id, pattern;

-- name: copy_put_model_alias
INSERT INTO model_alias (scope, scope_id, pattern, target, created_ms)
VALUES (?, ?, ?, ?, ?);

-- name: copy_read_slot
SELECT account_id, n, fence, responder_id, ledger_id, key_id, leased_ms
FROM slot ORDER BY account_id, n;

-- name: copy_put_slot
INSERT INTO slot (account_id, n, fence, responder_id, ledger_id, key_id,
    leased_ms)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_cooldown
SELECT account_id, family, reason, detail, since_ms, until_ms, stated,
    strikes, cause_id, observed_ms, soft, probe_id, probe_attempt, probe_ms
FROM cooldown ORDER BY account_id, family;

-- name: copy_put_cooldown
INSERT INTO cooldown (account_id, family, reason, detail, since_ms,
    until_ms, stated, strikes, cause_id, observed_ms, soft, probe_id,
    probe_attempt, probe_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_account_oauth
SELECT account_id, authorize_url, token_url, client_id, scopes, redirect_uri,
    token_format, refresh, signed_in, rotation, expires_ms, renew_ms,
    renewed_ms, lease_by, lease_fence, lease_until_ms, sent_ms, tries,
    retry_ms, updated_ms
FROM account_oauth ORDER BY account_id;

-- name: copy_put_account_oauth
INSERT INTO account_oauth (account_id, authorize_url, token_url, client_id,
    scopes, redirect_uri, token_format, refresh, signed_in, rotation,
    expires_ms, renew_ms, renewed_ms, lease_by, lease_fence, lease_until_ms,
    sent_ms, tries, retry_ms, updated_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_account_health
SELECT account_id, first_byte_ms, first_byte_seen_ms, share_permille,
    share_reset_ms, share_window_ms, share_seen_ms, updated_ms
FROM account_health ORDER BY account_id;

-- name: copy_put_account_health
INSERT INTO account_health (account_id, first_byte_ms, first_byte_seen_ms,
    share_permille, share_reset_ms, share_window_ms, share_seen_ms,
    updated_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_api_key
SELECT id, name, visible, hash, person_id, bind_kind, bind_id,
    concurrency, models, enabled, expires_ms, created_ms, revoked_ms,
    turn, drain_ms, queue_class, clients, nets, rate_id
FROM api_key ORDER BY id;

-- name: copy_put_api_key
INSERT INTO api_key (id, name, visible, hash, person_id, bind_kind,
    bind_id, concurrency, models, enabled, expires_ms, created_ms,
    revoked_ms, turn, drain_ms, queue_class, clients, nets, rate_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_key_secret
SELECT hash, key_id, visible, until_ms FROM key_secret ORDER BY hash;

-- name: copy_put_key_secret
INSERT INTO key_secret (hash, key_id, visible, until_ms) VALUES (?, ?, ?, ?);

-- name: copy_read_key_usage
SELECT key_id, requests, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, last_ms
FROM key_usage ORDER BY key_id;

-- name: copy_put_key_usage
INSERT INTO key_usage (key_id, requests, cost_nusd, input_tokens,
    output_tokens, cache_read_tokens, cache_write_tokens, last_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_latency_{hour,day}
SELECT start_ms, key_id, account_id, group_id, person_id, model, first_byte,
    whole
FROM latency_{hour,day}
ORDER BY start_ms, key_id, account_id, group_id, person_id, model;

-- name: copy_put_latency_{hour,day}
INSERT INTO latency_{hour,day} (start_ms, key_id, account_id, group_id,
    person_id, model, first_byte, whole) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_usage_hour
SELECT start_ms, key_id, account_id, group_id, person_id, model, requests,
    errors, unpriced, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, queue_ms, first_byte_ms, total_ms, marked_exact,
    marked_partial, marked_estimated, overruns, overrun_nusd, first_500ms,
    first_1s, first_2s, first_5s, first_15s, first_later
FROM usage_hour
ORDER BY start_ms, key_id, account_id, group_id, person_id, model;

-- name: copy_put_usage_hour
INSERT INTO usage_hour (start_ms, key_id, account_id, group_id, person_id, model, requests,
    errors, unpriced, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, queue_ms, first_byte_ms, total_ms, marked_exact,
    marked_partial, marked_estimated, overruns, overrun_nusd, first_500ms,
    first_1s, first_2s, first_5s, first_15s, first_later)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?, ?, ?, ?, ?);

-- name: copy_read_usage_day
SELECT start_ms, key_id, account_id, group_id, person_id, model, requests,
    errors, unpriced, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, queue_ms, first_byte_ms, total_ms, marked_exact,
    marked_partial, marked_estimated, overruns, overrun_nusd, first_500ms,
    first_1s, first_2s, first_5s, first_15s, first_later
FROM usage_day
ORDER BY start_ms, key_id, account_id, group_id, person_id, model;

-- name: copy_put_usage_day
INSERT INTO usage_day (start_ms, key_id, account_id, group_id, person_id, model, requests,
    errors, unpriced, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, queue_ms, first_byte_ms, total_ms, marked_exact,
    marked_partial, marked_estimated, overruns, overrun_nusd, first_500ms,
    first_1s, first_2s, first_5s, first_15s, first_later)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?, ?, ?, ?, ?);

-- name: copy_read_budget
SELECT id, name, scope, scope_id, kind, period, length_ms, anchor_ms,
    zone, models, policy, limit_value, enabled, created_ms
FROM budget ORDER BY id;

-- name: copy_put_budget
INSERT INTO budget (id, name, scope, scope_id, kind, period, length_ms,
    anchor_ms, zone, models, policy, limit_value, enabled, created_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_budget_window
SELECT budget_id, start_ms, spent, reserved, kept
FROM budget_window ORDER BY budget_id, start_ms;

-- name: copy_put_budget_window
INSERT INTO budget_window (budget_id, start_ms, spent, reserved, kept)
VALUES (?, ?, ?, ?, ?);

-- name: copy_read_price
SELECT id, platform, pattern, above_tokens, valid_from_ms,
    input_nusd_mtok, output_nusd_mtok, cache_read_nusd_mtok,
    cache_write_5m_nusd_mtok, cache_write_1h_nusd_mtok, context_tokens,
    source, valid_until_ms, batch_percent, fast_percent, priority_percent,
    geo_us_percent, web_search_nusd
FROM price ORDER BY id;

-- name: copy_put_price
INSERT INTO price (id, platform, pattern, above_tokens, valid_from_ms,
    input_nusd_mtok, output_nusd_mtok, cache_read_nusd_mtok,
    cache_write_5m_nusd_mtok, cache_write_1h_nusd_mtok, context_tokens,
    source, valid_until_ms, batch_percent, fast_percent, priority_percent,
    geo_us_percent, web_search_nusd)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_admin_token
SELECT id, name, visible, hash, created_ms, expires_ms, person_id, scope
FROM admin_token ORDER BY id;

-- name: copy_put_admin_token
INSERT INTO admin_token (id, name, visible, hash, created_ms,
    expires_ms, person_id, scope)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_audit
SELECT id, at_ms, actor_kind, actor, address, verb, object, before_json,
    after_json
FROM audit ORDER BY id;

-- name: copy_put_audit
INSERT INTO audit (id, at_ms, actor_kind, actor, address, verb, object,
    before_json, after_json)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_responder
SELECT id, kind, node, host, pid, lock_path, wake_path, version,
    started_ms, beat, beat_ms, requests, draining
FROM responder ORDER BY id;

-- name: copy_put_responder
INSERT INTO responder (id, kind, node, host, pid, lock_path, wake_path,
    version, started_ms, beat, beat_ms, requests, draining)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_ticket
SELECT ledger_id, responder_id, key_id, bind_kind, bind_id, model,
    tried, enqueued_ms, expires_ms, granted_ms, account_id, slot_n,
    slot_fence, home_id, home_until_ms, names
FROM ticket ORDER BY ledger_id;

-- name: copy_put_ticket
INSERT INTO ticket (ledger_id, responder_id, key_id, bind_kind, bind_id,
    model, tried, enqueued_ms, expires_ms, granted_ms, account_id,
    slot_n, slot_fence, home_id, home_until_ms, names)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_affinity
SELECT id, account_id, since_ms, used_ms, cached_tokens, cache_ms, expires_ms
FROM affinity ORDER BY id;

-- name: copy_put_affinity
INSERT INTO affinity (id, account_id, since_ms, used_ms, cached_tokens,
    cache_ms, expires_ms)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_object
SELECT id, kind, upstream_id, account_id, key_id, ledger_id, model, final,
    unheard, created_ms, seen, usage_ledger_id, gone_ms
FROM object ORDER BY id;

-- name: copy_put_object
INSERT INTO object (id, kind, upstream_id, account_id, key_id, ledger_id,
    model, final, unheard, created_ms, seen, usage_ledger_id, gone_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_ledger
-- ids after the first, up to the second
SELECT id, state, fence, responder_id, created_ms, key_id, kind, model,
    stream, reserved_nusd, body_bytes, session, account_id, mark,
    outcome, status, attempts, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    cost_nusd, price_id, queue_ms, first_byte_ms, total_ms,
    answer_bytes, settled_ms, trace, holds, flags, overrun_nusd,
    person_id, group_id, extensions, disconnect, web_searches, address,
    sent_as
FROM ledger WHERE id > ? AND id <= ? ORDER BY id;

-- name: copy_put_ledger
INSERT INTO ledger (id, state, fence, responder_id, created_ms, key_id,
    kind, model, stream, reserved_nusd, body_bytes, session, account_id,
    mark, outcome, status, attempts, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    cost_nusd, price_id, queue_ms, first_byte_ms, total_ms,
    answer_bytes, settled_ms, trace, holds, flags, overrun_nusd,
    person_id, group_id, extensions, disconnect, web_searches, address,
    sent_as)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_attempt
-- ids after the first, up to the second
SELECT ledger_id, n, account_id, started_ms, ended_ms, outcome, status,
    upstream_id, mark, input_tokens, output_tokens, cost_nusd, model
FROM attempt WHERE ledger_id > ? AND ledger_id <= ? ORDER BY ledger_id, n;

-- name: copy_put_attempt
INSERT INTO attempt (ledger_id, n, account_id, started_ms, ended_ms,
    outcome, status, upstream_id, mark, input_tokens, output_tokens,
    cost_nusd, model)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_job
SELECT name, schedule, next_ms, since_ms, lease_by, lease_fence,
    lease_until_ms, runs, last_start_ms, last_end_ms, duration_ms, result,
    detail, good_ms
FROM job ORDER BY name;

-- name: copy_put_job
INSERT INTO job (name, schedule, next_ms, since_ms, lease_by, lease_fence,
    lease_until_ms, runs, last_start_ms, last_end_ms, duration_ms, result,
    detail, good_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_account_probe
SELECT account_id, probed_ms, result, status, latency_ms, detail, good_ms
FROM account_probe ORDER BY account_id;

-- name: copy_put_account_probe
INSERT INTO account_probe (account_id, probed_ms, result, status, latency_ms,
    detail, good_ms)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: copy_clear_notify_target
DELETE FROM notify_target;

-- name: copy_clear_notify_event
DELETE FROM notify_event;

-- name: copy_clear_notify_delivery
DELETE FROM notify_delivery;

-- name: copy_clear_notify_spool
DELETE FROM notify_spool;

-- name: copy_read_notify_target
SELECT id, name, kind, address, secret, old_secret, old_until_ms, events, lang,
    quiet_from, quiet_to, zone, interval_ms, enabled, created_ms
FROM notify_target ORDER BY id;

-- name: copy_put_notify_target
INSERT INTO notify_target (id, name, kind, address, secret, old_secret,
    old_until_ms, events, lang, quiet_from, quiet_to, zone, interval_ms,
    enabled, created_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_notify_event
SELECT id, kind, topic, event_key, hold_ms, at_ms, data
FROM notify_event ORDER BY id;

-- name: copy_put_notify_event
INSERT INTO notify_event (id, kind, topic, event_key, hold_ms, at_ms, data)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_notify_delivery
SELECT id, event_id, target_id, state, held, due_ms, tries, message,
    created_ms, first_ms, done_ms, status, detail
FROM notify_delivery ORDER BY id;

-- name: copy_put_notify_delivery
INSERT INTO notify_delivery (id, event_id, target_id, state, held, due_ms,
    tries, message, created_ms, first_ms, done_ms, status, detail)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: copy_read_notify_spool
SELECT host, records, refused, since_ms FROM notify_spool ORDER BY host;

-- name: copy_put_notify_spool
INSERT INTO notify_spool (host, records, refused, since_ms)
VALUES (?, ?, ?, ?);

-- name: copy_read_meta
SELECT name, value
FROM meta WHERE name <> 'probe' ORDER BY name;

-- name: copy_put_meta
INSERT INTO meta (name, value)
VALUES (?, ?);

-- What `leasehold restore' empties before it fills it anew, and what goes with
-- it.

-- name: copy_clear_{person,account,slot,cooldown,job,budget,price,audit,responder,ticket,affinity,object,ledger,attempt,meta,invitation}
DELETE FROM {person,account,slot,cooldown,job,budget,price,audit,responder,ticket,affinity,object,ledger,attempt,meta,invitation};

-- name: copy_clear_account_group
DELETE FROM account_group;

-- name: copy_clear_recovery_code
DELETE FROM recovery_code;

-- name: copy_clear_model_alias
DELETE FROM model_alias;

-- name: copy_clear_account_oauth
DELETE FROM account_oauth;

-- name: copy_clear_account_health
DELETE FROM account_health;

-- name: copy_clear_account_probe
DELETE FROM account_probe;

-- name: copy_clear_api_key
DELETE FROM api_key;

-- name: copy_clear_key_secret
DELETE FROM key_secret;

-- name: copy_clear_key_usage
DELETE FROM key_usage;

-- name: copy_clear_usage_hour
DELETE FROM usage_hour;

-- name: copy_clear_usage_day
DELETE FROM usage_day;

-- name: copy_clear_latency_hour
DELETE FROM latency_hour;

-- name: copy_clear_latency_day
DELETE FROM latency_day;

-- name: copy_clear_budget_window
DELETE FROM budget_window;

-- name: copy_clear_admin_token
DELETE FROM admin_token;

-- name: copy_clear_sign_in
DELETE FROM sign_in;

-- name: copy_clear_sign_in_try
DELETE FROM sign_in_try;

-- name: copy_clear_oauth_start
DELETE FROM oauth_start;

-- name: restore_later
-- id: requests that came after it
SELECT count(*) FROM ledger WHERE id > ?;

-- name: restore_last
SELECT coalesce(max(id), 0) FROM ledger;

-- name: restore_still
-- Those of the backup are not at work on what is restored from it.
UPDATE responder SET beat_ms = beat_ms - 60000;
