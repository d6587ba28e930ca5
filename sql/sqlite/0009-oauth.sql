-- Accounts that are signed in to by OAuth: their tokens, and how they are
-- renewed.  The access token is the account's secret.

CREATE TABLE account_oauth (
	account_id	INTEGER PRIMARY KEY REFERENCES account (id),
	authorize_url	TEXT NOT NULL,
	token_url	TEXT NOT NULL,
	client_id	TEXT NOT NULL,
	scopes		TEXT NOT NULL,		-- by blanks
	redirect_uri	TEXT NOT NULL,
	token_format	TEXT NOT NULL DEFAULT 'form'	-- of requests for
	    CHECK (token_format IN ('form', 'json')),	-- tokens
	refresh		BLOB,			-- refresh token, sealed,
						-- context account:ID:refresh;
						-- NULL: never signed in
	signed_in	INTEGER NOT NULL DEFAULT 0	-- 0: needs sign-in
	    CHECK (signed_in IN (0, 1)),
	rotation	INTEGER NOT NULL DEFAULT 0,	-- raised by each new
						-- pair of tokens
	expires_ms	INTEGER NOT NULL DEFAULT 0,	-- of the access token;
						-- 0: not stated
	renew_ms	INTEGER NOT NULL DEFAULT 0,	-- when to renew it,
						-- ahead of that; 0: never
	renewed_ms	INTEGER NOT NULL DEFAULT 0,	-- when the pair came
	-- who is renewing it
	lease_by	INTEGER,		-- responder; NULL: nobody
	lease_fence	INTEGER NOT NULL DEFAULT 0,	-- raised by each lease
	lease_until_ms	INTEGER NOT NULL DEFAULT 0,
	sent_ms		INTEGER NOT NULL DEFAULT 0,	-- the refresh token
						-- was sent, and what came of
						-- it is not known; 0: no
	tries		INTEGER NOT NULL DEFAULT 0,	-- that failed in a row
	retry_ms	INTEGER NOT NULL DEFAULT 0,	-- not before
	updated_ms	INTEGER NOT NULL
);
