-- Sums of usage by hour and by day, so that reports need not read the ledger,
-- and nothing is lost when it is cut.  Kept by the transactions that close
-- ledger rows; see fcgi/ledger/rollup.h.

-- Server tool uses that are billed.
ALTER TABLE ledger ADD COLUMN web_searches INTEGER NOT NULL DEFAULT 0;

-- One row an hour (UTC, in which the request came), key, account, group,
-- person and model.
CREATE TABLE usage_hour (
	start_ms	INTEGER NOT NULL,	-- when the hour began, UTC
	key_id		INTEGER NOT NULL,
	account_id	INTEGER NOT NULL,	-- 0: none
	group_id	INTEGER NOT NULL,	-- of the account; 0: none
	person_id	INTEGER NOT NULL,	-- of the key; 0: none
	model		TEXT NOT NULL,
	requests	INTEGER NOT NULL,	-- closed requests
	errors		INTEGER NOT NULL,	-- neither ok nor client_gone
	unpriced	INTEGER NOT NULL,	-- used what has no price
	cost_nusd	INTEGER NOT NULL,
	input_tokens	INTEGER NOT NULL,
	output_tokens	INTEGER NOT NULL,
	cache_read_tokens INTEGER NOT NULL,
	cache_write_5m_tokens INTEGER NOT NULL,
	cache_write_1h_tokens INTEGER NOT NULL,
	web_searches	INTEGER NOT NULL,
	queue_ms	INTEGER NOT NULL,	-- waited for a slot, in all
	first_byte_ms	INTEGER NOT NULL,	-- likewise, to the first byte
	total_ms	INTEGER NOT NULL,
	marked_exact	INTEGER NOT NULL,	-- by how their usage is known;
	marked_partial	INTEGER NOT NULL,	-- the others used nothing
	marked_estimated INTEGER NOT NULL,
	overruns	INTEGER NOT NULL,	-- charged beyond the reserve
	overrun_nusd	INTEGER NOT NULL,	-- ... by so much
	first_500ms	INTEGER NOT NULL,	-- by when the first byte came
	first_1s	INTEGER NOT NULL,
	first_2s	INTEGER NOT NULL,
	first_5s	INTEGER NOT NULL,
	first_15s	INTEGER NOT NULL,
	first_later	INTEGER NOT NULL,
	PRIMARY KEY (start_ms, key_id, account_id, group_id, person_id, model)
) WITHOUT ROWID;
CREATE INDEX usage_hour_by_key ON usage_hour (key_id, start_ms);
CREATE INDEX usage_hour_by_person ON usage_hour (person_id, start_ms);

-- The same by day.
CREATE TABLE usage_day (
	start_ms	INTEGER NOT NULL,	-- when the day began, UTC
	key_id		INTEGER NOT NULL,
	account_id	INTEGER NOT NULL,	-- 0: none
	group_id	INTEGER NOT NULL,	-- of the account; 0: none
	person_id	INTEGER NOT NULL,	-- of the key; 0: none
	model		TEXT NOT NULL,
	requests	INTEGER NOT NULL,
	errors		INTEGER NOT NULL,
	unpriced	INTEGER NOT NULL,
	cost_nusd	INTEGER NOT NULL,
	input_tokens	INTEGER NOT NULL,
	output_tokens	INTEGER NOT NULL,
	cache_read_tokens INTEGER NOT NULL,
	cache_write_5m_tokens INTEGER NOT NULL,
	cache_write_1h_tokens INTEGER NOT NULL,
	web_searches	INTEGER NOT NULL,
	queue_ms	INTEGER NOT NULL,
	first_byte_ms	INTEGER NOT NULL,
	total_ms	INTEGER NOT NULL,
	marked_exact	INTEGER NOT NULL,
	marked_partial	INTEGER NOT NULL,
	marked_estimated INTEGER NOT NULL,
	overruns	INTEGER NOT NULL,
	overrun_nusd	INTEGER NOT NULL,
	first_500ms	INTEGER NOT NULL,
	first_1s	INTEGER NOT NULL,
	first_2s	INTEGER NOT NULL,
	first_5s	INTEGER NOT NULL,
	first_15s	INTEGER NOT NULL,
	first_later	INTEGER NOT NULL,
	PRIMARY KEY (start_ms, key_id, account_id, group_id, person_id, model)
) WITHOUT ROWID;
CREATE INDEX usage_day_by_key ON usage_day (key_id, start_ms);
CREATE INDEX usage_day_by_person ON usage_day (person_id, start_ms);

-- What is in the ledger so far; a request's time is in its id.
INSERT INTO usage_hour (start_ms, key_id, account_id, group_id, person_id,
    model,
    requests, errors, unpriced, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, queue_ms, first_byte_ms, total_ms, marked_exact,
    marked_partial, marked_estimated, overruns, overrun_nusd, first_500ms,
    first_1s, first_2s, first_5s, first_15s, first_later)
SELECT (id >> 22) + 1735689600000 - ((id >> 22) + 1735689600000) % 3600000,
    key_id, coalesce(account_id, 0), group_id, person_id, rtrim(model, ' '),
    count(*), sum(outcome NOT IN ('ok', 'client_gone')),
    sum(cost_nusd IS NULL), sum(coalesce(cost_nusd, 0)),
    sum(coalesce(input_tokens, 0)), sum(coalesce(output_tokens, 0)),
    sum(coalesce(cache_read_tokens, 0)),
    sum(coalesce(cache_write_5m_tokens, 0)),
    sum(coalesce(cache_write_1h_tokens, 0)), 0, sum(coalesce(queue_ms, 0)),
    sum(coalesce(first_byte_ms, 0)), sum(coalesce(total_ms, 0)),
    sum(mark = 1), sum(mark = 2), sum(mark = 3), sum(overrun_nusd > 0),
    sum(overrun_nusd), coalesce(sum(first_byte_ms <= 500), 0),
    coalesce(sum(first_byte_ms > 500 AND first_byte_ms <= 1000), 0),
    coalesce(sum(first_byte_ms > 1000 AND first_byte_ms <= 2000), 0),
    coalesce(sum(first_byte_ms > 2000 AND first_byte_ms <= 5000), 0),
    coalesce(sum(first_byte_ms > 5000 AND first_byte_ms <= 15000), 0),
    coalesce(sum(first_byte_ms > 15000), 0)
FROM ledger WHERE state IN (1, 2, 3) GROUP BY 1, 2, 3, 4, 5, 6;
INSERT INTO usage_day (start_ms, key_id, account_id, group_id, person_id,
    model,
    requests, errors, unpriced, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, queue_ms, first_byte_ms, total_ms, marked_exact,
    marked_partial, marked_estimated, overruns, overrun_nusd, first_500ms,
    first_1s, first_2s, first_5s, first_15s, first_later)
SELECT start_ms - start_ms % 86400000, key_id, account_id, group_id,
    person_id, model,
    sum(requests), sum(errors), sum(unpriced), sum(cost_nusd),
    sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),
    sum(cache_write_5m_tokens), sum(cache_write_1h_tokens), sum(web_searches),
    sum(queue_ms), sum(first_byte_ms), sum(total_ms), sum(marked_exact),
    sum(marked_partial), sum(marked_estimated), sum(overruns),
    sum(overrun_nusd), sum(first_500ms), sum(first_1s), sum(first_2s),
    sum(first_5s), sum(first_15s), sum(first_later)
FROM usage_hour GROUP BY 1, 2, 3, 4, 5, 6;
