-- Which account holds the prompt cache of a session, see fcgi/pool/affinity.h.
CREATE TABLE affinity (
	id		INTEGER PRIMARY KEY,	-- hash of key, what it is
						-- bound to, and session
	account_id	INTEGER NOT NULL,
	since_ms	INTEGER NOT NULL,	-- there since then: the newest
						-- move wins
	used_ms		INTEGER NOT NULL,	-- last request, or some
						-- minutes before it
	cached_tokens	INTEGER NOT NULL,	-- that a move would lose
	cache_ms	INTEGER NOT NULL,	-- they are kept for so long
	expires_ms	INTEGER NOT NULL
);
CREATE INDEX affinity_by_expiry ON affinity (expires_ms);

-- A waiting request's session is at home there, and waits for it until then.
ALTER TABLE ticket ADD COLUMN home_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN home_until_ms INTEGER NOT NULL DEFAULT 0;
