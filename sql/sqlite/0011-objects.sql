-- Objects that live upstream, in the account that made them: batches of
-- messages and files.  See fcgi/pool/objects.h.
CREATE TABLE object (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	kind		TEXT NOT NULL CHECK (kind IN ('batch', 'file')),
	upstream_id	TEXT NOT NULL CHECK (upstream_id <> ''),
	account_id	INTEGER NOT NULL,	-- that made it
	key_id		INTEGER NOT NULL,	-- whose it is
	ledger_id	INTEGER NOT NULL,	-- request that made it
	model		TEXT NOT NULL DEFAULT '',	-- of all requests of a
						-- batch; '': several
	final		INTEGER NOT NULL	-- 1: what was seen of it will
	    CHECK (final IN (0, 1)),		-- not change (a batch ended)
	unheard		INTEGER NOT NULL	-- 1: the client was not told
	    CHECK (unheard IN (0, 1)),		-- its id
	created_ms	INTEGER NOT NULL,
	seen		TEXT NOT NULL,		-- JSON, as the upstream last
						-- described it
	usage_ledger_id	INTEGER			-- of a batch: the request that
						-- read its results first, and
						-- has its usage; NULL: none yet
);
CREATE UNIQUE INDEX object_by_name ON object (key_id, kind, upstream_id);
CREATE INDEX object_by_key ON object (key_id, kind, id);
CREATE INDEX object_by_account ON object (account_id);
