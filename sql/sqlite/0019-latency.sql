-- How long requests took, by hour and by day, as counts by buckets, see
-- fcgi/ledger/latency.h: of those that brought a first byte, when that came
-- since the request was whole, and how long they took in all.  Folded from the
-- ledger up to meta.latency_mark, see admin/latency_fold.h.
CREATE TABLE latency_hour (
	start_ms	INTEGER NOT NULL,	-- of the hour, UTC
	key_id		INTEGER NOT NULL,
	account_id	INTEGER NOT NULL,	-- 0: none; so are the next two
	group_id	INTEGER NOT NULL,
	person_id	INTEGER NOT NULL,
	model		TEXT NOT NULL,
	first_byte	TEXT NOT NULL,		-- BUCKET:COUNT, by blanks
	whole		TEXT NOT NULL,
	PRIMARY KEY (start_ms, key_id, account_id, group_id, person_id, model)
) WITHOUT ROWID;
CREATE INDEX latency_hour_by_key ON latency_hour (key_id, start_ms);
CREATE INDEX latency_hour_by_person ON latency_hour (person_id, start_ms);

CREATE TABLE latency_day (
	start_ms	INTEGER NOT NULL,	-- of the day, UTC
	key_id		INTEGER NOT NULL,
	account_id	INTEGER NOT NULL,	-- 0: none; so are the next two
	group_id	INTEGER NOT NULL,
	person_id	INTEGER NOT NULL,
	model		TEXT NOT NULL,
	first_byte	TEXT NOT NULL,		-- BUCKET:COUNT, by blanks
	whole		TEXT NOT NULL,
	PRIMARY KEY (start_ms, key_id, account_id, group_id, person_id, model)
) WITHOUT ROWID;
CREATE INDEX latency_day_by_key ON latency_day (key_id, start_ms);
CREATE INDEX latency_day_by_person ON latency_day (person_id, start_ms);
