-- The first schema of Leasehold, for SQLite.
--
-- Money is an integer of nano-dollars (*_nusd), prices are nano-dollars for a
-- million tokens (*_nusd_mtok), times are milliseconds since the epoch, UTC
-- (*_ms).  Flags are 0 or 1.  Names that SQL or MySQL reserve are avoided.

-- Facts of the installation: installation_id, epoch (raised by restore),
-- config_version (raised by every change that running responders must see),
-- pepper (sealed key of the key hashes), seal_key_id, seal_check.
CREATE TABLE meta (
	name		TEXT PRIMARY KEY,
	value		BLOB NOT NULL
) WITHOUT ROWID;

-- Which migrations have run.
CREATE TABLE migration (
	number		INTEGER PRIMARY KEY,
	name		TEXT NOT NULL,
	applied_ms	INTEGER NOT NULL
);

-- Sets of accounts.
CREATE TABLE account_group (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	name		TEXT NOT NULL UNIQUE,
	strategy	TEXT NOT NULL DEFAULT 'weighted'
	    CHECK (strategy IN ('weighted', 'least_connections',
		'round_robin', 'response_time')),
	created_ms	INTEGER NOT NULL
);

-- People who own keys.  Sign-in comes with the admin pages.
CREATE TABLE person (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	name		TEXT NOT NULL UNIQUE,
	created_ms	INTEGER NOT NULL
);

-- One upstream credential each.
CREATE TABLE account (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	name		TEXT NOT NULL UNIQUE,
	platform	TEXT NOT NULL,		-- claude
	base_url	TEXT NOT NULL,		-- no trailing slash
	credential	TEXT NOT NULL		-- how the secret is sent
	    CHECK (credential IN ('api_key', 'bearer')),
	secret		BLOB NOT NULL,		-- sealed, context account:ID:secret
	group_id	INTEGER REFERENCES account_group (id),
	priority	INTEGER NOT NULL DEFAULT 50	-- smaller goes first
	    CHECK (priority BETWEEN 0 AND 1000),
	weight		INTEGER NOT NULL DEFAULT 100
	    CHECK (weight BETWEEN 1 AND 10000),
	concurrency	INTEGER NOT NULL DEFAULT 10	-- slots
	    CHECK (concurrency BETWEEN 1 AND 10000),
	enabled		INTEGER NOT NULL DEFAULT 1	-- the operator's word
	    CHECK (enabled IN (0, 1)),
	created_ms	INTEGER NOT NULL,
	updated_ms	INTEGER NOT NULL
);
CREATE INDEX account_by_group ON account (group_id);

-- An account may serve as many requests at once as it has slots.  A slot is
-- free (responder_id NULL) or leased.
CREATE TABLE slot (
	account_id	INTEGER NOT NULL REFERENCES account (id),
	n		INTEGER NOT NULL,	-- 1 .. concurrency
	fence		INTEGER NOT NULL DEFAULT 0,	-- raised by each lease
	responder_id	INTEGER,		-- who leases it
	ledger_id	INTEGER,		-- for which request
	key_id		INTEGER,		-- whose request
	leased_ms	INTEGER,
	PRIMARY KEY (account_id, n)
) WITHOUT ROWID;
CREATE INDEX slot_held ON slot (key_id) WHERE responder_id IS NOT NULL;
CREATE INDEX slot_by_responder ON slot (responder_id)
    WHERE responder_id IS NOT NULL;

-- Accounts parked until a time, for a reason; family '' is the whole account,
-- else one model family.
CREATE TABLE cooldown (
	account_id	INTEGER NOT NULL REFERENCES account (id),
	family		TEXT NOT NULL DEFAULT '',
	reason		TEXT NOT NULL,		-- rate_limited, overloaded, ...
	detail		TEXT NOT NULL DEFAULT '',	-- in the upstream's words
	since_ms	INTEGER NOT NULL,
	until_ms	INTEGER NOT NULL,
	stated		INTEGER NOT NULL	-- 1: the upstream said until when
	    CHECK (stated IN (0, 1)),
	strikes		INTEGER NOT NULL DEFAULT 1,	-- back-off exponent
	cause_id	INTEGER,		-- ledger id that found out
	observed_ms	INTEGER NOT NULL,	-- newer observations win
	PRIMARY KEY (account_id, family)
) WITHOUT ROWID;

-- Clients' keys.
CREATE TABLE api_key (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	name		TEXT NOT NULL UNIQUE,
	visible		TEXT NOT NULL,		-- the part that may be shown
	hash		BLOB NOT NULL UNIQUE,	-- keyed BLAKE2b-256
	person_id	INTEGER REFERENCES person (id),
	bind_kind	TEXT NOT NULL DEFAULT 'pool'
	    CHECK (bind_kind IN ('pool', 'group', 'account')),
	bind_id		INTEGER,
	concurrency	INTEGER NOT NULL DEFAULT 0	-- 0: unlimited
	    CHECK (concurrency BETWEEN 0 AND 100000),
	models		TEXT NOT NULL DEFAULT '',	-- wildcards, by comma
	enabled		INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	expires_ms	INTEGER,		-- NULL: never
	created_ms	INTEGER NOT NULL,
	revoked_ms	INTEGER,		-- not NULL: for good
	turn		INTEGER NOT NULL DEFAULT 0,	-- when it last got a
						-- slot while others waited
	CHECK ((bind_kind = 'pool') = (bind_id IS NULL))
);

-- What a key has used, in sums over its closed ledger rows, kept by the
-- transactions that close them; it stays when the ledger is cut.
CREATE TABLE key_usage (
	key_id		INTEGER PRIMARY KEY,
	requests	INTEGER NOT NULL,
	cost_nusd	INTEGER NOT NULL,
	input_tokens	INTEGER NOT NULL,
	output_tokens	INTEGER NOT NULL,
	cache_read_tokens INTEGER NOT NULL,
	cache_write_tokens INTEGER NOT NULL,	-- 5 m and 1 h
	last_ms		INTEGER NOT NULL	-- when the last was admitted
);

-- Limits on a key, person or group.
CREATE TABLE budget (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	scope		TEXT NOT NULL
	    CHECK (scope IN ('key', 'person', 'group')),
	scope_id	INTEGER NOT NULL,
	kind		TEXT NOT NULL
	    CHECK (kind IN ('money', 'tokens', 'requests')),
	period		TEXT NOT NULL DEFAULT 'total'
	    CHECK (period IN ('total', 'day', 'week', 'month', 'fixed',
		'rolling')),
	limit_value	INTEGER NOT NULL CHECK (limit_value >= 0), -- nusd, ...
	enabled		INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	created_ms	INTEGER NOT NULL
);
CREATE INDEX budget_by_scope ON budget (scope, scope_id);

-- What a budget has spent and reserved in one window.
CREATE TABLE budget_window (
	budget_id	INTEGER NOT NULL REFERENCES budget (id),
	start_ms	INTEGER NOT NULL,	-- 0 for period 'total'
	spent		INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),
	reserved	INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
	PRIMARY KEY (budget_id, start_ms)
) WITHOUT ROWID;

-- Which windows an open request reserved in, and how much.
CREATE TABLE reservation (
	ledger_id	INTEGER NOT NULL,
	budget_id	INTEGER NOT NULL,
	start_ms	INTEGER NOT NULL,
	amount		INTEGER NOT NULL CHECK (amount >= 0),
	PRIMARY KEY (ledger_id, budget_id)
) WITHOUT ROWID;

-- One row a request: opened at admission, closed exactly once.
CREATE TABLE ledger (
	id		INTEGER PRIMARY KEY,	-- made by the responder; grows
						-- with time
	state		INTEGER NOT NULL,	-- 0 open, 1 settled, 2 reaped,
						-- 3 corrected, 4 void
	fence		INTEGER NOT NULL,	-- number of its last attempt
	responder_id	INTEGER NOT NULL,
	created_ms	INTEGER NOT NULL,
	key_id		INTEGER NOT NULL,
	kind		TEXT NOT NULL,		-- messages, count_tokens, ...
	model		TEXT NOT NULL,		-- as the client asked
	stream		INTEGER NOT NULL,
	reserved_nusd	INTEGER NOT NULL,	-- worst case at admission
	body_bytes	INTEGER NOT NULL,
	session		TEXT NOT NULL DEFAULT '',
	-- from here on known at settlement
	account_id	INTEGER,		-- of the last attempt
	mark		INTEGER,		-- enum usage_mark
	outcome		TEXT,			-- ok, client_gone, refused, ...
	status		INTEGER,		-- HTTP status the client got
	attempts	INTEGER,
	input_tokens	INTEGER,
	output_tokens	INTEGER,
	cache_read_tokens INTEGER,
	cache_write_5m_tokens INTEGER,
	cache_write_1h_tokens INTEGER,
	cost_nusd	INTEGER,		-- NULL in a closed row: unpriced
	price_id	INTEGER,
	queue_ms	INTEGER,		-- waited for a slot
	first_byte_ms	INTEGER,		-- since the request was whole
	total_ms	INTEGER,
	answer_bytes	INTEGER,
	settled_ms	INTEGER,
	trace		TEXT			-- why this account
);
CREATE INDEX ledger_open ON ledger (responder_id) WHERE state = 0;

-- One row a try upstream, written before it is dispatched.
CREATE TABLE attempt (
	ledger_id	INTEGER NOT NULL,
	n		INTEGER NOT NULL,	-- 1 ..; the ledger's fence
	account_id	INTEGER NOT NULL,
	started_ms	INTEGER NOT NULL,
	ended_ms	INTEGER,
	outcome		TEXT,			-- NULL: open
	status		INTEGER,		-- HTTP status of the upstream
	upstream_id	TEXT,			-- its request-id
	mark		INTEGER,
	input_tokens	INTEGER,
	output_tokens	INTEGER,
	cost_nusd	INTEGER,
	PRIMARY KEY (ledger_id, n)
) WITHOUT ROWID;

-- Requests that wait for a slot.
CREATE TABLE ticket (
	ledger_id	INTEGER PRIMARY KEY,	-- first come, lowest id
	responder_id	INTEGER NOT NULL,
	key_id		INTEGER NOT NULL,
	bind_kind	TEXT NOT NULL,
	bind_id		INTEGER,
	model		TEXT NOT NULL,
	tried		TEXT NOT NULL DEFAULT '',	-- accounts passed over
						-- by failover, by comma
	enqueued_ms	INTEGER NOT NULL,
	expires_ms	INTEGER NOT NULL,
	granted_ms	INTEGER,		-- NULL: waiting
	account_id	INTEGER,
	slot_n		INTEGER,
	slot_fence	INTEGER
);
CREATE INDEX ticket_by_responder ON ticket (responder_id);

-- One row a responder process.
CREATE TABLE responder (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	kind		TEXT NOT NULL CHECK (kind IN ('relay', 'admin')),
	node		INTEGER NOT NULL UNIQUE, -- 0..1023, part of ledger ids
	host		TEXT NOT NULL,		-- boot-unique name of the host
	pid		INTEGER NOT NULL,	-- for people only
	lock_path	TEXT NOT NULL,		-- locked for its life
	wake_path	TEXT NOT NULL,		-- datagram socket, same host
	version		TEXT NOT NULL,
	started_ms	INTEGER NOT NULL,
	beat		INTEGER NOT NULL,	-- counter
	beat_ms		INTEGER NOT NULL,
	requests	INTEGER NOT NULL DEFAULT 0,	-- open at last beat
	draining	INTEGER NOT NULL DEFAULT 0
);

-- Prices by model pattern; the most specific (longest) pattern that is valid
-- at the time wins.  Rows are never changed, only followed by newer ones.
CREATE TABLE price (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	platform	TEXT NOT NULL,
	pattern		TEXT NOT NULL,		-- with '*'
	above_tokens	INTEGER NOT NULL DEFAULT 0,	-- context tier
	valid_from_ms	INTEGER NOT NULL,
	input_nusd_mtok	INTEGER NOT NULL CHECK (input_nusd_mtok >= 0),
	output_nusd_mtok INTEGER NOT NULL CHECK (output_nusd_mtok >= 0),
	cache_read_nusd_mtok INTEGER NOT NULL,
	cache_write_5m_nusd_mtok INTEGER NOT NULL,
	cache_write_1h_nusd_mtok INTEGER NOT NULL,
	context_tokens	INTEGER NOT NULL DEFAULT 0,	-- 0: unknown
	source		TEXT NOT NULL,
	UNIQUE (platform, pattern, above_tokens, valid_from_ms)
);

-- Tokens for the admin routes, made by the command.
CREATE TABLE admin_token (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	name		TEXT NOT NULL UNIQUE,
	visible		TEXT NOT NULL,
	hash		BLOB NOT NULL UNIQUE,
	created_ms	INTEGER NOT NULL,
	expires_ms	INTEGER
);
