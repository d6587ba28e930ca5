-- Accounts that are signed in to by OAuth: their tokens, and how they are
-- renewed.  The access token is the account's secret.

CREATE TABLE IF NOT EXISTS account_oauth (
	account_id	BIGINT NOT NULL,
	authorize_url	VARCHAR(2048) NOT NULL,
	token_url	VARCHAR(2048) NOT NULL,
	client_id	VARCHAR(512) NOT NULL,
	scopes		VARCHAR(2048) NOT NULL COMMENT 'by blanks',
	redirect_uri	VARCHAR(2048) NOT NULL,
	token_format	VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL DEFAULT 'form'
	    COMMENT 'of requests for tokens'
	    CHECK (token_format IN ('form', 'json')),
	refresh		BLOB
	    COMMENT 'refresh token, sealed, context account:ID:refresh; NULL: never signed in',
	signed_in	TINYINT NOT NULL DEFAULT 0
	    COMMENT '0: needs sign-in'
	    CHECK (signed_in IN (0, 1)),
	rotation	BIGINT NOT NULL DEFAULT 0
	    COMMENT 'raised by each new pair of tokens',
	expires_ms	BIGINT NOT NULL DEFAULT 0
	    COMMENT 'of the access token; 0: not stated',
	renew_ms	BIGINT NOT NULL DEFAULT 0
	    COMMENT 'when to renew it, ahead of that; 0: never',
	renewed_ms	BIGINT NOT NULL DEFAULT 0
	    COMMENT 'when the pair came',
	lease_by	BIGINT
	    COMMENT 'responder that is renewing it; NULL: nobody',
	lease_fence	BIGINT NOT NULL DEFAULT 0
	    COMMENT 'raised by each lease',
	lease_until_ms	BIGINT NOT NULL DEFAULT 0,
	sent_ms		BIGINT NOT NULL DEFAULT 0
	    COMMENT 'the refresh token was sent, and what came of it is not known; 0: no',
	tries		BIGINT NOT NULL DEFAULT 0
	    COMMENT 'that failed in a row',
	retry_ms	BIGINT NOT NULL DEFAULT 0 COMMENT 'not before',
	updated_ms	BIGINT NOT NULL,
	PRIMARY KEY (account_id),
	CONSTRAINT account_oauth_of_account FOREIGN KEY (account_id)
	    REFERENCES account (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Accounts that are signed in to by OAuth';
