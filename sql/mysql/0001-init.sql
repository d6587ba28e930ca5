-- The first schema of Leasehold, for MySQL and MariaDB.
--
-- Money is an integer of nano-dollars (*_nusd), prices are nano-dollars for a
-- million tokens (*_nusd_mtok), times are milliseconds since the epoch, UTC
-- (*_ms).  Flags are 0 or 1.  Words that the program chooses and ids are
-- ASCII; what people or clients write is utf8mb4.  All text is compared byte
-- by byte.  A change of the schema commits by itself here, so each step can be
-- run again when one broke off.
--
-- There are no partial indexes: those of slot, ledger and ticket begin with
-- the column whose NULL or state leaves most rows out.

CREATE TABLE IF NOT EXISTS meta (
	name		VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL PRIMARY KEY,
	value		VARBINARY(4096) NOT NULL
	    COMMENT 'text, or digits'
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Facts of the installation: installation_id, epoch (raised by restore), config_version (raised by every change that running responders must see), pepper (sealed key of the key hashes), seal_key_id, seal_check';

CREATE TABLE IF NOT EXISTS gate (
	name		VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL PRIMARY KEY
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Rows that are locked by who must be alone: queue (grants, takes or ends waiting), nodes (gives out a node number), config (changes settings of the pool). They hold no data';
REPLACE INTO gate (name) VALUES ('config'), ('nodes'), ('queue');

CREATE TABLE IF NOT EXISTS migration (
	number		BIGINT NOT NULL PRIMARY KEY,
	name		VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL,
	applied_ms	BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Which migrations have run';

CREATE TABLE IF NOT EXISTS account_group (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	name		VARCHAR(128) NOT NULL,
	strategy	VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL DEFAULT 'weighted'
	    CHECK (strategy IN ('weighted', 'least_connections',
		'round_robin', 'response_time')),
	created_ms	BIGINT NOT NULL,
	UNIQUE KEY account_group_name (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Sets of accounts';

CREATE TABLE IF NOT EXISTS person (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	name		VARCHAR(128) NOT NULL,
	created_ms	BIGINT NOT NULL,
	UNIQUE KEY person_name (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'People who own keys; sign-in comes with the admin pages';

CREATE TABLE IF NOT EXISTS account (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	name		VARCHAR(128) NOT NULL,
	platform	VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL COMMENT 'claude',
	base_url	VARCHAR(2048) NOT NULL COMMENT 'no trailing slash',
	credential	VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL COMMENT 'how the secret is sent'
	    CHECK (credential IN ('api_key', 'bearer')),
	secret		VARBINARY(16384) NOT NULL
	    COMMENT 'sealed, context account:ID:secret',
	group_id	BIGINT,
	priority	INT NOT NULL DEFAULT 50 COMMENT 'smaller goes first'
	    CHECK (priority BETWEEN 0 AND 1000),
	weight		INT NOT NULL DEFAULT 100
	    CHECK (weight BETWEEN 1 AND 10000),
	concurrency	INT NOT NULL DEFAULT 10 COMMENT 'slots'
	    CHECK (concurrency BETWEEN 1 AND 10000),
	enabled		TINYINT NOT NULL DEFAULT 1
	    COMMENT 'the word of the operator'
	    CHECK (enabled IN (0, 1)),
	created_ms	BIGINT NOT NULL,
	updated_ms	BIGINT NOT NULL,
	UNIQUE KEY account_name (name),
	KEY account_by_group (group_id),
	CONSTRAINT account_group_is_there FOREIGN KEY (group_id)
	    REFERENCES account_group (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'One upstream credential each';

CREATE TABLE IF NOT EXISTS slot (
	account_id	BIGINT NOT NULL,
	n		INT NOT NULL COMMENT '1 .. concurrency',
	fence		BIGINT NOT NULL DEFAULT 0
	    COMMENT 'raised by each lease',
	responder_id	BIGINT COMMENT 'who leases it; NULL: free',
	ledger_id	BIGINT COMMENT 'for which request',
	key_id		BIGINT COMMENT 'whose request',
	leased_ms	BIGINT,
	PRIMARY KEY (account_id, n),
	KEY slot_free (account_id, responder_id, n),
	KEY slot_held (responder_id, key_id, account_id),
	KEY slot_by_key (key_id),
	CONSTRAINT slot_of_account FOREIGN KEY (account_id)
	    REFERENCES account (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'An account may serve as many requests at once as it has slots';

CREATE TABLE IF NOT EXISTS cooldown (
	account_id	BIGINT NOT NULL,
	family		VARCHAR(64) NOT NULL DEFAULT ''
	    COMMENT 'model family; empty: the whole account',
	reason		VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL COMMENT 'rate_limited, overloaded, ...',
	detail		VARCHAR(255) NOT NULL DEFAULT ''
	    COMMENT 'in the words of the upstream',
	since_ms	BIGINT NOT NULL,
	until_ms	BIGINT NOT NULL,
	stated		TINYINT NOT NULL
	    COMMENT '1: the upstream said until when'
	    CHECK (stated IN (0, 1)),
	strikes		INT NOT NULL DEFAULT 1 COMMENT 'back-off exponent',
	cause_id	BIGINT COMMENT 'ledger id that found out',
	observed_ms	BIGINT NOT NULL COMMENT 'newer observations win',
	PRIMARY KEY (account_id, family),
	CONSTRAINT cooldown_of_account FOREIGN KEY (account_id)
	    REFERENCES account (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Accounts parked until a time, for a reason';

CREATE TABLE IF NOT EXISTS api_key (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	name		VARCHAR(128) NOT NULL,
	visible		VARCHAR(64) NOT NULL
	    COMMENT 'the part that may be shown',
	hash		VARBINARY(64) NOT NULL COMMENT 'keyed BLAKE2b-256',
	person_id	BIGINT,
	bind_kind	VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL DEFAULT 'pool'
	    CHECK (bind_kind IN ('pool', 'group', 'account')),
	bind_id		BIGINT COMMENT 'of the group or account',
	concurrency	INT NOT NULL DEFAULT 0 COMMENT '0: unlimited'
	    CHECK (concurrency BETWEEN 0 AND 100000),
	models		VARCHAR(8192) NOT NULL DEFAULT ''
	    COMMENT 'wildcards, by comma; empty: any',
	enabled		TINYINT NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	expires_ms	BIGINT COMMENT 'NULL: never',
	created_ms	BIGINT NOT NULL,
	revoked_ms	BIGINT COMMENT 'not NULL: for good',
	turn		BIGINT NOT NULL DEFAULT 0
	    COMMENT 'when it last got a slot while others waited',
	UNIQUE KEY api_key_name (name),
	UNIQUE KEY api_key_hash (hash),
	KEY api_key_by_bind (bind_id),
	CONSTRAINT api_key_of_person FOREIGN KEY (person_id)
	    REFERENCES person (id),
	CHECK ((bind_kind = 'pool') = (bind_id IS NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Keys of clients';

CREATE TABLE IF NOT EXISTS key_usage (
	key_id		BIGINT NOT NULL PRIMARY KEY,
	requests	BIGINT NOT NULL,
	cost_nusd	BIGINT NOT NULL,
	input_tokens	BIGINT NOT NULL,
	output_tokens	BIGINT NOT NULL,
	cache_read_tokens BIGINT NOT NULL,
	cache_write_tokens BIGINT NOT NULL COMMENT '5 m and 1 h',
	last_ms		BIGINT NOT NULL
	    COMMENT 'when the last was admitted'
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'What a key has used, in sums over its closed ledger rows, kept by the transactions that close them; it stays when the ledger is cut';

CREATE TABLE IF NOT EXISTS budget (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	scope		VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL
	    CHECK (scope IN ('key', 'person', 'group')),
	scope_id	BIGINT NOT NULL,
	kind		VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL
	    CHECK (kind IN ('money', 'tokens', 'requests')),
	period		VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL DEFAULT 'total'
	    CHECK (period IN ('total', 'day', 'week', 'month', 'fixed',
		'rolling')),
	limit_value	BIGINT NOT NULL COMMENT 'nusd, tokens or requests'
	    CHECK (limit_value >= 0),
	enabled		TINYINT NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	created_ms	BIGINT NOT NULL,
	KEY budget_by_scope (scope, scope_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Limits on a key, person or group';

CREATE TABLE IF NOT EXISTS budget_window (
	budget_id	BIGINT NOT NULL,
	start_ms	BIGINT NOT NULL COMMENT '0 for period total',
	spent		BIGINT NOT NULL DEFAULT 0 CHECK (spent >= 0),
	reserved	BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),
	PRIMARY KEY (budget_id, start_ms),
	CONSTRAINT budget_window_of_budget FOREIGN KEY (budget_id)
	    REFERENCES budget (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'What a budget has spent and reserved in one window';

CREATE TABLE IF NOT EXISTS reservation (
	ledger_id	BIGINT NOT NULL,
	budget_id	BIGINT NOT NULL,
	start_ms	BIGINT NOT NULL,
	amount		BIGINT NOT NULL CHECK (amount >= 0),
	PRIMARY KEY (ledger_id, budget_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Which windows an open request reserved in, and how much';

CREATE TABLE IF NOT EXISTS ledger (
	id		BIGINT NOT NULL PRIMARY KEY
	    COMMENT 'made by the responder; grows with time',
	state		TINYINT NOT NULL
	    COMMENT '0 open, 1 settled, 2 reaped, 3 corrected, 4 void',
	fence		INT NOT NULL COMMENT 'number of its last attempt',
	responder_id	BIGINT NOT NULL,
	created_ms	BIGINT NOT NULL,
	key_id		BIGINT NOT NULL,
	kind		VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL COMMENT 'messages, count_tokens, ...',
	model		VARCHAR(255) NOT NULL COMMENT 'as the client asked',
	stream		TINYINT NOT NULL,
	reserved_nusd	BIGINT NOT NULL COMMENT 'worst case at admission',
	body_bytes	BIGINT NOT NULL,
	session		VARCHAR(255) NOT NULL DEFAULT '',
	account_id	BIGINT
	    COMMENT 'of the last attempt; from here on known at settlement',
	mark		TINYINT COMMENT 'enum usage_mark',
	outcome		VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
	    COMMENT 'ok, client_gone, refused, ...',
	status		INT COMMENT 'HTTP status that the client got',
	attempts	INT,
	input_tokens	BIGINT,
	output_tokens	BIGINT,
	cache_read_tokens BIGINT,
	cache_write_5m_tokens BIGINT,
	cache_write_1h_tokens BIGINT,
	cost_nusd	BIGINT COMMENT 'NULL in a closed row: unpriced',
	price_id	BIGINT,
	queue_ms	BIGINT COMMENT 'waited for a slot',
	first_byte_ms	BIGINT COMMENT 'since the request was whole',
	total_ms	BIGINT,
	answer_bytes	BIGINT,
	settled_ms	BIGINT,
	trace		VARCHAR(1024) COMMENT 'why this account',
	KEY ledger_open (state, responder_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'One row a request: opened at admission, closed exactly once';

CREATE TABLE IF NOT EXISTS attempt (
	ledger_id	BIGINT NOT NULL,
	n		INT NOT NULL COMMENT '1 ..; the fence of the ledger',
	account_id	BIGINT NOT NULL,
	started_ms	BIGINT NOT NULL,
	ended_ms	BIGINT,
	outcome		VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
	    COMMENT 'NULL: open',
	status		INT COMMENT 'HTTP status of the upstream',
	upstream_id	VARCHAR(255) COMMENT 'its request-id',
	mark		TINYINT,
	input_tokens	BIGINT,
	output_tokens	BIGINT,
	cost_nusd	BIGINT,
	PRIMARY KEY (ledger_id, n)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'One row a try upstream, written before it is dispatched';

CREATE TABLE IF NOT EXISTS ticket (
	ledger_id	BIGINT NOT NULL PRIMARY KEY
	    COMMENT 'first come, lowest id',
	responder_id	BIGINT NOT NULL,
	key_id		BIGINT NOT NULL,
	bind_kind	VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL,
	bind_id		BIGINT,
	model		VARCHAR(255) NOT NULL,
	tried		VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL DEFAULT ''
	    COMMENT 'accounts passed over by failover, by comma',
	enqueued_ms	BIGINT NOT NULL,
	expires_ms	BIGINT NOT NULL,
	granted_ms	BIGINT COMMENT 'NULL: waiting',
	account_id	BIGINT,
	slot_n		INT,
	slot_fence	BIGINT,
	KEY ticket_by_grant (granted_ms),
	KEY ticket_by_responder (responder_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Requests that wait for a slot';

CREATE TABLE IF NOT EXISTS responder (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	kind		VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL CHECK (kind IN ('relay', 'admin')),
	node		INT NOT NULL COMMENT '0..1023, part of ledger ids',
	host		VARCHAR(255) NOT NULL
	    COMMENT 'boot-unique name of the host',
	pid		BIGINT NOT NULL COMMENT 'for people only',
	lock_path	VARCHAR(255) NOT NULL COMMENT 'locked for its life',
	wake_path	VARCHAR(255) NOT NULL
	    COMMENT 'datagram socket, same host',
	version		VARCHAR(64) NOT NULL,
	started_ms	BIGINT NOT NULL,
	beat		BIGINT NOT NULL COMMENT 'counter',
	beat_ms		BIGINT NOT NULL,
	requests	BIGINT NOT NULL DEFAULT 0
	    COMMENT 'open at the last beat',
	draining	TINYINT NOT NULL DEFAULT 0,
	UNIQUE KEY responder_node (node)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'One row a responder process';

CREATE TABLE IF NOT EXISTS price (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	platform	VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL,
	pattern		VARCHAR(128) NOT NULL COMMENT 'with *',
	above_tokens	BIGINT NOT NULL DEFAULT 0 COMMENT 'context tier',
	valid_from_ms	BIGINT NOT NULL,
	input_nusd_mtok	BIGINT NOT NULL CHECK (input_nusd_mtok >= 0),
	output_nusd_mtok BIGINT NOT NULL CHECK (output_nusd_mtok >= 0),
	cache_read_nusd_mtok BIGINT NOT NULL,
	cache_write_5m_nusd_mtok BIGINT NOT NULL,
	cache_write_1h_nusd_mtok BIGINT NOT NULL,
	context_tokens	BIGINT NOT NULL DEFAULT 0 COMMENT '0: unknown',
	source		VARCHAR(1024) NOT NULL,
	UNIQUE KEY price_from (platform, pattern, above_tokens, valid_from_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Prices by model pattern; the longest pattern that is valid at the time wins. Rows are never changed, only followed by newer ones';

CREATE TABLE IF NOT EXISTS admin_token (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	name		VARCHAR(128) NOT NULL,
	visible		VARCHAR(64) NOT NULL,
	hash		VARBINARY(64) NOT NULL,
	created_ms	BIGINT NOT NULL,
	expires_ms	BIGINT,
	UNIQUE KEY admin_token_name (name),
	UNIQUE KEY admin_token_hash (hash)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Tokens for the admin routes, made by the command';
