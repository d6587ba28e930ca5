-- How accounts do, as responders see it: read by all, written on material
-- change alone, see fcgi/pool/health.h.

CREATE TABLE IF NOT EXISTS account_health (
	account_id	BIGINT NOT NULL,
	first_byte_ms	BIGINT NOT NULL
	    COMMENT 'of streams, a moving average; 0: not known',
	first_byte_seen_ms BIGINT NOT NULL COMMENT 'the last one',
	share_permille	BIGINT NOT NULL COMMENT 'left upstream, of 1000 ...',
	share_reset_ms	BIGINT NOT NULL
	    COMMENT '... until it is whole again',
	share_window_ms	BIGINT NOT NULL COMMENT 'length of that limit',
	share_seen_ms	BIGINT NOT NULL COMMENT '0: nothing is known',
	updated_ms	BIGINT NOT NULL,
	PRIMARY KEY (account_id),
	KEY account_health_by_update (updated_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'How accounts do, as responders see it; see fcgi/pool/health.h';
