-- Sign-ins to OAuth accounts that were begun on the admin pages, and wait for
-- what the provider's page leads to.
-- Each step can be run again when one broke off.

CREATE TABLE IF NOT EXISTS oauth_start (
	hash		BINARY(32) NOT NULL
	    COMMENT 'of the state, keyed BLAKE2b-256',
	actor		VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
	    NOT NULL COMMENT 'whose it is: person:ID, token:ID',
	account_id	BIGINT COMMENT 'NULL: one that is to be made',
	sealed		VARBINARY(20000) NOT NULL
	    COMMENT 'state, verifier, new account; context oauth_start:HASH',
	created_ms	BIGINT NOT NULL,
	expires_ms	BIGINT NOT NULL,
	PRIMARY KEY (hash),
	CONSTRAINT oauth_start_of_account FOREIGN KEY (account_id)
	    REFERENCES account (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Sign-ins to accounts that were begun; each is taken once';
