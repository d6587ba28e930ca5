-- Notifications, see admin/notify.h.

-- Where they go.
CREATE TABLE notify_target (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	name		TEXT NOT NULL UNIQUE CHECK (name <> ''),
	kind		TEXT NOT NULL CHECK (kind IN ('webhook', 'email')),
	address		TEXT NOT NULL,		-- URL, or mail address
	secret		BLOB,			-- sealed; email: NULL
	events		TEXT NOT NULL,		-- their names, by comma
	lang		TEXT NOT NULL DEFAULT 'en' CHECK (lang IN ('en', 'zh')),
	quiet_from	INTEGER NOT NULL DEFAULT 0,	-- minutes after
	quiet_to	INTEGER NOT NULL DEFAULT 0,	-- midnight in .zone;
							-- the same: never
	zone		TEXT NOT NULL DEFAULT 'UTC' CHECK (zone <> ''),
	interval_ms	INTEGER NOT NULL,	-- not again before, of one
						-- event about one thing
	enabled		INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	created_ms	INTEGER NOT NULL
);

-- What happened.  One that lasts has a key, so that it is there once.
CREATE TABLE notify_event (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	kind		TEXT NOT NULL,		-- account.parked, ...
	topic		TEXT NOT NULL,		-- what about, for interval_ms
	event_key	TEXT UNIQUE,		-- NULL: it is over
	hold_ms		INTEGER NOT NULL DEFAULT 0,	-- not over before
	at_ms		INTEGER NOT NULL,
	data		TEXT NOT NULL		-- JSON, by kind
);

-- One event for one target.
CREATE TABLE notify_delivery (
	id		INTEGER PRIMARY KEY,
	event_id	INTEGER NOT NULL REFERENCES notify_event (id),
	target_id	INTEGER NOT NULL REFERENCES notify_target (id),
	state		TEXT NOT NULL		-- skipped: too soon after
						-- the last
	    CHECK (state IN ('waiting', 'sent', 'failed', 'skipped')),
	held		INTEGER NOT NULL DEFAULT 0	-- by a quiet time
	    CHECK (held IN (0, 1)),
	due_ms		INTEGER NOT NULL,	-- waiting: not tried before
	tries		INTEGER NOT NULL DEFAULT 0,
	message		TEXT,			-- what it goes in; NULL: not
						-- known yet
	created_ms	INTEGER NOT NULL,
	first_ms	INTEGER,		-- first try
	done_ms		INTEGER,
	status		INTEGER NOT NULL DEFAULT 0,	-- HTTP, or of sendmail
	detail		TEXT NOT NULL DEFAULT ''	-- of the last try
);
CREATE INDEX notify_delivery_waiting ON notify_delivery
    (target_id, state, due_ms);
CREATE INDEX notify_delivery_of_event ON notify_delivery (event_id);
CREATE INDEX notify_delivery_of_message ON notify_delivery (message);

-- What lies in the spool of a host that has anything there; each sees its own.
CREATE TABLE notify_spool (
	host		TEXT PRIMARY KEY,
	records		INTEGER NOT NULL,
	refused		INTEGER NOT NULL,	-- files that were put aside
	since_ms	INTEGER NOT NULL
) WITHOUT ROWID;
