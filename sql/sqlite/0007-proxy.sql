-- The proxy through which an account is reached.

-- Its URL, sealed, context account:ID:proxy; NULL: none.
ALTER TABLE account ADD COLUMN proxy BLOB;
-- The same without user and password, to be shown.
ALTER TABLE account ADD COLUMN proxy_shown TEXT NOT NULL DEFAULT '';
