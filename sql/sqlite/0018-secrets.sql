-- Secrets that a key had before it was given a new one, and that go on to work
-- until a time; the present one stands with the key.
CREATE TABLE key_secret (
	hash		BLOB PRIMARY KEY,	-- keyed BLAKE2b-256
	key_id		INTEGER NOT NULL REFERENCES api_key (id),
	visible		TEXT NOT NULL,		-- the part that may be shown
	until_ms	INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX key_secret_by_key ON key_secret (key_id);
