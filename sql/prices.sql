-- The price table.

-- name: price_list
-- In force at a time: platform, pattern and tier once each.
-- at_ms twice
SELECT p.id, p.platform, p.pattern, p.above_tokens, p.valid_from_ms,
	p.valid_until_ms, p.input_nusd_mtok, p.output_nusd_mtok,
	p.cache_read_nusd_mtok, p.cache_write_5m_nusd_mtok,
	p.cache_write_1h_nusd_mtok, p.context_tokens, p.batch_percent,
	p.fast_percent, p.priority_percent, p.geo_us_percent,
	p.web_search_nusd, p.source
FROM price p
WHERE p.id = (
	SELECT q.id FROM price q
	WHERE q.platform = p.platform AND q.pattern = p.pattern
		AND q.above_tokens = p.above_tokens AND q.valid_from_ms <= ?
		AND (q.valid_until_ms = 0 OR q.valid_until_ms > ?)
	ORDER BY q.valid_from_ms DESC, q.id DESC LIMIT 1)
ORDER BY p.platform, p.pattern, p.above_tokens;

-- name: price_list_all
-- Those that are over or to come as well.
SELECT p.id, p.platform, p.pattern, p.above_tokens, p.valid_from_ms,
	p.valid_until_ms, p.input_nusd_mtok, p.output_nusd_mtok,
	p.cache_read_nusd_mtok, p.cache_write_5m_nusd_mtok,
	p.cache_write_1h_nusd_mtok, p.context_tokens, p.batch_percent,
	p.fast_percent, p.priority_percent, p.geo_us_percent,
	p.web_search_nusd, p.source
FROM price p
ORDER BY p.platform, p.pattern, p.above_tokens, p.valid_from_ms;

-- name: price_show
-- id
SELECT p.id, p.platform, p.pattern, p.above_tokens, p.valid_from_ms,
	p.valid_until_ms, p.input_nusd_mtok, p.output_nusd_mtok,
	p.cache_read_nusd_mtok, p.cache_write_5m_nusd_mtok,
	p.cache_write_1h_nusd_mtok, p.context_tokens, p.batch_percent,
	p.fast_percent, p.priority_percent, p.geo_us_percent,
	p.web_search_nusd, p.source
FROM price p WHERE p.id = ?;

-- name: price_of_pattern
-- pattern: the newest ones
SELECT p.id, p.platform, p.pattern, p.above_tokens, p.valid_from_ms,
	p.valid_until_ms, p.input_nusd_mtok, p.output_nusd_mtok,
	p.cache_read_nusd_mtok, p.cache_write_5m_nusd_mtok,
	p.cache_write_1h_nusd_mtok, p.context_tokens, p.batch_percent,
	p.fast_percent, p.priority_percent, p.geo_us_percent,
	p.web_search_nusd, p.source
FROM price p WHERE p.pattern = ? ORDER BY p.id DESC LIMIT 20;

-- name: price_first
-- platform, pattern, above_tokens: one since ever
SELECT count(*) FROM price
WHERE platform = ? AND pattern = ? AND above_tokens = ? AND valid_from_ms = 0;

-- name: price_end
-- valid_until_ms, id
UPDATE price SET valid_until_ms = ? WHERE id = ?;

-- name: price_drop
-- id, of one that is to come
DELETE FROM price WHERE id = ?;

-- name: price_newest
-- The newest row of a model and tier that has no end, from now or later.
-- platform, pattern, above_tokens
SELECT valid_from_ms, input_nusd_mtok, output_nusd_mtok,
	cache_read_nusd_mtok, cache_write_5m_nusd_mtok,
	cache_write_1h_nusd_mtok, context_tokens, batch_percent,
	fast_percent, priority_percent, geo_us_percent, web_search_nusd
FROM price WHERE platform = ? AND pattern = ? AND above_tokens = ?
	AND valid_until_ms = 0
ORDER BY valid_from_ms DESC LIMIT 1;

-- name: price_tiers
-- The tiers that a model ever had.
-- platform, pattern
SELECT DISTINCT above_tokens FROM price
WHERE platform = ? AND pattern = ? AND above_tokens > 0
ORDER BY above_tokens;

-- name: price_count
SELECT count(*) FROM price;

-- name: price_add
-- platform, pattern, above_tokens, valid_from_ms, input, output, cache read,
-- cache write 5 m, cache write 1 h, context_tokens, percent of batches, fast
-- mode, priority tier and US inference, web search, valid_until_ms, source
INSERT INTO price (platform, pattern, above_tokens, valid_from_ms,
	input_nusd_mtok, output_nusd_mtok, cache_read_nusd_mtok,
	cache_write_5m_nusd_mtok, cache_write_1h_nusd_mtok, context_tokens,
	batch_percent, fast_percent, priority_percent, geo_us_percent,
	web_search_nusd, valid_until_ms, source)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: price_at
-- platform, pattern, above_tokens, valid_from_ms
SELECT count(*) FROM price
WHERE platform = ? AND pattern = ? AND above_tokens = ? AND valid_from_ms = ?;
