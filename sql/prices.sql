-- The price table.

-- name: price_list
-- In force at a time: platform, pattern and tier once each.
-- at_ms twice
SELECT p.id, p.platform, p.pattern, p.above_tokens, p.valid_from_ms,
	p.input_nusd_mtok, p.output_nusd_mtok, p.cache_read_nusd_mtok,
	p.cache_write_5m_nusd_mtok, p.cache_write_1h_nusd_mtok,
	p.context_tokens, p.source
FROM price p
WHERE p.valid_from_ms <= ? AND p.id = (
	SELECT q.id FROM price q
	WHERE q.platform = p.platform AND q.pattern = p.pattern
		AND q.above_tokens = p.above_tokens AND q.valid_from_ms <= ?
	ORDER BY q.valid_from_ms DESC, q.id DESC LIMIT 1)
ORDER BY p.platform, p.pattern, p.above_tokens;

-- name: price_newest
-- The newest row of a model and tier, from now or later.
-- platform, pattern, above_tokens
SELECT valid_from_ms, input_nusd_mtok, output_nusd_mtok,
	cache_read_nusd_mtok, cache_write_5m_nusd_mtok,
	cache_write_1h_nusd_mtok, context_tokens
FROM price WHERE platform = ? AND pattern = ? AND above_tokens = ?
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
-- cache write 5 m, cache write 1 h, context_tokens, source
INSERT INTO price (platform, pattern, above_tokens, valid_from_ms,
	input_nusd_mtok, output_nusd_mtok, cache_read_nusd_mtok,
	cache_write_5m_nusd_mtok, cache_write_1h_nusd_mtok, context_tokens,
	source)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
