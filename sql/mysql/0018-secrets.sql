-- Secrets that a key had before it was given a new one.
-- Each step can be run again when one broke off.

CREATE TABLE IF NOT EXISTS key_secret (
	hash		VARBINARY(64) NOT NULL COMMENT 'keyed BLAKE2b-256',
	key_id		BIGINT NOT NULL,
	visible		VARCHAR(64) NOT NULL
	    COMMENT 'the part that may be shown',
	until_ms	BIGINT NOT NULL COMMENT 'it works until then',
	PRIMARY KEY (hash),
	CONSTRAINT key_secret_of_key FOREIGN KEY (key_id)
	    REFERENCES api_key (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Secrets that a key had before; the present one stands with the key';
