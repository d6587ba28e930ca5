-- How long requests took, by hour and by day, as counts by buckets, see
-- fcgi/ledger/latency.h and admin/latency_fold.h.
-- Each step can be run again when one broke off.

CREATE TABLE IF NOT EXISTS latency_hour (
	start_ms	BIGINT NOT NULL COMMENT 'of the hour, UTC',
	key_id		BIGINT NOT NULL,
	account_id	BIGINT NOT NULL
	    COMMENT '0: none; so are the next two',
	group_id	BIGINT NOT NULL,
	person_id	BIGINT NOT NULL,
	model		VARCHAR(128) NOT NULL,
	first_byte	VARCHAR(4096) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL
	    COMMENT 'when it came since the request was whole: BUCKET:COUNT, by blanks',
	whole		VARCHAR(4096) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL
	    COMMENT 'of the same requests, how long they took in all',
	PRIMARY KEY (start_ms, key_id, account_id, group_id, person_id, model),
	KEY latency_hour_by_key (key_id, start_ms),
	KEY latency_hour_by_person (person_id, start_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'How long requests took by hour, folded from the ledger up to meta.latency_mark';

CREATE TABLE IF NOT EXISTS latency_day (
	start_ms	BIGINT NOT NULL COMMENT 'of the day, UTC',
	key_id		BIGINT NOT NULL,
	account_id	BIGINT NOT NULL
	    COMMENT '0: none; so are the next two',
	group_id	BIGINT NOT NULL,
	person_id	BIGINT NOT NULL,
	model		VARCHAR(128) NOT NULL,
	first_byte	VARCHAR(4096) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL
	    COMMENT 'when it came since the request was whole: BUCKET:COUNT, by blanks',
	whole		VARCHAR(4096) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL
	    COMMENT 'of the same requests, how long they took in all',
	PRIMARY KEY (start_ms, key_id, account_id, group_id, person_id, model),
	KEY latency_day_by_key (key_id, start_ms),
	KEY latency_day_by_person (person_id, start_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'How long requests took by day, folded from the ledger up to meta.latency_mark';
