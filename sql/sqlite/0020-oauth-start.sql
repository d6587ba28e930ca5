-- Sign-ins to OAuth accounts that were begun on the admin pages, and wait for
-- what the provider's page leads to.  Each is taken once.
CREATE TABLE oauth_start (
	hash		BLOB PRIMARY KEY,	-- of the state, keyed
						-- BLAKE2b-256
	actor		TEXT NOT NULL,		-- whose it is: person:ID,
						-- token:ID
	account_id	INTEGER REFERENCES account (id),	-- NULL: one
						-- that is to be made
	sealed		BLOB NOT NULL,		-- state, verifier, and what a
						-- new account is to be; context
						-- oauth_start:HASH
	created_ms	INTEGER NOT NULL,
	expires_ms	INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX oauth_start_by_account ON oauth_start (account_id);
