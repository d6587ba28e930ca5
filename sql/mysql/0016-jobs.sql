-- Periodic work, see admin/job_row.h.
-- Each step can be run again when one broke off.

CREATE TABLE IF NOT EXISTS job (
	name		VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL,
	schedule	VARCHAR(128) NOT NULL DEFAULT 'off'
	    COMMENT 'of who last ran it',
	next_ms		BIGINT
	    COMMENT 'what came next by its schedule; NULL: nothing',
	since_ms	BIGINT NOT NULL
	    COMMENT 'it is due when its schedule has a time after this',
	lease_by	VARCHAR(255) COMMENT 'who is at it; NULL: nobody',
	lease_fence	BIGINT NOT NULL DEFAULT 0
	    COMMENT 'raised by each lease',
	lease_until_ms	BIGINT NOT NULL DEFAULT 0,
	runs		BIGINT NOT NULL DEFAULT 0,
	last_start_ms	BIGINT,
	last_end_ms	BIGINT COMMENT 'of the last that ended',
	duration_ms	BIGINT,
	result		VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL DEFAULT ''
	    COMMENT 'empty: none ended yet'
	    CHECK (result IN ('', 'ok', 'skipped', 'failed', 'stopped')),
	detail		VARCHAR(512) NOT NULL DEFAULT '',
	good_ms		BIGINT COMMENT 'last end with ok',
	PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Periodic work; see admin/job_row.h';

CREATE TABLE IF NOT EXISTS account_probe (
	account_id	BIGINT NOT NULL,
	probed_ms	BIGINT NOT NULL,
	result		VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL
	    CHECK (result IN ('ok', 'credential', 'limited', 'failing',
		'unreachable')),
	status		BIGINT NOT NULL COMMENT 'HTTP; 0: no answer',
	latency_ms	BIGINT NOT NULL,
	detail		VARCHAR(512) NOT NULL,
	good_ms		BIGINT COMMENT 'last one with ok',
	PRIMARY KEY (account_id),
	CONSTRAINT account_probe_of_account FOREIGN KEY (account_id)
	    REFERENCES account (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'What the last health probe of an account found';
