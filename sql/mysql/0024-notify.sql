-- Notifications, see admin/notify.h.
-- Each step can be run again when one broke off.

CREATE TABLE IF NOT EXISTS notify_target (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	name		VARCHAR(128) NOT NULL CHECK (name <> ''),
	kind		VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
	    CHECK (kind IN ('webhook', 'email')),
	address		VARCHAR(1024) NOT NULL COMMENT 'URL, or mail address',
	secret		VARBINARY(512) COMMENT 'sealed; email: NULL',
	events		VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL COMMENT 'their names, by comma',
	lang		VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL DEFAULT 'en' CHECK (lang IN ('en', 'zh')),
	quiet_from	BIGINT NOT NULL DEFAULT 0
	    COMMENT 'minutes after midnight in zone',
	quiet_to	BIGINT NOT NULL DEFAULT 0 COMMENT 'the same: never',
	zone		VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL DEFAULT 'UTC' CHECK (zone <> ''),
	interval_ms	BIGINT NOT NULL
	    COMMENT 'not again before, of one event about one thing',
	enabled		BIGINT NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	created_ms	BIGINT NOT NULL,
	UNIQUE KEY name (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Where notifications go';

CREATE TABLE IF NOT EXISTS notify_event (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	kind		VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL COMMENT 'account.parked, ...',
	topic		VARCHAR(191) NOT NULL
	    COMMENT 'what about, for interval_ms',
	event_key	VARCHAR(191)
	    COMMENT 'one that lasts is there once; NULL: it is over',
	hold_ms		BIGINT NOT NULL DEFAULT 0 COMMENT 'not over before',
	at_ms		BIGINT NOT NULL,
	data		TEXT NOT NULL COMMENT 'JSON, by kind',
	UNIQUE KEY event_key (event_key)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'What happened';

CREATE TABLE IF NOT EXISTS notify_delivery (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	event_id	BIGINT NOT NULL,
	target_id	BIGINT NOT NULL,
	state		VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
	    COMMENT 'skipped: too soon after the last'
	    CHECK (state IN ('waiting', 'sent', 'failed', 'skipped')),
	held		BIGINT NOT NULL DEFAULT 0 COMMENT 'by a quiet time'
	    CHECK (held IN (0, 1)),
	due_ms		BIGINT NOT NULL COMMENT 'waiting: not tried before',
	tries		BIGINT NOT NULL DEFAULT 0,
	message		VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
	    COMMENT 'what it goes in; NULL: not known yet',
	created_ms	BIGINT NOT NULL,
	first_ms	BIGINT COMMENT 'first try',
	done_ms		BIGINT,
	status		BIGINT NOT NULL DEFAULT 0
	    COMMENT 'HTTP, or of sendmail',
	detail		VARCHAR(512) NOT NULL DEFAULT ''
	    COMMENT 'of the last try',
	KEY notify_delivery_waiting (target_id, state, due_ms),
	KEY notify_delivery_of_event (event_id),
	KEY notify_delivery_of_message (message),
	CONSTRAINT notify_delivery_event FOREIGN KEY (event_id)
	    REFERENCES notify_event (id),
	CONSTRAINT notify_delivery_target FOREIGN KEY (target_id)
	    REFERENCES notify_target (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'One event for one target';

CREATE TABLE IF NOT EXISTS notify_spool (
	host		VARCHAR(128) NOT NULL,
	records		BIGINT NOT NULL,
	refused		BIGINT NOT NULL COMMENT 'files that were put aside',
	since_ms	BIGINT NOT NULL,
	PRIMARY KEY (host)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'What lies in the spool of a host that has anything there';
