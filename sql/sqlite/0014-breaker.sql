-- Breakers of accounts, see fcgi/pool/breaker.h and halfopen.h.

-- 1: for a failure that may be over at any moment; where nothing else is left,
-- one request at a time may try.
ALTER TABLE cooldown ADD COLUMN soft INTEGER NOT NULL DEFAULT 0
    CHECK (soft IN (0, 1));

-- Who finds out whether what the account is parked for is over: a request, with
-- the number of its attempt, since when; NULL: nobody does.
ALTER TABLE cooldown ADD COLUMN probe_id INTEGER;
ALTER TABLE cooldown ADD COLUMN probe_attempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cooldown ADD COLUMN probe_ms INTEGER NOT NULL DEFAULT 0;
