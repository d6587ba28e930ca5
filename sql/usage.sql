-- What was used, by hour and by day: written by who closes ledger rows
-- (fcgi/ledger/rollup.h), read by reports.  Sums come first, then the key.

-- name: usage_{hour,day}_add @sqlite only
-- To a row that is there: found by its primary key, as otherwise SQLite takes
-- another index, by which it finds that.
UPDATE usage_{hour,day} INDEXED BY sqlite_autoindex_usage_{hour,day}_1 SET
    requests = requests + ?, errors = errors + ?, unpriced = unpriced + ?,
    cost_nusd = cost_nusd + ?, input_tokens = input_tokens + ?,
    output_tokens = output_tokens + ?,
    cache_read_tokens = cache_read_tokens + ?,
    cache_write_5m_tokens = cache_write_5m_tokens + ?,
    cache_write_1h_tokens = cache_write_1h_tokens + ?,
    web_searches = web_searches + ?, queue_ms = queue_ms + ?,
    first_byte_ms = first_byte_ms + ?, total_ms = total_ms + ?,
    marked_exact = marked_exact + ?, marked_partial = marked_partial + ?,
    marked_estimated = marked_estimated + ?, overruns = overruns + ?,
    overrun_nusd = overrun_nusd + ?, first_500ms = first_500ms + ?,
    first_1s = first_1s + ?, first_2s = first_2s + ?, first_5s = first_5s + ?,
    first_15s = first_15s + ?, first_later = first_later + ?
WHERE start_ms = ? AND key_id = ? AND account_id = ? AND group_id = ?
    AND person_id = ? AND model = ?;

-- name: usage_{hour,day}_open @sqlite
INSERT INTO usage_{hour,day} (
    requests, errors, unpriced, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, queue_ms, first_byte_ms, total_ms, marked_exact,
    marked_partial, marked_estimated, overruns, overrun_nusd, first_500ms,
    first_1s, first_2s, first_5s, first_15s, first_later, start_ms, key_id,
    account_id, group_id, person_id, model)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?, ?, ?, ?, ?, ?);
-- name: usage_{hour,day}_open @mysql
-- Somebody else may have been faster.
INSERT INTO usage_{hour,day} (
    requests, errors, unpriced, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, queue_ms, first_byte_ms, total_ms, marked_exact,
    marked_partial, marked_estimated, overruns, overrun_nusd, first_500ms,
    first_1s, first_2s, first_5s, first_15s, first_later, start_ms, key_id,
    account_id, group_id, person_id, model)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?, ?, ?, ?, ?, ?)
ON DUPLICATE KEY UPDATE
    requests = requests + VALUES(requests), errors = errors + VALUES(errors),
    unpriced = unpriced + VALUES(unpriced),
    cost_nusd = cost_nusd + VALUES(cost_nusd),
    input_tokens = input_tokens + VALUES(input_tokens),
    output_tokens = output_tokens + VALUES(output_tokens),
    cache_read_tokens = cache_read_tokens + VALUES(cache_read_tokens),
    cache_write_5m_tokens = cache_write_5m_tokens +
        VALUES(cache_write_5m_tokens),
    cache_write_1h_tokens = cache_write_1h_tokens +
        VALUES(cache_write_1h_tokens),
    web_searches = web_searches + VALUES(web_searches),
    queue_ms = queue_ms + VALUES(queue_ms),
    first_byte_ms = first_byte_ms + VALUES(first_byte_ms),
    total_ms = total_ms + VALUES(total_ms),
    marked_exact = marked_exact + VALUES(marked_exact),
    marked_partial = marked_partial + VALUES(marked_partial),
    marked_estimated = marked_estimated + VALUES(marked_estimated),
    overruns = overruns + VALUES(overruns),
    overrun_nusd = overrun_nusd + VALUES(overrun_nusd),
    first_500ms = first_500ms + VALUES(first_500ms),
    first_1s = first_1s + VALUES(first_1s),
    first_2s = first_2s + VALUES(first_2s),
    first_5s = first_5s + VALUES(first_5s),
    first_15s = first_15s + VALUES(first_15s),
    first_later = first_later + VALUES(first_later);

-- name: usage_{hour,day}_read
-- from, to
SELECT start_ms, key_id, account_id, group_id, person_id, model, requests,
    errors, unpriced, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, queue_ms, first_byte_ms, total_ms, marked_exact,
    marked_partial, marked_estimated, overruns, overrun_nusd, first_500ms,
    first_1s, first_2s, first_5s, first_15s, first_later
FROM usage_{hour,day} WHERE start_ms >= ? AND start_ms < ?;

-- name: usage_{hour,day}_of_key
-- key, from, to
SELECT start_ms, key_id, account_id, group_id, person_id, model, requests,
    errors, unpriced, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, queue_ms, first_byte_ms, total_ms, marked_exact,
    marked_partial, marked_estimated, overruns, overrun_nusd, first_500ms,
    first_1s, first_2s, first_5s, first_15s, first_later
FROM usage_{hour,day} WHERE key_id = ? AND start_ms >= ? AND start_ms < ?;

-- name: usage_{hour,day}_of_person
-- person, from, to
SELECT start_ms, key_id, account_id, group_id, person_id, model, requests,
    errors, unpriced, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, queue_ms, first_byte_ms, total_ms, marked_exact,
    marked_partial, marked_estimated, overruns, overrun_nusd, first_500ms,
    first_1s, first_2s, first_5s, first_15s, first_later
FROM usage_{hour,day} WHERE person_id = ? AND start_ms >= ? AND start_ms < ?;

-- name: usage_hour_sum
-- Of all together.  from, to
SELECT coalesce(sum(requests), 0), coalesce(sum(errors), 0),
    coalesce(sum(cost_nusd), 0), coalesce(sum(input_tokens), 0),
    coalesce(sum(output_tokens), 0), coalesce(sum(cache_read_tokens), 0),
    coalesce(sum(cache_write_5m_tokens), 0),
    coalesce(sum(cache_write_1h_tokens), 0)
FROM usage_hour WHERE start_ms >= ? AND start_ms < ?;

-- name: names_of_keys
SELECT id, name FROM api_key ORDER BY id;

-- name: names_of_people
SELECT id, name FROM person ORDER BY id;

-- name: names_of_accounts
SELECT id, name FROM account ORDER BY id;

-- name: names_of_groups
SELECT id, name FROM account_group ORDER BY id;
