-- Periodic work, see admin/job_row.h.
CREATE TABLE job (
	name		TEXT PRIMARY KEY,
	schedule	TEXT NOT NULL DEFAULT 'off',	-- of who last ran it,
	next_ms		INTEGER,			-- and what came next
							-- by it; NULL: nothing
	since_ms	INTEGER NOT NULL,	-- it is due when its schedule
						-- has a time after this
	-- who is at it
	lease_by	TEXT,			-- NULL: nobody
	lease_fence	INTEGER NOT NULL DEFAULT 0,	-- raised by each lease
	lease_until_ms	INTEGER NOT NULL DEFAULT 0,
	-- what came of it
	runs		INTEGER NOT NULL DEFAULT 0,
	last_start_ms	INTEGER,
	last_end_ms	INTEGER,		-- of the last that ended
	duration_ms	INTEGER,
	result		TEXT NOT NULL DEFAULT ''	-- '': none ended yet
	    CHECK (result IN ('', 'ok', 'skipped', 'failed', 'stopped')),
	detail		TEXT NOT NULL DEFAULT '',
	good_ms		INTEGER			-- last end with ok
) WITHOUT ROWID;

-- What the last health probe of an account found, see admin/job_probe.c.
CREATE TABLE account_probe (
	account_id	INTEGER PRIMARY KEY REFERENCES account (id),
	probed_ms	INTEGER NOT NULL,
	result		TEXT NOT NULL	-- ok | credential | limited | failing
	    CHECK (result IN ('ok', 'credential', 'limited', 'failing',
		'unreachable')),
	status		INTEGER NOT NULL,	-- HTTP; 0: no answer
	latency_ms	INTEGER NOT NULL,
	detail		TEXT NOT NULL,
	good_ms		INTEGER			-- last one with ok
);
