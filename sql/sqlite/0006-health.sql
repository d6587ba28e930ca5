-- How accounts do, as responders see it: read by all, written on material
-- change alone, see fcgi/pool/health.h.
CREATE TABLE account_health (
	account_id	INTEGER PRIMARY KEY,
	first_byte_ms	INTEGER NOT NULL,	-- of streams, a moving
						-- average; 0: not known
	first_byte_seen_ms INTEGER NOT NULL,	-- the last one
	share_permille	INTEGER NOT NULL,	-- left upstream, of 1000 ...
	share_reset_ms	INTEGER NOT NULL,	-- ... until it is whole again
	share_window_ms	INTEGER NOT NULL,	-- length of that limit
	share_seen_ms	INTEGER NOT NULL,	-- 0: nothing is known
	updated_ms	INTEGER NOT NULL
);
CREATE INDEX account_health_by_update ON account_health (updated_ms);
