-- What models are called upstream, and which of them an account serves.

CREATE TABLE model_alias (
	scope		TEXT NOT NULL		-- of the accounts of a group,
	    CHECK (scope IN ('group', 'account')),	-- or of one, after it
	scope_id	INTEGER NOT NULL,	-- account_group.id, account.id
	pattern		TEXT NOT NULL CHECK (pattern <> ''),	-- of the name
						-- asked for, with '*'; the
						-- most specific one wins
	target		TEXT NOT NULL CHECK (target <> ''),	-- goes upstream
	created_ms	INTEGER NOT NULL,
	PRIMARY KEY (scope, scope_id, pattern)
);

-- What it serves: wildcards by comma, of names as they go upstream; '': any.
ALTER TABLE account ADD COLUMN models TEXT NOT NULL DEFAULT '';
-- Header that its API key goes in; '': x-api-key.
ALTER TABLE account ADD COLUMN auth_header TEXT NOT NULL DEFAULT '';

-- Name under which a request went upstream last; '': the one asked for, and
-- no other was possible.  Budgets by model, sums and prices go by this one.
ALTER TABLE ledger ADD COLUMN sent_as TEXT NOT NULL DEFAULT '';
-- '': the one asked for.
ALTER TABLE attempt ADD COLUMN model TEXT NOT NULL DEFAULT '';
-- Names under which a request that waits may go upstream, as it reserved for
-- them: PLATFORM/NAME, a line each; '': as it was asked for; '*': any.
ALTER TABLE ticket ADD COLUMN names TEXT NOT NULL DEFAULT '';
