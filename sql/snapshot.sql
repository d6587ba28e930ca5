-- What the scheduler keeps in memory, read in one go under a version.

-- name: snapshot_accounts
SELECT id, name, platform, base_url, credential, secret, group_id, priority,
    weight, concurrency, enabled, proxy, models, auth_header
FROM account ORDER BY id;

-- name: snapshot_cooldowns
SELECT account_id, family, reason, since_ms, until_ms, cause_id, observed_ms,
    strikes, stated, soft
FROM cooldown ORDER BY account_id, family;

-- name: snapshot_aliases
SELECT scope, scope_id, pattern, target FROM model_alias
ORDER BY scope, scope_id, pattern;

-- name: snapshot_groups
SELECT id, name, strategy, concurrency FROM account_group ORDER BY id;

-- name: snapshot_budgets
SELECT id, name, scope, scope_id, kind, models, policy, limit_value, period,
    length_ms, anchor_ms, zone
FROM budget WHERE enabled = 1 ORDER BY scope, scope_id, id;

-- name: snapshot_prices
SELECT id, platform, pattern, above_tokens, valid_from_ms, input_nusd_mtok,
    output_nusd_mtok, cache_read_nusd_mtok, cache_write_5m_nusd_mtok,
    cache_write_1h_nusd_mtok, context_tokens, valid_until_ms, batch_percent,
    fast_percent, priority_percent, geo_us_percent, web_search_nusd
FROM price ORDER BY id;
