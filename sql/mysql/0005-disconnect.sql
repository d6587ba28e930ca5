-- What becomes of the upstream when a client leaves, by key.
--
-- The step can be run again when it broke off, see 0003.

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'api_key'
    AND column_name = 'drain_ms') > 0, 'DO 0',
    'ALTER TABLE api_key ADD COLUMN drain_ms BIGINT
	COMMENT ''so long the upstream may go on, so that its usage is known; 0: it is cut; NULL: as the installation has it''
	CHECK (drain_ms BETWEEN 0 AND 3600000)');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
