-- Sums of usage by hour and by day, so that reports need not read the ledger,
-- and nothing is lost when it is cut.  Kept by the transactions that close
-- ledger rows; see fcgi/ledger/rollup.h.  Each step can be run again when one
-- broke off.

-- Who deletes old rows.
REPLACE INTO gate (name) VALUES ('prune');

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'ledger'
    AND column_name = 'web_searches') > 0, 'DO 0',
    'ALTER TABLE ledger ADD COLUMN web_searches BIGINT NOT NULL DEFAULT 0
	COMMENT ''server tool uses that are billed''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

CREATE TABLE IF NOT EXISTS usage_hour (
	start_ms	BIGINT NOT NULL COMMENT 'when the hour began, UTC',
	key_id		BIGINT NOT NULL,
	account_id	BIGINT NOT NULL COMMENT '0: none',
	group_id	BIGINT NOT NULL COMMENT 'of the account; 0: none',
	person_id	BIGINT NOT NULL COMMENT 'of the key; 0: none',
	model		VARCHAR(128) NOT NULL,
	requests	BIGINT NOT NULL COMMENT 'closed requests',
	errors		BIGINT NOT NULL
	    COMMENT 'neither ok nor given up by the client',
	unpriced	BIGINT NOT NULL
	    COMMENT 'used something that has no price',
	cost_nusd	BIGINT NOT NULL,
	input_tokens	BIGINT NOT NULL,
	output_tokens	BIGINT NOT NULL,
	cache_read_tokens BIGINT NOT NULL,
	cache_write_5m_tokens BIGINT NOT NULL,
	cache_write_1h_tokens BIGINT NOT NULL,
	web_searches	BIGINT NOT NULL,
	queue_ms	BIGINT NOT NULL COMMENT 'waited for a slot, in all',
	first_byte_ms	BIGINT NOT NULL COMMENT 'likewise, to the first byte',
	total_ms	BIGINT NOT NULL,
	marked_exact	BIGINT NOT NULL
	    COMMENT 'requests by how well their usage is known;',
	marked_partial	BIGINT NOT NULL COMMENT 'the others used nothing',
	marked_estimated BIGINT NOT NULL,
	overruns	BIGINT NOT NULL
	    COMMENT 'charged more than was reserved ...',
	overrun_nusd	BIGINT NOT NULL COMMENT '... by so much',
	first_500ms	BIGINT NOT NULL
	    COMMENT 'requests by when their first byte came',
	first_1s	BIGINT NOT NULL,
	first_2s	BIGINT NOT NULL,
	first_5s	BIGINT NOT NULL,
	first_15s	BIGINT NOT NULL,
	first_later	BIGINT NOT NULL,
	PRIMARY KEY (start_ms, key_id, account_id, group_id, person_id, model),
	KEY usage_hour_by_key (key_id, start_ms),
	KEY usage_hour_by_person (person_id, start_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'What was used by hour (in which the request came), key, account, group, person and model; see fcgi/ledger/rollup.h';

CREATE TABLE IF NOT EXISTS usage_day (
	start_ms	BIGINT NOT NULL COMMENT 'when the day began, UTC',
	key_id		BIGINT NOT NULL,
	account_id	BIGINT NOT NULL COMMENT '0: none',
	group_id	BIGINT NOT NULL COMMENT 'of the account; 0: none',
	person_id	BIGINT NOT NULL COMMENT 'of the key; 0: none',
	model		VARCHAR(128) NOT NULL,
	requests	BIGINT NOT NULL,
	errors		BIGINT NOT NULL,
	unpriced	BIGINT NOT NULL,
	cost_nusd	BIGINT NOT NULL,
	input_tokens	BIGINT NOT NULL,
	output_tokens	BIGINT NOT NULL,
	cache_read_tokens BIGINT NOT NULL,
	cache_write_5m_tokens BIGINT NOT NULL,
	cache_write_1h_tokens BIGINT NOT NULL,
	web_searches	BIGINT NOT NULL,
	queue_ms	BIGINT NOT NULL,
	first_byte_ms	BIGINT NOT NULL,
	total_ms	BIGINT NOT NULL,
	marked_exact	BIGINT NOT NULL,
	marked_partial	BIGINT NOT NULL,
	marked_estimated BIGINT NOT NULL,
	overruns	BIGINT NOT NULL,
	overrun_nusd	BIGINT NOT NULL,
	first_500ms	BIGINT NOT NULL,
	first_1s	BIGINT NOT NULL,
	first_2s	BIGINT NOT NULL,
	first_5s	BIGINT NOT NULL,
	first_15s	BIGINT NOT NULL,
	first_later	BIGINT NOT NULL,
	PRIMARY KEY (start_ms, key_id, account_id, group_id, person_id, model),
	KEY usage_day_by_key (key_id, start_ms),
	KEY usage_day_by_person (person_id, start_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'What was used by day (in which the request came), key, account, group, person and model; see fcgi/ledger/rollup.h';

-- What is in the ledger so far; a request's time is in its id.
REPLACE INTO usage_hour (start_ms, key_id, account_id, group_id, person_id,
    model,
    requests, errors, unpriced, cost_nusd, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_searches, queue_ms, first_byte_ms, total_ms, marked_exact,
    marked_partial, marked_estimated, overruns, overrun_nusd, first_500ms,
    first_1s, first_2s, first_5s, first_15s, first_later)
SELECT CAST(id >> 22 AS SIGNED) + 1735689600000 -
    (CAST(id >> 22 AS SIGNED) + 1735689600000) % 3600000,
    key_id, coalesce(account_id, 0), group_id, person_id, rtrim(model),
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
REPLACE INTO usage_day (start_ms, key_id, account_id, group_id, person_id,
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
