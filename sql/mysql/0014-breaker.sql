-- Breakers of accounts, see fcgi/pool/breaker.h and halfopen.h.
--
-- The step can be run again when it broke off, see 0003.

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'cooldown'
    AND column_name = 'soft') > 0, 'DO 0',
    'ALTER TABLE cooldown
	ADD COLUMN soft BIGINT NOT NULL DEFAULT 0
	    COMMENT ''1: for a failure that may be over at any moment; where nothing else is left, one request at a time may try''
	    CHECK (soft IN (0, 1)),
	ADD COLUMN probe_id BIGINT
	    COMMENT ''ledger id of the request that finds out whether what the account is parked for is over; NULL: nobody does'',
	ADD COLUMN probe_attempt BIGINT NOT NULL DEFAULT 0
	    COMMENT ''number of its attempt'',
	ADD COLUMN probe_ms BIGINT NOT NULL DEFAULT 0
	    COMMENT ''since when''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
