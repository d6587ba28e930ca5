-- Which clients a key lets in, from where, and how fast; and where a request
-- came from.

-- Kinds of clients and patterns of their User-Agent, by comma; '': any.
ALTER TABLE api_key ADD COLUMN clients TEXT NOT NULL DEFAULT '';

-- Networks that it may be used from, by comma; '': any.
ALTER TABLE api_key ADD COLUMN nets TEXT NOT NULL DEFAULT '';

-- The budget that is its rate of requests; NULL: it never had one.
ALTER TABLE api_key ADD COLUMN rate_id INTEGER;

-- The client's address, as it was judged; '': not known, or not recorded.
ALTER TABLE ledger ADD COLUMN address TEXT NOT NULL DEFAULT '';
