-- Which account holds the prompt cache of a session, see fcgi/pool/affinity.h.
-- Each step can be run again when one broke off.

CREATE TABLE IF NOT EXISTS affinity (
	id		BIGINT NOT NULL
	    COMMENT 'hash of key, what it is bound to, and session',
	account_id	BIGINT NOT NULL,
	since_ms	BIGINT NOT NULL
	    COMMENT 'there since then: the newest move wins',
	used_ms		BIGINT NOT NULL
	    COMMENT 'last request, or some minutes before it',
	cached_tokens	BIGINT NOT NULL COMMENT 'that a move would lose',
	cache_ms	BIGINT NOT NULL COMMENT 'they are kept for so long',
	expires_ms	BIGINT NOT NULL,
	PRIMARY KEY (id),
	KEY affinity_by_expiry (expires_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Which account holds the prompt cache of a session; see fcgi/pool/affinity.h';

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'ticket'
    AND column_name = 'home_id') > 0, 'DO 0',
    'ALTER TABLE ticket ADD COLUMN home_id BIGINT NOT NULL DEFAULT 0
	COMMENT ''its session is at home on this account ...'',
    ADD COLUMN home_until_ms BIGINT NOT NULL DEFAULT 0
	COMMENT ''... and waits for it until then''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
